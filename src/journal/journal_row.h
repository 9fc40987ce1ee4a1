/* SPDX-License-Identifier: MIT */
#ifndef SF_JOURNAL_JOURNAL_ROW_H
#define SF_JOURNAL_JOURNAL_ROW_H

#include "journal/journal.h"

/* Something that waits for the disk: one block of memory with all its texts. */
struct journal_row {
    struct journal_row *next;
    size_t bytes; /* of the block */
    enum { JOURNAL_ROW_REQUEST, JOURNAL_ROW_STATE, JOURNAL_ROW_STANDING } kind;
    int64_t output_bytes; /* before an answer that is too long was left out; -1 none */
    struct journal_request request;
    struct journal_state state;
    struct journal_standing standing;
};

#define JOURNAL_TEXT_MAX 1024
#define JOURNAL_INPUT_MAX 8192
#define JOURNAL_OUTPUT_MAX (512U << 10)
#define JOURNAL_CONTEXT_MAX (256U << 10)

/* Copies; texts longer than the journal keeps are cut (input) or left out (output, contexts). NULL:
 * out of memory. Free with free(). */
struct journal_row *journal_row_request(const struct journal_request *r);
struct journal_row *journal_row_state(const struct journal_state *s);
struct journal_row *journal_row_standing(const struct journal_standing *s);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_MEND_TEXT_H
#define SF_ENGINE_CHILD_MEND_TEXT_H

#include "base/buf.h"

/* Slips of small models that have one right form, put right. English texts. */

/* "a owl" to "an owl", "an door" to "a door"; appends to `out`. */
void mend_articles(struct sf_str text, struct sf_buf *out);

/* A first name with somebody else's surname behind it gets its own. `names` are `n` full names
 * ("Ines Vidal"); appends to `out`. */
void mend_surnames(struct sf_str text, const char *const *names, size_t n, struct sf_buf *out);

/* Words of names: one that was written small gets its capital ("thea" to "Thea"), one that stands
 * twice in a row is told once; appends to `out`. */
void mend_name_words(struct sf_str text, const char *const *words, size_t n, struct sf_buf *out);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_TUNE_RECORD_H
#define SF_APP_MODEL_TUNE_RECORD_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* What was found for a file, beside FILE.tuned.gguf as FILE.tuned.json: so that nobody measures
 * again by itself, also when the file as it is was the fastest or the owner removed the other. */
struct tune_record {
    int64_t bytes, mtime; /* of the original */
    char kept[24];        /* "as it is", "Q4_0" */
    double gain;
};

/* "X.tuned.gguf" → "X.tuned.json". */
void tune_record_path(const char *tuned, char *out, size_t n);
/* False: there is none, it makes no sense, or the file at `original` is another one by now. */
bool tune_record_read(const char *tuned, const char *original, struct tune_record *out);
/* Takes bytes and mtime from the file. SF_EIO, SF_ENOMEM. */
SF_MUST_USE enum sf_err tune_record_write(const char *tuned, const char *original, const char *kept,
                                          double gain, struct sf_errbuf *eb);

#endif

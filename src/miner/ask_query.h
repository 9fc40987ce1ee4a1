/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ASK_QUERY_H
#define SF_MINER_ASK_QUERY_H

#include "miner/query.h"

/* What an admin question asks for behind its path: typed arguments with a sticky error, which names
 * the first one that is wrong and what it takes. */
struct ask {
    const struct http_request *request;
    char wrong[256]; /* "" nothing */
};

/* The argument into `out`; NULL when it is not there. */
const char *ask_text(struct ask *q, const char *name, char *out, size_t room);
/* One of `n` words; NULL when it is not there. */
const char *ask_word(struct ask *q, const char *name, const char *const *words, size_t n);
/* A whole number; `fallback` when it is not there. */
int64_t ask_number(struct ask *q, const char *name, int64_t min, int64_t max, int64_t fallback);
bool ask_flag(struct ask *q, const char *name); /* 1 and true; false when it is not there */
/* A time in nanoseconds since the epoch: seconds since the epoch, or ISO 8601 in UTC
 * ("2026-11-24", "2026-11-24T23:50", "2026-11-24T23:50:10Z"). */
int64_t ask_time_ns(struct ask *q, const char *name, int64_t fallback);

/* "/api/requests/12" behind "/api/requests/": 12, and what stands behind it ("" or "/book") into
 * `rest`. False: no number above 0. */
bool ask_path_id(const char *path, const char *prefix, int64_t *id, const char **rest);

#endif

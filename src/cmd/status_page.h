/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_STATUS_PAGE_H
#define SF_CMD_STATUS_PAGE_H

#include "cmd/screen.h"
#include "json/json.h"

/* What `storyfi status --watch` shows, from what the miner says and the journal has. */
struct status_view {
    const json_t *status; /* /api/status; NULL: no miner answers, and `error` says why */
    const char *error;
    const json_t *hour; /* journal_figures of the last hour; NULL: none */
    const json_t *last; /* journal_list, newest first; NULL: none */
};

/* Where the pieces of the page go. */
struct status_sink {
    void (*put)(enum screen_style style, const char *text);
    void (*end_line)(void);
};

void status_page(const struct status_view *v, const struct status_sink *to);

/* The same in one line, for where no screen is. */
void status_line(const struct status_view *v, struct sf_buf *out);

/* "3 h", "25 s". */
const char *status_span(double seconds, char *out, size_t n);

#endif

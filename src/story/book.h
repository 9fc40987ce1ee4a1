/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_BOOK_H
#define SF_STORY_BOOK_H

#include "json/json.h"

/* Appends the self-contained, playable HTML book of a story.json object to `out` (cap 16 MiB is
 * plenty). The story goes in as data with every '<' escaped and is shown as text only; scripts and
 * styles of the page run by a nonce, nothing else does. Errors are `out`'s sticky one. */
SF_MUST_USE enum sf_err story_book_render(const json_t *story, struct sf_buf *out);

#endif

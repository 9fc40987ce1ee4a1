/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_BOOK_H
#define SF_STORY_BOOK_H

#include "json/json.h"

/* Appends the self-contained, playable HTML book of a story.json object to `out` (cap 16 MiB is
 * plenty). The story goes in as data that cannot end the element it stands in, and is shown as text
 * only; the page's policy knows its own script and style by their hashes and allows nothing else.
 * The same story gives the same bytes. Errors are `out`'s sticky one. */
SF_MUST_USE enum sf_err story_book_render(const json_t *story, struct sf_buf *out);

#endif

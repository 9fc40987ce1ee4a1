/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_ASK_CONTEXT_H
#define SF_STORY_ASK_CONTEXT_H

#include "story/ask.h"

/* Appends what the model is to build on: the answer so far, the story's other parts, the newest
 * and most specific first, at most `max_context_bytes` and a heading each; for chapters also what
 * comes before and after each of them in the arc. What does not fit is shortened from the inside:
 * long texts and long lists first. */
void story_ask_context(const struct story_ask *ask, struct sf_buf *out);

/* Appends the first `max` code points without control characters and line breaks. */
void story_ask_put_clean(struct sf_str s, size_t max, struct sf_buf *out);

#endif

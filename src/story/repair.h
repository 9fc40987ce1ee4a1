/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_REPAIR_H
#define SF_STORY_REPAIR_H

#include "story/slot.h"

/* Puts right, in place, what the program owns or can mend without inventing prose: ids and their
 * order, storyProgress, acts, characterFocus, nextChapter, white space, over-long texts cut at the
 * end of a sentence or clause, list items too many or twice. The rest is left for validation to
 * name. SF_OK also when there was nothing to do; SF_ENOMEM: `output` may be half mended. */
SF_MUST_USE enum sf_err story_repair(const struct story_request *request, json_t *output);

/* Copies the members at the pointers `wanted` from `from` into `into`; absent ones are passed over.
 */
SF_MUST_USE enum sf_err story_merge(json_t *into, const json_t *from, const char *const *wanted,
                                    size_t n);

/* The longest head of `s` of at most `max` code points that ends a sentence, else a clause, else a
 * word; trimmed. A head under `min` is passed over for a longer one. */
struct sf_str story_cut(struct sf_str s, size_t min, size_t max);

#endif

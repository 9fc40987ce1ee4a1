/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_PROMPT_H
#define SF_STORY_PROMPT_H

#include "story/task.h"

/* Renders an owner's template for a request: ${user_input}, ${blueprint_context},
 * ${characters_context},
 * ${story_context}, ${chapter_ids}, ${context} (all contexts), ${task_type}. Contexts are JSON, cut
 * at 8,000 bytes each at a character's end; an unknown ${name} stays as it is. Appends to `out`. */
void story_prompt_render(struct sf_str text, const struct story_request *request,
                         struct sf_buf *out);

#endif

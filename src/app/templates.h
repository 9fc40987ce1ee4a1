/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_TEMPLATES_H
#define SF_APP_TEMPLATES_H

#include "story/task.h"

/* The owner's prompts: in a folder, one file per task named after it, as <task>.txt (the text
 * itself), .yaml, .yml or .json (a text, or an object with `prompt`, `template` or `user_prompt`).
 * The first of them in this order counts. */
struct templates {
    char *text[STORY_TASK_COUNT]; /* NULL: none, the built-in way */
};

/* A broken file is named in the log and skipped; a folder that is not there too. "" is no folder.
 */
SF_MUST_USE enum sf_err templates_init(struct templates *t, const char *dir);
void templates_fini(struct templates *t);

/* The prompt for a request, or NULL where the owner has none. Caller frees. */
char *templates_render(const struct templates *t, const struct story_request *request);

#endif

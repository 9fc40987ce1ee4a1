/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_PARTS_H
#define SF_STORY_PARTS_H

#include "story/slot.h"

/* One slot that a model is asked to write anew because the answer lacks it. */
struct story_part {
    const struct story_slot *slot;
    size_t index;              /* of the element, for paths with '*' */
    char path[STORY_PATH_MAX]; /* "/characters/2/background" */
    char key[STORY_PATH_MAX];  /* its name in the reply: "characters.2.background" */
};
#define STORY_PARTS_MAX 128

/* The slots under the pointers `wanted`, each once, in the order of the answer; what the program
 * computes (ids, progress, acts, focus) is left out. A pointer to a whole array ("/characters")
 * stands for all its slots unless pointers into it are wanted too: then these are meant. 0: the
 * whole answer is to be asked for (nothing wanted, "", or nothing that a model could write). */
size_t story_parts(const struct story_request *request, const char *const *wanted, size_t n,
                   struct story_part out[static STORY_PARTS_MAX]);

/* The id of an array's element as text: "rival", "7". */
void story_element_id(const struct story_request *request, size_t index, char out[static 24]);

#endif

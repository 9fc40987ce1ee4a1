/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_VALIDATE_H
#define SF_STORY_VALIDATE_H

#include "story/slot.h"

#define STORY_PROBLEMS_MAX 128

struct story_problem {
    char path[80];     /* JSON pointer of the slot or value */
    char problem[120]; /* what is wrong, with the bound */
};

/* What a validation found: the first STORY_PROBLEMS_MAX problems and the number of all. */
struct story_report {
    struct story_problem list[STORY_PROBLEMS_MAX];
    size_t n;     /* in the list */
    size_t total; /* found */
};

/* Checks an output_data of any origin against the request's task, deeply: types, bounds in code
 * points, ids, order, distinctness, acts, choices. True when nothing is wrong. */
bool story_validate(const struct story_request *request, const json_t *output,
                    struct story_report *report);

/* The JSON pointers to ask again: one per slot that has a problem, each once. Pointers are borrowed
 * from the report. Returns their number, at most STORY_PROBLEMS_MAX. */
size_t story_report_wanted(const struct story_request *request, struct story_report *report,
                           const char *wanted[static STORY_PROBLEMS_MAX]);

/* How many elements the array "/characters" or "/chapters" of a task has. */
size_t story_array_length(const struct story_request *request);

#endif

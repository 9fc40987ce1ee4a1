/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_TASK_H
#define SF_STORY_TASK_H

#include "json/json.h"

#define STORY_PROTOCOL_VERSION "3.2.0"
#define STORY_CHAPTERS 12
#define STORY_CAST 5
#define STORY_ACTS 4

enum story_task {
    STORY_BLUEPRINT,
    STORY_CHARACTERS,
    STORY_ARC,
    STORY_CHAPTERS_TASK,
    STORY_TASK_COUNT
};

const char *
story_task_name(enum story_task t); /* "blueprint" "characters" "story_arc" "chapters" */
SF_MUST_USE enum sf_err story_task_parse(struct sf_str name, enum story_task *out);

/* What is asked for: owned by whoever called story_request_init; contexts are references. */
struct story_request {
    enum story_task task;
    char *user_input;   /* UTF-8, trimmed, not empty */
    json_t *blueprint;  /* object or NULL */
    json_t *characters; /* object {"characters":[...]} or NULL */
    json_t *story_arc;  /* object or NULL */
    int chapter_ids[STORY_CHAPTERS];
    size_t n_chapter_ids; /* 0 unless the task is chapters; then 1-12, distinct */
};

/* Reads a request from a synapse body or a context file merged with task and input: unknown or
 * missing task_type, empty user_input, chapter_ids outside 1-12, repeated or more than twelve ->
 * SF_EINVAL naming the field; chapter_ids null or empty -> [1]. Contexts of a wrong type ->
 * SF_EINVAL; contexts are bounded (depth, bytes) by the parser's limits. `r` must be fini'd only on
 * SF_OK. */
SF_MUST_USE enum sf_err story_request_init(struct story_request *r, const json_t *body,
                                           struct sf_errbuf *eb);
void story_request_fini(struct story_request *r);

/* The documented JSON of a custom generator:
 * {"user_input","blueprint","characters","story_arc","chapter_ids","task_type"}, nulls included.
 * NULL: out of memory. Caller owns. */
json_t *story_request_to_json(const struct story_request *r);

#endif

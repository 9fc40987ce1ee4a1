/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_SCHEMA_H
#define SF_STORY_SCHEMA_H

#include "story/slot.h"

/* The JSON schema of an answer, from the slot table, in the shape that a server takes. */
enum story_schema_shape {
    STORY_SCHEMA_FULL,   /* JSON Schema with every bound: vLLM, and for people */
    STORY_SCHEMA_STRICT, /* every property required, additionalProperties false, no lengths, counts
                            or patterns, at most 10 levels: OpenAI, Anthropic */
    STORY_SCHEMA_GEMINI, /* as Gemini's responseJsonSchema takes it */
    STORY_SCHEMA_PLAIN,  /* types and properties only: the simplification after a refusal */
};

/* `wanted` (pointers still missing; n 0: all) cuts the schema to the members asked for. Objects
 * with free keys (relationships, consequences) get fixed properties where the shape allows no
 * others. NULL: out of memory. Caller owns. */
json_t *story_schema(const struct story_request *request, enum story_schema_shape shape,
                     const char *const *wanted, size_t n_wanted);

#endif

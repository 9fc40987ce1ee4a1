/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_SCHEMA_H
#define SF_STORY_SCHEMA_H

#include "story/slot.h"

/* The JSON schema of an answer, from the slot table, in the shape that a server takes. */
enum story_schema_shape {
    STORY_SCHEMA_FULL,   /* vLLM's grammars: counts, places, patterns; all but the lengths of texts,
                            which the text asked with says and the validator checks: xgrammar needs
                            9 to 18 s to compile them (0.02 to 0.5 s without) and then takes no line
                            break in a chapter */
    STORY_SCHEMA_STRICT, /* every property required, additionalProperties false, no lengths, counts
                            or patterns, at most 10 levels: OpenAI, Anthropic */
    STORY_SCHEMA_GEMINI, /* as Gemini's responseJsonSchema takes it: as STRICT, with the counts of
                            the outermost lists, without additionalProperties */
    STORY_SCHEMA_PLAIN,  /* types, properties and required only: the simplification after a refusal
                          */
};

/* What story_repair computes (progress, acts, focus, nextChapter) is allowed in FULL, not required;
 * the other shapes leave it out. Element ids stay, they keep a model on its way. Objects with free
 * keys (relationships, consequences) get fixed properties where the shape allows no others; FULL
 * too asks for all four relationships, and for a mood and signed numbers as consequences, though
 * less would be valid.
 * `wanted` (pointers still missing; n 0: all) cuts the schema to a flat object with one property
 * per missing slot, named as story_ask_merge_reply (ask.h) reads it: "characters.2.background".
 * NULL: out of memory. Caller owns. */
json_t *story_schema(const struct story_request *request, enum story_schema_shape shape,
                     const char *const *wanted, size_t n_wanted);

#endif

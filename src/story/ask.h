/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_ASK_H
#define SF_STORY_ASK_H

#include "story/task.h"

/* What a model that writes the JSON itself is told: two texts of a chat. */
struct story_ask {
    const struct story_request *request;
    const char *prompt;        /* the owner's rendered template: the user message instead of ours;
                                  the format's rules are added behind it. NULL: ours */
    const char *const *wanted; /* pointers still missing; n 0: the whole answer */
    size_t n_wanted;
    const json_t *partial;    /* what is there already, for n_wanted > 0 */
    bool schema_given;        /* the server enforces a schema: the format is said shortly */
    size_t max_context_bytes; /* contexts are cut to so many bytes, newest and most specific kept */
    uint64_t seed;            /* varies wording, so that two answers are not near-duplicates */
};

/* Appends to `system` and `user` (sticky errors there). The story is asked for in the language of
 * the request. */
void story_ask_render(const struct story_ask *ask, struct sf_buf *system, struct sf_buf *user);

/* How many tokens the longest valid answer needs (an estimate, for the output cap). */
int64_t story_ask_output_tokens(const struct story_request *request, size_t n_wanted);

/* What a model is asked to reply to `wanted` is one flat object: its keys are the pointers with
 * dots ("characters.2.background" for "/characters/2/background"; the names that every provider
 * takes), its values what belongs there. So do schema and text ask. This turns such a reply into an
 * object in which json_at(*out, wanted) finds the values, as story_merge takes it; a reply that is
 * shaped like the answer itself (elements by id or place) is understood too. A wanted "/characters"
 * or "/chapters" becomes the whole array: partial's with the new parts in it. What the reply lacks
 * is absent. With n_wanted 0 *out is the reply itself. Caller owns *out; only SF_ENOMEM. */
SF_MUST_USE enum sf_err story_ask_merge_reply(const struct story_ask *ask, json_t *reply,
                                              json_t **out);

#endif

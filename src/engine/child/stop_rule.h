/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_STOP_RULE_H
#define SF_ENGINE_CHILD_STOP_RULE_H

#include "engine/child/scheduler.h"

/* Stop rules of jobs: asked after each token, with the text so far in job->text. They read
 * job->stop_min, stop_aim and stop_max (characters). */
bool stop_sentence(const struct job *job); /* the first sentence end from stop_min on */
bool stop_text(const struct job *job);     /* the sentence end nearest to stop_aim */
bool stop_words(const struct job *job);    /* a few words: the limit alone */

/* The text ends with a whole sentence ("." of "Dr." is none), quotes closed. */
bool text_ends_sentence(struct sf_str text);
/* The length in bytes of the longest head of `text` that ends a sentence; 0: there is none. */
size_t text_last_sentence(struct sf_str text);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_STORY_SCORE_H
#define SF_STORY_SCORE_H

#include "story/validate.h"

/* The parts of a validator's rubric that need no judge model. Raw points: technical 30, structure
 * 40, content 30; weighted to 20, 30 and 20 of 100, the other 30 are the judge's. */
struct story_score {
    double technical, structure, content; /* raw */
    double base;       /* weighted sum of the three: at most 70 without a judge */
    double multiplier; /* by mode; 0.5 of it without model_info */
    double reward;     /* base * multiplier, at most 100; 0 when base scaled to 100 is below 60 */
};

struct story_score_options {
    double seconds;   /* until the answer */
    const char *mode; /* "local" "vllm" "custom" "api"; NULL: unknown */
};

/* source: the network's rubric, protocol 3.2.0. Never fails: what is not there scores nothing. */
void story_score(const struct story_request *request, const json_t *output,
                 const struct story_score_options *o, struct story_score *out);

/* The two raw parts that cost little; `content` compares each word with each. */
void story_score_form(const struct story_request *request, const json_t *output, double seconds,
                      double *technical, double *structure);

/* {"task","valid","reasons":[{"path","problem"}],"technical","structure","content","base","multiplier",
 * "reward"}: base and reward are null, since they need the judge. NULL: out of memory. */
json_t *story_score_to_json(const struct story_request *request, const struct story_score *s,
                            const struct story_report *report);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_PREFILL_PACE_H
#define SF_ENGINE_CHILD_PREFILL_PACE_H

#include <stdint.h>

/* How many tokens of prompts go into one step: many are cheaper, but nothing is heard of a step
 * while it lasts, and the parent ends an engine that is silent. A large model on few CPUs, or a
 * machine that is busy with something else, takes seconds for what another one does in 50 ms: so it
 * begins small, doubles while steps are short and halves when one is long. */
struct prefill_pace {
    int tokens; /* of the next step */
    int most;
};

void prefill_pace_init(struct prefill_pace *p, int most);
/* After a step with `fed` tokens of prompts, whose share of its time was `us`; 0 fed says nothing.
 */
void prefill_pace_step(struct prefill_pace *p, int fed, int64_t us);

#endif

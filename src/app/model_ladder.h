/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_LADDER_H
#define SF_APP_MODEL_LADDER_H

#include "app/model_plan.h"

#define PLAN_LADDER_MAX 16

/* The plan for a model, and what is tried after it when the memory turns out not to do, each a
 * smaller one: fewer sequences, keys and values in 8 bits, smaller contexts, fewer layers on the
 * GPU, the CPU. What the owner's keys say stays as it is in all of them. Returns their number; 0:
 * it fits nowhere, and out[0].text says why. A pure function, as plan_make. */
size_t plan_ladder(const struct plan_model *m, const struct plan_wish *wish,
                   const struct plan_device *devices, size_t n,
                   struct plan out[static PLAN_LADDER_MAX]);

#endif

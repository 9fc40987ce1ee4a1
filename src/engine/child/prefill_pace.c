/* SPDX-License-Identifier: MIT */
#include "engine/child/prefill_pace.h"

enum { LEAST = 16, SHORT_US = 300000, LONG_US = 1000000 };

void prefill_pace_init(struct prefill_pace *p, int most)
{
    *p = (struct prefill_pace){.tokens = most < LEAST ? most : LEAST, .most = most};
}

void prefill_pace_step(struct prefill_pace *p, int fed, int64_t us)
{
    if (fed == 0)
        return;
    if (us > LONG_US) {
        p->tokens = p->tokens / 2 > LEAST ? p->tokens / 2 : LEAST;
    } else if (us < SHORT_US && fed >= p->tokens) {
        p->tokens = p->tokens * 2 < p->most ? p->tokens * 2 : p->most;
    }
}

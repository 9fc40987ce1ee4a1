/* SPDX-License-Identifier: MIT */
#include "base/log_throttle.h"

#include "base/clock.h"

bool log_throttle_pass(struct log_throttle *t, uint64_t *left_out)
{
    int64_t minute = sf_now().ms / 60000 + 1; /* never the 0 that it starts with */
    int64_t last = atomic_load(&t->minute);
    if (minute != last && atomic_compare_exchange_strong(&t->minute, &last, minute)) {
        atomic_store(&t->n, 0);
    }
    *left_out = 0;
    if (atomic_fetch_add(&t->n, 1) < LOG_THROTTLE_PER_MINUTE || log_level() >= LOG_DEBUG) {
        *left_out = atomic_exchange(&t->left_out, 0);
        return true;
    }
    (void)atomic_fetch_add(&t->left_out, 1);
    return false;
}

/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

typedef int64_t (*clock_fn)(void);
static _Atomic(clock_fn) injected_monotonic;
static _Atomic(clock_fn) injected_wall;
static _Atomic(clock_fn) injected_boot;

static int64_t read_ns(clockid_t id)
{
    struct timespec ts;
    (void)clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

struct sf_time sf_now(void)
{
    clock_fn f = atomic_load_explicit(&injected_monotonic, memory_order_relaxed);
    return (struct sf_time){f != NULL ? f() : read_ns(CLOCK_MONOTONIC) / 1000000};
}

int64_t sf_now_ns(void)
{
    clock_fn f = atomic_load_explicit(&injected_monotonic, memory_order_relaxed);
    return f != NULL ? f() * 1000000 : read_ns(CLOCK_MONOTONIC);
}

int64_t sf_wall_ns(void)
{
    clock_fn f = atomic_load_explicit(&injected_wall, memory_order_relaxed);
    return f != NULL ? f() : read_ns(CLOCK_REALTIME);
}

int64_t sf_boot_ms(void)
{
    clock_fn f = atomic_load_explicit(&injected_boot, memory_order_relaxed);
    clock_fn monotonic = atomic_load_explicit(&injected_monotonic, memory_order_relaxed);
    if (f != NULL || monotonic != NULL) {
        return f != NULL ? f() : monotonic();
    }
    return read_ns(CLOCK_BOOTTIME) / 1000000;
}

void sf_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(c, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

struct sf_time sf_after(struct sf_time t, sf_ms span)
{
    if (span > 0 && t.ms > INT64_MAX - span) {
        return SF_NEVER;
    }
    return (struct sf_time){t.ms + span};
}

sf_ms sf_between(struct sf_time from, struct sf_time to)
{
    return to.ms == INT64_MAX ? INT64_MAX : to.ms - from.ms;
}

sf_ms sf_until(struct sf_time t)
{
    return sf_between(sf_now(), t);
}

struct sf_time sf_earlier(struct sf_time a, struct sf_time b)
{
    return a.ms <= b.ms ? a : b;
}

double sf_seconds(sf_ms span)
{
    return (double)span / 1000.0;
}

void sf_clock_inject(int64_t (*monotonic_ms)(void), int64_t (*wall_ns)(void))
{
    atomic_store(&injected_monotonic, monotonic_ms);
    atomic_store(&injected_wall, wall_ns);
}

void sf_clock_inject_boot(int64_t (*boot_ms)(void))
{
    atomic_store(&injected_boot, boot_ms);
}

/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_CLOCK_H
#define SF_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

/* A point of the monotonic clock, in milliseconds, and a span of it. A struct keeps the two apart.
 */
struct sf_time {
    int64_t ms;
};
typedef int64_t sf_ms;

#define SF_NEVER ((struct sf_time){INT64_MAX})

struct sf_time sf_now(void);
struct sf_time sf_after(struct sf_time t, sf_ms span);
sf_ms sf_until(struct sf_time t); /* what is left; negative when past */
sf_ms sf_between(struct sf_time from, struct sf_time to);
struct sf_time sf_earlier(struct sf_time a, struct sf_time b);
double sf_seconds(sf_ms span);
/* The same clock in nanoseconds, for what takes less than a millisecond. */
int64_t sf_now_ns(void);

/* Wall clock in nanoseconds since the Unix epoch (nonces, log stamps). */
int64_t sf_wall_ns(void);

/* Milliseconds since the machine started, those that it slept through included; the monotonic clock
 * leaves those out. */
int64_t sf_boot_ms(void);

/* A condition whose timed waits end by CLOCK_MONOTONIC: setting the clock moves none of them. */
void sf_cond_init(pthread_cond_t *c);

/* Test seam: both clocks read these functions instead; NULL puts the real ones back. */
void sf_clock_inject(int64_t (*monotonic_ms)(void), int64_t (*wall_ns)(void));
/* The same for sf_boot_ms; without it that is the monotonic clock while one is injected. */
void sf_clock_inject_boot(int64_t (*boot_ms)(void));

#endif

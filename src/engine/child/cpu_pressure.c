/* SPDX-License-Identifier: MIT */
#include "engine/child/cpu_pressure.h"

#include "base/file.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

enum {
    JUDGE_US = 80000,   /* of decoding, before threads are taken away */
    LOOK_US = 400000,   /* between two looks at the machine's idle time */
    FIRST_US = 100000,  /* the same before the first step */
    WANTED_PERCENT = 84 /* of the CPU time that all threads would have had */
};

static int64_t clock_us(clockid_t id)
{
    struct timespec t = {0, 0};
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Idle ticks of all CPUs since the machine's start; < 0: unknown. */
static int64_t machine_idle(void)
{
    struct sf_buf b;
    sf_buf_init(&b, 1U << 20);
    int64_t idle = -1;
    if (sf_file_read("/proc/stat", &b, NULL) == SF_OK) {
        struct sf_str s = sf_buf_str(&b), line, word;
        (void)sf_str_next(&s, '\n', &line);
        for (int field = 0; field < 6 && sf_str_next(&line, ' ', &word);) {
            uint64_t ticks = 0;
            if (word.n == 0)
                continue;
            if (++field == 5 && sf_scan_u64(word, INT64_MAX, &ticks))
                idle = (int64_t)ticks;
        }
    }
    sf_buf_fini(&b);
    return idle;
}

int cpu_pressure_free(int64_t idle_us, int64_t span_us, int most)
{
    int64_t cpus = (idle_us + span_us / 4) / span_us; /* three quarters idle count as a CPU */
    return cpus < 1 ? 1 : cpus > most ? most : (int)cpus;
}

static int64_t ticks_us(int64_t ticks)
{
    return ticks * 1000000 / sysconf(_SC_CLK_TCK);
}

void cpu_pressure_init(struct cpu_pressure *p, int most)
{
    *p = (struct cpu_pressure){.threads = most, .most = most};
    int64_t from = clock_us(CLOCK_MONOTONIC), idle = most > 1 ? machine_idle() : -1;
    if (idle < 0)
        return;
    (void)poll(NULL, 0, FIRST_US / 1000);
    p->stat_us = clock_us(CLOCK_MONOTONIC);
    p->idle_ticks = machine_idle();
    if (p->idle_ticks >= idle)
        p->threads = cpu_pressure_free(ticks_us(p->idle_ticks - idle), p->stat_us - from, most);
}

void cpu_pressure_begin(struct cpu_pressure *p)
{
    p->step_wall_us = clock_us(CLOCK_MONOTONIC);
    p->step_cpu_us = clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

/* More threads as soon as CPUs stand idle beside ours. */
static void raise(struct cpu_pressure *p, int64_t now)
{
    if (now - p->stat_us < LOOK_US)
        return;
    int64_t idle = machine_idle();
    int more = p->threads * 2 < p->most ? p->threads * 2 : p->most;
    if (p->stat_us > 0 && idle >= 0 && p->idle_ticks >= 0) {
        int64_t idle_us = ticks_us(idle - p->idle_ticks);
        if (idle_us * 100 >= (now - p->stat_us) * 70 * (more - p->threads))
            p->threads = more;
    }
    p->stat_us = now;
    p->idle_ticks = idle;
}

int cpu_pressure_idle(struct cpu_pressure *p)
{
    int64_t now = clock_us(CLOCK_MONOTONIC), span = now - p->stat_us;
    if (span < LOOK_US)
        return p->threads;
    int64_t idle = machine_idle();
    if (p->stat_us > 0 && idle >= 0 && p->idle_ticks >= 0 && span < 10 * LOOK_US) {
        p->threads = cpu_pressure_free(ticks_us(idle - p->idle_ticks), span, p->most);
    }
    p->stat_us = now;
    p->idle_ticks = idle;
    return p->threads;
}

int cpu_pressure_end(struct cpu_pressure *p)
{
    int64_t now = clock_us(CLOCK_MONOTONIC);
    p->wall_us += now - p->step_wall_us;
    p->cpu_us += clock_us(CLOCK_PROCESS_CPUTIME_ID) - p->step_cpu_us;
    if (p->wall_us < JUDGE_US)
        return p->threads;
    if (p->threads > 1 && p->cpu_us * 100 < p->wall_us * p->threads * WANTED_PERCENT) {
        p->threads = p->threads / 2;
        p->stat_us = 0;
    } else if (p->threads < p->most) {
        raise(p, now);
    }
    p->wall_us = p->cpu_us = 0;
    return p->threads;
}

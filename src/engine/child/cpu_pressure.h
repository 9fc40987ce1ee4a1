/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_CPU_PRESSURE_H
#define SF_ENGINE_CHILD_CPU_PRESSURE_H

#include <stdint.h>

/* The library's threads wait for each other busily: when other programs take their CPUs, a step of
 * 50 ms takes seconds. So fewer threads run while CPUs are taken, and more again when CPUs idle. */
struct cpu_pressure {
    int threads, most;
    int64_t wall_us, cpu_us;           /* inside the library, since the last judgement */
    int64_t step_wall_us, step_cpu_us; /* at the step's start */
    int64_t idle_ticks, stat_us;       /* of the machine, at the last look */
};

/* Looks at the machine for 100 ms, so that the first step has no more threads than CPUs are free.
 */
void cpu_pressure_init(struct cpu_pressure *p, int most);
/* CPUs that stand free where `idle_us` of all CPUs passed in `span_us`: 1 to `most`. */
int cpu_pressure_free(int64_t idle_us, int64_t span_us, int most);
/* While nothing is decoded, now and then: how many threads the next step may have. */
int cpu_pressure_idle(struct cpu_pressure *p);
void cpu_pressure_begin(struct cpu_pressure *p);
/* After a step: the number of threads for the next one. */
int cpu_pressure_end(struct cpu_pressure *p);

#endif

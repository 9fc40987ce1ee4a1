/* SPDX-License-Identifier: MIT */
#ifndef SF_ENGINE_CHILD_CPU_LIMIT_H
#define SF_ENGINE_CHILD_CPU_LIMIT_H

/* CPUs that this process may use: the affinity mask, cut by the quota of the control group. At
 * least 1. */
int cpu_limit(void);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_DEVICES_H
#define SF_APP_MODEL_DEVICES_H

#include "app/model_plan.h"
#include "conf/conf.h"

/* What this machine has for a model. */
struct model_devices {
    struct plan_device v[PLAN_MAX_DEVICES]; /* GPUs in the driver's order, then memory */
    size_t n;
    int cpus;
    char problem[200]; /* GPUs that are there and cannot be asked; "" none */
};

/* Asks nvidia-smi (for at most 10 s), the kernel for AMD cards, and the kernel for memory. */
void model_devices_read(const struct conf *conf, struct model_devices *out);
/* "24GB,24GB" instead of the GPUs that are there; "none" for none. SF_EINVAL. */
SF_MUST_USE enum sf_err model_devices_pretend(const char *sizes, struct model_devices *out,
                                              struct sf_errbuf *eb);

/* Parts, for tests. `--query-gpu=name,memory.total,memory.free,compute_cap
 * --format=csv,noheader,nounits`; lines that make no sense are left out. */
size_t model_devices_parse_smi(struct sf_str csv, struct plan_device *out, size_t max);
size_t model_devices_read_amd(const char *root, struct plan_device *out, size_t max);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_ADMIN_METRICS_H
#define SF_MINER_ADMIN_METRICS_H

#include "miner/admin_route.h"

/* GET /metrics: what was counted where it happened (base/metric.h), and what is looked up now. */
extern const struct admin_routes admin_metrics_routes;

/* Refreshes what is looked up. One caller at a time; may block on the disk. */
void metrics_collect(struct admin *a);
/* GPUs, asked at most every ten seconds, since asking starts a program: for after an answer. */
void metrics_collect_gpus(const struct conf *conf);

#endif

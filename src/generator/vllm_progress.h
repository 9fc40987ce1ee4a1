/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_VLLM_PROGRESS_H
#define SF_GENERATOR_VLLM_PROGRESS_H

#include "generator/cloud.h"

/* A request that waits for its first token shows nothing on its connection. Whether the server is
 * at work, or its queue moves, is seen in its /metrics: one thread looks there now and then
 * (`every`, 2 s usually) while some call waits. */
struct vllm_progress;

SF_MUST_USE enum sf_err vllm_progress_open(struct cloud *c, sf_ms every,
                                           struct vllm_progress **out);
void vllm_progress_close(struct vllm_progress *p); /* before the cloud's; NULL ok */

/* One call's view. */
struct vllm_watching {
    struct vllm_progress *progress;
    uint64_t seen;
};
void vllm_progress_begin(struct vllm_progress *p, struct vllm_watching *w);
void vllm_progress_end(struct vllm_watching *w);
/* cloud_progress.moved: `arg` is the watching. */
bool vllm_progress_moved(void *arg);

/* The tokens processed so far and the requests waiting, in Prometheus' text, summed over engines.
 * False when neither is there. */
bool vllm_read_metrics(struct sf_str text, double *tokens, double *waiting);

#endif

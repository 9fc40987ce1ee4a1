/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_PICK_H
#define SF_APP_MODEL_PICK_H

#include "app/model_catalogue.h"
#include "app/model_plan.h"

/* Which model for this machine: pure functions of catalogue and devices. */
struct model_machine {
    const struct plan_device *devices;
    size_t n;
    int cpus;
};

struct model_pick {
    const struct model_entry *entry;
    const char *quant; /* GGUF type; "" none is known */
    int64_t bytes;     /* of its file; 0 unknown */
    bool exact;        /* so known, not estimated */
    bool quick;        /* wholly on GPUs, or small enough for this CPU */
    struct plan plan;
};

/* The first type of `quantization` ("4bit", a GGUF type, …) that runs quickly, else the first that
 * fits, else the first that is known. Of "4bit" and the like only files that the catalogue has. */
void model_pick_type(const struct model_entry *e, const char *quantization,
                     const struct plan_wish *wish, const struct model_machine *m,
                     struct model_pick *out);

/* `model_name: auto`: of the instruct models that run quickly with a context of at least 8192
 * tokens (or all they have) the one of the highest quality; when there is none, the smallest.
 * `filter` (may be NULL: all) says which may be taken; false: it refuses all. Of equally good ones
 * the first of the catalogue. */
struct model_filter {
    bool (*takes)(void *arg, const struct model_entry *e);
    void *arg;
};
bool model_pick_best(const struct model_catalogue *c, const char *quantization,
                     const struct plan_wish *wish, const struct model_machine *m,
                     const struct model_filter *filter, struct model_pick *out);

/* What the owner's configuration asks of a plan. */
struct plan_wish model_wish(const struct conf_local *l);

#endif

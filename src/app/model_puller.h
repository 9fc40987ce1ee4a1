/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_PULLER_H
#define SF_APP_MODEL_PULLER_H

#include "app/model_fetch.h"

/* Brings a model here in the background, while others answer. One thread of its own; the functions
 * below may be called from any. */
struct model_puller;

enum puller_state { PULLER_WORKING, PULLER_WAITING, PULLER_DONE, PULLER_FAILED, PULLER_CANCELED };
struct puller_status {
    enum puller_state state;
    char name[200];      /* as it was asked for */
    int64_t done, total; /* bytes of the file under way; 0 not known yet */
    double bytes_per_second;
    char file[256];
    char text[600]; /* one sentence for people: how it is, or "Model download failed: …" with cause
                       and remedy */
};

/* Whether the configuration names a model that is not here and that can be pulled. Reads the disk
 * alone. */
bool model_puller_is_needed(const struct conf *conf);

/* How the configured model stands. */
enum model_presence {
    MODEL_IS_HERE, /* or is another machine's */
    MODEL_COMES,   /* it is missing, and to be pulled by itself */
    MODEL_IS_MISSING,
};
/* MODEL_IS_MISSING: `eb` says what to do. Reads the disk; an "auto" asks the devices. */
enum model_presence model_puller_presence(const struct conf *conf, struct sf_errbuf *eb);

/* Starts with the model `name` (NULL: the configured one) in `quantization` (NULL: the configured
 * one), both copied; keeps a reference of `conf`. What is temporary is tried again for ever, with
 * pauses up to ten minutes; what is not ends with PULLER_FAILED. SF_ENOMEM. */
SF_MUST_USE enum sf_err model_puller_start(const struct conf *conf, const char *name,
                                           const char *quantization, struct model_puller **out);
void model_puller_get(struct model_puller *p, struct puller_status *out);
/* It ends soon, as PULLER_CANCELED unless it was done; what came stays. */
void model_puller_cancel(struct model_puller *p);
/* Whether its thread has come to an end: done, failed or canceled. */
bool model_puller_is_over(struct model_puller *p);
/* Cancels, waits for the thread (some 20 ms) and frees. What came stays. NULL is fine. */
void model_puller_stop(struct model_puller *p);

#endif

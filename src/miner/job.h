/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_JOB_H
#define SF_MINER_JOB_H

#include "app/app.h"
#include "app/origin.h"
#include "bittensor/synapse.h"
#include "http/server.h"
#include "miner/callers.h"

#define JOB_PRIORITY_GUEST (-1.0) /* a validator's is its stake: never below 0 */

/* One verified request on its way through queue and worker. Who sets `answered` first replies; the
 * worker frees. */
struct job {
    struct job *next;
    int64_t id;                 /* in log and journal */
    enum request_origin origin; /* ORIGIN_VALIDATOR: by the axon, the others are guests (guest.h) */
    struct http_exchange *exchange;
    struct synapse synapse;
    json_t *body;
    struct story_request request;
    struct app *app; /* the configuration it started with */
    struct sf_time received, deadline, target;
    char peer_ip[46];
    unsigned peer_port;
    enum caller_standing standing;
    double priority;     /* the stake in TAO: a head start in the queue, or JOB_PRIORITY_GUEST */
    double turn;         /* the queue's: where it stands, lowest first */
    atomic_int answered; /* the status that went out; 0 none yet */
    atomic_bool cancel;
    /* of guests: */
    int client;                          /* watches its client's connection; 0 or -1 nobody does */
    atomic_bool displaced;               /* gave way to others: it may be tried again */
    atomic_bool left;                    /* its client has gone */
    char only[64];                       /* the one generator that may answer, "" all */
    int relays;                          /* storyfi serves that passed it on, this one included */
    uint64_t seed;                       /* 0 a random one */
    const struct job_listener *listener; /* NULL: the exchange gets the answer */
    void *listener_arg;
};

/* Who hears of a guest's job while it goes on, instead of one answer at its end. Whoever calls
 * succeed or fail has set `answered`. */
struct job_listener {
    void (*event)(void *arg, const struct gen_event *event); /* on the worker */
    void (*succeed)(void *arg, const struct job *j, const json_t *model_info,
                    const struct gen_result *result);
    void (*fail)(void *arg, const struct job *j, int status, const char *message);
    bool (*has_left)(void *arg); /* nobody listens any more; any thread, under the queue's lock */
    void (*release)(void *arg);  /* the job ends */
};

void job_free(struct job *j);
/* "answered by api after local failed: no progress for 10 s"; "" when the first one that may answer
 * did. */
void job_name_fallback(const struct job *j, const struct gen_trail *trail, char *out, size_t n);
/* Whether it is the caller's to answer with this status. */
bool job_take_answer(struct job *j, int status);

#endif

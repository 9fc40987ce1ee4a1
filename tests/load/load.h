/* SPDX-License-Identifier: MIT */
#ifndef TESTS_LOAD_LOAD_H
#define TESTS_LOAD_LOAD_H

/* A load generator for an axon: the callers' requests are signed beforehand and sent on a schedule,
 * their latency counted from when they were due, not from when a slow server let them be sent. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "bittensor/synapse_body.h"

#define LOAD_KEYS 64     /* callers, each with its key, its connection and its address */
#define LOAD_STRANGERS 8 /* keys that nobody knows */
#define LOAD_STATUSES 600

enum load_kind {
    LOAD_GOOD,
    LOAD_FORGED,   /* a caller's hotkey with a signature of nobody's */
    LOAD_REPLAY,   /* what a caller sent, once more */
    LOAD_STRANGER, /* well signed, by a key that is not registered */
    LOAD_SLOW,     /* a body that does not come */
    LOAD_GIANT,    /* a head without end */
    LOAD_KINDS
};

/* What was sent and what came back. */
struct load_tally {
    uint64_t sent, closed; /* closed by the server instead of answered */
    uint64_t by_status[LOAD_STATUSES];
};

/* A request signed beforehand. */
struct load_ticket {
    uint64_t nonce;
    uint8_t signature[SR25519_SIG_LEN];
};

struct load_caller {
    struct sr25519_keypair key;
    char hotkey[SS58_MAX], uuid[37];
    struct load_ticket *tickets;
};

struct load_plan {
    const char *ip, *hotkey; /* of the axon */
    uint16_t port;
    double seconds, rate, hostile_rate; /* rate 0: each connection as fast as it is answered */
    size_t connections;                 /* at most LOAD_KEYS */
    bool spread;                        /* each caller from an address of its own, 127.0.1.x */
    size_t tickets;                     /* a caller's */
    uint64_t begin_ns;                  /* wall clock: when the first request is due */
    struct load_caller callers[LOAD_KEYS + LOAD_STRANGERS];
    struct sf_str body;
};

/* load_sign.c: the keys (always the same), and the requests of all of them on two threads. */
void load_make_keys(struct load_plan *p);
void load_sign_all(struct load_plan *p);
void load_forget_tickets(struct load_plan *p);
/* The head and body of a request of `caller`, by its ticket. */
void load_put_request(const struct load_plan *p, const struct load_caller *caller,
                      const struct load_ticket *ticket, struct sf_buf *out);

/* load_run.c: sends it all. Latencies of the good ones in milliseconds, in the order of answers:
 * caller frees. */
struct load_result {
    struct load_tally tally[LOAD_KINDS];
    double *latency_ms;
    size_t n_latencies;
    double took_seconds;
};
void load_run(const struct load_plan *p, struct load_result *out);

#endif

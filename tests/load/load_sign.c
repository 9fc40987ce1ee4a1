/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <pthread.h>
#include <string.h>

#define THREADS 2
#define TIMEOUT_SECONDS 60.0 /* as far as a nonce's window goes: a run may be that long */

void load_make_keys(struct load_plan *p)
{
    for (size_t i = 0; i < LOAD_KEYS + LOAD_STRANGERS; i++) {
        struct load_caller *c = &p->callers[i];
        uint8_t seed[SR25519_SEED_LEN] = "storyfi load generator";
        seed[SR25519_SEED_LEN - 1] = (uint8_t)i;
        sr25519_from_seed(seed, &c->key);
        ss58_encode(c->key.public_key, c->hotkey);
        synapse_uuid(c->uuid);
    }
}

static struct synapse synapse_of(const struct load_plan *p, const struct load_caller *c,
                                 uint64_t nonce)
{
    struct synapse s = {.timeout_seconds = TIMEOUT_SECONDS,
                        .dendrite_nonce = nonce,
                        .dendrite_version = SYNAPSE_VERSION,
                        .axon_port = p->port,
                        .name = "StoryGenerationSynapse",
                        .body_hash = SYNAPSE_EMPTY_BODY_HASH};
    (void)snprintf(s.axon_ip, sizeof s.axon_ip, "%s", p->ip);
    (void)snprintf(s.axon_hotkey, sizeof s.axon_hotkey, "%s", p->hotkey);
    (void)snprintf(s.dendrite_hotkey, sizeof s.dendrite_hotkey, "%s", c->hotkey);
    (void)snprintf(s.dendrite_uuid, sizeof s.dendrite_uuid, "%s", c->uuid);
    return s;
}

struct share {
    struct load_plan *plan;
    size_t first;
};

static void *sign_share(void *arg)
{
    struct share *share = arg;
    struct load_plan *p = share->plan;
    double step_ns = p->rate > 0 ? 1e9 / p->rate : 1000;
    for (size_t i = share->first; i < LOAD_KEYS + LOAD_STRANGERS; i += THREADS) {
        struct load_caller *c = &p->callers[i];
        if (i < LOAD_KEYS ? i >= p->connections : p->hostile_rate <= 0) {
            continue; /* nobody sends those */
        }
        for (size_t k = 0; k < p->tickets; k++) {
            double at = (double)(k * p->connections + i) * step_ns;
            struct synapse s = synapse_of(p, c, p->begin_ns + (uint64_t)at);
            synapse_sign(&s, &c->key);
            c->tickets[k].nonce = s.dendrite_nonce;
            memcpy(c->tickets[k].signature, s.signature, sizeof s.signature);
        }
    }
    return NULL;
}

void load_sign_all(struct load_plan *p)
{
    pthread_t threads[THREADS];
    struct share shares[THREADS];
    for (size_t i = 0; i < LOAD_KEYS + LOAD_STRANGERS; i++) {
        p->callers[i].tickets = sf_xalloc(p->tickets * sizeof *p->callers[i].tickets);
    }
    for (size_t i = 0; i < THREADS; i++) {
        shares[i] = (struct share){p, i};
        SF_BUG_ON(pthread_create(&threads[i], NULL, sign_share, &shares[i]) != 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

void load_forget_tickets(struct load_plan *p)
{
    for (size_t i = 0; i < LOAD_KEYS + LOAD_STRANGERS; i++) {
        free(p->callers[i].tickets), p->callers[i].tickets = NULL;
    }
}

void load_put_request(const struct load_plan *p, const struct load_caller *caller,
                      const struct load_ticket *ticket, struct sf_buf *out)
{
    struct synapse_headers h;
    struct synapse s = synapse_of(p, caller, ticket->nonce);
    memcpy(s.signature, ticket->signature, sizeof s.signature);
    s.has_signature = true;
    synapse_request_headers(&s, "127.0.0.1", &h);
    sf_buf_printf(out, "POST /StoryGenerationSynapse HTTP/1.1\r\nHost: %s:%u\r\nAccept: */*\r\n",
                  p->ip, p->port);
    for (size_t i = 0; i < h.n; i++) {
        sf_buf_printf(out, "%.*s: %.*s\r\n", SF_STR_ARG(h.list[i].name),
                      SF_STR_ARG(h.list[i].value));
    }
    sf_buf_printf(out, "Content-Length: %zu\r\nContent-Type: application/json\r\n\r\n", p->body.n);
    sf_buf_add_str(out, p->body);
}

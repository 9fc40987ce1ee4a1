/* SPDX-License-Identifier: MIT */
#include "miner/gates.h"

static enum sf_err by_address(struct admission *a, struct sf_errbuf *eb)
{
    return callers_check_address(a->axon->callers, a->request->peer_ip, eb);
}

static enum sf_err by_size(struct admission *a, struct sf_errbuf *eb)
{
    const struct http_request *r = a->request;
    enum sf_err err = synapse_parse(r->headers, r->n_headers, a->synapse, eb);
    if (err == SF_OK && r->too_many_headers) {
        err = sf_fail(eb, SF_EPARSE, "more than %d headers", HTTP_HEADERS_MAX);
    }
    if (err == SF_OK && r->body_too_large) {
        err = sf_fail(eb, SF_ELIMIT, "body larger than %lld bytes",
                      (long long)a->conf->axon.max_body_bytes);
    }
    return err;
}

static enum sf_err by_shape(struct admission *a, struct sf_errbuf *eb)
{
    return verify_shape(a->axon->nonces, a->axon->me.hotkey, a->synapse, a->caller, eb);
}

static enum sf_err by_deny_list(struct admission *a, struct sf_errbuf *eb)
{
    return callers_check_denied(a->axon->callers, a->caller, eb);
}

static enum sf_err by_registration(struct admission *a, struct sf_errbuf *eb)
{
    return callers_check_registered(a->axon->callers, a->caller, eb);
}

static enum sf_err by_signature(struct admission *a, struct sf_errbuf *eb)
{
    return verify_signature(a->axon->me.hotkey, a->synapse, a->caller, eb);
}

static enum sf_err by_nonce(struct admission *a, struct sf_errbuf *eb)
{
    enum sf_err err = verify_nonce(a->axon->nonces, a->synapse, a->caller, eb);
    if (err == SF_OK) {
        callers_verified(a->axon->callers, a->request->peer_ip);
    }
    return err;
}

static enum sf_err by_rate(struct admission *a, struct sf_errbuf *eb)
{
    return callers_check_rate(a->axon->callers, a->caller, eb);
}

static enum sf_err by_standing(struct admission *a, struct sf_errbuf *eb)
{
    return callers_check_standing(a->axon->callers, a->caller, &a->stake_tao, eb);
}

static const struct {
    const char *name;
    enum sf_err (*check)(struct admission *a, struct sf_errbuf *eb);
} gates[] = {
    {"address_rate", by_address},
    {"size", by_size},
    {"shape", by_shape},
    {"denied", by_deny_list},
    {"registered", by_registration},
    {"signature", by_signature},
    {"nonce", by_nonce},
    {"hotkey_rate", by_rate},
    {"standing", by_standing},
};

enum sf_err gates_pass(struct admission *a, struct sf_errbuf *eb)
{
    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++) {
        enum sf_err err = gates[i].check(a, eb);
        if (err != SF_OK) {
            a->gate = gates[i].name;
            return err;
        }
    }
    return SF_OK;
}

bool gates_may_connect(void *arg, const char *peer_ip, unsigned n_open)
{
    struct axon *a = arg;
    return callers_may_connect(a->callers, peer_ip, n_open >= a->crowded_at);
}

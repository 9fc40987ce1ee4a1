/* SPDX-License-Identifier: MIT */
#include "miner/gates.h"

#include "base/mem.h"

#include <string.h>

struct gate_call {
    struct axon *axon;
    const struct http_request *head;
    struct admission *in;
};

static enum sf_err by_address(const struct gate_call *g, struct sf_errbuf *eb)
{
    return callers_check_address(g->axon->callers, g->head->peer_ip, eb);
}

static enum sf_err by_headers(const struct gate_call *g, struct sf_errbuf *eb)
{
    enum sf_err err = synapse_parse(g->head->headers, g->head->n_headers, &g->in->synapse, eb);
    return err == SF_OK && g->head->too_many_headers
               ? sf_fail(eb, SF_EPARSE, "more than %d headers", HTTP_HEADERS_MAX)
               : err;
}

static enum sf_err by_shape(const struct gate_call *g, struct sf_errbuf *eb)
{
    return verify_shape(g->axon->nonces, g->axon->me.hotkey, &g->in->synapse, g->in->caller, eb);
}

static enum sf_err by_deny_list(const struct gate_call *g, struct sf_errbuf *eb)
{
    return callers_check_denied(g->axon->callers, g->in->caller, eb);
}

static enum sf_err by_registration(const struct gate_call *g, struct sf_errbuf *eb)
{
    return callers_check_registered(g->axon->callers, g->in->caller, eb);
}

static enum sf_err by_signature(const struct gate_call *g, struct sf_errbuf *eb)
{
    return verify_signature(g->axon->me.hotkey, &g->in->synapse, g->in->caller, eb);
}

static enum sf_err by_nonce(const struct gate_call *g, struct sf_errbuf *eb)
{
    enum sf_err err = verify_nonce(g->axon->nonces, &g->in->synapse, g->in->caller, eb);
    if (err == SF_OK) {
        callers_verified(g->axon->callers, g->head->peer_ip);
        g->in->standing = callers_standing(g->axon->callers, g->in->caller);
    }
    return err;
}

static enum sf_err by_rate(const struct gate_call *g, struct sf_errbuf *eb)
{
    return callers_check_rate(g->axon->callers, g->in->caller, eb);
}

static enum sf_err by_standing(const struct gate_call *g, struct sf_errbuf *eb)
{
    return callers_check_standing(g->axon->callers, g->in->caller, &g->in->stake_tao, eb);
}

static const struct {
    const char *name;
    enum sf_err (*check)(const struct gate_call *g, struct sf_errbuf *eb);
} gates[] = {
    {"address_rate", by_address}, {"headers", by_headers},         {"shape", by_shape},
    {"denied", by_deny_list},     {"registered", by_registration}, {"signature", by_signature},
    {"nonce", by_nonce},          {"hotkey_rate", by_rate},        {"standing", by_standing},
};

void gates_pass(struct axon *axon, const struct http_request *head, struct admission *out)
{
    int64_t began = sf_now_ns();
    struct gate_call g = {axon, head, out};
    *out = (struct admission){.synapse = {.timeout_seconds = SYNAPSE_TIMEOUT_DEFAULT}};
    for (size_t i = 0; i < sizeof gates / sizeof gates[0] && out->err == SF_OK; i++) {
        out->gate = gates[i].name;
        out->err = gates[i].check(&g, &out->why);
    }
    out->took_ns = sf_now_ns() - began;
}

bool gates_judge(void *arg, struct http_request *head)
{
    if (strcmp(head->method, "POST") != 0 || axon_route_name(head->path) == NULL) {
        return false;
    }
    struct admission *in = sf_alloc(sizeof *in);
    if (in != NULL) {
        gates_pass(arg, head, in);
    }
    head->judgement = in;
    return in != NULL && in->err == SF_OK;
}

bool gates_may_connect(void *arg, const char *peer_ip, unsigned n_open)
{
    struct axon *a = arg;
    return callers_may_connect(a->callers, peer_ip, n_open >= a->crowded_at);
}

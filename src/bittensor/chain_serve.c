/* SPDX-License-Identifier: MIT */
/* Announcing the axon: look, sign, submit, and look until a finalized block has it. */
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "bittensor/chain_client.h"
#include "bittensor/chain_client_internal.h"
#include "bittensor/dispatch.h"
#include "bittensor/scale.h"
#include "bittensor/ss58.h"
#include "bittensor/storage_key.h"

#include <string.h>

#define ERA_BLOCKS 128
#define ATTEMPTS 3
#define EVENTS_CAP (8U << 20)

struct attempt {
    struct extrinsic_terms terms;
    struct chain_head from; /* finalized when it was made */
    struct sf_buf bytes;
};

/* The chain's own rules (subnets/serving.rs validate_serve_axon), said before anything is sent. */
static enum sf_err check_axon(const struct axon_info *a, struct sf_errbuf *eb)
{
    bool ones = a->ip_type == 6 && a->ip.low == UINT64_MAX && a->ip.high == UINT64_MAX;
    bool loopback = a->ip.high == 0 && a->ip.low == (a->ip_type == 4 ? 0x7f000001U : 1U);
    bool over = a->ip_type == 4 && (a->ip.high != 0 || a->ip.low >= 0xffffffffU);
    if (a->ip_type != 4 && a->ip_type != 6) {
        return sf_fail(eb, SF_EINVAL, "an axon has an IPv4 or IPv6 address");
    }
    if (ones || loopback || over) {
        return sf_fail(eb, SF_EINVAL,
                       "the chain does not take this external address (255.255.255.255, "
                       "loopback): set --axon.external_ip to the address that the world reaches "
                       "this machine by");
    }
    return a->port != 0 ? SF_OK
                        : sf_fail(eb, SF_EINVAL,
                                  "an axon's external port is 1 to 65535: set "
                                  "--axon.external_port");
}

/* What the chain has now, and whether sending makes sense. */
static enum sf_err look(struct chain_client *c, const struct chain_serve *s,
                        struct chain_served *out, struct sf_errbuf *eb)
{
    struct chain_registration r;
    enum sf_err err =
        chain_client_registration(c, s->netuid, s->key->public_key, s->deadline, &r, eb);
    if (err != SF_OK) {
        return err;
    }
    if (!r.subnet_exists) {
        return sf_fail(eb, SF_ENEGATIVE,
                       "the chain has no subnet %u: check --netuid and --subtensor.network",
                       s->netuid);
    }
    if (!r.registered) {
        return sf_fail(eb, SF_ENEGATIVE, "this hotkey is not registered on subnet %u", s->netuid);
    }
    out->uid = r.uid;
    if (r.served && axon_info_same(&r.axon, &s->axon) && s->certificate.n == 0) {
        out->unchanged = true;
        out->block = r.axon.block;
        return SF_OK;
    }
    uint64_t since = r.block > r.axon.block ? r.block - r.axon.block : 0;
    if (r.rate_limit_blocks > 0 && r.axon.block > 0 && since < r.rate_limit_blocks) {
        uint64_t left = r.rate_limit_blocks - since;
        err = sf_fail(eb, SF_ERATE,
                      "the axon was announced %llu blocks ago and subnet %u allows that every "
                      "%llu: %llu blocks (about %llu minutes) to wait",
                      (unsigned long long)since, s->netuid, (unsigned long long)r.rate_limit_blocks,
                      (unsigned long long)left, (unsigned long long)(left / 5 + 1));
        if (eb != NULL) {
            eb->retry_after_ms = (int64_t)(left < 1000000 ? left : 1000000) * CHAIN_BLOCK_MS;
        }
    }
    return err;
}

/* ---------------------------------------------------------------- making one */

static enum sf_err read_nonce(struct chain_client *c, const struct chain_serve *s, uint32_t *out,
                              struct sf_errbuf *eb)
{
    char address[SS58_MAX];
    json_t *result = NULL;
    ss58_encode(s->key->public_key, address);
    enum sf_err err = rpc_call(c->rpc,
                               &(struct rpc_call){.method = "system_accountNextIndex",
                                                  .params_own = json_pack("[s]", address),
                                                  .deadline = s->deadline},
                               &result, eb);
    if (err == SF_OK) {
        json_int_t nonce = json_is_integer(result) ? json_integer_value(result) : -1;
        *out = (uint32_t)nonce;
        if (nonce < 0 || nonce > UINT32_MAX) {
            err = sf_fail(eb, SF_EPARSE,
                          "the node's answer to system_accountNextIndex makes no "
                          "sense");
        }
    }
    json_decref(result);
    return err;
}

static enum sf_err make(struct chain_client *c, const struct chain_serve *s, struct attempt *a,
                        struct sf_errbuf *eb)
{
    struct sf_buf call;
    const char *node = chain_client_endpoint(c);
    sf_buf_init(&call, 1024);
    enum sf_err err = chain_check_node(c, s->deadline, eb);
    if (err == SF_OK) {
        err = chain_runtime(c, s->deadline, &a->terms.spec_version, &a->terms.transaction_version,
                            eb);
    }
    if (err == SF_OK) {
        err = chain_finalized(c, s->deadline, &a->from, eb);
        a->terms.era = era_mortal(ERA_BLOCKS, a->from.number);
    }
    if (err == SF_OK) {
        err = chain_block_hash(c, a->terms.era.birth, s->deadline, a->terms.birth_hash, eb);
    }
    if (err == SF_OK) {
        err = read_nonce(c, s, &a->terms.nonce, eb);
    }
    if (err == SF_OK && node != chain_client_endpoint(c)) {
        /* Half of it comes from another node, which may be another chain: checked again. */
        err = chain_check_node(c, s->deadline, eb);
    }
    if (err == SF_OK) {
        memcpy(a->terms.genesis_hash, c->genesis_hash, 32);
        err = extrinsic_serve_axon(c->metadata, s->netuid, &s->axon, s->certificate, &call, eb);
    }
    if (err == SF_OK) {
        sf_buf_clear(&a->bytes);
        err = extrinsic_sign(c->metadata, &a->terms, sf_buf_str(&call), s->key, &a->bytes, eb);
    }
    sf_buf_fini(&call);
    return err;
}

static enum sf_err submit(struct chain_client *c, const struct chain_serve *s, struct attempt *a,
                          enum dispatch_next *next, struct sf_errbuf *eb)
{
    struct rpc_error refusal = {.code = 0};
    json_t *result = NULL;
    json_t *params = json_pack("[o]", rpc_hex_new(a->bytes.p, a->bytes.n));
    *next = DISPATCH_OVER;
    if (params == NULL) {
        return SF_ENOMEM;
    }
    enum sf_err err = rpc_call(c->rpc,
                               &(struct rpc_call){.method = "author_submitExtrinsic",
                                                  .params_own = params,
                                                  .deadline = s->deadline,
                                                  .error = &refusal},
                               &result, eb);
    json_decref(result);
    if (err == SF_ENEGATIVE) {
        err = dispatch_pool_error(&refusal, next, eb);
    }
    return err;
}

/* ---------------------------------------------------------------- seeing it through */

static enum sf_err read_used_nonce(struct chain_client *c, const struct chain_serve *s,
                                   const struct chain_head *at, uint32_t *out, struct sf_errbuf *eb)
{
    struct sf_buf key, value;
    bool present = false;
    sf_buf_init(&key, 256);
    sf_buf_init(&value, 4096);
    storage_key(&key, "System", "Account");
    storage_key_account(&key, s->key->public_key);
    enum sf_err err =
        chain_storage(c, &(struct chain_place){&key, at, s->deadline}, &value, &present, eb);
    struct scale_in in = scale_in(value.p, value.n);
    *out = present ? scale_u32(&in) : 0;
    sf_buf_fini(&key);
    sf_buf_fini(&value);
    return err;
}

/* The place of our transaction in a block, -1 when it is not there. */
static enum sf_err find_in_block(struct chain_client *c, const struct chain_serve *s,
                                 const struct attempt *a, const struct chain_head *at, int64_t *out,
                                 struct sf_errbuf *eb)
{
    json_t *result = NULL, *ours = rpc_hex_new(a->bytes.p, a->bytes.n);
    *out = -1;
    enum sf_err err =
        ours == NULL
            ? SF_ENOMEM
            : rpc_call(c->rpc,
                       &(struct rpc_call){.method = "chain_getBlock",
                                          .params_own = json_pack("[o]", rpc_hex_new(at->hash, 32)),
                                          .deadline = s->deadline},
                       &result, eb);
    if (err == SF_OK) {
        const json_t *list = json_at(result, "/block/extrinsics");
        for (size_t i = 0; i < json_array_size(list); i++) {
            if (json_equal(json_array_get(list, i), ours)) {
                *out = (int64_t)i;
            }
        }
    }
    json_decref(result);
    json_decref(ours);
    return err;
}

static enum sf_err read_outcome(struct chain_client *c, const struct chain_serve *s,
                                const struct chain_head *at, uint32_t index,
                                enum dispatch_next *next, struct sf_errbuf *eb)
{
    struct sf_buf key, value;
    struct dispatch_result r;
    bool present = false;
    sf_buf_init(&key, 64);
    sf_buf_init(&value, EVENTS_CAP);
    storage_key(&key, "System", "Events");
    enum sf_err err =
        chain_storage(c, &(struct chain_place){&key, at, s->deadline}, &value, &present, eb);
    if (err == SF_OK) {
        err = dispatch_read_events(c->metadata, sf_buf_str(&value), index, &r, eb);
    }
    if (err == SF_OK && r.outcome == DISPATCH_FAILED) {
        err = r.name.n > 0 ? dispatch_named_error(r.pallet, r.name, next, eb)
                           : sf_fail(eb, SF_ENEGATIVE,
                                     "the chain took the transaction and its call failed "
                                     "(DispatchError %u)",
                                     r.kind);
    }
    sf_buf_fini(&key);
    sf_buf_fini(&value);
    return err;
}

/* The nonce is used and the axon is not ours: what happened? */
static enum sf_err explain(struct chain_client *c, const struct chain_serve *s,
                           const struct attempt *a, uint64_t last, enum dispatch_next *next,
                           struct sf_errbuf *eb)
{
    enum sf_err err = SF_OK;
    for (uint64_t n = a->from.number + 1; n <= last && n < a->terms.era.death && err == SF_OK;
         n++) {
        struct chain_head at = {.number = n};
        int64_t index = -1;
        err = chain_block_hash(c, n, s->deadline, at.hash, eb);
        if (err == SF_OK) {
            err = find_in_block(c, s, a, &at, &index, eb);
        }
        if (err == SF_OK && index >= 0) {
            err = read_outcome(c, s, &at, (uint32_t)index, next, eb);
            return err != SF_OK ? err
                                : sf_fail(eb, SF_ETRANSIENT,
                                          "the chain says that the axon was served, and then has "
                                          "another: does a second miner use this hotkey?");
        }
    }
    *next = DISPATCH_RENEW;
    return err != SF_OK ? err
                        : sf_fail(eb, SF_ETRANSIENT,
                                  "another transaction of this hotkey took ours's number: does a "
                                  "second program use it?");
}

/* Until a finalized block has the axon, or it is clear that none will. */
static enum sf_err confirm(struct chain_client *c, const struct chain_serve *s,
                           const struct attempt *a, struct chain_served *out,
                           enum dispatch_next *next, struct sf_errbuf *eb)
{
    for (unsigned looks = 0;; looks++) {
        struct chain_head head;
        struct axon_info axon;
        bool served = false;
        uint32_t used = 0;
        enum sf_err err = chain_check_node(c, s->deadline, eb);
        if (err == SF_OK) {
            err = chain_finalized(c, s->deadline, &head, eb);
        }
        if (err == SF_OK) {
            err = chain_read_axon(c, s, &head, &axon, &served, eb);
        }
        if (err == SF_OK && served && axon_info_same(&axon, &s->axon) &&
            axon.block > a->from.number) {
            out->block = axon.block;
            return SF_OK;
        }
        if (err == SF_OK) {
            err = read_used_nonce(c, s, &head, &used, eb);
        }
        if (err == SF_OK && used > a->terms.nonce) {
            return explain(c, s, a, head.number, next, eb);
        }
        if (err == SF_OK && head.number >= a->terms.era.death) {
            *next = DISPATCH_RENEW;
            return sf_fail(eb, SF_ETRANSIENT,
                           "no block took the transaction within %d blocks (a full or lagging "
                           "node's pool dropped it)",
                           ERA_BLOCKS);
        }
        if (err != SF_OK && err != SF_ETRANSIENT && err != SF_ERATE && err != SF_EPARSE) {
            return err;
        }
        err = chain_pause(c, looks, s->deadline, eb); /* nodes come and go: we go on looking */
        if (err != SF_OK) {
            return err == SF_EDEADLINE ? sf_fail(eb, SF_EDEADLINE,
                                                 "the transaction was sent, and no finalized "
                                                 "block has it yet: look again with storyfi "
                                                 "chain show")
                                       : err;
        }
    }
}

enum sf_err chain_client_serve(struct chain_client *c, const struct chain_serve *s,
                               struct chain_served *out, struct sf_errbuf *eb)
{
    struct attempt a = {.terms = {.tip = 0}};
    struct sf_errbuf own = {.code = SF_OK};
    eb = eb == NULL ? &own : eb;
    *out = (struct chain_served){.unchanged = false};
    sf_buf_init(&a.bytes, 65536);
    enum sf_err err = check_axon(&s->axon, eb);
    for (int i = 0; i < ATTEMPTS && (i == 0 || err != SF_OK); i++) {
        enum dispatch_next next = DISPATCH_OVER;
        err = i == 0 && err != SF_OK ? err : look(c, s, out, eb);
        if (err != SF_OK || out->unchanged) {
            break;
        }
        err = make(c, s, &a, eb);
        if (err == SF_OK) {
            err = submit(c, s, &a, &next, eb);
            out->sent = out->sent || err == SF_OK || next != DISPATCH_OVER;
        }
        if (err == SF_OK) {
            extrinsic_hash(sf_buf_str(&a.bytes), out->transaction);
            err = confirm(c, s, &a, out, &next, eb);
        }
        if (err != SF_ETRANSIENT || next != DISPATCH_RENEW || i + 1 == ATTEMPTS) {
            break;
        }
        log_event(LOG_INFO, LOG_SUBTENSOR, "axon is announced again", LOG_ERR(eb, err));
        if (chain_pause(c, (unsigned)i, s->deadline, NULL) != SF_OK) {
            break;
        }
    }
    sf_buf_fini(&a.bytes);
    return err;
}

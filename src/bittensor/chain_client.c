/* SPDX-License-Identifier: MIT */
#include "bittensor/chain_client.h"

#include "base/hex.h"
#include "base/mem.h"
#include "bittensor/chain_client_internal.h"
#include "bittensor/scale.h"
#include "bittensor/storage_key.h"

#include <string.h>
#include <time.h>

#define POLL_MS 3000
#define FIRST_POLL_MS 100
#define WRONG_CHAIN_REST_MS 600000
#define VALUE_CAP (1U << 20)
#define RATE_LIMIT_DEFAULT 50

enum sf_err chain_client_open(const struct chain_client_options *o, struct chain_client **out,
                              struct sf_errbuf *eb)
{
    const char *endpoints[NETWORKS_ENDPOINTS_MAX];
    struct chain_client *c = sf_alloc(sizeof *c);
    if (c == NULL) {
        return SF_ENOMEM;
    }
    for (size_t i = 0; i < o->nodes->n; i++) {
        endpoints[i] = o->nodes->endpoints[i];
    }
    c->poll_ms = o->poll_ms > 0 ? o->poll_ms : POLL_MS;
    c->cancel = o->cancel;
    enum sf_err err = rpc_open(&(struct rpc_options){.endpoints = endpoints,
                                                     .n_endpoints = o->nodes->n,
                                                     .attempt_ms = o->attempt_ms,
                                                     .cancel = o->cancel},
                               &c->rpc, eb);
    if (err == SF_OK) {
        *out = c;
    } else {
        free(c);
    }
    return err;
}

void chain_client_close(struct chain_client *c)
{
    if (c != NULL) {
        rpc_close(c->rpc), c->rpc = NULL;
        metadata_close(c->metadata), c->metadata = NULL;
        free(c);
    }
}

const char *chain_client_endpoint(struct chain_client *c)
{
    return rpc_endpoint(c->rpc);
}

/* ---------------------------------------------------------------- single questions */

enum sf_err chain_ask(struct chain_client *c, const char *method, struct sf_time deadline,
                      json_t **result, struct sf_errbuf *eb)
{
    return rpc_call(
        c->rpc,
        &(struct rpc_call){.method = method, .params_own = json_array(), .deadline = deadline},
        result, eb);
}

static enum sf_err rubbish(struct chain_client *c, const char *method, struct sf_errbuf *eb)
{
    rpc_bench(c->rpc, 0); /* the next call asks another node, if there is one */
    return sf_fail(eb, SF_EPARSE, "%s: the answer to %s makes no sense", rpc_endpoint(c->rpc),
                   method);
}

static enum sf_err ask_hash(struct chain_client *c, const char *method, json_t *params_own,
                            struct sf_time deadline, uint8_t out[static 32], struct sf_errbuf *eb)
{
    json_t *result = NULL;
    struct sf_buf bytes;
    sf_buf_init(&bytes, 32);
    enum sf_err err = rpc_call(
        c->rpc,
        &(struct rpc_call){.method = method, .params_own = params_own, .deadline = deadline},
        &result, eb);
    if (err == SF_OK && (rpc_hex(result, &bytes, NULL) != SF_OK || bytes.n != 32)) {
        err = rubbish(c, method, eb);
    }
    if (err == SF_OK) {
        memcpy(out, bytes.p, 32);
    }
    json_decref(result);
    sf_buf_fini(&bytes);
    return err;
}

enum sf_err chain_block_hash(struct chain_client *c, uint64_t number, struct sf_time deadline,
                             uint8_t out[static 32], struct sf_errbuf *eb)
{
    return ask_hash(c, "chain_getBlockHash", json_pack("[I]", (json_int_t)number), deadline, out,
                    eb);
}

enum sf_err chain_check_node(struct chain_client *c, struct sf_time deadline, struct sf_errbuf *eb)
{
    uint8_t genesis[32];
    if (c->genesis_known && c->checked == rpc_endpoint(c->rpc)) {
        return SF_OK;
    }
    enum sf_err err = chain_block_hash(c, 0, deadline, genesis, eb);
    if (err != SF_OK) {
        return err;
    }
    if (!c->genesis_known) {
        memcpy(c->genesis_hash, genesis, 32);
        c->genesis_known = true;
    } else if (memcmp(genesis, c->genesis_hash, 32) != 0) {
        err = sf_fail(eb, SF_ETRANSIENT,
                      "%s is a node of another chain than the one before (its first block "
                      "differs): check subtensor.chain_endpoint",
                      rpc_endpoint(c->rpc));
        rpc_bench(c->rpc, WRONG_CHAIN_REST_MS);
        return err;
    }
    c->checked = rpc_endpoint(c->rpc);
    return SF_OK;
}

enum sf_err chain_finalized(struct chain_client *c, struct sf_time deadline, struct chain_head *out,
                            struct sf_errbuf *eb)
{
    json_t *header = NULL;
    enum sf_err err = ask_hash(c, "chain_getFinalizedHead", json_array(), deadline, out->hash, eb);
    if (err == SF_OK) {
        err =
            rpc_call(c->rpc,
                     &(struct rpc_call){.method = "chain_getHeader",
                                        .params_own = json_pack("[o]", rpc_hex_new(out->hash, 32)),
                                        .deadline = deadline},
                     &header, eb);
    }
    if (err == SF_OK) {
        struct sf_str text = json_get_str(header, "number");
        uint8_t bytes[8] = {0};
        char padded[17] = "0000000000000000";
        bool ok = sf_str_has_prefix(text, "0x") && text.n > 2 && text.n <= 18;
        if (ok) {
            memcpy(padded + 16 - (text.n - 2), text.p + 2, text.n - 2);
            ok = sf_hex_decode((struct sf_str){padded, 16}, bytes, 8);
        }
        out->number = 0;
        for (size_t i = 0; ok && i < 8; i++) {
            out->number = out->number << 8U | bytes[i];
        }
        err = ok ? SF_OK : rubbish(c, "chain_getHeader", eb);
    }
    json_decref(header);
    return err;
}

enum sf_err chain_storage(struct chain_client *c, const struct chain_place *place,
                          struct sf_buf *value, bool *present, struct sf_errbuf *eb)
{
    json_t *result = NULL;
    json_t *params = json_pack("[oo]", rpc_hex_new(place->key->p, place->key->n),
                               rpc_hex_new(place->at->hash, 32));
    if (place->key->err != SF_OK || params == NULL) {
        json_decref(params);
        return SF_ENOMEM;
    }
    sf_buf_clear(value);
    enum sf_err err = rpc_call(c->rpc,
                               &(struct rpc_call){.method = "state_getStorage",
                                                  .params_own = params,
                                                  .deadline = place->deadline},
                               &result, eb);
    *present = err == SF_OK && !json_is_null(result);
    if (*present && rpc_hex(result, value, NULL) != SF_OK) {
        err = rubbish(c, "state_getStorage", eb);
    }
    json_decref(result);
    return err;
}

enum sf_err chain_pause(struct chain_client *c, unsigned n, struct sf_time deadline,
                        struct sf_errbuf *eb)
{
    sf_ms pause = (sf_ms)FIRST_POLL_MS << (n < 10 ? n : 10);
    struct sf_time until =
        sf_earlier(deadline, sf_after(sf_now(), pause < c->poll_ms ? pause : c->poll_ms));
    while (sf_until(until) > 0) {
        if (c->cancel != NULL && atomic_load(c->cancel)) {
            return sf_fail(eb, SF_ECANCELED, "given up");
        }
        long ms = sf_until(until) > 50 ? 50 : 1;
        (void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
    }
    return sf_until(deadline) > 0 ? SF_OK : sf_fail(eb, SF_EDEADLINE, "not done in time");
}

/* ---------------------------------------------------------------- versions */

static enum sf_err read_metadata(struct chain_client *c, uint32_t spec, struct sf_time deadline,
                                 struct sf_errbuf *eb)
{
    json_t *result = NULL;
    struct sf_buf bytes;
    struct metadata *m = NULL;
    sf_buf_init(&bytes, METADATA_MAX_BYTES);
    enum sf_err err = chain_ask(c, "state_getMetadata", deadline, &result, eb);
    if (err == SF_OK && rpc_hex(result, &bytes, NULL) != SF_OK) {
        err = rubbish(c, "state_getMetadata", eb);
    }
    json_decref(result);
    if (err == SF_OK) {
        err = metadata_open(bytes.p, bytes.n, &m, eb);
    }
    if (err == SF_OK) {
        metadata_close(c->metadata);
        c->metadata = m;
        c->metadata_spec = spec;
    }
    sf_buf_fini(&bytes);
    return err;
}

static enum sf_err read_runtime(struct chain_client *c, struct sf_time deadline, json_t **version,
                                uint32_t numbers[static 2], struct sf_errbuf *eb)
{
    int64_t spec = -1, transaction = -1;
    enum sf_err err = chain_ask(c, "state_getRuntimeVersion", deadline, version, eb);
    if (err == SF_OK && (!json_get_int(*version, "specVersion", &spec) ||
                         !json_get_int(*version, "transactionVersion", &transaction) || spec < 0 ||
                         spec > UINT32_MAX || transaction < 0 || transaction > UINT32_MAX)) {
        err = rubbish(c, "state_getRuntimeVersion", eb);
    }
    numbers[0] = (uint32_t)spec;
    numbers[1] = (uint32_t)transaction;
    return err;
}

enum sf_err chain_runtime(struct chain_client *c, struct sf_time deadline, uint32_t *spec,
                          uint32_t *transaction, struct sf_errbuf *eb)
{
    json_t *version = NULL;
    uint32_t numbers[2];
    enum sf_err err = read_runtime(c, deadline, &version, numbers, eb);
    json_decref(version);
    if (err == SF_OK && (c->metadata == NULL || c->metadata_spec != numbers[0])) {
        err = read_metadata(c, numbers[0], deadline, eb);
    }
    *spec = numbers[0];
    *transaction = numbers[1];
    return err;
}

static enum sf_err read_block_time(struct chain_client *c, const struct chain_head *at,
                                   struct sf_time deadline, int64_t *out, struct sf_errbuf *eb)
{
    struct sf_buf key, value;
    bool present = false;
    sf_buf_init(&key, 64);
    sf_buf_init(&value, VALUE_CAP);
    storage_key(&key, "Timestamp", "Now");
    enum sf_err err =
        chain_storage(c, &(struct chain_place){&key, at, deadline}, &value, &present, eb);
    struct scale_in in = scale_in(value.p, value.n);
    uint64_t ms = present ? scale_u64(&in) : 0;
    *out = scale_is_done(&in) && ms <= INT64_MAX ? (int64_t)ms : 0;
    sf_buf_fini(&key);
    sf_buf_fini(&value);
    return err;
}

enum sf_err chain_client_versions(struct chain_client *c, struct sf_time deadline,
                                  struct chain_versions *out, struct sf_errbuf *eb)
{
    json_t *version = NULL, *name = NULL;
    uint32_t numbers[2];
    struct chain_head head;
    *out = (struct chain_versions){.spec_version = 0};
    enum sf_err err = chain_check_node(c, deadline, eb);
    if (err == SF_OK) {
        err = chain_ask(c, "system_chain", deadline, &name, eb);
    }
    if (err == SF_OK) {
        err = read_runtime(c, deadline, &version, numbers, eb);
    }
    if (err == SF_OK) {
        err = chain_finalized(c, deadline, &head, eb);
    }
    if (err == SF_OK) {
        err = read_block_time(c, &head, deadline, &out->block_time_ms, eb);
    }
    if (err == SF_OK) {
        const char *spec_name = json_get_string(version, "specName");
        const char *chain = json_string_value(name);
        (void)snprintf(out->chain, sizeof out->chain, "%s", chain == NULL ? "" : chain);
        (void)snprintf(out->spec_name, sizeof out->spec_name, "%s",
                       spec_name == NULL ? "" : spec_name);
        out->spec_version = numbers[0];
        out->transaction_version = numbers[1];
        memcpy(out->genesis_hash, c->genesis_hash, 32);
        out->finalized_block = head.number;
    }
    json_decref(version);
    json_decref(name);
    return err;
}

/* ---------------------------------------------------------------- one hotkey */

enum sf_err chain_read_axon(struct chain_client *c, const struct chain_serve *s,
                            const struct chain_head *at, struct axon_info *out, bool *served,
                            struct sf_errbuf *eb)
{
    struct sf_buf key, value;
    sf_buf_init(&key, 256);
    sf_buf_init(&value, VALUE_CAP);
    storage_key(&key, "SubtensorModule", "Axons");
    storage_key_u16(&key, s->netuid);
    storage_key_account(&key, s->key->public_key);
    *out = (struct axon_info){.block = 0};
    enum sf_err err =
        chain_storage(c, &(struct chain_place){&key, at, s->deadline}, &value, served, eb);
    if (err == SF_OK && *served) {
        struct scale_in in = scale_in(value.p, value.n);
        axon_info_read(&in, out);
        if (!scale_is_done(&in)) {
            err = rubbish(c, "SubtensorModule.Axons", eb);
        }
    }
    sf_buf_fini(&key);
    sf_buf_fini(&value);
    return err;
}

struct item {
    const char *name;
    bool by_hotkey;
};

struct number {
    uint64_t v;
    bool present;
};

/* A number under (netuid) or (netuid, hotkey). */
static enum sf_err read_number(struct chain_client *c, struct item item,
                               const struct chain_serve *s, const struct chain_head *at,
                               struct number *out, struct sf_errbuf *eb)
{
    struct sf_buf key, value;
    sf_buf_init(&key, 256);
    sf_buf_init(&value, VALUE_CAP);
    storage_key(&key, "SubtensorModule", item.name);
    storage_key_u16(&key, s->netuid);
    if (item.by_hotkey) {
        storage_key_account(&key, s->key->public_key);
    }
    *out = (struct number){.v = 0};
    enum sf_err err =
        chain_storage(c, &(struct chain_place){&key, at, s->deadline}, &value, &out->present, eb);
    if (err == SF_OK && out->present) {
        for (size_t i = 0; i < value.n && i < 8; i++) {
            out->v |= (uint64_t)(uint8_t)value.p[i] << (8 * i);
        }
        if (value.n == 0 || value.n > 8) {
            err = rubbish(c, item.name, eb);
        }
    }
    sf_buf_fini(&key);
    sf_buf_fini(&value);
    return err;
}

enum sf_err chain_client_registration(struct chain_client *c, uint16_t netuid,
                                      const uint8_t hotkey[static 32], struct sf_time deadline,
                                      struct chain_registration *out, struct sf_errbuf *eb)
{
    struct sr25519_keypair only_public = {.secret = {0}};
    struct chain_serve s = {.netuid = netuid, .key = &only_public, .deadline = deadline};
    struct chain_head head;
    struct number number;
    memcpy(only_public.public_key, hotkey, 32);
    *out = (struct chain_registration){.rate_limit_blocks = RATE_LIMIT_DEFAULT};
    enum sf_err err = chain_check_node(c, deadline, eb);
    if (err == SF_OK) {
        err = chain_finalized(c, deadline, &head, eb);
        out->block = head.number;
    }
    if (err == SF_OK) {
        err = read_number(c, (struct item){"NetworksAdded", false}, &s, &head, &number, eb);
        out->subnet_exists = number.present && number.v == 1;
    }
    if (err == SF_OK) {
        err = read_number(c, (struct item){"Uids", true}, &s, &head, &number, eb);
        out->registered = number.present;
        out->uid = (uint16_t)number.v;
    }
    if (err == SF_OK) {
        err = read_number(c, (struct item){"ServingRateLimit", false}, &s, &head, &number, eb);
        out->rate_limit_blocks = number.present ? number.v : RATE_LIMIT_DEFAULT;
    }
    if (err == SF_OK) {
        err = chain_read_axon(c, &s, &head, &out->axon, &out->served, eb);
    }
    return err;
}

/* ---------------------------------------------------------------- metagraph */

static enum sf_err state_call(struct chain_client *c, const char *method, const struct sf_buf *args,
                              struct sf_time deadline, struct sf_buf *answer, struct sf_errbuf *eb)
{
    json_t *result = NULL;
    json_t *params = json_pack("[so]", method, rpc_hex_new(args->p, args->n));
    if (args->err != SF_OK || params == NULL) {
        json_decref(params);
        return SF_ENOMEM;
    }
    enum sf_err err = rpc_call(
        c->rpc,
        &(struct rpc_call){.method = "state_call", .params_own = params, .deadline = deadline},
        &result, eb);
    if (err == SF_OK && rpc_hex(result, answer, NULL) != SF_OK) {
        err = rubbish(c, method, eb);
    }
    json_decref(result);
    return err;
}

static enum sf_err ask_selective(struct chain_client *c, uint16_t netuid, struct sf_time deadline,
                                 struct metagraph *out, struct sf_errbuf *eb)
{
    struct sf_buf args, answer;
    sf_buf_init(&args, 256);
    sf_buf_init(&answer, RPC_ANSWER_MAX);
    metagraph_selective_args(netuid, &args);
    enum sf_err err =
        state_call(c, "SubnetInfoRuntimeApi_get_selective_metagraph", &args, deadline, &answer, eb);
    if (err == SF_OK) {
        err = metagraph_read_selective(sf_buf_str(&answer), netuid, out, eb);
    }
    sf_buf_fini(&args);
    sf_buf_fini(&answer);
    return err;
}

static enum sf_err ask_lite(struct chain_client *c, uint16_t netuid, struct sf_time deadline,
                            struct metagraph *out, struct sf_errbuf *eb)
{
    struct sf_buf args, answer;
    struct chain_head head;
    sf_buf_init(&args, 256);
    sf_buf_init(&answer, RPC_ANSWER_MAX);
    metagraph_lite_args(netuid, &args);
    enum sf_err err = chain_finalized(c, deadline, &head, eb);
    if (err == SF_OK) {
        err = state_call(c, "NeuronInfoRuntimeApi_get_neurons_lite", &args, deadline, &answer, eb);
    }
    if (err == SF_OK) {
        err = metagraph_read_lite(sf_buf_str(&answer), netuid, head.number, out, eb);
    }
    sf_buf_fini(&args);
    sf_buf_fini(&answer);
    return err;
}

enum sf_err chain_client_metagraph(struct chain_client *c, uint16_t netuid, struct sf_time deadline,
                                   struct metagraph *out, struct sf_errbuf *eb)
{
    *out = (struct metagraph){.netuid = netuid};
    enum sf_err err = chain_check_node(c, deadline, eb);
    if (err == SF_OK) {
        err = ask_selective(c, netuid, deadline, out, eb);
        if (err == SF_ENEGATIVE || err == SF_EPARSE) {
            err = ask_lite(c, netuid, deadline, out, eb);
        }
    }
    return err;
}

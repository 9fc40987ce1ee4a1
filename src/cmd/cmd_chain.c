/* SPDX-License-Identifier: MIT */
#include "app/axon_address.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "bittensor/chain_client.h"
#include "bittensor/external_ip.h"
#include "bittensor/ss58.h"
#include "bittensor/wallet.h"
#include "cmd/commands.h"
#include "cmd/secret_prompt.h"
#include "cmd/settings.h"
#include "json/json.h"

#include <string.h>

static const struct arg_action actions[] = {
    {"show", "Print the chain's versions and what it says of the hotkey."},
    {"serve", "Announce where the axon listens, if the chain has something else."},
    {"metagraph", "Print who is on the subnet."},
};

static const struct arg_option options[] = {
    {"--hotkey", "SS58", "show: the hotkey to look for instead of the wallet's."},
    {"--validators", NULL, "metagraph: only those with a validator permit."},
    {"--timeout", "S", "The longest to wait, in seconds (default 60, serve 300)."},
    {"--json", NULL, "Print JSON."},
};

const struct args_spec cmd_chain_spec = {
    .name = "chain",
    .synopsis = "show|serve|metagraph --netuid N [--json] [--subtensor.network NET] "
                "[--subtensor.chain_endpoint URL]",
    .summary = "Ask the chain about the miner, or tell it where the miner listens.",
    .details =
        "An explicit --subtensor.chain_endpoint wins over --subtensor.network; it takes ws://, "
        "wss://, http:// or https://, or several with commas, of which the first that answers is "
        "asked. serve signs with the hotkey, costs nothing, and sends only what the chain does not "
        "have yet.\n\n"
        "Exit status 0 when all is well, 1 when the hotkey is not registered or the subnet is not "
        "there, 100 for a mistake, 111 when no node answers or the subnet's limit is not over.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .actions = actions,
    .n_actions = sizeof actions / sizeof actions[0],
    .takes_settings = true,
};

struct chain_run {
    const struct args *a;
    const struct conf *conf;
    struct wallet_names wallet;
    struct chain_client *chain;
    struct sf_time deadline;
    uint16_t netuid;
};

static void print_json(json_t *value_own)
{
    struct sf_buf b;
    sf_buf_init(&b, 64U << 20);
    json_print(value_own, &b);
    puts(sf_buf_z(&b));
    sf_buf_fini(&b);
    json_decref(value_own);
}

static void set(json_t *object, const char *name, json_t *value_own)
{
    (void)json_object_set_new(object, name, value_own);
}

static void hint_registration(const struct chain_run *r)
{
    char command[AXON_COMMAND_MAX];
    axon_register_command(r->conf, command);
    fprintf(stderr, "storyfi: register it with: %s\n", command);
}

/* ---------------------------------------------------------------- show */

static json_t *versions_json(const struct chain_run *r, const struct chain_versions *v)
{
    char genesis[65];
    json_t *o = json_object();
    sf_hex_encode(v->genesis_hash, 32, genesis);
    set(o, "endpoint", json_string(chain_client_endpoint(r->chain)));
    set(o, "chain", json_string(v->chain));
    set(o, "spec_name", json_string(v->spec_name));
    set(o, "spec_version", json_integer(v->spec_version));
    set(o, "transaction_version", json_integer(v->transaction_version));
    set(o, "genesis", json_sprintf("0x%s", genesis));
    set(o, "block", json_integer((json_int_t)v->finalized_block));
    int64_t age_ms = sf_wall_ns() / 1000000 - v->block_time_ms;
    set(o, "block_age_seconds",
        v->block_time_ms == 0 ? json_null() : json_real((double)age_ms / 1000.0));
    return o;
}

static void add_registration(const struct chain_run *r, json_t *o, const char *hotkey,
                             const struct chain_registration *g)
{
    char axon[AXON_TEXT_MAX];
    axon_text(&g->axon, axon);
    set(o, "netuid", json_integer(r->netuid));
    set(o, "subnet_exists", json_boolean(g->subnet_exists));
    set(o, "hotkey", json_string(hotkey));
    set(o, "registered", json_boolean(g->registered));
    set(o, "uid", g->registered ? json_integer(g->uid) : json_null());
    set(o, "axon", g->served && axon[0] != '\0' ? json_string(axon) : json_null());
    set(o, "axon_block", json_integer((json_int_t)g->axon.block));
    set(o, "axon_version", json_integer(g->axon.version));
    set(o, "rate_limit_blocks", json_integer((json_int_t)g->rate_limit_blocks));
}

static void print_members(const json_t *o)
{
    static const char *const names[] = {"endpoint", "chain",  "spec_version", "block",
                                        "genesis",  "netuid", "hotkey",       "registered",
                                        "uid",      "axon",   "axon_block",   "rate_limit_blocks"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const json_t *v = json_object_get(o, names[i]);
        printf("%-18s ", names[i]);
        if (json_is_string(v)) {
            printf("%s\n", json_string_value(v));
        } else if (json_is_integer(v)) {
            printf("%lld\n", (long long)json_integer_value(v));
        } else {
            puts(json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "none");
        }
    }
}

static enum sf_err show(struct chain_run *r, struct sf_errbuf *eb)
{
    struct chain_versions versions;
    struct chain_registration g;
    char hotkey[SS58_MAX] = "";
    uint8_t key[SS58_KEY_LEN];
    const char *given = args_get(r->a, "--hotkey");
    enum sf_err err = SF_OK;
    if (given != NULL) {
        (void)snprintf(hotkey, sizeof hotkey, "%s", given);
    } else {
        err = wallet_public_address(&r->wallet, WALLET_HOTKEY, hotkey, eb);
    }
    if (err == SF_OK) {
        err = ss58_decode(sf_str(given == NULL ? hotkey : given), key, eb);
    }
    if (err == SF_OK) {
        err = chain_client_versions(r->chain, r->deadline, &versions, eb);
    }
    if (err == SF_OK) {
        err = chain_client_registration(r->chain, r->netuid, key, r->deadline, &g, eb);
    }
    if (err != SF_OK) {
        return err;
    }
    json_t *o = versions_json(r, &versions);
    add_registration(r, o, hotkey, &g);
    if (args_has(r->a, "--json")) {
        print_json(o);
    } else {
        print_members(o);
        json_decref(o);
    }
    if (!g.subnet_exists) {
        return sf_fail(eb, SF_ENEGATIVE,
                       "the chain has no subnet %u: check --netuid and --subtensor.network",
                       r->netuid);
    }
    if (!g.registered) {
        hint_registration(r);
        return sf_fail(eb, SF_ENEGATIVE, "this hotkey is not registered on subnet %u", r->netuid);
    }
    return SF_OK;
}

/* ---------------------------------------------------------------- serve */

/* An address that somebody gave is taken, with a warning where validators cannot reach it. */
static enum sf_err read_axon_settings(const struct chain_run *r, struct axon_info *out,
                                      struct sf_errbuf *eb)
{
    enum sf_err err = axon_address_find(r->conf, r->deadline, NULL, out, eb);
    enum ip_kind kind = external_ip_kind(out);
    if (err == SF_OK && kind != IP_PUBLIC) {
        log_event(LOG_WARN, LOG_SUBTENSOR, "validators outside cannot reach this address",
                  LOG_S("external_ip", r->conf->axon.external_ip),
                  LOG_S("kind", ip_kind_name(kind)));
    }
    return err;
}

static void print_served(const struct chain_run *r, const struct chain_serve *s,
                         const struct chain_served *done)
{
    char axon[AXON_TEXT_MAX], hash[65];
    axon_text(&s->axon, axon);
    sf_hex_encode(done->transaction, 32, hash);
    if (args_has(r->a, "--json")) {
        json_t *o = json_object();
        set(o, "axon", json_string(axon));
        set(o, "uid", json_integer(done->uid));
        set(o, "block", json_integer((json_int_t)done->block));
        set(o, "unchanged", json_boolean(done->unchanged));
        set(o, "transaction", done->sent ? json_sprintf("0x%s", hash) : json_null());
        print_json(o);
        return;
    }
    printf("uid %u listens on %s, as block %llu says%s\n", done->uid, axon,
           (unsigned long long)done->block, done->unchanged ? " already" : "");
}

static enum sf_err serve(struct chain_run *r, struct sf_errbuf *eb)
{
    struct sr25519_keypair key;
    struct wallet_found found;
    struct chain_served done;
    struct chain_serve s = {
        .netuid = r->netuid, .certificate = SF_STR(""), .key = &key, .deadline = r->deadline};
    struct wallet_unlock unlock = secret_unlock(r->conf);
    enum sf_err err = read_axon_settings(r, &s.axon, eb);
    if (err != SF_OK) {
        return err;
    }
    err = wallet_open_key(&r->wallet, WALLET_HOTKEY, &unlock, &key, &found, eb);
    if (err != SF_OK) {
        return err;
    }
    if (found.readable_by_others) {
        log_event(LOG_WARN, LOG_WALLET, "other users can read the hotkey: chmod 600 it",
                  LOG_S("hotkey", r->wallet.hotkey));
    }
    err = chain_client_serve(r->chain, &s, &done, eb);
    wallet_forget(&key);
    if (err == SF_OK) {
        print_served(r, &s, &done);
    } else if (err == SF_ENEGATIVE) {
        hint_registration(r);
    }
    return err;
}

/* ---------------------------------------------------------------- metagraph */

static double tao(uint64_t rao)
{
    return (double)rao / 1e9;
}

static json_t *neuron_json(const struct metagraph_neuron *n, size_t uid)
{
    char hotkey[SS58_MAX], axon[AXON_TEXT_MAX];
    json_t *o = json_object();
    ss58_encode(n->hotkey, hotkey);
    axon_text(&n->axon, axon);
    set(o, "uid", json_integer((json_int_t)uid));
    set(o, "hotkey", json_string(hotkey));
    set(o, "stake", json_real(tao(n->total_stake_rao)));
    set(o, "validator_permit", json_boolean(n->validator_permit));
    set(o, "axon", axon[0] == '\0' ? json_null() : json_string(axon));
    set(o, "last_update", json_integer((json_int_t)n->last_update));
    set(o, "incentive", json_real((double)n->incentive / 65535.0));
    set(o, "emission", json_real(tao(n->emission_rao)));
    set(o, "registered_at", json_integer((json_int_t)n->registered_at));
    return o;
}

static void print_metagraph(const struct chain_run *r, const struct metagraph *g)
{
    bool only_validators = args_has(r->a, "--validators"), json = args_has(r->a, "--json");
    json_t *list = json_array();
    if (!json) {
        printf("%5s  %-48s %16s %-6s %-22s %11s\n", "uid", "hotkey", "stake", "permit", "axon",
               "last update");
    }
    for (size_t i = 0; i < g->n; i++) {
        const struct metagraph_neuron *n = &g->neurons[i];
        char hotkey[SS58_MAX], axon[AXON_TEXT_MAX];
        if (only_validators && !n->validator_permit) {
            continue;
        }
        if (json) {
            (void)json_array_append_new(list, neuron_json(n, i));
            continue;
        }
        ss58_encode(n->hotkey, hotkey);
        axon_text(&n->axon, axon);
        printf("%5zu  %-48s %16.4f %-6s %-22s %11llu\n", i, hotkey, tao(n->total_stake_rao),
               n->validator_permit ? "yes" : "", axon[0] == '\0' ? "-" : axon,
               (unsigned long long)n->last_update);
    }
    if (json) {
        json_t *o = json_object();
        set(o, "netuid", json_integer(g->netuid));
        set(o, "block", json_integer((json_int_t)g->block));
        set(o, "lite", json_boolean(g->lite));
        set(o, "neurons", list);
        print_json(o);
    } else {
        json_decref(list);
    }
}

static enum sf_err metagraph(struct chain_run *r, struct sf_errbuf *eb)
{
    struct metagraph g;
    enum sf_err err = chain_client_metagraph(r->chain, r->netuid, r->deadline, &g, eb);
    if (err == SF_OK) {
        print_metagraph(r, &g);
        metagraph_fini(&g);
    } else if (err == SF_ENOTFOUND && eb != NULL) {
        eb->code = err = SF_ENEGATIVE; /* the question was fine, the answer is no */
    }
    return err;
}

/* ---------------------------------------------------------------- */

static const struct {
    const char *name;
    enum sf_err (*run)(struct chain_run *r, struct sf_errbuf *eb);
    int timeout_seconds;
} runs[] = {{"show", show, 60}, {"serve", serve, 300}, {"metagraph", metagraph, 60}};

static enum sf_err run_action(struct chain_run *r, struct sf_errbuf *eb)
{
    struct networks_choice nodes;
    if (r->conf->netuid < 0) {
        return sf_fail(eb, SF_EINVAL, "which subnet? give --netuid N");
    }
    r->netuid = (uint16_t)r->conf->netuid;
    enum sf_err err =
        networks_choose(r->conf->subtensor.network, r->conf->subtensor.chain_endpoint, &nodes, eb);
    if (err == SF_OK) {
        err = chain_client_open(&(struct chain_client_options){.nodes = &nodes}, &r->chain, eb);
    }
    for (size_t i = 0; err == SF_OK && i < sizeof runs / sizeof runs[0]; i++) {
        if (strcmp(runs[i].name, r->a->action) == 0) {
            int64_t seconds = args_int(r->a, "--timeout", runs[i].timeout_seconds, 1, 86400);
            r->deadline = sf_after(sf_now(), seconds * 1000);
            err = runs[i].run(r, eb);
            break;
        }
    }
    chain_client_close(r->chain), r->chain = NULL;
    return err;
}

/* Rubbish from a node is the node's failure, not a mistake on the command line. */
static int exit_code_of(enum sf_err err)
{
    return err == SF_EPARSE || err == SF_ELIMIT ? 111 : sf_err_info(err)->exit_code;
}

int cmd_chain(int argc, char **argv)
{
    struct args a;
    struct sf_errbuf eb = {.code = SF_OK};
    args_parse(&a, &cmd_chain_spec, argc, argv);
    const struct conf *conf = settings_load(&a);
    struct chain_run r = {
        .a = &a,
        .conf = conf,
        .wallet = {conf->wallet.path, conf->wallet.name, conf->wallet.hotkey},
    };
    enum sf_err err = run_action(&r, &eb);
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: chain %s: %s\n", a.action, sf_err_text(&eb, err));
    }
    conf_unref(conf);
    args_fini(&a);
    return exit_code_of(err);
}

/* SPDX-License-Identifier: MIT */
#include "miner/network_facts.h"

#include "app/axon_address.h"

#define BLOCKS_AN_HOUR 300.0 /* 12 s each */

void network_facts_read(struct network_facts *f, const struct metagraph *g,
                        const uint8_t hotkey[static 32])
{
    int uid = metagraph_find(g, hotkey);
    f->has_graph = true;
    f->lite = g->lite;
    f->graph_block = g->block;
    f->neurons = g->n;
    f->has_standing = uid >= 0;
    f->stake_rao = 0;
    f->standing = (struct metagraph_standing){.position = 0};
    if (uid >= 0) {
        f->stake_rao = g->neurons[uid].total_stake_rao;
        metagraph_stand(g, (size_t)uid, &f->standing);
    }
}

/* ---- earning --------------------------------------------------------------------------------- */

static double tokens(uint64_t rao)
{
    return (double)rao / 1e9;
}

/* Registered, and in the metagraph, with nothing in the last epoch. */
static void explain_nothing(const struct network_facts *f, char out[static NETWORK_EARNING_MAX])
{
    const struct metagraph_standing *s = &f->standing;
    if (f->looked && f->announced.ip_type == 0) {
        (void)snprintf(out, NETWORK_EARNING_MAX,
                       "no: the chain does not say yet where it listens, so no validator asks");
    } else if (s->immune) {
        (void)snprintf(
            out, NETWORK_EARNING_MAX,
            "not yet: nothing in the last epoch; new, and safe from being pushed out for "
            "%llu blocks more (about %.1f h)",
            (unsigned long long)s->immunity_left_blocks,
            (double)s->immunity_left_blocks / BLOCKS_AN_HOUR);
    } else {
        (void)snprintf(out, NETWORK_EARNING_MAX,
                       "no: nothing in the last epoch, position %zu of %zu miners; the last ones "
                       "are pushed out first",
                       s->position, s->miners);
    }
}

int network_facts_earning(const struct network_facts *f, char out[static NETWORK_EARNING_MAX])
{
    const struct metagraph_standing *s = &f->standing;
    if (f->looked && !f->subnet_exists) {
        (void)snprintf(out, NETWORK_EARNING_MAX, "no: the chain has no subnet %lld",
                       (long long)f->netuid);
        return 0;
    }
    if (f->looked && !f->registered) {
        (void)snprintf(out, NETWORK_EARNING_MAX, "no: not registered on subnet %lld",
                       (long long)f->netuid);
        return 0;
    }
    if (!f->has_standing) {
        (void)snprintf(out, NETWORK_EARNING_MAX, "not known yet: %s",
                       f->has_graph ? "the metagraph is older than the registration"
                                    : "the metagraph was not read");
        return -1;
    }
    if (s->emission_rao == 0) {
        explain_nothing(f, out);
        return 0;
    }
    (void)snprintf(out, NETWORK_EARNING_MAX,
                   "yes: %.9g of the subnet's token in the last epoch, position %zu of %zu miners",
                   tokens(s->emission_rao), s->position, s->miners);
    return 1;
}

/* ---- as JSON --------------------------------------------------------------------------------- */

static void set(json_t *o, const char *key, json_t *value_own)
{
    (void)json_object_set_new(o, key, value_own); /* a missing member: out of memory */
}

static json_t *axon_json(const struct axon_info *a)
{
    char text[AXON_TEXT_MAX];
    axon_text(a, text);
    return text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *age_json(struct sf_time then)
{
    return json_real(sf_seconds(sf_between(then, sf_now())));
}

static json_t *graph_json(const struct network_facts *f, sf_ms max_stale_ms)
{
    if (!f->has_graph) {
        return json_null();
    }
    return json_pack("{s:I, s:I, s:o, s:b, s:b, s:s}", "block", (json_int_t)f->graph_block,
                     "neurons", (json_int_t)f->neurons, "age_seconds", age_json(f->graph_read_at),
                     "stale", sf_between(f->graph_read_at, sf_now()) > max_stale_ms, "lite",
                     f->lite, "source", f->from_disk ? "disk" : "chain");
}

static void add_standing(json_t *o, const struct network_facts *f)
{
    const struct metagraph_standing *s = &f->standing;
    bool known = f->has_standing;
    bool immunity = known && !f->lite;
    set(o, "stake", known ? json_real(tokens(f->stake_rao)) : json_null());
    set(o, "emission", known ? json_real(tokens(s->emission_rao)) : json_null());
    set(o, "incentive", known ? json_real((double)s->incentive / 65535.0) : json_null());
    set(o, "position", known ? json_integer((json_int_t)s->position) : json_null());
    set(o, "miners", known ? json_integer((json_int_t)s->miners) : json_null());
    set(o, "immunity_left_blocks",
        immunity ? json_integer((json_int_t)s->immunity_left_blocks) : json_null());
}

json_t *network_facts_json(const struct network_facts *f, sf_ms max_stale_ms)
{
    char earning[NETWORK_EARNING_MAX];
    json_t *o = json_object(), *problems = json_array();
    int earns = network_facts_earning(f, earning);
    set(o, "netuid", json_integer(f->netuid));
    set(o, "chain", json_text(sf_str(f->chain)));
    set(o, "endpoint", json_text(sf_str(f->endpoint)));
    set(o, "reached", json_boolean(f->reached));
    set(o, "block", f->looked ? json_integer((json_int_t)f->block) : json_null());
    set(o, "last_look_age_seconds", f->looked ? age_json(f->looked_at) : json_null());
    set(o, "subnet_exists", f->looked ? json_boolean(f->subnet_exists) : json_null());
    set(o, "registered", f->looked ? json_boolean(f->registered) : json_null());
    set(o, "uid", f->looked && f->registered ? json_integer(f->uid) : json_null());
    set(o, "axon_announced", axon_json(&f->announced));
    set(o, "axon_wanted", axon_json(&f->wanted));
    set(o, "metagraph", graph_json(f, max_stale_ms));
    add_standing(o, f);
    set(o, "earns", earns < 0 ? json_null() : json_boolean(earns));
    set(o, "earning", json_string(earning));
    for (size_t i = 0; i < NETWORK_TOPICS; i++) {
        if (f->problems[i][0] != '\0') {
            (void)json_array_append_new(problems, json_text(sf_str(f->problems[i])));
        }
    }
    set(o, "problems", problems);
    return o;
}

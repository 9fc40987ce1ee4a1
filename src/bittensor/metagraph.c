/* SPDX-License-Identifier: MIT */
#include "bittensor/metagraph.h"

#include "base/mem.h"

#include <string.h>

#define UIDS_MAX 65536

void metagraph_fini(struct metagraph *g)
{
    free(g->neurons), g->neurons = NULL;
    g->n = 0;
}

int metagraph_find(const struct metagraph *g, const uint8_t hotkey[static 32])
{
    for (size_t i = 0; i < g->n; i++) {
        if (memcmp(g->neurons[i].hotkey, hotkey, 32) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* ---------------------------------------------------------------- selective */

typedef void (*read_fn)(struct scale_in *in, struct metagraph *g);

/* A list by uid of another length than the hotkeys' is of no use: it is walked, and what has a
 * place is kept. */
#define EACH(item_bytes, read_one)                                                                 \
    for (size_t n = scale_vec(in, item_bytes), i = 0; i < n && !in->failed; i++) {                 \
        struct metagraph_neuron spare = {.incentive = 0};                                          \
        struct metagraph_neuron *who = i < g->n ? &g->neurons[i] : &spare;                         \
        read_one;                                                                                  \
    }

static void read_block(struct scale_in *in, struct metagraph *g)
{
    g->block = scale_compact(in, UINT64_MAX);
}

static void read_immunity(struct scale_in *in, struct metagraph *g)
{
    g->immunity_blocks = scale_compact(in, UINT16_MAX);
}

static void read_rate_limit(struct scale_in *in, struct metagraph *g)
{
    g->serving_rate_limit_blocks = scale_compact(in, UINT64_MAX);
}

static void read_hotkeys(struct scale_in *in, struct metagraph *g)
{
    size_t n = scale_vec(in, 32);
    if (n > UIDS_MAX) {
        scale_fail(in);
        return;
    }
    g->neurons = sf_alloc((n + 1) * sizeof *g->neurons);
    for (size_t i = 0; g->neurons != NULL && i < n; i++) {
        scale_copy(in, g->neurons[i].hotkey, 32);
        g->n = i + 1;
    }
}

static void read_axons(struct scale_in *in, struct metagraph *g)
{
    EACH(AXON_INFO_LEN, axon_info_read(in, &who->axon))
}

static void read_permits(struct scale_in *in, struct metagraph *g)
{
    EACH(1, who->validator_permit = scale_bool(in))
}

static void read_last_updates(struct scale_in *in, struct metagraph *g)
{
    EACH(1, who->last_update = scale_compact(in, UINT64_MAX))
}

static void read_emissions(struct scale_in *in, struct metagraph *g)
{
    EACH(1, who->emission_rao = scale_compact(in, UINT64_MAX))
}

static void read_incentives(struct scale_in *in, struct metagraph *g)
{
    EACH(1, who->incentive = (uint16_t)scale_compact(in, UINT16_MAX))
}

static void read_registered(struct scale_in *in, struct metagraph *g)
{
    EACH(1, who->registered_at = scale_compact(in, UINT64_MAX))
}

static void read_alpha(struct scale_in *in, struct metagraph *g)
{
    EACH(1, who->alpha_stake_rao = scale_compact(in, UINT64_MAX))
}

static void read_total(struct scale_in *in, struct metagraph *g)
{
    EACH(1, who->total_stake_rao = scale_compact(in, UINT64_MAX))
}

/* The fields asked for, by their place in the answer; ascending, the hotkeys before what is by uid.
 */
static const struct {
    uint16_t index;
    read_fn read;
} wanted[] = {
    {7, read_block},       {36, read_immunity},   {45, read_rate_limit},   {52, read_hotkeys},
    {55, read_axons},      {57, read_permits},    {59, read_last_updates}, {60, read_emissions},
    {62, read_incentives}, {66, read_registered}, {67, read_alpha},        {69, read_total},
};
#define N_WANTED (sizeof wanted / sizeof wanted[0])
#define LAST_FIELD 73

void metagraph_selective_args(uint16_t netuid, struct sf_buf *out)
{
    scale_put_u16(out, netuid);
    scale_put_compact(out, N_WANTED + 1);
    scale_put_u16(out, 0); /* the netuid, else it comes as 0 */
    for (size_t i = 0; i < N_WANTED; i++) {
        scale_put_u16(out, wanted[i].index);
    }
}

static enum sf_err no_subnet(uint16_t netuid, struct sf_errbuf *eb)
{
    return sf_fail(eb, SF_ENOTFOUND,
                   "the chain has no subnet %u: is --netuid right for this "
                   "--subtensor.network?",
                   netuid);
}

static enum sf_err finish(const struct scale_in *in, bool no_memory, struct metagraph *g,
                          struct sf_errbuf *eb)
{
    if (no_memory || in->failed) {
        metagraph_fini(g);
    }
    if (no_memory) {
        return SF_ENOMEM;
    }
    return in->failed ? sf_fail(eb, SF_EPARSE,
                                "the node's list of neurons has a form that is not known here")
                      : SF_OK;
}

enum sf_err metagraph_read_selective(struct sf_str answer, uint16_t netuid, struct metagraph *out,
                                     struct sf_errbuf *eb)
{
    struct scale_in in = scale_in(answer.p, answer.n);
    size_t next = 0;
    *out = (struct metagraph){.netuid = netuid};
    if (!scale_option(&in) && !in.failed) {
        return no_subnet(netuid, eb);
    }
    if (scale_compact(&in, UINT16_MAX) != netuid) {
        scale_fail(&in);
    }
    bool no_memory = false;
    for (uint16_t field = 1; field <= LAST_FIELD && !in.failed && !no_memory; field++) {
        bool there = scale_option(&in);
        bool asked = next < N_WANTED && wanted[next].index == field;
        if (there && !asked) {
            scale_fail(&in);
        }
        if (there && asked) {
            wanted[next].read(&in, out);
        }
        next += asked;
        no_memory = field == 52 && there && !in.failed && out->neurons == NULL;
    }
    if (out->neurons == NULL && !no_memory) {
        scale_fail(&in); /* without the hotkeys it is nobody's */
    }
    return finish(&in, no_memory, out, eb);
}

/* ---------------------------------------------------------------- lite */

#define LITE_BYTES 143 /* the least that one takes */

void metagraph_lite_args(uint16_t netuid, struct sf_buf *out)
{
    scale_put_u16(out, netuid);
}

static void read_lite(struct scale_in *in, uint16_t netuid, size_t uid, struct metagraph_neuron *n)
{
    scale_copy(in, n->hotkey, 32);
    (void)scale_bytes(in, 32); /* coldkey */
    if (scale_compact(in, UINT16_MAX) != uid || scale_compact(in, UINT16_MAX) != netuid) {
        scale_fail(in);
    }
    (void)scale_bool(in); /* active */
    axon_info_read(in, &n->axon);
    (void)scale_bytes(in, 31); /* prometheus */
    for (size_t i = scale_vec(in, 33); i > 0; i--) {
        (void)scale_bytes(in, 32);
        n->alpha_stake_rao += scale_compact(in, UINT64_MAX);
    }
    n->total_stake_rao = n->alpha_stake_rao;
    (void)scale_compact(in, UINT16_MAX); /* rank */
    n->emission_rao = scale_compact(in, UINT64_MAX);
    n->incentive = (uint16_t)scale_compact(in, UINT16_MAX);
    for (int i = 0; i < 4; i++) {
        (void)scale_compact(in, UINT16_MAX); /* consensus, trust, validator trust, dividends */
    }
    n->last_update = scale_compact(in, UINT64_MAX);
    n->validator_permit = scale_bool(in);
    (void)scale_compact(in, UINT16_MAX); /* pruning score */
}

enum sf_err metagraph_read_lite(struct sf_str answer, uint16_t netuid, uint64_t block,
                                struct metagraph *out, struct sf_errbuf *eb)
{
    struct scale_in in = scale_in(answer.p, answer.n);
    *out = (struct metagraph){.netuid = netuid, .block = block, .lite = true};
    size_t n = scale_vec(&in, LITE_BYTES);
    if (n == 0 && scale_is_done(&in)) {
        return no_subnet(netuid, eb);
    }
    if (n > UIDS_MAX) {
        scale_fail(&in);
    }
    out->neurons = in.failed ? NULL : sf_alloc((n + 1) * sizeof *out->neurons);
    bool no_memory = out->neurons == NULL && !in.failed;
    for (size_t i = 0; out->neurons != NULL && i < n && !in.failed; i++) {
        read_lite(&in, netuid, i, &out->neurons[i]);
        out->n = i + 1;
    }
    if (in.n != 0) {
        scale_fail(&in);
    }
    return finish(&in, no_memory, out, eb);
}

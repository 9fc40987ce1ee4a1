/* SPDX-License-Identifier: MIT */
#include "bittensor/metagraph_store.h"

#include "base/file.h"
#include "base/mem.h"
#include "bittensor/crypto.h"

#include <string.h>

#define MAGIC "SFMETA1\n"
#define FILE_CAP (16U << 20)
#define NEURON_BYTES (32 + AXON_INFO_LEN + 8 * 5 + 2 + 1)
#define SUM_BYTES 32

static void put_neuron(struct sf_buf *b, const struct metagraph_neuron *n)
{
    sf_buf_add(b, n->hotkey, sizeof n->hotkey);
    scale_put_u64(b, n->axon.block);
    scale_put_u32(b, n->axon.version);
    scale_put_u128(b, n->axon.ip);
    scale_put_u16(b, n->axon.port);
    scale_put_u8(b, n->axon.ip_type);
    scale_put_u8(b, n->axon.protocol);
    scale_put_u8(b, n->axon.placeholder1);
    scale_put_u8(b, n->axon.placeholder2);
    scale_put_u64(b, n->total_stake_rao);
    scale_put_u64(b, n->alpha_stake_rao);
    scale_put_u64(b, n->last_update);
    scale_put_u64(b, n->registered_at);
    scale_put_u64(b, n->emission_rao);
    scale_put_u16(b, n->incentive);
    scale_put_u8(b, n->validator_permit);
}

static void read_neuron(struct scale_in *in, struct metagraph_neuron *n)
{
    scale_copy(in, n->hotkey, sizeof n->hotkey);
    axon_info_read(in, &n->axon);
    n->total_stake_rao = scale_u64(in);
    n->alpha_stake_rao = scale_u64(in);
    n->last_update = scale_u64(in);
    n->registered_at = scale_u64(in);
    n->emission_rao = scale_u64(in);
    n->incentive = scale_u16(in);
    n->validator_permit = scale_bool(in);
}

enum sf_err metagraph_save(const char *path, const struct metagraph *g,
                           const struct metagraph_stamp *stamp, struct sf_errbuf *eb)
{
    struct sf_buf b;
    uint8_t sum[SUM_BYTES];
    sf_buf_init(&b, FILE_CAP);
    sf_buf_puts(&b, MAGIC);
    sf_buf_add(&b, stamp->genesis_hash, sizeof stamp->genesis_hash);
    scale_put_u16(&b, g->netuid);
    scale_put_u64(&b, (uint64_t)stamp->read_at_ms);
    scale_put_u64(&b, g->block);
    scale_put_u64(&b, g->immunity_blocks);
    scale_put_u64(&b, g->serving_rate_limit_blocks);
    scale_put_u8(&b, g->lite);
    scale_put_compact(&b, g->n);
    for (size_t i = 0; i < g->n; i++) {
        put_neuron(&b, &g->neurons[i]);
    }
    crypto_blake2b_256(sf_buf_z(&b), b.n, sum);
    sf_buf_add(&b, sum, sizeof sum);
    enum sf_err err = b.err == SF_OK ? sf_file_write(path, sf_buf_str(&b), 0600, eb) : b.err;
    sf_buf_fini(&b);
    return err;
}

static enum sf_err read_body(struct scale_in *in, struct metagraph *out,
                             struct metagraph_stamp *stamp)
{
    scale_copy(in, stamp->genesis_hash, sizeof stamp->genesis_hash);
    out->netuid = scale_u16(in);
    uint64_t at = scale_u64(in);
    stamp->read_at_ms = at > INT64_MAX ? 0 : (int64_t)at;
    out->block = scale_u64(in);
    out->immunity_blocks = scale_u64(in);
    out->serving_rate_limit_blocks = scale_u64(in);
    out->lite = scale_bool(in);
    size_t n = scale_vec(in, NEURON_BYTES);
    if (in->failed) {
        return SF_EPARSE;
    }
    out->neurons = sf_alloc((n + 1) * sizeof *out->neurons);
    if (out->neurons == NULL) {
        return SF_ENOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        read_neuron(in, &out->neurons[i]);
    }
    out->n = n;
    return scale_is_done(in) ? SF_OK : SF_EPARSE;
}

enum sf_err metagraph_parse(struct sf_str content, uint16_t netuid, struct metagraph *out,
                            struct metagraph_stamp *stamp, struct sf_errbuf *eb)
{
    const size_t magic = sizeof MAGIC - 1;
    uint8_t sum[SUM_BYTES];
    enum sf_err err = SF_EPARSE;
    *out = (struct metagraph){.netuid = netuid};
    if (sf_str_has_prefix(content, MAGIC) && content.n > magic + SUM_BYTES) {
        size_t body = content.n - SUM_BYTES;
        crypto_blake2b_256(content.p, body, sum);
        if (memcmp(sum, content.p + body, SUM_BYTES) == 0) {
            struct scale_in in = scale_in(content.p + magic, body - magic);
            err = read_body(&in, out, stamp);
        }
    }
    if (err == SF_OK && out->netuid != netuid) {
        err = sf_fail(eb, SF_EPARSE, "the kept metagraph is of subnet %u, not %u", out->netuid,
                      netuid);
        metagraph_fini(out);
        return err;
    }
    if (err != SF_OK) {
        metagraph_fini(out);
        err = err == SF_ENOMEM ? err : sf_fail(eb, err, "the kept metagraph is damaged");
    }
    return err;
}

enum sf_err metagraph_load(const char *path, uint16_t netuid, struct metagraph *out,
                           struct metagraph_stamp *stamp, struct sf_errbuf *eb)
{
    struct sf_buf b;
    sf_buf_init(&b, FILE_CAP);
    *out = (struct metagraph){.netuid = netuid};
    enum sf_err err = sf_file_read(path, &b, eb);
    if (err == SF_OK) {
        err = metagraph_parse(sf_buf_str(&b), netuid, out, stamp, eb);
    }
    sf_buf_fini(&b);
    return err;
}

void metagraph_stand(const struct metagraph *g, size_t uid, struct metagraph_standing *out)
{
    SF_BUG_ON(uid >= g->n);
    const struct metagraph_neuron *own = &g->neurons[uid];
    *out = (struct metagraph_standing){
        .emission_rao = own->emission_rao, .incentive = own->incentive, .position = 1};
    for (size_t i = 0; i < g->n; i++) {
        const struct metagraph_neuron *n = &g->neurons[i];
        if (!n->validator_permit || i == uid) {
            out->miners++;
            out->position += n->incentive > own->incentive;
        }
    }
    uint64_t age = g->block > own->registered_at ? g->block - own->registered_at : 0;
    out->immune = !g->lite && age < g->immunity_blocks;
    out->immunity_left_blocks = out->immune ? g->immunity_blocks - age : 0;
}

/* SPDX-License-Identifier: MIT */
#include "bittensor/extrinsic.h"

#include "base/file.h"
#include "base/mem.h"
#include "bittensor/crypto.h"

#include <string.h>

/* ---------------------------------------------------------------- the call */

static const struct {
    const char *name;
    unsigned primitive;
} call_fields[] = {
    {"netuid", METADATA_U16},      {"version", METADATA_U32},     {"ip", METADATA_U128},
    {"port", METADATA_U16},        {"ip_type", METADATA_U8},      {"protocol", METADATA_U8},
    {"placeholder1", METADATA_U8}, {"placeholder2", METADATA_U8}, {"certificate", METADATA_OTHER},
};
#define PLAIN_FIELDS 8
#define CERTIFICATE_MAX 65

static enum sf_err find_call(const struct metadata *m, bool tls, struct metadata_call *call,
                             struct sf_errbuf *eb)
{
    const char *name = tls ? "serve_axon_tls" : "serve_axon";
    size_t n = tls ? PLAIN_FIELDS + 1 : PLAIN_FIELDS;
    bool known = metadata_call(m, "SubtensorModule", name, call) && call->n_fields == n;
    for (size_t i = 0; known && i < n; i++) {
        known = sf_str_is(call->fields[i].name, call_fields[i].name) &&
                call->fields[i].primitive == call_fields[i].primitive;
    }
    return known ? SF_OK
                 : sf_fail(eb, SF_ESHAPE,
                           "the chain's %s call is not the one this program knows, so it is not "
                           "signed: update storyfi, or serve the axon with btcli meanwhile",
                           name);
}

enum sf_err extrinsic_serve_axon(const struct metadata *m, uint16_t netuid,
                                 const struct axon_info *axon, struct sf_str certificate,
                                 struct sf_buf *call, struct sf_errbuf *eb)
{
    struct metadata_call found;
    bool tls = certificate.n > 0;
    if (certificate.n > CERTIFICATE_MAX) {
        return sf_fail(eb, SF_EINVAL, "axon certificate over %d bytes", CERTIFICATE_MAX);
    }
    enum sf_err err = find_call(m, tls, &found, eb);
    if (err != SF_OK) {
        return err;
    }
    sf_buf_add(call, found.index, sizeof found.index);
    scale_put_u16(call, netuid);
    scale_put_u32(call, axon->version);
    scale_put_u128(call, axon->ip);
    scale_put_u16(call, axon->port);
    scale_put_u8(call, axon->ip_type);
    scale_put_u8(call, axon->protocol);
    scale_put_u8(call, axon->placeholder1);
    scale_put_u8(call, axon->placeholder2);
    if (tls) {
        scale_put_text(call, certificate);
    }
    return call->err;
}

/* ---------------------------------------------------------------- era */

struct era era_mortal(uint64_t period, uint64_t current_block)
{
    uint64_t length = 4, quantize, phase;
    unsigned bits = 2;
    while (length < period && length < 65536) {
        length *= 2;
        bits++;
    }
    quantize = length >> 12U > 0 ? length >> 12U : 1;
    phase = current_block % length / quantize * quantize;
    uint64_t code = (bits - 1U) | (phase / quantize) << 4U;
    uint64_t from = current_block > phase ? current_block : phase;
    uint64_t birth = (from - phase) / length * length + phase;
    return (struct era){
        .bytes = {(uint8_t)code, (uint8_t)(code >> 8U)}, .birth = birth, .death = birth + length};
}

/* ---------------------------------------------------------------- extensions */

typedef void (*put_fn)(const struct extrinsic_terms *t, struct sf_buf *out);

static void put_spec(const struct extrinsic_terms *t, struct sf_buf *out)
{
    scale_put_u32(out, t->spec_version);
}

static void put_transaction(const struct extrinsic_terms *t, struct sf_buf *out)
{
    scale_put_u32(out, t->transaction_version);
}

static void put_genesis(const struct extrinsic_terms *t, struct sf_buf *out)
{
    sf_buf_add(out, t->genesis_hash, sizeof t->genesis_hash);
}

static void put_era(const struct extrinsic_terms *t, struct sf_buf *out)
{
    sf_buf_add(out, t->era.bytes, sizeof t->era.bytes);
}

static void put_birth(const struct extrinsic_terms *t, struct sf_buf *out)
{
    sf_buf_add(out, t->birth_hash, sizeof t->birth_hash);
}

static void put_nonce(const struct extrinsic_terms *t, struct sf_buf *out)
{
    scale_put_compact(out, t->nonce);
}

static void put_tip(const struct extrinsic_terms *t, struct sf_buf *out)
{
    scale_put_compact(out, t->tip);
}

static void put_zero(const struct extrinsic_terms *t, struct sf_buf *out)
{
    (void)t;
    scale_put_u8(out, 0); /* metadata hash: mode disabled, none signed */
}

/* Known by name; NULL puts nothing and must be empty in the metadata too. */
static const struct {
    const char *name;
    put_fn extra, additional;
} extensions[] = {
    {"CheckNonZeroSender", NULL, NULL},
    {"CheckSpecVersion", NULL, put_spec},
    {"CheckTxVersion", NULL, put_transaction},
    {"CheckGenesis", NULL, put_genesis},
    {"CheckMortality", put_era, put_birth},
    {"CheckEra", put_era, put_birth}, /* its older name */
    {"CheckNonce", put_nonce, NULL},
    {"CheckWeight", NULL, NULL},
    {"ChargeTransactionPayment", put_tip, NULL},
    {"CheckMetadataHash", put_zero, put_zero},
};

static enum sf_err put_extension(const struct metadata_extension *e,
                                 const struct extrinsic_terms *t, struct sf_buf *extra,
                                 struct sf_buf *additional, struct sf_errbuf *eb)
{
    put_fn put_extra = NULL, put_additional = NULL;
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++) {
        if (sf_str_is(e->name, extensions[i].name)) {
            put_extra = extensions[i].extra;
            put_additional = extensions[i].additional;
        }
    }
    if ((put_extra == NULL) != e->extra_empty || (put_additional == NULL) != e->additional_empty) {
        return sf_fail(eb, SF_ESHAPE,
                       "the chain wants \"%.*s\" in transactions, which this program does not "
                       "know, so nothing is signed: update storyfi, or serve the axon with btcli "
                       "meanwhile",
                       (int)(e->name.n < 60 ? e->name.n : 60), e->name.p);
    }
    if (put_extra != NULL) {
        put_extra(t, extra);
    }
    if (put_additional != NULL) {
        put_additional(t, additional);
    }
    return SF_OK;
}

static enum sf_err put_extensions(const struct metadata *m, const struct extrinsic_terms *t,
                                  struct sf_buf *extra, struct sf_buf *additional,
                                  struct sf_errbuf *eb)
{
    enum sf_err err = SF_OK;
    for (size_t i = 0; err == SF_OK && i < metadata_n_extensions(m); i++) {
        struct metadata_extension e = metadata_extension(m, i);
        err = put_extension(&e, t, extra, additional, eb);
    }
    return err;
}

/* ---------------------------------------------------------------- signing */

#define SIGNED_V4 0x84
#define ADDRESS_ID 0x00
#define SIGNATURE_SR25519 0x01
#define PAYLOAD_RAW_MAX 256

static void sign_payload(struct sf_str payload, const struct sr25519_keypair *key,
                         const uint8_t *entropy, uint8_t signature[static SR25519_SIG_LEN])
{
    uint8_t hash[32], fresh[32];
    if (payload.n > PAYLOAD_RAW_MAX) {
        crypto_blake2b_256(payload.p, payload.n, hash);
        payload = (struct sf_str){(const char *)hash, sizeof hash};
    }
    if (entropy == NULL) {
        sf_random(fresh, sizeof fresh);
    } else {
        memcpy(fresh, entropy, sizeof fresh);
    }
    sr25519_sign_with(key, payload, fresh, signature);
    sf_wipe(fresh, sizeof fresh);
}

enum sf_err extrinsic_sign(const struct metadata *m, const struct extrinsic_terms *t,
                           struct sf_str call, const struct sr25519_keypair *key,
                           struct sf_buf *out, struct sf_errbuf *eb)
{
    struct sf_buf extra, additional, payload, body;
    uint8_t signature[SR25519_SIG_LEN];
    struct sf_buf *all[] = {&extra, &additional, &payload, &body};
    for (size_t i = 0; i < 4; i++) {
        sf_buf_init(all[i], 65536);
    }
    enum sf_err err = SF_OK;
    if (metadata_extrinsic_version(m) != 4) {
        err = sf_fail(eb, SF_ESHAPE,
                      "the chain takes transactions of version %u, this program makes version 4: "
                      "update storyfi",
                      metadata_extrinsic_version(m));
    }
    if (err == SF_OK) {
        err = put_extensions(m, t, &extra, &additional, eb);
    }
    if (err == SF_OK) {
        sf_buf_add_str(&payload, call);
        sf_buf_add_str(&payload, sf_buf_str(&extra));
        sf_buf_add_str(&payload, sf_buf_str(&additional));
        err = payload.err;
    }
    if (err == SF_OK) {
        sign_payload(sf_buf_str(&payload), key, t->entropy, signature);
        scale_put_u8(&body, SIGNED_V4);
        scale_put_u8(&body, ADDRESS_ID);
        sf_buf_add(&body, key->public_key, SR25519_KEY_LEN);
        scale_put_u8(&body, SIGNATURE_SR25519);
        sf_buf_add(&body, signature, sizeof signature);
        sf_buf_add_str(&body, sf_buf_str(&extra));
        sf_buf_add_str(&body, call);
        err = body.err;
    }
    if (err == SF_OK) {
        scale_put_text(out, sf_buf_str(&body));
        err = out->err;
    }
    for (size_t i = 0; i < 4; i++) {
        sf_buf_fini(all[i]);
    }
    return err;
}

void extrinsic_hash(struct sf_str extrinsic, uint8_t hash[static 32])
{
    crypto_blake2b_256(extrinsic.p, extrinsic.n, hash);
}

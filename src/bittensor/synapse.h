/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_SYNAPSE_H
#define SF_BITTENSOR_SYNAPSE_H

#include "base/buf.h"
#include "bittensor/sr25519.h"
#include "bittensor/ss58.h"
#include "http/message.h"

/* The headers of one request as a dendrite sends them.
 * source: opentensor/bittensor@bb526e6 bittensor/core/{synapse,dendrite,axon}.py. */
#define SYNAPSE_UUID_MAX 64
#define SYNAPSE_TIMEOUT_DEFAULT 12.0
#define SYNAPSE_VERSION                                                                            \
    10005000 /* what we say we speak: SDK 10.5.0 as major * 10^6 + minor * 10^3 */
#define SYNAPSE_EMPTY_BODY_HASH "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"

struct synapse {
    char name[64];                  /* header "name"; the route decides, this is only looked at */
    double timeout_seconds;         /* SYNAPSE_TIMEOUT_DEFAULT when absent */
    char dendrite_hotkey[SS58_MAX]; /* "" absent; so for all texts */
    char dendrite_uuid[SYNAPSE_UUID_MAX + 1];
    uint64_t dendrite_nonce; /* ns since the Unix epoch; 0 absent */
    uint64_t dendrite_version;
    char axon_hotkey[SS58_MAX];
    char axon_ip[46];
    uint64_t axon_port;
    uint8_t signature[SR25519_SIG_LEN];
    bool has_signature;
    char body_hash[65];
};

/* Reads the headers it knows; others pass. SF_EPARSE for a value that does not parse, is too long,
 * or a header given twice. `s` is filled as far as it went: good enough to answer with. */
SF_MUST_USE enum sf_err synapse_parse(const struct http_header *headers, size_t n,
                                      struct synapse *s, struct sf_errbuf *eb);

/* "{nonce}.{dendrite_hotkey}.{axon_hotkey}.{uuid}.{body_hash}": what the dendrite signs. */
void synapse_signed_message(const struct synapse *s, const char *axon_hotkey, struct sf_buf *out);

/* The headers of a signed request; `s` has everything but the signature, which is put in. */
void synapse_sign(struct synapse *s, const struct sr25519_keypair *key);

/* A list of headers that owns its values. */
#define SYNAPSE_HEADERS_MAX 24
struct synapse_headers {
    struct http_header list[SYNAPSE_HEADERS_MAX];
    char values[SYNAPSE_HEADERS_MAX][256];
    size_t n;
};
void synapse_request_headers(const struct synapse *s, const char *dendrite_ip,
                             struct synapse_headers *out);

/* What the axon says of itself and of the call. */
struct synapse_status {
    int code;
    const char *message;
    double process_seconds;
    const char *axon_hotkey;
    const char *axon_uuid;
    const char *peer_ip;
    unsigned peer_port;
};
/* The lower-case bt_header_* set and name, timeout, computed_body_hash; nothing that a dendrite
 * could fail to parse: absent values are left out, the message is cut and made printable ASCII. */
void synapse_response_headers(const struct synapse *s, const char *route,
                              const struct synapse_status *status, struct synapse_headers *out);

/* A random version 4 UUID, 36 characters. */
void synapse_uuid(char out[static 37]);

#endif

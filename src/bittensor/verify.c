/* SPDX-License-Identifier: MIT */
#include "bittensor/verify.h"

#include <string.h>

enum sf_err verify_shape(const struct nonce_table *nonces, const char *own_hotkey,
                         const struct synapse *s, uint8_t caller[static 32], struct sf_errbuf *eb)
{
    if (s->dendrite_hotkey[0] == '\0') {
        return sf_fail(eb, SF_EAUTH, "No SS58 formatted address or public key provided.");
    }
    if (ss58_decode(sf_str(s->dendrite_hotkey), caller, eb) != SF_OK) {
        if (eb != NULL) {
            eb->code = SF_EAUTH;
        }
        return SF_EAUTH;
    }
    if (strcmp(s->axon_hotkey, own_hotkey) != 0) {
        return sf_fail(eb, SF_EAUTH, "Request is for another axon's hotkey");
    }
    if (s->dendrite_uuid[0] == '\0') {
        return sf_fail(eb, SF_EAUTH, "Missing UUID");
    }
    if (!s->has_signature) {
        return sf_fail(eb, SF_EAUTH, "Missing Signature");
    }
    if (strcmp(s->body_hash, SYNAPSE_EMPTY_BODY_HASH) != 0) {
        return sf_fail(eb, SF_EPARSE, "computed_body_hash is not that of this synapse");
    }
    return nonce_check_window(nonces, s->dendrite_nonce, s->timeout_seconds, eb);
}

enum sf_err verify_signature(const char *own_hotkey, const struct synapse *s,
                             const uint8_t caller[static 32], struct sf_errbuf *eb)
{
    struct sf_buf message;
    enum sf_err err = SF_OK;
    sf_buf_init(&message, 1024);
    synapse_signed_message(s, own_hotkey, &message);
    if (message.err != SF_OK) {
        err = sf_fail(eb, SF_EBUSY, "out of memory");
    } else if (!sr25519_verify(caller, sf_buf_str(&message), s->signature)) {
        err = sf_fail(eb, SF_EAUTH, "Signature mismatch");
    }
    sf_buf_fini(&message);
    return err;
}

enum sf_err verify_nonce(struct nonce_table *nonces, const struct synapse *s,
                         const uint8_t caller[static 32], struct sf_errbuf *eb)
{
    return nonce_take(nonces, caller, s->dendrite_nonce, s->timeout_seconds, eb);
}

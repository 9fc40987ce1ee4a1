/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_VERIFY_H
#define SF_BITTENSOR_VERIFY_H

#include "bittensor/nonce.h"
#include "bittensor/synapse.h"

/* May this request be answered? Three steps, so that a caller has gates between them: shape of the
 * caller's address, our own hotkey, uuid, body hash and age of the nonce, which cost no
 * cryptography
 * (`caller` gets the claimed public key); the signature; and the one step that remembers, reuse of
 * the nonce. SF_EAUTH and SF_EREPLAY (401), SF_EPARSE (400: body hash), SF_EBUSY; texts name the
 * check, never the message. Thread-safe. */
SF_MUST_USE enum sf_err verify_shape(const struct nonce_table *nonces, const char *own_hotkey,
                                     const struct synapse *s, uint8_t caller[static 32],
                                     struct sf_errbuf *eb);
SF_MUST_USE enum sf_err verify_signature(const char *own_hotkey, const struct synapse *s,
                                         const uint8_t caller[static 32], struct sf_errbuf *eb);
SF_MUST_USE enum sf_err verify_nonce(struct nonce_table *nonces, const struct synapse *s,
                                     const uint8_t caller[static 32], struct sf_errbuf *eb);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_MERLIN_H
#define SF_BITTENSOR_MERLIN_H

#include "base/str.h"

/* STROBE-128 as far as Merlin uses it, and Merlin transcripts on top.
 * source: zkcrypto/merlin@a94892f src/strobe.rs, src/transcript.rs. The state holds secrets after a
 * KEY operation: wipe it with sf_wipe. */
struct strobe {
    uint8_t state[200];
    uint8_t pos, pos_begin, flags;
};

void strobe_init(struct strobe *s, struct sf_str protocol_label);
void strobe_meta_ad(struct strobe *s, const void *data, size_t n, bool more);
void strobe_ad(struct strobe *s, const void *data, size_t n, bool more);
void strobe_prf(struct strobe *s, uint8_t *out, size_t n);
void strobe_key(struct strobe *s, const void *data, size_t n);

/* A Merlin transcript is a STROBE state with framed messages. */
struct merlin {
    struct strobe strobe;
};

void merlin_init(struct merlin *t, const char *label);
void merlin_append(struct merlin *t, const char *label, const void *message, size_t n);
void merlin_challenge(struct merlin *t, const char *label, uint8_t *out, size_t n);
/* 64 witness-bound random bytes from a fork of `t` (which stays as it was): rekeyed with `witness`
 * under `label`, then with the 32 bytes of `entropy`. */
void merlin_witness_bytes(const struct merlin *t, const char *label,
                          const uint8_t witness[static 32], const uint8_t entropy[static 32],
                          uint8_t out[static 64]);

#endif

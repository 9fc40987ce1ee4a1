/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_DERIVE_H
#define SF_BITTENSOR_DERIVE_H

#include "bittensor/sr25519.h"

/* A keypair from a secret URI "phrase//hard/soft"; an empty phrase is Substrate's development
 * phrase, so "//Alice" works. For test keys; real hotkeys come from a keyfile. source:
 * w3f/schnorrkel@64f89e0 src/derive.rs; polkadot-sdk primitives/core/src/sr25519.rs. */
SF_MUST_USE enum sf_err derive_keypair(struct sf_str uri, struct sr25519_keypair *out,
                                       struct sf_errbuf *eb);

#endif

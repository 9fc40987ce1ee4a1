/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_WALLET_H
#define SF_BITTENSOR_WALLET_H

#include "base/buf.h"
#include "bittensor/sr25519.h"
#include "bittensor/ss58.h"

/* The wallet folder: <path>/<name>/hotkeys/<hotkey>, <hotkey>pub.txt beside it.
 * source: opentensor/btwallet@93b3761 src/wallet.rs. */
struct wallet_names {
    const char *path; /* "~" already put in */
    const char *name;
    const char *hotkey;
};

/* Refuses names that would leave the folder: empty, with '/', or starting with '.'. */
SF_MUST_USE enum sf_err wallet_hotkey_path(const struct wallet_names *w, struct sf_buf *out,
                                           struct sf_errbuf *eb);

/* Reads and checks the hotkey. `readable_by_others` tells when its permissions are too wide (may be
 * NULL). SF_ENOTFOUND names the path and the command that makes one. Wipe `key` with sr25519_wipe.
 */
SF_MUST_USE enum sf_err wallet_read_hotkey(const struct wallet_names *w,
                                           struct sr25519_keypair *key, bool *readable_by_others,
                                           struct sf_errbuf *eb);

/* The hotkey's address from its public file, else from the keyfile. */
SF_MUST_USE enum sf_err wallet_read_address(const struct wallet_names *w, char out[static SS58_MAX],
                                            struct sf_errbuf *eb);

/* Makes a new hotkey from fresh entropy (or from `phrase` when given) and writes both files, 0600.
 * SF_EINVAL when there is one already: nothing is overwritten. `phrase_out` gets the twelve words
 * (wipe it); may be NULL. */
SF_MUST_USE enum sf_err wallet_create_hotkey(const struct wallet_names *w, const char *phrase,
                                             struct sf_buf *phrase_out,
                                             char address[static SS58_MAX], struct sf_errbuf *eb);

#endif

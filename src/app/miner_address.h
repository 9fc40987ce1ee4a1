/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MINER_ADDRESS_H
#define SF_APP_MINER_ADDRESS_H

#include "conf/conf.h"

#define MINER_ADDRESS_MAX 192
/* Where the miner of this configuration answers its owner: "http://127.0.0.1:8099/status". A miner
 * that listens on all addresses is asked on loopback, by the only names that it trusts. */
void miner_address(const struct conf *conf, const char *path, char out[static MINER_ADDRESS_MAX]);

#endif

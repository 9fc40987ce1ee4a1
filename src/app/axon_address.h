/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_AXON_ADDRESS_H
#define SF_APP_AXON_ADDRESS_H

#include "bittensor/chain_client.h"
#include "conf/conf.h"

/* Where the axon is to be announced, and the words around it: for the miner, `chain` and `doctor`.
 */

/* "1.2.3.4:8091", "[2001:db8::1]:8091", or "" when it was never served. */
#define AXON_TEXT_MAX (AXON_IP_MAX + 16)
void axon_text(const struct axon_info *a, char out[static AXON_TEXT_MAX]);

/* axon.external_ip and external_port (else axon.port, which may be 0), or else what the services of
 * axon.external_ip_services agree on. A given address is taken whatever its kind (see
 * external_ip_kind), but for 0.0.0.0. Errors as external_ip_find; SF_EINVAL names the key. Blocks
 * only for services; `cancel` (may be NULL) ends that. */
SF_MUST_USE enum sf_err axon_address_find(const struct conf *conf, struct sf_time deadline,
                                          const atomic_bool *cancel, struct axon_info *out,
                                          struct sf_errbuf *eb);

/* "btcli subnet register --netuid 42 …" for the hotkey of this configuration. */
#define AXON_COMMAND_MAX 512
void axon_register_command(const struct conf *conf, char out[static AXON_COMMAND_MAX]);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_NETWORKS_H
#define SF_BITTENSOR_NETWORKS_H

#include "base/buf.h"

/* Which nodes a configuration means. source: opentensor/bittensor@bb526e6
 * bittensor/core/settings.py, utils/__init__.py; other than there an explicit endpoint always
 * wins over a network, which has a default and would hide it. */
#define NETWORKS_ENDPOINTS_MAX 8
#define NETWORKS_ENDPOINT_LEN 256

struct networks_choice {
    char network[64]; /* "finney", …, "local", "unknown" */
    char endpoints[NETWORKS_ENDPOINTS_MAX][NETWORKS_ENDPOINT_LEN]; /* in the order to try */
    size_t n;
};

/* `endpoint` (one or several with commas; "" none) wins over `network` (a name of the table, or an
 * address). What has no scheme gets ws://. SF_ECONFIG names what is wrong and the known names. */
SF_MUST_USE enum sf_err networks_choose(const char *network, const char *endpoint,
                                        struct networks_choice *out, struct sf_errbuf *eb);

#endif

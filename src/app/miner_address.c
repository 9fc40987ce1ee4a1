/* SPDX-License-Identifier: MIT */
#include "app/miner_address.h"

#include <string.h>

void miner_address(const struct conf *conf, const char *path, char out[static MINER_ADDRESS_MAX])
{
    const char *ip = conf->admin.ip;
    if (strcmp(ip, "0.0.0.0") == 0) {
        ip = "127.0.0.1";
    } else if (strcmp(ip, "::") == 0) {
        ip = "::1";
    }
    bool six = strchr(ip, ':') != NULL && ip[0] != '[';
    (void)snprintf(out, MINER_ADDRESS_MAX, "http://%s%.80s%s:%lld%.60s", six ? "[" : "", ip,
                   six ? "]" : "", (long long)conf->admin.port, path);
}

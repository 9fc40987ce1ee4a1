/* SPDX-License-Identifier: MIT */
#include "app/hops_key.h"

#include "base/hex.h"
#include "base/mem.h"
#include "bittensor/crypto.h"

#include <string.h>

#define FINGERPRINT_BYTES 4 /* tells keys apart, gives nothing of them away */

void hops_account(const char *provider, const char *endpoint, const char *key,
                  char out[static sizeof(((struct gen_chain_hop *)0)->account)])
{
    const size_t n_out = sizeof(((struct gen_chain_hop *)0)->account);
    const char *host = strstr(endpoint, "://");
    uint8_t digest[32];
    char print[2 * FINGERPRINT_BYTES + 1] = "none";
    host = host == NULL ? endpoint : host + 3;
    if (key != NULL) {
        crypto_blake2b_256(key, strlen(key), digest);
        sf_hex_encode(digest, FINGERPRINT_BYTES, print);
        sf_wipe(digest, sizeof digest);
    }
    (void)snprintf(out, n_out, "%.16s %.*s%s#%s", provider, (int)(strcspn(host, "/?") % 60), host,
                   host[0] == '\0' ? "" : " ", print);
}

static bool is_taken(const struct hops *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->list[i].generator.name, name) == 0) {
            return true;
        }
    }
    return false;
}

void hops_unique_name(const struct hops *a, const char *wish, char out[static 64])
{
    (void)snprintf(out, 64, "%.60s", wish);
    for (int i = 2; is_taken(a, out) && i < 100; i++) {
        (void)snprintf(out, 64, "%.50s-%d", wish, i);
    }
}

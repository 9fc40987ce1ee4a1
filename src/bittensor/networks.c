/* SPDX-License-Identifier: MIT */
#include "bittensor/networks.h"

#include <string.h>

static const struct {
    const char *name, *endpoint;
    const char *marks[2]; /* an address that holds one of them belongs to the network */
} table[] = {
    {"finney",
     "wss://entrypoint-finney.opentensor.ai:443",
     {"entrypoint-finney.opentensor.ai", NULL}},
    {"test", "wss://test.finney.opentensor.ai:443", {"test.finney.opentensor.ai", NULL}},
    {"archive", "wss://archive.chain.opentensor.ai:443", {"archive.chain.opentensor.ai", NULL}},
    {"local", "ws://127.0.0.1:9944", {"127.0.0.1", "localhost"}},
    {"latent-lite", "wss://lite.sub.latent.to:443", {"lite.sub.latent.to", NULL}},
};
#define N_NETWORKS (sizeof table / sizeof table[0])

static const char *const schemes[] = {"ws://", "wss://", "http://", "https://"};

static const char *network_of(struct sf_str address)
{
    for (size_t i = 0; i < N_NETWORKS; i++) {
        for (size_t k = 0; k < 2 && table[i].marks[k] != NULL; k++) {
            if (sf_str_find(address, sf_str(table[i].marks[k])) < address.n) {
                return table[i].name;
            }
        }
    }
    return "unknown";
}

static enum sf_err add_endpoint(struct networks_choice *out, struct sf_str address,
                                struct sf_errbuf *eb)
{
    struct sf_buf b;
    bool has_scheme = false;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        has_scheme = has_scheme || sf_str_has_prefix(address, schemes[i]);
    }
    if (!has_scheme && sf_str_find(address, SF_STR("://")) < address.n) {
        return sf_fail(eb, SF_ECONFIG,
                       "subtensor.chain_endpoint \"%.*s\": takes ws://, wss://, http:// or "
                       "https://HOST:PORT",
                       (int)(address.n < 100 ? address.n : 100), address.p);
    }
    if (out->n == NETWORKS_ENDPOINTS_MAX) {
        return sf_fail(eb, SF_ECONFIG, "subtensor.chain_endpoint: more than %d addresses",
                       NETWORKS_ENDPOINTS_MAX);
    }
    sf_buf_init(&b, NETWORKS_ENDPOINT_LEN - 1);
    sf_buf_printf(&b, "%s%.*s", has_scheme ? "" : "ws://", SF_STR_ARG(address));
    enum sf_err err = b.err;
    if (err == SF_OK) {
        memcpy(out->endpoints[out->n++], b.p, b.n + 1);
    } else {
        err = sf_fail(eb, SF_ECONFIG, "subtensor.chain_endpoint: an address has over %d characters",
                      NETWORKS_ENDPOINT_LEN - 1);
    }
    sf_buf_fini(&b);
    return err;
}

static enum sf_err add_list(struct networks_choice *out, const char *list, struct sf_errbuf *eb)
{
    struct sf_str rest = sf_str(list), part;
    enum sf_err err = SF_OK;
    while (err == SF_OK && sf_str_next(&rest, ',', &part)) {
        part = sf_str_trim(part);
        if (part.n > 0) {
            err = add_endpoint(out, part, eb);
        }
    }
    return err;
}

enum sf_err networks_choose(const char *network, const char *endpoint, struct networks_choice *out,
                            struct sf_errbuf *eb)
{
    *out = (struct networks_choice){.n = 0};
    const char *list = endpoint;
    const char *name = NULL;
    if (endpoint[0] == '\0') {
        for (size_t i = 0; i < N_NETWORKS; i++) {
            if (strcmp(network, table[i].name) == 0) {
                name = table[i].name;
                list = table[i].endpoint;
            }
        }
        if (name == NULL && strpbrk(network, ".:/") == NULL) {
            return sf_fail(eb, SF_ECONFIG,
                           "subtensor.network \"%.60s\" is none of finney, test, archive, local, "
                           "latent-lite, and no address",
                           network);
        }
        list = name == NULL ? network : list;
    }
    enum sf_err err = add_list(out, list, eb);
    if (err == SF_OK && out->n == 0) {
        err = sf_fail(eb, SF_ECONFIG, "subtensor.chain_endpoint holds no address");
    }
    (void)snprintf(out->network, sizeof out->network, "%s",
                   name != NULL ? name : network_of(sf_str(out->endpoints[0])));
    return err;
}

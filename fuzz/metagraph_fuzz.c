/* SPDX-License-Identifier: MIT */
/* A hostile node's list of neurons, both forms; the first byte says which. */
#include "bittensor/metagraph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct metagraph g;
    struct sf_errbuf eb = {0};
    char ip[AXON_IP_MAX];
    if (n == 0) {
        return 0;
    }
    struct sf_str answer = {(const char *)data + 1, n - 1};
    enum sf_err err = data[0] == 0 ? metagraph_read_lite(answer, 1, 5, &g, &eb)
                                   : metagraph_read_selective(answer, 1, &g, &eb);
    if (err != SF_OK) {
        SF_BUG_ON(g.n != 0 || g.neurons != NULL);
        SF_BUG_ON(err != SF_ENOMEM && eb.text[0] == '\0');
        return 0;
    }
    for (size_t i = 0; i < g.n; i++) {
        axon_ip_print(&g.neurons[i].axon, ip);
        int uid = metagraph_find(&g, g.neurons[i].hotkey);
        SF_BUG_ON(uid < 0 || (size_t)uid > i);
    }
    metagraph_fini(&g);
    return 0;
}

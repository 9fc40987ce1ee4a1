/* SPDX-License-Identifier: MIT */
/* Metadata of a hostile node: parsed or refused, and what parsed can be asked anything. */
#include "bittensor/dispatch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct metadata *m = NULL;
    struct sf_errbuf eb = {0};
    struct metadata_call call;
    struct sf_str pallet, name;
    enum sf_err err = metadata_open(data, n, &m, &eb);
    if (err != SF_OK) {
        SF_BUG_ON(err != SF_ENOMEM && eb.text[0] == '\0');
        return 0;
    }
    if (metadata_call(m, "SubtensorModule", "serve_axon", &call)) {
        SF_BUG_ON(call.n_fields > METADATA_FIELDS_MAX);
    }
    for (unsigned i = 0; i < 256; i++) {
        (void)metadata_error(m, 7, (uint8_t)i, &pallet, &name);
    }
    for (size_t i = 0; i < metadata_n_extensions(m); i++) {
        (void)metadata_extension(m, i);
    }
    /* Events of as hostile a chain: the tail of the same bytes. */
    struct dispatch_result result;
    size_t from = n - (n < 4096 ? n : 4096);
    err = dispatch_read_events(m, (struct sf_str){(const char *)data + from, n - from}, 1, &result,
                               NULL);
    SF_BUG_ON(err > SF_OK);
    metadata_close(m);
    return 0;
}

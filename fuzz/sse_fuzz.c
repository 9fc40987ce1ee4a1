/* SPDX-License-Identifier: MIT */
/* Server-sent events come out the same whole and cut anywhere. The first byte seeds the places. */
#include "http/sse.h"

#include "fuzz.h"

#include <string.h>

static bool hear(void *arg, const char *event, struct sf_str text)
{
    sf_buf_printf(arg, "%s=", event);
    sf_buf_add_str(arg, text);
    sf_buf_putc(arg, '|');
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sse whole, cut;
    struct sf_buf heard[2];
    struct sf_str all = fuzz_text(data, n, 1);
    uint32_t random = n > 0 ? data[0] : 0;
    enum sf_err err = SF_OK;
    sse_init(&whole, 4096);
    sse_init(&cut, 4096);
    sf_buf_init(&heard[0], 4U << 20);
    sf_buf_init(&heard[1], 4U << 20);
    for (size_t at = 0, step; at < all.n; at += step) {
        step = fuzz_piece(&random, all.n - at);
        err = sse_feed(&cut, (struct sf_str){all.p + at, step}, hear, &heard[1]);
    }
    SF_BUG_ON(sse_feed(&whole, all, hear, &heard[0]) != err);
    SF_BUG_ON(heard[0].n != heard[1].n);
    SF_BUG_ON(memcmp(sf_buf_z(&heard[0]), sf_buf_z(&heard[1]), heard[0].n) != 0);
    sse_fini(&whole);
    sse_fini(&cut);
    sf_buf_fini(&heard[0]);
    sf_buf_fini(&heard[1]);
    return 0;
}

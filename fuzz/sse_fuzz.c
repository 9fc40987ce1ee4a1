/* SPDX-License-Identifier: MIT */
/* A stream of server-sent events: the same events come out whole and cut at any place. The first
 * byte seeds the places. */
#include "http/sse.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

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
    uint32_t random = n > 0 ? data[0] : 0;
    enum sf_err err = SF_OK;
    sse_init(&whole, 4096);
    sse_init(&cut, 4096);
    sf_buf_init(&heard[0], 4U << 20);
    sf_buf_init(&heard[1], 4U << 20);
    for (size_t at = 1, step; at < n; at += step) {
        random = random * 1664525U + 1013904223U;
        step = 1 + random % 61;
        step = step < n - at ? step : n - at;
        err = sse_feed(&cut, (struct sf_str){(const char *)data + at, step}, hear, &heard[1]);
    }
    struct sf_str all = {(const char *)data + 1, n > 0 ? n - 1 : 0};
    SF_BUG_ON(sse_feed(&whole, all, hear, &heard[0]) != err);
    SF_BUG_ON(heard[0].n != heard[1].n);
    SF_BUG_ON(heard[0].n > 0 && memcmp(heard[0].p, heard[1].p, heard[0].n) != 0);
    sse_fini(&whole);
    sse_fini(&cut);
    sf_buf_fini(&heard[0]);
    sf_buf_fini(&heard[1]);
    return 0;
}

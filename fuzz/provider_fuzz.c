/* SPDX-License-Identifier: MIT */
/* What a provider may send for an answer: as a stream cut at random places, and as a whole. The
 * first byte chooses the provider and seeds the cuts. */
#include "generator/provider.h"

#include "fuzz.h"
#include "http/sse.h"

struct reading {
    const struct provider *provider;
    struct provider_reply reply;
};

static bool on_event(void *arg, const char *event, struct sf_str text)
{
    struct reading *r = arg;
    provider_read_event(r->provider, &r->reply, event, text);
    return !r->reply.failed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sf_str all = fuzz_text(data, n, 1);
    uint32_t random = n > 0 ? data[0] : 0;
    struct reading r = {.provider = fuzz_provider(random)};
    struct provider_reply whole;
    struct sse sse;
    sse_init(&sse, 65536);
    provider_reply_init(&r.reply, 65536);
    provider_reply_init(&whole, 65536);
    for (size_t at = 0, step; at < all.n; at += step) {
        step = fuzz_piece(&random, all.n - at);
        (void)!sse_feed(&sse, (struct sf_str){all.p + at, step}, on_event, &r);
    }
    provider_read_whole(r.provider, &whole, all);
    sse_fini(&sse);
    provider_reply_fini(&r.reply);
    provider_reply_fini(&whole);
    return 0;
}

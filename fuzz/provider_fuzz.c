/* SPDX-License-Identifier: MIT */
/* What a provider may send: as a stream cut at random places, as a whole answer, as an error, as
 * vLLM's metrics. The first byte chooses the provider and seeds the cuts. */
#include "generator/provider.h"
#include "generator/vllm_progress.h"
#include "http/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct provider *const providers[] = {&provider_openai, &provider_gemini,
                                                   &provider_anthropic, &provider_vllm};
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
    struct sf_str all = {(const char *)data + (n > 0), n > 0 ? n - 1 : 0};
    uint32_t random = n > 0 ? data[0] : 0;
    struct reading r = {.provider = providers[random % 4]};
    struct provider_reply whole;
    struct provider_fault fault;
    struct provider_ability ability = {.format = 0};
    struct sse sse;
    double tokens, waiting;
    sse_init(&sse, 65536);
    provider_reply_init(&r.reply, 65536);
    provider_reply_init(&whole, 65536);
    for (size_t at = 0, step; at < all.n; at += step) {
        random = random * 1664525U + 1013904223U;
        step = 1 + random % 61 < all.n - at ? 1 + random % 61 : all.n - at;
        (void)!sse_feed(&sse, (struct sf_str){all.p + at, step}, on_event, &r);
    }
    provider_read_whole(r.provider, &whole, all);
    provider_read_error(r.provider, 400, all, &fault);
    provider_read_delay(&fault, all, (sf_ms)n - 2, all);
    SF_BUG_ON(fault.retry_after_ms < 0 || provider_class(r.provider, &fault) == SF_OK);
    struct provider_ask ask = {.model = "m", .max_tokens = 9000, .user = all};
    (void)provider_step_down(r.provider, &ask, &fault, &ability);
    SF_BUG_ON(ability.output_cap < 0 || ability.format >= r.provider->n_formats);
    (void)vllm_read_metrics(all, &tokens, &waiting);
    sse_fini(&sse);
    provider_reply_fini(&r.reply);
    provider_reply_fini(&whole);
    return 0;
}

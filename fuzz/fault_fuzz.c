/* SPDX-License-Identifier: MIT */
/* What a provider may send for an error, and vLLM for its metrics. The first byte chooses the
 * provider and the delay of a header. */
#include "fuzz.h"
#include "generator/provider.h"
#include "generator/vllm_progress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sf_str all = fuzz_text(data, n, 1);
    uint8_t first = n > 0 ? data[0] : 0;
    const struct provider *p = fuzz_provider(first);
    struct provider_fault fault;
    struct provider_ability ability = {.format = 0};
    double tokens, waiting;
    provider_read_error(p, 400, all, &fault);
    provider_read_delay(&fault, all, (sf_ms)first - 128, all);
    SF_BUG_ON(fault.retry_after_ms < 0 || provider_class(p, &fault) == SF_OK);
    struct provider_ask ask = {.model = "m", .max_tokens = 9000, .user = all};
    while (provider_step_down(p, &ask, &fault, &ability) && ask.max_tokens > 0) {
        SF_BUG_ON(ability.output_cap < 0 || ability.format >= p->n_formats);
        ask.ability = ability;
        ask.max_tokens = ability.output_cap > 0 ? ability.output_cap : ask.max_tokens - 1000;
    }
    (void)vllm_read_metrics(all, &tokens, &waiting);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "generator/prices.h"

#include "base/str.h"

#include <stddef.h>
#include <string.h>

/* List prices of the standard tier for prompts under the providers' long-context bounds (100,000
 * tokens and up, which no prompt of ours reaches), as published in November 2026. Prices change:
 * `api.price` in the configuration overrides them.
 * source: developers.openai.com/api/docs/pricing and its model pages, ai.google.dev/gemini-api/docs
 * /pricing (promotions of gemini-3.8-flash end on 2026-12-31: the price after it stands here),
 * platform.claude.com/docs/en/models. */
#define K 1000
#define ROW(p, m, in, out, context, max_output, no_temperature, preset)                            \
    {                                                                                              \
        .provider = (p), .model = (m), .input = (in), .output = (out),                             \
        .context_tokens = (context), .max_output_tokens = (max_output),                            \
        .refuses_temperature = (no_temperature), .is_default = (preset)                            \
    }
static const struct model_price catalogue[] = {
    ROW("openai", "gpt-4o-mini", 0.15, 0.60, 128 * K, 16384, false, true),
    ROW("openai", "gpt-4o", 2.50, 10.00, 128 * K, 16384, false, false),
    ROW("openai", "gpt-4.1", 2.00, 8.00, 1047576, 32768, false, false),
    ROW("openai", "gpt-4.1-mini", 0.40, 1.60, 1047576, 32768, false, false),
    ROW("openai", "gpt-4.1-nano", 0.10, 0.40, 1047576, 32768, false, false),
    ROW("openai", "gpt-4-turbo", 10.00, 30.00, 128 * K, 4096, false, false),
    ROW("openai", "gpt-4", 30.00, 60.00, 8192, 4096, false, false),
    ROW("openai", "gpt-3.5-turbo", 0.50, 1.50, 16385, 4096, false, false),
    ROW("openai", "gpt-5", 1.25, 10.00, 400 * K, 128 * K, true, false),
    ROW("openai", "gpt-5-mini", 0.25, 2.00, 400 * K, 128 * K, true, false),
    ROW("openai", "gpt-5-nano", 0.05, 0.40, 400 * K, 128 * K, true, false),
    ROW("openai", "gpt-5.4", 2.50, 15.00, 1050 * K, 128 * K, true, false),
    ROW("openai", "gpt-5.4-mini", 0.75, 4.50, 400 * K, 128 * K, true, false),
    ROW("openai", "gpt-5.4-nano", 0.20, 1.25, 400 * K, 128 * K, true, false),
    ROW("openai", "gpt-5.5", 5.00, 30.00, 1050 * K, 128 * K, true, false),
    ROW("openai", "gpt-5.6-luna", 0.20, 1.20, 1050 * K, 128 * K, true, false),
    ROW("openai", "gpt-5.6-terra", 2.00, 12.00, 1050 * K, 128 * K, true, false),
    ROW("openai", "gpt-5.6-sol", 5.00, 30.00, 1050 * K, 128 * K, true, false),

    ROW("gemini", "gemini-3.1-flash-lite", 0.25, 1.50, 1048576, 65536, false, true),
    ROW("gemini", "gemini-3.5-flash-lite", 0.30, 2.50, 1048576, 65536, false, false),
    ROW("gemini", "gemini-3.8-flash", 1.50, 7.50, 1048576, 65536, false, false),
    ROW("gemini", "gemini-3.6-flash", 1.50, 7.50, 1048576, 65536, false, false),
    ROW("gemini", "gemini-3.5-flash", 1.50, 9.00, 1048576, 65536, false, false),
    ROW("gemini", "gemini-3.1-pro", 2.00, 12.00, 1048576, 65536, false, false),
    ROW("gemini", "gemini-2.5-flash-lite", 0.10, 0.40, 1048576, 65536, false, false),
    ROW("gemini", "gemini-2.5-flash", 0.30, 2.50, 1048576, 65536, false, false),
    ROW("gemini", "gemini-2.5-pro", 1.25, 10.00, 1048576, 65536, false, false),

    ROW("anthropic", "claude-haiku-5-5", 0.10, 0.50, 1000 * K, 128 * K, true, true),
    ROW("anthropic", "claude-sonnet-5-5", 2.00, 10.00, 1000 * K, 128 * K, true, false),
    ROW("anthropic", "claude-opus-5-5", 4.00, 20.00, 1000 * K, 128 * K, true, false),
    ROW("anthropic", "claude-opus-5", 5.00, 25.00, 1000 * K, 128 * K, true, false),
    ROW("anthropic", "claude-sonnet-5", 2.00, 10.00, 1000 * K, 128 * K, true, false),
    ROW("anthropic", "claude-opus-4-8", 5.00, 25.00, 1000 * K, 128 * K, true, false),
    ROW("anthropic", "claude-opus-4-7", 5.00, 25.00, 1000 * K, 128 * K, true, false),
    ROW("anthropic", "claude-opus-4-6", 5.00, 25.00, 1000 * K, 128 * K, false, false),
    ROW("anthropic", "claude-sonnet-4-6", 3.00, 15.00, 1000 * K, 64 * K, false, false),
    ROW("anthropic", "claude-haiku-4-5", 1.00, 5.00, 200 * K, 64 * K, false, false),
    ROW("anthropic", "claude-sonnet-4-5", 3.00, 15.00, 200 * K, 64 * K, false, false),
    ROW("anthropic", "claude-opus-4-5", 5.00, 25.00, 200 * K, 64 * K, false, false),
};
#define ROWS (sizeof catalogue / sizeof catalogue[0])

/* What may stand behind a model's name without making another model of it: a date or revision of
 * three digits at least (so that "-5" of "claude-opus-5-5" is none), "-latest", "-preview…". */
static bool is_version(struct sf_str s)
{
    size_t digits = 0;
    if (s.n == 0 || sf_str_is(s, "-latest") || sf_str_has_prefix(s, "-preview")) {
        return true;
    }
    while (digits + 1 < s.n && s.p[digits + 1] >= '0' && s.p[digits + 1] <= '9') {
        digits++;
    }
    return s.p[0] == '-' && digits >= 3;
}

const struct model_price *price_find(const char *provider, const char *model)
{
    struct sf_str name = sf_str(model);
    if (sf_str_has_prefix(name, "models/")) {
        name = (struct sf_str){name.p + 7, name.n - 7};
    }
    for (size_t i = 0; provider != NULL && i < ROWS; i++) {
        size_t n = strlen(catalogue[i].model);
        if (strcmp(catalogue[i].provider, provider) == 0 &&
            sf_str_has_prefix(name, catalogue[i].model) &&
            is_version((struct sf_str){name.p + n, name.n - n})) {
            return &catalogue[i];
        }
    }
    return NULL;
}

const char *price_default_model(const char *provider)
{
    for (size_t i = 0; provider != NULL && i < ROWS; i++) {
        if (catalogue[i].is_default && strcmp(catalogue[i].provider, provider) == 0) {
            return catalogue[i].model;
        }
    }
    return NULL;
}

static double cost_of(double list_price, double override, int64_t tokens)
{
    double price = override >= 0 ? override : list_price;
    return tokens > 0 ? price * (double)tokens / 1e6 : 0;
}

double price_cost_usd(const struct model_price *p, double input_override, double output_override,
                      int64_t prompt_tokens, int64_t generated_tokens)
{
    return cost_of(p == NULL ? 0 : p->input, input_override, prompt_tokens) +
           cost_of(p == NULL ? 0 : p->output, output_override, generated_tokens);
}

/* SPDX-License-Identifier: MIT */
#include "generator/api.h"

#include "generator/cloud.h"

static enum sf_err api_open(const void *options, void **ctx, struct sf_errbuf *eb)
{
    const struct api_options *o = options;
    struct cloud *c = NULL;
    struct cloud_options mine = {.provider = provider_find(o->provider),
                                 .provider_name = o->provider,
                                 .endpoint = o->endpoint,
                                 .key = o->key == NULL ? "" : o->key,
                                 .key_variable = o->key_variable,
                                 .model = o->model,
                                 .temperature = o->temperature,
                                 .top_p = -1,
                                 .max_tokens = o->max_tokens,
                                 .concurrency = o->concurrency,
                                 .price_input = o->price_input,
                                 .price_output = o->price_output};
    if (mine.provider == NULL) {
        return sf_fail(eb, SF_ECONFIG,
                       "no provider is called \"%s\": openai, gemini, anthropic, "
                       "custom",
                       o->provider);
    }
    if (mine.key[0] == '\0' && o->key_variable[0] != '\0') {
        return sf_fail(eb, SF_ECONFIG,
                       "%s is not set: put %s=… into .env beside the configuration, or export it",
                       o->key_variable, o->key_variable);
    }
    enum sf_err err = cloud_open(&mine, &c, eb);
    if (err == SF_OK) {
        *ctx = c;
    }
    return err;
}

static enum sf_err api_generate(void *ctx, const struct gen_call *call, struct gen_result *result,
                                struct sf_errbuf *eb)
{
    return cloud_generate(ctx, call, NULL, result, eb);
}

static void api_health(void *ctx, struct gen_health *out)
{
    (void)ctx;
    *out = (struct gen_health){.state = GEN_READY};
}

static enum sf_err api_probe(void *ctx, struct sf_errbuf *eb)
{
    return cloud_probe(ctx, eb);
}

static void api_check(void *ctx, struct gen_checks *out)
{
    cloud_check(ctx, out);
}

static void api_close(void *ctx)
{
    cloud_close(ctx);
}

const struct generator_type generator_api = {
    .kind = "api",
    .multiplier = 0.5,
    .open = api_open,
    .generate = api_generate,
    .health = api_health,
    .probe = api_probe,
    .check = api_check,
    .close = api_close,
};

/* SPDX-License-Identifier: MIT */
#include "generator/remote.h"

#include "generator/content.h"
#include "generator/service.h"

static enum sf_err remote_open(const void *options, void **ctx, struct sf_errbuf *eb)
{
    const struct remote_options *o = options;
    struct service *service = NULL;
    struct service_options s = {.what = "local endpoint",
                                .key = "generator.local.endpoint",
                                .url = o->url,
                                .token = o->token,
                                .mode = "local",
                                .timeout_ms = o->timeout_ms,
                                .max_output_bytes = o->max_output_bytes,
                                .concurrency = o->concurrency};
    enum sf_err err = service_open(&s, &service, eb);
    if (err == SF_OK) {
        *ctx = service;
    }
    return err;
}

/* To validators it would be called local: it has to be. */
static enum sf_err check_mode(const json_t *answer, struct sf_errbuf *eb)
{
    char mode[32];
    struct sf_str said = json_get_str(json_get_object(answer, "model_info"), "mode");
    if (sf_str_is(said, "local")) {
        return SF_OK;
    }
    content_copy_text(said, mode, sizeof mode);
    return sf_fail(eb, SF_ECONFIG,
                   "local endpoint: its answer does not say that local wrote it (model_info.mode "
                   "is \"%s\"), and calling it local would be a lie: let the server there answer "
                   "with its own engine, or set the address as generator.custom.endpoint",
                   mode);
}

static enum sf_err remote_generate(void *ctx, const struct gen_call *call,
                                   struct gen_result *result, struct sf_errbuf *eb)
{
    json_t *output = NULL, *answer = NULL;
    enum sf_err err = service_ask(ctx, call, &output, &answer, eb);
    if (err != SF_OK) {
        return err;
    }
    err = check_mode(answer, eb);
    if (err == SF_OK) {
        result->output = json_incref(output);
        (void)snprintf(result->name, sizeof result->name, "remote");
        content_read_info(answer, result);
    }
    json_decref(output);
    json_decref(answer);
    return err;
}

static void remote_health(void *ctx, struct gen_health *out)
{
    service_health(ctx, out);
}

static enum sf_err remote_probe(void *ctx, struct sf_errbuf *eb)
{
    return service_look(ctx, eb);
}

static void remote_check(void *ctx, struct gen_checks *out)
{
    service_check(ctx, out);
}

static void remote_close(void *ctx)
{
    service_close(ctx);
}

const struct generator_type generator_remote = {
    .kind = "local",
    .target_label = "Endpoint",
    .multiplier = 1.5,
    .open = remote_open,
    .generate = remote_generate,
    .health = remote_health,
    .probe = remote_probe,
    .check = remote_check,
    .close = remote_close,
};

/* SPDX-License-Identifier: MIT */
#include "generator/endpoint.h"

#include "base/mem.h"
#include "generator/content.h"
#include "generator/service.h"

struct endpoint {
    struct service *service;
    char name[128];
};

static void endpoint_close(void *ctx)
{
    struct endpoint *e = ctx;
    if (e != NULL) {
        service_close(e->service);
        free(e);
    }
}

static enum sf_err endpoint_open(const void *options, void **ctx, struct sf_errbuf *eb)
{
    const struct endpoint_options *o = options;
    struct endpoint *e = sf_alloc(sizeof *e);
    struct service_options service = {.what = "custom endpoint",
                                      .key = "generator.custom.endpoint",
                                      .url = o->url,
                                      .token = o->token,
                                      .timeout_ms = o->timeout_ms,
                                      .max_output_bytes = o->max_output_bytes,
                                      .concurrency = o->concurrency};
    if (e == NULL) {
        return SF_ENOMEM;
    }
    content_copy_text(sf_str(o->name), e->name, sizeof e->name);
    enum sf_err err = service_open(&service, &e->service, eb);
    if (err != SF_OK) {
        endpoint_close(e);
        return err;
    }
    *ctx = e;
    return SF_OK;
}

static enum sf_err endpoint_generate(void *ctx, const struct gen_call *call,
                                     struct gen_result *result, struct sf_errbuf *eb)
{
    struct endpoint *e = ctx;
    json_t *output = NULL, *answer = NULL;
    enum sf_err err = service_ask(e->service, call, &output, &answer, eb);
    if (err == SF_OK) {
        result->output = output;
        (void)snprintf(result->name, sizeof result->name, "%s", e->name);
        content_read_info(answer, result);
        json_decref(answer);
    }
    return err;
}

static void endpoint_health(void *ctx, struct gen_health *out)
{
    service_health(((struct endpoint *)ctx)->service, out);
}

static enum sf_err endpoint_probe(void *ctx, struct sf_errbuf *eb)
{
    return service_look(((struct endpoint *)ctx)->service, eb);
}

static void endpoint_check(void *ctx, struct gen_checks *out)
{
    service_check(((struct endpoint *)ctx)->service, out);
}

const struct generator_type generator_endpoint = {
    .kind = "custom",
    .target_label = "Endpoint",
    .multiplier = 1.0,
    .open = endpoint_open,
    .generate = endpoint_generate,
    .health = endpoint_health,
    .probe = endpoint_probe,
    .check = endpoint_check,
    .close = endpoint_close,
};

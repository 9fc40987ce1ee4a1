/* SPDX-License-Identifier: MIT */
/* Anthropic's messages. */
#include "generator/provider.h"

#include <string.h>

static void url(const char *base, const char *model, enum provider_route route, struct sf_buf *out)
{
    (void)model;
    sf_buf_printf(out, "%s/%s", base, route == PROVIDER_ASK ? "messages" : "models?limit=1000");
}

static json_t *text_of(struct sf_str s)
{
    return json_stringn(s.p == NULL ? "" : s.p, s.n);
}

static json_t *body(const struct provider_ask *ask)
{
    json_t *b = json_pack("{s:s, s:I, s:o, s:[{s:s, s:o}]}", "model", ask->model, "max_tokens",
                          (json_int_t)ask->max_tokens, "system", text_of(ask->system), "messages",
                          "role", "user", "content", text_of(ask->user));
    if (ask->temperature >= 0 && !ask->ability.no_temperature) {
        /* The scale ends at 1 here. */
        (void)json_object_set_new(b, "temperature",
                                  json_real(ask->temperature > 1 ? 1 : ask->temperature));
    }
    if (ask->schema != NULL) {
        (void)json_object_set_new(
            b, "output_config",
            json_pack("{s:{s:s, s:O}}", "format", "type", "json_schema", "schema", ask->schema));
    }
    (void)json_object_set_new(b, "stream", json_true());
    return b;
}

static void read_stop(struct provider_reply *r, const char *reason)
{
    static const struct {
        const char *reason;
        enum sf_err err;
    } reasons[] = {{"end_turn", SF_OK}, {"stop_sequence", SF_OK}, {"refusal", SF_ECONTENT}};
    if (reason == NULL) {
        return;
    }
    r->ended = true;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(reasons[i].reason, reason) == 0) {
            if (reasons[i].err != SF_OK) {
                provider_reply_stop(r, reasons[i].err, "the model refused (stop_reason %s)",
                                    reason);
            }
            return;
        }
    }
    provider_reply_stop(r, SF_EINCOMPLETE, "the answer ended early (stop_reason %.40s)", reason);
}

static void read_usage(struct provider_reply *r, const json_t *holder)
{
    const json_t *usage = json_get_object(holder, "usage");
    int64_t fresh = 0, read = 0, written = 0;
    if (json_get_int(usage, "input_tokens", &fresh)) {
        (void)json_get_int(usage, "cache_read_input_tokens", &read);
        (void)json_get_int(usage, "cache_creation_input_tokens", &written);
        r->cached_tokens = read;
        r->prompt_tokens = fresh + read + written;
    }
    (void)json_get_int(usage, "output_tokens", &r->generated_tokens);
}

/* A whole message, or the beginning of one that is streamed. */
static void read_message(struct provider_reply *r, const json_t *message)
{
    const json_t *content = json_get_array(message, "content");
    const char *model = json_get_string(message, "model");
    for (size_t i = 0; i < json_array_size(content); i++) {
        const json_t *block = json_array_get(content, i);
        if (sf_str_is(json_get_str(block, "type"), "text")) {
            sf_buf_add_str(&r->text, json_get_str(block, "text"));
        }
    }
    if (model != NULL) {
        (void)snprintf(r->model, sizeof r->model, "%s", model);
    }
    read_stop(r, json_get_string(message, "stop_reason"));
    read_usage(r, message);
}

static void on_start(struct provider_reply *r, const json_t *data)
{
    read_message(r, json_get_object(data, "message"));
}

static void on_delta(struct provider_reply *r, const json_t *data)
{
    const json_t *delta = json_get_object(data, "delta");
    if (sf_str_is(json_get_str(delta, "type"), "text_delta")) {
        sf_buf_add_str(&r->text, json_get_str(delta, "text"));
    }
}

static void on_message_delta(struct provider_reply *r, const json_t *data)
{
    read_stop(r, json_get_string(json_get_object(data, "delta"), "stop_reason"));
    read_usage(r, data);
}

static void on_stop(struct provider_reply *r, const json_t *data)
{
    (void)data;
    r->ended = true;
}

static void read_answer(struct provider_reply *r, const char *event, const json_t *data)
{
    static const struct {
        const char *type;
        void (*read)(struct provider_reply *r, const json_t *data);
    } events[] = {{"message", read_message},
                  {"message_start", on_start},
                  {"content_block_delta", on_delta},
                  {"message_delta", on_message_delta},
                  {"message_stop", on_stop}};
    const char *type = json_get_string(data, "type");
    type = type != NULL ? type : event;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (strcmp(events[i].type, type) == 0) {
            events[i].read(r, data);
        }
    }
}

static void copy_text(char *out, size_t n, const json_t *object, const char *key)
{
    const char *text = json_get_string(object, key);
    (void)snprintf(out, n, "%s", text == NULL ? "" : text);
}

/* The parameter stands before the message: "max_tokens: 16000 > 8192, which is the maximum …". */
static void read_param(struct provider_fault *out)
{
    size_t n = strspn(out->message, "abcdefghijklmnopqrstuvwxyz0123456789_.");
    if (n > 0 && n < sizeof out->param && out->message[n] == ':') {
        (void)snprintf(out->param, sizeof out->param, "%.*s", (int)n, out->message);
    }
}

static bool read_fault(const json_t *answer, struct provider_fault *out)
{
    const json_t *error = json_get_object(answer, "error");
    if (error == NULL) {
        return false;
    }
    copy_text(out->type, sizeof out->type, error, "type");
    copy_text(out->message, sizeof out->message, error, "message");
    copy_text(out->code, sizeof out->code, json_get_object(error, "details"), "error_code");
    read_param(out);
    return true;
}

static const struct provider_code codes[] = {
    {"enforced_spend_limit_reached", SF_EACCOUNT},
    {"authentication_error", SF_EACCOUNT},
    {"billing_error", SF_EACCOUNT},
    {"permission_error", SF_EACCOUNT},
    {"not_found_error", SF_EMODEL},
    {"rate_limit_error", SF_ERATE},
    {"request_too_large", SF_ESHAPE},
    {"invalid_request_error", SF_ESHAPE},
    {"overloaded_error", SF_ETRANSIENT},
    {"timeout_error", SF_ETRANSIENT},
    {"api_error", SF_ETRANSIENT},
    {NULL, SF_OK},
};

static const struct provider_parameter parameters[] = {
    {"max_tokens", PROVIDER_RUNG_TOKENS},
    {"temperature", PROVIDER_RUNG_TEMPERATURE},
    {"output_config", PROVIDER_RUNG_FORMAT},
    {"output_format", PROVIDER_RUNG_FORMAT},
    {NULL, PROVIDER_RUNG_FORMAT},
};

static const enum provider_format formats[] = {PROVIDER_FORMAT_SCHEMA, PROVIDER_FORMAT_NONE};

const struct provider provider_anthropic = {
    .name = "anthropic",
    .base = "https://api.anthropic.com/v1",
    .key_name = "x-api-key",
    .key_prefix = "",
    .version_name = "anthropic-version",
    .version_value = "2023-06-01",
    .models_array = "data",
    .models_id = "id",
    .formats = formats,
    .n_formats = sizeof formats / sizeof formats[0],
    .shape = STORY_SCHEMA_STRICT,
    .codes = codes,
    .parameters = parameters,
    .min_output_tokens = 8192,
    .url = url,
    .body = body,
    .read = read_answer,
    .read_fault = read_fault,
};

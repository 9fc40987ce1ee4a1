/* SPDX-License-Identifier: MIT */
/* Chat completions: OpenAI, everything compatible with it, and vLLM. */
#include "generator/provider.h"

#include <string.h>

static void url(const char *base, const char *model, enum provider_route route, struct sf_buf *out)
{
    (void)model;
    sf_buf_printf(out, "%s/%s", base, route == PROVIDER_ASK ? "chat/completions" : "models");
}

/* ---- asking ---------------------------------------------------------------------------------- */

static json_t *text_of(struct sf_str s)
{
    return json_stringn(s.p == NULL ? "" : s.p, s.n);
}

static json_t *common_body(const struct provider_ask *ask, const char *token_name)
{
    const struct provider_ability *a = &ask->ability;
    json_t *body =
        json_pack("{s:s, s:[{s:s, s:o}, {s:s, s:o}], s:I}", "model", ask->model, "messages", "role",
                  "system", "content", text_of(ask->system), "role", "user", "content",
                  text_of(ask->user), token_name, (json_int_t)ask->max_tokens);
    if (ask->temperature >= 0 && !a->no_temperature) {
        (void)json_object_set_new(body, "temperature", json_real(ask->temperature));
    }
    if (ask->top_p >= 0 && !a->no_top_p) {
        (void)json_object_set_new(body, "top_p", json_real(ask->top_p));
    }
    (void)json_object_set_new(body, "stream", json_true());
    if (!a->no_stream_options) {
        (void)json_object_set_new(body, "stream_options", json_pack("{s:b}", "include_usage", 1));
    }
    return body;
}

static json_t *body_openai(const struct provider_ask *ask)
{
    json_t *body =
        common_body(ask, ask->ability.old_token_name ? "max_tokens" : "max_completion_tokens");
    json_t *format = NULL;
    if (ask->format == PROVIDER_FORMAT_SCHEMA) {
        format = json_pack("{s:s, s:{s:s, s:b, s:O}}", "type", "json_schema", "json_schema", "name",
                           "story", "strict", 1, "schema", ask->schema);
    } else if (ask->format == PROVIDER_FORMAT_OBJECT) {
        format = json_pack("{s:s}", "type", "json_object");
    }
    if (format != NULL) {
        (void)json_object_set_new(body, "response_format", format);
    }
    return body;
}

static json_t *body_vllm(const struct provider_ask *ask)
{
    json_t *body = common_body(ask, "max_tokens");
    if (ask->format == PROVIDER_FORMAT_SCHEMA) {
        (void)json_object_set_new(body, "structured_outputs",
                                  json_pack("{s:O}", "json", ask->schema));
    } else if (ask->format == PROVIDER_FORMAT_GUIDED) {
        (void)json_object_set(body, "guided_json", ask->schema);
    } else if (ask->format == PROVIDER_FORMAT_OBJECT) {
        (void)json_object_set_new(body, "response_format",
                                  json_pack("{s:s}", "type", "json_object"));
    }
    return body;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void read_usage(struct provider_reply *r, const json_t *data)
{
    const json_t *usage = json_get_object(data, "usage");
    (void)json_get_int(usage, "prompt_tokens", &r->prompt_tokens);
    (void)json_get_int(usage, "completion_tokens", &r->generated_tokens);
    (void)json_get_int(json_get_object(usage, "prompt_tokens_details"), "cached_tokens",
                       &r->cached_tokens);
}

static void read_finish(struct provider_reply *r, const char *reason)
{
    static const struct {
        const char *reason;
        enum sf_err err;
        const char *why;
    } reasons[] = {
        {"stop", SF_OK, NULL},
        {"length", SF_EINCOMPLETE, "the answer is cut at its token limit (finish_reason length)"},
        {"content_filter", SF_ECONTENT, "the provider's content filter withheld the answer"},
    };
    if (reason == NULL) {
        return;
    }
    r->ended = true;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(reasons[i].reason, reason) == 0) {
            if (reasons[i].err != SF_OK) {
                provider_reply_stop(r, reasons[i].err, "%s", reasons[i].why);
            }
            return;
        }
    }
    provider_reply_stop(r, SF_EINCOMPLETE, "the answer ended early (finish_reason %.40s)", reason);
}

static void read_answer(struct provider_reply *r, const char *event, const json_t *data)
{
    const char *model = json_get_string(data, "model");
    const json_t *choice = json_array_get(json_get_array(data, "choices"), 0);
    const json_t *message = json_get_object(choice, "delta");
    (void)event;
    if (message == NULL) {
        message = json_get_object(choice, "message");
    }
    if (model != NULL) {
        (void)snprintf(r->model, sizeof r->model, "%s", model);
    }
    sf_buf_add_str(&r->text, json_get_str(message, "content"));
    struct sf_str refusal = json_get_str(message, "refusal");
    if (refusal.n > 0) {
        provider_reply_stop(r, SF_ECONTENT, "the model refused: %.*s",
                            (int)(refusal.n < 100 ? refusal.n : 100), refusal.p);
    }
    read_finish(r, json_get_string(choice, "finish_reason"));
    read_usage(r, data);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void copy_text(char *out, size_t n, const json_t *object, const char *key)
{
    const char *text = json_get_string(object, key);
    (void)snprintf(out, n, "%s", text == NULL ? "" : text);
}

/* FastAPI's: {"detail": "…"} or {"detail": [{"loc": ["body", "temperature"], "msg": "…"}]}. */
static bool read_detail(const json_t *answer, struct provider_fault *out)
{
    const json_t *first = json_array_get(json_get_array(answer, "detail"), 0);
    const json_t *loc = json_get_array(first, "loc");
    copy_text(out->message, sizeof out->message, answer, "detail");
    if (first != NULL) {
        const char *name = json_string_value(json_array_get(loc, json_array_size(loc) > 1 ? 1 : 0));
        copy_text(out->message, sizeof out->message, first, "msg");
        (void)snprintf(out->param, sizeof out->param, "%s", name == NULL ? "" : name);
    }
    return json_object_get(answer, "choices") == NULL && out->message[0] != '\0';
}

static bool read_fault(const json_t *answer, struct provider_fault *out)
{
    const char *object = json_get_string(answer, "object");
    const json_t *error = json_get_object(answer, "error");
    int64_t number = 0;
    if (error == NULL && object != NULL && strcmp(object, "error") == 0) {
        error = answer; /* vLLM before 0.10 */
    }
    if (error == NULL) {
        copy_text(out->message, sizeof out->message, answer, "error"); /* Ollama */
        return out->message[0] != '\0' || read_detail(answer, out);
    }
    copy_text(out->code, sizeof out->code, error, "code");
    copy_text(out->type, sizeof out->type, error, "type");
    copy_text(out->param, sizeof out->param, error, "param");
    copy_text(out->message, sizeof out->message, error, "message");
    if (json_get_int(error, "code", &number) && number >= 400 && number < 600) {
        out->status = (int)number; /* OpenRouter, vLLM */
    }
    return true;
}

static const struct provider_code codes[] = {
    {"insufficient_quota", SF_EACCOUNT},
    {"credit_balance_exhausted", SF_EACCOUNT},
    {"*_spend_limit_exceeded", SF_EACCOUNT},
    {"*_usage_limit_exceeded", SF_EACCOUNT},
    {"billing_hard_limit_reached", SF_EACCOUNT},
    {"billing_not_active", SF_EACCOUNT},
    {"account_deactivated", SF_EACCOUNT},
    {"invalid_api_key", SF_EACCOUNT},
    {"rate_limit_exceeded", SF_ERATE},
    {"slow_down", SF_ERATE},
    {"model_not_found", SF_EMODEL},
    {"model_decommissioned", SF_EMODEL},
    {"content_filter", SF_ECONTENT},
    {"content_policy_violation", SF_ECONTENT},
    {"json_validate_failed", SF_EINCOMPLETE}, /* Groq: what the model wrote was no JSON */
    {"server_error", SF_ETRANSIENT},
    {NULL, SF_OK},
};

/* Longer names before those that they hold. */
static const struct provider_parameter parameters[] = {
    {"max_completion_tokens", PROVIDER_RUNG_TOKENS}, {"max_tokens", PROVIDER_RUNG_TOKENS},
    {"response_format", PROVIDER_RUNG_FORMAT},       {"structured_outputs", PROVIDER_RUNG_FORMAT},
    {"guided_json", PROVIDER_RUNG_FORMAT},           {"json_schema", PROVIDER_RUNG_FORMAT},
    {"temperature", PROVIDER_RUNG_TEMPERATURE},      {"top_p", PROVIDER_RUNG_TOP_P},
    {"stream_options", PROVIDER_RUNG_STREAM},        {NULL, PROVIDER_RUNG_FORMAT},
};

static const enum provider_format formats[] = {PROVIDER_FORMAT_SCHEMA, PROVIDER_FORMAT_OBJECT,
                                               PROVIDER_FORMAT_NONE};
static const enum provider_format vllm_formats[] = {PROVIDER_FORMAT_SCHEMA, PROVIDER_FORMAT_GUIDED,
                                                    PROVIDER_FORMAT_OBJECT, PROVIDER_FORMAT_NONE};

const struct provider provider_openai = {
    .name = "openai",
    .base = "https://api.openai.com/v1",
    .key_name = "Authorization",
    .key_prefix = "Bearer ",
    .models_array = "data",
    .models_id = "id",
    .formats = formats,
    .n_formats = sizeof formats / sizeof formats[0],
    .shape = STORY_SCHEMA_STRICT,
    .codes = codes,
    .parameters = parameters,
    .has_new_token_name = true,
    .url = url,
    .body = body_openai,
    .read = read_answer,
    .read_fault = read_fault,
};

const struct provider provider_vllm = {
    .name = "vllm",
    .base = "http://127.0.0.1:8000/v1",
    .key_name = "Authorization",
    .key_prefix = "Bearer ",
    .models_array = "data",
    .models_id = "id",
    .formats = vllm_formats,
    .n_formats = sizeof vllm_formats / sizeof vllm_formats[0],
    .shape = STORY_SCHEMA_FULL,
    .codes = codes,
    .parameters = parameters,
    .url = url,
    .body = body_vllm,
    .read = read_answer,
    .read_fault = read_fault,
};

/* SPDX-License-Identifier: MIT */
/* Google's generateContent. */
#include "generator/provider.h"

#include <string.h>

static void url(const char *base, const char *model, enum provider_route route, struct sf_buf *out)
{
    if (route == PROVIDER_MODELS) {
        sf_buf_printf(out, "%s/models?pageSize=1000", base);
        return;
    }
    struct sf_str name = sf_str(model);
    if (sf_str_has_prefix(name, "models/")) {
        name = (struct sf_str){name.p + 7, name.n - 7};
    }
    sf_buf_printf(out, "%s/models/%.*s:streamGenerateContent?alt=sse", base, SF_STR_ARG(name));
}

static json_t *text_part(struct sf_str s)
{
    return json_pack("{s:[{s:o}]}", "parts", "text", json_stringn(s.p == NULL ? "" : s.p, s.n));
}

static json_t *body(const struct provider_ask *ask)
{
    json_t *user = text_part(ask->user);
    json_t *config = json_pack("{s:I}", "maxOutputTokens", (json_int_t)ask->max_tokens);
    (void)json_object_set_new(user, "role", json_string("user"));
    if (ask->temperature >= 0 && !ask->ability.no_temperature) {
        (void)json_object_set_new(config, "temperature", json_real(ask->temperature));
    }
    if (!ask->ability.no_thinking) {
        (void)json_object_set_new(config, "thinkingConfig",
                                  json_pack("{s:i}", "thinkingBudget", 0));
    }
    if (ask->format != PROVIDER_FORMAT_NONE) {
        (void)json_object_set_new(config, "responseMimeType", json_string("application/json"));
    }
    if (ask->schema != NULL) {
        (void)json_object_set(config, "responseJsonSchema", ask->schema);
    }
    return json_pack("{s:o, s:[o], s:o}", "systemInstruction", text_part(ask->system), "contents",
                     user, "generationConfig", config);
}

static void read_finish(struct provider_reply *r, const char *reason)
{
    static const char *const refused[] = {"SAFETY",    "RECITATION", "PROHIBITED_CONTENT",
                                          "BLOCKLIST", "SPII",       "LANGUAGE"};
    if (reason == NULL) {
        return;
    }
    r->ended = true;
    if (strcmp(reason, "STOP") == 0) {
        return;
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (strcmp(refused[i], reason) == 0) {
            provider_reply_stop(r, SF_ECONTENT, "the provider withheld the answer (%s)", reason);
        }
    }
    provider_reply_stop(r, SF_EINCOMPLETE, "the answer ended early (finishReason %.40s)", reason);
}

static void read_usage(struct provider_reply *r, const json_t *data)
{
    const json_t *usage = json_get_object(data, "usageMetadata");
    int64_t written = 0, thought = 0;
    (void)json_get_int(usage, "promptTokenCount", &r->prompt_tokens);
    (void)json_get_int(usage, "cachedContentTokenCount", &r->cached_tokens);
    (void)json_get_int(usage, "thoughtsTokenCount", &thought);
    if (json_get_int(usage, "candidatesTokenCount", &written) || thought > 0) {
        r->generated_tokens = written + thought;
    }
}

static void read_answer(struct provider_reply *r, const char *event, const json_t *data)
{
    const json_t *candidate = json_array_get(json_get_array(data, "candidates"), 0);
    const json_t *parts = json_get_array(json_get_object(candidate, "content"), "parts");
    const char *blocked = json_get_string(json_get_object(data, "promptFeedback"), "blockReason");
    const char *model = json_get_string(data, "modelVersion");
    (void)event;
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        if (!json_get_bool(part, "thought", false)) {
            sf_buf_add_str(&r->text, json_get_str(part, "text"));
        }
    }
    if (model != NULL) {
        (void)snprintf(r->model, sizeof r->model, "%s", model);
    }
    if (blocked != NULL) {
        r->ended = true;
        provider_reply_stop(r, SF_ECONTENT, "the provider refused the request (%.40s)", blocked);
    }
    read_finish(r, json_get_string(candidate, "finishReason"));
    read_usage(r, data);
}

/* One of google.rpc's details: RetryInfo, QuotaFailure, ErrorInfo, BadRequest. */
static void read_detail(const json_t *detail, struct provider_fault *out)
{
    const json_t *violations = json_get_array(detail, "violations");
    const json_t *fields = json_get_array(detail, "fieldViolations");
    const char *reason = json_get_string(detail, "reason");
    const char *field = json_get_string(json_array_get(fields, 0), "field");
    (void)provider_scan_span(json_get_str(detail, "retryDelay"), &out->retry_after_ms);
    for (size_t i = 0; i < json_array_size(violations); i++) {
        const char *id = json_get_string(json_array_get(violations, i), "quotaId");
        if (id != NULL && strstr(id, "PerDay") != NULL) {
            (void)snprintf(out->code, sizeof out->code, "PerDay");
        }
    }
    if (reason != NULL && out->code[0] == '\0') {
        (void)snprintf(out->code, sizeof out->code, "%s", reason);
    }
    if (field != NULL) {
        (void)snprintf(out->param, sizeof out->param, "%s", field);
    }
}

static bool read_fault(const json_t *answer, struct provider_fault *out)
{
    const json_t *error = json_get_object(answer, "error");
    const json_t *details = json_get_array(error, "details");
    const char *status = json_get_string(error, "status"),
               *said = json_get_string(error, "message");
    int64_t number = 0;
    if (error == NULL) {
        return false;
    }
    if (json_get_int(error, "code", &number) && number >= 400 && number < 600) {
        out->status = (int)number;
    }
    (void)snprintf(out->type, sizeof out->type, "%s", status == NULL ? "" : status);
    (void)snprintf(out->message, sizeof out->message, "%s", said == NULL ? "" : said);
    for (size_t i = 0; i < json_array_size(details); i++) {
        read_detail(json_array_get(details, i), out);
    }
    return true;
}

static const struct provider_code codes[] = {
    {"PerDay", SF_EACCOUNT},
    {"API_KEY_INVALID", SF_EACCOUNT},
    {"API_KEY_SERVICE_BLOCKED", SF_EACCOUNT},
    {"SERVICE_DISABLED", SF_EACCOUNT},
    {"CONSUMER_SUSPENDED", SF_EACCOUNT},
    {"BILLING_DISABLED", SF_EACCOUNT},
    {"FAILED_PRECONDITION", SF_EACCOUNT}, /* the free tier is not offered where this machine is */
    {"UNAUTHENTICATED", SF_EACCOUNT},
    {"PERMISSION_DENIED", SF_EACCOUNT},
    {"NOT_FOUND", SF_EMODEL},
    {"RESOURCE_EXHAUSTED", SF_ERATE},
    {"INVALID_ARGUMENT", SF_ESHAPE},
    {"UNAVAILABLE", SF_ETRANSIENT},
    {"INTERNAL", SF_ETRANSIENT},
    {"DEADLINE_EXCEEDED", SF_ETRANSIENT},
    {NULL, SF_OK},
};

static const struct provider_parameter parameters[] = {
    {"thinking", PROVIDER_RUNG_THINKING},           {"Thinking", PROVIDER_RUNG_THINKING},
    {"maxOutputTokens", PROVIDER_RUNG_TOKENS},      {"max_output_tokens", PROVIDER_RUNG_TOKENS},
    {"temperature", PROVIDER_RUNG_TEMPERATURE},     {"responseJsonSchema", PROVIDER_RUNG_FORMAT},
    {"response_json_schema", PROVIDER_RUNG_FORMAT}, {"responseMimeType", PROVIDER_RUNG_FORMAT},
    {"response_mime_type", PROVIDER_RUNG_FORMAT},   {NULL, PROVIDER_RUNG_FORMAT},
};

static const enum provider_format formats[] = {PROVIDER_FORMAT_SCHEMA, PROVIDER_FORMAT_SIMPLER,
                                               PROVIDER_FORMAT_OBJECT, PROVIDER_FORMAT_NONE};

const struct provider provider_gemini = {
    .name = "gemini",
    .base = "https://generativelanguage.googleapis.com/v1beta",
    .key_name = "x-goog-api-key",
    .key_prefix = "",
    .models_array = "models",
    .models_id = "name",
    .formats = formats,
    .n_formats = sizeof formats / sizeof formats[0],
    .shape = STORY_SCHEMA_GEMINI,
    .codes = codes,
    .parameters = parameters,
    .url = url,
    .body = body,
    .read = read_answer,
    .read_fault = read_fault,
};

/* SPDX-License-Identifier: MIT */
#include "generator/content.h"

#include "base/utf8.h"
#include "story/unwrap.h"

#include <string.h>

#define PARAMETERS_MAX 4096 /* bytes: they go to validators */
#define DEPTH_MAX 32

enum sf_err content_take(const json_t *answer, const char *where, json_t **out,
                         struct sf_errbuf *eb)
{
    json_t *content = json_object_get(answer, "content");
    if (content == NULL) {
        content = json_object_get(answer, "generated_content");
    }
    if (json_is_object(content)) {
        *out = json_incref(content);
        return SF_OK;
    }
    if (json_is_string(content)) {
        struct sf_str s = {json_string_value(content), json_string_length(content)};
        enum sf_err err = story_unwrap(s, false, out, eb);
        return err == SF_OK ? err : sf_fail_prefix(eb, "\"content\"");
    }
    if (json_is_array(content)) {
        return sf_fail(eb, SF_EINCOMPLETE, "\"content\" is an array, not an object");
    }
    return sf_fail(eb, SF_EINCOMPLETE, "%s has no \"content\": give {\"content\": …}", where);
}

enum sf_err content_parse(struct sf_str text, size_t max_bytes, const char *where, json_t **out,
                          json_t **answer, struct sf_errbuf *eb)
{
    json_t *v = NULL;
    struct sf_errbuf why = {.code = SF_OK};
    struct json_limits limits = {.max_bytes = max_bytes, .max_depth = DEPTH_MAX};
    if (json_parse(text, limits, &v, &why) != SF_OK) {
        return sf_fail(eb, SF_EINCOMPLETE, "%s is cut or malformed: %.200s", where, why.text);
    }
    enum sf_err err = SF_OK;
    if (!json_is_object(v)) {
        err = sf_fail(eb, SF_EINCOMPLETE, "%s is %s, not an object: give {\"content\": …}", where,
                      json_is_array(v) ? "an array" : "a bare value");
    } else {
        err = content_take(v, where, out, eb);
    }
    if (err == SF_OK && answer != NULL) {
        *answer = json_incref(v);
    }
    json_decref(v);
    return err;
}

void content_copy_text(struct sf_str text, char *out, size_t n_out)
{
    size_t used = 0;
    while (text.n > 0) {
        struct sf_str before = text;
        bool valid = false;
        (void)sf_utf8_next(&text, &valid);
        size_t n = before.n - text.n;
        if (!valid || used + n >= n_out) {
            break;
        }
        unsigned char first = (unsigned char)before.p[0];
        memcpy(out + used, first < 0x20 || first == 0x7f ? " " : before.p, n);
        used += n;
    }
    out[used] = '\0';
}

static void copy_member(const json_t *info, const char *key, char *out, size_t n_out)
{
    struct sf_str s = json_get_str(info, key);
    if (s.n > 0) {
        content_copy_text(s, out, n_out);
    }
}

static int64_t count(const json_t *usage, const char *key)
{
    int64_t n = 0;
    (void)json_get_int(usage, key, &n);
    return n < 0 || n > INT32_MAX ? 0 : n;
}

void content_read_info(const json_t *answer, struct gen_result *result)
{
    const json_t *info = json_get_object(answer, "model_info");
    const json_t *usage = json_get_object(answer, "usage");
    json_t *parameters = json_object_get(info, "parameters");
    struct sf_buf text;
    double speed = 0;
    copy_member(info, "name", result->name, sizeof result->name);
    copy_member(info, "version", result->version, sizeof result->version);
    copy_member(info, "provider", result->provider, sizeof result->provider);
    sf_buf_init(&text, PARAMETERS_MAX);
    if (json_is_object(parameters)) {
        json_print(parameters, &text);
    }
    if (text.n > 0 && text.err == SF_OK) {
        result->parameters = json_deep_copy(parameters);
    }
    sf_buf_fini(&text);
    if (usage != NULL) {
        (void)json_get_number(usage, "tokens_per_second", &speed);
        result->usage.prompt_tokens = count(usage, "prompt_tokens");
        result->usage.cached_tokens = count(usage, "cached_tokens");
        result->usage.generated_tokens = count(usage, "generated_tokens");
        result->usage.tokens_per_second = speed > 0 && speed < 1e9 ? speed : 0;
    }
}

/* SPDX-License-Identifier: MIT */
#include "json/json.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <string.h>

/* Walks the text once before the library builds anything: bounds the depth, and copies it without
 * its \u0000 escapes into `clean` when it has any. Lone surrogates, NaN and duplicate keys are the
 * library's to refuse. */
static enum sf_err prescan(struct sf_str text, unsigned max_depth, struct sf_buf *clean,
                           struct sf_errbuf *eb)
{
    unsigned depth = 0;
    bool in_string = false;
    size_t kept = 0; /* text before this offset is in `clean` */
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (in_string && c == '\\') {
            if (text.n - i >= 6 && memcmp(text.p + i, "\\u0000", 6) == 0) {
                sf_buf_add(clean, text.p + kept, i - kept);
                kept = i + 6;
                i += 4;
            }
            i++;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '[' || c == '{')) {
            if (++depth > max_depth) {
                return sf_fail(eb, SF_ELIMIT, "JSON nested deeper than %u", max_depth);
            }
        } else if (!in_string && (c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    if (kept > 0) {
        sf_buf_add(clean, text.p + kept, text.n - kept);
    }
    return clean->err;
}

enum sf_err json_parse(struct sf_str text, struct json_limits limits, json_t **out,
                       struct sf_errbuf *eb)
{
    if (text.n > limits.max_bytes) {
        return sf_fail(eb, SF_ELIMIT, "JSON larger than %zu bytes", limits.max_bytes);
    }
    struct sf_buf clean;
    sf_buf_init(&clean, limits.max_bytes);
    enum sf_err err = prescan(text, limits.max_depth, &clean, eb);
    if (err == SF_OK) {
        json_error_t detail;
        struct sf_str kept = clean.n > 0 ? sf_buf_str(&clean) : text;
        json_t *value =
            json_loadb(kept.p, kept.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &detail);
        if (value == NULL) {
            err = sf_fail(eb, SF_EPARSE, "malformed JSON at line %d column %d: %s", detail.line,
                          detail.column, detail.text);
        } else {
            *out = value;
        }
    }
    sf_buf_fini(&clean);
    return err;
}

const char *json_get_string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

struct sf_str json_get_str(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return (struct sf_str){json_is_string(v) ? json_string_value(v) : "", json_string_length(v)};
}

const json_t *json_get_object(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_object(v) ? v : NULL;
}

const json_t *json_get_array(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_array(v) ? v : NULL;
}

bool json_get_int(const json_t *object, const char *key, int64_t *out)
{
    const json_t *v = json_object_get(object, key);
    if (!json_is_integer(v)) {
        return false;
    }
    *out = json_integer_value(v);
    return true;
}

bool json_get_number(const json_t *object, const char *key, double *out)
{
    const json_t *v = json_object_get(object, key);
    if (!json_is_number(v)) {
        return false;
    }
    *out = json_number_value(v);
    return true;
}

bool json_get_bool(const json_t *object, const char *key, bool fallback)
{
    const json_t *v = json_object_get(object, key);
    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

/* One step of a pointer from `at`; NULL when it leads nowhere. */
static json_t *step(const json_t *at, struct sf_str part)
{
    uint64_t index;
    if (json_is_array(at)) {
        return sf_scan_u64(part, 1000000, &index) ? json_array_get(at, (size_t)index) : NULL;
    }
    return json_is_object(at) ? json_object_getn(at, part.p, part.n) : NULL;
}

json_t *json_at(const json_t *root, const char *pointer)
{
    struct sf_str rest = sf_str(pointer), part;
    json_t *at = (json_t *)(uintptr_t)root; /* the library's own getters drop const the same way */
    if (rest.n > 0) {
        (void)sf_str_next(&rest, '/', &part); /* what stands before the first '/' is empty */
    }
    while (at != NULL && sf_str_next(&rest, '/', &part)) {
        at = step(at, part);
    }
    return at;
}

/* Puts `value` (stolen) under `part` of `at`, filling an array with nulls up to its index. */
static int put(json_t *at, struct sf_str part, json_t *value)
{
    uint64_t index;
    if (json_is_object(at)) {
        return json_object_setn_new(at, part.p, part.n, value);
    }
    if (!json_is_array(at) || !sf_scan_u64(part, 4095, &index)) {
        json_decref(value);
        return -1;
    }
    while (json_array_size(at) <= index) {
        if (json_array_append_new(at, json_null()) != 0) {
            json_decref(value);
            return -1;
        }
    }
    return json_array_set_new(at, (size_t)index, value);
}

enum sf_err json_set_at_new(json_t *root, const char *pointer, json_t *value_own)
{
    struct sf_str rest = sf_str(pointer), part;
    if (value_own == NULL) {
        return SF_ENOMEM;
    }
    (void)sf_str_next(&rest, '/', &part);
    json_t *at = root;
    while (sf_str_next(&rest, '/', &part)) {
        if (rest.n == 0) {
            return put(at, part, value_own) == 0 ? SF_OK : SF_EINVAL;
        }
        json_t *next = step(at, part);
        if (next == NULL || json_is_null(next)) {
            uint64_t ignored;
            struct sf_str peek = rest, following;
            (void)sf_str_next(&peek, '/', &following);
            next = sf_scan_u64(following, 4095, &ignored) ? json_array() : json_object();
            if (next == NULL || put(at, part, next) != 0) {
                json_decref(value_own);
                return SF_EINVAL;
            }
        }
        at = next;
    }
    json_decref(value_own);
    return SF_EINVAL;
}

json_t *json_text(struct sf_str s)
{
    json_t *value = json_stringn(s.p, s.n);
    if (value != NULL || sf_utf8_is_valid(s)) {
        return value;
    }
    struct sf_buf b;
    sf_buf_init(&b, s.n * 3);
    while (s.n > 0) {
        bool valid;
        sf_utf8_put(&b, sf_utf8_next(&s, &valid));
    }
    value = b.err == SF_OK ? json_stringn(sf_buf_z(&b), b.n) : NULL;
    sf_buf_fini(&b);
    return value;
}

/* SPDX-License-Identifier: MIT */
#include "bittensor/body_hash.h"

#include "base/hex.h"
#include "bittensor/crypto.h"

#include <math.h>
#include <string.h>

#define RENDER_CAP (1U << 20)

static void hash_hex(struct sf_str text, char out[static 65])
{
    uint8_t hash[32];
    crypto_sha3_256(text.p, text.n, hash);
    sf_hex_encode(hash, sizeof hash, out);
}

/* The shortest decimal that reads back as the same double, with a point: only where Python's repr
 * uses no exponent. */
static enum sf_err render_float(double v, struct sf_buf *out)
{
    char text[320]; /* "%.0f" of any double fits */
    double back = 0;
    if (v != 0 && (fabs(v) < 1e-4 || fabs(v) >= 1e16)) {
        return SF_EINVAL;
    }
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, v);
        if (sf_scan_double(sf_str(text), &back) && !(back < v) && !(back > v)) {
            break;
        }
    }
    if (strchr(text, 'e') != NULL) {
        (void)snprintf(text, sizeof text, "%.0f", v);
    }
    sf_buf_printf(out, "%s%s", text, strchr(text, '.') == NULL ? ".0" : "");
    return out->err;
}

static enum sf_err render(const json_t *v, bool nested, struct sf_buf *out);

static enum sf_err render_list(const json_t *list, struct sf_buf *out)
{
    enum sf_err err = SF_OK;
    sf_buf_putc(out, '[');
    for (size_t i = 0; i < json_array_size(list) && err == SF_OK; i++) {
        sf_buf_puts(out, i == 0 ? "" : ", ");
        err = render(json_array_get(list, i), true, out);
    }
    sf_buf_putc(out, ']');
    return err == SF_OK ? out->err : err;
}

/* Python's repr of a string that needs no escapes. */
static enum sf_err render_nested_string(const json_t *v, struct sf_buf *out)
{
    struct sf_str s = {json_string_value(v), json_string_length(v)};
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < ' ' || c > '~' || c == '\'' || c == '\\') {
            return SF_EINVAL;
        }
    }
    sf_buf_printf(out, "'%.*s'", SF_STR_ARG(s));
    return out->err;
}

static enum sf_err render(const json_t *v, bool nested, struct sf_buf *out)
{
    switch (json_typeof(v)) {
    case JSON_STRING:
        if (nested) {
            return render_nested_string(v, out);
        }
        sf_buf_add(out, json_string_value(v), json_string_length(v));
        return out->err;
    case JSON_INTEGER:
        sf_buf_printf(out, "%lld", (long long)json_integer_value(v));
        return out->err;
    case JSON_REAL:
        return render_float(json_real_value(v), out);
    case JSON_TRUE:
        sf_buf_puts(out, "True");
        return out->err;
    case JSON_FALSE:
        sf_buf_puts(out, "False");
        return out->err;
    case JSON_NULL:
        sf_buf_puts(out, "None");
        return out->err;
    case JSON_ARRAY:
        return nested ? SF_EINVAL : render_list(v, out);
    case JSON_OBJECT:
        break;
    }
    return SF_EINVAL;
}

enum sf_err body_hash(const json_t *const *fields, size_t n, char out[static 65])
{
    struct sf_buf all, one;
    enum sf_err err = SF_OK;
    sf_buf_init(&all, RENDER_CAP);
    sf_buf_init(&one, RENDER_CAP);
    for (size_t i = 0; i < n && err == SF_OK; i++) {
        char hex[65];
        sf_buf_clear(&one);
        err = render(fields[i], false, &one);
        if (err == SF_OK) {
            hash_hex(sf_buf_str(&one), hex);
            sf_buf_puts(&all, hex);
        }
    }
    if (err == SF_OK) {
        err = all.err;
    }
    if (err == SF_OK) {
        hash_hex(sf_buf_str(&all), out);
    }
    sf_buf_fini(&all);
    sf_buf_fini(&one);
    return err;
}

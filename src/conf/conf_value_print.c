/* SPDX-License-Identifier: MIT */
#include "conf/conf_internal.h"

#include <string.h>

/* ------------------------------------------------------------------ printing */

/* Whether it can stand without quotes, and nobody could take it for something else. */
static bool is_plain_text(const char *s)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "null"};
    bool letter = (s[0] >= 'a' && s[0] <= 'z') || (s[0] >= 'A' && s[0] <= 'Z');
    bool path = s[0] == '/' || ((s[0] == '.' || s[0] == '~') && s[1] == '/');
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        letter = letter && !sf_str_is_nocase(sf_str(s), words[i]);
    }
    if (!letter && !path) {
        return false;
    }
    for (const char *p = s; *p != '\0'; p++) {
        bool fine = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                    (*p >= '0' && *p <= '9') || strchr("-_./:~+@", *p) != NULL;
        if (!fine) {
            return false;
        }
    }
    return s[strlen(s) - 1] != ':';
}

static void print_text(const char *s, struct sf_buf *out)
{
    if (is_plain_text(s)) {
        sf_buf_puts(out, s);
        return;
    }
    json_t *value = json_string(s);
    if (value == NULL) {
        value = json_string("(not UTF-8)");
    }
    json_print(value, out);
    json_decref(value);
}

/* A password in an address is not shown. */
static void print_url(const char *s, struct sf_buf *out)
{
    const char *host = strstr(s, "://");
    const char *at = host != NULL ? strchr(host, '@') : NULL;
    const char *slash = host != NULL ? strchr(host + 3, '/') : NULL;
    if (at == NULL || (slash != NULL && slash < at)) {
        print_text(s, out);
        return;
    }
    struct sf_buf masked;
    sf_buf_init(&masked, 1U << 16);
    sf_buf_printf(&masked, "%.*s***%s", (int)(host + 3 - s), s, at);
    print_text(sf_buf_z(&masked), out);
    sf_buf_fini(&masked);
}

static void print_bytes(int64_t v, struct sf_buf *out)
{
    for (size_t i = 0; v > 0 && i < CONF_N_PRINTED_UNITS; i++) {
        if (v % conf_units[i].bytes == 0) {
            sf_buf_printf(out, "%lld%s", (long long)(v / conf_units[i].bytes), conf_units[i].name);
            return;
        }
    }
    sf_buf_printf(out, "%lld", (long long)v);
}

static void print_number(const struct conf_row *row, const void *base, struct sf_buf *out)
{
    int64_t whole = 0;
    double real = 0;
    bool truth = false;
    int three = 0;
    switch (row->type) {
    case CONF_BOOL:
        memcpy(&truth, base, sizeof truth);
        sf_buf_puts(out, truth ? "true" : "false");
        break;
    case CONF_SWITCH3:
        memcpy(&three, base, sizeof three);
        sf_buf_puts(out, three < 0 ? "auto" : three > 0 ? "true" : "false");
        break;
    case CONF_REAL:
        memcpy(&real, base, sizeof real);
        sf_buf_printf(out, "%.15g", real);
        break;
    case CONF_SECONDS:
        memcpy(&whole, base, sizeof whole);
        sf_buf_printf(out, "%.15g", (double)whole / 1000);
        break;
    case CONF_BYTES:
        memcpy(&whole, base, sizeof whole);
        print_bytes(whole, out);
        break;
    default:
        memcpy(&whole, base, sizeof whole);
        sf_buf_printf(out, "%lld", (long long)whole);
        break;
    }
}

void conf_value_print(const struct conf_row *row, const void *base, struct sf_buf *out)
{
    if (conf_is_text(row->type)) {
        const char *text;
        memcpy(&text, base, sizeof text);
        if ((row->flags & CONF_SECRET) != 0) {
            sf_buf_puts(out, text[0] != '\0' ? "\"***\"" : "\"\"");
        } else {
            print_url(text, out);
        }
    } else if (row->type == CONF_LIST) {
        struct conf_strings list;
        memcpy(&list, base, sizeof list);
        sf_buf_puts(out, list.set ? "[" : "null");
        for (size_t i = 0; i < list.n; i++) {
            sf_buf_puts(out, i > 0 ? ", " : "");
            print_text(list.v[i], out);
        }
        sf_buf_puts(out, list.set ? "]" : "");
    } else if (row->type == CONF_MAP) {
        struct conf_pairs map;
        memcpy(&map, base, sizeof map);
        sf_buf_puts(out, "{");
        for (size_t i = 0; i < map.n; i++) {
            sf_buf_puts(out, i > 0 ? ", " : "");
            print_text(map.v[i].name, out);
            sf_buf_puts(out, ": ");
            print_text((row->flags & CONF_SECRET) != 0 ? "***" : map.v[i].value, out);
        }
        sf_buf_puts(out, "}");
    } else if (row->type != CONF_SECTION && row->type != CONF_RECORDS) {
        print_number(row, base, out);
    }
}

json_t *conf_value_json(const struct conf_row *row, const void *base)
{
    struct sf_buf text;
    sf_buf_init(&text, 1U << 20);
    conf_value_print(row, base, &text);
    json_t *value = NULL;
    struct sf_errbuf eb;
    if (text.err == SF_OK &&
        sf_yaml_to_json(sf_buf_str(&text), YAML_LIMITS_DEFAULT, &value, &eb) != SF_OK) {
        value = json_string(sf_buf_z(&text));
    }
    sf_buf_wipe(&text);
    return value;
}

/* ------------------------------------------------------------------ what it takes */

static void put_range(const struct conf_row *row, const char *what, struct sf_buf *out)
{
    sf_buf_printf(out, "%s from %.15g to %.15g", what, row->min, row->max);
}

void conf_value_takes(const struct conf_row *row, struct sf_buf *out)
{
    struct sf_str rest, one;
    const char *between = "";
    switch (row->type) {
    case CONF_BOOL:
        sf_buf_puts(out, "true or false");
        break;
    case CONF_SWITCH3:
        sf_buf_puts(out, "true, false or auto");
        break;
    case CONF_INT:
        put_range(row, "a whole number", out);
        break;
    case CONF_REAL:
        put_range(row, "a number", out);
        break;
    case CONF_SECONDS:
        put_range(row, "a number of seconds", out);
        break;
    case CONF_MILLIS:
        put_range(row, "a whole number of milliseconds", out);
        break;
    case CONF_BYTES:
        sf_buf_puts(out, "a size such as 512MB or 16GiB");
        if (row->min > 0) {
            sf_buf_printf(out, ", at least %.15g bytes", row->min);
        }
        break;
    case CONF_TEXT:
        sf_buf_printf(out, "a text%s%s%s", row->choices != NULL ? " (" : "",
                      row->choices != NULL ? row->choices : "", row->choices != NULL ? ")" : "");
        break;
    case CONF_CHOICE:
        rest = sf_str(row->choices);
        while (sf_str_next(&rest, '|', &one)) {
            sf_buf_printf(out, "%s%.*s", between, SF_STR_ARG(one));
            between = rest.n > 0 && memchr(rest.p, '|', rest.n) == NULL ? " or " : ", ";
        }
        break;
    case CONF_PATH:
        sf_buf_puts(out, "a path");
        break;
    case CONF_URL:
        sf_buf_puts(out, "an address that begins with http:// or https://");
        break;
    case CONF_VARIABLE:
        sf_buf_puts(out, "the name of an environment variable");
        break;
    case CONF_LIST:
        sf_buf_puts(out, "a list of texts");
        break;
    case CONF_MAP:
        sf_buf_puts(out, "names with texts (NAME: value)");
        break;
    case CONF_SECTION:
        sf_buf_puts(out, "keys with values under it");
        break;
    case CONF_RECORDS:
        sf_buf_puts(out, (row->flags & CONF_ONE_OK) != 0 ? "keys with values, or a list of them"
                                                         : "a list of keys with values");
        break;
    }
}

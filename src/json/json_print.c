/* SPDX-License-Identifier: MIT */
#include "json/json.h"

#include <string.h>

/* The library prints a text byte by byte through a function pointer and keeps a table of the
 * containers it is in; an answer is printed two times. What is compact is printed here, to the same
 * bytes but for numbers, each of which gets the digits that it needs. */

#define DEPTH_MAX 512

#define REAL_DIGITS 15 /* all that a decimal number surely keeps in a double: 0.08 stays 0.08 */
#define REAL_DIGITS_MAX 17

static bool survives(double real, int digits)
{
    char text[40];
    double back = 0;
    int n = snprintf(text, sizeof text, "%.*g", digits, real);
    return n > 0 && sf_scan_double((struct sf_str){text, (size_t)n}, &back) && !(back < real) &&
           !(back > real);
}

static int digits_of_number(double real)
{
    int digits = REAL_DIGITS;
    while (digits < REAL_DIGITS_MAX && !survives(real, digits)) {
        digits++;
    }
    return digits;
}

static void put_escape(struct sf_buf *b, unsigned char c)
{
    static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs */
    for (size_t i = 0; i + 1 < sizeof names; i += 2) {
        if ((unsigned char)names[i] == c) {
            const char two[2] = {'\\', names[i + 1]};
            sf_buf_add(b, two, 2);
            return;
        }
    }
    sf_buf_printf(b, "\\u%04X", c);
}

static void put_text(struct sf_buf *b, const char *p, size_t n)
{
    size_t from = 0;
    sf_buf_putc(b, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c < ' ' || c == '"' || c == '\\') {
            sf_buf_add(b, p + from, i - from);
            put_escape(b, c);
            from = i + 1;
        }
    }
    sf_buf_add(b, p + from, n - from);
    sf_buf_putc(b, '"');
}

static void put_real(struct sf_buf *b, const json_t *value)
{
    char text[64];
    size_t flags =
        JSON_ENCODE_ANY | JSON_REAL_PRECISION((size_t)digits_of_number(json_real_value(value)));
    size_t n = json_dumpb(value, text, sizeof text, flags);
    sf_buf_add(b, text, n <= sizeof text ? n : 0);
}

static void put_value(struct sf_buf *b, const json_t *value, unsigned depth);

static void put_object(struct sf_buf *b, const json_t *value, unsigned depth)
{
    json_t *object = (json_t *)(uintptr_t)value; /* the library's iterators are not const */
    bool first = true;
    sf_buf_putc(b, '{');
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        if (!first) {
            sf_buf_putc(b, ',');
        }
        put_text(b, json_object_iter_key(at), json_object_iter_key_len(at));
        sf_buf_putc(b, ':');
        put_value(b, json_object_iter_value(at), depth);
        first = false;
    }
    sf_buf_putc(b, '}');
}

static void put_array(struct sf_buf *b, const json_t *value, unsigned depth)
{
    sf_buf_putc(b, '[');
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (i > 0) {
            sf_buf_putc(b, ',');
        }
        put_value(b, json_array_get(value, i), depth);
    }
    sf_buf_putc(b, ']');
}

static void put_value(struct sf_buf *b, const json_t *value, unsigned depth)
{
    if (value == NULL || depth == DEPTH_MAX || b->err != SF_OK) {
        b->err = b->err != SF_OK ? b->err : value == NULL ? SF_ENOMEM : SF_ELIMIT;
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(b, value, depth + 1);
        break;
    case JSON_ARRAY:
        put_array(b, value, depth + 1);
        break;
    case JSON_STRING:
        put_text(b, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        sf_buf_printf(b, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        put_real(b, value);
        break;
    case JSON_TRUE:
        sf_buf_puts(b, "true");
        break;
    case JSON_FALSE:
        sf_buf_puts(b, "false");
        break;
    case JSON_NULL:
        sf_buf_puts(b, "null");
        break;
    }
}

void json_print(const json_t *value, struct sf_buf *b)
{
    put_value(b, value, 0);
}

static int append_chunk(const char *chunk, size_t n, void *arg)
{
    struct sf_buf *b = arg;
    sf_buf_add(b, chunk, n);
    return b->err == SF_OK ? 0 : -1;
}

/* The digits with which every number in `value` comes back as it is. */
static int digits_of(const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;
    int digits = REAL_DIGITS;
    if (json_is_real(value)) {
        return digits_of_number(json_real_value(value));
    }
    json_array_foreach(value, i, member)
    {
        int more = digits_of(member);
        digits = more > digits ? more : digits;
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        int more = digits_of(member);
        digits = more > digits ? more : digits;
    }
    return digits;
}

void json_print_pretty(const json_t *value, struct sf_buf *b)
{
    size_t flags = JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION((size_t)digits_of(value));
    if (json_dump_callback(value, append_chunk, b, flags) != 0 && b->err == SF_OK) {
        b->err = SF_ENOMEM;
    }
}

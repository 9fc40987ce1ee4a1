/* SPDX-License-Identifier: MIT */
#include "miner/query.h"

#include "base/hex.h"

/* One byte of an encoded text, moved behind; -1 when it is encoded wrongly. */
static int next_byte(struct sf_str *s)
{
    uint8_t byte = (uint8_t)s->p[0];
    size_t used = 1;
    if (byte == '%') {
        if (s->n < 3 || !sf_hex_decode((struct sf_str){s->p + 1, 2}, &byte, 1)) {
            return -1;
        }
        used = 3;
    } else if (byte == '+') {
        byte = ' ';
    }
    s->p += used;
    s->n -= used;
    return byte;
}

static bool decode(struct sf_str s, char *out, size_t room)
{
    size_t n = 0;
    while (s.n > 0) {
        int byte = next_byte(&s);
        if (byte <= 0 || n + 1 >= room) {
            out[0] = '\0';
            return false;
        }
        out[n++] = (char)byte;
    }
    out[n] = '\0';
    return true;
}

bool query_argument(struct sf_str query, const char *name, char *out, size_t room)
{
    struct sf_str pair, key;
    out[0] = '\0';
    while (sf_str_next(&query, '&', &pair)) {
        if (pair.n == 0) {
            continue;
        }
        struct sf_str value = pair;
        if (sf_str_next(&value, '=', &key) && sf_str_is(key, name)) {
            return decode(value, out, room);
        }
    }
    return false;
}

bool request_argument(const struct http_request *r, const char *name, char *out, size_t room)
{
    return query_argument(sf_str(r->query), name, out, room);
}

struct sf_str cookie_value(struct sf_str header, const char *name)
{
    struct sf_str pair, key;
    while (sf_str_next(&header, ';', &pair)) {
        struct sf_str value = sf_str_trim(pair);
        if (sf_str_next(&value, '=', &key) && sf_str_is(key, name)) {
            return value;
        }
    }
    return (struct sf_str){"", 0};
}

/* SPDX-License-Identifier: MIT */
#ifndef SF_JSON_JSON_H
#define SF_JSON_JSON_H

#include "base/buf.h"

#include <jansson.h> /* the only place: values are json_t everywhere, parsing and printing are ours */

struct json_limits {
    size_t max_bytes;
    unsigned max_depth; /* of nested arrays and objects */
};
#define JSON_LIMITS_DEFAULT ((struct json_limits){.max_bytes = 4U << 20, .max_depth = 32})

/* Parses one JSON text. Refuses with SF_EPARSE: duplicate keys, NaN and Infinity, lone surrogates,
 * invalid UTF-8, anything behind the value; with SF_ELIMIT: over the limits (a pre-scan bounds the
 * depth before anything is built). NUL characters in strings (\u0000) are dropped.
 * Caller owns *out (json_decref). */
SF_MUST_USE enum sf_err json_parse(struct sf_str text, struct json_limits limits, json_t **out,
                                   struct sf_errbuf *eb);

/* Compact UTF-8 text, keys in insertion order; appends to `b` (sticky error there). */
void json_print(const json_t *value, struct sf_buf *b);
void json_print_pretty(const json_t *value, struct sf_buf *b);

/* Members with a type check: NULL / false / default when absent or of another type. Borrowed. */
const char *json_get_string(const json_t *object, const char *key);
struct sf_str json_get_str(const json_t *object, const char *key);
const json_t *json_get_object(const json_t *object, const char *key);
const json_t *json_get_array(const json_t *object, const char *key);
bool json_get_int(const json_t *object, const char *key, int64_t *out);
bool json_get_number(const json_t *object, const char *key, double *out);
bool json_get_bool(const json_t *object, const char *key, bool fallback);

/* A string value of bytes from outside: what is no UTF-8 becomes U+FFFD. NULL: out of memory. */
json_t *json_text(struct sf_str bytes);

/* By JSON pointer ("/chapters/0/title", no ~ escapes); NULL when absent. Borrowed. */
json_t *json_at(const json_t *root, const char *pointer);
/* Sets a value at a pointer, making the objects and arrays (by numeric parts) on the way. Steals
 * `value` also on failure. */
SF_MUST_USE enum sf_err json_set_at_new(json_t *root, const char *pointer, json_t *value_own);

#endif

/* SPDX-License-Identifier: MIT */
/* JSON from outside: what parses prints, and parses again to the same value. */
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sf_str text = {(const char *)data, n};
    struct json_limits limits = {.max_bytes = 65536, .max_depth = 16};
    struct sf_errbuf eb = {0};
    json_t *value = NULL;
    json_t *again = NULL;
    struct sf_buf out;
    enum sf_err err = json_parse(text, limits, &value, &eb);

    SF_BUG_ON((err == SF_OK) != (value != NULL));
    SF_BUG_ON(err != SF_OK && eb.text[0] == '\0');
    if (err != SF_OK) {
        return 0;
    }
    sf_buf_init(&out, 1 << 20);
    json_print(value, &out);
    SF_BUG_ON(out.err != SF_OK);
    limits.max_bytes = 1 << 20;
    SF_BUG_ON(json_parse(sf_buf_str(&out), limits, &again, &eb) != SF_OK);
    SF_BUG_ON(!json_equal(value, again));
    json_decref(value);
    json_decref(again);
    sf_buf_fini(&out);
    return 0;
}

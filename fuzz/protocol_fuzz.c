/* SPDX-License-Identifier: MIT */
/* What an engine child sends: messages come out whole, however the bytes are cut. */
#include "engine/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct protocol_reader r;
    enum sf_err err = SF_OK;
    size_t step = n > 0 ? 1 + data[0] % 97U : 1;
    protocol_reader_init(&r);
    for (size_t at = 1; at < n && err == SF_OK; at += step) {
        json_t *m = NULL;
        size_t left = n - at;
        protocol_feed(&r, (struct sf_str){(const char *)data + at, left < step ? left : step});
        while ((err = protocol_next(&r, &m)) == SF_OK && m != NULL) {
            SF_BUG_ON(json_get_string(m, "type") == NULL);
            json_decref(m);
        }
    }
    SF_BUG_ON(err != SF_OK && err != SF_EPARSE);
    protocol_reader_fini(&r);
    return 0;
}

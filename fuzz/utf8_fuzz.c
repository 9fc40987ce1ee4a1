/* SPDX-License-Identifier: MIT */
/* UTF-8: the reader ends, counts agree, and what is valid is written back byte for byte. */
#include "base/utf8.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sf_str text = {(const char *)data, n};
    struct sf_str rest = text;
    struct sf_buf again;
    bool all_valid = true;
    size_t count = 0;

    sf_buf_init(&again, 4 * n + 1);
    while (rest.n > 0) {
        size_t before = rest.n;
        bool valid = false;
        uint32_t c = sf_utf8_next(&rest, &valid);

        SF_BUG_ON(rest.n >= before || before - rest.n > 4);
        SF_BUG_ON(!valid && (c != 0xFFFD || before - rest.n != 1));
        all_valid = all_valid && valid;
        sf_utf8_put(&again, c);
        count++;
    }
    SF_BUG_ON(sf_utf8_is_valid(text) != all_valid);
    SF_BUG_ON(sf_utf8_count(text) != count);
    SF_BUG_ON(sf_utf8_head(text, count).n != n);
    SF_BUG_ON(sf_utf8_count(sf_utf8_head(text, count / 2)) != count / 2);
    SF_BUG_ON(!sf_utf8_is_valid(sf_buf_str(&again)));
    SF_BUG_ON(all_valid && (again.n != n || (n && memcmp(again.p, data, n) != 0)));
    (void)sf_utf8_is_mostly_cjk(text);
    sf_buf_fini(&again);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* The answer of a custom service or plugin: a story and what is known of who wrote it come out, or
 * what is wrong is said. */
#include "generator/content.h"

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sf_errbuf eb = {0};
    struct gen_result r = {.output = NULL};
    json_t *answer = NULL;
    struct sf_str text = {(const char *)data, n};
    enum sf_err err = content_parse(text, 65536, "the answer", &r.output, &answer, &eb);
    SF_BUG_ON((err == SF_OK) != json_is_object(r.output));
    SF_BUG_ON(err != SF_OK && eb.text[0] == '\0');
    if (err == SF_OK) {
        content_read_info(answer, &r);
        SF_BUG_ON(!sf_utf8_is_valid(sf_str(r.name)) || r.usage.generated_tokens < 0);
    }
    json_decref(answer);
    gen_result_fini(&r);
    return 0;
}

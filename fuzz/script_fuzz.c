/* SPDX-License-Identifier: MIT */
/* A script's stdout: an object comes out of it, or what is wrong with it is said. */
#include "generator/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sf_errbuf eb = {0};
    json_t *output = NULL;
    enum sf_err err = script_parse_output((struct sf_str){(const char *)data, n}, &output, &eb);
    SF_BUG_ON((err == SF_OK) != json_is_object(output));
    SF_BUG_ON(err != SF_OK && eb.text[0] == '\0');
    json_decref(output);
    return 0;
}

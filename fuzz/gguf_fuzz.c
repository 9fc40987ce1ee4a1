/* SPDX-License-Identifier: MIT */
/* The head of a model file from anywhere. */
#include "app/gguf_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct gguf_head h;
    struct sf_errbuf eb = {0};
    enum sf_err err = gguf_head_parse((struct sf_str){(const char *)data, n}, &h, &eb);

    SF_BUG_ON(err != SF_OK && eb.text[0] == '\0');
    if (err == SF_OK) {
        SF_BUG_ON(h.layers < 0 || h.kv_heads_sum < 0 || h.head_dim < 0 || h.least_bytes < 0);
        SF_BUG_ON(h.block_bytes > h.tensor_bytes || h.tensor_bytes < 0);
        SF_BUG_ON(gguf_head_kv_bytes(&h) < 0);
    }
    return 0;
}

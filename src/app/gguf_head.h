/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_GGUF_HEAD_H
#define SF_APP_GGUF_HEAD_H

#include "base/err.h"
#include "base/str.h"

/* The head of a GGUF file: what a model is, and how large its file has to be. 0 and "" where the
 * file does not say. */
struct gguf_head {
    char architecture[32], name[128], license[48];
    int64_t context_tokens, layers, embedding, heads, experts, experts_used;
    int64_t kv_heads_sum; /* of all layers: some models differ by layer */
    int64_t head_dim;
    int64_t split_count, split_no; /* of a model in several files */
    int64_t n_tensors;
    double parameters;
    int64_t block_bytes; /* of the tensors of all layers; the rest is embeddings and output */
    int64_t tensor_bytes;
    int64_t least_bytes; /* a smaller file is cut off */
};

/* Reads the head from the file's first bytes. SF_EINCOMPLETE: more of the file is needed;
 * SF_EPARSE: no GGUF, or one that contradicts itself; SF_ELIMIT: larger than any known model's.
 * *out is unspecified on failure. Looks at `bytes` alone. */
SF_MUST_USE enum sf_err gguf_head_parse(struct sf_str bytes, struct gguf_head *out,
                                        struct sf_errbuf *eb);
/* The same of a file, whose size is checked too (SF_EINCOMPLETE: cut off). SF_ENOTFOUND, SF_EIO,
 * SF_ENOMEM. Reads at most 64 MiB. */
SF_MUST_USE enum sf_err gguf_head_read(const char *path, struct gguf_head *out,
                                       struct sf_errbuf *eb);

/* Bytes of keys and values for one token of context, 16 bits each; 0 unknown. */
int64_t gguf_head_kv_bytes(const struct gguf_head *h);

#endif

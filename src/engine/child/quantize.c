/* SPDX-License-Identifier: MIT */
#include "engine/child/quantize.h"

#include "engine/child/cpu_limit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum llama_ftype type;
    enum ggml_type matrix; /* for output_type; GGML_TYPE_COUNT: a mixture, not for one matrix */
} types[] = {
    {"Q4_K_M", LLAMA_FTYPE_MOSTLY_Q4_K_M, GGML_TYPE_COUNT},
    {"Q4_K_S", LLAMA_FTYPE_MOSTLY_Q4_K_S, GGML_TYPE_Q4_K},
    {"IQ4_XS", LLAMA_FTYPE_MOSTLY_IQ4_XS, GGML_TYPE_IQ4_XS},
    {"Q4_0", LLAMA_FTYPE_MOSTLY_Q4_0, GGML_TYPE_Q4_0},
    {"Q4_1", LLAMA_FTYPE_MOSTLY_Q4_1, GGML_TYPE_Q4_1},
    {"Q5_K_M", LLAMA_FTYPE_MOSTLY_Q5_K_M, GGML_TYPE_COUNT},
    {"Q5_K_S", LLAMA_FTYPE_MOSTLY_Q5_K_S, GGML_TYPE_Q5_K},
    {"Q6_K", LLAMA_FTYPE_MOSTLY_Q6_K, GGML_TYPE_Q6_K},
    {"Q8_0", LLAMA_FTYPE_MOSTLY_Q8_0, GGML_TYPE_Q8_0},
    {"Q3_K_M", LLAMA_FTYPE_MOSTLY_Q3_K_M, GGML_TYPE_COUNT},
    {"F16", LLAMA_FTYPE_MOSTLY_F16, GGML_TYPE_F16},
    {"BF16", LLAMA_FTYPE_MOSTLY_BF16, GGML_TYPE_BF16},
};
#define N_TYPES (sizeof types / sizeof types[0])

static size_t find_type(const char *name)
{
    size_t i = 0;
    while (i < N_TYPES && (!name || strcasecmp(types[i].name, name) != 0))
        i++;
    return i;
}

/* What the library tells: "[  12/ 272] blk.0…" as it goes, and why it failed. */
static struct {
    model_progress_fn fn;
    void *arg;
    char said[300];
} hearing;

static void listen(enum ggml_log_level level, const char *text, void *arg)
{
    uint64_t done = 0, total = 0;
    struct sf_str rest = sf_str(text), number;
    (void)arg;
    if (level == GGML_LOG_LEVEL_ERROR)
        (void)snprintf(hearing.said, sizeof hearing.said, "%.*s", (int)strcspn(text, "\n"), text);
    if (rest.n > 0 && rest.p[0] == '[' && sf_str_next(&rest, '/', &number)) {
        number = sf_str_trim((struct sf_str){number.p + 1, number.n - 1});
        struct sf_str of = {"", 0};
        (void)sf_str_next(&rest, ']', &of);
        if (sf_scan_u64(number, 1000000, &done) && sf_scan_u64(sf_str_trim(of), 1000000, &total) &&
            total > 0 && done <= total && hearing.fn)
            (void)hearing.fn(hearing.arg, (int)(done * 1000 / total));
    }
}

enum sf_err quantize_run(const struct quantize_order *o, model_progress_fn progress, void *arg,
                         struct sf_errbuf *eb)
{
    size_t type = find_type(o->type), matrix = find_type(o->output_type);
    if (type == N_TYPES ||
        (o->output_type && (matrix == N_TYPES || types[matrix].matrix == GGML_TYPE_COUNT)))
        return sf_fail(eb, SF_EINVAL,
                       "\"%.40s\" is no type to quantize to: Q4_K_M, Q4_K_S, IQ4_XS, Q4_0, Q5_K_M, "
                       "Q6_K, Q8_0, F16",
                       type == N_TYPES && o->type ? o->type
                       : o->output_type           ? o->output_type
                                                  : "");
    enum sf_err err = model_start_library(o->lib_dir, eb);
    if (err)
        return err;
    hearing.fn = progress;
    hearing.arg = arg;
    hearing.said[0] = '\0';
    llama_log_set(listen, NULL);
    struct llama_model_quantize_params p = llama_model_quantize_default_params();
    p.nthread = o->threads > 0 ? o->threads : cpu_limit();
    p.ftype = types[type].type;
    p.allow_requantize = true;
    if (o->output_type)
        p.output_tensor_type = p.token_embedding_type = types[matrix].matrix;
    if (llama_model_quantize(o->input, o->output, &p) != 0)
        return sf_fail(eb, SF_EMODEL, "%s was not written in %s: %s", o->input, o->type,
                       hearing.said[0] ? hearing.said : "is there room on the disk?");
    return SF_OK;
}

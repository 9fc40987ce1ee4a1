/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_IMPORT_H
#define SF_APP_MODEL_IMPORT_H

#include "conf/conf.h"

#include <stdatomic.h>

/* Weights as they are trained (safetensors) to a GGUF file in the models' folder: llama.cpp's
 * convert_hf_to_gguf.py writes 16 bits, storyfi-engine quantizes them. */
struct import_order {
    const char *source; /* a folder with config.json, a GGUF file, or owner/repository: from what
                           huggingface_hub keeps, else read from the hub by the converter */
    const char *python, *converter; /* NULL: what `make setup CONVERT=1` brought */
    const char *quantization;       /* "4bit", "none", "Q5_K_M"; NULL: the configuration's */
    /* What it does ("converting", …), permille -1: not known; may be NULL. */
    void (*on_stage)(void *arg, const char *what, int permille);
    void *arg;
    const atomic_bool *cancel;
};
struct import_result {
    char path[1024];
    char name[200]; /* for model_name */
    char sha256[65];
    int64_t bytes;
};

/* Blocks until the file is verified and has its name; half-made files are deleted. SF_ENOTFOUND: no
 * such source; SF_EINVAL: no such type, or it is there; SF_ECONFIG: no converter here, the text
 * says how to get it; SF_EUNAVAILABLE: the converter failed, with the end of what it said; SF_EIO,
 * SF_EMODEL, SF_ECANCELED. */
SF_MUST_USE enum sf_err model_import(const struct conf *conf, const struct import_order *o,
                                     struct import_result *out, struct sf_errbuf *eb);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_CATALOGUE_H
#define SF_APP_MODEL_CATALOGUE_H

#include "conf/conf.h"

/* What is known of models before their files are here: config/models.yaml, built in, with the
 * models of generator.local.catalogue in front. doc/models.md explains the keys. Strings are
 * borrowed from the catalogue; "" and 0 mean not known. */
#define MODEL_MAX_NAMES 6
#define MODEL_MAX_FILES 12
#define MODEL_MAX_LANGUAGES 4

struct model_file {
    const char *quant; /* "Q4_K_M" */
    const char *file;  /* its name in the repository, a folder in front allowed */
    int64_t bytes;     /* exact */
    int64_t about_bytes;
    const char *sha256; /* 64 lower-case hex digits, or "" */
};

struct model_entry {
    const char *names[MODEL_MAX_NAMES]; /* the first is the one shown */
    size_t n_names;
    const char *repo;    /* "bartowski/…-GGUF"; "" none: see `package` */
    const char *package; /* of the Python package index, for what the set-up fetches */
    struct model_file files[MODEL_MAX_FILES]; /* the first is taken for "4bit" */
    size_t n_files;
    const char *languages[MODEL_MAX_LANGUAGES]; /* static strings */
    size_t n_languages;
    const char *license, *template_name;
    bool gated, small, instruct;
    int64_t context_tokens, layers, kv_heads, head_dim;
    double parameters, active_parameters; /* billions */
    int64_t quality;                      /* an opinion: higher writes better stories */
    /* The row of the original's table, in GB; 0 none. */
    int64_t original_vram_gb, original_ram_gb, original_disk_gb;
};

struct model_catalogue {
    struct model_entry *v;
    size_t n;
    char problem[512]; /* why the owner's own file was skipped, naming it; "" fine */
    json_t *roots[2];  /* where the strings are */
};

/* Reads both. A broken file of the owner's is skipped and named in `problem`. SF_ENOMEM only. The
 * caller ends *out with model_catalogue_fini. */
SF_MUST_USE enum sf_err model_catalogue_init(const struct conf *conf, struct model_catalogue *out);
/* The same from texts (`own` may be empty). SF_EPARSE or SF_ELIMIT, naming the line or model, when
 * `text` is no catalogue. */
SF_MUST_USE enum sf_err model_catalogue_parse(struct sf_str text, struct model_catalogue *out,
                                              struct sf_errbuf *eb);
void model_catalogue_fini(struct model_catalogue *c);

/* By one of its names (case ignored), or the name of one of its files (a path is cut to it). NULL
 * when there is none. */
const struct model_entry *model_catalogue_find(const struct model_catalogue *c, const char *name);
/* The name nearest to `name`, NULL when nothing is near. */
const char *model_catalogue_nearest(const struct model_catalogue *c, const char *name);

/* The shortest name: what people type. */
const char *model_entry_alias(const struct model_entry *e);
/* The file of a GGUF type, NULL when the catalogue knows none. */
const struct model_file *model_entry_file(const struct model_entry *e, const char *quant);
/* Bytes of a file of this type: exact or rounded where known (*exact says which), else from the
 * number of parameters and the type's usual bits a weight; 0 unknown. */
int64_t model_entry_bytes(const struct model_entry *e, const char *quant, bool *exact);
/* Bits a weight of a GGUF type, embeddings and all, as usual; 0 unknown. */
double model_type_bits(const char *type);
/* Bytes of keys and values for one token, 16 bits each; 0 unknown. */
int64_t model_entry_kv_bytes(const struct model_entry *e);

/* The words of the original and the GGUF types they mean, in the order tried; any other word is a
 * type itself. NULL behind the last. */
const char *const *model_quant_types(const char *word);

/* "a/b.gguf" → "b.gguf". */
const char *model_base_name(const char *path);
/* A file name that may be made in a folder: ends in .gguf, no control characters, no leading dot.
 */
bool model_is_file_name(const char *name);
/* "owner/name" of plain characters. */
bool model_is_repo(struct sf_str s);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_STORE_H
#define SF_APP_MODEL_STORE_H

#include "conf/conf.h"

/* The folder where models are kept: models_dir, else the set-up's. Beside FILE.gguf lies
 * FILE.gguf.verified, "SHA-256 size mtime" as tools/setup.sh writes it; pins.json remembers which
 * content a hub's file had when it came first. */
#define MODEL_PATH_MAX 1024

/* "<cache of the set-up>/<rest>". */
void model_cache_path(const struct conf *conf, const char *rest, char *out, size_t n);
/* Where pulled files go. */
void model_store_dir(const struct conf *conf, char *out, size_t n);

struct model_stamp {
    char sha256[65];
    int64_t bytes, mtime;
};
/* False when there is none, or the file is not the one that was stamped any more; `sha256` is what
 * was stamped all the same ("" none). */
bool model_stamp_read(const char *path, struct model_stamp *out);
SF_MUST_USE enum sf_err model_stamp_write(const char *path, const char *sha256,
                                          struct sf_errbuf *eb);

/* The content that "repo/file" had when it was pulled first; "" none. */
void model_pin_read(const char *dir, const char *key, char sha256[static 65]);
SF_MUST_USE enum sf_err model_pin_write(const char *dir, const char *key, const char *sha256,
                                        struct sf_errbuf *eb);

struct model_local {
    char file[256]; /* its name in the folder */
    int64_t bytes;
    bool verified; /* its stamp fits */
    bool partial;  /* FILE.part: `bytes` are there, of `total` */
    int64_t total;
};
/* Files of the folder by name: *.gguf and *.gguf.part. A folder that is not there is empty. Caller
 * frees *out. SF_EIO, SF_ENOMEM. */
SF_MUST_USE enum sf_err model_store_list(const char *dir, struct model_local **out, size_t *n,
                                         struct sf_errbuf *eb);

/* What the model files of a folder take together, those half loaded too; 0 when it cannot be read.
 */
int64_t model_store_bytes(const char *dir);

/* "x-00002-of-00005.gguf": the numbers; false when the name is not of such a kind. */
bool model_split_name(const char *file, unsigned *no, unsigned *count, size_t *stem);

#endif

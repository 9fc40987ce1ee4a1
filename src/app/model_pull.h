/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_PULL_H
#define SF_APP_MODEL_PULL_H

#include "app/model_catalogue.h"
#include "app/model_fetch.h"

/* From what people type to verified files in the models' folder. */
#define PULL_MAX_FILES 64

struct pull_file {
    char repo[200], path[256]; /* in the hub; repo "": `url` */
    char url[600];
    char dest[1024];
    int64_t bytes;   /* 0 not known */
    char sha256[65]; /* "" not known */
    bool catalogued; /* sha256 is the catalogue's */
};
struct pull_list {
    char name[200];                  /* of the model, for messages */
    const struct model_entry *entry; /* NULL: not of the catalogue */
    struct pull_file *files; /* in the order they are pulled: of a split model the first part last,
                                since a model is found by it */
    size_t n;
};

struct pull_options {
    const char *name; /* a name of the catalogue, "auto", "owner/repo", "owner/repo:file.gguf",
                         "owner/repo:Q5_K_M", or an address */
    const char *quantization;    /* NULL: the configuration's */
    bool any_version;            /* take what the hub has now, whatever catalogue and pins say */
    struct fetch_want behaviour; /* fetch_want_default(), with cancel and progress as wanted */
    /* Hears of each file as it begins; may be NULL. */
    void (*on_file)(void *arg, const struct pull_file *file, size_t i, size_t n);
    void *arg;
};

enum pull_state { PULL_FETCHED, PULL_WAS_THERE };
struct pull_result {
    enum pull_state state;
    char sha256[65];
    int64_t bytes;
    char path[1024]; /* where it is: its `dest`, or among what huggingface_hub keeps */
    bool pinned;     /* nobody knew the checksum before: it is remembered from now on */
    char from[256];
};

/* Finds out which files are meant; asks the hub where the catalogue does not know. SF_ENOTFOUND,
 * SF_EINVAL, SF_ECONFIG and model_fetch's. Caller ends *out with pull_list_fini in any case. */
SF_MUST_USE enum sf_err pull_resolve(const struct conf *conf, const struct model_catalogue *c,
                                     const struct pull_options *o, struct pull_list *out,
                                     struct sf_errbuf *eb);
void pull_list_fini(struct pull_list *l);

/* Brings them here, `results` has room for l->n. Stops at the first that fails; what is whole stays
 * and is skipped the next time. */
SF_MUST_USE enum sf_err pull_run(const struct conf *conf, const struct pull_list *l,
                                 const struct pull_options *o, struct pull_result *results,
                                 struct sf_errbuf *eb);

/* The GGUF type at the end of a file's name ("x-Q4_K_M.gguf", "x.q8_0-00001-of-00002.gguf"), as it
 * is written there; empty when there is none. */
struct sf_str pull_type_of(const char *file);

#endif

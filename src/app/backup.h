/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_BACKUP_H
#define SF_APP_BACKUP_H

#include "conf/conf.h"

/* A folder with what this machine would miss: journal, configuration, the models' checksums
 * (pins.json), the kept metagraphs; when asked the wallet and .env. manifest.json names each file
 * with its size, SHA-256 and the place it came from. All of it is its owner's alone (0600). */
struct backup_options {
    const struct conf *conf;
    const char *dir; /* must not be there */
    bool wallet;     /* the key files of wallet.name too */
    bool env;        /* the .env beside the configuration too */
};

typedef void (*backup_said_fn)(void *arg, const char *name, const char *place, int64_t bytes);

/* Makes `dir`, also while a miner runs: whole, or not at all. `said` gets each file of it. Errors:
 * SF_ECONFIG (dir is there; nothing to save), SF_EIO, SF_EBUSY, SF_EPARSE (the journal is damaged).
 * Blocks on the disk. */
SF_MUST_USE enum sf_err backup_make(const struct backup_options *o, backup_said_fn said, void *arg,
                                    struct sf_errbuf *eb);

struct restore_options {
    const struct conf *conf;
    const char *dir;
    const char *config_path; /* where the configuration goes; NULL: conf->file */
};

/* Puts the files of a backup where `conf` says they belong, after all of them were checked; what
 * was there is kept as NAME.before-restore-TIME. All of them, or none: what was there is put back.
 * The caller has made sure that no miner runs. SF_ENOTFOUND: no backup there; SF_EPARSE: damaged;
 * SF_ECONFIG: of a newer storyfi; SF_EBUSY: the journal is open elsewhere; SF_EIO. Blocks. */
SF_MUST_USE enum sf_err backup_restore(const struct restore_options *o, backup_said_fn said,
                                       void *arg, struct sf_errbuf *eb);

/* The place that manifest.json in `dir` has for `name`, NULL when there is none; caller frees. */
char *backup_origin(const char *dir, const char *name);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_BACKUP_FILES_H
#define SF_APP_BACKUP_FILES_H

#include "app/backup.h"

/* The files of a backup: names in its folder, places on this machine, the manifest. Internal to
 * backup*.c. */

#define BACKUP_JOURNAL "journal.db"
#define BACKUP_CONFIG "generator_config.yaml"
#define BACKUP_PINS "pins.json"
#define BACKUP_ENV "env"
#define BACKUP_WALLET "wallet/"
#define BACKUP_MANIFEST "manifest.json"
#define BACKUP_PATH_MAX 4096
#define BACKUP_FILES_MAX 256

struct backup_file {
    char name[256];
    char place[BACKUP_PATH_MAX];
    int64_t bytes;
    unsigned mode;
    char sha256[65];
};

struct backup_files {
    struct backup_file *v; /* BACKUP_FILES_MAX of them */
    size_t n;
};
SF_MUST_USE enum sf_err backup_files_init(struct backup_files *f, struct sf_errbuf *eb);
void backup_files_fini(struct backup_files *f);

/* What there is to save. */
SF_MUST_USE enum sf_err backup_files_find(const struct backup_options *o, struct backup_files *f,
                                          struct sf_errbuf *eb);

/* The manifest of `dir`: sizes and sums as it has them, places where `o` wants them. Refuses names
 * that no backup of ours has. */
SF_MUST_USE enum sf_err backup_files_read(const struct restore_options *o, struct backup_files *f,
                                          struct sf_errbuf *eb);
SF_MUST_USE enum sf_err backup_files_write(const struct backup_files *f, const char *dir,
                                           struct sf_errbuf *eb);

/* Copies to a new file, down to the disk, and notes size and sum of what was copied in `f`. With
 * the owner of `owner_of` (a path, or NULL), when this program may give files away. */
SF_MUST_USE enum sf_err backup_copy(const char *from, const char *to, const char *owner_of,
                                    struct backup_file *f, struct sf_errbuf *eb);
/* Reads `path` and notes size and sum in `f`. */
SF_MUST_USE enum sf_err backup_sum(const char *path, struct backup_file *f, struct sf_errbuf *eb);

#endif

/* SPDX-License-Identifier: MIT */
#include "app/backup.h"

#include "app/backup_files.h"
#include "base/file.h"
#include "journal/journal_backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 4

/* Takes away what was begun: nothing in it is anybody's but ours. */
static void remove_tree(const char *path, int depth)
{
    char name[BACKUP_PATH_MAX];
    DIR *d = depth < DEPTH_MAX ? opendir(path) : NULL;
    const struct dirent *e;
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            (void)snprintf(name, sizeof name, "%.3800s/%.250s", path, e->d_name);
            if (unlink(name) != 0) {
                remove_tree(name, depth + 1);
            }
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    (void)rmdir(path);
}

static enum sf_err sync_folder(const char *path, struct sf_errbuf *eb)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    enum sf_err err = ok ? SF_OK : sf_fail_errno(eb, SF_EIO, "%.300s", path);
    if (fd >= 0) {
        (void)close(fd);
    }
    return err;
}

static enum sf_err save(struct backup_file *f, const char *dir, struct sf_errbuf *eb)
{
    char to[BACKUP_PATH_MAX];
    (void)snprintf(to, sizeof to, "%.3800s/%.250s", dir, f->name);
    char *parent = sf_path_dir(to);
    enum sf_err err = parent == NULL ? SF_ENOMEM : sf_dir_make(parent, 0700, eb);
    free(parent);
    if (err == SF_OK && strcmp(f->name, BACKUP_JOURNAL) == 0) {
        err = journal_backup(f->place, to, eb);
        return err == SF_OK ? backup_sum(to, f, eb) : err;
    }
    return err == SF_OK ? backup_copy(f->place, to, NULL, f, eb) : err;
}

static enum sf_err fill(struct backup_files *files, const char *dir, struct sf_errbuf *eb)
{
    enum sf_err err = SF_OK;
    for (size_t i = 0; i < files->n && err == SF_OK; i++) {
        err = save(&files->v[i], dir, eb);
    }
    if (err == SF_OK) {
        err = backup_files_write(files, dir, eb);
    }
    return err == SF_OK ? sync_folder(dir, eb) : err;
}

/* The folder appears under its name when all is in it. */
static enum sf_err make_as(struct backup_files *files, const char *dir, struct sf_errbuf *eb)
{
    char partial[BACKUP_PATH_MAX];
    (void)snprintf(partial, sizeof partial, "%.4000s.partial-%ld", dir, (long)getpid());
    if (mkdir(partial, 0700) != 0) {
        return sf_fail_errno(eb, SF_EIO, "%.300s", partial);
    }
    enum sf_err err = fill(files, partial, eb);
    if (err == SF_OK && renameat2(AT_FDCWD, partial, AT_FDCWD, dir, RENAME_NOREPLACE) != 0) {
        err = sf_fail_errno(eb, SF_EIO, "%.300s", dir);
    }
    if (err != SF_OK) {
        remove_tree(partial, 0);
    }
    return err;
}

enum sf_err backup_make(const struct backup_options *o, backup_said_fn said, void *arg,
                        struct sf_errbuf *eb)
{
    struct backup_files files;
    char dir[BACKUP_PATH_MAX];
    size_t n = strlen(o->dir);
    struct stat st;
    while (n > 1 && o->dir[n - 1] == '/') {
        n--;
    }
    if (n == 0 || n > 3900) {
        return sf_fail(eb, SF_ECONFIG, "the folder's name is empty or too long");
    }
    (void)snprintf(dir, sizeof dir, "%.*s", (int)n, o->dir);
    if (lstat(dir, &st) == 0) {
        return sf_fail(eb, SF_ECONFIG, "%.300s is there already: name a folder that is not", dir);
    }
    char *parent = sf_path_dir(dir);
    enum sf_err err = parent == NULL ? SF_ENOMEM : sf_dir_make(parent, 0700, eb);
    if (err == SF_OK) {
        err = backup_files_init(&files, eb);
    }
    if (err == SF_OK) {
        err = backup_files_find(o, &files, eb);
        if (err == SF_OK) {
            err = make_as(&files, dir, eb);
        }
        if (err == SF_OK) {
            err = sync_folder(parent, eb);
        }
        for (size_t i = 0; i < files.n && err == SF_OK; i++) {
            said(arg, files.v[i].name, files.v[i].place, files.v[i].bytes);
        }
        backup_files_fini(&files);
    }
    free(parent);
    return err;
}

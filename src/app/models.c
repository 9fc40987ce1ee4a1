/* SPDX-License-Identifier: MIT */
#include "app/models.h"

#include "app/model_devices.h"
#include "app/model_pick.h"
#include "app/model_store.h"
#include "base/log.h"
#include "engine/engine.h"

#include <dirent.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE_ROOM 1024

static bool is_there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static bool ends_in_gguf(const char *name)
{
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".gguf") == 0;
}

/* <folder of this program>/<rest> */
static void beside_program(const char *rest, char *out, size_t n)
{
    char self[1024];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    (void)snprintf(out, n, "%.600s/%s", self, rest);
}

/* The places where files of models lie, the owner's folder first. */
#define PLACES 4
static void list_places(const struct conf *conf, const char *file,
                        char places[static PLACES][PLACE_ROOM])
{
    char rest[300];
    const char *models_dir = conf->generator.local.models_dir;
    places[0][0] = '\0';
    if (models_dir[0] != '\0') {
        (void)snprintf(places[0], PLACE_ROOM, "%.700s/%.300s", models_dir, file);
    }
    (void)snprintf(rest, sizeof rest, "../share/storyfi/models/%.250s", file);
    beside_program(rest, places[1], PLACE_ROOM);
    (void)snprintf(rest, sizeof rest, "models/%.250s", file);
    model_cache_path(conf, rest, places[2], PLACE_ROOM);
    (void)snprintf(rest, sizeof rest, "test/%.250s", file);
    model_cache_path(conf, rest, places[3], PLACE_ROOM);
}

/* The name of an entry of `dir` with this beginning and end; false when there is none. */
static bool find_entry(const char *dir, const char *head, const char *tail, char *out, size_t n)
{
    const struct dirent *e;
    size_t heads = strlen(head), tails = strlen(tail);
    bool found = false;
    DIR *d = opendir(dir);
    while (d != NULL && !found && (e = readdir(d)) != NULL) {
        size_t length = strlen(e->d_name);
        found = length >= heads + tails && strncmp(e->d_name, head, heads) == 0 &&
                strcmp(e->d_name + length - tails, tail) == 0;
        if (found) {
            (void)snprintf(out, n, "%s", e->d_name);
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return found;
}

/* The first file of a model in several: x-00001-of-00003.gguf. */
static bool find_split(const char *path, char *out, size_t n)
{
    char dir[PLACE_ROOM], head[300], name[300];
    size_t stem = strlen(path) - strlen(".gguf");
    const char *base = model_base_name(path);
    (void)snprintf(dir, sizeof dir, "%.*s", (int)(base - path), path);
    (void)snprintf(head, sizeof head, "%.*s-00001-of-", (int)(path + stem - base), base);
    if (!find_entry(dir, head, ".gguf", name, sizeof name)) {
        return false;
    }
    (void)snprintf(out, n, "%.700s%.300s", dir, name);
    return true;
}

/* Where Python's huggingface_hub keeps a repository: below HF_HOME, else ~/.cache/huggingface. */
static bool snapshots_of(const struct conf *conf, const char *repo, char *folder, size_t n)
{
    const char *hf = conf_env(conf, "HF_HOME"), *home = conf_env(conf, "HOME");
    const char *slash = strchr(repo, '/');
    bool own = hf != NULL && hf[0] != '\0';
    if (slash != NULL) {
        (void)snprintf(folder, n, "%.400s%s/hub/models--%.*s--%.200s/snapshots",
                       own            ? hf
                       : home == NULL ? ""
                                      : home,
                       own ? "" : "/.cache/huggingface", (int)(slash - repo), repo, slash + 1);
    }
    return slash != NULL;
}

bool model_find_kept(const struct conf *conf, const char *repo, const char *file, char *out,
                     size_t n)
{
    char folder[PLACE_ROOM], path[PLACE_ROOM + 300];
    bool found = false;
    if (!snapshots_of(conf, repo, folder, sizeof folder)) {
        return false;
    }
    const struct dirent *e;
    DIR *d = opendir(folder);
    while (d != NULL && !found && (e = readdir(d)) != NULL) {
        (void)snprintf(path, sizeof path, "%.700s/%.250s/%.250s", folder, e->d_name, file);
        found = e->d_name[0] != '.' && is_there(path);
        if (found) {
            (void)snprintf(out, n, "%.1000s", path);
        } else {
            found = e->d_name[0] != '.' && ends_in_gguf(path) && find_split(path, out, n);
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return found;
}

bool model_find_snapshot(const struct conf *conf, const char *repo, char *out, size_t n)
{
    bool found = model_find_kept(conf, repo, "config.json", out, n);
    char *slash = found ? strrchr(out, '/') : NULL;
    if (slash != NULL) {
        *slash = '\0';
    }
    return found;
}

/* False: there is no such file; `out` has the first place then, unless it has one already. `repo`
 * may be empty. */
static bool find_file(const struct conf *conf, const char *repo, const char *file, char *out,
                      size_t n)
{
    char places[PLACES][PLACE_ROOM];
    list_places(conf, file, places);
    for (size_t i = 0; i < PLACES; i++) {
        if (places[i][0] != '\0' && is_there(places[i])) {
            (void)snprintf(out, n, "%.1000s", places[i]);
            return true;
        }
        if (places[i][0] != '\0' && find_split(places[i], out, n)) {
            return true;
        }
    }
    if (model_find_kept(conf, repo, file, out, n)) {
        return true;
    }
    if (out[0] == '\0') {
        (void)snprintf(out, n, "%.1000s", places[0][0] != '\0' ? places[0] : places[2]);
    }
    return false;
}

/* "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf": how long the name is in front of "-Q4_K_M.gguf". */
static size_t stem_length(const char *file)
{
    size_t n = strlen(file) - strlen(".gguf"), at = n;
    while (at > 0 && file[at - 1] != '-' && file[at - 1] != '.') {
        at--;
    }
    bool is_type = at > 0 && n - at >= 2 && strchr("QqFfBbI", file[at]) != NULL &&
                   at + strcspn(file + at, "0123456789") < n;
    return is_type ? at - 1 : n;
}

static void lower(char *z)
{
    for (; *z != '\0'; z++) {
        *z = *z >= 'A' && *z <= 'Z' ? (char)(*z + ('a' - 'A')) : *z;
    }
}

/* What is looked for: the catalogue's entry, or for other names the name of the file. */
struct search {
    const struct conf *conf;
    const struct model_entry *entry; /* NULL: none */
    const char *file;
    const char *repo; /* "" none is known */
};

/* A file of this type: the catalogue's, else one named as people write such names. */
static bool find_type(const struct search *s, const char *type, char *out, size_t n)
{
    int stem = (int)stem_length(s->file);
    char small[24], name[300];
    const struct model_file *f = s->entry == NULL ? NULL : model_entry_file(s->entry, type);
    if (f != NULL && find_file(s->conf, s->repo, model_base_name(f->file), out, n)) {
        return true;
    }
    (void)snprintf(small, sizeof small, "%s", type);
    lower(small);
    const char *const types[] = {type, small};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "%.*s%c%.20s.gguf", stem, s->file, i < 2 ? '-' : '.',
                       types[i % 2]);
        if (find_file(s->conf, s->repo, name, out, n)) {
            return true;
        }
    }
    return false;
}

/* The file in the quantization that is wished for. */
static bool find_quantized(const struct search *s, char *out, size_t n)
{
    const char *wish = s->conf->generator.local.quantization;
    const char *const *types = model_quant_types(wish);
    bool four = sf_str_is_nocase(sf_str(wish), "4bit") || wish[0] == '\0';
    out[0] = '\0';
    if (four && s->entry != NULL && find_file(s->conf, s->repo, s->file, out, n)) {
        return true; /* the entry's first file is its 4-bit one */
    }
    if (types == NULL) {
        return find_type(s, wish, out, n);
    }
    for (; *types != NULL; types++) {
        if (find_type(s, *types, out, n)) {
            return true;
        }
    }
    /* Its name tells no type. */
    return s->entry == NULL && find_file(s->conf, s->repo, s->file, out, n);
}

void model_find_programs(const struct conf *conf, struct model_place *out)
{
    const struct conf_local *l = &conf->generator.local;
    if (l->engine_path[0] != '\0') {
        (void)snprintf(out->engine_path, sizeof out->engine_path, "%s", l->engine_path);
    } else {
        beside_program("storyfi-engine", out->engine_path, sizeof out->engine_path);
        if (!is_there(out->engine_path)) {
            beside_program("../libexec/storyfi/storyfi-engine", out->engine_path,
                           sizeof out->engine_path);
        }
    }
    if (l->lib_dir[0] != '\0') {
        (void)snprintf(out->lib_dir, sizeof out->lib_dir, "%s", l->lib_dir);
        return;
    }
    beside_program("../lib/storyfi", out->lib_dir, sizeof out->lib_dir);
    if (!is_there(out->lib_dir)) {
        model_cache_path(conf, "llama/lib", out->lib_dir, sizeof out->lib_dir);
    }
}

bool model_find_file(const struct conf *conf, const struct model_entry *e, char *out, size_t n)
{
    struct search s = {
        .conf = conf, .entry = e, .file = model_base_name(e->files[0].file), .repo = e->repo};
    return find_quantized(&s, out, n);
}

struct here {
    const struct conf *conf;
};

static bool is_here(void *arg, const struct model_entry *e)
{
    const struct here *h = arg;
    char path[PLACE_ROOM];
    return model_find_file(h->conf, e, path, sizeof path);
}

/* `auto`: the best that is here and runs; when none is here, the best to be pulled. */
static const struct model_entry *find_best(const struct conf *conf, const struct model_catalogue *c)
{
    struct model_devices d;
    struct model_pick best, here;
    struct here arg = {conf};
    struct model_filter filter = {is_here, &arg};
    const struct conf_local *l = &conf->generator.local;
    struct plan_wish wish = model_wish(l);
    model_devices_read(conf, &d);
    struct model_machine m = {d.v, d.n, d.cpus};
    bool any = model_pick_best(c, l->quantization, &wish, &m, NULL, &best);
    bool some = model_pick_best(c, l->quantization, &wish, &m, &filter, &here);
    if (some && any && here.entry != best.entry) {
        log_event(LOG_WARN, LOG_GENERATOR, "a better model would run here",
                  LOG_S("taken", here.entry->names[0]), LOG_S("better", best.entry->names[0]),
                  LOG_S("remedy", "storyfi models pull auto"));
    }
    return some ? here.entry : any ? best.entry : NULL;
}

static void take_facts(const struct model_entry *e, struct model_place *out)
{
    out->instruct = e->instruct;
    out->small = e->small;
    for (out->n_languages = 0; out->n_languages < e->n_languages; out->n_languages++) {
        out->languages[out->n_languages] = e->languages[out->n_languages];
    }
}

static void find_by_name(const struct conf *conf, const struct model_entry *e, const char *name,
                         struct model_place *out)
{
    char file[200];
    struct search s = {.conf = conf,
                       .entry = e,
                       .file = file,
                       .repo = e != NULL                     ? e->repo
                               : model_is_repo(sf_str(name)) ? name
                                                             : ""};
    const char *base = model_base_name(e != NULL ? e->files[0].file : name);
    size_t n = strlen(base);
    if (e == NULL && n > 5 && strcasecmp(base + n - 5, "-GGUF") == 0) {
        n -= 5; /* "bartowski/X-GGUF" has X-Q4_K_M.gguf */
    }
    (void)snprintf(file, sizeof file, "%.*s%s", (int)(n < 190 ? n : 190), base,
                   e != NULL ? "" : ".gguf");
    (void)find_quantized(&s, out->path, sizeof out->path);
    (void)snprintf(out->name, sizeof out->name, "%s", e != NULL ? e->names[0] : name);
}

/* "synthetic:SHAPE" (engine/child/synthetic.h): with the default model's vocabulary. */
static void find_synthetic(const struct conf *conf, const struct model_catalogue *c,
                           const char *name, struct model_place *out)
{
    char donor[PLACE_ROOM] = "";
    const struct model_entry *e = model_catalogue_find(c, "default");
    if (e != NULL) {
        (void)model_find_file(conf, e, donor, sizeof donor);
    }
    (void)snprintf(out->path, sizeof out->path, "%.100s@%.900s", name, donor);
    (void)snprintf(out->name, sizeof out->name, "%s", name);
}

void model_find(const struct conf *conf, struct model_place *out)
{
    model_find_named(conf, conf->generator.local.model_name, out);
}

void model_find_original(const struct conf *conf, const char *name, struct model_place *out)
{
    struct model_catalogue c = {.n = 0};
    if (model_catalogue_init(conf, &c) != SF_OK) {
        log_event(LOG_WARN, LOG_GENERATOR, "catalogue skipped", LOG_S("why", "out of memory"));
    }
    if (c.problem[0] != '\0') {
        log_event(LOG_WARN, LOG_GENERATOR, "catalogue skipped", LOG_S("why", c.problem));
    }
    const struct model_entry *e = sf_str_is_nocase(sf_str(name), "auto")
                                      ? find_best(conf, &c)
                                      : model_catalogue_find(&c, name);
    *out = (struct model_place){.instruct = true, .languages = {"en"}, .n_languages = 1};
    if (e != NULL) {
        take_facts(e, out);
    }
    if (sf_str_has_prefix(sf_str(name), ENGINE_SYNTHETIC)) {
        find_synthetic(conf, &c, name, out);
    } else if (ends_in_gguf(name)) {
        (void)snprintf(out->path, sizeof out->path, "%s", name);
        (void)snprintf(out->name, sizeof out->name, "%s",
                       e != NULL ? e->names[0] : model_base_name(name));
    } else {
        find_by_name(conf, e, name, out);
    }
    model_find_programs(conf, out);
    model_catalogue_fini(&c);
}

void model_tuned_path(const struct conf *conf, const char *path, char *out, size_t n)
{
    char dir[PLACE_ROOM];
    const char *base = model_base_name(path);
    size_t stem = strlen(base) > 5 ? strlen(base) - 5 : 0;
    model_store_dir(conf, dir, sizeof dir);
    (void)snprintf(out, n, "%.700s/%.*s.tuned.gguf", dir, (int)(stem < 250 ? stem : 250), base);
}

void model_find_named(const struct conf *conf, const char *name, struct model_place *out)
{
    char tuned[PLACE_ROOM];
    struct stat original, fresh;
    model_find_original(conf, name, out);
    model_tuned_path(conf, out->path, tuned, sizeof tuned);
    if (!ends_in_gguf(name) && stat(out->path, &original) == 0 && stat(tuned, &fresh) == 0 &&
        fresh.st_mtime >= original.st_mtime) {
        (void)snprintf(out->path, sizeof out->path, "%s", tuned);
    }
}

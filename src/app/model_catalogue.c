/* SPDX-License-Identifier: MIT */
#include "app/model_catalogue.h"

#include "base/file.h"
#include "base/mem.h"
#include "conf/yaml.h"

#include <string.h>

#define FILE_CAP (256U << 10)
#define MAX_ENTRIES 500
#define TEXT_MAX 200
#define GB INT64_C(1000000000)

extern const struct sf_str model_catalogue_yaml; /* config/models.yaml */

/* Codes that the composer may be asked for; static, so that they outlive the catalogue. */
static const char *const languages[] = {"en", "zh", "de", "fr", "es", "it", "pt", "ja", "ko",
                                        "ru", "ar", "hi", "th", "vi", "nl", "pl", "tr", "id"};

/* ---- names ----------------------------------------------------------------------------------- */

const char *model_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static bool is_plain(struct sf_str s, const char *extra)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || strchr(extra, c) == NULL)) {
            return false;
        }
    }
    return s.n > 0;
}

bool model_is_file_name(const char *name)
{
    size_t n = strlen(name);
    return n > 5 && n < TEXT_MAX && name[0] != '.' && strcmp(name + n - 5, ".gguf") == 0 &&
           is_plain(sf_str(name), "._-+ ()[]=,");
}

bool model_is_repo(struct sf_str s)
{
    struct sf_str owner;
    struct sf_str rest = s;
    return s.n < TEXT_MAX && sf_str_next(&rest, '/', &owner) && is_plain(owner, "._-") &&
           is_plain(rest, "._-") && owner.p[0] != '.' && rest.p[0] != '.';
}

/* A path inside a repository: each part a plain name. */
static bool is_repo_path(const char *path)
{
    struct sf_str rest = sf_str(path), part;
    while (sf_str_next(&rest, '/', &part)) {
        if (part.n == 0 || part.p[0] == '.') {
            return false;
        }
    }
    return model_is_file_name(model_base_name(path)) && is_plain(sf_str(path), "._-+ ()[]=,/");
}

/* ---- reading --------------------------------------------------------------------------------- */

struct reader {
    const char *name; /* of the model under way */
    struct sf_errbuf *eb;
    enum sf_err err;
};

static void wrong(struct reader *r, const char *what, const char *value)
{
    if (r->err == SF_OK) {
        r->err = sf_fail(r->eb, SF_EPARSE, "model \"%.60s\": %s%s%.60s", r->name, what,
                         value[0] == '\0' ? "" : ": ", value);
    }
}

static const char *read_text(struct reader *r, const json_t *o, const char *key, const char *extra)
{
    const json_t *v = json_object_get(o, key);
    const char *z = v == NULL ? "" : json_string_value(v);
    if (z == NULL || strlen(z) > TEXT_MAX || (z[0] != '\0' && !is_plain(sf_str(z), extra))) {
        wrong(r, key, "not a plain text");
        return "";
    }
    return z;
}

static int64_t read_int(struct reader *r, const json_t *o, const char *key, int64_t max)
{
    int64_t v = 0;
    if (json_object_get(o, key) != NULL && (!json_get_int(o, key, &v) || v < 0 || v > max)) {
        wrong(r, key, "not a whole number in range");
        v = 0;
    }
    return v;
}

static double read_real(struct reader *r, const json_t *o, const char *key, double max)
{
    double v = 0;
    if (json_object_get(o, key) != NULL && (!json_get_number(o, key, &v) || !(v >= 0) || v > max)) {
        wrong(r, key, "not a number in range");
        v = 0;
    }
    return v;
}

static bool read_bool(struct reader *r, const json_t *o, const char *key, bool fallback)
{
    const json_t *v = json_object_get(o, key);
    if (v != NULL && !json_is_boolean(v)) {
        wrong(r, key, "not true or false");
    }
    return json_get_bool(o, key, fallback);
}

static void check_keys(struct reader *r, const json_t *o, const char *const *known)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)o, key, v)
    {
        const char *const *k = known;
        while (*k != NULL && strcmp(*k, key) != 0) {
            k++;
        }
        if (*k == NULL) {
            wrong(r, "unknown key", key);
        }
    }
}

static void read_names(struct reader *r, const json_t *list, struct model_entry *e)
{
    size_t n = json_array_size(list);
    if (n == 0 || n > MODEL_MAX_NAMES) {
        wrong(r, "names: one to six are needed", "");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char *z = json_string_value(json_array_get(list, i));
        if (z == NULL || strlen(z) > 120 || !is_plain(sf_str(z), "._-/")) {
            wrong(r, "names: not a plain name", z == NULL ? "" : z);
            return;
        }
        e->names[e->n_names++] = z;
    }
}

static void read_languages(struct reader *r, const json_t *list, struct model_entry *e)
{
    size_t n = json_array_size(list);
    if (n > MODEL_MAX_LANGUAGES) {
        wrong(r, "languages: four at most", "");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char *z = json_string_value(json_array_get(list, i));
        const char *found = NULL;
        for (size_t k = 0; z != NULL && k < sizeof languages / sizeof languages[0]; k++) {
            found = strcmp(languages[k], z) == 0 ? languages[k] : found;
        }
        if (found == NULL) {
            wrong(r, "languages: unknown code", z == NULL ? "" : z);
            return;
        }
        e->languages[e->n_languages++] = found;
    }
    if (n == 0) {
        e->languages[e->n_languages++] = languages[0];
    }
}

static bool is_sha256(const char *z)
{
    return strlen(z) == 64 && strspn(z, "0123456789abcdef") == 64;
}

static void read_file(struct reader *r, const json_t *o, struct model_file *f)
{
    static const char *const keys[] = {"quant", "file", "bytes", "about_gb", "sha256", NULL};
    check_keys(r, o, keys);
    f->quant = read_text(r, o, "quant", "_");
    f->file = read_text(r, o, "file", "._-+ ()[]=,/");
    f->bytes = read_int(r, o, "bytes", INT64_C(1) << 50);
    f->about_bytes = (int64_t)(read_real(r, o, "about_gb", 1e6) * 1e9);
    f->sha256 = read_text(r, o, "sha256", "");
    if (f->quant[0] == '\0' || !is_repo_path(f->file)) {
        wrong(r, "files: each has a quant and a .gguf file name", f->file);
    }
    if (f->sha256[0] != '\0' && !is_sha256(f->sha256)) {
        wrong(r, "files: sha256 is 64 lower-case hex digits", f->sha256);
    }
}

static void read_files(struct reader *r, const json_t *list, struct model_entry *e)
{
    size_t n = json_array_size(list);
    if (n == 0 || n > MODEL_MAX_FILES) {
        wrong(r, "files: one to twelve are needed", "");
        return;
    }
    for (size_t i = 0; i < n && r->err == SF_OK; i++) {
        read_file(r, json_array_get(list, i), &e->files[e->n_files++]);
    }
}

static void read_entry(struct reader *r, const json_t *o, struct model_entry *e)
{
    static const char *const keys[] = {"names",     "repo",     "package",    "files",
                                       "languages", "license",  "gated",      "small",
                                       "instruct",  "template", "context",    "layers",
                                       "kv_heads",  "head_dim", "parameters", "active_parameters",
                                       "quality",   "original", NULL};
    static const char *const original_keys[] = {"vram_gb", "ram_gb", "disk_gb", NULL};
    *e = (struct model_entry){.n_names = 0};
    read_names(r, json_get_array(o, "names"), e);
    r->name = e->n_names > 0 ? e->names[0] : r->name;
    check_keys(r, o, keys);
    e->repo = read_text(r, o, "repo", "._-/");
    e->package = read_text(r, o, "package", "._-=");
    if (e->repo[0] != '\0' && !model_is_repo(sf_str(e->repo))) {
        wrong(r, "repo: not owner/name", e->repo);
    }
    read_files(r, json_get_array(o, "files"), e);
    read_languages(r, json_get_array(o, "languages"), e);
    e->license = read_text(r, o, "license", "._-");
    e->template_name = read_text(r, o, "template", "._-");
    e->gated = read_bool(r, o, "gated", false);
    e->small = read_bool(r, o, "small", false);
    e->instruct = read_bool(r, o, "instruct", true);
    e->context_tokens = read_int(r, o, "context", 1 << 24);
    e->layers = read_int(r, o, "layers", 1000);
    e->kv_heads = read_int(r, o, "kv_heads", 1024);
    e->head_dim = read_int(r, o, "head_dim", 4096);
    e->parameters = read_real(r, o, "parameters", 1e5);
    e->active_parameters = read_real(r, o, "active_parameters", 1e5);
    e->quality = read_int(r, o, "quality", 1000);
    const json_t *original = json_get_object(o, "original");
    check_keys(r, original, original_keys);
    e->original_vram_gb = read_int(r, original, "vram_gb", 10000);
    e->original_ram_gb = read_int(r, original, "ram_gb", 10000);
    e->original_disk_gb = read_int(r, original, "disk_gb", 10000);
}

enum sf_err model_catalogue_parse(struct sf_str text, struct model_catalogue *out,
                                  struct sf_errbuf *eb)
{
    struct yaml_limits limits = {.max_bytes = FILE_CAP, .max_depth = 6, .max_nodes = 20000};
    struct reader r = {.name = "?", .eb = eb, .err = SF_OK};
    json_t *root = NULL;
    *out = (struct model_catalogue){.n = 0};
    enum sf_err err = sf_yaml_to_json(text, limits, &root, eb);
    if (err != SF_OK) {
        return err;
    }
    const json_t *list = json_get_array(root, "models");
    size_t n = json_array_size(list);
    if (list == NULL || n > MAX_ENTRIES) {
        json_decref(root);
        return sf_fail(eb, SF_EPARSE, "no list `models:` of at most %d models", MAX_ENTRIES);
    }
    out->roots[0] = root;
    out->v = sf_alloc((n + 1) * sizeof *out->v);
    if (out->v == NULL) {
        model_catalogue_fini(out);
        return sf_fail(eb, SF_ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < n && r.err == SF_OK; i++) {
        read_entry(&r, json_array_get(list, i), &out->v[out->n++]);
    }
    if (r.err != SF_OK) {
        model_catalogue_fini(out);
    }
    return r.err;
}

/* The models of the owner's file in front of the built-in ones. */
static enum sf_err put_in_front(struct model_catalogue *c, struct model_catalogue *own)
{
    struct model_entry *v = sf_alloc((c->n + own->n + 1) * sizeof *v);
    if (v == NULL) {
        return SF_ENOMEM;
    }
    for (size_t i = 0; i < own->n + c->n; i++) {
        v[i] = i < own->n ? own->v[i] : c->v[i - own->n];
    }
    free(c->v);
    c->v = v;
    c->n += own->n;
    c->roots[1] = own->roots[0], own->roots[0] = NULL;
    return SF_OK;
}

static enum sf_err add_own(struct model_catalogue *c, const char *path)
{
    struct model_catalogue own = {.n = 0};
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_buf text;
    sf_buf_init(&text, FILE_CAP);
    enum sf_err err = sf_file_read(path, &text, &eb);
    if (err == SF_OK) {
        err = model_catalogue_parse(sf_buf_str(&text), &own, &eb);
        err = err != SF_OK && eb.code != SF_ENOMEM ? sf_fail_prefix(&eb, "%.200s", path) : err;
    }
    if (err == SF_OK) {
        err = put_in_front(c, &own);
    } else if (err != SF_ENOMEM) {
        (void)snprintf(c->problem, sizeof c->problem,
                       "generator.local.catalogue is skipped: %.400s", sf_err_text(&eb, err));
        err = SF_OK;
    }
    model_catalogue_fini(&own);
    sf_buf_fini(&text);
    return err;
}

enum sf_err model_catalogue_init(const struct conf *conf, struct model_catalogue *out)
{
    struct sf_errbuf eb = {.code = SF_OK};
    enum sf_err err = model_catalogue_parse(model_catalogue_yaml, out, &eb);
    SF_BUG_ON(err != SF_OK && err != SF_ENOMEM && eb.code != SF_ENOMEM);
    const char *own = conf == NULL ? "" : conf->generator.local.catalogue;
    if (err == SF_OK && own[0] != '\0') {
        err = add_own(out, own);
    }
    if (err != SF_OK) {
        model_catalogue_fini(out);
    }
    return err == SF_OK ? SF_OK : SF_ENOMEM;
}

void model_catalogue_fini(struct model_catalogue *c)
{
    free(c->v), c->v = NULL;
    c->n = 0;
    json_decref(c->roots[0]), c->roots[0] = NULL;
    json_decref(c->roots[1]), c->roots[1] = NULL;
}

/* ---- asking ---------------------------------------------------------------------------------- */

const struct model_entry *model_catalogue_find(const struct model_catalogue *c, const char *name)
{
    const char *base = model_base_name(name);
    for (size_t i = 0; i < c->n; i++) {
        const struct model_entry *e = &c->v[i];
        for (size_t k = 0; k < e->n_names; k++) {
            if (sf_str_is_nocase(sf_str(name), e->names[k])) {
                return e;
            }
        }
        for (size_t k = 0; k < e->n_files; k++) {
            if (strcmp(base, model_base_name(e->files[k].file)) == 0) {
                return e;
            }
        }
    }
    return NULL;
}

const char *model_catalogue_nearest(const struct model_catalogue *c, const char *name)
{
    const char *best = NULL;
    size_t least = strlen(name) / 3 + 1;
    for (size_t i = 0; i < c->n; i++) {
        for (size_t k = 0; k < c->v[i].n_names; k++) {
            size_t d = sf_str_distance(name, c->v[i].names[k]);
            if (d < least) {
                least = d;
                best = c->v[i].names[k];
            }
        }
    }
    return best;
}

const char *model_entry_alias(const struct model_entry *e)
{
    const char *best = e->names[0];
    for (size_t i = 1; i < e->n_names; i++) {
        best = strlen(e->names[i]) < strlen(best) ? e->names[i] : best;
    }
    return best;
}

const struct model_file *model_entry_file(const struct model_entry *e, const char *quant)
{
    for (size_t i = 0; i < e->n_files; i++) {
        if (sf_str_is_nocase(sf_str(quant), e->files[i].quant)) {
            return &e->files[i];
        }
    }
    return NULL;
}

/* Bits a weight, embeddings and all, of files whose size is known (an 8B model's). */
static const struct {
    const char *quant;
    double bits;
} usual[] = {{"Q4_K_M", 4.90}, {"Q4_K_S", 4.67}, {"IQ4_XS", 4.44}, {"Q4_0", 4.64}, {"Q4_1", 5.10},
             {"Q5_K_S", 5.57}, {"Q5_K_M", 5.71}, {"Q6_K", 6.57},   {"Q8_0", 8.51}, {"F16", 16.0},
             {"BF16", 16.0},   {"F32", 32.0},    {"Q3_K_M", 4.02}};

double model_type_bits(const char *type)
{
    size_t i = 0, n = sizeof usual / sizeof usual[0];
    while (i < n && !sf_str_is_nocase(sf_str(type), usual[i].quant)) {
        i++;
    }
    return i < n ? usual[i].bits : 0;
}

int64_t model_entry_bytes(const struct model_entry *e, const char *quant, bool *exact)
{
    const struct model_file *f = model_entry_file(e, quant);
    *exact = f != NULL && f->bytes > 0;
    if (f != NULL && (f->bytes > 0 || f->about_bytes > 0)) {
        return f->bytes > 0 ? f->bytes : f->about_bytes;
    }
    return (int64_t)(e->parameters * (double)GB * model_type_bits(quant) / 8.0);
}

int64_t model_entry_kv_bytes(const struct model_entry *e)
{
    return e->layers * e->kv_heads * e->head_dim * 2 * 2;
}

const char *const *model_quant_types(const char *word)
{
    static const struct {
        const char *word;
        const char *types[6];
    } words[] = {
        {"4bit", {"Q4_K_M", "Q4_K_S", "IQ4_XS", "Q4_1", "Q4_0"}},
        {"8bit", {"Q8_0"}},
        {"none", {"F16", "BF16", "F32"}},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (sf_str_is_nocase(sf_str(word), words[i].word) || (i == 0 && word[0] == '\0')) {
            return words[i].types;
        }
    }
    return NULL;
}

/* SPDX-License-Identifier: MIT */
#include "app/speeds.h"

#include "base/file.h"
#include "json/json.h"

#include <string.h>
#include <strings.h>

#define FILE_CAP 65536
#define ANSWERS_THAT_COUNT 20 /* of the older ones, against new ones */
#define FASTEST 1e7
#define GPU_TIMES 8.0

static const char *const places[] = {
    [SPEED_NOWHERE] = "", [SPEED_CPU] = "cpu", [SPEED_GPU] = "gpu"};

static void path_of(const struct conf *conf, char *out, size_t n)
{
    (void)snprintf(out, n, "%.900s/speeds.json", conf->state_dir);
}

/* "X.tuned.gguf" → "X.gguf". */
static void put_name(const char *file, char *out, size_t room)
{
    static const char end[] = ".tuned.gguf";
    size_t n = strlen(file), k = sizeof end - 1;
    bool tuned = n > k && strcmp(file + n - k, end) == 0;
    (void)snprintf(out, room, "%.*s%s", (int)(tuned ? n - k : n), file, tuned ? ".gguf" : "");
}

static bool makes_sense(const struct speed *s)
{
    return s->file[0] != '\0' && s->place != SPEED_NOWHERE && s->bytes > 0 && s->answers > 0 &&
           s->tokens_per_second > 0 && s->tokens_per_second < FASTEST;
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool read_one(const json_t *o, struct speed *out)
{
    const char *file = json_get_string(o, "file"), *place = json_get_string(o, "place");
    *out = (struct speed){.place = SPEED_NOWHERE};
    if (file == NULL || place == NULL || !json_get_int(o, "bytes", &out->bytes) ||
        !json_get_int(o, "answers", &out->answers) ||
        !json_get_number(o, "tokens_per_second", &out->tokens_per_second)) {
        return false;
    }
    (void)snprintf(out->file, sizeof out->file, "%.199s", file);
    out->place = strcmp(place, "cpu") == 0   ? SPEED_CPU
                 : strcmp(place, "gpu") == 0 ? SPEED_GPU
                                             : SPEED_NOWHERE;
    return makes_sense(out);
}

void speeds_read(const struct conf *conf, struct speeds *out)
{
    char path[1000];
    struct sf_buf text;
    json_t *root = NULL;
    struct json_limits limits = {.max_bytes = FILE_CAP, .max_depth = 4};
    out->n = 0;
    sf_buf_init(&text, FILE_CAP);
    path_of(conf, path, sizeof path);
    if (sf_file_read(path, &text, NULL) == SF_OK &&
        json_parse(sf_buf_str(&text), limits, &root, NULL) == SF_OK) {
        const json_t *list = json_get_array(root, "speeds");
        for (size_t i = 0; i < json_array_size(list) && out->n < SPEEDS_MAX; i++) {
            out->n += read_one(json_array_get(list, i), &out->v[out->n]);
        }
    }
    json_decref(root);
    sf_buf_fini(&text);
}

static enum sf_err write_all(const struct conf *conf, const struct speeds *s, struct sf_errbuf *eb)
{
    char path[1000];
    struct sf_buf text;
    json_t *list = json_array();
    for (size_t i = 0; i < s->n; i++) {
        const struct speed *v = &s->v[i];
        (void)json_array_append_new(list, json_pack("{s:o, s:s, s:I, s:f, s:I}", "file",
                                                    json_text(sf_str(v->file)), "place",
                                                    places[v->place], "bytes", (json_int_t)v->bytes,
                                                    "tokens_per_second", v->tokens_per_second,
                                                    "answers", (json_int_t)v->answers));
    }
    json_t *root = json_pack("{s:o}", "speeds", list);
    sf_buf_init(&text, FILE_CAP);
    json_print(root, &text);
    json_decref(root);
    path_of(conf, path, sizeof path);
    enum sf_err err = text.err;
    if (err == SF_OK) {
        err = sf_dir_make(conf->state_dir, 0700, eb);
    }
    if (err == SF_OK) {
        err = sf_file_write(path, sf_buf_str(&text), 0600, eb);
    }
    sf_buf_fini(&text);
    return err;
}

/* The same file at the same place goes to the end; when it is full the oldest one is left out. */
static void merge(struct speeds *s, const struct speed *more)
{
    struct speed sum = *more;
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct speed old = s->v[i];
        if (strcmp(old.file, sum.file) != 0 || old.place != sum.place) {
            s->v[kept++] = old;
            continue;
        }
        int64_t weight = old.answers < ANSWERS_THAT_COUNT ? old.answers : ANSWERS_THAT_COUNT;
        sum.answers = weight + more->answers;
        sum.tokens_per_second = (old.tokens_per_second * (double)weight +
                                 more->tokens_per_second * (double)more->answers) /
                                (double)sum.answers;
    }
    if (kept == SPEEDS_MAX) {
        memmove(&s->v[0], &s->v[1], (SPEEDS_MAX - 1) * sizeof s->v[0]);
        kept--;
    }
    s->v[kept] = sum;
    s->n = kept + 1;
}

enum sf_err speeds_add(const struct conf *conf, const struct speed *more, struct sf_errbuf *eb)
{
    struct speeds s;
    struct speed named = *more;
    put_name(more->file, named.file, sizeof named.file);
    if (!makes_sense(&named)) {
        return sf_fail(eb, SF_EINVAL, "no speed of a model");
    }
    speeds_read(conf, &s);
    merge(&s, &named);
    return write_all(conf, &s, eb);
}

/* ---- what to expect -------------------------------------------------------------------------- */

enum speed_place speed_place_of(enum plan_kind kind)
{
    return kind == PLAN_CPU ? SPEED_CPU : kind == PLAN_GPU ? SPEED_GPU : SPEED_NOWHERE;
}

/* The bytes that a token reads. */
static double active_bytes(const struct model_catalogue *c, const struct speed *s)
{
    const struct model_entry *e = model_catalogue_find(c, s->file);
    double share = e != NULL && e->active_parameters > 0 && e->parameters > 0
                       ? e->active_parameters / e->parameters
                       : 1;
    return (double)s->bytes * share;
}

static double times(double a, double b)
{
    return a > b ? a / b : b / a;
}

struct speed_expected speeds_expect(const struct speeds *s, const struct model_catalogue *c,
                                    const struct speed *wanted)
{
    struct speed_expected out = {.source = SPEED_UNKNOWN};
    double bytes = active_bytes(c, wanted), nearest = 0;
    for (size_t i = 0; i < s->n && bytes > 0 && wanted->place != SPEED_NOWHERE; i++) {
        const struct speed *v = &s->v[i];
        double theirs = active_bytes(c, v), apart = times(theirs, bytes);
        if (v->place != wanted->place) {
            continue;
        }
        if (strcasecmp(v->file, wanted->file) == 0) {
            return (struct speed_expected){SPEED_MEASURED, v->tokens_per_second, v};
        }
        bool near = v->place == SPEED_CPU || apart <= GPU_TIMES;
        if (near && (out.from == NULL || apart < nearest)) {
            nearest = apart;
            out =
                (struct speed_expected){SPEED_ESTIMATED, v->tokens_per_second * theirs / bytes, v};
        }
    }
    return out;
}

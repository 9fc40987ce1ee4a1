/* SPDX-License-Identifier: MIT */
#include "app/model_tune.h"

#include "app/model_fetch.h"
#include "app/model_sizes.h"
#include "app/model_store.h"
#include "app/models.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/environment.h"
#include "engine/engine_quantize.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORTH_IT 1.10 /* less is within what one machine's runs differ */
#define ANSWER_MS 300000
#define TARGET_MS 25000 /* as a request of a validator */
#define ROUNDS_MAX 9

static const char *const variables[] = {"PATH", "HOME", "LANG", "TMPDIR", "GGML_*", "STUB_LLAMA_*"};

static const struct {
    const char *shown, *type, *output_type;
} candidates[TUNE_ROWS - 1] = {
    {"Q8_0", "Q8_0", NULL},
    {"Q4_0", "Q4_0", NULL},
    {"Q4_0, output Q4_0", "Q4_0", "Q4_0"},
    {"Q4_K_M", "Q4_K_M", NULL},
};

struct tune {
    const struct conf *conf;
    const struct tune_order *o;
    struct sf_errbuf *eb;
    struct tune_row *rows;
    size_t n;
    struct model_place place; /* path: the file that is judged */
    struct model_sizes sizes;
    char original[MODEL_PATH_MAX], kept[MODEL_PATH_MAX];
    char files[TUNE_ROWS][MODEL_PATH_MAX + 64];
    double speeds[TUNE_ROWS][ROUNDS_MAX];
    char **environment;
    int steps;
};

static bool is_canceled(const struct tune *t)
{
    return t->o->cancel != NULL && atomic_load(t->o->cancel);
}

static void tell(struct tune *t, const char *what, const char *type)
{
    char text[80];
    int all = TUNE_ROWS - 1 + t->o->rounds * (int)TUNE_ROWS;
    (void)snprintf(text, sizeof text, "%s %s", what, type);
    if (t->o->on_stage != NULL) {
        t->o->on_stage(t->o->arg, text, t->steps * 1000 / all);
    }
    t->steps++;
}

/* ---- other layouts --------------------------------------------------------------------------- */

static enum sf_err write_one(struct tune *t, size_t i)
{
    struct stat st;
    struct tune_row *row = &t->rows[i];
    tell(t, "writing", candidates[i - 1].shown);
    (void)snprintf(row->type, sizeof row->type, "%s", candidates[i - 1].shown);
    struct engine_quantize_order order = {.engine_path = t->place.engine_path,
                                          .lib_dir = t->place.lib_dir,
                                          .environment = (const char *const *)t->environment,
                                          .input = t->original,
                                          .output = t->files[i],
                                          .type = candidates[i - 1].type,
                                          .output_type = candidates[i - 1].output_type,
                                          .cancel = t->o->cancel};
    enum sf_err err = engine_quantize(&order, t->eb);
    row->bytes = err == SF_OK && stat(t->files[i], &st) == 0 ? st.st_size : 0;
    return err;
}

/* ---- measuring ------------------------------------------------------------------------------- */

static size_t characters_of(const json_t *value)
{
    size_t n = 0, i;
    const char *key;
    json_t *part;
    if (json_is_string(value)) {
        return json_string_length(value);
    }
    json_array_foreach(value, i, part)
    {
        n += characters_of(part);
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, part)
    {
        n += characters_of(part);
    }
    return n;
}

/* One answer; *chars and *ms grow. */
static enum sf_err write_answer(struct tune *t, struct engine *e, const char *task, size_t *chars,
                                sf_ms *ms)
{
    struct story_request request;
    json_t *fields = json_pack("{s:s, s:s}", "task_type", task, "user_input",
                               "A lighthouse keeper finds a letter from the sea.");
    json_t *message = NULL;
    struct sf_time started = sf_now();
    enum sf_err err = story_request_init(&request, fields, t->eb);
    if (err == SF_OK) {
        struct engine_order order = {.request = &request,
                                     .deadline = sf_after(started, ANSWER_MS),
                                     .target = sf_after(started, TARGET_MS),
                                     .seed = 1,
                                     .languages = t->place.languages,
                                     .n_languages = t->place.n_languages,
                                     .instruct = t->place.instruct,
                                     .small = t->place.small,
                                     .cancel = t->o->cancel};
        err = engine_generate(e, &order, &message, t->eb);
        story_request_fini(&request);
    }
    *chars += characters_of(json_object_get(message, "output"));
    *ms += sf_between(started, sf_now());
    json_decref(message);
    json_decref(fields);
    return err;
}

static enum sf_err measure(struct tune *t, size_t i, int round)
{
    struct engine *e = NULL;
    struct engine_options o = engine_options_default();
    size_t chars = 0;
    sf_ms ms = 0;
    tell(t, "measuring", t->rows[i].type);
    o.engine_path = t->place.engine_path;
    o.lib_dir = t->place.lib_dir;
    o.model_path = t->files[i];
    o.sizes = t->sizes.copies[0].sizes;
    o.n_sizes = 1; /* the same for all */
    o.threads = t->conf->generator.local.threads;
    o.flash_attention = t->conf->generator.local.use_flash_attention;
    o.load_ms = t->conf->generator.local.load_timeout_ms;
    o.stall_ms = 60000;
    o.environment = (const char *const *)t->environment;
    enum sf_err err = engine_open(&o, &e, t->eb);
    if (err == SF_OK) {
        err = engine_wait_ready(e, sf_after(sf_now(), o.load_ms), t->eb);
    }
    if (err == SF_OK) {
        err = write_answer(t, e, "characters", &chars, &ms);
    }
    if (err == SF_OK) {
        err = write_answer(t, e, "story_arc", &chars, &ms);
    }
    engine_close(e);
    t->speeds[i][round] = ms > 0 ? (double)chars / sf_seconds(ms) : 0;
    return err;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static enum sf_err measure_all(struct tune *t)
{
    enum sf_err err = SF_OK;
    for (int round = 0; round < t->o->rounds; round++) {
        for (size_t i = 0; i < t->n && err == SF_OK; i++) {
            err = is_canceled(t)         ? sf_fail(t->eb, SF_ECANCELED, "canceled")
                  : t->rows[i].bytes > 0 ? measure(t, i, round)
                                         : SF_OK;
        }
    }
    for (size_t i = 0; i < t->n && err == SF_OK; i++) {
        qsort(t->speeds[i], (size_t)t->o->rounds, sizeof t->speeds[i][0], by_size);
        t->rows[i].chars_per_second = t->speeds[i][t->o->rounds / 2];
    }
    return err;
}

/* ---- keeping --------------------------------------------------------------------------------- */

static enum sf_err keep_best(struct tune *t)
{
    char sha256[65];
    size_t best = 0;
    for (size_t i = 1; i < t->n; i++) {
        if (t->rows[i].chars_per_second > t->rows[best].chars_per_second) {
            best = i;
        }
    }
    if (t->rows[best].chars_per_second < t->rows[0].chars_per_second * WORTH_IT) {
        return SF_OK;
    }
    enum sf_err err = model_hash_file(t->files[best], sha256, NULL, NULL, t->eb);
    if (err == SF_OK && rename(t->files[best], t->kept) != 0) {
        err = sf_fail_errno(t->eb, SF_EIO, "%.200s", t->kept);
    }
    if (err == SF_OK) {
        t->rows[best].kept = true;
        err = model_stamp_write(t->kept, sha256, t->eb);
    }
    return err;
}

/* The model's own file, the plan for it, and names for the others. */
static enum sf_err prepare(struct tune *t)
{
    struct model_devices devices;
    struct stat st;
    char dir[MODEL_PATH_MAX];
    const char *name = t->o->name != NULL ? t->o->name : t->conf->generator.local.model_name;
    model_find_original(t->conf, name, &t->place);
    if (stat(t->place.path, &st) != 0) {
        return sf_fail(t->eb, SF_ENOTFOUND, "no file of \"%.100s\" is here: storyfi models pull it",
                       name);
    }
    memcpy(t->original, t->place.path, sizeof t->original);
    model_tuned_path(t->conf, t->original, t->kept, sizeof t->kept);
    model_store_dir(t->conf, dir, sizeof dir);
    model_devices_read(t->conf, &devices);
    enum sf_err err = model_sizes_make(t->conf, &t->place, &devices, &t->sizes);
    if (err == SF_OK && (!t->sizes.fits || t->sizes.n_copies == 0)) {
        err = sf_fail(t->eb, SF_EUNAVAILABLE, "%.100s: %.150s", name, t->sizes.text);
    }
    if (err == SF_OK && strncmp(t->sizes.copies[0].sizes[0].text, "GPU", 3) == 0) {
        err = sf_fail(t->eb, SF_EINVAL,
                      "%.100s runs on a GPU, which reads all types fast: nothing to tune", name);
    }
    if (err == SF_OK) {
        err = sf_dir_make(dir, 0755, t->eb);
    }
    t->rows[0] = (struct tune_row){.type = "as it is", .bytes = st.st_size};
    (void)snprintf(t->files[0], sizeof t->files[0], "%s", t->original);
    for (size_t i = 1; i < TUNE_ROWS; i++) {
        t->rows[i] = (struct tune_row){.bytes = 0};
        (void)snprintf(t->files[i], sizeof t->files[i], "%.1000s.%zu.trying", t->kept, i);
    }
    t->n = TUNE_ROWS;
    return err;
}

enum sf_err model_tune(const struct conf *conf, const struct tune_order *o,
                       struct tune_row rows[static TUNE_ROWS], size_t *n, struct sf_errbuf *eb)
{
    struct tune *t = sf_alloc(sizeof *t);
    if (t == NULL) {
        return SF_ENOMEM;
    }
    SF_BUG_ON(o->rounds < 1 || o->rounds > ROUNDS_MAX);
    t->conf = conf;
    t->o = o;
    t->eb = eb;
    t->rows = rows;
    t->environment = conf_environment_pick(variables, sizeof variables / sizeof variables[0], NULL);
    enum sf_err err = t->environment == NULL ? SF_ENOMEM : prepare(t);
    for (size_t i = 1; err == SF_OK && i < t->n; i++) {
        err = write_one(t, i);
    }
    if (err == SF_OK) {
        err = measure_all(t);
    }
    if (err == SF_OK) {
        err = keep_best(t);
    }
    for (size_t i = 1; i < t->n; i++) {
        (void)unlink(t->files[i]);
    }
    *n = t->n;
    model_sizes_fini(&t->sizes);
    conf_environment_free(t->environment);
    free(t);
    return err;
}

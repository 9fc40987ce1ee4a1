/* SPDX-License-Identifier: MIT */
#include "app/model_tune.h"

#include "app/model_fetch.h"
#include "app/model_sizes.h"
#include "app/model_tune_check.h"
#include "app/model_tune_record.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/environment.h"
#include "engine/engine_quantize.h"
#include "story/validate.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 300000
#define TARGET_MS 25000 /* as a request of a validator */
#define QUICK_ANSWER_MS 25000
#define QUICK_TARGET_MS 12000
#define QUICK_ROUNDS 3
#define QUICK_MOST_MS 60000 /* no answer begins later: a machine that is slow, or busy */

static const char *const variables[] = {"PATH", "HOME", "LANG", "TMPDIR", "GGML_*", "STUB_LLAMA_*"};
static const char *const long_tasks[] = {"characters", "story_arc", NULL};
static const char *const quick_tasks[QUICK_ROUNDS][2] = {
    {"blueprint"}, {"characters"}, {"story_arc"}};

struct tune {
    const struct conf *conf;
    const struct tune_order *o;
    struct sf_errbuf *eb;
    struct tune_row *rows;
    size_t n;
    struct model_place place;
    struct tune_facts facts;
    struct model_sizes sizes;
    struct tune_layout layouts[TUNE_ROWS];
    char files[TUNE_ROWS][MODEL_PATH_MAX + 64];
    char **environment;
    int folder; /* locked while we work in it */
    int step, steps;
    struct sf_time until; /* no measurement begins later */
};

static bool is_canceled(const struct tune *t)
{
    return t->o->cancel != NULL && atomic_load(t->o->cancel);
}

static void tell(struct tune *t, const char *what, const char *type)
{
    char text[80];
    (void)snprintf(text, sizeof text, "%s %s", what, type);
    if (t->o->on_stage != NULL) {
        t->o->on_stage(t->o->arg, text, t->step >= t->steps ? 999 : t->step * 1000 / t->steps);
    }
    t->step++;
}

/* What ends everything; other errors are one candidate's own. */
static bool is_fatal(enum sf_err err)
{
    return err == SF_ECANCELED || err == SF_ENOMEM || err == SF_EUNAVAILABLE || err == SF_ECONFIG;
}

static void put_out(struct tune *t, size_t i, enum sf_err err)
{
    t->rows[i].out = t->rows[i].failed = true;
    (void)snprintf(t->rows[i].why, sizeof t->rows[i].why, "%.60s", sf_err_text(t->eb, err));
}

/* ---- other layouts --------------------------------------------------------------------------- */

static enum sf_err write_one(struct tune *t, size_t i)
{
    struct stat st;
    struct tune_row *row = &t->rows[i];
    tell(t, "writing", t->layouts[i].shown);
    struct engine_quantize_order order = {.engine_path = t->place.engine_path,
                                          .lib_dir = t->place.lib_dir,
                                          .environment = (const char *const *)t->environment,
                                          .input = t->facts.original,
                                          .output = t->files[i],
                                          .type = t->layouts[i].type,
                                          .output_type = t->layouts[i].output_type,
                                          .cancel = t->o->cancel};
    enum sf_err err = engine_quantize(&order, t->eb);
    row->bytes = err == SF_OK && stat(t->files[i], &st) == 0 ? st.st_size : 0;
    return err;
}

/* All of them; what could not be written is out. */
static enum sf_err write_all(struct tune *t)
{
    size_t written = 0;
    enum sf_err err = SF_OK;
    for (size_t i = 1; i < t->n; i++) {
        err = write_one(t, i);
        if (is_fatal(err)) {
            return err;
        }
        if (err != SF_OK) {
            (void)unlink(t->files[i]);
            put_out(t, i, err);
        }
        written += err == SF_OK;
    }
    return written > 0 || t->n == 1 ? SF_OK : err;
}

/* ---- one answer ------------------------------------------------------------------------------ */

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

/* What a process has worked so far, all its threads together; 0 unknown. */
static int64_t cpu_ms(pid_t pid)
{
    clockid_t id;
    struct timespec t;
    return clock_getcpuclockid(pid, &id) == 0 && clock_gettime(id, &t) == 0
               ? (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000
               : 0;
}

static void note_answer(const struct story_request *request, const json_t *message,
                        struct tune_sample *y)
{
    const json_t *output = json_object_get(message, "output"),
                 *usage = json_object_get(message, "usage");
    int64_t slots = 0, retried = 0, replaced = 0;
    struct story_report *report = sf_alloc(sizeof *report);
    y->characters += (int64_t)characters_of(output);
    (void)json_get_int(usage, "slots", &slots);
    (void)json_get_int(usage, "retried", &retried);
    (void)json_get_int(usage, "replaced", &replaced);
    y->slots += (int)slots;
    y->mended += (int)(retried + replaced);
    y->valid = y->valid && report != NULL && story_validate(request, output, report);
    free(report);
}

static enum sf_err write_answer(struct tune *t, struct engine *e, const char *task,
                                struct tune_sample *y)
{
    struct story_request request;
    struct engine_status status;
    json_t *fields = json_pack("{s:s, s:s}", "task_type", task, "user_input",
                               "A lighthouse keeper finds a letter from the sea.");
    json_t *message = NULL;
    struct sf_time started = sf_now();
    enum sf_err err = story_request_init(&request, fields, t->eb);
    json_decref(fields);
    if (err != SF_OK) {
        return err;
    }
    engine_get_status(e, &status);
    int64_t worked = cpu_ms(status.pid);
    struct engine_order order = {
        .request = &request,
        .deadline = sf_after(started, t->o->quick ? QUICK_ANSWER_MS : ANSWER_MS),
        .target = sf_after(started, t->o->quick ? QUICK_TARGET_MS : TARGET_MS),
        .seed = 1,
        .languages = t->place.languages,
        .n_languages = t->place.n_languages,
        .instruct = t->place.instruct,
        .small = t->place.small,
        .cancel = t->o->cancel};
    err = engine_generate(e, &order, &message, t->eb);
    sf_ms taken = sf_between(started, sf_now());
    worked = cpu_ms(status.pid) - worked;
    y->ms += worked > 0 ? worked : taken;
    if (err == SF_OK) {
        note_answer(&request, message, y);
    }
    json_decref(message);
    story_request_fini(&request);
    return err;
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static enum sf_err open_engine(struct tune *t, size_t i, struct engine **e)
{
    struct engine_options o = engine_options_default();
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
    enum sf_err err = engine_open(&o, e, t->eb);
    return err != SF_OK ? err : engine_wait_ready(*e, sf_after(sf_now(), o.load_ms), t->eb);
}

static enum sf_err measure(struct tune *t, size_t i, const char *const *tasks)
{
    struct engine *e = NULL;
    struct tune_sample y = {.valid = true};
    tell(t, "measuring", t->layouts[i].shown);
    enum sf_err err = open_engine(t, i, &e);
    for (; err == SF_OK && *tasks != NULL; tasks++) {
        err = write_answer(t, e, *tasks, &y);
    }
    engine_close(e);
    if (err == SF_OK) {
        t->rows[i].samples[t->rows[i].n_samples++] = y;
    }
    return err;
}

/* All that are not out, in turn, while there is time. The file as it is has to answer. */
static enum sf_err measure_round(struct tune *t, const char *const *tasks)
{
    for (size_t i = 0; i < t->n; i++) {
        enum sf_err err = is_canceled(t) ? sf_fail(t->eb, SF_ECANCELED, "canceled")
                          : t->rows[i].out || sf_until(t->until) <= 0 ? SF_OK
                                                                      : measure(t, i, tasks);
        if (err != SF_OK && (i == 0 || is_fatal(err))) {
            return err;
        }
        if (err != SF_OK) {
            put_out(t, i, err);
        }
    }
    return SF_OK;
}

static enum sf_err measure_long(struct tune *t)
{
    enum sf_err err = SF_OK;
    for (int round = 0; round < t->o->rounds && err == SF_OK; round++) {
        err = measure_round(t, long_tasks);
    }
    return err;
}

static enum sf_err measure_quick(struct tune *t)
{
    struct sf_time end = sf_after(sf_now(), TUNE_QUICK_MS);
    size_t left = t->n - 1;
    t->until = sf_after(sf_now(), QUICK_MOST_MS);
    for (size_t round = 0; round < QUICK_ROUNDS && left > 0 && left < TUNE_ROWS; round++) {
        struct sf_time started = sf_now();
        size_t measured = left + 1;
        enum sf_err err = measure_round(t, quick_tasks[round]);
        if (err != SF_OK) {
            return err;
        }
        left = tune_choice_halve(t->rows, t->n);
        /* `story_arc` takes half as long again as `characters`. */
        sf_ms next = sf_between(started, sf_now()) * 3 * (sf_ms)(left + 1) / (sf_ms)measured / 2;
        if (round > 0 && sf_until(end) < next) {
            break;
        }
    }
    return SF_OK;
}

/* ---- keeping --------------------------------------------------------------------------------- */

static enum sf_err keep(struct tune *t)
{
    char sha256[65];
    enum sf_err err = SF_OK;
    size_t best = tune_choice_make(t->rows, t->n);
    if (best > 0) {
        err = model_hash_file(t->files[best], sha256, NULL, NULL, t->eb);
        if (err == SF_OK && rename(t->files[best], t->facts.kept) != 0) {
            err = sf_fail_errno(t->eb, SF_EIO, "%.200s", t->facts.kept);
        }
        if (err == SF_OK) {
            err = model_stamp_write(t->facts.kept, sha256, t->eb);
        }
    } else {
        char stamp[MODEL_PATH_MAX + 16];
        (void)snprintf(stamp, sizeof stamp, "%s.verified", t->facts.kept);
        (void)unlink(t->facts.kept); /* of an earlier time: another one was the fastest then */
        (void)unlink(stamp);
    }
    return err != SF_OK ? err
                        : tune_record_write(t->facts.kept, t->facts.original, t->rows[best].type,
                                            best > 0 ? t->rows[best].gain : 1, t->eb);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static enum sf_err lock_folder(struct tune *t)
{
    char dir[MODEL_PATH_MAX];
    model_store_dir(t->conf, dir, sizeof dir);
    enum sf_err err = sf_dir_make(dir, 0755, t->eb);
    if (err != SF_OK) {
        return err;
    }
    t->folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t->folder < 0 || flock(t->folder, LOCK_EX | LOCK_NB) != 0) {
        return t->folder < 0 ? sf_fail_errno(t->eb, SF_EIO, "%.200s", dir)
                             : sf_fail(t->eb, SF_EBUSY,
                                       "another storyfi is tuning a model in %.200s: wait for it, "
                                       "or end it",
                                       dir);
    }
    return SF_OK;
}

/* Whether it can be done, as the facts say; the plan for all layouts. */
static enum sf_err prepare(struct tune *t)
{
    struct model_devices devices;
    char why[240];
    const char *name = t->o->name != NULL ? t->o->name : t->conf->generator.local.model_name;
    const struct tune_facts *f = &t->facts;
    tune_facts_read(t->conf, name, &t->facts);
    if (f->bytes == 0) {
        return sf_fail(t->eb, SF_ENOTFOUND, "no file of \"%.100s\" is here: storyfi models pull it",
                       name);
    }
    if (!f->fits) {
        return sf_fail(t->eb, SF_EUNAVAILABLE, "%.100s: %.150s", name, f->plan);
    }
    if (f->on_gpu) {
        return sf_fail(t->eb, SF_EINVAL,
                       "%.100s runs on a GPU, which reads all types fast: nothing to tune", name);
    }
    if (f->layouts == 0) {
        return sf_fail(t->eb, SF_EINVAL, "%.100s has no other layout to try", name);
    }
    if (!tune_has_room(f, why, sizeof why)) {
        return sf_fail(t->eb, SF_EIO, "%.200s", why);
    }
    model_find_original(t->conf, name, &t->place);
    model_devices_read(t->conf, &devices);
    return model_sizes_make(t->conf, &t->place, &devices, &t->sizes);
}

static void begin_rows(struct tune *t)
{
    t->n = tune_layouts(t->facts.original, t->layouts);
    for (size_t i = 0; i < t->n; i++) {
        t->rows[i] = (struct tune_row){.bytes = i == 0 ? t->facts.bytes : 0};
        (void)snprintf(t->rows[i].type, sizeof t->rows[i].type, "%s", t->layouts[i].shown);
        (void)snprintf(t->files[i], sizeof t->files[i], "%.1000s.%zu.trying", t->facts.kept, i);
    }
    memcpy(t->files[0], t->facts.original, sizeof t->facts.original);
    /* As many as are likely: 5 + 3 + 2 of five rows in the quick form. */
    t->steps = (int)t->n - 1 + (t->o->quick ? 2 * (int)t->n : t->o->rounds * (int)t->n);
}

enum sf_err model_tune(const struct conf *conf, const struct tune_order *o,
                       struct tune_row rows[static TUNE_ROWS], size_t *n, struct sf_errbuf *eb)
{
    struct tune *t = sf_alloc(sizeof *t);
    *n = 0;
    if (t == NULL) {
        return SF_ENOMEM;
    }
    SF_BUG_ON(!o->quick && (o->rounds < 1 || o->rounds > TUNE_ROUNDS_MAX));
    t->conf = conf;
    t->o = o;
    t->eb = eb;
    t->rows = rows;
    t->folder = -1;
    t->until = SF_NEVER;
    t->environment = conf_environment_pick(variables, sizeof variables / sizeof variables[0], NULL);
    enum sf_err err = t->environment == NULL ? SF_ENOMEM : prepare(t);
    if (err == SF_OK) {
        err = lock_folder(t);
    }
    if (err == SF_OK) {
        begin_rows(t);
        err = write_all(t);
    }
    if (err == SF_OK) {
        err = o->quick ? measure_quick(t) : measure_long(t);
    }
    if (err == SF_OK) {
        err = keep(t);
    }
    for (size_t i = 1; i < t->n; i++) {
        (void)unlink(t->files[i]);
    }
    *n = t->n;
    if (t->folder >= 0) {
        (void)close(t->folder);
    }
    model_sizes_fini(&t->sizes);
    conf_environment_free(t->environment);
    free(t);
    return err;
}

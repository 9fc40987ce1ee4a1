/* SPDX-License-Identifier: MIT */
#include "cmd/models_tune.h"

#include "app/model_tune.h"
#include "app/model_tune_check.h"
#include "app/progress.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/models_show.h"
#include "cmd/running_miner.h"
#include "generator/machine.h"

#include <signal.h>

static atomic_bool interrupted;

static void on_signal(int sig)
{
    (void)sig;
    atomic_store(&interrupted, true);
}

struct show {
    struct progress bar;
    bool lines; /* where nobody looks at a terminal */
};

static void on_stage(void *arg, const char *what, int permille)
{
    struct show *s = arg;
    if (s->bar.out != NULL) {
        progress_draw(&s->bar, permille, "tuning: %s", what);
    } else if (s->lines) {
        fprintf(stderr, "%s\n", what);
    }
}

/* ---- what came out --------------------------------------------------------------------------- */

static json_t *rows_json(const struct tune_row *rows, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct tune_row *r = &rows[i];
        int slots = 0, mended = 0;
        for (size_t k = 0; k < r->n_samples; k++) {
            slots += r->samples[k].slots;
            mended += r->samples[k].mended;
        }
        (void)json_array_append_new(
            list, json_pack("{s:s, s:I, s:f, s:f, s:i, s:i, s:i, s:b, s:s}", "type", r->type,
                            "bytes", (json_int_t)r->bytes, "characters_per_cpu_second",
                            tune_choice_speed(r), "gain", r->gain, "rounds", (int)r->n_samples,
                            "slots", slots, "mended", mended, "kept", (int)r->kept, "why", r->why));
    }
    return list;
}

static const struct tune_row *kept_of(const struct tune_row *rows, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (rows[i].kept) {
            return &rows[i];
        }
    }
    return NULL;
}

static void print_kept(const struct tune_row *kept)
{
    if (kept == NULL) {
        puts("tuned: the file is fastest as it is, no other is kept");
    } else {
        printf("tuned: %s, %.2f times as fast, is used from now on (storyfi models remove "
               "FILE.tuned.gguf goes back; doc/models.md)\n",
               kept->type, kept->gain);
    }
}

static void print_rows(const struct tune_row *rows, size_t n)
{
    char size[MACHINE_SIZE_MAX];
    printf("%-20s %10s %6s %18s %7s\n", "layout", "size", "rounds", "characters/CPU s", "times");
    for (size_t i = 0; i < n; i++) {
        printf("%-20s %10s %6zu %18.0f %6.2fx%s%s%s\n", rows[i].type,
               machine_size(rows[i].bytes, size), rows[i].n_samples, tune_choice_speed(&rows[i]),
               rows[i].gain, rows[i].kept ? "  kept" : "", rows[i].why[0] != '\0' ? "  " : "",
               rows[i].why);
    }
    print_kept(kept_of(rows, n));
}

/* ---- by itself ------------------------------------------------------------------------------- */

/* Says what it will take on stderr; false: not now, and why. */
static bool may_begin(const struct conf *conf, const char *name, char *why, size_t n)
{
    char cost[160];
    struct tune_facts *f = sf_xalloc(sizeof *f);
    bool may = false;
    if (!conf->generator.local.auto_tune) {
        (void)snprintf(why, n, "generator.local.auto_tune is false");
    } else if (running_miner_is_there(conf)) {
        (void)snprintf(why, n,
                       "a miner runs here, whose validators need the CPU (storyfi models "
                       "tune does it all the same)");
    } else {
        tune_facts_read(conf, name, f);
        may = tune_is_sensible(f, why, n);
    }
    if (may) {
        tune_cost_text(f, cost, sizeof cost);
        fprintf(stderr,
                "tuning: looks for the layout of the weights that this CPU reads fastest (%s; "
                "Ctrl-C keeps the file as it is)\n",
                cost);
    }
    free(f);
    return may;
}

void models_tune_by_itself(const struct conf *conf, const char *name, const atomic_bool *cancel,
                           json_t *result)
{
    struct show s = {.lines = false};
    struct tune_row rows[TUNE_ROWS];
    struct sf_errbuf eb = {.code = SF_OK};
    char why[300] = "";
    size_t n = 0;
    struct tune_order o = {
        .name = name, .quick = true, .on_stage = on_stage, .arg = &s, .cancel = cancel};
    bool begun = may_begin(conf, name, why, sizeof why), done = false;
    if (begun) {
        progress_init(&s.bar, args_is_terminal(stderr) ? stderr : NULL);
        enum sf_err err = model_tune(conf, &o, rows, &n, &eb);
        progress_clear(&s.bar);
        done = err == SF_OK;
        (void)snprintf(why, sizeof why, "%.280s", done ? "" : sf_err_text(&eb, err));
    }
    if (result != NULL) {
        (void)json_object_set_new(result, "tuning",
                                  done ? rows_json(rows, n) : json_pack("{s:s}", "not", why));
    } else if (done) {
        print_kept(kept_of(rows, n));
    } else {
        printf("%s: %s\n", begun ? "not tuned, the file stays as it is" : "tuning left out", why);
    }
}

/* ---- the command ----------------------------------------------------------------------------- */

static int tune_if_missing(const struct args *a, const struct conf *conf, const char *name)
{
    json_t *result = args_has(a, "--json") ? json_object() : NULL;
    models_tune_by_itself(conf, name, &interrupted, result);
    if (result != NULL) {
        models_print_json(result);
    }
    return 0;
}

int models_tune(const struct args *a, const struct conf *conf, const struct model_catalogue *c)
{
    struct show s = {.lines = true};
    struct tune_row rows[TUNE_ROWS];
    struct sf_errbuf eb = {.code = SF_OK};
    size_t n = 0;
    (void)c;
    if (a->n_words > 1) {
        fatal(100, "models tune: one name, or none for the configured model");
    }
    struct tune_order o = {.name = a->n_words == 1 ? a->words[0] : conf->generator.local.model_name,
                           .rounds = (int)args_int(a, "--rounds", 3, 1, TUNE_ROUNDS_MAX),
                           .quick = args_has(a, "--quick"),
                           .on_stage = on_stage,
                           .arg = &s,
                           .cancel = &interrupted};
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    if (args_has(a, "--if-missing")) {
        return tune_if_missing(a, conf, o.name);
    }
    progress_init(&s.bar, args_is_terminal(stderr) ? stderr : NULL);
    enum sf_err err = model_tune(conf, &o, rows, &n, &eb);
    progress_clear(&s.bar);
    if (err != SF_OK) {
        fprintf(stderr, "storyfi models tune: %s\n", sf_err_text(&eb, err));
        return sf_err_info(err)->exit_code;
    }
    if (args_has(a, "--json")) {
        models_print_json(rows_json(rows, n));
    } else {
        print_rows(rows, n);
    }
    return 0;
}

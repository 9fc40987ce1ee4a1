/* SPDX-License-Identifier: MIT */
#include "cmd/models_tune.h"

#include "app/model_tune.h"
#include "app/progress.h"
#include "base/log.h"
#include "cmd/models_show.h"
#include "generator/machine.h"

#include <signal.h>

static atomic_bool interrupted;

static void on_signal(int sig)
{
    (void)sig;
    atomic_store(&interrupted, true);
}

static void on_stage(void *arg, const char *what, int permille)
{
    struct progress *bar = arg;
    if (bar->out != NULL) {
        progress_draw(bar, permille, "%s", what);
    } else {
        fprintf(stderr, "%s\n", what);
    }
}

static json_t *rows_json(const struct tune_row *rows, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:I, s:f, s:b}", "type", rows[i].type, "bytes",
                                              (json_int_t)rows[i].bytes, "characters_per_second",
                                              rows[i].chars_per_second, "kept", (int)rows[i].kept));
    }
    return list;
}

static void print_rows(const struct tune_row *rows, size_t n)
{
    char size[MACHINE_SIZE_MAX];
    bool kept = false;
    printf("%-20s %10s %18s\n", "layout", "size", "characters/s");
    for (size_t i = 0; i < n; i++) {
        printf("%-20s %10s %12.0f %4.2fx%s\n", rows[i].type, machine_size(rows[i].bytes, size),
               rows[i].chars_per_second,
               rows[0].chars_per_second > 0 ? rows[i].chars_per_second / rows[0].chars_per_second
                                            : 0.0,
               rows[i].kept ? "  kept: used from now on" : "");
        kept = kept || rows[i].kept;
    }
    puts(kept ? "(storyfi models list shows the file; storyfi models remove FILE.tuned.gguf goes "
                "back)"
              : "none is faster by a tenth: nothing is kept");
}

int models_tune(const struct args *a, const struct conf *conf, const struct model_catalogue *c)
{
    struct progress bar;
    struct tune_row rows[TUNE_ROWS];
    struct sf_errbuf eb = {.code = SF_OK};
    size_t n = 0;
    (void)c;
    if (a->n_words > 1) {
        fatal(100, "models tune: one name, or none for the configured model");
    }
    struct tune_order o = {.name = a->n_words == 1 ? a->words[0] : NULL,
                           .rounds = (int)args_int(a, "--rounds", 3, 1, 9),
                           .on_stage = on_stage,
                           .arg = &bar,
                           .cancel = &interrupted};
    progress_init(&bar, args_is_terminal(stderr) ? stderr : NULL);
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    enum sf_err err = model_tune(conf, &o, rows, &n, &eb);
    progress_clear(&bar);
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

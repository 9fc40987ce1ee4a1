/* SPDX-License-Identifier: MIT */
#include "cmd/models_import.h"

#include "app/model_import.h"
#include "app/progress.h"
#include "base/log.h"
#include "cmd/models_show.h"
#include "generator/machine.h"

#include <signal.h>
#include <string.h>

static atomic_bool interrupted;

static void on_signal(int sig)
{
    (void)sig;
    atomic_store(&interrupted, true);
}

struct show {
    struct progress bar;
    struct sf_time started;
    bool plain;
    char last[32];
};

static void on_stage(void *arg, const char *what, int permille)
{
    struct show *s = arg;
    if (!s->plain) {
        progress_draw(&s->bar, permille, "%s, %.0f s", what,
                      sf_seconds(sf_between(s->started, sf_now())));
    } else if (strcmp(s->last, what) != 0) {
        fprintf(stderr, "%s\n", what);
    }
    (void)snprintf(s->last, sizeof s->last, "%s", what);
}

int models_import(const struct args *a, const struct conf *conf, const struct model_catalogue *c)
{
    struct show s = {.started = sf_now(), .plain = !args_is_terminal(stderr)};
    struct import_result result;
    struct sf_errbuf eb = {.code = SF_OK};
    char size[MACHINE_SIZE_MAX];
    (void)c;
    if (a->n_words != 1) {
        fatal(100, "models import: one folder, or one name of the hub");
    }
    struct import_order o = {.source = a->words[0],
                             .python = args_get(a, "--python"),
                             .converter = args_get(a, "--converter"),
                             .quantization = args_get(a, "--quant"),
                             .on_stage = on_stage,
                             .arg = &s,
                             .cancel = &interrupted};
    progress_init(&s.bar, s.plain ? NULL : stderr);
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    enum sf_err err = model_import(conf, &o, &result, &eb);
    progress_clear(&s.bar);
    if (err != SF_OK) {
        fprintf(stderr, "storyfi models import: %s\n", sf_err_text(&eb, err));
        return sf_err_info(err)->exit_code;
    }
    if (args_has(a, "--json")) {
        models_print_json(json_pack("{s:s, s:s, s:I, s:s}", "file", result.path, "model_name",
                                    result.name, "bytes", (json_int_t)result.bytes, "sha256",
                                    result.sha256));
    } else {
        printf("%s: %s, SHA-256 %s\nmodel_name: \"%s\"\n", result.path,
               machine_size(result.bytes, size), result.sha256, result.name);
    }
    return 0;
}

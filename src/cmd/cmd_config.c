/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/error_guide.h"
#include "cmd/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_PRINTED (4U << 20)

static const struct arg_option options[] = {
    {"--json", NULL, "Print JSON (check and print)."},
};
static const struct arg_action actions[] = {
    {"check", "Say what is wrong with the configuration; opens nothing."},
    {"print", "Print every value with where it came from; secrets are masked."},
    {"init", "Write a commented configuration and .env; overwrites nothing."},
    {"doc", "Print doc/config.md."},
    {"example", "Print the commented configuration."},
    {"example-env", "Print the commented .env."},
    {"errors", "Print doc/guide/errors.md."},
};
const struct args_spec cmd_config_spec = {
    .name = "config",
    .synopsis = "check|print|init|doc|example|example-env|errors [--config FILE] [--json]",
    .summary = "Check, print or write the configuration.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .actions = actions,
    .n_actions = sizeof actions / sizeof actions[0],
    .takes_settings = true,
};

static int put(struct sf_buf *out)
{
    int code = 0;
    if (out->err != SF_OK || fwrite(sf_buf_z(out), 1, out->n, stdout) != out->n ||
        fflush(stdout) != 0) {
        fprintf(stderr, "storyfi: config: cannot write to stdout\n");
        code = 111;
    }
    sf_buf_fini(out);
    return code;
}

static int put_json(json_t *value)
{
    struct sf_buf out;
    sf_buf_init(&out, MAX_PRINTED);
    if (value == NULL) {
        out.err = SF_ENOMEM;
    } else {
        json_print_pretty(value, &out);
        sf_buf_putc(&out, '\n');
    }
    json_decref(value);
    return put(&out);
}

/* ------------------------------------------------------------------ check */

static const char *const level_names[] = {
    [CONF_NOTE] = "note", [CONF_WARNING] = "warning", [CONF_ERROR] = "error"};

static json_t *findings_json(const struct conf_diagnostics *found)
{
    json_t *list = json_array();
    for (size_t i = 0; i < found->n; i++) {
        const struct conf_diagnostic *d = &found->v[i];
        json_t *one = json_pack("{s:s, s:s, s:s, s:s}", "level", level_names[d->level], "where",
                                d->where, "key", d->key, "text", d->text);
        if (one == NULL || json_array_append_new(list, one) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return json_pack("{s:b, s:o}", "ok", found->n_errors == 0, "findings", list);
}

static void print_findings(const struct conf_diagnostics *found)
{
    size_t n_warnings = 0;
    for (size_t i = 0; i < found->n; i++) {
        const struct conf_diagnostic *d = &found->v[i];
        n_warnings += d->level == CONF_WARNING;
        printf("%s: %s%s%s%s%s\n", level_names[d->level], d->where, d->where[0] != '\0' ? ": " : "",
               d->key, d->key[0] != '\0' ? ": " : "", d->text);
    }
    printf("%zu error%s, %zu warning%s\n", found->n_errors, found->n_errors == 1 ? "" : "s",
           n_warnings, n_warnings == 1 ? "" : "s");
}

static int check(const struct args *a)
{
    struct conf_source source = {.strict = true};
    struct conf_diagnostics found = {0};
    struct sf_errbuf eb = {0};
    const struct conf *conf = NULL;
    settings_source(a, &source);
    enum sf_err err = conf_load(&source, &conf, &found, &eb);
    int code = err == SF_OK ? 0 : sf_err_info(err)->exit_code;
    if (err != SF_OK && found.n_errors == 0) {
        fprintf(stderr, "storyfi: config: %s\n", sf_err_text(&eb, err));
    } else if (args_has(a, "--json")) {
        int printed = put_json(findings_json(&found));
        code = code != 0 ? code : printed;
    } else {
        print_findings(&found);
    }
    conf_unref(conf);
    conf_diagnostics_fini(&found);
    return code;
}

/* ------------------------------------------------------------------ print */

static int print(const struct args *a)
{
    const struct conf *conf = settings_load(a);
    int code;
    if (args_has(a, "--json")) {
        code = put_json(conf_to_json(conf));
    } else {
        struct sf_buf out;
        sf_buf_init(&out, MAX_PRINTED);
        conf_print(conf, &out);
        code = put(&out);
    }
    conf_unref(conf);
    return code;
}

static int print_made(void (*make)(struct sf_buf *out))
{
    struct sf_buf out;
    sf_buf_init(&out, MAX_PRINTED);
    make(&out);
    return put(&out);
}

/* ------------------------------------------------------------------ init */

/* Writes a new file; an existing one is left alone. */
static int write_new(const char *path, void (*make)(struct sf_buf *out), mode_t mode)
{
    struct sf_buf text;
    int code = 111;
    sf_buf_init(&text, MAX_PRINTED);
    make(&text);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 && errno == EEXIST) {
        printf("%s is there already: left as it is\n", path);
        code = 1;
    } else if (fd < 0 || write(fd, sf_buf_z(&text), text.n) != (ssize_t)text.n || close(fd) != 0) {
        fprintf(stderr, "storyfi: config: %s: %s\n", path, strerror(errno));
    } else {
        printf("%s written\n", path);
        code = 0;
    }
    sf_buf_fini(&text);
    return code;
}

static int init(const struct args *a)
{
    struct conf_source source = {0};
    struct sf_errbuf eb = {0};
    settings_source(a, &source);
    const char *path =
        source.config_path != NULL ? source.config_path : "config/generator_config.yaml";
    char *dir = sf_path_dir(path);
    enum sf_err err = dir == NULL ? SF_ENOMEM : sf_dir_make(dir, 0777, &eb);
    free(dir), dir = NULL;
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: config: %s\n", sf_err_text(&eb, err));
        return sf_err_info(err)->exit_code;
    }
    int yaml = write_new(path, conf_example, 0666);
    int env = write_new(".env", conf_example_env, 0600);
    int worse = yaml > env ? yaml : env;
    return worse == 111 ? 111 : yaml;
}

static int doc(const struct args *a)
{
    (void)a;
    return print_made(conf_doc_markdown);
}

static int example(const struct args *a)
{
    (void)a;
    return print_made(conf_example);
}

static int example_env(const struct args *a)
{
    (void)a;
    return print_made(conf_example_env);
}

static int errors(const struct args *a)
{
    (void)a;
    return print_made(error_guide_markdown);
}

int cmd_config(int argc, char **argv)
{
    static int (*const runs[])(const struct args *) = {check,   print,       init,  doc,
                                                       example, example_env, errors};
    struct args a;
    int code = 0;
    args_parse(&a, &cmd_config_spec, argc, argv);
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(a.action, actions[i].name) == 0) {
            code = runs[i](&a);
        }
    }
    args_fini(&a);
    return code;
}

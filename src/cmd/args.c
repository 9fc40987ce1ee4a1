/* SPDX-License-Identifier: MIT */
#include "cmd/args.h"

#include "base/log.h"
#include "base/mem.h"

#include <string.h>
#include <unistd.h>

#define CONFIG_FLAG "--config"

static args_setting_fn find_setting;
static args_settings_fn list_settings;
static bool no_colour;

void args_use_settings(args_setting_fn find, args_settings_fn list)
{
    find_setting = find;
    list_settings = list;
}

void args_each_setting(args_each_fn each, void *arg)
{
    if (list_settings != NULL) {
        list_settings(each, arg);
    }
}

static void print_option(void *arg, const struct arg_option *o)
{
    char left[80];
    (void)snprintf(left, sizeof left, "%s%s%s", o->name, o->value == NULL ? "" : " ",
                   o->value == NULL ? "" : o->value);
    fprintf(arg, "  %-34s %s\n", left, o->help);
}

void args_print_help(const struct args_spec *spec, FILE *out)
{
    fprintf(out, "Usage: storyfi %s %s\n\n%s\n", spec->name, spec->synopsis, spec->summary);
    if (spec->details != NULL) {
        fprintf(out, "\n%s\n", spec->details);
    }
    if (spec->n_actions > 0) {
        fputs("\nActions:\n", out);
    }
    for (size_t i = 0; i < spec->n_actions; i++) {
        fprintf(out, "  %-34s %s\n", spec->actions[i].name, spec->actions[i].help);
    }
    fputs("\nOptions:\n", out);
    for (size_t i = 0; i < spec->n_options; i++) {
        print_option(out, &spec->options[i]);
    }
    print_option(out, &(struct arg_option){"--help", NULL, "Show this help and exit."});
    if (spec->takes_settings && list_settings != NULL) {
        fputs("\nSettings (they win over file and environment):\n", out);
        list_settings(print_option, out);
    }
    fputs("\nExit status: 0 ok, 1 negative answer, 100 usage or configuration, 111 temporary "
          "failure.\n",
          out);
}

static const char *nearest(struct sf_str flag, const struct args_spec *spec)
{
    char z[64];
    size_t best = 4;
    const char *found = NULL;
    if (flag.n >= sizeof z) {
        return NULL;
    }
    memcpy(z, flag.p, flag.n);
    z[flag.n] = '\0';
    for (size_t i = 0; i < spec->n_options; i++) {
        size_t d = sf_str_distance(z, spec->options[i].name);
        if (d < best) {
            best = d;
            found = spec->options[i].name;
        }
    }
    return found;
}

static size_t option_index(const struct args_spec *spec, struct sf_str flag)
{
    size_t i = 0;
    while (i < spec->n_options && !sf_str_is(flag, spec->options[i].name)) {
        i++;
    }
    return i;
}

static const char *own_flag(struct args *a, struct sf_str flag)
{
    if (a->n_settings == ARGS_MAX || a->n_owned == ARGS_MAX) {
        fatal(100, "%s: too many options", a->spec->name);
    }
    char *copy = sf_xalloc(flag.n + 1);
    memcpy(copy, flag.p, flag.n);
    a->owned[a->n_owned++] = copy;
    return copy;
}

/* The value of the option at argv[*i]: behind '=' or the next word. */
static const char *take_value(struct sf_str flag, const char *inline_value, int argc, char **argv,
                              int *i)
{
    if (inline_value != NULL) {
        return inline_value;
    }
    if (*i + 1 >= argc) {
        fatal(100, "%s: %.*s needs a value (see storyfi %s --help)", argv[0], SF_STR_ARG(flag),
              argv[0]);
    }
    return argv[++*i];
}

static void parse_option(struct args *a, int argc, char **argv, int *i)
{
    const char *word = argv[*i];
    const char *equals = strchr(word, '=');
    struct sf_str flag = {word, equals == NULL ? strlen(word) : (size_t)(equals - word)};
    const char *inline_value = equals == NULL ? NULL : equals + 1;
    size_t row = option_index(a->spec, flag);
    bool takes_value = false;
    if (row < a->spec->n_options) {
        takes_value = a->spec->options[row].value != NULL;
        if (!takes_value && inline_value != NULL) {
            fatal(100, "%s: %.*s takes no value", a->spec->name, SF_STR_ARG(flag));
        }
        a->values[row] = takes_value ? take_value(flag, inline_value, argc, argv, i) : "";
        return;
    }
    if (a->spec->takes_settings && find_setting != NULL && find_setting(flag, &takes_value)) {
        const char *owned = own_flag(a, flag);
        struct args_setting *s = &a->settings[a->n_settings++];
        s->flag = owned;
        s->value = takes_value ? take_value(flag, inline_value, argc, argv, i) : inline_value;
        return;
    }
    if (sf_str_is(flag,
                  CONFIG_FLAG)) { /* every command takes it; this one needs no configuration */
        (void)take_value(flag, inline_value, argc, argv, i);
        return;
    }
    const char *guess = nearest(flag, a->spec);
    fatal(100, "%s: unknown option %.*s%s%s%s (see storyfi %s --help)", a->spec->name,
          SF_STR_ARG(flag), guess == NULL ? "" : "; did you mean ", guess == NULL ? "" : guess,
          guess == NULL ? "" : "?", a->spec->name);
}

static void parse_word(struct args *a, const char *word)
{
    if (a->spec->n_actions > 0 && a->action == NULL) {
        for (size_t i = 0; i < a->spec->n_actions; i++) {
            if (strcmp(word, a->spec->actions[i].name) == 0) {
                a->action = a->spec->actions[i].name;
                return;
            }
        }
        fatal(100, "%s: unknown action %s (see storyfi %s --help)", a->spec->name, word,
              a->spec->name);
    }
    if (a->n_words == a->spec->max_words || a->n_words == ARGS_MAX) {
        fatal(100, "%s: unexpected word %s (see storyfi %s --help)", a->spec->name, word,
              a->spec->name);
    }
    a->words[a->n_words++] = word;
}

void args_parse(struct args *a, const struct args_spec *spec, int argc, char **argv)
{
    SF_BUG_ON(spec->n_options > ARGS_MAX);
    *a = (struct args){.spec = spec};
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        if (!only_words && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            args_print_help(spec, stdout);
            exit(0);
        }
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
            parse_option(a, argc, argv, &i);
        } else {
            parse_word(a, argv[i]);
        }
    }
    if (spec->n_actions > 0 && a->action == NULL && !spec->action_optional) {
        fatal(100, "%s: which action? (see storyfi %s --help)", spec->name, spec->name);
    }
    if (a->n_words < spec->min_words) {
        fatal(100, "usage: storyfi %s %s", spec->name, spec->synopsis);
    }
}

void args_fini(struct args *a)
{
    for (size_t i = 0; i < a->n_owned; i++) {
        free(a->owned[i]), a->owned[i] = NULL;
    }
    a->n_owned = 0;
}

const char *args_get(const struct args *a, const char *name)
{
    size_t row = option_index(a->spec, sf_str(name));
    SF_BUG_ON(row == a->spec->n_options);
    return a->values[row];
}

bool args_has(const struct args *a, const char *name)
{
    return args_get(a, name) != NULL;
}

int64_t args_int(const struct args *a, const char *name, int64_t fallback, int64_t min, int64_t max)
{
    const char *value = args_get(a, name);
    int64_t v = fallback;
    if (value != NULL && !sf_scan_i64(sf_str(value), min, max, &v)) {
        fatal(100, "%s: %s got \"%s\", takes a whole number from %lld to %lld", a->spec->name, name,
              value, (long long)min, (long long)max);
    }
    return v;
}

double args_number(const struct args *a, const char *name, double fallback, double min, double max)
{
    const char *value = args_get(a, name);
    double v = fallback;
    if (value != NULL && (!sf_scan_double(sf_str(value), &v) || v < min || v > max)) {
        fatal(100, "%s: %s got \"%s\", takes a number from %g to %g", a->spec->name, name, value,
              min, max);
    }
    return v;
}

bool args_is_terminal(FILE *f)
{
    return isatty(fileno(f)) == 1;
}

bool args_wants_colour(void)
{
    return !no_colour && args_is_terminal(stdout);
}

void args_refuse_colour(void)
{
    no_colour = true;
}

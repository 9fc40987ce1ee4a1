/* SPDX-License-Identifier: MIT */
#ifndef SF_CMD_ARGS_H
#define SF_CMD_ARGS_H

#include "base/err.h"
#include "base/str.h"

/* Command lines as tables: parsing, --help, manual pages and shell completion come from the same
 * rows. */
struct arg_option {
    const char *name;  /* "--task" */
    const char *value; /* "T" or "a|b": takes a value, shown in the help, and what is completed
                        * (complete.c, value_kinds); NULL: a switch */
    const char *help;  /* one sentence */
};

struct arg_action { /* a word after the command's name: "check" in `storyfi config check` */
    const char *name;
    const char *help;
};

struct args_spec {
    const char *name;     /* "generate" */
    const char *synopsis; /* "--task T --input TEXT [--context FILE]" */
    const char *summary;  /* one line */
    const char *details;  /* further paragraphs of the help, or NULL */
    const struct arg_option *options;
    size_t n_options;
    const struct arg_action *actions; /* when there are any, the first word is one of them */
    size_t n_actions;
    bool action_optional;        /* without one the command does what its summary says */
    size_t min_words, max_words; /* words that are no options, the action not counted */
    bool takes_settings;         /* also the configuration's flags (--axon.port N); else only
                                    --config, which is without effect then */
};

/* Says whether `flag` ("--axon.port") is a setting and whether it takes a value; conf/ has the
 * table. */
typedef bool (*args_setting_fn)(struct sf_str flag, bool *takes_value);
typedef void (*args_each_fn)(void *arg, const struct arg_option *o);
typedef void (*args_settings_fn)(args_each_fn each, void *arg);
/* Called once by main: how specs with takes_settings know the configuration's flags. */
void args_use_settings(args_setting_fn find, args_settings_fn list);
/* The configuration's flags worth showing (--config first), for help and completion. */
void args_each_setting(args_each_fn each, void *arg);

struct args_setting {
    const char *flag;  /* "--axon.port", without "=value" */
    const char *value; /* NULL for a switch given without one */
};

#define ARGS_MAX 64

struct args {
    const struct args_spec *spec;
    const char
        *values[ARGS_MAX]; /* by row of spec->options: the value, "" for a switch, NULL absent */
    const char *action;    /* one of spec->actions, or NULL */
    const char *words[ARGS_MAX];
    size_t n_words;
    struct args_setting settings[ARGS_MAX];
    size_t n_settings;
    char *owned[ARGS_MAX]; /* flag halves of "--flag=value" */
    size_t n_owned;
};

/* Parses argv[1..]: "--x v", "--x=v", "--" ends the options; a later value wins. --help and -h
 * print the help and end the program with 0; an unknown option, a missing value or a wrong number
 * of words ends it with 100 and a line that names the nearest option. Strings are borrowed from
 * argv. */
void args_parse(struct args *a, const struct args_spec *spec, int argc, char **argv);
void args_fini(struct args *a);

/* Value of an option of the spec ("--task"), NULL when absent. The name must be in the table. */
const char *args_get(const struct args *a, const char *name);
bool args_has(const struct args *a, const char *name);

/* Numbers with a range; end the program with 100 naming option, value and range when wrong. */
int64_t args_int(const struct args *a, const char *name, int64_t fallback, int64_t min,
                 int64_t max);
double args_number(const struct args *a, const char *name, double fallback, double min, double max);

void args_print_help(const struct args_spec *spec, FILE *out);
bool args_is_terminal(FILE *f);

/* Whether stdout is to be coloured: a terminal, and nobody has refused it (NO_COLOR). */
bool args_wants_colour(void);
void args_refuse_colour(void);

#endif

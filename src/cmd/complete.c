/* SPDX-License-Identifier: MIT */
#include "cmd/complete.h"

#include "app/model_catalogue.h"
#include "app/model_store.h"
#include "cmd/commands.h"
#include "cmd/man_page.h"
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#define GENERATORS "local|vllm|custom|api"

struct completing {
    const char *const *words;
    size_t n;
    const struct args_spec *spec; /* NULL: the command itself is being typed */
    bool only_words;              /* behind "--" */
    struct sf_str pending;        /* the option whose value is being typed; n 0: none */
    const char *typed;            /* what the candidates begin with */
    struct sf_str stem;           /* "--task=": stands before each candidate */
    const char *config_path;      /* --config, as far as typed */
    const struct conf *conf;      /* once asked for */
    struct sf_buf *out;
};

/* ---- candidates ------------------------------------------------------------------------------ */

/* Shells show one line of it. */
static void put_hint(struct sf_buf *out, const char *help)
{
    for (const char *p = help; *p != '\0' && *p != '\n'; p++) {
        sf_buf_putc(out, *p == '\t' ? ' ' : *p);
    }
}

static void offer_str(struct completing *c, struct sf_str word, const char *help)
{
    if (word.n == 0 || !sf_str_has_prefix(word, c->typed)) {
        return;
    }
    sf_buf_add_str(c->out, c->stem);
    sf_buf_add_str(c->out, word);
    sf_buf_putc(c->out, '\t');
    put_hint(c->out, help);
    sf_buf_putc(c->out, '\n');
}

static void offer(struct completing *c, const char *word, const char *help)
{
    offer_str(c, sf_str(word), help);
}

/* "a|b|NAME": the words in small letters; the others only say what kind of thing it is. */
static void offer_choices(struct completing *c, const char *choices)
{
    struct sf_str rest = sf_str(choices), one;
    while (sf_str_next(&rest, '|', &one)) {
        if (one.n > 0 && !(one.p[0] >= 'A' && one.p[0] <= 'Z') && (unsigned char)one.p[0] < 0x80) {
            offer_str(c, one, "");
        }
    }
}

/* ---- what stands in for a value's name in the tables ----------------------------------------- */

static const struct {
    const char *value, *choices; /* ":files", ":dirs" or choices */
} value_kinds[] = {
    {"FILE", ":files"},
    {"PATH", ":files"},
    {"DIR", ":dirs"},
    {"T", "blueprint|characters|story_arc|chapters"},
    {"O", "validator|playground|cli|serve"},
    {"M", GENERATORS},
    {"G", GENERATORS},
    {"TYPE", "4bit|8bit|none"},
};

/* The configuration, or without a readable one the defaults; NULL: out of memory. */
static const struct conf *configuration(struct completing *c)
{
    const struct conf_source sources[] = {{.config_path = c->config_path}, {.no_file = true}};
    for (size_t i = 0; c->conf == NULL && i < 2; i++) {
        struct sf_errbuf eb = {.code = SF_OK};
        if (conf_load(&sources[i], &c->conf, NULL, &eb) != SF_OK) {
            c->conf = NULL;
        }
    }
    return c->conf;
}

static void offer_models(struct completing *c)
{
    struct model_catalogue catalogue;
    const struct conf *conf = configuration(c);
    if (conf == NULL || model_catalogue_init(conf, &catalogue) != SF_OK) {
        return;
    }
    for (size_t i = 0; i < catalogue.n; i++) {
        const struct model_entry *e = &catalogue.v[i];
        offer(c, model_entry_alias(e), e->names[0]);
    }
    offer(c, "auto", "the best for this machine");
    model_catalogue_fini(&catalogue);
}

static void offer_model_files(struct completing *c)
{
    const struct conf *conf = configuration(c);
    struct model_local *files = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    char dir[MODEL_PATH_MAX];
    size_t n = 0;
    if (conf == NULL) {
        return;
    }
    model_store_dir(conf, dir, sizeof dir);
    if (model_store_list(dir, &files, &n, &eb) != SF_OK) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        offer(c, files[i].file, "a file that is here");
    }
    free(files);
}

static void offer_model_words(struct completing *c)
{
    offer_models(c);
    offer_model_files(c);
}

static void offer_files(struct completing *c)
{
    sf_buf_puts(c->out, ":files\n");
}

static void offer_page(void *arg, const char *file)
{
    offer(arg, file, "");
}

static void offer_pages(struct completing *c)
{
    man_page_each(offer_page, c);
}

/* What words of a command are, behind its action (NULL: any or none). */
static const struct {
    const char *command, *action;
    void (*offer)(struct completing *c);
} word_kinds[] = {
    {"models", "pull", offer_models},
    {"models", "show", offer_model_words},
    {"models", "remove", offer_model_words},
    {"models", "verify", offer_model_words},
    {"score", NULL, offer_files},
    {"man", NULL, offer_pages},
};

/* ---- options --------------------------------------------------------------------------------- */

struct flag_search {
    struct completing *c;
    struct sf_str flag; /* "--axon.port" */
    const char *value;  /* found: what it takes, NULL a switch */
    bool found;
};

static void match_flag(void *arg, const struct conf_flag *flag)
{
    struct flag_search *s = arg;
    if (sf_str_is((struct sf_str){s->flag.p + 2, s->flag.n - 2}, flag->key)) {
        s->found = true;
        s->value = flag->value;
    }
}

/* Whether `flag` is an option here, and the name of its value (NULL: a switch). */
static bool find_option(struct completing *c, struct sf_str flag, const char **value)
{
    for (size_t i = 0; i < c->spec->n_options; i++) {
        if (sf_str_is(flag, c->spec->options[i].name)) {
            *value = c->spec->options[i].value;
            return true;
        }
    }
    if (sf_str_is(flag, "--config")) {
        *value = "FILE";
        return true;
    }
    struct flag_search s = {.c = c, .flag = flag};
    if (c->spec->takes_settings && sf_str_has_prefix(flag, "--")) {
        conf_flags(match_flag, &s);
    }
    *value = s.value;
    return s.found;
}

static void offer_setting(void *arg, const struct conf_flag *flag)
{
    struct completing *c = arg;
    char name[128];
    /* The common ones at first, any once its section is typed. */
    if (flag->common || strchr(c->typed, '.') != NULL) {
        (void)snprintf(name, sizeof name, "--%s", flag->key);
        offer(c, name, flag->help);
    }
}

static void offer_options(struct completing *c)
{
    for (size_t i = 0; i < c->spec->n_options; i++) {
        offer(c, c->spec->options[i].name, c->spec->options[i].help);
    }
    offer(c, "--help", "Show the help and exit.");
    if (c->spec->takes_settings) {
        offer(c, "--config", "The configuration.");
        conf_flags(offer_setting, c);
    }
}

static void offer_values(struct completing *c)
{
    const char *value = NULL;
    if (sf_str_is(c->pending, "--generator.local.model_name")) {
        offer_model_words(c);
        return;
    }
    if (!find_option(c, c->pending, &value)) {
        return;
    }
    if (value == NULL) {
        offer_choices(c, "true|false");
        return;
    }
    for (size_t i = 0; i < sizeof value_kinds / sizeof value_kinds[0]; i++) {
        if (strcmp(value, value_kinds[i].value) == 0) {
            value = value_kinds[i].choices;
        }
    }
    if (value[0] == ':') {
        sf_buf_printf(c->out, "%s\n", value);
    } else {
        offer_choices(c, value);
    }
}

/* ---- the line -------------------------------------------------------------------------------- */

/* Goes over what stands before the word being typed. */
static const char *walk(struct completing *c)
{
    const char *action = NULL, *value;
    for (size_t i = 1; i + 1 < c->n; i++) {
        const char *word = c->words[i], *equals = strchr(word, '=');
        if (c->pending.n > 0) { /* its value, or bash's "=" before it */
            if (strcmp(word, "=") != 0) {
                c->config_path = sf_str_is(c->pending, "--config") ? word : c->config_path;
                c->pending.n = 0;
            }
        } else if (c->only_words || word[0] != '-') {
            action = action == NULL && c->spec->n_actions > 0 ? word : action;
        } else if (strcmp(word, "--") == 0) {
            c->only_words = true;
        } else if (equals != NULL) {
            c->config_path = strncmp(word, "--config=", 9) == 0 ? equals + 1 : c->config_path;
        } else if (find_option(c, sf_str(word), &value) &&
                   (value != NULL || strcmp(c->words[i + 1], "=") == 0)) {
            c->pending = sf_str(word);
        }
    }
    return action;
}

static void offer_words(struct completing *c, const char *action)
{
    if (c->spec->n_actions > 0 && action == NULL) {
        for (size_t i = 0; i < c->spec->n_actions; i++) {
            offer(c, c->spec->actions[i].name, c->spec->actions[i].help);
        }
        return;
    }
    for (size_t i = 0; i < sizeof word_kinds / sizeof word_kinds[0]; i++) {
        if (strcmp(word_kinds[i].command, c->spec->name) == 0 &&
            (word_kinds[i].action == NULL || strcmp(word_kinds[i].action, action) == 0)) {
            word_kinds[i].offer(c);
            return;
        }
    }
    if (c->typed[0] == '\0' && !c->only_words) { /* no words go here: show the options */
        offer_options(c);
    }
}

static void complete_command(struct completing *c)
{
    size_t n;
    const struct command *all = commands_all(&n);
    for (size_t i = 0; i < n; i++) {
        offer(c, all[i].spec->name, all[i].spec->summary);
    }
    if (c->typed[0] == '-') {
        offer(c, "--help", "Show the commands.");
        offer(c, "--version", "Print the version.");
    }
}

static void complete_arguments(struct completing *c)
{
    const char *action = walk(c);
    const char *equals = strchr(c->typed, '=');
    if (c->pending.n > 0) {
        c->typed = strcmp(c->typed, "=") == 0 ? "" : c->typed;
        offer_values(c);
    } else if (c->typed[0] == '-' && !c->only_words && equals != NULL) {
        c->pending = (struct sf_str){c->typed, (size_t)(equals - c->typed)};
        c->stem = (struct sf_str){c->typed, c->pending.n + 1};
        c->typed = equals + 1;
        offer_values(c);
    } else if (c->typed[0] == '-' && !c->only_words) {
        offer_options(c);
    } else {
        offer_words(c, action);
    }
}

void complete_words(const char *const *words, size_t n, struct sf_buf *out)
{
    struct completing c = {.words = words, .n = n, .out = out};
    size_t n_commands;
    const struct command *all = commands_all(&n_commands);
    if (n == 0) {
        return;
    }
    c.typed = words[n - 1];
    for (size_t i = 0; n > 1 && i < n_commands; i++) {
        if (strcmp(words[0], all[i].spec->name) == 0) {
            c.spec = all[i].spec;
        }
    }
    if (n == 1) {
        complete_command(&c);
    } else if (c.spec != NULL) {
        complete_arguments(&c);
    }
    conf_unref(c.conf);
}

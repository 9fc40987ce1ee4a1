/* SPDX-License-Identifier: MIT */
#include "cmd/settings.h"

#include "app/logging.h"
#include "base/log.h"
#include "http/trust.h"

#include <string.h>

#define CONFIG_FLAG "--config"

static bool find_setting(struct sf_str flag, bool *takes_value)
{
    if (sf_str_is(flag, CONFIG_FLAG)) {
        *takes_value = true;
        return true;
    }
    return conf_flag_find(flag, takes_value);
}

struct listing {
    args_each_fn each;
    void *arg;
};

static void list_one(void *arg, const struct conf_flag *flag)
{
    const struct listing *l = arg;
    char name[96];
    if (flag->common) {
        (void)snprintf(name, sizeof name, "--%s", flag->key);
        l->each(l->arg, &(struct arg_option){name, flag->value, flag->help});
    }
}

static void list_settings(args_each_fn each, void *arg)
{
    each(arg, &(struct arg_option){CONFIG_FLAG, "FILE",
                                   "The configuration; every key in it is a flag too "
                                   "(storyfi config print)."});
    conf_flags(list_one, &(struct listing){each, arg});
}

void settings_use(void)
{
    args_use_settings(find_setting, list_settings);
}

void settings_source(const struct args *a, struct conf_source *source)
{
    source->n_settings = 0;
    for (size_t i = 0; i < a->n_settings && source->n_settings < CONF_MAX_SETTINGS; i++) {
        const struct args_setting *s = &a->settings[i];
        if (strcmp(s->flag, CONFIG_FLAG) == 0) {
            source->config_path = s->value;
        } else {
            source->settings[source->n_settings++] = (struct conf_setting){s->flag, s->value};
        }
    }
}

const struct conf *settings_load(const struct args *a)
{
    struct conf_source source = {0};
    struct conf_diagnostics found = {0};
    struct sf_errbuf eb = {0};
    const struct conf *conf = NULL;
    settings_source(a, &source);
    enum sf_err err = conf_load(&source, &conf, &found, &eb);
    if (err != SF_OK) {
        for (size_t i = 0; i < found.n && found.n_errors > 1; i++) {
            const struct conf_diagnostic *d = &found.v[i];
            if (d->level == CONF_ERROR) {
                fprintf(stderr, "storyfi: %s: %s%s%s\n", d->where, d->key,
                        d->key[0] != '\0' ? ": " : "", d->text);
            }
        }
        size_t n_errors = found.n_errors;
        conf_diagnostics_fini(&found);
        if (n_errors > 1) {
            fatal(sf_err_info(err)->exit_code, "%zu errors in the configuration", n_errors);
        }
        fatal(sf_err_info(err)->exit_code, "%s", sf_err_text(&eb, err));
    }
    logging_begin(conf);
    const char *refusal = conf_env(conf, "NO_COLOR");
    if (refusal != NULL && refusal[0] != '\0') {
        args_refuse_colour();
    }
    conf_diagnostics_log(&found);
    conf_diagnostics_fini(&found);
    http_trust(conf->ca_file);
    return conf;
}

const struct conf *settings_reload(void *args, const char *model, struct sf_errbuf *eb)
{
    struct conf_source source = {.config_path = NULL};
    struct conf_diagnostics found = {.n = 0};
    const struct conf *conf = NULL;
    settings_source(args, &source);
    if (model != NULL && source.n_settings < CONF_MAX_SETTINGS) { /* the last one wins */
        source.settings[source.n_settings++] =
            (struct conf_setting){"generator.local.model_name", model};
    }
    enum sf_err err = conf_load(&source, &conf, &found, eb);
    conf_diagnostics_log(&found);
    conf_diagnostics_fini(&found);
    if (err != SF_OK) {
        log_event(LOG_ERROR, LOG_CONF, "new configuration refused, the old one stays",
                  LOG_ERR(eb, err));
        return NULL;
    }
    return conf;
}

const struct conf *settings_examine(void *args, struct conf_diagnostics *found,
                                    struct sf_errbuf *eb)
{
    struct conf_source source = {.config_path = NULL};
    const struct conf *conf = NULL;
    settings_source(args, &source);
    return conf_load(&source, &conf, found, eb) == SF_OK ? conf : NULL;
}

/* SPDX-License-Identifier: MIT */
#include "app/backup.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/settings.h"
#include "miner/lock_file.h"

#include <string.h>
#include <unistd.h>

#define CONFIG "generator_config.yaml"

const struct args_spec cmd_restore_spec = {
    .name = "restore",
    .synopsis = "DIR",
    .summary = "Put a backup's files back where they belong.",
    .details =
        "Not while a miner runs. All files are checked before the first one is touched; what was "
        "there is kept as\nNAME.before-restore-TIME. On a machine without a configuration that of "
        "the backup says where the\nothers go, and itself goes to where it came from (or "
        "--config).",
    .min_words = 1,
    .max_words = 1,
    .takes_settings = true,
};

static void print_file(void *arg, const char *name, const char *place, int64_t bytes)
{
    (void)arg;
    printf("  %-28s %12lld bytes  to %s\n", name, (long long)bytes, place);
}

/* The configuration that says where files go. One that is named and not there is where the backup's
 * is to be. */
struct target {
    const struct conf *conf;
    char *config_path; /* NULL: conf->file */
};

static const char *named_config(const struct args *a)
{
    const char *named = NULL;
    for (size_t i = 0; i < a->n_settings; i++) {
        named = strcmp(a->settings[i].flag, "--config") == 0 ? a->settings[i].value : named;
    }
    return named;
}

static struct target find_target(struct args *a, const char *dir)
{
    static char saved[4096]; /* args keeps a pointer to it */
    struct target t = {.config_path = backup_origin(dir, CONFIG)};
    const char *named = named_config(a);
    (void)snprintf(saved, sizeof saved, "%.4000s/" CONFIG, dir);
    bool has_config = t.config_path != NULL && access(saved, R_OK) == 0;
    if (named == NULL || access(named, F_OK) == 0 || !has_config) {
        t.conf = settings_load(a);
        if (t.conf->file[0] != '\0' || !has_config) {
            free(t.config_path), t.config_path = NULL;
            return t;
        }
        conf_unref(t.conf);
    } else {
        free(t.config_path);
        t.config_path = sf_strdup(named);
    }
    if (a->n_settings == ARGS_MAX) {
        fatal(100, "restore: too many options");
    }
    a->settings[a->n_settings++] = (struct args_setting){"--config", saved};
    t.conf = settings_load(a);
    a->n_settings--;
    return t;
}

int cmd_restore(int argc, char **argv)
{
    struct args a;
    struct sf_errbuf eb = {.code = SF_OK};
    args_parse(&a, &cmd_restore_spec, argc, argv);
    struct target t = find_target(&a, a.words[0]);
    struct restore_options o = {.conf = t.conf, .dir = a.words[0], .config_path = t.config_path};
    enum sf_err err = lock_file_check(t.conf->state_dir, &eb);
    if (err == SF_OK) {
        err = backup_restore(&o, print_file, NULL, &eb);
    }
    if (err == SF_OK) {
        printf("✅ Restored: %s\n", o.dir);
    } else {
        fprintf(stderr, "storyfi: restore: %s\n", sf_err_text(&eb, err));
    }
    free(t.config_path);
    conf_unref(t.conf);
    args_fini(&a);
    return sf_err_info(err)->exit_code;
}

/* SPDX-License-Identifier: MIT */
#include "app/backup.h"
#include "cmd/commands.h"
#include "cmd/settings.h"

static const struct arg_option options[] = {
    {"--wallet", NULL, "The wallet's key files too: whoever has DIR then has the keys."},
    {"--env", NULL, "The .env beside the configuration too, with its API keys."},
};

const struct args_spec cmd_backup_spec = {
    .name = "backup",
    .synopsis = "DIR [--wallet] [--env]",
    .summary = "Save journal, configuration, model checksums and metagraph into a new folder.",
    .details = "Works while a miner runs. DIR is there when all is in it, or not at all; only its "
               "owner can read it.\nModels are not in it: storyfi models pull fetches them again. "
               "storyfi restore DIR puts all of it back.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 1,
    .max_words = 1,
    .takes_settings = true,
};

static void print_file(void *arg, const char *name, const char *place, int64_t bytes)
{
    (void)arg;
    printf("  %-28s %12lld bytes  from %s\n", name, (long long)bytes, place);
}

int cmd_backup(int argc, char **argv)
{
    struct args a;
    struct sf_errbuf eb = {.code = SF_OK};
    args_parse(&a, &cmd_backup_spec, argc, argv);
    const struct conf *conf = settings_load(&a);
    struct backup_options o = {.conf = conf,
                               .dir = a.words[0],
                               .wallet = args_has(&a, "--wallet"),
                               .env = args_has(&a, "--env")};
    enum sf_err err = backup_make(&o, print_file, NULL, &eb);
    if (err == SF_OK) {
        printf("✅ Backup: %s\n", o.dir);
        puts(o.wallet
                 ? "⚠️  It holds the wallet's key files: keep it where you would keep those"
                 : "The wallet's key files are not in it (--wallet), nor is .env unless asked "
                   "(--env)");
        if (o.env) {
            puts("⚠️  It holds .env with the API keys");
        }
    } else {
        fprintf(stderr, "storyfi: backup: %s\n", sf_err_text(&eb, err));
    }
    conf_unref(conf);
    args_fini(&a);
    return sf_err_info(err)->exit_code;
}

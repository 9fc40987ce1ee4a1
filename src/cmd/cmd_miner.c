/* SPDX-License-Identifier: MIT */
#include "app/logging.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/secret_prompt.h"
#include "cmd/settings.h"
#include "miner/miner.h"

const struct args_spec cmd_miner_spec = {
    .name = "miner",
    .synopsis = "--netuid N|--offline [--wallet.name N] [--wallet.hotkey H] [--axon.port P] …",
    .summary = "Answer validators: the miner itself.",
    .details =
        "Announces itself on the chain and reads there who may ask; with --offline it does "
        "neither.\n"
        "Runs until SIGTERM, then finishes what is in flight (a second signal ends at once). "
        "SIGHUP loads the\nconfiguration again, SIGUSR1 opens the log's file anew. storyfi status "
        "asks "
        "it how it is.",
    .takes_settings = true,
};

int cmd_miner(int argc, char **argv)
{
    struct args a;
    struct sf_errbuf eb = {.code = SF_OK};
    args_parse(&a, &cmd_miner_spec, argc, argv);
    const struct conf *conf = settings_load(&a);
    if (!conf->offline && conf->netuid < 0) {
        fatal(100, "miner: --netuid is needed (or --offline, to serve without a chain)");
    }
    enum sf_err err = logging_open_file(conf, "miner.log", &eb);
    if (err != SF_OK) {
        fatal(sf_err_info(err)->exit_code, "miner: %s", sf_err_text(&eb, err));
    }
    log_status("✅ Config: %s", conf->file[0] != '\0' ? conf->file : "defaults, no file found");
    struct wallet_unlock unlock = secret_unlock(conf);
    struct miner_options o = {
        .conf = conf, .reload = {settings_reload, &a, settings_examine}, .unlock = &unlock};
    err = miner_run(&o, &eb);
    conf_unref(conf);
    if (err != SF_OK) {
        bool setup = err == SF_ENOTFOUND || err == SF_ECONFIG || err == SF_EINVAL;
        fprintf(stderr, "storyfi: miner: %s\n", sf_err_text(&eb, err));
        args_fini(&a);
        return setup ? 100 : sf_err_info(err)->exit_code;
    }
    args_fini(&a);
    return 0;
}

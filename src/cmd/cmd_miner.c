/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/settings.h"
#include "miner/miner.h"

const struct args_spec cmd_miner_spec = {
    .name = "miner",
    .synopsis = "[--offline] [--netuid N] [--wallet.name N] [--wallet.hotkey H] [--axon.port P] …",
    .summary = "Answer validators: the miner itself.",
    .details =
        "Runs until SIGTERM, then finishes what is in flight (a second signal ends at once). "
        "SIGHUP loads the\nconfiguration again. storyfi status asks it how it is.",
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
    if (!conf->offline) {
        fatal(100, "miner: the chain client is not in this version: start with --offline, which "
                   "serves without registering");
    }
    log_status("✅ Config: %s", conf->file[0] != '\0' ? conf->file : "defaults, no file found");
    enum sf_err err = miner_run(conf, settings_reload, &a, &eb);
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

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

struct reloading {
    const struct args *args;
};

static const struct conf *reload(void *arg)
{
    const struct reloading *r = arg;
    struct conf_source source = {.config_path = NULL};
    struct conf_diagnostics found = {.n = 0};
    struct sf_errbuf eb = {.code = SF_OK};
    const struct conf *conf = NULL;
    settings_source(r->args, &source);
    enum sf_err err = conf_load(&source, &conf, &found, &eb);
    conf_diagnostics_log(&found);
    conf_diagnostics_fini(&found);
    if (err != SF_OK) {
        log_event(LOG_ERROR, LOG_CONF, "new configuration refused, the old one stays",
                  LOG_ERR(&eb, err));
        return NULL;
    }
    return conf;
}

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
    struct reloading r = {.args = &a};
    enum sf_err err = miner_run(conf, reload, &r, &eb);
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

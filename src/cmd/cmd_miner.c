/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/secret_prompt.h"
#include "cmd/settings.h"
#include "miner/miner.h"

#include <errno.h>
#include <string.h>

const struct args_spec cmd_miner_spec = {
    .name = "miner",
    .synopsis = "--netuid N|--offline [--wallet.name N] [--wallet.hotkey H] [--axon.port P] …",
    .summary = "Answer validators: the miner itself.",
    .details =
        "Announces itself on the chain and reads there who may ask; with --offline it does "
        "neither.\n"
        "Runs until SIGTERM, then finishes what is in flight (a second signal ends at once). "
        "SIGHUP loads the\nconfiguration again. storyfi status asks it how it is.",
    .takes_settings = true,
};

/* logging_dir/WALLET/HOTKEY/miner.log, as the network's own tools lay their logs out. */
static void record_log(const struct conf *conf)
{
    struct sf_buf path;
    struct sf_errbuf eb = {.code = SF_OK};
    sf_buf_init(&path, 4096);
    sf_buf_printf(&path, "%s/%s/%s", conf->logging.logging_dir, conf->wallet.name,
                  conf->wallet.hotkey);
    if (sf_dir_make(sf_buf_z(&path), 0700, &eb) != SF_OK) {
        fatal(100, "miner: logging.record_log: %s", eb.text);
    }
    sf_buf_puts(&path, "/miner.log");
    if (log_record(sf_buf_z(&path)) != 0) {
        fatal(100, "miner: logging.record_log: %s: %s", sf_buf_z(&path), strerrordesc_np(errno));
    }
    sf_buf_fini(&path);
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
    if (conf->logging.record_log) {
        record_log(conf);
    }
    log_status("✅ Config: %s", conf->file[0] != '\0' ? conf->file : "defaults, no file found");
    struct wallet_unlock unlock = secret_unlock(conf);
    struct miner_options o = {
        .conf = conf, .reload = {settings_reload, &a, settings_examine}, .unlock = &unlock};
    enum sf_err err = miner_run(&o, &eb);
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

/* SPDX-License-Identifier: MIT */
#include "app/logging.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/settings.h"
#include "miner/serve.h"

#define TOKEN "STORYFI_SERVE_TOKEN"

static const struct arg_option options[] = {
    {"--port", "P", "The port to listen on; 0 is any free one."},
    {"--ip", "IP", "The address to listen on (127.0.0.1); any other needs " TOKEN "."},
};

const struct args_spec cmd_serve_spec = {
    .name = "serve",
    .synopsis = "--port P [--ip IP]",
    .summary = "Offer this machine's generators to other miners over HTTP.",
    .details =
        "POST /generate takes the JSON of a custom generator and gives {\"content\", "
        "\"model_info\", \"usage\"};\nGET /health tells whether somebody can answer. Beyond "
        "loopback callers must show what " TOKEN "\n(environment or .env) holds, as a bearer "
        "token. Runs until SIGTERM; SIGHUP loads the configuration\nagain. Workers, queue and "
        "limits are those of axon.*.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .takes_settings = true,
};

int cmd_serve(int argc, char **argv)
{
    struct args a;
    struct sf_errbuf eb = {.code = SF_OK};
    args_parse(&a, &cmd_serve_spec, argc, argv);
    if (!args_has(&a, "--port")) {
        fatal(100, "serve: --port is needed (see storyfi serve --help)");
    }
    const struct conf *conf = settings_load(&a);
    enum sf_err err = logging_open_file(conf, "serve.log", &eb);
    if (err != SF_OK) {
        fatal(sf_err_info(err)->exit_code, "serve: %s", sf_err_text(&eb, err));
    }
    const char *ip = args_get(&a, "--ip");
    struct serve_options o = {.ip = ip == NULL ? "127.0.0.1" : ip,
                              .port = (uint16_t)args_int(&a, "--port", 0, 0, 65535),
                              .token = conf_secret(conf, TOKEN)};
    log_status("✅ Config: %s", conf->file[0] != '\0' ? conf->file : "defaults, no file found");
    struct miner_reload reload = {settings_reload, &a, settings_examine};
    err = serve_run(conf, &o, &reload, &eb);
    conf_unref(conf);
    args_fini(&a);
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: serve: %s\n", sf_err_text(&eb, err));
        return err == SF_ECONFIG ? 100 : sf_err_info(err)->exit_code;
    }
    return 0;
}

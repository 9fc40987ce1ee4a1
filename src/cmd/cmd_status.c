/* SPDX-License-Identifier: MIT */
#include "app/miner_address.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/settings.h"
#include "http/client.h"
#include "json/json.h"

static const struct arg_option options[] = {
    {"--json", NULL, "Print what the miner says as JSON."},
};

const struct args_spec cmd_status_spec = {
    .name = "status",
    .synopsis = "[--json] [--admin.ip IP] [--admin.port P]",
    .summary = "Ask the miner that runs on this machine how it is.",
    .details = "Exit status 0 when it can answer validators, 1 when it cannot, 111 when none runs.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .takes_settings = true,
};

static void print_generator(const json_t *g)
{
    int64_t answers = 0, failures = 0;
    const char *reason = json_get_string(g, "reason");
    (void)json_get_int(g, "answers", &answers);
    (void)json_get_int(g, "failures", &failures);
    printf("  %-12s %-9s answers %lld, failures %lld  %s\n", json_get_string(g, "name"),
           json_get_bool(g, "breaker_open", false) ? "resting" : json_get_string(g, "state"),
           (long long)answers, (long long)failures, json_get_string(g, "target"));
    if (reason != NULL && reason[0] != '\0') {
        printf("  %-12s %s\n", "", reason);
    }
}

static void print_status(const json_t *s)
{
    int64_t port = 0, depth = 0, in_flight = 0, requests = 0;
    double uptime = 0;
    const json_t *list = json_get_array(s, "generators");
    (void)json_get_int(json_get_object(s, "axon"), "port", &port);
    (void)json_get_int(json_get_object(s, "queue"), "depth", &depth);
    (void)json_get_int(json_get_object(s, "queue"), "in_flight", &in_flight);
    (void)json_get_int(s, "requests", &requests);
    (void)json_get_number(s, "uptime_seconds", &uptime);
    printf("storyfi %s, up %.0f s, %s\n", json_get_string(s, "version"), uptime,
           json_get_bool(s, "ready", false) ? "ready" : "not ready");
    printf("  hotkey       %s\n  axon         %s:%lld\n", json_get_string(s, "hotkey"),
           json_get_string(json_get_object(s, "axon"), "ip"), (long long)port);
    printf("  requests     %lld verified, %lld in flight, %lld queued\ngenerators\n",
           (long long)requests, (long long)in_flight, (long long)depth);
    for (size_t i = 0; i < json_array_size(list); i++) {
        print_generator(json_array_get(list, i));
    }
}

static bool is_status(const json_t *s)
{
    return json_get_string(s, "version") != NULL && json_get_string(s, "hotkey") != NULL &&
           json_get_string(json_get_object(s, "axon"), "ip") != NULL;
}

static int show(const struct args *a, const struct http_answer *answer)
{
    json_t *status = NULL;
    if (answer->status != 200 ||
        json_parse(sf_buf_str(&answer->body), JSON_LIMITS_DEFAULT, &status, NULL) != SF_OK ||
        !is_status(status)) {
        fprintf(stderr, "storyfi: status: what listens there is no storyfi miner (HTTP %d)\n",
                answer->status);
        json_decref(status);
        return 111;
    }
    bool ready = json_get_bool(status, "ready", false);
    if (args_has(a, "--json")) {
        puts(sf_buf_z(&answer->body));
    } else {
        print_status(status);
    }
    json_decref(status);
    return ready ? 0 : 1;
}

int cmd_status(int argc, char **argv)
{
    struct args a;
    char url[MINER_ADDRESS_MAX];
    struct sf_errbuf eb = {.code = SF_OK};
    struct http_answer answer;
    args_parse(&a, &cmd_status_spec, argc, argv);
    const struct conf *conf = settings_load(&a);
    miner_address(conf, "/status", url);
    struct http_call call = {
        .url = url, .deadline = sf_after(sf_now(), 5000), .max_body_bytes = 1U << 20};
    enum sf_err err = http_client_call(&call, &answer, &eb);
    int exit_code = 111;
    if (err != SF_OK) {
        fprintf(stderr,
                "storyfi: status: no miner answers: %s (start one with storyfi miner, or name its "
                "--admin.port)\n",
                sf_err_text(&eb, err));
    } else {
        exit_code = show(&a, &answer);
    }
    http_answer_fini(&answer);
    conf_unref(conf);
    args_fini(&a);
    return exit_code;
}

/* SPDX-License-Identifier: MIT */
#include "app/dendrite.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "bittensor/wallet.h"
#include "cmd/commands.h"
#include "cmd/request_args.h"
#include "cmd/secret_prompt.h"
#include "cmd/settings.h"
#include "story/score.h"

#include <string.h>

static const struct arg_option options[] = {
    {"--axon", "HOST:PORT", "The miner's axon."},
    {"--axon.hotkey", "SS58", "The miner's hotkey address."},
    {"--task", "T", "blueprint, characters, story_arc or chapters."},
    {"--input", "TEXT", "What the story is to be about."},
    {"--context", "FILE", "JSON with any of blueprint, characters, story_arc, chapter_ids."},
    {"--timeout", "S", "Seconds the miner may take (60)."},
    {"--throwaway", NULL, "Sign with a fresh key instead of the wallet's."},
    {"--json", NULL, "Print one JSON object: answer, status and score."},
};

const struct args_spec cmd_query_spec = {
    .name = "query",
    .synopsis = "--axon HOST:PORT --axon.hotkey SS58 --task T --input TEXT [--context FILE]",
    .summary = "Ask a miner as a validator would: sign, send, check, score.",
    .details =
        "The output_data goes to standard output. Exit status 0 for a valid answer, 1 for another "
        "one or a refusal,\n111 when the miner is not reached.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .takes_settings = true,
};

static void load_key(const struct args *a, const struct conf *conf, struct sr25519_keypair *key)
{
    struct wallet_names w = {conf->wallet.path, conf->wallet.name, conf->wallet.hotkey};
    struct sf_errbuf eb = {.code = SF_OK};
    if (args_has(a, "--throwaway")) {
        uint8_t seed[SR25519_SEED_LEN];
        sf_random(seed, sizeof seed);
        sr25519_from_seed(seed, key);
        sf_wipe(seed, sizeof seed);
        return;
    }
    struct wallet_unlock unlock = secret_unlock(conf);
    enum sf_err err = wallet_open_key(&w, WALLET_HOTKEY, &unlock, key, NULL, &eb);
    if (err != SF_OK) {
        fatal(100, "query: %s (or use --throwaway)", sf_err_text(&eb, err));
    }
}

/* HOST and PORT, and whom to ask there. */
static void read_axon(const struct args *a, char host[static 46], struct dendrite_request *q)
{
    const char *axon = args_get(a, "--axon"), *hotkey = args_get(a, "--axon.hotkey");
    const char *colon = axon == NULL ? NULL : strrchr(axon, ':');
    int n = colon == NULL ? 0 : (int)(colon - axon);
    uint8_t ignored[SS58_KEY_LEN];
    uint64_t port = 0;
    if (hotkey == NULL || ss58_decode(sf_str(hotkey), ignored, NULL) != SF_OK) {
        fatal(100, "query: --axon.hotkey is needed: the miner's SS58 address");
    }
    if (colon == NULL || !sf_scan_u64(sf_str(colon + 1), 65535, &port) || n > 45) {
        fatal(100, "query: --axon is needed as HOST:PORT, like 127.0.0.1:8091");
    }
    (void)snprintf(host, 46, "%.*s", n, axon);
    *q = (struct dendrite_request){.name = "StoryGenerationSynapse",
                                   .ip = host,
                                   .port = (uint16_t)port,
                                   .axon_hotkey = hotkey,
                                   .timeout_seconds = args_number(a, "--timeout", 60, 0.1, 600)};
}

static void print_answer(const struct args *a, const json_t *body, json_t *score, double seconds)
{
    struct sf_buf text;
    const json_t *output = json_object_get(body, "output_data");
    const char *by = json_get_string(json_get_object(body, "model_info"), "name");
    sf_buf_init(&text, 16U << 20);
    if (args_has(a, "--json")) {
        json_t *all =
            json_pack("{s:O, s:O?, s:O, s:f}", "output_data", output, "model_info",
                      json_object_get(body, "model_info"), "score", score, "seconds", seconds);
        json_print(all, &text);
        json_decref(all);
    } else {
        json_print_pretty(output, &text);
    }
    puts(sf_buf_z(&text));
    double technical = 0, structure = 0;
    (void)json_get_number(score, "technical", &technical);
    (void)json_get_number(score, "structure", &structure);
    fprintf(stderr, "%s in %.1f s by %s (%s): technical %.1f/30, structure %.1f/40\n",
            json_get_bool(score, "valid", false) ? "valid" : "INVALID", seconds,
            by == NULL ? "?" : by, json_get_string(json_get_object(body, "model_info"), "mode"),
            technical, structure);
    sf_buf_fini(&text);
}

/* Checks what the SDK's client needs, validates and scores. True for a valid answer. */
static bool judge(const struct args *a, const json_t *fields, const struct http_answer *answer,
                  double seconds)
{
    struct story_request r;
    struct story_score s;
    struct story_report *report = sf_xalloc(sizeof *report);
    json_t *body = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_str code = http_answer_header(answer, "bt_header_axon_status_code");
    enum sf_err err = json_parse(sf_buf_str(&answer->body), JSON_LIMITS_DEFAULT, &body, &eb);
    bool ok =
        err == SF_OK && json_is_object(body) && answer->status == 200 && sf_str_is(code, "200");
    if (!ok) {
        const char *message = json_get_string(body, "message");
        fprintf(stderr, "storyfi: query: refused with HTTP %d: %s\n", answer->status,
                message == NULL ? sf_err_text(&eb, err) : message);
    } else if (story_request_init(&r, fields, &eb) == SF_OK) {
        struct story_score_options o = {
            .seconds = seconds,
            .mode = json_get_string(json_get_object(body, "model_info"), "mode")};
        const json_t *output = json_object_get(body, "output_data");
        ok = story_validate(&r, output, report);
        story_score(&r, output, &o, &s);
        json_t *score = story_score_to_json(&r, &s, report);
        print_answer(a, body, score, seconds);
        for (size_t i = 0; i < report->n; i++) {
            fprintf(stderr, "  %s: %s\n", report->list[i].path, report->list[i].problem);
        }
        json_decref(score);
        story_request_fini(&r);
    }
    json_decref(body);
    free(report);
    return ok;
}

int cmd_query(int argc, char **argv)
{
    struct args a;
    struct sr25519_keypair key;
    char host[46];
    struct dendrite_request q;
    struct story_request checked;
    struct sf_errbuf eb = {.code = SF_OK};
    struct http_answer answer;
    args_parse(&a, &cmd_query_spec, argc, argv);
    const struct conf *conf = settings_load(&a);
    request_args_read(&a, &checked); /* ends here when it makes no request */
    story_request_fini(&checked);
    json_t *fields = request_args_fields(&a);
    read_axon(&a, host, &q);
    load_key(&a, conf, &key);
    q.key = &key;
    q.fields_own = json_deep_copy(fields);
    struct sf_time started = sf_now();
    enum sf_err err = dendrite_call(&q, &answer, &eb);
    wallet_forget(&key);
    double seconds = sf_seconds(sf_between(started, sf_now()));
    int exit_code = 111;
    if (err != SF_OK) {
        fprintf(stderr, "storyfi: query: %s\n", sf_err_text(&eb, err));
    } else {
        exit_code = judge(&a, fields, &answer, seconds) ? 0 : 1;
    }
    http_answer_fini(&answer);
    json_decref(fields);
    conf_unref(conf);
    args_fini(&a);
    return exit_code;
}

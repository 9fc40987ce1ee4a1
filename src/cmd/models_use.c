/* SPDX-License-Identifier: MIT */
#include "cmd/models_use.h"

#include "app/miner_address.h"
#include "app/models.h"
#include "app/progress.h"
#include "base/log.h"
#include "json/json.h"

#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#define ASK_MS 15000
#define TICK_MS 100
#define BODY_MAX (1U << 20)

static json_t *parse_answer(const struct http_answer *answer)
{
    json_t *value = NULL;
    return json_parse(sf_buf_str(&answer->body), JSON_LIMITS_DEFAULT, &value, NULL) == SF_OK ? value
                                                                                             : NULL;
}

/* Its HTTP status, 0 when nobody listens; *text is what it says. */
static int post(const struct conf *conf, const char *name, char *text, size_t n)
{
    struct miner_door door;
    struct http_answer answer;
    struct sf_errbuf eb = {.code = SF_OK};
    struct http_header headers[2] = {{SF_STR("Content-Type"), SF_STR("application/json")}};
    struct http_call call = {
        .post = true, .deadline = sf_after(sf_now(), ASK_MS), .max_body_bytes = BODY_MAX};
    struct sf_buf body;
    json_t *value = json_pack("{s:o}", "name", json_text(sf_str(name)));
    int status = 0;
    sf_buf_init(&body, 4096);
    json_print(value, &body);
    json_decref(value);
    enum sf_err err = miner_door_open(conf, "/api/models/use", &door, &call, &eb);
    if (err == SF_OK) {
        call.headers = headers;
        call.n_headers = 1 + miner_door_header(&door, &headers[1]);
        call.body = sf_buf_str(&body);
        err = http_client_call(&call, &answer, &eb);
        status = err == SF_OK ? answer.status : 0;
        value = err == SF_OK ? parse_answer(&answer) : NULL;
        const char *message = json_get_string(value, "message");
        (void)snprintf(text, n, "%s", message == NULL ? sf_err_text(&eb, err) : message);
        json_decref(value);
        http_answer_fini(&answer);
    }
    miner_door_fini(&door);
    sf_buf_fini(&body);
    return status;
}

/* "model_change" of its status; NULL: it does not answer any more. */
static json_t *read_change(const struct conf *conf)
{
    struct http_answer answer;
    json_t *change = NULL;
    if (miner_get(conf, "/status", ASK_MS, &answer, NULL) == SF_OK && answer.status == 200) {
        json_t *status = parse_answer(&answer);
        change = json_incref(json_object_get(status, "model_change"));
        json_decref(status);
    }
    http_answer_fini(&answer);
    return change;
}

/* Until it has changed, or has refused to. */
static int follow(const struct conf *conf)
{
    struct progress bar;
    int code = -1;
    progress_init(&bar, args_is_terminal(stderr) ? stderr : NULL);
    while (code < 0) {
        int64_t permille = 0;
        json_t *change = read_change(conf);
        const char *state = json_get_string(change, "state"),
                   *text = json_get_string(change, "text");
        (void)json_get_int(change, "permille", &permille);
        if (state == NULL || text == NULL) {
            progress_clear(&bar);
            fprintf(stderr, "storyfi models use: the miner does not answer any more\n");
            code = 111;
        } else if (strcmp(state, "loading") == 0) {
            progress_draw(&bar, (int)permille, "%s", text);
            (void)poll(NULL, 0, TICK_MS);
        } else {
            progress_clear(&bar);
            code = strcmp(state, "done") == 0 ? 0 : 111;
            fprintf(code == 0 ? stdout : stderr, "%s%s\n",
                    code == 0 ? "" : "storyfi models use: ", text);
        }
        json_decref(change);
    }
    return code;
}

static void say_how_to_keep(const struct conf *conf, const char *name)
{
    printf("until it starts again or loads its configuration; to keep it, write into %s, "
           "generator.local:\n  model_name: \"%s\"\n",
           conf->file[0] == '\0' ? "generator_config.yaml" : conf->file, name);
}

/* Nobody to ask: whether it could be used is all that can be said. */
static int without_miner(const struct conf *conf, const char *name)
{
    struct model_place place;
    struct stat st;
    model_find_named(conf, name, &place);
    if (stat(place.path, &st) != 0) {
        fatal(100, "models use: no file of \"%s\" is here: storyfi models pull %s first", name,
              name);
    }
    printf("no miner runs here; write into %s, generator.local:\n  model_name: \"%s\"\n",
           conf->file[0] == '\0' ? "generator_config.yaml" : conf->file, name);
    return 0;
}

int models_use(const struct args *a, const struct conf *conf, const struct model_catalogue *c)
{
    char text[600];
    (void)c;
    if (a->n_words != 1) {
        fatal(100, "models use: one name (storyfi models list)");
    }
    const char *name = a->words[0];
    int status = conf->admin.port == 0 ? 0 : post(conf, name, text, sizeof text);
    if (status == 0) {
        return without_miner(conf, name);
    }
    if (status != 202) {
        fprintf(stderr, "storyfi models use: %s\n", text);
        return status == 404 || status == 400 || status == 401 ? 100 : 111;
    }
    int code = follow(conf);
    if (code == 0) {
        say_how_to_keep(conf, name);
    }
    return code;
}

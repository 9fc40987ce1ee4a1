/* SPDX-License-Identifier: MIT */
#include "cmd/running_miner.h"

#include "generator/content.h"
#include "http/client.h"

#include <poll.h>
#include <string.h>

#define LOOK_MS 300
#define AGAIN_MS 1000
#define BODY_MAX (8U << 20)

/* ---- finding --------------------------------------------------------------------------------- */

static json_t *read_status(const struct conf *conf)
{
    struct http_answer answer;
    json_t *status = NULL;
    enum sf_err err = miner_get(conf, "/status", LOOK_MS, &answer, NULL);
    if (err == SF_OK && answer.status == 200) {
        err = json_parse(sf_buf_str(&answer.body), JSON_LIMITS_DEFAULT, &status, NULL);
    }
    http_answer_fini(&answer);
    if (err != SF_OK || json_get_string(status, "hotkey") == NULL ||
        json_get_string(status, "config_path") == NULL) {
        json_decref(status), status = NULL;
    }
    return status;
}

static bool has_same_configuration(const struct conf *conf, const json_t *status)
{
    char *path = conf->file[0] == '\0' ? NULL : realpath(conf->file, NULL);
    bool same = strcmp(path == NULL ? "" : path, json_get_string(status, "config_path")) == 0;
    free(path);
    return same;
}

/* Flags that say how to write are meant for this call alone. */
static bool sets_generators(const struct args *a)
{
    for (size_t i = 0; i < a->n_settings; i++) {
        if (strncmp(a->settings[i].flag, "--generator.", 12) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_generator(const json_t *status, const char *only)
{
    const json_t *list = json_get_array(status, "generators");
    bool found = only == NULL;
    for (size_t i = 0; i < json_array_size(list) && !found; i++) {
        const json_t *g = json_array_get(list, i);
        struct sf_str name = json_get_str(g, "name");
        size_t n = strlen(only);
        found = sf_str_is(json_get_str(g, "kind"), only) ||
                (sf_str_has_prefix(name, only) && (name.n == n || name.p[n] == '.'));
    }
    return found;
}

bool running_miner_find(const struct args *a, const struct conf *conf, const char *only,
                        struct running_miner *out)
{
    const char *why = NULL;
    json_t *status = conf->admin.port == 0 ? NULL : read_status(conf);
    if (status == NULL) {
        return false;
    }
    *out = (struct running_miner){.pid = 0};
    (void)json_get_int(status, "pid", &out->pid);
    out->conf = conf;
    if (!has_same_configuration(conf, status)) {
        why = "has another configuration";
    } else if (sets_generators(a)) {
        why = "was started without the generator's flags given here";
    } else if (!json_get_bool(status, "ready", false)) {
        why = "is not ready";
    } else if (!has_generator(status, only)) {
        why = "has no such generator";
    }
    fprintf(stderr,
            why == NULL ? "using the miner that runs here (pid %lld)%s%s\n"
                        : "the miner that runs here (pid %lld) %s: working %s\n",
            (long long)out->pid, why == NULL ? "" : why, why == NULL ? "" : "alone");
    json_decref(status);
    return why == NULL;
}

bool running_miner_is_there(const struct conf *conf)
{
    json_t *status = conf->admin.port == 0 ? NULL : read_status(conf);
    bool there = status != NULL;
    json_decref(status);
    return there;
}

/* ---- asking ---------------------------------------------------------------------------------- */

struct asking {
    const struct running_miner *miner;
    struct miner_door door;
    const struct run_options *options;
    const char *task, *only;
    struct http_client *client;
    struct sf_time started, deadline;
    enum sf_err err;
};

static bool on_tick(void *arg)
{
    const struct asking *a = arg;
    progress_draw(a->options->progress, -1, "%s: the running miner writes, %.0f s", a->task,
                  sf_seconds(sf_between(a->started, sf_now())));
    return true;
}

static enum sf_err read_answer(const struct http_answer *answer, struct gen_result *result,
                               struct sf_errbuf *eb)
{
    json_t *output = NULL, *whole = NULL;
    char said[320];
    if (answer->status == 200) {
        enum sf_err err = content_parse(sf_buf_str(&answer->body), BODY_MAX, "the miner's answer",
                                        &output, &whole, eb);
        if (err == SF_OK) {
            *result = (struct gen_result){.output = output};
            content_read_info(whole, result);
            json_decref(whole);
        }
        return err;
    }
    bool is_ours =
        json_parse(sf_buf_str(&answer->body), JSON_LIMITS_DEFAULT, &whole, NULL) == SF_OK;
    content_copy_text(is_ours ? json_get_str(whole, "message") : (struct sf_str){"", 0}, said,
                      sizeof said);
    json_decref(whole);
    return sf_fail(eb, answer->status == 408 ? SF_EDEADLINE : SF_EUNAVAILABLE,
                   "the running miner: HTTP %d%s%s; --alone does without it", answer->status,
                   said[0] == '\0' ? "" : ": ", said);
}

/* One POST; its error is in `a`. True when the miner was busy and may be asked again. */
static bool ask_once(struct asking *a, struct sf_str body, struct run_result *run,
                     struct sf_errbuf *eb)
{
    char timeout[32], seed[32];
    struct http_header headers[5] = {{SF_STR("Content-Type"), SF_STR("application/json")}};
    size_t n = 3;
    (void)snprintf(timeout, sizeof timeout, "%.3f", sf_seconds(sf_until(a->deadline)));
    (void)snprintf(seed, sizeof seed, "%lld", (long long)(a->options->seed & INT64_MAX));
    headers[1] = (struct http_header){SF_STR("X-Storyfi-Timeout"), sf_str(timeout)};
    headers[2] = (struct http_header){SF_STR("X-Storyfi-Seed"), sf_str(seed)};
    if (a->only != NULL) {
        headers[n++] = (struct http_header){SF_STR("X-Storyfi-Mode"), sf_str(a->only)};
    }
    n += miner_door_header(&a->door, &headers[n]);
    struct http_transfer t = {.call = {.url = a->door.url,
                                       .trust_only = sf_buf_str(&a->door.certificate),
                                       .headers = headers,
                                       .n_headers = n,
                                       .body = body,
                                       .post = true,
                                       /* its own 408 says more than ours */
                                       .deadline = sf_after(a->deadline, 1000),
                                       .max_body_bytes = BODY_MAX,
                                       .on_tick = on_tick,
                                       .arg = a}};
    http_client_perform(a->client, &t, 1, 0, a->options->cancel);
    bool busy = t.err == SF_OK && t.answer.status == 503 &&
                http_answer_header(&t.answer, "retry-after").n > 0;
    uint64_t id = 0;
    (void)sf_scan_u64(http_answer_header(&t.answer, "x-storyfi-request"), INT64_MAX, &id);
    run->id = (int64_t)id;
    if (t.err == SF_OK) {
        a->err = read_answer(&t.answer, &run->result, eb);
    } else {
        a->err = sf_fail(eb, t.err, "the running miner (pid %lld): %.300s; --alone does without it",
                         (long long)a->miner->pid, sf_err_text(&t.eb, t.err));
    }
    http_answer_fini(&t.answer);
    return busy && sf_until(a->deadline) > 2 * AGAIN_MS;
}

enum sf_err running_miner_ask(const struct running_miner *m, const struct story_request *request,
                              const char *only, const struct run_options *o, struct run_result *run,
                              struct sf_errbuf *eb)
{
    struct sf_buf body;
    struct sf_time now = sf_now();
    struct asking a = {.miner = m,
                       .options = o,
                       .task = story_task_name(request->task),
                       .only = only,
                       .started = now,
                       .deadline = sf_after(now, o->deadline_ms)};
    json_t *fields = story_request_to_json(request);
    sf_buf_init(&body, BODY_MAX);
    if (fields == NULL) {
        return SF_ENOMEM;
    }
    json_print(fields, &body);
    json_decref(fields);
    struct http_call call = {.url = NULL};
    a.err = miner_door_open(m->conf, "/generate", &a.door, &call, eb);
    if (a.err == SF_OK) {
        a.err = body.err == SF_OK ? http_client_open(&a.client) : body.err;
    }
    while (a.err == SF_OK && run->result.output == NULL &&
           ask_once(&a, sf_buf_str(&body), run, eb)) {
        a.err = SF_OK;
        (void)poll(NULL, 0, AGAIN_MS);
    }
    http_client_close(a.client);
    miner_door_fini(&a.door);
    progress_clear(o->progress);
    sf_buf_fini(&body);
    run->took_ms = sf_between(now, sf_now());
    return a.err;
}

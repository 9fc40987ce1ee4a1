/* SPDX-License-Identifier: MIT */
#include "generator/local.h"

#include "base/mem.h"
#include "generator/check.h"

#include <limits.h>
#include <string.h>

struct local {
    struct engine *engines[ENGINE_GPUS_MAX];
    atomic_int at_work[ENGINE_GPUS_MAX]; /* calls of each */
    size_t n_engines;
    char name[128], file[256];
    int64_t bytes;
    char languages[4][16];
    const char *language_list[4];
    size_t n_languages;
    bool instruct, small, sequential;
};

static void local_close(void *ctx)
{
    struct local *l = ctx;
    if (l != NULL) {
        for (size_t i = 0; i < l->n_engines; i++) {
            engine_close(l->engines[i]);
        }
        free(l);
    }
}

static enum sf_err open_engines(struct local *l, const struct local_options *o,
                                struct sf_errbuf *eb)
{
    enum sf_err err = SF_OK;
    for (size_t i = 0; i < o->n_copies && i < ENGINE_GPUS_MAX && err == SF_OK; i++) {
        struct engine_options engine = o->engine;
        engine.sizes = o->copies[i].sizes;
        engine.n_sizes = o->copies[i].n_sizes;
        atomic_init(&l->at_work[i], 0);
        err = engine_open(&engine, &l->engines[i], eb);
        l->n_engines += err == SF_OK;
    }
    return err;
}

static enum sf_err local_open(const void *options, void **ctx, struct sf_errbuf *eb)
{
    const struct local_options *o = options;
    struct local *l = sf_alloc(sizeof *l);
    if (l == NULL) {
        return SF_ENOMEM;
    }
    const char *slash = strrchr(o->engine.model_path, '/');
    (void)snprintf(l->name, sizeof l->name, "%s", o->model_name);
    (void)snprintf(l->file, sizeof l->file, "%.255s",
                   slash == NULL ? o->engine.model_path : slash + 1);
    l->bytes = o->model_bytes;
    l->n_languages = o->n_languages < 4 ? o->n_languages : 4;
    for (size_t i = 0; i < l->n_languages; i++) {
        (void)snprintf(l->languages[i], sizeof l->languages[i], "%s", o->languages[i]);
        l->language_list[i] = l->languages[i];
    }
    l->instruct = o->instruct;
    l->small = o->small;
    l->sequential = o->sequential;
    enum sf_err err = open_engines(l, o, eb);
    if (err != SF_OK) {
        local_close(l);
        return err;
    }
    *ctx = l;
    return SF_OK;
}

static const struct {
    const char *type;
    enum gen_event_kind kind;
} kinds[] = {
    {"queued", GEN_EVENT_QUEUED},
    {"prefill", GEN_EVENT_PREFILL},
    {"slot_started", GEN_EVENT_SLOT_STARTED},
    {"slot_text", GEN_EVENT_SLOT_TEXT},
    {"slot_done", GEN_EVENT_SLOT_DONE},
    {"usage", GEN_EVENT_USAGE},
    {"heartbeat", GEN_EVENT_HEARTBEAT},
};

static void read_usage(const json_t *m, struct gen_usage *u)
{
    *u = (struct gen_usage){.prompt_tokens = 0};
    (void)json_get_int(m, "prompt_tokens", &u->prompt_tokens);
    (void)json_get_int(m, "cached_tokens", &u->cached_tokens);
    (void)json_get_int(m, "generated_tokens", &u->generated_tokens);
    (void)json_get_number(m, "tokens_per_second", &u->tokens_per_second);
}

static void on_message(void *arg, const json_t *m)
{
    const struct gen_call *call = arg;
    struct gen_usage usage;
    const char *type = json_get_string(m, "type");
    struct gen_event event = {.path = json_get_string(m, "path"), .text = json_get_str(m, "text")};
    if (call->on_event == NULL) {
        return;
    }
    (void)(json_get_int(m, "done", &event.done) || json_get_int(m, "position", &event.done));
    (void)json_get_int(m, "total", &event.total);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(type, kinds[i].type) == 0) {
            event.kind = kinds[i].kind;
            read_usage(m, &usage);
            event.usage = event.kind == GEN_EVENT_USAGE ? &usage : NULL;
            call->on_event(call->event_arg, &event);
            return;
        }
    }
}

/* The copy that is ready and has least to do; the first when none is ready, whose reason is told.
 */
static size_t pick(struct local *l)
{
    size_t best = 0;
    int least = INT_MAX;
    for (size_t i = 0; i < l->n_engines && l->n_engines > 1; i++) {
        struct engine_status status;
        engine_get_status(l->engines[i], &status);
        int n = atomic_load(&l->at_work[i]);
        if (status.state == ENGINE_READY && n < least) {
            best = i;
            least = n;
        }
    }
    return best;
}

static enum sf_err local_generate(void *ctx, const struct gen_call *call, struct gen_result *result,
                                  struct sf_errbuf *eb)
{
    struct local *l = ctx;
    json_t *message = NULL;
    struct engine_order order = {.request = call->request,
                                 .wanted = call->wanted,
                                 .n_wanted = call->n_wanted,
                                 .partial = call->partial,
                                 .prompt = call->prompt,
                                 .deadline = call->deadline,
                                 .target = call->target,
                                 .seed = call->seed,
                                 .languages = l->language_list,
                                 .n_languages = l->n_languages,
                                 .instruct = l->instruct,
                                 .small = l->small,
                                 .sequential = l->sequential,
                                 .on_message = on_message,
                                 .arg = (void *)(uintptr_t)call,
                                 .cancel = call->cancel};
    size_t at = pick(l);
    (void)atomic_fetch_add(&l->at_work[at], 1);
    enum sf_err err = engine_generate(l->engines[at], &order, &message, eb);
    (void)atomic_fetch_sub(&l->at_work[at], 1);
    if (err != SF_OK) {
        return err;
    }
    json_t *output = json_object_get(message, "output");
    if (!json_is_object(output)) {
        json_decref(message);
        return sf_fail(eb, SF_EINCOMPLETE, "the engine's result holds no output");
    }
    result->output = json_incref(output);
    read_usage(json_object_get(message, "usage"), &result->usage);
    (void)snprintf(result->name, sizeof result->name, "%s", l->name);
    (void)snprintf(result->provider, sizeof result->provider, "llama.cpp");
    json_decref(message);
    return SF_OK;
}

static void local_health(void *ctx, struct gen_health *out)
{
    static const enum gen_state states[] = {[ENGINE_STARTING] = GEN_STARTING,
                                            [ENGINE_LOADING] = GEN_STARTING,
                                            [ENGINE_READY] = GEN_READY,
                                            [ENGINE_WAITING] = GEN_DOWN,
                                            [ENGINE_CLOSED] = GEN_DOWN};
    static const int ranks[] = {[GEN_READY] = 2, [GEN_STARTING] = 1, [GEN_DOWN] = 0};
    struct local *l = ctx;
    for (size_t i = 0; i < l->n_engines; i++) { /* as the best of the copies is */
        struct engine_status status;
        engine_get_status(l->engines[i], &status);
        enum gen_state state = states[status.state];
        if (i == 0 || ranks[state] > ranks[out->state]) {
            out->state = state;
            out->starting_permille = status.state == ENGINE_LOADING ? status.loading_permille : 0;
            (void)snprintf(out->reason, sizeof out->reason, "%s", status.reason);
        }
    }
}

static json_t *copy_json(const struct engine_status *s)
{
    static const char *const states[] = {[ENGINE_STARTING] = "starting",
                                         [ENGINE_LOADING] = "loading",
                                         [ENGINE_READY] = "ready",
                                         [ENGINE_WAITING] = "waiting",
                                         [ENGINE_CLOSED] = "closed"};
    return json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:I, s:I, s:f, s:b, s:i, s:s}", "text", s->size.text,
        "state", states[s->state], "device", s->size.device, "gpu_layers",
        (json_int_t)s->size.n_gpu_layers, "context", (json_int_t)s->size.context_tokens,
        "sequences", (json_int_t)s->size.sequences, "kv", s->size.kv_q8 ? "q8_0" : "f16",
        "needs_bytes", (json_int_t)s->size.needs_bytes, "memory_bytes", (json_int_t)s->memory_bytes,
        "tokens_per_second", s->tokens_per_second, "flash_attention", (int)s->flash_attention,
        "smaller_by", (int)s->size_no, "smaller_because", s->smaller_why);
}

/* The plan as it is carried out: of the first copy, with all of them beside it. */
static json_t *local_facts(void *ctx)
{
    struct local *l = ctx;
    json_t *copies = json_array();
    for (size_t i = 0; i < l->n_engines; i++) {
        struct engine_status status;
        engine_get_status(l->engines[i], &status);
        (void)json_array_append_new(copies, copy_json(&status));
    }
    json_t *plan = json_copy(json_array_get(copies, 0));
    (void)json_object_set_new(plan, "model", json_text(sf_str(l->name)));
    (void)json_object_set_new(plan, "file", json_text(sf_str(l->file)));
    (void)json_object_set_new(plan, "file_bytes", json_integer((json_int_t)l->bytes));
    (void)json_object_set_new(plan, "copies", copies);
    return plan;
}

#define CHECK_MS 25000 /* of the 30 s that a check may block */

/* The engine alone: what it needs was looked at before it was opened (local_check_place), as an
 * engine that loads changes what is free. */
static void local_check(void *ctx, struct gen_checks *out)
{
    struct local *l = ctx;
    struct engine_status status;
    struct sf_errbuf eb = {.code = SF_OK};
    struct sf_time started = sf_now();
    enum sf_err err = engine_wait_ready(l->engines[0], sf_after(started, CHECK_MS), &eb);
    engine_get_status(l->engines[0], &status);
    if (err == SF_OK) {
        gen_checks_add(out, GEN_CHECK_OK, "engine starts", "",
                       "model loaded in %.1f s, CPU code %s, %lld MB in memory",
                       sf_seconds(sf_between(started, sf_now())),
                       status.cpu_variant[0] == '\0' ? "?" : status.cpu_variant,
                       (long long)(status.memory_bytes / 1000000));
    } else if (status.state == ENGINE_LOADING) {
        gen_checks_add(out, GEN_CHECK_WARN, "engine starts",
                       "a large model takes longer; generator.local.load_timeout is its limit",
                       "still loading after %d s, %d %% done", CHECK_MS / 1000,
                       status.loading_permille / 10);
    } else {
        gen_checks_add(out, GEN_CHECK_FAIL, "engine starts",
                       "make setup and make install put helper, libraries and model of one "
                       "version together",
                       "%.250s", status.reason[0] != '\0' ? status.reason : sf_err_text(&eb, err));
    }
}

const struct generator_type generator_local = {
    .kind = "local",
    .multiplier = 1.5,
    .open = local_open,
    .generate = local_generate,
    .health = local_health,
    .facts = local_facts,
    .check = local_check,
    .close = local_close,
};

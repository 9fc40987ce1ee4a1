/* SPDX-License-Identifier: MIT */
/* storyfi-engine: owns a model and writes stories with it. Speaks with the parent on descriptor 3
 * and ends when that closes. */
#include "base/log.h"
#include "base/mem.h"
#include "engine/child/composer.h"
#include "engine/child/quantize.h"
#include "engine/protocol.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { REQUESTS_MAX = 128 };

/* A request under way, on a thread of its own that frees it at its end. */
struct request {
    int64_t id;
    struct story_request story;
    json_t *wanted, *partial;
    char *prompt;
    struct composer_order order;
    struct composer *composer;
};

struct child {
    int fd;
    struct engine_model *model;
    struct scheduler *scheduler;
    struct work_book book;
    pthread_mutex_t write_lock; /* of `fd`'s outgoing side: a message leaves whole */
    pthread_mutex_t lock;       /* of `requests` */
    struct request *requests[REQUESTS_MAX];
};

/* From any thread. False: the parent is gone, or will be told nothing more. */
static bool send_message(struct child *c, json_t *message_own)
{
    pthread_mutex_lock(&c->write_lock);
    enum sf_err err = protocol_write(c->fd, message_own);
    pthread_mutex_unlock(&c->write_lock);
    return err == SF_OK;
}

static void send_error(struct child *c, int64_t id, enum sf_err code, const char *text)
{
    send_message(c, json_pack("{s:s,s:I,s:s,s:s}", "type", "error", "id", (json_int_t)id, "code",
                              sf_err_info(code)->name, "text", text));
}

static void on_beat(void *arg, const struct scheduler_stats *stats)
{
    struct child *c = arg;
    send_message(c, json_pack("{s:s,s:i,s:I,s:i,s:i,s:I,s:f}", "type", "heartbeat", "id", 0,
                              "tokens", (json_int_t)stats->tokens, "queue", stats->queue, "active",
                              stats->active, "memory_bytes", (json_int_t)model_memory_bytes(),
                              "tokens_per_second", stats->tokens_per_second));
}

/* ---- requests -------------------------------------------------------------------------------- */

struct sink {
    struct child *child;
    int64_t id;
};

static void on_event(void *arg, const struct composer_event *e)
{
    static const char *const types[] = {"prefill", "slot_started", "slot_text", "slot_done"};
    struct sink *sink = arg;
    json_t *m = json_pack("{s:s,s:I}", "type", types[e->kind], "id", (json_int_t)sink->id);
    if (e->kind == COMPOSER_PREFILL) {
        json_object_set_new(m, "done", json_integer(e->done));
        json_object_set_new(m, "total", json_integer(e->total));
    } else {
        json_object_set_new(m, "path", json_string(e->path));
        if (e->kind != COMPOSER_SLOT_STARTED)
            json_object_set_new(m, "text", json_stringn(e->text.p, e->text.n));
    }
    send_message(sink->child, m);
}

static json_t *usage_json(const struct composer_usage *u)
{
    return json_pack("{s:I,s:I,s:I,s:f,s:i,s:i,s:i,s:i,s:i}", "prompt_tokens",
                     (json_int_t)u->prompt_tokens, "cached_tokens", (json_int_t)u->cached_tokens,
                     "generated_tokens", (json_int_t)u->generated_tokens, "tokens_per_second",
                     u->tokens_per_second, "slots", (int)u->slots, "retried", (int)u->retried,
                     "replaced", (int)u->replaced, "rewritten", (int)u->rewritten, "improved",
                     (int)u->improved);
}

static void free_request(struct request *r)
{
    if (!r)
        return;
    composer_close(r->composer);
    story_request_fini(&r->story);
    json_decref(r->wanted);
    json_decref(r->partial);
    free(r->prompt);
    free(r->order.event_arg);
    free(r);
}

struct work {
    struct child *child;
    struct request *request;
};

static void *run_request(void *arg)
{
    struct work w = *(struct work *)arg;
    struct child *c = w.child;
    struct request *r = w.request;
    free(arg);
    struct composer_usage usage = {0};
    struct sf_errbuf eb = {0};
    json_t *output = NULL;
    enum sf_err err = composer_run(r->composer, &output, &usage, &eb);
    scheduler_request_end(c->scheduler);
    if (err) {
        send_error(c, r->id, err, sf_err_text(&eb, err));
    } else {
        json_t *m = usage_json(&usage);
        json_object_set_new(m, "type", json_string("usage"));
        json_object_set_new(m, "id", json_integer(r->id));
        send_message(c, m);
        send_message(c, json_pack("{s:s,s:I,s:o,s:o}", "type", "result", "id", (json_int_t)r->id,
                                  "output", output, "usage", usage_json(&usage)));
    }
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        if (c->requests[i] == r)
            c->requests[i] = NULL;
    pthread_mutex_unlock(&c->lock);
    free_request(r);
    return NULL;
}

static bool knows_chinese(const json_t *languages)
{
    for (size_t i = 0; i < json_array_size(languages); i++) {
        const char *z = json_string_value(json_array_get(languages, i));
        if (z && strncmp(z, "zh", 2) == 0)
            return true;
    }
    return false;
}

static enum sf_err fill_order(struct child *c, struct request *r, const json_t *m,
                              struct sf_errbuf *eb)
{
    int64_t deadline = 60000, target = 0, seed = 0;
    (void)json_get_int(m, "deadline_ms", &deadline);
    target = deadline;
    (void)json_get_int(m, "target_ms", &target);
    (void)json_get_int(m, "seed", &seed);
    enum sf_err err = story_request_init(&r->story, json_get_object(m, "request"), eb);
    if (err)
        return err;
    r->wanted = json_incref(json_object_get(m, "wanted"));
    const json_t *partial = json_get_object(m, "partial");
    r->partial = partial ? json_deep_copy(partial) : NULL;
    r->prompt = sf_strdup(json_get_string(m, "prompt"));
    struct sink *sink = sf_alloc(sizeof *sink);
    if (!sink)
        return sf_fail(eb, SF_ENOMEM, "out of memory");
    *sink = (struct sink){c, r->id};
    r->order = (struct composer_order){
        .request = &r->story,
        .wanted = json_is_array(r->wanted) ? r->wanted : NULL,
        .partial = r->partial,
        .prompt = r->prompt,
        .deadline = sf_after(sf_now(), deadline),
        .target = sf_after(sf_now(), target < deadline ? target : deadline),
        .book = &c->book,
        .seed = (uint64_t)seed,
        .chinese = knows_chinese(json_get_array(m, "languages")),
        .instruct = json_get_bool(m, "instruct", c->model->chat_head != NULL),
        .small = json_get_bool(m, "small", c->model->n_params < 3000000000u),
        .sequential = json_get_bool(m, "sequential", false),
        .on_event = on_event,
        .event_arg = sink,
    };
    return composer_open(c->scheduler, c->model, &r->order, &r->composer);
}

static void submit(struct child *c, const json_t *m)
{
    struct sf_errbuf eb = {0};
    int64_t id = 0;
    size_t at = 0;
    if (!json_get_int(m, "id", &id) || !c->scheduler) {
        send_error(c, id, SF_EUNAVAILABLE, "no model is loaded");
        return;
    }
    pthread_mutex_lock(&c->lock); /* only this thread fills places */
    while (at < REQUESTS_MAX && c->requests[at])
        at++;
    pthread_mutex_unlock(&c->lock);
    struct request *r = at < REQUESTS_MAX ? sf_alloc(sizeof *r) : NULL;
    struct work *w = r ? sf_alloc(sizeof *w) : NULL;
    if (!w) {
        free(r);
        send_error(c, id, SF_EBUSY, "too many requests are under way");
        return;
    }
    r->id = id;
    enum sf_err err = fill_order(c, r, m, &eb);
    if (err) {
        send_error(c, id, err, sf_err_text(&eb, err));
        free(w);
        free_request(r);
        return;
    }
    struct scheduler_stats stats;
    scheduler_stats(c->scheduler, &stats);
    send_message(c, json_pack("{s:s,s:I,s:i}", "type", "queued", "id", (json_int_t)id, "position",
                              stats.queue));
    *w = (struct work){c, r};
    scheduler_request_begin(c->scheduler);
    pthread_mutex_lock(&c->lock);
    c->requests[at] = r;
    pthread_mutex_unlock(&c->lock);
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_request, w) == 0) {
        pthread_detach(thread);
        return;
    }
    scheduler_request_end(c->scheduler);
    pthread_mutex_lock(&c->lock);
    c->requests[at] = NULL;
    pthread_mutex_unlock(&c->lock);
    send_error(c, id, SF_ENOMEM, "no thread for the request");
    free(w);
    free_request(r);
}

static void cancel(struct child *c, const json_t *m)
{
    int64_t id = 0;
    if (!json_get_int(m, "id", &id))
        return;
    pthread_mutex_lock(&c->lock); /* it frees itself when it ends */
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        if (c->requests[i] && c->requests[i]->id == id)
            composer_cancel(c->requests[i]->composer);
    pthread_mutex_unlock(&c->lock);
}

/* ---- loading --------------------------------------------------------------------------------- */

static bool on_progress(void *arg, int permille)
{
    struct child *c = arg;
    return send_message(
        c, json_pack("{s:s,s:i,s:i}", "type", "loading", "done", permille, "total", 1000));
}

static int get_int(const json_t *m, const char *key, int fallback)
{
    int64_t v = fallback;
    (void)json_get_int(m, key, &v);
    return v < -1 || v > 1 << 24 ? fallback : (int)v;
}

static void load(struct child *c, const json_t *m)
{
    struct sf_errbuf eb = {0};
    struct model_options o = {
        .path = json_get_string(m, "model"),
        .lib_dir = json_get_string(m, "lib_dir"),
        .device = json_get_string(m, "device"),
        .n_gpu_layers = get_int(m, "n_gpu_layers", -1),
        .context = get_int(m, "context", 0),
        .sequences = get_int(m, "sequences", 0),
        .threads = get_int(m, "threads", 0),
        .flash_attention = get_int(m, "flash_attention", -1),
        .kv_q8 = json_get_bool(m, "kv_q8", false),
        .temperature = 0.8,
        .top_p = 0.95,
    };
    const json_t *split = json_get_array(m, "split");
    for (size_t i = 0; i < MODEL_MAX_GPUS && i < json_array_size(split); i++)
        o.split[i] = (float)json_integer_value(json_array_get(split, i));
    (void)json_get_number(m, "temperature", &o.temperature);
    (void)json_get_number(m, "top_p", &o.top_p);
    (void)json_get_int(m, "prefix_cache_bytes", &o.prefix_cache_bytes);
    enum sf_err err = SF_OK;
    if (c->model)
        err = sf_fail(&eb, SF_EINVAL, "a model is loaded already");
    else if (!o.path)
        err = sf_fail(&eb, SF_EINVAL, "load names no model");
    if (!err)
        err = model_open(&o, on_progress, c, &c->model, &eb);
    if (!err)
        err = scheduler_open(c->model, on_beat, c, &c->scheduler);
    if (err) {
        send_error(c, 0, err, sf_err_text(&eb, err));
        return;
    }
    struct engine_model *e = c->model;
    send_message(c, json_pack("{s:s,s:s,s:I,s:i,s:i,s:i,s:s,s:I,s:b,s:b}", "type", "ready",
                              "model_name", e->name, "n_params", (json_int_t)e->n_params, "context",
                              e->n_ctx, "sequences", e->n_sequences, "threads", e->n_threads,
                              "cpu_variant", e->cpu_variant, "memory_bytes",
                              (json_int_t)model_memory_bytes(), "instruct", e->chat_head != NULL,
                              "flash_attention", e->flash));
}

/* A file in another type; this process does nothing else then. */
static void quantize(struct child *c, const json_t *m)
{
    struct sf_errbuf eb = {0};
    struct quantize_order o = {
        .input = json_get_string(m, "input"),
        .output = json_get_string(m, "output"),
        .type = json_get_string(m, "to"),
        .output_type = json_get_string(m, "output_type"),
        .lib_dir = json_get_string(m, "lib_dir"),
        .threads = get_int(m, "threads", 0),
    };
    enum sf_err err = SF_OK;
    if (c->model || !o.input || !o.output)
        err = sf_fail(&eb, SF_EINVAL, "quantize needs input and output, and no model loaded");
    if (!err)
        err = quantize_run(&o, on_progress, c, &eb);
    if (err)
        send_error(c, 0, err, sf_err_text(&eb, err));
    else
        send_message(c, json_pack("{s:s}", "type", "quantized"));
}

static void ping(struct child *c, const json_t *m)
{
    struct scheduler_stats stats = {0};
    (void)m;
    if (c->scheduler)
        scheduler_stats(c->scheduler, &stats);
    on_beat(c, &stats);
}

static const struct {
    const char *type;
    void (*handle)(struct child *c, const json_t *m);
} messages[] = {
    {"load", load}, {"submit", submit}, {"cancel", cancel}, {"ping", ping}, {"quantize", quantize}};

static void handle(struct child *c, const json_t *m)
{
    const char *type = json_get_string(m, "type");
    for (size_t i = 0; type && i < sizeof messages / sizeof *messages; i++)
        if (strcmp(type, messages[i].type) == 0) {
            messages[i].handle(c, m);
            return;
        }
    send_error(c, 0, SF_EINVAL, "unknown message");
}

/* Until the parent closes its end, or sends what is no message. */
static void serve(struct child *c)
{
    struct protocol_reader reader;
    enum sf_err err = SF_OK;
    protocol_reader_init(&reader);
    while (err == SF_OK) {
        struct pollfd p = {.fd = c->fd, .events = POLLIN};
        json_t *m = NULL;
        (void)poll(&p, 1, -1);
        err = protocol_fill(&reader, c->fd);
        while (err == SF_OK && (err = protocol_next(&reader, &m)) == SF_OK && m != NULL) {
            handle(c, m);
            json_decref(m);
        }
    }
    protocol_reader_fini(&reader);
}

int main(int argc, char **argv)
{
    (void)argv;
    static struct child child = {.fd = ENGINE_CHILD_FD,
                                 .write_lock = PTHREAD_MUTEX_INITIALIZER,
                                 .lock = PTHREAD_MUTEX_INITIALIZER};
    if (argc > 1 || fcntl(ENGINE_CHILD_FD, F_GETFD) < 0) {
        fprintf(stderr,
                "storyfi-engine is started by storyfi; it speaks on descriptor 3 and takes no "
                "options\n");
        return 100;
    }
    work_book_init(&child.book);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    fcntl(ENGINE_CHILD_FD, F_SETFD, FD_CLOEXEC);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* the parent decides */
    send_message(&child,
                 json_pack("{s:s,s:i,s:s,s:s}", "type", "hello", "protocol", ENGINE_PROTOCOL,
                           "version", STORYFI_VERSION, "llama", llama_version()));
    serve(&child);
    /* The parent is gone: nothing here outlives it, and nothing is to be saved. */
    _exit(0);
}

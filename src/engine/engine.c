/* SPDX-License-Identifier: MIT */
#include "engine/engine_internal.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "engine/engine_ladder.h"
#include "engine/engine_process.h"
#include "engine/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_MS 50
#define LOAD_SILENCE_MS 60000 /* between two signs of progress while a model loads */
#define QUEUE_MAX 100000      /* messages nobody has taken yet: a child that floods is killed */

struct engine_options engine_options_default(void)
{
    return (struct engine_options){.lib_dir = "",
                                   .flash_attention = -1,
                                   .stall_ms = 5000,
                                   .hello_ms = 10000,
                                   .load_ms = 600000,
                                   .temperature = 0.8,
                                   .top_p = 0.95,
                                   .probe_ms = 10000,
                                   .backoff_ms = 200,
                                   .backoff_max_ms = 30000,
                                   .give_up_ms = 300000};
}

static enum sf_err copy_options(const struct engine_options *o, struct engine_options *out)
{
    size_t n = 0;
    *out = *o;
    while (o->environment != NULL && o->environment[n] != NULL) {
        n++;
    }
    const char **environment = sf_alloc((n + 1) * sizeof *environment);
    struct engine_size *sizes = sf_alloc((o->n_sizes + 1) * sizeof *sizes);
    out->sizes = sizes;
    out->engine_path = sf_strdup(o->engine_path);
    out->lib_dir = sf_strdup(o->lib_dir);
    out->model_path = sf_strdup(o->model_path);
    out->environment = environment;
    bool ok = environment != NULL && out->engine_path != NULL && out->lib_dir != NULL &&
              out->model_path != NULL && sizes != NULL;
    if (ok && o->n_sizes > 0) {
        memcpy(sizes, o->sizes, o->n_sizes * sizeof *sizes);
    } else if (ok) { /* nothing is planned: the child decides */
        sizes[0] = (struct engine_size){.device = "auto", .n_gpu_layers = -1};
        out->n_sizes = 1;
    }
    for (size_t i = 0; ok && i < n; i++) {
        environment[i] = sf_strdup(o->environment[i]);
        ok = environment[i] != NULL;
    }
    return ok ? SF_OK : SF_ENOMEM;
}

static void free_const(const char *p)
{
    free((void *)(uintptr_t)p); /* owned copies behind the options' const */
}

static void free_options(struct engine_options *o)
{
    free_const(o->engine_path), o->engine_path = NULL;
    free_const(o->lib_dir), o->lib_dir = NULL;
    free_const(o->model_path), o->model_path = NULL;
    free((void *)(uintptr_t)o->sizes), o->sizes = NULL;
    for (size_t i = 0; o->environment != NULL && o->environment[i] != NULL; i++) {
        free_const(o->environment[i]);
    }
    free((void *)(uintptr_t)o->environment), o->environment = NULL;
}

/* ---- state, under the lock ------------------------------------------------------------------- */

static void set_state(struct engine *e, enum engine_state state, const char *fmt, ...)
    SF_PRINTF(3, 4);
static void set_state(struct engine *e, enum engine_state state, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)pthread_mutex_lock(&e->lock);
    e->status.state = state;
    (void)vsnprintf(e->status.reason, sizeof e->status.reason, fmt, ap);
    (void)pthread_cond_broadcast(&e->changed);
    (void)pthread_mutex_unlock(&e->lock);
    va_end(ap);
}

static bool is_closing(struct engine *e)
{
    (void)pthread_mutex_lock(&e->lock);
    bool closing = e->closing;
    (void)pthread_mutex_unlock(&e->lock);
    return closing;
}

static void fail_calls(struct engine *e, enum sf_err code)
{
    (void)pthread_mutex_lock(&e->lock);
    for (struct call *c = e->calls; c != NULL; c = c->next) {
        c->failed = code;
    }
    (void)pthread_cond_broadcast(&e->changed);
    (void)pthread_mutex_unlock(&e->lock);
}

/* Moves a message to the call it belongs to (nobody waits for it: it stays); false when that caller
 * does not keep up. A JSON value never has two threads: its counter of references is not made for
 * that. */
static bool deliver(struct engine *e, int64_t id, json_t **message)
{
    bool kept_up = true;
    struct queued *q = sf_alloc(sizeof *q);
    (void)pthread_mutex_lock(&e->lock);
    struct call *c = e->calls;
    while (c != NULL && c->id != id) {
        c = c->next;
    }
    if (c != NULL && q != NULL) {
        q->message = *message;
        *message = NULL;
        *c->last = q;
        c->last = &q->next;
        kept_up = ++c->n_queued < QUEUE_MAX;
        q = NULL;
        (void)pthread_cond_broadcast(&e->changed);
    }
    (void)pthread_mutex_unlock(&e->lock);
    free(q);
    return kept_up;
}

/* A sign of life for every call under way: none of them is stalled while the child works. */
static void deliver_to_all(struct engine *e, const json_t *message)
{
    int64_t ids[64];
    size_t n = 0;
    (void)pthread_mutex_lock(&e->lock);
    for (struct call *c = e->calls; c != NULL && n < 64; c = c->next) {
        ids[n++] = c->id;
    }
    (void)pthread_mutex_unlock(&e->lock);
    for (size_t i = 0; i < n; i++) {
        json_t *copy = json_deep_copy(message);
        (void)deliver(e, ids[i], &copy);
        json_decref(copy);
    }
}

/* Memory of the children of one model: several copies, or an old one beside a new one, add up. */
static void show_memory(struct engine *e, int64_t bytes)
{
    metric_add(e->memory, (double)(bytes - e->memory_shown));
    e->memory_shown = bytes;
}

/* ---- messages -------------------------------------------------------------------------------- */

static void copy_text(const json_t *m, const char *key, char *out, size_t n)
{
    const char *z = json_get_string(m, key);
    (void)snprintf(out, n, "%s", z == NULL ? "" : z);
}

static json_t *load_message(struct engine *e)
{
    const struct engine_options *o = &e->options;
    struct engine_status status;
    engine_get_status(e, &status);
    const struct engine_size *size = &status.size;
    json_t *split = json_array();
    for (size_t i = 0; i < ENGINE_GPUS_MAX; i++) {
        (void)json_array_append_new(split, json_integer((json_int_t)size->split[i]));
    }
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:i, s:s, s:f, s:f, s:I, s:b, s:o}",
                     "type", "load", "model", o->model_path, "device", size->device, "n_gpu_layers",
                     (json_int_t)size->n_gpu_layers, "context", (json_int_t)size->context_tokens,
                     "sequences", (json_int_t)size->sequences, "threads", (json_int_t)o->threads,
                     "flash_attention", o->flash_attention, "lib_dir", o->lib_dir, "temperature",
                     o->temperature, "top_p", o->top_p, "prefix_cache_bytes",
                     (json_int_t)o->prefix_cache_bytes, "kv_q8", (int)size->kv_q8, "split", split);
}

static enum sf_err on_hello(struct engine *e, json_t **message, struct sf_errbuf *eb)
{
    const json_t *m = *message;
    int64_t protocol = 0;
    const char *version = json_get_string(m, "version"), *llama = json_get_string(m, "llama");
    (void)json_get_int(m, "protocol", &protocol);
    if (protocol != ENGINE_PROTOCOL || version == NULL || strcmp(version, STORYFI_VERSION) != 0) {
        return sf_fail(eb, SF_ECONFIG,
                       "storyfi-engine is of version %s (protocol %lld), this is %s (protocol %d): "
                       "install both from one build",
                       version == NULL ? "?" : version, (long long)protocol, STORYFI_VERSION,
                       ENGINE_PROTOCOL);
    }
    if (llama == NULL || strcmp(llama, ENGINE_LLAMA_VERSION) != 0) {
        return sf_fail(eb, SF_ECONFIG,
                       "libllama is of version %s, needed is %s (its structs change): run make "
                       "setup, or set generator.local.lib_dir",
                       llama == NULL ? "?" : llama, ENGINE_LLAMA_VERSION);
    }
    set_state(e, ENGINE_LOADING, "loading %s", e->options.model_path);
    (void)pthread_mutex_lock(&e->write_lock);
    enum sf_err err = protocol_write(e->fd, load_message(e));
    (void)pthread_mutex_unlock(&e->write_lock);
    return err;
}

static enum sf_err on_loading(struct engine *e, json_t **message, struct sf_errbuf *eb)
{
    const json_t *m = *message;
    int64_t done = 0;
    (void)eb;
    (void)json_get_int(m, "done", &done);
    (void)pthread_mutex_lock(&e->lock);
    e->status.loading_permille = (int)(done < 0 ? 0 : done > 1000 ? 1000 : done);
    (void)pthread_mutex_unlock(&e->lock);
    return SF_OK;
}

static enum sf_err on_ready(struct engine *e, json_t **message, struct sf_errbuf *eb)
{
    const json_t *m = *message;
    int64_t memory = 0;
    (void)eb;
    (void)json_get_int(m, "memory_bytes", &memory);
    (void)pthread_mutex_lock(&e->lock);
    copy_text(m, "model_name", e->status.model_name, sizeof e->status.model_name);
    copy_text(m, "cpu_variant", e->status.cpu_variant, sizeof e->status.cpu_variant);
    e->status.memory_bytes = memory;
    e->status.flash_attention = json_get_bool(m, "flash_attention", true);
    (void)json_get_int(m, "context", &e->status.size.context_tokens);
    (void)json_get_int(m, "sequences", &e->status.size.sequences);
    (void)pthread_mutex_unlock(&e->lock);
    show_memory(e, memory);
    set_state(e, ENGINE_READY, "%s", "");
    log_event(LOG_INFO, LOG_ENGINE, "engine ready", LOG_S("model", e->options.model_path),
              LOG_S("cpu", e->status.cpu_variant), LOG_I("memory_bytes", memory),
              LOG_S("plan", e->status.size.text));
    if (e->options.flash_attention == 1 && !json_get_bool(m, "flash_attention", true)) {
        log_event(LOG_WARN, LOG_ENGINE, "no flash attention: it is not supported here",
                  LOG_S("remedy", "none needed; use_flash_attention: auto does not ask for it"));
    }
    return SF_OK;
}

static enum sf_err on_heartbeat(struct engine *e, json_t **message, struct sf_errbuf *eb)
{
    const json_t *m = *message;
    int64_t memory = 0;
    double speed = 0;
    (void)eb;
    (void)pthread_mutex_lock(&e->lock);
    if (json_get_int(m, "memory_bytes", &memory)) {
        e->status.memory_bytes = memory;
    }
    if (json_get_number(m, "tokens_per_second", &speed) && speed > 0) {
        e->status.tokens_per_second = speed;
    }
    memory = e->status.memory_bytes;
    (void)pthread_mutex_unlock(&e->lock);
    show_memory(e, memory);
    deliver_to_all(e, m);
    return SF_OK;
}

static enum sf_err on_error(struct engine *e, json_t **message, struct sf_errbuf *eb)
{
    const json_t *m = *message;
    int64_t id = 0;
    (void)json_get_int(m, "id", &id);
    if (id != 0) {
        return deliver(e, id, message) ? SF_OK : SF_EINTERNAL;
    }
    const char *text = json_get_string(m, "text");
    return sf_fail(eb, protocol_error_code(json_get_string(m, "code")), "%s",
                   text == NULL ? "no reason given" : text);
}

static const struct {
    const char *type;
    /* Borrows *message, or moves it on and leaves NULL. */
    enum sf_err (*handle)(struct engine *e, json_t **message, struct sf_errbuf *eb);
} handlers[] = {
    {"hello", on_hello},         {"loading", on_loading}, {"ready", on_ready},
    {"heartbeat", on_heartbeat}, {"error", on_error},
};

static enum sf_err handle(struct engine *e, json_t **message, struct sf_errbuf *eb)
{
    const char *type = json_get_string(*message, "type");
    int64_t id = 0;
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        if (strcmp(type, handlers[i].type) == 0) {
            return handlers[i].handle(e, message, eb);
        }
    }
    (void)json_get_int(*message, "id", &id);
    return deliver(e, id, message) ? SF_OK
                                   : sf_fail(eb, SF_EINTERNAL, "engine floods with messages");
}

/* ---- supervision ----------------------------------------------------------------------------- */

/* How long the child may be silent now; 0: as long as it likes. */
static sf_ms patience(struct engine *e)
{
    (void)pthread_mutex_lock(&e->lock);
    sf_ms ms = e->status.state == ENGINE_STARTING  ? e->options.hello_ms
               : e->status.state == ENGINE_LOADING ? LOAD_SILENCE_MS
               : e->calls != NULL                  ? e->options.stall_ms
               : e->probed                         ? e->options.probe_ms + e->options.stall_ms
                                                   : 0;
    (void)pthread_mutex_unlock(&e->lock);
    return ms;
}

static enum sf_err read_messages(struct engine *e, struct protocol_reader *reader,
                                 struct sf_errbuf *eb)
{
    enum sf_err err = protocol_fill(reader, e->fd);
    while (err == SF_OK) {
        json_t *m = NULL;
        err = protocol_next(reader, &m);
        if (err != SF_OK) {
            return sf_fail(eb, SF_EPARSE, "engine sent what is no message");
        }
        if (m == NULL) {
            return SF_OK;
        }
        (void)pthread_mutex_lock(&e->lock);
        e->last_event = sf_now();
        e->probed = false;
        (void)pthread_mutex_unlock(&e->lock);
        err = handle(e, &m, eb);
        json_decref(m);
    }
    return err;
}

/* An idle child that is stopped or wedged is found before a request finds it. */
static enum sf_err probe_if_idle(struct engine *e)
{
    (void)pthread_mutex_lock(&e->lock);
    bool due = e->status.state == ENGINE_READY && e->calls == NULL && !e->probed &&
               -sf_until(e->last_event) > e->options.probe_ms;
    e->probed = e->probed || due;
    (void)pthread_mutex_unlock(&e->lock);
    if (!due) {
        return SF_OK;
    }
    (void)pthread_mutex_lock(&e->write_lock);
    enum sf_err err = protocol_write(e->fd, json_pack("{s:s}", "type", "ping"));
    (void)pthread_mutex_unlock(&e->write_lock);
    return err;
}

static bool loads_too_long(struct engine *e)
{
    (void)pthread_mutex_lock(&e->lock);
    bool late = e->status.state == ENGINE_LOADING && -sf_until(e->started) > e->options.load_ms;
    (void)pthread_mutex_unlock(&e->lock);
    return late;
}

/* Reads until the child is of no use any more; the reason is in `eb`. */
static enum sf_err watch(struct engine *e, struct sf_errbuf *eb)
{
    struct protocol_reader reader;
    enum sf_err err = SF_OK;
    protocol_reader_init(&reader);
    while (err == SF_OK && !is_closing(e)) {
        struct pollfd p = {.fd = e->fd, .events = POLLIN};
        int n = poll(&p, 1, POLL_MS);
        if (n > 0) {
            err = read_messages(e, &reader, eb);
        }
        if (err == SF_OK && loads_too_long(e)) {
            err = sf_fail(eb, SF_ESLOW,
                          "loading took longer than %.0f s: a faster disk, a smaller model, or a "
                          "longer generator.local.load_timeout",
                          sf_seconds(e->options.load_ms));
        }
        if (n > 0 || err != SF_OK) {
            continue;
        }
        err = probe_if_idle(e);
        sf_ms allowed = patience(e);
        (void)pthread_mutex_lock(&e->lock);
        sf_ms silent = -sf_until(e->last_event);
        (void)pthread_mutex_unlock(&e->lock);
        if (err == SF_OK && allowed > 0 && silent > allowed) {
            err = sf_fail(eb, SF_ESLOW, "silent for %.1f s while an event was due",
                          sf_seconds(silent));
        }
    }
    protocol_reader_fini(&reader);
    return err;
}

/* One life of the child, from start to end. Returns why it ended; SF_OK when we are closing.
 * *status as engine_process_end tells it. */
static enum sf_err live(struct engine *e, int *status, struct sf_errbuf *eb)
{
    pid_t pid = 0;
    int fd = -1;
    char how[120];
    *status = -1;
    set_state(e, ENGINE_STARTING, "starting");
    enum sf_err err = engine_process_start(e->program_fd, e->options.lib_dir,
                                           e->options.environment, &pid, &fd, eb);
    if (err != SF_OK) {
        return err;
    }
    (void)pthread_mutex_lock(&e->lock);
    e->fd = fd;
    e->status.pid = pid;
    e->probed = false;
    e->last_event = e->started = sf_now();
    (void)pthread_mutex_unlock(&e->lock);
    err = watch(e, eb);
    if (err != SF_OK && err != SF_ECRASH) {
        (void)kill(-pid, SIGKILL);
    }
    (void)pthread_mutex_lock(&e->write_lock);
    (void)pthread_mutex_lock(&e->lock);
    e->fd = -1;
    e->status.pid = 0;
    (void)pthread_mutex_unlock(&e->lock);
    (void)close(fd);
    (void)pthread_mutex_unlock(&e->write_lock);
    *status = engine_process_end(pid, how, sizeof how);
    if (err == SF_ECRASH) {
        (void)sf_fail(eb, SF_ECRASH, "engine process ended: %s", how);
    }
    return err;
}

/* The model's file as it was when a child began to load it. */
struct seen {
    struct timespec changed;
    off_t bytes;
    ino_t inode;
};

static struct seen look_at_model(const struct engine *e)
{
    struct stat st;
    return stat(e->options.model_path, &st) == 0 ? (struct seen){st.st_mtim, st.st_size, st.st_ino}
                                                 : (struct seen){.bytes = -1};
}

static bool is_same(const struct seen *a, const struct seen *b)
{
    return a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec &&
           a->bytes == b->bytes && a->inode == b->inode;
}

/* Less when another file is put in the place of one that did not load. */
static void wait_for(struct engine *e, sf_ms pause, const struct seen *model)
{
    struct sf_time until = sf_after(sf_now(), pause);
    struct seen now = *model;
    for (int i = 1; !is_closing(e) && sf_until(until) > 0 && is_same(model, &now); i++) {
        (void)poll(NULL, 0, 20);
        now = i % 25 == 0 ? look_at_model(e) : now;
    }
}

static void take_size(struct engine *e, size_t no, const char *why)
{
    (void)pthread_mutex_lock(&e->lock);
    e->status.size_no = no;
    e->status.size = e->options.sizes[no];
    (void)snprintf(e->status.smaller_why, sizeof e->status.smaller_why, "%.255s", why);
    (void)pthread_mutex_unlock(&e->lock);
}

/* Whether its end says anything of the size: it was loading, or the library told that no memory is
 * left. */
static bool concerns_size(struct engine *e, enum engine_end end, int status)
{
    (void)pthread_mutex_lock(&e->lock);
    enum engine_state state = e->status.state;
    (void)pthread_mutex_unlock(&e->lock);
    bool told = end == ENGINE_END_ROOM && status != -1 && WIFEXITED(status);
    return state == ENGINE_LOADING || (state == ENGINE_READY && told);
}

/* How long to wait before the next start, and with which size, after a child that ended so. */
static sf_ms choose_size(struct engine *e, enum sf_err err, int status, const char *why,
                         sf_ms pause)
{
    size_t no = e->status.size_no; /* written by this thread alone */
    enum engine_end end = engine_end_of(err, status);
    if (!concerns_size(e, end, status)) {
        e->failed_loads = 0;
        return pause;
    }
    e->failed_loads = end == ENGINE_END_OTHER ? e->failed_loads + 1 : 0;
    struct engine_step step =
        engine_step_after(e->options.sizes, e->options.n_sizes, no, end, e->failed_loads);
    if (step.pause == ENGINE_PAUSE_BACKOFF) {
        return pause;
    }
    if (step.pause == ENGINE_PAUSE_LONG) {
        e->failed_loads = 0;
        take_size(e, 0, "");
        return e->options.give_up_ms;
    }
    take_size(e, step.size_no, why);
    log_event(LOG_WARN, LOG_ENGINE, "the model did not load, a smaller plan is tried",
              LOG_S("err", why), LOG_S("plan", e->options.sizes[step.size_no].text));
    return 0;
}

/* Tells that the child is gone, waits, and counts. */
static void rest(struct engine *e, sf_ms wait, const char *why, const struct seen *model)
{
    set_state(e, ENGINE_WAITING, "%s; starting again in %.1f s", why, sf_seconds(wait));
    fail_calls(e, SF_ECRASH);
    log_event(LOG_WARN, LOG_ENGINE, "engine child lost", LOG_S("err", why),
              LOG_F("restart_in_seconds", sf_seconds(wait)));
    wait_for(e, wait, model);
    (void)pthread_mutex_lock(&e->lock);
    e->status.restarts++;
    (void)pthread_mutex_unlock(&e->lock);
    metric_add(e->restarts, 1);
}

static void *supervise(void *arg)
{
    struct engine *e = arg;
    sf_ms pause = e->options.backoff_ms;
    while (!is_closing(e)) {
        struct sf_errbuf eb = {.code = SF_OK};
        struct sf_time started = sf_now();
        struct seen model = look_at_model(e);
        int status = -1;
        enum sf_err err = live(e, &status, &eb);
        show_memory(e, 0);
        if (err == SF_OK || is_closing(e)) {
            break;
        }
        if (sf_until(started) < -60000) {
            pause = e->options.backoff_ms;
        }
        sf_ms wait = choose_size(e, err, status, eb.text, pause);
        if (wait == 0) { /* still on the way to what fits */
            set_state(e, ENGINE_STARTING, "%s; a smaller plan is tried", eb.text);
            fail_calls(e, SF_ECRASH);
            continue;
        }
        rest(e, wait, eb.text, &model);
        pause = pause * 2 > e->options.backoff_max_ms ? e->options.backoff_max_ms : pause * 2;
    }
    set_state(e, ENGINE_CLOSED, "closed");
    fail_calls(e, SF_ECANCELED);
    return NULL;
}

/* ---- opening and closing --------------------------------------------------------------------- */

static enum sf_err check_files(struct engine *e, struct sf_errbuf *eb)
{
    struct stat st;
    const struct engine_options *o = &e->options;
    bool is_file = !sf_str_has_prefix(sf_str(o->model_path), ENGINE_SYNTHETIC);
    if (is_file && (stat(o->model_path, &st) != 0 || !S_ISREG(st.st_mode))) {
        return sf_fail(eb, SF_EUNAVAILABLE,
                       "model file %s is not there: run make setup for the default model, "
                       "storyfi models pull NAME for another, or set generator.local.model_name "
                       "to a .gguf file",
                       o->model_path);
    }
    int fd = open(o->engine_path, O_PATH | O_CLOEXEC);
    if (fd >= 0) { /* away from descriptor 3, which becomes the child's socket */
        e->program_fd = fcntl(fd, F_DUPFD_CLOEXEC, 16);
        (void)close(fd);
    }
    if (e->program_fd < 0 || access(o->engine_path, X_OK) != 0) {
        return sf_fail(eb, SF_EUNAVAILABLE,
                       "helper program %s is not there: it is built when the llama libraries are "
                       "(make setup, then make)",
                       o->engine_path);
    }
    return SF_OK;
}

static void init_locks(struct engine *e)
{
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&e->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    (void)pthread_mutex_init(&e->lock, NULL);
    (void)pthread_mutex_init(&e->write_lock, NULL);
}

static struct metric *memory_metric(const char *model_path)
{
    const char *slash = strrchr(model_path, '/');
    char labels[512] = "";
    metric_label(labels, sizeof labels, "model", slash == NULL ? model_path : slash + 1);
    return metric_gauge("storyfi_engine_memory_bytes", labels,
                        "Resident memory of the engine children, by the model's file.");
}

enum sf_err engine_open(const struct engine_options *o, struct engine **out, struct sf_errbuf *eb)
{
    struct engine *e = sf_alloc(sizeof *e);
    if (e == NULL) {
        return SF_ENOMEM;
    }
    e->program_fd = -1;
    e->fd = -1;
    init_locks(e);
    enum sf_err err = copy_options(o, &e->options);
    if (err == SF_OK) {
        take_size(e, 0, "");
        err = check_files(e, eb);
    }
    if (err == SF_OK) {
        e->memory = memory_metric(e->options.model_path);
        e->restarts = metric_counter("storyfi_engine_restarts_total", "",
                                     "Times an engine child was started again.");
        e->has_thread = pthread_create(&e->thread, NULL, supervise, e) == 0;
        err = e->has_thread ? SF_OK : SF_ENOMEM;
    }
    if (err != SF_OK) {
        engine_close(e);
        return err;
    }
    *out = e;
    return SF_OK;
}

void engine_close(struct engine *e)
{
    if (e == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&e->lock);
    e->closing = true;
    (void)pthread_mutex_unlock(&e->lock);
    if (e->has_thread) {
        (void)pthread_join(e->thread, NULL);
    }
    (void)pthread_mutex_lock(&e->lock); /* callers leave before the lock is gone */
    while (e->calls != NULL) {
        (void)pthread_cond_wait(&e->changed, &e->lock);
    }
    (void)pthread_mutex_unlock(&e->lock);
    if (e->program_fd >= 0) {
        (void)close(e->program_fd);
    }
    free_options(&e->options);
    (void)pthread_mutex_destroy(&e->write_lock);
    (void)pthread_mutex_destroy(&e->lock);
    (void)pthread_cond_destroy(&e->changed);
    free(e);
}

void engine_get_status(struct engine *e, struct engine_status *out)
{
    (void)pthread_mutex_lock(&e->lock);
    *out = e->status;
    (void)pthread_mutex_unlock(&e->lock);
}

void engine_wait_change(struct engine *e)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_nsec += 20 * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_nsec -= 1000000000;
        ts.tv_sec++;
    }
    (void)pthread_cond_timedwait(&e->changed, &e->lock, &ts);
}

enum sf_err engine_wait_ready(struct engine *e, struct sf_time until, struct sf_errbuf *eb)
{
    enum sf_err err = SF_OK;
    (void)pthread_mutex_lock(&e->lock);
    while (e->status.state != ENGINE_READY && e->status.state != ENGINE_WAITING &&
           e->status.restarts == 0 && sf_until(until) > 0) {
        engine_wait_change(e);
    }
    if (e->status.state != ENGINE_READY) {
        err = sf_fail(eb, SF_EUNAVAILABLE, "%s", e->status.reason);
    }
    (void)pthread_mutex_unlock(&e->lock);
    return err;
}

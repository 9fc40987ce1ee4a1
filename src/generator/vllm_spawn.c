/* SPDX-License-Identifier: MIT */
#include "generator/vllm_spawn.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "generator/vllm_keeper.h"
#include "http/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENVIRONMENT_MAX 128
#define ARGUMENTS_MAX 20
#define TICK_MS 100
#define LINE_MAX_BYTES 400
#define LINES_PER_MINUTE 200 /* into our log; vLLM's own progress bars write thousands */
#define LAST_BYTES 80        /* of its last words, in a reason */
#define HEALTH_PATIENCE_MS 2000
#define HEALTH_BYTES 65536
#define CALM_FACTOR 5 /* once ready, /health is looked at so much less often */
#define MISSES_MAX 6  /* looks without an answer in a row: wedged, not busy */

/* Fields up to `lock` are fixed when open returns; those behind it are under it; the rest belongs
 * to the thread. */
struct vllm_spawn {
    struct vllm_spawn_options o;
    char *path, *model;
    char *arguments[ARGUMENTS_MAX + 1];
    char *environment[ENVIRONMENT_MAX + 1];
    size_t n_arguments, n_environment;
    char base_url[64], health_url[64];
    int wake; /* readable when closing */
    pthread_t thread;
    pthread_mutex_t lock;
    bool closing;
    enum gen_state state;
    char reason[256];
    unsigned starts;
    struct keeper keeper;
    char line[LINE_MAX_BYTES]; /* what came of the current one */
    size_t line_n;
    char last[LAST_BYTES]; /* the last line, or the last that speaks of an error */
    bool last_is_error;
    struct sf_time minute; /* end of the current one of the log's allowance */
    unsigned lines, left_out;
};

struct vllm_spawn_options vllm_spawn_options_default(void)
{
    return (struct vllm_spawn_options){
        .command = "vllm",
        .model = "",
        .tensor_parallel_size = 1,
        .gpu_memory_utilization = 0.9,
        .quantization = "",
        .dtype = "",
        .start_timeout_ms = 1800000,
        .backoff_min_ms = 2000,
        .backoff_max_ms = 300000,
        .health_interval_ms = 2000,
        .stop_ms = 10000,
    };
}

/* --------------------------------------------------------------------------------------- state */

/* Text of a foreign program, as it will stand in JSON: whole characters of UTF-8 only. */
static void copy_text(char *to, size_t size, struct sf_str from)
{
    size_t n = 0;
    while (from.n > 0) {
        struct sf_str at = from;
        bool valid = true;
        (void)sf_utf8_next(&from, &valid);
        size_t bytes = at.n - from.n;
        if (n + bytes >= size) {
            break;
        }
        memcpy(to + n, valid ? at.p : "?", bytes); /* an invalid byte is one byte */
        n += bytes;
    }
    to[n] = '\0';
}

static void set_state(struct vllm_spawn *s, enum gen_state state, const char *reason)
{
    (void)pthread_mutex_lock(&s->lock);
    s->state = state;
    copy_text(s->reason, sizeof s->reason, sf_str(reason));
    (void)pthread_mutex_unlock(&s->lock);
}

void vllm_spawn_health(struct vllm_spawn *s, struct gen_health *out)
{
    (void)pthread_mutex_lock(&s->lock);
    *out = (struct gen_health){.state = s->state};
    (void)snprintf(out->reason, sizeof out->reason, "%s", s->reason);
    (void)pthread_mutex_unlock(&s->lock);
}

unsigned vllm_spawn_starts(struct vllm_spawn *s)
{
    (void)pthread_mutex_lock(&s->lock);
    unsigned n = s->starts;
    (void)pthread_mutex_unlock(&s->lock);
    return n;
}

const char *vllm_spawn_base_url(const struct vllm_spawn *s)
{
    return s->base_url;
}

static bool is_closing(struct vllm_spawn *s)
{
    (void)pthread_mutex_lock(&s->lock);
    bool closing = s->closing;
    (void)pthread_mutex_unlock(&s->lock);
    return closing;
}

/* -------------------------------------------------------------------------------------- output */

static bool speaks_of_error(struct sf_str line)
{
    return sf_str_find(line, SF_STR("rror")) < line.n || /* Error, error, CUDA error */
           sf_str_find(line, SF_STR("ERROR")) < line.n;
}

static void log_line(struct vllm_spawn *s, struct sf_str line, bool error)
{
    if (sf_until(s->minute) <= 0) {
        if (s->left_out > 0) {
            log_event(LOG_WARN, LOG_GENERATOR, "vllm wrote more than fits here",
                      LOG_I("lines_left_out", s->left_out));
        }
        s->minute = sf_after(sf_now(), 60000);
        s->lines = 0;
        s->left_out = 0;
    }
    if (s->lines >= LINES_PER_MINUTE) {
        s->left_out++;
        return;
    }
    s->lines++;
    log_event(error ? LOG_WARN : LOG_INFO, LOG_GENERATOR, "vllm", LOG_STR("line", line));
}

static void end_line(struct vllm_spawn *s)
{
    struct sf_str line = sf_str_trim((struct sf_str){s->line, s->line_n});
    bool error = speaks_of_error(line);
    s->line_n = 0;
    if (line.n == 0) {
        return;
    }
    if (error || !s->last_is_error) {
        copy_text(s->last, sizeof s->last, line);
        s->last_is_error = error;
    }
    log_line(s, line, error);
}

/* Bytes of any kind, lines of any length: control characters become blanks, the rest of a long line
 * is dropped. */
static void take_output(struct vllm_spawn *s, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n' || p[i] == '\r') {
            end_line(s);
        } else if (s->line_n < sizeof s->line) {
            s->line[s->line_n++] = (unsigned char)p[i] < 0x20 ? ' ' : p[i];
        }
    }
}

static void drain(struct vllm_spawn *s, int rounds)
{
    char chunk[8192];
    ssize_t n = 1;
    for (int i = 0; n > 0 && i < rounds; i++) {
        n = read(s->keeper.output, chunk, sizeof chunk);
        take_output(s, chunk, n > 0 ? (size_t)n : 0);
    }
}

/* ---------------------------------------------------------------------------------- supervision */

/* The status of GET /health; 0: no answer. */
static int health_status(const struct vllm_spawn *s)
{
    struct http_answer answer = {0};
    struct http_call call = {.url = s->health_url,
                             .deadline = sf_after(sf_now(), HEALTH_PATIENCE_MS),
                             .max_body_bytes = HEALTH_BYTES};
    enum sf_err err = http_client_call(&call, &answer, NULL);
    int status = err == SF_OK ? answer.status : 0;
    http_answer_fini(&answer);
    return status;
}

/* Waits for output, a wake-up or the tick. */
static void wait_a_tick(struct vllm_spawn *s, sf_ms span)
{
    struct pollfd fds[2] = {{.fd = s->wake, .events = POLLIN},
                            {.fd = s->keeper.output, .events = POLLIN}};
    (void)poll(fds, 2, (int)(span < 1 ? 1 : span < TICK_MS ? span : TICK_MS));
    if ((fds[1].revents & POLLIN) != 0) {
        drain(s, 8);
    } else if (fds[1].revents != 0 && (fds[0].revents & POLLIN) == 0) {
        (void)poll(fds, 1, 20); /* it closed its output: not a reason to spin */
    }
}

static void say_loading(struct vllm_spawn *s, struct sf_time since)
{
    char reason[256];
    (void)snprintf(reason, sizeof reason, "vllm loads %.80s, for %lld s now%s%s", s->model,
                   (long long)(sf_between(since, sf_now()) / 1000),
                   s->last[0] == '\0' ? "" : "; it says: ", s->last);
    set_state(s, GEN_STARTING, reason);
}

/* What one life of vLLM has shown so far. */
struct life {
    struct sf_time since, next_look;
    bool ready;
    int misses; /* of /health in a row, once ready */
};

/* Looks at /health. False: it is no use waiting on, and `how` says why. */
static bool look(struct vllm_spawn *s, struct life *life, char *how, size_t n)
{
    int status = health_status(s);
    life->misses = status == 200 ? 0 : life->misses + 1;
    if (status == 200 && !life->ready) {
        life->ready = true;
        log_event(LOG_INFO, LOG_GENERATOR, "vllm is ready", LOG_S("url", s->base_url));
        set_state(s, GEN_READY, "");
    } else if (!life->ready) {
        say_loading(s, life->since);
    }
    life->next_look = sf_after(sf_now(), s->o.health_interval_ms * (life->ready ? CALM_FACTOR : 1));
    if (life->ready && status == 503) { /* the server lives, its engine does not */
        (void)snprintf(how, n, "its engine is dead (GET /health says 503)");
        return false;
    }
    (void)snprintf(how, n, "no answer to GET /health");
    return !life->ready || life->misses < MISSES_MAX;
}

/* One life of vLLM, until it ends, is too slow to start, is dead inside, or we close. True: it was
 * ready. */
static bool watch_life(struct vllm_spawn *s, char *how, size_t n)
{
    struct life life = {.since = sf_now(), .next_look = sf_now()};
    struct sf_time give_up = sf_after(life.since, s->o.start_timeout_ms);
    while (!is_closing(s) && !keeper_has_ended(&s->keeper, how, n)) {
        if (!life.ready && sf_until(give_up) <= 0) {
            (void)snprintf(how, n, "not ready after %lld s",
                           (long long)(s->o.start_timeout_ms / 1000));
            break;
        }
        if (sf_until(life.next_look) <= 0 && !look(s, &life, how, n)) {
            break;
        }
        wait_a_tick(s, sf_until(life.next_look) + 1);
    }
    drain(s, 64);
    end_line(s);
    return life.ready;
}

static void say_down(struct vllm_spawn *s, const char *how, sf_ms pause)
{
    char reason[256];
    (void)snprintf(reason, sizeof reason,
                   "vllm serve: %.64s%s%s; starts again in %lld s. See the log, or run it by hand",
                   how, s->last[0] == '\0' ? "" : ": ", s->last, (long long)((pause + 999) / 1000));
    log_event(LOG_WARN, LOG_GENERATOR, "vllm is down", LOG_S("why", how), LOG_S("last", s->last),
              LOG_I("again_in_ms", pause));
    set_state(s, GEN_DOWN, reason);
}

static bool live_once(struct vllm_spawn *s, char *how, size_t n)
{
    struct sf_errbuf eb = {0};
    struct keeper_options k = {.path = s->path,
                               .argv = s->arguments,
                               .environment = s->environment,
                               .stop_ms = s->o.stop_ms};
    s->last[0] = '\0';
    s->last_is_error = false;
    s->line_n = 0;
    (void)pthread_mutex_lock(&s->lock);
    s->starts++;
    (void)pthread_mutex_unlock(&s->lock);
    log_event(LOG_INFO, LOG_GENERATOR, "vllm starts", LOG_S("model", s->model),
              LOG_S("url", s->base_url));
    enum sf_err err = keeper_start(&k, &s->keeper, &eb);
    if (err != SF_OK) {
        (void)snprintf(how, n, "%s", sf_err_text(&eb, err));
        return false;
    }
    bool ready = watch_life(s, how, n);
    keeper_end(&s->keeper, s->o.stop_ms);
    return ready;
}

static void *supervise(void *arg)
{
    struct vllm_spawn *s = arg;
    sf_ms pause = s->o.backoff_min_ms;
    while (!is_closing(s)) {
        char how[128] = "ended";
        if (live_once(s, how, sizeof how)) {
            pause = s->o.backoff_min_ms; /* it worked: this is no start that cannot succeed */
        }
        if (is_closing(s)) {
            break;
        }
        say_down(s, how, pause);
        struct pollfd wake = {.fd = s->wake, .events = POLLIN};
        (void)poll(&wake, 1, (int)pause);
        pause = 2 * pause < s->o.backoff_max_ms ? 2 * pause : s->o.backoff_max_ms;
        set_state(s, GEN_STARTING, "vllm starts again");
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------- opening */

static struct sf_str search_path(const struct vllm_spawn_options *o)
{
    for (size_t i = 0; o->environment != NULL && o->environment[i] != NULL; i++) {
        if (strncmp(o->environment[i], "PATH=", 5) == 0 && o->environment[i][5] != '\0') {
            return sf_str(o->environment[i] + 5);
        }
    }
    return SF_STR("/usr/local/bin:/usr/bin:/bin");
}

static enum sf_err find_command(struct vllm_spawn *s, struct sf_errbuf *eb)
{
    struct sf_str rest = search_path(&s->o), dir;
    bool found = false;
    if (strchr(s->o.command, '/') != NULL) {
        s->path = sf_strdup(s->o.command);
        found = s->path != NULL && access(s->path, X_OK) == 0;
        rest = SF_STR("");
    }
    while (!found && sf_str_next(&rest, ':', &dir)) {
        struct sf_buf path;
        sf_buf_init(&path, 4096);
        sf_buf_printf(&path, "%.*s/%s", SF_STR_ARG(dir), s->o.command);
        free(s->path);
        s->path = sf_buf_take(&path);
        found = dir.n > 0 && s->path != NULL && access(s->path, X_OK) == 0;
    }
    if (s->path == NULL) {
        return SF_ENOMEM;
    }
    return found ? SF_OK
                 : sf_fail(eb, SF_ENOTFOUND,
                           "no program \"%.200s\" to start vLLM with: install it (pip install "
                           "vllm), name its path in generator.vllm.command, or set spawn: false "
                           "and an endpoint",
                           s->o.command);
}

static enum sf_err pick_port(int64_t *port, struct sf_errbuf *eb)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    enum sf_err err = SF_OK;
    if (*port > 0) {
        return SF_OK;
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
        err = sf_fail_errno(eb, SF_EUNAVAILABLE, "no free port on 127.0.0.1");
    }
    *port = ntohs(a.sin_port);
    if (fd >= 0) {
        (void)close(fd);
    }
    return err;
}

/* NULL-safe: what could not be copied is found by the count at the end. */
static void argue(struct vllm_spawn *s, const char *fmt, ...) SF_PRINTF(2, 3);
static void argue(struct vllm_spawn *s, const char *fmt, ...)
{
    struct sf_buf b;
    va_list ap;
    SF_BUG_ON(s->n_arguments == ARGUMENTS_MAX);
    sf_buf_init(&b, 4096);
    va_start(ap, fmt);
    sf_buf_vprintf(&b, fmt, ap);
    va_end(ap);
    s->arguments[s->n_arguments++] = sf_buf_take(&b);
}

static void argue_all(struct vllm_spawn *s)
{
    const struct vllm_spawn_options *o = &s->o;
    argue(s, "%s", s->path);
    argue(s, "serve");
    argue(s, "%s", o->model);
    argue(s, "--host");
    argue(s, "127.0.0.1");
    argue(s, "--port");
    argue(s, "%lld", (long long)o->port);
    argue(s, "--tensor-parallel-size");
    argue(s, "%lld", (long long)o->tensor_parallel_size);
    argue(s, "--gpu-memory-utilization");
    argue(s, "%g", o->gpu_memory_utilization);
    if (o->max_model_len > 0) {
        argue(s, "--max-model-len");
        argue(s, "%lld", (long long)o->max_model_len);
    }
    if (o->quantization[0] != '\0') {
        argue(s, "--quantization");
        argue(s, "%s", o->quantization);
    }
    if (o->dtype[0] != '\0' && strcmp(o->dtype, "auto") != 0) {
        argue(s, "--dtype");
        argue(s, "%s", o->dtype);
    }
}

static enum sf_err copy_all(struct vllm_spawn *s)
{
    const char *const *environment = s->o.environment;
    bool whole = true;
    s->model = sf_strdup(s->o.model);
    argue_all(s);
    for (size_t i = 0; i < s->n_arguments; i++) {
        whole = whole && s->arguments[i] != NULL;
    }
    for (size_t i = 0; environment != NULL && environment[i] != NULL && i < ENVIRONMENT_MAX; i++) {
        s->environment[i] = sf_strdup(environment[i]);
        whole = whole && s->environment[i] != NULL;
        s->n_environment++;
    }
    (void)snprintf(s->base_url, sizeof s->base_url, "http://127.0.0.1:%lld/v1",
                   (long long)s->o.port);
    (void)snprintf(s->health_url, sizeof s->health_url, "http://127.0.0.1:%lld/health",
                   (long long)s->o.port);
    return whole && s->model != NULL ? SF_OK : SF_ENOMEM;
}

static void free_all(struct vllm_spawn *s)
{
    for (size_t i = 0; i < s->n_arguments; i++) {
        free(s->arguments[i]);
    }
    for (size_t i = 0; i < s->n_environment; i++) {
        if (s->environment[i] != NULL) {
            sf_wipe(s->environment[i], strlen(s->environment[i])); /* HF_TOKEN and the like */
        }
        free(s->environment[i]);
    }
    free(s->path);
    free(s->model);
    if (s->wake >= 0) {
        (void)close(s->wake);
    }
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

static enum sf_err check_options(const struct vllm_spawn_options *o, struct sf_errbuf *eb)
{
    if (o->model[0] == '\0') {
        return sf_fail(eb, SF_EINVAL,
                       "generator.vllm.model_name is not set: with spawn: true it names what vLLM "
                       "is to load");
    }
    if (o->model[0] == '-') { /* vLLM would read it as an option */
        return sf_fail(eb, SF_EINVAL, "generator.vllm.model_name \"%.80s\" is no model's name",
                       o->model);
    }
    return SF_OK;
}

enum sf_err vllm_spawn_open(const struct vllm_spawn_options *o, struct vllm_spawn **out,
                            struct sf_errbuf *eb)
{
    enum sf_err err = check_options(o, eb);
    struct vllm_spawn *s = err == SF_OK ? sf_alloc(sizeof *s) : NULL;
    if (s == NULL) {
        return err != SF_OK ? err : SF_ENOMEM;
    }
    s->o = *o;
    s->state = GEN_STARTING;
    s->keeper = (struct keeper){.control = -1, .output = -1, .report = -1};
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)snprintf(s->reason, sizeof s->reason, "vllm starts");
    s->wake = eventfd(0, EFD_CLOEXEC);
    err = s->wake < 0 ? sf_fail_errno(eb, SF_EUNAVAILABLE, "eventfd") : find_command(s, eb);
    err = err == SF_OK ? pick_port(&s->o.port, eb) : err;
    err = err == SF_OK ? copy_all(s) : err;
    if (err == SF_OK && pthread_create(&s->thread, NULL, supervise, s) != 0) {
        err = sf_fail(eb, SF_EUNAVAILABLE, "no thread to watch vllm with");
    }
    if (err != SF_OK) {
        free_all(s);
        return err;
    }
    *out = s;
    return SF_OK;
}

void vllm_spawn_close(struct vllm_spawn *s)
{
    uint64_t one = 1;
    if (s == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&s->lock);
    s->closing = true;
    (void)pthread_mutex_unlock(&s->lock);
    (void)!write(s->wake, &one, sizeof one);
    (void)pthread_join(s->thread, NULL);
    free_all(s);
}

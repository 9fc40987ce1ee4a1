/* SPDX-License-Identifier: MIT */
#include "generator/script.h"

#include "base/log.h"
#include "base/mem.h"
#include "generator/content.h"
#include "generator/gate.h"
#include "generator/own_file.h"
#include "generator/script_process.h"
#include "story/unwrap.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define ARGV_MAX 5

struct script {
    char *path; /* found, absolute or from the working directory */
    char *configured, *dir, *withheld;
    char **environment;
    sf_ms timeout_ms;
    size_t max_output_bytes;
    char interpreter[256]; /* words of the #! line, "" when executed directly */
    struct shared *shared; /* by the copies that locate makes */
};

struct shared {
    struct gate gate;
    atomic_bool told; /* that it runs through its interpreter */
};

/* ---- finding and starting -------------------------------------------------------------------- */

/* A file without the exec bit runs through its #! line, a .py through python3. */
static enum sf_err choose_interpreter(struct script *s, struct sf_errbuf *eb)
{
    char head[256] = "";
    s->interpreter[0] = '\0';
    if (access(s->path, X_OK) == 0) {
        return SF_OK;
    }
    int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head - 1);
    if (fd >= 0) {
        (void)close(fd);
    }
    if (n < 0) {
        return sf_fail_errno(eb, SF_EUNAVAILABLE, "script %s", s->path);
    }
    struct sf_str first, rest = {head, (size_t)n};
    bool has_line = sf_str_next(&rest, '\n', &first) && sf_str_has_prefix(first, "#!");
    size_t length = strlen(s->path);
    if (has_line) {
        (void)snprintf(s->interpreter, sizeof s->interpreter, "%.*s", (int)(first.n - 2),
                       first.p + 2);
    } else if (length > 3 && strcmp(s->path + length - 3, ".py") == 0) {
        (void)snprintf(s->interpreter, sizeof s->interpreter, "/usr/bin/env python3");
    } else {
        return sf_fail(eb, SF_EUNAVAILABLE,
                       "script %s is not executable and has no #! line: chmod +x %s", s->path,
                       s->path);
    }
    return SF_OK;
}

/* Looks the file up anew for each call, so that a script that appears later is used. */
static enum sf_err locate(const struct script *s, struct script *found, struct sf_errbuf *eb)
{
    *found = *s;
    found->path = own_file_find(s->configured, s->dir);
    if (found->path == NULL) {
        return sf_fail(eb, SF_EUNAVAILABLE,
                       "script %s is not there (looked from the working directory and from %s)",
                       s->configured, s->dir);
    }
    enum sf_err err = choose_interpreter(found, eb);
    if (err != SF_OK) {
        free(found->path), found->path = NULL;
    }
    return err;
}

static void tell_interpreter(const struct script *s)
{
    if (s->interpreter[0] != '\0' && !atomic_exchange(&s->shared->told, true)) {
        log_event(LOG_INFO, LOG_GENERATOR, "script has no exec bit; run through its interpreter",
                  LOG_S("script", s->path), LOG_S("interpreter", s->interpreter),
                  LOG_S("hint", "chmod +x makes it direct"));
    }
}

static void build_argv(struct script *s, char *argv[static ARGV_MAX])
{
    size_t n = 0;
    char *save = s->interpreter;
    while (n < ARGV_MAX - 2 && *save != '\0') {
        save += strspn(save, " \t\r");
        if (*save == '\0') {
            break;
        }
        argv[n++] = save;
        save += strcspn(save, " \t\r");
        if (*save != '\0') {
            *save++ = '\0';
        }
    }
    argv[n++] = s->path;
    argv[n] = NULL;
}

/* ---- output ---------------------------------------------------------------------------------- */

enum sf_err script_parse_output(struct sf_str text, json_t **out, struct sf_errbuf *eb)
{
    json_t *answer = NULL;
    enum sf_err err = story_unwrap(text, false, &answer, eb);
    if (err != SF_OK) {
        return sf_fail_prefix(eb, "stdout");
    }
    err = content_take(answer, "stdout", out, eb);
    json_decref(answer);
    return err;
}

/* The end of what it said on stderr, and which variables it did without: most failures are there.
 */
static enum sf_err explain(const struct script *s, const struct script_run *run, enum sf_err code,
                           const char *what, struct sf_errbuf *eb)
{
    struct sf_str tail = sf_str_trim(sf_buf_str(&run->stderr_tail));
    if (tail.n > 200) {
        tail.p += tail.n - 200;
        tail.n = 200;
    }
    return sf_fail(eb, code, "script %s: %s%s%.*s%s%s%s", s->path, what,
                   tail.n > 0 ? "; stderr: " : "", SF_STR_ARG(tail),
                   s->withheld[0] != '\0' ? " (withheld from its environment: " : "", s->withheld,
                   s->withheld[0] != '\0' ? "; name those it needs in env_vars)" : "");
}

static enum sf_err judge(const struct script *s, const struct script_run *run, enum sf_err ran,
                         json_t **out, struct sf_errbuf *eb)
{
    char what[200];
    struct sf_errbuf inner = {.code = SF_OK};
    if (ran == SF_ECANCELED || ran == SF_EDEADLINE) {
        return explain(s, run, ran == SF_EDEADLINE ? SF_ESLOW : ran,
                       ran == SF_ECANCELED ? "canceled" : "did not end in time, killed", eb);
    }
    if (ran == SF_ELIMIT) {
        (void)snprintf(what, sizeof what, "printed more than %zu bytes, killed",
                       s->max_output_bytes);
        return explain(s, run, SF_EINCOMPLETE, what, eb);
    }
    if (ran != SF_OK) {
        return sf_fail_prefix(eb, "script %s", s->path);
    }
    if (run->signal != 0 || run->exit_status != 0) {
        (void)snprintf(what, sizeof what,
                       run->signal != 0 ? "killed by signal %d" : "exit status %d",
                       run->signal != 0 ? run->signal : run->exit_status);
        return explain(s, run, SF_ETRANSIENT, what, eb);
    }
    if (script_parse_output(sf_buf_str(&run->output), out, &inner) != SF_OK) {
        return explain(s, run, SF_EINCOMPLETE, inner.text, eb);
    }
    return SF_OK;
}

/* ---- the generator --------------------------------------------------------------------------- */

static void script_close(void *ctx)
{
    struct script *s = ctx;
    if (s == NULL) {
        return;
    }
    free(s->configured), s->configured = NULL;
    free(s->dir), s->dir = NULL;
    free(s->withheld), s->withheld = NULL;
    for (size_t i = 0; s->environment != NULL && s->environment[i] != NULL; i++) {
        sf_wipe(s->environment[i], strlen(s->environment[i]));
        free(s->environment[i]), s->environment[i] = NULL;
    }
    free(s->environment), s->environment = NULL;
    free(s->shared), s->shared = NULL;
    free(s);
}

static char **copy_environment(const char *const *list)
{
    size_t n = 0;
    while (list != NULL && list[n] != NULL) {
        n++;
    }
    char **copy = sf_alloc((n + 1) * sizeof *copy);
    for (size_t i = 0; copy != NULL && i < n; i++) {
        copy[i] = sf_strdup(list[i]);
    }
    return copy;
}

static enum sf_err script_open(const void *options, void **ctx, struct sf_errbuf *eb)
{
    const struct script_options *o = options;
    struct script *s = sf_alloc(sizeof *s);
    (void)eb;
    if (s == NULL) {
        return SF_ENOMEM;
    }
    s->configured = sf_strdup(o->path);
    s->dir = sf_strdup(o->dir);
    s->withheld = sf_strdup(o->withheld == NULL ? "" : o->withheld);
    s->environment = copy_environment(o->environment);
    s->timeout_ms = o->timeout_ms;
    s->max_output_bytes = o->max_output_bytes;
    s->shared = sf_alloc(sizeof *s->shared);
    if (s->configured == NULL || s->dir == NULL || s->withheld == NULL || s->environment == NULL ||
        s->shared == NULL) {
        script_close(s);
        return SF_ENOMEM;
    }
    gate_init(&s->shared->gate, o->concurrency);
    *ctx = s;
    return SF_OK;
}

static void on_progress(void *arg, size_t bytes)
{
    const struct gen_call *call = arg;
    if (call->on_event != NULL) {
        call->on_event(call->event_arg,
                       &(struct gen_event){.kind = GEN_EVENT_HEARTBEAT, .done = (int64_t)bytes});
    }
}

static enum sf_err run_script(const struct script *s, const struct gen_call *call,
                              struct gen_result *result, struct sf_errbuf *eb)
{
    struct script found;
    char *argv[ARGV_MAX];
    struct script_run run;
    struct sf_buf input;
    json_t *request = story_request_to_json(call->request), *output = NULL;
    sf_buf_init(&input, 8U << 20);
    json_print(request, &input);
    json_decref(request);
    enum sf_err err = input.err == SF_OK ? locate(s, &found, eb) : input.err;
    if (err == SF_OK) {
        tell_interpreter(&found);
        build_argv(&found, argv);
        run = (struct script_run){
            .argv = argv,
            .environment = found.environment,
            .input = sf_buf_str(&input),
            .deadline = sf_earlier(call->deadline, sf_after(sf_now(), found.timeout_ms)),
            .cancel = call->cancel,
            .on_progress = on_progress,
            .progress_arg = (void *)(uintptr_t)call};
        script_run_init(&run, found.max_output_bytes);
        err = judge(&found, &run, script_run(&run, eb), &output, eb);
        script_run_fini(&run);
        if (err == SF_OK) {
            const char *slash = strrchr(found.path, '/');
            result->output = output;
            (void)snprintf(result->name, sizeof result->name, "%s",
                           slash == NULL ? found.path : slash + 1);
        }
        free(found.path), found.path = NULL;
    }
    sf_buf_fini(&input);
    return err;
}

static enum sf_err script_generate(void *ctx, const struct gen_call *call,
                                   struct gen_result *result, struct sf_errbuf *eb)
{
    const struct script *s = ctx;
    enum sf_err err = gate_enter(&s->shared->gate, call, eb);
    if (err == SF_OK) {
        err = run_script(s, call, result, eb);
        gate_leave(&s->shared->gate);
    }
    return err;
}

static void script_health(void *ctx, struct gen_health *out)
{
    struct script found;
    struct sf_errbuf eb = {.code = SF_OK};
    *out = (struct gen_health){.state = GEN_READY};
    if (locate(ctx, &found, &eb) != SF_OK) {
        out->state = GEN_DOWN;
        (void)snprintf(out->reason, sizeof out->reason, "%.250s", eb.text);
        return;
    }
    free(found.path), found.path = NULL;
}

enum sf_err script_look(void *ctx, struct script_facts *out, struct sf_errbuf *eb)
{
    const struct script *s = ctx;
    struct script found;
    *out = (struct script_facts){.environment = (const char *const *)s->environment,
                                 .withheld = s->withheld,
                                 .timeout_ms = s->timeout_ms};
    enum sf_err err = locate(s, &found, eb);
    if (err == SF_OK) {
        (void)snprintf(out->path, sizeof out->path, "%s", found.path);
        (void)snprintf(out->interpreter, sizeof out->interpreter, "%s", found.interpreter);
        free(found.path), found.path = NULL;
    }
    return err;
}

const struct generator_type generator_script = {
    .kind = "custom",
    .target_label = "Script",
    .multiplier = 1.0,
    .open = script_open,
    .generate = script_generate,
    .health = script_health,
    .check = script_check,
    .close = script_close,
};

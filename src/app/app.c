/* SPDX-License-Identifier: MIT */
#include "app/app.h"

#include "app/hops.h"
#include "app/ledger.h"
#include "app/speeds.h"
#include "app/templates.h"
#include "base/log.h"
#include "base/mem.h"
#include "generator/local.h"
#include "journal/journal.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

struct app {
    atomic_int refs;
    const struct conf *conf;
    struct gen_chain *chain;
    struct journal *journal; /* NULL: none is kept */
    bool automatic;
    char only[64];              /* "" all */
    struct app *successor;      /* kept until our chain is closed; NULL none */
    pthread_mutex_t speed_lock; /* of the next two; a leaf */
    double speeds;              /* of answers, added up */
    int64_t n_speeds;
    struct templates templates;
};

static struct gen_chain_options chain_options(const struct conf_generator *g, bool probes)
{
    const struct conf_chain *c = &g->chain;
    struct gen_chain_options o = gen_chain_options_default();
    o.progress_ms = c->progress_timeout_ms;
    o.reserve_ms = c->reserve_ms;
    o.min_tokens_per_second = c->min_tokens_per_second;
    o.min_tokens_window_ms = c->min_tokens_window_ms;
    o.jitter_min_ms = c->retry_jitter_min_ms;
    o.jitter_max_ms = c->retry_jitter_max_ms;
    o.account_open_ms = c->account_open_ms;
    o.rate_bench_ms = c->rate_limit_bench_ms;
    o.probe_interval_ms = probes ? c->probe_interval_ms : 0;
    o.hedge_after_ms = g->hedge_after_ms;
    o.breaker = (struct breaker_options){.failures = (int)c->breaker_failures,
                                         .window = (int)c->breaker_window,
                                         .min_samples = (int)c->breaker_min_samples,
                                         .share = c->breaker_share,
                                         .open_ms = c->breaker_open_ms,
                                         .open_max_ms = c->breaker_open_max_ms};
    return o;
}

static bool reopen(void *app, struct gen_chain_hop *hop)
{
    const struct app *a = app;
    return hops_reopen(a->conf, a->only[0] == '\0' ? NULL : a->only, hop);
}

#define COMMAND_IDS 4 /* what a story takes, roughly: the rest is given back */

static enum sf_err open_journal(struct app *a, const struct app_options *o)
{
    const struct conf_journal *c = &a->conf->journal;
    if (o->successor_of != NULL && o->successor_of->journal != NULL) {
        a->journal = journal_ref(o->successor_of->journal);
        return SF_OK;
    }
    if (o->journal == APP_JOURNAL_NONE) {
        return SF_OK;
    }
    struct journal_options options = journal_options_default();
    options.path = c->path;
    options.keep_days = c->keep_days;
    options.max_bytes = c->max_bytes;
    if (o->journal == APP_JOURNAL_COMMAND) {
        options.id_block = COMMAND_IDS;
    }
    return journal_open(&options, &a->journal);
}

enum sf_err app_open(const struct conf *conf, const struct app_options *o, struct app **out,
                     struct sf_errbuf *eb)
{
    struct gen_chain_hop hops[GEN_CHAIN_MAX];
    size_t n = 0;
    struct app *a = sf_alloc(sizeof *a);
    if (a == NULL) {
        return SF_ENOMEM;
    }
    atomic_init(&a->refs, 1);
    (void)pthread_mutex_init(&a->speed_lock, NULL);
    a->conf = conf_ref(conf);
    a->automatic = o->only == NULL && strcmp(conf->generator.mode, "auto") == 0;
    (void)snprintf(a->only, sizeof a->only, "%s", o->only == NULL ? "" : o->only);
    enum sf_err err = hops_open(conf, o->only, hops, &n, eb);
    if (err == SF_OK) {
        struct gen_chain_options options = chain_options(&conf->generator, o->probes);
        options.reopen = reopen;
        options.reopen_arg = a;
        err = gen_chain_open(&options, hops, n, &a->chain, eb);
        if (err != SF_OK) {
            hops_close(hops, n);
        }
    }
    if (err == SF_OK) {
        err = templates_init(&a->templates, conf->generator.template_dir);
    }
    if (err == SF_OK) {
        err = open_journal(a, o);
    }
    if (err != SF_OK) {
        app_close(a);
        return err;
    }
    if (o->successor_of == NULL) { /* a successor is charged when it takes over */
        ledger_charge(a);
    }
    ledger_weigh(a);
    *out = a;
    return SF_OK;
}

struct app *app_ref(struct app *a)
{
    (void)atomic_fetch_add(&a->refs, 1);
    return a;
}

void app_close(struct app *a)
{
    if (a == NULL || atomic_fetch_sub(&a->refs, 1) > 1) {
        return;
    }
    app_keep_speed(a);
    gen_chain_close(a->chain);
    app_close(a->successor);
    (void)pthread_mutex_destroy(&a->speed_lock);
    journal_close(a->journal);
    templates_fini(&a->templates);
    conf_unref(a->conf);
    free(a);
}

void app_succeed(struct app *fresh, struct app *old)
{
    SF_BUG_ON(old->successor != NULL);
    gen_chain_inherit(fresh->chain, old->chain);
    old->successor = app_ref(fresh);
}

const struct conf *app_conf(const struct app *a)
{
    return a->conf;
}

struct journal *app_journal(const struct app *a)
{
    return a->journal;
}

bool app_is_automatic(const struct app *a)
{
    return a->automatic;
}

int64_t app_next_id(struct app *a)
{
    return a->journal == NULL ? 0 : journal_next_id(a->journal);
}

struct gen_chain *app_chain(const struct app *a)
{
    return a->chain;
}

/* The hops' state in the order in which they are walked: the owner's, in mode auto by worth. */
static size_t walked_status(struct app *a, struct gen_hop_status status[static GEN_CHAIN_MAX])
{
    size_t n = gen_chain_status(a->chain, status);
    for (size_t i = 1; a->automatic && i < n; i++) {
        struct gen_hop_status moved = status[i];
        size_t k = i;
        for (; k > 0 && status[k - 1].worth < moved.worth; k--) {
            status[k] = status[k - 1];
        }
        status[k] = moved;
    }
    return n;
}

/* A hop that is down does not count, one that is starting is worth waiting
 * for, so that a fallback that is ready does not hide that the preferred one is loading. */
bool app_is_settled(struct app *a)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = walked_status(a, status);
    for (size_t i = 0; i < n; i++) {
        if (status[i].health.state != GEN_DOWN) {
            return status[i].health.state != GEN_STARTING;
        }
    }
    return true;
}

void app_draw_starting(struct app *a, struct progress *progress)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = gen_chain_status(a->chain, status);
    for (size_t i = 0; i < n; i++) {
        if (status[i].health.state == GEN_STARTING) {
            progress_draw(progress, status[i].health.starting_permille, "loading %s",
                          status[i].generator->target);
            return;
        }
    }
}

bool app_wait_ready(struct app *a, struct sf_time until, struct progress *progress)
{
    while (!app_is_settled(a) && sf_until(until) > 0) {
        app_draw_starting(a, progress);
        (void)poll(NULL, 0, 20);
    }
    progress_clear(progress);
    return gen_chain_is_ready(a->chain);
}

char *app_prompt(const struct app *a, const struct story_request *request)
{
    return templates_render(&a->templates, request);
}

/* What people call the kinds; what the original says of one that fails, and what checks it. */
static const struct shown {
    const char *kind, *name, *failure;
} shown[] = {
    {"local", "Local", "Local generator failed"},
    {"api", "API", "API generator not available"},
    {"vllm", "vLLM", "vLLM generator not available"},
    {"custom", "Custom", "Custom generator failed"},
};

static const struct shown *shown_as(const char *kind)
{
    size_t i = 0;
    while (i + 1 < sizeof shown / sizeof shown[0] && strcmp(shown[i].kind, kind) != 0) {
        i++;
    }
    return &shown[i];
}

/* "⚠️  Local mode failed, trying API fallback...": two of one kind are told apart by their
 * names.
 */
static void print_fallback(const struct gen_hop_status *failed, const struct gen_hop_status *next)
{
    const struct generator *a = failed->generator, *b = next->generator;
    bool same = a->type->kind == b->type->kind;
    log_status("⚠️  %s mode failed, trying %s fallback...",
               same ? a->name : shown_as(a->type->kind)->name,
               same ? b->name : shown_as(b->type->kind)->name);
    log_event(LOG_WARN, LOG_GENERATOR, "generator not available", LOG_S("generator", a->name),
              LOG_S("err", failed->health.reason));
}

static void print_answering(const struct gen_hop_status *status, size_t i)
{
    const struct generator *g = status[i].generator;
    for (size_t k = 0; k < i; k++) {
        print_fallback(&status[k], &status[k + 1]);
    }
    log_status("✅ Generator Mode: %s", g->type->kind);
    log_status("✅ %s: %s", g->type->target_label == NULL ? "Model" : g->type->target_label,
               g->target);
    if (i > 0) {
        log_status("⚠️  Using fallback generator");
    }
}

/* Nobody configured it: a key that is set is enough, and that is said. */
static void print_backup(const struct app *a, const struct gen_hop_status *status, size_t n)
{
    const struct conf_api *api = &a->conf->generator.api;
    for (size_t i = 1; i < n && !api->present; i++) {
        const struct generator *g = status[i].generator;
        if (strcmp(g->type->kind, "api") == 0 && status[i].health.state != GEN_DOWN) {
            log_status("✅ %s is set: API (%s, %s) is the backup", api->api_key_env, api->provider,
                       g->target);
        }
    }
}

json_t *app_plan(struct app *a)
{
    return gen_chain_facts(a->chain, "local");
}

void app_note_speed(struct app *a, const struct gen_trail *trail, const struct gen_result *result)
{
    double speed = result->usage.tokens_per_second;
    if (trail->answered == NULL || trail->answered->type != &generator_local || speed <= 0) {
        return;
    }
    (void)pthread_mutex_lock(&a->speed_lock);
    a->speeds += speed;
    a->n_speeds++;
    (void)pthread_mutex_unlock(&a->speed_lock);
}

/* Where the plan has the model. */
static enum speed_place place_of(const json_t *plan)
{
    const char *device = json_get_string(plan, "device");
    int64_t layers = 0;
    (void)json_get_int(plan, "gpu_layers", &layers);
    return device == NULL                                  ? SPEED_NOWHERE
           : strcmp(device, "cpu") == 0                    ? SPEED_CPU
           : strncmp(device, "cuda", 4) == 0 && layers < 0 ? SPEED_GPU
                                                           : SPEED_NOWHERE;
}

void app_keep_speed(struct app *a)
{
    struct sf_errbuf eb = {.code = SF_OK};
    struct speed s = {.place = SPEED_NOWHERE};
    (void)pthread_mutex_lock(&a->speed_lock);
    s.answers = a->n_speeds;
    s.tokens_per_second = a->n_speeds > 0 ? a->speeds / (double)a->n_speeds : 0;
    a->speeds = 0;
    a->n_speeds = 0;
    (void)pthread_mutex_unlock(&a->speed_lock);
    json_t *plan = s.answers > 0 ? app_plan(a) : NULL;
    const char *file = json_get_string(plan, "file");
    s.place = place_of(plan);
    if (file != NULL && json_get_int(plan, "file_bytes", &s.bytes) && s.bytes > 0 &&
        s.place != SPEED_NOWHERE) {
        (void)snprintf(s.file, sizeof s.file, "%.199s", file);
        enum sf_err err = speeds_add(a->conf, &s, &eb);
        if (err != SF_OK) {
            log_event(LOG_WARN, LOG_GENERATOR, "the model's speed is not kept", LOG_ERR(&eb, err));
        }
    }
    json_decref(plan);
}

void app_print_plan(struct app *a)
{
    json_t *plan = app_plan(a);
    const char *text = json_get_string(plan, "text");
    if (text != NULL) {
        log_status("✅ Plan: %s: %s", json_get_string(plan, "model"), text);
    }
    json_decref(plan);
}

void app_print_status(struct app *a)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = walked_status(a, status);
    for (size_t i = 0; i < n; i++) {
        if (status[i].health.state == GEN_READY) {
            print_answering(status, i);
            print_backup(a, status, n);
            return;
        }
    }
    struct sf_buf text;
    sf_buf_init(&text, 8192);
    app_explain(a, &text);
    struct sf_str rest = sf_buf_str(&text), line;
    for (bool first = true; sf_str_next(&rest, '\n', &line); first = false) {
        log_status("%s%.*s", first ? "❌ " : "", SF_STR_ARG(line));
    }
    sf_buf_fini(&text);
}

void app_explain(struct app *a, struct sf_buf *out)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = gen_chain_status(a->chain, status);
    sf_buf_puts(out, "No generator available");
    if (n == 0) {
        sf_buf_puts(out,
                    ": none is configured: set generator.mode (storyfi config print shows what "
                    "is set)");
    }
    for (size_t i = 0; i < n; i++) {
        const struct generator *g = status[i].generator;
        const char *reason = status[i].health.reason;
        if (reason[0] == '\0') {
            reason = status[i].account_reason[0] != '\0' ? status[i].account_reason
                                                         : status[i].last_error;
        }
        sf_buf_printf(out, "\n  %s: %s%s%s\n    check it with: storyfi doctor --mode %s",
                      shown_as(g->type->kind)->failure,
                      strcmp(g->name, g->type->kind) == 0 ? "" : g->name,
                      strcmp(g->name, g->type->kind) == 0 ? "" : ": ", reason, g->name);
    }
}

json_t *app_model_info(const struct gen_trail *trail, const struct gen_result *result)
{
    json_t *parameters =
        result->parameters == NULL ? json_object() : json_incref(result->parameters);
    if (result->usage.generated_tokens > 0) {
        (void)json_object_set_new(parameters, "generated_tokens",
                                  json_integer(result->usage.generated_tokens));
        (void)json_object_set_new(parameters, "tokens_per_second",
                                  json_real(result->usage.tokens_per_second));
    }
    json_t *version = result->version[0] == '\0' ? json_null() : json_string(result->version);
    json_t *provider = result->provider[0] == '\0' ? json_null() : json_string(result->provider);
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "mode", trail->answered->type->kind, "name",
                     result->name, "version", version, "provider", provider, "parameters",
                     parameters);
}

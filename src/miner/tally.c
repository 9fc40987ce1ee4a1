/* SPDX-License-Identifier: MIT */
#include "miner/tally.h"

#include "base/metric.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define GENERATORS_MAX 64

/* A handle that is looked up at its first use; two threads that race find the same one. */
typedef struct metric *_Atomic handle;

/* ---- requests -------------------------------------------------------------------------------- */

static const char *const standings[] = {
    [STANDING_UNVERIFIED] = "unverified",     [STANDING_UNKNOWN] = "unknown",
    [STANDING_UNREGISTERED] = "unregistered", [STANDING_REGISTERED] = "registered",
    [STANDING_VALIDATOR] = "validator",       [STANDING_GUEST] = "guest"};

static const char *const tasks[] = {"", "ping", "blueprint", "characters", "story_arc", "chapters"};
/* What the miner answers with; another one would be "0". */
static const int statuses[] = {0,   200, 400, 401, 403, 404, 405, 408,
                               413, 415, 429, 431, 500, 503, 504, 508};

static size_t index_of_task(const char *task)
{
    size_t i = 0;
    while (i + 1 < COUNT(tasks) && strcmp(tasks[i], task) != 0) {
        i++;
    }
    return i;
}

static size_t index_of_status(int status)
{
    for (size_t i = 0; i < COUNT(statuses); i++) {
        if (statuses[i] == status) {
            return i;
        }
    }
    return 0;
}

static struct metric *make_answer_counter(size_t task, size_t status, size_t standing)
{
    char labels[160] = "", number[16];
    (void)snprintf(number, sizeof number, "%d", statuses[status]);
    metric_label(labels, sizeof labels, "task", tasks[task]);
    metric_label(labels, sizeof labels, "status", number);
    metric_label(labels, sizeof labels, "standing", standings[standing]);
    return metric_counter("storyfi_requests_total", labels,
                          "Requests answered or refused, by task, status and who asked.");
}

static struct metric *answer_counter(const char *task, int status, enum caller_standing standing)
{
    static handle counters[COUNT(tasks)][COUNT(statuses)][COUNT(standings)];
    size_t t = index_of_task(task), s = index_of_status(status);
    struct metric *m = atomic_load_explicit(&counters[t][s][standing], memory_order_acquire);
    if (m == NULL) {
        m = make_answer_counter(t, s, standing);
        atomic_store_explicit(&counters[t][s][standing], m, memory_order_release);
    }
    return m;
}

void tally_answer(const char *task, int status, enum caller_standing standing)
{
    metric_add(answer_counter(task, status, standing), 1);
}

void tally_refused(const char *gate)
{
    static const char *const gates[] = {
        "other", "address_rate", "headers",  "shape", "denied", "registered", "signature",
        "nonce", "hotkey_rate",  "standing", "route", "memory", "body",       "queue"};
    static handle counters[COUNT(gates)];
    size_t i = COUNT(gates) - 1;
    while (i > 0 && strcmp(gates[i], gate) != 0) {
        i--;
    }
    struct metric *m = atomic_load_explicit(&counters[i], memory_order_acquire);
    if (m == NULL) {
        char labels[64] = "";
        metric_label(labels, sizeof labels, "gate", gates[i]);
        m = metric_counter("storyfi_refused_total", labels,
                           "Requests refused before they reached the queue.");
        atomic_store_explicit(&counters[i], m, memory_order_release);
    }
    metric_add(m, 1);
}

static void observe(handle *h, const char *name, const char *help, const double *buckets, size_t n,
                    double v)
{
    struct metric *m = atomic_load_explicit(h, memory_order_acquire);
    if (m == NULL) {
        m = metric_histogram(name, "", help, buckets, n);
        atomic_store_explicit(h, m, memory_order_release);
    }
    metric_observe(m, v);
}

void tally_verified(int64_t gates_ns)
{
    static const double buckets[] = {2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3,
                                     2e-3, 5e-3, 1e-2, 5e-2, 0.1,  1};
    static handle h;
    observe(&h, "storyfi_verify_seconds",
            "Time in the gates of requests that passed them: most of it is the signature.", buckets,
            COUNT(buckets), (double)gates_ns / 1e9);
}

void tally_waited(const struct job *j)
{
    static const double buckets[] = {0.001, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 20, 40};
    static handle h;
    observe(&h, "storyfi_queue_wait_seconds", "Time from the door until a worker took the request.",
            buckets, COUNT(buckets), sf_seconds(sf_between(j->received, sf_now())));
}

/* ---- what became of one ---------------------------------------------------------------------- */

static struct metric *deadline_counter(bool met)
{
    static handle yes, no;
    handle *h = met ? &yes : &no;
    struct metric *m = atomic_load_explicit(h, memory_order_acquire);
    if (m == NULL) {
        m = metric_counter("storyfi_deadline_total", met ? "met=\"yes\"" : "met=\"no\"",
                           "Requests of validators that were queued, by whether a valid answer "
                           "left before their deadline.");
        atomic_store_explicit(h, m, memory_order_release);
    }
    return m;
}

static void count_deadline(const struct job *j, int status)
{
    static const double buckets[] = {-1, 0, 0.5, 1, 2, 5, 10, 15, 20, 25, 30, 45, 60};
    static handle margin;
    double left = sf_seconds(sf_until(j->deadline));
    metric_add(deadline_counter(status == 200 && left >= 0), 1);
    if (status == 200) {
        observe(&margin, "storyfi_deadline_margin_seconds",
                "Time that was left when an answer went to a validator; negative: too late.",
                buckets, COUNT(buckets), left);
    }
}

static void observe_answer(const struct job *j)
{
    static const double buckets[] = {0.1, 0.5, 1, 2, 5, 10, 15, 20, 25, 30, 45, 60};
    static handle by_task[COUNT(tasks)];
    const char *task = story_task_name(j->request.task);
    handle *h = &by_task[index_of_task(task)];
    struct metric *m = atomic_load_explicit(h, memory_order_acquire);
    if (m == NULL) {
        char labels[64] = "";
        metric_label(labels, sizeof labels, "task", task);
        m = metric_histogram("storyfi_answer_seconds", labels,
                             "Time from the door to the answer, of requests that were queued.",
                             buckets, COUNT(buckets));
        atomic_store_explicit(h, m, memory_order_release);
    }
    metric_observe(m, sf_seconds(sf_between(j->received, sf_now())));
}

/* ---- what the generators did ----------------------------------------------------------------- */

static void label_generator(const char *name, const char *kind, char *labels, size_t room)
{
    labels[0] = '\0';
    metric_label(labels, room, "generator", name);
    metric_label(labels, room, "kind", kind);
}

/* "SF_ERATE" is "rate" on the page. */
static void result_name(enum sf_err code, char out[static 24])
{
    const char *name = sf_err_info(code)->name;
    size_t i = 0;
    name += strncmp(name, "SF_E", 4) == 0 ? 4 : 3;
    for (; i < 23 && name[i] != '\0'; i++) {
        out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    }
    out[i] = '\0';
}

static struct metric *attempt_counter(const char *name, const char *kind, enum sf_err code)
{
    char labels[512], result[24];
    label_generator(name, kind, labels, sizeof labels);
    result_name(code, result);
    metric_label(labels, sizeof labels, "result", result);
    return metric_counter("storyfi_generator_attempts_total", labels,
                          "Calls of a generator, by what came of them: ok, or the class of the "
                          "error.");
}

static struct metric *fallback_of(const char *labels)
{
    return metric_counter("storyfi_fallback_answers_total", labels,
                          "Answers of a generator in the place of an earlier one that failed or "
                          "was passed over.");
}

/* What is counted for each answer of a generator, held. */
struct generator_handles {
    char name[64], kind[16];
    struct metric *ok, *seconds, *skipped, *fallback, *speed;
    handle given; /* once the multiplier is known */
};

static struct metric *seconds_of(const char *labels)
{
    static const double buckets[] = {0.1, 0.5, 1, 2, 5, 10, 15, 20, 25, 30, 45, 60};
    return metric_histogram("storyfi_generator_attempt_seconds", labels,
                            "Time of one call of a generator.", buckets, COUNT(buckets));
}

static struct metric *speed_of(const char *labels)
{
    static const double buckets[] = {1, 2, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560};
    return metric_histogram("storyfi_tokens_per_second", labels,
                            "Tokens written per second, of each answer.", buckets, COUNT(buckets));
}

static struct metric *skipped_of(const char *labels)
{
    return metric_counter("storyfi_generator_skipped_total", labels,
                          "Requests for which a generator was passed over: down, resting, or no "
                          "time left for it.");
}

static void make_handles(const char *name, const char *kind, struct generator_handles *out)
{
    char labels[512];
    label_generator(name, kind, labels, sizeof labels);
    *out = (struct generator_handles){.ok = attempt_counter(name, kind, SF_OK),
                                      .seconds = seconds_of(labels),
                                      .skipped = skipped_of(labels),
                                      .fallback = fallback_of(labels),
                                      .speed = speed_of(labels)};
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    (void)snprintf(out->kind, sizeof out->kind, "%s", kind);
}

/* Names come from the owner and change with a reload: those beyond the table share its last place,
 * as "other". */
static struct generator_handles *handles_of(const char *name, const char *kind)
{
    static struct generator_handles table[GENERATORS_MAX];
    static _Atomic size_t n_known;
    static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
    size_t i = 0, n = atomic_load_explicit(&n_known, memory_order_acquire);
    while (i < n && (strcmp(table[i].name, name) != 0 || strcmp(table[i].kind, kind) != 0)) {
        i++;
    }
    if (i < n) {
        return &table[i];
    }
    (void)pthread_mutex_lock(&making);
    n = atomic_load_explicit(&n_known, memory_order_relaxed);
    while (i < n && (strcmp(table[i].name, name) != 0 || strcmp(table[i].kind, kind) != 0)) {
        i++;
    }
    if (i == n && n == GENERATORS_MAX) {
        i = n - 1;
    } else if (i == n) {
        bool last = n + 1 == GENERATORS_MAX;
        make_handles(last ? "other" : name, last ? "other" : kind, &table[n]);
        atomic_store_explicit(&n_known, n + 1, memory_order_release);
    }
    (void)pthread_mutex_unlock(&making);
    return &table[i];
}

static struct metric *given_by(const struct generator *g)
{
    struct generator_handles *h = handles_of(g->name, g->type->kind);
    struct metric *m = atomic_load_explicit(&h->given, memory_order_acquire);
    if (m == NULL) {
        char labels[512], number[16];
        label_generator(h->name, h->kind, labels, sizeof labels);
        (void)snprintf(number, sizeof number, "%.1f", g->type->multiplier);
        metric_label(labels, sizeof labels, "multiplier", number);
        m = metric_counter("storyfi_answers_total", labels,
                           "Answers given, by generator and its multiplier of the reward.");
        atomic_store_explicit(&h->given, m, memory_order_release);
    }
    return m;
}

static void count_step(const struct gen_step *s)
{
    const struct generator_handles *h = handles_of(s->name, s->kind);
    size_t n = s->attempts < 0 ? 0 : (size_t)s->attempts;
    if (s->outcome == GEN_STEP_SKIPPED) {
        metric_add(h->skipped, 1);
    }
    for (size_t i = 0; i < n && i < GEN_ATTEMPTS_MAX; i++) {
        enum sf_err code = s->list[i].code;
        metric_add(code == SF_OK ? h->ok : attempt_counter(h->name, h->kind, code), 1);
        metric_observe(h->seconds, sf_seconds(s->list[i].took_ms));
    }
}

static void count_answer(const struct gen_trail *trail, const struct gen_result *result)
{
    const struct generator *g = trail->answered;
    const struct generator_handles *h = handles_of(g->name, g->type->kind);
    metric_add(given_by(g), 1);
    if (gen_trail_first_failure(trail) != NULL) {
        metric_add(h->fallback, 1);
    }
    if (result->usage.tokens_per_second > 0) {
        metric_observe(h->speed, result->usage.tokens_per_second);
    }
}

void tally_done(const struct job *j, const struct gen_trail *trail, const struct gen_result *result)
{
    int status = atomic_load(&j->answered);
    if (j->origin == ORIGIN_VALIDATOR) {
        count_deadline(j, status);
    }
    observe_answer(j);
    for (size_t i = 0; trail != NULL && i < trail->n; i++) {
        count_step(&trail->steps[i]);
    }
    if (trail != NULL && trail->answered != NULL && result != NULL && status == 200) {
        count_answer(trail, result);
    }
}

void tally_begin(void)
{
    static const int usual[] = {200, 408, 503};
    for (size_t t = index_of_task("blueprint"); t < COUNT(tasks); t++) {
        for (size_t i = 0; i < COUNT(usual); i++) {
            (void)answer_counter(tasks[t], usual[i], STANDING_VALIDATOR);
        }
    }
    (void)deadline_counter(true);
    (void)deadline_counter(false);
}

void tally_expect(const struct generator *g)
{
    (void)given_by(g);
}

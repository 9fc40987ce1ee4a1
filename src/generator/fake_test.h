/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_FAKE_TEST_H
#define SF_GENERATOR_FAKE_TEST_H

#include "base/file.h"
#include "base/mem.h"
#include "generator/chain.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Generators that behave as their test says, the chains made of them, and a clock that runs as the
 * real one does but can be put forward. */

struct fake {
    enum sf_err fails[8]; /* of the calls in order; 0 is an answer */
    enum sf_err always;   /* of all others */
    sf_ms retry_after_ms; /* named by each SF_ERATE */
    sf_ms takes_ms;       /* before each answer or failure, with a beat every few ms */
    const char *lacks;    /* a top-level field left out ... */
    int lacks_times;      /* ... of so many answers */
    bool parts;           /* answers what is wanted alone, as local and api do; else always whole */
    bool hangs, beats;    /* until canceled */
    enum sf_err canceled_as; /* what it calls its cancellation; 0 as it should */
    bool deaf;               /* goes on for a while although canceled */
    bool streams;            /* tells its slots at the end */
    bool streams_across;     /* half of each slot before it takes its time, half behind */
    bool streams_first;      /* tells them and then takes its time */
    bool numbered;           /* the title says which call it was */
    int64_t tokens_a_beat;
    struct gen_usage spends; /* told by an event at the start of each call */
    _Atomic int state;       /* enum gen_state; 0 becomes ready */
    atomic_int calls, canceled, probes, at_once, most_at_once, closed;
    atomic_bool probe_ok;
    struct gen_usage bill; /* told at the end of a call, also of a canceled one */
    sf_ms probe_takes_ms;
    size_t wanted_n;
    char wanted[64];
    sf_ms had;          /* until the deadline, at the last call */
    sf_ms ended_ms;     /* when the last call ended */
    sf_ms called_ms[8]; /* when each began */
    uint64_t seeds[8];
};

static _Atomic int64_t fake_ahead_ms;

static inline int64_t fake_clock(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + atomic_load(&fake_ahead_ms);
}

static inline int fake_clock_setup(void **state)
{
    (void)state;
    sf_clock_inject(fake_clock, NULL);
    return 0;
}

static inline void put_forward(sf_ms span)
{
    (void)atomic_fetch_add(&fake_ahead_ms, span);
}

static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

static inline json_t *fake_read(const char *name)
{
    struct sf_buf b;
    char path[256];
    json_t *v = NULL;
    (void)snprintf(path, sizeof path, SOURCE_DIR "/tests/data/story/%s.json", name);
    sf_buf_init(&b, 1U << 20);
    assert_int_equal(sf_file_read(path, &b, NULL), SF_OK);
    assert_int_equal(json_parse(sf_buf_str(&b), JSON_LIMITS_DEFAULT, &v, NULL), SF_OK);
    sf_buf_fini(&b);
    return v;
}

/* A valid blueprint, read once. */
static inline json_t *fake_answer(void)
{
    static json_t *read;
    (void)pthread_mutex_lock(&fake_lock);
    read = read == NULL ? fake_read("blueprint") : read;
    json_t *copy = json_deep_copy(read);
    (void)pthread_mutex_unlock(&fake_lock);
    return copy;
}

static inline void fake_tell(const struct gen_call *call, const struct gen_event *e)
{
    if (call->on_event != NULL) {
        call->on_event(call->event_arg, e);
    }
}

/* Beats until the time is over, the call canceled or past its deadline. */
static inline enum sf_err fake_spend_time(const struct fake *f, const struct gen_call *call)
{
    int64_t tokens = 0;
    struct sf_time until = f->hangs ? SF_NEVER : sf_after(sf_now(), f->takes_ms);
    while (sf_until(until) > 0) {
        bool canceled = call->cancel != NULL && atomic_load(call->cancel);
        if (canceled && !f->deaf) {
            return f->canceled_as != SF_OK ? f->canceled_as : SF_ECANCELED;
        }
        if (sf_until(call->deadline) <= 0) {
            return SF_EDEADLINE;
        }
        if (!f->hangs || f->beats) {
            fake_tell(call, &(struct gen_event){.kind = GEN_EVENT_HEARTBEAT});
        }
        if (f->tokens_a_beat > 0) {
            tokens += f->tokens_a_beat;
            fake_tell(call, &(struct gen_event){.kind = GEN_EVENT_TOKENS, .done = tokens});
        }
        (void)poll(NULL, 0, 2);
    }
    return SF_OK;
}

/* The title and setting of an answer, in two bits each: the first ones, the second ones, or both.
 */
enum fake_half { FAKE_FIRST = 1, FAKE_SECOND = 2 };

static inline void fake_stream(const struct gen_call *call, const json_t *output, int halves)
{
    static const char *const paths[] = {"/title", "/setting"};
    for (size_t i = 0; i < 2; i++) {
        const json_t *v = json_at(output, paths[i]);
        if (v == NULL) {
            continue; /* no part of this answer */
        }
        struct sf_str text = {json_string_value(v), json_string_length(v)};
        struct gen_event e = {.kind = GEN_EVENT_SLOT_STARTED, .path = paths[i]};
        if ((halves & FAKE_FIRST) != 0) {
            fake_tell(call, &e);
            e.kind = GEN_EVENT_SLOT_TEXT;
            e.text = (struct sf_str){text.p, text.n / 2};
            fake_tell(call, &e);
        }
        if ((halves & FAKE_SECOND) != 0) {
            e.kind = GEN_EVENT_SLOT_TEXT;
            e.text = (struct sf_str){text.p + text.n / 2, text.n - text.n / 2};
            fake_tell(call, &e);
            e.kind = GEN_EVENT_SLOT_DONE;
            e.text = text;
            fake_tell(call, &e);
        }
    }
}

static inline json_t *fake_output(struct fake *f, const struct gen_call *call, int turn)
{
    json_t *whole = fake_answer();
    if (f->numbered) {
        char title[32];
        (void)snprintf(title, sizeof title, "Answer %d", turn);
        (void)json_object_set_new(whole, "title", json_string(title));
    }
    if (f->parts && call->n_wanted > 0) {
        json_t *part = json_object();
        for (size_t i = 0; i < call->n_wanted; i++) {
            json_t *v = json_at(whole, call->wanted[i]);
            assert_int_equal(json_set_at_new(part, call->wanted[i], json_incref(v)), SF_OK);
        }
        json_decref(whole);
        return part;
    }
    (void)pthread_mutex_lock(&fake_lock);
    if (f->lacks != NULL && f->lacks_times > 0) {
        f->lacks_times--;
        (void)json_object_del(whole, f->lacks);
    }
    (void)pthread_mutex_unlock(&fake_lock);
    return whole;
}

static inline void fake_note_call(struct fake *f, const struct gen_call *call, int turn)
{
    (void)pthread_mutex_lock(&fake_lock);
    if (turn < 8) {
        f->had = sf_until(call->deadline);
        f->called_ms[turn] = sf_now().ms;
        f->seeds[turn] = call->seed;
        f->wanted_n = call->n_wanted;
        (void)snprintf(f->wanted, sizeof f->wanted, "%s",
                       call->n_wanted > 0 ? call->wanted[0] : "");
    }
    (void)pthread_mutex_unlock(&fake_lock);
}

static inline void fake_note_end(struct fake *f)
{
    (void)pthread_mutex_lock(&fake_lock);
    f->ended_ms = sf_now().ms;
    (void)pthread_mutex_unlock(&fake_lock);
}

static inline enum sf_err fake_generate(void *ctx, const struct gen_call *call,
                                        struct gen_result *result, struct sf_errbuf *eb)
{
    struct fake *f = ctx;
    int turn = atomic_fetch_add(&f->calls, 1), now = atomic_fetch_add(&f->at_once, 1) + 1;
    if (now > atomic_load(&f->most_at_once)) {
        atomic_store(&f->most_at_once, now);
    }
    fake_note_call(f, call, turn);
    if (f->spends.requests > 0) {
        fake_tell(call, &(struct gen_event){.kind = GEN_EVENT_USAGE, .usage = &f->spends});
    }
    json_t *output = fake_output(f, call, turn);
    if (f->streams_first || f->streams_across) {
        fake_stream(call, output, f->streams_first ? FAKE_FIRST | FAKE_SECOND : FAKE_FIRST);
    }
    enum sf_err err = fake_spend_time(f, call);
    (void)atomic_fetch_add(&f->canceled, err == SF_ECANCELED ? 1 : 0);
    if (err == SF_OK) {
        err = turn < 8 && f->fails[turn] != SF_OK ? f->fails[turn] : f->always;
    }
    (void)atomic_fetch_sub(&f->at_once, 1);
    fake_note_end(f);
    if (f->bill.requests > 0) {
        fake_tell(call, &(struct gen_event){.kind = GEN_EVENT_USAGE, .usage = &f->bill});
    }
    if (err != SF_OK) {
        json_decref(output);
        if (eb != NULL) {
            eb->retry_after_ms = err == SF_ERATE ? f->retry_after_ms : 0;
        }
        return sf_fail(eb, err, "as the test asked");
    }
    result->output = output;
    result->usage = f->spends;
    if (f->streams || f->streams_across) {
        fake_stream(call, result->output, f->streams ? FAKE_FIRST | FAKE_SECOND : FAKE_SECOND);
    }
    return SF_OK;
}

static inline void fake_health(void *ctx, struct gen_health *out)
{
    const struct fake *f = ctx;
    out->state = (enum gen_state)atomic_load(&f->state);
    (void)snprintf(out->reason, sizeof out->reason, "%s", out->state == GEN_DOWN ? "not up" : "");
}

static inline enum sf_err fake_probe(void *ctx, struct sf_errbuf *eb)
{
    struct fake *f = ctx;
    (void)atomic_fetch_add(&f->probes, 1);
    int now = atomic_fetch_add(&f->at_once, 1) + 1;
    if (now > atomic_load(&f->most_at_once)) {
        atomic_store(&f->most_at_once, now);
    }
    (void)poll(NULL, 0, (int)f->probe_takes_ms);
    (void)atomic_fetch_sub(&f->at_once, 1);
    return atomic_load(&f->probe_ok) ? SF_OK : sf_fail(eb, SF_ETRANSIENT, "still out");
}

static inline void fake_close(void *ctx)
{
    (void)atomic_fetch_add(&((struct fake *)ctx)->closed, 1);
}

static const struct generator_type fake_type = {.kind = "custom",
                                                .multiplier = 1,
                                                .generate = fake_generate,
                                                .health = fake_health,
                                                .probe = fake_probe,
                                                .close = fake_close};

/* Hops "g0", "g1" …; `accounts` may be NULL. */
static inline struct gen_chain *chain_with(struct fake *const fakes[], const char *const accounts[],
                                           struct gen_limits limits, size_t n,
                                           const struct gen_chain_options *o)
{
    struct gen_chain_hop hops[4] = {{.reason = ""}};
    struct gen_chain *c = NULL;
    for (size_t i = 0; i < n; i++) {
        int starting = GEN_STARTING;
        (void)atomic_compare_exchange_strong(&fakes[i]->state, &starting, GEN_READY);
        hops[i].generator = (struct generator){.type = &fake_type, .ctx = fakes[i]};
        hops[i].limits = limits;
        (void)snprintf(hops[i].generator.name, sizeof hops[i].generator.name, "g%zu", i);
        (void)snprintf(hops[i].account, sizeof hops[i].account, "%s",
                       accounts == NULL ? "" : accounts[i]);
    }
    assert_int_equal(gen_chain_open(o, hops, n, &c, NULL), SF_OK);
    return c;
}

static inline struct gen_chain *chain_of(struct fake *const fakes[], size_t n,
                                         struct gen_chain_options o)
{
    return chain_with(fakes, NULL, (struct gen_limits){.requests_per_hour = 0}, n, &o);
}

struct asking {
    sf_ms within;
    const atomic_bool *cancel;
    gen_event_fn on_event;
    void *event_arg;
    struct gen_usage usage; /* of the answer */
    json_t *output;         /* the answer, where the test takes it */
    bool keeps;
    long fail_after; /* allocations from which on all fail; 0 none */
    uint64_t seed;
    void (*on_trail)(void *arg, const struct gen_trail *trail);
    void *trail_arg;
    _Atomic int64_t *tokens;
};

static inline enum sf_err ask_with(struct gen_chain *c, struct asking *a, struct gen_trail *trail,
                                   struct sf_errbuf *eb)
{
    json_t *body = NULL;
    struct story_request request;
    struct gen_result result = {.output = NULL};
    assert_int_equal(json_parse(sf_str("{\"task_type\":\"blueprint\",\"user_input\":\"sea\"}"),
                                JSON_LIMITS_DEFAULT, &body, NULL),
                     SF_OK);
    assert_int_equal(story_request_init(&request, body, NULL), SF_OK);
    json_decref(body);
    struct sf_time until = sf_after(sf_now(), a->within);
    struct gen_call call = {.request = &request,
                            .deadline = until,
                            .target = until,
                            .seed = a->seed + 1,
                            .cancel = a->cancel,
                            .on_event = a->on_event,
                            .event_arg = a->event_arg,
                            .on_trail = a->on_trail,
                            .trail_arg = a->trail_arg,
                            .tokens = a->tokens};
    sf_mem_fail_after(a->fail_after > 0 ? a->fail_after - 1 : -1, 1);
    enum sf_err err = gen_chain_generate(c, &call, &result, trail, eb);
    sf_mem_fail_after(-1, 0);
    if (err == SF_OK) {
        a->usage = result.usage;
        a->output = a->keeps ? json_incref(result.output) : NULL;
        gen_result_fini(&result);
    }
    story_request_fini(&request);
    return err;
}

static inline enum sf_err ask(struct gen_chain *c, sf_ms within, const atomic_bool *cancel,
                              struct gen_trail *trail, struct sf_errbuf *eb)
{
    struct asking a = {.within = within, .cancel = cancel};
    return ask_with(c, &a, trail, eb);
}

#endif

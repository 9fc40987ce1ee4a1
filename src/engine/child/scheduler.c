/* SPDX-License-Identifier: MIT */
#include "engine/child/scheduler.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "engine/child/cpu_pressure.h"
#include "engine/child/prefill_pace.h"
#include "engine/child/prefix_cache.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

enum {
    STEP_TOKENS_CPU = 63, /* more switch the library's attention to a path that skips no cells */
    STEP_TOKENS_GPU = 512,
    PREFILL_TOKENS = 512, /* at most in a step in which nothing is decoded ... */
    PREFILL_CPU = 128,    /* ... and on CPUs */
    ACTIVE_CPU = 48,      /* texts decoded side by side */
    PREFIX_MIN_SHARED = 12,
    BEAT_MS = 1000,
};
static const float DOUBT =
    2.0f; /* logits by which a banned name leads: what comes instead is odd */

struct scheduler {
    struct engine_model *m;
    scheduler_beat_fn beat;
    void *beat_arg;
    pthread_t thread;
    bool thread_started;

    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* Under `lock`: */
    struct job *inbox, **inbox_tail;
    struct kv_seq *released[4 * MODEL_MAX_SEQUENCES];
    size_t n_released;
    int requests;
    bool closing;
    struct scheduler_stats stats;

    /* The thread's own: */
    struct kv_pool pool;
    struct prefix_cache prefixes;
    struct rank_cache *ranks;                /* everybody's */
    struct job *waiting;                     /* in order of arrival */
    struct job *active[MODEL_MAX_SEQUENCES]; /* decoding or prefilling */
    int n_active, max_active, step_tokens;
    struct llama_batch batch;
    struct cpu_pressure pressure;
    struct prefill_pace pace;
    int fed; /* tokens of prompts in this step */
    struct sf_time last_beat;
};

/* ---- owners and jobs ------------------------------------------------------------------------- */

void job_owner_init(struct job_owner *o)
{
    memset(o, 0, sizeof *o);
    pthread_mutex_init(&o->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&o->ended, &attr);
    pthread_condattr_destroy(&attr);
    atomic_init(&o->cancel, false);
}

void job_owner_fini(struct job_owner *o)
{
    pthread_cond_destroy(&o->ended);
    pthread_mutex_destroy(&o->lock);
}

void job_init(struct job *j, struct job_owner *owner)
{
    memset(j, 0, sizeof *j);
    j->owner = owner;
    sf_buf_init(&j->text, 64U << 10);
    atomic_init(&j->hurry, false);
    j->row = -1;
    j->base_pos = -1;
    j->tail = -1;
}

void job_fini(struct job *j)
{
    sf_buf_fini(&j->text);
    free(j->prompt), j->prompt = NULL;
    free(j->past), j->past = NULL;
}

/* A point `ms` from now on the clock of the condition variables. */
static struct timespec in_ms(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    ms = ms < 0 ? 0 : ms > 3600000 ? 3600000 : ms;
    t.tv_sec += ms / 1000;
    t.tv_nsec += (ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

struct job *job_owner_wait(struct job_owner *o, struct sf_time until)
{
    struct timespec t = in_ms(sf_until(until));
    pthread_mutex_lock(&o->lock);
    while (!o->done && pthread_cond_timedwait(&o->ended, &o->lock, &t) != ETIMEDOUT)
        ;
    struct job *j = o->done;
    if (j)
        o->done = j->next;
    pthread_mutex_unlock(&o->lock);
    return j;
}

static void finish(struct scheduler *s, struct job *j, enum job_end end)
{
    j->end = end;
    if (j->seq) {
        kv_trim(&s->pool, j->seq, j->hold ? (int)j->extra_cells : 0);
        if (!j->hold || end == JOB_END_FAILED) { /* what it holds is not known then */
            kv_unref(&s->pool, j->seq);
            j->seq = NULL;
        }
    }
    struct job_owner *o = j->owner;
    pthread_mutex_lock(&o->lock);
    j->next = o->done;
    o->done = j;
    pthread_cond_signal(&o->ended);
    pthread_mutex_unlock(&o->lock);
}

/* ---- prefixes and admission ------------------------------------------------------------------ */

static bool make_room(struct scheduler *s)
{
    return prefix_cache_evict(&s->prefixes, &s->pool);
}

static struct kv_seq *new_seq(struct scheduler *s, struct kv_seq *base, int n_base, int cells)
{
    struct kv_seq *seq = kv_new(&s->pool, base, n_base, cells);
    while (!seq && make_room(s))
        seq = kv_new(&s->pool, base, n_base, cells);
    return seq;
}

static void count_prompt(struct job *j, size_t all, size_t cached)
{
    pthread_mutex_lock(&j->owner->lock);
    j->owner->prompt_tokens += (int64_t)all;
    j->owner->cached_tokens += (int64_t)cached;
    pthread_mutex_unlock(&j->owner->lock);
}

enum admission { ADMITTED, NOT_YET, NEVER };

/* The sequence of a prefix: there already, or its prefill is begun (and counted on this job). */
static enum admission get_prefix(struct scheduler *s, struct job *j, struct kv_seq **out)
{
    const struct job_prefix *p = j->prefix;
    struct prefix_entry *e = prefix_cache_find(&s->prefixes, p->tokens, p->n);
    if (e) {
        *out = e->seq;
        return e->ready ? ADMITTED : NOT_YET;
    }
    size_t common;
    struct prefix_entry *near = prefix_cache_closest(&s->prefixes, p->tokens, p->n, &common);
    if (common < PREFIX_MIN_SHARED) {
        near = NULL;
        common = 0;
    }
    struct kv_seq *near_seq = near ? near->seq : NULL;
    if (near_seq)
        near_seq->refs++; /* not to be evicted while room is made */
    struct kv_seq *seq = new_seq(s, near_seq, (int)common, (int)(p->n - common));
    enum admission result = NOT_YET;
    e = seq ? prefix_cache_add(&s->prefixes, &s->pool, p->tokens, p->n) : NULL;
    if (e) {
        e->seq = seq;
        e->n_fed = common;
        e->ready = common == p->n;
        *out = seq;
        result = e->ready ? ADMITTED : NOT_YET;
        pthread_mutex_lock(&j->owner->lock);
        j->owner->cached_tokens -= (int64_t)(p->n - common);
        j->owner->fed_tokens += (int64_t)(p->n - common);
        pthread_mutex_unlock(&j->owner->lock);
    } else if (seq) {
        kv_unref(&s->pool, seq);
    }
    if (!e && s->n_active == 0)
        result = NEVER; /* nothing runs that could give cells back */
    if (near_seq)
        kv_unref(&s->pool, near_seq);
    return result;
}

static enum admission admit(struct scheduler *s, struct job *j)
{
    int need = (int)(j->n_prompt + j->max_tokens + j->extra_cells) + 1;
    if (j->base && j->continue_base) {
        if (!kv_grow(&s->pool, j->base, need))
            return s->n_active == 0 && !make_room(s) ? NEVER : NOT_YET;
        j->seq = j->base;
        j->base = NULL;
        kv_cut(&s->pool, j->seq, j->base_pos);
        count_prompt(j, (size_t)j->seq->n_past + j->n_prompt, (size_t)j->seq->n_past);
        return ADMITTED;
    }
    if (j->base) {
        /* The base promised room for this in its extra cells. */
        int free_cells = j->base->cells - (j->base->n_past - j->base->from);
        int taken = free_cells < need ? free_cells : need;
        j->base->cells -= taken;
        s->pool.cells_used -= taken;
        int at = j->base_pos >= 0 ? j->base_pos : j->base->n_past;
        j->seq = new_seq(s, j->base, at, need);
        if (!j->seq) {
            j->base->cells += taken;
            s->pool.cells_used += taken;
            return s->n_active == 0 ? NEVER : NOT_YET;
        }
        count_prompt(j, (size_t)at + j->n_prompt, (size_t)at);
        return ADMITTED;
    }
    struct kv_seq *prefix = NULL;
    if (j->prefix && j->prefix->n > 0) {
        enum admission a = get_prefix(s, j, &prefix);
        if (a != ADMITTED)
            return a;
        prefix->refs++;
    }
    size_t n = prefix ? j->prefix->n : 0;
    j->seq = new_seq(s, prefix, (int)n, need);
    if (prefix)
        kv_unref(&s->pool, prefix);
    if (!j->seq)
        return s->n_active == 0 ? NEVER : NOT_YET;
    count_prompt(j, n + j->n_prompt, n);
    return ADMITTED;
}

static bool is_canceled(const struct job *j)
{
    return atomic_load_explicit(&j->owner->cancel, memory_order_relaxed);
}

/* Moves what fits from the waiting list to the active ones, in order of arrival. */
static void admit_all(struct scheduler *s)
{
    struct job **at = &s->waiting;
    while (*at) {
        struct job *j = *at;
        enum admission a = ADMITTED;
        if (is_canceled(j)) {
            *at = j->next;
            if (j->base && j->continue_base)
                j->seq = j->base;
            finish(s, j, JOB_END_CANCELED);
            continue;
        }
        if (s->n_active >= s->max_active)
            break;
        a = admit(s, j);
        if (a == NOT_YET) {
            at = &j->next;
            continue;
        }
        *at = j->next;
        if (a == NEVER) {
            if (j->base && j->continue_base)
                j->seq = j->base;
            finish(s, j, JOB_END_FAILED);
            continue;
        }
        j->started = true;
        j->text_pos = j->seq->n_past + (int)(j->n_prompt - j->n_opening);
        s->active[s->n_active++] = j;
    }
}

/* ---- one step -------------------------------------------------------------------------------- */

static void batch_add(struct llama_batch *b, llama_token t, int pos, llama_seq_id seq, bool logits)
{
    int i = b->n_tokens++;
    b->token[i] = t;
    b->pos[i] = pos;
    b->n_seq_id[i] = 1;
    b->seq_id[i][0] = seq;
    b->logits[i] = logits;
}

static void fill_prefixes(struct scheduler *s, int limit)
{
    for (size_t i = 0; i < s->prefixes.n; i++) {
        struct prefix_entry *e = &s->prefixes.entries[i];
        while (!e->ready && e->n_fed < e->n && s->batch.n_tokens < limit) {
            batch_add(&s->batch, e->tokens[e->n_fed], e->seq->n_past, e->seq->id, false);
            e->seq->n_past++;
            e->n_fed++;
        }
    }
}

static void count_fed(struct job *j, size_t n)
{
    if (n == 0)
        return;
    pthread_mutex_lock(&j->owner->lock);
    j->owner->fed_tokens += (int64_t)n;
    pthread_mutex_unlock(&j->owner->lock);
}

/* Tokens of this step; false when there is nothing to decode. */
static bool fill_batch(struct scheduler *s)
{
    struct llama_batch *b = &s->batch;
    b->n_tokens = 0;
    for (int i = 0; i < s->n_active; i++) {
        struct job *j = s->active[i];
        j->row = -1;
        if (j->n_fed < j->n_prompt)
            continue;
        j->row = b->n_tokens;
        batch_add(b, j->next_token, j->seq->n_past++, j->seq->id, true);
    }
    int decoded = b->n_tokens, limit = decoded + s->pace.tokens;
    if (decoded > 0 && limit > s->step_tokens)
        limit = s->step_tokens;
    for (int i = 0; i < s->n_active && b->n_tokens < limit; i++) {
        struct job *j = s->active[i];
        size_t fed = j->n_fed;
        while (j->row < 0 && j->n_fed < j->n_prompt && b->n_tokens < limit) {
            bool last = ++j->n_fed == j->n_prompt;
            if (last)
                j->row = b->n_tokens;
            batch_add(b, j->prompt[j->n_fed - 1], j->seq->n_past++, j->seq->id, last);
        }
        count_fed(j, j->n_fed - fed);
    }
    fill_prefixes(s, limit);
    s->fed = b->n_tokens - decoded;
    return b->n_tokens > 0;
}

static void mark_prefixes_ready(struct scheduler *s)
{
    for (size_t i = 0; i < s->prefixes.n; i++)
        if (s->prefixes.entries[i].n_fed == s->prefixes.entries[i].n)
            s->prefixes.entries[i].ready = true;
}

static void rank_row(struct scheduler *s, struct job *j, const float *logits)
{
    float best = -INFINITY;
    for (int t = 0; t < s->m->n_vocab; t++)
        best = fmaxf(best, logits[t]);
    double sum = 0;
    for (int t = 0; t < s->m->n_vocab; t++)
        sum += (double)expf(logits[t] - best);
    float norm = best + (float)log(fmax(sum, 1.0)); /* the best token alone makes 1 */
    for (size_t i = 0; i < j->n_rank; i++)
        j->rank_out[i] = logits[j->rank[i]] - norm;
}

static bool append_token(struct job *j, const struct engine_model *m, llama_token t)
{
    if (j->n_past == j->past_room) {
        size_t room = j->past_room ? 2 * j->past_room : 64;
        llama_token *p = sf_realloc(j->past, room * sizeof *p);
        if (!p)
            return false;
        j->past = p;
        j->past_room = room;
    }
    j->past[j->n_past++] = t;
    struct sf_str piece = model_piece(m, t);
    sf_buf_add_str(&j->text, piece);
    j->n_chars += sf_utf8_count(piece);
    return j->text.err == SF_OK;
}

static bool is_letter(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* Characters since the last sentence end. */
static size_t sentence_length(struct sf_str text)
{
    size_t n = 0;
    while (n < text.n && !strchr(".!?\n", text.p[text.n - n - 1]))
        n++;
    return n;
}

/* The classes that must not come next, from the job's own rules. */
static uint32_t banned_now(const struct job *j, bool early)
{
    uint32_t banned = (j->sampling.banned | TOK_CONTROL) & ~j->end_classes;
    uint32_t ends = j->end_classes;
    if (early)
        banned |= j->end_late | TOK_END;
    else
        ends |= j->end_late;
    banned &= ~ends;
    if (!early && (ends & TOK_END))
        banned &= ~(uint32_t)TOK_CONTROL; /* end tokens are control tokens as well */
    if (j->min_sentence > 0 && !j->in_quote &&
        sentence_length(sf_buf_str(&j->text)) < j->min_sentence)
        banned |= TOK_STOP;
    if (j->text.n > 0 && is_letter(j->text.p[j->text.n - 1]))
        banned |= TOK_INNER; /* no capital inside a word */
    if (j->in_quote)
        banned &= ~(uint32_t)TOK_PERSON; /* people say "I" */
    return banned;
}

/* Draws the next token of a job; true when the job ended. */
static bool advance(struct scheduler *s, struct job *j, enum job_end *end)
{
    const float *logits = llama_get_logits_ith(s->m->ctx, j->row);
    *end = JOB_END_FAILED;
    j->tail = -1;
    if (!logits)
        return true;
    *end = JOB_END_STOP;
    if (j->n_rank > 0) {
        rank_row(s, j, logits);
        return true;
    }
    bool early = j->n_chars < j->min_chars;
    struct sampler_params p = j->sampling;
    p.banned = banned_now(j, early);
    struct sampler_past past = {j->past, j->n_past, j->shared, j->names};
    llama_token t = -1;
    if (j->names)
        p.banned |= name_guard_check(j->names, s->m, j->past, j->n_past, sf_buf_str(&j->text), &t);
    if (t < 0)
        t = sampler_draw(&j->sampler, &p, s->m, logits, &past);
    *end = JOB_END_TOKEN;
    if (t < 0)
        return true;
    if (j->names && j->sampler.doubt > DOUBT && j->doubt_at == 0)
        j->doubt_at = j->text.n;
    uint32_t bits = s->m->classes[t];
    if (bits & (TOK_CONTROL | j->end_classes) || (!early && bits & j->end_late))
        return true;
    *end = JOB_END_LENGTH;
    if (!append_token(j, s->m, t))
        return true;
    j->next_token = j->tail = t;
    if (bits & TOK_QUOTE)
        j->in_quote = !j->in_quote;
    pthread_mutex_lock(&j->owner->lock);
    j->owner->generated_tokens++;
    pthread_mutex_unlock(&j->owner->lock);
    if (--j->max_tokens == 0)
        return true;
    *end = JOB_END_STOP;
    return j->stop && j->stop(j);
}

/* After a failed decode everything that runs is given up: part of the batch may be in the cache,
 * part not. Prefixes under way begin again. */
static void fail_all(struct scheduler *s, int rc)
{
    log_event(LOG_ERROR, LOG_ENGINE, "decode failed", LOG_I("rc", rc),
              LOG_I("tokens", s->batch.n_tokens), LOG_I("cells", s->pool.cells_used));
    for (int i = 0; i < s->n_active; i++)
        finish(s, s->active[i], JOB_END_FAILED);
    s->n_active = 0;
    while (prefix_cache_evict(&s->prefixes, &s->pool))
        ;
    for (size_t i = 0; i < s->prefixes.n; i++) {
        struct prefix_entry *e = &s->prefixes.entries[i];
        if (!e->ready) {
            kv_cut(&s->pool, e->seq, e->seq->from);
            e->n_fed = (size_t)e->seq->from;
        }
    }
}

static void measure(struct scheduler *s, int64_t us)
{
    double rate = (double)s->batch.n_tokens * 1e6 / (double)(us > 0 ? us : 1);
    double weight = (double)s->batch.n_tokens / 400.0;
    weight = weight > 0.5 ? 0.5 : weight;
    struct scheduler_stats *st = &s->stats;
    st->tokens_per_second =
        st->tokens_per_second <= 0 ? rate : st->tokens_per_second * (1 - weight) + rate * weight;
    st->tokens += s->batch.n_tokens;
}

static void set_threads(struct scheduler *s, int threads)
{
    if (!s->m->gpu && threads != llama_n_threads(s->m->ctx))
        llama_set_n_threads(s->m->ctx, threads, threads);
}

static void step(struct scheduler *s)
{
    int64_t from = llama_time_us();
    cpu_pressure_begin(&s->pressure);
    int rc = llama_decode(s->m->ctx, s->batch);
    llama_synchronize(s->m->ctx);
    int threads = cpu_pressure_end(&s->pressure);
    set_threads(s, threads);
    prefill_pace_step(&s->pace, s->fed, (llama_time_us() - from) * s->fed / s->batch.n_tokens);
    if (rc != 0) {
        fail_all(s, rc);
        return;
    }
    mark_prefixes_ready(s);
    int kept = 0;
    for (int i = 0; i < s->n_active; i++) {
        struct job *j = s->active[i];
        enum job_end end = JOB_END_CANCELED;
        if (is_canceled(j) || (j->row >= 0 && advance(s, j, &end)))
            finish(s, j, end);
        else
            s->active[kept++] = j;
    }
    s->n_active = kept;
    pthread_mutex_lock(&s->lock);
    measure(s, llama_time_us() - from);
    pthread_mutex_unlock(&s->lock);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void take_inbox(struct scheduler *s)
{
    struct job **tail = &s->waiting;
    while (*tail)
        tail = &(*tail)->next;
    *tail = s->inbox;
    s->inbox = NULL;
    s->inbox_tail = &s->inbox;
    for (size_t i = 0; i < s->n_released; i++)
        kv_unref(&s->pool, s->released[i]);
    s->n_released = 0;
    int queue = 0;
    for (struct job *j = s->waiting; j; j = j->next)
        queue++;
    s->stats.queue = queue;
    s->stats.active = s->n_active;
}

static void beat_if_due(struct scheduler *s, bool requests)
{
    struct sf_time now = sf_now();
    if (!requests || sf_between(s->last_beat, now) < BEAT_MS - 50)
        return;
    s->last_beat = now;
    struct scheduler_stats stats;
    scheduler_stats(s, &stats);
    if (s->beat)
        s->beat(s->beat_arg, &stats);
}

static void end_everything(struct scheduler *s)
{
    for (int i = 0; i < s->n_active; i++)
        finish(s, s->active[i], JOB_END_CANCELED);
    s->n_active = 0;
    while (s->waiting) {
        struct job *j = s->waiting;
        s->waiting = j->next;
        finish(s, j, JOB_END_CANCELED);
    }
}

static void *run(void *arg)
{
    struct scheduler *s = arg;
    for (;;) {
        pthread_mutex_lock(&s->lock);
        while (!s->inbox && !s->waiting && s->n_active == 0 && s->n_released == 0 && !s->closing) {
            struct timespec t = in_ms(200);
            pthread_cond_timedwait(&s->wake, &s->lock, &t);
            set_threads(s, cpu_pressure_idle(&s->pressure));
            if (s->requests > 0)
                break;
        }
        take_inbox(s);
        bool closing = s->closing, requests = s->requests > 0;
        pthread_mutex_unlock(&s->lock);
        if (closing)
            break;
        admit_all(s);
        if (fill_batch(s))
            step(s);
        beat_if_due(s, requests);
    }
    end_everything(s);
    return NULL;
}

enum sf_err scheduler_open(struct engine_model *m, scheduler_beat_fn beat, void *arg,
                           struct scheduler **out)
{
    struct scheduler *s = sf_alloc(sizeof *s);
    if (!s)
        return SF_ENOMEM;
    if (rank_cache_open(&s->ranks) != SF_OK) {
        free(s);
        return SF_ENOMEM;
    }
    s->m = m;
    s->beat = beat;
    s->beat_arg = arg;
    s->inbox_tail = &s->inbox;
    s->step_tokens = m->gpu ? STEP_TOKENS_GPU : STEP_TOKENS_CPU;
    s->max_active = m->gpu ? m->n_sequences - 8 : ACTIVE_CPU;
    if (s->max_active > m->n_sequences - 4)
        s->max_active = m->n_sequences - 4;
    kv_pool_init(&s->pool, m);
    s->prefixes.cells_max = m->prefix_cells;
    cpu_pressure_init(&s->pressure, m->n_threads);
    set_threads(s, s->pressure.threads);
    prefill_pace_init(&s->pace, m->gpu ? PREFILL_TOKENS : PREFILL_CPU);
    s->batch = llama_batch_init(PREFILL_TOKENS, 0, 1);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&s->thread, NULL, run, s) != 0) {
        scheduler_close(s);
        return SF_ENOMEM;
    }
    s->thread_started = true;
    *out = s;
    return SF_OK;
}

void scheduler_close(struct scheduler *s)
{
    if (!s)
        return;
    if (s->thread_started) {
        pthread_mutex_lock(&s->lock);
        s->closing = true;
        pthread_cond_signal(&s->wake);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
    }
    prefix_cache_clear(&s->prefixes, &s->pool);
    rank_cache_close(s->ranks);
    llama_batch_free(s->batch);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void scheduler_request_begin(struct scheduler *s)
{
    pthread_mutex_lock(&s->lock);
    s->requests++;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

void scheduler_request_end(struct scheduler *s)
{
    pthread_mutex_lock(&s->lock);
    s->requests--;
    pthread_mutex_unlock(&s->lock);
}

void scheduler_submit(struct scheduler *s, struct job *j)
{
    j->next = NULL;
    j->n_fed = 0;
    j->row = -1;
    j->sampler.state = j->seed;
    pthread_mutex_lock(&s->lock);
    *s->inbox_tail = j;
    s->inbox_tail = &j->next;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

void scheduler_release(struct scheduler *s, struct kv_seq *seq)
{
    if (!seq)
        return;
    pthread_mutex_lock(&s->lock);
    SF_BUG_ON(s->n_released == sizeof s->released / sizeof *s->released);
    s->released[s->n_released++] = seq;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

void scheduler_wake(struct scheduler *s)
{
    pthread_mutex_lock(&s->lock);
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

void scheduler_stats(struct scheduler *s, struct scheduler_stats *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->stats;
    pthread_mutex_unlock(&s->lock);
}

struct rank_cache *scheduler_ranks(struct scheduler *s)
{
    return s->ranks;
}

/* SPDX-License-Identifier: MIT */
#include "miner/live.h"

#include "base/mem.h"

#include <pthread.h>
#include <string.h>

#define REASON_MAX 160

enum hop_at { HOP_WAITING, HOP_ASKED, HOP_FAILED, HOP_ANSWERED, HOP_SKIPPED };
static const char *const state_names[] = {"waiting", "asked", "failed", "answered", "skipped"};

struct hop_seen {
    char name[64], kind[16], reason[REASON_MAX];
    enum hop_at at;
    sf_ms started_ms, took_ms; /* since the walk began */
};

struct place {
    uint64_t changed; /* the state of the table then */
    int64_t id;
    const char *task, *origin;
    char caller[64], only[64];
    int64_t started_ns; /* wall clock, at the door */
    struct sf_time walked;
    sf_ms deadline_ms, queued_ms;
    bool used, done;
    int status;
    size_t n;
    struct hop_seen hops[GEN_CHAIN_MAX];
    _Atomic int64_t tokens;
    int64_t tokens_told;
};

struct live {
    pthread_mutex_t lock; /* a leaf; of everything but tokens */
    uint64_t state;
    /* Places that are free, the longest free first: what ended is still told for a while. */
    int free[LIVE_MAX];
    size_t first_free, n_free;
    struct place places[LIVE_MAX];
};

enum sf_err live_open(struct live **out)
{
    struct live *l = sf_alloc(sizeof *l);
    if (l == NULL) {
        return SF_ENOMEM;
    }
    (void)pthread_mutex_init(&l->lock, NULL);
    for (int i = 0; i < LIVE_MAX; i++) {
        l->free[i] = i;
    }
    l->n_free = LIVE_MAX;
    l->state = 1; /* 0 is what nobody has seen anything of */
    *out = l;
    return SF_OK;
}

void live_close(struct live *l)
{
    if (l != NULL) {
        (void)pthread_mutex_destroy(&l->lock);
        free(l);
    }
}

/* ---- by workers ------------------------------------------------------------------------------ */

static void copy(char *out, size_t room, const char *z)
{
    size_t n = z == NULL ? 0 : strnlen(z, room - 1);
    memcpy(out, n == 0 ? "" : z, n);
    out[n] = '\0';
}

int live_begin(struct live *l, const struct live_start *s)
{
    if (l == NULL) {
        return LIVE_NONE;
    }
    struct sf_time now = sf_now();
    int at = LIVE_NONE;
    (void)pthread_mutex_lock(&l->lock);
    if (l->n_free > 0) {
        at = l->free[l->first_free];
        l->first_free = (l->first_free + 1) % LIVE_MAX;
        l->n_free--;
        struct place *p = &l->places[at];
        p->used = true;
        p->done = false;
        p->status = 0;
        p->n = 0;
        p->tokens_told = 0;
        atomic_store(&p->tokens, 0);
        p->id = s->id;
        p->task = s->task;
        p->origin = s->origin;
        copy(p->caller, sizeof p->caller, s->caller);
        copy(p->only, sizeof p->only, s->only);
        p->walked = now;
        p->queued_ms = sf_between(s->received, now);
        p->deadline_ms = sf_between(s->received, s->deadline);
        p->started_ns = sf_wall_ns() - p->queued_ms * 1000000;
        p->changed = ++l->state;
    }
    (void)pthread_mutex_unlock(&l->lock);
    return at;
}

/* A step that is being asked has neither an end nor a reason yet. */
static enum hop_at at_of(const struct gen_step *s)
{
    switch (s->outcome) {
    case GEN_STEP_OK:
        return HOP_ANSWERED;
    case GEN_STEP_FAILED:
        return HOP_FAILED;
    case GEN_STEP_SKIPPED:
        break;
    }
    return s->reason[0] == '\0' ? HOP_ASKED : HOP_SKIPPED;
}

static void take_trail(struct live *l, struct place *p, const struct gen_trail *trail)
{
    p->n = trail->n;
    for (size_t i = 0; i < trail->n; i++) {
        const struct gen_step *s = &trail->steps[i];
        struct hop_seen *h = &p->hops[i];
        copy(h->name, sizeof h->name, s->name);
        copy(h->kind, sizeof h->kind, s->kind);
        copy(h->reason, sizeof h->reason, s->reason);
        h->at = at_of(s);
        h->started_ms = s->started_ms;
        h->took_ms = s->took_ms;
    }
    p->changed = ++l->state;
}

void live_trail(struct live *l, int place, const struct gen_trail *trail)
{
    if (l != NULL && place >= 0) {
        (void)pthread_mutex_lock(&l->lock);
        take_trail(l, &l->places[place], trail);
        (void)pthread_mutex_unlock(&l->lock);
    }
}

_Atomic int64_t *live_tokens(struct live *l, int place)
{
    return l == NULL || place < 0 ? NULL : &l->places[place].tokens;
}

void live_end(struct live *l, int place, int status, const struct gen_trail *trail)
{
    if (l == NULL || place < 0) {
        return;
    }
    (void)pthread_mutex_lock(&l->lock);
    struct place *p = &l->places[place];
    if (trail != NULL) {
        take_trail(l, p, trail);
    }
    p->done = true;
    p->status = status;
    p->changed = ++l->state;
    l->free[(l->first_free + l->n_free) % LIVE_MAX] = place;
    l->n_free++;
    (void)pthread_mutex_unlock(&l->lock);
}

/* ---- by who looks on ------------------------------------------------------------------------- */

static json_t *hop_json(const char *name, const char *kind, enum hop_at at, const char *reason,
                        sf_ms took)
{
    return json_pack("{s:o, s:s, s:s, s:o, s:f}", "name", json_text(sf_str(name)), "kind", kind,
                     "state", state_names[at], "reason", json_text(sf_str(reason)), "s",
                     sf_seconds(took));
}

static bool was_reached(const struct place *p, const char *name)
{
    bool found = false;
    for (size_t i = 0; i < p->n; i++) {
        found = found || strcmp(p->hops[i].name, name) == 0;
    }
    return found;
}

static json_t *hops_json(const struct place *p, const struct gen_hop_status *chain, size_t n)
{
    json_t *list = json_array();
    sf_ms now = sf_between(p->walked, sf_now());
    for (size_t i = 0; i < p->n; i++) {
        const struct hop_seen *h = &p->hops[i];
        sf_ms took = h->at == HOP_ASKED ? now - h->started_ms : h->took_ms;
        (void)json_array_append_new(list, hop_json(h->name, h->kind, h->at, h->reason, took));
    }
    for (size_t i = 0; i < n && !p->done; i++) {
        const struct generator *g = chain[i].generator;
        if (!was_reached(p, g->name) && generator_is(g, p->only[0] == '\0' ? NULL : p->only)) {
            (void)json_array_append_new(list, hop_json(g->name, g->type->kind, HOP_WAITING, "", 0));
        }
    }
    return list;
}

static json_t *request_json(const struct place *p, const struct gen_hop_status *chain, size_t n)
{
    return json_pack("{s:I, s:s, s:s, s:o, s:f, s:f, s:f, s:o, s:I, s:b, s:o}", "id",
                     (json_int_t)p->id, "task", p->task, "origin", p->origin, "caller",
                     json_text(sf_str(p->caller)), "started", (double)p->started_ns / 1e9,
                     "deadline_s", sf_seconds(p->deadline_ms), "queued_s", sf_seconds(p->queued_ms),
                     "hops", hops_json(p, chain, n), "tokens", (json_int_t)atomic_load(&p->tokens),
                     "done", p->done, "status", p->done ? json_integer(p->status) : json_null());
}

/* The next one from `*i` on that is to be told; NULL none. Under the lock. */
static json_t *next_changed(struct live *l, size_t *i, uint64_t since,
                            const struct gen_hop_status *chain, size_t n)
{
    for (; *i < LIVE_MAX; (*i)++) {
        struct place *p = &l->places[*i];
        int64_t tokens = atomic_load(&p->tokens);
        bool news = since == 0 ? !p->done : p->changed > since || tokens != p->tokens_told;
        if (p->used && news) {
            p->tokens_told = since == 0 ? p->tokens_told : tokens;
            (*i)++;
            return request_json(p, chain, n);
        }
    }
    return NULL;
}

uint64_t live_changes(struct live *l, uint64_t since, const struct gen_hop_status *chain, size_t n,
                      live_fn fn, void *arg)
{
    if (l == NULL) {
        return since;
    }
    (void)pthread_mutex_lock(&l->lock);
    uint64_t state = l->state;
    (void)pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < LIVE_MAX;) {
        (void)pthread_mutex_lock(&l->lock);
        json_t *one = next_changed(l, &i, since, chain, n);
        (void)pthread_mutex_unlock(&l->lock);
        if (one != NULL) {
            fn(arg, one);
            json_decref(one);
        }
    }
    return state;
}

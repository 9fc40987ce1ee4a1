/* SPDX-License-Identifier: MIT */
#include "miner/callers.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/rate.h"
#include "bittensor/ss58.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define ADDRESSES_MAX 8192 /* remembered at once; see base/rate.h for what is beyond */
#define HOTKEYS_MAX 4096
#define WELCOME_MS 3600000 /* a validator asks far more often */
#define RAO_PER_TAO 1e9

/* What is known of one hotkey; all false of one that is not known. */
struct standing {
    uint8_t key[32];
    double stake_tao;
    bool used, registered, permit, allowed, denied;
};

enum when_stale { STALE_KNOWN, STALE_OPEN, STALE_CLOSED };

/* Metagraph and configuration in the form that a request asks: made anew for each change, never
 * changed after. */
struct roster {
    bool has_graph, offline, allow_non_registered, force_permit;
    bool has_allowed; /* the allow list names somebody */
    double min_stake_tao;
    enum when_stale when_stale;
    int64_t per_ip, per_hotkey; /* a minute */
    struct sf_time read_at;
    size_t n_registered, n_slots; /* slots: a power of two, at least twice what is in them */
    struct standing slots[];
};

struct callers {
    sf_ms max_stale_ms;
    struct rate_table *by_address, *by_hotkey;
    struct rate_table *connections; /* new ones, by address */
    struct rate_table *welcome;     /* addresses that a verified request came from */
    pthread_mutex_t making;         /* of what a roster is made from; held while one is made */
    const struct conf *conf;
    struct metagraph graph;
    bool has_graph;
    struct sf_time read_at;
    pthread_mutex_t lock; /* of the pointer, held for a look-up; taken with `making` held */
    struct roster *roster;
    atomic_int said; /* the mode that the log has, -1 none */
};

/* ---- making a roster ------------------------------------------------------------------------- */

/* Where a key is, or the free slot where it would be. Registering costs, so that nobody fills the
 * table with keys that collide. */
static struct standing *slot_of(struct roster *r, const uint8_t *key)
{
    size_t h;
    memcpy(&h, key, sizeof h); /* a public key is as good as random */
    struct standing *s = &r->slots[h & (r->n_slots - 1)];
    while (s->used && memcmp(s->key, key, 32) != 0) {
        s = s == &r->slots[r->n_slots - 1] ? r->slots : s + 1;
    }
    return s;
}

static struct standing *add(struct roster *r, const uint8_t *key)
{
    struct standing *s = slot_of(r, key);
    memcpy(s->key, key, 32);
    s->used = true;
    return s;
}

static void add_list(struct roster *r, const struct conf_strings *list, bool denied)
{
    for (size_t i = 0; i < list->n; i++) {
        uint8_t key[32];
        struct sf_errbuf eb = {.code = SF_OK};
        if (ss58_decode(sf_str(list->v[i]), key, &eb) != SF_OK) {
            log_event(LOG_WARN, LOG_CONF, "entry of a list of hotkeys left out",
                      LOG_S("list", denied ? "blacklist.deny" : "blacklist.allow"),
                      LOG_S("entry", list->v[i]), LOG_S("err", eb.text));
            continue;
        }
        struct standing *s = add(r, key);
        s->denied = s->denied || denied;
        s->allowed = s->allowed || !denied;
        r->has_allowed = r->has_allowed || !denied;
    }
}

static void add_graph(struct roster *r, const struct metagraph *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct metagraph_neuron *n = &g->neurons[i];
        struct standing *s = add(r, n->hotkey);
        r->n_registered += s->registered ? 0 : 1;
        s->registered = true;
        s->permit = n->validator_permit;
        s->stake_tao = (double)n->total_stake_rao / RAO_PER_TAO;
    }
}

static struct roster *make_roster(const struct callers *c)
{
    const struct conf *conf = c->conf;
    static const char *const modes[] = {"known", "open", "closed"}; /* as the enum */
    size_t n = c->graph.n + conf->blacklist.allow.n + conf->blacklist.deny.n, n_slots = 16;
    while (n_slots < 2 * n) {
        n_slots *= 2;
    }
    struct roster *r = sf_alloc(sizeof *r + n_slots * sizeof r->slots[0]);
    if (r == NULL) {
        return NULL;
    }
    r->n_slots = n_slots;
    r->has_graph = c->has_graph;
    r->read_at = c->read_at;
    r->offline = conf->offline;
    r->allow_non_registered = conf->blacklist.allow_non_registered;
    r->force_permit = conf->blacklist.force_validator_permit;
    r->min_stake_tao = conf->blacklist.min_stake;
    r->per_ip = conf->axon.max_requests_per_ip;
    r->per_hotkey = conf->axon.max_requests_per_hotkey;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(conf->blacklist.when_stale, modes[i]) == 0) {
            r->when_stale = (enum when_stale)i;
        }
    }
    add_graph(r, &c->graph);
    add_list(r, &conf->blacklist.allow, false);
    add_list(r, &conf->blacklist.deny, true);
    return r;
}

static void swap_roster(struct callers *c, struct roster *fresh_own)
{
    (void)pthread_mutex_lock(&c->lock);
    struct roster *old = c->roster;
    c->roster = fresh_own;
    (void)pthread_mutex_unlock(&c->lock);
    free(old);
}

enum sf_err callers_open(const struct conf *conf, sf_ms max_stale_ms, struct callers **out)
{
    struct callers *c = sf_alloc(sizeof *c);
    if (c == NULL) {
        return SF_ENOMEM;
    }
    c->conf = conf_ref(conf);
    c->max_stale_ms = max_stale_ms;
    atomic_store(&c->said, -1);
    (void)pthread_mutex_init(&c->making, NULL);
    (void)pthread_mutex_init(&c->lock, NULL);
    enum sf_err err = rate_table_open(ADDRESSES_MAX, &c->by_address);
    if (err == SF_OK) {
        err = rate_table_open(ADDRESSES_MAX, &c->connections);
    }
    if (err == SF_OK) {
        err = rate_table_open(HOTKEYS_MAX, &c->welcome);
    }
    if (err == SF_OK) {
        err = rate_table_open(HOTKEYS_MAX, &c->by_hotkey);
    }
    if (err == SF_OK) {
        c->roster = make_roster(c);
        err = c->roster == NULL ? SF_ENOMEM : SF_OK;
    }
    if (err != SF_OK) {
        callers_close(c);
        return err;
    }
    *out = c;
    return SF_OK;
}

void callers_close(struct callers *c)
{
    if (c == NULL) {
        return;
    }
    rate_table_close(c->by_address);
    rate_table_close(c->by_hotkey);
    rate_table_close(c->connections);
    rate_table_close(c->welcome);
    metagraph_fini(&c->graph);
    conf_unref(c->conf);
    free(c->roster);
    (void)pthread_mutex_destroy(&c->making);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

void callers_configure(struct callers *c, const struct conf *conf)
{
    (void)pthread_mutex_lock(&c->making);
    const struct conf *old = c->conf;
    c->conf = conf_ref(conf);
    struct roster *fresh = make_roster(c);
    if (fresh == NULL) {
        conf_unref(c->conf);
        c->conf = old;
        log_event(LOG_ERROR, LOG_AXON, "lists and limits stay as they were",
                  LOG_S("err", "out of memory"));
    } else {
        swap_roster(c, fresh);
        conf_unref(old);
    }
    (void)pthread_mutex_unlock(&c->making);
}

void callers_update(struct callers *c, struct metagraph *graph_own, struct sf_time read_at)
{
    (void)pthread_mutex_lock(&c->making);
    struct metagraph old = c->graph;
    bool had = c->has_graph;
    struct sf_time then = c->read_at;
    c->graph = *graph_own;
    c->has_graph = true;
    c->read_at = read_at;
    struct roster *fresh = make_roster(c);
    if (fresh == NULL) {
        *graph_own = c->graph;
        c->graph = old;
        c->has_graph = had;
        c->read_at = then;
        log_event(LOG_ERROR, LOG_AXON, "the old metagraph stays", LOG_S("err", "out of memory"));
    } else {
        *graph_own = old;
        swap_roster(c, fresh);
    }
    (void)pthread_mutex_unlock(&c->making);
    metagraph_fini(graph_own);
}

/* ---- asking it ------------------------------------------------------------------------------- */

/* Whom the registration gate lets pass, and why. */
enum mode { MODE_OFFLINE, MODE_NO_GRAPH, MODE_FRESH, MODE_STALE_KNOWN, MODE_STALE_OPEN, MODE_SHUT };

static const struct mode_row {
    enum callers_state state;
    enum log_level level;
    const char *text;
} mode_rows[] = {
    [MODE_OFFLINE] = {CALLERS_OPEN, LOG_WARN,
                      "offline: it is not known who is registered; whoever signs is answered"},
    [MODE_NO_GRAPH] = {CALLERS_OPEN, LOG_WARN,
                       "no metagraph yet: it is not known who is registered; whoever signs is "
                       "answered until the chain has been asked"},
    [MODE_FRESH] = {CALLERS_FRESH, LOG_INFO, "the metagraph says who is registered"},
    [MODE_STALE_KNOWN] = {CALLERS_STALE, LOG_WARN,
                          "the metagraph is too old: closed but for the hotkeys that were "
                          "registered then (blacklist.when_stale)"},
    [MODE_STALE_OPEN] = {CALLERS_STALE, LOG_WARN,
                         "the metagraph is too old: open for whoever signs "
                         "(blacklist.when_stale)"},
    [MODE_SHUT] = {CALLERS_STALE, LOG_WARN,
                   "the metagraph is missing or too old: closed for all but the allow list "
                   "(blacklist.when_stale)"},
};

/* What a gate goes by, copied out of the roster in one look-up. */
struct view {
    struct standing who;
    enum mode mode;
    sf_ms age_ms;
    bool allow_non_registered, force_permit, has_allowed;
    double min_stake_tao;
    int64_t per_ip, per_hotkey;
    size_t n_registered;
};

static enum mode mode_of(const struct roster *r, sf_ms age, sf_ms max_stale)
{
    static const enum mode stale[] = {MODE_STALE_KNOWN, MODE_STALE_OPEN, MODE_SHUT};
    if (r->has_graph) {
        return age <= max_stale ? MODE_FRESH : stale[r->when_stale];
    }
    if (r->offline) {
        return MODE_OFFLINE;
    }
    return r->when_stale == STALE_CLOSED ? MODE_SHUT : MODE_NO_GRAPH;
}

/* Says it once whenever it changes. */
static void say_mode(struct callers *c, const struct view *v)
{
    int said = atomic_load(&c->said);
    if (said != (int)v->mode && atomic_compare_exchange_strong(&c->said, &said, (int)v->mode)) {
        log_event(mode_rows[v->mode].level, LOG_AXON, mode_rows[v->mode].text,
                  LOG_I("registered", v->n_registered), LOG_I("age_s", v->age_ms / 1000));
    }
}

static struct view look(struct callers *c, const uint8_t *hotkey)
{
    (void)pthread_mutex_lock(&c->lock);
    struct roster *r = c->roster;
    struct view v = {.age_ms = r->has_graph ? sf_between(r->read_at, sf_now()) : -1,
                     .allow_non_registered = r->allow_non_registered,
                     .force_permit = r->force_permit,
                     .has_allowed = r->has_allowed,
                     .min_stake_tao = r->min_stake_tao,
                     .per_ip = r->per_ip,
                     .per_hotkey = r->per_hotkey,
                     .n_registered = r->n_registered};
    if (hotkey != NULL) {
        v.who = *slot_of(r, hotkey);
    }
    v.mode = mode_of(r, v.age_ms, c->max_stale_ms);
    (void)pthread_mutex_unlock(&c->lock);
    return v;
}

/* An IPv4 address, or the /64 of an IPv6 one: who has one has all of it. */
static void key_of_address(const char *ip, uint8_t key[static RATE_KEY_LEN])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint8_t v6[16];
    memset(key, 0, RATE_KEY_LEN);
    if (inet_pton(AF_INET, ip, key + 8) == 1) {
        key[12] = 4;
    } else if (inet_pton(AF_INET6, ip, v6) == 1 && memcmp(v6, mapped, sizeof mapped) == 0) {
        memcpy(key + 8, v6 + 12, 4);
        key[12] = 4;
    } else if (inet_pton(AF_INET6, ip, v6) == 1) {
        memcpy(key, v6, 8);
        key[12] = 6;
    } else { /* link-local with its interface: all of them share one */
        key[12] = 1;
    }
}

bool callers_may_connect(struct callers *c, const char *ip, bool crowded)
{
    uint8_t key[RATE_KEY_LEN];
    struct view v = look(c, NULL);
    key_of_address(ip, key);
    return (!crowded || rate_is_marked(c->welcome, key)) &&
           rate_take(c->connections, key, v.per_ip);
}

void callers_verified(struct callers *c, const char *ip)
{
    uint8_t key[RATE_KEY_LEN];
    key_of_address(ip, key);
    rate_mark(c->welcome, key, WELCOME_MS);
}

enum sf_err callers_check_address(struct callers *c, const char *ip, struct sf_errbuf *eb)
{
    uint8_t key[RATE_KEY_LEN];
    struct view v = look(c, NULL);
    key_of_address(ip, key);
    if (!rate_take(c->by_address, key, v.per_ip)) {
        return sf_fail(eb, SF_ETOOMANY, "Too many requests from this address: %lld a minute",
                       (long long)v.per_ip);
    }
    return SF_OK;
}

enum sf_err callers_check_denied(struct callers *c, const uint8_t hotkey[static 32],
                                 struct sf_errbuf *eb)
{
    struct view v = look(c, hotkey);
    return v.who.denied
               ? sf_fail(eb, SF_EFORBIDDEN, "Forbidden. Key is blacklisted: on the deny list.")
               : SF_OK;
}

enum sf_err callers_check_registered(struct callers *c, const uint8_t hotkey[static 32],
                                     struct sf_errbuf *eb)
{
    struct view v = look(c, hotkey);
    say_mode(c, &v);
    if (v.who.allowed) {
        return SF_OK;
    }
    switch (v.mode) {
    case MODE_OFFLINE:
    case MODE_NO_GRAPH:
        return v.has_allowed && !v.allow_non_registered
                   ? sf_fail(eb, SF_EFORBIDDEN,
                             "Forbidden. Key is blacklisted: not on the allow list.")
                   : SF_OK;
    case MODE_FRESH:
        return v.who.registered || v.allow_non_registered
                   ? SF_OK
                   : sf_fail(eb, SF_EFORBIDDEN,
                             "Forbidden. Key is blacklisted: not registered on this subnet.");
    case MODE_STALE_KNOWN:
        return v.who.registered || v.allow_non_registered
                   ? SF_OK
                   : sf_fail(eb, SF_EFORBIDDEN,
                             "Forbidden. Key is blacklisted: not known to be registered, and the "
                             "chain cannot be asked now.");
    case MODE_STALE_OPEN:
        return SF_OK;
    case MODE_SHUT:
        return sf_fail(eb, SF_EFORBIDDEN,
                       "Forbidden. Key is blacklisted: the chain cannot be asked now.");
    }
    return SF_OK;
}

enum sf_err callers_check_rate(struct callers *c, const uint8_t hotkey[static 32],
                               struct sf_errbuf *eb)
{
    struct view v = look(c, hotkey);
    if (!v.who.allowed && !rate_take(c->by_hotkey, hotkey, v.per_hotkey)) {
        return sf_fail(eb, SF_ETOOMANY, "Too many requests from this hotkey: %lld a minute",
                       (long long)v.per_hotkey);
    }
    return SF_OK;
}

enum sf_err callers_check_standing(struct callers *c, const uint8_t hotkey[static 32],
                                   double *stake_tao, struct sf_errbuf *eb)
{
    struct view v = look(c, hotkey);
    *stake_tao = v.who.stake_tao;
    if (v.who.allowed || (v.mode != MODE_FRESH && v.mode != MODE_STALE_KNOWN)) {
        return SF_OK;
    }
    if (v.force_permit && !v.who.permit) {
        return sf_fail(eb, SF_EFORBIDDEN, "Forbidden. Key is blacklisted: no validator permit.");
    }
    if (v.who.stake_tao < v.min_stake_tao) {
        return sf_fail(eb, SF_EFORBIDDEN,
                       "Forbidden. Key is blacklisted: stake of %.9g below the %.9g asked for.",
                       v.who.stake_tao, v.min_stake_tao);
    }
    return SF_OK;
}

enum caller_standing callers_standing(struct callers *c, const uint8_t hotkey[static 32])
{
    struct view v = look(c, hotkey);
    if (v.age_ms < 0) {
        return STANDING_UNKNOWN;
    }
    return !v.who.registered ? STANDING_UNREGISTERED
           : v.who.permit    ? STANDING_VALIDATOR
                             : STANDING_REGISTERED;
}

void callers_status(struct callers *c, struct callers_status *out)
{
    struct view v = look(c, NULL);
    say_mode(c, &v);
    *out = (struct callers_status){.state = mode_rows[v.mode].state,
                                   .text = mode_rows[v.mode].text,
                                   .registered = v.n_registered,
                                   .age_ms = v.age_ms};
}

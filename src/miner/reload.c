/* SPDX-License-Identifier: MIT */
#include "miner/reload.h"

#include "app/hops.h"
#include "app/ledger.h"
#include "app/logging.h"
#include "app/model_puller.h"
#include "base/log.h"
#include "journal/journal.h"

#include <string.h>

#define START_MS 120000
#define FLUSH_MS 2000
#define KEYS_BYTES 480

/* The keys that differ, in lines that the log does not cut. */
struct difference {
    struct sf_buf keys[2]; /* a restart is needed; taken over */
};

static void say_keys(struct sf_buf *keys, bool reload)
{
    if (keys->n > 0) {
        log_each(reload ? LOG_INFO : LOG_WARN, LOG_CONF,
                 reload ? "settings changed" : "settings changed that need a restart",
                 LOG_S("keys", sf_buf_z(keys)));
    }
    sf_buf_clear(keys);
}

static void add_key(void *arg, const char *key, bool reload)
{
    struct difference *d = arg;
    struct sf_buf *keys = &d->keys[reload];
    if (keys->n + strlen(key) + 2 > keys->cap) {
        say_keys(keys, reload);
    }
    sf_buf_printf(keys, "%s%s", keys->n == 0 ? "" : ", ", key);
}

static void say_difference(const struct conf *before, const struct conf *after)
{
    struct difference d;
    sf_buf_init(&d.keys[false], KEYS_BYTES);
    sf_buf_init(&d.keys[true], KEYS_BYTES);
    conf_diff(before, after, add_key, &d);
    for (int reload = 0; reload < 2; reload++) {
        say_keys(&d.keys[reload], reload == 1);
        sf_buf_fini(&d.keys[reload]);
    }
}

/* What was spent counts for the new chain: of accounts that the old one has, by its own books, of
 * others by the journal, where it must be on the disk to be read. */
static void take_over(struct app *fresh, struct app *old)
{
    const struct conf_journal *c = &app_conf(fresh)->journal;
    struct journal *j = app_journal(fresh);
    logging_change(app_conf(fresh));
    journal_set_limits(j, c->keep_days, c->max_bytes);
    (void)journal_flush(j, FLUSH_MS);
    ledger_charge(fresh);
    app_succeed(fresh, old);
}

/* The outcome of one that is given up or refused. */
static void refuse(struct reload *r, const char *why)
{
    reload_close(r);
    r->outcome = RELOAD_REFUSED;
    (void)snprintf(r->why, sizeof r->why, "%.399s", why);
}

/* How the local generator is; GEN_DOWN also when there is none. */
static enum gen_state local_state(struct app *app, char why[static 256])
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = gen_chain_status(app_chain(app), status);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(status[i].generator->type->kind, "local") == 0) {
            memcpy(why, status[i].health.reason, sizeof status[i].health.reason);
            return status[i].health.state;
        }
    }
    (void)snprintf(why, 256, "no local generator is in the chain: set generator.mode: local");
    return GEN_DOWN;
}

/* ---- the model of a configuration ------------------------------------------------------------ */

static bool prefers_local(const struct conf *conf)
{
    struct gen_chain_hop hops[GEN_CHAIN_MAX];
    struct sf_errbuf eb = {.code = SF_OK};
    size_t n = 0;
    return hops_list(conf, NULL, hops, &n, &eb) == SF_OK && n > 0 &&
           strcmp(hops[0].generator.type->kind, "local") == 0;
}

static bool local_answers(struct axon *axon)
{
    char why[256];
    struct app *app = axon_take_app(axon);
    bool answers = local_state(app, why) == GEN_READY;
    app_close(app);
    return answers;
}

/* The old configuration stays until the model is here. */
static void wait_for_model(struct reload *r, const struct conf *conf)
{
    reload_close(r);
    r->waiting = conf_ref(conf);
    r->outcome = RELOAD_WAITING;
    log_status("⏬ %s is not here: it is downloaded while the old configuration answers",
               conf->generator.local.model_name);
}

static void refuse_loudly(struct reload *r, const char *why)
{
    log_event(LOG_ERROR, LOG_CONF, "new configuration refused, the old one stays",
              LOG_S("err", why));
    refuse(r, why);
}

/* True when the generators are not to be opened now: it waits for its model, or is refused. A model
 * that answers is never given up for one that is not here; where none does, whoever else can answer
 * may as well take over, and the model comes later. */
static bool holds_back(struct reload *r, struct axon *axon, const struct conf *conf)
{
    struct sf_errbuf eb = {.code = SF_OK};
    if (!prefers_local(conf) || !local_answers(axon)) {
        return false;
    }
    enum model_presence presence = model_puller_presence(conf, &eb);
    if (presence == MODEL_COMES && r->can_fetch) {
        wait_for_model(r, conf);
    } else if (presence != MODEL_IS_HERE) {
        refuse_loudly(r, presence == MODEL_IS_MISSING ? eb.text
                                                      : "its model is not here: storyfi models "
                                                        "pull it first");
    }
    return presence != MODEL_IS_HERE;
}

/* ---- from one to the other ------------------------------------------------------------------- */

static void open_fresh(struct reload *r, struct axon *axon, const struct conf *conf)
{
    struct app_options o = {.probes = true};
    struct sf_errbuf eb = {.code = SF_OK};
    struct app *old = axon_take_app(axon);
    say_difference(app_conf(old), conf);
    o.successor_of = old;
    enum sf_err err = app_open(conf, &o, &r->fresh, &eb);
    app_close(old);
    if (err != SF_OK) {
        log_event(LOG_ERROR, LOG_CONF, "new configuration refused, the old one stays",
                  LOG_ERR(&eb, err));
        refuse(r, sf_err_text(&eb, err));
        return;
    }
    app_print_plan(r->fresh);
    sf_ms load = conf->generator.local.load_timeout_ms;
    r->until = sf_after(sf_now(), r->needs_local && load > START_MS ? load : START_MS);
}

void reload_begin(struct reload *r, struct axon *axon, const struct miner_reload *reload,
                  const char *model)
{
    struct sf_errbuf eb = {.code = SF_OK};
    const struct conf *conf = reload->load(reload->arg, model, &eb);
    if (conf == NULL) {
        if (model != NULL) {
            r->for_model = true;
            refuse(r, eb.text);
        }
        return;
    }
    reload_close(r);
    r->for_model = r->needs_local = model != NULL;
    r->outcome = RELOAD_LOADING;
    if (model != NULL || !holds_back(r, axon, conf)) {
        open_fresh(r, axon, conf);
    }
    conf_unref(conf);
}

void reload_go_on(struct reload *r, struct axon *axon)
{
    const struct conf *conf = r->waiting;
    r->waiting = NULL;
    r->needs_local = true;
    r->outcome = RELOAD_LOADING;
    open_fresh(r, axon, conf);
    conf_unref(conf);
}

void reload_give_up(struct reload *r, const char *why)
{
    refuse_loudly(r, why);
}

static void switch_over(struct reload *r, struct axon *axon)
{
    log_event(LOG_WARN, LOG_CONF, "configuration loaded again",
              LOG_S("file", app_conf(r->fresh)->file));
    app_print_status(r->fresh);
    struct app *old = axon_take_app(axon);
    take_over(r->fresh, old);
    app_close(old);
    axon_swap_app(axon, r->fresh);
    r->fresh = NULL;
    r->taken++;
    r->outcome = RELOAD_DONE;
}

static void tick_local(struct reload *r, struct axon *axon)
{
    char why[256];
    enum gen_state state = local_state(r->fresh, why);
    if (state == GEN_READY) {
        switch_over(r, axon);
    } else if (state != GEN_STARTING || sf_until(r->until) <= 0) {
        log_event(LOG_ERROR, LOG_CONF, "the other model does not load, the old one stays",
                  LOG_S("err", why));
        refuse(r, why);
    }
}

void reload_tick(struct reload *r, struct axon *axon)
{
    if (r->fresh == NULL) {
        return;
    }
    if (r->needs_local) {
        tick_local(r, axon);
        return;
    }
    if (!app_is_settled(r->fresh) && sf_until(r->until) > 0) {
        return;
    }
    if (gen_chain_is_ready(app_chain(r->fresh))) {
        switch_over(r, axon);
        return;
    }
    struct sf_errbuf eb = {.code = SF_OK};
    const struct conf *conf = app_conf(r->fresh);
    if (r->can_fetch && prefers_local(conf) && model_puller_presence(conf, &eb) == MODEL_COMES) {
        conf = conf_ref(conf); /* nobody answers, but the model may */
        wait_for_model(r, conf);
        conf_unref(conf);
        return;
    }
    struct sf_buf why;
    sf_buf_init(&why, 8192);
    app_explain(r->fresh, &why);
    refuse_loudly(r, sf_buf_z(&why));
    sf_buf_fini(&why);
}

void reload_close(struct reload *r)
{
    app_close(r->fresh);
    r->fresh = NULL;
    conf_unref(r->waiting);
    r->waiting = NULL;
}

/* SPDX-License-Identifier: MIT */
#include "miner/reload.h"

#include "app/ledger.h"
#include "base/log.h"
#include "journal/journal.h"

#define START_MS 120000
#define FLUSH_MS 2000

static void say_difference(void *arg, const char *key, bool reload)
{
    (void)arg;
    log_event(reload ? LOG_INFO : LOG_WARN, LOG_CONF,
              reload ? "setting taken over" : "setting changed; it needs a restart",
              LOG_S("key", key));
}

/* What was spent counts for the new chain: of accounts that the old one has, by its own books, of
 * others by the journal, where it must be on the disk to be read. */
static void take_over(struct app *fresh, struct app *old)
{
    const struct conf_journal *c = &app_conf(fresh)->journal;
    struct journal *j = app_journal(fresh);
    journal_set_limits(j, c->keep_days, c->max_bytes);
    (void)journal_flush(j, FLUSH_MS);
    ledger_charge(fresh);
    app_succeed(fresh, old);
}

void reload_begin(struct reload *r, struct axon *axon, miner_reload_fn reload, void *arg)
{
    struct app_options o = {.probes = true};
    struct sf_errbuf eb = {.code = SF_OK};
    const struct conf *conf = reload(arg);
    if (conf == NULL) {
        return;
    }
    reload_close(r);
    struct app *old = axon_take_app(axon);
    conf_diff(app_conf(old), conf, say_difference, NULL);
    o.successor_of = old;
    enum sf_err err = app_open(conf, &o, &r->fresh, &eb);
    app_close(old);
    if (err != SF_OK) {
        log_event(LOG_ERROR, LOG_CONF, "new configuration refused, the old one stays",
                  LOG_ERR(&eb, err));
    }
    if (err == SF_OK) {
        app_print_plan(r->fresh);
    }
    r->until = sf_after(sf_now(), START_MS);
    conf_unref(conf);
}

void reload_tick(struct reload *r, struct axon *axon)
{
    if (r->fresh == NULL || (!app_is_settled(r->fresh) && sf_until(r->until) > 0)) {
        return;
    }
    if (gen_chain_is_ready(app_chain(r->fresh))) {
        log_event(LOG_WARN, LOG_CONF, "configuration loaded again",
                  LOG_S("file", app_conf(r->fresh)->file));
        app_print_status(r->fresh);
        struct app *old = axon_take_app(axon);
        take_over(r->fresh, old);
        app_close(old);
        axon_swap_app(axon, r->fresh);
        r->fresh = NULL;
        return;
    }
    struct sf_buf why;
    sf_buf_init(&why, 8192);
    app_explain(r->fresh, &why);
    log_event(LOG_ERROR, LOG_CONF, "new configuration refused, the old one stays",
              LOG_S("err", sf_buf_z(&why)));
    sf_buf_fini(&why);
    reload_close(r);
}

void reload_close(struct reload *r)
{
    app_close(r->fresh);
    r->fresh = NULL;
}

/* SPDX-License-Identifier: MIT */
#include "app/ledger.h"

#include "base/log.h"
#include "journal/journal.h"
#include "journal/journal_read.h"

#include <string.h>

#define DAY_NS INT64_C(86400000000000)
#define RECORD_DAYS 3

/* NULL: nothing recorded yet, or not readable; the journal's writer has said why. */
static struct journal_reader *open_reader(const struct app *a)
{
    struct journal_reader *r = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct journal *j = app_journal(a);
    if (j == NULL || journal_reader_open(journal_path(j), &r, &eb) != SF_OK) {
        return NULL;
    }
    return r;
}

static void say_unread(const struct sf_errbuf *eb, enum sf_err err, const char *consequence)
{
    if (err != SF_OK) {
        log_event(LOG_WARN, LOG_JOURNAL, "the journal could not be read", LOG_ERR(eb, err),
                  LOG_S("consequence", consequence));
    }
}

static void charge_one(void *arg, const struct journal_spending *s)
{
    int64_t now = sf_wall_ns();
    gen_chain_charge(arg, s->account, s->wall_ns < now ? s->wall_ns : now, s->requests,
                     s->cost_usd);
}

void ledger_charge(struct app *a)
{
    struct sf_errbuf eb = {.code = SF_OK};
    struct journal_reader *r = open_reader(a);
    if (r != NULL) {
        enum sf_err err = journal_spending(r, sf_wall_ns() - DAY_NS, charge_one, app_chain(a), &eb);
        say_unread(&eb, err, "limits of api accounts count from now on");
        journal_reader_close(r);
    }
}

/* (answers + 1) / (calls + 2): one that was never asked stands at a half, and one bad minute does
 * not condemn anybody. */
static double chance(int64_t answers, int64_t failures)
{
    return (double)(answers + 1) / (double)(answers + failures + 2);
}

void ledger_weigh(struct app *a)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    struct sf_errbuf eb = {.code = SF_OK};
    if (!app_is_automatic(a)) {
        return;
    }
    struct journal_reader *r = open_reader(a);
    size_t n = gen_chain_status(app_chain(a), status);
    int64_t since = sf_wall_ns() - RECORD_DAYS * DAY_NS;
    for (size_t i = 0; i < n; i++) {
        const struct generator *g = status[i].generator;
        int64_t answers = 0, failures = 0;
        enum sf_err err =
            r == NULL ? SF_OK : journal_share(r, g->name, since, &answers, &failures, &eb);
        say_unread(&eb, err, "mode auto keeps its order");
        if (err == SF_OK) {
            gen_chain_set_worth(app_chain(a), g->name,
                                g->type->multiplier * chance(answers, failures));
        }
    }
    journal_reader_close(r);
}

json_t *ledger_figures(const struct app *a, sf_ms span)
{
    json_t *figures = NULL;
    struct sf_errbuf eb = {.code = SF_OK};
    struct journal_reader *r = open_reader(a);
    if (r != NULL) {
        enum sf_err err = journal_figures(r, sf_wall_ns() - span * 1000000, &figures, &eb);
        say_unread(&eb, err, "no figures of the last day");
        journal_reader_close(r);
    }
    return figures;
}

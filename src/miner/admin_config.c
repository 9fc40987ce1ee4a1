/* SPDX-License-Identifier: MIT */
#include "app/hops.h"
#include "base/mem.h"
#include "miner/admin_api.h"

#include <signal.h>
#include <unistd.h>

static void handle_config(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    (void)r;
    struct app *app = axon_take_app(a->axon);
    reply_json(x, 200, conf_to_json(app_conf(app)));
    app_close(app);
}

/* Whether the configuration as it is now can be taken over; what only shows when its generators
 * start is not known yet. */
static enum sf_err examine(const struct miner_reload *reload, struct sf_errbuf *eb)
{
    size_t n = 0;
    const struct conf *fresh = reload->examine(reload->arg, NULL, eb);
    struct gen_chain_hop *hops = sf_alloc(GEN_CHAIN_MAX * sizeof *hops);
    enum sf_err err = fresh == NULL ? SF_ECONFIG : hops == NULL ? SF_ENOMEM : SF_OK;
    if (err == SF_OK) {
        err = hops_list(fresh, NULL, hops, &n, eb);
    }
    free(hops);
    conf_unref(fresh);
    return err;
}

static void handle_reload(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    struct sf_errbuf eb = {.code = SF_OK};
    (void)r;
    if (!atomic_load(&a->serving)) {
        reply_message(x, 503, "the miner is starting or ending: try again in a moment");
        return;
    }
    enum sf_err err = examine(&a->reload, &eb);
    if (err != SF_OK) {
        reply_message(x, err == SF_ENOMEM ? 503 : 409, sf_err_text(&eb, err));
    } else if (kill(getpid(), SIGHUP) != 0) { /* the main thread waits for it, as for a person's */
        reply_message(x, 503, "the signal to reload could not be sent");
    } else {
        reply_json(x, 202,
                   json_pack("{s:s}", "message",
                             "reloading: the new generators take over when they answer"));
    }
}

static const struct admin_route rows[] = {
    {"GET", "/api/config", handle_config, ADMIN_SLOW},
    {"POST", "/api/reload", handle_reload, ADMIN_SLOW},
};
const struct admin_routes admin_config_routes = {rows, sizeof rows / sizeof rows[0]};

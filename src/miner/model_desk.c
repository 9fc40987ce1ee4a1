/* SPDX-License-Identifier: MIT */
#include "miner/model_desk.h"

#include "app/model_puller.h"
#include "app/models.h"
#include "base/log.h"
#include "base/mem.h"

#include <string.h>
#include <sys/stat.h>

#define WARN_MS 3600000

enum change_state { CHANGE_NONE, CHANGE_WANTED, CHANGE_LOADING, CHANGE_DONE, CHANGE_REFUSED };

struct model_desk {
    struct axon *axon;
    struct sf_time warn_at;      /* main thread */
    bool noted;                  /* main thread: the end of the download */
    const struct conf *for_conf; /* main thread: whose model is downloaded last; owned */
    unsigned taken;              /* main thread: configurations that were looked at */
    pthread_mutex_t lock;        /* of what follows; a leaf */
    struct model_puller *puller; /* the last one; NULL none yet */
    bool for_a_conf;             /* begun for for_conf, not because somebody asked */
    enum change_state change;
    char wanted[200];
    int permille;
    char text[500];
};

/* ---- the default model on-chain -------------------------------------------------------------- */

static bool has_local(const struct app *app)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = gen_chain_status(app_chain(app), status);
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        found = found || strcmp(status[i].generator->type->kind, "local") == 0;
    }
    return found;
}

/* Said at the start and every hour: it earns little, and people forget that they run it. */
static void warn_of_default(struct model_desk *d)
{
    struct model_catalogue c;
    if (sf_until(d->warn_at) > 0) {
        return;
    }
    d->warn_at = sf_after(sf_now(), WARN_MS);
    struct app *app = axon_take_app(d->axon);
    const struct conf *conf = app_conf(app);
    json_t *plan = conf->offline ? NULL : app_plan(app);
    const char *model = json_get_string(plan, "model");
    if (model != NULL && model_catalogue_init(conf, &c) == SF_OK) {
        const struct model_entry *e = model_catalogue_find(&c, "default");
        if (e != NULL && strcmp(e->names[0], model) == 0) {
            log_status("⚠️  mining with the default model, which earns little: storyfi models "
                       "recommend shows what runs here");
        }
        model_catalogue_fini(&c);
    }
    json_decref(plan);
    app_close(app);
}

/* ---- what configurations need -----------------------------------------------------------------
 */

/* Starts to download the model of a configuration. SF_EBUSY: another download is under way.
 * SF_ENOMEM. */
static enum sf_err fetch_for(struct model_desk *d, const struct conf *conf)
{
    struct model_puller *done = NULL, *fresh = NULL;
    (void)pthread_mutex_lock(&d->lock);
    bool busy = d->puller != NULL && !model_puller_is_over(d->puller);
    enum sf_err err = busy ? SF_EBUSY : model_puller_start(conf, NULL, NULL, &fresh);
    if (err == SF_OK) {
        done = d->puller;
        d->puller = fresh;
        d->for_a_conf = true;
    }
    (void)pthread_mutex_unlock(&d->lock);
    model_puller_stop(done); /* its thread has ended */
    if (err == SF_OK) {
        conf_unref(d->for_conf);
        d->for_conf = conf_ref(conf);
    }
    return err;
}

static enum sf_err fetch_missing(struct model_desk *d, struct app *app)
{
    const struct conf *conf = app_conf(app);
    if (!conf->generator.local.auto_download || !has_local(app) || !model_puller_is_needed(conf)) {
        return SF_OK;
    }
    log_status("⏬ %s is not here: it is downloaded while others answer",
               conf->generator.local.model_name);
    return fetch_for(d, conf);
}

/* How the download for `conf` is. One for another configuration, which nobody wants any more, is
 * ended. */
enum fetch { FETCH_NONE, FETCH_BUSY, FETCH_OVER };
static enum fetch look_at_fetch(struct model_desk *d, const struct conf *conf,
                                struct puller_status *out)
{
    *out = (struct puller_status){.state = PULLER_CANCELED};
    (void)pthread_mutex_lock(&d->lock);
    bool ours = d->puller != NULL && d->for_a_conf && d->for_conf == conf;
    bool busy = d->puller != NULL && !model_puller_is_over(d->puller);
    if (ours) {
        model_puller_get(d->puller, out);
    } else if (busy && d->for_a_conf) {
        model_puller_cancel(d->puller);
    }
    (void)pthread_mutex_unlock(&d->lock);
    return busy ? FETCH_BUSY : ours ? FETCH_OVER : FETCH_NONE;
}

/* The model that a configuration waits for: is downloaded, then its generators start. */
static void serve_waiting(struct model_desk *d, struct reload *r)
{
    struct puller_status last;
    enum fetch fetch = r->waiting == NULL ? FETCH_BUSY : look_at_fetch(d, r->waiting, &last);
    if (fetch == FETCH_NONE && fetch_for(d, r->waiting) == SF_ENOMEM) {
        reload_give_up(r, "out of memory");
    } else if (fetch == FETCH_OVER && last.state == PULLER_DONE) {
        reload_go_on(r, d->axon);
    } else if (fetch == FETCH_OVER) {
        reload_give_up(r, last.text);
    }
}

/* A configuration that took over without its model, because others can answer. */
static void look_after_reload(struct model_desk *d, const struct reload *r)
{
    struct puller_status last;
    if (d->taken == r->taken || r->waiting != NULL) {
        return;
    }
    if (r->for_model) { /* the configuration itself is as it was */
        d->taken = r->taken;
        return;
    }
    struct app *app = axon_take_app(d->axon);
    if (look_at_fetch(d, app_conf(app), &last) != FETCH_BUSY && fetch_missing(d, app) != SF_EBUSY) {
        d->taken = r->taken;
    }
    app_close(app);
}

/* ---- opening --------------------------------------------------------------------------------- */

enum sf_err model_desk_open(struct axon *axon, struct model_desk **out)
{
    struct model_desk *d = sf_alloc(sizeof *d);
    if (d == NULL) {
        return SF_ENOMEM;
    }
    d->axon = axon;
    d->warn_at = sf_now();
    (void)pthread_mutex_init(&d->lock, NULL);
    struct app *app = axon_take_app(axon);
    enum sf_err err = fetch_missing(d, app);
    app_close(app);
    *out = d;
    return err;
}

void model_desk_close(struct model_desk *d)
{
    if (d == NULL) {
        return;
    }
    model_puller_stop(d->puller);
    conf_unref(d->for_conf);
    (void)pthread_mutex_destroy(&d->lock);
    free(d);
}

/* ---- the main thread ------------------------------------------------------------------------- */

/* What was downloaded may be what a generator waits for. */
static void note_download(struct model_desk *d)
{
    (void)pthread_mutex_lock(&d->lock);
    bool over = d->puller != NULL && model_puller_is_over(d->puller);
    (void)pthread_mutex_unlock(&d->lock);
    if (over && !d->noted) {
        struct app *app = axon_take_app(d->axon);
        gen_chain_look(app_chain(app));
        app_close(app);
    }
    d->noted = over;
}

static void begin_change(struct model_desk *d, struct reload *r, const struct miner_reload *reload)
{
    char name[sizeof d->wanted];
    (void)pthread_mutex_lock(&d->lock);
    bool wanted = d->change == CHANGE_WANTED;
    memcpy(name, d->wanted, sizeof name);
    if (wanted) {
        d->change = CHANGE_LOADING;
    }
    (void)pthread_mutex_unlock(&d->lock);
    if (wanted) {
        reload_begin(r, d->axon, reload, name);
    }
}

static int permille_of(const struct reload *r)
{
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = r->fresh == NULL ? 0 : gen_chain_status(app_chain(r->fresh), status);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(status[i].generator->type->kind, "local") == 0) {
            return status[i].health.starting_permille;
        }
    }
    return 0;
}

static void note_change(struct model_desk *d, const struct reload *r)
{
    int permille = permille_of(r);
    (void)pthread_mutex_lock(&d->lock);
    if (d->change == CHANGE_LOADING) {
        bool ours = r->for_model;
        d->permille = permille;
        if (ours && r->outcome == RELOAD_LOADING) {
            (void)snprintf(d->text, sizeof d->text, "loading %.199s beside the one that answers",
                           d->wanted);
        } else if (ours && r->outcome == RELOAD_DONE) {
            d->change = CHANGE_DONE;
            (void)snprintf(d->text, sizeof d->text, "%.199s answers now", d->wanted);
        } else {
            d->change = CHANGE_REFUSED;
            (void)snprintf(d->text, sizeof d->text,
                           "%.120s does not load, the old model stays: %.320s", d->wanted,
                           r->outcome == RELOAD_REFUSED ? r->why
                                                        : "the configuration was loaded again");
        }
    }
    (void)pthread_mutex_unlock(&d->lock);
}

void model_desk_tick(struct model_desk *d, struct reload *r, const struct miner_reload *reload)
{
    if (d == NULL) {
        return;
    }
    note_download(d);
    note_change(d, r);
    begin_change(d, r, reload);
    serve_waiting(d, r);
    look_after_reload(d, r);
    warn_of_default(d);
}

/* ---- from any thread ------------------------------------------------------------------------- */

enum sf_err model_desk_pull(struct model_desk *d, const char *name, const char *quantization,
                            struct sf_errbuf *eb)
{
    struct model_puller *done = NULL, *fresh = NULL;
    if (name[0] == '\0') {
        return sf_fail(eb, SF_EINVAL, "no name: {\"name\": \"llama-3.1-8b\"}");
    }
    struct app *app = axon_take_app(d->axon);
    (void)pthread_mutex_lock(&d->lock);
    bool busy = d->puller != NULL && !model_puller_is_over(d->puller);
    enum sf_err err =
        busy ? SF_EBUSY : model_puller_start(app_conf(app), name, quantization, &fresh);
    if (err == SF_OK) {
        done = d->puller;
        d->puller = fresh;
        d->for_a_conf = false;
    }
    (void)pthread_mutex_unlock(&d->lock);
    model_puller_stop(done); /* its thread has ended */
    app_close(app);
    return err == SF_EBUSY
               ? sf_fail(eb, err, "another download is under way: wait for it, or cancel it")
               : err;
}

bool model_desk_cancel(struct model_desk *d)
{
    (void)pthread_mutex_lock(&d->lock);
    bool any = d->puller != NULL && !model_puller_is_over(d->puller);
    if (any) {
        model_puller_cancel(d->puller);
    }
    (void)pthread_mutex_unlock(&d->lock);
    return any;
}

enum sf_err model_desk_use(struct model_desk *d, const char *name, struct sf_errbuf *eb)
{
    struct stat st;
    struct model_place *place = sf_alloc(sizeof *place);
    if (place == NULL) {
        return SF_ENOMEM;
    }
    struct app *app = axon_take_app(d->axon);
    model_find_named(app_conf(app), name, place);
    app_close(app);
    bool here = name[0] != '\0' && stat(place->path, &st) == 0;
    free(place);
    if (!here || strlen(name) >= sizeof d->wanted) {
        return sf_fail(eb, SF_ENOTFOUND,
                       "no file of \"%.100s\" is here: storyfi models pull %.100s first", name,
                       name);
    }
    (void)pthread_mutex_lock(&d->lock);
    bool busy = d->change == CHANGE_WANTED || d->change == CHANGE_LOADING;
    if (!busy) {
        (void)snprintf(d->wanted, sizeof d->wanted, "%s", name);
        (void)snprintf(d->text, sizeof d->text, "%s is about to be loaded", name);
        d->change = CHANGE_WANTED;
        d->permille = 0;
    }
    (void)pthread_mutex_unlock(&d->lock);
    return busy ? sf_fail(eb, SF_EBUSY, "another model is being loaded: wait for it") : SF_OK;
}

json_t *model_desk_download(struct model_desk *d)
{
    static const char *const states[] = {[PULLER_WORKING] = "working",
                                         [PULLER_WAITING] = "waiting",
                                         [PULLER_DONE] = "done",
                                         [PULLER_FAILED] = "failed",
                                         [PULLER_CANCELED] = "canceled"};
    struct puller_status s;
    (void)pthread_mutex_lock(&d->lock);
    bool any = d->puller != NULL;
    if (any) {
        model_puller_get(d->puller, &s);
    }
    (void)pthread_mutex_unlock(&d->lock);
    return !any
               ? json_null()
               : json_pack("{s:o, s:o, s:I, s:I, s:f, s:s, s:o}", "name", json_text(sf_str(s.name)),
                           "file", json_text(sf_str(s.file)), "done", (json_int_t)s.done, "total",
                           (json_int_t)s.total, "bytes_per_second", s.bytes_per_second, "state",
                           states[s.state], "text", json_text(sf_str(s.text)));
}

json_t *model_desk_change(struct model_desk *d)
{
    static const char *const states[] = {[CHANGE_NONE] = "none",
                                         [CHANGE_WANTED] = "loading",
                                         [CHANGE_LOADING] = "loading",
                                         [CHANGE_DONE] = "done",
                                         [CHANGE_REFUSED] = "refused"};
    (void)pthread_mutex_lock(&d->lock);
    json_t *change = d->change == CHANGE_NONE
                         ? json_null()
                         : json_pack("{s:o, s:s, s:i, s:o}", "name", json_text(sf_str(d->wanted)),
                                     "state", states[d->change], "permille", d->permille, "text",
                                     json_text(sf_str(d->text)));
    (void)pthread_mutex_unlock(&d->lock);
    return change;
}

/* SPDX-License-Identifier: MIT */
#include "miner/admin_doctor.h"

#include "app/doctor.h"
#include "base/mem.h"
#include "bittensor/wallet.h"
#include "miner/admin_api.h"
#include "miner/event_stream.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLOSE_MS 5000 /* a script that is tried may take 30 s */

/* Held by the listener and by the thread that runs: it may be left behind. */
struct admin_doctor {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int refs;
    int threads;         /* that have not ended */
    bool busy, ending;   /* busy: one is at work, up to its last line */
    struct run *current; /* that one, once it is there; NULL none */
};

/* One run; nothing in it is the miner's. */
struct run {
    struct admin_doctor *doctor;
    const struct conf *conf;
    struct miner_reload reload;
    struct wallet_unlock unlock;
    struct doctor_miner miner;
    struct http_stream *stream;
    atomic_bool cancel;
    bool network;
    char area[80];
    int64_t failed;
};

static void unref(struct admin_doctor *d)
{
    (void)pthread_mutex_lock(&d->lock);
    bool last = --d->refs == 0;
    (void)pthread_mutex_unlock(&d->lock);
    if (last) {
        (void)pthread_cond_destroy(&d->changed);
        (void)pthread_mutex_destroy(&d->lock);
        free(d);
    }
}

enum sf_err admin_doctor_open(struct admin_doctor **out)
{
    pthread_condattr_t monotonic;
    struct admin_doctor *d = sf_alloc(sizeof *d);
    if (d == NULL) {
        return SF_ENOMEM;
    }
    (void)pthread_mutex_init(&d->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&d->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    d->refs = 1;
    *out = d;
    return SF_OK;
}

void admin_doctor_close(struct admin_doctor *d)
{
    struct timespec until;
    int late = 0;
    if (d == NULL) {
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLOSE_MS / 1000;
    (void)pthread_mutex_lock(&d->lock);
    d->ending = true;
    if (d->current != NULL) {
        atomic_store(&d->current->cancel, true);
    }
    while (d->threads > 0 && late == 0) {
        late = pthread_cond_timedwait(&d->changed, &d->lock, &until);
    }
    (void)pthread_mutex_unlock(&d->lock);
    unref(d);
}

/* ---- telling --------------------------------------------------------------------------------- */

static void tell(struct run *run, const char *event, json_t *data_own)
{
    if (!event_stream_send(run->stream, event, data_own)) {
        atomic_store(&run->cancel, true);
    }
}

static void on_line(void *arg, const struct doctor_line *line)
{
    static const char *const states[] = {
        [GEN_CHECK_OK] = "ok", [GEN_CHECK_WARN] = "look", [GEN_CHECK_FAIL] = "failed"};
    struct run *run = arg;
    const struct gen_check *c = &line->check;
    if (strcmp(run->area, line->area) != 0) {
        memcpy(run->area, line->area, sizeof run->area);
        tell(run, "section", json_pack("{s:o}", "title", json_text(sf_str(line->area))));
    }
    run->failed += c->verdict == GEN_CHECK_FAIL ? 1 : 0;
    tell(run, "check",
         json_pack("{s:o, s:s, s:o, s:o}", "name", json_text(sf_str(c->what)), "state",
                   states[c->verdict], "text", json_text(sf_str(c->text)), "remedy",
                   json_text(sf_str(c->remedy))));
}

/* ---- the one place --------------------------------------------------------------------------- */

/* False: somebody has it, or the miner ends. */
static bool take(struct admin_doctor *d)
{
    (void)pthread_mutex_lock(&d->lock);
    bool ok = !d->busy && !d->ending;
    if (ok) {
        d->busy = true;
        d->threads++;
        d->refs++;
    }
    (void)pthread_mutex_unlock(&d->lock);
    return ok;
}

static void make_room(struct admin_doctor *d)
{
    (void)pthread_mutex_lock(&d->lock);
    d->busy = false;
    d->current = NULL;
    (void)pthread_mutex_unlock(&d->lock);
}

static void begin(struct admin_doctor *d, struct run *run)
{
    (void)pthread_mutex_lock(&d->lock);
    d->current = run;
    atomic_store(&run->cancel, d->ending);
    (void)pthread_mutex_unlock(&d->lock);
}

static void leave(struct admin_doctor *d)
{
    (void)pthread_mutex_lock(&d->lock);
    d->threads--;
    (void)pthread_cond_broadcast(&d->changed);
    (void)pthread_mutex_unlock(&d->lock);
    unref(d);
}

static void give_up(struct admin_doctor *d)
{
    make_room(d);
    leave(d);
}

/* ---- the run --------------------------------------------------------------------------------- */

/* What the file says now; the rest is about what runs. */
static void examine_file(const struct run *run, struct doctor_report *report)
{
    struct conf_diagnostics found = {.n = 0};
    struct sf_errbuf eb = {.code = SF_OK};
    const struct conf *fresh = run->reload.examine(run->reload.arg, &found, &eb);
    doctor_configuration(report, &found);
    if (fresh == NULL && found.n_errors == 0) {
        doctor_say(report, GEN_CHECK_FAIL, "configuration", "storyfi config check", "%.250s",
                   sf_err_text(&eb, SF_ECONFIG));
    }
    conf_diagnostics_fini(&found);
    conf_unref(fresh);
}

static void examine(struct run *run, struct doctor_report *report)
{
    struct sf_errbuf eb = {.code = SF_OK};
    examine_file(run, report);
    if (run->network) {
        doctor_network(report, run->conf, &run->miner, &run->unlock);
        return;
    }
    doctor_machine(report, run->conf, &run->miner);
    if (!doctor_is_canceled(report)) {
        doctor_wallet(report, run->conf);
    }
    enum sf_err err = doctor_generators(report, run->conf, NULL, &run->miner, &eb);
    if (err != SF_OK) {
        doctor_area(report, "generators");
        doctor_say(report, GEN_CHECK_FAIL, "generators", "storyfi config check", "%.250s",
                   sf_err_text(&eb, err));
    }
}

static void run_free(struct run *run)
{
    doctor_miner_fini(&run->miner);
    conf_unref(run->conf);
    free(run);
}

static void *run_main(void *arg)
{
    struct run *run = arg;
    struct admin_doctor *d = run->doctor;
    struct doctor_report report = {.on_line = on_line, .arg = run, .cancel = &run->cancel};
    examine(run, &report);
    doctor_fini(&report);
    make_room(d); /* who reads that it is done may ask again */
    tell(run, "done", json_pack("{s:I}", "failed", (json_int_t)run->failed));
    http_stream_close(run->stream);
    run_free(run);
    leave(d);
    return NULL;
}

/* ---- the door -------------------------------------------------------------------------------- */

static struct run *prepare(struct admin *a, bool network)
{
    struct run *run = sf_alloc(sizeof *run);
    if (run == NULL) {
        return NULL;
    }
    struct app *app = axon_take_app(a->axon);
    run->doctor = a->doctor;
    run->conf = conf_ref(app_conf(app));
    app_close(app);
    run->reload = a->reload;
    run->network = network;
    if (a->unlock != NULL) {
        run->unlock = *a->unlock;
        run->unlock.ask = NULL; /* a check asks nobody */
        run->unlock.arg = (void *)(uintptr_t)run->conf;
    }
    run->miner = (struct doctor_miner){.runs = true,
                                       .pid = getpid(),
                                       .axon_port = atomic_load(&a->axon_port),
                                       .status = admin_status(a)};
    return run;
}

static void start(struct admin *a, struct http_exchange *x, bool network)
{
    pthread_t thread;
    struct run *run = prepare(a, network);
    if (run == NULL) {
        reply_message(x, 503, "out of memory");
        give_up(a->doctor);
        return;
    }
    begin(a->doctor, run);
    run->stream = event_stream_open(x);
    if (run->stream != NULL && pthread_create(&thread, NULL, run_main, run) == 0) {
        (void)pthread_detach(thread);
        return;
    }
    http_stream_close(run->stream);
    make_room(a->doctor);
    run_free(run);
    leave(a->doctor);
}

static void handle_doctor(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    bool network = false;
    if (r->body.n > 0 || r->body_too_large) {
        json_t *body = admin_body(x, r);
        if (body == NULL) {
            return;
        }
        network = json_get_bool(body, "network", false);
        json_decref(body);
    }
    if (!take(a->doctor)) {
        reply_message(x, 409, "the doctor is at work already: wait until it is done");
    } else {
        start(a, x, network);
    }
}

static const struct admin_route rows[] = {
    {"POST", "/api/doctor", handle_doctor, ADMIN_SLOW},
};
const struct admin_routes admin_doctor_routes = {rows, sizeof rows / sizeof rows[0]};

/* SPDX-License-Identifier: MIT */
#include "miner/lifecycle.h"

#include "app/ledger.h"
#include "base/log.h"
#include "base/log_file.h"
#include "miner/workers.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 50
#define FINISH_MS 60000
#define READY_WAIT_MS 120000
#define WEIGH_MS 60000

void lifecycle_init(struct lifecycle *l, const struct conf *conf)
{
    notify_init(&l->notify, conf);
    (void)sigemptyset(&l->signals);
    (void)sigaddset(&l->signals, SIGTERM);
    (void)sigaddset(&l->signals, SIGINT);
    (void)sigaddset(&l->signals, SIGHUP);
    (void)sigaddset(&l->signals, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, &l->signals, NULL);
}

void lifecycle_fini(struct lifecycle *l)
{
    log_tell_repeated(true);
    reload_close(&l->reloading);
    notify_fini(&l->notify);
}

/* The signal that arrived within a tick, 0 for none. SIGUSR1 is dealt with here: it means the same
 * at any time. */
static int next_signal(const struct lifecycle *l)
{
    struct timespec ts = {.tv_nsec = TICK_MS * 1000000L};
    int s = sigtimedwait(&l->signals, NULL, &ts);
    if (s == SIGUSR1) {
        log_file_reopen();
    }
    return s > 0 && s != SIGUSR1 ? s : 0;
}

/* What the keeper does beside signals: notes how the generators are, tells systemd. */
static void keep(struct lifecycle *l)
{
    struct app *app = axon_take_app(l->axon);
    hop_states_tick(&l->states, app);
    if (sf_until(l->weigh_at) <= 0) {
        l->weigh_at = sf_after(sf_now(), WEIGH_MS);
        ledger_weigh(app);
        app_keep_speed(app);
    }
    app_close(app);
    log_tell_repeated(false);
    if (clock_watch_tick(&l->clocks) && l->on_jump != NULL) {
        l->on_jump(l->jump_arg);
    }
    notify_tick(&l->notify, l->states.ready && l->listening, l->states.summary);
}

bool lifecycle_wait_ready(struct lifecycle *l)
{
    struct app *app = axon_take_app(l->axon);
    struct sf_time until = sf_after(sf_now(), READY_WAIT_MS);
    struct progress progress;
    int s = 0;
    app_print_plan(app);
    progress_init(&progress, isatty(STDERR_FILENO) ? stderr : NULL);
    while (s == 0 && sf_until(until) > 0 && !app_is_settled(app)) {
        app_draw_starting(app, &progress);
        keep(l);
        s = next_signal(l);
    }
    progress_clear(&progress);
    keep(l); /* how they are before anybody asks */
    if (s == 0 || s == SIGHUP) {
        app_print_status(app);
    }
    app_close(app);
    return s == SIGTERM || s == SIGINT;
}

void lifecycle_serve(struct lifecycle *l)
{
    l->listening = true;
    l->reloading.can_fetch = l->models != NULL;
    for (;;) {
        int s = next_signal(l);
        if (s == SIGTERM || s == SIGINT) {
            return;
        }
        if (s == SIGHUP) {
            reload_begin(&l->reloading, l->axon, &l->reload, NULL);
        }
        model_desk_tick(l->models, &l->reloading, &l->reload);
        reload_tick(&l->reloading, l->axon);
        workers_sweep(l->axon);
        keep(l);
    }
}

void lifecycle_finish(struct lifecycle *l, struct http_server *server)
{
    struct sf_time until = sf_after(sf_now(), FINISH_MS);
    struct queue_counts q = queue_count(l->axon->queue);
    log_event(LOG_INFO, LOG_MAIN, "shutting down", LOG_I("in_flight", q.in_flight),
              LOG_I("queued", q.depth));
    l->listening = false;
    notify_stopping(&l->notify);
    if (server != NULL) {
        http_server_stop_accepting(server);
    }
    queue_drain(l->axon->queue);
    while (q.depth + q.in_flight > 0 && sf_until(until) > 0) {
        int s = next_signal(l);
        if (s == SIGTERM || s == SIGINT) {
            _exit(0);
        }
        workers_sweep(l->axon);
        notify_tick(&l->notify, false, "finishing what is in flight");
        q = queue_count(l->axon->queue);
    }
    workers_cancel_all(l->axon);
    (void)poll(NULL, 0, TICK_MS); /* the last answers leave */
}

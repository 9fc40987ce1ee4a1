/* SPDX-License-Identifier: MIT */
#include "miner/lifecycle.h"

#include "base/log.h"
#include "miner/workers.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 50
#define FINISH_MS 60000
#define READY_WAIT_MS 120000

void lifecycle_block_signals(sigset_t *signals)
{
    (void)sigemptyset(signals);
    (void)sigaddset(signals, SIGTERM);
    (void)sigaddset(signals, SIGINT);
    (void)sigaddset(signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, signals, NULL);
}

int lifecycle_next_signal(const sigset_t *signals, sf_ms wait)
{
    struct timespec ts = {.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000};
    int s = sigtimedwait(signals, NULL, &ts);
    return s > 0 ? s : 0;
}

bool lifecycle_wait_ready(struct axon *axon, const sigset_t *signals)
{
    struct app *app = axon_take_app(axon);
    struct sf_time until = sf_after(sf_now(), READY_WAIT_MS);
    struct progress progress;
    int s = 0;
    progress_init(&progress, isatty(STDERR_FILENO) ? stderr : NULL);
    while (s == 0 && sf_until(until) > 0 && !app_is_settled(app)) {
        app_draw_starting(app, &progress);
        s = lifecycle_next_signal(signals, TICK_MS);
    }
    progress_clear(&progress);
    if (s == 0 || s == SIGHUP) {
        app_print_status(app);
    }
    app_close(app);
    return s == SIGTERM || s == SIGINT;
}

void lifecycle_serve(struct axon *axon, const sigset_t *signals, miner_reload_fn reload, void *arg,
                     struct reload *state)
{
    for (;;) {
        int s = lifecycle_next_signal(signals, TICK_MS);
        if (s == SIGTERM || s == SIGINT) {
            return;
        }
        if (s == SIGHUP) {
            reload_begin(state, axon, reload, arg);
        }
        reload_tick(state, axon);
        workers_sweep(axon);
    }
}

void lifecycle_finish(struct axon *axon, struct http_server *server, const sigset_t *signals)
{
    struct sf_time until = sf_after(sf_now(), FINISH_MS);
    struct queue_counts q = queue_count(axon->queue);
    log_event(LOG_INFO, LOG_MAIN, "shutting down", LOG_I("in_flight", q.in_flight),
              LOG_I("queued", q.depth));
    if (server != NULL) {
        http_server_stop_accepting(server);
    }
    queue_drain(axon->queue);
    while (q.depth + q.in_flight > 0 && sf_until(until) > 0) {
        int s = lifecycle_next_signal(signals, TICK_MS);
        if (s == SIGTERM || s == SIGINT) {
            _exit(0);
        }
        workers_sweep(axon);
        q = queue_count(axon->queue);
    }
    workers_cancel_all(axon);
    (void)poll(NULL, 0, TICK_MS); /* the last answers leave */
}

/* SPDX-License-Identifier: MIT */
#include "cmd/status_watch.h"

#include "app/miner_address.h"
#include "cmd/args.h"
#include "cmd/screen.h"
#include "cmd/status_page.h"
#include "journal/journal_read.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define ASK_MS 1000
#define READ_MS 3000 /* the journal is read less often: it may be large */
#define LAST 10
#define HOUR_NS INT64_C(3600000000000)

static volatile sig_atomic_t asked_to_end;

static void on_signal(int s)
{
    (void)s;
    asked_to_end = 1;
}

struct watch {
    const struct conf *conf;
    json_t *status, *hour, *last;
    char error[256];
    struct sf_time ask_at, read_at;
};

/* With what the page alone has (requests in flight, rates) where the miner tells it. NULL: why is
 * in `why`. Caller owns. */
static json_t *ask(const struct conf *conf, char *why, size_t n)
{
    static const char *const paths[] = {"/api/status", "/status"};
    struct sf_errbuf eb = {.code = SF_OK};
    struct http_answer answer;
    json_t *status = NULL;
    for (size_t i = 0; i < 2 && status == NULL; i++) {
        enum sf_err err = miner_get(conf, paths[i], ASK_MS, &answer, &eb);
        if (err != SF_OK) {
            (void)snprintf(why, n, "%s", sf_err_text(&eb, err));
            i = 1;
        } else if (answer.status != 200 || json_parse(sf_buf_str(&answer.body), JSON_LIMITS_DEFAULT,
                                                      &status, NULL) != SF_OK) {
            (void)snprintf(why, n, "what listens there says HTTP %d%s", answer.status,
                           answer.status == 401 ? ": name its token with --admin.token_env" : "");
            status = NULL;
        }
        http_answer_fini(&answer);
    }
    return status;
}

static void read_journal(struct watch *w)
{
    struct journal_filter f = {.limit = LAST};
    struct journal_reader *r = NULL;
    json_t *hour = NULL, *last = NULL;
    if (journal_reader_open(w->conf->journal.path, &r, NULL) == SF_OK &&
        journal_figures(r, sf_wall_ns() - HOUR_NS, &hour, NULL) == SF_OK &&
        journal_list(r, &f, &last, NULL) == SF_OK) {
        json_decref(w->hour), w->hour = json_incref(hour);
        json_decref(w->last), w->last = json_incref(last);
    }
    json_decref(hour);
    json_decref(last);
    journal_reader_close(r);
}

/* What is due of asking and reading. */
static void refresh_view(struct watch *w)
{
    if (sf_until(w->ask_at) <= 0) {
        json_decref(w->status);
        w->status = ask(w->conf, w->error, sizeof w->error);
        w->ask_at = sf_after(sf_now(), ASK_MS);
    }
    if (sf_until(w->read_at) <= 0) {
        read_journal(w);
        w->read_at = sf_after(sf_now(), READ_MS);
    }
}

static struct status_view view_of(const struct watch *w)
{
    return (struct status_view){
        .status = w->status, .error = w->error, .hour = w->hour, .last = w->last};
}

static void watch_screen(struct watch *w)
{
    static const struct status_sink sink = {screen_put, screen_end_line};
    enum screen_event event = SCREEN_NOTHING;
    while (!asked_to_end && event != SCREEN_QUIT) {
        refresh_view(w);
        struct status_view v = view_of(w);
        screen_begin();
        status_page(&v, &sink);
        screen_show();
        event = screen_wait(sf_until(w->ask_at));
    }
    screen_close();
}

static void stamp(char *out, size_t n)
{
    time_t now = (time_t)(sf_wall_ns() / 1000000000);
    struct tm tm;
    (void)gmtime_r(&now, &tm);
    (void)strftime(out, n, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Until nobody reads any more, too. */
static void watch_lines(struct watch *w)
{
    char time[32];
    struct sf_buf line, before;
    bool written = true;
    sf_buf_init(&line, 8192);
    sf_buf_init(&before, 8192);
    while (!asked_to_end && written) {
        refresh_view(w);
        struct status_view v = view_of(w);
        sf_buf_clear(&line);
        status_line(&v, &line);
        if (strcmp(sf_buf_z(&line), sf_buf_z(&before)) != 0) {
            stamp(time, sizeof time);
            written = printf("%s %s\n", time, sf_buf_z(&line)) > 0 && fflush(stdout) == 0;
            sf_buf_clear(&before);
            sf_buf_add_str(&before, sf_buf_str(&line));
        }
        sf_ms left = sf_until(w->ask_at);
        (void)poll(NULL, 0, (int)(left > 0 ? left : 0)); /* a signal ends it */
    }
    sf_buf_fini(&line);
    sf_buf_fini(&before);
}

int status_watch(const struct conf *conf)
{
    struct watch w = {.conf = conf, .ask_at = sf_now(), .read_at = sf_now()};
    struct sigaction act = {.sa_handler = on_signal}; /* no SA_RESTART: waiting ends */
    (void)sigemptyset(&act.sa_mask);
    (void)sigaction(SIGINT, &act, NULL);
    (void)sigaction(SIGTERM, &act, NULL);
    (void)sigaction(SIGHUP, &act, NULL);
    if (args_is_terminal(stdout) && args_is_terminal(stdin) && screen_open(args_wants_colour())) {
        watch_screen(&w);
    } else {
        watch_lines(&w);
    }
    json_decref(w.status);
    json_decref(w.hour);
    json_decref(w.last);
    return 0;
}

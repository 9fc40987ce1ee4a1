/* SPDX-License-Identifier: MIT */
#include "miner/admin_metrics.h"

#include "base/metric.h"

#define PAGE_MAX (4U << 20)

static void reply_page(struct http_exchange *x, const struct sf_buf *page)
{
    const struct http_header headers[] = {
        {SF_STR("Content-Type"), SF_STR("text/plain; version=0.0.4; charset=utf-8")},
        {SF_STR("Cache-Control"), SF_STR("no-store")}};
    if (page->err == SF_OK) {
        http_reply(x, 200, headers, 2, sf_buf_str(page));
    } else {
        reply_message(x, 503, "out of memory: try again");
    }
}

/* On a slow thread, which goes on for a moment when the answer has left. */
static void handle_metrics(struct admin *a, struct http_exchange *x, const struct http_request *r)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    struct sf_buf page;
    (void)r;
    sf_buf_init(&page, PAGE_MAX);
    (void)pthread_mutex_lock(&one_at_a_time);
    metrics_collect(a);
    metric_render(&page);
    (void)pthread_mutex_unlock(&one_at_a_time);
    reply_page(x, &page);
    sf_buf_fini(&page);
    if (pthread_mutex_trylock(&one_at_a_time) == 0) {
        metrics_collect_gpus(a->conf);
        (void)pthread_mutex_unlock(&one_at_a_time);
    }
}

static const struct admin_route rows[] = {{"GET", "/metrics", handle_metrics, ADMIN_SLOW}};
const struct admin_routes admin_metrics_routes = {rows, sizeof rows / sizeof rows[0]};

/* SPDX-License-Identifier: MIT */
#include "base/metric.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define MAX_BUCKETS 16

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

struct metric {
    struct metric *next;
    char *name;
    char *labels;
    char *help;
    enum kind kind;
    atomic_bool hidden;
    _Atomic double value; /* sum of a histogram */
    double bounds[MAX_BUCKETS];
    _Atomic uint64_t counts[MAX_BUCKETS + 1];
    size_t n_bounds;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list */
static struct metric *all;                               /* sorted by name, then labels */
static size_t n_series;

static void destroy(struct metric *m)
{
    free(m->name), m->name = NULL;
    free(m->labels), m->labels = NULL;
    free(m->help), m->help = NULL;
    free(m);
}

static struct metric *create(const char *name, const char *labels, const char *help)
{
    struct metric *m = sf_alloc(sizeof *m);
    if (m == NULL) {
        return NULL;
    }
    m->name = sf_strdup(name);
    m->labels = sf_strdup(labels);
    m->help = sf_strdup(help);
    if (m->name == NULL || m->labels == NULL || m->help == NULL) {
        destroy(m);
        return NULL;
    }
    return m;
}

static int order(const struct metric *m, const char *name, const char *labels)
{
    int by_name = strcmp(m->name, name);
    return by_name != 0 ? by_name : strcmp(m->labels, labels);
}

/* What was registered under the name and labels, or `made` (then the list's), or NULL: `made` is
 * NULL too, or there are too many. */
static struct metric *find_or_put(const char *name, const char *labels, struct metric *made)
{
    (void)pthread_mutex_lock(&lock);
    struct metric **at = &all;
    while (*at != NULL && order(*at, name, labels) < 0) {
        at = &(*at)->next;
    }
    struct metric *m = *at != NULL && order(*at, name, labels) == 0 ? *at : NULL;
    if (m == NULL && made != NULL && n_series < METRIC_SERIES_MAX) {
        made->next = *at;
        *at = m = made;
        n_series++;
    }
    (void)pthread_mutex_unlock(&lock);
    return m;
}

/* Whole before others see it: afterwards only the atomics change. */
static struct metric *find_or_create(const struct metric *like, const char *name,
                                     const char *labels, const char *help)
{
    struct metric *m = find_or_put(name, labels, NULL);
    if (m == NULL) {
        struct metric *made = create(name, labels, help);
        if (made != NULL) {
            made->kind = like->kind;
            made->n_bounds = like->n_bounds;
            memcpy(made->bounds, like->bounds, sizeof like->bounds);
            m = find_or_put(name, labels, made);
            if (m != made) {
                destroy(made);
            }
        }
    }
    return m;
}

struct metric *metric_counter(const char *name, const char *labels, const char *help)
{
    return find_or_create(&(struct metric){.kind = KIND_COUNTER}, name, labels, help);
}

struct metric *metric_gauge(const char *name, const char *labels, const char *help)
{
    return find_or_create(&(struct metric){.kind = KIND_GAUGE}, name, labels, help);
}

struct metric *metric_histogram(const char *name, const char *labels, const char *help,
                                const double *buckets, size_t n_buckets)
{
    struct metric like = {.kind = KIND_HISTOGRAM, .n_bounds = n_buckets};
    SF_BUG_ON(n_buckets > MAX_BUCKETS);
    memcpy(like.bounds, buckets, n_buckets * sizeof *buckets);
    return find_or_create(&like, name, labels, help);
}

static void add_to(_Atomic double *sum, double v)
{
    double had = atomic_load_explicit(sum, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(sum, &had, had + v, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

void metric_add(struct metric *m, double v)
{
    if (m != NULL) {
        add_to(&m->value, v);
    }
}

void metric_set(struct metric *m, double v)
{
    if (m != NULL) {
        atomic_store_explicit(&m->value, v, memory_order_relaxed);
        atomic_store(&m->hidden, false);
    }
}

void metric_observe(struct metric *m, double v)
{
    if (m == NULL) {
        return;
    }
    size_t i = 0;
    while (i < m->n_bounds && v > m->bounds[i]) {
        i++;
    }
    (void)atomic_fetch_add_explicit(&m->counts[i], 1, memory_order_relaxed);
    add_to(&m->value, v);
}

/* The counts at one moment, so that buckets and their sum agree with each other. */
static uint64_t read_counts(const struct metric *m, uint64_t counts[static MAX_BUCKETS + 1])
{
    uint64_t sum = 0;
    for (size_t i = 0; i <= m->n_bounds; i++) {
        counts[i] = atomic_load_explicit(&m->counts[i], memory_order_relaxed);
        sum += counts[i];
    }
    return sum;
}

double metric_value(const struct metric *m)
{
    uint64_t counts[MAX_BUCKETS + 1];
    if (m == NULL) {
        return 0;
    }
    return m->kind == KIND_HISTOGRAM ? (double)read_counts(m, counts) : atomic_load(&m->value);
}

double metric_quantile(const struct metric *m, double q)
{
    uint64_t counts[MAX_BUCKETS + 1];
    if (m == NULL) {
        return 0;
    }
    double wanted = q * (double)read_counts(m, counts), seen = (double)counts[0];
    size_t i = 0;
    while (i < m->n_bounds && seen < wanted) {
        seen += (double)counts[++i];
    }
    return wanted <= 0 ? 0 : i < m->n_bounds ? m->bounds[i] : HUGE_VAL;
}

void metric_hide(const char *name)
{
    (void)pthread_mutex_lock(&lock);
    for (struct metric *m = all; m != NULL; m = m->next) {
        if (strcmp(m->name, name) == 0) {
            atomic_store(&m->hidden, true);
        }
    }
    (void)pthread_mutex_unlock(&lock);
}

void metric_label(char *out, size_t room, const char *key, const char *value)
{
    struct sf_buf b;
    struct sf_str rest = sf_utf8_head(sf_str(value), METRIC_LABEL_MAX);
    size_t used = strlen(out);
    bool valid;
    sf_buf_init(&b, 1024);
    sf_buf_printf(&b, "%s%s=\"", used == 0 ? "" : ",", key);
    while (rest.n > 0) {
        uint32_t c = sf_utf8_next(&rest, &valid);
        if (c == '"' || c == '\\') {
            sf_buf_putc(&b, '\\');
        }
        sf_utf8_put(&b, c < ' ' || c == 127 ? ' ' : c);
    }
    sf_buf_putc(&b, '"');
    if (b.err == SF_OK && used + b.n < room) {
        memcpy(out + used, sf_buf_z(&b), b.n + 1);
    }
    sf_buf_fini(&b);
}

static void put_labels(struct sf_buf *out, const struct metric *m)
{
    if (m->labels[0] != '\0') {
        sf_buf_printf(out, "{%s}", m->labels);
    }
}

static void put_histogram(struct sf_buf *out, const struct metric *m)
{
    const char *comma = m->labels[0] == '\0' ? "" : ",";
    uint64_t counts[MAX_BUCKETS + 1], sum = 0;
    (void)read_counts(m, counts);
    for (size_t i = 0; i <= m->n_bounds; i++) {
        sum += counts[i];
        sf_buf_printf(out, "%s_bucket{%s%sle=\"", m->name, m->labels, comma);
        if (i < m->n_bounds) {
            sf_buf_printf(out, "%.10g", m->bounds[i]);
        } else {
            sf_buf_puts(out, "+Inf");
        }
        sf_buf_printf(out, "\"} %llu\n", (unsigned long long)sum);
    }
    sf_buf_printf(out, "%s_sum", m->name);
    put_labels(out, m);
    sf_buf_printf(out, " %.10g\n%s_count", atomic_load(&m->value), m->name);
    put_labels(out, m);
    sf_buf_printf(out, " %llu\n", (unsigned long long)sum);
}

void metric_render(struct sf_buf *out)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    (void)pthread_mutex_lock(&lock);
    const char *last = "";
    for (const struct metric *m = all; m != NULL; m = m->next) {
        if (atomic_load(&m->hidden)) {
            continue;
        }
        if (strcmp(last, m->name) != 0) {
            sf_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
                          types[m->kind]);
            last = m->name;
        }
        if (m->kind == KIND_HISTOGRAM) {
            put_histogram(out, m);
            continue;
        }
        sf_buf_puts(out, m->name);
        put_labels(out, m);
        sf_buf_printf(out, " %.15g\n", atomic_load(&m->value));
    }
    (void)pthread_mutex_unlock(&lock);
}

/* SPDX-License-Identifier: MIT */
#include "base/metric.h"

#include "base/mem.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#define MAX_BUCKETS 16

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

struct metric {
    struct metric *next;
    char *name;
    char *labels;
    char *help;
    enum kind kind;
    double value; /* sum of a histogram */
    double bounds[MAX_BUCKETS];
    uint64_t counts[MAX_BUCKETS + 1];
    size_t n_bounds;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *all; /* sorted by name, then labels */

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

static struct metric *find_or_create(enum kind kind, const char *name, const char *labels,
                                     const char *help)
{
    (void)pthread_mutex_lock(&lock);
    struct metric **at = &all;
    while (*at != NULL && order(*at, name, labels) < 0) {
        at = &(*at)->next;
    }
    struct metric *m = *at;
    if (m == NULL || order(m, name, labels) != 0) {
        m = create(name, labels, help);
        if (m != NULL) {
            m->kind = kind;
            m->next = *at;
            *at = m;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return m;
}

struct metric *metric_counter(const char *name, const char *labels, const char *help)
{
    return find_or_create(KIND_COUNTER, name, labels, help);
}

struct metric *metric_gauge(const char *name, const char *labels, const char *help)
{
    return find_or_create(KIND_GAUGE, name, labels, help);
}

struct metric *metric_histogram(const char *name, const char *labels, const char *help,
                                const double *buckets, size_t n_buckets)
{
    SF_BUG_ON(n_buckets > MAX_BUCKETS);
    struct metric *m = find_or_create(KIND_HISTOGRAM, name, labels, help);
    if (m != NULL) {
        (void)pthread_mutex_lock(&lock);
        memcpy(m->bounds, buckets, n_buckets * sizeof *buckets);
        m->n_bounds = n_buckets;
        (void)pthread_mutex_unlock(&lock);
    }
    return m;
}

void metric_add(struct metric *m, double v)
{
    if (m != NULL) {
        (void)pthread_mutex_lock(&lock);
        m->value += v;
        (void)pthread_mutex_unlock(&lock);
    }
}

void metric_set(struct metric *m, double v)
{
    if (m != NULL) {
        (void)pthread_mutex_lock(&lock);
        m->value = v;
        (void)pthread_mutex_unlock(&lock);
    }
}

void metric_observe(struct metric *m, double v)
{
    if (m == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&lock);
    size_t i = 0;
    while (i < m->n_bounds && v > m->bounds[i]) {
        i++;
    }
    m->counts[i]++;
    m->value += v;
    (void)pthread_mutex_unlock(&lock);
}

static uint64_t observations(const struct metric *m)
{
    uint64_t sum = 0;
    for (size_t i = 0; i <= m->n_bounds; i++) {
        sum += m->counts[i];
    }
    return sum;
}

double metric_value(const struct metric *m)
{
    if (m == NULL) {
        return 0;
    }
    (void)pthread_mutex_lock(&lock);
    double v = m->kind == KIND_HISTOGRAM ? (double)observations(m) : m->value;
    (void)pthread_mutex_unlock(&lock);
    return v;
}

double metric_quantile(const struct metric *m, double q)
{
    if (m == NULL) {
        return 0;
    }
    (void)pthread_mutex_lock(&lock);
    double wanted = q * (double)observations(m), seen = (double)m->counts[0];
    size_t i = 0;
    while (i < m->n_bounds && seen < wanted) {
        seen += (double)m->counts[++i];
    }
    double bound = wanted <= 0 ? 0 : i < m->n_bounds ? m->bounds[i] : HUGE_VAL;
    (void)pthread_mutex_unlock(&lock);
    return bound;
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
    uint64_t sum = 0;
    for (size_t i = 0; i <= m->n_bounds; i++) {
        sum += m->counts[i];
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
    sf_buf_printf(out, " %.10g\n%s_count", m->value, m->name);
    put_labels(out, m);
    sf_buf_printf(out, " %llu\n", (unsigned long long)sum);
}

void metric_render(struct sf_buf *out)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    (void)pthread_mutex_lock(&lock);
    const char *last = "";
    for (const struct metric *m = all; m != NULL; m = m->next) {
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
        sf_buf_printf(out, " %.10g\n", m->value);
    }
    (void)pthread_mutex_unlock(&lock);
}

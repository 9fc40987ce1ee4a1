/* SPDX-License-Identifier: MIT */
#ifndef SF_BASE_METRIC_H
#define SF_BASE_METRIC_H

#include "base/buf.h"

/* Counters, gauges and histograms any room registers and only miner/ renders. Names follow
 * Prometheus: base units, `_total`, `_seconds`, `_bytes`. Label values come from small fixed sets.
 * All calls are thread-safe; handles live as long as the process. */
struct metric;

/* Series beyond this many are not registered (NULL): whatever labels are made of cannot fill the
 * memory. */
#define METRIC_SERIES_MAX 4096

/* Registers, or finds what was registered under the same name and labels (labels as
 * `task="chapters",status="200"`, or ""). NULL when out of memory; every call accepts NULL. */
struct metric *metric_counter(const char *name, const char *labels, const char *help);
struct metric *metric_gauge(const char *name, const char *labels, const char *help);
/* Buckets in the metric's unit, ascending, without +Inf; at most 16. */
struct metric *metric_histogram(const char *name, const char *labels, const char *help,
                                const double *buckets, size_t n_buckets);

/* Once it is registered, nothing below takes a lock. */
void metric_add(struct metric *m, double v); /* counter, gauge */
void metric_set(struct metric *m, double v); /* gauge; counter: of what somebody else counts */
void metric_observe(struct metric *m, double v);
double metric_value(const struct metric *m); /* counter, gauge; histogram: number of observations */
/* The upper bound of the bucket that holds the share `q` (0.99) of a histogram's observations; 0
 * without any, infinite above the last bound. */
double metric_quantile(const struct metric *m, double q);

/* Leaves out all series of a name until they are set again: for gauges of things that come and go.
 */
void metric_hide(const char *name);

/* Appends `key="value"` to labels in `out` (with a comma where something stands there), the value
 * escaped, made UTF-8 and cut at METRIC_LABEL_MAX code points. What does not fit is left out whole.
 */
#define METRIC_LABEL_MAX 64
void metric_label(char *out, size_t room, const char *key, const char *value);

/* Prometheus' text format of all, sorted by name. */
void metric_render(struct sf_buf *out);

#endif

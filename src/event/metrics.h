/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h  Counters and gauges by name, read in Prometheus text form. A metric is made once and then written from any thread by
 * atomic operations; labels are part of its identity. Names and meanings are listed in docs/metrics.md.                */
#ifndef EVENT_METRICS_H
#define EVENT_METRICS_H
#include <stdint.h>
#include "base/buf.h"

struct metrics;
struct metric;
enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

int metrics_create(struct metrics **mp);
void metrics_destroy(struct metrics *m);
/* The metric of that name and labels (`labels` like `gateway="pool",flow="options"`, or NULL), made if new; lives as long as the
 * registry. NULL without memory or with a NULL registry; the writers accept NULL. Any thread. */
struct metric *metric_get(struct metrics *m, enum metric_kind kind, const char *name, const char *labels, const char *help);
void metric_add(struct metric *x, int64_t n);
void metric_set(struct metric *x, int64_t v);
/* Keeps the greater value. */
void metric_max(struct metric *x, int64_t v);
int64_t metric_value(const struct metric *x);
int metrics_render(struct metrics *m, struct buf *out);
/* A label value with backslash, quote and line feed escaped. Returns dst. */
char *metric_label(struct text value, char *dst, size_t size);

#endif

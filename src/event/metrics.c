/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c  A registry of counters and gauges; rendered sorted by name, as Prometheus wants families together. */
#include "event/metrics.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include "base/mem.h"

struct metric {
	struct metric *next; /* sorted by name, then labels */
	enum metric_kind kind;
	atomic_llong value;
	char *name, *labels, *help;
};

struct metrics {
	pthread_mutex_t lock;
	struct metric *first;
};

static void metric_destroy(struct metric *x)
{
	if (!x)
		return;
	mem_free(x->name);
	mem_free(x->labels);
	mem_free(x->help);
	mem_free(x);
}

int metrics_create(struct metrics **mp)
{
	struct metrics *m = mem_zalloc(1, sizeof *m);
	if (!m)
		return ENOMEM;
	pthread_mutex_init(&m->lock, NULL);
	*mp = m;
	return 0;
}

void metrics_destroy(struct metrics *m)
{
	if (!m)
		return;
	for (struct metric *x = m->first, *next; x; x = next) {
		next = x->next;
		metric_destroy(x);
	}
	pthread_mutex_destroy(&m->lock);
	mem_free(m);
}

static struct metric *metric_new(enum metric_kind kind, const char *name, const char *labels, const char *help)
{
	struct metric *x = mem_zalloc(1, sizeof *x);
	if (!x)
		return NULL;
	x->kind = kind;
	x->name = mem_strdup(name);
	x->labels = mem_strdup(labels);
	x->help = mem_strdup(help ? help : "");
	if (x->name && x->labels && x->help)
		return x;
	metric_destroy(x);
	return NULL;
}

struct metric *metric_get(struct metrics *m, enum metric_kind kind, const char *name, const char *labels, const char *help)
{
	if (!m)
		return NULL;
	if (!labels)
		labels = "";
	pthread_mutex_lock(&m->lock);
	struct metric **at = &m->first, *x = NULL;
	for (; *at; at = &(*at)->next) {
		int by_name = strcmp((*at)->name, name), order = by_name ? by_name : strcmp((*at)->labels, labels);
		if (order == 0)
			x = *at;
		if (order >= 0)
			break;
	}
	if (!x && (x = metric_new(kind, name, labels, help)) != NULL) {
		x->next = *at;
		*at = x;
	}
	pthread_mutex_unlock(&m->lock);
	return x;
}

void metric_add(struct metric *x, int64_t n)
{
	if (x)
		atomic_fetch_add_explicit(&x->value, n, memory_order_relaxed);
}

void metric_set(struct metric *x, int64_t v)
{
	if (x)
		atomic_store_explicit(&x->value, v, memory_order_relaxed);
}

void metric_max(struct metric *x, int64_t v)
{
	long long was = x ? atomic_load(&x->value) : v;
	while (was < v && !atomic_compare_exchange_weak(&x->value, &was, v))
		;
}

int64_t metric_value(const struct metric *x)
{
	return x ? atomic_load(&x->value) : 0;
}

char *metric_label(struct text value, char *dst, size_t size)
{
	size_t o = 0;
	for (size_t i = 0; i < value.n && o + 3 < size; i++) {
		char c = value.p[i];
		if (c == '\\' || c == '"' || c == '\n')
			dst[o++] = '\\';
		dst[o++] = c == '\n' ? 'n' : c;
	}
	dst[o] = '\0';
	return dst;
}

int metrics_render(struct metrics *m, struct buf *out)
{
	const char *family = "";
	pthread_mutex_lock(&m->lock);
	for (struct metric *x = m->first; x; x = x->next) {
		if (strcmp(family, x->name) != 0)
			buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", x->name, x->help, x->name, x->kind == METRIC_COUNTER ? "counter" : "gauge");
		family = x->name;
		buf_printf(out, "%s%s%s%s %lld\n", x->name, x->labels[0] ? "{" : "", x->labels, x->labels[0] ? "}" : "", (long long)atomic_load(&x->value));
	}
	pthread_mutex_unlock(&m->lock);
	return buf_error(out);
}

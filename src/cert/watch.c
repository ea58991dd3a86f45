/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c  Days left, said once at each threshold. */
#include "cert/watch.h"
#include <errno.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "cert_events.h"
#include "net/tmr.h"
#include "trust/rule.h"

enum { HOUR_MS = 3600 * 1000, SAID_MAX = 256 };
static const int thresholds[] = { 30, 14, 7, 1, 0 };

/* What was said of one certificate: by fingerprint, the lowest threshold. */
struct said {
	char sha256[65];
	int threshold;
};

struct cert_watch {
	struct loop *loop;
	struct trust_keeper *keeper;
	struct ev_bus *bus;
	struct metrics *metrics;
	struct tmr timer;
	struct said said[SAID_MAX];
	unsigned n_said;
	struct ev_report r;
};

static struct said *said_of(struct cert_watch *w, const char *sha256)
{
	for (unsigned i = 0; i < w->n_said; i++)
		if (strcmp(w->said[i].sha256, sha256) == 0)
			return &w->said[i];
	if (w->n_said == SAID_MAX)
		return NULL;
	struct said *s = &w->said[w->n_said++];
	text_fill(s->sha256, sizeof s->sha256, sha256);
	s->threshold = 1000;
	return s;
}

/* The lowest threshold that has been reached; 1000 if none. */
static int reached(int64_t left_s)
{
	int low = 1000;
	for (unsigned i = 0; i < sizeof thresholds / sizeof *thresholds; i++)
		if (left_s <= thresholds[i] * 86400LL)
			low = thresholds[i];
	return low;
}

static void look_at(struct cert_watch *w, const struct trust_cert *c, const char *identity, uint16_t soon, uint16_t gone)
{
	char at[RFC3339_SIZE];
	int64_t left_s = c->not_after_s - clock_real_s(loop_clock(w->loop));
	int low = reached(left_s);
	struct said *s = low < 1000 ? said_of(w, c->sha256) : NULL;
	if (!s || s->threshold <= low)
		return;
	s->threshold = low;
	ev_set(&w->r, left_s <= 0 ? gone : soon);
	ev_str(&w->r, "identity", identity);
	ev_str(&w->r, "cn", c->cn[0] ? c->cn : c->subject);
	ev_str(&w->r, "not_after", rfc3339_s(c->not_after_s, at));
	ev_int(&w->r, "days", left_s > 0 ? (left_s + 86399) / 86400 : 0);
	ev_emit(w->bus, &w->r);
}

static void measure(struct cert_watch *w, const struct trust_identity *id)
{
	char label[160], name[96];
	int64_t left_s = trust_identity_not_after_s(id) - clock_real_s(loop_clock(w->loop));
	text_print(label, sizeof label, "identity=\"%s\"", metric_label(text_of(trust_identity_name(id)), name, sizeof name));
	metric_set(metric_get(w->metrics, METRIC_GAUGE, "umbel_certificate_seconds_left", label, "Seconds until the certificate of an identity expires"),
		   left_s);
}

void cert_watch_look(struct cert_watch *w)
{
	struct trust_set *set = trust_keeper_get(w->keeper);
	struct trust_cert *c = mem_alloc(sizeof *c);
	for (unsigned i = 0; i < trust_set_count(set); i++) {
		const struct trust_identity *id = trust_set_at(set, i);
		look_at(w, trust_identity_cert(id), trust_identity_name(id), EV_CERT_EXPIRES, EV_CERT_EXPIRED);
		measure(w, id);
	}
	for (unsigned i = 0; c && i < trust_set_anchors(set); i++) {
		trust_cert_describe(c, trust_set_anchor_at(set, i));
		look_at(w, c, "", EV_CERT_ROOT_EXPIRES, EV_CERT_ROOT_EXPIRES);
	}
	mem_free(c);
	mem_unref(set);
}

static void hourly(void *arg)
{
	struct cert_watch *w = arg;
	cert_watch_look(w);
	tmr_start(w->loop, &w->timer, HOUR_MS, hourly, w);
}

int cert_watch_create(struct cert_watch **wp, struct loop *loop, struct trust_keeper *keeper, struct ev_bus *bus, struct metrics *metrics)
{
	struct cert_watch *w = mem_zalloc(1, sizeof *w);
	if (!w)
		return ENOMEM;
	w->loop = loop;
	w->keeper = keeper;
	w->bus = bus;
	w->metrics = metrics;
	hourly(w);
	*wp = w;
	return 0;
}

void cert_watch_destroy(struct cert_watch *w)
{
	if (!w)
		return;
	tmr_cancel(&w->timer);
	mem_free(w);
}

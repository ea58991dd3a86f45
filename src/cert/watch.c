/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c  Days left, said once at each threshold. */
#include "cert/watch.h"
#include <errno.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "cert_events.h"
#include "gateway/gateway.h"
#include "net/tmr.h"
#include "trust/rule.h"
#include "trust_events.h"

enum { HOUR_MS = 3600 * 1000, SAID_MAX = 1200 };
static const int thresholds[] = { 30, 14, 7, 1, 0 };

enum trap { TRAP_HASH = 1, TRAP_KEY = 2, TRAP_CLIENT = 4, TRAP_STAPLE = 8 };

/* What was said of one certificate: by fingerprint, the lowest threshold and the traps. */
struct said {
	char sha256[65];
	int threshold;
	unsigned traps;
	uint64_t looked; /* the turn in which it was met last */
};

struct cert_watch {
	struct loop *loop;
	struct trust_keeper *keeper;
	struct gw_table *gateways;
	struct ev_bus *bus;
	struct metrics *metrics;
	struct tmr timer;
	struct said said[SAID_MAX];
	unsigned n_said;
	uint64_t turn;
	int64_t lists_s; /* till when revocation lists were looked at */
	struct ev_report r;
};

/* A place for one more: one that was not met for a while gives it. */
static struct said *new_place(struct cert_watch *w)
{
	if (w->n_said < SAID_MAX)
		return &w->said[w->n_said++];
	struct said *oldest = &w->said[0];
	for (unsigned i = 1; i < SAID_MAX; i++)
		if (w->said[i].looked < oldest->looked)
			oldest = &w->said[i];
	return oldest->looked < w->turn ? oldest : NULL;
}

static struct said *said_of(struct cert_watch *w, const char *sha256)
{
	struct said *s = NULL;
	for (unsigned i = 0; i < w->n_said && !s; i++)
		if (strcmp(w->said[i].sha256, sha256) == 0)
			s = &w->said[i];
	if (!s && (s = new_place(w)) != NULL) {
		*s = (struct said){ .threshold = 1000 };
		text_fill(s->sha256, sizeof s->sha256, sha256);
	}
	if (s)
		s->looked = w->turn;
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

/* Whose it is, and what is said of it. */
struct kind {
	const char *identity, *gateway;
	uint16_t soon, gone;
	bool ours_dialling; /* ours, shown to gateways: needs clientAuth, too */
};

static void say(struct cert_watch *w, const struct trust_cert *c, const struct kind *k, uint16_t event, int64_t left_s)
{
	char at[RFC3339_SIZE];
	ev_set(&w->r, event);
	ev_str(&w->r, "identity", k->identity);
	ev_str(&w->r, "gateway", k->gateway);
	ev_str(&w->r, "cn", c->cn[0] ? c->cn : c->subject);
	ev_str(&w->r, "issuer", c->issuer);
	ev_str(&w->r, "digest", c->digest);
	ev_str(&w->r, "key", c->key);
	ev_str(&w->r, "not_after", rfc3339_s(c->not_after_s, at));
	ev_int(&w->r, "days", left_s > 0 ? (left_s + 86399) / 86400 : 0);
	ev_emit(w->bus, &w->r);
}

static bool short_key(const char *key)
{
	uint32_t bits;
	if (text_starts(text_of(key), "RSA-"))
		return text_u32(text_skip(text_of(key), 4), 65536, &bits) == 0 && bits < 2048;
	return strcmp(key, "EC-P-192") == 0 || strcmp(key, "EC-P-224") == 0;
}

static bool weak_digest(const char *digest)
{
	return strcmp(digest, "MD5") == 0 || strcmp(digest, "SHA1") == 0 || strcmp(digest, "MD4") == 0 || strcmp(digest, "MD2") == 0;
}

static void look_for_traps(struct cert_watch *w, const struct trust_cert *c, const struct kind *k, struct said *s, int64_t left_s)
{
	unsigned now = 0;
	if (weak_digest(c->digest) && !c->self_signed) /* nobody looks at a root's own signature */
		now |= TRAP_HASH;
	if (short_key(c->key))
		now |= TRAP_KEY;
	if (k->ours_dialling && c->public_ca && (c->eku & TRUST_EKU_CLIENT))
		now |= TRAP_CLIENT;
	now &= ~s->traps;
	s->traps |= now;
	if (now & TRAP_HASH)
		say(w, c, k, EV_CERT_TRAP_HASH, left_s);
	if (now & TRAP_KEY)
		say(w, c, k, EV_CERT_TRAP_KEY, left_s);
	if (now & TRAP_CLIENT)
		say(w, c, k, EV_CERT_TRAP_CLIENT, left_s);
}

static void look_at(struct cert_watch *w, const struct trust_cert *c, const struct kind *k)
{
	int64_t left_s = c->not_after_s - clock_real_s(loop_clock(w->loop));
	int low = reached(left_s);
	struct said *s = said_of(w, c->sha256);
	if (!s)
		return;
	look_for_traps(w, c, k, s, left_s);
	if (low == 1000 || s->threshold <= low)
		return;
	s->threshold = low;
	say(w, c, k, left_s <= 0 ? k->gone : k->soon, left_s);
}

static void measure(struct cert_watch *w, const char *metric, const char *help, const char *what, const char *name, int64_t not_after_s)
{
	char label[TRUST_NAME_SIZE * 2 + 32], value[TRUST_NAME_SIZE * 2];
	int64_t left_s = not_after_s - clock_real_s(loop_clock(w->loop));
	text_print(label, sizeof label, "%s=\"%s\"", what, metric_label(text_of(name), value, sizeof value));
	metric_set(metric_get(w->metrics, METRIC_GAUGE, metric, label, help), left_s);
}

/* A response holds for days; one that nobody renews is of no use from some hour on. */
static void look_at_staple(struct cert_watch *w, const struct trust_identity *id)
{
	struct said *s = said_of(w, trust_identity_fingerprint(id));
	bool useless = trust_identity_staple_useless(id, clock_real_s(loop_clock(w->loop)));
	if (s && useless && !(s->traps & TRAP_STAPLE)) {
		ev_set(&w->r, EV_TRUST_STAPLE_USELESS);
		ev_str(&w->r, "identity", trust_identity_name(id));
		ev_str(&w->r, "cn", trust_identity_cn(id));
		ev_str(&w->r, "file", trust_identity_staple_file(id));
		ev_emit(w->bus, &w->r);
	}
	if (s)
		s->traps = useless ? s->traps | TRAP_STAPLE : s->traps & ~(unsigned)TRAP_STAPLE;
}

static void look_at_ours(struct cert_watch *w, const struct trust_identity *id, struct trust_cert *c)
{
	struct kind leaf = { trust_identity_name(id), "", EV_CERT_EXPIRES, EV_CERT_EXPIRED, true };
	struct kind middle = { trust_identity_name(id), "", EV_CERT_MIDDLE_EXPIRES, EV_CERT_MIDDLE_EXPIRED, false };
	STACK_OF(X509) *chain = trust_identity_chain(id);
	if (strchr(trust_identity_name(id), '+')) /* being rehearsed */
		return;
	look_at(w, trust_identity_cert(id), &leaf);
	look_at_staple(w, id);
	measure(w, "umbel_certificate_seconds_left", "Seconds until the certificate of an identity expires", "identity", trust_identity_name(id),
		trust_identity_not_after_s(id));
	for (int i = 0; i < sk_X509_num(chain); i++) {
		trust_cert_describe(c, sk_X509_value(chain, i));
		look_at(w, c, &middle);
	}
}

void cert_watch_peer(struct cert_watch *w, const char *gateway, const struct trust_facts *f)
{
	struct kind leaf = { "", gateway, EV_CERT_PEER_EXPIRES, EV_CERT_PEER_EXPIRED, false };
	struct kind middle = { "", gateway, EV_CERT_PEER_MIDDLE_EXPIRES, EV_CERT_PEER_MIDDLE_EXPIRED, false };
	const struct trust_middle *m = &f->theirs_middle;
	struct trust_cert *c = mem_zalloc(1, sizeof *c);
	look_at(w, &f->theirs, &leaf);
	measure(w, "umbel_peer_certificate_seconds_left", "Seconds until the certificate that a gateway showed last expires", "gateway", gateway,
		f->theirs.not_after_s);
	if (c && *m->sha256) {
		text_fill(c->cn, sizeof c->cn, m->cn);
		text_fill(c->sha256, sizeof c->sha256, m->sha256);
		c->not_after_s = m->not_after_s;
		look_at(w, c, &middle);
	}
	mem_free(c);
}

/* What it showed last, whoever dialled. */
static void look_at_gateway(struct cert_watch *w, const struct gateway *g)
{
	const struct trust_facts *last = NULL;
	int64_t at_us = 0;
	for (int f = 0; f < GW_FLOWS; f++) {
		const struct gw_flow_state *s = gw_flow_state(g, (enum gw_flow_kind)f);
		if (s->facts.theirs.shown && s->at_us > at_us) {
			last = &s->facts;
			at_us = s->at_us;
		}
	}
	if (last)
		cert_watch_peer(w, gw_name(g), last);
}

static void pass_on(const struct ev_report *r, void *arg)
{
	ev_emit(arg, r);
}

void cert_watch_look(struct cert_watch *w)
{
	int64_t now_s = clock_real_s(loop_clock(w->loop));
	struct trust_set *set = trust_keeper_get(w->keeper);
	struct trust_cert *c = mem_alloc(sizeof *c);
	struct kind root = { "", "", EV_CERT_ROOT_EXPIRES, EV_CERT_ROOT_EXPIRED, false };
	w->turn++;
	for (unsigned i = 0; c && i < trust_set_count(set); i++)
		look_at_ours(w, trust_set_at(set, i), c);
	for (unsigned i = 0; c && i < trust_set_anchors(set); i++) {
		trust_cert_describe(c, trust_set_anchor_at(set, i));
		look_at(w, c, &root);
		measure(w, "umbel_root_certificate_seconds_left", "Seconds until a trusted authority expires", "authority", c->cn[0] ? c->cn : c->subject,
			c->not_after_s);
	}
	for (unsigned i = 0; w->gateways && i < gw_count(w->gateways); i++)
		look_at_gateway(w, gw_at(w->gateways, i));
	trust_set_lists_check(set, w->lists_s, now_s, pass_on, w->bus);
	w->lists_s = now_s;
	mem_free(c);
	mem_unref(set);
}

void cert_watch_gateways(struct cert_watch *w, struct gw_table *gateways)
{
	w->gateways = gateways;
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
	w->lists_s = clock_real_s(loop_clock(loop)); /* what was so before is told at the start */
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

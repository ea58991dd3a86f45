/* SPDX-License-Identifier: Apache-2.0 */
/* live.c  The live check: OPTIONS, a lamp, a call with a transfer, one after the other, and what is known of calls in. Nothing is guessed: each
 * step says what really happened. A check is an object with one reference for its life and one for each thing under way.     */
#include <errno.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "gateway/gateway_private.h"
#include "gateway_events.h"
#include "media/media.h"

enum { CALL_LIMIT_MS = 45000 };

struct gw_live {
	struct gateway *gw; /* NULL once it is over */
	gw_live_h *h;
	void *arg;
	bool all_good;
	struct leg *leg;
	struct media_port *port;
	struct tmr limit;
	bool answered, judged; /* the call's story is told */
	bool accepted;         /* the peer took the REFER */
};

static void next_step(struct gw_live *l, enum gw_live_step after);

static void live_destroy(void *object)
{
	struct gw_live *l = object;
	tmr_cancel(&l->limit);
	mem_unref(l->leg);
}

static void say(const struct gw_live *l, const struct gw_live_result *res)
{
	static const char *const names[] = { "options", "lamp", "transfer", "calls-in" };
	struct ev_report r = { 0 };
	ev_set(&r, EV_GW_LIVE_TRIED);
	ev_str(&r, "gateway", gw_name(l->gw));
	ev_str(&r, "step", names[res->step]);
	ev_str(&r, "works", gw_works_name(res->works));
	ev_str(&r, "words", res->words);
	ev_emit(l->gw->table->prm.bus, &r);
}

/* Tells one step and goes on to the next. */
static void tell(struct gw_live *l, enum gw_live_step step, enum gw_works works, const struct trust_verdict *v, const char *words)
{
	struct gw_live_result res = { .step = step, .works = works, .verdict = v };
	if (!l->gw)
		return;
	text_fill(res.words, sizeof res.words, words);
	l->all_good = l->all_good && works != GW_REFUSED;
	say(l, &res);
	l->h(&res, l->arg);
	if (l->gw)
		next_step(l, step);
}

static void finish(struct gw_live *l, bool tell_end, const char *words)
{
	struct gw_live_result res = { .step = GW_LIVE_STEPS, .works = l->all_good ? GW_WORKS : GW_REFUSED };
	if (!l->gw)
		return;
	l->gw->live = NULL;
	l->gw = NULL;
	tmr_cancel(&l->limit);
	if (l->leg && !leg_is_over(l->leg))
		leg_cancel(l->leg);
	text_fill(res.words, sizeof res.words, words);
	if (tell_end)
		l->h(&res, l->arg);
	mem_unref(l);
}

/* ---- OPTIONS ---- */

static void probed_h(struct gateway *g, void *arg)
{
	struct gw_live *l = arg;
	if (l->gw && g) {
		const struct gw_flow_state *s = gw_flow_state(g, GW_OPTIONS);
		enum gw_works works = gw_state(g) == GW_UP ? GW_WORKS : s->works;
		tell(l, GW_LIVE_OPTIONS, works, &s->verdict, s->verdict.sentence);
	}
	mem_unref(l);
}

static void try_options(struct gw_live *l)
{
	int err = gw_probe(l->gw, probed_h, mem_ref(l));
	if (!err)
		return;
	mem_unref(l);
	tell(l, GW_LIVE_OPTIONS, err == EBUSY ? GW_NOT_TRIED : GW_REFUSED, NULL,
	     err == EBUSY ? "another probe by hand is under way" : err == ENOTCONN ? "no address is known yet" : strerror(err));
}

/* ---- lamp ---- */

/* The account of the check belongs to nobody: an answer that says so shows that the gateway took the NOTIFY as such and looked for it. */
static bool account_unknown(int status)
{
	return status == 404 || status == 410 || status == 480 || status == 484 || status == 604;
}

static void lamp_h(const struct gw_lamp_result *res, void *arg)
{
	struct gw_live *l = arg;
	char words[512];
	bool open = account_unknown(res->status), good = res->sent == GW_SENT_DONE || open;
	if (res->sent == GW_SENT_DONE)
		text_print(words, sizeof words, "NOTIFY was answered %d", res->status);
	else if (open)
		text_print(words, sizeof words, "NOTIFY reached the gateway, which answered %d for an account of no mailbox: the way is open", res->status);
	else if (res->status == 481 || res->status == 489 || res->status == 405 || res->status == 501)
		text_print(words, sizeof words, "the gateway was reached, but takes no lamps that it did not subscribe to: it answered %d", res->status);
	else
		text_fill(words, sizeof words, res->verdict->sentence);
	if (l->gw && open)
		gw_flow_set(l->gw, GW_LAMP, true, &l->gw->flow[GW_LAMP].facts, res->verdict);
	tell(l, GW_LIVE_LAMP, good ? GW_WORKS : GW_REFUSED, res->verdict, words);
	mem_unref(l);
}

static void try_lamp(struct gw_live *l)
{
	static const char body[] = "Messages-Waiting: no\r\nVoice-Message: 0/0\r\n";
	char account[SIP_HOST_SIZE + 32];
	if (!l->gw->conf->lamp) {
		tell(l, GW_LIVE_LAMP, GW_NOT_TRIED, NULL, "lamps are switched off for this gateway (\"lamp\" in its configuration)");
		return;
	}
	text_print(account, sizeof account, "sip:umbel-live-check@%s", l->gw->peer->host);
	struct gw_lamp lamp = { .account = account, .body = body, .body_n = sizeof body - 1 };
	int err = gw_lamp_send(l->gw, &lamp, lamp_h, mem_ref(l));
	if (!err)
		return;
	mem_unref(l);
	tell(l, GW_LIVE_LAMP, GW_REFUSED, NULL, strerror(err));
}

/* ---- a call, and its transfer ---- */

static void no_media_event(struct media_port *port, const struct media_event *ev, void *arg)
{
	(void)port;
	(void)ev;
	(void)arg;
}

static void close_port(struct gw_live *l)
{
	if (l->port)
		media_port_close(l->port);
	l->port = NULL;
}

/* The call's story is known: told once. The leg may go on to its end by itself. */
static void judge_call(struct gw_live *l, enum gw_works works, const struct trust_facts *facts, const char *words)
{
	struct trust_verdict v = { 0 };
	struct trust_facts full;
	if (l->judged)
		return;
	l->judged = true;
	tmr_cancel(&l->limit);
	if (l->gw && facts)
		gw_judge(l->gw, facts, &full, &v);
	if (l->gw && facts && works == GW_REFUSED)
		gw_flow_set(l->gw, GW_TRANSFER, false, &full, &v);
	if (!leg_is_over(l->leg)) {
		if (l->answered)
			leg_hangup(l->leg, "live check");
		else
			leg_cancel(l->leg);
	}
	tell(l, GW_LIVE_TRANSFER, works, facts ? &v : NULL, words);
}

static void limit_h(void *arg)
{
	struct gw_live *l = arg;
	judge_call(l, GW_REFUSED, NULL, !l->answered ? "the call to the test target was not answered in time" :
	           l->accepted ? "the gateway took the REFER, but did not tell its outcome in time" : "the REFER got no answer in time");
}

static void test_uri(const struct gateway *g, char *uri, size_t size)
{
	const char *t = g->conf->transfer_test;
	if (text_starts_nocase(text_of(t), "sip:") || text_starts_nocase(text_of(t), "sips:"))
		text_fill(uri, size, t);
	else
		text_print(uri, size, "sip:%s@%s", t, g->peer->host);
}

static void refer(struct gw_live *l, struct leg *leg)
{
	char uri[SIP_HOST_SIZE + 128];
	if (!l->gw || l->judged)
		return;
	test_uri(l->gw, uri, sizeof uri);
	int err = leg_transfer(leg, uri, NULL);
	if (err)
		judge_call(l, GW_REFUSED, NULL, strerror(err));
}

static void call_over(struct gw_live *l, const struct leg_event *ev)
{
	char words[512];
	if (ev->end == LEG_END_REJECTED)
		text_print(words, sizeof words, "the call to the test target was refused: %d %s", ev->status, ev->reason);
	else
		text_print(words, sizeof words, "the call to the test target failed: %s", *ev->reason ? ev->reason : leg_end_name(ev->end));
	judge_call(l, GW_REFUSED, ev->facts, words);
	close_port(l);
	mem_unref(l);
}

static void leg_h(struct leg *leg, const struct leg_event *ev, void *arg)
{
	struct gw_live *l = arg;
	char words[512];
	switch (ev->type) {
	case LEG_ANSWERED:
		l->answered = true;
		refer(l, leg);
		break;
	case LEG_TRANSFER_PROGRESS:
		l->accepted = true;
		break;
	case LEG_TRANSFERRED:
		judge_call(l, GW_WORKS, NULL, "the gateway took the REFER, and the test target answered");
		break;
	case LEG_TRANSFER_FAILED:
		/* a target that is busy with the very call that tests it was reached all the same */
		if (l->accepted && ev->status)
			text_print(words, sizeof words, "the gateway took the REFER; the test target answered %d %s", ev->status, ev->reason);
		else
			text_print(words, sizeof words, "the transfer failed: %s", ev->reason);
		judge_call(l, l->accepted && ev->status ? GW_WORKS : GW_REFUSED, ev->facts, words);
		break;
	case LEG_ENDING:
		leg_confirm(leg, true);
		break;
	case LEG_OVER:
		call_over(l, ev);
		break;
	case LEG_PROGRESS:
	case LEG_HELD:
	case LEG_RESUMED:
	case LEG_DIGIT:
	case LEG_REFERRED:
	case LEG_REPLACED:
		break;
	}
}

static int open_port(struct gw_live *l, struct ev_report *why)
{
	struct gw_member_info m;
	struct net_addr local;
	gw_member(l->gw, 0, &m);
	int err = net_addr_is_set(&m.addr) ? net_addr_local_for(&local, &m.addr) : EDESTADDRREQ;
	if (err)
		return err;
	net_addr_set_port(&local, 0);
	struct media_port_prm prm = { .local = &local, .handler = no_media_event };
	return media_port_open(&l->port, l->gw->table->prm.media, &prm, why);
}

static void try_transfer(struct gw_live *l)
{
	struct gw_table *t = l->gw->table;
	struct ev_report why = { 0 };
	char uri[SIP_HOST_SIZE + 128], words[512];
	if (!*l->gw->conf->transfer_test) {
		tell(l, GW_LIVE_TRANSFER, GW_NOT_TRIED, NULL, "no test target is configured: set \"transfer_test\" of the gateway to a number that may be called");
		return;
	}
	if (!t->prm.media || !t->core) {
		tell(l, GW_LIVE_TRANSFER, GW_NOT_TRIED, NULL, "this process has no audio to call with");
		return;
	}
	int err = open_port(l, &why);
	test_uri(l->gw, uri, sizeof uri);
	struct leg_call_prm prm = { .uri = uri, .from_user = "umbel-live-check", .h = leg_h, .arg = mem_ref(l) };
	if (!err)
		err = leg_call(&l->leg, t->core, l->gw->peer, &prm, l->port, &why);
	if (err) {
		mem_unref(l);
		close_port(l);
		tell(l, GW_LIVE_TRANSFER, GW_REFUSED, NULL, why.id ? ev_sentence(&why, words, sizeof words) : strerror(err));
		return;
	}
	tmr_start(t->prm.loop, &l->limit, CALL_LIMIT_MS, limit_h, l);
}

/* ---- calls in ---- */

static void look_at_calls_in(struct gw_live *l)
{
	const struct gw_flow_state *s = gw_flow_state(l->gw, GW_CALLS_IN);
	char words[512], when[RFC3339_SIZE];
	if (s->works == GW_NOT_TRIED)
		text_fill(words, sizeof words, "no call has come from this gateway since the start; only the gateway can try that");
	else
		text_print(words, sizeof words, "the last one %s at %s: %s", s->works == GW_WORKS ? "came" : "failed", rfc3339_s(s->at_us / 1000000, when),
		           s->verdict.sentence);
	tell(l, GW_LIVE_CALLS_IN, s->works, s->works == GW_REFUSED ? &s->verdict : NULL, words);
}

/* ---- the order of it ---- */

static void next_step(struct gw_live *l, enum gw_live_step after)
{
	switch (after) {
	case GW_LIVE_OPTIONS:
		try_lamp(l);
		break;
	case GW_LIVE_LAMP:
		try_transfer(l);
		break;
	case GW_LIVE_TRANSFER:
		look_at_calls_in(l);
		break;
	case GW_LIVE_CALLS_IN:
	case GW_LIVE_STEPS:
		finish(l, true, l->all_good ? "nothing that was tried failed" : "something that was tried failed");
		break;
	}
}

static void begin_h(void *arg)
{
	struct gw_live *l = arg;
	if (l->gw)
		try_options(l);
	mem_unref(l);
}

int gw_check_live(struct gw_live **lp, struct gateway *g, gw_live_h *h, void *arg)
{
	if (g->live)
		return EBUSY;
	struct gw_live *l = mem_object(sizeof *l, live_destroy);
	if (!l)
		return ENOMEM;
	l->gw = g;
	l->h = h;
	l->arg = arg;
	l->all_good = true;
	int err = loop_post(g->table->prm.loop, begin_h, mem_ref(l));
	if (err) {
		mem_unref(l);
		mem_unref(l);
		return err;
	}
	g->live = l;
	*lp = l;
	return 0;
}

void gw_live_cancel(struct gw_live *l)
{
	finish(l, false, "");
}

void gw_live_abort(struct gw_live *l)
{
	l->all_good = false;
	finish(l, true, "the gateway was removed or changed meanwhile");
}

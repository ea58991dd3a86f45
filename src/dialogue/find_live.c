/* SPDX-License-Identifier: Apache-2.0 */
/* find_live.c  Find me, done: a call of ours to a place, a conversation of its own there (screen.c), and the two calls joined audio by audio.
 *
 *   the caller's call --found--> the call made      find -> screening -> taken -> join -> both talk -> one hangs up -> the other is hung up
 *                     <-partner-
 * Neither conversation is ever told from within the other one: what the made call has to say goes through its timer `tell`.  */
#include <errno.h>
#include "base/mem.h"
#include "dialogue/call_private.h"
#include "dialogue_events.h"
#include "gateway/gateway.h"

enum { SEARCHES_A_CALLER = 3 };

/* ---- the two of them ---- */
void dlg_call_part(struct dlg_call *c)
{
	struct dlg_call *made = c->found, *waiting = c->partner;
	c->found = c->partner = NULL;
	tmr_cancel(&c->tell);
	c->joined = false;
	if (waiting) {
		waiting->joined = false;
		if (waiting->found == c)
			waiting->found = mem_unref(waiting->found);
		mem_unref(waiting);
	}
	if (!made)
		return;
	made->partner = mem_unref(made->partner);
	tmr_cancel(&made->tell);
	if (c->port && made->joined)
		media_part(c->port);
	made->notes.drop = made->talk_over ? made->notes.drop : made->joined ? "caller-hung-up" : "cancelled";
	if (!made->talk_over)
		dlg_call_end(made, made->joined ? "the caller hung up" : "the caller is not waiting any more");
	mem_unref(made);
}

static void not_taken_any_more(struct dlg_call *c)
{
	if (!c->talk_over)
		dlg_job_failed(&c->s.eng, c->take_job, ENOTCONN);
}

static const char *purpose(const struct dlg_call *made)
{
	return made->table == &dlg_screen ? "find me" : "transfer";
}

static void ended(struct dlg_call *c, struct dlg_call *waiting)
{
	bool joined = c->joined, answered = c->answered;
	waiting->s.find_status = c->end_status;
	if (c->table == &dlg_screen)
		metric_add(joined ? c->svc->m.found : c->svc->m.not_found, 1);
	else
		metric_add(joined ? c->svc->m.transfers : c->svc->m.transfers_failed, 1);
	dlg_call_step(waiting, "%s: %s: %s", purpose(c), c->called, c->outcome);
	dlg_tell_two(waiting, TALE_OWN_CALL_OVER, "called", c->called, "what", c->outcome);
	dlg_call_part(c);
	if (joined)
		dlg_job_done(&waiting->s.eng, waiting->join_job, J_DONE);
	else
		dlg_job_failed(&waiting->s.eng, waiting->find_job, answered ? ETIMEDOUT : ECONNREFUSED);
}

static void tell(void *arg)
{
	struct dlg_call *c = mem_ref(arg), *waiting = mem_ref(c->partner);
	int what = c->tell_what;
	c->tell_what = TELL_NOTHING;
	if (!waiting) {
		if (what == TELL_TAKEN)
			not_taken_any_more(c);
	} else if (what == TELL_ENDED) {
		ended(c, waiting);
	} else if (what == TELL_TAKEN) {
		if (dlg_awaits(&waiting->s.eng, waiting->find_job))
			dlg_job_done(&waiting->s.eng, waiting->find_job, J_DONE);
		else
			not_taken_any_more(c);
	} else if (what == TELL_JOINED) {
		dlg_job_progress(&c->s.eng, c->take_job, 200);
		dlg_job_progress(&waiting->s.eng, waiting->join_job, 200);
	}
	mem_unref(waiting);
	mem_unref(c);
}

void dlg_call_tell(struct dlg_call *c, int what)
{
	if (!c->partner || !c->svc)
		return;
	c->tell_what = what;
	tmr_start(c->svc->prm.loop, &c->tell, 0, tell, c);
}

void dlg_call_pass_key(struct dlg_call *c, char key)
{
	struct dlg_call *other = c->outgoing ? c->partner : c->found;
	char keys[] = { key, '\0' };
	/* A phone without telephone-event hears them in the audio, if at all. */
	if (!other || !other->port || media_send_digits(other->port, keys, 0, 0) != EBUSY)
		return;
	size_t n = strlen(other->keys_wait);
	if (n + 1 < sizeof(other->keys_wait)) {
		other->keys_wait[n] = key;
		other->keys_wait[n + 1] = '\0';
	}
}

void dlg_call_pass_more(struct dlg_call *c)
{
	if (*c->keys_wait && c->port)
		(void)media_send_digits(c->port, c->keys_wait, 0, 0);
	c->keys_wait[0] = '\0';
}

/* Whom that call looks for somebody for; NULL when it does not, or when they talk. An answer alone says little: it may be our own. */
static const struct dlg_call *searches_for(const struct dlg_call *c)
{
	return c->outgoing && !c->joined ? c->partner : NULL;
}

/* A proxy keeps the Call-ID. */
bool dlg_is_own_search(const struct dlg_service *svc, const struct leg *leg)
{
	LIST_FOREACH(&svc->outgoing, it) {
		const struct dlg_call *c = LIST_ENTRY(it, struct dlg_call, outgoing_link);
		if (searches_for(c) && strcmp(leg_info(c->leg)->call_id, leg_info(leg)->call_id) == 0)
			return true;
	}
	return false;
}

/* Others do not; several callers may share a number, so such a call is answered, but starts no search of its own. Mailboxes whose rules find each
 * other's numbers make longer circles: so many searches at once for one caller are enough. */
bool dlg_may_be_own_search(const struct dlg_service *svc, const struct leg *leg, const struct dlg_who *who)
{
	unsigned same_caller = 0;
	LIST_FOREACH(&svc->outgoing, it) {
		const struct dlg_call *w = searches_for(LIST_ENTRY(it, struct dlg_call, outgoing_link));
		if (!w || strcmp(w->who.caller_number, who->caller_number) != 0)
			continue;
		if (w->who.box == who->box)
			return true;
		same_caller += *who->caller_number != '\0';
	}
	return same_caller >= SEARCHES_A_CALLER || leg_info(leg)->max_forwards < 2;
}

/* ---- the call ---- */
static struct gateway *gateway_of(const struct dlg_call *w)
{
	struct gw_table *t = w->svc->gateways;
	const struct cfg_dialplan *plan = w->s.target.dialplan;
	if (plan && *plan->gateway)
		return gw_find(t, plan->gateway);
	return gw_count(t) ? gw_at(t, 0) : NULL;
}

/* Its own address towards the gateway; where that has none yet, the one that the caller's audio uses. */
static int open_port(struct dlg_call *c, const struct dlg_call *w, struct gateway *g, struct ev_report *why)
{
	struct gw_member_info m = { 0 };
	struct net_addr local = *media_port_addr(w->port);
	if (gw_members(g))
		gw_member(g, 0, &m);
	if (*c->svc->media_address)
		(void)net_addr_parse(&local, text_of(c->svc->media_address), 0);
	else if (net_addr_is_set(&m.addr))
		(void)net_addr_local_for(&local, &m.addr);
	net_addr_set_port(&local, 0);
	return dlg_call_open_port(c, &local, why);
}

/* Whose call it was, for phones that show it and for mailboxes that the place may divert to. */
static void diverted_from(const struct dlg_call *w, char *dst, size_t size)
{
	const struct dir_user *box = w->who.box;
	dst[0] = '\0';
	if (!box)
		return; /* an attendant was called */
	if (box->extensions.n && *w->s.home)
		text_print(dst, size, strchr(w->s.home, ':') && w->s.home[0] != '[' ? "sip:%s@[%s]" : "sip:%s@%s", box->extensions.v[0], w->s.home);
	else if (box->sip_uris.n)
		text_print(dst, size, "%s%s", text_starts_nocase(text_of(box->sip_uris.v[0]), "sip") ? "" : "sip:", box->sip_uris.v[0]);
}

static void tell_made(struct dlg_call *c)
{
	struct ev_report r;
	ev_set(&r, EV_CALL_MADE);
	ev_str(&r, "target", c->called);
	ev_str(&r, "mailbox", c->who.box ? c->who.box->name : "");
	dlg_call_emit(c, &r);
	dlg_call_step(c, "for the call %s", c->partner->session);
	dlg_call_step(c->partner, "%s: calling %s by the call %s", purpose(c), c->called, c->session);
	dlg_tale_made(c);
}

static int dial(struct dlg_call *c, struct dlg_call *w, struct gateway *g, uint32_t ring_ms, struct ev_report *why)
{
	char diversion[DLG_URI];
	const struct cfg_dialplan *plan = w->s.target.dialplan;
	bool known = *w->who.caller_number;
	diverted_from(w, diversion, sizeof(diversion));
	uint8_t hops = leg_info(w->leg)->max_forwards;
	/* Under the domain that phones know, so that the number can be called back; RFC 3323 4.1.1.3 for the others. */
	const char *host = known ? plan && *plan->domain ? plan->domain : NULL : "anonymous.invalid";
	enum sdes_want srtp = dlg_srtp(plan, gw_cfg(g)), callers = dlg_srtp(w->who.plan, gw_cfg(g)); /* one half of a call is as secret as the other */
	struct leg_call_prm prm = { .uri = c->called, .srtp = srtp > callers ? srtp : callers, .max_forwards = hops > 1 ? (uint8_t)(hops - 1) : 1, .from_user = known ? w->who.caller_number : "anonymous", .from_host = host,
		                    .from_display = w->who.caller_name, .diversion = diversion, .after = leg_info(w->leg), .session = c->session, .ring_ms = ring_ms,
		                    .h = dlg_call_leg_h, .arg = c };
	int err = open_port(c, w, g, why);
	if (!err)
		err = leg_call(&c->leg, w->svc->core, gw_peer(g), &prm, c->port, why);
	return err;
}

/* With the conversation of `table` for whoever answers. */
static int make_call(struct dlg_call *w, uint32_t job, const char *uri, uint32_t ring_ms, const struct dlg_table *table)
{
	struct gateway *g = w->svc && w->svc->gateways && w->svc->core ? gateway_of(w) : NULL;
	char session[EV_SESSION_SIZE];
	struct ev_report why = { 0 };
	if (!w->svc || w->svc->draining || !w->port || w->found)
		return ECANCELED;
	if (!g)
		return ENOENT;
	id_make(session, w->svc->prm.clock);
	struct dlg_call *c = dlg_call_make(w->svc, w->s.view, &w->who, session);
	if (!c)
		return ENOMEM;
	c->outgoing = true;
	c->table = table;
	text_fill(c->called, sizeof(c->called), uri);
	text_fill(c->notes.parent, sizeof(c->notes.parent), w->session);
	text_fill(c->gateway, sizeof(c->gateway), gw_name(g));
	int err = dial(c, w, g, ring_ms, &why);
	if (err) {
		if (why.id)
			dlg_call_emit(w, &why);
		dlg_call_undo(c);
		return err;
	}
	if (w->s.has_clip[CLIP_CALLER])
		c->clip[CLIP_CALLER] = mem_ref(w->clip[CLIP_CALLER]);
	c->s.has_clip[CLIP_CALLER] = w->s.has_clip[CLIP_CALLER];
	w->find_job = job;
	w->found = mem_ref(c); /* the first reference is the list's */
	c->partner = mem_ref(w);
	dlg_service_add(w->svc, c);
	tell_made(c);
	return 0;
}

int dlg_live_find(void *arg, uint32_t job, const char *uri, uint32_t ring_ms)
{
	return make_call(arg, job, uri, ring_ms, &dlg_screen);
}

enum { BRIDGE_RING_MS = 60000 };
int dlg_live_bridge(void *arg, uint32_t job, const char *uri)
{
	struct dlg_call *w = arg;
	w->xfer_job = 0;
	return make_call(w, job, uri, BRIDGE_RING_MS, &dlg_bridged);
}

void dlg_live_find_stop(void *arg)
{
	struct dlg_call *w = arg;
	if (w->found)
		dlg_call_part(w);
}

int dlg_live_join(void *arg, uint32_t job)
{
	struct dlg_call *w = arg, *c = w->found;
	if (!c || !c->port || !w->port || c->talk_over)
		return ENOTCONN;
	int err = media_join(w->port, c->port);
	if (err)
		return err;
	w->join_job = job;
	w->joined = c->joined = true;
	tmr_cancel(&w->limit); /* they talk as long as they like */
	tmr_cancel(&c->limit);
	dlg_call_step(w, "joined with %s", c->called);
	dlg_call_step(c, "joined with the call %s", w->session);
	dlg_tell(w, TALE_JOINED, "called", c->called);
	dlg_tell(c, TALE_JOINED_CALL, "call", w->session);
	dlg_call_tell(c, TELL_JOINED);
	return 0;
}

int dlg_live_take(void *arg, uint32_t job)
{
	struct dlg_call *c = arg;
	if (!c->partner)
		return ENOTCONN;
	c->take_job = job;
	dlg_call_tell(c, TELL_TAKEN);
	return 0;
}

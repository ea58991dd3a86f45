/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c  The life of a subscription, as a table of what happens in which state, and its NOTIFYs (RFC 6665 4.2.2): one on its way at a time, one a second, the
 * latest state in each. A NOTIFY that is refused or unanswered ends it; one that is refused for a while only (Retry-After) is said again. */
#include "sip/watch.h"
#include <errno.h>
#include "base/mem.h"
#include "sip/summary.h"
#include "sip/watch_private.h"

enum { PAUSE_MS = 1000, LATE_MS = 5000, RETRY_MAX_S = 300 };

typedef void (watch_do)(struct sip_watch *w);
static watch_do ask, speak, say_last, over, ask_last, heard, heard_last;

/* What has no row does nothing. `reason` is why it ends. */
static const struct row {
	enum watch_state in;
	enum watch_event ev;
	watch_do *action;
	enum watch_state next;
	const char *reason;
} rows[] = {
	{ WATCH_NEW,    WATCH_REFRESHED,    ask,        WATCH_NEW,    NULL },
	{ WATCH_NEW,    WATCH_UNSUBSCRIBED, ask_last,   WATCH_ENDING, "timeout" }, /* RFC 6665 4.1.2.3 */
	{ WATCH_NEW,    WATCH_TOLD,         speak,      WATCH_ACTIVE, NULL },
	{ WATCH_NEW,    WATCH_EXPIRED,      say_last,   WATCH_ENDING, "timeout" },
	{ WATCH_NEW,    WATCH_GONE,         say_last,   WATCH_ENDING, "noresource" },
	{ WATCH_NEW,    WATCH_LEFT,         say_last,   WATCH_ENDING, "deactivated" },
	{ WATCH_NEW,    WATCH_BARRED,       say_last,   WATCH_ENDING, "rejected" }, /* RFC 6665 4.1.3 */
	{ WATCH_ACTIVE, WATCH_REFRESHED,    ask,        WATCH_ACTIVE, NULL },
	{ WATCH_ACTIVE, WATCH_UNSUBSCRIBED, ask_last,   WATCH_ENDING, "timeout" },
	{ WATCH_ACTIVE, WATCH_TOLD,         speak,      WATCH_ACTIVE, NULL },
	{ WATCH_ACTIVE, WATCH_MAY_SPEAK,    heard,      WATCH_ACTIVE, NULL },
	{ WATCH_ACTIVE, WATCH_HEARD,        heard,      WATCH_ACTIVE, NULL },
	{ WATCH_ACTIVE, WATCH_UNHEARD,      over,       WATCH_OVER,   NULL },
	{ WATCH_ACTIVE, WATCH_EXPIRED,      say_last,   WATCH_ENDING, "timeout" },
	{ WATCH_ACTIVE, WATCH_GONE,         say_last,   WATCH_ENDING, "noresource" },
	{ WATCH_ACTIVE, WATCH_LEFT,         say_last,   WATCH_ENDING, "deactivated" },
	{ WATCH_ACTIVE, WATCH_BARRED,       say_last,   WATCH_ENDING, "rejected" },
	{ WATCH_ENDING, WATCH_TOLD,         say_last,   WATCH_ENDING, NULL },
	{ WATCH_ENDING, WATCH_LATE,         say_last,   WATCH_ENDING, NULL },
	{ WATCH_ENDING, WATCH_HEARD,        heard_last, WATCH_ENDING, NULL },
	{ WATCH_ENDING, WATCH_UNHEARD,      over,       WATCH_OVER,   NULL },
};

static void watch_destroy(void *object)
{
	struct sip_watch *w = object;

	mem_unref(w->peer);
	sip_dialog_clear(&w->d);
	mem_free(w->body);
}

/* ---- whose they are ---- */
static struct watch_owner *owner_of(const struct sip_core *core, const struct sip_peer *peer)
{
	for (struct link *l = core->watch.owners.head.next; l != &core->watch.owners.head; l = l->next)
		if (text_is(text_of(LIST_ENTRY(l, struct watch_owner, link)->name), peer->name))
			return LIST_ENTRY(l, struct watch_owner, link);
	return NULL;
}

unsigned watch_count_of(const struct sip_core *core, const struct sip_peer *peer)
{
	struct watch_owner *o = owner_of(core, peer);

	return o ? o->count : 0;
}

static int enter(struct sip_watch *w)
{
	struct sip_core *core = w->core;
	struct watch_owner *o = owner_of(core, w->peer);
	int err;

	if (!o) {
		o = mem_zalloc(1, sizeof(*o));
		if (!o)
			return ENOMEM;
		text_fill(o->name, sizeof(o->name), w->peer->name);
		list_append(&core->watch.owners, &o->link);
	}
	o->count++;
	w->owner = o;
	list_append(&core->watch.list, &w->link);
	core->watch.count++;
	metric_set(core->m.watches, core->watch.count);
	err = hash_add(core->watch.by_tag, &w->by_tag, text_of(w->d.local_tag));
	if (err)
		watch_drop(w);
	return err;
}

/* Out of all lists; the core's reference is given back. */
static void leave(struct sip_watch *w)
{
	struct sip_core *core = w->core;

	tmr_cancel(&w->expires);
	tmr_cancel(&w->pause);
	tmr_cancel(&w->late);
	w->uac = sip_uac_stop(w->uac);
	hash_remove(&w->by_tag);
	list_remove(&w->link);
	core->watch.count--;
	metric_set(core->m.watches, core->watch.count);
	if (!--w->owner->count) {
		list_remove(&w->owner->link);
		mem_free(w->owner);
	}
	mem_unref(w);
}

static void over(struct sip_watch *w)
{
	struct sip_core *core = w->core;

	mem_ref(w);
	w->state = WATCH_OVER;
	leave(w);
	if (w->accepted && core->watch.h.over)
		core->watch.h.over(w, core->watch.h.arg);
	mem_unref(w);
}

void watch_drop(struct sip_watch *w)
{
	over(w);
}

int watch_make(struct sip_watch **wp, struct sip_core *core, struct sip_peer *peer, const struct sip_msg *req, const struct sip_path *path)
{
	struct sip_watch *w = mem_object(sizeof(*w), watch_destroy);
	int err;

	if (!w)
		return ENOMEM;
	w->core = core;
	w->peer = mem_ref(peer);
	err = sip_dialog_uas(&w->d, req, path->transport);
	if (err) {
		mem_unref(w);
		return err;
	}
	err = enter(w); /* which holds the reference */
	if (!err)
		*wp = w;
	return err;
}

struct sip_watch *watch_of(const struct sip_core *core, const struct sip_msg *req)
{
	struct hash_entry *e = text_empty(req->to_tag) ? NULL : hash_find(core->watch.by_tag, req->to_tag);
	struct sip_watch *w = e ? HASH_MEMBER(e, struct sip_watch, by_tag) : NULL;

	return w && sip_dialog_matches(&w->d, req) ? w : NULL;
}

/* ---- time ---- */
static void on_expires(void *arg)
{
	watch_happens(arg, WATCH_EXPIRED);
}

static void on_pause(void *arg)
{
	watch_happens(arg, WATCH_MAY_SPEAK);
}

static void on_late(void *arg)
{
	watch_happens(arg, WATCH_LATE);
}

void watch_until(struct sip_watch *w, uint32_t seconds)
{
	w->until_ms = clock_mono_ms(w->core->prm.clock) + (int64_t)seconds * 1000;
	tmr_start(w->core->loop, &w->expires, (int64_t)seconds * 1000, on_expires, w);
}

/* It could not be told, and not from within whoever told us to. */
static void on_dead(void *arg)
{
	over(arg);
}

/* ---- NOTIFY ---- */
static void put_state(const struct sip_watch *w, struct buf *b)
{
	int64_t left_ms = w->until_ms - clock_mono_ms(w->core->prm.clock);

	if (w->event_id[0])
		sip_put_printf(b, "Event", "message-summary;id=%s", w->event_id);
	else
		sip_put_str(b, "Event", "message-summary");
	if (w->state == WATCH_ENDING)
		sip_put_printf(b, "Subscription-State", "terminated;reason=%s", w->reason);
	else
		sip_put_printf(b, "Subscription-State", "active;expires=%lld", (long long)(left_ms > 0 ? (left_ms + 999) / 1000 : 0));
}

static int build(struct buf *b, const struct sip_via_prm *via, const struct sip_self *self, void *arg)
{
	struct sip_watch *w = arg;

	if (w->tries != sip_uac_auth_tries(w->uac)) {
		w->tries = sip_uac_auth_tries(w->uac);
		w->cseq = ++w->d.local_cseq;
	}
	sip_dialog_put(&w->d, b, "NOTIFY", w->cseq, via);
	sip_put_contact(b, self, TEXT("umbel"), false);
	put_state(w, b);
	sip_put_str(b, "User-Agent", "umbel/" UMBEL_VERSION);
	sip_uac_put_auth(w->uac, b);
	if (w->body)
		sip_put_body(b, SIP_SUMMARY_TYPE, text_of(w->body));
	else
		sip_put_end(b);
	return buf_error(b);
}

static void tell_lost(struct sip_watch *w, struct sip_uac *u, unsigned status)
{
	char said[32];
	struct ev_report r;

	if (status == 481 || !ev_wanted(w->core->bus, EV_SIP_WATCH_LOST)) /* it says itself that it is gone */
		return;
	sip_ev(w->core, &r, EV_SIP_WATCH_LOST, NULL);
	ev_str(&r, "gateway", w->peer->name);
	ev_str(&r, "mailbox", w->d.local_uri);
	ev_str(&r, "subscriber", w->d.target);
	if (status)
		(void)text_print(said, sizeof(said), "%u", status);
	else
		text_fill(said, sizeof(said), sip_uac_sent(u) ? "no answer" : strerror(sip_uac_err(u)));
	ev_str(&r, "error", said);
	ev_emit(w->core->bus, &r);
}

static void on_uac(struct sip_uac *u, enum sip_uac_event ev, const struct sip_msg *res, void *arg)
{
	struct sip_watch *w = arg;
	uint32_t retry = 0;
	bool good = ev == SIP_UAC_FINAL && res->status < 300;

	if (ev == SIP_UAC_PROVISIONAL)
		return;
	if (!good)
		tell_lost(w, u, res ? res->status : 0);
	w->uac = sip_uac_stop(w->uac);
	w->retry_after_s = 0;
	if (ev == SIP_UAC_FINAL && !good && w->state == WATCH_ACTIVE && !sip_retry_after_parse(sip_msg_value(res, SIP_HDR_RETRY_AFTER), &retry)) {
		w->retry_after_s = retry < 1 ? 1 : retry > RETRY_MAX_S ? RETRY_MAX_S : retry;
		w->unsaid = true;
		good = true;
	}
	watch_happens(w, good ? WATCH_HEARD : WATCH_UNHEARD);
}

static void notify(struct sip_watch *w)
{
	struct sip_hop hop;
	struct sip_uac_prm prm = { .method = "NOTIFY", .peer = w->peer, .hop = &hop, .choice = SIP_CONN_REUSE, .flow = TRUST_FLOW_DIALOG, .build = build,
		                   .h = on_uac, .arg = w };

	w->unsaid = false;
	w->last_said = w->state == WATCH_ENDING;
	w->cseq = ++w->d.local_cseq;
	w->tries = 0;
	if (sip_dialog_hop(&w->d, &hop) || sip_uac_start(&w->uac, w->core, &prm)) {
		tmr_start(w->core->loop, &w->late, 0, on_dead, w);
		return;
	}
	tmr_start(w->core->loop, &w->pause, PAUSE_MS, on_pause, w);
}

/* ---- what the table does ---- */
static void ask(struct sip_watch *w)
{
	w->asked = true;
	if (w->core->watch.h.state)
		w->core->watch.h.state(w, w->core->watch.h.arg);
}

/* Now, or when it may. */
static void speak(struct sip_watch *w)
{
	w->unsaid = true;
	if (!w->uac && !tmr_active(&w->pause))
		notify(w);
}

static void heard(struct sip_watch *w)
{
	if (w->retry_after_s) {
		tmr_start(w->core->loop, &w->pause, (int64_t)w->retry_after_s * 1000, on_pause, w);
		w->retry_after_s = 0;
	}
	if (w->unsaid)
		speak(w);
}

/* The last one waits for nothing but for the one before it. */
static void say_last(struct sip_watch *w)
{
	tmr_cancel(&w->late);
	tmr_cancel(&w->expires);
	w->unsaid = true;
	if (!w->uac)
		notify(w);
}

static void ask_last(struct sip_watch *w)
{
	tmr_cancel(&w->expires);
	tmr_start(w->core->loop, &w->late, LATE_MS, on_late, w);
	ask(w);
}

static void heard_last(struct sip_watch *w)
{
	if (w->last_said)
		over(w);
	else if (w->unsaid)
		notify(w);
}

void watch_happens(struct sip_watch *w, enum watch_event ev)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		if (r->in != w->state || r->ev != ev)
			continue;
		mem_ref(w);
		if (r->next != WATCH_OVER)
			w->state = r->next;
		if (r->reason)
			w->reason = r->reason;
		r->action(w);
		mem_unref(w);
		return;
	}
}

/* ---- for who knows the state ---- */
void sip_watch_own(struct sip_watch *w, void *own)
{
	w->own = own;
}

void *sip_watch_owned(const struct sip_watch *w)
{
	return w->own;
}

void sip_watch_tell(struct sip_watch *w, struct text body)
{
	bool news = !w->body || !text_is(body, w->body), asked = w->asked;
	char *copy;

	w->asked = false;
	if (news && !text_empty(body) && (copy = text_dup(body))) {
		mem_free(w->body);
		w->body = copy;
	}
	if (asked || (news && !text_empty(body)))
		watch_happens(w, WATCH_TOLD);
}

void sip_watch_end(struct sip_watch *w)
{
	watch_happens(w, WATCH_GONE);
}

void sip_core_watches(struct sip_core *core, const struct sip_watch_handlers *h)
{
	core->watch.h = h ? *h : (struct sip_watch_handlers){ 0 };
}

void sip_core_unwatch(struct sip_core *core)
{
	LIST_FOREACH(&core->watch.list, it)
		watch_happens(LIST_ENTRY(it, struct sip_watch, link), WATCH_LEFT);
}

unsigned sip_core_watch_count(const struct sip_core *core)
{
	return core->watch.count;
}

void sip_watches_end(struct sip_core *core)
{
	struct link *l;

	while ((l = list_first(&core->watch.list)))
		over(LIST_ENTRY(l, struct sip_watch, link));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tale_live.c  See tale_live.h. Facts of connections are looked at where they are known best: of a call that came when it comes, of a call of ours
 * when the first answer, or none, has come. */
#include "dialogue/call_private.h"
#include "dialogue/words.h"
#include "base/mem.h"
#include "sip/words.h"
#include "trust/rule.h"

static int64_t age_ms(const struct dlg_call *c)
{
	return c->svc ? clock_mono_ms(c->svc->prm.clock) - c->started_mono_ms : 0;
}

static void add(struct dlg_call *c, enum dlg_tale_what what, const struct ev_report *r)
{
	dlg_tale_add(&c->tale, age_ms(c), what, r, NULL);
}

void dlg_tell_two(struct dlg_call *c, enum dlg_tale_what what, const char *field, const char *value, const char *other, const char *other_value)
{
	EV_REPORT(r);
	if (field)
		ev_str(&r, field, value);
	if (other)
		ev_str(&r, other, other_value);
	add(c, what, &r);
}

void dlg_tell(struct dlg_call *c, enum dlg_tale_what what, const char *field, const char *value)
{
	dlg_tell_two(c, what, field, value, NULL, NULL);
}

/* ---- the way ---- */
struct teller {
	struct dlg_tale *t;
	int64_t at_ms;
};

static void line(const struct teller *x, enum dlg_tale_what what, const struct ev_report *r)
{
	dlg_tale_add(x->t, x->at_ms, what, r, NULL);
}

static void tell_dns(const struct teller *x, const struct trust_facts *f)
{
	static const char *const outcomes[] = { [TRUST_DNS_OK] = "answered", [TRUST_DNS_NXDOMAIN] = "the name does not exist", [TRUST_DNS_NODATA] = "no such record",
		                                [TRUST_DNS_SERVFAIL] = "the server failed", [TRUST_DNS_REFUSED] = "the server refused", [TRUST_DNS_TIMEOUT] = "no answer",
		                                [TRUST_DNS_MALFORMED] = "a malformed answer", [TRUST_DNS_NO_SERVER] = "no server could be asked" };
	EV_REPORT(r);
	if (f->dns == TRUST_DNS_NOT_ASKED || !*f->dns_server)
		return;
	ev_str(&r, "name", f->dns_name);
	ev_str(&r, "type", f->dns_type);
	ev_str(&r, "server", f->dns_server);
	ev_str(&r, "outcome", outcomes[f->dns]);
	line(x, TALE_LOOKED_UP, &r);
}

static void tell_connect(const struct teller *x, const struct trust_facts *f)
{
	EV_REPORT(r);
	if (f->role != TRUST_DIALLED || f->transport == TRUST_UDP || !f->connect_tried)
		return;
	ev_str(&r, "peer", f->peer_addr);
	ev_int(&r, "ms", f->connect_ms);
	ev_str(&r, "error", strerror(f->connect_errno));
	line(x, f->connected ? TALE_CONNECTED : TALE_NOT_CONNECTED, &r);
}

static void tell_certificates(const struct teller *x, const struct trust_facts *f)
{
	EV_REPORT(r);
	if (f->theirs.shown) {
		ev_str(&r, "peer", f->peer_addr);
		ev_str(&r, "cn", *f->theirs.cn ? f->theirs.cn : f->theirs.subject);
		ev_str(&r, "issuer", f->theirs.issuer);
		ev_str(&r, "matched", f->name.matched);
		ev_str(&r, "rule", trust_rule_kind_name(f->name.rule));
		line(x, f->name.judged && *f->name.matched ? TALE_THEIR_NAME : TALE_THEIR_CERT, &r);
	}
	if (!f->ours.shown)
		return;
	ev_str(&r, "cn", *f->ours.cn ? f->ours.cn : f->ours.subject);
	ev_str(&r, "identity", f->our_identity);
	line(x, TALE_OUR_CERT, &r);
}

static void tell_way(const struct teller *x, const struct trust_facts *f)
{
	EV_REPORT(r);
	char version[24];
	tell_dns(x, f);
	tell_connect(x, f);
	if (f->transport != TRUST_UDP && f->role == TRUST_DIALLED && !f->connected)
		return;
	ev_str(&r, "peer", f->peer_addr);
	ev_str(&r, "opener", dlg_words(f->role == TRUST_DIALLED ? DLG_SAYS_THIS_NODE : DLG_SAYS_OTHER_SIDE));
	if (f->transport == TRUST_TLS && f->tls.version) {
		ev_str(&r, "version", trust_version_words(f->tls.version, version, sizeof(version)));
		ev_str(&r, "suite", f->tls.suite);
		line(x, TALE_BY_TLS, &r);
	} else if (f->transport != TRUST_TLS) {
		line(x, f->transport == TRUST_UDP ? TALE_BY_UDP : TALE_BY_TCP, &r);
	}
	if (f->transport == TRUST_TLS)
		tell_certificates(x, f);
}

/* There is nothing more to know of a datagram that came. */
static void tell_datagram(const struct teller *x, const struct leg_info *info)
{
	char addr[NET_ADDR_SIZE];
	EV_REPORT(r);
	ev_str(&r, "peer", net_addr_print(&info->source, addr));
	ev_str(&r, "opener", dlg_words(DLG_SAYS_OTHER_SIDE));
	line(x, TALE_BY_UDP, &r);
}

static void way_of(const struct teller *x, struct leg *leg)
{
	const struct leg_info *info = leg_info(leg);
	if (info->incoming && info->transport == NET_UDP) {
		tell_datagram(x, info);
		return;
	}
	const struct trust_facts *known = leg_facts_known(leg);
	if (known) {
		tell_way(x, known);
		return;
	}
	struct trust_facts *f = mem_alloc(sizeof(*f));
	if (f && !leg_facts(leg, f))
		tell_way(x, f);
	mem_free(f);
}

/* ---- the beginning ---- */
static void tell_diverted(const struct teller *x, const struct leg_redirect *d, const char *header)
{
	EV_REPORT(r);
	ev_str(&r, "by", d->party.uri);
	ev_str(&r, "reason", *d->reason ? d->reason : dlg_words(DLG_SAYS_NO_REASON));
	ev_str(&r, "header", header);
	line(x, TALE_DIVERTED, &r);
}

/* The first diversion first; of a history, the places before the last, which is where the call is now. */
static void tell_diversions(const struct teller *x, const struct leg_info *info)
{
	for (unsigned i = info->n_diversions; i > 0; i--)
		tell_diverted(x, &info->diversion[i - 1], "Diversion");
	for (unsigned i = 0; !info->n_diversions && i + 1 < info->n_history; i++)
		tell_diverted(x, &info->history[i], "History-Info");
}

static void tell_came(const struct teller *x, struct leg *leg, const char *caller)
{
	const struct leg_info *info = leg_info(leg);
	char addr[NET_ADDR_SIZE];
	EV_REPORT(r);
	ev_str(&r, "caller", caller);
	ev_str(&r, "called", info->called.uri);
	ev_str(&r, "gateway", info->peer ? info->peer->name : "");
	ev_str(&r, "source", net_addr_print(&info->source, addr));
	line(x, TALE_CALLED_IN, &r);
	way_of(x, leg);
	tell_diversions(x, info);
}

static const char *caller_of(const struct dlg_call *c)
{
	return *c->who.caller_name ? c->who.caller_name : *c->who.caller_number ? c->who.caller_number : dlg_words(DLG_SAYS_UNKNOWN_CALLER);
}

void dlg_tale_arrived(struct dlg_call *c)
{
	static const enum dlg_tale_what rows[] = { [DLG_WHO_MAILBOX] = TALE_FOR_MAILBOX, [DLG_WHO_ATTENDANT] = TALE_FOR_ATTENDANT, [DLG_WHO_SUBSCRIBER] = TALE_FOR_ACCESS };
	const struct dlg_who *w = &c->who;
	char caller[256];
	bool both = *w->caller_name && *w->caller_number;
	text_print(caller, sizeof(caller), both ? "%s (%s)" : "%s", caller_of(c), w->caller_number);
	tell_came(&(struct teller){ &c->tale, age_ms(c) }, c->leg, caller);
	if (w->kind != DLG_WHO_NOBODY)
		dlg_tell_two(c, rows[w->kind], "object", w->box ? w->box->name : w->attendant ? w->attendant->name : "", "by", w->by);
	if (c->s.rule)
		dlg_tell(c, TALE_RULE, "rule", c->s.rule->name);
}

void dlg_tale_made(struct dlg_call *c)
{
	dlg_tell_two(c, TALE_CALLED_OUT, "called", c->called, "gateway", c->gateway);
	if (c->partner)
		dlg_tell(c, TALE_FOR_CALL, "call", c->partner->session);
	if (c->partner)
		dlg_tell_two(c->partner, TALE_OWN_CALL, "called", c->called, "call", c->session);
}

/* Why the event says it was, and what its advice is with its fields in it. */
static void tell_with_advice(const struct teller *x, enum dlg_tale_what what, struct ev_report *fields, const struct ev_report *event)
{
	const struct ev_def *def = ev_def_find(event->id);
	struct buf advice;
	buf_init(&advice, 4096);
	if (def)
		(void)ev_render(def->advice, event, &advice);
	dlg_tale_add(x->t, x->at_ms, what, fields, buf_cstr(&advice));
	buf_free(&advice);
}

void dlg_tale_refused(struct dlg_tale *t, struct leg *leg, const struct dlg_who *who, const char *caller, const struct ev_report *refusal)
{
	struct teller x = { t, 0 };
	EV_REPORT(r);
	const struct ev_field *status = ev_field(refusal, "status");
	struct text reason = ev_field_text(refusal, "reason");
	char why[800], sentence[800];
	tell_came(&x, leg, caller);
	char looked_at[DLG_LOOKED_AT] = "";
	if (who && status && status->i == 404)
		dlg_looked_at(leg_info(leg), looked_at);
	text_print(why, sizeof(why), "%.*s%s%s", TEXT_FMT(reason), *looked_at ? ": " : "", looked_at);
	ev_int(&r, "status", status ? status->i : 403);
	ev_str(&r, "reason", text_empty(reason) ? ev_sentence(refusal, sentence, sizeof(sentence)) : why);
	tell_with_advice(&x, TALE_REFUSED, &r, refusal);
}

void dlg_tale_not_answered(struct dlg_call *c, const struct ev_report *why, int err)
{
	EV_REPORT(r);
	char sentence[400];
	ev_str(&r, "reason", why->id ? ev_sentence(why, sentence, sizeof(sentence)) : strerror(err));
	tell_with_advice(&(struct teller){ &c->tale, age_ms(c) }, TALE_NOT_ANSWERED, &r, why);
	c->told.ended = true;
}

/* ---- the leg ---- */
static void tell_sound_agreed(struct dlg_call *c)
{
	struct leg_sound s;
	EV_REPORT(r);
	char local[NET_ADDR_SIZE], remote[NET_ADDR_SIZE];
	if (!leg_sound(c->leg, &s))
		return;
	ev_str(&r, "codec", s.codec);
	ev_str(&r, "local", net_addr_print(&s.local, local));
	ev_str(&r, "remote", net_addr_print(&s.remote, remote));
	ev_int(&r, "keys", s.keys_pt);
	ev_str(&r, "suite", s.srtp);
	add(c, s.keys_pt < 0 ? TALE_AUDIO_NO_KEYS : TALE_AUDIO, &r);
	add(c, *s.srtp ? TALE_AUDIO_SECRET : TALE_AUDIO_PLAIN, &r);
}

/* Of a call of ours, once: as if it had been told when it was made. */
static void tell_own_way(struct dlg_call *c, const struct trust_facts *at_the_end)
{
	struct teller x = { &c->tale, 0 };
	if (!c->outgoing || c->told.way)
		return;
	c->told.way = true;
	if (at_the_end)
		tell_way(&x, at_the_end);
	else
		way_of(&x, c->leg);
}

static const char *what_of(int status, const char *reason, char *dst, size_t size)
{
	if (status && *reason)
		text_print(dst, size, "%d %s", status, reason);
	else if (status)
		text_print(dst, size, "%d", status);
	else
		text_fill(dst, size, *reason ? reason : dlg_words(DLG_SAYS_NO_ANSWER));
	return dst;
}

/* With the verdict in place of what SIP says, where the connection has the word. */
static void tell_failed(struct dlg_call *c, enum dlg_tale_what what, const struct leg_event *ev, const char *advice)
{
	char words[256];
	EV_REPORT(r);
	struct trust_verdict *v = ev->facts && (!ev->status || ev->end == LEG_END_FAILED) ? mem_alloc(sizeof(*v)) : NULL;
	if (v)
		trust_explain(ev->facts, v);
	bool bad = v && trust_verdict_bad(v);
	ev_str(&r, "called", c->called);
	ev_str(&r, "what", bad ? v->sentence : what_of(ev->status, ev->reason, words, sizeof(words)));
	dlg_tale_add(&c->tale, age_ms(c), what, &r, bad ? v->advice : advice);
	mem_free(v);
}

static void tell_ending(struct dlg_call *c, const struct leg_event *ev)
{
	if (ev->end != LEG_END_PEER)
		return; /* LEG_OVER tells it */
	c->told.ended = true;
	dlg_tell_two(c, *ev->reason ? TALE_THEY_HUNG_UP_WHY : TALE_THEY_HUNG_UP, "who", c->outgoing ? c->called : dlg_words(DLG_SAYS_THE_CALLER), "reason", ev->reason);
}

static void tell_over(struct dlg_call *c, const struct leg_event *ev)
{
	tell_own_way(c, ev->facts);
	if (ev->end == LEG_END_PEER)
		dlg_tell(c, ev->status == 500 ? TALE_BYE_BAD : TALE_BYE_GOOD, NULL, NULL);
	else if (ev->end == LEG_END_FAILED)
		tell_failed(c, TALE_FAILED, ev, NULL);
	else if (ev->end == LEG_END_CANCELLED)
		dlg_tell(c, c->outgoing ? TALE_WE_CANCELLED : TALE_CALLER_CANCELLED, NULL, NULL);
	else if (ev->end == LEG_END_REJECTED && c->outgoing)
		tell_failed(c, TALE_CALLEE_REFUSED, ev, NULL);
}

static void tell_transfer_failed(struct dlg_call *c, const struct leg_event *ev)
{
	if (ev->order_refused && dlg_transfer_by(c) == CFG_TRANSFER_AUTO)
		tell_failed(c, TALE_TRANSFER_NO_REFER, ev, NULL);
	else
		tell_failed(c, TALE_TRANSFER_FAILED, ev, sip_words(ev->order_refused ? SIP_SAYS_ORDER_ADVICE : SIP_SAYS_TRANSFER_ADVICE));
}

void dlg_tale_leg(struct dlg_call *c, const struct leg_event *ev)
{
	char words[200];
	switch (ev->type) {
	case LEG_PROGRESS:
		tell_own_way(c, NULL);
		dlg_tell_two(c, TALE_RINGING, "called", c->called, "status", what_of(ev->status, ev->reason, words, sizeof(words)));
		break;
	case LEG_ANSWERED:
		tell_own_way(c, NULL);
		dlg_tell(c, c->outgoing ? TALE_UP_OUT : TALE_UP_IN, "called", c->called);
		tell_sound_agreed(c);
		break;
	case LEG_HELD:
	case LEG_RESUMED:
		dlg_tell(c, ev->type == LEG_HELD ? TALE_HELD : TALE_RESUMED, NULL, NULL);
		break;
	case LEG_DIGIT:
		if (!c->told.info_keys)
			dlg_tell(c, TALE_KEYS_INFO, NULL, NULL);
		c->told.info_keys = true;
		break;
	case LEG_REPLACED:
		dlg_tell(c, TALE_HANDED_OVER, "who", leg_info(c->leg)->from.uri);
		break;
	case LEG_TRANSFER_PROGRESS:
		dlg_tell(c, TALE_TRANSFER_TOLD, "status", what_of(ev->status, ev->reason, words, sizeof(words)));
		break;
	case LEG_TRANSFERRED:
		dlg_tell(c, TALE_TRANSFER_DONE, NULL, NULL);
		break;
	case LEG_TRANSFER_FAILED:
		tell_transfer_failed(c, ev);
		break;
	case LEG_ENDING:
		tell_ending(c, ev);
		break;
	case LEG_OVER:
		tell_over(c, ev);
		break;
	default:
		break;
	}
}

/* ---- the port ---- */
void dlg_tale_media(struct dlg_call *c, const struct media_event *ev)
{
	struct leg_sound s;
	EV_REPORT(r);
	char remote[NET_ADDR_SIZE];
	if (ev->type == MEDIA_DIGIT && ev->by_tone && !c->told.tone_keys) {
		c->told.tone_keys = true;
		dlg_tell(c, TALE_KEYS_TONE, NULL, NULL);
	} else if (ev->type == MEDIA_DIGIT && !ev->by_tone && !c->told.event_keys) {
		c->told.event_keys = true;
		dlg_tell(c, TALE_KEYS_EVENT, NULL, NULL);
	} else if (ev->type == MEDIA_RTP_TIMEOUT && !leg_is_held(c->leg) && leg_sound(c->leg, &s)) {
		ev_str(&r, "remote", net_addr_print(&s.remote, remote));
		ev_int(&r, "seconds", ev->ms / 1000);
		add(c, TALE_NO_AUDIO, &r);
	}
}

void dlg_tale_sound(struct dlg_call *c)
{
	const struct media_port_stats *f = &c->notes.figures;
	EV_REPORT(r);
	char jitter[32];
	if (!c->notes.has_figures || !c->notes.has_codec)
		return;
	text_print(jitter, sizeof(jitter), "%u.%u", f->jitter_us / 1000, f->jitter_us % 1000 / 100);
	ev_int(&r, "received", (int64_t)f->received);
	ev_int(&r, "sent", (int64_t)f->sent);
	ev_int(&r, "lost", f->lost);
	ev_str(&r, "jitter", jitter);
	ev_int(&r, "count", (int64_t)f->strangers);
	if (f->received)
		add(c, TALE_SOUND, &r);
	else if (f->sent > 100)
		add(c, TALE_NEVER_AUDIO, &r);
	if (f->strangers)
		add(c, TALE_STRANGERS, &r);
	ev_int(&r, "count", (int64_t)f->not_genuine);
	if (f->not_genuine)
		add(c, TALE_AUDIO_FORGED, &r);
}

/* ---- the conversation ---- */
/* Not what our own jobs do (what fails badly has an event), and no single digits: how many there were is nobody's business. */
static bool worth_telling(const struct dlg_step *st)
{
	switch (st->event) {
	case DLG_ENTER:
	case DLG_PROGRESS:
	case DLG_FAILED:
		return false;
	case DLG_DONE:
		return st->code == J_LOGON_OK || st->code == J_LOGON_MUST_CHANGE || st->code == J_LOGON_WRONG || st->code == J_LOGON_LOCKED || st->code == J_LOGON_NO_PIN;
	default:
		return st->table != &dlg_entry;
	}
}

void dlg_tale_step(struct dlg_call *c, const struct dlg_step *st)
{
	static const enum dlg_tale_what rows[DLG_EVENTS] = { [DLG_KEYS] = TALE_WENT_KEYS, [DLG_WRONG] = TALE_WENT_WRONG, [DLG_SPOKEN] = TALE_WENT_SPOKEN,
		                                             [DLG_ENDED] = TALE_WENT_ENDED, [DLG_TIMEOUT] = TALE_WENT_TIMEOUT, [DLG_DONE] = TALE_WENT_LOGON,
		                                             [DLG_RESULT] = TALE_WENT_RESULT, [DLG_HANGUP] = TALE_WENT_HANGUP };
	const struct dlg_table *t = st->table;
	EV_REPORT(r);
	if (!worth_telling(st) || (!st->result && st->to == DLG_STAY))
		return;
	ev_str(&r, "table", t->title);
	ev_str(&r, "from", t->states[st->from].name);
	char keys[DLG_TYPE_AHEAD + 1];
	dlg_path_keys(st, keys);
	ev_str(&r, "keys", keys);
	ev_str(&r, "code", st->event == DLG_RESULT || st->event == DLG_DONE ? dlg_code_name(st->code) : "");
	if (st->result)
		ev_printf(&r, "to", dlg_words(DLG_SAYS_ITS_END), dlg_code_name(st->result));
	else
		ev_printf(&r, "to", "\"%s\"", t->states[st->to].name);
	add(c, st->event == DLG_KEYS && !*keys ? TALE_WENT_SECRET : rows[st->event], &r);
}

void dlg_tale_recorded(struct dlg_call *c)
{
	char seconds[32];
	uint32_t ms = c->s.rec.duration_ms;
	text_print(seconds, sizeof(seconds), "%u.%u", ms / 1000, ms % 1000 / 100);
	dlg_tell(c, c->s.rec.heard ? TALE_RECORDED : TALE_RECORDED_SILENCE, "seconds", seconds);
}

/* ---- the end by us ---- */
void dlg_tale_end(struct dlg_call *c, const char *why)
{
	if (!c->told.ended)
		dlg_tell(c, TALE_WE_END, "why", why);
	c->told.ended = true;
}

void dlg_tale_talk_over(struct dlg_call *c)
{
	if (!c->told.ended && !c->leg_over)
		dlg_tell(c, TALE_WE_HUNG_UP, "what", c->outcome);
	c->told.ended = true;
}

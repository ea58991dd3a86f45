/* SPDX-License-Identifier: Apache-2.0 */
/* judge_limits.c  What a capture does not show is not said. Packets that were cut, that are missing, or that came before the capture began may have held
 * the very word that a verdict misses: an alert, an answer, the hello itself. What was seen stays true: alerts and answers that can be read.  */
#include "capture/judge_private.h"

/* A client that goes on with the handshake has had an answer, and so has whoever acknowledges what nobody is seen to have sent. */
static bool one_way(const struct cap_talk *t)
{
	const struct cap_side *c = &t->side[CAP_CLIENT], *s = &t->side[CAP_SERVER];
	return t->proto == CAP_TCP && ((!s->packets && (c->ccs || c->cert_message || c->packets > t->syns)) || (!c->packets && s->packets > 0));
}

/* An alert that refuses, an answer of SIP: whatever else is missing, these were said. */
static bool has_word(const struct cap_talk *t)
{
	for (unsigned i = 0; i < t->n_alerts; i++)
		if (t->alert[i].fatal)
			return true;
	for (unsigned i = 0; i < t->n_txns && i < CAP_TXNS; i++)
		if (t->txn[i].status)
			return true;
	return false;
}

/* Whether enough of TLS was seen to speak of what came after it; plain SIP needs no more than to be readable. */
static bool sees_application(const struct cap_talk *t)
{
	bool both_spoke = t->version && t->version != CAP_TLS13_NUMBER && t->side[0].app_records && t->side[1].app_records;
	return t->tls_done || both_spoke || t->sip;
}

/* Long-lived connections are captured from their middle on as a rule. Data records of one side, and not one byte of the other while it waited: that
 * is silence, although the handshake was not seen. */
static bool silence_in_the_middle(const struct cap_judgement *j, const struct cap_talk *t)
{
	const struct cap_side *us = &t->side[j->we], *peer = &t->side[j->we ^ 1u];
	return t->proto == CAP_TCP && j->notes & CAP_NOTE_MIDDLE && !t->tls && us->app_records && !us->ccs && us->n_first && us->first[0] == 0x17 && !peer->n_first &&
	       peer->packets && !peer->fin_us && !peer->rst_us && j->facts.end == TRUST_TIMED_OUT;
}

static bool blind(const struct cap_judgement *j, const struct cap_talk *t)
{
	bool no_beginning = j->notes & CAP_NOTE_MIDDLE && !t->side[CAP_SERVER].hello && t->proto == CAP_TCP;
	if (has_word(t) || sees_application(t))
		return false;
	return t->up_us && (no_beginning || j->notes & (CAP_NOTE_CUT | CAP_NOTE_LOST));
}

/* Then nobody is said to have been silent, nor to have spoken. */
static void know_nothing(struct trust_facts *f)
{
	f->connect_errno = 0;
	f->connected = true;
	f->end = TRUST_OPEN;
	f->tls.stalled = false;
	f->tls.plain = TRUST_PLAIN_NO;
}

/* TLS it is, as its records say; of the handshake nothing is known but that it was. */
static void take_as_done(struct trust_facts *f)
{
	f->transport = TRUST_TLS;
	f->tls.used = f->tls.done = f->tls.started = f->tls.hello_from_peer = f->tls.certs_unseen = true;
	f->tls.stalled = false;
}

void cap_judge_limits(struct cap_judgement *j, const struct cap_talk *t)
{
	struct trust_facts *f = &j->facts;
	if (one_way(t)) {
		j->notes |= CAP_NOTE_ONE_WAY;
		know_nothing(f);
		if (!has_word(t))
			f->sip.received = false;
	} else if (silence_in_the_middle(j, t)) {
		take_as_done(f);
	} else if (blind(j, t)) {
		know_nothing(f);
		f->sip.received = f->sip.sent = false;
	}
	if (t->side[0].rst_hops != t->side[0].hops && t->side[0].rst_hops)
		j->notes |= CAP_NOTE_HOPS;
	if (t->side[1].rst_hops != t->side[1].hops && t->side[1].rst_hops)
		j->notes |= CAP_NOTE_HOPS;
	if (cap_talk_padded(t))
		j->notes |= CAP_NOTE_PADDED;
}

static void at_most(struct trust_verdict *v, enum trust_certainty c)
{
	if (v->certainty > c)
		v->certainty = c;
}

/* What is open lowers how sure the verdict is. */
void cap_judge_doubt(struct cap_judgement *j, const struct cap_talk *t)
{
	struct trust_verdict *v = &j->verdict;
	bool after = v->step == TRUST_STEP_AFTER_HANDSHAKE, unseen = !has_word(t);
	if (unseen && j->notes & (CAP_NOTE_LOST | CAP_NOTE_CUT | CAP_NOTE_MIDDLE) && v->step >= TRUST_STEP_HANDSHAKE)
		at_most(v, j->notes & (CAP_NOTE_LOST | CAP_NOTE_CUT) && trust_verdict_bad(v) ? TRUST_UNKNOWN : TRUST_LIKELY);
	if (unseen && j->notes & CAP_NOTE_MAYBE_ALERT && v->step >= TRUST_STEP_HANDSHAKE)
		at_most(v, TRUST_UNKNOWN);
	if (j->notes & CAP_NOTE_MAYBE_TICKET && after)
		at_most(v, TRUST_UNKNOWN);
	if (j->notes & CAP_NOTE_HOPS && unseen)
		at_most(v, TRUST_UNKNOWN);
	if (!t->sip && v->certainty == TRUST_SURE && (v->id == TRUST_V_PROVEN || (t->tls_done && j->notes & CAP_NOTE_HIDDEN)))
		v->certainty = TRUST_LIKELY; /* sizes and order tell much, but not everything; and data need not be SIP */
	if (v->id == TRUST_V_PLAIN_SIP_ON_TLS_PORT && cap_plain_to_silent_tls(t))
		at_most(v, TRUST_LIKELY);
	if (v->id == TRUST_V_CLOSED_WITHOUT_SIP && j->facts.ours.shown && cap_names_of(&j->facts.ours) > 1)
		j->notes |= CAP_NOTE_NAMES;
}

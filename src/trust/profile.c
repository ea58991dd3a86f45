/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c  The evaluator: a row of profiles.def and a question give an answer in words. One order for all rows: is it looked at at all,
 * time, usage, key, chain, names. Nothing here knows a product; what differs stands in the rows.                        */
#include "trust/profile.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include "trust/profile_private.h"
#include "trust/rule.h"

static const struct trust_profile rows[] = {
#include "trust/profiles.def"
};
enum { ROWS = sizeof rows / sizeof *rows };

static const struct reason {
	const char *name, *sentence, *fix, *meaning;
} reasons[] = {
#define NOTE(id, text)
#define REASON(id, name, sentence, fix, meaning) [P_##id] = { name, sentence, fix, meaning },
#include "trust/profile_reasons.def"
#undef REASON
#undef NOTE
};
static const char *const notes[] = {
#define REASON(id, name, sentence, fix, meaning)
#define NOTE(id, text) [P_NOTE_##id] = text,
#include "trust/profile_reasons.def"
#undef REASON
#undef NOTE
};

/* ---- rows ---- */

const struct trust_profile *trust_profile_find(const char *name)
{
	for (unsigned i = 0; name && i < ROWS; i++)
		if (text_is_nocase(text_of(name), rows[i].name))
			return &rows[i];
	return NULL;
}

const struct trust_profile *trust_profile_at(unsigned i)
{
	return i < ROWS ? &rows[i] : NULL;
}

unsigned trust_profile_count(void)
{
	return ROWS;
}

const char *trust_reason_meaning(const char *name)
{
	for (unsigned i = 0; name && i < P_REASONS; i++)
		if (strcmp(reasons[i].name, name) == 0)
			return reasons[i].meaning;
	return NULL;
}

const char *trust_reason_at(unsigned i)
{
	return i < P_REASONS ? reasons[i].name : NULL;
}

/* ---- words ---- */

static void f_wanted(const struct p_case *c, char *dst, size_t size)
{
	trust_names_join_by(&c->wanted, "or", dst, size > 300 ? 300 : size);
}

static void f_offered(const struct p_case *c, char *dst, size_t size)
{
	if (c->offered.n)
		trust_names_join(&c->offered, dst, size > 300 ? 300 : size);
	else
		text_fill(dst, size, "no name that counts");
}

static void f_alert(const struct p_case *c, char *dst, size_t size)
{
	text_print(dst, size, "%d (%s)", c->alert, trust_alert_name((unsigned)c->alert));
}

static void f_verifier(const struct p_case *c, char *dst, size_t size)
{
	text_fill(dst, size, c->p->title);
}

static void f_seat(const struct p_case *c, char *dst, size_t size)
{
	text_fill(dst, size, trust_seat_name(c->q->seat));
}

static void f_usage(const struct p_case *c, char *dst, size_t size)
{
	text_fill(dst, size, c->q->seat == TRUST_SEAT_CLIENT_CERT ? "clientAuth" : "serverAuth");
}

static void f_detail(const struct p_case *c, char *dst, size_t size)
{
	text_fill(dst, size, c->detail);
}

static void f_near(const struct p_case *c, char *dst, size_t size)
{
	text_fill(dst, size, c->near);
}

static void f_matched(const struct p_case *c, char *dst, size_t size)
{
	text_fill(dst, size, c->matched);
}

static const struct {
	const char *name;
	void (*fn)(const struct p_case *c, char *dst, size_t size);
} fields[] = {
	{ "verifier", f_verifier }, { "seat", f_seat }, { "usage", f_usage }, { "wanted", f_wanted },
	{ "offered", f_offered }, { "detail", f_detail }, { "near", f_near }, { "matched", f_matched }, { "alert", f_alert },
};

static void field(const struct p_case *c, struct text name, char *dst, size_t size)
{
	dst[0] = '\0';
	for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
		if (text_is(name, fields[i].name))
			fields[i].fn(c, dst, size);
}

static void fill(const struct p_case *c, const char *pattern, char *dst, size_t size)
{
	struct text left = text_of(pattern);
	char value[512];
	size_t at = 0;
	dst[0] = '\0';
	while (left.n && at + 1 < size) {
		size_t close = left.p[0] == '{' ? text_find(left, '}') : SIZE_MAX;
		if (close == SIZE_MAX) {
			dst[at++] = left.p[0];
			dst[at] = '\0';
			left = text_skip(left, 1);
			continue;
		}
		field(c, text_make(left.p + 1, close - 1), value, sizeof value);
		text_fill(dst + at, size - at, value);
		at += strlen(dst + at);
		left = text_skip(left, close + 1);
	}
}

void p_note(enum p_note n, const struct p_case *c, char *dst, size_t size)
{
	fill(c, n < P_NOTES ? notes[n] : "", dst, size);
}

/* ---- judging ---- */

bool p_refuse(struct p_case *c, enum p_reason r, int alert)
{
	c->kind = TRUST_REFUSES;
	c->reason = r;
	c->alert = alert;
	return false;
}

bool p_unknown(struct p_case *c, enum p_reason r, enum p_note doubt)
{
	c->kind = TRUST_CANNOT_SAY;
	c->reason = r;
	p_note(doubt, c, c->detail, sizeof c->detail);
	return false;
}

static void no_certificate(struct p_case *c)
{
	if (c->q->seat == TRUST_SEAT_CLIENT_CERT && c->s->on != P_ALWAYS)
		(void)p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_INSISTS);
	else
		(void)p_refuse(c, P_NO_CERTIFICATE, c->q->seat == TRUST_SEAT_CLIENT_CERT ? 116 : 40);
}

static void judge_names(struct p_case *c)
{
	if (c->s->wants == P_NOT_KNOWN)
		(void)p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_NAMES);
	else if (c->s->wants != P_CHAIN)
		(void)p_check_names(c);
	c->by_name = c->kind != TRUST_ACCEPTS;
}

/* The order in which OpenSSL finds things, which decides about the alert where several are wrong. */
static bool in_openssl_order(struct p_case *c)
{
	return p_check_form(c) && p_check_key(c) && p_check_chain(c) && p_check_usage(c) && p_check_hash(c) && p_check_time(c);
}

/* It compares names before it looks at what was found. */
static void names_before(struct p_case *c)
{
	struct p_case later = *c;
	judge_names(c);
	if (c->kind != TRUST_REFUSES)
		*c = later;
}

/* As if the check were switched on. */
static void judge(struct p_case *c)
{
	c->kind = TRUST_ACCEPTS;
	c->reason = c->s->script ? P_SCRIPT_ONLY : P_CHAIN_ONLY;
	if (c->s->wants == P_NOTHING) {
		c->reason = P_NOT_ASKED;
	} else if (c->s->wants == P_ALL_NOT_KNOWN) {
		(void)p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_DIRECTION);
	} else if (!c->q->leaf && !c->q->described) {
		no_certificate(c);
	} else if (!c->q->leaf) {
		judge_names(c);
	} else if (c->p->openssl ? in_openssl_order(c) :
				   p_check_form(c) && p_check_time(c) && p_check_usage(c) && p_check_key(c) && p_check_hash(c) && p_check_chain(c)) {
		judge_names(c);
	} else if (c->late && c->s->wants == P_NAME && c->s->when == TRUST_WHEN_ALERT && !c->s->when_name) {
		names_before(c);
	}
}

/* ---- the answer ---- */

static enum trust_certainty certainty_of(const struct p_case *c, const struct trust_answer *a)
{
	bool proven = c->p->generic || c->s->confidence == TRUST_BY_STANDARD ||
		      (c->p->runs && (c->s->confidence == TRUST_BY_LAB || c->s->confidence == TRUST_BY_SOURCE));
	bool switch_known = c->q->enabled != TRUST_AS_DEFAULT || c->s->on != P_ON_NOT_KNOWN;
	if (a->kind == TRUST_CANNOT_SAY)
		return TRUST_UNKNOWN;
	if (a->default_off && a->if_enabled != TRUST_ACCEPTS)
		return TRUST_LIKELY; /* somebody may have switched it on */
	return proven && switch_known ? TRUST_SURE : TRUST_LIKELY;
}

static enum trust_when when(const struct p_case *c)
{
	return c->by_name && c->s->when_name ? c->s->when_name : c->s->when;
}

static void say_sees(const struct p_case *c, char *dst, size_t size)
{
	bool client = c->q->seat == TRUST_SEAT_CLIENT_CERT, number = c->p->openssl && c->alert;
	switch (when(c)) {
	case TRUST_WHEN_ALERT:
		p_note(number ? (client ? P_NOTE_SEES_ALERT_CLIENT : P_NOTE_SEES_ALERT_SERVER) :
				(client ? P_NOTE_SEES_ANY_ALERT_CLIENT : P_NOTE_SEES_ANY_ALERT_SERVER), c, dst, size);
		break;
	case TRUST_WHEN_CLOSE: p_note(P_NOTE_SEES_CLOSE, c, dst, size); break;
	case TRUST_WHEN_REQUEST: p_note(P_NOTE_SEES_REQUEST, c, dst, size); break;
	case TRUST_WHEN_UNKNOWN: p_note(P_NOTE_SEES_UNKNOWN, c, dst, size); break;
	}
}

static void add_text(char *dst, size_t size, const char *s)
{
	size_t at = strlen(dst);
	text_fill(dst + at, size - at, s);
}

static void say_remark(const struct p_case *c, char *dst, size_t size)
{
	const struct trust_profile *p = c->p;
	bool server = c->q->seat == TRUST_SEAT_SERVER_CERT;
	X509 *leaf = c->q->leaf;
	EVP_PKEY *key = leaf ? X509_get0_pubkey(leaf) : NULL;
	if (p->wants_cdp && leaf && X509_get_ext_by_NID(leaf, NID_crl_distribution_points, -1) < 0)
		add_text(dst, size, notes[P_NOTE_WANTS_CDP]);
	if (p->wants_rsa && key && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		add_text(dst, size, notes[P_NOTE_WANTS_RSA]);
	if (p->wants_public_ca && !c->q->anchors)
		add_text(dst, size, notes[P_NOTE_WANTS_PUBLIC_CA]);
	if (!server && p->wants_sni == P_YES)
		add_text(dst, size, notes[P_NOTE_WANTS_SNI]);
	if (server && p->sends_sni == P_NO)
		add_text(dst, size, notes[P_NOTE_NO_SNI]);
	if (c->s->remark)
		add_text(dst, size, c->s->remark);
}

/* Off unless told otherwise: it accepts; and what it would do is said. */
static void say_default_off(struct p_case *c, struct trust_answer *a)
{
	char why[sizeof c->detail];
	a->default_off = true;
	a->if_enabled = c->kind;
	text_fill(a->if_enabled_name, sizeof a->if_enabled_name, reasons[c->reason].name);
	if (c->kind != TRUST_CANNOT_SAY || !c->detail[0])
		text_fill(c->detail, sizeof c->detail, reasons[c->reason].meaning);
	p_note(c->kind == TRUST_ACCEPTS ? P_NOTE_IF_ACCEPTS : c->kind == TRUST_REFUSES ? P_NOTE_IF_REFUSES : P_NOTE_IF_UNKNOWN, c, why, sizeof why);
	text_fill(c->detail, sizeof c->detail, why);
	if (c->kind == TRUST_REFUSES)
		fill(c, reasons[c->reason].fix, a->fix, sizeof a->fix);
	c->kind = TRUST_ACCEPTS;
	c->reason = P_DEFAULT_OFF;
}

void trust_profile_judge(const struct trust_profile *p, const struct trust_question *q, struct trust_answer *a)
{
	struct p_case c = { .p = p, .s = q->seat == TRUST_SEAT_CLIENT_CERT ? &p->client : &p->server, .q = q };
	*a = (struct trust_answer){ .confidence = c.s->confidence };
	ERR_set_mark();
	judge(&c);
	if (c.s->wants != P_NOTHING && q->enabled == TRUST_SWITCHED_OFF) {
		c.kind = TRUST_ACCEPTS;
		c.reason = P_SWITCHED_OFF;
	} else if (c.s->wants != P_NOTHING && c.s->on == P_OFF && q->enabled == TRUST_AS_DEFAULT) {
		say_default_off(&c, a);
	}
	a->kind = c.kind;
	a->certainty = certainty_of(&c, a);
	text_fill(a->name, sizeof a->name, reasons[c.reason].name);
	fill(&c, reasons[c.reason].sentence, a->sentence, sizeof a->sentence);
	if (!a->default_off)
		fill(&c, reasons[c.reason].fix, a->fix, sizeof a->fix);
	if (c.wanted.n)
		trust_names_join_by(&c.wanted, "or", a->wanted, sizeof a->wanted);
	if (c.offered.n)
		trust_names_join(&c.offered, a->offered, sizeof a->offered);
	if (a->kind == TRUST_REFUSES || (a->default_off && a->if_enabled == TRUST_REFUSES)) {
		a->when = when(&c);
		say_sees(&c, a->sees, sizeof a->sees);
	}
	say_remark(&c, a->remark, sizeof a->remark);
	ERR_pop_to_mark();
}

/* ---- judges_us ---- */

bool trust_judges_us_set(struct trust_judges_us *j, const char *profile)
{
	const struct trust_profile *p = trust_profile_find(profile);
	j->configured = p != NULL;
	text_fill(j->profile, sizeof j->profile, p ? p->name : "");
	if (p)
		j->rule = p->client.uri_hides_dns				      ? TRUST_RULE_RFC5922 :
			  p->client.dns == P_NO && p->client.cn.dns != P_NO ? TRUST_RULE_CN_ONLY :
									      TRUST_RULE_SAN_OR_CN;
	return j->configured;
}

enum trust_answer_kind trust_judges_us_admits(const struct trust_judges_us *j, const struct trust_cert *cert)
{
	const struct trust_profile *p = j->configured ? trust_profile_find(j->profile) : NULL;
	struct trust_answer a;
	if (!p && (!j->configured || !j->known.n))
		return TRUST_CANNOT_SAY;
	if (!p) /* facts of another making: a rule without a name */
		return trust_rule_would_accept(j->rule, cert, &j->known) ? TRUST_ACCEPTS : TRUST_REFUSES;
	trust_profile_judge(p, &(struct trust_question){ .seat = TRUST_SEAT_CLIENT_CERT, .described = cert, .known = j->known.n ? &j->known : NULL,
							 .enabled = TRUST_SWITCHED_ON }, &a);
	return a.kind;
}

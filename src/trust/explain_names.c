/* SPDX-License-Identifier: Apache-2.0 */
/* explain_names.c  The fields of the sentences that compare names, tell of the second question, and of what SIP said. */
#include "trust/explain_private.h"
#include "trust/rule.h"

/* ---- names compared ---- */

static void f_wanted(const struct explain *x, char *dst, size_t size)
{
	if (x->f->name.wanted.n)
		trust_names_join(&x->f->name.wanted, dst, size > 400 ? 400 : size);
	else
		text_fill(dst, size, "nobody");
}

static void f_offered(const struct explain *x, char *dst, size_t size)
{
	if (x->f->name.offered.n)
		trust_names_join(&x->f->name.offered, dst, size > 400 ? 400 : size);
	else
		text_fill(dst, size, "no name that counts");
}

/* As the configuration takes them: "a, b". A name that could be taken for something else there is left out; whoever made the certificate chose it. */
static void f_offered_list(const struct explain *x, char *dst, size_t size)
{
	size_t at = 0;
	for (unsigned i = 0; i < x->f->name.offered.n; i++) {
		const char *name = trust_names_at(&x->f->name.offered, i);
		if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != strlen(name) || at + strlen(name) + 3 > size)
			continue;
		text_print(dst + at, size - at, "%s%s", at ? ", " : "", name);
		at += strlen(dst + at);
	}
	if (!at)
		text_fill(dst, size, "NAME");
}

static void f_rule(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, trust_rule_kind_name(x->f->name.rule));
}

static void f_dialled_note(const struct explain *x, char *dst, size_t size)
{
	const char *sni = x->f->tls.sni[0] ? x->f->tls.sni : x->f->tls.client_hello.sni;
	if (x->f->role == TRUST_ACCEPTED && *sni)
		text_print(dst, size, " (it asked for %s)", sni);
}

static void f_known(const struct explain *x, char *dst, size_t size)
{
	trust_names_join_by(&x->f->judges.known, "or", dst, size > 400 ? 400 : size);
}

static void f_known_note(const struct explain *x, char *dst, size_t size)
{
	explain_note(x, x->f->judges.known.n ? NOTE_KNOWS : NOTE_ANY_NAME, dst, size);
}

static void f_judge_rule(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, trust_rule_kind_name(x->f->judges.rule));
}

static void f_our_judged(const struct explain *x, char *dst, size_t size)
{
	if (x->f->judges.rule == TRUST_RULE_CN_ONLY)
		text_print(dst, size, "CN %s", x->f->ours.cn[0] ? x->f->ours.cn : "(none)");
	else
		explain_cert_names(&x->f->ours, dst, size);
}

static void f_wanted_cn(const struct explain *x, char *dst, size_t size)
{
	trust_wanted_cn(&x->f->judges, x->f->our_fqdn, x->f->our_service, dst, size);
	if (!*dst)
		text_fill(dst, size, "this node's FQDN");
}

static void f_identity_clause(const struct explain *x, char *dst, size_t size)
{
	const struct trust_judges_us *j = &x->f->judges;
	bool ours = trust_names_has(&j->known, x->f->our_fqdn) || (x->f->our_service[0] && trust_names_has(&j->known, x->f->our_service));
	explain_note(x, !j->configured || !j->known.n ? NOTE_CLAUSE_FQDN : ours ? NOTE_CLAUSE_KNOWN : NOTE_CLAUSE_OTHERS, dst, size);
}

static void f_second_note(const struct explain *x, char *dst, size_t size)
{
	enum trust_second_outcome o = x->f->second.outcome;
	if (x->f->second.kind)
		explain_note(x, o == TRUST_SECOND_ANSWERED ? NOTE_SECOND_ANSWERED : o == TRUST_SECOND_FAILED ? NOTE_SECOND_FAILED : NOTE_SECOND_NOT, dst, size);
}

static void f_identity_cause(const struct explain *x, char *dst, size_t size)
{
	explain_note(x, x->f->judges.configured && x->f->judges.known.n ? NOTE_CAUSE_CONFIGURED : NOTE_CAUSE_ASSUMED, dst, size);
	size_t n = strlen(dst);
	f_second_note(x, dst + n, size - n);
}

static void f_second_how(const struct explain *x, char *dst, size_t size)
{
	if (x->f->second.kind == TRUST_SECOND_IDENTITY)
		text_print(dst, size, "with identity %s (CN %s)", x->f->second.identity, x->f->second.cn);
	else
		text_fill(dst, size, "over a connection that the peer had opened");
}

static void f_second_status(const struct explain *x, char *dst, size_t size)
{
	text_print(dst, size, "%u", x->f->second.status);
}

/* Another identity of ours whose CN the peer knows: "name=CN" pairs. */
static bool held(const struct explain *x, struct text *name, struct text *cn)
{
	for (unsigned i = 0; i < x->f->identities.n; i++) {
		struct text pair = text_of(trust_names_at(&x->f->identities, i));
		if (!text_cut(pair, '=', name, cn) || text_is(*name, x->f->our_identity))
			continue;
		if (trust_names_has(&x->f->judges.known, cn->p))
			return true;
	}
	return false;
}

static void f_identity_held(const struct explain *x, char *dst, size_t size)
{
	struct text name, cn;
	if (held(x, &name, &cn))
		explain_note(x, NOTE_IDENTITY_HELD, dst, size);
}

static void f_held_identity(const struct explain *x, char *dst, size_t size)
{
	struct text name = TEXT_NONE, cn;
	if (held(x, &name, &cn))
		text_print(dst, size, "%.*s", TEXT_FMT(name));
}

static void f_held_cn(const struct explain *x, char *dst, size_t size)
{
	struct text name, cn = TEXT_NONE;
	if (held(x, &name, &cn))
		text_print(dst, size, "%.*s", TEXT_FMT(cn));
}

/* ---- SIP ---- */

static void f_method(const struct explain *x, char *dst, size_t size)
{
	static const char *const by_flow[] = { "the request", "INVITE", "OPTIONS", "REFER", "NOTIFY", "INVITE", "the request" };
	text_fill(dst, size, x->f->sip.method[0] ? x->f->sip.method : by_flow[x->f->flow]);
}

static void f_status(const struct explain *x, char *dst, size_t size)
{
	text_print(dst, size, "%u", x->f->sip.status);
}

static const char *said(const struct explain *x)
{
	const struct trust_sip_facts *s = &x->f->sip;
	return s->ms_diagnostics[0] ? s->ms_diagnostics : s->reason[0] ? s->reason : s->warning;
}

static void f_diagnostics(const struct explain *x, char *dst, size_t size)
{
	text_fill(dst, size, *said(x) ? said(x) : x->f->sip.phrase);
}

static void f_diagnostics_note(const struct explain *x, char *dst, size_t size)
{
	if (*said(x))
		text_print(dst, size, "; it says: %s", said(x));
}

static void f_retry_note(const struct explain *x, char *dst, size_t size)
{
	if (x->f->sip.retry_after_s >= 0)
		text_print(dst, size, " (ask again in %d s)", x->f->sip.retry_after_s);
}

static const struct explain_field_row by_function[] = {
	{ "wanted", f_wanted }, { "offered", f_offered }, { "offered_list", f_offered_list }, { "rule", f_rule }, { "dialled_note", f_dialled_note },
	{ "known", f_known }, { "known_note", f_known_note }, { "judge_rule", f_judge_rule }, { "our_judged", f_our_judged },
	{ "wanted_cn", f_wanted_cn }, { "identity_clause", f_identity_clause }, { "second_note", f_second_note },
	{ "identity_cause", f_identity_cause }, { "second_how", f_second_how }, { "second_status", f_second_status },
	{ "identity_held", f_identity_held }, { "held_identity", f_held_identity }, { "held_cn", f_held_cn },
	{ "method", f_method }, { "status", f_status }, { "diagnostics", f_diagnostics },
	{ "diagnostics_note", f_diagnostics_note }, { "retry_note", f_retry_note },
};

bool explain_name_field(const struct explain *x, struct text name, char *dst, size_t size)
{
	for (unsigned i = 0; i < sizeof by_function / sizeof *by_function; i++)
		if (text_is(name, by_function[i].name)) {
			by_function[i].fn(x, dst, size);
			return true;
		}
	return false;
}

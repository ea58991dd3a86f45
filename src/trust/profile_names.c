/* SPDX-License-Identifier: Apache-2.0 */
/* profile_names.c  Which names of a certificate count for a verifier, and whether one of them is the name that it looks for. How names are
 * compared is profile_match.c, how they are found profile_walk.c. */
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include "trust/profile_match.h"
#include "trust/profile_walk.h"

/* What was found so far for all wanted names. */
struct search {
	struct p_case *c;
	const struct p_seat *s;
	bool has_san, has_dns, has_domain_uri, has_uri, has_ip, critical;
	const char *wanted;        /* now */
	const char *whole;         /* the same, as it was given */
	bool dotless;              /* a dot at the end of the reference was dropped, and it is not known whether the verifier does */
	bool address;
	uint8_t bytes[16];
	size_t n_bytes;
	bool yes, maybe, cn_hit, dns_hit, any_name, nul;
	bool cn_may, dns_may;      /* those hits counted, or may count */
	enum p_reason near;
	bool near_option;
	char near_name[TRUST_NAME_SIZE], matched[TRUST_NAME_SIZE];
	enum p_note doubt;
};

static void doubt(struct search *x, enum p_note what)
{
	x->maybe = true;
	if (x->doubt == P_NOTES)
		x->doubt = what;
}

static void near_miss(struct search *x, enum p_reason r)
{
	if (x->near != P_MISMATCH)
		return;
	x->near = r;
	text_fill(x->near_name, sizeof x->near_name, x->wanted);
}

/* ---- does the name count? ---- */

static enum p_tri cn_counts(const struct search *x, const struct p_name *n)
{
	if ((x->has_ip && x->c->p->reading & (P_CN_NOT_BY_IP | P_CN_NOT_BY_ID)) || (x->has_uri && x->c->p->reading & P_CN_NOT_BY_ID))
		return P_NO;
	enum p_tri t = !x->has_san ? x->s->cn.no_san : x->has_dns ? x->s->cn.dns : x->s->cn.no_dns;
	if (x->critical && x->s->critical_hides_cn)
		return P_NO;
	switch (x->s->which_cn) {
	case P_CN_LAST: return n->index == n->of - 1 ? t : P_NO;
	case P_CN_FIRST: return n->index == 0 ? t : P_NO;
	case P_CN_LAST_RDN: return n->last_rdn ? t : P_NO;
	case P_CN_SINGLE: return n->of == 1 ? t : P_NO;
	case P_CN_ALL: break;
	}
	return t;
}

static enum p_tri uri_counts(const struct search *x, const struct p_name *n)
{
	struct p_match_uri u = p_match_uri(n->value);
	if (x->s->uri == P_URI_NONE || (!u.sip && !u.sips) || (u.sips && x->s->sips == P_NO))
		return P_NO;
	if (u.user && (x->s->uri == P_URI_DOMAIN || x->s->uri == P_URI_MAYBE))
		return P_NO;
	return x->s->uri == P_URI_MAYBE || (u.sips && x->s->sips == P_MAYBE) ? P_MAYBE : P_YES;
}

static enum p_tri counts(const struct search *x, const struct p_name *n)
{
	switch (n->kind) {
	case P_NAME_CN:
		return cn_counts(x, n);
	case P_NAME_DNS:
		return x->s->uri_hides_dns && x->has_domain_uri ? P_NO : x->s->dns;
	case P_NAME_URI:
		return uri_counts(x, n);
	case P_NAME_IP:
		return x->s->ip == P_IP_SAN || x->s->ip == P_IP_TEXT ? P_YES : x->s->ip == P_IP_MAYBE ? P_MAYBE : P_NO;
	}
	return P_NO;
}

static enum p_note why_doubt(const struct search *x, const struct p_name *n)
{
	switch (n->kind) {
	case P_NAME_CN:
		return !x->has_san ? P_NOTE_DOUBT_CN_NO_SAN :
		       x->has_dns  ? P_NOTE_DOUBT_CN_DNS :
				     P_NOTE_DOUBT_CN_NO_DNS;
	case P_NAME_DNS:
		return P_NOTE_DOUBT_DNS;
	case P_NAME_URI:
		return P_NOTE_DOUBT_URI;
	case P_NAME_IP:
		return P_NOTE_DOUBT_IP;
	}
	return P_NOTES;
}

/* ---- is it the wanted one? ---- */

static void hit(struct search *x, const struct p_name *n, enum p_tri count)
{
	if (x->dotless) {
		/* proves nothing for "both" */
	} else if (n->kind == P_NAME_CN && n->of - 1 == n->index) {
		x->cn_hit = true;
		x->cn_may = count != P_NO;
	} else if (n->kind == P_NAME_DNS) {
		x->dns_hit = true;
		x->dns_may = count != P_NO;
	}
	if (count == P_YES && !x->dotless) {
		if (!x->yes)
			text_fill(x->matched, sizeof x->matched, x->wanted);
		x->yes = true;
	} else if (count == P_YES) {
		doubt(x, P_NOTE_DOUBT_DOT);
	} else if (count == P_MAYBE) {
		doubt(x, why_doubt(x, n));
	} else if (n->kind == P_NAME_CN) {
		bool lesser = n->of > 1 && (!x->has_san ? x->s->cn.no_san : x->has_dns ? x->s->cn.dns : x->s->cn.no_dns) != P_NO;
		near_miss(x, lesser ? P_LESSER_CN : P_IN_CN_ONLY);
	} else if (n->kind == P_NAME_DNS) {
		near_miss(x, x->s->dns == P_NO ? P_IN_SAN_ONLY : P_BEHIND_URI);
	}
}

static void wildcard_hit(struct search *x, const struct p_name *n, enum p_wild takes, bool whole, enum p_tri count)
{
	if (count == P_NO)
		return;
	bool front = takes == P_WILD_FRONT && text_starts(n->value, "*");
	if (takes == P_WILD_PARTIAL || takes == P_WILD_WITHIN || front || (whole && (takes == P_WILD_LABEL || takes == P_WILD_FIRST || takes == P_WILD_GLOB))) {
		hit(x, n, count);
	} else if (takes == P_WILD_MAYBE) {
		doubt(x, n->kind == P_NAME_CN ? P_NOTE_DOUBT_WILD_CN : P_NOTE_DOUBT_WILD_SAN);
	} else {
		near_miss(x, P_WILDCARD);
		x->near_option = x->near_option || (whole && takes == P_WILD_OPTION);
	}
}

static void compare_uri(struct search *x, const struct p_name *n)
{
	struct p_match_uri u = p_match_uri(n->value);
	struct text w = text_of(x->wanted);
	enum p_tri count = counts(x, n);
	if (!text_eq_nocase(u.host, w) && !(x->s->uri == P_URI_REST && text_eq_nocase(u.rest, w)))
		return;
	if (count != P_NO && (x->s->uri != P_URI_REST || text_eq_nocase(u.rest, w)))
		hit(x, n, count);
	else
		near_miss(x, x->s->uri == P_URI_NONE ? P_URI_ONLY : u.user ? P_USER_URI : u.sips ? P_SIPS_URI : P_URI_ONLY);
}

static void compare_name(struct search *x, const struct p_name *n)
{
	struct text w = text_of(x->wanted), v = n->value;
	if (x->c->p->reading & P_DOTS_DROP && v.n > 1 && v.p[v.n - 1] == '.')
		v.n--;
	enum p_tri count = counts(x, n);
	enum p_wild takes = n->kind == P_NAME_CN ? x->s->wild_cn : x->s->wild_san;
	if (text_eq_nocase(v, w) || (x->c->p->reading & P_DOT_TOO && text_eq_nocase(v, text_of(x->whole))))
		hit(x, n, count);
	else if (x->c->p->reading & P_RAW_IDN && n->kind == P_NAME_CN && count == P_YES && text_find_text(w, TEXT("xn--")) != SIZE_MAX && !p_match_plain(v))
		doubt(x, P_NOTE_DOUBT_IDN);
	else if ((takes == P_WILD_FIRST && p_match_first(v, w)) || (takes == P_WILD_GLOB && p_match_glob(v, w)))
		wildcard_hit(x, n, takes, true, count);
	else if (p_match_label(v, w) && x->c->p->reading & P_STAR_LDH && !p_match_ldh(text_head(w, text_find(w, '.')), false))
		near_miss(x, P_WILDCARD);
	else if (p_match_label(v, w))
		wildcard_hit(x, n, takes, true, count);
	else if (p_match_part(v, w, takes == P_WILD_WITHIN))
		wildcard_hit(x, n, takes, false, count);
	else if ((v.n == w.n + 1 && v.p[w.n] == '.' && text_eq_nocase(text_head(v, w.n), w)) ||
		 (w.n == v.n + 1 && w.p[v.n] == '.' && text_eq_nocase(text_head(w, v.n), v)))
		near_miss(x, P_TRAILING_DOT);
	else if (v.n > w.n && v.p[w.n] == '\0' && text_eq_nocase(text_head(v, w.n), w))
		near_miss(x, P_NUL);
}

static bool constrained(const STACK_OF(X509) *chain)
{
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (X509_get_ext_by_NID(sk_X509_value(chain, i), NID_name_constraints, -1) >= 0)
			return true;
	return false;
}

static void compare_address(struct search *x, const struct p_name *n)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	bool same = false, as_address = n->kind == P_NAME_IP;
	if (as_address && x->n_bytes == 4 && n->value.n == 16 && x->c->p->reading & P_MAPPED_IP) {
		same = memcmp(n->value.p, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0 && memcmp(n->value.p + 12, x->bytes, 4) == 0;
	} else if (as_address) {
		same = n->value.n == x->n_bytes && memcmp(n->value.p, x->bytes, x->n_bytes) == 0;
	} else {
		struct text v = n->kind == P_NAME_URI ? p_match_uri(n->value).host : n->value;
		if (v.n < sizeof text && text_copy(v, text, sizeof text) == 0)
			same = inet_pton(x->n_bytes == 4 ? AF_INET : AF_INET6, text, bytes) == 1 && memcmp(bytes, x->bytes, x->n_bytes) == 0;
	}
	if (!same)
		return;
	if (n->kind == P_NAME_CN && n->last_rdn && x->has_san && !x->has_ip && x->c->p->reading & P_CN_CONSTRAINED && constrained(x->c->q->chain))
		hit(x, n, P_YES);
	else if (as_address || x->s->ip == P_IP_TEXT || (n->kind == P_NAME_CN && x->c->p->reading & P_CN_ADDRESS))
		hit(x, n, counts(x, n));
	else if (x->s->ip == P_IP_MAYBE)
		doubt(x, P_NOTE_DOUBT_ADDRESS);
	else
		near_miss(x, P_IP_AS_DNS);
}

static void compare(const struct p_name *n, void *search)
{
	struct search *x = search;
	x->any_name = true;
	if (n->kind != P_NAME_IP && text_find(n->value, '\0') != SIZE_MAX)
		x->nul = true;
	if (x->address)
		compare_address(x, n);
	else if (n->kind == P_NAME_URI)
		compare_uri(x, n);
	else if (n->kind != P_NAME_IP)
		compare_name(x, n);
}

/* ---- what there is ---- */

static void survey(const struct p_name *n, void *search)
{
	struct search *x = search;
	struct p_match_uri u = n->kind == P_NAME_URI ? p_match_uri(n->value) : (struct p_match_uri){ 0 };
	x->has_dns = x->has_dns || n->kind == P_NAME_DNS;
	x->has_uri = x->has_uri || n->kind == P_NAME_URI;
	x->has_ip = x->has_ip || n->kind == P_NAME_IP;
	x->has_domain_uri = x->has_domain_uri || (u.sip && !u.user && u.host.n);
}

static void offer(const struct p_name *n, void *search)
{
	struct search *x = search;
	char words[TRUST_NAME_SIZE], address[INET6_ADDRSTRLEN];
	struct text v = n->kind == P_NAME_URI && x->s->uri != P_URI_REST ? p_match_uri(n->value).host : n->value;
	if (counts(x, n) == P_NO || x->c->offered.cut)
		return;
	if (n->kind == P_NAME_IP)
		v = text_of(inet_ntop(v.n == 4 ? AF_INET : AF_INET6, v.p, address, sizeof address));
	text_escape(v, words, sizeof words);
	if (!trust_names_has(&x->c->offered, words))
		trust_names_add_str(&x->c->offered, words);
}

/* ---- the wanted names ---- */

static void want(struct search *x, const char *name)
{
	x->wanted = name;
	x->address = inet_pton(AF_INET, name, x->bytes) == 1;
	x->n_bytes = x->address ? 4 : 16;
	x->address = x->address || inet_pton(AF_INET6, name, x->bytes) == 1;
}

static void seek(struct search *x, const GENERAL_NAMES *sans, const char *name)
{
	char bare[TRUST_NAME_SIZE];
	size_t n = strlen(name);
	x->whole = name;
	want(x, name);
	if (n > 1 && n < sizeof bare && name[n - 1] == '.' && x->s->strips_dot != P_NO) {
		text_print(bare, sizeof bare, "%.*s", (int)n - 1, name);
		want(x, bare);
		x->dotless = x->s->strips_dot != P_YES;
	}
	p_walk_sans(x->c, sans, compare, x);
	(void)p_walk_cns(x->c, compare, x);
	x->dotless = false;
}

static void seek_all(struct search *x, const GENERAL_NAMES *sans)
{
	const struct trust_question *q = x->c->q;
	bool list = x->s->wants == P_LIST || x->s->wants == P_TOPOLOGY || !q->reference;
	for (unsigned i = 0; list && i < q->known->n; i++)
		seek(x, sans, trust_names_at(q->known, i));
	if (!list)
		seek(x, sans, q->reference);
	/* Whichever of the two counts, it is there. */
	x->yes = x->yes || (x->cn_hit && x->dns_hit && x->cn_may && x->dns_may && !x->near_option && x->maybe);
	if (x->yes && !x->matched[0])
		text_fill(x->matched, sizeof x->matched, list ? trust_names_at(q->known, 0) : q->reference);
}

/* ---- the outcome ---- */

static bool decide(struct search *x)
{
	struct p_case *c = x->c;
	bool list = x->s->wants == P_LIST, topology = x->s->wants == P_TOPOLOGY;
	if (x->nul && x->s->confidence == TRUST_BY_STANDARD)
		return p_refuse(c, P_NUL, 42);
	text_fill(c->matched, sizeof c->matched, x->yes ? x->matched : x->near_name);
	if (x->yes) {
		c->kind = TRUST_ACCEPTS;
		c->reason = list || topology ? P_NAME_LISTED : P_NAME_MATCHES;
		return true;
	}
	if (x->maybe)
		return p_unknown(c, P_RULE_NOT_KNOWN, x->doubt);
	if (!c->q->leaf && (c->q->described->sans.cut || c->q->described->cns.cut))
		return p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_CUT);
	if (x->near == P_NUL && !c->p->runs)
		return p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_NUL);
	if (x->near == P_WILDCARD && x->near_option)
		p_note(P_NOTE_WILD_OPTION, c, c->detail, sizeof c->detail);
	if (list || topology) {
		p_note(x->near == P_IN_SAN_ONLY ? P_NOTE_NEAR_SAN : x->near == P_IN_CN_ONLY ? P_NOTE_NEAR_CN : x->near == P_WILDCARD ? P_NOTE_NEAR_WILDCARD : P_NOTES,
		       c, c->near, sizeof c->near);
		return p_refuse(c, list ? P_NOT_LISTED : P_NOT_KNOWN_SERVER, 42);
	}
	if (x->s->critical_hides_cn && x->critical && x->near == P_IN_CN_ONLY)
		return p_refuse(c, P_CRITICAL_SAN, 42);
	if (x->near == P_MISMATCH && x->address && x->s->ip == P_IP_NO)
		return p_refuse(c, P_ADDRESS, 42);
	return p_refuse(c, x->near != P_MISMATCH ? x->near : c->offered.n ? P_MISMATCH : P_NONE_OFFERED, 42);
}

/* Whether there is something to compare with; the case is decided if not. */
static bool comparable(struct search *x)
{
	struct p_case *c = x->c;
	const struct trust_question *q = c->q;
	if (x->s->wants == P_NAME && !q->reference && q->known && q->known->n) {
		c->wanted = *q->known;
		return true;
	}
	if (x->s->wants == P_NAME) {
		if (!q->reference || !*q->reference)
			return p_unknown(c, P_NO_REFERENCE, P_NOTES);
		trust_names_add_str(&c->wanted, q->reference);
		want(x, q->reference);
		if (!x->address && x->c->p->reading & P_LDH_ONLY && !p_match_ldh(text_of(q->reference), true))
			return p_refuse(c, P_NOT_LDH, 42);
		if (x->address && x->s->ip == P_IP_SKIP) {
			c->kind = TRUST_ACCEPTS;
			c->reason = P_ADDRESS_SKIPPED;
			return false;
		}
		return true;
	}
	if (!q->known)
		return p_unknown(c, P_LIST_NOT_KNOWN, P_NOTES);
	c->wanted = *q->known;
	if (q->known->n || x->s->wants == P_TOPOLOGY)
		return q->known->n || p_refuse(c, P_LIST_EMPTY, 42);
	if (x->s->empty == P_EMPTY_MAYBE)
		return p_unknown(c, P_RULE_NOT_KNOWN, P_NOTE_DOUBT_EMPTY);
	if (x->s->empty == P_EMPTY_NOBODY)
		return p_refuse(c, P_LIST_EMPTY, 42);
	c->kind = TRUST_ACCEPTS;
	c->reason = P_EMPTY_LIST;
	return false;
}

bool p_check_names(struct p_case *c)
{
	int critical = -1;
	struct search x = { .c = c, .s = c->s, .near = P_MISMATCH, .doubt = P_NOTES };
	GENERAL_NAMES *sans = NULL;
	if (c->q->leaf && !(c->p->habits & P_V1_BARE && X509_get_version(c->q->leaf) < 2))
		sans = X509_get_ext_d2i(c->q->leaf, NID_subject_alt_name, &critical, NULL);
	if (!sans && critical != -1) /* -2: there are two of them; else it cannot be decoded */
		return p_refuse(c, P_UNREADABLE, 42);
	x.has_san = c->q->leaf ? sans != NULL : c->q->described->has_san;
	x.critical = c->q->leaf ? critical == 1 : c->q->described->san_critical;
	p_walk_sans(c, sans, survey, &x);
	x.has_uri = x.has_uri || p_walk_has_srv(sans);
	x.wanted = "";
	p_walk_sans(c, sans, offer, &x);
	bool readable = p_walk_cns(c, offer, &x);
	if (!readable)
		(void)p_refuse(c, P_UNREADABLE, 42);
	else if (comparable(&x)) {
		seek_all(&x, sans);
		(void)decide(&x);
	}
	GENERAL_NAMES_free(sans);
	return c->kind == TRUST_ACCEPTS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* rule.c  Judges names: which of a certificate's count, and whether one of them is accepted (RFC 5922 7, and what products do).
 * The certificate's names come as an array from names.c.                                                               */
#include "trust/rule.h"
#include <arpa/inet.h>
#include <errno.h>
#include "base/mem.h"

struct rule {
	struct rule *next;
	enum trust_rule_kind kind;
	char label[TRUST_LABEL_SIZE];
	unsigned n;
	char **name; /* lower case, without trailing dot */
};

struct trust_policy {
	struct rule *first, **tail;
	unsigned rules;
	bool anybody;
};

static const char *const reasons[] = {
	"name-ok",	    "nobody-accepted",	 "no-name-offered",  "name-mismatch",  "name-in-cn-only",
	"name-in-san-only", "name-behind-uri",	 "name-by-wildcard", "name-with-user", "name-in-sips-uri",
	"name-trailing-dot", "address-as-name",	 "name-in-lesser-cn", "name-with-nul",
	"too-many-names",   "names-unreadable",
};

const char *trust_name_reason_name(enum trust_name_reason r)
{
	return (unsigned)r < sizeof reasons / sizeof *reasons ? reasons[r] : "unknown";
}

static void destroy_rule(struct rule *r)
{
	for (unsigned i = 0; r && i < r->n; i++)
		mem_free(r->name[i]);
	if (r)
		mem_free(r->name);
	mem_free(r);
}

static void destroy_policy(void *object)
{
	struct trust_policy *p = object;
	while (p->first) {
		struct rule *r = p->first;
		p->first = r->next;
		destroy_rule(r);
	}
}

int trust_policy_create(struct trust_policy **pp)
{
	struct trust_policy *p = mem_object(sizeof *p, destroy_policy);
	if (!p)
		return ENOMEM;
	p->tail = &p->first;
	*pp = p;
	return 0;
}

static char *normal_name(const char *name)
{
	struct text t = text_trim(text_of(name));
	if (t.n > 1 && t.p[t.n - 1] == '.')
		t = text_head(t, t.n - 1);
	char *s = text_dup(t);
	for (char *c = s; s && *c; c++)
		*c = text_lower(*c);
	return s;
}

int trust_policy_add(struct trust_policy *p, const char *label, enum trust_rule_kind kind, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!names[i] || text_empty(text_trim(text_of(names[i]))) || strchr(names[i], '*') || strlen(names[i]) >= TRUST_NAME_SIZE)
			return EINVAL;
	struct rule *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return ENOMEM;
	r->kind = kind;
	text_fill(r->label, sizeof r->label, label ? label : "");
	r->name = mem_zalloc(n ? n : 1, sizeof *r->name);
	for (; r->name && r->n < n; r->n++)
		if (!(r->name[r->n] = normal_name(names[r->n])))
			break;
	if (!r->name || r->n < n) {
		destroy_rule(r);
		return ENOMEM;
	}
	*p->tail = r;
	p->tail = &r->next;
	p->rules++;
	return 0;
}

unsigned trust_policy_rules(const struct trust_policy *p)
{
	return p ? p->rules : 0;
}

bool trust_policy_counts_cn(const struct trust_policy *p)
{
	for (const struct rule *r = p ? p->first : NULL; r; r = r->next)
		if (r->kind == TRUST_RULE_SAN_OR_CN || r->kind == TRUST_RULE_CN_ONLY)
			return true;
	return false;
}

int trust_policy_one(struct trust_policy **pp, const char *label, enum trust_rule_kind kind, const char *const *names, unsigned n)
{
	struct trust_policy *p;
	int err = trust_policy_create(&p);
	if (err)
		return err;
	err = trust_policy_add(p, label, kind, names, n);
	if (err) {
		mem_unref(p);
		return err;
	}
	*pp = p;
	return 0;
}

int trust_policy_anybody(struct trust_policy **pp)
{
	int err = trust_policy_create(pp);
	if (!err)
		(*pp)->anybody = true;
	return err;
}

/* ---- which names count ---- */

/* The host of "sip:host[:port][;parameters]"; what else the URI is, is said by the other two. */
struct uri_host {
	struct text host;
	bool sip, sips, user;
};

static struct uri_host uri_host_of(struct text uri)
{
	struct uri_host u = { 0 };
	u.sip = text_starts_nocase(uri, "sip:");
	u.sips = text_starts_nocase(uri, "sips:");
	if (!u.sip && !u.sips)
		return u;
	struct text rest = text_skip(uri, u.sip ? 4 : 5), host;
	size_t at = text_find(rest, '@');
	u.user = at != SIZE_MAX;
	host = u.user ? text_skip(rest, at + 1) : rest;
	size_t end = 0;
	while (end < host.n && !strchr(":;?/", host.p[end]))
		end++;
	u.host = text_head(host, end);
	return u;
}

static bool is_domain_uri(const struct trust_name *n)
{
	struct uri_host u = n->kind == TRUST_KIND_URI ? uri_host_of(n->value) : (struct uri_host){ 0 };
	return u.sip && !u.user && u.host.n;
}

static bool any_domain_uri(const struct trust_cert_names *names)
{
	for (unsigned i = 0; i < names->n; i++)
		if (is_domain_uri(&names->name[i]))
			return true;
	return false;
}

/* Whether the ith name counts as an identity under the rule; `behind_uri` = there is a sip: URI identity. */
static bool counts(enum trust_rule_kind kind, const struct trust_cert_names *names, unsigned i, bool behind_uri)
{
	const struct trust_name *n = &names->name[i];
	if (kind == TRUST_RULE_CN_ONLY)
		return n->kind == TRUST_KIND_CN && i == 0; /* the most specific comes first */
	switch (n->kind) {
	case TRUST_KIND_CN:
		return kind == TRUST_RULE_SAN_OR_CN || (kind == TRUST_RULE_RFC5922 && !names->has_san);
	case TRUST_KIND_DNS:
		return kind != TRUST_RULE_RFC5922 || !behind_uri;
	case TRUST_KIND_URI:
		return kind != TRUST_RULE_RFC9525 && is_domain_uri(n);
	case TRUST_KIND_IP:
		return true; /* proves an address to who wants just that address (RFC 5280 4.2.1.6); RFC 5922 speaks of domains only */
	}
	return false;
}

static bool is_address(const char *s, uint8_t bytes[16], size_t *n)
{
	if (inet_pton(AF_INET, s, bytes) == 1) {
		*n = 4;
		return true;
	}
	*n = 16;
	return inet_pton(AF_INET6, s, bytes) == 1;
}

/* RFC 9525 6.3: the wildcard is the whole left-most label and stands for one label. What follows it must have a dot of its own: nobody
 * holds all names of a top-level domain. */
static bool wildcard_covers(struct text pattern, const char *wanted)
{
	const char *dot = strchr(wanted, '.');
	return text_starts(pattern, "*.") && dot && dot > wanted && text_find(text_skip(pattern, 2), '.') != SIZE_MAX &&
	       text_eq_nocase(text_skip(pattern, 1), text_of(dot));
}

/* Whether the presented name is the wanted one, letter for letter but without case. */
static bool same(enum trust_rule_kind kind, const struct trust_name *n, const char *wanted)
{
	uint8_t bytes[16];
	size_t len;
	bool address = is_address(wanted, bytes, &len);
	if (address || n->kind == TRUST_KIND_IP)
		return address && n->kind == TRUST_KIND_IP && n->value.n == len && memcmp(n->value.p, bytes, len) == 0;
	if (n->kind == TRUST_KIND_URI)
		return text_eq_nocase(uri_host_of(n->value).host, text_of(wanted));
	if (kind == TRUST_RULE_RFC9525 && n->kind == TRUST_KIND_DNS && wildcard_covers(n->value, wanted))
		return true;
	return text_eq_nocase(n->value, text_of(wanted));
}

/* ---- why a wanted name was not found ---- */

static enum trust_name_reason near_miss(enum trust_rule_kind kind, const struct trust_cert_names *names, unsigned i, const char *wanted)
{
	const struct trust_name *n = &names->name[i];
	struct text w = text_of(wanted);
	uint8_t bytes[16];
	size_t len;
	if (n->kind == TRUST_KIND_URI) {
		struct uri_host u = uri_host_of(n->value);
		if (!text_eq_nocase(u.host, w) || kind == TRUST_RULE_RFC9525)
			return TRUST_NAME_MISMATCH;
		return kind == TRUST_RULE_CN_ONLY ? TRUST_NAME_IN_SAN_ONLY : u.sips ? TRUST_NAME_SIPS_URI : TRUST_NAME_USER_URI;
	}
	if (n->kind == TRUST_KIND_IP)
		return same(kind, n, wanted) ? TRUST_NAME_IN_SAN_ONLY : TRUST_NAME_MISMATCH;
	if (text_eq_nocase(n->value, w)) {
		if (is_address(wanted, bytes, &len))
			return TRUST_NAME_IP_AS_DNS;
		if (n->kind == TRUST_KIND_DNS)
			return kind == TRUST_RULE_CN_ONLY ? TRUST_NAME_IN_SAN_ONLY : TRUST_NAME_BEHIND_URI;
		return kind == TRUST_RULE_CN_ONLY ? TRUST_NAME_LESSER_CN : TRUST_NAME_IN_CN_ONLY;
	}
	if (n->value.n == w.n + 1 && n->value.p[w.n] == '.' && text_eq_nocase(text_head(n->value, w.n), w))
		return TRUST_NAME_TRAILING_DOT;
	return !is_address(wanted, bytes, &len) && wildcard_covers(n->value, wanted) ? TRUST_NAME_WILDCARD : TRUST_NAME_MISMATCH;
}

static enum trust_name_reason why_not(const struct rule *r, const struct trust_cert_names *names)
{
	if (!r->n)
		return TRUST_NAME_NOBODY_ACCEPTED;
	if (!names->n)
		return TRUST_NAME_NONE_OFFERED;
	for (unsigned w = 0; w < r->n; w++)
		for (unsigned i = 0; i < names->n; i++) {
			enum trust_name_reason why = near_miss(r->kind, names, i, r->name[w]);
			if (why != TRUST_NAME_MISMATCH)
				return why;
		}
	return TRUST_NAME_MISMATCH;
}

/* ---- judging ---- */

static bool accepts(const struct rule *r, const struct trust_cert_names *names, struct trust_judgement *out)
{
	bool behind_uri = any_domain_uri(names);
	for (unsigned i = 0; i < names->n; i++) {
		if (!counts(r->kind, names, i, behind_uri))
			continue;
		for (unsigned w = 0; w < r->n; w++)
			if (same(r->kind, &names->name[i], r->name[w])) {
				text_fill(out->matched, sizeof out->matched, r->name[w]);
				return true;
			}
	}
	return false;
}

static void offer(struct trust_names *to, const struct trust_name *n)
{
	char words[TRUST_NAME_SIZE], address[INET6_ADDRSTRLEN];
	struct text value = n->value;
	if (n->kind == TRUST_KIND_IP) {
		if (!inet_ntop(value.n == 4 ? AF_INET : AF_INET6, value.p, address, sizeof address))
			return;
		value = text_of(address);
	}
	text_escape(value, words, sizeof words);
	if (!trust_names_has(to, words)) /* the CN often stands in the SAN too */
		trust_names_add_str(to, words);
}

static void say_offered(enum trust_rule_kind kind, const struct trust_cert_names *names, struct trust_names *to)
{
	bool behind_uri = any_domain_uri(names);
	for (unsigned i = 0; i < names->n; i++)
		if (counts(kind, names, i, behind_uri))
			offer(to, &names->name[i]);
}

static void say_wanted(const struct trust_policy *p, struct trust_names *to)
{
	for (const struct rule *r = p ? p->first : NULL; r; r = r->next)
		for (unsigned i = 0; i < r->n; i++)
			if (!trust_names_has(to, r->name[i]))
				trust_names_add_str(to, r->name[i]);
}

static bool any_nul(const struct trust_cert_names *names)
{
	for (unsigned i = 0; i < names->n; i++)
		if (names->name[i].kind != TRUST_KIND_IP && text_find(names->name[i].value, '\0') != SIZE_MAX)
			return true;
	return false;
}

/* The reason that helps most when several rules refuse: a near miss says more than "none of them". */
static void refused_by(const struct rule *r, const struct trust_cert_names *names, struct trust_judgement *out)
{
	enum trust_name_reason why = why_not(r, names);
	bool first = out->reason == TRUST_NAME_NOBODY_ACCEPTED;
	if (first || (out->reason == TRUST_NAME_MISMATCH && why > TRUST_NAME_MISMATCH)) {
		out->reason = why;
		out->kind = r->kind;
	}
}

void trust_policy_judge(const struct trust_policy *p, const struct trust_cert_names *names, struct trust_judgement *out)
{
	*out = (struct trust_judgement){ .reason = TRUST_NAME_NOBODY_ACCEPTED, .kind = p && p->first ? p->first->kind : TRUST_RULE_RFC5922 };
	say_wanted(p, &out->wanted);
	if (any_nul(names)) {
		out->reason = TRUST_NAME_NUL;
		say_offered(out->kind, names, &out->offered);
		return;
	}
	if (p && p->anybody)
		out->reason = TRUST_NAME_OK;
	for (const struct rule *r = p ? p->first : NULL; r; r = r->next) {
		if (accepts(r, names, out)) {
			out->reason = TRUST_NAME_OK;
			out->kind = r->kind;
			text_fill(out->label, sizeof out->label, r->label);
			break;
		}
		refused_by(r, names, out);
	}
	say_offered(out->kind, names, &out->offered);
}

void trust_policy_judge_cert(const struct trust_policy *p, const X509 *cert, struct trust_judgement *out)
{
	struct trust_cert_names names = { 0 };
	int err = trust_cert_names_read(&names, cert);
	trust_policy_judge(p, &names, out);
	if (err) {
		out->reason = err == E2BIG ? TRUST_NAME_TOO_MANY : TRUST_NAME_UNREADABLE;
		out->matched[0] = out->label[0] = '\0';
	}
	trust_cert_names_free(&names);
}

/* The names of a described certificate, without taking memory: `room` and `ip` are the caller's. */
static void names_of_facts(struct trust_cert_names *names, const struct trust_cert *cert, struct trust_name *room, unsigned max, uint8_t (*ip)[16])
{
	*names = (struct trust_cert_names){ .name = room, .has_san = cert->has_san, .san_critical = cert->san_critical };
	for (unsigned i = 0; i < cert->cns.n && names->n < max; i++)
		room[names->n++] = (struct trust_name){ TRUST_KIND_CN, text_of(trust_names_at(&cert->cns, i)) };
	for (unsigned i = 0; i < cert->sans.n && names->n < max; i++) {
		struct text san = text_of(trust_names_at(&cert->sans, i)), kind, value;
		text_cut(san, ':', &kind, &value);
		struct trust_name n = { text_is(kind, "URI") ? TRUST_KIND_URI : TRUST_KIND_DNS, value };
		if (text_is(kind, "IP")) {
			size_t len;
			if (!is_address(value.p, ip[names->n], &len))
				continue;
			n = (struct trust_name){ TRUST_KIND_IP, text_make(ip[names->n], len) };
		}
		room[names->n++] = n;
	}
}

bool trust_rule_would_accept(enum trust_rule_kind kind, const struct trust_cert *cert, const struct trust_names *known)
{
	struct trust_cert_names names;
	struct trust_name room[128];
	uint8_t ip[128][16];
	names_of_facts(&names, cert, room, 128, ip);
	bool behind_uri = any_domain_uri(&names);
	for (unsigned i = 0; i < names.n; i++)
		for (unsigned k = 0; k < known->n; k++)
			if (counts(kind, &names, i, behind_uri) && same(kind, &names.name[i], trust_names_at(known, k)))
				return true;
	return false;
}

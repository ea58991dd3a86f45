/* SPDX-License-Identifier: Apache-2.0 */
/* check.c  What a single setting cannot tell: names that must exist, numbers that must be unique, settings that do not go together. */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include "config/check.h"

void cfg_wrong_at(struct binder *b, const void *member, struct cfg_pos otherwise, const char *key, const char *fix, const char *what, ...)
{
	char words[500];
	va_list ap;
	struct cfg_pos pos = cfg_pos_of(&b->all->cfg, member);
	va_start(ap, what);
	vsnprintf(words, sizeof words, what, ap);
	va_end(ap);
	cfg_fail(b->errors, b->path, pos.line ? pos : otherwise, key, fix, "%s", words);
}

bool cfg_is_ip(const char *s)
{
	struct in6_addr a;
	return inet_pton(AF_INET, s, &a) == 1 || inet_pton(AF_INET6, s, &a) == 1;
}

/* ---- names that must exist ---- */

void cfg_must_exist(struct binder *b, const struct cfg_known *l, const char *const *member, struct cfg_pos pos, const char *key, const char *name)
{
	const char *known[256];
	char fix[160];
	size_t n = 0;
	if (!name || !name[0])
		return;
	for (size_t i = 0; i < l->n; i++) {
		const char *is = cfg_nth(l->v, l->size, i)->name;
		if (is && strcasecmp(is, name) == 0)
			return;
		if (is && n < 256)
			known[n++] = is;
	}
	const char *near = cfg_nearest(text_of(name), known, n);
	if (near)
		text_print(fix, sizeof fix, "did you mean %s?", near);
	else
		text_print(fix, sizeof fix, "define that %s, or name one that exists", l->word);
	cfg_wrong_at(b, member, pos, key, fix, "there is no %s \"%s\"", l->word, name);
}

static bool digits(const char *s)
{
	return s && !cfg_text_wrong(CFG_NUMBER, text_of(s));
}

static bool uri(const char *s)
{
	return s && !cfg_text_wrong(CFG_URI, text_of(s));
}

/* An extension may be one without a mailbox; a word must be a mailbox. */
static void target(struct binder *b, const char *const *member, struct cfg_pos pos, const char *key, const char *name)
{
	struct cfg_known l = CFG_KNOWN("mailbox", &b->all->cfg, mailboxes);
	if (name && name[0] && !digits(name) && !uri(name))
		cfg_must_exist(b, &l, member, pos, key, name);
}

static void check_gateway(struct binder *b, const struct cfg_gateway *g, size_t i)
{
	const struct cfg *c = &b->all->cfg;
	char key[80];
	if (!g->address[0] || !g->name[0])
		return;
	struct cfg_known identities = CFG_KNOWN("identity", &c->node, identities);
	text_print(key, sizeof key, "gateways[%zu].identity", i);
	if (c->has_node)
		cfg_must_exist(b, &identities, &g->identity, g->pos, key, g->identity);
	text_print(key, sizeof key, "gateways[%zu].login", i);
	const struct cfg_login *l = &g->login;
	if ((l->user[0] || l->password[0] || l->realm[0] || l->demanded) && !(l->user[0] && l->password[0] && l->realm[0]))
		cfg_wrong_at(b, &g->login.user, g->pos, key, "give user, password and realm, or take login out", "user, password or realm is missing");
	if (strpbrk(l->user, "\"\\") || strpbrk(l->realm, "\"\\"))
		cfg_wrong_at(b, &g->login.user, g->pos, key, "choose others", "user and realm must not hold a quotation mark or a backslash");
	text_print(key, sizeof key, "gateways[%zu].srtp", i);
	if (g->srtp >= CFG_SRTP_OPTIONAL && g->transport != CFG_TLS)
		cfg_wrong_at(b, &g->srtp, g->pos, key, "use transport: tls, or take srtp out", "encrypts nothing with transport %s: its keys would be read on the way",
			cfg_transport_name(g->transport));
	if (!cfg_may_speak_tls(g->transport))
		return;
	text_print(key, sizeof key, "gateways[%zu].transport", i);
	if (g->transport == CFG_TRANSPORT_AUTO && (g->port || cfg_is_ip(g->address)))
		cfg_wrong_at(b, &g->transport, g->pos, key, "use udp, tcp or tls; or give a name without a port", "auto asks DNS, which answers for a name and says the port, too");
	text_print(key, sizeof key, "gateways[%zu].accept_names", i);
	if (!g->accept_names.n && !cfg_pos_of(c, &g->accept_names).line)
		cfg_wrong_at(b, &g->address, g->pos, key, "list the names its certificate holds", "address is an IP address, so no name is accepted");
	for (size_t k = 0; k < g->accept_names.n; k++)
		if (strchr(g->accept_names.v[k], '*'))
			cfg_wrong_at(b, &g->accept_names, g->pos, key, "list the full names", "wildcards are not accepted");
	text_print(key, sizeof key, "gateways[%zu].tls", i);
	if (g->tls.min > g->tls.max)
		cfg_wrong_at(b, &g->tls.min, g->pos, key, "exchange min and max", "min %s is above max %s", cfg_tls_version_name(g->tls.min), cfg_tls_version_name(g->tls.max));
	if (g->tls.min < CFG_TLS_1_2 && g->tls.legacy != CFG_LEGACY_TLS10)
		cfg_wrong_at(b, &g->tls.min, g->pos, key, "add legacy: tls10, or raise min to 1.2", "versions below 1.2 are off");
	if (g->transport == CFG_TLS && c->has_node && !c->node.n_identities)
		cfg_wrong_at(b, &g->transport, g->pos, "node.identities", "give node: an identity with cert and key", "gateway %s uses TLS, but this node has no certificate",
			g->name);
}

static void check_reasons(struct binder *b, const struct cfg_answer_rule *r, const char *key)
{
	static const char *const words[] = { "busy", "no-answer", "unreachable", "forwarded", "direct" };
	for (size_t i = 0; i < r->reasons.n; i++) {
		bool known = false;
		for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
			known = known || strcmp(r->reasons.v[i], words[k]) == 0;
		if (!known)
			cfg_wrong_at(b, &r->reasons, r->pos, key, "use busy, no-answer, unreachable, forwarded or direct", "holds \"%s\"", r->reasons.v[i]);
	}
}

static bool finds(const struct cfg_answer_rule *r)
{
	bool any = r->action == CFG_ANSWER_FIND_ME;
	for (size_t i = 0; i < r->n_keys; i++)
		any = any || r->keys[i].action == CFG_ACT_FIND_ME;
	return any;
}

static void check_answer_rule(struct binder *b, const struct cfg_answer_rule *r, size_t i, size_t k)
{
	struct cfg_known schedules = CFG_KNOWN("schedule", &b->all->cfg, schedules);
	char key[80];
	text_print(key, sizeof key, "mailboxes[%zu].rules[%zu].open", i, k);
	cfg_must_exist(b, &schedules, &r->open, r->pos, key, r->open);
	text_print(key, sizeof key, "mailboxes[%zu].rules[%zu].closed", i, k);
	cfg_must_exist(b, &schedules, &r->closed, r->pos, key, r->closed);
	text_print(key, sizeof key, "mailboxes[%zu].rules[%zu].reasons", i, k);
	check_reasons(b, r, key);
	text_print(key, sizeof key, "mailboxes[%zu].rules[%zu].find", i, k);
	for (size_t n = 0; n < r->find.n; n++)
		target(b, (const char *const *)&r->find, r->pos, key, r->find.v[n]);
	if (finds(r) && !r->find.n)
		cfg_wrong_at(b, &r->find, r->pos, key, "give one or two places", "names nowhere to look");
	text_print(key, sizeof key, "mailboxes[%zu].rules[%zu].transfer", i, k);
	target(b, &r->transfer, r->pos, key, r->transfer);
	if (r->action == CFG_ANSWER_TRANSFER && r->transfer && !r->transfer[0])
		cfg_wrong_at(b, &r->transfer, r->pos, key, "give an extension, a mailbox or a URI", "names nobody to transfer to");
	text_print(key, sizeof key, "mailboxes[%zu].rules[%zu].keys", i, k);
	for (size_t n = 0; n < r->n_keys; n++) {
		if (r->keys[n].action == CFG_ACT_TRANSFER)
			target(b, &r->keys[n].target, r->keys[n].pos, key, r->keys[n].target);
		if (r->keys[n].key == '*' || r->keys[n].key == '#' || r->keys[n].key == 't')
			cfg_fail(b->errors, b->path, r->keys[n].pos, key, "use 0 to 9: # skips the greeting, and * logs on", "is no key of a greeting");
	}
	if (r->action == CFG_ANSWER_MENU && !r->n_keys)
		cfg_wrong_at(b, &r->keys, r->pos, key, "bind some keys, or choose another action", "is a menu without a key");
}

static void check_mailbox(struct binder *b, const struct cfg_mailbox *m, size_t i)
{
	const struct cfg *c = &b->all->cfg;
	struct cfg_known plans = CFG_KNOWN("dial plan", c, dialplans), policies = CFG_KNOWN("policy", c, policies), gateways = CFG_KNOWN("gateway", c, gateways);
	char key[80];
	text_print(key, sizeof key, "mailboxes[%zu].dialplan", i);
	cfg_must_exist(b, &plans, &m->dialplan, m->pos, key, m->dialplan);
	struct cfg_known schedules = CFG_KNOWN("schedule", c, schedules);
	text_print(key, sizeof key, "mailboxes[%zu].schedule", i);
	cfg_must_exist(b, &schedules, &m->schedule, m->pos, key, m->schedule);
	for (size_t k = 0; k < m->n_rules; k++)
		check_answer_rule(b, &m->rules[k], i, k);
	text_print(key, sizeof key, "mailboxes[%zu].policy", i);
	cfg_must_exist(b, &policies, &m->policy, m->pos, key, m->policy);
	text_print(key, sizeof key, "mailboxes[%zu].lamp_gateway", i);
	cfg_must_exist(b, &gateways, &m->lamp_gateway, m->pos, key, m->lamp_gateway);
	text_print(key, sizeof key, "mailboxes[%zu].operator", i);
	target(b, &m->operator_number, m->pos, key, m->operator_number);
	text_print(key, sizeof key, "mailboxes[%zu].allowed_transfers", i);
	for (size_t k = 0; k < m->allowed_transfers.n; k++)
		target(b, (const char *const *)&m->allowed_transfers, m->pos, key, m->allowed_transfers.v[k]);
	const struct cfg_dialplan *plan = cfg_dialplan(c, text_of(m->dialplan));
	text_print(key, sizeof key, "mailboxes[%zu].extensions", i);
	for (size_t k = 0; plan && plan->extension_digits && k < m->extensions.n; k++)
		if (m->extensions.v[k][0] != '+' && strlen(m->extensions.v[k]) != plan->extension_digits)
			cfg_wrong_at(b, &m->extensions, m->pos, key, "mend the extension, or extension_digits of the dial plan", "\"%s\" has not %u digits as dial plan %s says",
				m->extensions.v[k], plan->extension_digits, plan->name);
}

/* Groups of rules must be those of the object's own dial plan; a policy serves mailboxes of several. */
static void rules_exist(struct binder *b, const struct cfg_strings *groups, const struct cfg_dialplan *plan, struct cfg_pos pos, const char *key)
{
	const struct cfg *c = &b->all->cfg;
	for (size_t i = 0; i < groups->n; i++) {
		bool there = false;
		for (size_t p = 0; p < c->n_dialplans; p++)
			for (size_t r = 0; (!plan || plan == &c->dialplans[p]) && r < c->dialplans[p].n_rules; r++)
				there = there || (c->dialplans[p].rules[r].name && strcasecmp(c->dialplans[p].rules[r].name, groups->v[i]) == 0);
		if (!there)
			cfg_wrong_at(b, groups, pos, key, "name a group that stands in rules of the dial plan, or define it there", "there is no group of rules \"%s\"%s%s",
				groups->v[i], plan ? " in dial plan " : "", plan ? plan->name : "");
	}
}

static void check_keys(struct binder *b, const struct cfg_attendant *a, const struct cfg_menu_key *keys, size_t n, const char *key)
{
	const struct cfg *c = &b->all->cfg;
	struct cfg_known attendants = CFG_KNOWN("attendant", c, attendants), boxes = CFG_KNOWN("mailbox", c, mailboxes);
	for (size_t k = 0; k < n; k++) {
		const struct cfg_menu_key *m = &keys[k];
		if (m->action == CFG_ACT_ATTENDANT)
			cfg_must_exist(b, &attendants, &m->target, m->pos, key, m->target);
		else if (m->action == CFG_ACT_MAILBOX)
			cfg_must_exist(b, &boxes, &m->target, m->pos, key, m->target);
		else if (m->action == CFG_ACT_EXTENSION)
			target(b, &m->target, m->pos, key, m->target);
		else if (m->action == CFG_ACT_LOCATION && !a->location[0])
			cfg_fail(b->errors, b->path, m->pos, key, "give the attendant a location", "there is no location to say");
		else if (m->action == CFG_ACT_HOURS && !a->schedule[0])
			cfg_fail(b->errors, b->path, m->pos, key, "give the attendant a schedule", "there are no hours to say");
	}
}

/* The one of two that are told instead of the other. */
static void one_of(struct binder *b, const char *const *a, const char *const *other, struct cfg_pos pos, const char *key)
{
	if (*a && (*a)[0] && *other && (*other)[0])
		cfg_wrong_at(b, other, pos, key, "keep one of them", "stands beside words that say the same");
}

static void check_attendant(struct binder *b, const struct cfg_attendant *a, size_t i)
{
	const struct cfg *c = &b->all->cfg;
	struct cfg_known plans = CFG_KNOWN("dial plan", c, dialplans), schedules = CFG_KNOWN("schedule", c, schedules);
	char key[80];
	text_print(key, sizeof key, "attendants[%zu].dialplan", i);
	cfg_must_exist(b, &plans, &a->dialplan, a->pos, key, a->dialplan);
	text_print(key, sizeof key, "attendants[%zu].operator", i);
	target(b, &a->operator_number, a->pos, key, a->operator_number);
	text_print(key, sizeof key, "attendants[%zu].schedule", i);
	cfg_must_exist(b, &schedules, &a->schedule, a->pos, key, a->schedule);
	text_print(key, sizeof key, "attendants[%zu].closed.operator", i);
	target(b, &a->closed.operator_number, a->pos, key, a->closed.operator_number);
	text_print(key, sizeof key, "attendants[%zu].allowed_rules", i);
	const struct cfg_dialplan *plan = cfg_dialplan(c, text_of(a->dialplan));
	if (plan || !a->dialplan[0])
		rules_exist(b, &a->allowed_rules, plan, a->pos, key);
	text_print(key, sizeof key, "attendants[%zu].keys", i);
	check_keys(b, a, a->keys, a->n_keys, key);
	text_print(key, sizeof key, "attendants[%zu].closed.keys", i);
	if (a->closed.keys != a->keys)
		check_keys(b, a, a->closed.keys, a->closed.n_keys, key);
	struct cfg_known attendants = CFG_KNOWN("attendant", c, attendants);
	for (size_t k = 0; k < a->n_departments; k++) {
		const struct cfg_department *d = &a->departments[k];
		text_print(key, sizeof key, "attendants[%zu].departments[%zu].attendant", i, k);
		cfg_must_exist(b, &attendants, &d->attendant, d->pos, key, d->attendant);
	}
	text_print(key, sizeof key, "attendants[%zu].greeting_prompt", i);
	one_of(b, &a->greeting, &a->greeting_prompt, a->pos, key);
	text_print(key, sizeof key, "attendants[%zu].menu_prompt", i);
	one_of(b, &a->menu, &a->menu_prompt, a->pos, key);
	text_print(key, sizeof key, "attendants[%zu].announcement_prompt", i);
	one_of(b, &a->announcement, &a->announcement_prompt, a->pos, key);
}

/* ---- schedules ---- */

enum { HOLIDAY_DAYS_MAX = 300 };

static int64_t point(const struct cfg_date *d, bool end)
{
	int64_t day = (d->year * 12 + d->month) * 31 + d->day;
	return day * CFG_DAY_MIN + (d->minute >= 0 ? d->minute : end ? CFG_DAY_MIN : 0);
}

/* A yearly one whose last day lies before its first goes over the end of the year; days, nearly. */
static int64_t yearly_days(const struct cfg_holiday *h)
{
	int64_t from = point(&h->from, false), to = point(&h->to, true), year = (int64_t)12 * 31 * CFG_DAY_MIN;
	return (to > from ? to - from : to - from + year) / CFG_DAY_MIN;
}

static void check_schedule(struct binder *b, const struct cfg_schedule *s, size_t i)
{
	char key[96];
	for (size_t k = 0; k < s->n_hours; k++)
		for (size_t o = k + 1; o < s->n_hours; o++) {
			const struct cfg_period *x = &s->hours[k], *y = &s->hours[o];
			int32_t week = 7 * CFG_DAY_MIN, xf = x->day * CFG_DAY_MIN + x->from_min, xt = x->day * CFG_DAY_MIN + x->to_min;
			int32_t yf = y->day * CFG_DAY_MIN + y->from_min, yt = y->day * CFG_DAY_MIN + y->to_min;
			text_print(key, sizeof key, "schedules[%zu].hours", i);
			if ((yf < xt && xf < yt) || (xt > week && yf < xt - week) || (yt > week && xf < yt - week))
				cfg_fail(b->errors, b->path, y->pos, key, "make one period of them, or let one begin where the other ends", "two periods overlap");
		}
	for (size_t k = 0; k < s->n_holidays; k++) {
		const struct cfg_holiday *h = &s->holidays[k];
		if (!h->name || !h->from.month)
			continue; /* told already */
		text_print(key, sizeof key, "schedules[%zu].holidays[%zu].to", i, k);
		bool given = h->to.month != 0;
		if (given && !h->from.year != !h->to.year)
			cfg_wrong_at(b, &h->to, h->pos, key, "give both with the year, or both without", "one is for every year, the other for a single one");
		else if (given && h->from.year && point(&h->to, true) <= point(&h->from, false))
			cfg_wrong_at(b, &h->to, h->pos, key, "let it be later", "is not behind from");
		else if (given && !h->from.year && yearly_days(h) > HOLIDAY_DAYS_MAX)
			cfg_wrong_at(b, &h->to, h->pos, key, "exchange from and to if they stand the wrong way round; a holiday of every year may go on into the next, as 12-24 to 01-06 does",
				"is so long behind from that the house is closed nearly the whole year");
		text_print(key, sizeof key, "schedules[%zu].holidays[%zu].greeting_prompt", i, k);
		one_of(b, &h->greeting, &h->greeting_prompt, h->pos, key);
	}
}

/* ---- dial plans ---- */

static size_t wild(const char *s)
{
	size_t n = 0;
	for (; *s; s++)
		n += *s == 'x';
	return n;
}

static void check_dialplan(struct binder *b, const struct cfg_dialplan *p, size_t i)
{
	const struct cfg *c = &b->all->cfg;
	struct cfg_known gateways = CFG_KNOWN("gateway", c, gateways);
	char key[96];
	text_print(key, sizeof key, "dialplans[%zu].gateway", i);
	cfg_must_exist(b, &gateways, &p->gateway, p->pos, key, p->gateway);
	text_print(key, sizeof key, "dialplans[%zu].operator", i);
	target(b, &p->operator_number, p->pos, key, p->operator_number);
	text_print(key, sizeof key, "dialplans[%zu].security", i);
	const struct cfg_gateway *g = p->gateway && p->gateway[0] ? cfg_gateway(c, text_of(p->gateway)) : c->n_gateways ? &c->gateways[0] : NULL;
	if (p->security == CFG_SECURITY_MEDIA && g && g->srtp == CFG_SRTP_OFF)
		cfg_wrong_at(b, &p->security, p->pos, key, "take srtp: off from that gateway, or use security: sip", "asks for encrypted sound, but gateway %s has srtp: off", g->name);
	else if (p->security != CFG_SECURITY_OFF && g && g->transport != CFG_TLS)
		cfg_wrong_at(b, &p->security, p->pos, key, "use transport: tls for that gateway, or security: off", "asks for TLS, but gateway %s uses %s", g->name,
			cfg_transport_name(g->transport));
	text_print(key, sizeof key, "dialplans[%zu].country_code", i);
	if (p->country_code && p->country_code[0] && (p->country_code[0] == '0' || strspn(p->country_code, "0123456789") != strlen(p->country_code)))
		cfg_wrong_at(b, &p->country_code, p->pos, key, "write it as it stands behind the + of a full number: \"49\"", "\"%s\" is the code of no country", p->country_code);
	for (size_t k = 0; k < p->n_rules; k++) {
		const struct cfg_call_rule *r = &p->rules[k];
		if (!r->pattern || !r->dial || !r->dial[0])
			continue;
		text_print(key, sizeof key, "dialplans[%zu].rules[%zu].dial", i, k);
		bool star = strchr(r->pattern, '*') != NULL;
		if (wild(r->dial) > wild(r->pattern) && !star)
			cfg_wrong_at(b, &r->dial, r->pos, key, "use as many x as the pattern has, or fewer", "has more x than the pattern");
		else if (strchr(r->dial, '*') && !star)
			cfg_wrong_at(b, &r->dial, r->pos, key, "end the pattern with *, or write x for each digit", "has a *, the pattern has none");
	}
}

void cfg_check(struct binder *b)
{
	const struct cfg *c = &b->all->cfg;
	char key[80];
	cfg_names_twice(b, "gateways", c->gateways, c->n_gateways, sizeof *c->gateways);
	cfg_names_twice(b, "dialplans", c->dialplans, c->n_dialplans, sizeof *c->dialplans);
	cfg_names_twice(b, "policies", c->policies, c->n_policies, sizeof *c->policies);
	cfg_names_twice(b, "attendants", c->attendants, c->n_attendants, sizeof *c->attendants);
	cfg_names_twice(b, "mailboxes", c->mailboxes, c->n_mailboxes, sizeof *c->mailboxes);
	cfg_numbers_twice(b);
	if (c->has_node && c->node.name)
		cfg_check_node(b);
	cfg_check_peer_nodes(b);
	for (size_t i = 0; i < c->n_gateways; i++)
		check_gateway(b, &c->gateways[i], i);
	for (size_t i = 0; i < c->n_dialplans; i++)
		check_dialplan(b, &c->dialplans[i], i);
	cfg_names_twice(b, "schedules", c->schedules, c->n_schedules, sizeof *c->schedules);
	for (size_t i = 0; i < c->n_schedules; i++)
		check_schedule(b, &c->schedules[i], i);
	for (size_t i = 0; i < c->n_policies; i++) {
		text_print(key, sizeof key, "policies[%zu].allowed_rules", i);
		rules_exist(b, &c->policies[i].allowed_rules, NULL, c->policies[i].pos, key);
	}
	for (size_t i = 0; i < c->n_mailboxes; i++)
		check_mailbox(b, &c->mailboxes[i], i);
	for (size_t i = 0; i < c->n_attendants; i++)
		check_attendant(b, &c->attendants[i], i);
}

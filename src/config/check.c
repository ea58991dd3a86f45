/* SPDX-License-Identifier: Apache-2.0 */
/* check.c  What a single setting cannot tell: names that must exist, numbers that must be unique, settings that do not go together. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include "config/config_private.h"
#include "config/zone.h"

static void at(struct binder *b, const void *member, struct cfg_pos otherwise, const char *key, const char *fix, const char *what, ...)
	__attribute__((format(printf, 6, 7)));
static void at(struct binder *b, const void *member, struct cfg_pos otherwise, const char *key, const char *fix, const char *what, ...)
{
	char words[500];
	va_list ap;
	struct cfg_pos pos = cfg_pos_of(&b->all->cfg, member);
	va_start(ap, what);
	vsnprintf(words, sizeof words, what, ap);
	va_end(ap);
	cfg_fail(b->errors, b->path, pos.line ? pos : otherwise, key, fix, "%s", words);
}

static bool is_ip(const char *s)
{
	struct in6_addr a;
	return inet_pton(AF_INET, s, &a) == 1 || inet_pton(AF_INET6, s, &a) == 1;
}

/* ---- what follows from other settings ---- */

static const char *const *one_string(struct binder *b, const char *s)
{
	const char **v = arena_alloc(&b->all->arena, sizeof *v);
	if (v)
		v[0] = s;
	return v;
}

static void split_name(struct binder *b, struct cfg_mailbox *m)
{
	struct text name = text_trim(text_of(m->display_name));
	size_t space = text_rfind(name, ' ');
	struct text first = space == SIZE_MAX ? TEXT_NONE : text_trim(text_head(name, space));
	struct text last = space == SIZE_MAX ? name : text_skip(name, space + 1);
	size_t comma = text_find(name, ','); /* "Smith, Anna" */
	if (comma != SIZE_MAX) {
		last = text_trim(text_head(name, comma));
		first = text_trim(text_skip(name, comma + 1));
	}
	const char *f = m->first_name[0] ? m->first_name : arena_text(&b->all->arena, first);
	const char *l = m->last_name[0] ? m->last_name : arena_text(&b->all->arena, last);
	m->first_name = f ? f : "";
	m->last_name = l ? l : "";
}

static void load_zone(struct binder *b, struct cfg_schedule *s, size_t i)
{
	char key[64];
	int err = s->time_zone && s->time_zone[0] ? zone_load(&s->zone, s->time_zone) : 0;
	text_print(key, sizeof key, "schedules[%zu].time_zone", i);
	if (err == ENOMEM)
		b->all->arena.failed = true;
	else if (err == ENOENT)
		at(b, &s->time_zone, s->pos, key, "use a name of the IANA list, as in Europe/Berlin; the system's list comes with the package tzdata",
			"there is no time zone \"%s\" on this machine", s->time_zone);
	else if (err)
		at(b, &s->time_zone, s->pos, key, "install the package tzdata anew", "the time zone \"%s\" cannot be read: %s", s->time_zone, strerror(err));
}

/* Who fetches it stands above this folder. */
static void check_address(struct binder *b, const struct cfg_schedule *s, const char *key)
{
	struct text url = text_of(s->calendar), host;
	bool https = text_starts_nocase(url, "https://"), http = text_starts_nocase(url, "http://");
	for (size_t i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= 0x20 || (unsigned char)url.p[i] >= 0x7f) {
			at(b, &s->calendar, s->pos, key, "write such characters as % and two hexadecimal digits, as browsers show them when they copy an address",
				"the address holds a blank or a character that addresses do not have");
			return;
		}
	if (!https && !http) {
		at(b, &s->calendar, s->pos, key, text_starts_nocase(url, "webcal://") ? "write https:// instead of webcal://: it is the same address" :
			"write https://..., or the path of a file", "holds an address of a kind that calendars are not fetched from");
		return;
	}
	host = text_skip(url, https ? 8 : 7);
	host = text_head(host, text_find(host, '/'));
	if (!host.n || host.p[0] == ':')
		at(b, &s->calendar, s->pos, key, "write the whole address, as in https://calendar.contoso.com/holidays.ics", "the address names no server");
	if (http && !s->calendar_plain_http)
		at(b, &s->calendar, s->pos, key, "write https://; or, if this server cannot do it and you trust all who sit on the way, set calendar_plain_http: true",
			"would be fetched without encryption, and whoever sits on the way could close the house");
}

static void load_calendar(struct binder *b, struct cfg_schedule *s, size_t i)
{
	char key[64];
	if (!s->calendar || !s->calendar[0] || !s->zone)
		return;
	text_print(key, sizeof key, "schedules[%zu].calendar", i);
	if (cfg_calendar_is_address(s->calendar)) {
		check_address(b, s, key);
		return;
	}
	int err = cfg_calendar_load(&b->all->arena, s);
	if (err == ENOMEM)
		b->all->arena.failed = true;
	else if (err)
		at(b, &s->calendar, s->pos, key, "name a file that holds an iCalendar (it begins with BEGIN:VCALENDAR), of 2 MB at most, that the server may read",
			"%s cannot be read as a calendar: %s", s->calendar, err == EINVAL ? "it is none" : err == E2BIG ? "more of its events repeat than a calendar of holidays has (500)" :
			err == EMSGSIZE ? "it is too large" : strerror(err));
}

static void complete_attendant(const struct cfg *c, struct cfg_attendant *a)
{
	const struct cfg_dialplan *plan = a->dialplan ? cfg_dialplan(c, text_of(a->dialplan)) : NULL;
	if (!a->input_failures)
		a->input_failures = plan ? plan->input_failures : 3;
	if (cfg_pos_of(c, &a->closed.keys).line)
		return;
	a->closed.keys = a->keys;
	a->closed.n_keys = a->n_keys;
	if (a->menu && a->menu_prompt && a->closed.menu && a->closed.menu_prompt && !a->closed.menu[0] && !a->closed.menu_prompt[0]) {
		a->closed.menu = a->menu;
		a->closed.menu_prompt = a->menu_prompt;
	}
}

void cfg_complete(struct binder *b)
{
	struct cfg *c = &b->all->cfg;
	for (size_t i = 0; i < c->n_gateways; i++) {
		struct cfg_gateway *g = (struct cfg_gateway *)(uintptr_t)&c->gateways[i];
		bool name = g->address && g->address[0] && !is_ip(g->address);
		/* A list that is given and empty means what it says: nobody. Only one that is left out has a default. */
		bool given = cfg_pos_of(c, &g->accept_names).line != 0;
		if (!given && name && cfg_may_speak_tls(g->transport)) {
			g->accept_names.v = one_string(b, g->address);
			g->accept_names.n = g->accept_names.v != NULL;
		}
		if (g->sni && !g->sni[0] && name)
			g->sni = g->address;
	}
	for (size_t i = 0; i < c->n_schedules; i++) {
		struct cfg_schedule *s = (struct cfg_schedule *)(uintptr_t)&c->schedules[i];
		load_zone(b, s, i);
		load_calendar(b, s, i);
		if (cfg_pos_of(c, &s->hours).line)
			continue; /* given and empty: never open */
		s->hours = cfg_whole_week(b);
		s->n_hours = s->hours ? 7 : 0;
	}
	for (size_t i = 0; i < c->n_attendants; i++)
		complete_attendant(c, (struct cfg_attendant *)(uintptr_t)&c->attendants[i]);
	for (size_t i = 0; i < c->n_nodes; i++) {
		struct cfg_peer_node *n = (struct cfg_peer_node *)(uintptr_t)&c->nodes[i];
		if (n->address && !n->address[0])
			n->address = n->fqdn;
	}
	for (size_t i = 0; i < c->n_mailboxes; i++) {
		struct cfg_mailbox *m = (struct cfg_mailbox *)(uintptr_t)&c->mailboxes[i];
		if (m->alias && !m->alias[0] && m->name)
			m->alias = m->name;
		if (m->display_name && !m->display_name[0] && m->name)
			m->display_name = m->name;
		split_name(b, m);
	}
}

/* ---- names twice ---- */

/* Every list member's struct begins with its position and its name. */
struct named {
	struct cfg_pos pos;
	const char *name;
};

static const struct named *nth(const void *v, size_t size, size_t i)
{
	return (const struct named *)(const void *)((const char *)v + i * size);
}

struct use {
	const char *what, *by;
	struct cfg_pos pos;
	char key[96];
};

static int by_what(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	int c = strcasecmp(x->what, y->what);
	return c ? c : x->pos.line < y->pos.line ? -1 : x->pos.line > y->pos.line;
}

struct uses {
	struct use *v;
	size_t n, room;
};

static void use(struct binder *b, struct uses *u, const char *what, const char *by, struct cfg_pos pos, const char *list, size_t i, const char *key)
{
	if (!what || !what[0])
		return;
	if (u->n == u->room) {
		size_t room = u->room ? u->room * 2 : 64;
		struct use *v = mem_realloc(u->v, room * sizeof *v);
		if (!v) {
			b->all->arena.failed = true;
			return;
		}
		u->v = v;
		u->room = room;
	}
	struct use *x = &u->v[u->n++];
	*x = (struct use){ what, by ? by : "?", pos, "" };
	text_print(x->key, sizeof x->key, "%s[%zu].%s", list, i, key);
}

static void complain_twice(struct binder *b, struct uses *u, const char *fix)
{
	if (u->n)
		qsort(u->v, u->n, sizeof *u->v, by_what);
	for (size_t i = 1; i < u->n; i++)
		if (strcasecmp(u->v[i].what, u->v[i - 1].what) == 0)
			cfg_fail(b->errors, b->path, u->v[i].pos, u->v[i].key, fix, "\"%s\" is used already, by %s in line %u", u->v[i].what, u->v[i - 1].by,
				u->v[i - 1].pos.line);
	mem_free(u->v);
	*u = (struct uses){ 0 };
}

static void names_twice(struct binder *b, const char *list, const void *v, size_t n, size_t size)
{
	struct uses u = { 0 };
	for (size_t i = 0; i < n; i++)
		use(b, &u, nth(v, size, i)->name, nth(v, size, i)->name, nth(v, size, i)->pos, list, i, "name");
	complain_twice(b, &u, "give each its own name");
}

static void use_all(struct binder *b, struct uses *u, const struct cfg_strings *s, const char *by, struct cfg_pos pos, const char *list, size_t i, const char *key)
{
	struct cfg_pos where = cfg_pos_of(&b->all->cfg, s);
	for (size_t k = 0; k < s->n; k++)
		use(b, u, s->v[k], by, where.line ? where : pos, list, i, key);
}

static void numbers_twice(struct binder *b)
{
	const struct cfg *c = &b->all->cfg;
	struct uses u = { 0 };
	for (size_t i = 0; i < c->n_mailboxes; i++) {
		const struct cfg_mailbox *m = &c->mailboxes[i];
		use_all(b, &u, &m->extensions, m->name, m->pos, "mailboxes", i, "extensions");
		use_all(b, &u, &m->sip_uris, m->name, m->pos, "mailboxes", i, "sip_uris");
	}
	for (size_t i = 0; i < c->n_attendants; i++) {
		const struct cfg_attendant *a = &c->attendants[i];
		use_all(b, &u, &a->numbers, a->name, a->pos, "attendants", i, "numbers");
		use_all(b, &u, &a->uris, a->name, a->pos, "attendants", i, "uris");
	}
	for (size_t i = 0; i < c->n_dialplans; i++)
		use_all(b, &u, &c->dialplans[i].access_numbers, c->dialplans[i].name, c->dialplans[i].pos, "dialplans", i, "access_numbers");
	complain_twice(b, &u, "give each number and URI to one only");
}

/* ---- names that must exist ---- */

struct list {
	const char *word; /* "gateway" */
	const void *v;
	size_t n, size;
};

static void must_exist(struct binder *b, const struct list *l, const char *const *member, struct cfg_pos pos, const char *key, const char *name)
{
	const char *known[256];
	char fix[160];
	size_t n = 0;
	if (!name || !name[0])
		return;
	for (size_t i = 0; i < l->n; i++) {
		const char *is = nth(l->v, l->size, i)->name;
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
	at(b, member, pos, key, fix, "there is no %s \"%s\"", l->word, name);
}

#define LIST(word, c, member) ((struct list){ word, (c)->member, (c)->n_##member, sizeof *(c)->member })

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
	struct list l = LIST("mailbox", &b->all->cfg, mailboxes);
	if (name && name[0] && !digits(name) && !uri(name))
		must_exist(b, &l, member, pos, key, name);
}

static void check_gateway(struct binder *b, const struct cfg_gateway *g, size_t i)
{
	const struct cfg *c = &b->all->cfg;
	char key[80];
	if (!g->address[0] || !g->name[0])
		return;
	struct list identities = LIST("identity", &c->node, identities);
	text_print(key, sizeof key, "gateways[%zu].identity", i);
	if (c->has_node)
		must_exist(b, &identities, &g->identity, g->pos, key, g->identity);
	text_print(key, sizeof key, "gateways[%zu].login", i);
	const struct cfg_login *l = &g->login;
	if ((l->user[0] || l->password[0] || l->realm[0] || l->demanded) && !(l->user[0] && l->password[0] && l->realm[0]))
		at(b, &g->login.user, g->pos, key, "give user, password and realm, or take login out", "user, password or realm is missing");
	if (strpbrk(l->user, "\"\\") || strpbrk(l->realm, "\"\\"))
		at(b, &g->login.user, g->pos, key, "choose others", "user and realm must not hold a quotation mark or a backslash");
	if (!cfg_may_speak_tls(g->transport))
		return;
	text_print(key, sizeof key, "gateways[%zu].transport", i);
	if (g->transport == CFG_TRANSPORT_AUTO && (g->port || is_ip(g->address)))
		at(b, &g->transport, g->pos, key, "use udp, tcp or tls; or give a name without a port", "auto asks DNS, which answers for a name and says the port, too");
	text_print(key, sizeof key, "gateways[%zu].accept_names", i);
	if (!g->accept_names.n && !cfg_pos_of(c, &g->accept_names).line)
		at(b, &g->address, g->pos, key, "list the names its certificate holds", "address is an IP address, so no name is accepted");
	for (size_t k = 0; k < g->accept_names.n; k++)
		if (strchr(g->accept_names.v[k], '*'))
			at(b, &g->accept_names, g->pos, key, "list the full names", "wildcards are not accepted");
	text_print(key, sizeof key, "gateways[%zu].tls", i);
	if (g->tls.min > g->tls.max)
		at(b, &g->tls.min, g->pos, key, "exchange min and max", "min %s is above max %s", cfg_tls_version_name(g->tls.min), cfg_tls_version_name(g->tls.max));
	if (g->tls.min < CFG_TLS_1_2 && g->tls.legacy != CFG_LEGACY_TLS10)
		at(b, &g->tls.min, g->pos, key, "add legacy: tls10, or raise min to 1.2", "versions below 1.2 are off");
	if (g->transport == CFG_TLS && c->has_node && !c->node.n_identities)
		at(b, &g->transport, g->pos, "node.identities", "give node: an identity with cert and key", "gateway %s uses TLS, but this node has no certificate",
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
			at(b, &r->reasons, r->pos, key, "use busy, no-answer, unreachable, forwarded or direct", "holds \"%s\"", r->reasons.v[i]);
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
	struct list schedules = LIST("schedule", &b->all->cfg, schedules);
	char key[80];
	text_print(key, sizeof key, "mailboxes[%zu].rules[%zu].open", i, k);
	must_exist(b, &schedules, &r->open, r->pos, key, r->open);
	text_print(key, sizeof key, "mailboxes[%zu].rules[%zu].closed", i, k);
	must_exist(b, &schedules, &r->closed, r->pos, key, r->closed);
	text_print(key, sizeof key, "mailboxes[%zu].rules[%zu].reasons", i, k);
	check_reasons(b, r, key);
	text_print(key, sizeof key, "mailboxes[%zu].rules[%zu].find", i, k);
	for (size_t n = 0; n < r->find.n; n++)
		target(b, (const char *const *)&r->find, r->pos, key, r->find.v[n]);
	if (finds(r) && !r->find.n)
		at(b, &r->find, r->pos, key, "give one or two places", "names nowhere to look");
	text_print(key, sizeof key, "mailboxes[%zu].rules[%zu].transfer", i, k);
	target(b, &r->transfer, r->pos, key, r->transfer);
	if (r->action == CFG_ANSWER_TRANSFER && r->transfer && !r->transfer[0])
		at(b, &r->transfer, r->pos, key, "give an extension, a mailbox or a URI", "names nobody to transfer to");
	text_print(key, sizeof key, "mailboxes[%zu].rules[%zu].keys", i, k);
	for (size_t n = 0; n < r->n_keys; n++) {
		if (r->keys[n].action == CFG_ACT_TRANSFER)
			target(b, &r->keys[n].target, r->keys[n].pos, key, r->keys[n].target);
		if (r->keys[n].key == '*' || r->keys[n].key == '#' || r->keys[n].key == 't')
			cfg_fail(b->errors, b->path, r->keys[n].pos, key, "use 0 to 9: # skips the greeting, and * logs on", "is no key of a greeting");
	}
	if (r->action == CFG_ANSWER_MENU && !r->n_keys)
		at(b, &r->keys, r->pos, key, "bind some keys, or choose another action", "is a menu without a key");
}

static void check_mailbox(struct binder *b, const struct cfg_mailbox *m, size_t i)
{
	const struct cfg *c = &b->all->cfg;
	struct list plans = LIST("dial plan", c, dialplans), policies = LIST("policy", c, policies), gateways = LIST("gateway", c, gateways);
	char key[80];
	text_print(key, sizeof key, "mailboxes[%zu].dialplan", i);
	must_exist(b, &plans, &m->dialplan, m->pos, key, m->dialplan);
	struct list schedules = LIST("schedule", c, schedules);
	text_print(key, sizeof key, "mailboxes[%zu].schedule", i);
	must_exist(b, &schedules, &m->schedule, m->pos, key, m->schedule);
	for (size_t k = 0; k < m->n_rules; k++)
		check_answer_rule(b, &m->rules[k], i, k);
	text_print(key, sizeof key, "mailboxes[%zu].policy", i);
	must_exist(b, &policies, &m->policy, m->pos, key, m->policy);
	text_print(key, sizeof key, "mailboxes[%zu].lamp_gateway", i);
	must_exist(b, &gateways, &m->lamp_gateway, m->pos, key, m->lamp_gateway);
	text_print(key, sizeof key, "mailboxes[%zu].operator", i);
	target(b, &m->operator_number, m->pos, key, m->operator_number);
	text_print(key, sizeof key, "mailboxes[%zu].allowed_transfers", i);
	for (size_t k = 0; k < m->allowed_transfers.n; k++)
		target(b, (const char *const *)&m->allowed_transfers, m->pos, key, m->allowed_transfers.v[k]);
	const struct cfg_dialplan *plan = cfg_dialplan(c, text_of(m->dialplan));
	text_print(key, sizeof key, "mailboxes[%zu].extensions", i);
	for (size_t k = 0; plan && plan->extension_digits && k < m->extensions.n; k++)
		if (m->extensions.v[k][0] != '+' && strlen(m->extensions.v[k]) != plan->extension_digits)
			at(b, &m->extensions, m->pos, key, "mend the extension, or extension_digits of the dial plan", "\"%s\" has not %u digits as dial plan %s says",
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
			at(b, groups, pos, key, "name a group that stands in rules of the dial plan, or define it there", "there is no group of rules \"%s\"%s%s",
				groups->v[i], plan ? " in dial plan " : "", plan ? plan->name : "");
	}
}

static void check_keys(struct binder *b, const struct cfg_attendant *a, const struct cfg_menu_key *keys, size_t n, const char *key)
{
	const struct cfg *c = &b->all->cfg;
	struct list attendants = LIST("attendant", c, attendants), boxes = LIST("mailbox", c, mailboxes);
	for (size_t k = 0; k < n; k++) {
		const struct cfg_menu_key *m = &keys[k];
		if (m->action == CFG_ACT_ATTENDANT)
			must_exist(b, &attendants, &m->target, m->pos, key, m->target);
		else if (m->action == CFG_ACT_MAILBOX)
			must_exist(b, &boxes, &m->target, m->pos, key, m->target);
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
		at(b, other, pos, key, "keep one of them", "stands beside words that say the same");
}

static void check_attendant(struct binder *b, const struct cfg_attendant *a, size_t i)
{
	const struct cfg *c = &b->all->cfg;
	struct list plans = LIST("dial plan", c, dialplans), schedules = LIST("schedule", c, schedules);
	char key[80];
	text_print(key, sizeof key, "attendants[%zu].dialplan", i);
	must_exist(b, &plans, &a->dialplan, a->pos, key, a->dialplan);
	text_print(key, sizeof key, "attendants[%zu].operator", i);
	target(b, &a->operator_number, a->pos, key, a->operator_number);
	text_print(key, sizeof key, "attendants[%zu].schedule", i);
	must_exist(b, &schedules, &a->schedule, a->pos, key, a->schedule);
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
	struct list attendants = LIST("attendant", c, attendants);
	for (size_t k = 0; k < a->n_departments; k++) {
		const struct cfg_department *d = &a->departments[k];
		text_print(key, sizeof key, "attendants[%zu].departments[%zu].attendant", i, k);
		must_exist(b, &attendants, &d->attendant, d->pos, key, d->attendant);
	}
	text_print(key, sizeof key, "attendants[%zu].greeting_prompt", i);
	one_of(b, &a->greeting, &a->greeting_prompt, a->pos, key);
	text_print(key, sizeof key, "attendants[%zu].menu_prompt", i);
	one_of(b, &a->menu, &a->menu_prompt, a->pos, key);
	text_print(key, sizeof key, "attendants[%zu].announcement_prompt", i);
	one_of(b, &a->announcement, &a->announcement_prompt, a->pos, key);
}

/* ---- schedules ---- */

static int64_t point(const struct cfg_date *d, bool end)
{
	int64_t day = (d->year * 12 + d->month) * 31 + d->day;
	return day * CFG_DAY_MIN + (d->minute >= 0 ? d->minute : end ? CFG_DAY_MIN : 0);
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
			at(b, &h->to, h->pos, key, "give both with the year, or both without", "one is for every year, the other for a single one");
		else if (given && h->from.year && point(&h->to, true) <= point(&h->from, false))
			at(b, &h->to, h->pos, key, "let it be later", "is not behind from");
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
	struct list gateways = LIST("gateway", c, gateways);
	char key[96];
	text_print(key, sizeof key, "dialplans[%zu].gateway", i);
	must_exist(b, &gateways, &p->gateway, p->pos, key, p->gateway);
	text_print(key, sizeof key, "dialplans[%zu].operator", i);
	target(b, &p->operator_number, p->pos, key, p->operator_number);
	text_print(key, sizeof key, "dialplans[%zu].security", i);
	const struct cfg_gateway *g = p->gateway && p->gateway[0] ? cfg_gateway(c, text_of(p->gateway)) : c->n_gateways ? &c->gateways[0] : NULL;
	if (p->security == CFG_SECURITY_MEDIA)
		at(b, &p->security, p->pos, key, "use sip, which asks for TLS, until a release can encrypt sound", "encrypted sound (SRTP) is not possible with this release");
	else if (p->security == CFG_SECURITY_SIP && g && g->transport != CFG_TLS)
		at(b, &p->security, p->pos, key, "use transport: tls for that gateway, or security: off", "asks for TLS, but gateway %s uses %s", g->name,
			cfg_transport_name(g->transport));
	for (size_t k = 0; k < p->n_rules; k++) {
		const struct cfg_call_rule *r = &p->rules[k];
		if (!r->pattern || !r->dial || !r->dial[0])
			continue;
		text_print(key, sizeof key, "dialplans[%zu].rules[%zu].dial", i, k);
		bool star = strchr(r->pattern, '*') != NULL;
		if (wild(r->dial) > wild(r->pattern) && !star)
			at(b, &r->dial, r->pos, key, "use as many x as the pattern has, or fewer", "has more x than the pattern");
		else if (strchr(r->dial, '*') && !star)
			at(b, &r->dial, r->pos, key, "end the pattern with *, or write x for each digit", "has a *, the pattern has none");
	}
}

static void check_node(struct binder *b)
{
	const struct cfg_node *n = &b->all->cfg.node;
	struct list identities = LIST("identity", n, identities);
	struct cfg_pos top = { 1, 1 };
	names_twice(b, "node.identities", n->identities, n->n_identities, sizeof *n->identities);
	must_exist(b, &identities, &n->identity, top, "node.identity", n->identity);
	for (size_t i = 0; i < n->n_listen; i++) {
		if (n->listen[i].transport == CFG_TLS && !n->n_identities)
			cfg_fail(b->errors, b->path, n->listen[i].pos, "node.identities", "give node: an identity with cert and key, or take the address out",
				"a TLS address needs a certificate");
		for (size_t k = 0; k < i; k++)
			if (n->listen[k].transport == n->listen[i].transport && n->listen[k].port && n->listen[k].port == n->listen[i].port &&
			    strcmp(n->listen[k].address, n->listen[i].address) == 0)
				cfg_fail(b->errors, b->path, n->listen[i].pos, "node.listen", "take one of them out", "the same address stands twice");
	}
	if (n->media.address && n->media.address[0] && !is_ip(n->media.address))
		at(b, &n->media.address, top, "node.media.address", "give an IP address", "is a name");
	if (n->fqdn && n->fqdn[0] && is_ip(n->fqdn))
		at(b, &n->fqdn, top, "node.fqdn", "give the full name of this machine: peers compare it with our certificate", "is an IP address");
}

/* Each node is told from the others by its name and by what its certificate proves. */
static void check_peer_node(struct binder *b, const struct cfg_peer_node *n, size_t i)
{
	const struct cfg *c = &b->all->cfg;
	char key[80];
	text_print(key, sizeof key, "nodes[%zu].fqdn", i);
	if (!n->name || !n->fqdn || !n->fqdn[0])
		return;
	if (is_ip(n->fqdn))
		at(b, &n->fqdn, n->pos, key, "give its full name, which its certificate holds; where it is dialled is its address", "is an IP address");
	if (c->node.fqdn && cfg_is_self(c, n) && strcasecmp(n->fqdn, c->node.fqdn) != 0)
		at(b, &n->fqdn, n->pos, key, "let both say the same, or give the other node its own name", "node %s is this one, whose node.fqdn is %s", n->name,
			c->node.fqdn);
	if (c->node.fqdn && c->node.name && !cfg_is_self(c, n) && strcasecmp(n->fqdn, c->node.fqdn) == 0)
		at(b, &n->fqdn, n->pos, key, "each node has its own", "is this node's own name, but node.name is %s", c->node.name);
	for (size_t k = 0; k < i; k++)
		if (c->nodes[k].fqdn && strcasecmp(n->fqdn, c->nodes[k].fqdn) == 0)
			at(b, &n->fqdn, n->pos, key, "each node has its own", "is that of node %s already", c->nodes[k].name);
}

static void check_peer_nodes(struct binder *b)
{
	const struct cfg *c = &b->all->cfg;
	bool tls = false;
	size_t others = 0;
	names_twice(b, "nodes", c->nodes, c->n_nodes, sizeof *c->nodes);
	for (size_t i = 0; i < c->n_nodes; i++) {
		check_peer_node(b, &c->nodes[i], i);
		others += c->nodes[i].name && !cfg_is_self(c, &c->nodes[i]);
	}
	for (size_t i = 0; i < c->node.n_listen; i++)
		tls = tls || c->node.listen[i].transport == CFG_TLS;
	if (others && c->has_node && c->node.n_listen && !tls)
		at(b, &c->nodes, (struct cfg_pos){ 1, 1 }, "nodes", "add a tls address to node.listen, with an identity", "other nodes come in over TLS, but this one listens on no tls address");
	if (c->n_nodes > CFG_NODES_MAX)
		at(b, &c->nodes, (struct cfg_pos){ 1, 1 }, "nodes", "take some out", "more than %d nodes are not served", CFG_NODES_MAX);
}

void cfg_check(struct binder *b)
{
	const struct cfg *c = &b->all->cfg;
	char key[80];
	names_twice(b, "gateways", c->gateways, c->n_gateways, sizeof *c->gateways);
	names_twice(b, "dialplans", c->dialplans, c->n_dialplans, sizeof *c->dialplans);
	names_twice(b, "policies", c->policies, c->n_policies, sizeof *c->policies);
	names_twice(b, "attendants", c->attendants, c->n_attendants, sizeof *c->attendants);
	names_twice(b, "mailboxes", c->mailboxes, c->n_mailboxes, sizeof *c->mailboxes);
	numbers_twice(b);
	if (c->has_node && c->node.name)
		check_node(b);
	check_peer_nodes(b);
	for (size_t i = 0; i < c->n_gateways; i++)
		check_gateway(b, &c->gateways[i], i);
	for (size_t i = 0; i < c->n_dialplans; i++)
		check_dialplan(b, &c->dialplans[i], i);
	names_twice(b, "schedules", c->schedules, c->n_schedules, sizeof *c->schedules);
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

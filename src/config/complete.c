/* SPDX-License-Identifier: Apache-2.0 */
/* complete.c  What follows from other settings where a value is left out: names from addresses, zones and calendars of schedules, first and last names. */
#include <errno.h>
#include "config/check.h"
#include "config/zone.h"

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
		cfg_wrong_at(b, &s->time_zone, s->pos, key, "use a name of the IANA list, as in Europe/Berlin; the system's list comes with the package tzdata",
			"there is no time zone \"%s\" on this machine", s->time_zone);
	else if (err)
		cfg_wrong_at(b, &s->time_zone, s->pos, key, "install the package tzdata anew", "the time zone \"%s\" cannot be read: %s", s->time_zone, strerror(err));
}

/* Who fetches it stands above this folder. */
static void check_address(struct binder *b, const struct cfg_schedule *s, const char *key)
{
	struct text url = text_of(s->calendar), host;
	bool https = text_starts_nocase(url, "https://"), http = text_starts_nocase(url, "http://");
	for (size_t i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= 0x20 || (unsigned char)url.p[i] >= 0x7f) {
			cfg_wrong_at(b, &s->calendar, s->pos, key, "write such characters as % and two hexadecimal digits, as browsers show them when they copy an address",
				"the address holds a blank or a character that addresses do not have");
			return;
		}
	if (!https && !http) {
		cfg_wrong_at(b, &s->calendar, s->pos, key, text_starts_nocase(url, "webcal://") ? "write https:// instead of webcal://: it is the same address" :
			"write https://..., or the path of a file", "holds an address of a kind that calendars are not fetched from");
		return;
	}
	host = text_skip(url, https ? 8 : 7);
	host = text_head(host, text_find(host, '/'));
	if (!host.n || host.p[0] == ':')
		cfg_wrong_at(b, &s->calendar, s->pos, key, "write the whole address, as in https://calendar.contoso.com/holidays.ics", "the address names no server");
	if (http && !s->calendar_plain_http)
		cfg_wrong_at(b, &s->calendar, s->pos, key, "write https://; or, if this server cannot do it and you trust all who sit on the way, set calendar_plain_http: true",
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
		cfg_wrong_at(b, &s->calendar, s->pos, key, "name a file that holds an iCalendar (it begins with BEGIN:VCALENDAR), of 2 MB at most, that the server may read",
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
		bool name = g->address && g->address[0] && !cfg_is_ip(g->address);
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
	for (size_t i = 0; i < c->n_dialplans; i++) {
		struct cfg_dialplan *p = (struct cfg_dialplan *)(uintptr_t)&c->dialplans[i];
		if (p->country_code && p->country_code[0] == '+') /* as people write it */
			p->country_code++;
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

/* SPDX-License-Identifier: Apache-2.0 */
/* phone.c  What the tables of the mailbox by phone share. */
#include "dialogue/phone.h"
#include <stdlib.h>
#include "base/mem.h"
#include "dialogue/session.h"

unsigned dlg_speed_percent(unsigned speed)
{
	static const unsigned percent[DLG_SPEEDS] = { 60, 80, 100, 130, 170, 200 };
	return percent[speed < DLG_SPEEDS ? speed : DLG_SPEED_NORMAL];
}

static const char *const zones[][2] = {
	{ "Pacific/Honolulu", "Honolulu" }, { "America/Anchorage", "Anchorage" }, { "America/Los_Angeles", "Los Angeles" }, { "America/Denver", "Denver" },
	{ "America/Chicago", "Chicago" }, { "America/Mexico_City", "Mexico City" }, { "America/New_York", "New York" }, { "America/Halifax", "Halifax" },
	{ "America/Sao_Paulo", "Sao Paulo" }, { "Atlantic/Azores", "The Azores" }, { "Europe/London", "London" }, { "Europe/Lisbon", "Lisbon" },
	{ "Europe/Berlin", "Berlin" }, { "Europe/Paris", "Paris" }, { "Europe/Rome", "Rome" }, { "Africa/Johannesburg", "Johannesburg" },
	{ "Europe/Athens", "Athens" }, { "Europe/Istanbul", "Istanbul" }, { "Europe/Moscow", "Moscow" }, { "Asia/Dubai", "Dubai" },
	{ "Asia/Karachi", "Karachi" }, { "Asia/Kolkata", "Kolkata" }, { "Asia/Bangkok", "Bangkok" }, { "Asia/Singapore", "Singapore" },
	{ "Asia/Shanghai", "Shanghai" }, { "Asia/Tokyo", "Tokyo" }, { "Australia/Sydney", "Sydney" }, { "Pacific/Auckland", "Auckland" },
};

const char *dlg_zone_name(unsigned i)
{
	return i < sizeof(zones) / sizeof(zones[0]) ? zones[i][0] : NULL;
}

const char *dlg_zone_city(unsigned i)
{
	return i < sizeof(zones) / sizeof(zones[0]) ? zones[i][1] : NULL;
}

/* ---- lists ---- */
bool dlg_found(const struct mbox_message *m, const char *keys)
{
	char name[160];
	if (!*keys || text_find_text(text_of(m->caller_number), text_of(keys)) != SIZE_MAX)
		return true;
	for (struct text rest = text_of(m->caller_name); rest.n; rest = text_skip(rest, 1)) {
		char word[128];
		text_print(word, sizeof(word), "%.*s", TEXT_FMT(rest));
		dir_keys_of(text_of(word), name, sizeof(name));
		if (text_starts(text_of(name), keys))
			return true;
		size_t blank = text_find(rest, ' ');
		if (blank == SIZE_MAX)
			break;
		rest = text_skip(rest, blank); /* the next word of the name */
	}
	return false;
}

static const char *whose(const struct mbox_message *m)
{
	return *m->caller_name ? m->caller_name : m->caller_number;
}

static int by_date(const struct mbox_message *a, const struct mbox_message *b)
{
	return a->received_us < b->received_us ? -1 : a->received_us > b->received_us;
}

static int oldest_first(const void *x, const void *y)
{
	const struct mbox_message *a = x, *b = y;
	bool fresh_a = a->state == MBOX_NEW, fresh_b = b->state == MBOX_NEW;
	if (fresh_a != fresh_b)
		return fresh_a ? -1 : 1;
	if (fresh_a && a->urgent != b->urgent)
		return a->urgent ? -1 : 1;
	return by_date(a, b);
}

static int newest_first(const void *x, const void *y)
{
	return by_date(y, x);
}

/* The callers in the order of their names, each one's messages from the oldest on. */
static int by_caller(const void *x, const void *y)
{
	const struct mbox_message *a = x, *b = y;
	const char *p = whose(a), *q = whose(b);
	for (; *p && text_lower(*p) == text_lower(*q); p++)
		q++;
	int diff = (unsigned char)text_lower(*p) - (unsigned char)text_lower(*q);
	return diff ? diff : by_date(a, b);
}

void dlg_list_arrange(struct dlg_session *s)
{
	static int (*const order[])(const void *, const void *) = { [DLG_OLDEST_FIRST] = oldest_first, [DLG_NEWEST_FIRST] = newest_first,
		                                                    [DLG_BY_CALLER] = by_caller };
	unsigned n = 0;
	for (unsigned i = 0; i < s->n_list; i++)
		if (dlg_found(&s->list[i], s->phone.find))
			s->list[n++] = s->list[i];
	s->n_list = n;
	if (n > 1)
		qsort(s->list, n, sizeof(s->list[0]), order[s->phone.sort]);
}

/* ---- sending ---- */
const struct dir_user *dlg_sender(const struct dlg_session *s, const struct mbox_message *m)
{
	const struct dir_user *u = *m->sender ? dir_find_name(s->view, text_of(m->sender)) : NULL;
	return u || !*m->caller_number ? u : dir_find_extension(s->view, text_of(m->caller_number));
}

bool dlg_send_to(struct dlg_session *s, const struct dir_user *u)
{
	for (unsigned i = 0; i < s->phone.n_to; i++)
		if (s->phone.to[i] == u)
			return true;
	if (s->phone.n_to == DLG_RECIPIENTS)
		return false;
	s->phone.to[s->phone.n_to++] = u;
	return true;
}

void dlg_send_begin(struct dlg_session *s, enum mbox_relation as)
{
	s->phone.sending = as;
	s->phone.n_to = s->phone.n_sent = s->phone.n_added = 0;
	s->phone.group = NULL;
	s->phone.introduction = s->phone.urgent = s->phone.private = false;
	s->failures = 0;
}

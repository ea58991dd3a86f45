/* SPDX-License-Identifier: Apache-2.0 */
/* targets.c  Who may be called. Only listed people and extensions, only digits: what a caller typed never becomes more of a dial string. */
#include <errno.h>
#include "directory/dir_private.h"
#include "directory/rules.h"
#include "directory_events.h"

static bool digits_only(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
	return t.n > 0 && t.n <= 20;
}

static void fill_user(const struct dir_view *v, const struct dir_user *u, struct text dialled, struct dir_target *t)
{
	*t = (struct dir_target){ .user = u, .uri = u->sip_uris.n ? u->sip_uris.v[0] : "", .spoken_name = u->spoken_name, .dialplan = dir_dialplan(v, u) };
	if (digits_only(dialled))
		text_copy(dialled, t->number, sizeof t->number);
	else if (u->extensions.n)
		text_fill(t->number, sizeof t->number, u->extensions.v[0]);
}

enum dir_allow dir_may_dial(const struct dir_view *v, struct text digits, struct dir_target *t)
{
	if (!digits_only(digits))
		return DIR_NOT_DIGITS;
	const struct dir_user *u = dir_find_extension(v, digits);
	if (!u)
		return DIR_NOBODY;
	if (!u->dialable)
		return DIR_NOT_DIALABLE;
	fill_user(v, u, digits, t);
	return DIR_ALLOWED;
}

enum dir_allow dir_may_call_outside(const struct cfg_dialplan *plan, const struct cfg_strings *groups, struct text number, struct dir_target *t)
{
	char dial[RULE_NUMBER_SIZE];
	if (!rule_allows(plan, groups, number, dial))
		return DIR_NOT_DIALABLE;
	*t = (struct dir_target){ .uri = "", .spoken_name = "", .dialplan = plan, .outside = true };
	text_copy(text_of(dial), t->number, sizeof t->number);
	return DIR_ALLOWED;
}

enum dir_allow dir_may_type(const struct dir_view *v, const struct cfg_attendant *aa, struct text digits, struct dir_target *t)
{
	const struct cfg_dialplan *plan = cfg_dialplan(v->cfg, text_of(aa->dialplan));
	enum dir_allow a = dir_may_dial(v, digits, t);
	if (a != DIR_NOBODY)
		return a;
	if (aa->allow_extensions && plan && plan->extension_digits && digits.n == plan->extension_digits) {
		*t = (struct dir_target){ .uri = "", .spoken_name = "", .dialplan = plan };
		text_copy(digits, t->number, sizeof t->number);
		return DIR_ALLOWED;
	}
	return dir_may_call_outside(plan, &aa->allowed_rules, digits, t) == DIR_ALLOWED ? DIR_ALLOWED : a;
}

enum dir_allow dir_may_transfer(const struct dir_view *v, struct text target, struct dir_target *t)
{
	const struct dir_user *u = dir_find_extension(v, target);
	if (!u)
		u = dir_find_name(v, target);
	if (!u)
		u = dir_find_uri(v, target);
	if (u) {
		fill_user(v, u, target, t);
		return DIR_ALLOWED;
	}
	if (!digits_only(target)) /* a misspelt name or a foreign URI */
		return text_find(target, '@') != SIZE_MAX ? DIR_NOBODY : DIR_NOT_DIGITS;
	*t = (struct dir_target){ .uri = "", .spoken_name = "", .dialplan = cfg_dialplan(v->cfg, TEXT_NONE) };
	text_copy(target, t->number, sizeof t->number);
	return DIR_ALLOWED;
}

static bool same(const struct dir_view *v, const char *listed, const struct dir_target *wanted)
{
	struct dir_target t;
	if (!listed[0] || dir_may_transfer(v, text_of(listed), &t) != DIR_ALLOWED)
		return false;
	return wanted->user ? t.user == wanted->user : !t.user && strcmp(t.number, wanted->number) == 0;
}

enum dir_allow dir_may_transfer_from(const struct dir_view *v, const struct dir_user *from, struct text target, struct dir_target *t)
{
	struct dir_target wanted;
	enum dir_allow a = dir_may_transfer(v, target, &wanted);
	if (a != DIR_ALLOWED)
		return a;
	bool listed = same(v, from->operator_number, &wanted);
	for (size_t i = 0; i < from->allowed_transfers.n && !listed; i++)
		listed = same(v, from->allowed_transfers.v[i], &wanted);
	if (!listed)
		return wanted.user ? DIR_NOT_DIALABLE : DIR_NOBODY;
	*t = wanted;
	return DIR_ALLOWED;
}

const char *dir_allow_name(enum dir_allow a)
{
	static const char *const names[] = { "allowed", "there is nobody with that name or extension", "callers may not reach it", "it holds more than digits",
		                             "there were as many calls outside in this hour as there may be, or they cannot be counted now" };
	return (unsigned)a < sizeof names / sizeof names[0] ? names[a] : "?";
}

void dir_refusal(enum dir_allow a, struct text target, struct ev_report *why)
{
	ev_set(why, EV_DIR_TRANSFER_REFUSED);
	ev_text(why, "target", target);
	ev_str(why, "reason", dir_allow_name(a));
}

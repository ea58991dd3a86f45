/* SPDX-License-Identifier: Apache-2.0 */
/* world.c  The site, and a directory that finds its people without any store. */
#include "world.h"
#include "base/mem.h"
#include "directory/pin.h"

#define LIST(...) { (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *) }
#define NO_LIST { NULL, 0 }

static const struct cfg_mailbox boxes[] = {
	{ .name = "alice", .display_name = "Alice Smith", .first_name = "Alice", .last_name = "Smith", .spoken_name = "Alice Smith",
	  .extensions = LIST("201"), .sip_uris = LIST("sip:alice@example.com"), .dialplan = "", .policy = "", .dialable = true, .allowed_transfers = NO_LIST, .operator_number = "200", .language = "" },
	{ .name = "bob", .display_name = "Bob", .first_name = "Bob", .last_name = "Bob", .spoken_name = "Bob", .extensions = LIST("202"),
	  .sip_uris = NO_LIST, .dialplan = "", .policy = "", .dialable = false, .operator_number = "", .language = "" },
	{ .name = "carol", .display_name = "Carol Abba", .first_name = "Carol", .last_name = "Abba", .spoken_name = "Carol Abba",
	  .extensions = LIST("203"), .sip_uris = NO_LIST, .dialplan = "", .policy = "", .dialable = true, .operator_number = "", .language = "" },
	{ .name = "dave", .display_name = "Dave Abba", .first_name = "Dave", .last_name = "Abba", .spoken_name = "Dave Abba",
	  .extensions = LIST("204"), .sip_uris = NO_LIST, .dialplan = "", .policy = "", .dialable = true, .operator_number = "", .language = "" },
};
static const struct cfg_menu_key main_keys[] = {
	{ .key = '1', .action = CFG_ACT_EXTENSION, .target = "201", .say = "sales" },
	{ .key = '2', .action = CFG_ACT_ATTENDANT, .target = "night", .say = "" },
	{ .key = '3', .action = CFG_ACT_MAILBOX, .target = "carol", .say = "" },
	{ .key = '4', .action = CFG_ACT_SUBSCRIBER, .target = "", .say = "your mailbox" },
	{ .key = '5', .action = CFG_ACT_EXTENSION, .target = "0015551234567", .say = "the world" },
	{ .key = '9', .action = CFG_ACT_HANGUP, .target = "", .say = "" },
};
static const struct cfg_menu_key night_keys[] = {
	{ .key = '1', .action = CFG_ACT_ATTENDANT, .target = "main", .say = "" },
	{ .key = 't', .action = CFG_ACT_MAILBOX, .target = "alice", .say = "" },
};
static const struct cfg_attendant attendants[] = {
	{ .name = "main", .numbers = LIST("100"), .uris = LIST("sip:main@example.com"), .dialplan = "", .greeting = "", .greeting_prompt = "", .business_name = "Example",
	  .keys = main_keys, .n_keys = 6, .operator_number = "200", .dial_by_extension = true, .dial_by_name = true,
	  .digit_timeout_ms = 1500, .input_timeout_ms = 5000, .input_failures = 3, .language = "" },
	{ .name = "night", .numbers = NO_LIST, .uris = NO_LIST, .dialplan = "", .greeting = "We are closed. Our office is open from Monday to Friday, from nine in the morning until five in the afternoon, but not on the days on which nobody works. Please call again then, or leave a message for us and we will call you back as soon as we can.", .greeting_prompt = "", .business_name = "",
	  .keys = night_keys, .n_keys = 2, .operator_number = "", .dial_by_extension = false, .dial_by_name = false,
	  .input_timeout_ms = 5000, .input_failures = 2, .language = "" },
};
static const struct cfg_dialplan plans[] = {
	{ .name = "site", .gateway = "pool", .domain = "example.com", .extension_digits = 3, .access_numbers = LIST("700"), .operator_number = "",
	  .language = "en-US", .name_order = CFG_LAST_FIRST },
};
static const struct cfg_policy policies[] = {
	{ .name = "default", .pin_min_length = 6, .pin_tries_per_call = 3, .pin_tries_per_mailbox = 10, .max_greeting_ms = 60000,
	  .max_recording_ms = 120000, .min_recording_ms = 1000, .silence_ms = 5000, .max_call_ms = 1800000, .input_failures = 3,
	  .logon_failures = 3, .max_messages = 100 },
};

struct dir_view {
	struct cfg *cfg;
	struct dir_user user[4];
};

/* ---- configuration ---- */
struct cfg *world_cfg(void)
{
	struct cfg *c = mem_object(sizeof(*c), NULL);
	c->dialplans = plans;
	c->n_dialplans = 1;
	c->policies = policies;
	c->n_policies = 1;
	c->attendants = attendants;
	c->n_attendants = 2;
	c->mailboxes = boxes;
	c->n_mailboxes = 4;
	return c;
}

static void view_gone(void *object)
{
	mem_unref(((struct dir_view *)object)->cfg);
}

struct dir_view *world_view(void)
{
	struct dir_view *v = mem_object(sizeof(*v), view_gone);
	v->cfg = world_cfg();
	for (int i = 0; i < 4; i++)
		v->user[i] = (struct dir_user){ .name = boxes[i].name, .display_name = boxes[i].display_name, .spoken_name = boxes[i].spoken_name,
			.operator_number = boxes[i].operator_number, .extensions = boxes[i].extensions, .sip_uris = boxes[i].sip_uris,
			.dialable = boxes[i].dialable, .policy = "", .dialplan = "" };
	return v;
}

const struct dir_user *world_user(const struct dir_view *v, const char *name)
{
	return dir_find_name(v, text_of(name));
}

struct cfg *cfg_ref(const struct cfg *c)
{
	return mem_ref((void *)(uintptr_t)c);
}

struct cfg *cfg_unref(const struct cfg *c)
{
	return mem_unref((void *)(uintptr_t)c);
}

const struct cfg_policy *cfg_policy(const struct cfg *c, struct text name)
{
	(void)name;
	return &c->policies[0];
}

const struct cfg_dialplan *cfg_dialplan(const struct cfg *c, struct text name)
{
	(void)name;
	return &c->dialplans[0];
}

const struct cfg_gateway *cfg_gateway(const struct cfg *c, struct text name)
{
	(void)c, (void)name;
	return NULL;
}

const struct cfg_attendant *cfg_attendant(const struct cfg *c, struct text name)
{
	for (size_t i = 0; i < c->n_attendants; i++)
		if (text_is(name, c->attendants[i].name))
			return &c->attendants[i];
	return NULL;
}

static bool one_of(struct cfg_strings list, struct text what)
{
	for (size_t i = 0; i < list.n; i++)
		if (text_is_nocase(what, list.v[i]))
			return true;
	return false;
}

const struct cfg_attendant *cfg_attendant_by_number(const struct cfg *c, struct text what)
{
	for (size_t i = 0; i < c->n_attendants; i++)
		if (one_of(c->attendants[i].numbers, what) || one_of(c->attendants[i].uris, what))
			return &c->attendants[i];
	return NULL;
}

const struct cfg_mailbox *cfg_mailbox(const struct cfg *c, struct text name)
{
	for (size_t i = 0; i < c->n_mailboxes; i++)
		if (text_is(name, c->mailboxes[i].name))
			return &c->mailboxes[i];
	return NULL;
}

/* ---- directory ---- */
struct dir_view *dir_view_ref(const struct dir_view *v)
{
	return mem_ref((void *)(uintptr_t)v);
}

struct dir_view *dir_view_unref(const struct dir_view *v)
{
	return mem_unref((void *)(uintptr_t)v);
}

const struct cfg *dir_view_cfg(const struct dir_view *v)
{
	return v->cfg;
}

const struct cfg_policy *dir_policy(const struct dir_view *v, const struct dir_user *u)
{
	(void)u;
	return cfg_policy(v->cfg, TEXT_NONE);
}

const struct cfg_dialplan *dir_dialplan(const struct dir_view *v, const struct dir_user *u)
{
	(void)u;
	return cfg_dialplan(v->cfg, TEXT_NONE);
}

const struct dir_user *dir_find_name(const struct dir_view *v, struct text name)
{
	for (int i = 0; i < 4; i++)
		if (text_is_nocase(name, v->user[i].name))
			return &v->user[i];
	return NULL;
}

const struct dir_user *dir_find_extension(const struct dir_view *v, struct text digits)
{
	for (int i = 0; i < 4; i++)
		if (one_of(v->user[i].extensions, digits))
			return &v->user[i];
	return NULL;
}

const struct dir_user *dir_find_number(const struct dir_view *v, struct text number)
{
	return dir_find_extension(v, number.n > 3 ? text_skip(number, number.n - 3) : number);
}

const struct dir_user *dir_find_uri(const struct dir_view *v, struct text uri)
{
	for (int i = 0; i < 4; i++)
		if (one_of(v->user[i].sip_uris, uri))
			return &v->user[i];
	return NULL;
}

const struct dir_user *dir_find(const struct dir_view *v, struct text what)
{
	const struct dir_user *u = dir_find_name(v, what);
	return u ? u : dir_find_extension(v, what);
}

static enum dir_allow target(const struct dir_view *v, const struct dir_user *u, struct text digits, struct dir_target *t)
{
	*t = (struct dir_target){ .user = u, .uri = "", .spoken_name = u ? u->spoken_name : "", .dialplan = &v->cfg->dialplans[0] };
	text_copy(u ? text_of(u->extensions.v[0]) : digits, t->number, sizeof(t->number));
	return DIR_ALLOWED;
}

enum dir_allow dir_may_dial(const struct dir_view *v, struct text digits, struct dir_target *t)
{
	const struct dir_user *u = dir_find_extension(v, digits);
	if (!u)
		return DIR_NOBODY;
	return u->dialable ? target(v, u, digits, t) : DIR_NOT_DIALABLE;
}

enum dir_allow dir_may_transfer(const struct dir_view *v, struct text what, struct dir_target *t)
{
	const struct dir_user *u = dir_find(v, what);
	if (!u && what.n != 3)
		return DIR_NOBODY;
	return target(v, u, what, t);
}

const char *dir_allow_name(enum dir_allow a)
{
	return a == DIR_ALLOWED ? "allowed" : "nobody";
}

void dir_match_keys(const struct dir_view *v, struct text digits, enum cfg_name_order order, bool dialable_only,
                    const struct dir_user **out, size_t max, size_t *total)
{
	static const char *const keys[] = { "7648425423", "262262", "222222765", "22223283" }; /* last name first */
	(void)order;
	*total = 0;
	for (int i = 0; i < 4; i++)
		if (digits.n <= strlen(keys[i]) && memcmp(keys[i], digits.p, digits.n) == 0 &&
		    (v->user[i].dialable || !dialable_only)) {
			if (*total < max)
				out[*total] = &v->user[i];
			++*total;
		}
}

enum dir_pin_rule dir_pin_check(struct text pin, const struct cfg_policy *policy, const struct dir_user *user)
{
	(void)user;
	if (pin.n < policy->pin_min_length)
		return DIR_PIN_TOO_SHORT;
	return text_is(pin, "123456") ? DIR_PIN_SEQUENCE : DIR_PIN_GOOD;
}

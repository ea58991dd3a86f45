/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_choices.c  mailbox.choices, mailbox.choose: what the owner of a mailbox chose, groups of recipients too. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "base/mem.h"
#include "directory/dir.h"
#include "mailbox/mbox.h"
#include "voice/languages.h"

struct asked {
	struct admin_mailbox of;
	char name[32];
};

static json_t *group_json(unsigned number, const struct mbox_group *g)
{
	json_t *members = json_array();
	struct text rest = text_of(g->members), name;
	while (rest.n) {
		text_cut(rest, '\n', &name, &rest);
		json_array_append_new(members, admin_json_text(name));
	}
	return json_pack("{s:i, s:o, s:o}", "number", (int)number, "title", admin_json_text(text_of(g->name)), "members", members);
}

static void choices_h(int err, const struct mbox_choices *c, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (err) {
		admin_mailbox_failed(x, err, why);
		return;
	}
	json_t *groups = json_array();
	for (unsigned i = 0; i < MBOX_GROUPS; i++)
		if (mbox_choices_group(c, i))
			json_array_append_new(groups, group_json(i + 1, mbox_choices_group(c, i)));
	admin_call_ok(x->of.call, json_pack("{s:s, s:i, s:s, s:s, s:b, s:o}", "mailbox", x->of.user->name, "hours", (int)c->hours, "zone", c->zone, "language", c->language,
	                                 "by_voice", c->by_voice, "groups", groups));
	admin_mailbox_end(x);
}

static void choices(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = admin_mailbox_begin(sizeof *x, arg, call, args, true);
	int err = x ? mbox_choices(x->of.admin->prm.mbox, x->of.user->name, choices_h, x, NULL) : 0;
	if (err)
		admin_mailbox_failed(x, err, NULL);
}

static void chosen_h(int err, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (err) {
		admin_mailbox_failed(x, err, why);
		return;
	}
	admin_call_did(x->of.call, "%s of %s", x->name, x->of.user->name);
	admin_call_ok(x->of.call, json_pack("{s:s, s:s}", "mailbox", x->of.user->name, "chosen", x->name));
	admin_mailbox_end(x);
}

/* The first of a group's members who has no mailbox; TEXT_NONE if all have. The group's title stands in the first line. */
static struct text unknown_member(struct dir_view *v, const char *value)
{
	struct text rest, line;
	for (text_cut(text_of(value), '\n', &line, &rest); rest.n;) {
		text_cut(rest, '\n', &line, &rest);
		if (line.n && !dir_find(v, line))
			return line;
	}
	return TEXT_NONE;
}

/* What the phone never offers must not come by command either: it would be found out by callers. */
static bool is_there(struct asked *x, const char *key, const char *value)
{
	char name[128] = "";
	struct languages *l = x->of.admin->prm.languages;
	if (strcmp(key, "language") == 0 && *value && l && !languages_speaks(l, value)) {
		admin_call_not_found(x->of.call, "language", value, admin_words(ADMIN_HINT_LANGUAGES));
		return false;
	}
	if (text_starts(text_of(key), "group."))
		text_copy(unknown_member(x->of.view, value), name, sizeof name);
	if (*name)
		admin_call_not_found(x->of.call, "mailbox", name, admin_words(ADMIN_HINT_MAILBOXES));
	return !*name;
}

static void choose(struct admin_call *call, const json_t *args, void *arg)
{
	struct ev_report why = { 0 };
	const char *key = NULL, *value = admin_arg_str(args, "value"); /* "": as before any choice */
	if (admin_need_str(args, "key", &key, &why) || (!value && admin_need_str(args, "value", &value, &why))) {
		admin_call_fail(call, &why);
		return;
	}
	struct asked *x = admin_mailbox_begin(sizeof *x, arg, call, args, true);
	if (!x)
		return;
	if (!is_there(x, key, value)) {
		admin_mailbox_end(x);
		return;
	}
	text_fill(x->name, sizeof x->name, key);
	int err = mbox_choose(x->of.admin->prm.mbox, x->of.user->name, key, value, chosen_h, x, NULL);
	if (err == EINVAL)
		(void)admin_value_bad(&why, value, key, "hours 12 or 24, zone Europe/Berlin, language de-DE, voice 1, group.1 to group.9");
	if (err)
		admin_mailbox_failed(x, err, &why);
}

const struct admin_cmd admin_choice_cmds[] = { { "mailbox.choices", choices }, { "mailbox.choose", choose }, { NULL, NULL } };

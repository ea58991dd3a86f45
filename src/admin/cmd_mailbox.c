/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_mailbox.c  mailbox.*: people, their counts, their PINs. A PIN travels on the socket only, never in an event. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "directory/letter.h"
#include "directory/pin.h"
#include "mailbox/mbox.h"

/* A command under way that asks several parts one after the other. */
struct asked {
	struct admin_mailbox of;
	json_t *answer;
	char pin[DIR_PIN_SIZE];
	bool made, must_change;
};

static void asked_free(struct asked *x)
{
	json_decref(x->answer);
	mem_wipe(x->pin, sizeof x->pin);
	admin_mailbox_end(x);
}

static void failed(struct asked *x, int err, const struct ev_report *why)
{
	admin_call_errno(x->of.call, err, why);
	asked_free(x);
}

static json_t *strings_json(const struct cfg_strings *s)
{
	json_t *array = json_array();
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(array, json_string(s->v[i]));
	return array;
}

static json_t *user_json(const struct dir_user *u)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:b, s:b, s:b}", "name", u->name, "display_name", u->display_name, "extensions",
	                 strings_json(&u->extensions), "sip_uris", strings_json(&u->sip_uris), "dialplan", u->dialplan, "policy", u->policy, "operator",
	                 u->operator_number, "dialable", u->dialable, "lamp", u->lamp, "managed_by_file", u->managed_by_file);
}

static json_t *listed(const struct admin_listing *l, size_t i)
{
	const struct dir_user *u = dir_view_at(l->view, i);
	json_t *o = user_json(u);
	if (o)
		json_object_set_new(o, "extension", json_string(u->extensions.n ? u->extensions.v[0] : ""));
	return o;
}

static void list(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct dir_view *v = a->prm.dir ? dir_view(a->prm.dir) : NULL;
	(void)args;
	if (!v) {
		admin_call_absent(call, "mailboxes");
		return;
	}
	admin_list(a, call, &(struct admin_listing){ .key = "mailboxes", .n = dir_view_count(v), .item = listed, .view = v,
	                                             .rest = json_pack("{s:I}", "revision", (json_int_t)dir_view_revision(v)) });
}

/* ---- mailbox.show: the user, then the PIN's state, then the counts, then what the owner chose ---- */

static void choices_h(int err, const struct mbox_choices *c, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	(void)why;
	if (!err)
		json_object_set_new(x->answer, "choices", json_pack("{s:s, s:i, s:s, s:b}", "language", c->language, "hours", (int)c->hours, "zone", c->zone,
		                                                    "by_voice", c->by_voice));
	admin_call_ok(x->of.call, json_incref(x->answer));
	asked_free(x);
}

static void counts_h(int err, const struct mbox_counts *c, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	(void)why;
	if (!err)
		json_object_set_new(x->answer, "messages", json_pack("{s:i, s:i}", "new", (int)c->fresh, "saved", (int)c->saved));
	err = x->of.admin->prm.mbox ? mbox_choices(x->of.admin->prm.mbox, x->of.user->name, choices_h, x, NULL) : ENOTCONN;
	if (err)
		choices_h(err, NULL, NULL, x);
}

static void pin_status_h(int err, const struct dir_pin_status *st, void *arg)
{
	struct asked *x = arg;
	if (!err)
		json_object_set_new(x->answer, "pin", json_pack("{s:b, s:b, s:b, s:i, s:I, s:I}", "set", st->set, "must_change", st->must_change, "locked",
		                                                st->locked, "failures", (int)st->failures, "changed_us", (json_int_t)st->changed_us,
		                                                "logon_us", (json_int_t)st->logon_us));
	err = x->of.admin->prm.mbox ? mbox_counts(x->of.admin->prm.mbox, x->of.user->name, counts_h, x, NULL) : ENOTCONN;
	if (err)
		counts_h(err, NULL, NULL, x);
}

static void show(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = admin_mailbox_begin(sizeof *x, arg, call, args, false);
	if (!x)
		return;
	x->answer = user_json(x->of.user);
	if (!x->answer) {
		failed(x, ENOMEM, NULL);
		return;
	}
	int err = dir_pin_status(x->of.admin->prm.dir, x->of.user->name, pin_status_h, x, NULL);
	if (err)
		pin_status_h(err, NULL, x);
}

/* ---- PINs ---- */

static void pin_set_h(int err, enum dir_pin_rule rule, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (err == EINVAL && rule != DIR_PIN_GOOD) {
		struct ev_report r = { 0 };
		ev_set(&r, EV_ADMIN_PIN_REFUSED);
		ev_str(&r, "mailbox", x->of.user->name);
		ev_str(&r, "rule", dir_pin_rule_name(rule));
		failed(x, err, &r);
		return;
	}
	if (err) {
		failed(x, err, why);
		return;
	}
	admin_call_did(x->of.call, "%s", x->of.user->name);
	json_t *o = json_pack("{s:s, s:b}", "mailbox", x->of.user->name, "must_change", x->must_change);
	if (x->made)
		json_object_set_new(o, "pin", json_string(x->pin));
	admin_call_ok(x->of.call, o);
	asked_free(x);
}

static void set_pin(struct asked *x)
{
	int err = dir_pin_set(x->of.admin->prm.dir, x->of.user, text_of(x->pin), x->must_change, pin_set_h, x, NULL);
	if (err)
		failed(x, err, NULL);
}

static void pin(struct admin_call *call, const json_t *args, void *arg)
{
	struct ev_report why = { 0 };
	const char *given;
	if (admin_need_str(args, "pin", &given, &why) != 0) {
		admin_call_fail(call, &why);
		return;
	}
	struct asked *x = admin_mailbox_begin(sizeof *x, arg, call, args, false);
	if (!x)
		return;
	text_fill(x->pin, sizeof x->pin, given);
	x->must_change = admin_arg_bool(args, "must_change");
	if (strlen(given) >= sizeof x->pin)
		pin_set_h(EINVAL, DIR_PIN_TOO_LONG, NULL, x);
	else
		set_pin(x);
}

static void reset_pin(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = admin_mailbox_begin(sizeof *x, arg, call, args, false);
	if (!x)
		return;
	dir_pin_make(dir_policy(x->of.view, x->of.user), x->of.user, x->pin);
	x->made = x->must_change = true;
	set_pin(x);
}

/* ---- mailbox.letter: a PIN, and the letter that tells it. It is not set yet: first the letter must be written, then mailbox.set-pin counts. ---- */

static void letter_for(int err, const struct dir_pin_status *st, void *arg)
{
	struct asked *x = arg;
	struct buf b;
	buf_init(&b, DIR_LETTER_MAX);
	if (!err) {
		enum dir_letter kind = x->made || !st->set ? DIR_LETTER_WELCOME : DIR_LETTER_PIN_RESET;
		dir_pin_make(dir_policy(x->of.view, x->of.user), x->of.user, x->pin);
		err = dir_letter(&b, kind, x->of.view, x->of.user, x->pin);
	}
	if (err) {
		failed(x, err, NULL);
	} else {
		struct text t = buf_as_text(&b);
		admin_call_ok(x->of.call, json_pack("{s:s, s:b, s:s, s:s%}", "mailbox", x->of.user->name, "had_pin", st->set, "pin", x->pin, "letter", t.p, t.n));
		asked_free(x);
	}
	if (b.p)
		mem_wipe(b.p, b.room);
	buf_free(&b);
}

static void letter(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = admin_mailbox_begin(sizeof *x, arg, call, args, false);
	if (!x)
		return;
	x->made = admin_arg_bool(args, "welcome"); /* whatever PIN is left of somebody who had this name before */
	int err = dir_pin_status(x->of.admin->prm.dir, x->of.user->name, letter_for, x, NULL);
	if (err)
		failed(x, err, NULL);
}

const struct admin_cmd admin_mailbox_cmds[] = {
	{ "mailbox.list", list }, { "mailbox.show", show }, { "mailbox.set-pin", pin }, { "mailbox.reset-pin", reset_pin }, { "mailbox.letter", letter }, { NULL, NULL },
};

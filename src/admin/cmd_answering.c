/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_answering.c  mailbox.missed, mailbox.away, mailbox.greeting, mailbox.rules: how a mailbox answers, and what came of it. */
#include <errno.h>
#include <openssl/evp.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "base/mem.h"
#include "dialogue/rules.h"
#include "mailbox/mbox.h"

struct asked {
	struct admin_mailbox of;
	bool away;
	int64_t until_us;
	char kind[65];
};

/* ---- missed ---- */
static void missed_h(int err, const struct mbox_missed *v, size_t n, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (err) {
		admin_mailbox_failed(x, err, why);
		return;
	}
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_pack("{s:I, s:o, s:o, s:s, s:s, s:s}", "at_us", (json_int_t)v[i].at_us, "caller",
		                                       admin_json_text(text_of(v[i].caller_number)), "caller_name", admin_json_text(text_of(v[i].caller_name)),
		                                       "why", v[i].why, "reason", v[i].reason, "session", v[i].session));
	admin_call_ok(x->of.call, json_pack("{s:s, s:o}", "mailbox", x->of.user->name, "missed", array));
	admin_mailbox_end(x);
}

static void missed(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = admin_mailbox_begin(sizeof *x, arg, call, args, true);
	int err = x ? mbox_missed_list(x->of.admin->prm.mbox, x->of.user->name, missed_h, x, NULL) : 0;
	if (err)
		admin_mailbox_failed(x, err, NULL);
}

/* ---- away ---- */
static void away_h(int err, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (err) {
		admin_mailbox_failed(x, err, why);
		return;
	}
	admin_call_did(x->of.call, "%s", x->of.user->name);
	admin_call_ok(x->of.call, json_pack("{s:s, s:b, s:I}", "mailbox", x->of.user->name, "away", x->away, "until_us", (json_int_t)x->until_us));
	admin_mailbox_end(x);
}

static void standing_h(int err, const struct mbox_standing *st, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (err) {
		admin_mailbox_failed(x, err, why);
		return;
	}
	json_t *greetings = json_array();
	for (unsigned g = 0; g < MBOX_GREETINGS; g++)
		if (st->recorded >> g & 1)
			json_array_append_new(greetings, json_string(mbox_greeting_name((enum mbox_greeting)g)));
	admin_call_ok(x->of.call, json_pack("{s:s, s:b, s:I, s:o}", "mailbox", x->of.user->name, "away", st->away, "until_us",
	                                 (json_int_t)(st->away ? st->away_until_us : 0), "recorded", greetings));
	admin_mailbox_end(x);
}

static void away(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = admin_mailbox_begin(sizeof *x, arg, call, args, true);
	if (!x)
		return;
	const json_t *set = json_object_get(args, "away"), *until = json_object_get(args, "until_us");
	x->away = json_is_true(set);
	x->until_us = x->away && json_is_integer(until) && json_integer_value(until) > 0 ? json_integer_value(until) : 0;
	struct mbox *m = x->of.admin->prm.mbox;
	int err = set ? mbox_away_set(m, x->of.user->name, x->away, x->until_us, away_h, x, NULL) : mbox_standing(m, x->of.user->name, standing_h, x, NULL);
	if (err)
		admin_mailbox_failed(x, err, NULL);
}

/* ---- greeting: PCMU of 8 kHz as base64; none: it is taken away ---- */
static bool kind_is_known(const struct asked *x)
{
	for (unsigned g = 0; g < MBOX_GREETINGS; g++)
		if (strcmp(x->kind, mbox_greeting_name((enum mbox_greeting)g)) == 0)
			return true;
	return text_starts(text_of(x->kind), "rule.") && dlg_rule_named(x->of.view, x->of.user, x->kind + 5);
}

static void greeting_h(int err, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (err) {
		admin_mailbox_failed(x, err, why);
		return;
	}
	admin_call_did(x->of.call, "%s: %s", x->of.user->name, x->kind);
	admin_call_ok(x->of.call, json_pack("{s:s, s:s, s:b}", "mailbox", x->of.user->name, "kind", x->kind, "recorded", x->away));
	admin_mailbox_end(x);
}

static int set_greeting(struct asked *x, const char *base64)
{
	size_t n = strlen(base64), pad = n > 1 && base64[n - 1] == '=' ? 1 + (base64[n - 2] == '=') : 0;
	uint8_t *bytes = n % 4 ? NULL : mem_alloc(n / 4 * 3 + 1);
	int got = bytes ? EVP_DecodeBlock(bytes, (const unsigned char *)base64, (int)n) : -1;
	uint64_t most = dir_policy(x->of.view, x->of.user)->max_greeting_ms * 8;
	int err = got < (int)pad || (size_t)got == pad ? EBADMSG : (uint64_t)got > most ? EFBIG : 0;
	if (!err) {
		struct mbox_audio audio = { .p = bytes, .n = (size_t)got - pad };
		x->away = true;
		err = mbox_greeting_set(x->of.admin->prm.mbox, x->of.user->name, x->kind, MBOX_PCMU, &audio, greeting_h, x, NULL);
	}
	mem_free(bytes);
	return err;
}

static void greeting(struct admin_call *call, const json_t *args, void *arg)
{
	struct ev_report why = { 0 };
	const char *kind;
	if (admin_need_str(args, "kind", &kind, &why) != 0) {
		admin_call_fail(call, &why);
		return;
	}
	struct asked *x = admin_mailbox_begin(sizeof *x, arg, call, args, true);
	if (!x)
		return;
	text_fill(x->kind, sizeof x->kind, kind);
	if (!kind_is_known(x)) {
		admin_call_not_found(call, "greeting", kind, admin_words(ADMIN_HINT_GREETINGS));
		admin_mailbox_end(x);
		return;
	}
	const char *audio = json_string_value(json_object_get(args, "audio"));
	int err = audio ? set_greeting(x, audio) : mbox_greeting_delete(x->of.admin->prm.mbox, x->of.user->name, x->kind, greeting_h, x, NULL);
	if (err)
		admin_mailbox_failed(x, err, NULL);
}

/* ---- rules ---- */
static json_t *strings(const struct cfg_strings *s)
{
	json_t *array = json_array();
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(array, json_string(s->v[i]));
	return array;
}

static json_t *keys_json(const struct cfg_answer_rule *r)
{
	json_t *array = json_array();
	for (size_t i = 0; i < r->n_keys; i++) {
		const char key[] = { r->keys[i].key, '\0' };
		json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "key", key, "action", cfg_answer_key_name(r->keys[i].action), "target", r->keys[i].target));
	}
	return array;
}

static json_t *rule_json(const struct cfg_answer_rule *r)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:s, s:s, s:o, s:I, s:s, s:o, s:b}", "name", r->name, "callers", strings(&r->callers), "open", r->open,
	                 "closed", r->closed, "dialled", strings(&r->dialled), "reasons", strings(&r->reasons), "greeting", r->greeting, "action",
	                 cfg_answer_name(r->action), "find", strings(&r->find), "ring_s", (json_int_t)(r->ring_ms / 1000), "transfer", r->transfer, "keys",
	                 keys_json(r), "message", r->message);
}

static json_t *problems_json(struct asked *x, const struct cfg_mailbox *m)
{
	struct cfg_errors errors = { 0 };
	struct dlg_session s = { .view = x->of.view, .box = x->of.user };
	json_t *array = json_array();
	if (m)
		dlg_rule_problems(&s, m, 0, &errors);
	for (size_t i = 0; i < errors.n; i++)
		json_array_append_new(array, json_pack("{s:s, s:s, s:i}", "what", errors.v[i].what, "fix", errors.v[i].fix, "line", (int)errors.v[i].pos.line));
	cfg_errors_free(&errors);
	return array;
}

static void rules(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = admin_mailbox_begin(sizeof *x, arg, call, args, true);
	if (!x)
		return;
	const struct cfg_mailbox *m = cfg_mailbox(dir_view_cfg(x->of.view), text_of(x->of.user->name));
	json_t *array = json_array();
	for (size_t i = 0; m && i < m->n_rules; i++)
		json_array_append_new(array, rule_json(&m->rules[i]));
	admin_call_ok(call, json_pack("{s:s, s:b, s:o, s:o}", "mailbox", x->of.user->name, "allowed",
	                              dir_policy(x->of.view, x->of.user)->features.answering_rules, "rules", array, "problems", problems_json(x, m)));
	admin_mailbox_end(x);
}

const struct admin_cmd admin_answering_cmds[] = {
	{ "mailbox.missed", missed }, { "mailbox.away", away }, { "mailbox.greeting", greeting }, { "mailbox.rules", rules }, { NULL, NULL },
};

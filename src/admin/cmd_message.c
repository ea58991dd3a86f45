/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_message.c  message.*: the messages of a mailbox; their audio as base64 of the bytes as stored. */
#include <errno.h>
#include <openssl/evp.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "dialogue/play_out.h"
#include "directory/dir.h"
#include "mailbox/mbox.h"
#include "voice/stored.h"

struct asked {
	struct admin *admin;
	struct admin_call *call;
	char mailbox[65], id[ID_SIZE], caller[64];
	const char *as; /* a word of ours */
	uint32_t days;  /* that a deleted message is kept */
	bool known; /* the configuration has that mailbox */
};

static void asked_free(struct asked *x)
{
	mem_unref(x->call);
	mem_free(x);
}

static void failed(struct asked *x, int err, const struct ev_report *why)
{
	if (err == ENOENT)
		admin_call_not_found(x->call, "message", x->id, admin_words(ADMIN_HINT_MESSAGES));
	else
		admin_call_errno(x->call, err, why);
	asked_free(x);
}

static void resolve_mailbox(struct asked *x, const char *name)
{
	struct dir_view *v = x->admin->prm.dir ? dir_view(x->admin->prm.dir) : NULL;
	const struct dir_user *u = v ? dir_find(v, text_of(name)) : NULL;
	/* a mailbox that left the configuration keeps its messages: its exact name still works */
	text_fill(x->mailbox, sizeof x->mailbox, u ? u->name : name);
	x->known = u != NULL;
	x->days = u ? dir_policy(v, u)->deleted_days : cfg_policy(NULL, TEXT_NONE)->deleted_days;
	if (v)
		dir_view_unref(v);
}

static struct asked *begin(struct admin *a, struct admin_call *call, const json_t *args, bool with_id)
{
	struct ev_report why = { 0 };
	const char *name, *id = "";
	int err = admin_need_str(args, "mailbox", &name, &why);
	if (!err && with_id)
		err = admin_need_str(args, "id", &id, &why);
	if (!err && !a->prm.mbox) {
		admin_call_absent(call, "store");
		return NULL;
	}
	struct asked *x = err ? NULL : mem_zalloc(1, sizeof *x);
	if (!x) {
		admin_call_errno(call, err ? err : ENOMEM, &why);
		return NULL;
	}
	x->admin = a;
	x->call = mem_ref(call);
	text_fill(x->id, sizeof x->id, id);
	resolve_mailbox(x, name);
	return x;
}

static json_t *message_json(const struct mbox_message *m)
{
	json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:s, s:I, s:I, s:I, s:s, s:s, s:b}", "id", m->id, "mailbox", m->mailbox, "caller",
	                      admin_json_text(text_of(m->caller_number)), "caller_name", admin_json_text(text_of(m->caller_name)), "session", m->session,
	                      "received_us", (json_int_t)m->received_us, "duration_ms", (json_int_t)m->duration_ms, "bytes", (json_int_t)m->bytes, "codec",
	                      mbox_codec_name(m->codec), "state", mbox_state_name(m->state), "cut", m->cut);
	json_t *more = json_pack("{s:b, s:b, s:b, s:b, s:b, s:s, s:s, s:s, s:I, s:I, s:I}", "urgent", m->urgent, "private", m->private, "flagged",
	                         m->notes & MBOX_FLAGGED ? 1 : 0, "replied", m->notes & MBOX_REPLIED ? 1 : 0, "forwarded", m->notes & MBOX_FORWARDED ? 1 : 0,
	                         "relation", mbox_relation_name(m->relation), "related", m->related, "sender", m->sender, "deleted_us",
	                         (json_int_t)m->deleted_us, "purge_us", (json_int_t)m->purge_us, "version", (json_int_t)m->version);
	if (o && more)
		json_object_update(o, more);
	json_decref(more);
	return o;
}

static void listed_h(int err, const struct mbox_message *v, size_t n, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (err) {
		failed(x, err, why);
		return;
	}
	if (!n && !x->known) { /* it has left nothing behind either */
		admin_call_not_found(x->call, "mailbox", x->mailbox, admin_words(ADMIN_HINT_MAILBOXES));
		asked_free(x);
		return;
	}
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		if (mbox_is_from(&v[i], text_of(x->caller)))
			json_array_append_new(array, message_json(&v[i]));
	admin_call_ok(x->call, json_pack("{s:s, s:o}", "mailbox", x->mailbox, "messages", array));
	asked_free(x);
}

static int folder_of(const json_t *args, int *which, struct ev_report *why)
{
	static const struct {
		const char *name;
		int which;
	} folders[] = { { "all", -1 }, { "new", MBOX_NEW }, { "saved", MBOX_SAVED }, { "deleted", MBOX_DELETED } };
	const char *name = admin_arg_str(args, "folder");
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		if (!name || strcmp(name, folders[i].name) == 0) {
			*which = folders[i].which;
			return 0;
		}
	return admin_value_bad(why, name, "folder", "new, saved, deleted, all");
}

static void list(struct admin_call *call, const json_t *args, void *arg)
{
	struct ev_report why = { 0 };
	int which;
	if (folder_of(args, &which, &why)) {
		admin_call_fail(call, &why);
		return;
	}
	struct asked *x = begin(arg, call, args, false);
	if (!x)
		return;
	const char *caller = admin_arg_str(args, "caller");
	text_fill(x->caller, sizeof x->caller, caller ? caller : "");
	int err = mbox_list(x->admin->prm.mbox, x->mailbox, which, MBOX_NEWEST_FIRST, listed_h, x, NULL);
	if (err)
		failed(x, err, NULL);
}

/* ---- one message: it lies in one of two lists ---- */

static bool found(struct asked *x, const struct mbox_message *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].id, x->id) == 0) {
			admin_call_ok(x->call, json_pack("{s:s, s:o}", "mailbox", x->mailbox, "message", message_json(&v[i])));
			asked_free(x);
			return true;
		}
	return false;
}

static void shown_deleted_h(int err, const struct mbox_message *v, size_t n, const struct ev_report *why, void *arg)
{
	if (err || !found(arg, v, n))
		failed(arg, err ? err : ENOENT, why);
}

static void shown_h(int err, const struct mbox_message *v, size_t n, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (!err && found(x, v, n))
		return;
	if (!err)
		err = mbox_list(x->admin->prm.mbox, x->mailbox, MBOX_DELETED, MBOX_NEWEST_FIRST, shown_deleted_h, x, NULL);
	if (err)
		failed(x, err, why);
}

static void show(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = begin(arg, call, args, true);
	if (!x)
		return;
	int err = mbox_list(x->admin->prm.mbox, x->mailbox, -1, MBOX_NEWEST_FIRST, shown_h, x, NULL);
	if (err)
		failed(x, err, NULL);
}

/* ---- changes ---- */

static void done_h(int err, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (err) {
		failed(x, err, why);
		return;
	}
	admin_call_did(x->call, "message %s of %s", x->id, x->mailbox);
	json_t *o = json_pack("{s:s, s:s}", x->as ? "marked" : "undeleted", x->id, "mailbox", x->mailbox);
	if (x->as)
		json_object_set_new(o, "as", json_string(x->as));
	admin_call_ok(x->call, o);
	asked_free(x);
}

static void deleted_h(int err, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (err) {
		failed(x, err, why);
		return;
	}
	admin_call_did(x->call, "message %s of %s", x->id, x->mailbox);
	admin_call_ok(x->call, json_pack("{s:s, s:s, s:i}", "deleted", x->id, "mailbox", x->mailbox, "days", (int)x->days));
	asked_free(x);
}

static void delete(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = begin(arg, call, args, true);
	if (!x)
		return;
	if (admin_arg_bool(args, "for_good"))
		x->days = 0;
	int err = mbox_delete(x->admin->prm.mbox, x->mailbox, x->id, (uint64_t)x->days * 86400000, deleted_h, x, NULL);
	if (err)
		failed(x, err, NULL);
}

static void undelete(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = begin(arg, call, args, true);
	if (!x)
		return;
	int err = mbox_undelete(x->admin->prm.mbox, x->mailbox, x->id, done_h, x, NULL);
	if (err)
		failed(x, err, NULL);
}

static const char *const marks[] = { "new", "saved", "flagged", "unflagged" };

static int mark_now(struct asked *x)
{
	struct mbox *m = x->admin->prm.mbox;
	if (x->as == marks[0] || x->as == marks[1])
		return mbox_mark(m, x->mailbox, x->id, x->as == marks[0] ? MBOX_NEW : MBOX_SAVED, done_h, x, NULL);
	bool on = x->as == marks[2];
	return mbox_note(m, x->mailbox, x->id, on ? MBOX_FLAGGED : 0, on ? 0 : MBOX_FLAGGED, done_h, x, NULL);
}

static void mark(struct admin_call *call, const json_t *args, void *arg)
{
	struct ev_report why = { 0 };
	const char *as = NULL, *word = NULL;
	int err = admin_need_str(args, "as", &as, &why);
	for (size_t i = 0; !err && i < sizeof marks / sizeof marks[0]; i++)
		if (strcmp(as, marks[i]) == 0)
			word = marks[i];
	if (!err && !word)
		err = admin_value_bad(&why, as, "mark", "new, saved, flagged, unflagged");
	if (err) {
		admin_call_fail(call, &why);
		return;
	}
	struct asked *x = begin(arg, call, args, true);
	if (!x)
		return;
	x->as = word;
	err = mark_now(x);
	if (err)
		failed(x, err, NULL);
}

static void audio_h(int err, enum mbox_codec codec, const uint8_t *p, size_t n, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	unsigned char *text = err ? NULL : mem_alloc(n / 3 * 4 + 8);
	if (err || !text) {
		failed(x, err ? err : ENOMEM, why);
		return;
	}
	EVP_EncodeBlock(text, p, (int)n);
	admin_call_did(x->call, "audio of message %s of %s was read", x->id, x->mailbox);
	admin_call_ok(x->call, json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", x->id, "mailbox", x->mailbox, "codec", mbox_codec_name(codec), "type", stored_mime((enum stored_form)codec),
		"audio", (char *)text));
	mem_free(text);
	asked_free(x);
}

static void export(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = begin(arg, call, args, true);
	if (!x)
		return;
	int err = mbox_get_audio(x->admin->prm.mbox, x->mailbox, x->id, audio_h, x, NULL);
	if (err)
		failed(x, err, NULL);
}

/* ---- on a phone that is called for it ---- */

static int greeting_of(const json_t *args, struct dlg_play_out_prm *prm, struct ev_report *why)
{
	const char *name = admin_arg_str(args, "greeting");
	if (name && text_starts(text_of(name), "rule.")) {
		prm->rule = name + 5;
		return 0;
	}
	for (unsigned i = 0; name && i < MBOX_GREETINGS; i++)
		if (strcmp(name, mbox_greeting_name((enum mbox_greeting)i)) == 0) {
			prm->greeting = (enum mbox_greeting)i;
			return 0;
		}
	prm->greeting = MBOX_G_PERSONAL;
	return name ? admin_value_bad(why, name, "greeting", "personal, away, busy, closed, name, rule.RULE") : 0;
}

static void call_out(struct admin *a, struct admin_call *call, const json_t *args, bool record)
{
	struct ev_report why = { 0 };
	struct dlg_play_out_prm prm = { 0 };
	char session[EV_SESSION_SIZE];
	int err = admin_need_str(args, "mailbox", &prm.mailbox, &why);
	if (!err)
		err = admin_need_str(args, "to", &prm.to, &why);
	if (!err)
		err = record ? greeting_of(args, &prm, &why) : admin_need_str(args, "id", &prm.message, &why);
	if (err) {
		admin_call_fail(call, &why);
		return;
	}
	if (!a->prm.calls) {
		admin_call_absent(call, "calls");
		return;
	}
	err = dlg_service_play_out(a->prm.calls, &prm, session, &why);
	if (err == ENOENT && !why.id) {
		admin_call_not_found(call, "mailbox", prm.mailbox, admin_words(ADMIN_HINT_MAILBOXES));
	} else if (err) {
		admin_call_errno(call, err, &why);
	} else {
		admin_call_did(call, "%s for %s", prm.to, prm.mailbox);
		admin_call_ok(call, json_pack("{s:s, s:s, s:s}", "call", session, "mailbox", prm.mailbox, "to", prm.to));
	}
}

static void play(struct admin_call *call, const json_t *args, void *arg)
{
	call_out(arg, call, args, false);
}

static void record_greeting(struct admin_call *call, const json_t *args, void *arg)
{
	call_out(arg, call, args, true);
}

const struct admin_cmd admin_message_cmds[] = {
	{ "message.list", list }, { "message.show", show }, { "message.mark", mark }, { "message.delete", delete }, { "message.undelete", undelete },
	{ "message.export", export }, { "message.play", play }, { "mailbox.record-greeting", record_greeting }, { NULL, NULL },
};

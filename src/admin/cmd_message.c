/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_message.c  message.*: the messages of a mailbox; their audio as base64 of the bytes as stored. */
#include <errno.h>
#include <openssl/evp.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "directory/dir.h"
#include "mailbox/mbox.h"

struct asked {
	struct admin *admin;
	struct admin_call *call;
	char mailbox[65], id[ID_SIZE];
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

static int resolve_mailbox(struct asked *x, const char *name)
{
	struct dir_view *v = x->admin->prm.dir ? dir_view(x->admin->prm.dir) : NULL;
	const struct dir_user *u = v ? dir_find(v, text_of(name)) : NULL;
	/* a mailbox that left the configuration keeps its messages: its exact name still works */
	text_fill(x->mailbox, sizeof x->mailbox, u ? u->name : name);
	if (v)
		dir_view_unref(v);
	return 0;
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
	return json_pack("{s:s, s:s, s:o, s:o, s:s, s:I, s:I, s:I, s:s, s:s, s:b}", "id", m->id, "mailbox", m->mailbox, "caller",
	                 admin_json_text(text_of(m->caller_number)), "caller_name", admin_json_text(text_of(m->caller_name)), "session", m->session,
	                 "received_us", (json_int_t)m->received_us, "duration_ms", (json_int_t)m->duration_ms, "bytes", (json_int_t)m->bytes, "codec",
	                 mbox_codec_name(m->codec), "state", mbox_state_name(m->state), "cut", m->cut);
}

static void listed_h(int err, const struct mbox_message *v, size_t n, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (err) {
		failed(x, err, why);
		return;
	}
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, message_json(&v[i]));
	admin_call_ok(x->call, json_pack("{s:s, s:o}", "mailbox", x->mailbox, "messages", array));
	asked_free(x);
}

static void list(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = begin(arg, call, args, false);
	if (!x)
		return;
	int err = mbox_list(x->admin->prm.mbox, x->mailbox, -1, MBOX_NEWEST_FIRST, listed_h, x, NULL);
	if (err)
		failed(x, err, NULL);
}

static void deleted_h(int err, const struct ev_report *why, void *arg)
{
	struct asked *x = arg;
	if (err) {
		failed(x, err, why);
		return;
	}
	admin_call_did(x->call, "message %s of %s", x->id, x->mailbox);
	admin_call_ok(x->call, json_pack("{s:s, s:s}", "deleted", x->id, "mailbox", x->mailbox));
	asked_free(x);
}

static void delete(struct admin_call *call, const json_t *args, void *arg)
{
	struct asked *x = begin(arg, call, args, true);
	if (!x)
		return;
	int err = mbox_mark(x->admin->prm.mbox, x->mailbox, x->id, MBOX_DELETED, deleted_h, x, NULL);
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
	admin_call_ok(x->call, json_pack("{s:s, s:s, s:s, s:s}", "id", x->id, "mailbox", x->mailbox, "codec", mbox_codec_name(codec), "audio", (char *)text));
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

const struct admin_cmd admin_message_cmds[] = {
	{ "message.list", list }, { "message.delete", delete }, { "message.export", export }, { NULL, NULL },
};

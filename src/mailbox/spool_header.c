/* SPDX-License-Identifier: Apache-2.0 */
/* spool_header.c  The first line of a spool file. It outlives releases, so it carries its version. */
#include <errno.h>
#include <jansson.h>
#include "base/mem.h"
#include "mailbox/spool.h"

enum { VERSION = 1 };

static int text_field(const json_t *o, const char *name, char *dst, size_t size)
{
	const json_t *v = json_object_get(o, name);
	return json_is_string(v) ? text_copy(text_make(json_string_value(v), json_string_length(v)), dst, size) : EBADMSG;
}

/* For people only: too long is no reason to refuse an accepted message. */
static int caller_field(const json_t *o, const char *name, char *dst, size_t size)
{
	const json_t *v = json_object_get(o, name);
	if (!json_is_string(v))
		return EBADMSG;
	text_fill(dst, size, json_string_value(v));
	return 0;
}

static int int_field(const json_t *o, const char *name, int64_t max, int64_t *dst)
{
	const json_t *v = json_object_get(o, name);
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max)
		return EBADMSG;
	*dst = json_integer_value(v);
	return 0;
}

/* Headers of earlier releases have no such field. */
static int flag_field(const json_t *o, const char *name, bool *dst)
{
	int64_t v = 0;
	int err = json_object_get(o, name) ? int_field(o, name, 1, &v) : 0;
	*dst = v != 0;
	return err;
}

static int later_fields(const json_t *o, struct mbox_message *m)
{
	int64_t relation = 0, form = 0;
	if (flag_field(o, "urgent", &m->urgent) || flag_field(o, "private", &m->private) ||
	    (json_object_get(o, "relation") && int_field(o, "relation", MBOX_FORWARD, &relation)) ||
	    (json_object_get(o, "form") && int_field(o, "form", MBOX_CODECS - 1, &form)) ||
	    (json_object_get(o, "related") && text_field(o, "related", m->related, sizeof m->related)) ||
	    (json_object_get(o, "through") && text_field(o, "through", m->through, sizeof m->through)) ||
	    (json_object_get(o, "sender") && text_field(o, "sender", m->sender, sizeof m->sender)))
		return EBADMSG;
	m->relation = (enum mbox_relation)relation;
	m->form = (enum mbox_codec)form;
	return 0;
}

static int read_fields(const json_t *o, struct mbox_message *m, uint64_t *audio_bytes)
{
	int64_t version, received, duration, bytes, codec, cut;
	if (int_field(o, "spool", VERSION, &version) || version != VERSION || text_field(o, "id", m->id, sizeof m->id) ||
	    text_field(o, "mailbox", m->mailbox, sizeof m->mailbox) || caller_field(o, "number", m->caller_number, sizeof m->caller_number) ||
	    caller_field(o, "name", m->caller_name, sizeof m->caller_name) || caller_field(o, "session", m->session, sizeof m->session) ||
	    int_field(o, "received_us", INT64_MAX, &received) || int_field(o, "duration_ms", UINT32_MAX, &duration) ||
	    int_field(o, "bytes", 64 << 20, &bytes) || int_field(o, "codec", MBOX_CODECS - 1, &codec) || int_field(o, "cut", 1, &cut))
		return EBADMSG;
	if (!id_valid(text_of(m->id)) || later_fields(o, m))
		return EBADMSG;
	m->received_us = received;
	m->duration_ms = (uint32_t)duration;
	m->bytes = (uint32_t)bytes;
	m->codec = (enum mbox_codec)codec;
	m->cut = cut != 0;
	m->state = MBOX_NEW;
	*audio_bytes = (uint64_t)bytes;
	return 0;
}

int spool_header_parse(struct text line, struct mbox_message *msg, uint64_t *audio_bytes)
{
	struct mbox_message m = { 0 };
	json_t *o = json_loadb(line.p ? line.p : "", line.n, JSON_REJECT_DUPLICATES, NULL);
	int err = json_is_object(o) ? read_fields(o, &m, audio_bytes) : EBADMSG;
	json_decref(o);
	if (!err)
		*msg = m;
	return err;
}

/* Wire text need not be UTF-8, JSON must be: what is not is kept as \xNN, and cut so that it still fits its field of `size` bytes. */
static json_t *word(const char *s, size_t size)
{
	char clean[128];
	json_t *v = json_string(s);
	return v ? v : json_string(text_escape(text_of(s), clean, size < sizeof clean ? size : sizeof clean));
}

int spool_header_write(const struct mbox_message *m, uint64_t audio_bytes, struct buf *out)
{
	json_t *o = json_pack("{si ss so so so so sI sI sI si si si si si si ss ss ss}", "spool", VERSION, "id", m->id, "mailbox", word(m->mailbox, sizeof m->mailbox), "number",
		word(m->caller_number, sizeof m->caller_number), "name", word(m->caller_name, sizeof m->caller_name), "session",
		word(m->session, sizeof m->session), "received_us", (json_int_t)m->received_us, "duration_ms", (json_int_t)m->duration_ms, "bytes",
		(json_int_t)audio_bytes, "codec", (int)m->codec, "form", (int)m->form, "cut", (int)m->cut, "urgent", (int)m->urgent, "private", (int)m->private, "relation", (int)m->relation, "related",
		m->related, "sender", m->sender, "through", m->through);
	char *line = o ? json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(o);
	if (!line)
		return ENOMEM;
	buf_str(out, line);
	buf_char(out, '\n');
	free(line);
	return buf_error(out);
}

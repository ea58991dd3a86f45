/* SPDX-License-Identifier: Apache-2.0 */
/* mbox_form.c  Messages brought into the form that their mailbox's policy wants, after the call.
 *
 *   the transaction that saves a message --row "form"--> outbox --> read --> encoded in the file pool --> one transaction: form and audio
 *
 * Until that transaction is durable the message is what was recorded, and whoever hears it meanwhile hears that; a node that dies in between leaves the row
 * to another one. A message that was deleted meanwhile is left alone.                                                       */
#include <assert.h>
#include <errno.h>
#include "base/mem.h"
#include "jobs/outbox.h"
#include "mailbox/mbox_private.h"
#include "media/codec.h"
#include "voice/stored.h"

static_assert((int)MBOX_CODECS == (int)STORED_FORMS && (int)MBOX_MP3 == (int)STORED_MP3 && (int)MBOX_L16_WIDE == (int)STORED_L16_WIDE, "one list");

struct change {
	struct mbox *m; /* a reference */
	uint64_t row;
	char id[ID_SIZE];
	enum mbox_codec from, to;
	struct buf was, now;
};

int mbox_form_wish(struct db_tx *tx, const struct mbox_message *m, struct ev_report *why)
{
	if (m->form == MBOX_PCMU || m->form == m->codec || (m->form == MBOX_L16 && m->codec == MBOX_L16_WIDE))
		return 0;
	return outbox_put(tx, "form", m->id, mbox_codec_name(m->form), why);
}

int mbox_form_linear(enum mbox_codec *codec, struct buf *audio)
{
	int16_t *pcm;
	size_t n;
	unsigned rate;
	if (*codec <= MBOX_PCMA)
		return 0;
	int err = stored_read((enum stored_form)*codec, audio->p, audio->n, &pcm, &n, &rate);
	if (err)
		return err;
	buf_clear(audio);
	err = buf_put(audio, pcm, n * sizeof *pcm);
	mem_free(pcm);
	*codec = rate == MEDIA_RATE ? MBOX_L16 : MBOX_L16_WIDE;
	return err;
}

static void end(struct change *c, enum outbox_verdict verdict, const char *error)
{
	if (!c->m->closed)
		outbox_finish(c->m->prm.outbox, c->row, verdict, error);
	buf_free(&c->was);
	buf_free(&c->now);
	mem_unref(c->m);
	mem_free(c);
}

static enum outbox_verdict verdict_of(int err)
{
	return err == EBADMSG || err == ENOTSUP || err == EINVAL || err == EMSGSIZE ? OUTBOX_NEVER : OUTBOX_LATER;
}

/* ---- written back ---- */
static int write_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct change *c = arg;
	int err = db_exec(tx, why, "UPDATE message SET codec = ?1, bytes = ?2, version = version + 1 WHERE id = ?3 AND codec = ?4 AND bytes = ?5 AND (state < 2 OR purge_us > 0)", "iisii",
		(int64_t)c->to, (int64_t)c->now.n, c->id, (int64_t)c->from, (int64_t)c->was.n); /* it may have become more meanwhile, with a wish of its own */
	return err || !db_changes(tx) ? err : db_blob_put(tx, c->id, c->now.p, c->now.n, why);
}

static void written(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct change *c = arg;
	(void)why;
	end(c, result == STORE_DONE ? OUTBOX_DONE : OUTBOX_LATER, result == STORE_DONE ? NULL : strerror(err));
}

/* ---- encoded ---- */
static int encode_work(void *arg)
{
	struct change *c = arg;
	int16_t *pcm;
	size_t n;
	unsigned rate;
	int err = stored_read((enum stored_form)c->from, c->was.p, c->was.n, &pcm, &n, &rate);
	if (err)
		return err;
	enum stored_form to = c->to == MBOX_L16 && rate == MEDIA_RATE_WIDE ? STORED_L16_WIDE : (enum stored_form)c->to;
	err = stored_make(to, pcm, n, rate, &c->now);
	c->to = (enum mbox_codec)to;
	mem_free(pcm);
	return err;
}

static void encoded(enum pool_result result, int err, void *arg)
{
	struct change *c = arg;
	if (result != POOL_DONE || c->m->closed)
		end(c, err ? verdict_of(err) : OUTBOX_LATER, err ? strerror(err) : NULL);
	else if (c->to == c->from)
		end(c, OUTBOX_DONE, NULL);
	else if (store_submit(c->m->prm.store, STORE_WRITE, write_work, written, c))
		end(c, OUTBOX_LATER, strerror(EAGAIN));
}

/* ---- read ---- */
static int read_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct change *c = arg;
	struct db_rows *r;
	buf_clear(&c->was);
	int err = db_query_one(tx, &r, why, "SELECT codec FROM message WHERE id = ?1 AND (state < 2 OR purge_us > 0)", "s", c->id);
	if (err)
		return err;
	c->from = (enum mbox_codec)db_col_int(r, 0);
	db_rows_close(r);
	return db_blob_get(tx, c->id, &c->was, why);
}

static void was_read(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct change *c = arg;
	(void)why;
	if (result == STORE_FAILED && err == ENOENT)
		end(c, OUTBOX_DONE, NULL); /* deleted meanwhile */
	else if (result != STORE_DONE || c->m->closed || pool_submit(c->m->prm.files, encode_work, encoded, c))
		end(c, OUTBOX_LATER, strerror(err ? err : EAGAIN));
}

static enum mbox_codec codec_of(const char *name)
{
	for (enum mbox_codec k = 0; k < MBOX_CODECS; k++)
		if (strcmp(name, mbox_codec_name(k)) == 0)
			return k;
	return MBOX_CODECS;
}

static void on_row(const struct outbox_item *item, void *arg)
{
	struct mbox *m = arg;
	enum mbox_codec to = codec_of(item->body);
	struct change *c = to < MBOX_CODECS ? mem_zalloc(1, sizeof *c) : NULL;
	if (!c) {
		outbox_finish(m->prm.outbox, item->handle, to < MBOX_CODECS ? OUTBOX_LATER : OUTBOX_NEVER, strerror(to < MBOX_CODECS ? ENOMEM : EINVAL));
		return;
	}
	c->m = mem_ref(m);
	c->row = item->handle;
	c->to = to;
	text_fill(c->id, sizeof c->id, item->key);
	buf_init(&c->was, MBOX_AUDIO_MAX);
	buf_init(&c->now, MBOX_AUDIO_MAX);
	if (store_submit(m->prm.store, STORE_READ, read_work, was_read, c))
		end(c, OUTBOX_LATER, strerror(EAGAIN));
}

int mbox_form_begin(struct mbox *m)
{
	return m->prm.outbox ? outbox_on(m->prm.outbox, "form", on_row, m) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* mbox_draft.c  Recordings under way, copied into the shared store, and made messages by whoever finds them orphaned.
 *
 *   block in the file -> put (store) ... saved: gone with the message's own transaction;  thrown away: drop (store)
 *   every tick: prolong the leases of ours; look for those of others that ran out -> rescue, one transaction a message
 *
 * What cannot be written now is tried at the next tick. All work is harmless when done again.                            */
#include <errno.h>
#include "base/mem.h"
#include "mailbox/draft.h"
#include "mailbox/mbox_private.h"
#include "mailbox_events.h"

/* At once in the store's queue: a message that is to be saved waits behind so many blocks at most. */
enum { PUTS_AT_ONCE = 8 };
enum { LOOK_MAX = 8, OWNER = 96, LEAST_MS = 1000, BLOB_ID = ID_SIZE + 16 };

struct draft {
	struct link link;
	struct mbox_draft d;
	bool busy, again, dropped, saved, due; /* due: its blocks go once a tick, its end at once */
};

/* What a store thread works on: a copy. */
struct draft_job {
	struct mbox *m; /* a reference */
	struct mbox_draft d;
	bool drop;
};

static void blob_of(const char *id, char blob[BLOB_ID])
{
	text_print(blob, BLOB_ID, "recording/%s", id);
}

static int64_t lease_us(const struct mbox *m)
{
	return (int64_t)m->prm.draft_ms * 1000 * DRAFT_LEASE;
}

/* ---- store threads: ours ---- */

/* What its caller ended: a block that comes after it would begin a row that nobody ends. */
static bool saved_already(struct db_tx *tx, const char *id, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT id FROM message WHERE id = ?1 AND cut = 0", "s", id);
	if (!err)
		db_rows_close(r);
	return !err;
}

/* The row is ours and locked, *have how much of the audio it has; made where there is none (somebody took us for dead, or it is new). */
static int claim(struct db_tx *tx, const struct draft_job *j, int64_t *have, struct ev_report *why)
{
	const struct mbox_message *g = &j->d.msg;
	char blob[BLOB_ID];
	struct db_rows *r;
	int64_t now;
	int err = db_now(tx, &now, why);
	if (!err)
		err = db_exec(tx, why, "UPDATE recording SET lease_until_us = ?1 WHERE id = ?2 AND owner = ?3", "iss", now + lease_us(j->m), j->d.id, j->m->owner);
	if (!err && db_changes(tx)) {
		err = db_query_one(tx, &r, why, "SELECT bytes FROM recording WHERE id = ?1", "s", j->d.id);
		if (!err) {
			*have = db_col_int(r, 0);
			db_rows_close(r);
		}
		return err;
	}
	if (!err && saved_already(tx, j->d.id, why))
		return ECANCELED;
	if (!err)
		err = db_exec(tx, why, "INSERT INTO recording (id, message, owner, lease_until_us, mailbox, caller_number, caller_name, session, started_us, codec,"
			" bytes, complete) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0) ON CONFLICT (id) DO NOTHING", "sssissssii", j->d.id, g->id,
			j->m->owner, now + lease_us(j->m), g->mailbox, g->caller_number, g->caller_name, g->session, g->received_us, (int64_t)g->codec);
	*have = 0;
	if (!err && !db_changes(tx))
		return EBUSY; /* of another life of this node: it is being taken over */
	blob_of(j->d.id, blob);
	return err ? err : db_blob_delete(tx, blob, why);
}

static int put_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct draft_job *j = arg;
	char blob[BLOB_ID];
	struct buf b;
	int64_t have = 0;
	int err = claim(tx, j, &have, why);
	if (err)
		return err == ECANCELED ? 0 : err;
	buf_init(&b, MBOX_AUDIO_MAX);
	if (!j->d.complete || (int64_t)j->d.bytes > have)
		err = spool_read_file(j->d.path, j->d.offset + (uint64_t)have, j->d.complete ? j->d.bytes - (size_t)have : 0, &b);
	if (err == ENOENT || err == ENODATA)
		err = 0; /* saved or thrown away meanwhile, and told so next */
	blob_of(j->d.id, blob);
	if (!err && b.n)
		err = db_blob_append(tx, blob, b.p, b.n, why);
	have += (int64_t)b.n;
	buf_free(&b);
	if (j->d.complete && have > (int64_t)j->d.bytes)
		have = (int64_t)j->d.bytes; /* its end was cut off */
	bool complete = j->d.complete && have == (int64_t)j->d.bytes; /* not where the file was gone before it was read */
	return err ? err : db_exec(tx, why, "UPDATE recording SET bytes = ?1, complete = ?2 WHERE id = ?3", "iis", have, (int64_t)complete, j->d.id);
}

static int drop_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct draft_job *j = arg;
	char blob[BLOB_ID];
	blob_of(j->d.id, blob);
	int err = db_exec(tx, why, "DELETE FROM recording WHERE id = ?1 AND owner = ?2", "ss", j->d.id, j->m->owner);
	return err || !db_changes(tx) ? err : db_blob_delete(tx, blob, why);
}

static int job_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	return ((struct draft_job *)arg)->drop ? drop_work(tx, arg, why) : put_work(tx, arg, why);
}

static int renew_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct mbox *m = arg;
	int64_t now;
	int err = db_now(tx, &now, why);
	return err ? err : db_exec(tx, why, "UPDATE recording SET lease_until_us = ?1 WHERE owner = ?2", "is", now + lease_us(m), m->owner);
}

/* ---- store threads: with the message ---- */

int mbox_drafts_settle(struct db_tx *tx, const char *message, const char *through, struct ev_report *why)
{
#define SETTLED "(id = ?1 OR (message = ?1 AND id <= ?2))"
	/* Locked first: a block that is being written on another connection comes before, or finds the message. */
	int err = db_exec(tx, why, "UPDATE recording SET lease_until_us = lease_until_us WHERE " SETTLED, "ss", message, through);
	if (err || !db_changes(tx))
		return err;
	/* Later parts are in the message now; should their files be found after a crash, their ids are known and nothing comes of them. */
	err = db_exec(tx, why, "INSERT INTO message (id, mailbox, state, caller_number, caller_name, session, node, received_us, duration_ms, bytes, codec, cut,"
		" changed_us) SELECT id, mailbox, 2, caller_number, caller_name, session, '', started_us, 0, 0, codec, 0, ?3 FROM recording WHERE " SETTLED
		" AND id <> ?1 ON CONFLICT (id) DO NOTHING", "ssi", message, through, clock_real_us(db_clock(tx)));
	if (!err)
		err = db_exec(tx, why, "DELETE FROM blob_chunk WHERE id IN (SELECT 'recording/' || id FROM recording WHERE " SETTLED ")", "ss", message, through);
	return err ? err : db_exec(tx, why, "DELETE FROM recording WHERE " SETTLED, "ss", message, through);
}

/* ---- store threads: those of the dead ---- */

struct look {
	struct mbox *m; /* a reference */
	char after[ID_SIZE], id[LOOK_MAX][ID_SIZE];
	unsigned n;
};

static int look_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct look *l = arg;
	struct db_rows *r;
	int64_t now;
	l->n = 0;
	int err = db_now(tx, &now, why);
	if (!err)
		err = db_query(tx, &r, why, "SELECT id FROM recording WHERE lease_until_us <= ?1 AND id > ?2 ORDER BY id LIMIT ?3", "isi", now, l->after, (int64_t)LOOK_MAX);
	if (err)
		return err;
	while (l->n < LOOK_MAX && (err = db_step(r, why)) == 0)
		db_col_copy(r, 0, l->id[l->n++], ID_SIZE);
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

struct rescue {
	struct mbox *m; /* a reference */
	struct mbox_message msg;
	char owner[OWNER];
	int64_t bytes;
	bool news;
	struct ev_report damage; /* of its audio; id 0: none */
};

/* Each part becomes a message of its own, as its file does: whether the caller would have sent them together is not known, and what
 * comes later, from a node that only stood still or starts again, finds its place by the part's id. */
static int read_row(struct db_tx *tx, struct rescue *x, struct ev_report *why)
{
	struct mbox_message *g = &x->msg;
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT owner, bytes, mailbox, caller_number, caller_name, session, started_us, codec FROM recording WHERE id = ?1",
		"s", g->id);
	if (err)
		return err;
	db_col_copy(r, 0, x->owner, sizeof x->owner);
	x->bytes = db_col_int(r, 1);
	db_col_copy(r, 2, g->mailbox, sizeof g->mailbox);
	db_col_copy(r, 3, g->caller_number, sizeof g->caller_number);
	db_col_copy(r, 4, g->caller_name, sizeof g->caller_name);
	db_col_copy(r, 5, g->session, sizeof g->session);
	g->received_us = db_col_int(r, 6);
	g->codec = (enum mbox_codec)db_col_int(r, 7);
	g->cut = true; /* even if he had stopped: he might have gone on */
	db_rows_close(r);
	return 0;
}

/* Up to where it is damaged: the rest will not be better at the next try. */
static int read_audio(struct db_tx *tx, struct rescue *x, struct buf *all, struct ev_report *why)
{
	char blob[BLOB_ID];
	blob_of(x->msg.id, blob);
	int err = db_blob_get(tx, blob, all, why);
	ev_set(&x->damage, 0);
	if (err == EBADMSG)
		ev_copy(&x->damage, why);
	return err == ENOENT || err == EBADMSG ? 0 : err;
}

/* What a recording under way is made of. */
static size_t bytes_a_ms(enum mbox_codec codec)
{
	return codec == MBOX_L16_WIDE ? 32 : codec == MBOX_L16 ? 16 : 8;
}

/* Ours now, if its owner still is silent and no other node was quicker: then *mine. */
static int take_over(struct db_tx *tx, const struct rescue *x, bool *mine, struct ev_report *why)
{
	int64_t now;
	int err = db_now(tx, &now, why);
	if (!err)
		err = db_exec(tx, why, "UPDATE recording SET owner = ?1, lease_until_us = ?2 WHERE id = ?3 AND owner = ?4 AND lease_until_us <= ?5", "sissi",
			x->m->owner, now + lease_us(x->m), x->msg.id, x->owner, now);
	*mine = !err && db_changes(tx) > 0;
	return err;
}

static int rescue_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct rescue *x = arg;
	struct buf all;
	bool mine = false;
	x->news = false;
	int err = read_row(tx, x, why);
	if (!err)
		err = take_over(tx, x, &mine, why);
	if (err || !mine)
		return err == ENOENT ? 0 : err;
	buf_init(&all, MBOX_AUDIO_MAX);
	err = read_audio(tx, x, &all, why);
	size_t a_ms = bytes_a_ms(x->msg.codec), n = all.n < (uint64_t)x->bytes ? all.n : (size_t)x->bytes;
	n -= n % a_ms; /* a block may end within a sample */
	x->msg.duration_ms = (uint32_t)(n / a_ms);
	if (!err)
		err = x->msg.duration_ms < LEAST_MS ? mbox_drafts_settle(tx, x->msg.id, "", why) : mbox_save_news_work(tx, &x->msg, all.p, n, &x->news, why);
	buf_free(&all);
	return err;
}

/* ---- loop ---- */

static struct draft *find(struct mbox *m, const char *id)
{
	LIST_FOREACH (&m->drafts, it)
		if (strcmp(LIST_ENTRY(it, struct draft, link)->d.id, id) == 0)
			return LIST_ENTRY(it, struct draft, link);
	return NULL;
}

static void forget(struct draft *d)
{
	list_remove(&d->link);
	mem_free(d);
}

static void kick(struct mbox *m, struct draft *d);

/* What waited until there was room. */
static void kick_waiting(struct mbox *m)
{
	LIST_FOREACH (&m->drafts, it) {
		struct draft *d = LIST_ENTRY(it, struct draft, link);
		if (m->puts < PUTS_AT_ONCE && !d->busy && (d->again || d->dropped))
			kick(m, d);
	}
}

static void job_done(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct draft_job *j = arg;
	struct mbox *m = j->m;
	struct draft *d = find(m, j->d.id);
	(void)err, (void)why; /* the store tells its own troubles */
	m->puts--;
	if (d && !m->closed) {
		d->busy = false;
		if ((d->saved && !d->dropped) || (j->drop && result == STORE_DONE))
			forget(d);
		else if (result != STORE_DONE)
			d->again = true; /* at the next tick */
	}
	if (result == STORE_DONE && !m->closed)
		kick_waiting(m);
	mem_free(j);
	mem_unref(m);
}

static void kick(struct mbox *m, struct draft *d)
{
	struct draft_job *j = d->busy || !d->due || m->puts >= PUTS_AT_ONCE ? NULL : mem_alloc(sizeof *j);
	d->again = true;
	if (!j)
		return;
	j->m = mem_ref(m);
	j->d = d->d;
	j->drop = d->dropped;
	d->busy = store_submit(m->prm.store, STORE_WRITE, job_work, job_done, j) == 0;
	d->again = !d->busy;
	d->due = false;
	if (!d->busy) {
		mem_free(j);
		mem_unref(m);
		return;
	}
	m->puts++;
	list_remove(&d->link); /* behind all others: everyone has his turn */
	list_append(&m->drafts, &d->link);
}

void mbox_draft_put(struct mbox *m, const struct mbox_draft *from)
{
	if (!m->prm.shared || m->closed || !id_valid(text_of(from->id)) || !id_valid(text_of(from->msg.id)))
		return;
	struct draft *d = find(m, from->id);
	if (!d) {
		d = mem_zalloc(1, sizeof *d);
		if (!d)
			return; /* the local file alone counts */
		d->due = true;
		list_append(&m->drafts, &d->link);
	}
	d->d = *from;
	d->due = d->due || from->complete;
	for (char *p = d->d.msg.mailbox; *p; p++)
		*p = text_lower(*p);
	kick(m, d);
}

void mbox_draft_drop(struct mbox *m, const char *id)
{
	struct draft *d = find(m, id);
	if (!d || m->closed || d->saved)
		return;
	d->dropped = d->due = true;
	kick(m, d);
}

void mbox_drafts_saved(struct mbox *m, const struct mbox_message *msg, bool stored)
{
	LIST_FOREACH (&m->drafts, it) {
		struct draft *d = LIST_ENTRY(it, struct draft, link);
		if (strcmp(d->d.id, msg->id) != 0 && (strcmp(d->d.msg.id, msg->id) != 0 || strcmp(d->d.id, msg->through) > 0))
			continue; /* another's, or a part that did not come into it */
		d->saved = true;
		d->dropped = d->due = stored; /* what is being written may come after the message, and stay */
		if (!d->busy)
			forget(d);
	}
}

static void tell(struct mbox *m, const struct rescue *x)
{
	struct ev_report *r = m->prm.bus ? mem_zalloc(1, sizeof *r) : NULL;
	struct text node, life;
	if (!r)
		return;
	text_cut(text_of(x->owner), '/', &node, &life);
	ev_set(r, EV_MBOX_RESCUED);
	ev_session(r, x->msg.session);
	ev_str(r, "id", x->msg.id);
	ev_str(r, "mailbox", x->msg.mailbox);
	ev_int(r, "seconds", (x->msg.duration_ms + 999) / 1000);
	ev_str(r, "caller", x->msg.caller_number[0] ? x->msg.caller_number : "an unknown number");
	ev_text(r, "node", node);
	ev_emit(m->prm.bus, r);
	mem_free(r);
}

/* Once a minute: it is tried again at each tick, by each node. */
static void tell_failure(struct mbox *m, const struct ev_report *why)
{
	int64_t now = clock_mono_ms(m->prm.clock);
	struct ev_report *r = m->rescue_said_ms && now - m->rescue_said_ms < 60000 ? NULL : mem_alloc(sizeof *r);
	if (!r)
		return;
	m->rescue_said_ms = now;
	ev_copy(r, why);
	ev_emit(m->prm.bus, r);
	mem_free(r);
}

static void rescued(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct rescue *x = arg;
	struct mbox *m = x->m;
	(void)err;
	if (result == STORE_DONE && x->damage.id)
		ev_emit(m->prm.bus, &x->damage);
	else if (result == STORE_FAILED && why && why->id)
		tell_failure(m, why);
	if (result == STORE_DONE && x->news && !m->closed) {
		tell(m, x);
		mbox_changed(m, x->msg.mailbox);
	}
	mem_free(x);
	mem_unref(m);
}

static void look(struct mbox *m);

static void looked(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct look *l = arg;
	struct mbox *m = l->m;
	(void)err, (void)why;
	m->looking_for_drafts = false;
	text_fill(m->looked_to, sizeof m->looked_to, result == STORE_DONE && l->n == LOOK_MAX ? l->id[LOOK_MAX - 1] : ""); /* those that fail block nobody */
	for (unsigned i = 0; i < l->n && result == STORE_DONE && !m->closed; i++) {
		struct rescue *x = mem_zalloc(1, sizeof *x);
		if (!x)
			break;
		x->m = mem_ref(m);
		text_fill(x->msg.id, sizeof x->msg.id, l->id[i]);
		if (store_submit(m->prm.store, STORE_WRITE, rescue_work, rescued, x)) {
			mem_free(x);
			mem_unref(m);
		}
	}
	if (m->look_again && result == STORE_DONE && !m->closed)
		look(m); /* it was due while this one was under way, which may have come too early to see what is */
	mem_free(l);
	mem_unref(m);
}

static void renewed(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	(void)result, (void)err, (void)why;
	mem_unref(arg);
}

static void look(struct mbox *m)
{
	struct look *l = m->looking_for_drafts ? NULL : mem_zalloc(1, sizeof *l);
	m->look_again = !l;
	if (!l)
		return;
	l->m = mem_ref(m);
	memcpy(l->after, m->looked_to, sizeof l->after);
	m->looking_for_drafts = store_submit(m->prm.store, STORE_READ, look_work, looked, l) == 0;
	if (!m->looking_for_drafts) {
		mem_free(l);
		mem_unref(m);
	}
}

static void on_tick(void *arg)
{
	struct mbox *m = arg;
	tmr_start(m->prm.loop, &m->draft_tmr, (int64_t)m->prm.draft_ms, on_tick, m);
	if (store_state(m->prm.store) != STORE_GOOD)
		return;
	LIST_FOREACH (&m->drafts, it)
		LIST_ENTRY(it, struct draft, link)->due = true;
	kick_waiting(m);
	if (list_first(&m->drafts) && store_submit(m->prm.store, STORE_WRITE, renew_work, renewed, mem_ref(m)))
		mem_unref(m);
	look(m);
}

void mbox_drafts_begin(struct mbox *m)
{
	char life[ID_SIZE];
	id_make(life, m->prm.clock);
	text_print(m->owner, sizeof m->owner, "%s/%s", m->node, life); /* another life of this node is another owner */
	m->prm.draft_ms = m->prm.draft_ms ? m->prm.draft_ms : DRAFT_TICK_MS;
	if (m->prm.shared)
		on_tick(m);
}

void mbox_drafts_end(struct mbox *m)
{
	struct link *e;
	tmr_cancel(&m->draft_tmr);
	while ((e = list_first(&m->drafts)) != NULL)
		forget(LIST_ENTRY(e, struct draft, link));
}

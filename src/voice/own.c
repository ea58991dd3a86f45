/* SPDX-License-Identifier: Apache-2.0 */
/* own.c  Prompts out of the store. A look reads the list; whatever is newer than what is in use is fetched one after the other, so that memory holds
 * one recording's bytes at a time; what is no longer listed goes back to the set's own voice.                             */
#include "voice/own.h"
#include <errno.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"
#include "media/clip.h"
#include "net/tmr.h"
#include "voice/languages.h"
#include "voice/pack.h"
#include "voice_events.h"

struct entry {
	char language[PACK_LANGUAGE], name[PACK_NAME_MAX + 1];
	int64_t changed_us;
	bool seen; /* in the list that was read last */
};

struct own_prompts {
	struct own_prompts_prm prm;
	struct tmr poll;
	struct entry *used;
	size_t n_used;
	unsigned changes; /* of ours that took effect: a look that began before the last of them saw what no longer is */
	bool looking, again, closed;
};

/* A job's copy of everything; no pointer into the loop's data but the object itself, which it holds. */
struct job {
	struct own_prompts *o;
	struct entry one;
	char words[OWN_WORDS + 1];
	struct buf pcm;
	struct entry *list;
	size_t n_list;
	unsigned changes; /* when the look began */
	own_done_h *done;
	void *arg;
};

static void look(struct own_prompts *o);

static void gone(void *object)
{
	struct own_prompts *o = object;
	mem_free(o->used);
}

static struct job *job_new(struct own_prompts *o)
{
	struct job *j = mem_zalloc(1, sizeof *j);
	if (j) {
		j->o = mem_ref(o);
		j->changes = o->changes;
		buf_init(&j->pcm, OWN_BYTES);
	}
	return j;
}

static void job_free(struct job *j)
{
	buf_free(&j->pcm);
	mem_free(j->list);
	mem_unref(j->o);
	mem_free(j);
}

static void blob_id(const struct entry *e, char id[96])
{
	text_print(id, 96, "prompt/%s/%s", e->language, e->name);
}

/* ---- what is in use ---- */
static struct entry *used(struct own_prompts *o, const struct entry *e)
{
	for (size_t i = 0; i < o->n_used; i++)
		if (!strcmp(o->used[i].name, e->name) && !strcmp(o->used[i].language, e->language))
			return &o->used[i];
	return NULL;
}

static int remember(struct own_prompts *o, const struct entry *e)
{
	struct entry *u = used(o, e);
	if (!u) {
		struct entry *more = mem_realloc(o->used, (o->n_used + 1) * sizeof *more);
		if (!more)
			return ENOMEM;
		o->used = more;
		u = &more[o->n_used++];
	}
	*u = *e;
	u->seen = true;
	return 0;
}

static void forget(struct own_prompts *o, size_t i)
{
	struct prompt_set *s = languages_exact(o->prm.languages, o->used[i].language);
	if (s)
		(void)prompt_set_own(s, o->used[i].name, "", NULL); /* taking away needs no memory */
	o->used[i] = o->used[--o->n_used];
}

static void tell_unusable(struct own_prompts *o, const struct entry *e, const char *error)
{
	struct ev_report r;
	ev_set(&r, EV_VOICE_OWN_UNUSABLE);
	ev_str(&r, "prompt", e->name);
	ev_str(&r, "language", e->language);
	ev_str(&r, "error", error);
	ev_emit(o->prm.bus, &r);
}

/* From little endian to the host's order. */
static int clip_of(struct media_clip **cp, const struct buf *b)
{
	size_t n = b->n / 2;
	const uint8_t *p = (const uint8_t *)b->p;
	int16_t *pcm = n ? mem_alloc(n * sizeof *pcm) : NULL;
	if (!pcm)
		return n ? ENOMEM : ENODATA;
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)(uint16_t)(p[2 * i] | p[2 * i + 1] << 8);
	int err = media_clip_from_l16(cp, pcm, n);
	mem_free(pcm);
	return err;
}

/* Told once, not at every look, until it is imported anew. */
static int set_aside(struct own_prompts *o, const struct entry *e, const char *error)
{
	tell_unusable(o, e, error);
	return remember(o, e);
}

static int use(struct own_prompts *o, struct job *j)
{
	struct media_clip *clip = NULL;
	struct prompt_set *s = languages_exact(o->prm.languages, j->one.language);
	int err = clip_of(&clip, &j->pcm);
	if (err == ENOMEM)
		return err;
	if (err || !s)
		err = set_aside(o, &j->one, s ? "there is no sound in it" : "no prompts of that language are installed on this node");
	else if (!(err = prompt_set_own(s, j->one.name, j->words, clip)))
		err = remember(o, &j->one);
	mem_unref(clip);
	return err;
}

/* ---- a look ---- */
static int list_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct job *j = arg;
	struct db_rows *r;
	j->n_list = 0;
	if (!j->list && !(j->list = mem_zalloc(OWN_MAX, sizeof *j->list)))
		return ENOMEM;
	int err = db_query(tx, &r, why, "SELECT language, name, changed_us FROM prompt ORDER BY language, name LIMIT ?1", "i", (int64_t)OWN_MAX);
	if (err)
		return err;
	while ((err = db_step(r, why)) == 0 && j->n_list < OWN_MAX) {
		struct entry *e = &j->list[j->n_list++];
		*e = (struct entry){ .changed_us = db_col_int(r, 2) };
		db_col_copy(r, 0, e->language, sizeof e->language);
		db_col_copy(r, 1, e->name, sizeof e->name);
	}
	db_rows_close(r);
	return err == ENOENT ? 0 : err;
}

static int fetch_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct job *j = arg;
	struct db_rows *r;
	char id[96];
	buf_clear(&j->pcm);
	int err = db_query_one(tx, &r, why, "SELECT words, changed_us FROM prompt WHERE language = ?1 AND name = ?2", "ss", j->one.language, j->one.name);
	if (err)
		return err;
	db_col_copy(r, 0, j->words, sizeof j->words);
	j->one.changed_us = db_col_int(r, 1);
	db_rows_close(r);
	blob_id(&j->one, id);
	err = db_blob_get(tx, id, &j->pcm, why);
	return err == ENOENT ? EBADMSG : err; /* the row is there */
}

static void looked(struct own_prompts *o)
{
	o->looking = false;
	if (o->again && !o->closed) {
		o->again = false;
		look(o);
	}
}

static void look_ends(struct job *j)
{
	looked(j->o);
	job_free(j);
}

/* Reads and changes run beside each other, and their answers come in any order. The change asked for another look, which begins now. */
static bool overtaken(const struct job *j)
{
	return j->o->closed || j->changes != j->o->changes;
}

static void fetched(enum store_result result, int err, const struct ev_report *why, void *arg);

/* The next of the list that is newer than what is in use; the job goes on or ends. */
static void fetch_next(struct job *j)
{
	struct own_prompts *o = j->o;
	while (j->n_list) {
		const struct entry *e = &j->list[--j->n_list], *u = used(o, e);
		if (u && u->changed_us == e->changed_us)
			continue;
		j->one = *e;
		if (!store_submit(o->prm.store, STORE_READ, fetch_work, fetched, j))
			return;
		break; /* at the next look */
	}
	look_ends(j);
}

static void fetched(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct job *j = arg;
	(void)why;
	if (overtaken(j)) {
		look_ends(j);
		return;
	}
	if (result == STORE_DONE)
		err = use(j->o, j);
	else if (err == EBADMSG || err == EMSGSIZE) /* it stays so, and must not keep the others away */
		err = set_aside(j->o, &j->one, err == EMSGSIZE ? "it is longer than a prompt may be" : "its audio is not in the store");
	if (err && err != ENOENT) /* ENOENT: taken away meanwhile */
		look_ends(j);
	else
		fetch_next(j);
}

static void listed(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct job *j = arg;
	struct own_prompts *o = j->o;
	(void)err, (void)why;
	if (result != STORE_DONE || overtaken(j)) {
		look_ends(j);
		return;
	}
	for (size_t i = 0; i < o->n_used; i++)
		o->used[i].seen = false;
	for (size_t i = 0; i < j->n_list; i++) {
		struct entry *u = used(o, &j->list[i]);
		if (u)
			u->seen = true;
	}
	for (size_t i = o->n_used; i-- > 0;)
		if (!o->used[i].seen)
			forget(o, i);
	fetch_next(j);
}

static void look(struct own_prompts *o)
{
	if (o->looking) {
		o->again = true;
		return;
	}
	struct job *j = store_state(o->prm.store) == STORE_AWAY ? NULL : job_new(o);
	if (!j)
		return;
	if (store_submit(o->prm.store, STORE_READ, list_work, listed, j))
		job_free(j);
	else
		o->looking = true;
}

static void on_poll(void *arg)
{
	struct own_prompts *o = arg;
	tmr_start(o->prm.loop, &o->poll, (int64_t)o->prm.poll_ms, on_poll, o);
	look(o);
}

int own_prompts_create(struct own_prompts **op, const struct own_prompts_prm *prm)
{
	struct own_prompts *o = mem_object(sizeof *o, gone);
	if (!o)
		return ENOMEM;
	o->prm = *prm;
	o->prm.poll_ms = prm->poll_ms ? prm->poll_ms : 5000;
	tmr_start(prm->loop, &o->poll, 0, on_poll, o);
	*op = o;
	return 0;
}

void own_prompts_destroy(struct own_prompts *o)
{
	if (!o)
		return;
	o->closed = true;
	tmr_cancel(&o->poll);
	mem_unref(o);
}

/* ---- changes ---- */
static bool tag_good(const char *tag)
{
	size_t n = strlen(tag);
	if (n < 2 || n >= PACK_LANGUAGE || tag[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!(tag[i] >= 'a' && tag[i] <= 'z') && !(tag[i] >= 'A' && tag[i] <= 'Z') && !(i > 1 && (tag[i] == '-' || (tag[i] >= '0' && tag[i] <= '9'))))
			return false;
	return true;
}

static int set_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct job *j = arg;
	struct db_rows *r;
	char id[96];
	int err = db_query_one(tx, &r, why, "SELECT COUNT(*), CAST(COALESCE(MAX(changed_us), 0) AS BIGINT) FROM prompt WHERE NOT (language = ?1 AND name = ?2)", "ss",
	                       j->one.language, j->one.name);
	if (err)
		return err;
	int64_t others = db_col_int(r, 0);
	db_rows_close(r);
	if (others >= OWN_MAX)
		return ENOSPC;
	j->one.changed_us = clock_real_us(db_clock(tx));
	/* a clock that went back must not make a change look like what is in use */
	err = db_exec(tx, why, "INSERT INTO prompt (language, name, words, bytes, changed_us) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (language, name) DO UPDATE SET"
	              " words = excluded.words, bytes = excluded.bytes, changed_us = CASE WHEN excluded.changed_us > prompt.changed_us THEN excluded.changed_us"
	              " ELSE prompt.changed_us + 1 END", "sssii", j->one.language, j->one.name, j->words, (int64_t)j->pcm.n, j->one.changed_us);
	blob_id(&j->one, id);
	return err ? err : db_blob_put(tx, id, j->pcm.p, j->pcm.n, why);
}

static int remove_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct job *j = arg;
	char id[96];
	int err = db_exec(tx, why, "DELETE FROM prompt WHERE language = ?1 AND name = ?2", "ss", j->one.language, j->one.name);
	if (!err && !db_changes(tx))
		return ENOENT;
	blob_id(&j->one, id);
	return err ? err : db_blob_delete(tx, id, why);
}

static void changed(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct job *j = arg;
	struct own_prompts *o = j->o;
	if (result == STORE_DONE && !o->closed) {
		o->changes++;
		if (j->pcm.n) {
			j->one.changed_us = -1; /* of which the store's own number is read at the next look */
			err = use(o, j);
		} else {
			struct entry *u = used(o, &j->one);
			if (u)
				forget(o, (size_t)(u - o->used));
		}
		look(o);
	}
	j->done(err, why, j->arg);
	job_free(j);
}

static int submit(struct job *j, store_work_h *work)
{
	int err = store_submit(j->o->prm.store, STORE_WRITE, work, changed, j);
	if (err)
		job_free(j);
	return err;
}

static int change(struct own_prompts *o, struct job **jp, const char *language, const char *name, own_done_h *done, void *arg)
{
	if (!tag_good(language) || !prompt_name_good(name))
		return EINVAL;
	struct job *j = job_new(o);
	if (!j)
		return ENOMEM;
	struct prompt_set *s = languages_exact(o->prm.languages, language);
	text_fill(j->one.language, sizeof j->one.language, s ? prompt_set_language(s) : language); /* as the set writes it */
	text_fill(j->one.name, sizeof j->one.name, name);
	j->done = done;
	j->arg = arg;
	*jp = j;
	return 0;
}

int own_prompts_set(struct own_prompts *o, const char *language, const char *name, const char *words, const void *pcm, size_t bytes, own_done_h *done, void *arg)
{
	struct job *j;
	if (!bytes || bytes % 2 || bytes > OWN_BYTES)
		return bytes > OWN_BYTES ? EFBIG : ENODATA;
	if (strlen(words) > OWN_WORDS)
		return EINVAL;
	int err = change(o, &j, language, name, done, arg);
	if (err)
		return err;
	text_fill(j->words, sizeof j->words, words);
	buf_put(&j->pcm, pcm, bytes);
	if ((err = buf_error(&j->pcm)) != 0) {
		job_free(j);
		return err;
	}
	return submit(j, set_work);
}

int own_prompts_remove(struct own_prompts *o, const char *language, const char *name, own_done_h *done, void *arg)
{
	struct job *j;
	int err = change(o, &j, language, name, done, arg);
	return err ? err : submit(j, remove_work);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* post.c  Out: sealed on a worker, written as a row. In: rows are taken out of the store, opened on a worker, their sender looked up on the list of
 * nodes, and handed over. What is not believed is said once a minute at most.                                                     */
#include "cert/post.h"
#include <errno.h>
#include "base/id.h"
#include "base/list.h"
#include "base/mem.h"
#include "cert/letter.h"
#include "cert_events.h"
#include "db/db.h"
#include "jobs/registry.h"
#include "net/tmr.h"

enum { INTERVAL_MS = 2000, BATCH = 16, SEEN_MAX = 512, KEEP_S = 3600, SAY_MS = 60000 };

struct cert_post {
	struct cert_post_prm prm;
	char node[65], service[TRUST_NAME_SIZE];
	struct tmr timer;
	bool fetching, closed;
	char seen[SEEN_MAX][ID_SIZE]; /* ids of letters that were read, a ring: none is read twice */
	unsigned seen_at;
	int64_t said_ms;
};

/* ---- out ---- */

struct out {
	struct cert_post *p; /* a reference */
	char id[ID_SIZE], to[65];
	int64_t now_us;
	json_t *words;
	struct trust_identity *sender;
	struct buf body;
};

static void out_free(struct out *o)
{
	json_decref(o->words);
	mem_unref(o->sender);
	buf_free(&o->body);
	mem_unref(o->p);
	mem_free(o);
}

static void undelivered(struct out *o, int err)
{
	struct ev_report *r = mem_alloc(sizeof *r);
	if (r) {
		ev_set(r, EV_CERT_LETTER_UNSENT);
		ev_str(r, "to", o->to);
		ev_str(r, "error", strerrordesc_np(err));
		ev_emit(o->p->prm.bus, r);
	}
	mem_free(r);
}

static int write_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct out *o = arg;
	int err = db_exec(tx, why, "DELETE FROM node_letter WHERE at_us < ?1", "i", o->now_us - (int64_t)KEEP_S * 1000000);
	return err ? err : db_exec(tx, why, "INSERT INTO node_letter (id, to_node, at_us, body) VALUES (?1,?2,?3,?4) ON CONFLICT (id) DO NOTHING", "ssit", o->id,
				   o->to, o->now_us, buf_as_text(&o->body));
}

static void written(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct out *o = arg;
	(void)why;
	if (result != STORE_DONE)
		undelivered(o, err ? err : EIO);
	out_free(o);
}

static int seal_work(void *arg)
{
	struct out *o = arg;
	return cert_letter_seal(&o->body, o->words, o->sender);
}

static void sealed(enum pool_result result, int err, void *arg)
{
	struct out *o = arg;
	if (result == POOL_DONE && !o->p->closed && (err = store_submit(o->p->prm.store, STORE_WRITE, write_work, written, o)) == 0)
		return;
	if (!o->p->closed)
		undelivered(o, err ? err : ECANCELED);
	out_free(o);
}

int cert_post_send(struct cert_post *p, const char *to, const char *order, const char *kind, json_t *data)
{
	struct trust_set *set = trust_keeper_get(p->prm.keeper);
	struct out *o = mem_zalloc(1, sizeof *o);
	struct trust_identity *sender = trust_set_find(set, NULL);
	int err = !o ? ENOMEM : !sender ? ENOKEY : 0;
	if (o) {
		o->p = mem_ref(p);
		o->now_us = clock_real_us(p->prm.clock);
		o->sender = mem_ref(sender);
		text_fill(o->to, sizeof o->to, to);
		id_make(o->id, p->prm.clock);
		buf_init(&o->body, CERT_LETTER_MAX);
		o->words = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:O}", "schema", 1, "id", o->id, "from", p->node, "to", to, "order", order, "kind", kind, "at_s",
				     (json_int_t)(o->now_us / 1000000), "data", data ? data : json_null());
		err = err ? err : o->words ? pool_submit(p->prm.pool, seal_work, sealed, o) : ENOMEM;
	}
	json_decref(data);
	mem_unref(set);
	if (err && o)
		out_free(o);
	return err;
}

/* ---- in ---- */

struct in {
	struct cert_post *p; /* a reference */
	unsigned n, at;
	struct {
		char id[ID_SIZE];
		char *body;
	} row[BATCH];
	struct trust_set *set;
	int64_t now_s;
	json_t *words; /* of the letter that is being judged */
	struct trust_cert sender;
	int err;
};

static void next_letter(struct in *i);

static void in_free(struct in *i)
{
	for (unsigned k = 0; k < i->n; k++)
		mem_free(i->row[k].body);
	json_decref(i->words);
	mem_unref(i->set);
	i->p->fetching = false;
	mem_unref(i->p);
	mem_free(i);
}

static void not_believed(struct in *i, const char *reason)
{
	struct cert_post *p = i->p;
	int64_t now = clock_mono_ms(p->prm.clock);
	struct ev_report *r = p->said_ms && now - p->said_ms < SAY_MS ? NULL : mem_alloc(sizeof *r);
	if (!r)
		return;
	p->said_ms = now;
	ev_set(r, EV_CERT_LETTER_REFUSED);
	ev_str(r, "cn", i->sender.cn[0] ? i->sender.cn : "(nobody)");
	ev_str(r, "reason", reason);
	ev_emit(p->prm.bus, r);
	mem_free(r);
}

static const char *word(const struct in *i, const char *key)
{
	const char *s = json_string_value(json_object_get(i->words, key));
	return s ? s : "";
}

static bool read_before(struct cert_post *p, const char *id)
{
	for (unsigned k = 0; k < SEEN_MAX; k++)
		if (strcmp(p->seen[k], id) == 0)
			return true;
	text_fill(p->seen[p->seen_at++ % SEEN_MAX], ID_SIZE, id);
	return false;
}

static void listed(int err, const struct registry_node *nodes, size_t n, void *arg)
{
	struct in *i = arg;
	struct cert_post *p = i->p;
	const struct registry_node *from = NULL;
	for (size_t k = 0; !err && k < n; k++)
		if (strcmp(nodes[k].name, word(i, "from")) == 0)
			from = &nodes[k];
	if (p->closed)
		;
	else if (!from || from->self)
		not_believed(i, "its sender is not on the list of nodes");
	else if (!cert_letter_from(&i->sender, from->fqdn, p->service))
		not_believed(i, "the certificate that signed it is not that node's: it lacks the node's name or the service's");
	else {
		struct cert_letter_in l = { from->name, from->fqdn, word(i, "order"), word(i, "kind"), json_object_get(i->words, "data") };
		p->prm.h(&l, p->prm.arg);
	}
	i->at++;
	next_letter(i);
}

static int open_work(void *arg)
{
	struct in *i = arg;
	i->err = cert_letter_open(&i->words, &i->sender, text_of(i->row[i->at].body), i->set, i->now_s);
	return 0;
}

static const char *doubt(struct in *i)
{
	int64_t at_s = json_integer_value(json_object_get(i->words, "at_s"));
	if (i->err)
		return i->err == EKEYREJECTED ? "the certificate that signed it is not trusted" : "it is damaged, or no letter at all";
	if (strcmp(word(i, "to"), i->p->node) != 0)
		return "it is for another node";
	if (at_s < i->now_s - CERT_LETTER_AGE_S || at_s > i->now_s + CERT_LETTER_AGE_S)
		return "it is old, or the clocks of the nodes differ by more than 5 minutes";
	if (!id_valid(text_of(word(i, "id"))) || read_before(i->p, word(i, "id")))
		return "it was read before";
	return NULL;
}

static void opened(enum pool_result result, int err, void *arg)
{
	struct in *i = arg;
	const char *why = result == POOL_DONE ? doubt(i) : "";
	(void)err;
	if (i->p->closed || result != POOL_DONE) {
		in_free(i);
		return;
	}
	if (!why && registry_list(i->p->prm.registry, listed, i) == 0)
		return;
	if (why)
		not_believed(i, why);
	i->at++;
	next_letter(i);
}

static void next_letter(struct in *i)
{
	json_decref(i->words);
	i->words = NULL;
	if (i->p->closed || i->at == i->n || pool_submit(i->p->prm.pool, open_work, opened, i) != 0)
		in_free(i);
}

/* Read and taken out in one transaction. One that is done again finds nothing. */
static int fetch_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct in *i = arg;
	struct db_rows *r;
	for (unsigned k = 0; k < i->n; k++)
		mem_free(i->row[k].body);
	i->n = 0;
	int err = db_query(tx, &r, why, "SELECT id, body FROM node_letter WHERE to_node = ?1 ORDER BY at_us, id LIMIT 16", "s", i->p->node);
	if (err)
		return err;
	while (i->n < BATCH && (err = db_step(r, why)) == 0) {
		db_col_copy(r, 0, i->row[i->n].id, sizeof i->row[i->n].id);
		struct text body = db_col_text(r, 1);
		i->row[i->n].body = text_dup(text_head(body, CERT_LETTER_MAX));
		i->n += i->row[i->n].body != NULL;
	}
	db_rows_close(r);
	err = err == ENOENT ? 0 : err;
	for (unsigned k = 0; !err && k < i->n; k++)
		err = db_exec(tx, why, "DELETE FROM node_letter WHERE id = ?1", "s", i->row[k].id);
	return err;
}

static void fetched(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct in *i = arg;
	(void)err;
	(void)why;
	if (result != STORE_DONE)
		in_free(i);
	else
		next_letter(i);
}

static void on_time(void *arg)
{
	struct cert_post *p = arg;
	tmr_start(p->prm.loop, &p->timer, (int64_t)p->prm.interval_ms, on_time, p);
	struct in *i = p->fetching ? NULL : mem_zalloc(1, sizeof *i);
	if (!i)
		return;
	i->p = mem_ref(p);
	i->set = trust_keeper_get(p->prm.keeper);
	i->now_s = clock_real_s(p->prm.clock);
	p->fetching = true;
	if (store_submit(p->prm.store, STORE_WRITE, fetch_work, fetched, i) != 0)
		in_free(i);
}

int cert_post_create(struct cert_post **pp, const struct cert_post_prm *prm)
{
	struct cert_post *p = mem_object(sizeof *p, NULL);
	if (!p)
		return ENOMEM;
	p->prm = *prm;
	if (!p->prm.interval_ms)
		p->prm.interval_ms = INTERVAL_MS;
	text_fill(p->node, sizeof p->node, prm->node);
	text_fill(p->service, sizeof p->service, prm->service ? prm->service : "");
	tmr_start(prm->loop, &p->timer, (int64_t)p->prm.interval_ms, on_time, p);
	*pp = p;
	return 0;
}

void cert_post_destroy(struct cert_post *p)
{
	if (!p)
		return;
	tmr_cancel(&p->timer);
	p->closed = true;
	mem_unref(p);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* post.c  Out: sealed on a worker, then carried, one letter to a node at a time. In: opened on a worker, its sender looked up on the list of nodes,
 * and handed over. What is not believed is said once a minute at most.                                                           */
#include <errno.h>
#include "base/mem.h"
#include "cert/post_private.h"
#include "cert_events.h"
#include "db/db.h"
#include "jobs/registry.h"

enum { INTERVAL_MS = 2000, OUTS_MAX = 256 };

/* ---- out ---- */

void post_out_free(struct post_out *o)
{
	list_remove(&o->link);
	json_decref(o->words);
	mem_unref(o->sender);
	buf_free(&o->body);
	mem_unref(o->p);
	mem_free(o);
}

static struct post_out *first_to(struct cert_post *p, const char *to)
{
	LIST_FOREACH(&p->outs, it) {
		struct post_out *o = LIST_ENTRY(it, struct post_out, link);
		if (strcmp(o->to, to) == 0)
			return o;
	}
	return NULL;
}

static int begin(struct post_out *o);
static void not_written(struct post_out *o, int err);

/* The way to that node is free for the next one. */
void post_sent(struct post_out *o, const struct ev_report *why)
{
	struct cert_post *p = mem_ref(o->p);
	char to[65], order[ID_SIZE];
	text_fill(to, sizeof to, o->to);
	text_fill(order, sizeof order, o->order);
	post_out_free(o);
	if (why && !p->closed) {
		/* what waits behind it belongs to the same, and would tell the same */
		LIST_FOREACH(&p->outs, it) {
			struct post_out *other = LIST_ENTRY(it, struct post_out, link);
			if (strcmp(other->to, to) == 0 && strcmp(other->order, order) == 0)
				post_out_free(other);
		}
		ev_emit(p->prm.bus, why);
		if (p->prm.unsent)
			p->prm.unsent(to, order, why, p->prm.arg);
	}
	struct post_out *next = p->closed ? NULL : first_to(p, to);
	int err = next ? begin(next) : 0;
	if (err)
		not_written(next, err);
	mem_unref(p);
}

static void not_written(struct post_out *o, int err)
{
	struct ev_report r = { 0 };
	ev_set(&r, EV_CERT_LETTER_UNSENT);
	ev_str(&r, "to", o->to);
	ev_str(&r, "error", strerrordesc_np(err));
	post_sent(o, &r);
}

static int seal_work(void *arg)
{
	struct post_out *o = arg;
	return cert_letter_seal(&o->body, o->words, o->sender);
}

static void sealed(enum pool_result result, int err, void *arg)
{
	struct post_out *o = arg;
	if (o->p->closed) {
		post_out_free(o);
		return;
	}
	if (result == POOL_DONE)
		err = cert_post_way(o->p) == CERT_POST_DIRECT ? post_by_sip(o) : post_by_store(o);
	else if (!err)
		err = ECANCELED;
	if (err)
		not_written(o, err);
}

static int begin(struct post_out *o)
{
	if (o->begun)
		return 0;
	o->begun = true;
	return pool_submit(o->p->prm.pool, seal_work, sealed, o);
}

int cert_post_send(struct cert_post *p, const char *to, const char *order, const char *kind, json_t *data)
{
	struct trust_set *set = trust_keeper_get(p->prm.keeper);
	struct post_out *o = mem_zalloc(1, sizeof *o);
	struct trust_identity *sender = trust_set_find(set, NULL);
	bool nowhere = cert_post_way(p) == CERT_POST_NOWHERE || (p->n_others && !post_find(p, to));
	int err = !o ? ENOMEM : nowhere ? ENOENT : !sender ? ENOKEY : list_count(&p->outs) >= OUTS_MAX ? EAGAIN : 0;
	if (o) {
		o->p = mem_ref(p);
		o->now_us = clock_real_us(p->prm.clock);
		o->sender = mem_ref(sender);
		text_fill(o->to, sizeof o->to, to);
		text_fill(o->order, sizeof o->order, order);
		id_make(o->id, p->prm.clock);
		buf_init(&o->body, CERT_LETTER_MAX);
		o->words = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:O}", "schema", POST_SCHEMA, "id", o->id, "from", p->node, "to", to, "order", order, "kind",
				     kind, "at_s", (json_int_t)(o->now_us / 1000000), "data", data ? data : json_null());
		list_append(&p->outs, &o->link);
		err = err ? err : o->words ? 0 : ENOMEM;
	}
	json_decref(data);
	mem_unref(set);
	if (!err)
		err = begin(first_to(p, to)); /* another one is under way already, or it is this one */
	if (err && o)
		post_out_free(o);
	return err;
}

/* ---- in ---- */

struct reading {
	struct cert_post *p; /* a reference */
	char *body;
	const struct trust_cert *bearer;
	struct trust_set *set;
	int64_t now_s;
	json_t *words;
	struct trust_cert sender;
	int err;
	post_read_h *h;
	void *arg;
};

static void reading_free(struct reading *r)
{
	mem_free(r->body);
	json_decref(r->words);
	mem_unref(r->set);
	mem_unref(r->p);
	mem_free(r);
}

static void reading_over(struct reading *r, const char *doubt)
{
	struct cert_post *p = r->p;
	if (doubt && !p->closed)
		post_not_believed(p, r->sender.cn, doubt);
	r->h(doubt, r->arg);
	reading_free(r);
}

void post_not_believed(struct cert_post *p, const char *cn, const char *reason)
{
	int64_t now = clock_mono_ms(p->prm.clock);
	struct ev_report *r = p->said_ms && now - p->said_ms < POST_SAY_MS ? NULL : mem_alloc(sizeof *r);
	if (!r)
		return;
	p->said_ms = now;
	ev_set(r, EV_CERT_LETTER_REFUSED);
	ev_str(r, "cn", *cn ? cn : "(nobody)");
	ev_str(r, "reason", reason);
	ev_emit(p->prm.bus, r);
	mem_free(r);
}

static const char *word(const struct reading *r, const char *key)
{
	const char *s = json_string_value(json_object_get(r->words, key));
	return s ? s : "";
}

static bool read_before(struct cert_post *p, const char *id)
{
	for (unsigned k = 0; k < POST_SEEN_MAX; k++)
		if (strcmp(p->seen[k], id) == 0)
			return true;
	text_fill(p->seen[p->seen_at++ % POST_SEEN_MAX], ID_SIZE, id);
	return false;
}

/* `fqdn`: of the node on the list that it says it is from; NULL: there is none. */
static void sender_known(struct reading *r, const char *fqdn)
{
	struct cert_post *p = r->p;
	if (!fqdn) {
		reading_over(r, cert_words(CERT_SAYS_NOT_ON_THE_LIST));
	} else if (!cert_letter_from(&r->sender, fqdn, p->service)) {
		reading_over(r, cert_words(CERT_SAYS_SIGNED_BY_ANOTHER));
	} else if (r->bearer && !cert_letter_from(r->bearer, fqdn, p->service)) {
		reading_over(r, cert_words(CERT_SAYS_BROUGHT_BY_ANOTHER));
	} else {
		struct cert_letter_in l = { word(r, "from"), fqdn, word(r, "order"), word(r, "kind"), json_object_get(r->words, "data") };
		p->prm.h(&l, p->prm.arg);
		reading_over(r, NULL);
	}
}

static void listed(int err, const struct registry_node *nodes, size_t n, void *arg)
{
	struct reading *r = arg;
	const char *fqdn = NULL;
	for (size_t k = 0; !err && k < n; k++)
		if (strcmp(nodes[k].name, word(r, "from")) == 0 && !nodes[k].self)
			fqdn = nodes[k].fqdn;
	if (r->p->closed)
		reading_over(r, "");
	else
		sender_known(r, fqdn);
}

static void find_sender(struct reading *r)
{
	struct cert_post *p = r->p;
	if (cert_post_way(p) == CERT_POST_STORE) {
		if (registry_list(p->prm.registry, listed, r) != 0)
			reading_over(r, cert_words(CERT_SAYS_NOT_ON_THE_LIST));
		return;
	}
	const struct post_other *o = post_find(p, word(r, "from"));
	sender_known(r, o ? o->fqdn : NULL);
}

static int open_work(void *arg)
{
	struct reading *r = arg;
	r->err = cert_letter_open(&r->words, &r->sender, text_of(r->body), r->set, r->now_s);
	return 0;
}

static const char *doubt(struct reading *r)
{
	int64_t at_s = json_integer_value(json_object_get(r->words, "at_s"));
	if (r->err)
		return cert_words(r->err == EKEYREJECTED ? CERT_SAYS_NOT_TRUSTED : CERT_SAYS_DAMAGED);
	if (json_integer_value(json_object_get(r->words, "schema")) != POST_SCHEMA)
		return cert_words(CERT_SAYS_OTHER_VERSION);
	if (strcmp(word(r, "to"), r->p->node) != 0)
		return cert_words(CERT_SAYS_FOR_ANOTHER);
	if (at_s < r->now_s - CERT_LETTER_AGE_S || at_s > r->now_s + CERT_LETTER_AGE_S)
		return cert_words(CERT_SAYS_OLD);
	if (!id_valid(text_of(word(r, "id"))) || read_before(r->p, word(r, "id")))
		return cert_words(CERT_SAYS_READ_BEFORE);
	return NULL;
}

static void opened(enum pool_result result, int err, void *arg)
{
	struct reading *r = arg;
	const char *why = result == POOL_DONE ? doubt(r) : "";
	(void)err;
	if (r->p->closed || why)
		reading_over(r, why ? why : "");
	else
		find_sender(r);
}

int post_read(struct cert_post *p, char *body, const struct trust_cert *bearer, post_read_h *h, void *arg)
{
	struct reading *r = body ? mem_zalloc(1, sizeof *r) : NULL;
	if (!r) {
		mem_free(body);
		return ENOMEM;
	}
	*r = (struct reading){ .p = mem_ref(p), .body = body, .bearer = bearer, .h = h, .arg = arg };
	r->set = trust_keeper_get(p->prm.keeper);
	r->now_s = clock_real_s(p->prm.clock);
	int err = pool_submit(p->prm.pool, open_work, opened, r);
	if (err)
		reading_free(r);
	return err;
}

/* ---- the post ---- */

enum cert_post_way cert_post_way(const struct cert_post *p)
{
	return !p ? CERT_POST_NOWHERE : p->n_others ? CERT_POST_DIRECT : p->prm.store ? CERT_POST_STORE : CERT_POST_NOWHERE;
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
	list_init(&p->outs);
	if (prm->store)
		post_store_start(p);
	if (prm->sip)
		post_direct_start(p);
	*pp = p;
	return 0;
}

void cert_post_destroy(struct cert_post *p)
{
	if (!p)
		return;
	tmr_cancel(&p->timer);
	p->closed = true;
	post_direct_stop(p);
	LIST_FOREACH(&p->outs, it) { /* those on a worker or in the store come back */
		struct post_out *o = LIST_ENTRY(it, struct post_out, link);
		if (!o->begun)
			post_out_free(o);
	}
	for (struct link *l; (l = list_first(&p->outs)) != NULL;)
		list_remove(l);
	mem_unref(p);
}

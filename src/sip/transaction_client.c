/* SPDX-License-Identifier: Apache-2.0 */
/* transaction_client.c  The client machines, RFC 3261 17.1 and RFC 6026 7.2. */
#include <errno.h>
#include "base/mem.h"
#include "sip/transaction_ends.h"
#include "sip/transaction_private.h"

enum ctx_state {
	CTX_CALLING,    /* sent, nothing came */
	CTX_PROCEEDING, /* 1xx came */
	CTX_COMPLETED,  /* final answer came; repeated ones are absorbed */
	CTX_ACCEPTED,   /* INVITE: 2xx came; each further one goes to the user */
	CTX_OVER,
};

struct sip_ctx {
	struct sip_txns *txns;
	struct link link;
	struct hash_entry by_key;
	char key[SIP_BRANCH_SIZE + 40];
	char method[32];
	enum ctx_state state;
	bool invite, send_failed;
	struct sip_path path;
	uint8_t *request;
	size_t request_n;
	uint8_t *ack;
	size_t ack_n;
	struct tmr repeat, end; /* A, E; B, F, D, K, M */
	unsigned repeat_ms;
	sip_ctx_h *h;
	void *arg;
};

struct sip_ctx *sip_ctx_of_link(struct link *l)
{
	return LIST_ENTRY(l, struct sip_ctx, link);
}

static void ctx_destroy(void *object)
{
	struct sip_ctx *c = object;

	sip_path_clear(&c->path);
	mem_free(c->request);
	mem_free(c->ack);
}

void sip_ctx_end(struct sip_ctx *c)
{
	if (!c || c->state == CTX_OVER)
		return;
	c->state = CTX_OVER;
	tmr_cancel(&c->repeat);
	tmr_cancel(&c->end);
	hash_remove(&c->by_key);
	list_remove(&c->link);
	c->txns->count--;
	c->h = NULL;
	mem_unref(c);
}

/* The event, then the end. The handler may have ended it itself. */
static void ctx_finish(struct sip_ctx *c, enum sip_ctx_event ev)
{
	sip_ctx_h *h;

	mem_ref(c);
	if (ev != SIP_CTX_OVER && c->h)
		c->h(c, ev, NULL, c->arg);
	h = c->h;
	sip_ctx_end(c);
	if (h)
		h(c, SIP_CTX_OVER, NULL, c->arg);
	mem_unref(c);
}

static void on_end(void *arg)
{
	struct sip_ctx *c = arg;

	if (c->send_failed)
		ctx_finish(c, SIP_CTX_TRANSPORT);
	else if (c->state < CTX_COMPLETED)
		ctx_finish(c, SIP_CTX_TIMEOUT);
	else
		ctx_finish(c, SIP_CTX_OVER);
}

static void send_request(struct sip_ctx *c)
{
	if (!c->txns->send(&c->path, c->request, c->request_n, c->txns->send_arg))
		return;
	c->send_failed = true;
	tmr_cancel(&c->repeat);
	tmr_start(c->txns->loop, &c->end, 0, on_end, c);
}

/* A doubles without end (17.1.1.2), E up to T2 and stays there once a provisional answer came (17.1.2.2). */
static void on_repeat(void *arg)
{
	struct sip_ctx *c = arg;
	unsigned t2 = c->txns->t.t2;

	c->txns->repeats++;
	if (c->invite)
		c->repeat_ms *= 2;
	else
		c->repeat_ms = c->state == CTX_PROCEEDING || c->repeat_ms * 2 > t2 ? t2 : c->repeat_ms * 2;
	tmr_start(c->txns->loop, &c->repeat, c->repeat_ms, on_repeat, c);
	send_request(c);
}

static void key_make(char *key, size_t size, struct text branch, struct text method)
{
	(void)text_print(key, size, "%.*s %.*s", TEXT_FMT(branch), TEXT_FMT(method));
}

int sip_ctx_create(struct sip_ctx **cp, struct sip_txns *x, const struct sip_path *path, const char *branch, const char *method, struct buf *bytes,
                   sip_ctx_h *h, void *arg)
{
	struct sip_ctx *c;
	int err;

	if (x->count >= x->max)
		return EAGAIN;
	c = mem_object(sizeof(*c), ctx_destroy);
	if (!c)
		return ENOMEM;
	c->txns = x;
	c->invite = text_is(text_of(method), "INVITE");
	text_fill(c->method, sizeof(c->method), method);
	key_make(c->key, sizeof(c->key), text_of(branch), text_of(method));
	err = hash_add(x->clients, &c->by_key, text_of(c->key));
	if (!err && !(c->request = buf_take(bytes, &c->request_n)))
		err = ENOMEM;
	if (err) {
		hash_remove(&c->by_key);
		mem_unref(c);
		return err;
	}
	sip_path_copy(&c->path, path);
	c->h = h;
	c->arg = arg;
	list_append(&x->client_list, &c->link);
	x->count++;
	tmr_start(x->loop, &c->end, x->t.tb, on_end, c); /* B, F */
	c->repeat_ms = x->t.t1;
	if (!sip_path_reliable(path))
		tmr_start(x->loop, &c->repeat, c->repeat_ms, on_repeat, c); /* A, E */
	send_request(c);
	*cp = c;
	return 0;
}

static int ack_send(struct sip_ctx *c, const struct sip_msg *res)
{
	struct buf b;

	if (!c->ack) {
		buf_init(&b, SIP_HEAD_MAX_BYTES);
		if (!sip_make_from_invite(&b, text_make(c->request, c->request_n), "ACK", res))
			c->ack = buf_take(&b, &c->ack_n);
		buf_free(&b);
	}
	return c->ack ? c->txns->send(&c->path, c->ack, c->ack_n, c->txns->send_arg) : 0;
}

/* RFC 3261 17.1.1.2, a 300-699: acknowledged each time. An ACK that cannot leave ends the transaction, and its user hears why. */
static void refused(struct sip_ctx *c, const struct sip_msg *res, bool first)
{
	struct sip_txns *x = c->txns;
	int err = c->invite ? ack_send(c, res) : 0;

	c->state = CTX_COMPLETED;
	if (!first)
		x->repeats++;
	if (err) {
		c->send_failed = true;
		tmr_start(x->loop, &c->end, 0, on_end, c);
	} else if (first) {
		tmr_start_lax(x->loop, &c->end, sip_path_reliable(&c->path) ? 0 : c->invite ? x->t.td : x->t.t4, on_end, c); /* D, K */
	}
}

static void provisional(struct sip_ctx *c, const struct sip_msg *res)
{
	if (c->state > CTX_PROCEEDING)
		return;
	c->state = CTX_PROCEEDING;
	if (c->invite) {
		tmr_cancel(&c->repeat);
		tmr_cancel(&c->end); /* how long it may ring is the user's business (timer C) */
	}
	if (c->h)
		c->h(c, SIP_CTX_PROVISIONAL, res, c->arg);
}

static void final(struct sip_ctx *c, const struct sip_msg *res)
{
	bool accepted = c->invite && res->status < 300, first = c->state < CTX_COMPLETED;

	tmr_cancel(&c->repeat);
	/* What another fork says after the first final answer: RFC 6026 leaves it to die out. */
	if (!first && accepted != (c->state == CTX_ACCEPTED))
		return;
	if (!accepted) {
		refused(c, res, first);
	} else if (first) {
		c->state = CTX_ACCEPTED;
		tmr_start_lax(c->txns->loop, &c->end, c->txns->t.t1 * 64, on_end, c); /* M */
	}
	if ((first || accepted) && c->h)
		c->h(c, SIP_CTX_FINAL, res, c->arg);
}

bool sip_ctx_receive(struct sip_txns *x, const struct sip_msg *res)
{
	struct hash_entry *e;
	struct sip_ctx *c;
	char key[sizeof(c->key)];

	key_make(key, sizeof(key), res->via.branch, res->cseq.method_text);
	e = hash_find(x->clients, text_of(key));
	if (!e)
		return false;
	c = HASH_MEMBER(e, struct sip_ctx, by_key);
	if (c->send_failed)
		return true;
	mem_ref(c);
	if (res->status < 200)
		provisional(c, res);
	else
		final(c, res);
	mem_unref(c);
	return true;
}

void sip_ctx_forget(struct sip_ctx *c)
{
	if (!c || c->state == CTX_OVER)
		return;
	c->h = NULL;
	if (!tmr_active(&c->end))
		tmr_start(c->txns->loop, &c->end, c->txns->t.tb, on_end, c);
}

static int64_t left(const struct tmr *t)
{
	return tmr_active(t) ? tmr_left_ms(t) : -1;
}

struct sip_txn_look sip_ctx_look(const struct sip_ctx *c)
{
	static const char *const names[] = {
		[CTX_CALLING] = "Calling", [CTX_PROCEEDING] = "Proceeding", [CTX_COMPLETED] = "Completed", [CTX_ACCEPTED] = "Accepted", [CTX_OVER] = "Terminated",
	};
	const char *state = c->send_failed ? "Terminated" : c->state == CTX_CALLING && !c->invite ? "Trying" : names[c->state];

	return (struct sip_txn_look){ state, left(&c->repeat), left(&c->end) };
}

struct text sip_ctx_request(const struct sip_ctx *c)
{
	return text_make(c->request, c->request_n);
}

const struct sip_path *sip_ctx_path(const struct sip_ctx *c)
{
	return &c->path;
}

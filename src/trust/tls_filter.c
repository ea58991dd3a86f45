/* SPDX-License-Identifier: Apache-2.0 */
/* tls_filter.c  Glue between a connection and the engine.
 *
 * While a worker has the engine (busy), bytes from below wait in `pending` and an end of the connection waits for the worker's return;
 * the connection is held by a reference. A full pool is tried again shortly: calls come before handshakes, and the handshake's own limit
 * says when it is too late.                                                                                                       */
#include "trust/tls_filter.h"
#include <errno.h>
#include "base/mem.h"
#include "net/tmr.h"

enum { PENDING_MAX = 256 * 1024, CHUNK = 16384, RETRY_MS = 20, REST_MS = 5000 };

static const char filter_name[] = "tls";

struct filter {
	struct tls *tls;
	struct loop *loop;
	struct pool *crypto;
	uint32_t handshake_ms;
	struct conn *conn; /* borrowed; held by a reference while busy */
	bool busy, ending, up, need_step;
	bool moved; /* records, since the timer was started */
	struct conn_end *end; /* of the connection, while ending */
	struct buf pending;   /* ciphertext that came while busy */
	struct tmr retry, rest;
	struct trust_facts known; /* before the worker took over */
};

static void progress(struct filter *x);
static void end_filter(struct filter *x);

static enum trust_end end_of(const struct conn_end *end)
{
	switch (end->how) {
	case CONN_LOCAL: return TRUST_LOCAL;
	case CONN_FIN: return TRUST_FIN;
	case CONN_CLOSE_NOTIFY: return TRUST_CLOSE_NOTIFY;
	case CONN_RST: return TRUST_RST;
	case CONN_TIMEOUT: return TRUST_TIMED_OUT;
	case CONN_ERROR: break;
	}
	return TRUST_FAILED;
}

void facts_conn_end(struct trust_facts *f, const struct conn_end *end)
{
	if (!f)
		return;
	bool reached = end->established || f->connected || f->tls.started || end->how == CONN_FIN || end->how == CONN_CLOSE_NOTIFY;
	if (f->role == TRUST_DIALLED && !reached && (end->how == CONN_ERROR || end->how == CONN_TIMEOUT || end->how == CONN_RST)) {
		facts_connect(f, end->err ? end->err : ETIMEDOUT, 0);
		return;
	}
	if (f->role == TRUST_DIALLED && !f->connect_tried)
		facts_connect(f, 0, 0);
	facts_closed(f, end_of(end), end->err, end->established ? end->since_established_ms : 0);
}

/* ---- rest: who says nothing for five to ten seconds gives the buffers of records back ---- */

static void on_quiet(void *arg)
{
	struct filter *x = arg;
	if (x->moved || !tls_rest(x->tls))
		tmr_start_lax(x->loop, &x->rest, REST_MS, on_quiet, x);
	x->moved = false;
}

static void moving(struct filter *x)
{
	x->moved = true;
	if (x->up && !tmr_active(&x->rest))
		tmr_start_lax(x->loop, &x->rest, REST_MS, on_quiet, x);
}

/* ---- moving bytes; never while busy ---- */

static int drain(struct filter *x)
{
	uint8_t out[CHUNK] MEM_NOT_CLEARED;
	size_t n;
	int err = 0;
	while (!err && (n = tls_drain(x->tls, out, sizeof out)) > 0)
		err = conn_down(x->conn, out, n);
	return err;
}

/* Hands plaintext up. ECONNABORTED: the user closed. EPROTO: the peer broke it, or refused us late. */
static int give(struct filter *x)
{
	uint8_t in[CHUNK] MEM_NOT_CLEARED;
	size_t n;
	int err;
	while ((err = tls_read(x->tls, in, sizeof in, &n)) == 0)
		if ((err = conn_up(x->conn, in, n)) != 0)
			return err;
	return err == EAGAIN || err == EPIPE ? 0 : err;
}

static void step_done(enum pool_result result, int err, void *arg)
{
	struct filter *x = arg;
	struct conn *c = x->conn;
	(void)err;
	x->busy = false;
	if (result != POOL_CANCELLED)
		progress(x);
	else if (x->ending)
		end_filter(x);
	else if (conn_is_open(c))
		conn_filter_fail(c, CONN_ERROR, ECANCELED);
	mem_unref(c);
}

static int work(void *arg)
{
	struct filter *x = arg;
	return tls_step(x->tls) == EPROTO ? EPROTO : 0;
}

static void try_again(void *arg)
{
	struct filter *x = arg;
	struct conn *c = mem_ref(x->conn);
	progress(x);
	mem_unref(c);
}

/* Gives the engine to a worker, or steps here when there is no pool. True: the worker has it, or the pool is full and it waits. */
static bool hand_over(struct filter *x)
{
	if (!x->crypto) {
		x->need_step = false;
		(void)tls_step(x->tls);
		return false;
	}
	x->known = *tls_facts(x->tls);
	if (pool_submit(x->crypto, work, step_done, x)) {
		tmr_start(x->loop, &x->retry, RETRY_MS, try_again, x);
		return true;
	}
	mem_ref(x->conn);
	x->need_step = false;
	x->busy = true;
	return true;
}

static int take_pending(struct filter *x)
{
	int err = x->pending.n ? tls_feed(x->tls, x->pending.p, x->pending.n) : 0;
	x->need_step = x->need_step || x->pending.n;
	buf_clear(&x->pending);
	return err;
}

static void end_now(struct filter *x)
{
	struct conn_end *end = x->end;
	struct trust_facts *f = tls_facts(x->tls);
	if (end->how == CONN_TIMEOUT && !tls_done(x->tls)) {
		f->tls.stalled = true;
		f->tls.handshake_ms = x->handshake_ms;
	}
	uint8_t rest[CHUNK];
	size_t n;
	while (tls_done(x->tls) && tls_read(x->tls, rest, sizeof rest, &n) == 0)
		; /* only for the alert or the goodbye behind it */
	if (end->how == CONN_FIN && tls_heard_goodbye(x->tls))
		end->how = CONN_CLOSE_NOTIFY;
	facts_conn_end(f, end);
}

static void end_filter(struct filter *x)
{
	end_now(x);
	conn_filter_ended(x->conn);
}

/* Steps as long as there are bytes for it. True: a worker has the engine, or will soon. */
static bool steps(struct filter *x, int *err)
{
	for (;;) {
		*err = drain(x);
		if (!*err && x->pending.n && !tls_failed(x->tls))
			*err = take_pending(x);
		if (*err || !x->need_step || tls_done(x->tls) || tls_failed(x->tls))
			return false;
		if (hand_over(x))
			return true;
	}
}

/* After each step, wherever it ran: say what the engine wants to say, then up, on, or down. */
static void progress(struct filter *x)
{
	struct conn *c = x->conn;
	int err = 0;
	if (x->busy || steps(x, &err))
		return;
	if (x->ending) {
		end_filter(x);
		return;
	}
	if (tls_failed(x->tls))
		err = EPROTO;
	if (!err && tls_done(x->tls) && !x->up) {
		x->up = true;
		conn_filter_timeout(c, 0);
		conn_filter_up(c);
	}
	if (!err && x->up) {
		moving(x);
		err = give(x);
	}
	if (err != ECONNABORTED && conn_is_open(c) && (err || tls_heard_goodbye(x->tls)))
		conn_filter_fail(c, err ? CONN_ERROR : CONN_CLOSE_NOTIFY, err);
}

/* ---- what the connection calls ---- */

static int on_start(struct conn *c, void *state)
{
	struct filter *x = state;
	x->conn = c;
	if (tls_facts(x->tls)->role == TRUST_DIALLED)
		facts_connect(tls_facts(x->tls), 0, 0);
	conn_filter_timeout(c, x->handshake_ms);
	if (tls_facts(x->tls)->role == TRUST_ACCEPTED)
		return 0; /* the client speaks first */
	x->need_step = true;
	progress(x);
	return 0;
}

static int on_below(struct conn *c, void *state, const uint8_t *data, size_t n)
{
	struct filter *x = state;
	int err = x->up && !x->busy ? tls_feed(x->tls, data, n) : buf_put(&x->pending, data, n);
	if (err || x->busy || tmr_active(&x->retry))
		return err;
	mem_ref(c);
	progress(x); /* drains too: an answer of the protocol itself, such as a key update */
	mem_unref(c);
	return 0;
}

static int on_above(struct conn *c, void *state, const uint8_t *data, size_t n)
{
	struct filter *x = state;
	(void)c;
	moving(x);
	int err = tls_write(x->tls, data, n);
	return err ? err : drain(x);
}

static bool on_ending(struct conn *c, void *state, struct conn_end *end)
{
	struct filter *x = state;
	(void)c;
	if (!x->conn)
		return false;
	x->end = end;
	tmr_cancel(&x->retry);
	tmr_cancel(&x->rest);
	if (x->busy) {
		x->ending = true;
		return true;
	}
	if (x->pending.n && !tls_failed(x->tls) && !take_pending(x) && !tls_done(x->tls))
		(void)tls_step(x->tls); /* the last words may be an alert: too short to send them to a worker */
	end_now(x);
	return false;
}

static void on_goodbye(struct conn *c, void *state)
{
	struct filter *x = state;
	(void)c;
	tls_close(x->tls);
	(void)drain(x);
	facts_closed(tls_facts(x->tls), TRUST_LOCAL, 0, 0);
}

static void on_destroy(void *state)
{
	struct filter *x = state;
	tmr_cancel(&x->retry);
	tmr_cancel(&x->rest);
	tls_destroy(x->tls);
	buf_free(&x->pending);
	mem_free(x);
}

int tls_filter_make(struct conn_filter *out, const struct tls_filter_prm *prm)
{
	struct filter *x = mem_zalloc(1, sizeof *x);
	if (!x)
		return ENOMEM;
	int err = tls_create(&x->tls, &prm->tls);
	if (err) {
		mem_free(x);
		return err;
	}
	x->loop = prm->loop;
	x->crypto = prm->crypto;
	x->handshake_ms = prm->handshake_ms ? prm->handshake_ms : TLS_HANDSHAKE_MS;
	buf_init(&x->pending, PENDING_MAX);
	*out = (struct conn_filter){ .name = filter_name, .state = x, .start = on_start, .below = on_below, .above = on_above,
				     .ending = on_ending, .goodbye = on_goodbye, .destroy = on_destroy };
	return 0;
}

struct tls *tls_of_conn(const struct conn *c)
{
	struct filter *x = conn_filter_state(c, filter_name);
	return x && !x->busy ? x->tls : NULL;
}

bool tls_conn_facts(const struct conn *c, struct trust_facts *out)
{
	struct filter *x = conn_filter_state(c, filter_name);
	if (!x)
		return false;
	*out = x->busy ? x->known : *tls_facts(x->tls);
	return true;
}

struct trust_facts *tls_conn_own_facts(const struct conn *c)
{
	struct tls *t = tls_of_conn(c);
	return t ? tls_facts(t) : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* transaction.c  The table of transactions, and the requests that repeat another one's headers. */
#include <errno.h>
#include "base/mem.h"
#include "base/rand.h"
#include "sip/transaction_private.h"
#include "sip/transaction_ends.h"
#include "sip/writer.h"

void sip_timers_fill(struct sip_timers *t)
{
	if (!t->t1)
		t->t1 = 500;
	if (!t->t2)
		t->t2 = t->t1 * 8;
	if (!t->t4)
		t->t4 = t->t1 * 10;
	if (!t->tb)
		t->tb = t->t1 * 64;
	if (!t->tc)
		t->tc = 180000;
	if (!t->td)
		t->td = t->t1 * 64;
	if (!t->connect_ms)
		t->connect_ms = 4000;
	if (!t->handshake_ms)
		t->handshake_ms = 10000;
	if (!t->message_ms)
		t->message_ms = 20000;
	if (!t->idle_ms)
		t->idle_ms = 15 * 60 * 1000;
	if (!t->receipt_ms)
		t->receipt_ms = 6000;
	if (!t->transfer_ms)
		t->transfer_ms = 60000;
	if (!t->refer_ms)
		t->refer_ms = t->t1 * 20;
	if (!t->rtp_timeout_ms)
		t->rtp_timeout_ms = 30000;
	if (!t->session_s)
		t->session_s = 1800;
	if (!t->min_session_s)
		t->min_session_s = 90;
	if (!t->first_notify_ms)
		t->first_notify_ms = t->t1 * 64;
}

int sip_txns_create(struct sip_txns **tp, struct loop *loop, const struct sip_timers *timers, unsigned max, sip_txn_send_h *send, void *arg)
{
	int err = ENOMEM;
	struct sip_txns *x = mem_zalloc(1, sizeof(*x));

	if (!x)
		return ENOMEM;
	x->loop = loop;
	x->t = *timers;
	x->max = max;
	x->send = send;
	x->send_arg = arg;
	list_init(&x->server_list);
	list_init(&x->client_list);
	if ((err = hash_create(&x->servers, 256)) || (err = hash_create(&x->merges, 256)) || (err = hash_create(&x->clients, 256)))
		goto out;
	*tp = x;
	return 0;
out:
	sip_txns_destroy(x);
	return err;
}

void sip_txns_destroy(struct sip_txns *x)
{
	if (!x)
		return;
	sip_stx_end_all(x);
	LIST_FOREACH (&x->client_list, it)
		sip_ctx_end(sip_ctx_of_link(it));
	hash_destroy(x->servers);
	hash_destroy(x->merges);
	hash_destroy(x->clients);
	mem_free(x);
}

unsigned sip_txns_count(const struct sip_txns *x)
{
	return x->count;
}

uint64_t sip_txns_repeats(const struct sip_txns *x)
{
	return x->repeats;
}

void sip_branch_make(char branch[SIP_BRANCH_SIZE])
{
	enum { COOKIE = 7 };
	memcpy(branch, "z9hG4bK", COOKIE);
	rand_token(branch + COOKIE, 20);
}

/* RFC 3261 17.1.1.3 and 9.1: the same Request-URI, Via (one), From, Call-ID, CSeq number and Route as the INVITE. */
int sip_make_from_invite(struct buf *b, struct text req, const char *method, const struct sip_msg *res)
{
	struct sip_msg *m = mem_alloc(sizeof(*m));
	int err;

	if (!m)
		return ENOMEM;
	err = sip_msg_parse(m, req.p, req.n, NULL);
	if (err)
		goto out;
	sip_put_request(b, method, m->uri.whole);
	sip_put_header(b, "Via", m->via.whole);
	sip_put_max_forwards(b);
	sip_put_copy(b, m, SIP_HDR_ROUTE);
	sip_put_copy(b, m, SIP_HDR_FROM);
	sip_put_copy(b, res ? res : m, SIP_HDR_TO);
	sip_put_copy(b, m, SIP_HDR_CALL_ID);
	sip_put_cseq(b, m->cseq.number, method);
	sip_put_end(b);
	err = buf_error(b);
out:
	mem_free(m);
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* secure.c  The keys of a port at work (srtp.h): made on the loop thread, used by the media thread alone, and handed back to be freed.
 *
 * While a call changes its key, packets under the one before are on their way: they are taken for a while longer. A key that stays keeps its
 * context, and with it roll-over counter and window; that is what both sides of a call agree upon by saying it again (RFC 4568 7.1.4). */
#include <errno.h>
#include "base/mem.h"
#include "media/media_private.h"

enum { GRACE_US = 3000000, TELL_AT = 10 };

struct secure {
	struct secure *next;
	struct srtp *tx, *rx;
	int64_t until_us;       /* of the one before */
	uint32_t failed, plain; /* packets from the peer's address: all that were not genuine; those of them that look like plain RTP */
	bool told;
};

/* ---- loop thread ---- */
static int context(struct srtp **sp, struct srtp *told, const struct srtp_key *key, bool send)
{
	if (!told || !srtp_is(told, key))
		return srtp_new(sp, key, send);
	*sp = mem_ref(told);
	return 0;
}

int secure_make(struct media_port *port, const struct media_stream *s, struct secure **sp)
{
	*sp = NULL;
	if (!s->send_key && !s->recv_key)
		return 0;
	if (!s->send_key || !s->recv_key)
		return EINVAL;
	struct secure *x = mem_zalloc(1, sizeof *x);
	int err = x ? context(&x->tx, port->tx_told, s->send_key, true) : ENOMEM;
	if (!err)
		err = context(&x->rx, port->rx_told, s->recv_key, false);
	if (err)
		secure_free(x);
	else
		*sp = x;
	return err;
}

void secure_told(struct media_port *port, const struct secure *s)
{
	struct srtp *tx = s ? mem_ref(s->tx) : NULL, *rx = s ? mem_ref(s->rx) : NULL;
	mem_unref(port->tx_told);
	mem_unref(port->rx_told);
	port->tx_told = tx;
	port->rx_told = rx;
}

void secure_free(struct secure *s)
{
	while (s) {
		struct secure *next = s->next;
		mem_unref(s->tx);
		mem_unref(s->rx);
		mem_free(s);
		s = next;
	}
}

const char *secure_suite_name(const struct media_port *port)
{
	return port->rx_told ? srtp_suite_name(srtp_suite_of(port->rx_told)) : "";
}

/* ---- media thread ---- */
static void done(struct media_port *port, struct secure *s)
{
	if (!s)
		return;
	s->next = port->secure_done;
	port->secure_done = s;
}

void secure_start(struct media_port *port, struct secure *s, int64_t now_us)
{
	struct secure *now = port->secure;
	if (now && s && now->tx == s->tx && now->rx == s->rx) { /* nothing new, and it goes on counting */
		done(port, s);
		return;
	}
	if (s && !port->started)
		port->seq &= 0x7fff; /* so that the first packets may be lost without a wrong guess of the roll-over counter (RFC 3711 3.3.1) */
	if (now && s && now->rx != s->rx)
		srtp_inherit(s->rx, now->rx);
	done(port, port->secure_was);
	port->secure_was = NULL;
	if (now && s && now->rx != s->rx) {
		now->until_us = now_us + GRACE_US;
		port->secure_was = now;
	} else {
		done(port, now); /* plain from now on: what was encrypted before is of no use */
	}
	port->secure = s;
}

void secure_turn(struct media_thread *t, struct media_port *port, int64_t now_us)
{
	struct secure *s = port->secure;
	if (s && s->failed >= TELL_AT && !s->told) {
		s->told = true;
		thread_emit(t, &(struct media_msg){ .type = MEDIA_SRTP_FAILED, .port = port, .count = s->failed, .heard = s->plain * 2 > s->failed });
	}
	if (port->secure_was && now_us >= port->secure_was->until_us) {
		done(port, port->secure_was);
		port->secure_was = NULL;
	}
	if (port->secure_done) { /* all of them in one message */
		thread_emit(t, &(struct media_msg){ .type = MEDIA_SECURE_OVER, .port = port, .secure = port->secure_done });
		port->secure_done = NULL;
	}
}

/* A whole number of milliseconds of G.711: no tag of SRTP leaves that. */
static bool looks_plain(const struct media_port *port, const uint8_t *p, size_t n)
{
	size_t head = srtp_head(p, n);
	return head && (p[1] & 0x7f) == port->cfg.recv_pt && n > head && (n - head) % 80 == 0;
}

static void failed(struct media_port *port, bool plain)
{
	atomic_fetch_add_explicit(&port->count.not_genuine, 1, memory_order_relaxed);
	port->secure->failed++;
	port->secure->plain += plain;
}

bool secure_open(struct media_port *port, uint8_t *p, size_t *n, bool known_address)
{
	MEM_NOT_CLEARED uint8_t kept[RTP_PACKET_MAX];
	size_t had = *n;
	bool plain = known_address && looks_plain(port, p, had);
	if (port->secure_was && had <= sizeof kept)
		memcpy(kept, p, had);
	int err = srtp_open(port->secure->rx, p, n);
	if (err && err != EALREADY && port->secure_was && had <= sizeof kept) {
		memcpy(p, kept, had);
		*n = had;
		err = srtp_open(port->secure_was->rx, p, n);
	}
	if (err == EALREADY)
		atomic_fetch_add_explicit(&port->count.repeated, 1, memory_order_relaxed);
	else if (err && known_address)
		failed(port, plain);
	return !err;
}

bool secure_open_rtcp(struct media_port *port, uint8_t *p, size_t *n)
{
	return !srtcp_open(port->secure->rx, p, n);
}

size_t secure_seal(struct media_port *port, uint8_t *p, size_t head, const uint8_t *payload, size_t n)
{
	size_t total;
	return srtp_seal(port->secure->tx, p, head, payload, n, &total) ? 0 : total;
}

size_t secure_seal_rtcp(struct media_port *port, uint8_t *p, size_t n)
{
	size_t total;
	return srtcp_seal(port->secure->tx, p, n, &total) ? 0 : total;
}

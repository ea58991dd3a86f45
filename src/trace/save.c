/* SPDX-License-Identifier: Apache-2.0 */
/* save.c  From the ring to a pcapng file: which connections are written as bytes with their keys, which as messages. Two passes: keys stand
 * before the packets that they open. */
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "trace/frame.h"
#include "trace/pcapng.h"
#include "trace/redact.h"
#include "trace/trace_private.h"
#include "trace_events.h"

enum { WIRE = 0, MESSAGES = 1 };              /* interfaces of the file */
enum { SEGMENT = 32768, FIRST_SEQ = 1000 };
enum { OUT, IN };

struct save {
	struct trace *t;
	const struct trace_want *only;
	bool redact, no_secrets;
	char call_id[TRACE_CALL_ID];
	struct buf *out;
	struct trace_saved *saved;
	int err;
};

/* ---- what is wanted ---- */

/* Somebody who never got so far as to be recognised may still be the gateway: by the address of one who did. */
static bool host_of_gateway(struct save *s, const struct trace_conn *c, const char *gateway)
{
	LIST_FOREACH (&s->t->ring, it) {
		const struct trace_entry *e = LIST_ENTRY(it, struct trace_entry, link);
		const char *name = e->conn ? e->conn->gateway : e->gateway;
		const struct net_addr *peer = e->conn ? &e->conn->peer : &e->peer;
		if (strcmp(name, gateway) == 0 && net_addr_eq_host(peer, &c->peer))
			return true;
	}
	return false;
}

static bool gateway_wanted(struct save *s, const struct trace_entry *e)
{
	const char *gateways[] = { s->t->want.gateway, s->only->gateway };
	for (unsigned i = 0; i < 2; i++) {
		if (!gateways[i][0])
			continue;
		if (!e->conn && strcmp(e->gateway, gateways[i]) != 0)
			return false;
		if (e->conn && e->conn->gateway[0] && strcmp(e->conn->gateway, gateways[i]) != 0)
			return false;
		if (e->conn && !e->conn->gateway[0] && !host_of_gateway(s, e->conn, gateways[i]))
			return false;
	}
	return true;
}

static bool call_wanted(const struct save *s, const struct trace_entry *e)
{
	const char *call = s->only->call;
	return !call[0] || (e->kind == TRACE_MESSAGE && (strcmp(call, e->session) == 0 || strcmp(call, e->call_id) == 0 ||
							 (s->call_id[0] && strcmp(s->call_id, e->call_id) == 0)));
}

static void learn_call_id(struct save *s)
{
	s->call_id[0] = '\0';
	LIST_FOREACH (&s->t->ring, it) {
		const struct trace_entry *e = LIST_ENTRY(it, struct trace_entry, link);
		if (s->only->call[0] && e->kind == TRACE_MESSAGE && strcmp(s->only->call, e->session) == 0)
			text_fill(s->call_id, sizeof s->call_id, e->call_id);
	}
}

/* As bytes: nothing is missing, nothing is to be struck out of it, and it is not one call among others. */
static bool as_bytes(const struct save *s, const struct trace_conn *c)
{
	if (s->redact || s->only->call[0] || s->t->want.call[0])
		return false;
	return c->tls ? (c->whole && !c->lost) || s->no_secrets : c->whole && !c->lost;
}

/* ---- packets ---- */

static void count(struct save *s, int err)
{
	if (err && !s->err)
		s->err = err;
	s->saved->packets += !err;
}

static struct net_addr source(const struct net_addr *a, const struct net_addr *like)
{
	struct net_addr any = *a;
	if (!net_addr_is_set(a) || net_addr_is_v6(a) != net_addr_is_v6(like))
		net_addr_parse(&any, net_addr_is_v6(like) ? TEXT("::") : TEXT("0.0.0.0"), 0);
	return any;
}

static void segment(struct save *s, struct trace_conn *c, int64_t us, int way, unsigned flags, const char *p, size_t n)
{
	uint8_t head[FRAME_HEAD_MAX];
	struct net_addr local = source(&c->local, &c->peer);
	const struct net_addr *from = way == IN ? &c->peer : &local, *to = way == IN ? &local : &c->peer;
	size_t h = frame_tcp(head, from, to, c->seq[way], c->seq[1 - way], flags, p, n);
	count(s, pcapng_packet(s->out, WIRE, us, way == IN ? PCAPNG_IN : PCAPNG_OUT, text_make(head, h), text_make(p, n), TEXT_NONE));
	c->seq[way] += (uint32_t)n + (flags & (FRAME_SYN | FRAME_FIN) ? 1 : 0);
}

static void open_stream(struct save *s, struct trace_conn *c, int64_t us)
{
	int first = c->opened ? OUT : IN;
	if (c->begun)
		return;
	c->begun = true;
	segment(s, c, us, first, FRAME_SYN, NULL, 0);
	segment(s, c, us, 1 - first, FRAME_SYN | FRAME_ACK, NULL, 0);
	segment(s, c, us, first, FRAME_ACK, NULL, 0);
}

static void bytes(struct save *s, const struct trace_entry *e)
{
	open_stream(s, e->conn, e->us);
	for (size_t at = 0; at < e->n; at += SEGMENT)
		segment(s, e->conn, e->us, e->in ? IN : OUT, FRAME_PSH | FRAME_ACK, e->data + at, e->n - at < SEGMENT ? e->n - at : SEGMENT);
}

/* A connection that never came up has its SYN, and the reset if there was one. */
static void ending(struct save *s, const struct trace_entry *e)
{
	struct trace_conn *c = e->conn;
	if (!c->begun) {
		c->begun = true;
		segment(s, c, e->us, OUT, FRAME_SYN, NULL, 0);
		if (e->err == ECONNREFUSED || e->err == ECONNRESET)
			segment(s, c, e->us, IN, FRAME_RST | FRAME_ACK, NULL, 0);
		return;
	}
	int by = e->how == CONN_FIN || e->how == CONN_CLOSE_NOTIFY || e->how == CONN_RST ? IN : OUT;
	segment(s, c, e->us, by, (e->how == CONN_RST ? FRAME_RST : FRAME_FIN) | FRAME_ACK, NULL, 0);
	if (e->how != CONN_RST) { /* later by the least that can be written: who was first is what counts */
		segment(s, c, e->us + 1, 1 - by, FRAME_FIN | FRAME_ACK, NULL, 0);
		segment(s, c, e->us + 2, by, FRAME_ACK, NULL, 0);
	}
}

static void message(struct save *s, const struct trace_entry *e)
{
	char comment[512], *copy = mem_alloc(e->n + 1);
	struct buf tags;
	uint8_t head[FRAME_HEAD_MAX];
	size_t h;
	if (!copy) {
		s->err = ENOMEM;
		return;
	}
	buf_init(&tags, 1024);
	memcpy(copy, e->data, e->n);
	if (s->redact)
		trace_redact(copy, e->n);
	struct net_addr local = source(&e->local, &e->peer);
	const struct net_addr *from = e->in ? &e->peer : &local, *to = e->in ? &local : &e->peer;
	text_print(comment, sizeof comment, "%s%s%s%s%s", e->gateway[0] ? "gateway " : "", e->gateway, e->session[0] ? " session " : "", e->session,
		   e->transport == NET_TLS ? " (came within TLS)" : "");
	enum pcapng_way way = e->in ? PCAPNG_IN : PCAPNG_OUT;
	if (e->transport == NET_UDP && e->n <= FRAME_PAYLOAD_MAX) {
		h = frame_udp(head, from, to, copy, e->n);
		count(s, pcapng_packet(s->out, WIRE, e->us, way, text_make(head, h), text_make(copy, e->n), text_of(comment)));
	} else if (frame_pdu(&tags, "sip", e->transport != NET_UDP, from, to) == 0) {
		count(s, pcapng_packet(s->out, MESSAGES, e->us, way, buf_as_text(&tags), text_make(copy, e->n), text_of(comment)));
	}
	buf_free(&tags);
	mem_free_secret(copy, e->n + 1);
}

static bool wanted(struct save *s, const struct trace_entry *e)
{
	return gateway_wanted(s, e) && call_wanted(s, e);
}

static void packets(struct save *s)
{
	LIST_FOREACH (&s->t->ring, it) {
		const struct trace_entry *e = LIST_ENTRY(it, struct trace_entry, link);
		bool raw = e->conn && as_bytes(s, e->conn);
		if (s->err || !wanted(s, e))
			continue;
		if (e->kind == TRACE_MESSAGE) {
			if (!raw)
				message(s, e);
		} else if (raw && e->kind == TRACE_BYTES) {
			bytes(s, e);
		} else if (raw && e->kind == TRACE_END) {
			ending(s, e);
		}
	}
}

/* ---- keys ---- */

static void keys(struct save *s)
{
	struct buf lines;
	uint8_t random[TRACE_RANDOM];
	buf_init(&lines, 16 << 20);
	LIST_FOREACH (&s->t->ring, it) {
		struct trace_conn *c = LIST_ENTRY(it, struct trace_entry, link)->conn;
		if (c) {
			c->seq[OUT] = c->seq[IN] = FIRST_SEQ;
			c->begun = !c->whole;
			c->keys_written = false;
		}
	}
	LIST_FOREACH (&s->t->ring, it) {
		struct trace_entry *e = LIST_ENTRY(it, struct trace_entry, link);
		struct trace_conn *c = e->conn;
		if (!c || s->no_secrets || e->kind != TRACE_BYTES || !as_bytes(s, c) || !wanted(s, e) || c->keys_written)
			continue;
		if (trace_hello_random(c->hello, c->n_hello, random))
			s->saved->keys += trace_keys_of(s->t, random, &lines);
		c->keys_written = true;
	}
	if (buf_error(&lines))
		s->err = buf_error(&lines);
	else if (lines.n)
		s->err = pcapng_secrets(s->out, buf_as_text(&lines));
	if (lines.p)
		mem_wipe(lines.p, lines.room);
	buf_free(&lines);
}

int trace_save(struct trace *t, const struct trace_want *only, struct buf *out, struct trace_saved *saved, struct ev_report *why)
{
	struct save s = { .t = t, .only = only, .redact = only->redact || t->want.redact, .out = out, .saved = saved };
	if (!t->kept) {
		ev_set(why, EV_TRACE_NONE);
		return ENOENT;
	}
	s.no_secrets = s.redact || only->no_secrets || t->want.no_secrets;
	*saved = (struct trace_saved){ 0 };
	learn_call_id(&s);
	pcapng_section(out, "Umbel " UMBEL_VERSION);
	pcapng_interface(out, PCAPNG_RAW, "sockets");
	pcapng_interface(out, PCAPNG_UPPER_PDU, "messages");
	keys(&s);
	if (!s.err)
		packets(&s);
	return s.err ? s.err : buf_error(out);
}

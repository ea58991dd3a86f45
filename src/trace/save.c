/* SPDX-License-Identifier: Apache-2.0 */
/* save.c  From what was taken to a pcapng file, piece by piece: which connections are written as bytes with their keys, which as messages. The keys
 * stand before the packets that they open, so all that is wanted is known before the first packet is written. On a worker.  */
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "trace/frame.h"
#include "trace/pcapng.h"
#include "trace/redact.h"
#include "trace/take_private.h"

enum { WIRE = 0, MESSAGES = 1 };              /* interfaces of the file */
enum { SEGMENT = 32768, FIRST_SEQ = 1000, HOSTS_MAX = 256 };
enum { OUT, IN };

struct save {
	struct trace_taken *k;
	struct buf *out;
	int err;
};

/* ---- what is wanted ---- */

/* The addresses from which that gateway was heard. */
struct hosts {
	struct net_addr a[HOSTS_MAX];
	unsigned n;
};

static void add_host(struct hosts *h, const struct net_addr *a)
{
	for (unsigned i = 0; i < h->n; i++)
		if (net_addr_eq_host(&h->a[i], a))
			return;
	if (h->n < HOSTS_MAX)
		h->a[h->n++] = *a;
}

static bool has_host(const struct hosts *h, const struct net_addr *a)
{
	for (unsigned i = 0; i < h->n; i++)
		if (net_addr_eq_host(&h->a[i], a))
			return true;
	return false;
}

static void hosts_of(const struct trace_taken *k, const char *gateway, struct hosts *h)
{
	h->n = 0;
	for (unsigned i = 0; i < k->n_conns; i++)
		if (strcmp(k->conn[i].is.gateway, gateway) == 0)
			add_host(h, &k->conn[i].is.peer);
	for (size_t i = 0; i < k->n_entries; i++)
		if (!k->entry[i].conn && strcmp(k->entry[i].e->gateway, gateway) == 0)
			add_host(h, &k->entry[i].e->peer);
}

/* Somebody who never got so far as to be recognised may still be the gateway: by the address of one who did. */
static void want_conns(struct trace_taken *k, const char *gateway, struct hosts *h)
{
	if (!gateway[0])
		return;
	hosts_of(k, gateway, h);
	for (unsigned i = 0; i < k->n_conns; i++) {
		const struct trace_conn *c = &k->conn[i].is;
		bool is = c->gateway[0] ? strcmp(c->gateway, gateway) == 0 : has_host(h, &c->peer);
		k->conn[i].wanted = k->conn[i].wanted && is;
	}
}

static bool gateway_wanted(const struct trace_taken *k, const struct taken_entry *x)
{
	const char *gateways[] = { k->want.gateway, k->only.gateway };
	if (x->conn)
		return x->conn->wanted;
	for (unsigned i = 0; i < 2; i++)
		if (gateways[i][0] && strcmp(x->e->gateway, gateways[i]) != 0)
			return false;
	return true;
}

static bool call_wanted(const struct trace_taken *k, const struct trace_entry *e)
{
	const char *call = k->only.call;
	return !call[0] || (e->kind == TRACE_MESSAGE && (strcmp(call, e->session) == 0 || strcmp(call, e->call_id) == 0 ||
							 (k->call_id[0] && strcmp(k->call_id, e->call_id) == 0)));
}

static bool wanted(const struct trace_taken *k, const struct taken_entry *x)
{
	return gateway_wanted(k, x) && call_wanted(k, x->e);
}

bool trace_taken_wants(const struct trace_taken *k, const struct taken_entry *x)
{
	return wanted(k, x);
}

static void learn_call_id(struct trace_taken *k)
{
	for (size_t i = 0; k->only.call[0] && i < k->n_entries; i++) {
		const struct trace_entry *e = k->entry[i].e;
		if (e->kind == TRACE_MESSAGE && strcmp(k->only.call, e->session) == 0)
			text_fill(k->call_id, sizeof k->call_id, e->call_id);
	}
}

/* As bytes: nothing is missing, nothing is to be struck out of it, and it is not one call among others. */
static bool as_bytes(const struct trace_taken *k, const struct trace_conn *c)
{
	if (k->redact || k->only.call[0] || k->want.call[0])
		return false;
	return c->tls ? (c->whole && !c->lost) || k->no_secrets : c->whole && !c->lost;
}

/* ---- packets ---- */

static void count(struct save *s, int err)
{
	if (err && !s->err)
		s->err = err;
	s->k->saved.packets += !err;
}

static struct net_addr source(const struct net_addr *a, const struct net_addr *like)
{
	struct net_addr any = *a;
	if (!net_addr_is_set(a) || net_addr_is_v6(a) != net_addr_is_v6(like))
		net_addr_parse(&any, net_addr_is_v6(like) ? TEXT("::") : TEXT("0.0.0.0"), 0);
	return any;
}

static void segment(struct save *s, struct taken_conn *c, int64_t us, int way, unsigned flags, const char *p, size_t n)
{
	uint8_t head[FRAME_HEAD_MAX];
	struct net_addr local = source(&c->is.local, &c->is.peer);
	const struct net_addr *from = way == IN ? &c->is.peer : &local, *to = way == IN ? &local : &c->is.peer;
	size_t h = frame_tcp(head, from, to, c->seq[way], c->seq[1 - way], flags, p, n);
	count(s, pcapng_packet(s->out, WIRE, us, way == IN ? PCAPNG_IN : PCAPNG_OUT, text_make(head, h), text_make(p, n), TEXT_NONE));
	c->seq[way] += (uint32_t)n + (flags & (FRAME_SYN | FRAME_FIN) ? 1 : 0);
}

static void open_stream(struct save *s, struct taken_conn *c, int64_t us)
{
	int first = c->is.opened ? OUT : IN;
	if (c->begun)
		return;
	c->begun = true;
	segment(s, c, us, first, FRAME_SYN, NULL, 0);
	segment(s, c, us, 1 - first, FRAME_SYN | FRAME_ACK, NULL, 0);
	segment(s, c, us, first, FRAME_ACK, NULL, 0);
}

static void bytes(struct save *s, struct taken_conn *c, const struct trace_entry *e)
{
	open_stream(s, c, e->us);
	for (size_t at = 0; at < e->n; at += SEGMENT)
		segment(s, c, e->us, e->in ? IN : OUT, FRAME_PSH | FRAME_ACK, e->data + at, e->n - at < SEGMENT ? e->n - at : SEGMENT);
}

/* A connection that never came up has its SYN, and the reset if there was one. */
static void ending(struct save *s, struct taken_conn *c, const struct trace_entry *e)
{
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
	if (s->k->redact)
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

static void packet(struct save *s, const struct taken_entry *x)
{
	bool raw = x->conn && as_bytes(s->k, &x->conn->is);
	if (!wanted(s->k, x))
		return;
	if (x->e->kind == TRACE_MESSAGE) {
		if (!raw)
			message(s, x->e);
	} else if (raw && x->e->kind == TRACE_BYTES) {
		bytes(s, x->conn, x->e);
	} else if (raw && x->e->kind == TRACE_END) {
		ending(s, x->conn, x->e);
	}
}

/* ---- the beginning of the file ---- */

/* Of what began before the trace, or lost something, no SYN is made up. */
static void prepare(struct trace_taken *k, struct hosts *h)
{
	for (unsigned i = 0; i < k->n_conns; i++) {
		struct taken_conn *c = &k->conn[i];
		c->wanted = true;
		c->seq[OUT] = c->seq[IN] = FIRST_SEQ;
		c->begun = !c->is.whole || c->is.lost;
	}
	want_conns(k, k->want.gateway, h);
	want_conns(k, k->only.gateway, h);
	learn_call_id(k);
}

/* The randoms of all connections that are written as bytes, one each. */
static size_t randoms(struct trace_taken *k, trace_random *r)
{
	size_t n = 0;
	for (size_t i = 0; i < k->n_entries; i++) {
		struct taken_conn *c = k->entry[i].conn;
		if (!c || c->keyed || k->entry[i].e->kind != TRACE_BYTES || !as_bytes(k, &c->is) || !wanted(k, &k->entry[i]))
			continue;
		c->keyed = true;
		n += trace_hello_random(c->is.hello, c->is.n_hello, r[n]);
	}
	trace_keys_sort(r, n);
	return n;
}

static int keys(struct save *s)
{
	struct trace_taken *k = s->k;
	struct buf lines;
	if (k->no_secrets)
		return 0;
	trace_random *r = mem_alloc(((size_t)k->n_conns + 1) * sizeof *r);
	if (!r)
		return ENOMEM;
	buf_init(&lines, 16 << 20);
	k->saved.keys = trace_keys_of(k->trace, r, randoms(k, r), &lines);
	int err = buf_error(&lines) ? buf_error(&lines) : lines.n ? pcapng_secrets(s->out, buf_as_text(&lines)) : 0;
	if (lines.p)
		mem_wipe(lines.p, lines.room);
	buf_free(&lines);
	mem_free(r);
	return err;
}

static int begin(struct save *s)
{
	struct hosts *h = mem_alloc(sizeof *h);
	if (!h)
		return ENOMEM;
	s->k->begun = true;
	prepare(s->k, h);
	mem_free(h);
	if (s->k->text)
		return 0;
	pcapng_section(s->out, "Umbel " UMBEL_VERSION);
	pcapng_interface(s->out, PCAPNG_RAW, "sockets");
	pcapng_interface(s->out, PCAPNG_UPPER_PDU, "messages");
	return keys(s);
}

int trace_taken_write(struct trace_taken *k, size_t bytes, struct buf *out, bool *over)
{
	struct save s = { .k = k, .out = out };
	size_t enough = out->n + bytes;
	if (trace_taken_old(k))
		return ECANCELED;
	s.err = k->begun ? 0 : begin(&s);
	if (!s.err && k->text)
		return trace_text_write(k, bytes, out, over);
	while (!s.err && k->at < k->n_entries && out->n < enough) {
		struct taken_entry *x = &k->entry[k->at++];
		packet(&s, x);
		x->e = mem_unref(x->e); /* its memory is not needed for longer */
	}
	*over = k->at == k->n_entries;
	return s.err ? s.err : buf_error(out);
}

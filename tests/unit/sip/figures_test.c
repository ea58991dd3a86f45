/* SPDX-License-Identifier: Apache-2.0 */
/* figures_test.c  The four machines as RFC 3261 17 draws them (figures 5 to 8), with RFC 6026's Accepted states and RFC 4320's changes. First every arrow by
 * name: the state it leaves, what happens, what is sent and told, the state it leads to and the timers that run there. Then thousands of sequences of
 * messages that a network lost, doubled and reordered, against a second reading of the same figures (`model` below) that shares nothing with the product:
 * at each moment both must have said the same, be in the same state and wait for the same.                                                       */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "sip/transaction_private.h"
#include "support/ut.h"

enum figure { FIG5, FIG6, FIG7, FIG8 }; /* INVITE client, other client, INVITE server, other server */
static const char *const method_of[] = { "INVITE", "OPTIONS", "INVITE", "BYE" };

struct words {
	char s[1024];
	size_t n;
};

static void word(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void word(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	w->n += (size_t)vsnprintf(w->s + w->n, sizeof(w->s) - w->n, fmt, ap);
	va_end(ap);
	assert_true(w->n < sizeof(w->s));
}

/* ---- the product, with a clock that the test turns ---- */
struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct sip_txns *txns;
	struct sip_timers t;
	struct sip_path path;
	enum figure figure;
	bool fails; /* nothing can be sent */
	unsigned branch;
	struct sip_ctx *client;
	struct sip_stx *server;
	struct words said;
};

static int on_send(const struct sip_path *path, const void *p, size_t n, void *arg)
{
	struct bench *b = arg;
	const char *s = p;
	int len = (int)n;

	(void)path;
	if (b->fails)
		return ECONNRESET;
	if (n > 11 && !memcmp(s, "SIP/2.0 ", 8))
		s += 8, len = 3;
	else
		len = (int)((const char *)memchr(s, ' ', n) - s);
	word(&b->said, ">%.*s ", len, s);
	return 0;
}

static void open_bench(struct bench *b, const struct sip_timers *t)
{
	memset(b, 0, sizeof(*b));
	b->t = *t;
	sip_timers_fill(&b->t);
	clock_fake_init(&b->clock, 1800000000);
	assert_int_equal(net_addr_parse(&b->path.peer, TEXT("192.0.2.1"), 5060), 0);
	assert_int_equal(loop_create(&b->loop, &b->clock.clock), 0);
	assert_int_equal(sip_txns_create(&b->txns, b->loop, &b->t, 100, on_send, b), 0);
}

static void forget(struct bench *b)
{
	if (b->client)
		sip_ctx_end(b->client);
	b->client = mem_unref(b->client);
	b->server = mem_unref(b->server);
}

static void close_bench(struct bench *b)
{
	forget(b);
	sip_txns_destroy(b->txns);
	loop_destroy(b->loop);
}

static void pass(struct bench *b, int64_t ms)
{
	clock_fake_advance_ms(&b->clock, ms);
	loop_step(b->loop, 0);
}

static void parse(struct sip_msg *m, const char *text)
{
	struct sip_refusal why;

	if (sip_msg_parse(m, text, strlen(text), &why))
		fail_msg("%s", why.sentence);
}

static const char *request(const struct bench *b, char room[512], const char *method)
{
	snprintf(room, 512,
	         "%s sip:100@b.test SIP/2.0\r\nVia: SIP/2.0/UDP a.test:5060;branch=z9hG4bKf%u;rport\r\nFrom: <sip:a@a.test>;tag=1\r\nTo: <sip:100@b.test>\r\n"
	         "Call-ID: x%u\r\nCSeq: 7 %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
	         method, b->branch, b->branch, method);
	return room;
}

static void on_ctx(struct sip_ctx *c, enum sip_ctx_event ev, const struct sip_msg *res, void *arg)
{
	static const char *const words[] = { "provisional", "final", "timeout", "transport", "over" };
	struct bench *b = arg;

	(void)c;
	if (res)
		word(&b->said, "%s:%u ", words[ev], res->status);
	else
		word(&b->said, "%s ", words[ev]);
}

static void on_stx(struct sip_stx *s, enum sip_stx_event ev, void *arg)
{
	static const char *const words[] = { "ack", "no-ack", "over" };
	struct bench *b = arg;

	(void)s;
	word(&b->said, "%s ", words[ev]);
}

static void begin(struct bench *b, enum figure f, enum net_transport transport)
{
	char room[512], branch[SIP_BRANCH_SIZE];
	struct sip_msg m;
	struct buf bytes;

	forget(b);
	b->figure = f;
	b->branch++;
	b->path.transport = transport;
	b->said.n = 0;
	b->said.s[0] = '\0';
	if (f >= FIG7) {
		parse(&m, request(b, room, method_of[f]));
		assert_int_equal(sip_stx_create(&b->server, b->txns, &m, &b->path), 0);
		sip_stx_handler(mem_ref(b->server), on_stx, b);
		return;
	}
	buf_init(&bytes, 4096);
	buf_str(&bytes, request(b, room, method_of[f]));
	snprintf(branch, sizeof(branch), "z9hG4bKf%u", b->branch);
	assert_int_equal(sip_ctx_create(&b->client, b->txns, &b->path, branch, method_of[f], &bytes, on_ctx, b), 0);
	mem_ref(b->client);
	buf_free(&bytes);
}

static struct sip_txn_look look(const struct bench *b)
{
	return b->client ? sip_ctx_look(b->client) : sip_stx_look(b->server);
}

/* A response comes. */
static void comes(struct bench *b, unsigned status)
{
	char room[512];
	struct sip_msg m;

	snprintf(room, sizeof(room),
	         "SIP/2.0 %u X\r\nVia: SIP/2.0/UDP a.test:5060;branch=z9hG4bKf%u\r\nFrom: <sip:a@a.test>;tag=1\r\nTo: <sip:100@b.test>;tag=t\r\n"
	         "Call-ID: x%u\r\nCSeq: 7 %s\r\nContent-Length: 0\r\n\r\n",
	         status, b->branch, b->branch, method_of[b->figure]);
	parse(&m, room);
	(void)sip_ctx_receive(b->txns, &m);
}

/* The request comes again, or its ACK; as the core does it, an ACK in Accepted is the user's. */
static void again(struct bench *b, const char *method)
{
	char room[512];
	struct sip_stx *s;
	struct sip_msg m;

	parse(&m, request(b, room, method));
	s = sip_stx_find(b->txns, &m);
	if (!s)
		return;
	assert_ptr_equal(s, b->server);
	if (m.method == SIP_ACK && sip_stx_accepted(s))
		word(&b->said, "ack-to-user ");
	else
		sip_stx_again(s, &m, &b->path);
}

/* The user answers. */
static void says(struct bench *b, unsigned status)
{
	char room[64];
	int err;

	snprintf(room, sizeof(room), "SIP/2.0 %u X\r\n\r\n", status);
	err = sip_stx_respond(b->server, status, room, strlen(room));
	if (err)
		word(&b->said, "%s ", err == EALREADY ? "too-late" : err == EINVAL ? "not-allowed" : "transport");
}

/* ---- every arrow ---- */
struct arrow {
	enum figure figure;
	enum net_transport transport;
	const char *name;
	/* Words: 100 passes 100 ms, r180 comes, u180 is the user's answer, INVITE or BYE or ACK comes (again), `fails` and `works` are the way from then on.
	 * The transaction begins at `begin`; where there is none, before all. */
	const char *before, *event;
	const char *said; /* during the event */
	const char *state;
	int64_t repeat_ms, end_ms; /* -1: stopped */
};

enum { NO = -1 };
static const struct arrow arrows[] = {
	/* Figure 5: A doubles from T1 without end, B is 64*T1, D at least 32 s or nothing over a stream, M 64*T1. */
	{ FIG5, NET_UDP, "INVITE from the user: sent, A and B", "", "begin", ">INVITE ", "Calling", 500, 32000 },
	{ FIG5, NET_TLS, "INVITE from the user over a stream: no A", "", "begin", ">INVITE ", "Calling", NO, 32000 },
	{ FIG5, NET_UDP, "Calling, A: sent again, A doubled", "", "500", ">INVITE ", "Calling", 1000, 31500 },
	{ FIG5, NET_UDP, "Calling, A for the sixth time: past T2", "15500", "16000", ">INVITE ", "Calling", 32000, 500 },
	{ FIG5, NET_UDP, "Calling, B: the user hears it", "31999", "1", "timeout over ", "Terminated", NO, NO },
	{ FIG5, NET_TCP, "Calling, B over a stream", "31999", "1", "timeout over ", "Terminated", NO, NO },
	{ FIG5, NET_UDP, "Calling, transport error: the user hears it", "fails", "500 1", "transport over ", "Terminated", NO, NO },
	{ FIG5, NET_UDP, "Calling, transport error at once, told later", "fails", "begin 1", "transport over ", "Terminated", NO, NO },
	{ FIG5, NET_UDP, "Calling, 1xx: to the user, nothing runs", "", "r180", "provisional:180 ", "Proceeding", NO, NO },
	{ FIG5, NET_UDP, "Calling, 2xx: to the user, no ACK, M", "", "r200", "final:200 ", "Accepted", NO, 32000 },
	{ FIG5, NET_TLS, "Calling, 2xx over a stream: M all the same", "", "r200", "final:200 ", "Accepted", NO, 32000 },
	{ FIG5, NET_UDP, "Calling, 300-699: ACK, to the user, D", "", "r486", ">ACK final:486 ", "Completed", NO, 32000 },
	{ FIG5, NET_UDP, "Proceeding, 1xx: to the user", "r100", "r183", "provisional:183 ", "Proceeding", NO, NO },
	{ FIG5, NET_UDP, "Proceeding: neither A nor B", "r180", "99999", "", "Proceeding", NO, NO },
	{ FIG5, NET_UDP, "Proceeding, 2xx", "r180", "r202", "final:202 ", "Accepted", NO, 32000 },
	{ FIG5, NET_UDP, "Proceeding, 300-699", "r180", "r699", ">ACK final:699 ", "Completed", NO, 32000 },
	{ FIG5, NET_UDP, "Completed, 300-699: ACK, not to the user, D goes on", "r302 1000", "r302", ">ACK ", "Completed", NO, 31000 },
	{ FIG5, NET_UDP, "Completed, 1xx and 2xx of another fork: nothing", "r486", "r180 r200", "", "Completed", NO, 32000 },
	{ FIG5, NET_UDP, "Completed, transport error: the user hears it", "fails", "r486 1", "final:486 transport over ", "Terminated", NO, NO },
	{ FIG5, NET_UDP, "Completed, transport error at a later ACK", "r486 1000 fails", "r486 1", "transport over ", "Terminated", NO, NO },
	{ FIG5, NET_UDP, "Completed, D", "r486 31999", "1", "over ", "Terminated", NO, NO },
	{ FIG5, NET_TLS, "Completed over a stream: D is 0", "", "r486", ">ACK final:486 ", "Completed", NO, 0 },
	{ FIG5, NET_TLS, "Completed over a stream, D", "r486", "1", "over ", "Terminated", NO, NO },
	{ FIG5, NET_UDP, "Accepted, 2xx: each to the user, M goes on", "r200 1000", "r200", "final:200 ", "Accepted", NO, 31000 },
	{ FIG5, NET_UDP, "Accepted, anything else: nothing", "r200", "r180 r486", "", "Accepted", NO, 32000 },
	{ FIG5, NET_UDP, "Accepted, M", "r200 31999", "1", "over ", "Terminated", NO, NO },

	/* Figure 6: E doubles up to T2 and is T2 in Proceeding, F is 64*T1, K is T4 or nothing over a stream. */
	{ FIG6, NET_UDP, "Request from the user: sent, E and F", "", "begin", ">OPTIONS ", "Trying", 500, 32000 },
	{ FIG6, NET_TLS, "Request from the user over a stream: no E", "", "begin", ">OPTIONS ", "Trying", NO, 32000 },
	{ FIG6, NET_UDP, "Trying, E: sent again, E doubled", "", "500", ">OPTIONS ", "Trying", 1000, 31500 },
	{ FIG6, NET_UDP, "Trying, E: up to T2", "7500", "4000", ">OPTIONS ", "Trying", 4000, 20500 },
	{ FIG6, NET_UDP, "Trying, F", "31999", "1", "timeout over ", "Terminated", NO, NO },
	{ FIG6, NET_UDP, "Trying, transport error", "fails", "500 1", "transport over ", "Terminated", NO, NO },
	{ FIG6, NET_UDP, "Trying, 1xx: to the user, E and F go on", "100", "r100", "provisional:100 ", "Proceeding", 400, 31900 },
	{ FIG6, NET_UDP, "Trying, 200-699: to the user, K", "", "r200", "final:200 ", "Completed", NO, 5000 },
	{ FIG6, NET_UDP, "Trying, 200-699, a refusal", "", "r404", "final:404 ", "Completed", NO, 5000 },
	{ FIG6, NET_UDP, "Proceeding, E: sent again, E is T2", "100 r100", "400", ">OPTIONS ", "Proceeding", 4000, 31500 },
	{ FIG6, NET_UDP, "Proceeding, F", "r100 31999", "1", "timeout over ", "Terminated", NO, NO },
	{ FIG6, NET_TCP, "Proceeding, F over a stream", "r100 31999", "1", "timeout over ", "Terminated", NO, NO },
	{ FIG6, NET_UDP, "Proceeding, transport error", "r100 fails", "500 1", "transport over ", "Terminated", NO, NO },
	{ FIG6, NET_UDP, "Proceeding, 1xx: to the user", "r100", "r183", "provisional:183 ", "Proceeding", 500, 32000 },
	{ FIG6, NET_UDP, "Proceeding, 200-699", "r100", "r500", "final:500 ", "Completed", NO, 5000 },
	{ FIG6, NET_UDP, "Completed, a response: nothing", "r200 1000", "r200 r100 r486", "", "Completed", NO, 4000 },
	{ FIG6, NET_UDP, "Completed, K", "r200 4999", "1", "over ", "Terminated", NO, NO },
	{ FIG6, NET_TLS, "Completed over a stream: K is 0", "", "r200", "final:200 ", "Completed", NO, 0 },
	{ FIG6, NET_TLS, "Completed over a stream, K", "r200", "1", "over ", "Terminated", NO, NO },

	/* Figure 7: G doubles up to T2 and does not run over a stream, H is 64*T1, I is T4 or nothing over a stream, L 64*T1. */
	{ FIG7, NET_UDP, "INVITE comes: the core's 100, nothing runs", "", "begin", "", "Proceeding", NO, NO },
	{ FIG7, NET_UDP, "Proceeding, 101-199 from the user: sent", "u100", "u180", ">180 ", "Proceeding", NO, NO },
	{ FIG7, NET_UDP, "Proceeding, INVITE before any answer: nothing to send", "", "INVITE", "", "Proceeding", NO, NO },
	{ FIG7, NET_UDP, "Proceeding, INVITE: the last one again", "u100 u180", "INVITE", ">180 ", "Proceeding", NO, NO },
	{ FIG7, NET_UDP, "Proceeding, transport error: told, nothing changes", "fails", "u180", "transport ", "Proceeding", NO, NO },
	{ FIG7, NET_UDP, "Proceeding, ACK: nothing", "u180", "ACK", "", "Proceeding", NO, NO },
	{ FIG7, NET_UDP, "Proceeding, 300-699 from the user: G and H", "u100", "u486", ">486 ", "Completed", 500, 32000 },
	{ FIG7, NET_TLS, "Proceeding, 300-699 over a stream: H alone", "u100", "u486", ">486 ", "Completed", NO, 32000 },
	{ FIG7, NET_UDP, "Proceeding, 2xx from the user: L", "u180", "u200", ">200 ", "Accepted", NO, 32000 },
	{ FIG7, NET_TLS, "Proceeding, 2xx over a stream: L all the same", "u180", "u200", ">200 ", "Accepted", NO, 32000 },
	{ FIG7, NET_UDP, "Completed, INVITE: the answer again, G and H go on", "u486 100", "INVITE", ">486 ", "Completed", 400, 31900 },
	{ FIG7, NET_UDP, "Completed, G: the answer again, G doubled", "u486", "500", ">486 ", "Completed", 1000, 31500 },
	{ FIG7, NET_UDP, "Completed, G: up to T2", "u486 7500", "4000", ">486 ", "Completed", 4000, 20500 },
	{ FIG7, NET_UDP, "Completed, another answer of the user: too late", "u486", "u500 u200", "too-late too-late ", "Completed", 500, 32000 },
	{ FIG7, NET_UDP, "Completed, transport error: told, nothing changes", "fails", "u486", "transport ", "Completed", 500, 32000 },
	{ FIG7, NET_UDP, "Completed, transport error at G: nothing changes", "u486 fails", "500", "", "Completed", 1000, 31500 },
	{ FIG7, NET_UDP, "Completed, H", "u486 31999", "1", "no-ack over ", "Terminated", NO, NO },
	{ FIG7, NET_TCP, "Completed, H over a stream", "u486 31999", "1", "no-ack over ", "Terminated", NO, NO },
	{ FIG7, NET_UDP, "Completed, ACK: I", "u486 600", "ACK", "ack ", "Confirmed", NO, 5000 },
	{ FIG7, NET_TLS, "Completed, ACK over a stream: I is 0", "u486", "ACK", "ack ", "Confirmed", NO, 0 },
	{ FIG7, NET_UDP, "Confirmed, ACK and INVITE: nothing", "u486 ACK 100", "ACK INVITE", "", "Confirmed", NO, 4900 },
	{ FIG7, NET_UDP, "Confirmed, I", "u486 ACK 4999", "1", "over ", "Terminated", NO, NO },
	{ FIG7, NET_TLS, "Confirmed over a stream, I", "u486 ACK", "1", "over ", "Terminated", NO, NO },
	{ FIG7, NET_UDP, "Accepted, INVITE: nothing", "u200 100", "INVITE", "", "Accepted", NO, 31900 },
	{ FIG7, NET_UDP, "Accepted, ACK: to the user", "u200", "ACK", "ack-to-user ", "Accepted", NO, 32000 },
	{ FIG7, NET_UDP, "Accepted, 2xx from the user: sent", "u200 500", "u200", ">200 ", "Accepted", NO, 31500 },
	{ FIG7, NET_UDP, "Accepted, a refusal of the user: too late", "u200", "u486", "too-late ", "Accepted", NO, 32000 },
	{ FIG7, NET_UDP, "Accepted, transport error: told, nothing changes", "fails", "u200", "transport ", "Accepted", NO, 32000 },
	{ FIG7, NET_UDP, "Accepted, L", "u200 31999", "1", "over ", "Terminated", NO, NO },

	/* Figure 8 with RFC 4320: J is 64*T1 or nothing over a stream; a 100 when the client's E has reached T2 (500 + 1000 + 2000), no other 1xx, no 408. */
	{ FIG8, NET_UDP, "Request comes: nothing is said", "", "begin", "", "Trying", 3500, NO },
	{ FIG8, NET_TLS, "Request comes over a stream", "", "begin", "", "Trying", 3500, NO },
	{ FIG8, NET_UDP, "Trying, the request again: nothing", "", "BYE", "", "Trying", 3500, NO },
	{ FIG8, NET_UDP, "Trying, 1xx of the user: not taken", "", "u100 u180", "not-allowed not-allowed ", "Trying", 3500, NO },
	{ FIG8, NET_UDP, "Trying, 408 of the user: not taken", "", "u408", "not-allowed ", "Trying", 3500, NO },
	{ FIG8, NET_UDP, "Trying, E of the client at T2: 100", "3499", "1", ">100 ", "Proceeding", NO, NO },
	{ FIG8, NET_TLS, "Trying, the same over a stream", "3499", "1", ">100 ", "Proceeding", NO, NO },
	{ FIG8, NET_UDP, "Trying, 200-699 from the user: J", "", "u200", ">200 ", "Completed", NO, 32000 },
	{ FIG8, NET_UDP, "Trying, transport error: told, nothing changes", "fails", "u200", "transport ", "Completed", NO, 32000 },
	{ FIG8, NET_UDP, "Proceeding, the request again: 100", "3500", "BYE", ">100 ", "Proceeding", NO, NO },
	{ FIG8, NET_UDP, "Proceeding, 200-699 from the user: J", "3500", "u500", ">500 ", "Completed", NO, 32000 },
	{ FIG8, NET_UDP, "Completed, the request again: the answer", "u200 100", "BYE", ">200 ", "Completed", NO, 31900 },
	{ FIG8, NET_UDP, "Completed, another answer of the user: too late", "u200", "u500", "too-late ", "Completed", NO, 32000 },
	{ FIG8, NET_UDP, "Completed, transport error: nothing changes", "u200 fails", "BYE", "", "Completed", NO, 32000 },
	{ FIG8, NET_UDP, "Completed, J", "u200 31999", "1", "over ", "Terminated", NO, NO },
	{ FIG8, NET_TLS, "Completed over a stream: J is 0", "", "u200", ">200 ", "Completed", NO, 0 },
	{ FIG8, NET_TLS, "Completed over a stream, J", "u200", "1", "over ", "Terminated", NO, NO },
};

static void perform(struct bench *b, const struct arrow *a, const char *script)
{
	char room[64], *next, *w;

	snprintf(room, sizeof(room), "%s", script);
	for (w = strtok_r(room, " ", &next); w; w = strtok_r(NULL, " ", &next)) {
		if (!strcmp(w, "begin"))
			begin(b, a->figure, a->transport);
		else if (!strcmp(w, "fails") || !strcmp(w, "works"))
			b->fails = *w == 'f';
		else if (*w == 'r')
			comes(b, (unsigned)atoi(w + 1));
		else if (*w == 'u')
			says(b, (unsigned)atoi(w + 1));
		else if (*w >= '0' && *w <= '9')
			for (int64_t left = atoi(w), step; left > 0; left -= step) { /* in steps: each timer fires at its own time */
				step = left % 500 ? left % 500 : 500;
				pass(b, step);
			}
		else
			again(b, w);
	}
}

static void every_arrow(void **state)
{
	struct sip_timers rfc = { 0 };
	struct bench b;

	(void)state;
	for (size_t i = 0; i < sizeof(arrows) / sizeof(*arrows); i++) {
		const struct arrow *a = &arrows[i];
		struct sip_txn_look l;
		open_bench(&b, &rfc);
		if (!strstr(a->event, "begin"))
			begin(&b, a->figure, a->transport);
		perform(&b, a, a->before);
		b.said.s[b.said.n = 0] = '\0';
		perform(&b, a, a->event);
		l = look(&b);
		if (strcmp(b.said.s, a->said) || strcmp(l.state, a->state) || l.repeat_ms != a->repeat_ms || l.end_ms != a->end_ms)
			fail_msg("figure %d, %s: said '%s' for '%s', %s for %s, repeats in %lld for %lld, ends in %lld for %lld", a->figure + 5, a->name, b.said.s,
			         a->said, l.state, a->state, (long long)l.repeat_ms, (long long)a->repeat_ms, (long long)l.end_ms, (long long)a->end_ms);
		close_bench(&b);
	}
}

/* ---- the second reading ---- */
enum mstate { CALLING, TRYING, PROCEEDING, COMPLETED, CONFIRMED, ACCEPTED, BROKEN, OVER };
static const char *const mnames[] = { "Calling", "Trying", "Proceeding", "Completed", "Confirmed", "Accepted", "Terminated", "Terminated" };
struct model {
	enum figure f;
	bool stream, fails;
	enum mstate s;
	int64_t now, repeat_at, end_at, every; /* at: -1, stopped */
	int64_t t1, t2, t4;
	unsigned last; /* server: the last response; 0: none */
	struct words said;
};

static bool m_send(struct model *m, const char *what)
{
	if (!m->fails)
		word(&m->said, ">%s ", what);
	return !m->fails;
}

static bool m_send_status(struct model *m, unsigned status)
{
	char s[16];

	snprintf(s, sizeof(s), "%u", status);
	return m_send(m, s);
}

static void m_broken(struct model *m)
{
	m->s = BROKEN;
	m->repeat_at = -1;
	m->end_at = m->now;
}

static void m_over(struct model *m)
{
	m->s = OVER;
	m->repeat_at = m->end_at = -1;
	word(&m->said, "over ");
}

static void m_begin(struct model *m, enum figure f, bool stream, const struct sip_timers *t, int64_t now)
{
	*m = (struct model){ .f = f, .stream = stream, .now = now, .repeat_at = -1, .end_at = -1, .t1 = t->t1, .t2 = t->t2, .t4 = t->t4 };
	m->every = m->t1;
	m->s = f == FIG5 ? CALLING : f == FIG7 ? PROCEEDING : TRYING;
	if (f <= FIG6) {
		m->end_at = now + 64 * m->t1;
		if (!stream)
			m->repeat_at = now + m->t1;
		m_send(m, method_of[f]);
	} else if (f == FIG8) {
		m->repeat_at = now + 7 * m->t1; /* 1 + 2 + 4: T2 is 8*T1 here */
	}
}

static void m_comes(struct model *m, unsigned status)
{
	if (m->s == BROKEN || m->s == OVER)
		return;
	if (status < 200) {
		if (m->s >= COMPLETED)
			return;
		m->s = PROCEEDING;
		if (m->f == FIG5)
			m->repeat_at = m->end_at = -1;
		word(&m->said, "provisional:%u ", status);
	} else if (m->f == FIG5 && status < 300) {
		if (m->s == COMPLETED)
			return;
		if (m->s != ACCEPTED)
			m->end_at = m->now + 64 * m->t1;
		m->s = ACCEPTED;
		m->repeat_at = -1;
		word(&m->said, "final:%u ", status);
	} else if (m->s != ACCEPTED) {
		bool first = m->s != COMPLETED, sent = m->f == FIG6 || m_send(m, "ACK");
		m->s = COMPLETED;
		m->repeat_at = -1;
		if (first) {
			m->end_at = m->now + (m->stream ? 0 : m->f == FIG5 ? 64 * m->t1 : m->t4);
			word(&m->said, "final:%u ", status);
		}
		if (!sent)
			m_broken(m);
	}
}

static void m_again(struct model *m, bool ack)
{
	if (m->s == OVER)
		return;
	if (ack && m->s == ACCEPTED) {
		word(&m->said, "ack-to-user ");
	} else if (ack && m->s == COMPLETED) {
		m->s = CONFIRMED;
		m->repeat_at = -1;
		m->end_at = m->now + (m->stream ? 0 : m->t4);
		word(&m->said, "ack ");
	} else if (!ack && (m->s == PROCEEDING || m->s == COMPLETED) && m->last) {
		m_send_status(m, m->last);
	}
}

static void m_says(struct model *m, unsigned status)
{
	bool final = status >= 200, accepts = m->f == FIG7 && final && status < 300;

	if (m->f == FIG8 && (!final || status == 408)) {
		word(&m->said, "not-allowed ");
		return;
	}
	if (m->s != TRYING && m->s != PROCEEDING && !(m->s == ACCEPTED && accepts)) {
		word(&m->said, "too-late ");
		return;
	}
	if (!m_send_status(m, status))
		word(&m->said, "transport ");
	m->last = status;
	if (!final) {
		m->s = PROCEEDING;
		return;
	}
	if (m->s == ACCEPTED)
		return;
	m->s = accepts ? ACCEPTED : COMPLETED;
	m->repeat_at = m->s == COMPLETED && m->f == FIG7 && !m->stream ? m->now + m->t1 : -1;
	m->end_at = m->now + (m->f == FIG8 && m->stream ? 0 : 64 * m->t1);
}

static void m_repeat(struct model *m)
{
	if (m->f == FIG8) {
		m->repeat_at = -1;
		m->last = 100;
		m->s = PROCEEDING;
		m_send(m, "100");
		return;
	}
	m->every = m->f == FIG6 && m->s == PROCEEDING ? m->t2 : m->every * 2;
	if (m->f != FIG5 && m->every > m->t2)
		m->every = m->t2;
	m->repeat_at = m->now + m->every;
	if (m->f == FIG7)
		m_send_status(m, m->last);
	else if (!m_send(m, method_of[m->f]))
		m_broken(m);
}

static void m_end(struct model *m)
{
	if (m->s == BROKEN)
		word(&m->said, "transport ");
	else if (m->f <= FIG6 && m->s < COMPLETED)
		word(&m->said, "timeout ");
	else if (m->f == FIG7 && m->s == COMPLETED)
		word(&m->said, "no-ack ");
	m_over(m);
}

/* A timer of 0 fires with the next millisecond. */
static int64_t m_next(const struct model *m)
{
	int64_t at = m->repeat_at < 0 || (m->end_at >= 0 && m->end_at < m->repeat_at) ? m->end_at : m->repeat_at;

	return at < 0 ? -1 : at > m->now ? at : m->now + 1;
}

static void m_pass(struct model *m, int64_t now)
{
	bool repeat = m->repeat_at >= 0 && m->repeat_at <= now, end = m->end_at >= 0 && m->end_at <= now;

	m->now = now;
	if (repeat)
		m_repeat(m);
	if (end)
		m_end(m);
}

/* ---- sequences ---- */
static uint64_t seed;

static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed >> 11) % n);
}

enum kind { COMES, AGAIN, ACK, SAYS, WAY };
struct step {
	int64_t at;
	enum kind kind;
	unsigned status;
};
enum { STEPS = 96 };
struct plan {
	struct step step[STEPS];
	unsigned n;
};

static void put(struct plan *p, int64_t at, enum kind kind, unsigned status)
{
	if (p->n < STEPS)
		p->step[p->n++] = (struct step){ at, kind, status };
}

/* By the network: lost, or after a while, and perhaps once more; so messages overtake each other. */
static void by_network(struct plan *p, const struct sip_timers *t, unsigned lost_percent, int64_t at, enum kind kind, unsigned status)
{
	if (below(100) < lost_percent)
		return;
	put(p, at + below(t->t1 * 3), kind, status);
	if (below(100) < 20)
		put(p, at + below(t->t1 * 6), kind, status);
}

static int by_time(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static unsigned some_final(enum figure f)
{
	static const unsigned finals[] = { 200, 200, 200, 202, 302, 404, 486, 500, 603, 699 };
	unsigned s = finals[below(10)];

	return f == FIG6 && s == 302 ? 408 : s;
}

/* What the other side of a client sends: provisional answers, a final one again and again, sometimes one of another fork. */
static void plan_client(struct plan *p, enum figure f, const struct sip_timers *t)
{
	unsigned lost = below(60), answered = below(t->t1 * 80), final = some_final(f);

	for (unsigned i = below(4); i--;)
		by_network(p, t, lost, below(answered + 1), COMES, i ? 180 : 100);
	for (int64_t at = answered, gap = t->t1; at < answered + 64 * (int64_t)t->t1 && p->n < STEPS / 2; at += gap, gap = gap * 2 > t->t2 ? t->t2 : gap * 2)
		by_network(p, t, lost, at, COMES, final);
	for (unsigned i = below(3); i--;)
		by_network(p, t, lost, answered + below(t->t1 * 20), COMES, some_final(f));
}

/* What comes to a server and what its user says: the request until it is answered, the ACKs of one who heard the answer, now and then what is too late. */
static void plan_server(struct plan *p, enum figure f, const struct sip_timers *t)
{
	unsigned lost = below(60), answered = below(t->t1 * 40), final = some_final(FIG7);

	for (int64_t at = t->t1, gap = t->t1; at < answered + 20 * (int64_t)t->t1 && p->n < STEPS / 3; at += gap, gap = gap * 2 > t->t2 && f == FIG8 ? t->t2 : gap * 2)
		by_network(p, t, lost, at, AGAIN, 0);
	for (unsigned i = below(3); i--;)
		put(p, below(answered + 1), SAYS, 180 + i);
	put(p, answered, SAYS, final);
	for (int64_t at = answered + t->t1; final < 300 && f == FIG7 && at < answered + 20 * (int64_t)t->t1; at += t->t2)
		put(p, at, SAYS, final);
	for (unsigned i = below(2); i--;)
		put(p, answered + below(t->t1 * 30), SAYS, some_final(FIG7));
	for (unsigned i = f == FIG7 ? below(5) : 0; i--;)
		by_network(p, t, lost, answered + below(t->t1 * 70), ACK, 0);
}

static void plan_make(struct plan *p, enum figure f, const struct sip_timers *t)
{
	p->n = 0;
	if (f <= FIG6)
		plan_client(p, f, t);
	else
		plan_server(p, f, t);
	if (below(100) < 15) { /* the way breaks, and comes back */
		unsigned from = below(t->t1 * 70);
		put(p, from, WAY, 1);
		put(p, from + below(t->t1 * 40), WAY, 0);
	}
	qsort(p->step, p->n, sizeof(*p->step), by_time);
}

static void act(struct bench *b, struct model *m, const struct step *s)
{
	switch (s->kind) {
	case COMES:
		comes(b, s->status);
		m_comes(m, s->status);
		break;
	case AGAIN:
	case ACK:
		again(b, s->kind == ACK ? "ACK" : method_of[b->figure]);
		m_again(m, s->kind == ACK);
		break;
	case SAYS:
		says(b, s->status);
		m_says(m, s->status);
		break;
	case WAY:
		b->fails = m->fails = s->status;
		break;
	}
}

static int64_t left_of(const struct model *m, int64_t at)
{
	return at < 0 ? -1 : at > m->now ? at - m->now : 0;
}

static void same(const struct bench *b, const struct model *m, uint64_t began)
{
	struct sip_txn_look l = look(b);
	int64_t repeat = left_of(m, m->repeat_at), end = left_of(m, m->end_at);

	if (strcmp(b->said.s, m->said.s) || strcmp(l.state, mnames[m->s]) || l.repeat_ms != repeat || l.end_ms != end)
		fail_msg("seed %llu, figure %d: said '%s', the figure '%s'; %s, the figure %s; repeats in %lld for %lld, ends in %lld for %lld",
		         (unsigned long long)began, m->f + 5, b->said.s, m->said.s, l.state, mnames[m->s], (long long)l.repeat_ms, (long long)repeat,
		         (long long)l.end_ms, (long long)end);
}

static void one_sequence(struct bench *b, enum figure f, bool stream)
{
	uint64_t began = seed;
	int64_t start = clock_mono_ms(&b->clock.clock), now = start, next;
	struct model m;
	struct plan p;

	plan_make(&p, f, &b->t);
	b->fails = false;
	begin(b, f, stream ? NET_TLS : NET_UDP);
	m_begin(&m, f, stream, &b->t, start);
	same(b, &m, began);
	for (unsigned i = 0; i < p.n || m.s != OVER;) {
		next = m_next(&m);
		if (i < p.n && (next < 0 || start + p.step[i].at < next)) {
			int64_t at = start + p.step[i].at;
			if (at > now)
				pass(b, at - now);
			now = m.now = at > now ? at : now;
			act(b, &m, &p.step[i++]);
		} else if (next >= 0) {
			pass(b, next - now);
			now = next;
			m_pass(&m, now);
		} else {
			break; /* rings for ever: how long is the user's business */
		}
		same(b, &m, began);
		/* Each piece is compared once. */
		b->said.s[b->said.n = 0] = m.said.s[m.said.n = 0] = '\0';
	}
}

static void sequences(enum figure f)
{
	enum { SEQUENCES = 1500 };
	struct sip_timers quick = { .t1 = 10 };
	struct bench b;

	open_bench(&b, &quick);
	seed = 0x9e3779b97f4a7c15u + (unsigned)f;
	for (unsigned i = 0; i < SEQUENCES; i++)
		one_sequence(&b, f, i % 4 == 3);
	close_bench(&b);
}

static void figure_5_with_loss_and_reordering(void **state)
{
	(void)state;
	sequences(FIG5);
}

static void figure_6_with_loss_and_reordering(void **state)
{
	(void)state;
	sequences(FIG6);
}

static void figure_7_with_loss_and_reordering(void **state)
{
	(void)state;
	sequences(FIG7);
}

static void figure_8_with_loss_and_reordering(void **state)
{
	(void)state;
	sequences(FIG8);
}

UT_MAIN(UT(every_arrow), UT(figure_5_with_loss_and_reordering), UT(figure_6_with_loss_and_reordering), UT(figure_7_with_loss_and_reordering),
        UT(figure_8_with_loss_and_reordering))

/* SPDX-License-Identifier: Apache-2.0 */
/* transaction_test.c  The four machines against the figures of RFC 3261 17 and RFC 6026, on a clock that the test turns: what is repeated when,
 * what is absorbed, when each one is over. Streams repeat nothing.                                                    */
#include <errno.h>
#include <stdio.h>
#include "base/mem.h"
#include "sip/transaction.h"
#include "support/ut.h"

struct sent {
	int64_t ms;
	char first[64];
};
struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct sip_txns *txns;
	struct sip_path path;
	struct sent sent[64];
	unsigned n_sent;
	int fail;
	char log[512];
	int64_t began;
};

static int on_send(const struct sip_path *path, const void *p, size_t n, void *arg)
{
	struct bench *b = arg;
	const char *end = memchr(p, '\r', n);

	(void)path;
	if (b->fail)
		return b->fail;
	assert_non_null(end);
	assert_true(b->n_sent < 64);
	b->sent[b->n_sent].ms = clock_mono_ms(&b->clock.clock) - b->began;
	snprintf(b->sent[b->n_sent++].first, 64, "%.*s", (int)(end - (const char *)p), (const char *)p);
	return 0;
}

static void open_bench(struct bench *b, enum net_transport t)
{
	struct sip_timers timers = { 0 };

	memset(b, 0, sizeof(*b));
	clock_fake_init(&b->clock, 1800000000);
	assert_int_equal(loop_create(&b->loop, &b->clock.clock), 0);
	sip_timers_fill(&timers);
	assert_int_equal(sip_txns_create(&b->txns, b->loop, &timers, 100, on_send, b), 0);
	b->path.transport = t;
	b->began = clock_mono_ms(&b->clock.clock);
}

static void close_bench(struct bench *b)
{
	sip_txns_destroy(b->txns);
	loop_destroy(b->loop);
}

static void run(struct bench *b, int64_t ms)
{
	for (int64_t i = 0; i < ms; i += 10) {
		clock_fake_advance_ms(&b->clock, 10);
		loop_step(b->loop, 0);
	}
}

static void sent_at(struct bench *b, const int64_t *ms, unsigned n)
{
	assert_int_equal(b->n_sent, n);
	for (unsigned i = 0; i < n; i++)
		assert_in_range(b->sent[i].ms, ms[i], ms[i] + 20);
}

static void parse(struct sip_msg *m, const char *text)
{
	struct sip_refusal why;

	if (sip_msg_parse(m, text, strlen(text), &why))
		fail_msg("%s", why.sentence);
}

static const char *request(char *room, size_t size, const char *method, const char *branch)
{
	snprintf(room, size,
	         "%s sip:100@b.test SIP/2.0\r\nVia: SIP/2.0/UDP a.test:5060;branch=%s\r\nFrom: <sip:a@a.test>;tag=1\r\nTo: <sip:100@b.test>\r\n"
	         "Call-ID: x\r\nCSeq: 7 %s\r\nMax-Forwards: 70\r\nRoute: <sip:r.test;lr>\r\nContent-Length: 0\r\n\r\n",
	         method, branch, text_is(text_of(method), "ACK") ? "ACK" : method);
	return room;
}

static void answer(struct bench *b, const char *method, const char *branch, unsigned status, const char *tag)
{
	char room[1024];
	struct sip_msg m;

	snprintf(room, sizeof(room),
	         "SIP/2.0 %u X\r\nVia: SIP/2.0/UDP a.test:5060;branch=%s\r\nFrom: <sip:a@a.test>;tag=1\r\nTo: <sip:100@b.test>;tag=%s\r\n"
	         "Call-ID: x\r\nCSeq: 7 %s\r\nContent-Length: 0\r\n\r\n",
	         status, branch, tag, method);
	parse(&m, room);
	if (!sip_ctx_receive(b->txns, &m))
		snprintf(b->log + strlen(b->log), sizeof(b->log) - strlen(b->log), "stray ");
}

static void on_ctx(struct sip_ctx *c, enum sip_ctx_event ev, const struct sip_msg *res, void *arg)
{
	static const char *const words[] = { "provisional", "final", "timeout", "transport", "over" };
	struct bench *b = arg;
	size_t n = strlen(b->log);

	(void)c;
	if (res)
		snprintf(b->log + n, sizeof(b->log) - n, "%s:%u ", words[ev], res->status);
	else
		snprintf(b->log + n, sizeof(b->log) - n, "%s ", words[ev]);
}

static struct sip_ctx *client(struct bench *b, const char *method)
{
	char room[1024];
	struct sip_ctx *c = NULL;
	struct buf bytes;

	buf_init(&bytes, 4096);
	buf_str(&bytes, request(room, sizeof(room), method, "z9hG4bKq"));
	assert_int_equal(sip_ctx_create(&c, b->txns, &b->path, "z9hG4bKq", method, &bytes, on_ctx, b), 0);
	buf_free(&bytes);
	return c;
}

/* ---- INVITE client (figure 5) ---- */
static void invite_unanswered(void **state)
{
	static const int64_t at[] = { 0, 500, 1500, 3500, 7500, 15500, 31500 };
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	client(&b, "INVITE");
	run(&b, 33000);
	sent_at(&b, at, 7);
	assert_string_equal(b.log, "timeout over ");
	assert_int_equal(sip_txns_count(b.txns), 0);
	close_bench(&b);
}

static void invite_over_a_stream_is_sent_once(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, NET_TLS);
	client(&b, "INVITE");
	run(&b, 33000);
	assert_int_equal(b.n_sent, 1);
	assert_string_equal(b.log, "timeout over ");
	close_bench(&b);
}

static void invite_refused(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	client(&b, "INVITE");
	run(&b, 600); /* one repetition */
	answer(&b, "INVITE", "z9hG4bKq", 180, "t");
	run(&b, 60000); /* rings: nothing is repeated, no timer B */
	assert_int_equal(b.n_sent, 2);
	answer(&b, "INVITE", "z9hG4bKq", 486, "t");
	assert_string_equal(b.sent[2].first, "ACK sip:100@b.test SIP/2.0");
	run(&b, 1000);
	answer(&b, "INVITE", "z9hG4bKq", 486, "t"); /* our ACK was lost */
	assert_int_equal(b.n_sent, 4);
	assert_string_equal(b.sent[3].first, "ACK sip:100@b.test SIP/2.0");
	assert_string_equal(b.log, "provisional:180 final:486 ");
	run(&b, 32000); /* timer D */
	assert_string_equal(b.log, "provisional:180 final:486 over ");
	answer(&b, "INVITE", "z9hG4bKq", 486, "t");
	assert_string_equal(b.log, "provisional:180 final:486 over stray ");
	close_bench(&b);
}

static void invite_accepted(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	client(&b, "INVITE");
	answer(&b, "INVITE", "z9hG4bKq", 200, "t");
	answer(&b, "INVITE", "z9hG4bKq", 200, "t"); /* RFC 6026: each 2xx goes up, forked ones too; no ACK from here */
	answer(&b, "INVITE", "z9hG4bKq", 200, "u");
	answer(&b, "INVITE", "z9hG4bKq", 486, "v");
	assert_int_equal(b.n_sent, 1);
	assert_string_equal(b.log, "final:200 final:200 final:200 ");
	run(&b, 32100); /* timer M */
	assert_string_equal(b.log, "final:200 final:200 final:200 over ");
	close_bench(&b);
}

/* ---- other clients (figure 6) ---- */
static void request_unanswered(void **state)
{
	static const int64_t at[] = { 0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500 };
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	client(&b, "OPTIONS");
	run(&b, 33000);
	sent_at(&b, at, 11);
	assert_string_equal(b.log, "timeout over ");
	close_bench(&b);
}

static void request_answered_after_a_provisional(void **state)
{
	static const int64_t at[] = { 0, 500, 4500 };
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	client(&b, "OPTIONS");
	run(&b, 400);
	answer(&b, "OPTIONS", "z9hG4bKq", 100, "t");
	run(&b, 4600); /* 17.1.2.2: in Proceeding timer E is T2 */
	sent_at(&b, at, 3);
	answer(&b, "OPTIONS", "z9hG4bKq", 200, "t");
	answer(&b, "OPTIONS", "z9hG4bKq", 200, "t");
	run(&b, 5100); /* timer K */
	assert_string_equal(b.log, "provisional:100 final:200 over ");
	close_bench(&b);
}

static void request_that_cannot_leave(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, NET_TCP);
	b.fail = ECONNRESET;
	client(&b, "OPTIONS");
	assert_string_equal(b.log, ""); /* never from within */
	run(&b, 20);
	assert_string_equal(b.log, "transport over ");
	close_bench(&b);
}

static void a_response_of_another_method_is_no_answer(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	client(&b, "OPTIONS");
	answer(&b, "INFO", "z9hG4bKq", 200, "t");
	answer(&b, "OPTIONS", "z9hG4bKr", 200, "t");
	assert_string_equal(b.log, "stray stray ");
	close_bench(&b);
}

/* ---- servers ---- */
static void on_stx(struct sip_stx *s, enum sip_stx_event ev, void *arg)
{
	static const char *const words[] = { "ack", "no-ack", "over" };
	struct bench *b = arg;

	(void)s;
	snprintf(b->log + strlen(b->log), sizeof(b->log) - strlen(b->log), "%s ", words[ev]);
}

static struct sip_stx *server(struct bench *b, const char *method)
{
	char room[1024];
	struct sip_stx *s = NULL;
	struct sip_msg m;

	parse(&m, request(room, sizeof(room), method, "z9hG4bKs"));
	assert_null(sip_stx_find(b->txns, &m));
	assert_int_equal(sip_stx_create(&s, b->txns, &m, &b->path), 0);
	sip_stx_handler(s, on_stx, b);
	return s;
}

/* The same request again, or its ACK. */
static void again(struct bench *b, const char *method)
{
	char room[1024];
	struct sip_stx *s;
	struct sip_msg m;

	parse(&m, request(room, sizeof(room), method, "z9hG4bKs"));
	s = sip_stx_find(b->txns, &m);
	assert_non_null(s);
	sip_stx_again(s, &m, &b->path);
}

static int respond(struct sip_stx *s, unsigned status)
{
	char room[64];

	snprintf(room, sizeof(room), "SIP/2.0 %u X\r\n\r\n", status);
	return sip_stx_respond(s, status, room, strlen(room));
}

/* Figure 7. */
static void invite_refused_by_us(void **state)
{
	static const int64_t at[] = { 0, 0, 0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500 };
	struct sip_stx *s;
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	s = server(&b, "INVITE");
	again(&b, "INVITE"); /* nothing sent yet: nothing to repeat */
	respond(s, 100);
	again(&b, "INVITE");
	respond(s, 486);
	assert_int_equal(respond(s, 487), EALREADY);
	run(&b, 33000);
	sent_at(&b, at, 13);
	assert_string_equal(b.log, "no-ack over ");
	close_bench(&b);
}

static void invite_refused_and_acked(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	respond(server(&b, "INVITE"), 486);
	run(&b, 600);
	again(&b, "ACK");
	again(&b, "ACK");
	assert_int_equal(b.n_sent, 2);
	run(&b, 4900);
	assert_string_equal(b.log, "ack ");
	run(&b, 200); /* timer I */
	assert_string_equal(b.log, "ack over ");
	assert_int_equal(b.n_sent, 2);
	close_bench(&b);
}

/* RFC 6026: repeated INVITEs are absorbed, the 2xx is repeated from above, timer L ends it. */
static void invite_accepted_by_us(void **state)
{
	struct sip_stx *s;
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	s = server(&b, "INVITE");
	respond(s, 200);
	again(&b, "INVITE");
	assert_int_equal(b.n_sent, 1);
	assert_int_equal(respond(s, 200), 0);
	assert_int_equal(b.n_sent, 2);
	assert_int_equal(respond(s, 486), EALREADY);
	run(&b, 32100);
	assert_string_equal(b.log, "over ");
	close_bench(&b);
}

/* Figure 8. */
static void other_requests(void **state)
{
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	respond(server(&b, "BYE"), 200);
	again(&b, "BYE");
	assert_int_equal(b.n_sent, 2);
	run(&b, 31900);
	assert_string_equal(b.log, "");
	run(&b, 200); /* timer J */
	assert_string_equal(b.log, "over ");
	close_bench(&b);

	open_bench(&b, NET_TCP);
	respond(server(&b, "BYE"), 200);
	run(&b, 20);
	assert_string_equal(b.log, "over ");
	close_bench(&b);
}

static void cancel_finds_its_invite_and_merged_requests_are_seen(void **state)
{
	char room[1024];
	struct sip_stx *s;
	struct sip_msg m;
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	s = server(&b, "INVITE");
	parse(&m, request(room, sizeof(room), "CANCEL", "z9hG4bKs"));
	assert_null(sip_stx_find(b.txns, &m));
	assert_ptr_equal(sip_stx_cancelled(b.txns, &m), s);
	parse(&m, request(room, sizeof(room), "CANCEL", "z9hG4bKother"));
	assert_null(sip_stx_cancelled(b.txns, &m));
	parse(&m, request(room, sizeof(room), "INVITE", "z9hG4bKother"));
	assert_null(sip_stx_find(b.txns, &m));
	assert_true(sip_stx_merged(b.txns, &m));
	close_bench(&b);
}

/* Who makes the same branch for everything he sends is still answered to each; who was refused may come another way and hears the same. */
static void one_branch_for_all(void **state)
{
	char room[1024], other[1024], *id;
	struct sip_stx *s;
	struct sip_msg m;
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	s = server(&b, "INVITE");
	snprintf(other, sizeof(other), "%s", request(room, sizeof(room), "INVITE", "z9hG4bKs"));
	id = strstr(other, "Call-ID: ");
	assert_non_null(id);
	id[9] = id[9] == 'x' ? 'y' : 'x';
	parse(&m, other);
	assert_null(sip_stx_find(b.txns, &m));
	parse(&m, request(room, sizeof(room), "INVITE", "z9hG4bKother"));
	assert_true(sip_stx_merged(b.txns, &m));
	respond(s, 486);
	assert_false(sip_stx_merged(b.txns, &m));
	close_bench(&b);
}

static void peers_without_the_cookie(void **state)
{
	char room[1024];
	struct sip_stx *s = NULL, *found;
	struct sip_msg m;
	struct bench b;

	(void)state;
	open_bench(&b, NET_UDP);
	parse(&m, request(room, sizeof(room), "INVITE", "1"));
	assert_int_equal(sip_stx_create(&s, b.txns, &m, &b.path), 0);
	found = sip_stx_find(b.txns, &m);
	assert_ptr_equal(found, s);
	parse(&m, request(room, sizeof(room), "ACK", "1"));
	assert_ptr_equal(sip_stx_find(b.txns, &m), s);
	close_bench(&b);
}

static int oom_body(void *arg)
{
	char room[1024];
	struct sip_timers timers = { 0 };
	struct sip_stx *s = NULL;
	struct loop *loop = NULL;
	struct sip_txns *x = NULL;
	struct bench *b = arg;
	struct sip_msg m;
	int err;

	memset(b, 0, sizeof(*b));
	clock_fake_init(&b->clock, 1800000000);
	sip_timers_fill(&timers);
	err = loop_create(&loop, &b->clock.clock);
	if (!err)
		err = sip_txns_create(&x, loop, &timers, 100, on_send, b);
	if (!err) {
		parse(&m, request(room, sizeof(room), "INVITE", "z9hG4bKs"));
		err = sip_stx_create(&s, x, &m, &b->path);
	}
	if (!err)
		err = respond(s, 486);
	sip_txns_destroy(x);
	loop_destroy(loop);
	return err;
}

static void out_of_memory(void **state)
{
	struct bench b;

	(void)state;
	ut_oom(oom_body, &b);
}

UT_MAIN(UT(invite_unanswered), UT(invite_over_a_stream_is_sent_once), UT(invite_refused), UT(invite_accepted), UT(request_unanswered),
        UT(request_answered_after_a_provisional), UT(request_that_cannot_leave), UT(a_response_of_another_method_is_no_answer),
        UT(invite_refused_by_us), UT(invite_refused_and_acked), UT(invite_accepted_by_us), UT(other_requests),
        UT(cancel_finds_its_invite_and_merged_requests_are_seen), UT(one_branch_for_all), UT(peers_without_the_cookie), UT(out_of_memory))

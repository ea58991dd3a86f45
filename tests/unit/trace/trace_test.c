/* SPDX-License-Identifier: Apache-2.0 */
/* trace_test.c  A core on loopback that is asked by OPTIONS, and what its trace keeps of it; keys; limits; the end by itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "trace/trace_private.h"
#include "ut.h"

static struct clock_fake fake;
static struct loop *loop;
static struct ev_bus *bus;
static struct sip_core *core;
static struct trace *trace;
static int sock;

/* Each transport is a gateway of its own, at the same address. */
static int by_transport(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg)
{
	struct sip_peer *p = sip_peer_create();
	(void)why, (void)arg;
	if (!p)
		return ENOMEM;
	text_fill(p->name, sizeof p->name, src->transport == NET_UDP ? "by-udp" : "by-tcp");
	*peer = p;
	return 0;
}

static void begin(void)
{
	struct sip_core_prm *prm = mem_zalloc(1, sizeof *prm);
	struct ev_report why = { 0 };
	clock_fake_init(&fake, 1800000000);
	assert_int_equal(loop_create(&loop, &fake.clock), 0);
	assert_int_equal(ev_bus_create(&bus, &fake.clock, 100), 0);
	prm->loop = loop;
	prm->clock = &fake.clock;
	prm->bus = bus;
	prm->lookup = by_transport;
	prm->n_listen = 2;
	prm->listen[0].transport = NET_UDP;
	prm->listen[1].transport = NET_TCP;
	assert_int_equal(net_addr_parse(&prm->listen[0].addr, TEXT("127.0.0.1"), 0), 0);
	prm->listen[1].addr = prm->listen[0].addr;
	assert_int_equal(sip_core_create(&core, prm, &why), 0);
	mem_free(prm);
	struct trace_prm tp = { .loop = loop, .clock = &fake.clock, .bus = bus, .node = "node01" };
	assert_int_equal(trace_create(&trace, &tp), 0);
	trace_attach(trace, core);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct net_addr *to = sip_core_local(core, 0);
	assert_int_equal(connect(sock, &to->u.sa, net_addr_len(to)), 0);
}

static void end(void)
{
	close(sock);
	trace_attach(trace, NULL);
	sip_core_destroy(core);
	trace_destroy(trace);
	ev_bus_destroy(bus);
	loop_destroy(loop);
}

/* One OPTIONS; returns when the answer is there, so that both are in the trace. */
static void ask(const char *call_id, const char *more)
{
	char text[2000];
	int n = snprintf(text, sizeof text, "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\n"
			 "To: <sip:127.0.0.1>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\n%sContent-Length: 0\r\n\r\n", call_id, call_id, more);
	assert_int_equal(send(sock, text, (size_t)n, 0), n);
	for (unsigned i = 0; i < 1000; i++) {
		loop_step(loop, 10);
		if (recv(sock, text, sizeof text, MSG_DONTWAIT) > 0)
			return;
	}
	fail_msg("no answer");
}

/* From here on ask() goes by TCP. */
static void connect_by_tcp(void)
{
	const struct net_addr *to = sip_core_local(core, 1);
	close(sock);
	sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(sock, &to->u.sa, net_addr_len(to)), 0);
}

static struct text saved(const struct trace_want *only, struct buf *b, struct trace_saved *s)
{
	static const struct trace_want all;
	struct ev_report why = { 0 };
	struct trace_taken *k;
	bool over = false;
	buf_init(b, 8 << 20);
	assert_int_equal(trace_take(&k, trace, only ? only : &all, &why), 0);
	for (unsigned i = 0; !over; i++) {
		size_t was = b->n;
		assert_true(i < 10000);
		assert_int_equal(trace_taken_write(k, 1, b, &over), 0);
		assert_true(b->n >= was);
	}
	*s = trace_taken_saved(k);
	trace_taken_free(k);
	return buf_as_text(b);
}

static void what_was_said_is_kept_while_it_runs(void **state)
{
	struct trace_want w = { 0 };
	struct ev_report why = { 0 };
	struct trace_status st;
	struct trace_saved s;
	struct buf b;
	(void)state;
	begin();
	ask("before", "");
	struct trace_taken *k;
	assert_int_equal(trace_take(&k, trace, &w, &why), ENOENT);
	assert_int_equal(trace_start(trace, &w, &why), 0);
	assert_int_equal(trace_start(trace, &w, &why), EALREADY);
	ask("during", "Authorization: Digest secret\r\n");
	assert_int_equal(trace_stop(trace, "test", &why), 0);
	ask("after", "");
	trace_status(trace, &st);
	assert_false(st.running);
	assert_int_equal(st.messages, 2);
	struct text t = saved(NULL, &b, &s);
	assert_int_equal(s.packets, 2);
	assert_int_equal(s.keys, 0);
	assert_true(text_find_text(t, TEXT("Call-ID: during")) != SIZE_MAX && text_find_text(t, TEXT("Digest secret")) != SIZE_MAX);
	assert_true(text_find_text(t, TEXT("Call-ID: before")) == SIZE_MAX && text_find_text(t, TEXT("Call-ID: after")) == SIZE_MAX);
	buf_free(&b);
	struct trace_want redact = { .redact = true };
	t = saved(&redact, &b, &s);
	assert_true(text_find_text(t, TEXT("Call-ID: during")) != SIZE_MAX && text_find_text(t, TEXT("Digest secret")) == SIZE_MAX);
	buf_free(&b);
	end();
}

static void first_bytes_of_another_gateway_are_not_saved(void **state)
{
	struct trace_want w = { .gateway = "by-udp" };
	struct ev_report why = { 0 };
	struct trace_saved s;
	struct buf b;
	(void)state;
	begin();
	assert_int_equal(trace_start(trace, &w, &why), 0);
	ask("wanted", "");
	connect_by_tcp();
	ask("unwanted", "");
	struct text t = saved(NULL, &b, &s);
	assert_true(text_find_text(t, TEXT("Call-ID: wanted")) != SIZE_MAX);
	assert_true(text_find_text(t, TEXT("Call-ID: unwanted")) == SIZE_MAX);
	assert_int_equal(s.packets, 2);
	buf_free(&b);
	end();
}

static void one_call_of_several(void **state)
{
	struct trace_want w = { .call = "two" };
	struct ev_report why = { 0 };
	struct trace_saved s;
	struct buf b;
	(void)state;
	begin();
	assert_int_equal(trace_start(trace, &(struct trace_want){ 0 }, &why), 0);
	ask("one", "");
	ask("two", "");
	struct text t = saved(&w, &b, &s);
	assert_int_equal(s.packets, 2);
	assert_true(text_find_text(t, TEXT("Call-ID: one")) == SIZE_MAX && text_find_text(t, TEXT("Call-ID: two")) != SIZE_MAX);
	buf_free(&b);
	end();
}

static void the_oldest_goes_when_it_is_full(void **state)
{
	struct trace_want w = { .limit_bytes = 4096 };
	struct ev_report why = { 0 };
	struct trace_status st;
	struct trace_saved s;
	struct buf b;
	char id[16];
	(void)state;
	begin();
	assert_int_equal(trace_start(trace, &w, &why), 0);
	for (unsigned i = 0; i < 10; i++) {
		snprintf(id, sizeof id, "call%u", i);
		ask(id, "");
	}
	trace_status(trace, &st);
	assert_true(st.bytes <= 4096 && st.evicted > 0);
	struct text t = saved(NULL, &b, &s);
	assert_true(text_find_text(t, TEXT("Call-ID: call9")) != SIZE_MAX && text_find_text(t, TEXT("Call-ID: call0")) == SIZE_MAX);
	buf_free(&b);
	end();
}

static void turn(int64_t ms)
{
	clock_fake_advance_ms(&fake, ms);
	for (unsigned i = 0; i < 3; i++)
		loop_step(loop, 0);
}

static void it_stops_and_is_forgotten_by_itself(void **state)
{
	struct trace_want w = { .for_ms = 1000 };
	struct ev_report why = { 0 };
	struct trace_status st;
	(void)state;
	begin();
	assert_int_equal(trace_start(trace, &w, &why), 0);
	trace_keylog("CLIENT_RANDOM 0000000000000000000000000000000000000000000000000000000000000000 11", trace);
	turn(500);
	trace_status(trace, &st);
	assert_true(st.running && st.keys == 1);
	turn(600);
	trace_status(trace, &st);
	assert_true(!st.running && st.kept && st.keys == 1);
	trace_keylog("CLIENT_RANDOM 0000000000000000000000000000000000000000000000000000000000000001 11", trace);
	turn(TRACE_KEPT_MS + 100);
	trace_status(trace, &st);
	assert_true(!st.kept && st.keys == 0);
	end();
}

static void keys_are_kept_only_when_wanted_and_found_by_their_random(void **state)
{
	static const char *const lines[] = {
		"CLIENT_RANDOM 0101010101010101010101010101010101010101010101010101010101010101 aa",
		"CLIENT_TRAFFIC_SECRET_0 0202020202020202020202020202020202020202020202020202020202020202 bb",
		"SERVER_TRAFFIC_SECRET_0 0202020202020202020202020202020202020202020202020202020202020202 cc",
		"CLIENT_RANDOM 02 dd", "nonsense", "",
	};
	uint8_t random[TRACE_RANDOM], hello[TRACE_HELLO] = { 22, 3, 1, 0, 100, 1, 0, 0, 96, 3, 3 };
	struct ev_report why = { 0 };
	struct trace_status st;
	struct buf b;
	(void)state;
	begin();
	assert_int_equal(trace_start(trace, &(struct trace_want){ .no_secrets = true }, &why), 0);
	trace_keylog(lines[0], trace);
	trace_status(trace, &st);
	assert_int_equal(st.keys, 0);
	assert_int_equal(trace_stop(trace, "test", &why), 0);
	assert_int_equal(trace_start(trace, &(struct trace_want){ 0 }, &why), 0);
	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
		trace_keylog(lines[i], trace);
	trace_status(trace, &st);
	assert_int_equal(st.keys, 3);
	memset(hello + 11, 2, TRACE_RANDOM);
	assert_true(trace_hello_random(hello, sizeof hello, random));
	assert_false(trace_hello_random(hello, sizeof hello - 1, random));
	buf_init(&b, 4096);
	trace_random wanted[2] = { { 3 } };
	memcpy(wanted[1], random, sizeof random);
	trace_keys_sort(wanted, 2);
	assert_int_equal(trace_keys_of(trace, wanted, 0, &b), 0);
	assert_int_equal(trace_keys_of(trace, wanted, 2, &b), 2);
	assert_int_equal(text_find_text(buf_as_text(&b), TEXT(" aa")), SIZE_MAX);
	buf_free(&b);
	hello[5] = 2;
	assert_false(trace_hello_random(hello, sizeof hello, random));
	end();
}

/* What was taken stays whole while the ring goes on, and is given up when the trace is forgotten. */
static void what_was_taken_does_not_change(void **state)
{
	struct trace_want w = { .limit_bytes = 4096 }, all = { 0 };
	struct ev_report why = { 0 };
	struct trace_taken *k, *other;
	struct buf b;
	char id[16];
	bool over = false;
	(void)state;
	begin();
	assert_int_equal(trace_start(trace, &w, &why), 0);
	ask("first", "");
	assert_int_equal(trace_take(&k, trace, &all, &why), 0);
	for (unsigned i = 0; i < 10; i++) {
		snprintf(id, sizeof id, "call%u", i);
		ask(id, "");
	}
	assert_int_equal(trace_take(&other, trace, &all, &why), 0);
	buf_init(&b, 1 << 20);
	assert_int_equal(trace_taken_write(k, 1 << 20, &b, &over), 0);
	assert_true(over);
	assert_true(text_find_text(buf_as_text(&b), TEXT("Call-ID: first")) != SIZE_MAX && text_find_text(buf_as_text(&b), TEXT("Call-ID: call")) == SIZE_MAX);
	assert_int_equal(trace_taken_saved(k).packets, 2);
	assert_false(trace_taken_old(other));
	assert_int_equal(trace_stop(trace, "test", &why), 0);
	assert_false(trace_taken_old(other)); /* what is kept may be saved */
	trace_forget(trace);
	assert_true(trace_taken_old(other));
	assert_int_equal(trace_taken_write(other, 1 << 20, &b, &over), ECANCELED);
	buf_free(&b);
	trace_taken_free(k);
	trace_taken_free(other);
	end();
}

enum { MANY_CONNS = 1000, MANY = 20000 };

/* Half of them are a gateway's, the others' are strangers': each of those was looked for in the whole ring. */
static void fill(void)
{
	char data[600], host[32];
	struct net_addr here, there;
	memset(data, 'x', sizeof data);
	assert_int_equal(net_addr_parse(&here, TEXT("10.0.0.1"), 5061), 0);
	for (unsigned i = 0; i < MANY; i++) {
		unsigned n = i % MANY_CONNS;
		snprintf(host, sizeof host, "10.%u.%u.1", n % 2 + 1, n / 4);
		assert_int_equal(net_addr_parse(&there, text_of(host), (uint16_t)(40000 + n)), 0);
		struct sip_wire_conn w = { .id = n + 1, .transport = NET_TLS, .local = &here, .peer = &there, .gateway = n % 2 ? "mine" : "" };
		struct trace_conn *c = trace_ring_conn(trace, &w, true);
		assert_non_null(c);
		c->whole = true;
		assert_non_null(trace_ring_add(trace, TRACE_BYTES, c, data, sizeof data));
	}
}

static void a_large_ring_is_written_in_bounded_pieces(void **state)
{
	struct trace_want w = { .limit_bytes = TRACE_MAX_BYTES }, mine = { .gateway = "mine" };
	struct ev_report why = { 0 };
	struct trace_taken *k;
	struct buf b;
	bool over = false;
	unsigned pieces = 0;
	(void)state;
	begin();
	assert_int_equal(trace_start(trace, &w, &why), 0);
	fill();
	assert_int_equal(trace_take(&k, trace, &mine, &why), 0);
	for (buf_init(&b, 1 << 20); !over; pieces++) {
		buf_clear(&b);
		assert_int_equal(trace_taken_write(k, 64 << 10, &b, &over), 0);
		assert_true(b.n < 128 << 10);
	}
	assert_true(pieces > 50);
	assert_int_equal(trace_taken_saved(k).packets, MANY / 2 + 3 * MANY_CONNS / 2); /* and the SYNs */
	buf_free(&b);
	trace_taken_free(k);
	end();
}

struct taking {
	struct trace_want w;
};

static int taken_without_memory(void *arg)
{
	struct taking *x = arg;
	struct ev_report why = { 0 };
	struct trace_taken *k;
	struct buf b;
	bool over = false;
	int err = trace_take(&k, trace, &x->w, &why);
	if (err)
		return err;
	buf_init(&b, 1 << 20);
	while (!err && !over)
		err = trace_taken_write(k, 1, &b, &over);
	buf_free(&b);
	trace_taken_free(k);
	return err;
}

static void without_memory_nothing_is_saved(void **state)
{
	struct trace_want w = { 0 };
	struct ev_report why = { 0 };
	(void)state;
	begin();
	assert_int_equal(trace_start(trace, &w, &why), 0);
	ask("one", "");
	ut_oom(taken_without_memory, &(struct taking){ .w = { .redact = true } });
	end();
}

static int made_without_memory(void *arg)
{
	struct trace_prm tp = { .loop = arg, .clock = &fake.clock, .bus = bus, .node = "n" };
	struct trace *t;
	int err = trace_create(&t, &tp);
	if (!err)
		trace_destroy(t);
	return err;
}

static void without_memory_it_is_not_made(void **state)
{
	(void)state;
	begin();
	ut_oom(made_without_memory, loop);
	end();
}

UT_MAIN(UT(what_was_said_is_kept_while_it_runs), UT(first_bytes_of_another_gateway_are_not_saved), UT(one_call_of_several), UT(the_oldest_goes_when_it_is_full), UT(it_stops_and_is_forgotten_by_itself),
	UT(keys_are_kept_only_when_wanted_and_found_by_their_random), UT(without_memory_it_is_not_made), UT(what_was_taken_does_not_change),
	UT(a_large_ring_is_written_in_bounded_pieces), UT(without_memory_nothing_is_saved))

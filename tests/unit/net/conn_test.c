/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "net/conn.h"
#include "net/udp.h"
#include "net_events.h"

struct side {
	struct conn *c;
	char got[64];
	size_t n;
	bool established, closed;
	struct conn_end end;
};

static struct loop *loop;
static struct listener *listener;
static struct side server, client;
static bool server_reset;

static void on_established(struct conn *c, void *arg)
{
	(void)c;
	((struct side *)arg)->established = true;
}

static void on_recv(struct conn *c, const uint8_t *data, size_t n, void *arg)
{
	struct side *s = arg;
	(void)c;
	assert_true(s->n + n <= sizeof s->got);
	memcpy(s->got + s->n, data, n);
	s->n += n;
}

static void on_closed(struct conn *c, const struct conn_end *end, void *arg)
{
	struct side *s = arg;
	(void)c;
	assert_false(s->closed);
	s->closed = true;
	s->end = *end;
}

static const struct conn_handlers handlers = { on_established, on_recv, NULL, on_closed };

static void on_accept(struct listener *l, int fd, const struct net_addr *peer, void *arg)
{
	(void)l;
	(void)arg;
	if (server_reset) {
		struct linger now = { 1, 0 };
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
		close(fd);
		return;
	}
	assert_int_equal(conn_adopt(&server.c, loop, fd, peer, NULL, &handlers, &server), 0);
}

static void open_pair(void)
{
	struct net_addr any;
	server = (struct side){ 0 };
	client = (struct side){ 0 };
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	net_addr_parse(&any, TEXT("127.0.0.1"), 0);
	assert_int_equal(listener_create(&listener, loop, &any, 8, on_accept, NULL), 0);
	assert_int_equal(conn_connect(&client.c, loop, listener_local(listener), NULL, 2000, NULL, &handlers, &client), 0);
}

static void close_pair(void)
{
	mem_unref(server.c);
	mem_unref(client.c);
	listener_destroy(listener);
	loop_step(loop, 0);
	loop_destroy(loop);
}

static void until(const bool *what)
{
	for (int i = 0; i < 1000 && !*what; i++)
		loop_step(loop, 10);
	assert_true(*what);
}

static void bytes_travel_and_an_orderly_end_is_told_as_fin(void **state)
{
	(void)state;
	server_reset = false;
	open_pair();
	until(&client.established);
	until(&server.established);
	assert_int_equal(conn_send(client.c, "hello", 5), 0);
	conn_close(client.c); /* what is queued still goes */
	until(&server.closed);
	until(&client.closed);
	assert_memory_equal(server.got, "hello", 5);
	assert_int_equal(server.end.how, CONN_FIN);
	assert_int_equal(client.end.how, CONN_LOCAL);
	assert_true(server.end.established);
	assert_int_equal(conn_send(client.c, "x", 1), ENOTCONN);
	close_pair();
}

static void reset_is_told_apart_from_fin(void **state)
{
	(void)state;
	server_reset = true;
	open_pair();
	until(&client.closed);
	assert_int_equal(client.end.how, CONN_RST);
	close_pair();
}

static void refusal_comes_to_closed_with_its_errno(void **state)
{
	(void)state;
	struct net_addr to;
	struct listener *l;
	client = (struct side){ 0 };
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	net_addr_parse(&to, TEXT("127.0.0.1"), 0);
	assert_int_equal(listener_create(&l, loop, &to, 1, on_accept, NULL), 0);
	to = *listener_local(l);
	listener_destroy(l); /* nobody listens on that port any more */
	assert_int_equal(conn_connect(&client.c, loop, &to, NULL, 2000, NULL, &handlers, &client), 0);
	assert_false(client.closed); /* never from within the call */
	until(&client.closed);
	assert_int_equal(client.end.how, CONN_ERROR);
	assert_int_equal(client.end.err, ECONNREFUSED);
	assert_false(client.end.established);
	mem_unref(client.c);
	loop_destroy(loop);
}

/* A filter that turns every byte by one and is up after it has seen the peer's "!". */
struct turner {
	unsigned destroyed;
};

static int turner_start(struct conn *c, void *state)
{
	(void)state;
	return conn_down(c, "!", 1);
}

static int turner_below(struct conn *c, void *state, const uint8_t *data, size_t n)
{
	(void)state;
	uint8_t out[64];
	size_t o = 0;
	for (size_t i = 0; i < n; i++) {
		if (data[i] == '!')
			conn_filter_up(c);
		else
			out[o++] = (uint8_t)(data[i] - 1);
	}
	return o ? conn_up(c, out, o) : 0;
}

static int turner_above(struct conn *c, void *state, const uint8_t *data, size_t n)
{
	(void)state;
	uint8_t out[64];
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(data[i] + 1);
	return conn_down(c, out, n);
}

static void turner_destroy(void *state)
{
	((struct turner *)state)->destroyed++;
}

static void filter_stands_between_user_and_socket(void **state)
{
	(void)state;
	struct turner t = { 0 };
	struct conn_filter f = { .name = "turner", .state = &t, .start = turner_start, .below = turner_below, .above = turner_above, .destroy = turner_destroy };
	server_reset = false;
	struct net_addr any;
	server = (struct side){ 0 };
	client = (struct side){ 0 };
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	net_addr_parse(&any, TEXT("127.0.0.1"), 0);
	assert_int_equal(listener_create(&listener, loop, &any, 8, on_accept, NULL), 0);
	assert_int_equal(conn_connect(&client.c, loop, listener_local(listener), NULL, 2000, &f, &handlers, &client), 0);
	until(&server.established);
	assert_ptr_equal(conn_filter_state(client.c, "turner"), &t);
	assert_null(conn_filter_state(client.c, "tls"));
	assert_false(client.established);
	conn_send(server.c, "!bc", 3);
	until(&client.established);
	bool got = false;
	for (int i = 0; i < 100 && !got; i++) {
		loop_step(loop, 10);
		got = client.n == 2;
	}
	assert_memory_equal(client.got, "ab", 2);
	assert_int_equal(conn_send(client.c, "yz", 2), 0);
	conn_close(client.c);
	until(&server.closed);
	assert_memory_equal(server.got, "!z{", 3);
	close_pair();
	assert_int_equal(t.destroyed, 1);
}

static unsigned datagrams;

static void on_datagram(struct udp *udp, const struct net_addr *from, uint8_t *data, size_t n, void *arg)
{
	(void)arg;
	datagrams++;
	if (n == 4 && memcmp(data, "ping", 4) == 0)
		assert_int_equal(udp_send(udp, from, "pong", 4), 0);
}

static void datagrams_go_both_ways(void **state)
{
	(void)state;
	struct udp *a, *b;
	struct net_addr any;
	datagrams = 0;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	net_addr_parse(&any, TEXT("127.0.0.1"), 0);
	assert_int_equal(udp_create(&a, loop, &any, on_datagram, NULL), 0);
	assert_int_equal(udp_create(&b, loop, &any, on_datagram, NULL), 0);
	assert_int_equal(udp_send(a, udp_local(b), "ping", 4), 0);
	for (int i = 0; i < 100 && datagrams < 2; i++)
		loop_step(loop, 10);
	assert_int_equal(datagrams, 2);
	udp_destroy(a);
	udp_destroy(b);
	loop_destroy(loop);
}

static unsigned accepted, others;
static size_t other_n; /* bytes of the last */

static void on_one_more(struct listener *l, int fd, const struct net_addr *peer, void *arg)
{
	(void)l;
	(void)peer;
	(void)arg;
	accepted++;
	close(fd);
}

static void on_other(struct udp *udp, const struct net_addr *from, uint8_t *data, size_t n, void *arg)
{
	(void)udp;
	(void)from;
	(void)data;
	(void)arg;
	others++;
	other_n = n;
}

static void between_a_few_connections_of_a_storm_others_have_their_turn(void **state)
{
	(void)state;
	enum { STORM = 100, A_TURN = 8 };
	struct udp *udp;
	struct net_addr any;
	int fd[STORM];
	accepted = others = 0;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	net_addr_parse(&any, TEXT("127.0.0.1"), 0);
	assert_int_equal(listener_create(&listener, loop, &any, STORM, on_one_more, NULL), 0);
	assert_int_equal(udp_create(&udp, loop, &any, on_other, NULL), 0);
	const struct net_addr *to = listener_local(listener);
	for (unsigned i = 0; i < STORM; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(fd[i], &to->u.sa, net_addr_len(to)), 0);
	}
	for (unsigned turns = 0; accepted < STORM; turns++) {
		unsigned was = accepted, heard = others;
		assert_true(turns < STORM);
		assert_int_equal(udp_send(udp, udp_local(udp), "ping", 4), 0);
		loop_step(loop, 1000);
		assert_true(accepted - was <= A_TURN);
		assert_int_equal(others, heard + 1);
	}
	for (unsigned i = 0; i < STORM; i++)
		close(fd[i]);
	udp_destroy(udp);
	listener_destroy(listener);
	loop_destroy(loop);
}

/* ---- a busy loop ---- */

static struct clock_fake fake;
static struct loop_io busy;
static int always;

static void ask_again(struct loop_io *io, uint32_t events, void *arg)
{
	(void)io;
	(void)events;
	(void)arg;
}

static void turns(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		clock_fake_advance_ms(&fake, 1);
		loop_step(loop, 0);
	}
}

/* For what the kernel has still to bring: a turn that gives it a millisecond. */
static void wait_turn(void)
{
	clock_fake_advance_ms(&fake, 1);
	loop_step(loop, 1);
}

/* A descriptor that has something in each turn makes it gather. */
static void open_busy_loop(void)
{
	clock_fake_init(&fake, 1795356309);
	assert_int_equal(loop_create(&loop, &fake.clock), 0);
	always = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_int_equal(loop_io_add(loop, &busy, always, EPOLLIN, ask_again, NULL), 0);
	turns(200);
	assert_true(loop_gathers(loop));
}

static void close_busy_loop(void)
{
	loop_io_del(&busy);
	close(always);
	loop_destroy(loop);
}

static void connect_busy(void)
{
	struct net_addr any;
	server = client = (struct side){ 0 };
	server_reset = false;
	net_addr_parse(&any, TEXT("127.0.0.1"), 0);
	assert_int_equal(listener_create(&listener, loop, &any, 8, on_accept, NULL), 0);
	assert_int_equal(conn_connect(&client.c, loop, listener_local(listener), NULL, 5000, NULL, &handlers, &client), 0);
	for (unsigned i = 0; i < 20000 && !(server.established && client.established); i++)
		wait_turn();
	assert_true(server.established && client.established);
}

static void close_busy(void)
{
	conn_abort(server.c, false);
	mem_unref(server.c);
	mem_unref(client.c);
	listener_destroy(listener);
	close_busy_loop();
}

static void what_a_turn_sends_goes_out_at_its_end_in_order(void **state)
{
	(void)state;
	open_busy_loop();
	connect_busy();
	assert_int_equal(conn_send(client.c, "one ", 4), 0);
	assert_int_equal(conn_send(client.c, "two ", 4), 0);
	assert_int_equal(conn_send(client.c, "three", 5), 0);
	assert_int_equal(conn_queued(client.c), 13);
	turns(1);
	assert_int_equal(conn_queued(client.c), 0);
	for (unsigned i = 0; i < 20000 && server.n < 13; i++)
		wait_turn();
	assert_memory_equal(server.got, "one two three", 13);
	conn_abort(client.c, false);
	close_busy();
}

/* However the connection ends in the turn in which something was sent: it was sent. */
static void what_was_sent_before_an_end_of_the_same_turn_arrives(void **state)
{
	(void)state;
	open_busy_loop();
	for (unsigned how = 0; how < 2; how++) {
		connect_busy();
		assert_int_equal(conn_send(client.c, "last words", 10), 0);
		if (how)
			conn_close(client.c);
		else
			conn_abort(client.c, false);
		for (unsigned i = 0; i < 20000 && !server.closed; i++)
			wait_turn();
		assert_int_equal(server.n, 10);
		assert_memory_equal(server.got, "last words", 10);
		mem_unref(server.c);
		mem_unref(client.c);
		listener_destroy(listener);
	}
	close_busy_loop();
}

static void refuse_and_close(struct conn *c, const uint8_t *data, size_t n, void *arg)
{
	(void)data;
	(void)n;
	(void)arg;
	assert_int_equal(conn_send(c, "no", 2), 0);
	conn_close(c);
}

static void on_accept_to_refuse(struct listener *l, int fd, const struct net_addr *peer, void *arg)
{
	static const struct conn_handlers refusing = { on_established, refuse_and_close, NULL, on_closed };
	(void)l;
	(void)arg;
	assert_int_equal(conn_adopt(&server.c, loop, fd, peer, NULL, &refusing, &server), 0);
}

/* Nothing but the last words is waited for, neither the peer nor the time that a close may take. */
static void a_handler_that_answers_and_closes_is_through_at_once(void **state)
{
	(void)state;
	struct net_addr any;
	open_busy_loop();
	server = client = (struct side){ 0 };
	net_addr_parse(&any, TEXT("127.0.0.1"), 0);
	assert_int_equal(listener_create(&listener, loop, &any, 8, on_accept_to_refuse, NULL), 0);
	assert_int_equal(conn_connect(&client.c, loop, listener_local(listener), NULL, 5000, NULL, &handlers, &client), 0);
	for (unsigned i = 0; i < 20000 && !(server.established && client.established); i++)
		wait_turn();
	assert_true(loop_gathers(loop));
	assert_int_equal(conn_send(client.c, "?", 1), 0);
	conn_pause(client.c, true); /* the peer does not even look */
	int64_t began = loop_now_ms(loop);
	for (unsigned i = 0; i < 4000 && !server.closed; i++)
		wait_turn();
	assert_true(server.closed);
	assert_int_equal(server.end.how, CONN_LOCAL);
	assert_true(loop_now_ms(loop) - began < 4000); /* CLOSE_MS would be 5,000 */
	conn_pause(client.c, false);
	for (unsigned i = 0; i < 20000 && !client.closed; i++)
		wait_turn();
	assert_memory_equal(client.got, "no", 2);
	mem_unref(server.c);
	mem_unref(client.c);
	listener_destroy(listener);
	close_busy_loop();
}

/* One that would be large waits for nothing. */
static void much_at_once_is_not_kept_until_the_end(void **state)
{
	(void)state;
	static char much[32768];
	open_busy_loop();
	connect_busy();
	assert_int_equal(conn_send(client.c, much, 4), 0);
	assert_int_equal(conn_queued(client.c), 4);
	conn_abort(server.c, false); /* nobody reads it */
	assert_int_equal(conn_send(client.c, much, sizeof much), 0);
	assert_int_equal(conn_queued(client.c), 0);
	conn_abort(client.c, false);
	mem_unref(server.c);
	mem_unref(client.c);
	listener_destroy(listener);
	close_busy_loop();
}

static unsigned unsent;

static void hear_event(const struct ev_record *rec, void *arg)
{
	(void)arg;
	unsent += rec->report.id == EV_DATAGRAM_UNSENT;
}

static unsigned told(struct ev_bus *bus)
{
	ev_bus_flush(bus);
	return unsent;
}

/* Whether they are sent at once or at the end of a turn; once a minute. */
static void an_answer_that_cannot_be_sent_is_told(void **state)
{
	(void)state;
	struct udp *a;
	struct net_addr any, wrong;
	struct ev_bus *bus;
	struct metrics *metrics;
	open_busy_loop();
	assert_int_equal(ev_bus_create(&bus, &fake.clock, 0), 0);
	assert_int_equal(ev_bus_sink(bus, hear_event, NULL, NULL), 0);
	assert_int_equal(metrics_create(&metrics), 0);
	loop_observe(loop, bus, metrics);
	net_addr_parse(&any, TEXT("127.0.0.1"), 0);
	net_addr_parse(&wrong, TEXT("255.255.255.255"), 9);
	assert_int_equal(udp_create(&a, loop, &any, on_other, NULL), 0);
	unsent = 0;
	assert_int_equal(udp_send_soon(a, &wrong, "x", 1), 0);
	assert_int_equal(told(bus), 0);
	turns(1);
	assert_int_equal(told(bus), 1);
	assert_int_equal(udp_send_soon(a, &wrong, "x", 1), 0);
	turns(1);
	assert_int_equal(told(bus), 1);
	uint64_t one;
	assert_int_equal(read(always, &one, sizeof one), sizeof one);
	clock_fake_advance_ms(&fake, 61000);
	turns(200);
	assert_false(loop_gathers(loop));
	assert_int_not_equal(udp_send_soon(a, &wrong, "x", 1), 0);
	assert_int_equal(told(bus), 2);
	udp_destroy(a);
	ev_bus_destroy(bus);
	close_busy_loop();
	metrics_destroy(metrics);
}

static void datagrams_of_a_turn_go_out_at_its_end(void **state)
{
	(void)state;
	enum { MANY = 150 };
	struct udp *a, *b;
	struct net_addr any, wrong;
	open_busy_loop();
	others = 0;
	net_addr_parse(&any, TEXT("127.0.0.1"), 0);
	net_addr_parse(&wrong, TEXT("255.255.255.255"), 9); /* the kernel refuses it: not a broadcasting socket */
	assert_int_equal(udp_create(&a, loop, &any, on_other, NULL), 0);
	assert_int_equal(udp_create(&b, loop, &any, on_other, NULL), 0);
	assert_int_not_equal(udp_send(a, &wrong, "x", 1), 0);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(udp_send_soon(a, i == 3 ? &wrong : udp_local(b), "soon", 4), 0);
	for (unsigned i = 0; i < 20000 && others < MANY - 1; i++)
		wait_turn();
	assert_int_equal(others, MANY - 1);
	assert_int_equal(udp_send_soon(a, udp_local(b), "soon", 4), 0);
	assert_int_equal(udp_send(a, udp_local(b), "now", 3), 0); /* and not before the other */
	for (unsigned i = 0; i < 20000 && others < MANY + 1; i++)
		wait_turn();
	assert_int_equal(others, MANY + 1);
	assert_int_equal(other_n, 3);
	assert_int_equal(udp_send_soon(a, udp_local(b), "last", 4), 0);
	udp_destroy(a);
	for (unsigned i = 0; i < 20000 && others < MANY + 2; i++)
		wait_turn();
	assert_int_equal(others, MANY + 2);
	udp_destroy(b);
	close_busy_loop();
}

UT_MAIN(UT(between_a_few_connections_of_a_storm_others_have_their_turn), UT(bytes_travel_and_an_orderly_end_is_told_as_fin), UT(reset_is_told_apart_from_fin), UT(refusal_comes_to_closed_with_its_errno),
        UT(filter_stands_between_user_and_socket), UT(datagrams_go_both_ways),
        UT(what_a_turn_sends_goes_out_at_its_end_in_order), UT(what_was_sent_before_an_end_of_the_same_turn_arrives), UT(a_handler_that_answers_and_closes_is_through_at_once), UT(much_at_once_is_not_kept_until_the_end),
        UT(datagrams_of_a_turn_go_out_at_its_end), UT(an_answer_that_cannot_be_sent_is_told))

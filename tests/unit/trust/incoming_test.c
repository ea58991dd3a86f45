/* SPDX-License-Identifier: Apache-2.0 */
/* incoming_test.c  Our listener over real sockets, dialled by ourselves with good and bad certificates and by strangers without TLS: what the
 * listener says of each, and that a swap of identities disturbs no connection that stands.                                */
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "net/conn.h"
#include "net/pool.h"
#include "support/certs.h"
#include "trust/explain.h"
#include "trust/tls_filter.h"
#include "ut.h"

enum who { GOOD, WRONG_NAME, NO_CLIENT_AUTH, STRANGER, EXPIRED, NOBODY };

struct side {
	struct conn *conn;
	bool up, closed;
	char got[64];
};

struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct pool *crypto;
	struct tc root, other_root, client[5], server, renewed;
	struct trust_policy *accepts, *wants;
	struct trust_keeper *keeper; /* the listener's */
	struct listener *listener;
	struct side in, out;
	uint16_t port;
	struct side *storm; /* where the next ones go instead; NULL: to `in` */
	unsigned n_storm;
};
static struct bench b;

static void established(struct conn *c, void *arg)
{
	struct side *s = arg;
	(void)c;
	s->up = true;
}

static void received(struct conn *c, const uint8_t *data, size_t n, void *arg)
{
	struct side *s = arg;
	(void)c;
	size_t at = strlen(s->got);
	text_print(s->got + at, sizeof s->got - at, "%.*s", (int)n, (const char *)data);
}

static void closed(struct conn *c, const struct conn_end *end, void *arg)
{
	struct side *s = arg;
	(void)c;
	(void)end;
	s->closed = true;
}
static const struct conn_handlers handlers = { .established = established, .recv = received, .closed = closed };

static void incoming(struct listener *l, int fd, const struct net_addr *peer, void *arg)
{
	struct conn_filter filter;
	struct trust_set *set = trust_keeper_get(b.keeper);
	struct tls_filter_prm prm = { .loop = b.loop, .crypto = b.crypto,
				      .tls = { .role = TRUST_ACCEPTED, .set = set, .policy = b.accepts, .clock = &b.clock.clock } };
	(void)l;
	(void)arg;
	assert_int_equal(tls_filter_make(&filter, &prm), 0);
	if (b.storm) {
		struct side *s = &b.storm[b.n_storm++];
		assert_int_equal(conn_adopt(&s->conn, b.loop, fd, peer, &filter, &handlers, s), 0);
		mem_unref(set);
		return;
	}
	if (b.in.conn)
		b.in.conn = mem_unref(b.in.conn);
	memset(&b.in, 0, sizeof b.in);
	assert_int_equal(conn_adopt(&b.in.conn, b.loop, fd, peer, &filter, &handlers, &b.in), 0);
	mem_unref(set);
}

static struct trust_set *set_of(struct tc *c)
{
	struct trust_set *set;
	struct trust_identity *id;
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_set_anchor(set, b.root.cert), 0);
	if (c) {
		assert_int_equal(trust_identity_from(&id, "default", c->cert, NULL, c->key, NULL), 0);
		assert_int_equal(trust_set_identity(set, id), 0);
		mem_unref(id);
	}
	return set;
}

static void make_certs(void)
{
	const char *san = "DNS:pool.domain.com";
	tc_root(&b.root, "Root");
	tc_root(&b.other_root, "Other");
	tc_leaf(&b.client[GOOD], &b.root, "pool.domain.com", san);
	tc_leaf(&b.client[WRONG_NAME], &b.root, "other.domain.com", "DNS:other.domain.com");
	tc_make(&b.client[NO_CLIENT_AUTH], &(struct tc_prm){ .cn = "pool.domain.com", .san = san, .eku = "serverAuth", .issuer = &b.root });
	tc_leaf(&b.client[STRANGER], &b.other_root, "pool.domain.com", san);
	tc_make(&b.client[EXPIRED], &(struct tc_prm){ .cn = "pool.domain.com", .san = san, .from_days = -9, .to_days = -1, .issuer = &b.root });
	tc_leaf(&b.server, &b.root, "node01.domain.local", "DNS:node01.domain.local");
	tc_leaf(&b.renewed, &b.root, "node01.domain.local", "DNS:node01.domain.local,DNS:um.domain.local");
}

static int up(void **state)
{
	const char *pool = "pool.domain.com", *node = "node01.domain.local";
	struct net_addr any;
	(void)state;
	memset(&b, 0, sizeof b);
	clock_fake_init(&b.clock, TC_NOW);
	assert_int_equal(loop_create(&b.loop, &b.clock.clock), 0);
	assert_int_equal(pool_create(&b.crypto, b.loop, "crypto", 1, 16), 0);
	make_certs();
	assert_int_equal(trust_policy_one(&b.accepts, "pool", TRUST_RULE_SAN_OR_CN, &pool, 1), 0);
	assert_int_equal(trust_policy_one(&b.wants, "node", TRUST_RULE_RFC5922, &node, 1), 0);
	struct trust_set *set = set_of(&b.server);
	assert_int_equal(trust_keeper_create(&b.keeper, set), 0);
	mem_unref(set);
	assert_int_equal(net_addr_parse(&any, TEXT("127.0.0.1"), 0), 0);
	assert_int_equal(listener_create(&b.listener, b.loop, &any, 16, incoming, NULL), 0);
	b.port = net_addr_port(listener_local(b.listener));
	return 0;
}

static void hang_up(struct side *s)
{
	if (s->conn && !s->closed)
		conn_abort(s->conn, false);
	s->conn = mem_unref(s->conn);
	memset(s, 0, sizeof *s);
}

static int down(void **state)
{
	(void)state;
	hang_up(&b.out);
	hang_up(&b.in);
	listener_destroy(b.listener);
	pool_destroy(b.crypto);
	for (unsigned i = 0; i < 4; i++)
		loop_step(b.loop, 0);
	loop_destroy(b.loop);
	trust_keeper_destroy(b.keeper);
	mem_unref(b.accepts);
	mem_unref(b.wants);
	for (unsigned i = 0; i < 5; i++)
		tc_free(&b.client[i]);
	tc_free(&b.server);
	tc_free(&b.renewed);
	tc_free(&b.root);
	tc_free(&b.other_root);
	if (mem_live()) {
		print_error("leak: %zu block(s) left\n", mem_live());
		return -1;
	}
	return 0;
}

static void dial(struct side *s, enum who who, uint16_t version, const char *sni)
{
	struct conn_filter filter;
	struct net_addr to;
	struct trust_set *set = set_of(who == NOBODY ? NULL : &b.client[who]);
	struct tls_filter_prm prm = { .loop = b.loop, .crypto = b.crypto,
				      .tls = { .role = TRUST_DIALLED, .set = set, .policy = b.wants, .sni = sni, .clock = &b.clock.clock,
					       .limits = { .min = version, .max = version }, .no_identity = who == NOBODY } };
	memset(s, 0, sizeof *s);
	assert_int_equal(tls_filter_make(&filter, &prm), 0);
	assert_int_equal(net_addr_parse(&to, TEXT("127.0.0.1"), b.port), 0);
	assert_int_equal(conn_connect(&s->conn, b.loop, &to, NULL, 5000, &filter, &handlers, s), 0);
	mem_unref(set);
}

static bool both_up(void)
{
	return b.in.up && b.out.up;
}

static bool in_closed(void)
{
	return b.in.closed;
}

static bool both_closed(void)
{
	return b.in.closed && b.out.closed;
}

static bool in_got(void)
{
	return b.in.got[0] != '\0';
}

static bool out_got(void)
{
	return b.out.got[0] != '\0';
}

static void until(bool (*what)(void))
{
	int64_t give_up = clock_mono_ms(clock_system()) + 20000;
	while (!what() && clock_mono_ms(clock_system()) < give_up) {
		loop_step(b.loop, 5);
		clock_fake_advance_ms(&b.clock, 1);
	}
	assert_true(what());
}

static void verdict_of(struct side *s, enum trust_verdict_id id, const char *words)
{
	struct trust_facts *f = mem_alloc(sizeof *f);
	struct trust_verdict v;
	assert_true(tls_conn_facts(s->conn, f));
	trust_explain(f, &v);
	if (v.id != id || (words && !strstr(v.sentence, words)))
		fail_msg("wanted %s, got %s: %s", trust_verdict_name(id), v.name, v.sentence);
	mem_free(f);
}

static void each_bad_certificate_has_its_verdict_on_both_sides(void **state)
{
	(void)state;
	static const struct {
		enum who who;
		enum trust_verdict_id ours, theirs;
		const char *words;
	} table[] = {
		{ WRONG_NAME, TRUST_V_NAME_MISMATCH, TRUST_V_PEER_BAD_CERTIFICATE, "names other.domain.com, accepted are pool.domain.com" },
		{ NO_CLIENT_AUTH, TRUST_V_WRONG_PURPOSE, TRUST_V_PEER_WRONG_PURPOSE, "as a client certificate" },
		{ STRANGER, TRUST_V_ISSUER_UNKNOWN, TRUST_V_PEER_UNKNOWN_CA, "O=Umbel tests" },
		{ EXPIRED, TRUST_V_EXPIRED, TRUST_V_PEER_EXPIRED, "expired at 2027-01-14" },
		{ NOBODY, TRUST_V_NO_CLIENT_CERTIFICATE, TRUST_V_PEER_WANTS_CERTIFICATE, "showed no certificate" },
	};
	for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
		for (uint16_t v = 0x0303; v <= 0x0304; v++) {
			dial(&b.out, table[i].who, v, "node01.domain.local");
			until(both_closed);
			verdict_of(&b.in, table[i].ours, table[i].words);
			verdict_of(&b.out, table[i].theirs, v == 0x0304 ? "after our side of the handshake had returned" : "during the handshake");
			hang_up(&b.out);
			hang_up(&b.in);
		}
}

static void good_ones_talk_both_ways(void **state)
{
	(void)state;
	for (uint16_t v = 0x0303; v <= 0x0304; v++) {
		dial(&b.out, GOOD, v, "node01.domain.local");
		until(both_up);
		assert_string_equal(tls_peer_name(tls_of_conn(b.in.conn)), "pool.domain.com");
		assert_string_equal(tls_peer_label(tls_of_conn(b.in.conn)), "pool");
		assert_int_equal(conn_send(b.out.conn, "INVITE", 6), 0);
		until(in_got);
		assert_int_equal(conn_send(b.in.conn, "100 Trying", 10), 0);
		until(out_got);
		conn_close(b.out.conn);
		until(in_closed);
		struct trust_facts *f = mem_alloc(sizeof *f);
		assert_true(tls_conn_facts(b.in.conn, f));
		assert_int_equal(f->end, TRUST_CLOSE_NOTIFY);
		mem_free(f);
		until(both_closed);
		hang_up(&b.out);
		hang_up(&b.in);
	}
}

static void a_swap_leaves_standing_connections_alone(void **state)
{
	(void)state;
	dial(&b.out, GOOD, 0x0304, "node01.domain.local");
	until(both_up);
	struct side first_in = b.in, first_out = b.out;
	b.in.conn = NULL;
	/* the handlers' arguments stay the two sides of the bench: what arrives on the first pair is seen there */
	struct trust_set *now = set_of(&b.renewed);
	trust_keeper_swap(b.keeper, now);
	mem_unref(now);
	dial(&b.out, GOOD, 0x0304, "um.domain.local");
	until(both_up);
	struct tls *fresh = tls_of_conn(b.out.conn), *old = tls_of_conn(first_out.conn);
	assert_int_equal(tls_facts(fresh)->theirs.sans.n, 2);
	assert_int_equal(tls_facts(old)->theirs.sans.n, 1);
	assert_true(conn_is_established(first_in.conn));
	assert_int_equal(conn_send(first_out.conn, "BYE", 3), 0);
	until(in_got);
	assert_string_equal(b.in.got, "BYE");
	conn_abort(first_in.conn, false);
	conn_abort(first_out.conn, false);
	mem_unref(first_in.conn);
	mem_unref(first_out.conn);
}

static void strangers_without_tls(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		enum trust_verdict_id id;
	} table[] = { { "OPTIONS sip:a SIP/2.0\r\n\r\n", TRUST_V_PLAIN_SIP_ON_TLS_PORT }, { "GET / HTTP/1.1\r\n\r\n", TRUST_V_HTTP_ON_TLS_PORT },
		      { "PROXY TCP4 1 2 3 4\r\n", TRUST_V_NOT_TLS }, { "", TRUST_V_CLOSED_BEFORE_HELLO } };
	for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
		struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(b.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
		assert_int_equal(send(fd, table[i].bytes, strlen(table[i].bytes), 0), strlen(table[i].bytes));
		shutdown(fd, SHUT_WR);
		until(in_closed);
		verdict_of(&b.in, table[i].id, NULL);
		close(fd);
		hang_up(&b.in);
	}
}

static void a_caller_that_stalls_is_let_go(void **state)
{
	(void)state;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(b.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	for (unsigned i = 0; i < 20 && !b.in.conn; i++)
		loop_step(b.loop, 20);
	loop_step(b.loop, 5);
	clock_fake_advance_ms(&b.clock, TLS_HANDSHAKE_MS + 1);
	until(in_closed);
	verdict_of(&b.in, TRUST_V_OPENED_SILENT, NULL);
	close(fd);
}

/* ---- a storm ---- */
enum { STORM = 60, QUEUE = 16 };

static sem_t plug;

static int plugged(void *arg)
{
	(void)arg;
	return sem_wait(&plug);
}

static void unplugged(enum pool_result result, int err, void *arg)
{
	(void)result;
	(void)err;
	(void)arg;
}

/* A message over the connection that stands: at the other end within a few turns of the loop, whatever else waits. */
static void message_passes(void)
{
	enum { TURNS = 4 };
	b.in.got[0] = '\0';
	assert_int_equal(conn_send(b.out.conn, "BYE", 3), 0);
	for (unsigned i = 0; i < TURNS && !in_got(); i++)
		loop_step(b.loop, 1000);
	assert_string_equal(b.in.got, "BYE");
}

static bool storm_over(void)
{
	for (unsigned i = 0; i < STORM; i++)
		if (!b.storm[i].closed)
			return false;
	return true;
}

/* The only worker is held: a step of a handshake that happens now happens on the loop. */
static void while_a_storm_shakes_hands_messages_pass(void **state)
{
	static const uint8_t hello[] = { 0x16, 0x03, 0x01, 0x00, 0x04, 'n', 'o', 'n', 'e' };
	static struct side storm[STORM];
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(b.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd[STORM];
	(void)state;
	memset(storm, 0, sizeof storm);
	dial(&b.out, GOOD, 0x0304, "node01.domain.local");
	until(both_up);
	assert_int_equal(sem_init(&plug, 0, 0), 0);
	assert_int_equal(pool_submit(b.crypto, plugged, unplugged, NULL), 0);
	b.storm = storm;
	for (unsigned i = 0; i < STORM; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(fd[i], (struct sockaddr *)&a, sizeof a), 0);
		assert_int_equal(send(fd[i], hello, sizeof hello, 0), sizeof hello);
		message_passes();
	}
	for (unsigned i = 0; i < 50; i++) { /* those that found the queue full try again and again */
		clock_fake_advance_ms(&b.clock, 10);
		message_passes();
	}
	assert_int_equal(b.n_storm, STORM);
	assert_int_equal(pool_depth(b.crypto), QUEUE + 1);
	for (unsigned i = 0; i < STORM; i++)
		assert_false(storm[i].closed);
	sem_post(&plug);
	until(storm_over);
	message_passes();
	for (unsigned i = 0; i < STORM; i++) {
		close(fd[i]);
		hang_up(&storm[i]);
	}
	sem_destroy(&plug);
	hang_up(&b.out);
	hang_up(&b.in);
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, up, down)
int main(void)
{
	const struct CMUnitTest tests[] = { CASE(each_bad_certificate_has_its_verdict_on_both_sides), CASE(good_ones_talk_both_ways),
					    CASE(a_swap_leaves_standing_connections_alone), CASE(strangers_without_tls), CASE(a_caller_that_stalls_is_let_go),
					    CASE(while_a_storm_shakes_hands_messages_pass) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

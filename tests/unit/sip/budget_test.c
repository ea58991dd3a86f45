/* SPDX-License-Identifier: Apache-2.0 */
/* budget_test.c  What one address may ask of us: strangers never take what gateways need, and a flood of forged addresses takes no memory. */
#include "ut.h"
#include "sip/budget.h"

struct bench {
	struct clock_fake clock;
	struct sip_budget *b;
	unsigned asked;
};

static bool known(const struct net_addr *a, void *arg)
{
	struct bench *t = arg;
	char host[NET_ADDR_SIZE];

	t->asked++;
	return !strncmp(net_addr_print_host(a, host), "192.0.2.", 8) || !strcmp(host, "2001:db8::9");
}

static struct net_addr at(const char *host)
{
	struct net_addr a;

	assert_int_equal(net_addr_parse(&a, text_of(host), 5060), 0);
	return a;
}

static int open_bench(struct bench *t)
{
	struct sip_budget_prm prm = { .clock = &t->clock.clock, .conns = 10, .conns_per_source = 3, .conns_per_gateway = 8, .handshakes = 4, .stranger_handshakes = 3,
		                      .stranger_messages = 10, .strangers_messages = 100, .calls = 5, .stranger_bytes = 1000, .known = known, .arg = t };

	memset(t, 0, sizeof(*t));
	clock_fake_init(&t->clock, 1800000000);
	return sip_budget_create(&t->b, &prm);
}

static unsigned messages(struct bench *t, const char *host, unsigned n)
{
	struct net_addr a = at(host);
	unsigned good = 0;

	while (n--)
		good += sip_budget_message(t->b, &a);
	return good;
}

static void messages_of_strangers_are_counted(void **state)
{
	struct bench t;

	(void)state;
	assert_int_equal(open_bench(&t), 0);
	assert_int_equal(messages(&t, "192.0.2.1", 1000), 1000);
	assert_int_equal(messages(&t, "198.51.100.1", 1000), 20); /* two seconds' worth */
	clock_fake_advance_ms(&t.clock, 500);
	assert_int_equal(messages(&t, "198.51.100.1", 1000), 5);
	assert_int_equal(messages(&t, "198.51.100.2", 1000), 20);
	/* one of a /64 is all of it; a gateway in it stands for itself */
	assert_int_equal(messages(&t, "2001:db8::1", 15), 15);
	assert_int_equal(messages(&t, "2001:db8::2", 15), 5);
	assert_int_equal(messages(&t, "2001:db8::9", 100), 100);
	assert_int_equal(messages(&t, "2001:db8::1", 15), 0);
	assert_in_range(t.asked, 1, 60); /* its word on an IPv4 address is kept for a while */
	sip_budget_destroy(t.b);
}

static void forged_addresses_take_no_memory(void **state)
{
	struct bench t;
	unsigned good = 0;

	(void)state;
	assert_int_equal(open_bench(&t), 0);
	for (unsigned i = 0; i < 20000; i++) {
		char host[32];
		snprintf(host, sizeof(host), "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
		good += messages(&t, host, 1);
	}
	assert_in_range(good, 190, 210); /* of all together */
	assert_in_range(sip_budget_sources(t.b), 1000, 8192);
	assert_int_equal(messages(&t, "192.0.2.7", 5), 5); /* a gateway is never one of all */
	clock_fake_advance_ms(&t.clock, 11000);
	for (unsigned i = 0; i < 4000; i++) {
		char host[32];
		snprintf(host, sizeof(host), "172.16.%u.%u", i >> 8, i & 255);
		(void)messages(&t, host, 1);
	}
	assert_in_range(sip_budget_sources(t.b), 1, 8192);
	sip_budget_destroy(t.b);
}

static bool sit(struct bench *t, const char *host, bool tls, struct sip_seat *seat, enum sip_budget_what *what)
{
	struct net_addr a = at(host);

	memset(seat, 0, sizeof(*seat));
	return sip_budget_sit(t->b, &a, tls, seat, what);
}

static void strangers_leave_room_for_gateways(void **state)
{
	struct sip_seat s[16] = { 0 }, no;
	enum sip_budget_what what;
	struct bench t;
	unsigned n = 0;

	(void)state;
	assert_int_equal(open_bench(&t), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_true(sit(&t, "198.51.100.1", false, &s[n++], &what));
	assert_false(sit(&t, "198.51.100.1", false, &no, &what));
	assert_int_equal(what, SIP_BUDGET_CONNS);
	assert_true(sit(&t, "198.51.100.2", true, &s[n++], &what));
	assert_true(sit(&t, "198.51.100.3", true, &s[n++], &what));
	assert_false(sit(&t, "198.51.100.4", true, &no, &what)); /* half of ten */
	for (unsigned i = 0; i < 5; i++)
		assert_true(sit(&t, "192.0.2.1", true, &s[n++], &what));
	assert_false(sit(&t, "192.0.2.2", true, &no, &what)); /* ten */
	/* what a stranger's handshake proved makes his address known, and him no stranger */
	sip_budget_up(t.b, &s[3]);
	sip_budget_proven(t.b, &s[3]);
	assert_int_equal(messages(&t, "198.51.100.2", 50), 50);
	sip_budget_leave(t.b, &s[9]);
	assert_true(sit(&t, "198.51.100.4", true, &s[9], &what));
	while (n)
		sip_budget_leave(t.b, &s[--n]);
	sip_budget_leave(t.b, &s[0]); /* twice is nothing */
	sip_budget_destroy(t.b);
}

/* Addresses that must stay (proven, or with connections) and were not heard for long stand at the head of the list: those behind them go all the same. */
static void what_must_stay_keeps_no_gateway_out(void **state)
{
	enum sip_budget_what what;
	struct sip_seat s;
	struct bench t;
	char host[32];

	(void)state;
	assert_int_equal(open_bench(&t), 0);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(host, sizeof(host), "198.51.100.%u", i);
		assert_true(sit(&t, host, false, &s, &what));
		sip_budget_proven(t.b, &s);
		sip_budget_leave(t.b, &s);
	}
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(host, sizeof(host), "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
		(void)messages(&t, host, 1);
	}
	assert_int_equal(sip_budget_sources(t.b), 8192);
	assert_int_equal(messages(&t, "192.0.2.7", 50), 50);
	clock_fake_advance_ms(&t.clock, 11000);
	for (unsigned i = 0; i < 4000; i++) {
		snprintf(host, sizeof(host), "172.16.%u.%u", i >> 8, i & 255);
		(void)messages(&t, host, 1);
	}
	assert_in_range(sip_budget_sources(t.b), 4000, 5000);
	assert_int_equal(messages(&t, "198.51.100.7", 50), 50); /* proven, for an hour */
	sip_budget_destroy(t.b);
}

static void handshakes_are_counted_a_second(void **state)
{
	struct sip_seat s;
	enum sip_budget_what what;
	struct bench t;
	unsigned good = 0;

	(void)state;
	assert_int_equal(open_bench(&t), 0);
	for (unsigned i = 0; i < 50; i++)
		if (sit(&t, "198.51.100.1", true, &s, &what)) {
			good++;
			sip_budget_leave(t.b, &s);
		}
	assert_int_equal(good, 6);
	assert_int_equal(what, SIP_BUDGET_HANDSHAKES);
	for (unsigned i = 0; i < 50; i++) {
		assert_true(sit(&t, "192.0.2.1", true, &s, &what));
		sip_budget_leave(t.b, &s);
	}
	sip_budget_destroy(t.b);
}

static void bytes_that_wait_are_counted(void **state)
{
	struct sip_seat a, g;
	enum sip_budget_what what;
	struct bench t;

	(void)state;
	assert_int_equal(open_bench(&t), 0);
	assert_true(sit(&t, "198.51.100.1", false, &a, &what) && sit(&t, "192.0.2.1", false, &g, &what));
	assert_true(sip_budget_bytes(t.b, &a, 900));
	assert_true(sip_budget_bytes(t.b, &a, 1000));
	assert_false(sip_budget_bytes(t.b, &a, 1001));
	assert_true(sip_budget_bytes(t.b, &g, 100000));
	assert_true(sip_budget_bytes(t.b, &a, 0));
	sip_budget_leave(t.b, &a);
	sip_budget_leave(t.b, &g);
	sip_budget_destroy(t.b);
}

static void told_seldom(void **state)
{
	struct net_addr a = at("198.51.100.1");
	struct bench t;
	uint64_t count = 0;
	unsigned told = 0;

	(void)state;
	assert_int_equal(open_bench(&t), 0);
	for (unsigned i = 0; i < 1000; i++)
		told += sip_budget_refused(t.b, &a, SIP_BUDGET_MESSAGES, &count);
	assert_int_equal(told, 1);
	assert_int_equal(count, 1);
	clock_fake_advance_ms(&t.clock, 10000);
	assert_true(sip_budget_refused(t.b, &a, SIP_BUDGET_MESSAGES, &count));
	assert_int_equal(count, 1000);
	told = 0;
	for (unsigned i = 0; i < 200; i++) {
		char host[32];
		snprintf(host, sizeof(host), "10.0.0.%u", i);
		a = at(host);
		told += sip_budget_refused(t.b, &a, SIP_BUDGET_CONNS, &count);
	}
	assert_in_range(told, 5, 11);
	sip_budget_destroy(t.b);
}

static void calls_of_gateways_have_a_rate(void **state)
{
	struct net_addr g = at("192.0.2.1"), other = at("192.0.2.2");
	struct bench t;
	unsigned good = 0;

	(void)state;
	assert_int_equal(open_bench(&t), 0);
	for (unsigned i = 0; i < 100; i++)
		good += sip_budget_call(t.b, &g);
	assert_int_equal(good, 10);
	assert_true(sip_budget_call(t.b, &other));
	sip_budget_destroy(t.b);
}

static int without_memory(void *arg)
{
	struct bench *t = arg;
	int err = open_bench(t);

	if (err)
		return err;
	/* without an entry of its own an address has the common one */
	(void)messages(t, "198.51.100.1", 3);
	(void)messages(t, "192.0.2.1", 3);
	sip_budget_destroy(t->b);
	return 0;
}

static void out_of_memory(void **state)
{
	struct bench t;

	(void)state;
	ut_oom(without_memory, &t);
}

UT_MAIN(UT(messages_of_strangers_are_counted), UT(forged_addresses_take_no_memory), UT(strangers_leave_room_for_gateways), UT(handshakes_are_counted_a_second),
        UT(what_must_stay_keeps_no_gateway_out),
        UT(bytes_that_wait_are_counted), UT(told_seldom), UT(calls_of_gateways_have_a_rate), UT(out_of_memory))

/* SPDX-License-Identifier: Apache-2.0 */
/* lossy_test.c  Whole calls over a network that loses, delays, doubles and reorders: each one comes up or is told to have failed, on both sides
 * the same; each ends once; nothing is left of it. UMBEL_SEEDS=N tries more.                                          */
#include <stdio.h>
#include "base/mem.h"
#include "call/rig.h"
#include "support/relay.h"

static const struct relay_prm bad = { .lost_percent = 20, .doubled_percent = 10, .delay_ms = 300 };

static unsigned seeds(unsigned usual)
{
	const char *more = getenv("UMBEL_SEEDS");

	return more ? (unsigned)strtoul(more, NULL, 10) : usual;
}

static struct relay *between(struct rig *r, uint64_t seed, const struct relay_prm *how)
{
	struct relay_prm prm = *how;
	struct relay *relay;

	prm.seed = seed;
	rig_open(r, NET_UDP, false);
	assert_int_equal(relay_create(&relay, r->loop, sip_core_local(r->side[A].core, 0), sip_core_local(r->side[B].core, 0), &prm), 0);
	r->side[A].other->port = net_addr_port(relay_for_a(relay));
	r->side[B].other->port = net_addr_port(relay_for_b(relay));
	return relay;
}

static unsigned times(const char *log, const char *word)
{
	unsigned n = 0;

	for (; (log = strstr(log, word)); log++)
		n++;
	return n;
}

/* 32 s of timers, the peer's repeated once more, and what is still on its way. */
static void all_settled(struct rig *r, struct relay *relay, uint64_t seed)
{
	rig_run(r, 100000);
	for (int i = 0; i < 2; i++) {
		struct sip_core_stats st = rig_stats(r, i);
		if (st.legs || st.transactions || st.requests)
			fail_msg("seed %llu, side %s: %u legs, %u transactions, %u requests left; log: %s", (unsigned long long)seed, r->side[i].name, st.legs,
			         st.transactions, st.requests, r->side[i].log);
		if (st.malformed)
			fail_msg("seed %llu: %llu malformed", (unsigned long long)seed, (unsigned long long)st.malformed);
	}
	relay_destroy(relay);
	rig_close(r);
}

static void calls_come_up_and_end_on_both_sides(void **state)
{
	unsigned n = seeds(12), up = 0;
	struct relay_stats all = { 0 }, st;
	struct relay *relay;
	struct rig r;

	(void)state;
	for (uint64_t seed = 1; seed <= n; seed++) {
		const char *a, *b;
		relay = between(&r, seed, &bad);
		rig_call(&r, A, "100");
		rig_run(&r, 12000);
		if (strstr(r.side[A].log, "answered") && strstr(r.side[B].log, "answered")) {
			up++;
			(void)leg_hold(r.side[seed % 2].leg, true);
			(void)leg_send_info_digit(r.side[A].leg, '5', 160);
			rig_run(&r, 12000);
			(void)leg_hangup(r.side[seed / 2 % 2].leg, NULL);
		} else if (r.side[A].leg) {
			(void)leg_cancel(r.side[A].leg);
		}
		rig_run(&r, 40000);
		relay_stats(relay, &st);
		all.lost += st.lost;
		all.doubled += st.doubled;
		all.overtaken += st.overtaken;
		a = r.side[A].log;
		b = r.side[B].log;
		if (times(a, "over:") != 1 || times(b, "over:") != (strstr(b, "offered") ? 1 : 0) || times(a, "answered") > 1 || times(b, "answered") > 1 ||
		    times(b, "offered") > 1 || times(b, "digit:5") > 1)
			fail_msg("seed %llu: a: %s b: %s", (unsigned long long)seed, a, b);
		all_settled(&r, relay, seed);
	}
	if (up * 10 < n * 9)
		fail_msg("only %u of %u calls came up", up, n);
	assert_true(all.lost > 0 && all.doubled > 0 && all.overtaken > 0);
}

/* A transfer's REFER and NOTIFYs, each way. */
static void transfers_are_told_once(void **state)
{
	unsigned n = seeds(4), told = 0;
	struct relay *relay;
	struct rig r;

	(void)state;
	for (uint64_t seed = 101; seed < 101 + n; seed++) {
		relay = between(&r, seed, &bad);
		rig_call(&r, A, "100");
		rig_run(&r, 12000);
		if (strstr(r.side[A].log, "answered") && !leg_transfer(r.side[A].leg, "sip:300@b.test", NULL)) {
			rig_run(&r, 9000);
			if (strstr(r.side[B].log, "referred"))
				(void)leg_refer_progress(r.side[B].leg, 200);
			rig_run(&r, 20000);
			if (times(r.side[B].log, "referred") > 1 || times(r.side[A].log, "transferred:200") + times(r.side[A].log, "transfer-failed") > 1)
				fail_msg("seed %llu: a: %s b: %s", (unsigned long long)seed, r.side[A].log, r.side[B].log);
			told += strstr(r.side[A].log, "transferred:200") != NULL;
			(void)leg_hangup(r.side[A].leg, NULL);
		}
		all_settled(&r, relay, seed);
	}
	assert_true(told * 2 >= n);
}

/* Nothing arrives at all: the caller learns it, the called side never hears of it. */
static void a_dead_network(void **state)
{
	static const struct relay_prm dead = { .lost_percent = 100 };
	struct relay *relay;
	struct rig r;

	(void)state;
	relay = between(&r, 1, &dead);
	rig_call(&r, A, "100");
	assert_true(rig_until(&r, A, "over:failed:408", 33000));
	assert_string_equal(r.side[B].log, "");
	all_settled(&r, relay, 1);
}

UT_MAIN(UT(calls_come_up_and_end_on_both_sides), UT(transfers_are_told_once), UT(a_dead_network))

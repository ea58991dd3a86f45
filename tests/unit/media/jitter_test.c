/* SPDX-License-Identifier: Apache-2.0 */
/* Packets by way of a bad network, compared with what was sent. */
#include "ut.h"
#include <string.h>
#include "media/jitter.h"

enum { HOLD_MS = 200 };
static struct jitter j;
static struct {
	unsigned n, lost, anews;
	uint32_t ts[100000];
	uint8_t tag;
} got;

/* The payload says what the stamp says, and its length follows from it. */
static size_t make(uint8_t *p, uint32_t ts)
{
	size_t n = 20 + ts / 160 * 37 % 700;
	memcpy(p, &ts, 4);
	for (size_t i = 4; i < n; i++)
		p[i] = (uint8_t)(ts / 160 + i);
	return n;
}

static void take(const struct jitter_packet *out, void *arg)
{
	const struct rtp_packet *pkt = &out->rtp;
	uint8_t p[RTP_PACKET_MAX];
	(void)arg;
	assert_int_equal(pkt->n, make(p, pkt->ts));
	assert_memory_equal(pkt->payload, p, pkt->n);
	assert_true(got.n < sizeof got.ts / sizeof *got.ts);
	got.ts[got.n++] = pkt->ts;
	got.lost += out->lost;
	got.anews += out->anew;
	got.tag = out->tag;
}

static void begin(void)
{
	memset(&got, 0, sizeof got);
	jitter_init(&j, HOLD_MS, take, NULL);
}

static void put_of(uint32_t ssrc, unsigned seq, unsigned number, unsigned now_ms)
{
	uint8_t p[RTP_PACKET_MAX];
	struct rtp_packet pkt = { .ssrc = ssrc, .seq = (uint16_t)seq, .ts = number * 160, .payload = p };
	pkt.n = make(p, pkt.ts);
	jitter_put(&j, now_ms * INT64_C(1000), &pkt, (uint8_t)number);
	jitter_tick(&j, now_ms * INT64_C(1000));
}

static void put(unsigned number, unsigned now_ms)
{
	put_of(1, 65530 + number, number, now_ms);
}

static void what_comes_in_order_goes_out_at_once(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 0; i < 70000; i++) {
		put(i, i * 20);
		assert_int_equal(got.n, i + 1);
	}
	assert_int_equal(got.anews, 1);
	assert_int_equal(got.lost + j.lost + j.late + j.twice + j.strays, 0);
	assert_int_equal(got.tag, 69999 & 0xff);
}

static void overtaken_packets_find_their_place(void **state)
{
	(void)state;
	begin();
	static const unsigned order[] = { 0, 2, 1, 3, 5, 6, 4, 4, 9, 8, 7, 12 };
	for (unsigned i = 0; i < sizeof order / sizeof *order; i++)
		put(order[i], i * 20);
	assert_int_equal(got.n, 10);
	jitter_flush(&j);
	assert_int_equal(got.n, 11);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(got.ts[i], i * 160);
	assert_int_equal(got.ts[10], 12 * 160);
	assert_int_equal(got.lost, 2);
	assert_int_equal(j.twice, 1);
	assert_int_equal(j.late, 0);
}

static void what_is_missing_is_waited_for_and_given_up(void **state)
{
	(void)state;
	begin();
	put(0, 0);
	put(2, 20);
	jitter_tick(&j, 219000);
	assert_int_equal(got.n, 1);
	jitter_tick(&j, 220000);
	assert_int_equal(got.n, 2);
	assert_int_equal(got.lost, 1);
	put(1, 230);
	assert_int_equal(j.late, 1);
	put(1, 230);
	assert_int_equal(j.twice, 1);
	put(2, 230);
	assert_int_equal(j.twice, 2);
	put(3, 240);
	assert_int_equal(got.n, 3);
}

static void one_stray_changes_nothing_two_in_a_row_are_a_new_source(void **state)
{
	(void)state;
	begin();
	put_of(1, 100, 0, 0);
	put_of(2, 9000, 500, 10); /* a stray */
	put_of(1, 101, 1, 20);
	put_of(1, 40000, 700, 30); /* a number that leaps, once */
	put_of(1, 102, 2, 40);
	assert_int_equal(got.n, 3);
	assert_int_equal(j.strays, 2);
	put_of(1, 104, 4, 80);
	put_of(2, 65535, 10, 100);
	put_of(2, 65535, 10, 100); /* doubled on its way */
	assert_int_equal(got.n, 3);
	put_of(2, 0, 11, 120);
	assert_int_equal(got.n, 6); /* 104 of the old one, and both */
	assert_int_equal(got.ts[3], 4 * 160);
	assert_int_equal(got.ts[4], 10 * 160);
	assert_int_equal(got.ts[5], 11 * 160);
	assert_int_equal(got.anews, 2);
	put_of(2, 30000, 12, 140); /* the same source begins anew */
	put_of(2, 30001, 13, 160);
	assert_int_equal(got.n, 8);
	assert_int_equal(got.anews, 3);
}

static void two_sources_at_once_do_not_take_turns(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 0; i < 100; i++) {
		put_of(1, i, i, i * 20);
		put_of(2, 5000 + i, 50000 + i, i * 20);
	}
	assert_int_equal(got.anews, 1);
	assert_int_equal(got.n, 100);
}

/* ---- by chance ---- */
static uint64_t seed;

static unsigned chance(unsigned below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)((seed >> 33) % below);
}

struct event {
	unsigned at_ms, number;
};
static struct event events[8000];

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	return x->at_ms != y->at_ms ? (x->at_ms < y->at_ms ? -1 : 1) : x->number < y->number ? -1 : x->number > y->number;
}

/* Whatever the network does: each packet once, in order, whole; all that came in time; and the rest is counted. */
static void nothing_is_lost_that_came(unsigned delay_ms, unsigned lost_percent, unsigned doubled_percent)
{
	static bool came[2000];
	unsigned n = 0, numbers = 2000, n_came = 0;
	memset(came, 0, sizeof came);
	for (unsigned i = 0; i < numbers; i++) {
		unsigned copies = i && chance(100) < lost_percent ? 0 : 1 + (chance(100) < doubled_percent);
		came[i] = copies > 0;
		n_came += came[i];
		for (unsigned c = 0; c < copies; c++)
			events[n++] = (struct event){ i * 20 + (i ? chance(delay_ms + 1) : 0), i };
	}
	qsort(events, n, sizeof *events, by_time);
	begin();
	for (unsigned i = 0; i < n; i++)
		put(events[i].number, events[i].at_ms);
	jitter_flush(&j);
	for (unsigned i = 1; i < got.n; i++)
		assert_true(got.ts[i] > got.ts[i - 1]);
	assert_int_equal(got.n + j.late, n_came);
	assert_int_equal(got.n + j.late + j.twice, n);
	assert_int_equal(got.lost, got.ts[got.n - 1] / 160 + 1 - got.n);
	if (delay_ms <= HOLD_MS / 2) {
		assert_int_equal(j.late, 0);
		assert_int_equal(got.n, n_came);
	}
}

static void any_network(void **state)
{
	(void)state;
	for (seed = 1; seed < 40; seed += 7) {
		nothing_is_lost_that_came(0, 10, 5);
		nothing_is_lost_that_came(40, 5, 5);
		nothing_is_lost_that_came(100, 30, 20);
		nothing_is_lost_that_came(900, 5, 50); /* worse than we wait for, and more than there is room for */
	}
}

UT_MAIN(UT(what_comes_in_order_goes_out_at_once), UT(overtaken_packets_find_their_place), UT(what_is_missing_is_waited_for_and_given_up),
	UT(one_stray_changes_nothing_two_in_a_row_are_a_new_source), UT(two_sources_at_once_do_not_take_turns), UT(any_network))

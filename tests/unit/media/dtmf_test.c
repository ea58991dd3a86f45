/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "media/dtmf.h"

/* A packet of an event. */
static struct dtmf_news feed(struct dtmf_rx *rx, uint32_t ts, uint8_t event, bool end, uint16_t length, int64_t now_ms)
{
	uint8_t p[] = { event, (uint8_t)(end ? 0x8a : 0x0a), (uint8_t)(length >> 8), (uint8_t)length };
	struct rtp_packet pkt = { .ts = ts, .payload = p, .n = sizeof p };
	struct dtmf_news news;
	assert_int_equal(dtmf_rx_packet(rx, &pkt, now_ms * 1000, &news), 0);
	return news;
}

static void one_press_is_one_key(void **state)
{
	(void)state;
	struct dtmf_rx rx = { 0 };
	struct dtmf_news n = feed(&rx, 1000, 5, false, 160, 0);
	assert_int_equal(n.started, '5');
	assert_int_equal(n.ended, 0);
	n = feed(&rx, 1000, 5, false, 320, 20);
	assert_int_equal(n.started, 0);
	n = feed(&rx, 1000, 5, true, 800, 40);
	assert_int_equal(n.ended, '5');
	assert_int_equal(n.ms, 100);
	for (int i = 0; i < 2; i++) { /* copies of the end */
		n = feed(&rx, 1000, 5, true, 800, 60);
		assert_int_equal(n.started | n.ended, 0);
	}
}

static void only_the_end_arrives(void **state)
{
	(void)state;
	struct dtmf_rx rx = { 0 };
	struct dtmf_news n = feed(&rx, 1000, 11, true, 800, 0);
	assert_int_equal(n.started, '#');
	assert_int_equal(n.ended, '#');
}

static void a_lost_end_ends_by_time(void **state)
{
	(void)state;
	struct dtmf_rx rx = { 0 };
	struct dtmf_news n = feed(&rx, 1000, 10, false, 480, 0);
	dtmf_rx_tick(&rx, 199000, &n);
	assert_int_equal(n.ended, 0);
	dtmf_rx_tick(&rx, 200000, &n);
	assert_int_equal(n.ended, '*');
	assert_int_equal(n.ms, 60);
	n = feed(&rx, 1000, 10, true, 800, 220); /* its end comes after all */
	assert_int_equal(n.started | n.ended, 0);
}

static void a_lost_end_ends_by_the_next_press(void **state)
{
	(void)state;
	struct dtmf_rx rx = { 0 };
	feed(&rx, 1000, 1, false, 480, 0);
	struct dtmf_news n = feed(&rx, 3000, 1, false, 160, 100);
	assert_int_equal(n.ended, '1');
	assert_int_equal(n.started, '1');
	n = feed(&rx, 1000, 1, true, 800, 110); /* overtaken end of the first */
	assert_int_equal(n.started | n.ended, 0);
	n = feed(&rx, 3000, 1, true, 800, 160);
	assert_int_equal(n.ended, '1');
}

static void a_long_press_goes_on_in_segments(void **state)
{
	(void)state;
	struct dtmf_rx rx = { 0 };
	feed(&rx, 1000, 2, false, 0xffff, 0);
	struct dtmf_news n = feed(&rx, 1000 + 0xffff, 2, false, 160, 20);
	assert_int_equal(n.started | n.ended, 0);
	n = feed(&rx, 1000 + 0xffff, 2, true, 801, 40);
	assert_int_equal(n.ended, '2');
	assert_int_equal(n.ms, (0xffff + 801) / 8);
}

static void what_is_no_key_is_ignored(void **state)
{
	(void)state;
	struct dtmf_rx rx = { 0 };
	struct dtmf_news n = feed(&rx, 1000, 16, true, 800, 0);
	assert_int_equal(n.started | n.ended, 0);
	struct rtp_packet pkt = { .payload = (const uint8_t *)"abc", .n = 3 };
	assert_int_equal(dtmf_rx_packet(&rx, &pkt, 0, &n), EBADMSG);
}

/* What one side sends, the other hears; every third packet is lost. */
static void sent_keys_are_heard(void **state)
{
	(void)state;
	struct dtmf_tx tx;
	struct dtmf_rx rx = { 0 };
	char heard[80] = "";
	size_t n_heard = 0;
	unsigned sent = 0;
	uint32_t now_ts = 5000;
	assert_int_equal(dtmf_tx_start(&tx, "12,*#9a", 80, 60), 0);
	for (int64_t now_us = 0; dtmf_tx_active(&tx) || rx.on; now_us += 20000, now_ts += 160) {
		uint8_t p[DTMF_PAYLOAD];
		bool marker;
		struct rtp_packet pkt = { .payload = p, .n = sizeof p };
		struct dtmf_news news = { 0 };
		assert_true(now_us < 10000000);
		if (dtmf_tx_active(&tx) && dtmf_tx_tick(&tx, 8, now_ts, p, &pkt.ts, &marker) && ++sent % 3)
			assert_int_equal(dtmf_rx_packet(&rx, &pkt, now_us, &news), 0);
		else
			dtmf_rx_tick(&rx, now_us, &news);
		if (news.ended)
			heard[n_heard++] = news.ended;
	}
	heard[n_heard] = 0;
	assert_string_equal(heard, "12*#9A");
}

static void wrong_digits_are_refused(void **state)
{
	(void)state;
	struct dtmf_tx tx;
	char many[DTMF_QUEUE + 2];
	memset(many, '1', sizeof many - 1);
	many[sizeof many - 1] = 0;
	assert_int_equal(dtmf_tx_start(&tx, "", 0, 0), EINVAL);
	assert_int_equal(dtmf_tx_start(&tx, "12x", 0, 0), EINVAL);
	assert_int_equal(dtmf_tx_start(&tx, many, 0, 0), EINVAL);
	assert_int_equal(dtmf_tx_start(&tx, many + 1, 0, 0), 0);
}

UT_MAIN(UT(one_press_is_one_key), UT(only_the_end_arrives), UT(a_lost_end_ends_by_time), UT(a_lost_end_ends_by_the_next_press),
	UT(a_long_press_goes_on_in_segments), UT(what_is_no_key_is_ignored), UT(sent_keys_are_heard), UT(wrong_digits_are_refused))

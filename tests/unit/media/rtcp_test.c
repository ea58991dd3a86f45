/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "media/rtcp.h"

static struct rtcp_report report(void)
{
	return (struct rtcp_report){ .ssrc = 7, .sender = true, .ntp = 0x1122334455667788, .rtp_ts = 9, .packets = 10, .octets = 11,
		.has_block = true, .block = { .ssrc = 42, .fraction = 3, .lost = 4, .highest = 5, .jitter = 6, .lsr = 7, .dlsr = 8 },
		.cname = "0123456789abcdef", .bye = true };
}

static void what_we_write_is_understood(void **state)
{
	(void)state;
	struct rtcp_report r = report();
	uint8_t p[RTCP_PACKET_MAX];
	size_t n = rtcp_write(p, &r);
	assert_true(n <= sizeof p && n % 4 == 0);
	struct rtcp_heard h;
	assert_int_equal(rtcp_parse(&h, p, n, 42), 0);
	assert_true(h.sr && h.bye && h.about_us);
	assert_int_equal(h.ssrc, 7);
	assert_true(h.ntp == r.ntp);
	assert_int_equal(h.block.fraction, 3);
	assert_int_equal(h.block.lost, 4);
	assert_int_equal(h.block.dlsr, 8);
	assert_int_equal(rtcp_parse(&h, p, n, 43), 0);
	assert_false(h.about_us);
}

static void receiver_report_without_block(void **state)
{
	(void)state;
	struct rtcp_report r = { .ssrc = 7, .cname = "x" };
	uint8_t p[RTCP_PACKET_MAX];
	struct rtcp_heard h;
	assert_int_equal(rtcp_parse(&h, p, rtcp_write(p, &r), 42), 0);
	assert_false(h.sr || h.bye || h.about_us);
}

static void cut_anywhere_is_refused(void **state)
{
	(void)state;
	struct rtcp_report r = report();
	uint8_t p[RTCP_PACKET_MAX];
	size_t n = rtcp_write(p, &r), whole = 0;
	struct rtcp_heard h;
	for (size_t i = 0; i < n; i++)
		whole += !rtcp_parse(&h, p, i, 42);
	assert_int_equal(whole, 2); /* after the SR and after the SDES a packet ends */
	p[0] = 0x9f; /* 31 blocks */
	assert_int_equal(rtcp_parse(&h, p, n, 42), EBADMSG);
	p[0] = 0x41;
	assert_int_equal(rtcp_parse(&h, p, n, 42), EBADMSG);
}

static void ntp_counts_from_1900(void **state)
{
	(void)state;
	assert_true(rtcp_ntp(0) == (uint64_t)2208988800u << 32);
	assert_true(rtcp_ntp(500000) == ((uint64_t)2208988800u << 32 | 0x80000000u));
}

UT_MAIN(UT(what_we_write_is_understood), UT(receiver_report_without_block), UT(cut_anywhere_is_refused), UT(ntp_counts_from_1900))

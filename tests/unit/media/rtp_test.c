/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include "media/rtp.h"

static void round_trip(void **state)
{
	(void)state;
	uint8_t p[RTP_HEAD + 3] = { 0 };
	struct rtp_packet in = { .marker = true, .pt = 101, .seq = 65535, .ts = 0xfffffff0, .ssrc = 0x01020304 }, out;
	rtp_write_head(p, &in);
	assert_int_equal(rtp_parse(&out, p, sizeof p), 0);
	assert_true(out.marker);
	assert_int_equal(out.pt, 101);
	assert_int_equal(out.seq, 65535);
	assert_int_equal(out.ts, 0xfffffff0);
	assert_int_equal(out.ssrc, 0x01020304);
	assert_ptr_equal(out.payload, p + RTP_HEAD);
	assert_int_equal(out.n, 3);
}

static void steps_over_csrc_extension_padding(void **state)
{
	(void)state;
	uint8_t p[] = { 0x80 | 0x20 | 0x10 | 2, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, /* csrc */ 1, 1, 1, 1, 2, 2, 2, 2,
		/* extension of one word */ 0xbe, 0xde, 0, 1, 9, 9, 9, 9, /* payload */ 7, 8, /* padding */ 0, 0, 3 };
	struct rtp_packet pkt;
	assert_int_equal(rtp_parse(&pkt, p, sizeof p), 0);
	assert_int_equal(pkt.n, 2);
	assert_int_equal(pkt.payload[0], 7);
	assert_int_equal(pkt.payload[1], 8);
}

static void lengths_that_lie_are_refused(void **state)
{
	(void)state;
	struct rtp_packet pkt;
	static const struct {
		uint8_t p[20];
		size_t n;
	} bad[] = {
		{ { 0x80 }, 0 }, { { 0x80 }, 11 }, { { 0x40 }, 12 }, { { 0x81 }, 12 }, { { 0x8f }, 20 },
		{ { 0x90 }, 12 }, { { 0x90 }, 15 }, { { 0x90, [15] = 2 }, 20 }, { { 0xa0 }, 12 },
		{ { 0xa0, [12] = 2 }, 13 }, { { 0xa0, [19] = 0 }, 20 }, { { 0xa0, [19] = 9 }, 20 },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (rtp_parse(&pkt, bad[i].p, bad[i].n) != EBADMSG)
			fail_msg("case %zu was taken", i);
}

static struct rtp_packet seq(uint16_t s, uint32_t ssrc)
{
	return (struct rtp_packet){ .seq = s, .ts = s * 160u, .ssrc = ssrc };
}

static void counts_losses_across_the_wrap(void **state)
{
	(void)state;
	struct rtp_rx rx = { 0 };
	struct rtp_packet p = seq(65534, 1);
	assert_int_equal(rtp_rx_packet(&rx, &p), RTP_RX_NEW_SOURCE);
	p = seq(65535, 1);
	assert_int_equal(rtp_rx_packet(&rx, &p), RTP_RX_NEXT);
	p = seq(2, 1); /* 0 and 1 are missing */
	assert_int_equal(rtp_rx_packet(&rx, &p), RTP_RX_GAP);
	assert_int_equal(rtp_rx_lost(&rx), 2);
	assert_int_equal(rtp_rx_highest(&rx), 65536 + 2);
	p = seq(1, 1); /* comes late after all */
	assert_int_equal(rtp_rx_packet(&rx, &p), RTP_RX_OLD);
	assert_int_equal(rtp_rx_lost(&rx), 1);
	assert_int_equal(rtp_rx_fraction(&rx), 256 / 5);
	assert_int_equal(rtp_rx_fraction(&rx), 0);
}

static void copies_make_up_for_no_loss(void **state)
{
	static const uint16_t came[] = { 10, 11, 11, 14, 13, 13, 14, 80, 79, 12, 12 };
	struct rtp_rx rx = { 0 };

	(void)state;
	for (unsigned i = 0; i < sizeof(came) / sizeof(*came); i++) {
		struct rtp_packet p = seq(came[i], 1);
		(void)rtp_rx_packet(&rx, &p);
	}
	assert_int_equal(rtp_rx_lost(&rx), 71 - 11);    /* as RFC 3550 has it */
	/* 12 came behind so long that its second copy is not known as one. */
	assert_int_equal(rtp_rx_lost_all(&rx), 71 - 8);
	struct rtp_packet other = seq(5, 2);
	(void)rtp_rx_packet(&rx, &other);
	other = seq(6, 2);
	(void)rtp_rx_packet(&rx, &other);
	assert_int_equal(rtp_rx_lost_all(&rx), 71 - 8);
}

static void new_source_starts_anew(void **state)
{
	(void)state;
	struct rtp_rx rx = { 0 };
	struct rtp_packet p = seq(10, 1);
	rtp_rx_packet(&rx, &p);
	p = seq(700, 3); /* a stray */
	assert_int_equal(rtp_rx_packet(&rx, &p), RTP_RX_OLD);
	p = seq(11, 1);
	assert_int_equal(rtp_rx_packet(&rx, &p), RTP_RX_NEXT);
	p = seq(499, 2);
	assert_int_equal(rtp_rx_packet(&rx, &p), RTP_RX_OLD);
	p = seq(500, 2);
	assert_int_equal(rtp_rx_packet(&rx, &p), RTP_RX_NEW_SOURCE);
	assert_int_equal(rtp_rx_lost(&rx), 0);
	p = seq(502, 2);
	rtp_rx_packet(&rx, &p);
	assert_int_equal(rtp_rx_lost(&rx), 1);
	p = seq(30000, 2); /* one that leaps is a stray, */
	assert_int_equal(rtp_rx_packet(&rx, &p), RTP_RX_OLD);
	p = seq(503, 2);
	assert_int_equal(rtp_rx_packet(&rx, &p), RTP_RX_NEXT);
	p = seq(40000, 2);
	assert_int_equal(rtp_rx_packet(&rx, &p), RTP_RX_OLD);
	p = seq(40001, 2); /* two in a row are a restart */
	assert_int_equal(rtp_rx_packet(&rx, &p), RTP_RX_NEW_SOURCE);
	assert_int_equal(rtp_rx_lost(&rx), 0);
	assert_int_equal(rtp_rx_lost_all(&rx), 1); /* what was lost before stays so */
}

static void jitter_is_of_the_stream_that_is_heard(void **state)
{
	(void)state;
	struct rtp_rx rx = { 0 };
	for (uint16_t i = 0; i < 200; i++) { /* every other packet 10 ms late; one of another source says nothing */
		struct rtp_packet p = seq(i, 1), other = seq((uint16_t)(i * 7), 2);
		rtp_rx_packet(&rx, &p);
		rtp_rx_arrived(&rx, &p, p.ts + 5000 + i % 2 * 80u);
		rtp_rx_arrived(&rx, &other, p.ts + 90000);
	}
	assert_in_range(rx.jitter16 >> 4, 75, 80);
}

UT_MAIN(UT(round_trip), UT(steps_over_csrc_extension_padding), UT(lengths_that_lie_are_refused), UT(counts_losses_across_the_wrap), UT(copies_make_up_for_no_loss), UT(jitter_is_of_the_stream_that_is_heard),
	UT(new_source_starts_anew))

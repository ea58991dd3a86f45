/* SPDX-License-Identifier: Apache-2.0 */
/* rtp.c  RTP packets and their sequence. */
#include "media/rtp.h"
#include <errno.h>

/* A sequence that leaps further than this is a source that began anew (RFC 3550 A.1 MAX_DROPOUT, MAX_MISORDER). */
enum { MAX_DROPOUT = 3000, MAX_MISORDER = 100, NO_SEQ = 0x10000 };

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int rtp_parse(struct rtp_packet *pkt, const uint8_t *p, size_t n)
{
	if (n < RTP_HEAD || p[0] >> 6 != 2)
		return EBADMSG;
	size_t at = RTP_HEAD + (size_t)(p[0] & 0x0f) * 4;
	if (at > n)
		return EBADMSG;
	if (p[0] & 0x10) {
		if (n - at < 4)
			return EBADMSG;
		size_t words = get16(p + at + 2);
		at += 4;
		if (words * 4 > n - at)
			return EBADMSG;
		at += words * 4;
	}
	size_t end = n;
	if (p[0] & 0x20) {
		size_t pad = p[n - 1];
		if (!pad || pad > n - at)
			return EBADMSG;
		end = n - pad;
	}
	*pkt = (struct rtp_packet){ .marker = p[1] & 0x80, .pt = p[1] & 0x7f, .seq = get16(p + 2), .ts = get32(p + 4),
		.ssrc = get32(p + 8), .payload = p + at, .n = end - at };
	return 0;
}

void rtp_write_head(uint8_t *dst, const struct rtp_packet *pkt)
{
	dst[0] = 0x80;
	dst[1] = (uint8_t)((pkt->marker ? 0x80 : 0) | (pkt->pt & 0x7f));
	dst[2] = (uint8_t)(pkt->seq >> 8);
	dst[3] = (uint8_t)pkt->seq;
	for (unsigned i = 0; i < 4; i++) {
		dst[4 + i] = (uint8_t)(pkt->ts >> (24 - 8 * i));
		dst[8 + i] = (uint8_t)(pkt->ssrc >> (24 - 8 * i));
	}
}

static void rx_restart(struct rtp_rx *rx, const struct rtp_packet *pkt)
{
	uint32_t lost = rtp_rx_lost_all(rx), jitter = rx->jitter16; /* the network is the same */
	*rx = (struct rtp_rx){ .known = true, .ssrc = pkt->ssrc, .max_seq = pkt->seq, .base_seq = pkt->seq, .received = 1,
		.bad_seq = NO_SEQ, .seen = 1, .lost_before = lost, .jitter16 = jitter };
}

/* Something else, or the stream begun anew: the second packet in a row tells. */
static enum rtp_rx_news perhaps_new(struct rtp_rx *rx, const struct rtp_packet *pkt)
{
	if (pkt->seq != rx->bad_seq || pkt->ssrc != rx->bad_ssrc) {
		rx->bad_seq = (uint16_t)(pkt->seq + 1);
		rx->bad_ssrc = pkt->ssrc;
		return RTP_RX_OLD;
	}
	rx_restart(rx, pkt);
	return RTP_RX_NEW_SOURCE;
}

static void came_late(struct rtp_rx *rx, uint16_t behind)
{
	uint64_t bit = behind < 64 ? 1ull << behind : 0;

	if (rx->seen & bit)
		rx->twice++;
	rx->seen |= bit;
}

enum rtp_rx_news rtp_rx_packet(struct rtp_rx *rx, const struct rtp_packet *pkt)
{
	if (!rx->known) {
		rx_restart(rx, pkt);
		return RTP_RX_NEW_SOURCE;
	}
	uint16_t ahead = (uint16_t)(pkt->seq - rx->max_seq);
	if (pkt->ssrc != rx->ssrc || (ahead >= MAX_DROPOUT && ahead <= 65536 - MAX_MISORDER))
		return perhaps_new(rx, pkt);
	rx->received++;
	if (!ahead || ahead >= MAX_DROPOUT) {
		came_late(rx, (uint16_t)(rx->max_seq - pkt->seq));
		return RTP_RX_OLD;
	}
	rx->seen = (ahead < 64 ? rx->seen << ahead : 0) | 1;
	if (pkt->seq < rx->max_seq)
		rx->cycles += 65536;
	rx->max_seq = pkt->seq;
	return ahead == 1 ? RTP_RX_NEXT : RTP_RX_GAP;
}

void rtp_rx_arrived(struct rtp_rx *rx, const struct rtp_packet *pkt, uint32_t arrival)
{
	if (!rx->known || pkt->ssrc != rx->ssrc)
		return;
	uint32_t transit = arrival - pkt->ts;
	int32_t d = (int32_t)(transit - rx->transit);
	uint32_t abs_d = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;
	if (rx->timed && abs_d < 80000) /* ten seconds: a stamp that leaps says nothing about the network */
		rx->jitter16 += abs_d - ((rx->jitter16 + 8) >> 4);
	rx->timed = true;
	rx->transit = transit;
}

uint32_t rtp_rx_highest(const struct rtp_rx *rx)
{
	return rx->cycles + rx->max_seq;
}

static uint32_t expected(const struct rtp_rx *rx)
{
	return rx->known ? rtp_rx_highest(rx) - rx->base_seq + 1 : 0;
}

uint32_t rtp_rx_lost_all(const struct rtp_rx *rx)
{
	uint32_t e = expected(rx), came = rx->received - rx->twice;

	return rx->lost_before + (e > came ? e - came : 0);
}

uint32_t rtp_rx_lost(const struct rtp_rx *rx)
{
	uint32_t e = expected(rx);
	return e > rx->received ? e - rx->received : 0;
}

uint8_t rtp_rx_fraction(struct rtp_rx *rx)
{
	uint32_t e = expected(rx), de = e - rx->expected_prior, dr = rx->received - rx->received_prior;
	rx->expected_prior = e;
	rx->received_prior = rx->received;
	if (!de || dr >= de)
		return 0;
	uint64_t f = (uint64_t)(de - dr) * 256 / de;
	return (uint8_t)(f > 255 ? 255 : f);
}

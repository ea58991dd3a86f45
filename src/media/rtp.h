/* SPDX-License-Identifier: Apache-2.0 */
/* rtp.h  RTP packets (RFC 3550 5.1) to and from bytes, and what a receiver learns from their sequence (A.1, A.3, A.8). Pure. */
#ifndef MEDIA_RTP_H
#define MEDIA_RTP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTP_HEAD = 12, RTP_PACKET_MAX = 1500 };

struct rtp_packet {
	bool marker;
	uint8_t pt;
	uint16_t seq;
	uint32_t ts, ssrc;
	const uint8_t *payload; /* borrowed from the datagram; n may be 0 */
	size_t n;
};

/* Contributing sources, header extension and padding are stepped over. EBADMSG: not RTP version 2, or its lengths lie. */
int rtp_parse(struct rtp_packet *pkt, const uint8_t *p, size_t n);
/* Writes RTP_HEAD bytes. */
void rtp_write_head(uint8_t *dst, const struct rtp_packet *pkt);

/* One source as it is received. */
struct rtp_rx {
	bool known, timed;         /* timed: transit is of this stream's clock */
	uint32_t ssrc, transit;
	uint16_t max_seq;
	uint32_t cycles, base_seq, received;
	uint32_t jitter16; /* sample units, times 16 (A.8) */
	uint32_t expected_prior, received_prior; /* at the last report */
	uint32_t bad_seq, bad_ssrc; /* number that would make a leap of the sequence, or another source, a new count (A.1); more than 16 bits: none */
	uint32_t lost_before;      /* of sources and counts that are over */
	uint64_t seen;             /* of max_seq (bit 0) and the 63 numbers before it: those that came */
	uint32_t twice;            /* of received: copies */
};
enum rtp_rx_news { RTP_RX_NEXT, RTP_RX_GAP, RTP_RX_OLD, RTP_RX_NEW_SOURCE };

/* Two packets in a row of another SSRC, or whose numbers leap, start anew; one alone is a stray, and nothing of it counts. */
enum rtp_rx_news rtp_rx_packet(struct rtp_rx *rx, const struct rtp_packet *pkt);
/* When a packet of audio came, in sample units: for the jitter. Need not be told of every packet. */
void rtp_rx_arrived(struct rtp_rx *rx, const struct rtp_packet *pkt, uint32_t arrival);
uint32_t rtp_rx_highest(const struct rtp_rx *rx);
uint32_t rtp_rx_lost(const struct rtp_rx *rx); /* as it is reported: copies make up for losses (A.3); 0 when more came than was expected */
uint32_t rtp_rx_lost_all(const struct rtp_rx *rx); /* by all sources of the stream; a packet that came twice came once */
/* Fraction lost since the last call, in 256ths (A.3). */
uint8_t rtp_rx_fraction(struct rtp_rx *rx);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* rtcp.h  The little of RTCP that we send and understand: SR or RR with one block, SDES CNAME, BYE (RFC 3550 6). Pure. */
#ifndef MEDIA_RTCP_H
#define MEDIA_RTCP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTCP_PACKET_MAX = 128, RTCP_CNAME = 16 };

struct rtcp_block {
	uint32_t ssrc;
	uint8_t fraction;
	uint32_t lost, highest, jitter, lsr, dlsr;
};

/* What we say. */
struct rtcp_report {
	uint32_t ssrc;
	bool sender; /* SR, else RR */
	uint64_t ntp;
	uint32_t rtp_ts, packets, octets;
	bool has_block;
	struct rtcp_block block;
	char cname[RTCP_CNAME + 1];
	bool bye;
};
/* Bytes written, at most RTCP_PACKET_MAX. */
size_t rtcp_write(uint8_t *dst, const struct rtcp_report *r);

/* What of theirs concerns us. */
struct rtcp_heard {
	bool sr, bye, about_us;
	uint32_t ssrc;
	uint64_t ntp;             /* of the SR */
	struct rtcp_block block;  /* the one about `our_ssrc` */
};
/* A compound packet. EBADMSG when it is not RTCP version 2 or its lengths lie; nothing of it is used then. */
int rtcp_parse(struct rtcp_heard *h, const uint8_t *p, size_t n, uint32_t our_ssrc);
/* NTP time stamp (64 bits) of an instant. */
uint64_t rtcp_ntp(int64_t real_us);

#endif

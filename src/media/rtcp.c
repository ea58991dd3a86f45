/* SPDX-License-Identifier: Apache-2.0 */
/* rtcp.c  Sender and receiver reports. */
#include "media/rtcp.h"
#include <errno.h>

enum { SR = 200, RR = 201, SDES = 202, BYE = 203, BLOCK = 24 };

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
	return p + 4;
}

static void put_head(uint8_t *at, unsigned count, uint8_t type, const uint8_t *end)
{
	size_t words = (size_t)(end - at) / 4 - 1;
	at[0] = (uint8_t)(0x80 | count);
	at[1] = type;
	at[2] = (uint8_t)(words >> 8);
	at[3] = (uint8_t)words;
}

size_t rtcp_write(uint8_t *dst, const struct rtcp_report *r)
{
	uint8_t *p = put32(dst + 4, r->ssrc);
	if (r->sender) {
		p = put32(p, (uint32_t)(r->ntp >> 32));
		p = put32(p, (uint32_t)r->ntp);
		p = put32(p, r->rtp_ts);
		p = put32(p, r->packets);
		p = put32(p, r->octets);
	}
	if (r->has_block) {
		const struct rtcp_block *b = &r->block;
		p = put32(p, b->ssrc);
		p = put32(p, (uint32_t)b->fraction << 24 | (b->lost > 0x7fffff ? 0x7fffff : b->lost));
		p = put32(p, b->highest);
		p = put32(p, b->jitter);
		p = put32(p, b->lsr);
		p = put32(p, b->dlsr);
	}
	put_head(dst, r->has_block, r->sender ? SR : RR, p);
	uint8_t *sdes = p;
	p = put32(p + 4, r->ssrc);
	size_t n = strnlen(r->cname, RTCP_CNAME);
	*p++ = 1; /* CNAME */
	*p++ = (uint8_t)n;
	for (size_t i = 0; i < n; i++)
		*p++ = (uint8_t)r->cname[i];
	do
		*p++ = 0; /* the list ends with a zero and is padded to 32 bits (6.5) */
	while ((p - sdes) % 4);
	put_head(sdes, 1, SDES, p);
	if (r->bye) {
		uint8_t *bye = p;
		p = put32(p + 4, r->ssrc);
		put_head(bye, 1, BYE, p);
	}
	return (size_t)(p - dst);
}

static void read_blocks(struct rtcp_heard *h, const uint8_t *p, size_t n, unsigned count, uint32_t our_ssrc)
{
	for (unsigned i = 0; i < count && n >= BLOCK; i++, p += BLOCK, n -= BLOCK) {
		if (get32(p) != our_ssrc)
			continue;
		h->about_us = true;
		h->block = (struct rtcp_block){ .ssrc = our_ssrc, .fraction = p[4], .lost = get32(p + 4) & 0xffffff,
			.highest = get32(p + 8), .jitter = get32(p + 12), .lsr = get32(p + 16), .dlsr = get32(p + 20) };
		if (h->block.lost & 0x800000) /* negative: duplicates */
			h->block.lost = 0;
	}
}

/* One packet of the compound; `n` is its length as its head says, at least 8. */
static int read_packet(struct rtcp_heard *h, const uint8_t *p, size_t n, uint32_t our_ssrc)
{
	unsigned count = p[0] & 0x1f;
	size_t fixed = p[1] == SR ? 28 : 8;
	if ((p[1] == SR || p[1] == RR) && (n < fixed || (n - fixed) / BLOCK < count))
		return EBADMSG;
	switch (p[1]) {
	case SR:
		h->sr = true;
		h->ntp = (uint64_t)get32(p + 8) << 32 | get32(p + 12);
		__attribute__((fallthrough));
	case RR:
		h->ssrc = get32(p + 4);
		read_blocks(h, p + fixed, n - fixed, count, our_ssrc);
		break;
	case BYE:
		if (count)
			h->bye = true;
		break;
	default: /* SDES, APP, feedback, XR: not for us */
		break;
	}
	return 0;
}

int rtcp_parse(struct rtcp_heard *out, const uint8_t *p, size_t n, uint32_t our_ssrc)
{
	struct rtcp_heard h = { 0 };
	if (n < 8 || (p[1] != SR && p[1] != RR))
		return EBADMSG;
	while (n) {
		if (n < 4 || p[0] >> 6 != 2)
			return EBADMSG;
		size_t len = ((size_t)(p[2] << 8 | p[3]) + 1) * 4;
		if (len > n)
			return EBADMSG;
		int err = len >= 8 ? read_packet(&h, p, len, our_ssrc) : 0;
		if (err)
			return err;
		p += len;
		n -= len;
	}
	*out = h;
	return 0;
}

uint64_t rtcp_ntp(int64_t real_us)
{
	uint64_t us = (uint64_t)(real_us > 0 ? real_us : 0);
	uint64_t s = us / 1000000 + 2208988800u, frac = (us % 1000000 << 32) / 1000000;
	return s << 32 | frac;
}

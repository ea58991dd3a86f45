/* SPDX-License-Identifier: Apache-2.0 */
/* frame.c  See frame.h. */
#include "trace/frame.h"
#include <arpa/inet.h>
#include <string.h>

enum { IP4 = 20, IP6 = 40, UDP = 8, TCP = 20, PROTO_TCP = 6, PROTO_UDP = 17 };
enum { TAG_END = 0, TAG_DISSECTOR = 12, TAG_IP4_SRC = 20, TAG_IP4_DST = 21, TAG_IP6_SRC = 22, TAG_IP6_DST = 23, TAG_PORT_TYPE = 24, TAG_SRC_PORT = 25,
       TAG_DST_PORT = 26, PORT_TCP = 2, PORT_UDP = 3 };

static void w16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void w32(uint8_t *p, uint32_t v)
{
	w16(p, v >> 16);
	w16(p + 2, v & 0xffff);
}

static uint32_t sum(uint32_t s, const void *data, size_t n)
{
	const uint8_t *p = data;
	for (size_t i = 0; i + 1 < n; i += 2)
		s += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (n % 2)
		s += (uint32_t)(p[n - 1] << 8);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

static const void *address(const struct net_addr *a, size_t *n)
{
	bool v6 = net_addr_is_v6(a);
	*n = v6 ? 16 : 4;
	return v6 ? (const void *)&a->u.v6.sin6_addr : (const void *)&a->u.v4.sin_addr;
}

/* RFC 1071, with the pseudo header of RFC 793 3.1 and RFC 8200 8.1. */
static unsigned checksum(const struct net_addr *from, const struct net_addr *to, unsigned proto, const uint8_t *head, size_t head_n, const void *payload,
			 size_t n)
{
	size_t len;
	const void *a = address(from, &len);
	uint32_t s = sum(0, a, len);
	a = address(to, &len);
	s = sum(s, a, len);
	s = sum(s + proto + (uint32_t)(head_n + n), head, head_n);
	s = sum(s, payload, n);
	return ~s & 0xffff;
}

static size_t ip(uint8_t *p, const struct net_addr *from, const struct net_addr *to, unsigned proto, size_t n)
{
	size_t len;
	const void *src = address(from, &len), *dst = address(to, &len);
	if (len == 16) {
		memset(p, 0, IP6);
		p[0] = 0x60;
		w16(p + 4, (unsigned)n);
		p[6] = (uint8_t)proto;
		p[7] = 64;
		memcpy(p + 8, src, 16);
		memcpy(p + 24, dst, 16);
		return IP6;
	}
	memset(p, 0, IP4);
	p[0] = 0x45;
	w16(p + 2, (unsigned)(IP4 + n));
	p[6] = 0x40; /* do not fragment */
	p[8] = 64;
	p[9] = (uint8_t)proto;
	memcpy(p + 12, src, 4);
	memcpy(p + 16, dst, 4);
	w16(p + 10, ~sum(0, p, IP4) & 0xffff);
	return IP4;
}

size_t frame_udp(uint8_t *head, const struct net_addr *from, const struct net_addr *to, const void *payload, size_t n)
{
	size_t at = ip(head, from, to, PROTO_UDP, UDP + n);
	uint8_t *p = head + at;
	memset(p, 0, UDP);
	w16(p, net_addr_port(from));
	w16(p + 2, net_addr_port(to));
	w16(p + 4, (unsigned)(UDP + n));
	unsigned c = checksum(from, to, PROTO_UDP, p, UDP, payload, n);
	w16(p + 6, c ? c : 0xffff);
	return at + UDP;
}

size_t frame_tcp(uint8_t *head, const struct net_addr *from, const struct net_addr *to, uint32_t seq, uint32_t ack, unsigned flags, const void *payload,
		 size_t n)
{
	size_t at = ip(head, from, to, PROTO_TCP, TCP + n);
	uint8_t *p = head + at;
	memset(p, 0, TCP);
	w16(p, net_addr_port(from));
	w16(p + 2, net_addr_port(to));
	w32(p + 4, seq);
	w32(p + 8, flags & FRAME_ACK ? ack : 0);
	p[12] = TCP / 4 << 4;
	p[13] = (uint8_t)flags;
	w16(p + 14, 0xffff);
	w16(p + 16, checksum(from, to, PROTO_TCP, p, TCP, payload, n));
	return at + TCP;
}

static void tag(struct buf *b, unsigned type, const void *p, size_t n)
{
	static const uint8_t zero[4] = { 0 };
	uint8_t head[4];
	size_t padded = (n + 3) / 4 * 4;
	w16(head, type);
	w16(head + 2, (unsigned)padded);
	buf_put(b, head, sizeof head);
	buf_put(b, p, n);
	buf_put(b, zero, padded - n);
}

static void tag_number(struct buf *b, unsigned type, uint32_t v)
{
	uint8_t p[4];
	w32(p, v);
	tag(b, type, p, sizeof p);
}

int frame_pdu(struct buf *b, const char *dissector, bool tcp, const struct net_addr *from, const struct net_addr *to)
{
	size_t n;
	const void *src = address(from, &n), *dst = address(to, &n);
	tag(b, TAG_DISSECTOR, dissector, strlen(dissector));
	tag(b, n == 16 ? TAG_IP6_SRC : TAG_IP4_SRC, src, n);
	tag(b, n == 16 ? TAG_IP6_DST : TAG_IP4_DST, dst, n);
	tag_number(b, TAG_PORT_TYPE, tcp ? PORT_TCP : PORT_UDP);
	tag_number(b, TAG_SRC_PORT, net_addr_port(from));
	tag_number(b, TAG_DST_PORT, net_addr_port(to));
	tag(b, TAG_END, "", 0);
	return buf_error(b);
}

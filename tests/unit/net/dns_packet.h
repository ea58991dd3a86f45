/* SPDX-License-Identifier: Apache-2.0 */
/* dns_packet.h  Writes DNS answers for tests. */
#ifndef TESTS_DNS_PACKET_H
#define TESTS_DNS_PACKET_H
#include "base/buf.h"

static inline void pk16(struct buf *b, unsigned v)
{
	buf_char(b, (char)(v >> 8));
	buf_char(b, (char)v);
}

static inline void pk32(struct buf *b, uint32_t v)
{
	pk16(b, v >> 16);
	pk16(b, v & 0xffff);
}

static inline void pkname(struct buf *b, const char *name)
{
	struct text rest = text_of(name), label;
	while (rest.n) {
		text_cut(rest, '.', &label, &rest);
		buf_char(b, (char)label.n);
		buf_text(b, label);
	}
	buf_char(b, 0);
}

static inline void pkhead(struct buf *b, unsigned id, unsigned rcode, const char *name, unsigned type, unsigned answers, unsigned authority)
{
	pk16(b, id);
	pk16(b, 0x8180 | rcode);
	pk16(b, 1);
	pk16(b, answers);
	pk16(b, authority);
	pk16(b, 0);
	pkname(b, name);
	pk16(b, type);
	pk16(b, 1);
}

/* With the owner by compression pointer to the question when owner is NULL. */
static inline void pkrr(struct buf *b, const char *owner, unsigned type, uint32_t ttl, const void *data, size_t n)
{
	if (owner)
		pkname(b, owner);
	else
		pk16(b, 0xc00c);
	pk16(b, type);
	pk16(b, 1);
	pk32(b, ttl);
	pk16(b, (unsigned)n);
	buf_put(b, data, n);
}

static inline void pkstring(struct buf *b, const char *s)
{
	buf_char(b, (char)strlen(s));
	buf_str(b, s);
}

/* Without a regexp. */
static inline void pknaptr(struct buf *b, unsigned order, unsigned preference, const char *flags, const char *service, const char *replacement)
{
	struct buf d;
	buf_init(&d, 512);
	pk16(&d, order);
	pk16(&d, preference);
	pkstring(&d, flags);
	pkstring(&d, service);
	pkstring(&d, "");
	pkname(&d, replacement);
	pkrr(b, NULL, 35, 60, d.p, d.n);
	buf_free(&d);
}

static inline void pksoa(struct buf *b, const char *zone, uint32_t ttl, uint32_t minimum)
{
	struct buf d;
	buf_init(&d, 512);
	pkname(&d, "ns.test");
	pkname(&d, "admin.test");
	for (int i = 0; i < 4; i++)
		pk32(&d, 1);
	pk32(&d, minimum);
	pkrr(b, zone, 6, ttl, d.p, d.n);
	buf_free(&d);
}

#endif

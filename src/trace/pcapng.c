/* SPDX-License-Identifier: Apache-2.0 */
/* pcapng.c  See pcapng.h. A block is: type, length, body padded to four bytes, length again. */
#include "trace/pcapng.h"
#include <errno.h>

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, PACKET = 6, SECRETS = 10, BYTE_ORDER_MARK = 0x1a2b3c4d, TLS_KEY_LOG = 0x544c534b };
enum { OPT_END = 0, OPT_COMMENT = 1, OPT_FLAGS = 2, OPT_IF_NAME = 2, OPT_APPLICATION = 4 };

static void put32(struct buf *b, uint32_t v)
{
	buf_put(b, &v, sizeof v);
}

static void put16(struct buf *b, uint16_t v)
{
	buf_put(b, &v, sizeof v);
}

static void pad(struct buf *b, size_t n)
{
	static const uint8_t zero[4] = { 0 };
	buf_put(b, zero, (4 - n % 4) % 4);
}

static size_t option_size(struct text value)
{
	return value.n ? 4 + (value.n + 3) / 4 * 4 : 0;
}

static void option(struct buf *b, uint16_t code, struct text value)
{
	if (!value.n)
		return;
	put16(b, code);
	put16(b, (uint16_t)value.n);
	buf_text(b, value);
	pad(b, value.n);
}

int pcapng_section(struct buf *b, const char *application)
{
	struct text app = text_head(text_of(application), 200);
	uint32_t total = (uint32_t)(12 + 16 + option_size(app) + 4);
	uint64_t unknown = UINT64_MAX;
	put32(b, SECTION);
	put32(b, total);
	put32(b, BYTE_ORDER_MARK);
	put16(b, 1);
	put16(b, 0);
	buf_put(b, &unknown, sizeof unknown);
	option(b, OPT_APPLICATION, app);
	put32(b, OPT_END);
	put32(b, total);
	return buf_error(b);
}

int pcapng_interface(struct buf *b, uint16_t link_type, const char *name)
{
	struct text n = text_head(text_of(name), 200);
	uint32_t total = (uint32_t)(12 + 8 + option_size(n) + 4);
	put32(b, INTERFACE);
	put32(b, total);
	put16(b, link_type);
	put16(b, 0);
	put32(b, PCAPNG_SNAPLEN);
	option(b, OPT_IF_NAME, n);
	put32(b, OPT_END);
	put32(b, total);
	return buf_error(b);
}

int pcapng_secrets(struct buf *b, struct text keylog)
{
	uint32_t total = (uint32_t)(12 + 8 + (keylog.n + 3) / 4 * 4);
	if (keylog.n > 1 << 26)
		return EMSGSIZE;
	put32(b, SECRETS);
	put32(b, total);
	put32(b, TLS_KEY_LOG);
	put32(b, (uint32_t)keylog.n);
	buf_text(b, keylog);
	pad(b, keylog.n);
	put32(b, total);
	return buf_error(b);
}

int pcapng_packet(struct buf *b, uint32_t interface, int64_t us, enum pcapng_way way, struct text head, struct text body, struct text comment)
{
	size_t n = head.n + body.n;
	uint32_t flags = (uint32_t)way;
	if (n > PCAPNG_SNAPLEN)
		return EMSGSIZE;
	comment = text_head(comment, 4000);
	uint32_t total = (uint32_t)(12 + 20 + (n + 3) / 4 * 4 + 8 + option_size(comment) + 4);
	put32(b, PACKET);
	put32(b, total);
	put32(b, interface);
	put32(b, (uint32_t)((uint64_t)us >> 32));
	put32(b, (uint32_t)us);
	put32(b, (uint32_t)n);
	put32(b, (uint32_t)n);
	buf_text(b, head);
	buf_text(b, body);
	pad(b, n);
	option(b, OPT_FLAGS, text_make(&flags, sizeof flags));
	option(b, OPT_COMMENT, comment);
	put32(b, OPT_END);
	put32(b, total);
	return buf_error(b);
}

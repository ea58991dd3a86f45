/* SPDX-License-Identifier: Apache-2.0 */
/* pcapng_test.c  Blocks and frames, read again by hand. */
#include "trace/pcapng.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include "trace/frame.h"
#include "ut.h"

static uint32_t at32(const struct buf *b, size_t at)
{
	uint32_t v;
	assert_true(at + 4 <= b->n);
	memcpy(&v, b->p + at, 4);
	return v;
}

/* Every block says its length twice, and they fill the file. Returns how many. */
static unsigned blocks(const struct buf *b, uint32_t *types, unsigned max)
{
	size_t at = 0;
	unsigned n = 0;
	while (at < b->n) {
		uint32_t size = at32(b, at + 4);
		assert_true(size >= 12 && size % 4 == 0 && at + size <= b->n);
		assert_int_equal(at32(b, at + size - 4), size);
		if (n < max)
			types[n] = at32(b, at);
		n++;
		at += size;
	}
	return n;
}

static void a_file_of_blocks(void **state)
{
	struct buf b;
	uint32_t types[8];
	(void)state;
	buf_init(&b, 1 << 16);
	assert_int_equal(pcapng_section(&b, "Test"), 0);
	assert_int_equal(pcapng_interface(&b, PCAPNG_RAW, "sockets"), 0);
	assert_int_equal(pcapng_secrets(&b, TEXT("CLIENT_RANDOM 00 11\n")), 0);
	assert_int_equal(pcapng_packet(&b, 0, 0x123456789abcde, PCAPNG_IN, TEXT("head"), TEXT("body!"), TEXT("comment")), 0);
	assert_int_equal(pcapng_packet(&b, 0, 1, PCAPNG_OUT, TEXT_NONE, TEXT_NONE, TEXT_NONE), 0);
	assert_int_equal(blocks(&b, types, 8), 5);
	assert_int_equal(types[0], 0x0a0d0d0a);
	assert_int_equal(types[1], 1);
	assert_int_equal(types[2], 10);
	assert_int_equal(types[3], 6);
	size_t at = 0;
	for (unsigned i = 0; i < 3; i++)
		at += at32(&b, at + 4);
	assert_int_equal(at32(&b, at + 12), 0x123456);
	assert_true(at32(&b, at + 16) == 0x789abcde);
	assert_int_equal(at32(&b, at + 20), 9);
	assert_memory_equal(b.p + at + 28, "headbody!", 9);
	buf_free(&b);
}

static void what_is_too_long_is_refused(void **state)
{
	static char big[PCAPNG_SNAPLEN + 1];
	struct buf b, small;
	(void)state;
	buf_init(&b, 4 << 20);
	assert_int_equal(pcapng_packet(&b, 0, 0, PCAPNG_IN, TEXT_NONE, text_make(big, sizeof big), TEXT_NONE), EMSGSIZE);
	assert_int_equal(b.n, 0);
	buf_init(&small, 40);
	assert_int_equal(pcapng_packet(&small, 0, 0, PCAPNG_IN, TEXT_NONE, text_make(big, 100), TEXT_NONE), EMSGSIZE);
	buf_free(&small);
	buf_free(&b);
}

/* The sum over header, pseudo header and payload comes out as all ones (RFC 1071). */
static uint32_t add(uint32_t s, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s += (uint32_t)p[i] << (i % 2 ? 0 : 8);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

static void checksums_hold(void **state)
{
	struct net_addr a, b;
	uint8_t head[FRAME_HEAD_MAX];
	const char payload[] = "odd";
	(void)state;
	assert_int_equal(net_addr_parse(&a, TEXT("192.0.2.1"), 5060), 0);
	assert_int_equal(net_addr_parse(&b, TEXT("192.0.2.2"), 5061), 0);
	size_t n = frame_tcp(head, &a, &b, 7, 8, FRAME_ACK | FRAME_PSH, payload, 3);
	assert_int_equal(n, 40);
	assert_int_equal(add(0, head, 20), 0xffff);
	assert_int_equal(head[2] << 8 | head[3], 43);
	uint32_t s = add(add(add(6 + 23, head + 12, 8), head + 20, 20), (const uint8_t *)payload, 3);
	assert_int_equal(s, 0xffff);
	n = frame_udp(head, &a, &b, payload, 3);
	assert_int_equal(n, 28);
	s = add(add(add(17 + 11, head + 12, 8), head + 20, 8), (const uint8_t *)payload, 3);
	assert_int_equal(s, 0xffff);
	assert_int_equal(net_addr_parse(&a, TEXT("2001:db8::1"), 5060), 0);
	assert_int_equal(net_addr_parse(&b, TEXT("2001:db8::2"), 5061), 0);
	n = frame_tcp(head, &a, &b, 7, 8, FRAME_SYN, NULL, 0);
	assert_int_equal(n, 60);
	s = add(add(6 + 20, head + 8, 32), head + 40, 20);
	assert_int_equal(s, 0xffff);
}

static void tags_of_a_message(void **state)
{
	struct net_addr a, b;
	struct buf t;
	(void)state;
	buf_init(&t, 1024);
	assert_int_equal(net_addr_parse(&a, TEXT("192.0.2.1"), 5060), 0);
	assert_int_equal(net_addr_parse(&b, TEXT("192.0.2.2"), 5061), 0);
	assert_int_equal(frame_pdu(&t, "sip", true, &a, &b), 0);
	assert_memory_equal(t.p, "\0\x0c\0\x04sip\0", 8);
	assert_memory_equal(t.p + t.n - 4, "\0\0\0\0", 4);
	assert_int_equal(t.n, 8 + 8 + 8 + 8 + 8 + 8 + 4);
	buf_free(&t);
}

UT_MAIN(UT(a_file_of_blocks), UT(what_is_too_long_is_refused), UT(checksums_hold), UT(tags_of_a_message))

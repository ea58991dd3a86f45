/* SPDX-License-Identifier: Apache-2.0 */
/* hep_test.c  A message byte by byte as the format has it; and what fits in none. */
#include "trace/hep.h"
#include <errno.h>
#include <string.h>
#include "ut.h"

static void a_message(void **state)
{
	static const uint8_t want[] = {
		'H', 'E', 'P', '3', 0, 114, 0, 0, 0, 1, 0, 7, 2, 0, 0, 0, 2, 0, 7, 6, 0, 0, 0, 3, 0, 10, 192, 0, 2, 1, 0, 0, 0, 4, 0, 10, 192, 0, 2, 2,
		0, 0, 0, 7, 0, 8, 0x13, 0xc4, 0, 0, 0, 8, 0, 8, 0x13, 0xc5, 0, 0, 0, 9, 0, 10, 0x6b, 0x49, 0xd2, 0, 0, 0, 0, 10, 0, 10, 0, 0, 0, 5,
		0, 0, 0, 11, 0, 7, 1, 0, 0, 0, 12, 0, 10, 0, 0, 0, 77, 0, 0, 0, 17, 0, 7, 'c', 0, 0, 0, 19, 0, 7, 'n', 0, 0, 0, 15, 0, 7, 'p',
	};
	struct hep_message m = { .kind = HEP_SIP, .tcp = true, .us = 1800000000000005, .capture_id = 77, .node = TEXT("n"), .correlation = TEXT("c"), .payload = TEXT("p") };
	struct buf b;
	(void)state;
	buf_init(&b, HEP_DATAGRAM_MAX);
	assert_int_equal(net_addr_parse(&m.from, TEXT("192.0.2.1"), 5060), 0);
	assert_int_equal(net_addr_parse(&m.to, TEXT("192.0.2.2"), 5061), 0);
	assert_int_equal(hep_write(&b, &m), 0);
	assert_int_equal(b.n, sizeof want);
	assert_memory_equal(b.p, want, sizeof want);
	buf_free(&b);
}

static void what_fits_in_none(void **state)
{
	static char big[HEP_DATAGRAM_MAX];
	struct hep_message m = { .kind = HEP_SIP, .payload = { big, sizeof big } };
	struct buf b;
	(void)state;
	buf_init(&b, HEP_DATAGRAM_MAX);
	assert_int_equal(net_addr_parse(&m.from, TEXT("192.0.2.1"), 5060), 0);
	assert_int_equal(net_addr_parse(&m.to, TEXT("192.0.2.2"), 5061), 0);
	assert_int_equal(hep_write(&b, &m), EMSGSIZE);
	assert_int_equal(net_addr_parse(&m.to, TEXT("2001:db8::2"), 5061), 0);
	m.payload = TEXT("p");
	assert_int_equal(hep_write(&b, &m), EINVAL);
	buf_free(&b);
}

UT_MAIN(UT(a_message), UT(what_fits_in_none))

/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include "net/addr.h"

static void literals_parse_and_print(void **state)
{
	(void)state;
	static const struct { const char *in, *out; } ok[] = {
		{ "192.0.2.1", "192.0.2.1:5060" }, { "192.0.2.1:99", "192.0.2.1:99" }, { "[2001:db8::1]:7", "[2001:db8::1]:7" },
		{ "2001:db8::1", "[2001:db8::1]:5060" }, { "[::1]", "[::1]:5060" }, { "::ffff:192.0.2.1", "192.0.2.1:5060" },
	};
	struct net_addr a;
	char s[NET_ADDR_SIZE];
	for (unsigned i = 0; i < sizeof ok / sizeof ok[0]; i++) {
		assert_int_equal(net_addr_parse_port(&a, text_of(ok[i].in), 5060), 0);
		assert_string_equal(net_addr_print(&a, s), ok[i].out);
	}
}

static void names_and_nonsense_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "example.com", "192.0.2", "192.0.2.1:99999", "192.0.2.1:x", "[::1", "::1]", "1.2.3.4.5", "[192.0.2.1]" };
	struct net_addr a;
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(net_addr_parse_port(&a, text_of(bad[i]), 5060), EINVAL);
}

static void equality_knows_ports_and_families(void **state)
{
	(void)state;
	struct net_addr a, b;
	net_addr_parse_port(&a, TEXT("127.0.0.1:1"), 0);
	net_addr_parse_port(&b, TEXT("127.0.0.1:2"), 0);
	assert_true(net_addr_eq_host(&a, &b));
	assert_false(net_addr_eq(&a, &b));
	assert_true(net_addr_is_loopback(&a));
	net_addr_parse(&b, TEXT("::"), 0);
	assert_true(net_addr_is_any(&b));
	assert_false(net_addr_eq_host(&a, &b));
}

static void the_kernel_tells_how_wide_a_way_is(void **state)
{
	(void)state;
	struct net_addr a = { 0 };
	net_addr_parse(&a, TEXT("127.0.0.1"), 5060);
	assert_true(net_addr_mtu(&a) >= 1280);
}

UT_MAIN(UT(literals_parse_and_print), UT(names_and_nonsense_are_refused), UT(equality_knows_ports_and_families),
        UT(the_kernel_tells_how_wide_a_way_is))

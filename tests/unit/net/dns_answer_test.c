/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include "base/mem.h"
#include "dns_packet.h"
#include "net/dns_answer.h"

static struct dns_result res;

static void ask(const char *name, enum dns_type type)
{
	res = (struct dns_result){ .type = type };
	text_fill(res.name, sizeof res.name, name);
}

static void addresses_are_read_with_their_ttl(void **state)
{
	(void)state;
	struct buf b;
	char s[NET_ADDR_SIZE];
	buf_init(&b, 4096);
	pkhead(&b, 1, 0, "Pool.Domain.com", 1, 2, 0);
	pkrr(&b, NULL, 1, 300, "\xc0\x00\x02\x01", 4);
	pkrr(&b, "pool.domain.COM", 1, 60, "\xc0\x00\x02\x02", 4);
	ask("pool.domain.com", DNS_A);
	assert_int_equal(dns_answer_parse(&res, b.p, b.n), DNS_OK);
	assert_int_equal(res.n, 2);
	assert_int_equal(res.ttl_s, 60);
	assert_string_equal(net_addr_print_host(&res.rec[1].addr, s), "192.0.2.2");
	buf_free(&b);
}

static void aliases_are_followed_and_strangers_ignored(void **state)
{
	(void)state;
	struct buf b, target;
	buf_init(&b, 4096);
	buf_init(&target, 256);
	pkname(&target, "real.test");
	pkhead(&b, 1, 0, "um.test", 1, 3, 0);
	pkrr(&b, "real.test", 1, 30, "\x7f\x00\x00\x01", 4); /* before the alias: order proves nothing */
	pkrr(&b, NULL, 5, 10, target.p, target.n);
	pkrr(&b, "evil.test", 1, 30, "\x7f\x00\x00\x02", 4);
	ask("um.test", DNS_A);
	assert_int_equal(dns_answer_parse(&res, b.p, b.n), DNS_OK);
	assert_int_equal(res.n, 1);
	assert_int_equal(res.ttl_s, 10);
	buf_free(&b);
	buf_free(&target);
}

static void an_alias_of_itself_ends(void **state)
{
	(void)state;
	struct buf b, target;
	buf_init(&b, 4096);
	buf_init(&target, 256);
	pkname(&target, "a.test");
	pkhead(&b, 1, 0, "a.test", 1, 1, 0);
	pkrr(&b, NULL, 5, 10, target.p, target.n);
	ask("a.test", DNS_A);
	assert_int_equal(dns_answer_parse(&res, b.p, b.n), DNS_NODATA);
	buf_free(&b);
	buf_free(&target);
}

static void srv_records_carry_priority_weight_port_and_target(void **state)
{
	(void)state;
	struct buf b, d;
	buf_init(&b, 4096);
	buf_init(&d, 256);
	pk16(&d, 10);
	pk16(&d, 20);
	pk16(&d, 5061);
	pkname(&d, "node01.domain.local");
	pkhead(&b, 1, 0, "_sips._tcp.test", 33, 1, 0);
	pkrr(&b, NULL, 33, 30, d.p, d.n);
	ask("_sips._tcp.test", DNS_SRV);
	assert_int_equal(dns_answer_parse(&res, b.p, b.n), DNS_OK);
	assert_int_equal(res.rec[0].priority, 10);
	assert_int_equal(res.rec[0].weight, 20);
	assert_int_equal(res.rec[0].port, 5061);
	assert_string_equal(res.rec[0].target, "node01.domain.local");
	buf_free(&b);
	buf_free(&d);
}

static void the_name_of_an_address_is_read(void **state)
{
	(void)state;
	struct buf b, d;
	buf_init(&b, 512);
	buf_init(&d, 512);
	pkname(&d, "node01.domain.local");
	pkhead(&b, 1, 0, "11.1.0.127.in-addr.arpa", DNS_PTR, 1, 0);
	pkrr(&b, NULL, DNS_PTR, 60, d.p, d.n);
	ask("11.1.0.127.in-addr.arpa", DNS_PTR);
	assert_int_equal(dns_answer_parse(&res, b.p, b.n), DNS_OK);
	assert_int_equal(res.n, 1);
	assert_string_equal(res.rec[0].target, "node01.domain.local");
	assert_string_equal(dns_type_name(DNS_PTR), "PTR");
	buf_free(&d);
	buf_free(&b);
}

static void absence_is_told_apart_and_kept_as_long_as_the_zone_says(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 4096);
	pkhead(&b, 1, 3, "no.test", 1, 0, 1);
	pksoa(&b, "test", 100, 40);
	ask("no.test", DNS_A);
	assert_int_equal(dns_answer_parse(&res, b.p, b.n), DNS_NXDOMAIN);
	assert_int_equal(res.ttl_s, 40);
	buf_clear(&b);
	pkhead(&b, 1, 0, "no.test", 28, 0, 0);
	ask("no.test", DNS_AAAA);
	assert_int_equal(dns_answer_parse(&res, b.p, b.n), DNS_NODATA);
	buf_clear(&b);
	pkhead(&b, 1, 5, "no.test", 28, 0, 0);
	assert_int_equal(dns_answer_parse(&res, b.p, b.n), DNS_REFUSED);
	buf_clear(&b);
	pkhead(&b, 1, 2, "no.test", 28, 0, 0);
	assert_int_equal(dns_answer_parse(&res, b.p, b.n), DNS_SERVFAIL);
	buf_free(&b);
}

static void broken_answers_are_malformed_wherever_they_are_cut(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 4096);
	pkhead(&b, 1, 0, "pool.test", 1, 1, 0);
	pkrr(&b, NULL, 1, 300, "\xc0\x00\x02\x01", 4);
	ask("pool.test", DNS_A);
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *exact = mem_alloc(n ? n : 1);
		memcpy(exact, b.p, n);
		assert_int_equal(dns_answer_parse(&res, exact, n), DNS_MALFORMED);
		mem_free(exact);
	}
	ask("other.test", DNS_A); /* an answer to another question */
	assert_int_equal(dns_answer_parse(&res, b.p, b.n), DNS_MALFORMED);
	buf_clear(&b);
	pkhead(&b, 1, 0, "pool.test", 1, 1, 0);
	pk16(&b, 0xc000 | (unsigned)b.n); /* a pointer to itself */
	ask("pool.test", DNS_A);
	assert_int_equal(dns_answer_parse(&res, b.p, b.n), DNS_MALFORMED);
	buf_free(&b);
}

UT_MAIN(UT(the_name_of_an_address_is_read), UT(addresses_are_read_with_their_ttl), UT(aliases_are_followed_and_strangers_ignored), UT(an_alias_of_itself_ends),
        UT(srv_records_carry_priority_weight_port_and_target), UT(absence_is_told_apart_and_kept_as_long_as_the_zone_says),
        UT(broken_answers_are_malformed_wherever_they_are_cut))

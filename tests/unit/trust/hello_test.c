/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/hello.h"
#include <errno.h>
#include "base/mem.h"
#include "ut.h"

/* A hello with GREASE, two suites, SNI and supported_versions. */
static const uint8_t hello[] = {
	1, 0, 0, 85, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
	0,                                          /* session id */
	0, 6, 0x0a, 0x0a, 0x13, 0x01, 0xc0, 0x2b,   /* suites */
	1, 0,                                       /* compression */
	0, 28,                                      /* extensions */
	0, 0, 0, 13, 0, 11, 0, 0, 8, 'a', '.', 'd', 'o', 'm', 'a', 'i', 'n',
	0, 43, 0, 7, 6, 0x1a, 0x1a, 3, 4, 3, 3,
};

static void what_is_offered_is_read(void **state)
{
	(void)state;
	struct trust_hello h;
	char words[128];
	assert_int_equal(tls_hello_parse(&h, hello, sizeof hello), 0);
	assert_string_equal(h.sni, "a.domain");
	assert_int_equal(h.n_suites, 2);
	assert_string_equal(trust_versions_words(&h, words, sizeof words), "TLS 1.3 and TLS 1.2");
	assert_string_equal(trust_suites_words(&h, words, sizeof words), "TLS_AES_128_GCM_SHA256 and ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
}

static void cut_anywhere_it_stays_within(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof hello; n++) {
		struct trust_hello h;
		uint8_t *exact = mem_alloc(n ? n : 1);
		memcpy(exact, hello, n);
		int err = tls_hello_parse(&h, exact, n);
		if (n < 39)
			assert_int_equal(err, EBADMSG);
		mem_free(exact);
	}
}

static void more_suites_than_are_kept_are_marked(void **state)
{
	(void)state;
	struct trust_hello h;
	uint8_t big[4 + 34 + 1 + 2 + 200 + 2] = { 1, 0, 0, 0, 3, 3 };
	size_t at = 4 + 34;
	big[at++] = 0;
	big[at++] = 0;
	big[at++] = 200;
	for (unsigned i = 0; i < 100; i++, at += 2)
		big[at + 1] = (uint8_t)(i + 1);
	big[at] = 1;
	assert_int_equal(tls_hello_parse(&h, big, sizeof big), 0);
	assert_true(h.cut);
	assert_int_equal(h.n_suites, TRUST_SUITES);
}

UT_MAIN(UT(what_is_offered_is_read), UT(cut_anywhere_it_stays_within), UT(more_suites_than_are_kept_are_marked))

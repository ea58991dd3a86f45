/* SPDX-License-Identifier: Apache-2.0 */
/* trust_hello.c  The first message of whoever connects. */
#include <stdlib.h>
#include "trust/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trust_hello h;
	char words[512];
	(void)tls_hello_parse(&h, data, size);
	if (h.n_suites > TRUST_SUITES || h.n_versions > TRUST_VERSIONS || strlen(h.sni) >= sizeof h.sni)
		abort();
	trust_versions_words(&h, words, sizeof words);
	trust_suites_words(&h, words, sizeof words);
	return 0;
}

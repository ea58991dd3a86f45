/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the answer to a question: the first byte chooses the type. */
#include <assert.h>
#include "net/dns_naptr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is chosen of NAPTR: each with a name, and behind TLS nothing but TLS. */
static void choose(const struct dns_result *res)
{
	struct dns_service s[DNS_SERVICES];
	unsigned n = dns_naptr_services(res, s);
	assert(n <= DNS_SERVICES && n <= res->n);
	for (unsigned i = 0; i < n; i++)
		assert(s[i].name[0] && s[i].transport < NET_ANY && (s[0].transport != NET_TLS || s[i].transport == NET_TLS));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_SRV, DNS_NAPTR, DNS_PTR };
	static struct dns_result res;
	if (!size)
		return 0;
	res = (struct dns_result){ .type = types[data[0] % 5] };
	text_fill(res.name, sizeof res.name, "a.test");
	dns_answer_parse(&res, data + 1, size - 1);
	assert(res.n <= DNS_RECORDS);
	assert(res.outcome == DNS_OK || res.n == 0);
	for (unsigned i = 0; i < res.n; i++)
		assert(strnlen(res.rec[i].target, DNS_NAME_SIZE) < DNS_NAME_SIZE);
	if (res.type == DNS_NAPTR)
		choose(&res);
	return 0;
}

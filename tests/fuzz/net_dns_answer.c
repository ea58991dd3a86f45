/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the answer to a question: the first byte chooses the type. */
#include <assert.h>
#include "net/dns_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_SRV, DNS_NAPTR, DNS_PTR };
	static struct dns_result res;
	if (!size)
		return 0;
	res = (struct dns_result){ .type = types[data[0] & 3] };
	text_fill(res.name, sizeof res.name, "a.test");
	dns_answer_parse(&res, data + 1, size - 1);
	assert(res.n <= DNS_RECORDS);
	assert(res.outcome == DNS_OK || res.n == 0);
	for (unsigned i = 0; i < res.n; i++)
		assert(strnlen(res.rec[i].target, DNS_NAME_SIZE) < DNS_NAME_SIZE);
	return 0;
}

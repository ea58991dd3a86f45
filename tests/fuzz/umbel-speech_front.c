/* SPDX-License-Identifier: Apache-2.0 */
/* umbel-speech_front.c  A model of the trained front end. The last eight bytes become the right sum first, so that what is behind it is reached. */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/mem.h"
#include "umbel-speech/front_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct net *n, const char *file, size_t size)
{
	static const float bands[3 * MEL_BANDS] = { 1, -2, 3 };
	float out[3][NET_OUT];
	void *again;
	size_t more;
	if (net_apply(n, bands, 3, out) || net_print(n, &again, &more))
		abort();
	if (more != size || memcmp(again, file, size))
		abort();
	mem_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[16];
	struct net *n;
	char *file = mem_alloc(size + 1);
	if (!file)
		return 0;
	memcpy(file, data, size);
	if (size > 8) {
		uint64_t sum = hash_siphash(key, file, size - 8);
		memcpy(file + size - 8, &sum, 8);
	}
	if (net_parse(&n, file, size) == 0) {
		use(n, file, size);
		net_destroy(n);
	}
	mem_free(file);
	return 0;
}

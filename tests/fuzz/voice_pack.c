/* SPDX-License-Identifier: Apache-2.0 */
/* voice_pack.c  A file of prompts; every byte that an entry promises is touched. The sum is not checked, or nothing would get in. */
#include <assert.h>
#include "voice/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pack pk;
	if (pack_open(&pk, data, size, false))
		return 0;
	volatile uint8_t touched = 0;
	for (uint32_t i = 0; i < pk.entries; i++) {
		struct pack_entry e = pack_entry_at(&pk, i);
		assert(e.name.n && e.name.n <= PACK_NAME_MAX && e.samples);
		touched ^= (uint8_t)(e.name.p[e.name.n - 1] ^ e.pcmu[0] ^ e.pcmu[e.samples - 1] ^ e.pcma[0] ^ e.pcma[e.samples - 1]);
		if (e.g722)
			touched ^= (uint8_t)(e.g722[0] ^ e.g722[e.samples - 1]);
		if (e.text.n)
			touched ^= (uint8_t)(e.text.p[0] ^ e.text.p[e.text.n - 1]);
	}
	(void)touched;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* voice_wav.c  A WAV file. */
#include <assert.h>
#include "base/mem.h"
#include "voice/wav.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int16_t *pcm;
	size_t n;
	if (!wav_parse(data, size, &pcm, &n)) {
		assert(n <= size);
		mem_free(pcm);
	}
	return 0;
}

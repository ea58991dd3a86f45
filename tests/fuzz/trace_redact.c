/* SPDX-License-Identifier: Apache-2.0 */
/* trace_redact.c  Striking out keeps the length and the lines, and a second time changes nothing more. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "trace/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *once = mem_alloc(size + 1), *twice = mem_alloc(size + 1);
	if (once && twice) {
		memcpy(once, data, size);
		trace_redact(once, size);
		memcpy(twice, once, size);
		trace_redact(twice, size);
		for (size_t i = 0; i < size; i++)
			if ((data[i] == '\n') != (once[i] == '\n') || (once[i] != (char)data[i] && once[i] != 'x'))
				abort();
		if (memcmp(once, twice, size) != 0)
			abort();
	}
	mem_free(once);
	mem_free(twice);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox_spool.c  The header line of a spool file; what is accepted is written and read back the same. */
#include <stdint.h>
#include <stdlib.h>
#include "mailbox/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mbox_message m, back;
	uint64_t n, again;
	if (size > 8192 || spool_header_parse(text_make(data, size), &m, &n))
		return 0;
	struct buf b;
	buf_init(&b, 16384);
	if (spool_header_write(&m, n, &b) == 0) {
		if (spool_header_parse(text_head(buf_as_text(&b), b.n - 1), &back, &again) || again != n || strcmp(m.id, back.id) != 0)
			abort();
	}
	buf_free(&b);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* capture_keylog.c  A file that somebody calls a key log: what is kept of it is one. */
#include <stdlib.h>
#include "capture/tshark.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once, twice;
	unsigned n = 0, again = 0;
	buf_init(&once, 1 << 20);
	buf_init(&twice, 1 << 20);
	if (cap_keylog_clean(&once, text_make(data, size), &n) == 0 && cap_keylog_clean(&twice, buf_as_text(&once), &again) == 0)
		if (n != again || !text_eq(buf_as_text(&once), buf_as_text(&twice)))
			abort();
	buf_free(&once);
	buf_free(&twice);
	return 0;
}

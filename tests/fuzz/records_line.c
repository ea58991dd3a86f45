/* SPDX-License-Identifier: Apache-2.0 */
/* records_line.c  A line of the file that outlives a stop; what is accepted is written and read back the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"
#include "records/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_item *it, *back;
	if (size > 16384 || record_read(&it, text_make(data, size)))
		return 0;
	struct buf b;
	buf_init(&b, 1 << 20);
	if (record_write(it, &b) == 0) {
		if (record_read(&back, buf_as_text(&b)) || strcmp(it->r.id, back->r.id) != 0 || it->r.nmos_centi != back->r.nmos_centi ||
		    it->n_steps != back->n_steps || it->n_boxes != back->n_boxes)
			abort();
		mem_free(back);
	}
	buf_free(&b);
	mem_free(it);
	return 0;
}

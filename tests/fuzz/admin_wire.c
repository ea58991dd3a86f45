/* SPDX-License-Identifier: Apache-2.0 */
/* admin_wire.c  Request lines of the admin socket. */
#include <stdint.h>
#include "admin/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct admin_request rq = { 0 };
	struct ev_report why = { 0 };
	struct buf b;
	buf_init(&b, 65536);
	if (admin_request_parse(text_make(data, size), &rq, &why) == 0)
		admin_write_result(&b, rq.args, false);
	else
		admin_write_error(&b, &why);
	admin_request_free(&rq);
	buf_free(&b);
	return 0;
}

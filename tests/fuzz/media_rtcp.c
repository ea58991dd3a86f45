/* SPDX-License-Identifier: Apache-2.0 */
/* media_rtcp.c  A compound RTCP packet. */
#include "media/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtcp_heard h;
	rtcp_parse(&h, data, size, 42);
	return 0;
}

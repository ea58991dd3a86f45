/* SPDX-License-Identifier: Apache-2.0 */
/* voice_spool.c  Head and end of a spool file, as a crash may have left them. The sums are made right first, or nothing would get in. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "voice/pack.h"
#include "voice/spool_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(uint8_t *p, const char *magic)
{
	char line[20];
	snprintf(line, sizeof line, "%s 1 %08x\n", magic, pack_crc(p + 19, SPOOL_HEAD - 19));
	memcpy(p, line, 19);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t p[SPOOL_AUDIO] = { 0 };
	struct spool_info info;
	spool_parse(&info, data, size, size);
	memcpy(p, data, size < sizeof p ? size : sizeof p);
	mend(p, "UMSPOOL");
	mend(p + SPOOL_HEAD, "UMSPEND");
	if (!spool_parse(&info, p, sizeof p, size))
		assert(info.bytes <= size && strlen(info.mailbox) < sizeof info.mailbox);
	return 0;
}

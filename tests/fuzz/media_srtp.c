/* SPDX-License-Identifier: Apache-2.0 */
/* media_srtp.c  Bytes off the wire as SRTP and SRTCP under all suites. The input: a byte that says which suite and how the key is named, then rows of
 * (length, what to do, bytes). What is sealed here must open again, whatever came between; nothing that comes as it is may open.     */
#include <assert.h>
#include <string.h>
#include "base/mem.h"
#include "media/srtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 600 };

static void sealed_and_opened(struct srtp *tx, struct srtp *rx, const uint8_t *data, size_t n)
{
	uint8_t p[ROOM] = { 0 }, kept[ROOM];
	size_t total;
	memcpy(p, data, n);
	p[0] = (uint8_t)((p[0] & 0x1f) | 0x80);
	memcpy(kept, p, n);
	size_t head = srtp_head(p, n);
	if (head && !srtp_seal(tx, p, head, kept + head, n - head, &total)) {
		assert(total <= n + SRTP_ROOM);
		if (!srtp_open(rx, p, &total))
			assert(total == n && memcmp(p, kept, n) == 0);
	}
	memcpy(p, kept, n);
	if (n >= 8 && !srtcp_seal(tx, p, n, &total)) {
		assert(total <= n + SRTP_ROOM);
		if (!srtcp_open(rx, p, &total))
			assert(total == n && memcmp(p, kept, n) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct srtp_key key = { .suite = (enum srtp_suite)(1 + data[0] % (SRTP_SUITES - 1)), .mki_bytes = (data[0] >> 4) % 5 };
	struct srtp *tx, *rx;
	if (srtp_new(&tx, &key, true) || srtp_new(&rx, &key, false))
		return 0;
	srtp_inherit(rx, tx);
	data++;
	size--;
	while (size >= 2) {
		size_t n = (size_t)data[0] * 2, m;
		uint8_t what = data[1], p[ROOM];
		data += 2;
		size -= 2;
		if (n > size)
			n = size;
		if (what & 1) {
			sealed_and_opened(tx, rx, data, n);
		} else {
			memcpy(p, data, m = n);
			if (what & 2)
				(void)srtcp_open(rx, p, &m);
			else
				(void)srtp_open(rx, p, &m);
			assert(m <= n);
		}
		data += n;
		size -= n;
	}
	mem_unref(tx);
	mem_unref(rx);
	return 0;
}

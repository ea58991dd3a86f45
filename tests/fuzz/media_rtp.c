/* SPDX-License-Identifier: Apache-2.0 */
/* media_rtp.c  A stream of datagrams: parsed, counted, put on the line of a recording or taken for keys. The input is a row of
 * (length, milliseconds since the one before, bytes).                                                                  */
#include <assert.h>
#include "media/dtmf.h"
#include "media/line.h"
#include "media/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(const uint8_t *p, size_t n, void *arg)
{
	if (p && n)
		*(uint8_t *)arg ^= (uint8_t)(p[0] ^ p[n - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtp_rx rx = { 0 };
	struct dtmf_rx keys = { 0 };
	static struct line line;
	uint8_t seen = 0;
	int64_t now_us = 0;
	line_init(&line, MEDIA_PCMU, 0, take, &seen);
	while (size >= 2) {
		size_t n = data[0];
		now_us += (int64_t)data[1] * 1000;
		data += 2;
		size -= 2;
		if (n > size)
			n = size;
		struct rtp_packet pkt;
		struct dtmf_news news;
		if (!rtp_parse(&pkt, data, n)) {
			assert(pkt.payload >= data && pkt.payload + pkt.n <= data + n);
			rtp_rx_packet(&rx, &pkt, (uint32_t)(now_us / 125));
			if (pkt.pt == 101)
				dtmf_rx_packet(&keys, &pkt, now_us, &news);
			else
				line_put(&line, now_us, pkt.ssrc, pkt.ts, pkt.pt == 8 ? MEDIA_PCMA : MEDIA_PCMU, pkt.payload, pkt.n);
		}
		dtmf_rx_tick(&keys, now_us, &news);
		line_tick(&line, now_us);
		rtp_rx_fraction(&rx);
		assert(line.total + line.held <= (uint64_t)now_us / 125 + 8000); /* never ahead of the clock */
		data += n;
		size -= n;
	}
	line_flush(&line, now_us);
	return 0;
}

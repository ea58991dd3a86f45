/* SPDX-License-Identifier: Apache-2.0 */
/* media_rtp.c  A stream of datagrams: parsed, counted, put in order, on the line of a recording with its gaps filled, or taken for keys. The input is a row of
 * (length, milliseconds since the one before, bytes).                                                                  */
#include <assert.h>
#include "media/dtmf.h"
#include "media/g711.h"
#include "media/jitter.h"
#include "media/line.h"
#include "media/conceal.h"
#include "media/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(const uint8_t *p, size_t n, void *arg)
{
	if (p && n)
		*(uint8_t *)arg ^= (uint8_t)(p[0] ^ p[n - 1]);
}

static struct line line;
static struct conceal gaps;
static int64_t now_us;
static unsigned came, went;

static void in_order(const struct jitter_packet *p, void *arg)
{
	const struct rtp_packet *pkt = &p->rtp;
	int16_t pcm[RTP_PACKET_MAX];
	uint8_t bytes[RTP_PACKET_MAX];
	(void)arg;
	assert(!(p->lost && p->anew) && p->lost < 65536 && p->at_us <= now_us && pkt->n <= RTP_PACKET_MAX);
	went++;
	if (p->tag == 1)
		return;
	if (p->lost) {
		conceal_lost(&gaps, pcm, 160);
		g711_encode(MEDIA_PCMU, bytes, pcm, 160);
		line_put(&line, p->at_us, pkt->ssrc, pkt->ts - 160, MEDIA_PCMU, bytes, 160);
	}
	g711_decode(MEDIA_PCMU, pcm, pkt->payload, pkt->n);
	conceal_good(&gaps, pcm, pkt->n);
	line_put(&line, p->at_us, pkt->ssrc, pkt->ts, pkt->pt == 8 ? MEDIA_PCMA : MEDIA_PCMU, pkt->payload, pkt->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct jitter jitter;
	struct rtp_rx rx = { 0 };
	struct dtmf_rx keys = { 0 };
	uint8_t seen = 0;
	now_us = 0;
	came = went = 0;
	jitter_init(&jitter, 60, in_order, NULL);
	conceal_init(&gaps, 8000);
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
			rtp_rx_packet(&rx, &pkt), rtp_rx_arrived(&rx, &pkt, (uint32_t)(now_us / 125));
			came++;
			jitter_put(&jitter, now_us, &pkt, pkt.pt == 101);
			if (pkt.pt == 101)
				dtmf_rx_packet(&keys, &pkt, now_us, &news);
		}
		dtmf_rx_tick(&keys, now_us, &news);
		jitter_tick(&jitter, now_us);
		line_tick(&line, now_us);
		rtp_rx_fraction(&rx);
		assert(jitter.n_slots <= JITTER_SLOTS && jitter.n_free <= JITTER_CHUNKS);
		assert(line.total <= (uint64_t)now_us / 125 + (uint64_t)now_us / 125000 + 8000); /* never ahead of the clock */
		data += n;
		size -= n;
	}
	jitter_flush(&jitter);
	assert(jitter.n_free == JITTER_CHUNKS && !jitter.n_slots && went <= came);
	line_flush(&line, now_us);
	return 0;
}

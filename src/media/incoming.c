/* SPDX-License-Identifier: Apache-2.0 */
/* incoming.c  Packets of a stream to samples of 8,000 a second. */
#include "media/incoming.h"

/* A stamp so far from what was expected is a new count, not a straggler. */
enum { LEAP_S = 2 };

void incoming_set(struct incoming *in, struct codec_rx *rx)
{
	codec_rx_free(in->rx);
	*in = (struct incoming){ .rx = rx };
}

/* Ticks of the codec's clock in ours; stamps of one stream differ by whole samples, so nothing is lost. */
static uint32_t ours(const struct codec *c, int64_t ticks)
{
	return (uint32_t)(ticks * MEDIA_RATE / (int64_t)c->clock);
}

static void begin(struct incoming *in, const struct rtp_packet *pkt)
{
	codec_rx_reset(in->rx);
	if (!in->known || in->ssrc != pkt->ssrc)
		in->next_out = pkt->ts;
	in->known = true;
	in->ssrc = pkt->ssrc;
	in->next = pkt->ts;
}

size_t incoming_decode(struct incoming *in, const struct rtp_packet *pkt, int16_t *pcm, uint32_t *ts)
{
	const struct codec *c = codec_info(codec_rx_codec(in->rx));
	uint32_t ticks = codec_ticks(codec_rx_codec(in->rx), pkt->payload, pkt->n);
	int32_t ahead = (int32_t)(pkt->ts - in->next);
	size_t before = 0;
	if (!ticks)
		return 0;
	bool leap = ahead > (int32_t)(LEAP_S * c->clock) || ahead < -(int32_t)(LEAP_S * c->clock);
	if (!in->known || in->ssrc != pkt->ssrc) {
		begin(in, pkt);
	} else if (leap) {
		uint32_t out = in->next_out + ours(c, ahead);
		begin(in, pkt);
		in->next_out = out;
	} else if (ahead < 0) {
		return 0; /* its time was filled */
	} else if (ahead > 0 && (uint32_t)ahead <= c->clock / 1000 * INCOMING_GAP_MS) {
		before = ours(c, ahead) / (MEDIA_FRAME / 8) * (MEDIA_FRAME / 8); /* pieces of 2.5 ms, as Opus wants them */
		codec_conceal(in->rx, pkt->payload, pkt->n, pcm, before);
	}
	if (ahead > 0 && !leap)
		in->next_out += ours(c, ahead);
	size_t n = codec_decode(in->rx, pkt->payload, pkt->n, pcm + before);
	*ts = in->next_out - (uint32_t)before;
	in->next = pkt->ts + ticks;
	in->next_out += ours(c, ticks);
	return n ? before + n : 0;
}

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
	in->next_out = pkt->ts;
	in->known = true;
	in->ssrc = pkt->ssrc;
	in->next = pkt->ts;
}

/* Steps to the packet. False: it is no payload, or too late. *gap: our samples between the last one and it. */
static bool step(struct incoming *in, const struct rtp_packet *pkt, const struct codec *c, uint32_t *ticks, uint32_t *gap)
{
	*gap = 0;
	*ticks = codec_ticks(codec_rx_codec(in->rx), pkt->payload, pkt->n);
	if (!*ticks)
		return false;
	int32_t ahead = (int32_t)(pkt->ts - in->next), most = (int32_t)(LEAP_S * c->clock);
	if (!in->known || in->ssrc != pkt->ssrc) {
		begin(in, pkt);
		return true;
	}
	if (ahead > most || ahead < -most) {
		codec_rx_reset(in->rx);
	} else if (ahead < 0) {
		return false; /* its time was filled */
	} else {
		*gap = ours(c, ahead);
	}
	in->next_out += ours(c, ahead);
	return true;
}

static void stepped(struct incoming *in, const struct rtp_packet *pkt, const struct codec *c, uint32_t ticks)
{
	in->next = pkt->ts + ticks;
	in->next_out += ours(c, ticks);
}

size_t incoming_place(struct incoming *in, const struct rtp_packet *pkt, uint32_t *ts)
{
	const struct codec *c = codec_info(codec_rx_codec(in->rx));
	uint32_t ticks, gap;
	if (!step(in, pkt, c, &ticks, &gap))
		return 0;
	*ts = in->next_out;
	stepped(in, pkt, c, ticks);
	return ours(c, ticks);
}

size_t incoming_decode(struct incoming *in, const struct rtp_packet *pkt, int16_t *pcm, uint32_t *ts)
{
	enum { PIECE = MEDIA_FRAME / 8 }; /* 2.5 ms, as Opus wants them */
	const struct codec *c = codec_info(codec_rx_codec(in->rx));
	uint32_t ticks, gap;
	if (!step(in, pkt, c, &ticks, &gap))
		return 0;
	/* Opus knows best what it was; for the others whoever hears them makes it up, where he needs it */
	size_t before = codec_rx_codec(in->rx) == MEDIA_OPUS && gap <= INCOMING_GAP_MS * MEDIA_RATE / 1000 ? gap / PIECE * PIECE : 0, a_tick = in->wide ? 2 : 1;
	if (before)
		codec_conceal(in->rx, pkt->payload, pkt->n, pcm, before * a_tick);
	size_t n = codec_decode(in->rx, pkt->payload, pkt->n, pcm + before * a_tick);
	*ts = in->next_out - (uint32_t)before;
	stepped(in, pkt, c, ticks);
	return n ? before * a_tick + n : 0;
}

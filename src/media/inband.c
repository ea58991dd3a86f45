/* SPDX-License-Identifier: Apache-2.0 */
/* inband.c  Keys heard in the audio.
 *
 *   packets -> jitter -> [gaps: conceal] -> spandsp -> tone() on or off -> 13 ms more of it -> news
 */
#include "media/inband.h"
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* not <spandsp.h>: names in it are ours, too */
#include <spandsp/telephony.h>
#include <spandsp/logging.h>
#include <spandsp/complex.h>
#include <spandsp/super_tone_rx.h>
#include <spandsp/tone_generate.h>
#include <spandsp/tone_detect.h>
#include <spandsp/dtmf.h>
#include "base/mem.h"
#include "media/clip.h"
#include "media/g711.h"
#include "media/jitter.h"
#include "media/conceal.h"

enum {
	HOLD_MS = 60,              /* a caller waits for what his key does */
	CERTAIN = 102,             /* samples that a tone must go on after it was found, two blocks of 102 into it */
	FOUND = 204,
	MOST = 2048, GAP_MOST = CONCEAL_MS * MEDIA_RATE / 1000,
	GONE_US = 200000,          /* no packets: the press is over */
	TOLD_MOST = 16,            /* changes between two ticks: nobody presses faster, and there is room for no more */
};

struct inband {
	dtmf_rx_state_t *rx;
	struct jitter jitter;
	struct conceal conceal;
	bool spoke;
	uint32_t ts_next;
	int64_t last_us;
	inband_h *h;               /* during a call */
	void *arg;
	char sounds, down;         /* what is heard; what was told */
	unsigned told;
	uint64_t at, since;        /* samples so far; where it began to sound */
};

static void tell(struct inband *ib, struct dtmf_news news)
{
	if (ib->told++ < TOLD_MOST)
		ib->h(&news, ib->arg);
}

/* The detector's own call-back: `code` is a key, or 0. */
static void tone(void *arg, int code, int level, int delay)
{
	struct inband *ib = arg;
	(void)level;
	(void)delay;
	if (code == ib->sounds)
		return;
	if (ib->down) {
		tell(ib, (struct dtmf_news){ .ended = ib->down, .ms = (uint32_t)((ib->at - ib->since + FOUND) / (MEDIA_RATE / 1000)) });
		ib->down = 0;
	}
	ib->sounds = (char)code;
	ib->since = ib->at;
}

static void in_order(const struct jitter_packet *p, void *arg);

int inband_create(struct inband **ip)
{
	struct inband *ib = mem_zalloc(1, sizeof *ib);
	if (!ib)
		return ENOMEM;
	ib->rx = dtmf_rx_init(NULL, NULL, NULL);
	if (!ib->rx) {
		mem_free(ib);
		return ENOMEM;
	}
	dtmf_rx_set_realtime_callback(ib->rx, tone, ib);
	jitter_init(&ib->jitter, HOLD_MS, in_order, ib);
	conceal_init(&ib->conceal, MEDIA_RATE);
	*ip = ib;
	return 0;
}

void inband_free(struct inband *ib)
{
	if (!ib)
		return;
	dtmf_rx_free(ib->rx);
	mem_free(ib);
}

/* A block at a time, so that what is told of a block belongs to its end. */
static void hear(struct inband *ib, const int16_t *pcm, size_t n)
{
	while (n) {
		size_t part = n < CERTAIN ? n : CERTAIN;
		ib->at += part;
		dtmf_rx(ib->rx, pcm, (int)part);
		if (ib->sounds && !ib->down && ib->at - ib->since >= CERTAIN) {
			ib->down = ib->sounds;
			tell(ib, (struct dtmf_news){ .started = ib->down });
		}
		pcm += part;
		n -= part;
	}
}

void inband_samples(struct inband *ib, const int16_t *pcm, size_t n, inband_h *h, void *arg)
{
	ib->h = h;
	ib->arg = arg;
	ib->told = 0;
	hear(ib, pcm, n);
}

/* ---- packets ---- */
static void in_order(const struct jitter_packet *p, void *arg)
{
	struct inband *ib = arg;
	const struct rtp_packet *pkt = &p->rtp;
	int16_t pcm[MOST];
	if (p->tag == INBAND_NO_AUDIO || !pkt->n || pkt->n > MOST) {
		ib->spoke = false;
		return;
	}
	uint32_t gap = pkt->ts - ib->ts_next;
	if (p->lost && ib->spoke && gap <= p->lost * pkt->n) {
		size_t n = gap < GAP_MOST ? gap : GAP_MOST;
		conceal_lost(&ib->conceal, pcm, n);
		hear(ib, pcm, n);
	}
	g711_decode((enum media_codec)p->tag, pcm, pkt->payload, pkt->n);
	conceal_good(&ib->conceal, pcm, pkt->n);
	hear(ib, pcm, pkt->n);
	ib->spoke = true;
	ib->ts_next = pkt->ts + (uint32_t)pkt->n;
}

void inband_packet(struct inband *ib, int64_t now_us, const struct rtp_packet *pkt, uint8_t codec, inband_h *h, void *arg)
{
	ib->h = h;
	ib->arg = arg;
	ib->last_us = now_us;
	jitter_put(&ib->jitter, now_us, pkt, codec);
}

void inband_tick(struct inband *ib, int64_t now_us, inband_h *h, void *arg)
{
	int16_t quiet[FOUND + CERTAIN] = { 0 };
	ib->h = h;
	ib->arg = arg;
	jitter_tick(&ib->jitter, now_us);
	if ((ib->sounds || ib->down) && now_us - ib->last_us >= GONE_US)
		hear(ib, quiet, FOUND + CERTAIN);
	ib->told = 0;
}

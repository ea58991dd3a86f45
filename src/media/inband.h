/* SPDX-License-Identifier: Apache-2.0 */
/* inband.h  Keys as pairs of tones in the audio (ITU-T Q.23), for callers whose gateway sends no telephone-events: spandsp's detector behind the same
 * jitter buffer and concealment as recordings have, so that a lost packet neither ends a press nor makes two of it. A press counts after some
 * 40 ms (Q.24): voices do not sing both tones for so long. Created and freed on the loop thread, used by the media thread. */
#ifndef MEDIA_INBAND_H
#define MEDIA_INBAND_H
#include "media/dtmf.h"
#include "media/rtp.h"

enum { INBAND_NO_AUDIO = 0xff };

struct inband;
/* Handed one change at a time: a key went down, or is over. */
typedef void (inband_h)(const struct dtmf_news *news, void *arg);

int inband_create(struct inband **ip);
void inband_free(struct inband *ib); /* NULL is allowed */
/* Every packet of the stream; `codec` is its enum media_codec, or INBAND_NO_AUDIO. The handler is called from within. */
void inband_packet(struct inband *ib, int64_t now_us, const struct rtp_packet *pkt, uint8_t codec, inband_h *h, void *arg);
void inband_tick(struct inband *ib, int64_t now_us, inband_h *h, void *arg);

/* The detector alone: samples at 8 kHz. */
void inband_samples(struct inband *ib, const int16_t *pcm, size_t n, inband_h *h, void *arg);

#endif

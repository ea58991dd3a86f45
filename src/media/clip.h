/* SPDX-License-Identifier: Apache-2.0 */
/* clip.h  A piece of audio that is ready to be sent: 8,000 samples a second, encoded once in both G.711 laws, and in other codecs as soon as
 * somebody asked for them (encoder.h). What was said at 16,000 samples a second is kept so, too, for the codecs that carry them. Clips don't change but
 * for that, and are counted (mem_ref, mem_unref): any thread may hold one, and all calls share it. Files are voice's business. */
#ifndef MEDIA_CLIP_H
#define MEDIA_CLIP_H
#include <stddef.h>
#include <stdint.h>
#include "media/codec.h"

enum { MEDIA_CLIP_MAX = MEDIA_RATE * 3600 };

struct media_clip;

/* Each copies and encodes n samples; n at most MEDIA_CLIP_MAX. 0, ENOMEM, EINVAL (n is 0 or too many). */
int media_clip_from_l16(struct media_clip **cp, const int16_t *pcm, size_t n);
/* 16,000 samples a second; n at most twice MEDIA_CLIP_MAX. */
int media_clip_from_wide(struct media_clip **cp, const int16_t *pcm, size_t n);
/* n samples at 8,000 a second, and the same sound as twice as many at 16,000. */
int media_clip_from_both(struct media_clip **cp, const int16_t *narrow, size_t n, const int16_t *wide);
/* `codec` PCMU or PCMA, or L16 or L16_WIDE (host order, n_bytes even): what a stored message holds. */
int media_clip_from_bytes(struct media_clip **cp, enum media_codec codec, const void *bytes, size_t n_bytes);
/* Bytes that live elsewhere, e.g. in a mapped file; `keep` (an object, may be NULL) is referenced as long as the clip lives. */
int media_clip_borrow(struct media_clip **cp, const uint8_t *pcmu, const uint8_t *pcma, size_t n, void *keep);
/* The same sound at 16,000 samples a second, as G.722 of 64 kbit/s, one byte for each of the clip's samples; it lives as long as the clip. Before others see the clip. */
void media_clip_coded(struct media_clip *c, const uint8_t *g722);
/* Whether it has such that was not decoded yet; decodes it: takes its time. Again is harmless. 0, ENOMEM. Any thread. */
bool media_clip_can_widen(const struct media_clip *c);
int media_clip_widen(struct media_clip *c);
/* What of a clip lies behind sample `at`, without a copy; it holds the clip. EINVAL: nothing. */
int media_clip_part(struct media_clip **cp, struct media_clip *c, uint32_t at);
/* A sine with soft edges; level in dBov, e.g. -16. hz2 0 or a second frequency at the same level. */
int media_clip_tone(struct media_clip **cp, unsigned hz, unsigned hz2, unsigned ms, int level_db);
int media_clip_silence(struct media_clip **cp, unsigned ms);

uint32_t media_clip_samples(const struct media_clip *c);
uint32_t media_clip_ms(const struct media_clip *c);
/* The encoded samples: one byte each. `codec` PCMU or PCMA. */
const uint8_t *media_clip_bytes(const struct media_clip *c, enum media_codec codec);
/* The samples at 16,000 a second, twice as many; NULL where there are none. */
const int16_t *media_clip_wide(const struct media_clip *c);

/* ---- other codecs: encoded from a state of their own, once for all who will ever play the clip ---- */
struct media_form {
	unsigned unit;       /* bytes that stand for one of the clip's samples; 0: frames of 20 ms, the last one filled up with silence */
	const uint8_t *bytes;
	const uint32_t *at;  /* frames: where each begins; one more than there are */
	uint32_t n;          /* samples, or frames */
};
/* False: it isn't encoded so, or not yet. The bytes live as long as the clip. */
bool media_clip_form(const struct media_clip *c, enum media_codec codec, struct media_form *form);
/* Makes it; takes its time. Again is harmless. 0, ENOMEM. Any thread. */
int media_clip_encode(struct media_clip *c, enum media_codec codec);
/* Whether that was asked for before: true once a codec. */
bool media_clip_first_wish(struct media_clip *c, enum media_codec codec);
/* It could not be fulfilled: the next one is the first again. */
void media_clip_wish_failed(struct media_clip *c, enum media_codec codec);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* clip.h  A piece of audio that is ready to be sent: 8,000 samples a second, encoded once in both G.711 laws. Clips are immutable
 * and counted (mem_ref, mem_unref): any thread may hold one, and all calls share it. This header and g711.h know all that
 * the product knows about samples; files are voice's business.                                                          */
#ifndef MEDIA_CLIP_H
#define MEDIA_CLIP_H
#include <stddef.h>
#include <stdint.h>

enum media_codec { MEDIA_PCMU, MEDIA_PCMA, MEDIA_L16 }; /* L16: host byte order; for sinks and conversion, never on the wire */
enum { MEDIA_RATE = 8000, MEDIA_FRAME_MS = 20, MEDIA_FRAME = MEDIA_RATE / 1000 * MEDIA_FRAME_MS, MEDIA_CLIP_MAX = MEDIA_RATE * 3600 };

struct media_clip;

const char *media_codec_name(enum media_codec c); /* "PCMU", "PCMA", "L16" */
/* RTP payload type of the static assignment (RFC 3551 table 4): 0 and 8. */
uint8_t media_codec_pt(enum media_codec c);
/* 1 for the laws, 2 for L16. */
size_t media_codec_sample_bytes(enum media_codec c);
/* What one sample of silence is in a law: 0xff or 0xd5. */
uint8_t media_codec_silence(enum media_codec c);

/* Each copies and encodes n samples; n at most MEDIA_CLIP_MAX. 0, ENOMEM, EINVAL (n is 0 or too many). */
int media_clip_from_l16(struct media_clip **cp, const int16_t *pcm, size_t n);
/* `codec` PCMU or PCMA, or L16 (host order, n_bytes even): what a stored message holds. */
int media_clip_from_bytes(struct media_clip **cp, enum media_codec codec, const void *bytes, size_t n_bytes);
/* Bytes that live elsewhere, e.g. in a mapped file; `keep` (an object, may be NULL) is referenced as long as the clip lives. */
int media_clip_borrow(struct media_clip **cp, const uint8_t *pcmu, const uint8_t *pcma, size_t n, void *keep);
/* A sine with soft edges; level in dBov, e.g. -16. hz2 0 or a second frequency at the same level. */
int media_clip_tone(struct media_clip **cp, unsigned hz, unsigned hz2, unsigned ms, int level_db);
int media_clip_silence(struct media_clip **cp, unsigned ms);

uint32_t media_clip_samples(const struct media_clip *c);
uint32_t media_clip_ms(const struct media_clip *c);
/* The encoded samples: one byte each. `codec` PCMU or PCMA. */
const uint8_t *media_clip_bytes(const struct media_clip *c, enum media_codec codec);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* clip.c  Audio encoded once, shared by all. */
#include "media/clip.h"
#include <errno.h>
#include <math.h>
#include "base/mem.h"
#include "media/g711.h"

struct media_clip {
	uint32_t samples;
	const uint8_t *law[2]; /* PCMU, PCMA */
	uint8_t *own;          /* both, one behind the other; or NULL */
	void *keep;
};

static void destroy(void *object)
{
	struct media_clip *c = object;
	mem_free(c->own);
	mem_unref(c->keep);
}

const char *media_codec_name(enum media_codec c)
{
	return c == MEDIA_PCMU ? "PCMU" : c == MEDIA_PCMA ? "PCMA" : "L16";
}

uint8_t media_codec_pt(enum media_codec c)
{
	return c == MEDIA_PCMA ? 8 : 0;
}

size_t media_codec_sample_bytes(enum media_codec c)
{
	return c == MEDIA_L16 ? 2 : 1;
}

uint8_t media_codec_silence(enum media_codec c)
{
	return c == MEDIA_PCMU ? 0xff : c == MEDIA_PCMA ? 0xd5 : 0;
}

/* A clip with room for n samples in both laws. */
static int clip_new(struct media_clip **cp, size_t n)
{
	if (!n || n > MEDIA_CLIP_MAX)
		return EINVAL;
	struct media_clip *c = mem_object(sizeof *c, destroy);
	if (!c)
		return ENOMEM;
	c->own = mem_alloc(n * 2);
	if (!c->own) {
		mem_unref(c);
		return ENOMEM;
	}
	c->samples = (uint32_t)n;
	c->law[0] = c->own;
	c->law[1] = c->own + n;
	*cp = c;
	return 0;
}

int media_clip_from_l16(struct media_clip **cp, const int16_t *pcm, size_t n)
{
	struct media_clip *c;
	int err = clip_new(&c, n);
	if (err)
		return err;
	g711_encode(MEDIA_PCMU, c->own, pcm, n);
	g711_encode(MEDIA_PCMA, c->own + n, pcm, n);
	*cp = c;
	return 0;
}

int media_clip_from_bytes(struct media_clip **cp, enum media_codec codec, const void *bytes, size_t n_bytes)
{
	struct media_clip *c;
	size_t n = n_bytes / media_codec_sample_bytes(codec);
	if (n_bytes % media_codec_sample_bytes(codec))
		return EINVAL;
	int err = clip_new(&c, n);
	if (err)
		return err;
	if (codec == MEDIA_L16) {
		for (size_t i = 0; i < n; i++) {
			int16_t pcm;
			memcpy(&pcm, (const uint8_t *)bytes + i * 2, 2);
			c->own[i] = g711_encode_ulaw(pcm);
			c->own[n + i] = g711_encode_alaw(pcm);
		}
	} else {
		const uint8_t *src = bytes, *cross = g711_cross(codec);
		size_t same = codec == MEDIA_PCMU ? 0 : n, other = n - same;
		memcpy(c->own + same, src, n);
		for (size_t i = 0; i < n; i++)
			c->own[other + i] = cross[src[i]];
	}
	*cp = c;
	return 0;
}

int media_clip_borrow(struct media_clip **cp, const uint8_t *pcmu, const uint8_t *pcma, size_t n, void *keep)
{
	if (!n || n > MEDIA_CLIP_MAX)
		return EINVAL;
	struct media_clip *c = mem_object(sizeof *c, destroy);
	if (!c)
		return ENOMEM;
	c->samples = (uint32_t)n;
	c->law[0] = pcmu;
	c->law[1] = pcma;
	c->keep = mem_ref(keep);
	*cp = c;
	return 0;
}

int media_clip_tone(struct media_clip **cp, unsigned hz, unsigned hz2, unsigned ms, int level_db)
{
	enum { EDGE = MEDIA_RATE / 200 }; /* 5 ms, so that it does not click */
	struct media_clip *c;
	size_t n = (size_t)ms * MEDIA_RATE / 1000;
	int err = clip_new(&c, n);
	if (err)
		return err;
	double amplitude = 32768.0 * sqrt(2.0) * pow(10, level_db / 20.0), step = 2 * 3.14159265358979 / MEDIA_RATE;
	for (size_t i = 0; i < n; i++) {
		double v = sin(step * hz * (double)i) + (hz2 ? sin(step * hz2 * (double)i) : 0);
		size_t edge = i < n - i ? i : n - i;
		v *= amplitude * (edge < EDGE ? (double)edge / EDGE : 1);
		int16_t pcm = (int16_t)(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
		c->own[i] = g711_encode_ulaw(pcm);
		c->own[n + i] = g711_encode_alaw(pcm);
	}
	*cp = c;
	return 0;
}

int media_clip_silence(struct media_clip **cp, unsigned ms)
{
	struct media_clip *c;
	size_t n = (size_t)ms * MEDIA_RATE / 1000;
	int err = clip_new(&c, n);
	if (err)
		return err;
	memset(c->own, media_codec_silence(MEDIA_PCMU), n);
	memset(c->own + n, media_codec_silence(MEDIA_PCMA), n);
	*cp = c;
	return 0;
}

uint32_t media_clip_samples(const struct media_clip *c)
{
	return c->samples;
}

uint32_t media_clip_ms(const struct media_clip *c)
{
	return c->samples / (MEDIA_RATE / 1000);
}

const uint8_t *media_clip_bytes(const struct media_clip *c, enum media_codec codec)
{
	return c->law[codec == MEDIA_PCMA];
}

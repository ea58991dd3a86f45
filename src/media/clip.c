/* SPDX-License-Identifier: Apache-2.0 */
/* clip.c  Audio encoded once, shared by all. */
#include "media/clip.h"
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include "base/buf.h"
#include "base/mem.h"
#include "media/g711.h"

/* What an encoding is made of; the bytes and frames stand behind it. Never changes once others see it. */
struct form {
	struct media_form is;
};

struct media_clip {
	uint32_t samples;
	const uint8_t *law[2]; /* PCMU, PCMA */
	uint8_t *own;          /* both, one behind the other; or NULL */
	const int16_t *wide;   /* 16,000 a second; or NULL */
	int16_t *own_wide;     /* the same, where it is not another clip's */
	const uint8_t *coded;  /* the same as G.722; or NULL */
	_Atomic(int16_t *) widened; /* what was made of that */
	void *keep;
	_Atomic(struct form *) form[MEDIA_CODECS];
	atomic_uint wished;    /* bits of codecs */
};

static void destroy(void *object)
{
	struct media_clip *c = object;
	for (unsigned i = 0; i < MEDIA_CODECS; i++)
		mem_free(atomic_load(&c->form[i]));
	mem_free(c->own);
	mem_free(c->own_wide);
	mem_free(atomic_load(&c->widened));
	mem_unref(c->keep);
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

int media_clip_from_both(struct media_clip **cp, const int16_t *narrow, size_t n, const int16_t *wide)
{
	struct media_clip *c;
	int err = media_clip_from_l16(&c, narrow, n);
	if (err)
		return err;
	c->own_wide = mem_alloc(2 * n * sizeof *wide);
	if (!c->own_wide) {
		mem_unref(c);
		return ENOMEM;
	}
	memcpy(c->own_wide, wide, 2 * n * sizeof *wide);
	c->wide = c->own_wide;
	*cp = c;
	return 0;
}

int media_clip_from_wide(struct media_clip **cp, const int16_t *pcm, size_t n)
{
	size_t half = n / 2;
	int16_t *narrow = half ? mem_alloc(half * sizeof *narrow) : NULL;
	int err = !half ? EINVAL : narrow ? codec_resample(pcm, half * 2, MEDIA_RATE_WIDE, narrow, MEDIA_RATE) : ENOMEM;
	if (!err)
		err = media_clip_from_both(cp, narrow, half, pcm);
	mem_free(narrow);
	return err;
}

/* The bytes may lie anywhere. */
static int from_wide_bytes(struct media_clip **cp, const void *bytes, size_t n_bytes)
{
	int16_t *pcm = n_bytes / 4 <= MEDIA_CLIP_MAX ? mem_alloc(n_bytes) : NULL;
	if (!pcm)
		return n_bytes / 4 <= MEDIA_CLIP_MAX ? ENOMEM : EINVAL;
	memcpy(pcm, bytes, n_bytes);
	int err = media_clip_from_wide(cp, pcm, n_bytes / 2);
	mem_free(pcm);
	return err;
}

int media_clip_from_bytes(struct media_clip **cp, enum media_codec codec, const void *bytes, size_t n_bytes)
{
	struct media_clip *c;
	size_t n = n_bytes / media_codec_sample_bytes(codec);
	if (n_bytes % media_codec_sample_bytes(codec))
		return EINVAL;
	if (codec == MEDIA_L16_WIDE)
		return from_wide_bytes(cp, bytes, n_bytes);
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

int media_clip_part(struct media_clip **cp, struct media_clip *c, uint32_t at)
{
	if (at >= c->samples)
		return EINVAL;
	if (!at) {
		*cp = mem_ref(c);
		return 0;
	}
	struct media_clip *part;
	int err = media_clip_borrow(&part, c->law[0] + at, c->law[1] + at, c->samples - at, c);
	if (err)
		return err;
	const int16_t *wide = media_clip_wide(c);
	part->wide = wide ? wide + 2 * (size_t)at : NULL;
	*cp = part;
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

const int16_t *media_clip_wide(const struct media_clip *c)
{
	return c->wide ? c->wide : atomic_load_explicit(&c->widened, memory_order_acquire);
}

/* ---- wide sound that is kept as G.722: a quarter of the room, and who speaks G.711 never needs it ---- */
void media_clip_coded(struct media_clip *c, const uint8_t *g722)
{
	c->coded = g722;
}

bool media_clip_can_widen(const struct media_clip *c)
{
	return c->coded && !media_clip_wide(c);
}

int media_clip_widen(struct media_clip *c)
{
	struct codec_rx *rx;
	int16_t *none = NULL;
	if (!media_clip_can_widen(c))
		return 0;
	int err = codec_rx_create(&rx, MEDIA_G722, MEDIA_RATE_WIDE);
	if (err)
		return err;
	int16_t *pcm = mem_zalloc((size_t)c->samples * 2, sizeof *pcm);
	for (uint32_t at = 0; pcm && at < c->samples; at += MEDIA_FRAME) {
		int16_t frame[CODEC_PACKET_MAX];
		uint32_t n = c->samples - at < MEDIA_FRAME ? c->samples - at : MEDIA_FRAME;
		size_t got = codec_decode(rx, c->coded + at, n, frame);
		memcpy(pcm + 2 * (size_t)at, frame, (got < 2 * n ? got : 2 * n) * sizeof *pcm);
	}
	codec_rx_free(rx);
	if (!pcm)
		return ENOMEM;
	if (!atomic_compare_exchange_strong(&c->widened, &none, pcm))
		mem_free(pcm); /* somebody was faster */
	return 0;
}

/* ---- other codecs ---- */
bool media_clip_first_wish(struct media_clip *c, enum media_codec codec)
{
	return !codec_info(codec)->law && !(atomic_fetch_or(&c->wished, 1u << codec) & 1u << codec);
}

void media_clip_wish_failed(struct media_clip *c, enum media_codec codec)
{
	atomic_fetch_and(&c->wished, ~(1u << codec));
}

bool media_clip_form(const struct media_clip *c, enum media_codec codec, struct media_form *form)
{
	if (codec_info(codec)->law) {
		*form = (struct media_form){ .unit = 1, .bytes = media_clip_bytes(c, codec), .n = c->samples };
		return true;
	}
	const struct form *f = atomic_load_explicit(&c->form[codec], memory_order_acquire);
	if (f)
		*form = f->is;
	return f != NULL;
}

/* 20 ms of the clip from sample `at`, at the encoder's rate, with silence behind its end. */
static void read_frame(const struct media_clip *c, uint32_t at, int16_t pcm[MEDIA_FRAME_WIDE])
{
	uint32_t left = c->samples - at, n = left < MEDIA_FRAME ? left : MEDIA_FRAME;
	const int16_t *wide = media_clip_wide(c);
	memset(pcm, 0, MEDIA_FRAME_WIDE * sizeof *pcm);
	if (wide)
		memcpy(pcm, wide + (size_t)at * 2, n * 2 * sizeof *pcm);
	else
		g711_decode(MEDIA_PCMU, pcm, c->law[0] + at, n);
}

/* The frames of the clip behind each other in `out`; where each begins, if `at` is asked for. */
static void encode_frames(const struct media_clip *c, struct codec_tx *tx, struct buf *out, uint32_t *at)
{
	uint32_t frames = (c->samples + MEDIA_FRAME - 1) / MEDIA_FRAME;
	for (uint32_t i = 0; i < frames; i++) {
		int16_t pcm[MEDIA_FRAME_WIDE];
		uint8_t payload[CODEC_PAYLOAD_MAX];
		read_frame(c, i * MEDIA_FRAME, pcm);
		if (at)
			at[i] = (uint32_t)out->n;
		buf_put(out, payload, codec_encode(tx, pcm, payload));
	}
	if (at)
		at[frames] = (uint32_t)out->n;
}

/* One block: the form, the frames' beginnings, the bytes. */
static struct form *form_make(const struct media_clip *c, enum media_codec codec, struct codec_tx *tx)
{
	uint32_t frames = (c->samples + MEDIA_FRAME - 1) / MEDIA_FRAME, ticks = codec_info(codec)->clock / MEDIA_RATE;
	unsigned unit = codec_info(codec)->unit_bytes * ticks;
	size_t n_at = unit ? 0 : frames + 1u;
	uint32_t *at = n_at ? mem_alloc(n_at * sizeof *at) : NULL;
	struct buf out;
	buf_init(&out, (size_t)frames * CODEC_PAYLOAD_MAX);
	if (!n_at || at)
		encode_frames(c, tx, &out, at);
	struct form *f = (n_at && !at) || buf_error(&out) ? NULL : mem_alloc(sizeof *f + n_at * sizeof *at + out.n);
	if (f) {
		uint32_t *its_at = (uint32_t *)(void *)(f + 1);
		uint8_t *bytes = (uint8_t *)(its_at + n_at);
		if (n_at)
			memcpy(its_at, at, n_at * sizeof *at);
		memcpy(bytes, out.p, out.n);
		f->is = (struct media_form){ .unit = unit, .bytes = bytes, .at = its_at, .n = unit ? c->samples : frames };
	}
	buf_free(&out);
	mem_free(at);
	return f;
}

int media_clip_encode(struct media_clip *c, enum media_codec codec)
{
	struct codec_tx *tx;
	struct form *none = NULL;
	if (codec_info(codec)->law || atomic_load(&c->form[codec]))
		return 0;
	int err = media_clip_widen(c);
	if (!err)
		err = codec_tx_create(&tx, codec, media_clip_wide(c) ? MEDIA_RATE_WIDE : MEDIA_RATE);
	if (err)
		return err;
	struct form *f = form_make(c, codec, tx);
	codec_tx_free(tx);
	if (!f)
		return ENOMEM;
	if (!atomic_compare_exchange_strong(&c->form[codec], &none, f))
		mem_free(f); /* somebody was faster */
	return 0;
}

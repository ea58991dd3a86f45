/* SPDX-License-Identifier: Apache-2.0 */
/* codec_test.c  Each codec says what was put in, at each rate; hostile payloads are bounded; clips are encoded once. */
#include "ut.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include "audio.h"
#include "base/mem.h"
#include "media/clip.h"
#include "media/codec.h"
#include "media/encoder.h"
#include "media/g711.h"

enum { SECONDS = 3, N = MEDIA_RATE * SECONDS };
static int16_t said[2 * N], heard[2 * N + CODEC_PACKET_MAX], narrow[N];

/* Sound of the tests, at either rate. */
static void make(unsigned rate)
{
	audio_make(narrow, N, 7);
	assert_int_equal(codec_resample(narrow, N, MEDIA_RATE, said, rate), 0);
}

static double through(enum media_codec c, unsigned in, unsigned out)
{
	struct codec_tx *tx;
	struct codec_rx *rx;
	size_t n = 0, frame = in / 50, n_in = (size_t)in * SECONDS;
	make(in);
	assert_int_equal(codec_tx_create(&tx, c, in), 0);
	assert_int_equal(codec_rx_create(&rx, c, out), 0);
	for (size_t at = 0; at + frame <= n_in; at += frame) {
		uint8_t payload[CODEC_PAYLOAD_MAX];
		size_t bytes = codec_encode(tx, said + at, payload);
		assert_in_range(bytes, 1, CODEC_PAYLOAD_MAX);
		assert_int_equal(codec_ticks(c, payload, bytes), codec_info(c)->clock / 50);
		size_t got = codec_decode(rx, payload, bytes, heard + n);
		assert_int_equal(got, out / 50);
		n += got;
	}
	codec_tx_free(tx);
	codec_rx_free(rx);
	make(out);
	return audio_compare(said, n, heard, n, out / 20).correlation;
}

static void says_what_was_put_in(void **state)
{
	static const unsigned rates[] = { MEDIA_RATE, MEDIA_RATE_WIDE };
	(void)state;
	for (enum media_codec c = 0; c < MEDIA_CODECS; c++)
		for (unsigned i = 0; i < 2; i++)
			for (unsigned o = 0; o < 2; o++) {
				double corr = through(c, rates[i], rates[o]);
				if (corr < (c == MEDIA_OPUS ? 0.9 : 0.95)) /* Opus keeps what is heard, not the wave */
					fail_msg("%s %u to %u: %f", media_codec_name(c), rates[i], rates[o], corr);
			}
}

static void payloads_are_bounded(void **state)
{
	static const uint8_t p[2000];
	(void)state;
	assert_int_equal(codec_ticks(MEDIA_PCMU, p, 0), 0);
	assert_int_equal(codec_ticks(MEDIA_PCMU, p, 960), 960);
	assert_int_equal(codec_ticks(MEDIA_PCMU, p, 961), 0);
	assert_int_equal(codec_ticks(MEDIA_L16, p, 3), 0);
	assert_int_equal(codec_ticks(MEDIA_L16_WIDE, p, 640), 320);
	assert_int_equal(codec_ticks(MEDIA_OPUS, (const uint8_t[]){ 0x08 }, 1), 960);
	assert_int_equal(codec_ticks(MEDIA_OPUS, (const uint8_t[]){ 0x1b, 0x3f }, 2), 0); /* 63 frames of 60 ms */
	for (enum media_codec c = 0; c < MEDIA_CODECS; c++) {
		struct codec_rx *rx;
		assert_int_equal(codec_rx_create(&rx, c, MEDIA_RATE), 0);
		assert_int_equal(codec_rx_codec(rx), c);
		assert_int_equal(codec_decode(rx, p, 0, heard), 0);
		if (c != MEDIA_OPUS)
			assert_int_equal(codec_decode(rx, p, 1999, heard), 0);
		codec_rx_reset(rx);
		codec_conceal(rx, NULL, 0, heard, 160);
		codec_rx_free(rx);
	}
	struct codec_rx *rx;
	struct codec_tx *tx;
	assert_int_equal(codec_rx_create(&rx, MEDIA_PCMU, 11025), EINVAL);
	assert_int_equal(codec_tx_create(&tx, MEDIA_CODECS, MEDIA_RATE), EINVAL);
}

/* A voice of sorts: harmonics of a pitch that wanders, in syllables; FEC is made for speech alone. */
static void make_voice(void)
{
	double phase = 0;
	for (unsigned i = 0; i < 2 * N; i++) {
		double t = (double)i / MEDIA_RATE_WIDE, loud = 0.55 - 0.45 * cos(2 * 3.14159265 * 4 * t), v = 0;
		phase += 2 * 3.14159265 * (130 + 30 * sin(2 * 3.14159265 * 1.3 * t)) / MEDIA_RATE_WIDE;
		for (unsigned k = 1; k <= 20; k++)
			v += sin(phase * k) / k;
		said[i] = (int16_t)(4000 * loud * v);
	}
}

/* Every tenth packet is lost; `fec`: what the next one carries of it is used. */
static double with_losses(bool fec)
{
	struct codec_tx *tx;
	struct codec_rx *rx;
	uint8_t payload[CODEC_PAYLOAD_MAX];
	size_t n = 0;
	bool missing = false;
	make_voice();
	assert_int_equal(codec_tx_create(&tx, MEDIA_OPUS, MEDIA_RATE_WIDE), 0);
	assert_int_equal(codec_rx_create(&rx, MEDIA_OPUS, MEDIA_RATE_WIDE), 0);
	for (unsigned i = 0; i < SECONDS * 50; i++) {
		size_t bytes = codec_encode(tx, said + i * MEDIA_FRAME_WIDE, payload);
		if (i % 10 == 5) {
			missing = true;
			continue;
		}
		if (missing) {
			codec_conceal(rx, fec ? payload : NULL, bytes, heard + n, MEDIA_FRAME_WIDE);
			n += MEDIA_FRAME_WIDE;
			missing = false;
		}
		n += codec_decode(rx, payload, bytes, heard + n);
	}
	codec_tx_free(tx);
	codec_rx_free(rx);
	assert_int_equal(n, SECONDS * MEDIA_RATE_WIDE);
	return audio_compare(said, n, heard, n, 800).correlation;
}

static void opus_says_what_was_lost(void **state)
{
	double with = with_losses(true), without = with_losses(false);
	(void)state;
	if (with < 0.7 || with < without + 0.01) /* the wave; the ear hears more of it */
		fail_msg("%f with, %f without", with, without);
}

static void silence_is_silent(void **state)
{
	(void)state;
	for (enum media_codec c = 0; c < MEDIA_CODECS; c++) {
		struct codec_rx *rx;
		size_t bytes;
		const uint8_t *p = codec_silence(c, &bytes);
		assert_int_equal(codec_ticks(c, p, bytes), codec_info(c)->clock / 50);
		assert_int_equal(codec_rx_create(&rx, c, MEDIA_RATE), 0);
		for (unsigned i = 0; i < 20; i++) {
			size_t n = codec_decode(rx, p, bytes, heard);
			for (size_t k = 0; k < n; k++)
				assert_in_range(heard[k] + 64, 0, 128);
		}
		codec_rx_free(rx);
	}
}

static void decode_form(const struct media_form *f, enum media_codec c, size_t samples, size_t *n)
{
	struct codec_rx *rx;
	assert_int_equal(codec_rx_create(&rx, c, MEDIA_RATE), 0);
	*n = 0;
	for (size_t at = 0; f->unit && at < samples; at += MEDIA_FRAME) {
		size_t take = samples - at < MEDIA_FRAME ? samples - at : MEDIA_FRAME;
		*n += codec_decode(rx, f->bytes + at * f->unit, take * f->unit, heard + *n);
	}
	for (uint32_t i = 0; !f->unit && i < f->n; i++)
		*n += codec_decode(rx, f->bytes + f->at[i], f->at[i + 1] - f->at[i], heard + *n);
	codec_rx_free(rx);
}

static void clips_are_encoded_once(void **state)
{
	struct media_clip *clip;
	struct media_form form, again;
	size_t n;
	(void)state;
	audio_make(narrow, N, 3);
	assert_int_equal(media_clip_from_l16(&clip, narrow, N - 77), 0);
	for (enum media_codec c = 0; c < MEDIA_CODECS; c++) {
		assert_int_equal(media_clip_form(clip, c, &form), codec_info(c)->law);
		assert_int_equal(media_clip_encode(clip, c), 0);
		assert_true(media_clip_form(clip, c, &form));
		assert_int_equal(media_clip_encode(clip, c), 0);
		assert_true(media_clip_form(clip, c, &again));
		assert_ptr_equal(form.bytes, again.bytes);
		decode_form(&form, c, N - 77, &n);
		assert_in_range(n, N - 77, N + MEDIA_FRAME);
		assert_true(audio_compare(narrow, N - 77, heard, n, 400).correlation > 0.95);
	}
	mem_unref(clip);
}

static void a_wish_that_failed_may_be_said_again(void **state)
{
	struct media_clip *clip;
	(void)state;
	assert_int_equal(media_clip_silence(&clip, 100), 0);
	assert_false(media_clip_first_wish(clip, MEDIA_PCMA));
	assert_true(media_clip_first_wish(clip, MEDIA_OPUS));
	assert_false(media_clip_first_wish(clip, MEDIA_OPUS));
	assert_true(media_clip_first_wish(clip, MEDIA_L16));
	media_clip_wish_failed(clip, MEDIA_OPUS);
	assert_true(media_clip_first_wish(clip, MEDIA_OPUS));
	assert_false(media_clip_first_wish(clip, MEDIA_L16));
	mem_unref(clip);
}

static void wide_clips_stay_wide(void **state)
{
	struct media_clip *clip;
	struct media_form form;
	(void)state;
	for (unsigned i = 0; i < 2 * N; i++) /* 5 kHz: nothing of it is left at 8,000 samples */
		said[i] = (int16_t)(i % 16 < 8 ? (i * 5 % 16 < 8 ? 6000 : -6000) : (i * 5 % 16 < 8 ? 6000 : -6000));
	assert_int_equal(media_clip_from_wide(&clip, said, 2 * N), 0);
	assert_int_equal(media_clip_samples(clip), N);
	assert_memory_equal(media_clip_wide(clip), said, sizeof said);
	assert_int_equal(media_clip_encode(clip, MEDIA_L16_WIDE), 0);
	assert_true(media_clip_form(clip, MEDIA_L16_WIDE, &form));
	assert_int_equal(form.unit, 4);
	assert_int_equal((int16_t)(form.bytes[0] << 8 | form.bytes[1]), said[0]);
	mem_unref(clip);
	assert_int_equal(media_clip_from_bytes(&clip, MEDIA_L16_WIDE, said, 4 * N), 0);
	assert_non_null(media_clip_wide(clip));
	mem_unref(clip);
	assert_int_equal(media_clip_from_wide(&clip, said, 1), EINVAL);
}

static void the_encoder_does_what_was_wished(void **state)
{
	struct encoder *e;
	struct media_clip *clip;
	struct media_form form;
	(void)state;
	audio_make(narrow, N, 3);
	assert_int_equal(media_clip_from_l16(&clip, narrow, N), 0);
	assert_int_equal(encoder_create(&e, false), 0);
	encoder_wish(e, clip, MEDIA_PCMU);
	encoder_wish(e, clip, MEDIA_L16);
	encoder_wish(e, clip, MEDIA_L16);
	assert_int_equal(mem_refs(clip), 2);
	encoder_step(e);
	assert_int_equal(mem_refs(clip), 1);
	assert_true(media_clip_form(clip, MEDIA_L16, &form));
	encoder_wish(e, clip, MEDIA_OPUS);
	encoder_destroy(e);
	assert_int_equal(mem_refs(clip), 1);
	assert_false(media_clip_form(clip, MEDIA_OPUS, &form));
	mem_unref(clip);
	encoder_destroy(NULL);
}

/* Two tones, of which the telephone's old band has but one, as G.722. */
static struct media_clip *coded_clip(uint8_t coded[N])
{
	static uint8_t law[2][N];
	struct codec_tx *tx;
	struct media_clip *clip;
	for (unsigned i = 0; i < 2 * N; i++)
		said[i] = (int16_t)(4000 * sin(2 * 3.14159265358979 * 700 * i / MEDIA_RATE_WIDE) + 4000 * sin(2 * 3.14159265358979 * 5600 * i / MEDIA_RATE_WIDE));
	assert_int_equal(codec_tx_create(&tx, MEDIA_G722, MEDIA_RATE_WIDE), 0);
	for (unsigned at = 0; at + MEDIA_FRAME <= N; at += MEDIA_FRAME) {
		uint8_t payload[CODEC_PAYLOAD_MAX];
		assert_int_equal(codec_encode(tx, said + 2 * at, payload), MEDIA_FRAME);
		memcpy(coded + at, payload, MEDIA_FRAME);
	}
	codec_tx_free(tx);
	assert_int_equal(codec_resample(said, 2 * N, MEDIA_RATE_WIDE, narrow, MEDIA_RATE), 0);
	g711_encode(MEDIA_PCMU, law[0], narrow, N);
	g711_encode(MEDIA_PCMA, law[1], narrow, N);
	assert_int_equal(media_clip_borrow(&clip, law[0], law[1], N / MEDIA_FRAME * MEDIA_FRAME, NULL), 0);
	return clip;
}

static void what_is_kept_as_g722_is_wide_when_wished(void **state)
{
	static uint8_t coded[N];
	struct encoder *e;
	struct media_form form;
	(void)state;
	for (enum media_codec c = MEDIA_G722; c <= MEDIA_OPUS; c++) {
		struct media_clip *clip = coded_clip(coded);
		assert_false(media_clip_can_widen(clip));
		media_clip_coded(clip, coded);
		assert_true(media_clip_can_widen(clip));
		assert_null(media_clip_wide(clip));
		assert_int_equal(encoder_create(&e, false), 0);
		encoder_wish(e, clip, c);
		encoder_step(e);
		assert_false(media_clip_can_widen(clip));
		const int16_t *wide = media_clip_wide(clip);
		assert_non_null(wide);
		assert_true(audio_compare(said, 2 * N, wide, 2 * media_clip_samples(clip), 64).correlation > 0.98);
		assert_int_equal(media_clip_form(clip, c, &form), c != MEDIA_G722); /* which each port encodes for itself */
		encoder_destroy(e);
		mem_unref(clip);
	}
}

static int all_that_allocates(void *arg)
{
	struct media_clip *clip;
	struct codec_rx *rx;
	struct codec_tx *tx;
	int err = 0;
	(void)arg;
	for (enum media_codec c = 0; !err && c < MEDIA_CODECS; c++) {
		err = codec_rx_create(&rx, c, MEDIA_RATE);
		if (err)
			break;
		codec_rx_free(rx);
		err = codec_tx_create(&tx, c, MEDIA_RATE);
		if (err)
			break;
		codec_tx_free(tx);
		err = media_clip_from_wide(&clip, said, 640);
		if (err)
			break;
		static uint8_t coded[320];
		media_clip_coded(clip, coded);
		err = media_clip_encode(clip, c);
		mem_unref(clip);
		if (err)
			break;
		err = media_clip_silence(&clip, 30);
		if (err)
			break;
		media_clip_coded(clip, coded);
		err = media_clip_widen(clip);
		mem_unref(clip);
	}
	return err;
}

static void lives_without_memory(void **state)
{
	(void)state;
	ut_oom(all_that_allocates, NULL);
}

UT_MAIN(UT(says_what_was_put_in), UT(payloads_are_bounded), UT(opus_says_what_was_lost), UT(silence_is_silent), UT(clips_are_encoded_once), UT(a_wish_that_failed_may_be_said_again),
	UT(wide_clips_stay_wide), UT(the_encoder_does_what_was_wished), UT(what_is_kept_as_g722_is_wide_when_wished), UT(lives_without_memory))

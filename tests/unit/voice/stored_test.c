/* SPDX-License-Identifier: Apache-2.0 */
/* stored_test.c  What is stored in any form is what was said, in our hands and in another program's. */
#include "ut.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "audio.h"
#include "base/mem.h"
#include "media/codec.h"
#include "voice/stored.h"
#include "voice/wav.h"

enum { SECONDS = 3, N = MEDIA_RATE * SECONDS };
static int16_t said[2 * N];

/* Harmonics of a pitch that wanders, in syllables: a voice, for those codecs that are made for one. */
static size_t speak(unsigned rate)
{
	double phase = 0;
	size_t n = (size_t)rate * SECONDS;
	for (size_t i = 0; i < n; i++) {
		double t = (double)i / rate, loud = 0.55 - 0.45 * cos(2 * 3.14159265 * 4 * t), v = 0;
		phase += 2 * 3.14159265 * (130 + 30 * sin(2 * 3.14159265 * 1.3 * t)) / rate;
		for (unsigned k = 1; k <= 20; k++)
			v += sin(phase * k) / k;
		said[i] = (int16_t)(4000 * loud * v);
	}
	return n;
}

static void stays_what_was_said(void **state)
{
	(void)state;
	for (enum stored_form f = 0; f < STORED_FORMS; f++)
		for (unsigned rate = MEDIA_RATE; rate <= MEDIA_RATE_WIDE; rate *= 2) {
			struct buf out;
			int16_t *pcm;
			size_t n = speak(rate), got;
			unsigned its_rate;
			buf_init(&out, 1 << 20);
			assert_int_equal(buf_str(&out, "before"), 0); /* made behind what is there */
			assert_int_equal(stored_make(f, said, n, rate, &out), 0);
			assert_memory_equal(out.p, "before", 6);
			assert_int_equal(stored_read(f, out.p + 6, out.n - 6, &pcm, &got, &its_rate), 0);
			assert_int_equal(got / its_rate, SECONDS);
			if (f >= STORED_OPUS)
				assert_int_equal(its_rate, rate);
			if (f >= STORED_OPUS)
				assert_in_range(out.n, 3000, 20000); /* 8 to 53 kbit/s */
			speak(its_rate);
			double corr = audio_compare(said, its_rate * SECONDS, pcm, got, 400).correlation;
			if (corr < (f == STORED_MP3 ? 0.9 : 0.95))
				fail_msg("%s of %u: %f", stored_name(f), rate, corr);
			mem_free(pcm);
			buf_free(&out);
		}
}

/* ffmpeg knows nothing of us. */
static void another_program_reads_it(void **state)
{
	(void)state;
	if (system("command -v ffmpeg >/dev/null 2>&1"))
		skip();
	for (enum stored_form f = STORED_OPUS; f < STORED_FORMS; f++) {
		struct buf out;
		char from[300], to[300], cmd[800];
		int16_t *pcm;
		size_t n = speak(MEDIA_RATE_WIDE), got;
		buf_init(&out, 1 << 20);
		assert_int_equal(stored_make(f, said, n, MEDIA_RATE_WIDE, &out), 0);
		snprintf(from, sizeof from, "%s/a%s", ut_tmpdir(), stored_suffix(f));
		snprintf(to, sizeof to, "%s/a.wav", ut_tmpdir());
		FILE *file = fopen(from, "wbe");
		assert_non_null(file);
		assert_int_equal(fwrite(out.p, 1, out.n, file), out.n);
		fclose(file);
		buf_free(&out);
		snprintf(cmd, sizeof cmd, "ffmpeg -nostdin -loglevel error -y -i %s -ar 8000 -ac 1 -c:a pcm_s16le %s", from, to);
		assert_int_equal(system(cmd), 0);
		assert_int_equal(wav_read(to, &pcm, &got), 0);
		speak(MEDIA_RATE);
		double corr = audio_compare(said, N, pcm, got, 1200).correlation;
		if (corr < 0.9)
			fail_msg("%s: %f", stored_name(f), corr);
		mem_free(pcm);
	}
}

static void files_have_their_kind(void **state)
{
	int16_t *pcm;
	size_t n;
	unsigned rate;
	(void)state;
	assert_int_equal(stored_of_name(TEXT("a.MP3")), STORED_MP3);
	assert_int_equal(stored_of_name(TEXT("a.ogg")), STORED_OPUS);
	assert_int_equal(stored_of_name(TEXT("mp3.wav")), STORED_L16);
	assert_string_equal(stored_mime(STORED_MP3), "audio/mpeg");
	assert_string_equal(stored_mime(STORED_PCMA), "audio/wav");
	assert_string_equal(stored_suffix(STORED_OPUS), ".opus");
	for (enum stored_form f = 0; f < STORED_FORMS; f++)
		assert_int_equal(stored_read(f, (const uint8_t *)"x", f < STORED_L16 ? 0 : 1, &pcm, &n, &rate), EBADMSG);
	struct buf out;
	buf_init(&out, 100);
	assert_int_equal(stored_make(STORED_OPUS, said, 0, MEDIA_RATE, &out), EINVAL);
	assert_int_equal(stored_make(STORED_PCMU, said, 101, MEDIA_RATE, &out), EMSGSIZE);
	buf_free(&out);
	buf_init(&out, 100);
	assert_int_equal(stored_make(STORED_OPUS, said, N, MEDIA_RATE, &out), EMSGSIZE);
	buf_free(&out);
}

static void a_wav_file_is_one(void **state)
{
	struct buf out;
	int16_t *pcm;
	size_t n = speak(MEDIA_RATE), got;
	(void)state;
	buf_init(&out, 1 << 20);
	assert_int_equal(stored_wav(said, n, MEDIA_RATE, &out), 0);
	assert_int_equal(wav_parse(out.p, out.n, &pcm, &got), 0);
	assert_int_equal(got, n);
	assert_memory_equal(pcm, said, n * 2);
	mem_free(pcm);
	buf_free(&out);
}

static int make_and_read(void *arg)
{
	struct buf out;
	int16_t *pcm = NULL;
	size_t n;
	unsigned rate;
	(void)arg;
	buf_init(&out, 1 << 20);
	int err = stored_make(STORED_PCMU, said, 640, MEDIA_RATE_WIDE, &out);
	if (!err)
		err = stored_read(STORED_PCMU, out.p, out.n, &pcm, &n, &rate);
	mem_free(pcm);
	buf_clear(&out);
	if (!err)
		err = stored_make(STORED_OPUS, said, 640, MEDIA_RATE, &out);
	if (!err) {
		pcm = NULL;
		err = stored_read(STORED_OPUS, out.p, out.n, &pcm, &n, &rate);
		mem_free(pcm);
	}
	buf_free(&out);
	return err;
}

static void lives_without_memory(void **state)
{
	(void)state;
	ut_oom(make_and_read, NULL);
}

UT_MAIN(UT(stays_what_was_said), UT(another_program_reads_it), UT(files_have_their_kind), UT(a_wav_file_is_one), UT(lives_without_memory))

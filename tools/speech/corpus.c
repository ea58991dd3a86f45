/* SPDX-License-Identifier: Apache-2.0 */
/* corpus.c  Recordings, their wide-band cepstra by the recogniser's own code, and their way through a telephone. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sphinxbase/cmd_ln.h>
#include <sphinxbase/err.h>
#include <sphinxbase/fe.h>
#include "base/mem.h"
#include "corpus.h"

enum { WIDE_RATE = 16000, SHORTEST = WIDE_RATE / 5, PATH = 4096 };

/* As the acoustic model was trained, except that no frame is dropped: each must have its partner. */
static fe_t *wide_front(cmd_ln_t **config)
{
	const char *argv[] = { "corpus", "-samprate", "16000", "-lowerf", "130", "-upperf", "6800", "-nfilt", "25", "-transform", "dct", "-lifter", "22",
		               "-remove_noise", "no", "-remove_silence", "no" };
	*config = cmd_ln_parse_r(NULL, fe_get_args(), sizeof argv / sizeof *argv, (char **)(uintptr_t)argv, TRUE);
	return *config ? fe_init_auto_r(*config) : NULL;
}

/* The mean over speech goes; what is speech is seen on the clean sound. */
static int centre(struct take *t)
{
	float *level = mem_alloc(t->frames * sizeof *level);
	bool *speech = mem_alloc(t->frames * sizeof *speech);
	int err = level && speech ? 0 : ENOMEM;
	double sum[NET_OUT] = { 0 }, n = 0;
	for (size_t f = 0; !err && f < t->frames; f++)
		level[f] = t->want[f][0];
	if (!err)
		err = mel_speech(speech, level, t->frames);
	for (size_t f = 0; !err && f < t->frames; f++) {
		t->weight[f] = speech[f];
		n += speech[f];
		for (unsigned k = 0; k < NET_OUT; k++)
			sum[k] += speech[f] ? (double)t->want[f][k] : 0;
	}
	for (size_t f = 0; !err && f < t->frames; f++)
		for (unsigned k = 0; k < NET_OUT; k++)
			t->want[f][k] -= (float)(sum[k] / (n > 0 ? n : 1));
	mem_free(level);
	mem_free(speech);
	return err;
}

static int wide_cepstra(struct take *t, fe_t *fe, const float *x, size_t n)
{
	int16_t *pcm = mem_alloc(n * sizeof *pcm);
	mfcc_t **block = NULL, last[NET_OUT];
	int32 got = 0, more = 0;
	if (!pcm)
		return ENOMEM;
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)lrintf(x[i] > 32767 ? 32767 : x[i] < -32768 ? -32768 : x[i]);
	fe_start_stream(fe);
	int err = fe_start_utt(fe) < 0 || fe_process_utt(fe, pcm, n, &block, &got) < 0 ? EIO : 0;
	fe_end_utt(fe, last, &more);
	size_t count = mel_count(t->narrow.n), have = got > 0 ? (size_t)got : 0;
	t->frames = count < have ? count : have;
	t->want = mem_alloc((t->frames + 1) * sizeof *t->want);
	t->weight = mem_zalloc(t->frames + 1, 1);
	if (!err && (!t->want || !t->weight))
		err = ENOMEM;
	for (size_t f = 0; !err && f < t->frames; f++)
		memcpy(t->want[f], block[f], sizeof *t->want);
	if (block)
		fe_free_2d(block);
	mem_free(pcm);
	return err ? err : centre(t);
}

static int make_take(struct take *t, fe_t *fe, const struct sound *recording, double speed)
{
	struct sound wide = *recording;
	int err = speed == 1 ? 0 : sound_resample(&wide, recording->x, recording->n, speed);
	if (!err)
		err = sound_resample(&t->narrow, wide.x, wide.n, 2);
	if (!err)
		err = wide_cepstra(t, fe, wide.x, wide.n);
	if (wide.x != recording->x)
		mem_free(wide.x);
	return err;
}

static int add(struct corpus *c, fe_t *fe, const char *path, struct chance *chance)
{
	struct sound recording;
	int err = sound_load(&recording, path);
	if (err) {
		fprintf(stderr, "%s: %s\n", path, strerror(err));
		return err;
	}
	struct take *more = recording.n < SHORTEST ? NULL : mem_realloc(c->takes, (c->recordings + 1) * CORPUS_SPEEDS * sizeof *more);
	if (more) {
		const double speed[CORPUS_SPEEDS] = { 1, (double)chance_between(chance, 0.80f, 0.94f), (double)chance_between(chance, 1.06f, 1.25f) };
		c->takes = more;
		more += c->recordings++ * CORPUS_SPEEDS;
		memset(more, 0, CORPUS_SPEEDS * sizeof *more);
		for (unsigned i = 0; !err && i < CORPUS_SPEEDS; i++)
			err = make_take(&more[i], fe, &recording, speed[i]);
		c->seconds += (double)recording.n / WIDE_RATE;
	} else if (recording.n >= SHORTEST)
		err = ENOMEM;
	mem_free(recording.x);
	return err;
}

int corpus_load(struct corpus *c, const char *list, uint64_t seed)
{
	char path[PATH];
	cmd_ln_t *config;
	struct chance chance = chance_of(seed, 1);
	*c = (struct corpus){ 0 };
	err_set_logfp(NULL);
	FILE *f = fopen(list, "re");
	fe_t *fe = wide_front(&config);
	int err = !f ? errno : fe ? 0 : ENOMEM;
	while (!err && fgets(path, sizeof path, f)) {
		path[strcspn(path, "\n")] = '\0';
		err = add(c, fe, path, &chance);
	}
	if (f)
		fclose(f);
	if (fe)
		fe_free(fe);
	if (config)
		cmd_ln_free_r(config);
	if (err)
		corpus_free(c);
	return err;
}

void corpus_lift(struct corpus *c, float lift)
{
	for (size_t i = 0; i < c->recordings * CORPUS_SPEEDS; i++)
		for (size_t f = 0; f < c->takes[i].frames; f++)
			c->takes[i].want[f][0] += lift;
}

void corpus_free(struct corpus *c)
{
	for (size_t i = 0; i < c->recordings * CORPUS_SPEEDS; i++) {
		mem_free(c->takes[i].narrow.x);
		mem_free(c->takes[i].want);
		mem_free(c->takes[i].weight);
	}
	mem_free(c->takes);
	*c = (struct corpus){ 0 };
}

int corpus_hear(float *bands, const struct take *t, struct chance *chance)
{
	float quiet = chance_between(chance, 0, 1);
	struct channel line = {
		.low_hz = chance_between(chance, 120, 360),
		.high_hz = chance_between(chance, 3100, 3700),
		.tilt = chance_between(chance, -0.3f, 0.3f),
		.snr_db = quiet < 0.1f ? 99 : chance_between(chance, 4, 40),
		.pink = chance_between(chance, 0, 1),
		.level_dbfs = chance_between(chance, -34, -12),
		.law = (int)(chance_u32(chance) % 3) - 1,
	};
	int16_t *pcm = mem_alloc(t->narrow.n * sizeof *pcm);
	float *all = mem_alloc(mel_count(t->narrow.n) * MEL_BANDS * sizeof *all);
	int err = pcm && all ? channel_pass(pcm, t->narrow.x, t->narrow.n, &line, chance) : ENOMEM;
	if (!err)
		err = mel_compute(all, pcm, t->narrow.n);
	if (!err)
		memcpy(bands, all, t->frames * MEL_BANDS * sizeof *bands);
	mem_free(pcm);
	mem_free(all);
	return err;
}

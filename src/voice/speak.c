/* SPDX-License-Identifier: Apache-2.0 */
/* speak.c  flite, and what a telephone wants of its sound. */
#include "voice/speak.h"
#include <ctype.h>
#include <errno.h>
#include <flite/flite.h>
#include <math.h>
#include <pthread.h>
#include "base/mem.h"
#include "base/phones.h"
#include "voice/wav.h"

/* The voices' libraries have no headers. */
cst_voice *register_cmu_us_slt(const char *voxdir);

enum { FRAME = MEDIA_FRAME, TRIM_LEVEL = 120, HEAD_KEPT = 2 * FRAME / 2, TAIL_KEPT = 2 * FRAME, TAIL_OF_SENTENCE = 8 * FRAME };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cst_voice *voice;

/* ---- folding ---- */
/* Latin letters with marks, by code point. */
static const struct {
	uint16_t from, to;
	const char *as;
} folds[] = {
	{ 0xc0, 0xc3, "A" }, { 0xc4, 0xc4, "Ae" }, { 0xc5, 0xc5, "A" }, { 0xc6, 0xc6, "Ae" }, { 0xc7, 0xc7, "C" }, { 0xc8, 0xcb, "E" }, { 0xcc, 0xcf, "I" },
	{ 0xd0, 0xd0, "D" }, { 0xd1, 0xd1, "N" }, { 0xd2, 0xd5, "O" }, { 0xd6, 0xd6, "Oe" }, { 0xd8, 0xd8, "O" }, { 0xd9, 0xdb, "U" },
	{ 0xdc, 0xdc, "Ue" }, { 0xdd, 0xdd, "Y" }, { 0xde, 0xde, "Th" }, { 0xdf, 0xdf, "ss" }, { 0xe0, 0xe3, "a" }, { 0xe4, 0xe4, "ae" },
	{ 0xe5, 0xe5, "a" }, { 0xe6, 0xe6, "ae" }, { 0xe7, 0xe7, "c" }, { 0xe8, 0xeb, "e" }, { 0xec, 0xef, "i" }, { 0xf0, 0xf0, "d" },
	{ 0xf1, 0xf1, "n" }, { 0xf2, 0xf5, "o" }, { 0xf6, 0xf6, "oe" }, { 0xf8, 0xf8, "o" }, { 0xf9, 0xfb, "u" }, { 0xfc, 0xfc, "ue" },
	{ 0xfd, 0xfd, "y" }, { 0xfe, 0xfe, "th" }, { 0xff, 0xff, "y" }, { 0x100, 0x105, "a" }, { 0x106, 0x10d, "c" }, { 0x10e, 0x111, "d" },
	{ 0x112, 0x11b, "e" }, { 0x11c, 0x123, "g" }, { 0x124, 0x127, "h" }, { 0x128, 0x131, "i" }, { 0x134, 0x135, "j" }, { 0x136, 0x137, "k" },
	{ 0x139, 0x142, "l" }, { 0x143, 0x148, "n" }, { 0x14c, 0x151, "o" }, { 0x152, 0x153, "oe" }, { 0x154, 0x159, "r" }, { 0x15a, 0x161, "s" },
	{ 0x162, 0x167, "t" }, { 0x168, 0x173, "u" }, { 0x174, 0x175, "w" }, { 0x176, 0x178, "y" }, { 0x179, 0x17e, "z" }, { 0x218, 0x219, "s" },
	{ 0x21a, 0x21b, "t" }, { 0x2010, 0x2015, "-" }, { 0x2018, 0x2019, "'" },
};

/* One code point; bytes used. Broken UTF-8 counts as one byte that means nothing. */
static size_t next_char(const unsigned char *p, unsigned *c)
{
	if (p[0] < 0x80) {
		*c = p[0];
		return 1;
	}
	if ((p[0] & 0xe0) == 0xc0 && (p[1] & 0xc0) == 0x80) {
		*c = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
		return 2;
	}
	if ((p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
		*c = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
		return 3;
	}
	*c = 0;
	return 1;
}

size_t speak_fold(const char *utf8, char *dst, size_t size)
{
	size_t n = 0;
	for (const unsigned char *p = (const unsigned char *)utf8; *p;) {
		unsigned c;
		char plain[2] = " ";
		const char *as = plain;
		p += next_char(p, &c);
		if (c >= 0x20 && c < 0x7f)
			plain[0] = strchr("<>&\\\"`|", (int)c) ? ' ' : (char)c; /* what flite might take for markup */
		for (size_t i = 0; c >= 0x80 && i < sizeof folds / sizeof *folds; i++)
			if (c >= folds[i].from && c <= folds[i].to)
				as = folds[i].as;
		size_t len = strlen(as);
		if (n + len >= size)
			break;
		memcpy(dst + n, as, len);
		n += len;
	}
	if (size)
		dst[n] = 0;
	return n;
}

/* ---- sound ---- */
static bool loud(const int16_t *p, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (double)p[i] * p[i];
	return n && sqrt(sum / (double)n) > TRIM_LEVEL;
}

/* Where what is kept begins; *n becomes how much that is. */
static size_t trim(const int16_t *pcm, size_t *n, size_t tail)
{
	size_t from = 0, to = *n;
	while (from + FRAME < *n && !loud(pcm + from, FRAME))
		from += FRAME;
	while (to > from + FRAME && !loud(pcm + to - FRAME, FRAME))
		to -= FRAME;
	from = from > HEAD_KEPT ? from - HEAD_KEPT : 0;
	to = to + tail < *n ? to + tail : *n;
	*n = to - from;
	return from;
}

/* Power of the frames that are speech to -22 dBov; no peak above -1 dB. */
static double gain_of(const int16_t *p, size_t n)
{
	double sum = 0, peak = 1;
	size_t counted = 0;
	for (size_t at = 0; at + FRAME <= n; at += FRAME) {
		if (!loud(p + at, FRAME))
			continue;
		for (size_t i = at; i < at + FRAME; i++)
			sum += (double)p[i] * p[i];
		counted += FRAME;
	}
	for (size_t i = 0; i < n; i++)
		peak = fmax(peak, fabs((double)p[i]));
	if (!counted || sum <= 0)
		return 1;
	double gain = 32768 * pow(10, SPEAK_LEVEL_DB / 20.0) / sqrt(sum / (double)counted);
	return fmin(gain, 29200 / peak);
}

static void louder(int16_t *p, size_t n, double gain)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (int16_t)lrint(fmax(-32768, fmin(32767, p[i] * gain)));
}

/* One word whose sounds are given: a token with these instead of a word of the lexicon. */
static cst_wave *wave_of_phones(const char *phones)
{
	char sounds[SPEAK_TEXT_MAX + 3];
	size_t n = 0;
	cst_utterance *u = new_utterance();
	for (const char *p = phones; *p && n + 6 < sizeof sounds; p++) {
		sounds[n++] = (char)tolower((unsigned char)*p);
		if (p[0] == 'A' && p[1] == 'H' && (p[2] == '0' || p[2] == ' ' || !p[2])) { /* its schwa has a name of its own */
			sounds[n++] = 'x';
			p++;
		}
	}
	sounds[n] = '\0';
	cst_relation *tokens = utt_relation_create(u, "Token");
	cst_item *t = relation_append(tokens, NULL);
	item_set_string(t, "name", "name");
	item_set_string(t, "phones", sounds);
	item_set_string(t, "whitespace", "");
	item_set_string(t, "prepunctuation", "");
	item_set_string(t, "punc", "");
	u = flite_do_synth(u, voice, utt_synth_tokens);
	cst_wave *w = u ? copy_wave(utt_wave(u)) : NULL;
	if (u)
		delete_utterance(u);
	return w;
}

/* *wide: twice as many samples at 16 kHz, or NULL where the voice has no more than 8; not asked for: NULL. */
static int render(const char *text, int16_t **pcm, size_t *n, int16_t **wide)
{
	pthread_mutex_lock(&lock);
	if (!voice) {
		flite_init();
		voice = register_cmu_us_slt(NULL);
	}
	char phones[SPEAK_TEXT_MAX];
	bool given = phones_parse(text_of(text), true, phones, sizeof phones, NULL);
	cst_wave *w = !voice ? NULL : given ? wave_of_phones(phones) : flite_text_to_wave(text, voice);
	int err = !voice ? ENOTSUP : !w || w->num_samples <= 0 ? EINVAL : w->sample_rate == 16000 || w->sample_rate == MEDIA_RATE ? 0 : ENOTSUP;
	if (!err) {
		size_t got = (size_t)w->num_samples;
		*pcm = mem_alloc(got * sizeof **pcm);
		err = *pcm ? 0 : ENOMEM;
		if (!err && w->sample_rate == 16000)
			*n = wav_halve(*pcm, w->samples, got);
		if (!err && w->sample_rate == 16000 && wide && (*wide = mem_zalloc(2 * *n, sizeof **wide)) != NULL)
			memcpy(*wide, w->samples, (got < 2 * *n ? got : 2 * *n) * sizeof **wide);
		if (!err && w->sample_rate != 16000)
			memcpy(*pcm, w->samples, (*n = got) * sizeof **pcm);
	}
	if (w)
		delete_wave(w);
	pthread_mutex_unlock(&lock);
	return err;
}

size_t speak_care(int16_t *pcm, size_t n, const char *text)
{
	return speak_care_both(pcm, n, NULL, text);
}

size_t speak_care_both(int16_t *pcm, size_t n, int16_t *wide, const char *text)
{
	size_t len = strlen(text), from = trim(pcm, &n, len && text[len - 1] == '.' ? TAIL_OF_SENTENCE : TAIL_KEPT);
	memmove(pcm, pcm + from, n * sizeof *pcm);
	double gain = gain_of(pcm, n);
	louder(pcm, n, gain);
	if (wide) {
		memmove(wide, wide + 2 * from, 2 * n * sizeof *wide);
		louder(wide, 2 * n, gain);
	}
	return n;
}

static int speak_both(int16_t **pcm, size_t *n, int16_t **wide, const char *text)
{
	char plain[SPEAK_TEXT_MAX + 1];
	bool any = false;
	if (strlen(text) > SPEAK_TEXT_MAX / 2)
		return EINVAL;
	size_t len = speak_fold(text, plain, sizeof plain);
	for (size_t i = 0; i < len; i++)
		any |= isalnum((unsigned char)plain[i]) != 0;
	if (!any)
		return EINVAL;
	int16_t *all;
	int err = render(plain, &all, n, wide);
	if (err)
		return err;
	*n = speak_care_both(all, *n, wide ? *wide : NULL, plain);
	*pcm = all;
	return 0;
}

int speak_pcm(int16_t **pcm, size_t *n, const char *text)
{
	return speak_both(pcm, n, NULL, text);
}

int speak_text(struct media_clip **cp, const char *text)
{
	int16_t *pcm, *wide = NULL;
	size_t n;
	int err = speak_both(&pcm, &n, &wide, text);
	if (err)
		return err;
	err = wide ? media_clip_from_both(cp, pcm, n, wide) : media_clip_from_l16(cp, pcm, n);
	mem_free(pcm);
	mem_free(wide);
	return err;
}

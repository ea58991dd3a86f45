/* SPDX-License-Identifier: Apache-2.0 */
/* tongue.c  The text made harmless, the program run, its WAV brought to what a telephone plays. */
#include "umbel-speech/tongue.h"
#include <ctype.h>
#include <errno.h>
#include "base/mem.h"
#include "umbel-speech/child.h"
#include "voice/resample.h"
#include "voice/speak.h"
#include "voice/speaker.h"
#include "voice/speech_msg.h"
#include "voice/wav.h"

enum { RATE_MIN = 8000, RATE_MAX = 48000, SOUND_MAX = 20 << 20 /* 180 s at the highest rate */, TEXT_MAX = 4 * SPEECH_TEXT_MAX };

/* ---- the text ---- */
/* Bytes of the character that begins here, 0: none does (RFC 3629: no surrogates, nothing longer than need be). */
static size_t character(const uint8_t *p, size_t n, uint32_t *c)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
	if (!len || len > n)
		return 0;
	*c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3fu);
	}
	return *c < least[len] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000) ? 0 : len;
}

static bool unheard(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2000 && c < 0x2010) || (c >= 0x2028 && c < 0x2030) || (c >= 0x2060 && c < 0x2070) ||
	       (c >= 0xe000 && c < 0xf900) || c == 0xfeff || c >= 0xe0000 || (c < 0x80 && strchr("[]<>{}\\|`", (int)c));
}

int tongue_clean(struct text text, struct buf *out)
{
	bool any = false;
	size_t from = out->n;
	for (size_t i = 0; i < text.n;) {
		const uint8_t *p = (const uint8_t *)text.p + i;
		uint32_t c = 0;
		size_t len = character(p, text.n - i, &c);
		if (len && !unheard(c)) {
			any |= c >= 0xa0 ? c > 0xbf && (c < 0x2000 || c > 0x2bff) : isalnum((int)c) != 0;
			buf_put(out, p, len);
		} else if (out->n > from && out->p[out->n - 1] != ' ') {
			buf_char(out, ' ');
		}
		i += len ? len : 1;
	}
	int err = buf_error(out);
	return err ? err : any ? 0 : ENODATA;
}

/* ---- the sound ---- */
static int hear(struct text wav, int16_t **pcm, size_t *n)
{
	struct wav_sound s;
	int err = wav_open(&s, (const uint8_t *)wav.p, wav.n);
	if (err)
		return EPROTO;
	if (s.rate < RATE_MIN || s.rate > RATE_MAX)
		return EPROTO;
	float *mono = mem_alloc((s.frames + 1) * sizeof *mono);
	if (!mono)
		return ENOMEM;
	for (size_t i = 0; i < s.frames; i++)
		mono[i] = (float)wav_frame(&s, i) / 32768.f;
	err = s.frames ? resample_8k(mono, s.frames, s.rate, pcm, n) : ENODATA;
	mem_free(mono);
	return err == ENODATA ? EPROTO : err;
}

/* Its last character decides how long a pause stays behind it. */
static void last_of(struct text t, char dst[2])
{
	t = text_trim(t);
	dst[0] = t.n ? t.p[t.n - 1] : '\0';
	dst[1] = '\0';
}

static int speak(const char *voice, struct text plain, int16_t **pcm, size_t *n)
{
	const char *argv[] = { "espeak-ng", "-v", voice, "-s", SPEAKER_WORDS_A_MINUTE, "-b", "1", "--stdin", "--stdout", NULL };
	struct buf wav;
	char last[2];
	buf_init(&wav, SOUND_MAX);
	int err = child_run(argv, plain, TONGUE_LIMIT_MS, &wav);
	if (err == ECHILD)
		err = wav.n ? EPROTO : ENOTSUP; /* without that voice it says nothing and fails */
	if (err == EMSGSIZE)
		err = EPROTO; /* it finds no end */
	if (!err)
		err = hear(buf_as_text(&wav), pcm, n);
	buf_free(&wav);
	if (err)
		return err;
	last_of(plain, last);
	*n = speak_care(*pcm, *n, last);
	return 0;
}

int tongue_say(const char *voice, struct text text, int16_t **pcm, size_t *n)
{
	struct buf plain;
	if (!speaker_voice_good(text_of(voice)))
		return ENOTSUP;
	buf_init(&plain, TEXT_MAX);
	int err = tongue_clean(text, &plain);
	if (!err)
		err = speak(voice, buf_as_text(&plain), pcm, n);
	buf_free(&plain);
	return err == ENODATA || err == EMSGSIZE ? EINVAL : err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* gen_known.c  Audio known beforehand, byte for byte: the prompt that the server was given, and what the generator says itself (played back when it
 * is a message). A frame is looked up by its first bytes, at any sample; from then on the next bytes must follow, packet after packet. */
#include "gen.h"

enum { KEY = 8, TABLE = 1 << 20, SPEECH_S = 4, GAP = GEN_FRAME };

static uint8_t *known;            /* the prompt, a gap of silence, the speech twice (it goes round) */
static size_t known_n, speech_at, speech_n;
static int32_t *table;            /* place of a key, -1 */

static uint32_t hash(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return (uint32_t)((v * 0x9e3779b97f4a7c15u) >> 44);
}

static void index_it(size_t from, size_t to)
{
	for (size_t i = from; i + KEY <= to; i++) {
		bool flat = true;
		for (size_t k = 1; k < KEY && flat; k++)
			flat = known[i + k] == known[i];
		uint32_t at = hash(known + i) & (TABLE - 1);
		if (!flat && table[at] < 0)
			table[at] = (int32_t)i;
	}
}

/* Noise that swells like syllables: speech to whoever listens for it, and no two places of it are alike. */
static size_t own_speech(int16_t **speech)
{
	uint32_t seed = 7;
	const size_t n = SPEECH_S * MEDIA_RATE;
	int16_t *pcm = *speech = malloc(n * sizeof *pcm);
	if (!pcm)
		gen_die("memory");
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		int32_t swell = (int32_t)(i % 2000), level = 1500 + 4 * (swell < 1000 ? swell : 2000 - swell);
		pcm[i] = (int16_t)((int32_t)(seed >> 16) % 2000 * level / 2000);
	}
	return n;
}

static size_t read_pcm(const char *path, int16_t **pcm)
{
	FILE *f = path ? fopen(path, "rb") : NULL;
	if (path && !f)
		gen_die(path);
	if (!f)
		return 0;
	fseek(f, 0, SEEK_END);
	long bytes = ftell(f);
	rewind(f);
	*pcm = malloc((size_t)bytes + 2);
	size_t n = *pcm ? fread(*pcm, 2, (size_t)bytes / 2, f) : 0;
	fclose(f);
	if (!n)
		gen_die(path);
	return n;
}

void gen_known_prepare(void)
{
	int16_t *prompt = NULL, *speech = NULL;
	size_t prompt_n = read_pcm(gen_opt.prompt, &prompt);
	speech_n = read_pcm(gen_opt.say, &speech) / GEN_FRAME * GEN_FRAME;
	if (!speech_n)
		speech_n = own_speech(&speech);
	if (!gen_opt.codec->law) {
		gen_coded_prepare(prompt, prompt_n, speech, speech_n);
		free(prompt);
		free(speech);
		return;
	}
	enum media_codec law = gen_opt.codec->codec;
	speech_at = prompt_n + GAP;
	known_n = speech_at + 2 * speech_n;
	known = malloc(known_n + GEN_FRAME);
	table = malloc(TABLE * sizeof *table);
	if (!known || !table)
		gen_die("memory");
	if (prompt_n)
		g711_encode(law, known, prompt, prompt_n);
	memset(known + prompt_n, media_codec_silence(law), GAP);
	g711_encode(law, known + speech_at, speech, speech_n);
	memcpy(known + speech_at + speech_n, known + speech_at, speech_n);
	memset(table, 0xff, TABLE * sizeof *table);
	if (prompt_n)
		index_it(0, prompt_n);
	index_it(speech_at, speech_at + speech_n + KEY);
	free(prompt);
	free(speech);
}

const uint8_t *gen_known_speech(size_t *n)
{
	*n = speech_n;
	return known + speech_at;
}

static bool is_quiet(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0xff && p[i] != 0x7f && p[i] != 0xd5 && p[i] != 0x55)
			return false;
	return true;
}

/* The law of PCMU has two zeros: which of them is sent says nothing. */
static bool same(uint8_t a, uint8_t b)
{
	return a == b || ((a | 0x80) == 0xff && (b | 0x80) == 0xff);
}

/* How many bytes lie at `place` as they came. */
static size_t alike(size_t place, const uint8_t *p, size_t n)
{
	size_t i = 0;
	while (i < n && place + i < known_n && same(known[place + i], p[i]))
		i++;
	return i;
}

/* Behind the end of a piece there is silence: its last frame is its rest and quiet. */
static bool fits(size_t place, const uint8_t *p, size_t n)
{
	size_t i = alike(place, p, n);
	return i == n || (i > 0 && is_quiet(p + i, n - i));
}

static bool find(struct gen_rx *rx, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + KEY <= n; i += KEY) { /* its beginning may be silence */
		int32_t at = table[hash(p + i) & (TABLE - 1)];
		if (at >= 0 && fits((size_t)at, p + i, n - i)) {
			rx->place = (int64_t)at - (int64_t)i;
			return true;
		}
	}
	return false;
}

enum gen_known gen_known_judge(struct gen_rx *rx, const uint8_t *payload, size_t n, uint32_t frames)
{
	size_t next = (size_t)(rx->place + (int64_t)GEN_FRAME * frames); /* by the sequence: what was lost is stepped over; where time leaps nothing is left out */
	if (rx->placed && next >= speech_at + speech_n)
		next -= speech_n;
	if (rx->placed && next < known_n && fits(next, payload, n)) {
		rx->place = next;
		return GEN_IS_KNOWN;
	}
	if (is_quiet(payload, n)) {
		bool within = rx->placed && next + GEN_FRAME < (rx->place < (int64_t)speech_at ? speech_at - GAP : known_n);
		rx->placed = false;
		return within ? GEN_IS_LEAP : GEN_IS_QUIET; /* silence in the midst of it */
	}
	bool was = rx->placed;
	rx->placed = find(rx, payload, n);
	return !rx->placed ? GEN_IS_UNKNOWN : was ? GEN_IS_LEAP : GEN_IS_KNOWN;
}

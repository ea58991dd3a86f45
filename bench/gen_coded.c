/* SPDX-License-Identifier: Apache-2.0 */
/* gen_coded.c  Audio known beforehand in codecs that have a memory: what a frame looks like depends on all that was encoded before it. A call begins with a
 * fresh encoder and some frames of silence, then comes the prompt; so it is encoded here once behind each number of such frames, and what comes must be one
 * of these streams from its first frame on, payload by payload. Opus' silence is made beforehand and leaves its encoder alone: one stream.
 *
 * The server's encoder is held against the same libraries with the same settings (media/codec.h); whether what they make is that codec at all is a matter
 * for other people's decoders (tests/e2e/test_codecs.py). */
#include "gen.h"

enum { SETTLED = 40, PAUSE_FRAMES = 50 };

struct stream {
	uint8_t *bytes;
	uint32_t *at;
	unsigned n;
};
static struct stream heard[SETTLED + 1], said, quiet;
static unsigned variants;

static void stream_new(struct stream *s, unsigned frames)
{
	s->bytes = malloc((size_t)frames * CODEC_PAYLOAD_MAX + 1);
	s->at = malloc((frames + 1) * sizeof *s->at);
	if (!s->bytes || !s->at)
		gen_die("memory");
	s->at[0] = s->n = 0;
}

static void encode(struct stream *s, struct codec_tx *tx, const int16_t *pcm)
{
	s->at[s->n + 1] = s->at[s->n] + (uint32_t)codec_encode(tx, pcm, s->bytes + s->at[s->n]);
	s->n++;
}

static const uint8_t *frame_of(const struct stream *s, unsigned i, size_t *n)
{
	*n = s->at[i + 1] - s->at[i];
	return s->bytes + s->at[i];
}

static bool is_frame(const struct stream *s, uint32_t i, const uint8_t *p, size_t n)
{
	size_t have;
	if (i >= s->n)
		return false;
	const uint8_t *frame = frame_of(s, i, &have);
	return have == n && memcmp(frame, p, n) == 0;
}

static struct codec_tx *encoder(void)
{
	struct codec_tx *tx;
	if (codec_tx_create(&tx, gen_opt.codec->codec, MEDIA_RATE))
		gen_die("encoder");
	return tx;
}

/* Whole frames of `pcm` behind so many of silence, and silence for a second behind that. */
static void encode_all(struct stream *s, unsigned before, const int16_t *pcm, size_t n)
{
	static const int16_t nothing[MEDIA_FRAME];
	uint8_t unused[CODEC_PAYLOAD_MAX];
	struct codec_tx *tx = encoder();
	unsigned frames = (unsigned)(n / MEDIA_FRAME);
	stream_new(s, frames + PAUSE_FRAMES);
	for (unsigned i = 0; i < before; i++)
		codec_encode(tx, nothing, unused);
	for (unsigned i = 0; i < frames; i++)
		encode(s, tx, pcm + (size_t)i * MEDIA_FRAME);
	for (unsigned i = 0; i < PAUSE_FRAMES; i++)
		encode(s, tx, nothing);
	codec_tx_free(tx);
}

/* As it went through the law of PCMU, in which the server keeps it. */
static void through_law(int16_t *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pcm[i] = g711_table(MEDIA_PCMU)[g711_encode_ulaw(pcm[i])];
}

void gen_coded_prepare(int16_t *prompt, size_t prompt_n, const int16_t *speech, size_t speech_n)
{
	static const int16_t nothing[MEDIA_FRAME];
	bool remembers_silence = gen_opt.codec->codec == MEDIA_G722;
	struct codec_tx *tx = encoder();
	stream_new(&quiet, SETTLED);
	for (unsigned i = 0; i < SETTLED; i++)
		encode(&quiet, tx, nothing);
	codec_tx_free(tx);
	through_law(prompt, prompt_n);
	variants = !prompt_n ? 0 : remembers_silence ? SETTLED + 1 : 1;
	for (unsigned i = 0; i < variants; i++)
		encode_all(&heard[i], i, prompt, prompt_n);
	encode_all(&said, remembers_silence ? SETTLED : 0, speech, speech_n);
}

const uint8_t *gen_coded_speech(uint32_t frame, size_t *n)
{
	return frame_of(&said, frame % said.n, n);
}

const uint8_t *gen_coded_silence(uint32_t frame, size_t *n)
{
	if (gen_opt.codec->codec == MEDIA_G722 && frame < SETTLED)
		return frame_of(&quiet, frame, n);
	return codec_silence(gen_opt.codec->codec, n);
}

static bool is_quiet(const uint8_t *p, size_t n)
{
	size_t have;
	const uint8_t *silence = codec_silence(gen_opt.codec->codec, &have);
	if (have == n && memcmp(silence, p, n) == 0)
		return true;
	for (unsigned i = 0; i < quiet.n; i++)
		if (is_frame(&quiet, i, p, n))
			return true;
	return false;
}

static bool begins(struct gen_rx *rx, const uint8_t *p, size_t n)
{
	unsigned likely = rx->quiet < variants ? rx->quiet : variants ? variants - 1 : 0;
	for (unsigned i = 0; i < variants; i++) {
		unsigned v = (likely + i) % variants;
		if (is_frame(&heard[v], 0, p, n)) {
			rx->variant = (uint8_t)v;
			rx->place = 0;
			return true;
		}
	}
	return false;
}

enum gen_known gen_coded_judge(struct gen_rx *rx, const uint8_t *payload, size_t n, uint32_t frames)
{
	bool was = rx->placed;
	int64_t next = rx->place + frames;
	if (was && is_frame(&heard[rx->variant], (uint32_t)next, payload, n)) {
		rx->place = next;
		return GEN_IS_KNOWN;
	}
	rx->placed = false;
	if (is_quiet(payload, n)) {
		rx->quiet += frames ? frames : 1;
		return was && next + 1 < heard[rx->variant].n - PAUSE_FRAMES ? GEN_IS_LEAP : GEN_IS_QUIET;
	}
	rx->placed = begins(rx, payload, n);
	rx->quiet = 0;
	return was ? GEN_IS_LEAP : rx->placed ? GEN_IS_KNOWN : GEN_IS_UNKNOWN;
}

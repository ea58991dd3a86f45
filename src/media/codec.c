/* SPDX-License-Identifier: Apache-2.0 */
/* codec.c  Facts of the codecs, and their decoders and encoders by libopus and spandsp; libspeexdsp turns one rate into the other. */
#include "media/codec.h"
#include <assert.h>
#include <errno.h>
#include <opus.h>
#include <pthread.h>
#include <spandsp/telephony.h>
#include <spandsp/g722.h>
#include <spandsp/private/g722.h>
#include <speex/speex_resampler.h>
#include <string.h>
#include "base/mem.h"
#include "media/g711.h"

enum {
	G722_BITS = 64000,
	OPUS_BITS_A_S = 24000, OPUS_BITS_A_S_WIDE = 32000, /* with less there is no room for FEC */
	OPUS_EFFORT = 5,      /* of 10: half the work, and nobody hears it on a telephone */
	OPUS_EXPECTED_LOSS = 5, /* percent; without any the encoder spends nothing on FEC */
	RESAMPLE_QUALITY = 3, /* SPEEX_RESAMPLER_QUALITY_VOIP */
};

static const struct codec codecs[MEDIA_CODECS] = {
	[MEDIA_PCMU] = { "PCMU", "PCMU", 8000, 8000, 1, 0, 1, true },
	[MEDIA_PCMA] = { "PCMA", "PCMA", 8000, 8000, 1, 8, 1, true },
	[MEDIA_L16] = { "L16", "L16", 8000, 8000, 1, CODEC_NO_PT, 2, false },
	[MEDIA_G722] = { "G722", "G722", 8000, 16000, 1, 9, 1, false },
	[MEDIA_L16_WIDE] = { "L16/16k", "L16", 16000, 16000, 1, CODEC_NO_PT, 2, false },
	[MEDIA_OPUS] = { "opus", "opus", 48000, 16000, 2, CODEC_NO_PT, 0, false },
};

const struct codec *codec_info(enum media_codec c)
{
	assert((unsigned)c < MEDIA_CODECS);
	return &codecs[c];
}

const char *media_codec_name(enum media_codec c)
{
	return codec_info(c)->name;
}

uint8_t media_codec_pt(enum media_codec c)
{
	return codec_info(c)->pt;
}

size_t media_codec_sample_bytes(enum media_codec c)
{
	return codec_info(c)->law ? 1 : 2;
}

size_t media_codec_tick_bytes(enum media_codec c)
{
	return media_codec_sample_bytes(c) * codec_info(c)->rate / MEDIA_RATE;
}

uint8_t media_codec_silence(enum media_codec c)
{
	return c == MEDIA_PCMU ? 0xff : c == MEDIA_PCMA ? 0xd5 : 0;
}

/* ---- another rate ---- */
static int converter(SpeexResamplerState **sp, unsigned from, unsigned to)
{
	int err;
	if (from == to)
		return 0;
	SpeexResamplerState *s = speex_resampler_init(1, from, to, RESAMPLE_QUALITY, &err);
	if (!s)
		return ENOMEM;
	*sp = s;
	return 0;
}

int codec_resample(const int16_t *in, size_t n, unsigned from, int16_t *out, unsigned to)
{
	SpeexResamplerState *s = NULL;
	size_t n_out = n * to / from, at = 0;
	if (from == to) {
		memcpy(out, in, n * sizeof *in);
		return 0;
	}
	int err = converter(&s, from, to);
	if (err)
		return err;
	speex_resampler_skip_zeros(s); /* the filter's delay; its end is drawn out by nothing behind what there is */
	for (size_t used = 0; at < n_out;) {
		static const int16_t nothing[256];
		bool behind = used >= n;
		spx_uint32_t taken = (spx_uint32_t)(behind ? sizeof nothing / sizeof *nothing : n - used), given = (spx_uint32_t)(n_out - at);
		if (speex_resampler_process_int(s, 0, behind ? nothing : in + used, &taken, out + at, &given))
			break;
		used += taken;
		at += given;
	}
	speex_resampler_destroy(s);
	memset(out + at, 0, (n_out - at) * sizeof *out);
	return 0;
}

/* Exactly twice or half of n. */
static void convert(SpeexResamplerState *s, const int16_t *in, size_t n, int16_t *out, size_t n_out)
{
	spx_uint32_t taken = (spx_uint32_t)n, given = (spx_uint32_t)n_out;
	speex_resampler_process_int(s, 0, in, &taken, out, &given);
	if (given < n_out) /* the first time, what the filter looks ahead is not there yet */
		memset(out + given, 0, (n_out - given) * sizeof *out);
}

/* ---- receiving ---- */
struct codec_rx {
	enum media_codec codec;
	unsigned rate, native; /* what comes out; what the decoder makes */
	SpeexResamplerState *convert;
	OpusDecoder *opus;
	struct g722_decode_state_s *g722;
};

static void rx_init(struct codec_rx *rx)
{
	if (rx->opus)
		opus_decoder_init(rx->opus, (opus_int32)rx->rate, 1);
	if (rx->g722)
		g722_decode_init(rx->g722, G722_BITS, rx->rate == MEDIA_RATE ? G722_SAMPLE_RATE_8000 : 0);
	if (rx->convert)
		speex_resampler_reset_mem(rx->convert);
}

int codec_rx_create(struct codec_rx **rp, enum media_codec c, unsigned rate)
{
	if ((unsigned)c >= MEDIA_CODECS || (rate != MEDIA_RATE && rate != MEDIA_RATE_WIDE))
		return EINVAL;
	struct codec_rx *rx = mem_zalloc(1, sizeof *rx);
	if (!rx)
		return ENOMEM;
	rx->codec = c;
	rx->rate = rate;
	int err = 0;
	if (c == MEDIA_OPUS)
		err = (rx->opus = mem_alloc((size_t)opus_decoder_get_size(1))) ? 0 : ENOMEM;
	else if (c == MEDIA_G722)
		err = (rx->g722 = mem_alloc(sizeof *rx->g722)) ? 0 : ENOMEM;
	else
		err = converter(&rx->convert, codecs[c].rate, rate);
	rx->native = rx->convert ? codecs[c].rate : rate;
	if (err) {
		codec_rx_free(rx);
		return err;
	}
	rx_init(rx);
	*rp = rx;
	return 0;
}

void codec_rx_free(struct codec_rx *rx)
{
	if (!rx)
		return;
	if (rx->convert)
		speex_resampler_destroy(rx->convert);
	mem_free(rx->opus);
	mem_free(rx->g722);
	mem_free(rx);
}

enum media_codec codec_rx_codec(const struct codec_rx *rx)
{
	return rx->codec;
}

void codec_rx_reset(struct codec_rx *rx)
{
	rx_init(rx);
}

uint32_t codec_ticks(enum media_codec c, const uint8_t *p, size_t n)
{
	const struct codec *k = codec_info(c);
	uint32_t most = k->clock / 1000 * CODEC_PACKET_MS;
	if (!n || n > UINT16_MAX)
		return 0;
	int ticks = c == MEDIA_OPUS ? opus_packet_get_nb_samples(p, (opus_int32)n, (opus_int32)k->clock) : n % k->unit_bytes ? 0 : (int)(n / k->unit_bytes);
	return ticks > 0 && (uint32_t)ticks <= most ? (uint32_t)ticks : 0;
}

static void get_l16(int16_t *pcm, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)(uint16_t)(p[2 * i] << 8 | p[2 * i + 1]);
}

/* As the decoder makes them; at most CODEC_PACKET_MAX. */
static size_t decode_native(struct codec_rx *rx, const uint8_t *p, size_t n, int16_t *pcm)
{
	int got;
	switch (rx->codec) {
	case MEDIA_PCMU:
	case MEDIA_PCMA:
		g711_decode(rx->codec, pcm, p, n);
		return n;
	case MEDIA_L16:
	case MEDIA_L16_WIDE:
		get_l16(pcm, p, n / 2);
		return n / 2;
	case MEDIA_G722:
		got = g722_decode(rx->g722, pcm, p, (int)n);
		return got > 0 ? (size_t)got : 0;
	case MEDIA_OPUS:
		got = opus_decode(rx->opus, p, (opus_int32)n, pcm, (int)(rx->rate / 1000 * CODEC_PACKET_MS), 0);
		return got > 0 ? (size_t)got : 0;
	default:
		return 0;
	}
}

/* From the decoder's rate to that asked for. */
static size_t to_rate(struct codec_rx *rx, const int16_t *in, size_t n, int16_t *pcm)
{
	size_t n_out = n * rx->rate / rx->native;
	convert(rx->convert, in, n, pcm, n_out);
	return n_out;
}

size_t codec_decode(struct codec_rx *rx, const uint8_t *p, size_t n, int16_t *pcm)
{
	int16_t native[CODEC_PACKET_MAX];
	if (!codec_ticks(rx->codec, p, n))
		return 0;
	return rx->convert ? to_rate(rx, native, decode_native(rx, p, n, native), pcm) : decode_native(rx, p, n, pcm);
}

void codec_conceal(struct codec_rx *rx, const uint8_t *next, size_t n_next, int16_t *pcm, size_t samples)
{
	assert(samples <= CODEC_PACKET_MAX);
	int got = 0;
	if (rx->opus && samples) {
		if (next && codec_ticks(MEDIA_OPUS, next, n_next))
			got = opus_decode(rx->opus, next, (opus_int32)n_next, pcm, (int)samples, 1);
		else
			got = opus_decode(rx->opus, NULL, 0, pcm, (int)samples, 0);
	}
	size_t done = got > 0 ? (size_t)got : 0;
	if (done < samples)
		memset(pcm + done, 0, (samples - done) * sizeof *pcm);
}

/* ---- sending ---- */
struct codec_tx {
	enum media_codec codec;
	unsigned rate, native;
	SpeexResamplerState *convert;
	OpusEncoder *opus;
	struct g722_encode_state_s *g722;
};

static int opus_begin(struct codec_tx *tx)
{
	tx->opus = mem_alloc((size_t)opus_encoder_get_size(1));
	if (!tx->opus)
		return ENOMEM;
	if (opus_encoder_init(tx->opus, (opus_int32)tx->rate, 1, OPUS_APPLICATION_VOIP))
		return EINVAL;
	opus_encoder_ctl(tx->opus, OPUS_SET_BITRATE(tx->rate == MEDIA_RATE ? OPUS_BITS_A_S : OPUS_BITS_A_S_WIDE));
	opus_encoder_ctl(tx->opus, OPUS_SET_COMPLEXITY(OPUS_EFFORT));
	opus_encoder_ctl(tx->opus, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)); /* or it takes what it finds hard for music, which has no FEC */
	opus_encoder_ctl(tx->opus, OPUS_SET_INBAND_FEC(1));
	opus_encoder_ctl(tx->opus, OPUS_SET_PACKET_LOSS_PERC(OPUS_EXPECTED_LOSS));
	return 0;
}

int codec_tx_create(struct codec_tx **tp, enum media_codec c, unsigned rate)
{
	if ((unsigned)c >= MEDIA_CODECS || (rate != MEDIA_RATE && rate != MEDIA_RATE_WIDE))
		return EINVAL;
	struct codec_tx *tx = mem_zalloc(1, sizeof *tx);
	if (!tx)
		return ENOMEM;
	tx->codec = c;
	tx->rate = rate;
	int err = 0;
	if (c == MEDIA_OPUS)
		err = opus_begin(tx);
	else if (c == MEDIA_G722)
		err = (tx->g722 = mem_alloc(sizeof *tx->g722)) ? 0 : ENOMEM;
	else
		err = converter(&tx->convert, rate, codecs[c].rate);
	tx->native = tx->convert ? codecs[c].rate : rate;
	if (err) {
		codec_tx_free(tx);
		return err;
	}
	if (tx->g722)
		g722_encode_init(tx->g722, G722_BITS, rate == MEDIA_RATE ? G722_SAMPLE_RATE_8000 : 0);
	*tp = tx;
	return 0;
}

void codec_tx_free(struct codec_tx *tx)
{
	if (!tx)
		return;
	if (tx->convert)
		speex_resampler_destroy(tx->convert);
	mem_free(tx->opus);
	mem_free(tx->g722);
	mem_free(tx);
}

enum media_codec codec_tx_codec(const struct codec_tx *tx)
{
	return tx->codec;
}

static size_t put_l16(uint8_t *dst, const int16_t *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		dst[2 * i] = (uint8_t)((uint16_t)pcm[i] >> 8);
		dst[2 * i + 1] = (uint8_t)pcm[i];
	}
	return 2 * n;
}

static size_t encode_native(struct codec_tx *tx, const int16_t *pcm, size_t n, uint8_t *dst)
{
	int made;
	switch (tx->codec) {
	case MEDIA_PCMU:
	case MEDIA_PCMA:
		g711_encode(tx->codec, dst, pcm, n);
		return n;
	case MEDIA_L16:
	case MEDIA_L16_WIDE:
		return put_l16(dst, pcm, n);
	case MEDIA_G722:
		made = g722_encode(tx->g722, dst, pcm, (int)n);
		break;
	case MEDIA_OPUS:
		made = opus_encode(tx->opus, pcm, (int)n, dst, CODEC_PAYLOAD_MAX);
		break;
	default:
		made = 0;
	}
	return made > 0 ? (size_t)made : 0;
}

size_t codec_encode_wide(struct codec_tx *tx, const int16_t *pcm, uint8_t *dst)
{
	assert(tx->codec == MEDIA_G722 && tx->rate == MEDIA_RATE);
	tx->g722->eight_k = false; /* both bands, by the filter before the two halves of it */
	size_t n = encode_native(tx, pcm, MEDIA_FRAME_WIDE, dst);
	tx->g722->eight_k = true;
	return n;
}

size_t codec_encode(struct codec_tx *tx, const int16_t *pcm, uint8_t *dst)
{
	int16_t native[MEDIA_FRAME_WIDE];
	size_t n = tx->rate / 1000 * MEDIA_FRAME_MS;
	if (!tx->convert)
		return encode_native(tx, pcm, n, dst);
	size_t n_native = n * tx->native / tx->rate;
	convert(tx->convert, pcm, n, native, n_native);
	return encode_native(tx, native, n_native, dst);
}

/* ---- silence ---- */
static struct {
	size_t n;
	uint8_t bytes[CODEC_PAYLOAD_MAX];
} silences[MEDIA_CODECS];
static pthread_once_t silence_once = PTHREAD_ONCE_INIT;

/* A state that has heard nothing but silence says it in the same way for ever; its first frames may still differ. The libraries' own memory: this
 * must not fail, for nobody would make it again. */
static void make_silences(void)
{
	enum { SETTLED = 40, OPUS_LEFT_OUT = 0x08 /* a frame of 20 ms that is not there */ };
	static const int16_t nothing[MEDIA_FRAME];
	struct g722_encode_state_s g722;
	int err;
	for (enum media_codec c = 0; c < MEDIA_CODECS; c++) {
		silences[c].n = codecs[c].unit_bytes * (codecs[c].clock / 1000) * MEDIA_FRAME_MS;
		memset(silences[c].bytes, media_codec_silence(c), silences[c].n);
	}
	g722_encode_init(&g722, G722_BITS, G722_SAMPLE_RATE_8000);
	for (unsigned i = 0; i < SETTLED; i++)
		g722_encode(&g722, silences[MEDIA_G722].bytes, nothing, MEDIA_FRAME);
	OpusEncoder *opus = opus_encoder_create(MEDIA_RATE, 1, OPUS_APPLICATION_VOIP, &err);
	int made = 0;
	for (unsigned i = 0; opus && i < SETTLED; i++)
		made = opus_encode(opus, nothing, MEDIA_FRAME, silences[MEDIA_OPUS].bytes, CODEC_PAYLOAD_MAX);
	if (opus)
		opus_encoder_destroy(opus);
	if (made <= 0)
		silences[MEDIA_OPUS].bytes[0] = OPUS_LEFT_OUT;
	silences[MEDIA_OPUS].n = made > 0 ? (size_t)made : 1;
}

const uint8_t *codec_silence(enum media_codec c, size_t *n)
{
	pthread_once(&silence_once, make_silences);
	*n = silences[c].n;
	return silences[c].bytes;
}

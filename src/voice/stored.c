/* SPDX-License-Identifier: Apache-2.0 */
/* stored.c  Recordings in the forms of a store, by libsndfile on memory. */
#include "voice/stored.h"
#include <errno.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "media/g711.h"

/* libsndfile's scale goes from the best (0) to the smallest (1): about 24 kbit/s for a voice of Opus, 16 to 24 of MP3. */
static const double OPUS_LEVEL = 0.928, MP3_LEVEL = 0.5;
enum { WAV_HEAD = 44 };

static const struct {
	const char *name, *suffix, *mime;
	int format; /* of libsndfile; 0: none */
	uint8_t width;
	uint16_t rate;
} forms[STORED_FORMS] = {
	[STORED_PCMU] = { "PCMU", ".wav", "audio/wav", 0, 1, MEDIA_RATE },
	[STORED_PCMA] = { "PCMA", ".wav", "audio/wav", 0, 1, MEDIA_RATE },
	[STORED_L16] = { "L16", ".wav", "audio/wav", 0, 2, MEDIA_RATE },
	[STORED_L16_WIDE] = { "L16/16k", ".wav", "audio/wav", 0, 2, MEDIA_RATE_WIDE },
	[STORED_OPUS] = { "opus", ".opus", "audio/ogg; codecs=opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 0, 0 },
	[STORED_MP3] = { "mp3", ".mp3", "audio/mpeg", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 0, 0 },
};

const char *stored_name(enum stored_form f)
{
	return (unsigned)f < STORED_FORMS ? forms[f].name : "?"; /* a newer release's, in a store */
}

const char *stored_suffix(enum stored_form f)
{
	return forms[f].suffix;
}

const char *stored_mime(enum stored_form f)
{
	return forms[f].mime;
}

enum stored_form stored_of_name(struct text name)
{
	if (text_ends_nocase(name, ".ogg"))
		return STORED_OPUS;
	for (enum stored_form f = STORED_OPUS; f < STORED_FORMS; f++)
		if (text_ends_nocase(name, forms[f].suffix))
			return f;
	return STORED_L16;
}

/* ---- a file in memory ---- */
struct file {
	struct buf *out;    /* written: behind what stands there already */
	size_t from;
	const uint8_t *in;  /* or read */
	size_t n_in;
	sf_count_t at;
};

static sf_count_t length(void *arg)
{
	struct file *f = arg;
	return (sf_count_t)(f->out ? f->out->n - f->from : f->n_in);
}

static sf_count_t seek(sf_count_t to, int whence, void *arg)
{
	struct file *f = arg;
	sf_count_t at = whence == SEEK_SET ? to : whence == SEEK_CUR ? f->at + to : length(f) + to;
	if (at < 0)
		return -1;
	return f->at = at;
}

static sf_count_t tell(void *arg)
{
	return ((struct file *)arg)->at;
}

static sf_count_t get(void *dst, sf_count_t n, void *arg)
{
	struct file *f = arg;
	sf_count_t left = length(f) - f->at;
	const uint8_t *from = f->out ? f->out->p + f->from : f->in;
	if (left <= 0 || n <= 0)
		return 0;
	if (n > left)
		n = left;
	memcpy(dst, from + f->at, (size_t)n);
	f->at += n;
	return n;
}

/* Over what stands there (heads are written last), then behind it. */
static sf_count_t put(const void *src, sf_count_t n, void *arg)
{
	struct file *f = arg;
	sf_count_t over = length(f) - f->at;
	if (!f->out || n <= 0 || over < 0)
		return 0;
	if (over > n)
		over = n;
	if (over)
		memcpy(f->out->p + f->from + f->at, src, (size_t)over);
	if (n > over && buf_put(f->out, (const uint8_t *)src + over, (size_t)(n - over)))
		return over;
	f->at += n;
	return n;
}

static SF_VIRTUAL_IO in_memory = { length, seek, get, put, tell };

/* ---- making ---- */
static int encode(enum stored_form f, const int16_t *pcm, size_t n, unsigned rate, struct buf *out)
{
	struct file file = { .out = out, .from = out->n };
	SF_INFO info = { .samplerate = (int)rate, .channels = 1, .format = forms[f].format };
	double level = f == STORED_OPUS ? OPUS_LEVEL : MP3_LEVEL;
	SNDFILE *s = sf_format_check(&info) ? sf_open_virtual(&in_memory, SFM_WRITE, &info, &file) : NULL;
	if (!s)
		return buf_error(out) ? buf_error(out) : ENOTSUP;
	sf_command(s, SFC_SET_COMPRESSION_LEVEL, &level, sizeof level);
	bool whole = sf_writef_short(s, pcm, (sf_count_t)n) == (sf_count_t)n;
	whole = !sf_close(s) && whole;
	return buf_error(out) ? buf_error(out) : whole ? 0 : EIO;
}

static int put_samples(enum stored_form f, const int16_t *pcm, size_t n, struct buf *out)
{
	size_t bytes = n * forms[f].width;
	uint8_t *p = buf_reserve(out, bytes);
	if (!p)
		return buf_error(out);
	if (forms[f].width == 1)
		g711_encode(f == STORED_PCMA ? MEDIA_PCMA : MEDIA_PCMU, p, pcm, n);
	for (size_t i = 0; forms[f].width == 2 && i < n; i++) {
		p[2 * i] = (uint8_t)pcm[i];
		p[2 * i + 1] = (uint8_t)((uint16_t)pcm[i] >> 8);
	}
	buf_grew(out, bytes);
	return 0;
}

int stored_make(enum stored_form f, const int16_t *pcm, size_t n, unsigned rate, struct buf *out)
{
	if (!n || n / rate > STORED_SECONDS_MAX || (unsigned)f >= STORED_FORMS)
		return EINVAL;
	if (!forms[f].width)
		return encode(f, pcm, n, rate, out);
	if (forms[f].rate == rate)
		return put_samples(f, pcm, n, out);
	size_t n_other = n * forms[f].rate / rate;
	int16_t *other = mem_alloc((n_other + 1) * sizeof *other);
	int err = other ? codec_resample(pcm, n, rate, other, forms[f].rate) : ENOMEM;
	if (!err)
		err = put_samples(f, other, n_other, out);
	mem_free(other);
	return err;
}

/* ---- reading ---- */
static int decode(const uint8_t *p, size_t n, int16_t **pcm, size_t *n_samples, unsigned *rate)
{
	struct file file = { .in = p, .n_in = n };
	SF_INFO info = { 0 };
	SNDFILE *s = sf_open_virtual(&in_memory, SFM_READ, &info, &file);
	if (!s)
		return EBADMSG;
	bool good = info.channels == 1 && (info.samplerate == MEDIA_RATE || info.samplerate == MEDIA_RATE_WIDE) && info.frames > 0 &&
		info.frames / info.samplerate <= STORED_SECONDS_MAX;
	int16_t *v = good ? mem_alloc((size_t)info.frames * sizeof *v) : NULL;
	sf_count_t got = v ? sf_readf_short(s, v, info.frames) : 0;
	sf_close(s);
	if (got <= 0) {
		mem_free(v);
		return good && !v ? ENOMEM : EBADMSG;
	}
	*pcm = v;
	*n_samples = (size_t)got;
	*rate = (unsigned)info.samplerate;
	return 0;
}

int stored_read(enum stored_form f, const uint8_t *p, size_t n, int16_t **pcm, size_t *n_samples, unsigned *rate)
{
	if ((unsigned)f >= STORED_FORMS)
		return EBADMSG;
	if (!forms[f].width)
		return decode(p, n, pcm, n_samples, rate);
	size_t samples = n / forms[f].width;
	if (!samples || n % forms[f].width)
		return EBADMSG;
	int16_t *v = mem_alloc(samples * sizeof *v);
	if (!v)
		return ENOMEM;
	if (forms[f].width == 1)
		g711_decode(f == STORED_PCMA ? MEDIA_PCMA : MEDIA_PCMU, v, p, samples);
	for (size_t i = 0; forms[f].width == 2 && i < samples; i++)
		v[i] = (int16_t)(uint16_t)(p[2 * i] | p[2 * i + 1] << 8);
	*pcm = v;
	*n_samples = samples;
	*rate = forms[f].rate;
	return 0;
}

/* ---- files for people ---- */
static void put32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

int stored_wav(const int16_t *pcm, size_t n, unsigned rate, struct buf *out)
{
	uint8_t head[WAV_HEAD] = "RIFF....WAVEfmt \x10\0\0\0\1\0\1\0....";
	if (n > (UINT32_MAX - WAV_HEAD) / 2)
		return EINVAL;
	put32(head + 4, (uint32_t)(WAV_HEAD - 8 + n * 2));
	put32(head + 24, rate);
	put32(head + 28, rate * 2);
	head[32] = 2;
	head[34] = 16;
	memcpy(head + 36, "data", 4);
	put32(head + 40, (uint32_t)(n * 2));
	int err = buf_put(out, head, sizeof head);
	return err ? err : put_samples(STORED_L16, pcm, n, out);
}

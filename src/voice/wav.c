/* SPDX-License-Identifier: Apache-2.0 */
/* wav.c  WAV files. */
#include "voice/wav.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "media/g711.h"

enum { FORMAT_PCM = 1, FORMAT_ALAW = 6, FORMAT_ULAW = 7, TAPS = 63 };

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int check_fmt(struct wav_sound *s, const uint8_t *p, size_t n)
{
	if (n < 16)
		return EBADMSG;
	*s = (struct wav_sound){ .format = get16(p), .channels = get16(p + 2), .rate = get32(p + 4), .bits = get16(p + 14) };
	bool pcm = s->format == FORMAT_PCM && s->bits == 16;
	bool law = (s->format == FORMAT_ALAW || s->format == FORMAT_ULAW) && s->bits == 8;
	return (!pcm && !law) || s->channels < 1 || s->channels > 2 ? ENOTSUP : 0;
}

static int16_t sample(const struct wav_sound *s, const uint8_t *p)
{
	return s->format == FORMAT_PCM ? (int16_t)get16(p) : g711_table(s->format == FORMAT_ALAW ? MEDIA_PCMA : MEDIA_PCMU)[*p];
}

int16_t wav_frame(const struct wav_sound *s, size_t i)
{
	size_t width = s->bits / 8u;
	const uint8_t *p = s->data + i * width * s->channels;
	int v = sample(s, p);
	return (int16_t)(s->channels == 2 ? (v + sample(s, p + width)) / 2 : v);
}

int wav_open(struct wav_sound *s, const uint8_t *p, size_t n)
{
	struct wav_sound got = { 0 };
	if (n < 12 || memcmp(p, "RIFF", 4) || memcmp(p + 8, "WAVE", 4))
		return EBADMSG;
	p += 12; /* the length in the head is often wrong in streamed files: the file's own end counts */
	n -= 12;
	while (n >= 8) {
		uint32_t size = get32(p + 4);
		const uint8_t *body = p + 8;
		size_t left = n - 8;
		if (!memcmp(p, "fmt ", 4)) {
			if (size > left)
				return EBADMSG;
			int err = check_fmt(&got, body, size);
			if (err)
				return err;
		} else if (!memcmp(p, "data", 4)) {
			if (!got.channels)
				return EBADMSG;
			got.data = body;
			got.frames = (size < left ? size : left) / (got.bits / 8u * got.channels);
			*s = got;
			return 0;
		} else if (size > left) {
			return EBADMSG;
		}
		size_t step = (size_t)size + (size & 1);
		if (step > left)
			break;
		p = body + step;
		n = left - step;
	}
	return EBADMSG;
}

int wav_parse(const uint8_t *p, size_t n, int16_t **out, size_t *n_out)
{
	struct wav_sound s;
	int err = wav_open(&s, p, n);
	if (!err && s.rate != 8000 && s.rate != 16000)
		err = ENOTSUP;
	int16_t *pcm = err ? NULL : mem_alloc((s.frames ? s.frames : 1) * sizeof *pcm);
	if (!pcm)
		return err ? err : ENOMEM;
	for (size_t i = 0; i < s.frames; i++)
		pcm[i] = wav_frame(&s, i);
	if (s.rate == 16000 && s.frames) {
		int16_t *half = mem_alloc((s.frames + 1) / 2 * sizeof *half);
		if (!half) {
			mem_free(pcm);
			return ENOMEM;
		}
		s.frames = wav_halve(half, pcm, s.frames);
		mem_free(pcm);
		pcm = half;
	}
	*out = pcm;
	*n_out = s.frames;
	return 0;
}

static int read_all(int fd, uint8_t *p, size_t n)
{
	while (n) {
		ssize_t got = read(fd, p, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? errno : EBADMSG;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

int wav_read(const char *path, int16_t **pcm, size_t *n_samples)
{
	struct stat st;
	uint8_t *p = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int err = fstat(fd, &st) ? errno : !S_ISREG(st.st_mode) ? EBADMSG : st.st_size > WAV_FILE_MAX ? EFBIG : 0;
	if (!err && !(p = mem_alloc((size_t)st.st_size)))
		err = ENOMEM;
	if (!err)
		err = read_all(fd, p, (size_t)st.st_size);
	close(fd);
	if (!err)
		err = wav_parse(p, (size_t)st.st_size, pcm, n_samples);
	mem_free(p);
	return err;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

int wav_write(const char *path, const int16_t *pcm, size_t n)
{
	uint8_t head[44] = "RIFF....WAVEfmt \x10\0\0\0\1\0\1\0....";
	if (n > (UINT32_MAX - sizeof head) / 2)
		return EFBIG;
	put32(head + 4, (uint32_t)(36 + n * 2));
	put32(head + 24, MEDIA_RATE);
	put32(head + 28, MEDIA_RATE * 2);
	head[32] = 2;
	head[34] = 16;
	memcpy(head + 36, "data", 4);
	put32(head + 40, (uint32_t)(n * 2));
	FILE *f = fopen(path, "wbe");
	if (!f)
		return errno;
	bool ok = fwrite(head, sizeof head, 1, f) == 1 && fwrite(pcm, 2, n, f) == n;
	int err = ok ? 0 : errno ? errno : EIO;
	if (fclose(f) && !err)
		err = errno;
	return err;
}

size_t wav_halve(int16_t *dst, const int16_t *src, size_t n)
{
	/* windowed sinc (Hamming), cut-off 3.6 of 16 kHz, made each time: it costs less than a millisecond of sound */
	float tap[TAPS], sum = 0;
	for (int i = 0; i < TAPS; i++) {
		double x = i - TAPS / 2, angle = 2 * 3.14159265358979 * 3600 / 16000 * x;
		double sinc = i == TAPS / 2 ? 1 : sin(angle) / angle, window = 0.54 + 0.46 * cos(2 * 3.14159265358979 * x / (TAPS - 1));
		tap[i] = (float)(sinc * window);
		sum += tap[i];
	}
	size_t out = 0;
	for (size_t at = 0; at < n; at += 2, out++) {
		float v = 0;
		for (size_t i = 0; i < TAPS; i++) {
			size_t k = at + i;
			if (k >= TAPS / 2 && k - TAPS / 2 < n)
				v += tap[i] * (float)src[k - TAPS / 2];
		}
		v /= sum;
		dst[out] = (int16_t)lrintf(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
	}
	return out;
}

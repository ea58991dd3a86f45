/* SPDX-License-Identifier: Apache-2.0 */
/* load.c  Recordings of packages: G.722, wave files, bare samples. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <spandsp.h>
#include "base/mem.h"
#include "channel.h"

enum { FILE_MAX = 64 << 20, WAVE_RATE = 16000 };

static int read_all(uint8_t **p, size_t *n, const char *path)
{
	FILE *f = fopen(path, "rbe");
	if (!f)
		return errno;
	int err = fseek(f, 0, SEEK_END) ? errno : 0;
	long size = ftell(f);
	rewind(f);
	if (!err && (size < 0 || size > FILE_MAX))
		err = EFBIG;
	*p = err ? NULL : mem_alloc((size_t)size + 1);
	if (!err && !*p)
		err = ENOMEM;
	if (!err && fread(*p, 1, (size_t)size, f) != (size_t)size)
		err = EIO;
	fclose(f);
	if (err)
		mem_free(*p);
	*n = (size_t)size;
	return err;
}

static int from_g722(struct sound *out, const uint8_t *p, size_t n)
{
	g722_decode_state_t *state = g722_decode_init(NULL, 64000, 0);
	int16_t *pcm = mem_alloc((2 * n + 1) * sizeof *pcm);
	out->x = mem_alloc((2 * n + 1) * sizeof *out->x);
	int got = state && pcm && out->x ? g722_decode(state, pcm, p, (int)n) : -1;
	out->n = got > 0 ? (size_t)got : 0;
	for (size_t i = 0; i < out->n; i++)
		out->x[i] = pcm[i];
	if (state)
		g722_decode_free(state);
	mem_free(pcm);
	if (got < 0)
		mem_free(out->x);
	return got < 0 ? ENOMEM : 0;
}

static int from_samples(struct sound *out, const uint8_t *p, size_t n)
{
	out->n = n / 2;
	out->x = mem_alloc((out->n + 1) * sizeof *out->x);
	for (size_t i = 0; out->x && i < out->n; i++)
		out->x[i] = (int16_t)(p[2 * i] | p[2 * i + 1] << 8);
	return out->x ? 0 : ENOMEM;
}

static uint32_t u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int from_wave(struct sound *out, const uint8_t *p, size_t n)
{
	bool fits = false;
	if (n < 12 || memcmp(p, "RIFF", 4) || memcmp(p + 8, "WAVE", 4))
		return EPROTO;
	for (size_t at = 12; at + 8 <= n;) {
		size_t size = u32(p + at + 4), room = n - at - 8;
		const uint8_t *body = p + at + 8;
		size = size < room ? size : room;
		if (!memcmp(p + at, "fmt ", 4) && size >= 16)
			fits = body[0] == 1 && body[2] == 1 && u32(body + 4) == WAVE_RATE && body[14] == 16;
		if (!memcmp(p + at, "data", 4))
			return fits ? from_samples(out, body, size) : EPROTO;
		at += 8 + size + (size & 1);
	}
	return EPROTO;
}

int sound_load(struct sound *out, const char *path)
{
	uint8_t *p;
	size_t n, length = strlen(path);
	int err = read_all(&p, &n, path);
	if (err)
		return err;
	if (length > 5 && !strcmp(path + length - 5, ".g722"))
		err = from_g722(out, p, n);
	else if (length > 4 && !strcmp(path + length - 4, ".wav"))
		err = from_wave(out, p, n);
	else
		err = from_samples(out, p, n);
	mem_free(p);
	return err;
}

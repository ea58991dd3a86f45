/* SPDX-License-Identifier: Apache-2.0 */
/* g711.c  The laws by their definition (segments of G.711), kept in tables. */
#include "media/g711.h"
#include <pthread.h>

enum { ULAW_BIAS = 132, ULAW_CLIP = 32635 };

static struct {
	int16_t linear[2][256];
	float square[2][256];
	uint8_t cross[2][256];
} tables;
static pthread_once_t once = PTHREAD_ONCE_INIT;

uint8_t g711_encode_ulaw(int16_t pcm)
{
	int v = pcm, sign = 0;
	if (v < 0) {
		v = -v;
		sign = 0x80;
	}
	if (v > ULAW_CLIP)
		v = ULAW_CLIP;
	v += ULAW_BIAS;
	int seg = 7;
	while (seg > 0 && !(v & (0x80 << seg)))
		seg--;
	return (uint8_t)~(sign | seg << 4 | ((v >> (seg + 3)) & 0x0f));
}

uint8_t g711_encode_alaw(int16_t pcm)
{
	int v = pcm >> 3, mask = 0xd5; /* 13 bits; even bits inverted, sign bit 1 for positive */
	if (v < 0) {
		v = -v - 1;
		mask = 0x55;
	}
	int seg = 7;
	while (seg > 0 && !(v & (0x10 << seg)))
		seg--;
	int bits = seg ? seg << 4 | ((v >> seg) & 0x0f) : (v >> 1) & 0x0f;
	return (uint8_t)(bits ^ mask);
}

static int16_t decode_ulaw(uint8_t u)
{
	u = (uint8_t)~u;
	int v = (((u & 0x0f) << 3) + ULAW_BIAS) << ((u & 0x70) >> 4);
	return (int16_t)(u & 0x80 ? ULAW_BIAS - v : v - ULAW_BIAS);
}

static int16_t decode_alaw(uint8_t a)
{
	a ^= 0x55;
	int v = (a & 0x0f) << 4, seg = (a & 0x70) >> 4;
	v += seg ? 0x108 : 8;
	if (seg > 1)
		v <<= seg - 1;
	return (int16_t)(a & 0x80 ? v : -v);
}

static void make_tables(void)
{
	for (unsigned i = 0; i < 256; i++) {
		int16_t u = decode_ulaw((uint8_t)i), a = decode_alaw((uint8_t)i);
		tables.linear[0][i] = u;
		tables.linear[1][i] = a;
		tables.square[0][i] = (float)u * (float)u;
		tables.square[1][i] = (float)a * (float)a;
		tables.cross[0][i] = g711_encode_alaw(u);
		tables.cross[1][i] = g711_encode_ulaw(a);
	}
}

const int16_t *g711_table(enum media_codec law)
{
	pthread_once(&once, make_tables);
	return tables.linear[law == MEDIA_PCMA];
}

const float *g711_squares(enum media_codec law)
{
	pthread_once(&once, make_tables);
	return tables.square[law == MEDIA_PCMA];
}

const uint8_t *g711_cross(enum media_codec from)
{
	pthread_once(&once, make_tables);
	return tables.cross[from == MEDIA_PCMA];
}

void g711_encode(enum media_codec law, uint8_t *dst, const int16_t *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = law == MEDIA_PCMA ? g711_encode_alaw(pcm[i]) : g711_encode_ulaw(pcm[i]);
}

void g711_decode(enum media_codec law, int16_t *dst, const uint8_t *src, size_t n)
{
	const int16_t *t = g711_table(law);
	for (size_t i = 0; i < n; i++)
		dst[i] = t[src[i]];
}

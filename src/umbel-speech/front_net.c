/* SPDX-License-Identifier: Apache-2.0 */
/* front_net.c  The network: its numbers, its file, and one pass through it. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include "base/hash.h"
#include "base/mem.h"
#include "umbel-speech/front_matrix.h"
#include "umbel-speech/front_net.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file's numbers are copied as they are");

enum { MAGIC_BYTES = 8, BLOCK = 64 };
static const char magic[MAGIC_BYTES] = { 'U', 'M', 'B', 'E', 'L', 'E', 'A', 'R' };
static const float number_max = 1e6f; /* nothing that was learnt is near it; whatever is beyond would overflow a sum */

struct head {
	char magic[MAGIC_BYTES];
	uint32_t version, bands, context, hidden1, hidden2, cepstra;
};

static uint64_t checksum(const void *p, size_t n)
{
	static const uint8_t key[16];
	return hash_siphash(key, p, n);
}

static bool hidden_fits(unsigned n)
{
	return n && n <= NET_HIDDEN_MAX && n % MATRIX_LANES == 0;
}

static float *take(float **at, size_t n)
{
	float *p = *at;
	*at += n;
	return p;
}

int net_create(struct net **np, unsigned context, unsigned hidden1, unsigned hidden2)
{
	if (context > NET_CONTEXT_MAX || !hidden_fits(hidden1) || !hidden_fits(hidden2))
		return EINVAL;
	struct net *n = mem_zalloc(1, sizeof *n);
	if (!n)
		return ENOMEM;
	size_t in = (2 * (size_t)context + 1) * MEL_BANDS;
	*n = (struct net){ .context = context, .hidden1 = hidden1, .hidden2 = hidden2, .in = in };
	n->count = MEL_BANDS + (in + 1) * hidden1 + ((size_t)hidden1 + 1) * hidden2 + ((size_t)hidden2 + 1 + in + 1) * NET_OUT_ROOM;
	float *at = n->numbers = mem_zalloc(n->count, sizeof *n->numbers);
	if (!at) {
		mem_free(n);
		return ENOMEM;
	}
	n->in_scale = take(&at, MEL_BANDS);
	n->w1 = take(&at, in * hidden1), n->b1 = take(&at, hidden1);
	n->w2 = take(&at, (size_t)hidden1 * hidden2), n->b2 = take(&at, hidden2);
	n->w3 = take(&at, (size_t)hidden2 * NET_OUT_ROOM), n->b3 = take(&at, NET_OUT_ROOM);
	n->skip = take(&at, in * NET_OUT_ROOM);
	n->out_scale = take(&at, NET_OUT_ROOM);
	*np = n;
	return 0;
}

void net_destroy(struct net *n)
{
	if (n)
		mem_free(n->numbers);
	mem_free(n);
}

static bool sane(const struct net *n)
{
	for (size_t i = 0; i < n->count; i++)
		if (!(fabsf(n->numbers[i]) <= number_max)) /* as written, so that NaN fails too */
			return false;
	return true;
}

int net_parse(struct net **np, const void *file, size_t size)
{
	struct head h;
	struct net *n;
	uint64_t sum;
	if (size < sizeof h + sizeof sum || size > NET_FILE_MAX)
		return EPROTO;
	memcpy(&h, file, sizeof h);
	if (memcmp(h.magic, magic, sizeof magic) || h.version != NET_VERSION || h.bands != MEL_BANDS || h.cepstra != NET_OUT)
		return EPROTO;
	int err = net_create(&n, h.context, h.hidden1, h.hidden2);
	if (err)
		return err == EINVAL ? EPROTO : err;
	size_t bytes = n->count * sizeof *n->numbers;
	if (size != sizeof h + bytes + sizeof sum) {
		net_destroy(n);
		return EPROTO;
	}
	memcpy(n->numbers, (const char *)file + sizeof h, bytes);
	memcpy(&sum, (const char *)file + size - sizeof sum, sizeof sum);
	if (sum != checksum(file, size - sizeof sum) || !sane(n)) {
		net_destroy(n);
		return EPROTO;
	}
	*np = n;
	return 0;
}

int net_print(const struct net *n, void **file, size_t *size)
{
	struct head h = { .version = NET_VERSION, .bands = MEL_BANDS, .context = n->context, .hidden1 = n->hidden1, .hidden2 = n->hidden2, .cepstra = NET_OUT };
	size_t bytes = n->count * sizeof *n->numbers, all = sizeof h + bytes + sizeof(uint64_t);
	char *f = mem_alloc(all);
	if (!f)
		return ENOMEM;
	memcpy(h.magic, magic, sizeof magic);
	memcpy(f, &h, sizeof h);
	memcpy(f + sizeof h, n->numbers, bytes);
	uint64_t sum = checksum(f, sizeof h + bytes);
	memcpy(f + sizeof h + bytes, &sum, sizeof sum);
	*file = f;
	*size = all;
	return 0;
}

void net_input(const struct net *n, float *in, const float *bands, size_t frames, size_t at)
{
	for (size_t i = 0; i < 2 * (size_t)n->context + 1; i++) {
		size_t f = at + i < n->context ? 0 : at + i - n->context;
		f = f < frames ? f : frames - 1;
		for (size_t b = 0; b < MEL_BANDS; b++)
			in[i * MEL_BANDS + b] = bands[f * MEL_BANDS + b] * n->in_scale[b];
	}
}

/* y = x * w + bias, and what is below zero becomes zero where that is asked for. */
static void layer(float *y, const float *x, const float *w, const float *bias, size_t rows, size_t in, size_t out, bool rectify)
{
	matrix_multiply(y, x, w, rows, in, out, in, 1, false);
	for (size_t r = 0; r < rows; r++)
		for (size_t j = 0; j < out; j++) {
			float v = y[r * out + j] + bias[j];
			y[r * out + j] = rectify && v < 0 ? 0 : v;
		}
}

int net_apply(const struct net *n, const float *bands, size_t frames, float (*out)[NET_OUT])
{
	size_t a_frame = n->in + n->hidden1 + n->hidden2 + NET_OUT_ROOM;
	float *x = mem_alloc(BLOCK * a_frame * sizeof *x);
	if (!x)
		return ENOMEM;
	float *y1 = x + BLOCK * n->in, *y2 = y1 + BLOCK * n->hidden1, *y3 = y2 + BLOCK * n->hidden2;
	for (size_t first = 0; first < frames; first += BLOCK) {
		size_t rows = frames - first < BLOCK ? frames - first : BLOCK;
		for (size_t r = 0; r < rows; r++)
			net_input(n, x + r * n->in, bands, frames, first + r);
		layer(y1, x, n->w1, n->b1, rows, n->in, n->hidden1, true);
		layer(y2, y1, n->w2, n->b2, rows, n->hidden1, n->hidden2, true);
		layer(y3, y2, n->w3, n->b3, rows, n->hidden2, NET_OUT_ROOM, false);
		matrix_multiply(y3, x, n->skip, rows, n->in, NET_OUT_ROOM, n->in, 1, true);
		for (size_t r = 0; r < rows; r++)
			for (size_t k = 0; k < NET_OUT; k++)
				out[first + r][k] = y3[r * NET_OUT_ROOM + k] * n->out_scale[k];
	}
	mem_free(x);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/hash.h"
#include "base/mem.h"
#include "umbel-speech/front.h"
#include "umbel-speech/front_matrix.h"
#include "umbel-speech/front_net.h"

enum { CONTEXT = 2, H1 = 32, H2 = 16, FRAMES = 131 };

static uint32_t state_of_chance;

static float some(void)
{
	state_of_chance = state_of_chance * 1664525u + 1013904223u;
	return (float)(state_of_chance >> 8) / (1 << 23) - 1;
}

static struct net *a_net(void)
{
	struct net *n;
	state_of_chance = 7;
	if (net_create(&n, CONTEXT, H1, H2))
		return NULL;
	for (size_t i = 0; i < n->count; i++)
		n->numbers[i] = some();
	return n;
}

/* One frame, as the formula is written. */
static void by_hand(const struct net *n, const float *bands, size_t at, double out[NET_OUT])
{
	float in[(2 * CONTEXT + 1) * MEL_BANDS];
	double y1[H1], y2[H2];
	for (int i = 0; i < 2 * CONTEXT + 1; i++)
		for (int b = 0; b < MEL_BANDS; b++) {
			long f = (long)at + i - CONTEXT;
			f = f < 0 ? 0 : f >= FRAMES ? FRAMES - 1 : f;
			in[i * MEL_BANDS + b] = bands[f * MEL_BANDS + b] * n->in_scale[b];
		}
	for (int j = 0; j < H1; j++) {
		y1[j] = (double)n->b1[j];
		for (size_t i = 0; i < n->in; i++)
			y1[j] += (double)in[i] * (double)n->w1[i * H1 + (size_t)j];
		y1[j] = fmax(y1[j], 0);
	}
	for (int j = 0; j < H2; j++) {
		y2[j] = (double)n->b2[j];
		for (int i = 0; i < H1; i++)
			y2[j] += y1[i] * (double)n->w2[i * H2 + j];
		y2[j] = fmax(y2[j], 0);
	}
	for (int k = 0; k < NET_OUT; k++) {
		out[k] = (double)n->b3[k];
		for (int i = 0; i < H2; i++)
			out[k] += y2[i] * (double)n->w3[i * NET_OUT_ROOM + k];
		for (size_t i = 0; i < n->in; i++)
			out[k] += (double)in[i] * (double)n->skip[i * NET_OUT_ROOM + (size_t)k];
		out[k] *= (double)n->out_scale[k];
	}
}

static void it_computes_what_is_written(void **state)
{
	(void)state;
	static float bands[FRAMES * MEL_BANDS], out[FRAMES][NET_OUT];
	struct net *n = a_net();
	assert_non_null(n);
	for (size_t i = 0; i < FRAMES * MEL_BANDS; i++)
		bands[i] = some();
	assert_int_equal(net_apply(n, bands, FRAMES, out), 0);
	for (size_t f = 0; f < FRAMES; f++) { /* more than a block, and edges */
		double want[NET_OUT];
		by_hand(n, bands, f, want);
		for (int k = 0; k < NET_OUT; k++)
			assert_true(fabs((double)out[f][k] - want[k]) < 1e-3 * (1 + fabs(want[k])));
	}
	net_destroy(n);
}

static void a_product_is_that_of_the_formula(void **state)
{
	(void)state;
	enum { M = 7, K = 5, N = 32 };
	float a[M * K], t[K * M], b[K * N], c[M * N], d[M * N];
	state_of_chance = 3;
	for (int i = 0; i < M; i++)
		for (int k = 0; k < K; k++)
			t[k * M + i] = a[i * K + k] = some();
	for (int i = 0; i < K * N; i++)
		b[i] = some();
	matrix_multiply(c, a, b, M, K, N, K, 1, false);
	matrix_multiply(d, t, b, M, K, N, 1, M, false); /* the same, stored the other way round */
	assert_memory_equal(c, d, sizeof c);
	matrix_multiply(d, a, b, M, K, N, K, 1, true);
	for (int i = 0; i < M; i++)
		for (int j = 0; j < N; j++) {
			float sum = 0;
			for (int k = 0; k < K; k++)
				sum += a[i * K + k] * b[k * N + j];
			assert_true(fabsf(c[i * N + j] - sum) < 1e-5f);
			assert_true(fabsf(d[i * N + j] - 2 * sum) < 1e-5f);
		}
}

static void a_file_is_what_was_printed(void **state)
{
	(void)state;
	struct net *n = a_net(), *again;
	void *file, *file2;
	size_t size, size2;
	assert_int_equal(net_print(n, &file, &size), 0);
	assert_int_equal(net_parse(&again, file, size), 0);
	assert_memory_equal(n->numbers, again->numbers, n->count * sizeof *n->numbers);
	assert_int_equal(net_print(again, &file2, &size2), 0);
	assert_int_equal(size, size2);
	assert_memory_equal(file, file2, size);
	mem_free(file);
	mem_free(file2);
	net_destroy(n);
	net_destroy(again);
	net_destroy(NULL);
}

static void sum_again(char *file, size_t size)
{
	static const uint8_t key[16];
	uint64_t sum = hash_siphash(key, file, size - sizeof sum);
	memcpy(file + size - sizeof sum, &sum, sizeof sum);
}

static void damage_is_seen(void **state)
{
	(void)state;
	struct net *n = a_net(), *again;
	void *p;
	size_t size;
	const float bad[] = { NAN, INFINITY, -INFINITY, 2e6f };
	const uint32_t dimension[][2] = { { 8, 2 }, { 12, 23 }, { 16, 13 }, { 16, UINT32_MAX }, { 20, 0 }, { 20, 33 }, { 20, 2048 }, { 24, 0 }, { 24, 48 }, { 28, 12 } };
	assert_int_equal(net_print(n, &p, &size), 0);
	char *file = p, byte;
	for (size_t i = 0; i < size; i += size / 50) {
		assert_int_equal(net_parse(&again, file, i), EPROTO);
		byte = file[i];
		file[i] ^= 0x10;
		assert_int_equal(net_parse(&again, file, size), EPROTO);
		file[i] = byte;
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) { /* the sum is right, the number is not */
		float good;
		memcpy(&good, file + 400, sizeof good);
		memcpy(file + 400, &bad[i], sizeof good);
		sum_again(file, size);
		assert_int_equal(net_parse(&again, file, size), EPROTO);
		memcpy(file + 400, &good, sizeof good);
	}
	for (size_t i = 0; i < sizeof dimension / sizeof *dimension; i++) {
		uint32_t good;
		memcpy(&good, file + dimension[i][0], sizeof good);
		memcpy(file + dimension[i][0], &dimension[i][1], sizeof good);
		sum_again(file, size);
		assert_int_equal(net_parse(&again, file, size), EPROTO);
		memcpy(file + dimension[i][0], &good, sizeof good);
	}
	sum_again(file, size);
	assert_int_equal(net_parse(&again, file, size), 0);
	net_destroy(again);
	net_destroy(n);
	mem_free(file);
}

static void write_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
}

static int hear(void *path)
{
	static int16_t pcm[8000];
	struct front *f;
	float(*cep)[FRONT_CEPSTRA];
	size_t frames;
	for (size_t i = 0; i < 8000; i++)
		pcm[i] = (int16_t)(8000 * sin(0.3 * (double)i) * (i > 2000));
	int err = front_open(&f, path);
	if (err)
		return err;
	err = front_cepstra(f, pcm, 8000, &cep, &frames);
	if (!err) {
		assert_int_equal(frames, mel_count(8000));
		assert_string_equal(front_name(f), "trained");
		mem_free(cep);
	}
	front_close(f);
	return err;
}

static void the_front_end_reads_it(void **state)
{
	(void)state;
	struct net *n = a_net();
	struct front *f;
	void *file;
	size_t size;
	char path[512];
	snprintf(path, sizeof path, "%s/model", ut_tmpdir());
	assert_int_equal(net_print(n, &file, &size), 0);
	write_file(path, file, size);
	assert_int_equal(hear(path), 0);
	ut_oom(hear, path);
	write_file(path, file, size - 1);
	assert_int_equal(front_open(&f, path), EPROTO);
	write_file(path, file, 0);
	assert_int_equal(front_open(&f, path), EPROTO);
	assert_int_equal(front_open(&f, "/nonexistent/model"), ENOENT);
	mem_free(file);
	net_destroy(n);
}

UT_MAIN(UT(it_computes_what_is_written), UT(a_product_is_that_of_the_formula), UT(a_file_is_what_was_printed), UT(damage_is_seen), UT(the_front_end_reads_it))

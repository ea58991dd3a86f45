/* SPDX-License-Identifier: Apache-2.0 */
/* adapt.c  Means and variances of a phonetically tied mixture model, from pairs of frames. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "adapt.h"
#include "base/mem.h"
#include "umbel-speech/front_matrix.h"

enum { STREAMS = 3, BOOKS_MAX = 256, DENSITIES_MAX = 512, BATCH = 64, EVERY = 3, AHEAD = 3 };
static const uint32_t byte_order = 0x11223344;
static const float least_variance = 1e-4f, share_min = 0.02f, faith = 20; /* faith: how many frames the old mean counts as */

struct densities { /* [book][stream][density][NET_OUT], as in the file */
	uint32_t books, n;
	float *mean, *variance;
	float *weights[STREAMS]; /* 2 * NET_OUT rows (x^2, x) by books * n: what a matrix product makes scores of */
	float *constant[STREAMS];
	double *count, *first, *second; /* gathered: by [book][stream][density], and the two moments with NET_OUT each */
};

static size_t at(const struct densities *d, size_t book, size_t stream, size_t density)
{
	return (book * STREAMS + stream) * d->n + density;
}

/* A file of the Sphinx-3 kind: a text head, the byte order, numbers of books, streams and densities, lengths, values. */
static int read_values(float **values, struct densities *d, const char *path)
{
	char line[128];
	uint32_t head[4], length[STREAMS + 1];
	FILE *f = fopen(path, "rbe");
	int err = f ? EPROTO : errno;
	while (f && fgets(line, sizeof line, f))
		if (strstr(line, "endhdr")) {
			err = 0;
			break;
		}
	if (!err && (fread(head, sizeof head, 1, f) != 1 || head[0] != byte_order || head[2] != STREAMS || head[1] > BOOKS_MAX || head[3] > DENSITIES_MAX ||
	             fread(length, sizeof length, 1, f) != 1 || length[0] != NET_OUT || length[1] != NET_OUT || length[2] != NET_OUT))
		err = EPROTO;
	if (!err && head[3] % MATRIX_LANES)
		err = EPROTO;
	size_t count = err ? 0 : (size_t)head[1] * STREAMS * head[3] * NET_OUT;
	if (!err && length[STREAMS] != count)
		err = EPROTO;
	*values = err ? NULL : mem_alloc(count * sizeof **values);
	if (!err && !*values)
		err = ENOMEM;
	if (!err && fread(*values, sizeof **values, count, f) != count)
		err = EPROTO;
	if (f)
		fclose(f);
	if (!err)
		d->books = head[1], d->n = head[3];
	return err;
}

/* Without the sum that the reader would check: the head says so. */
static int write_values(const float *values, const struct densities *d, const char *prefix, const char *what)
{
	char path[4096];
	const uint32_t count = d->books * STREAMS * d->n * NET_OUT, head[] = { byte_order, d->books, STREAMS, d->n, NET_OUT, NET_OUT, NET_OUT, count };
	snprintf(path, sizeof path, "%s.%s", prefix, what);
	FILE *f = fopen(path, "wbe");
	if (!f)
		return errno;
	fputs("s3\nversion 1.0\n          endhdr\n", f);
	int err = fwrite(head, sizeof head, 1, f) == 1 && fwrite(values, sizeof *values, count, f) == count ? 0 : EIO;
	return fclose(f) ? errno : err;
}

static int prepare(struct densities *d)
{
	size_t columns = (size_t)d->books * d->n, all = columns * STREAMS;
	d->count = mem_zalloc(all, sizeof *d->count);
	d->first = mem_zalloc(all * NET_OUT, sizeof *d->first);
	d->second = mem_zalloc(all * NET_OUT, sizeof *d->second);
	for (size_t s = 0; s < STREAMS; s++) {
		d->weights[s] = mem_alloc(2 * NET_OUT * columns * sizeof(float));
		d->constant[s] = mem_alloc(columns * sizeof(float));
		if (!d->count || !d->first || !d->second || !d->weights[s] || !d->constant[s])
			return ENOMEM;
		for (size_t c = 0; c < columns; c++) {
			const size_t i = at(d, c / d->n, s, c % d->n) * NET_OUT;
			double constant = 0;
			for (size_t k = 0; k < NET_OUT; k++) {
				float m = d->mean[i + k], v = fmaxf(d->variance[i + k], least_variance);
				d->weights[s][k * columns + c] = -0.5f / v;
				d->weights[s][(NET_OUT + k) * columns + c] = m / v;
				constant -= 0.5 * (log(2 * M_PI * (double)v) + (double)(m * m / v));
			}
			d->constant[s][c] = (float)constant;
		}
	}
	return 0;
}

static void release(struct densities *d)
{
	for (size_t s = 0; s < STREAMS; s++) {
		mem_free(d->weights[s]);
		mem_free(d->constant[s]);
	}
	mem_free(d->mean);
	mem_free(d->variance);
	mem_free(d->count);
	mem_free(d->first);
	mem_free(d->second);
}

/* Cepstra, their slope and its slope, as the recogniser takes them (1s_c_d_dd). */
static void features(float x[STREAMS][NET_OUT], const float (*cep)[NET_OUT], size_t f)
{
	for (size_t k = 0; k < NET_OUT; k++) {
		x[0][k] = cep[f][k];
		x[1][k] = cep[f + 2][k] - cep[f - 2][k];
		x[2][k] = (cep[f + 3][k] - cep[f - 1][k]) - (cep[f + 1][k] - cep[f - 3][k]);
	}
}

static void gather(struct densities *d, size_t i, double share, const float *x)
{
	d->count[i] += share;
	for (size_t k = 0; k < NET_OUT; k++) {
		d->first[i * NET_OUT + k] += share * (double)x[k];
		d->second[i * NET_OUT + k] += share * (double)(x[k] * x[k]);
	}
}

/* One frame: which books it may belong to, by the best density of each stream; within them, each density's share. */
static void assign(struct densities *d, const float *score[STREAMS], const float x[STREAMS][NET_OUT])
{
	float top[BOOKS_MAX][STREAMS], book[BOOKS_MAX], best = -1e30f, sum = 0;
	for (size_t b = 0; b < d->books; b++) {
		book[b] = 0;
		for (size_t s = 0; s < STREAMS; s++) {
			const float *v = score[s] + b * d->n;
			top[b][s] = v[0];
			for (size_t i = 1; i < d->n; i++)
				top[b][s] = v[i] > top[b][s] ? v[i] : top[b][s];
			book[b] += top[b][s];
		}
		best = book[b] > best ? book[b] : best;
	}
	for (size_t b = 0; b < d->books; b++)
		sum += book[b] = expf(book[b] - best);
	for (size_t b = 0; b < d->books; b++) {
		float share = book[b] / sum, e[DENSITIES_MAX];
		if (share < share_min)
			continue;
		for (size_t s = 0; s < STREAMS; s++) {
			const float *v = score[s] + b * d->n;
			float all = 0;
			for (size_t i = 0; i < d->n; i++)
				all += e[i] = v[i] - top[b][s] > -12 ? expf(v[i] - top[b][s]) : 0;
			for (size_t i = 0; i < d->n; i++)
				if (e[i] > share_min * all)
					gather(d, at(d, b, s, i), (double)(share * e[i] / all), x[s]);
		}
	}
}

struct pairs { /* a batch: wide features as (x^2, x), narrow ones, scores */
	float wide[STREAMS][BATCH * 2 * NET_OUT], narrow[BATCH][STREAMS][NET_OUT];
	float *score[STREAMS];
	size_t n;
};

static void work_off(struct densities *d, struct pairs *p)
{
	size_t columns = (size_t)d->books * d->n;
	for (size_t s = 0; s < STREAMS; s++) {
		for (size_t i = 0; i < p->n; i++)
			memcpy(p->score[s] + i * columns, d->constant[s], columns * sizeof(float));
		matrix_multiply(p->score[s], p->wide[s], d->weights[s], p->n, 2 * NET_OUT, columns, 2 * NET_OUT, 1, true);
	}
	for (size_t i = 0; i < p->n; i++) {
		const float *score[STREAMS] = { p->score[0] + i * columns, p->score[1] + i * columns, p->score[2] + i * columns };
		assign(d, score, p->narrow[i]);
	}
	p->n = 0;
}

static int listen(struct densities *d, struct pairs *p, const struct take *t, const struct net *n, struct chance *chance)
{
	float *bands = mem_alloc((t->frames + 1) * MEL_BANDS * sizeof *bands), x[STREAMS][NET_OUT];
	float(*got)[NET_OUT] = mem_alloc((t->frames + 1) * sizeof *got);
	int err = bands && got ? corpus_hear(bands, t, chance) : ENOMEM;
	if (!err)
		err = net_apply(n, bands, t->frames, got);
	for (size_t f = AHEAD + chance_u32(chance) % EVERY; !err && f + AHEAD < t->frames; f += EVERY) {
		features(x, (const float(*)[NET_OUT])t->want, f);
		for (size_t s = 0; s < STREAMS; s++)
			for (size_t k = 0; k < NET_OUT; k++) {
				p->wide[s][p->n * 2 * NET_OUT + k] = x[s][k] * x[s][k];
				p->wide[s][p->n * 2 * NET_OUT + NET_OUT + k] = x[s][k];
			}
		features(p->narrow[p->n], (const float(*)[NET_OUT])got, f);
		if (++p->n == BATCH)
			work_off(d, p);
	}
	mem_free(bands);
	mem_free(got);
	return err;
}

static void estimate(struct densities *d)
{
	size_t all = (size_t)d->books * STREAMS * d->n;
	for (size_t i = 0; i < all; i++)
		for (size_t k = 0; k < NET_OUT; k++) {
			float *m = &d->mean[i * NET_OUT + k], *v = &d->variance[i * NET_OUT + k];
			double n = d->count[i], old = (double)*m, sum = d->first[i * NET_OUT + k], square = d->second[i * NET_OUT + k];
			double mean = ((double)faith * old + sum) / ((double)faith + n);
			double spread = square - 2 * mean * sum + n * mean * mean;
			*v = (float)(((double)faith * (double)*v + spread) / ((double)faith + n));
			*m = (float)mean;
		}
}

static int run(struct densities *d, const struct corpus *c, const struct net *n, uint64_t seed)
{
	struct pairs *p = mem_zalloc(1, sizeof *p);
	int err = p ? 0 : ENOMEM;
	for (size_t s = 0; !err && s < STREAMS; s++)
		if (!(p->score[s] = mem_alloc((size_t)BATCH * d->books * d->n * sizeof(float))))
			err = ENOMEM;
	for (size_t i = 0; !err && i < c->recordings; i++) {
		struct chance chance = chance_of(seed + 77, i);
		err = listen(d, p, &c->takes[i * CORPUS_SPEEDS + chance_u32(&chance) % CORPUS_SPEEDS], n, &chance);
	}
	if (!err) {
		work_off(d, p);
		estimate(d);
	}
	for (size_t s = 0; p && s < STREAMS; s++)
		mem_free(p->score[s]);
	mem_free(p);
	return err;
}

int adapt_model(const struct corpus *c, const struct net *n, const char *model, const char *out, uint64_t seed)
{
	struct densities d = { 0 };
	char path[4096];
	snprintf(path, sizeof path, "%s/means", model);
	int err = read_values(&d.mean, &d, path);
	snprintf(path, sizeof path, "%s/variances", model);
	if (!err)
		err = read_values(&d.variance, &d, path);
	if (!err)
		err = prepare(&d);
	if (!err)
		err = run(&d, c, n, seed);
	if (!err)
		err = write_values(d.mean, &d, out, "means");
	if (!err)
		err = write_values(d.variance, &d, out, "variances");
	release(&d);
	return err;
}

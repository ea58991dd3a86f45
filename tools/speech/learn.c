/* SPDX-License-Identifier: Apache-2.0 */
/* learn.c  Forward, backward, Adam (D. Kingma and J. Ba, 2014). */
#include <errno.h>
#include <math.h>
#include <string.h>
#include "base/mem.h"
#include "learn.h"
#include "umbel-speech/front_matrix.h"

enum { N = LEARN_BATCH, OUT = NET_OUT_ROOM };
static const float beta1 = 0.9f, beta2 = 0.999f, tiny = 1e-8f, decay = 1e-6f;

struct learner {
	struct net *n, *slope, *mean, *square; /* same shape: the gradient and its two running means */
	float scale[OUT], *room;
	float *x, *y1, *y2, *y3, *want, *weight; /* N rows each */
	float *d1, *d2, *w2t, *w3t;              /* errors at the hidden layers; transposed weights */
	double power1, power2;
};

static void transpose(float *t, const float *w, size_t rows, size_t columns)
{
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < columns; j++)
			t[j * rows + i] = w[i * columns + j];
}

static void fill(float *w, size_t in, size_t out, float gain, struct chance *chance)
{
	float deviation = gain * sqrtf(2 / (float)in);
	for (size_t i = 0; i < in * out; i++)
		w[i] = deviation * chance_normal(chance);
}

static float *take(float **at, size_t n)
{
	float *p = *at;
	*at += n;
	return p;
}

static int make_room(struct learner *l)
{
	const struct net *n = l->n;
	size_t h1 = n->hidden1, h2 = n->hidden2, all = N * (n->in + 2 * h1 + 2 * h2 + OUT + NET_OUT + 1) + h1 * h2 + h2 * OUT;
	float *at = l->room = mem_zalloc(all, sizeof *at);
	if (!at)
		return ENOMEM;
	l->x = take(&at, N * n->in);
	l->y1 = take(&at, N * h1), l->d1 = take(&at, N * h1);
	l->y2 = take(&at, N * h2), l->d2 = take(&at, N * h2);
	l->y3 = take(&at, (size_t)N * OUT);
	l->want = take(&at, (size_t)N * NET_OUT), l->weight = take(&at, N);
	l->w2t = take(&at, h1 * h2), l->w3t = take(&at, h2 * OUT);
	return 0;
}

int learner_create(struct learner **lp, struct net *n, const float scale[NET_OUT], struct chance *chance)
{
	struct learner *l = mem_zalloc(1, sizeof *l);
	if (!l)
		return ENOMEM;
	l->n = n;
	l->power1 = l->power2 = 1;
	for (unsigned k = 0; k < NET_OUT; k++)
		l->scale[k] = 1 / scale[k];
	int err = net_create(&l->slope, n->context, n->hidden1, n->hidden2);
	if (!err)
		err = net_create(&l->mean, n->context, n->hidden1, n->hidden2);
	if (!err)
		err = net_create(&l->square, n->context, n->hidden1, n->hidden2);
	if (!err)
		err = make_room(l);
	if (err) {
		learner_destroy(l);
		return err;
	}
	fill(n->w1, n->in, n->hidden1, 1, chance);
	fill(n->w2, n->hidden1, n->hidden2, 1, chance);
	fill(n->w3, n->hidden2, OUT, 0.5f, chance);
	*lp = l;
	return 0;
}

void learner_destroy(struct learner *l)
{
	if (!l)
		return;
	net_destroy(l->slope);
	net_destroy(l->mean);
	net_destroy(l->square);
	mem_free(l->room);
	mem_free(l);
}

float *learner_in(struct learner *l)
{
	return l->x;
}

float *learner_want(struct learner *l)
{
	return l->want;
}

float *learner_weight(struct learner *l)
{
	return l->weight;
}

static void layer(float *y, const float *x, const float *w, const float *bias, size_t in, size_t out, bool rectify)
{
	matrix_multiply(y, x, w, N, in, out, in, 1, false);
	for (size_t r = 0; r < N; r++)
		for (size_t j = 0; j < out; j++) {
			float v = y[r * out + j] + bias[j];
			y[r * out + j] = rectify && v < 0 ? 0 : v;
		}
}

/* The error of the cepstra, in units of their own spread, becomes what y3 holds. */
static double judge(struct learner *l)
{
	double sum = 0, weights = 1e-9;
	for (size_t r = 0; r < N; r++) {
		float *y = l->y3 + r * OUT;
		for (size_t k = 0; k < NET_OUT; k++) {
			float e = (y[k] - l->want[r * NET_OUT + k]) * l->scale[k];
			sum += (double)(e * e * l->weight[r]);
			y[k] = e * l->scale[k] * l->weight[r] / N;
		}
		for (size_t k = NET_OUT; k < OUT; k++)
			y[k] = 0;
		weights += (double)l->weight[r];
	}
	return sum / weights / NET_OUT;
}

/* dw = x' d, db = the sum of d's rows. */
static void slope_of(float *w, float *bias, const float *x, const float *d, size_t in, size_t out)
{
	matrix_multiply(w, x, d, in, N, out, 1, in, false);
	memset(bias, 0, out * sizeof *bias);
	for (size_t r = 0; r < N; r++)
		for (size_t j = 0; j < out; j++)
			bias[j] += d[r * out + j];
}

/* d_below = d w', and nothing where the unit was at rest. */
static void pass_down(float *below, const float *d, const float *wt, const float *y, size_t out, size_t in)
{
	matrix_multiply(below, d, wt, N, out, in, out, 1, false);
	for (size_t i = 0; i < N * in; i++)
		below[i] = y[i] > 0 ? below[i] : 0;
}

static void update(struct learner *l, float rate)
{
	float *w = l->n->numbers, *g = l->slope->numbers, *m = l->mean->numbers, *v = l->square->numbers;
	l->power1 *= (double)beta1;
	l->power2 *= (double)beta2;
	float step = rate * (float)(sqrt(1 - l->power2) / (1 - l->power1));
	size_t from = MEL_BANDS, to = l->n->count - OUT; /* the scales are not learnt */
	for (size_t i = from; i < to; i++) {
		m[i] = beta1 * m[i] + (1 - beta1) * g[i];
		v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
		w[i] -= step * m[i] / (sqrtf(v[i]) + tiny) + rate * decay * w[i];
	}
}

double learner_step(struct learner *l, float rate)
{
	struct net *n = l->n, *g = l->slope;
	layer(l->y1, l->x, n->w1, n->b1, n->in, n->hidden1, true);
	layer(l->y2, l->y1, n->w2, n->b2, n->hidden1, n->hidden2, true);
	layer(l->y3, l->y2, n->w3, n->b3, n->hidden2, OUT, false);
	matrix_multiply(l->y3, l->x, n->skip, N, n->in, OUT, n->in, 1, true);
	double error = judge(l);
	slope_of(g->w3, g->b3, l->y2, l->y3, n->hidden2, OUT);
	matrix_multiply(g->skip, l->x, l->y3, n->in, N, OUT, 1, n->in, false);
	transpose(l->w3t, n->w3, n->hidden2, OUT);
	pass_down(l->d2, l->y3, l->w3t, l->y2, OUT, n->hidden2);
	slope_of(g->w2, g->b2, l->y1, l->d2, n->hidden1, n->hidden2);
	transpose(l->w2t, n->w2, n->hidden1, n->hidden2);
	pass_down(l->d1, l->d2, l->w2t, l->y1, n->hidden2, n->hidden1);
	slope_of(g->w1, g->b1, l->x, l->d1, n->in, n->hidden1);
	update(l, rate);
	return error;
}

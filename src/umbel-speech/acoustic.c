/* SPDX-License-Identifier: Apache-2.0 */
/* acoustic.c  What the scores are: for each stream of a frame (cepstra, their slope, its slope) the densities of the phone's book, weighted by the
 * senone; only the few best densities of a book count. */
#include "umbel-speech/acoustic.h"
#include <errno.h>
#include <math.h>
#include "base/mem.h"
#include "umbel-speech/acoustic_file.h"
#include "umbel-speech/front_matrix.h"

enum { BLOCK = 16, BEST = 8, BOOK_SENONES_MAX = 1024 };
/* A frame counts against a phone so much and no more: what an unusual voice or a click does there must not decide alone. And densities are a little wider
 * than speakers of the training needed. Both were chosen with calls that are not counted (docs/speech.md). */
static const float least_score = -25, wider = 1.2f;

struct acoustic {
	struct acoustic_file file;
	size_t columns;                    /* books * densities */
	float *of[ACOUSTIC_STREAMS];       /* 2 * FRONT_CEPSTRA rows (x^2, x) by columns: a product makes log likelihoods of it */
	float *constant[ACOUSTIC_STREAMS]; /* columns */
	uint16_t *order;                   /* senones by their book */
	size_t from[ACOUSTIC_BOOKS_MAX + 1];
	float *weight;                     /* as order: [book][stream][density][senones of the book] */
	float stay[ACOUSTIC_TRANSITIONS_MAX][ACOUSTIC_STATES], leave[ACOUSTIC_TRANSITIONS_MAX][ACOUSTIC_STATES];
};

static void acoustic_free(void *object)
{
	struct acoustic *a = object;
	for (unsigned s = 0; s < ACOUSTIC_STREAMS; s++) {
		mem_free(a->of[s]);
		mem_free(a->constant[s]);
	}
	mem_free(a->order);
	mem_free(a->weight);
	acoustic_file_free(&a->file);
}

/* ---- made ready ---- */
static int densities(struct acoustic *a)
{
	static const float least = 1e-4f;
	const struct acoustic_file *f = &a->file;
	a->columns = (size_t)f->books * f->densities;
	for (unsigned s = 0; s < ACOUSTIC_STREAMS; s++) {
		a->of[s] = mem_alloc(2 * FRONT_CEPSTRA * a->columns * sizeof(float));
		a->constant[s] = mem_alloc(a->columns * sizeof(float));
		if (!a->of[s] || !a->constant[s])
			return ENOMEM;
		for (size_t c = 0; c < a->columns; c++) {
			const size_t at = (((c / f->densities) * ACOUSTIC_STREAMS + s) * f->densities + c % f->densities) * FRONT_CEPSTRA;
			double constant = 0;
			for (size_t k = 0; k < FRONT_CEPSTRA; k++) {
				float m = f->mean[at + k], v = wider * fmaxf(f->variance[at + k], least);
				a->of[s][k * a->columns + c] = -0.5f / v;
				a->of[s][(FRONT_CEPSTRA + k) * a->columns + c] = m / v;
				constant -= 0.5 * (log(2 * M_PI * (double)v) + (double)(m * m / v));
			}
			a->constant[s][c] = (float)constant;
		}
	}
	return 0;
}

/* Each book's senones side by side, so that a density's weights for them are one row. */
static int weights(struct acoustic *a)
{
	const struct acoustic_file *f = &a->file;
	float table[256], *to;
	a->order = mem_alloc(f->senones * sizeof *a->order);
	a->weight = to = mem_alloc((size_t)ACOUSTIC_STREAMS * f->densities * f->senones * sizeof *a->weight);
	if (!a->order || !to)
		return ENOMEM;
	for (unsigned i = 0; i < 256; i++)
		table[i] = expf(-0.102395f * (float)i); /* 1024 ln 1.0001 */
	size_t n = 0;
	for (size_t b = 0; b < f->books; b++) {
		a->from[b] = n;
		for (size_t i = 0; i < f->senones; i++)
			if (f->book[i] == b)
				a->order[n++] = (uint16_t)i;
		if (n - a->from[b] > BOOK_SENONES_MAX)
			return EPROTO;
		for (size_t s = 0; s < ACOUSTIC_STREAMS; s++)
			for (size_t d = 0; d < f->densities; d++)
				for (size_t i = a->from[b]; i < n; i++)
					*to++ = table[f->weight[(s * f->densities + d) * f->senones + a->order[i]]];
	}
	a->from[f->books] = n;
	return n == f->senones ? 0 : EPROTO;
}

static int transitions(struct acoustic *a)
{
	for (unsigned t = 0; t < a->file.transitions; t++)
		for (unsigned i = 0; i < ACOUSTIC_STATES; i++) {
			const float *p = a->file.transition + (t * ACOUSTIC_STATES + i) * (ACOUSTIC_STATES + 1);
			float sum = p[i] + p[i + 1];
			if (!(p[i] > 0 && p[i + 1] > 0 && isfinite(sum)))
				return EPROTO;
			a->stay[t][i] = logf(p[i] / sum);
			a->leave[t][i] = logf(p[i + 1] / sum);
		}
	return 0;
}

int acoustic_open(struct acoustic **ap, const char *folder, const char *adapted)
{
	struct acoustic *a = mem_object(sizeof *a, acoustic_free);
	if (!a)
		return ENOMEM;
	int err = acoustic_file_read(&a->file, folder, adapted);
	if (!err)
		err = densities(a);
	if (!err)
		err = weights(a);
	if (!err)
		err = transitions(a);
	acoustic_file_forget(&a->file); /* what was made into something else */
	if (err)
		mem_unref(a);
	else
		*ap = a;
	return err;
}

/* ---- phones ---- */
unsigned acoustic_senones(const struct acoustic *a)
{
	return a->file.senones;
}

unsigned acoustic_phones(const struct acoustic *a)
{
	return a->file.phones;
}

int acoustic_phone(const struct acoustic *a, struct text name)
{
	for (unsigned i = 0; i < a->file.phones; i++)
		if (text_is(name, a->file.name[i]))
			return (int)i;
	return -1;
}

/* In another place of a word where it has no such phone; at an edge next to silence; and without neighbours if nothing fits. */
struct acoustic_unit acoustic_unit(const struct acoustic *a, unsigned phone, unsigned left, unsigned right, enum acoustic_place place)
{
	const struct acoustic_file *f = &a->file;
	struct acoustic_unit u;
	unsigned quiet = f->silence, l = place == ACOUSTIC_FIRST || place == ACOUSTIC_ALONE ? quiet : left, r = place == ACOUSTIC_LAST || place == ACOUSTIC_ALONE ? quiet : right;
	for (unsigned turn = 0; left != ACOUSTIC_ANY && right != ACOUSTIC_ANY && turn < 8; turn++) {
		unsigned where = turn % 4 == 0 ? (unsigned)place : turn % 4 <= (unsigned)place ? turn % 4 - 1 : turn % 4;
		if (acoustic_file_unit(f, &u, where, phone, turn < 4 ? left : l, turn < 4 ? right : r))
			return u;
	}
	acoustic_file_alone(f, &u, phone);
	return u;
}

float acoustic_stay(const struct acoustic *a, const struct acoustic_unit *u, unsigned state)
{
	return a->stay[u->transitions][state];
}

float acoustic_leave(const struct acoustic *a, const struct acoustic_unit *u, unsigned state)
{
	return a->leave[u->transitions][state];
}

/* ---- scores ---- */
static size_t within(size_t frames, size_t f, int by)
{
	ptrdiff_t at = (ptrdiff_t)f + by;
	return at < 0 ? 0 : at < (ptrdiff_t)frames ? (size_t)at : frames - 1;
}

/* A stream of a frame as (x^2, x): 1s_c_d_dd. */
static void features(float *x, float (*cep)[FRONT_CEPSTRA], size_t frames, size_t f, unsigned stream)
{
	for (unsigned k = 0; k < FRONT_CEPSTRA; k++) {
		float v = cep[f][k];
		if (stream == 1)
			v = cep[within(frames, f, 2)][k] - cep[within(frames, f, -2)][k];
		if (stream == 2)
			v = (cep[within(frames, f, 3)][k] - cep[within(frames, f, -1)][k]) - (cep[within(frames, f, 1)][k] - cep[within(frames, f, -3)][k]);
		x[k] = v * v;
		x[FRONT_CEPSTRA + k] = v;
	}
}

struct top {
	unsigned density;
	float score;
};

static void best_of(struct top top[BEST], const float *v, unsigned n)
{
	for (unsigned i = 0; i < BEST; i++)
		top[i] = (struct top){ 0, -1e30f };
	for (unsigned d = 0; d < n; d++) {
		if (v[d] <= top[BEST - 1].score)
			continue;
		unsigned at = BEST - 1;
		for (; at > 0 && v[d] > top[at - 1].score; at--)
			top[at] = top[at - 1];
		top[at] = (struct top){ d, v[d] };
	}
}

/* ln of what is above nothing, to a hundredth. */
static inline float quick_log(float x)
{
	union {
		float f;
		uint32_t u;
	} v = { .f = x };
	float e = (float)(int32_t)(v.u >> 23) - 127;
	v.u = (v.u & 0x7fffff) | 0x3f800000;
	float m = v.f;
	return 0.69314718f * (e + (-0.33582878f * m + 2.0f) * m - 1.65871022f);
}

/* sum, all: room for a book's senones. */
static void book_scores(const struct acoustic *a, size_t b, const float *v[ACOUSTIC_STREAMS], float *to, float *restrict sum, float *restrict all)
{
	const size_t from = a->from[b], n = a->from[b + 1] - from, densities_n = a->file.densities;
	const float *w = a->weight + from * ACOUSTIC_STREAMS * densities_n;
	float reference = 0;
	struct top top[BEST];
	for (size_t s = 0; s < ACOUSTIC_STREAMS; s++, w += densities_n * n) {
		best_of(top, v[s] + b * densities_n, (unsigned)densities_n);
		reference += top[0].score;
		const float *row = w + top[0].density * n;
		for (size_t i = 0; i < n; i++)
			sum[i] = row[i];
		for (unsigned k = 1; k < BEST; k++) {
			float p = expf(top[k].score - top[0].score);
			row = w + top[k].density * n;
			for (size_t i = 0; i < n; i++)
				sum[i] += p * row[i];
		}
		for (size_t i = 0; i < n; i++)
			all[i] = s ? all[i] * sum[i] : sum[i];
	}
	for (size_t i = 0; i < n; i++)
		to[i] = reference + quick_log(all[i]);
}

static void frame_scores(const struct acoustic *a, const float *v[ACOUSTIC_STREAMS], float *scores, float *room)
{
	float *sum = room + a->file.senones, *all = sum + BOOK_SENONES_MAX;
	float most = -1e30f;
	for (size_t b = 0; b < a->file.books; b++)
		book_scores(a, b, v, room + a->from[b], sum, all);
	for (size_t i = 0; i < a->file.senones; i++)
		most = room[i] > most ? room[i] : most;
	for (size_t i = 0; i < a->file.senones; i++) {
		float score = room[i] - most;
		scores[a->order[i]] = score > least_score ? score : least_score;
	}
}

int acoustic_scores(const struct acoustic *a, float (*cep)[FRONT_CEPSTRA], size_t frames, float *scores)
{
	enum { WIDTH = 2 * FRONT_CEPSTRA };
	float x[BLOCK * WIDTH];
	float *v = mem_alloc((BLOCK * a->columns * ACOUSTIC_STREAMS + a->file.senones + 2 * BOOK_SENONES_MAX) * sizeof *v);
	if (!v)
		return ENOMEM;
	float *room = v + BLOCK * a->columns * ACOUSTIC_STREAMS;
	for (size_t first = 0; first < frames; first += BLOCK) {
		size_t rows = frames - first < BLOCK ? frames - first : BLOCK;
		for (unsigned s = 0; s < ACOUSTIC_STREAMS; s++) {
			float *to = v + s * BLOCK * a->columns;
			for (size_t i = 0; i < rows; i++) {
				features(x + i * WIDTH, cep, frames, first + i, s);
				memcpy(to + i * a->columns, a->constant[s], a->columns * sizeof *to);
			}
			matrix_multiply(to, x, a->of[s], rows, WIDTH, a->columns, WIDTH, 1, true);
		}
		for (size_t i = 0; i < rows; i++) {
			const float *of[ACOUSTIC_STREAMS];
			for (unsigned s = 0; s < ACOUSTIC_STREAMS; s++)
				of[s] = v + (s * BLOCK + i) * a->columns;
			frame_scores(a, of, scores + (first + i) * a->file.senones, room);
		}
	}
	mem_free(v);
	return 0;
}

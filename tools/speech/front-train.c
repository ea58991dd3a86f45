/* SPDX-License-Identifier: Apache-2.0 */
/* front-train.c  Teaches the narrow-band front end of umbel-speech from recordings, at build time.
 *
 *   front-train LIST MODEL OUT [--rounds N] [--hidden H1 H2]
 *
 * writes OUT.front, the network, and OUT.means and OUT.variances: those of the acoustic model in MODEL as the network's cepstra need them (adapt.h).
 * LIST names recordings, one a line (channel.h says which kinds); they may be in any language, since nobody looks at words. In each round
 * every recording is heard once, at one of three speeds, through a telephone line that is drawn anew: band, tilt, level, noise, law. One
 * recording in twenty is kept apart; from what the network explains of those, the factor for each cepstrum is made. One thread, own random
 * numbers and own matrices: the same recordings give the same files to the last bit.                                                        */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "adapt.h"
#include "corpus.h"
#include "learn.h"

enum { CONTEXT = 6, APART = 20 };
static const uint64_t seed = 20240229;
/* The acoustic model's cepstra have a mean of nothing over an utterance with its pauses, ours over its speech: by so much speech is louder. */
static const float lift = 12;
static const float first_rate = 1e-3f, last_rate = 1e-5f, silence_weight = 0.3f, factor_max = 1.6f;

struct options {
	const char *list, *model, *out;
	unsigned rounds, hidden1, hidden2;
};

struct round { /* what one round hears, all recordings behind each other */
	float *bands;
	const struct take **take; /* of each recording */
	size_t *first;            /* frame of each recording */
	uint32_t *order;          /* recording and frame, shuffled: index into `frame` */
	struct {
		uint32_t recording, frame;
	} *frame;
	size_t frames;
};

static bool apart(size_t recording)
{
	return recording % APART == APART / 2;
}

static void *need(void *p)
{
	if (!p) {
		fprintf(stderr, "front-train: no memory left\n");
		exit(1);
	}
	return p;
}

static void round_free(struct round *r)
{
	mem_free(r->bands);
	mem_free(r->take);
	mem_free(r->first);
	mem_free(r->order);
	mem_free(r->frame);
}

/* Only the recordings that are kept apart, or only the others. */
static void hear(struct round *r, const struct corpus *c, unsigned number, bool kept)
{
	*r = (struct round){ 0 };
	r->take = need(mem_zalloc(c->recordings, sizeof *r->take));
	r->first = need(mem_zalloc(c->recordings, sizeof *r->first));
	for (size_t i = 0; i < c->recordings; i++) {
		struct chance draw = chance_of(seed + 100 + number, i);
		if (apart(i) != kept)
			continue;
		r->take[i] = &c->takes[i * CORPUS_SPEEDS + (kept ? 0 : chance_u32(&draw) % CORPUS_SPEEDS)];
		r->first[i] = r->frames;
		r->frames += r->take[i]->frames;
	}
	r->bands = need(mem_alloc((r->frames + 1) * MEL_BANDS * sizeof *r->bands));
	r->order = need(mem_alloc((r->frames + 1) * sizeof *r->order));
	r->frame = need(mem_alloc((r->frames + 1) * sizeof *r->frame));
	for (size_t i = 0; i < c->recordings; i++) {
		struct chance chance = chance_of(seed + 10000 + number, i);
		if (!r->take[i])
			continue;
		if (corpus_hear(r->bands + r->first[i] * MEL_BANDS, r->take[i], &chance))
			need(NULL);
		for (size_t f = 0; f < r->take[i]->frames; f++) {
			r->frame[r->first[i] + f].recording = (uint32_t)i;
			r->frame[r->first[i] + f].frame = (uint32_t)f;
		}
	}
	struct chance shuffle = chance_of(seed + 3, number);
	for (size_t i = 0; i < r->frames; i++) {
		size_t j = chance_u32(&shuffle) % (i + 1);
		r->order[i] = r->order[j];
		r->order[j] = (uint32_t)i;
	}
}

static void fill_row(const struct round *r, const struct net *n, size_t at, float *in, float *want, float *weight)
{
	size_t i = r->frame[at].recording, f = r->frame[at].frame;
	const struct take *t = r->take[i];
	net_input(n, in, r->bands + r->first[i] * MEL_BANDS, t->frames, f);
	memcpy(want, t->want[f], sizeof *t->want);
	*weight = t->weight[f] ? 1 : silence_weight;
}

static double learn(struct learner *l, const struct net *n, const struct round *r, size_t *step, size_t steps)
{
	double error = 0;
	size_t batches = r->frames / LEARN_BATCH;
	for (size_t b = 0; b < batches; b++) {
		for (size_t k = 0; k < LEARN_BATCH; k++)
			fill_row(r, n, r->order[b * LEARN_BATCH + k], learner_in(l) + k * n->in, learner_want(l) + k * NET_OUT, learner_weight(l) + k);
		double progress = (double)(*step)++ / (double)steps, warm = progress < 0.01 ? progress / 0.01 : 1;
		progress = progress < 1 ? progress : 1;
		error += learner_step(l, (float)(warm * ((double)last_rate + ((double)first_rate - (double)last_rate) * (0.5 + 0.5 * cos(M_PI * progress)))));
	}
	return error / (double)(batches ? batches : 1);
}

/* Spread of the bands and of the cepstra over speech, from the first round. */
static void measure(const struct round *r, const struct corpus *c, float *in_scale, float *out_scale)
{
	double in[MEL_BANDS] = { 0 }, out[NET_OUT] = { 0 }, n = 1e-9;
	for (size_t i = 0; i < c->recordings; i++)
		for (size_t f = 0; r->take[i] && f < r->take[i]->frames; f++) {
			if (!r->take[i]->weight[f])
				continue;
			const float *band = r->bands + (r->first[i] + f) * MEL_BANDS;
			for (unsigned b = 0; b < MEL_BANDS; b++)
				in[b] += (double)(band[b] * band[b]);
			for (unsigned k = 0; k < NET_OUT; k++)
				out[k] += (double)(r->take[i]->want[f][k] * r->take[i]->want[f][k]);
			n++;
		}
	for (unsigned b = 0; b < MEL_BANDS; b++)
		in_scale[b] = (float)(1 / sqrt(in[b] / n + 1e-6));
	for (unsigned k = 0; k < NET_OUT; k++)
		out_scale[k] = (float)sqrt(out[k] / n + 1e-6);
}

/* What is explained of each cepstrum on recordings kept apart, and the factor that gives it its spread again. */
static void equalise(struct net *n, const struct corpus *c)
{
	struct round r;
	double wrong[NET_OUT] = { 0 }, all[NET_OUT] = { 0 };
	for (unsigned k = 0; k < NET_OUT; k++)
		n->out_scale[k] = 1;
	hear(&r, c, 9999, true);
	for (size_t i = 0; i < c->recordings; i++) {
		if (!r.take[i])
			continue;
		float(*got)[NET_OUT] = need(mem_alloc((r.take[i]->frames + 1) * sizeof *got));
		if (net_apply(n, r.bands + r.first[i] * MEL_BANDS, r.take[i]->frames, got))
			need(NULL);
		for (size_t f = 0; f < r.take[i]->frames; f++)
			for (unsigned k = 0; r.take[i]->weight[f] && k < NET_OUT; k++) {
				float want = r.take[i]->want[f][k], e = got[f][k] - want;
				wrong[k] += (double)(e * e);
				all[k] += (double)(want * want);
			}
		mem_free(got);
	}
	round_free(&r);
	fprintf(stderr, "front-train: of the cepstra of recordings kept apart, this is explained:");
	for (unsigned k = 0; k < NET_OUT; k++) {
		double r2 = 1 - wrong[k] / (all[k] > 0 ? all[k] : 1);
		fprintf(stderr, " %.2f", r2);
		n->out_scale[k] = r2 > 1 / (double)(factor_max * factor_max) ? (float)(1 / sqrt(r2)) : factor_max;
	}
	fprintf(stderr, "\n");
}

static int save(const struct net *n, const char *out)
{
	void *file;
	size_t size;
	char path[4096];
	if (snprintf(path, sizeof path, "%s.front", out) >= (int)sizeof path)
		return ENAMETOOLONG;
	int err = net_print(n, &file, &size);
	FILE *f = err ? NULL : fopen(path, "wbe");
	if (!err && !f)
		err = errno;
	if (f && fwrite(file, 1, size, f) != size)
		err = EIO;
	if (f && fclose(f) && !err)
		err = errno;
	mem_free(file);
	return err;
}

static int parse(struct options *o, int argc, char **argv)
{
	*o = (struct options){ .rounds = 8, .hidden1 = 256, .hidden2 = 128 };
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--rounds") && i + 1 < argc)
			o->rounds = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--hidden") && i + 2 < argc) {
			o->hidden1 = (unsigned)strtoul(argv[++i], NULL, 10);
			o->hidden2 = (unsigned)strtoul(argv[++i], NULL, 10);
		} else if (!o->list)
			o->list = argv[i];
		else if (!o->model)
			o->model = argv[i];
		else if (!o->out)
			o->out = argv[i];
		else
			return EINVAL;
	return o->out && o->rounds ? 0 : EINVAL;
}

int main(int argc, char **argv)
{
	struct options o;
	struct corpus c;
	struct net *n;
	struct learner *l = NULL;
	float scale[NET_OUT];
	size_t step = 0;
	if (parse(&o, argc, argv)) {
		fprintf(stderr, "usage: front-train LIST MODEL OUT [--rounds N] [--hidden H1 H2]\n");
		return 2;
	}
	int err = corpus_load(&c, o.list, seed);
	if (err || c.recordings < APART) {
		fprintf(stderr, "front-train: %s: %s\n", o.list, err ? strerror(err) : "too few recordings");
		return 1;
	}
	fprintf(stderr, "front-train: %zu recordings, %.1f minutes; prepared in %.0f s of CPU\n", c.recordings, c.seconds / 60, (double)clock() / CLOCKS_PER_SEC);
	if (net_create(&n, CONTEXT, o.hidden1, o.hidden2)) {
		fprintf(stderr, "front-train: hidden layers are multiples of %d\n", NET_OUT_ROOM);
		return 2;
	}
	for (unsigned round = 0; round < o.rounds; round++) {
		struct round r;
		struct chance chance = chance_of(seed, 2);
		hear(&r, &c, round, false);
		if (!round) {
			measure(&r, &c, n->in_scale, scale);
			if (learner_create(&l, n, scale, &chance))
				need(NULL);
		}
		double error = learn(l, n, &r, &step, (r.frames / LEARN_BATCH) * o.rounds);
		fprintf(stderr, "front-train: round %u of %u: error %.4f; %.0f s of CPU\n", round + 1, o.rounds, error, (double)clock() / CLOCKS_PER_SEC);
		round_free(&r);
	}
	equalise(n, &c);
	n->b3[0] += lift / n->out_scale[0];
	corpus_lift(&c, lift);
	err = save(n, o.out);
	if (!err)
		err = adapt_model(&c, n, o.model, o.out, seed);
	fprintf(stderr, "front-train: done; %.0f s of CPU\n", (double)clock() / CLOCKS_PER_SEC);
	if (err)
		fprintf(stderr, "front-train: %s: %s\n", o.out, strerror(err));
	learner_destroy(l);
	net_destroy(n);
	corpus_free(&c);
	return err != 0;
}

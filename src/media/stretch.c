/* SPDX-License-Identifier: Apache-2.0 */
/* stretch.c  WSOLA; and louder or softer.
 *
 *   output:  |--HOP--|--HOP--|--HOP--|     each piece fades in over the HOP in which the one before fades out
 *   input:   piece k lies at k * HOP * percent / 100, moved by at most REACH to where it is most like what would have followed
 *            piece k - 1 in the input. */
#include "media/stretch.h"
#include <errno.h>
#include <math.h>
#include "base/mem.h"
#include "media/g711.h"

enum { HOP = 120, REACH = 80, COARSE = 4, SPARSE = 2 }; /* at 8,000 samples a second */

/* Lengths in the samples of a clip. */
struct scale {
	int hop, reach, coarse, sparse;
};

static struct scale scale_of(bool wide)
{
	int k = wide ? 2 : 1;
	return (struct scale){ HOP * k, REACH * k, COARSE * k, SPARSE * k };
}

/* How alike the samples of a hop at a and b are: products and energy of b, some of them. */
static double likeness(const struct scale *k, const int16_t *a, const int16_t *b)
{
	int64_t both = 0, energy = 1;
	for (int i = 0; i < k->hop; i += k->sparse) {
		both += (int32_t)a[i] * b[i];
		energy += (int32_t)b[i] * b[i];
	}
	return both <= 0 ? (double)both / (double)energy : (double)both * (double)both / (double)energy;
}

/* Where a piece near `at` continues best what lies at `natural`; both with room for the reach and a piece around them. */
static size_t best(const struct scale *k, const int16_t *in, size_t natural, size_t at, size_t most)
{
	size_t reach = (size_t)k->reach, coarse = (size_t)k->coarse;
	size_t lo = at > reach ? at - reach : 0, hi = at + reach < most ? at + reach : most, found = at;
	double top = -1e300;
	for (size_t p = lo; p <= hi; p += coarse) {
		double v = likeness(k, in + natural, in + p);
		if (v > top) {
			top = v;
			found = p;
		}
	}
	size_t from = found > lo + coarse ? found - coarse + 1 : lo, to = found + coarse - 1 < hi ? found + coarse - 1 : hi;
	for (size_t p = from; p <= to; p++) {
		double v = likeness(k, in + natural, in + p);
		if (v > top) {
			top = v;
			found = p;
		}
	}
	return found;
}

static void fade(const struct scale *k, int16_t *out, const int16_t *from, const int16_t *to)
{
	for (int i = 0; i < k->hop; i++)
		out[i] = (int16_t)((from[i] * (k->hop - i) + to[i] * i) / k->hop);
}

/* n_in samples with three hops of silence behind them; returns how many came out, at most `room`. */
static size_t stretch(const struct scale *sc, int16_t *out, size_t room, const int16_t *in, size_t n_in, unsigned percent)
{
	size_t hop = (size_t)sc->hop, natural = hop, n = hop;
	if (room < hop || n_in < hop)
		return 0;
	memcpy(out, in, hop * sizeof *out);
	for (size_t k = 1; n + hop <= room; k++) {
		size_t at = k * hop * percent / 100;
		if (at >= n_in)
			break;
		size_t p = best(sc, in, natural, at, n_in);
		fade(sc, out + n, in + natural, in + p);
		n += hop;
		natural = p + hop;
	}
	return n;
}

int media_clip_stretch(struct media_clip **cp, struct media_clip *c, unsigned percent)
{
	const int16_t *wide = media_clip_wide(c);
	struct scale k = scale_of(wide != NULL);
	size_t a_tick = wide ? 2 : 1, n = media_clip_samples(c) * a_tick, room = n * 100 / (percent ? percent : 1) + (size_t)k.hop;
	if (percent < MEDIA_STRETCH_MIN || percent > MEDIA_STRETCH_MAX)
		return EINVAL;
	if (percent == 100 || n < (size_t)k.hop * 4) {
		*cp = mem_ref(c);
		return 0;
	}
	if (room > MEDIA_CLIP_MAX * a_tick)
		room = MEDIA_CLIP_MAX * a_tick;
	int16_t *in = mem_zalloc(n + 3 * (size_t)k.hop, sizeof *in), *out = in ? mem_alloc(room * sizeof *out) : NULL;
	int err = out ? 0 : ENOMEM;
	if (!err) {
		if (wide)
			memcpy(in, wide, n * sizeof *in);
		else
			g711_decode(MEDIA_PCMU, in, media_clip_bytes(c, MEDIA_PCMU), n);
		size_t made = stretch(&k, out, room, in, n, percent);
		err = wide ? media_clip_from_wide(cp, out, made) : media_clip_from_l16(cp, out, made);
	}
	mem_free(in);
	mem_free(out);
	return err;
}

int media_clip_from(struct media_clip **cp, struct media_clip *c, uint32_t ms)
{
	uint64_t at = (uint64_t)ms * (MEDIA_RATE / 1000);
	return at < media_clip_samples(c) ? media_clip_part(cp, c, (uint32_t)at) : EINVAL;
}

/* ---- louder or softer ---- */
/* Straight up to the knee, then ever flatter towards full scale, without a corner. */
static int16_t bend(double v)
{
	const double top = 32767, knee = top / 2;
	double size = fabs(v);
	if (size > knee)
		size = knee + (top - knee) * tanh((size - knee) / (top - knee));
	return (int16_t)lrint(v < 0 ? -size : size);
}

int media_clip_gain(struct media_clip **cp, struct media_clip *c, int gain_db)
{
	size_t n = media_clip_samples(c);
	if (gain_db < -MEDIA_GAIN_MAX || gain_db > MEDIA_GAIN_MAX)
		return EINVAL;
	if (!gain_db) {
		*cp = mem_ref(c);
		return 0;
	}
	const int16_t *wide = media_clip_wide(c);
	size_t samples = wide ? 2 * n : n;
	int16_t *pcm = mem_alloc(samples * sizeof *pcm);
	if (!pcm)
		return ENOMEM;
	if (wide)
		memcpy(pcm, wide, samples * sizeof *pcm);
	else
		g711_decode(MEDIA_PCMU, pcm, media_clip_bytes(c, MEDIA_PCMU), n);
	double factor = pow(10, gain_db / 20.0);
	for (size_t i = 0; i < samples; i++) {
		double v = pcm[i] * factor;
		pcm[i] = gain_db > 0 ? bend(v) : (int16_t)lrint(v);
	}
	int err = wide ? media_clip_from_wide(cp, pcm, samples) : media_clip_from_l16(cp, pcm, samples);
	mem_free(pcm);
	return err;
}

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

enum { HOP = 120, REACH = 80, COARSE = 4, SPARSE = 2 };

/* How alike HOP samples at a and b are: products and energy of b, every SPARSE-th sample. */
static double likeness(const int16_t *a, const int16_t *b)
{
	int64_t both = 0, energy = 1;
	for (int i = 0; i < HOP; i += SPARSE) {
		both += (int32_t)a[i] * b[i];
		energy += (int32_t)b[i] * b[i];
	}
	return both <= 0 ? (double)both / (double)energy : (double)both * (double)both / (double)energy;
}

/* Where a piece near `at` continues best what lies at `natural`; both with room for REACH and a piece around them. */
static size_t best(const int16_t *in, size_t natural, size_t at, size_t least, size_t most)
{
	size_t lo = at > least + REACH ? at - REACH : least, hi = at + REACH < most ? at + REACH : most, found = at;
	double top = -1e300;
	for (size_t p = lo; p <= hi; p += COARSE) {
		double v = likeness(in + natural, in + p);
		if (v > top) {
			top = v;
			found = p;
		}
	}
	size_t from = found > lo + COARSE ? found - COARSE + 1 : lo, to = found + COARSE - 1 < hi ? found + COARSE - 1 : hi;
	for (size_t p = from; p <= to; p++) {
		double v = likeness(in + natural, in + p);
		if (v > top) {
			top = v;
			found = p;
		}
	}
	return found;
}

static void fade(int16_t *out, const int16_t *from, const int16_t *to)
{
	for (int i = 0; i < HOP; i++)
		out[i] = (int16_t)((from[i] * (HOP - i) + to[i] * i) / HOP);
}

/* n_in samples with 3 * HOP of silence behind them; returns how many came out, at most `room`. */
static size_t stretch(int16_t *out, size_t room, const int16_t *in, size_t n_in, unsigned percent)
{
	size_t natural = HOP, n = HOP;
	if (room < HOP || n_in < HOP)
		return 0;
	memcpy(out, in, HOP * sizeof *out);
	for (size_t k = 1; n + HOP <= room; k++) {
		size_t at = k * HOP * percent / 100;
		if (at >= n_in)
			break;
		size_t p = best(in, natural, at, 0, n_in);
		fade(out + n, in + natural, in + p);
		n += HOP;
		natural = p + HOP;
	}
	return n;
}

int media_clip_stretch(struct media_clip **cp, struct media_clip *c, unsigned percent)
{
	size_t n = media_clip_samples(c), room = n * 100 / (percent ? percent : 1) + HOP;
	if (percent < MEDIA_STRETCH_MIN || percent > MEDIA_STRETCH_MAX)
		return EINVAL;
	if (percent == 100 || n < (size_t)HOP * 4) {
		*cp = mem_ref(c);
		return 0;
	}
	if (room > MEDIA_CLIP_MAX)
		room = MEDIA_CLIP_MAX;
	int16_t *in = mem_zalloc(n + 3 * HOP, sizeof *in), *out = in ? mem_alloc(room * sizeof *out) : NULL;
	int err = out ? 0 : ENOMEM;
	if (!err) {
		g711_decode(MEDIA_PCMU, in, media_clip_bytes(c, MEDIA_PCMU), n);
		err = media_clip_from_l16(cp, out, stretch(out, room, in, n, percent));
	}
	mem_free(in);
	mem_free(out);
	return err;
}

int media_clip_from(struct media_clip **cp, struct media_clip *c, uint32_t ms)
{
	size_t n = media_clip_samples(c), at = (size_t)ms * (MEDIA_RATE / 1000);
	if (at >= n)
		return EINVAL;
	return media_clip_borrow(cp, media_clip_bytes(c, MEDIA_PCMU) + at, media_clip_bytes(c, MEDIA_PCMA) + at, n - at, c);
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

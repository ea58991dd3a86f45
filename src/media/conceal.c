/* SPDX-License-Identifier: Apache-2.0 */
/* conceal.c  Gaps filled with what was said last. */
#include "media/conceal.h"
#include <string.h>

enum {
	PITCH_LEAST_MS = 5, PITCH_MOST_MS = 15, /* 200 to 66 Hz; of a higher voice it finds several periods */
	COMPARE_MS = 10, LOUD_MS = 10, OVER_MS = 4, COARSE = 2,
};

void conceal_init(struct conceal *p, unsigned rate)
{
	*p = (struct conceal){ .rate = rate < CONCEAL_RATE_MAX ? rate : CONCEAL_RATE_MAX };
}

static unsigned samples(const struct conceal *p, unsigned ms)
{
	return p->rate * ms / 1000;
}

static void remember(struct conceal *p, const int16_t *pcm, size_t n)
{
	size_t room = samples(p, 30);
	if (n >= room) {
		memcpy(p->history, pcm + n - room, room * sizeof *pcm);
		p->n = (unsigned)room;
		return;
	}
	memmove(p->history, p->history + n, (room - n) * sizeof *pcm);
	memcpy(p->history + room - n, pcm, n * sizeof *pcm);
	p->n = p->n + n < room ? (unsigned)(p->n + n) : (unsigned)room;
}

/* How alike the last `n` samples are to those `lag` before them. */
static double likeness(const int16_t *end, unsigned n, unsigned lag)
{
	int64_t both = 0, energy = 1;
	for (unsigned i = 1; i <= n; i += COARSE) {
		int32_t a = end[-(ptrdiff_t)i], b = end[-(ptrdiff_t)(i + lag)];
		both += (int64_t)a * b;
		energy += (int64_t)b * b;
	}
	return both <= 0 ? 0 : (double)both * (double)both / (double)energy;
}

static unsigned find_pitch(const struct conceal *p, const int16_t *end)
{
	unsigned least = samples(p, PITCH_LEAST_MS), most = samples(p, PITCH_MOST_MS), n = samples(p, COMPARE_MS), found = least;
	double top = 0;
	for (unsigned lag = least; lag <= most; lag++) {
		double v = likeness(end, n, lag);
		if (v > top) {
			top = v;
			found = lag;
		}
	}
	return found;
}

/* The last period, its end faded over to what lay before its beginning, so that it can follow itself. */
static void begin(struct conceal *p)
{
	const int16_t *end = p->history + samples(p, 30);
	p->pitch = find_pitch(p, end);
	p->at = 0;
	unsigned over = p->pitch / 4;
	memcpy(p->period, end - p->pitch, p->pitch * sizeof *end);
	for (unsigned i = 0; i < over; i++) {
		int32_t to = end[-(ptrdiff_t)(p->pitch + over - i)], from = p->period[p->pitch - over + i];
		p->period[p->pitch - over + i] = (int16_t)((from * (int32_t)(over - i) + to * (int32_t)i) / (int32_t)over);
	}
	int32_t step = end[-1] - end[-1 - (ptrdiff_t)p->pitch];
	p->step = (int16_t)(step > INT16_MAX ? INT16_MAX : step < INT16_MIN ? INT16_MIN : step);
}

static int16_t make_up(struct conceal *p)
{
	int32_t whole = (int32_t)samples(p, CONCEAL_MS), loud = (int32_t)samples(p, LOUD_MS), m = (int32_t)p->missing, s = p->period[p->at];
	p->at = (p->at + 1) % p->pitch;
	p->missing++;
	if (m >= whole)
		return 0;
	int32_t over = (int32_t)p->pitch / 4;
	if (m < over) /* from where the voice was, without a jump */
		s += p->step * (over - m) / (over + 1);
	if (m > loud)
		s = s * (whole - m) / (whole - loud);
	return (int16_t)(s > INT16_MAX ? INT16_MAX : s < INT16_MIN ? INT16_MIN : s);
}

void conceal_lost(struct conceal *p, int16_t *dst, size_t n)
{
	if (!p->missing && p->n < samples(p, 30)) { /* nothing was said yet */
		memset(dst, 0, n * sizeof *dst);
		return;
	}
	if (!p->missing)
		begin(p);
	for (size_t i = 0; i < n; i++)
		dst[i] = make_up(p);
	remember(p, dst, n);
}

bool conceal_good(struct conceal *p, int16_t *pcm, size_t n)
{
	bool after_gap = p->missing > 0 && p->missing < samples(p, CONCEAL_MS);
	size_t over = samples(p, OVER_MS) < n ? samples(p, OVER_MS) : n;
	for (size_t i = 0; after_gap && i < over; i++)
		pcm[i] = (int16_t)((make_up(p) * (int32_t)(over - i) + pcm[i] * (int32_t)i) / (int32_t)over);
	p->missing = 0;
	remember(p, pcm, n);
	return after_gap;
}

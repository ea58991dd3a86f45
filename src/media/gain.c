/* SPDX-License-Identifier: Apache-2.0 */
/* gain.c  Loudness of recordings. */
#include "media/gain.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double peak_most = 30000, faster_down = 0.5, mean_share = 0.02;
static const double up_a_frame = 1.0046; /* 2 dB a second */

void gain_init(struct gain *g, unsigned n)
{
	*g = (struct gain){ .n = n, .now = 1, .wanted = 1 };
}

static void listen(struct gain *g, const int16_t *in)
{
	double power = 0;
	for (unsigned i = 0; i < g->n; i++)
		power += (double)in[i] * in[i];
	power /= g->n * 32768.0 * 32768.0;
	double share = g->mean > 0 ? mean_share : 1;
	g->mean += share * (power - g->mean);
	double most = pow(10, GAIN_MOST_DB / 20.0), wanted = pow(10, GAIN_TARGET_DB / 20.0) / sqrt(g->mean > 1e-9 ? g->mean : 1e-9);
	g->wanted = wanted < 1 ? 1 : wanted > most ? most : wanted;
}

static double room_of(const struct gain *g, const int16_t *in)
{
	int peak = 1;
	for (unsigned i = 0; i < g->n; i++)
		peak = abs(in[i]) > peak ? abs(in[i]) : peak;
	return peak_most / peak > 1 ? peak_most / peak : 1;
}

/* The waiting frame, its gain going from what it was to `to`; both are within what it bears. */
static void let_out(struct gain *g, double to, int16_t *out)
{
	double step = (to - g->now) / g->n, f = g->now;
	for (unsigned i = 0; i < g->n; i++, f += step)
		out[i] = (int16_t)lrint(g->frame[i] * f);
	g->now = to;
}

bool gain_frame(struct gain *g, const int16_t *in, bool speech, int16_t *out)
{
	double room = room_of(g, in), to = g->now;
	bool had = g->waiting;
	if (speech)
		listen(g, in);
	if (had) {
		if (to < g->wanted)
			to = to * up_a_frame < g->wanted ? to * up_a_frame : g->wanted;
		else
			to -= (to - g->wanted) * faster_down;
		to = to < room ? to : room;
		to = to < g->room ? to : g->room;
		let_out(g, to, out);
	} else {
		g->now = g->now < room ? g->now : room;
	}
	memcpy(g->frame, in, g->n * sizeof *in);
	g->room = room;
	g->waiting = true;
	return had;
}

bool gain_last(struct gain *g, int16_t *out)
{
	if (!g->waiting)
		return false;
	g->waiting = false;
	let_out(g, g->now, out);
	return true;
}

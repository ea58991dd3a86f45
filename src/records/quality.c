/* SPDX-License-Identifier: Apache-2.0 */
/* quality.c  The E-model, narrow band. */
#include "records/quality.h"

static const double r_best = 93.2;
static const struct {
	const char *codec; /* names that begin so */
	double ie, bpl;
} codecs[] = { { "PCM", 0, 25.1 }, { "G722", 0, 25.1 }, { "L16", 0, 25.1 }, { "opus", 0, 25.1 } };
enum { N_CODECS = sizeof codecs / sizeof *codecs };

const char *quality_band(int64_t nmos_centi)
{
	return nmos_centi >= 450 ? "excellent" : nmos_centi >= 350 ? "good" : nmos_centi >= 250 ? "average" : nmos_centi >= 150 ? "poor" : "bad";
}

/* G.107 Annex B; in hundredths. */
static int64_t mos_centi(double r)
{
	double mos = r <= 0 ? 1 : r >= 100 ? 4.5 : 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
	return (int64_t)((mos < 1 ? 1 : mos) * 100 + 0.5);
}

/* The usual approximation of Id for a connection without echo. */
static double delay_hurts(double ms)
{
	return 0.024 * ms + (ms > 177.3 ? 0.11 * (ms - 177.3) : 0);
}

bool quality_estimate(struct call_record *r)
{
	unsigned c = 0;
	while (c < N_CODECS && !text_starts(text_of(r->codec), codecs[c].codec))
		c++;
	r->nmos_centi = r->degradation_centi = r->degradation_jitter_centi = r->degradation_loss_centi = RECORD_UNKNOWN;
	r->band[0] = '\0';
	if (c == N_CODECS || r->duration_ms < QUALITY_LEAST_MS || r->received < QUALITY_LEAST_PACKETS || r->lost < 0 || r->jitter_us < 0 || r->round_trip_us < 0)
		return false;
	double loss = 100.0 * (double)r->lost / (double)(r->received + r->lost);
	double way_ms = (double)r->round_trip_us / 2000 + 20, jitter_ms = 2 * (double)r->jitter_us / 1000;
	double lost_hurts = (95 - codecs[c].ie) * loss / (loss + codecs[c].bpl);
	double whole = r_best - codecs[c].ie - delay_hurts(way_ms + jitter_ms) - lost_hurts;
	r->nmos_centi = mos_centi(whole);
	r->degradation_centi = mos_centi(r_best) - r->nmos_centi;
	r->degradation_loss_centi = mos_centi(whole + lost_hurts) - r->nmos_centi;
	r->degradation_jitter_centi = mos_centi(r_best - codecs[c].ie - delay_hurts(way_ms) - lost_hurts) - r->nmos_centi;
	text_fill(r->band, sizeof r->band, quality_band(r->nmos_centi));
	return true;
}

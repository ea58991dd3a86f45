/* SPDX-License-Identifier: Apache-2.0 */
/* line.c  Packets put where their time stamps say. */
#include "media/line.h"
#include "media/g711.h"

enum {
	SAMPLES_A_MS = MEDIA_RATE / 1000,
	IDLE_US = 1000000,            /* after that without a packet the clock goes on by itself */
	HOLD = MEDIA_RATE * 260 / 1000, /* and stays so far behind: a packet may be under way, or wait for one before it */
	SLACK = MEDIA_RATE / 2,       /* how far a stamp may run ahead of our clock, */
	DRIFT = 1000,                 /* and by what part of the time a sender's clock may be faster */
	BEHIND = 2 * MEDIA_RATE,      /* a stamp older than that is a new count, not a straggler */
};

static int64_t samples_of(int64_t us)
{
	return us > 0 ? us * SAMPLES_A_MS / 1000 : 0;
}

void line_init(struct line *l, enum media_codec law, int64_t now_us, line_out_h *out, void *arg)
{
	bool wide = law == MEDIA_L16_WIDE;
	*l = (struct line){ .out = out, .arg = arg, .law = wide || law == MEDIA_PCMA ? law : MEDIA_PCMU, .unit = wide ? 4 : 1, .start_us = now_us, .last_us = now_us };
}

static void went_out(struct line *l, size_t n)
{
	l->head_ts += (uint32_t)n;
	l->total += n;
}

static void fill(struct line *l, int64_t n)
{
	if (n <= 0)
		return;
	l->out(NULL, (size_t)n, l->arg);
	went_out(l, (size_t)n);
}

/* What the clock allows the line to have reached. */
static int64_t allowed(const struct line *l, int64_t now_us)
{
	int64_t now = samples_of(now_us - l->start_us);
	return now + now / DRIFT + SLACK - (int64_t)l->total;
}

/* The stamps begin anew: silence for the time since the last packet, then this one. */
static void place_anew(struct line *l, int64_t now_us, uint32_t ssrc, uint32_t ts, size_t n)
{
	if (l->placed) {
		l->leaps++;
		int64_t idle = samples_of(now_us - l->last_us) - (int64_t)n - (int64_t)l->filled;
		int64_t room = samples_of(now_us - l->start_us) - (int64_t)l->total;
		fill(l, idle < room ? idle : room);
	}
	l->placed = true;
	l->ssrc = ssrc;
	l->head_ts = ts;
}

static void write_out(struct line *l, enum media_codec codec, const uint8_t *p, size_t n)
{
	uint8_t other[LINE_MOST];
	if (codec != l->law) {
		const uint8_t *cross = g711_cross(codec);
		for (size_t i = 0; i < n; i++)
			other[i] = cross[p[i]];
		p = other;
	}
	l->out(p, n, l->arg);
	went_out(l, n);
}

void line_put(struct line *l, int64_t now_us, uint32_t ssrc, uint32_t ts, enum media_codec codec, const uint8_t *payload, size_t n)
{
	if (!n || n > LINE_MOST)
		return;
	int32_t at = (int32_t)(ts - l->head_ts);
	if (!l->placed || ssrc != l->ssrc || at < -BEHIND || at > allowed(l, now_us)) {
		place_anew(l, now_us, ssrc, ts, n);
		at = 0;
	}
	if (allowed(l, now_us) < (int64_t)n) { /* faster than time: somebody floods */
		l->late++;
		return;
	}
	l->last_us = now_us;
	l->filled = 0;
	if (at < 0 && (size_t)-at >= n) {
		l->late++;
		return;
	}
	size_t skip = at < 0 ? (size_t)-at : 0;
	fill(l, at);
	write_out(l, codec, payload + skip * l->unit, n - skip);
}

/* The time since the last packet counts, not that since the start: so a slow sender's silence is not made longer than he makes it. */
static void fill_until(struct line *l, int64_t now_us, int64_t hold, int64_t least)
{
	int64_t behind = samples_of(now_us - l->last_us) - hold - (int64_t)l->filled;
	if (now_us - l->last_us < IDLE_US || behind < least)
		return;
	fill(l, behind);
	l->filled += (uint64_t)behind;
}

void line_tick(struct line *l, int64_t now_us)
{
	fill_until(l, now_us, HOLD, MEDIA_FRAME);
}

void line_flush(struct line *l, int64_t now_us)
{
	fill_until(l, now_us, 0, 1);
}

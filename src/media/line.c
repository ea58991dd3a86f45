/* SPDX-License-Identifier: Apache-2.0 */
/* line.c  Packets put in the order of their time. */
#include "media/line.h"
#include "media/g711.h"

enum {
	SAMPLES_A_MS = MEDIA_RATE / 1000,
	IDLE_US = 1000000,            /* after that without a packet the clock goes on by itself */
	SLACK = MEDIA_RATE / 2,       /* how far a stamp may run ahead of our clock */
	BEHIND = 2 * MEDIA_RATE,      /* a stamp older than that is a new count, not a straggler */
};

static int64_t samples_of(int64_t us)
{
	return us > 0 ? us * SAMPLES_A_MS / 1000 : 0;
}

void line_init(struct line *l, enum media_codec law, int64_t now_us, line_out_h *out, void *arg)
{
	*l = (struct line){ .out = out, .arg = arg, .law = law == MEDIA_PCMA ? MEDIA_PCMA : MEDIA_PCMU, .start_us = now_us, .last_us = now_us };
	memset(l->data, media_codec_silence(l->law), sizeof l->data);
}

/* The first n samples of the window go out, the rest moves up. */
static void let_out(struct line *l, size_t n)
{
	if (!n)
		return;
	l->out(l->data, n, l->arg);
	memmove(l->data, l->data + n, LINE_WINDOW - n);
	memset(l->data + LINE_WINDOW - n, media_codec_silence(l->law), n);
	l->head_ts += (uint32_t)n;
	l->held -= (uint32_t)n;
	l->total += n;
}

/* All that is held, then silence. */
static void let_out_and_fill(struct line *l, int64_t silence)
{
	let_out(l, l->held);
	if (silence <= 0)
		return;
	l->out(NULL, (size_t)silence, l->arg);
	l->head_ts += (uint32_t)silence;
	l->total += (uint64_t)silence;
}

/* What the clock allows the line to have reached. */
static int64_t allowed(const struct line *l, int64_t now_us)
{
	return samples_of(now_us - l->start_us) + SLACK - (int64_t)l->total;
}

/* The stamps begin anew: silence for the time since the last packet, then this one. */
static void place_anew(struct line *l, int64_t now_us, uint32_t ssrc, uint32_t ts, size_t n)
{
	if (l->placed) {
		l->leaps++;
		int64_t idle = samples_of(now_us - l->last_us) - (int64_t)n;
		int64_t room = samples_of(now_us - l->start_us) - (int64_t)l->total - (int64_t)l->held;
		let_out_and_fill(l, idle < room ? idle : room);
	}
	l->placed = true;
	l->ssrc = ssrc;
	l->head_ts = ts;
}

static void write_at(struct line *l, size_t at, enum media_codec codec, const uint8_t *p, size_t n)
{
	if (codec == l->law) {
		memcpy(l->data + at, p, n);
	} else {
		const uint8_t *cross = g711_cross(codec);
		for (size_t i = 0; i < n; i++)
			l->data[at + i] = cross[p[i]];
	}
	if (at + n > l->held)
		l->held = (uint32_t)(at + n);
}

void line_put(struct line *l, int64_t now_us, uint32_t ssrc, uint32_t ts, enum media_codec codec, const uint8_t *payload, size_t n)
{
	if (!n || n > LINE_WINDOW / 2)
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
	size_t skip = 0;
	if (at < 0) {
		skip = (size_t)-at;
		if (skip >= n) {
			l->late++;
			return;
		}
		at = 0;
	} else if ((size_t)at + n > LINE_WINDOW) {
		let_out_and_fill(l, at - (int64_t)l->held);
		at = 0;
	}
	write_at(l, (size_t)at, codec, payload + skip, n - skip);
}

void line_tick(struct line *l, int64_t now_us)
{
	if (l->held > LINE_HOLD)
		let_out(l, l->held - LINE_HOLD);
	if (now_us - l->last_us < IDLE_US)
		return;
	int64_t behind = samples_of(now_us - l->start_us) - LINE_HOLD - (int64_t)l->total - (int64_t)l->held;
	if (behind >= MEDIA_FRAME)
		let_out_and_fill(l, behind);
}

void line_flush(struct line *l, int64_t now_us)
{
	let_out(l, l->held);
	if (now_us - l->last_us >= IDLE_US)
		let_out_and_fill(l, samples_of(now_us - l->start_us) - (int64_t)l->total);
}

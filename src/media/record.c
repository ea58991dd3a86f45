/* SPDX-License-Identifier: Apache-2.0 */
/* record.c  A recording as its media thread sees it: packets on a line of time, frames judged for speech, bytes in blocks of 16 KiB,
 * each handed to the writer when full.
 *
 *   rec_packet -> jitter -> in_order(): gaps concealed -> line -> take() -> frames of 20 ms: level, speech, silence
 *   rec_decode, in order already ----------------------/             \-> blocks -> filer
 *
 * Time is counted in ticks of an eighth of a millisecond: a byte of a law, or two samples where the recording is wide.
 */
#include <errno.h>
#include "base/mem.h"
#include "media/g711.h"
#include "media/media_private.h"

enum { HOLD_MS = 200, GAP_MOST = CONCEAL_MS * MEDIA_RATE / 1000 /* ticks */ }; /* nobody waits for a recording, so that stragglers can be waited for */

static bool is_wide(const struct rec *r)
{
	return r->prm.format == MEDIA_L16_WIDE;
}

static struct rec_block *block_new(struct rec *r)
{
	struct rec_block *b = r->n_blocks < BLOCKS_A_BYTE * media_codec_tick_bytes(r->prm.format) ? mem_alloc(sizeof *b) : NULL;
	if (!b)
		return NULL;
	b->rec = r;
	b->n = 0;
	b->last = false;
	atomic_init(&b->busy, false);
	r->block[r->n_blocks++] = b;
	return b;
}

int rec_create(struct rec **rp, struct media_port *port, const struct media_record_prm *prm, uint32_t id)
{
	struct rec *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return ENOMEM;
	r->id = id;
	r->port = port;
	r->filer = port->engine->filer;
	r->prm = *prm;
	r->max_samples = prm->max_ms ? (uint64_t)prm->max_ms * (MEDIA_RATE / 1000) : UINT32_MAX / 2;
	r->synced_us = clock_mono_us(port->engine->prm.clock);
	int err = block_new(r) && block_new(r) ? 0 : ENOMEM;
	if (!err && is_wide(r) && !codec_info(port->codec_told)->law) {
		struct codec_rx *rx;
		err = codec_rx_create(&rx, port->codec_told, MEDIA_RATE_WIDE);
		if (!err)
			incoming_set(&r->in, rx);
		r->in.wide = true;
	}
	if (err)
		rec_free(r);
	else
		*rp = r;
	return err;
}

void rec_free(struct rec *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < r->n_blocks; i++)
		mem_free(r->block[i]);
	incoming_set(&r->in, NULL);
	mem_free(r);
}

/* A block to write into; one more is taken only when the disk is behind. NULL: half a minute behind. */
static struct rec_block *block_free(struct rec *r)
{
	for (unsigned i = 0; i < r->n_blocks; i++)
		if (!atomic_load_explicit(&r->block[i]->busy, memory_order_acquire)) {
			r->block[i]->n = 0;
			return r->block[i];
		}
	return block_new(r);
}

/* False: the ring is full; try again with the next frame. */
static bool hand_over(struct rec *r, struct media_thread *t, bool last)
{
	struct filer *filer = r->filer; /* behind the last block, r may be gone at once */
	struct rec_block *b = r->now;
	b->last = last;
	atomic_store_explicit(&b->busy, true, memory_order_relaxed);
	if (!ring_put(t->blocks, &b)) {
		atomic_store_explicit(&b->busy, false, memory_order_relaxed);
		return false;
	}
	filer_wake(filer);
	return true;
}

static void append(struct rec *r, const uint8_t *p, size_t n)
{
	size_t width = media_codec_tick_bytes(r->prm.format);
	while (n && !r->overrun) {
		if (r->now && r->now->n == BLOCK_BYTES) {
			if (!hand_over(r, r->port->thread, false)) {
				r->overrun = true;
				break;
			}
			r->now = NULL;
		}
		if (!r->now)
			r->now = block_free(r);
		if (!r->now) {
			r->overrun = true;
			break;
		}
		size_t room = (BLOCK_BYTES - r->now->n) / width, take = n < room ? n : room;
		if (width == r->line.unit) {
			memcpy(r->now->bytes + r->now->n, p, take * width);
		} else {
			const int16_t *table = g711_table(r->line.law);
			for (size_t i = 0; i < take; i++)
				memcpy(r->now->bytes + r->now->n + i * 2, &table[p[i]], 2);
		}
		r->now->n += take * width;
		p += take * r->line.unit;
		n -= take;
	}
}

static float power_of(const struct rec *r)
{
	if (!is_wide(r))
		return level_power(r->line.law, r->frame, MEDIA_FRAME);
	const int16_t *pcm = (const int16_t *)(const void *)r->frame;
	float sum = 0;
	for (unsigned i = 0; i < MEDIA_FRAME_WIDE; i++)
		sum += (float)pcm[i] * (float)pcm[i];
	return sum / MEDIA_FRAME_WIDE / (32768.0f * 32768.0f);
}

static void judge_frame(struct rec *r)
{
	float power = power_of(r);
	int8_t db = level_db(power);
	bool playing = r->port->plays != NULL;
	if (db > r->stats.peak_db)
		r->stats.peak_db = db;
	if (playing && r->prm.playing_db && db < r->prm.playing_db)
		db = LEVEL_NOTHING;
	if (playing && r->prm.speech_ms && !r->heard)
		r->silence_from = r->stats.samples; /* who is being told something need not answer yet */
	if (!vad_frame(&r->vad, db)) {
		r->speech_run = 0;
		return;
	}
	if (++r->speech_run * MEDIA_FRAME_MS < r->prm.speech_ms && !r->heard)
		return;
	r->power_sum += (double)power;
	r->speech_frames++;
	if (!r->vad.quiet) { /* not while it only lingers */
		r->heard = true;
		r->silence_told = false;
		r->stats.speech_end = r->silence_from = r->stats.samples;
	}
}

/* Made as loud as others are. A frame comes out for each that goes in, but for the first. */
static void append_levelled(struct rec *r)
{
	int16_t pcm[MEDIA_FRAME], out[MEDIA_FRAME_WIDE];
	uint8_t bytes[MEDIA_FRAME];
	bool wide = is_wide(r);
	if (!wide)
		g711_decode(r->line.law, pcm, r->frame, MEDIA_FRAME);
	if (!gain_frame(&r->gain, wide ? (const int16_t *)(const void *)r->frame : pcm, r->vad.speech, out))
		return;
	if (!wide)
		g711_encode(r->line.law, bytes, out, MEDIA_FRAME);
	append(r, wide ? (const uint8_t *)out : bytes, MEDIA_FRAME);
}

/* The frame that waited, and what was begun of another. */
static void append_last(struct rec *r)
{
	int16_t out[MEDIA_FRAME_WIDE];
	uint8_t bytes[MEDIA_FRAME];
	size_t n = r->in_frame ? r->in_frame : MEDIA_FRAME;
	bool wide = is_wide(r);
	if (r->in_frame) {
		memset(r->frame + n * r->line.unit, media_codec_silence(r->line.law), (MEDIA_FRAME - n) * r->line.unit);
		append_levelled(r);
	}
	if (!gain_last(&r->gain, out))
		return;
	if (!wide)
		g711_encode(r->line.law, bytes, out, n);
	append(r, wide ? (const uint8_t *)out : bytes, n);
}

/* The line's output. */
static void take(const uint8_t *p, size_t n, void *arg)
{
	struct rec *r = arg;
	uint8_t quiet[sizeof r->frame];
	unsigned unit = r->line.unit;
	memset(quiet, media_codec_silence(r->line.law), sizeof quiet);
	while (n && !r->full && !r->overrun) {
		size_t part = MEDIA_FRAME - r->in_frame;
		if (part > n)
			part = n;
		if (part > r->max_samples - r->stats.samples)
			part = (size_t)(r->max_samples - r->stats.samples);
		const uint8_t *from = p ? p : quiet;
		if (!r->prm.level)
			append(r, from, part);
		memcpy(r->frame + r->in_frame * unit, from, part * unit);
		r->in_frame += (unsigned)part;
		r->stats.samples += (uint32_t)part;
		if (r->in_frame == MEDIA_FRAME) {
			r->in_frame = 0;
			judge_frame(r);
			if (r->prm.level)
				append_levelled(r);
		}
		r->full = r->stats.samples >= r->max_samples;
		if (p)
			p += part * unit;
		n -= part;
	}
}

/* ---- packets, in order ---- */
/* Samples of a law become the wide recording's: between two of them lies their mean. */
static void widen(struct rec *r, enum media_codec law, const uint8_t *p, size_t n, int16_t *pcm)
{
	const int16_t *table = g711_table(law);
	for (size_t i = 0; i < n; i++) {
		int16_t now = table[p[i]];
		pcm[2 * i] = (int16_t)((r->widened + now) / 2);
		pcm[2 * i + 1] = r->widened = now;
	}
}

/* On the line, as what it takes. */
static void put(struct rec *r, int64_t at_us, uint32_t ssrc, uint32_t ts, const int16_t *pcm, size_t ticks)
{
	uint8_t bytes[LINE_MOST];
	if (!is_wide(r))
		g711_encode(r->line.law, bytes, pcm, ticks);
	line_put(&r->line, at_us, ssrc, ts, r->line.law, is_wide(r) ? (const uint8_t *)pcm : bytes, ticks);
}

static void fill_gap(struct rec *r, int64_t at_us, uint32_t ssrc, size_t gap)
{
	int16_t pcm[2 * GAP_MOST];
	conceal_lost(&r->conceal, pcm, is_wide(r) ? 2 * gap : gap);
	put(r, at_us, ssrc, r->ts_next, pcm, gap);
}

/* How much of what is missing before these n ticks was audio, as far as one can tell; no more than can be concealed. */
static size_t gap_before(const struct rec *r, uint32_t ssrc, uint32_t ts, size_t n, unsigned lost)
{
	uint32_t gap = ts - r->ts_next;
	if (!lost || !r->spoke || ssrc != r->ssrc_spoke || gap > lost * n)
		return 0;
	return gap < GAP_MOST ? gap : GAP_MOST;
}

static void spoke(struct rec *r, uint32_t ssrc, uint32_t ts_next)
{
	r->spoke = true;
	r->ssrc_spoke = ssrc;
	r->ts_next = ts_next;
}

static void in_order(const struct jitter_packet *p, void *arg)
{
	struct rec *r = arg;
	const struct rtp_packet *pkt = &p->rtp;
	enum media_codec codec = (enum media_codec)p->tag;
	int16_t pcm[2 * LINE_MOST];
	if (p->tag == REC_DECODED)
		return;
	if (p->tag == REC_NO_AUDIO || !pkt->n || pkt->n > LINE_MOST) {
		r->spoke = false; /* what follows is no gap in speech */
		return;
	}
	size_t gap = gap_before(r, pkt->ssrc, pkt->ts, pkt->n, p->lost);
	if (gap)
		fill_gap(r, p->at_us, pkt->ssrc, gap);
	if (is_wide(r))
		widen(r, codec, pkt->payload, pkt->n, pcm);
	else
		g711_decode(codec, pcm, pkt->payload, pkt->n);
	if (conceal_good(&r->conceal, pcm, is_wide(r) ? 2 * pkt->n : pkt->n) || is_wide(r))
		put(r, p->at_us, pkt->ssrc, pkt->ts, pcm, pkt->n);
	else
		line_put(&r->line, p->at_us, pkt->ssrc, pkt->ts, codec, pkt->payload, pkt->n);
	spoke(r, pkt->ssrc, pkt->ts + (uint32_t)pkt->n);
}

/* What came before it began, and waited for others, is not of it. */
static bool wants(const struct rec *r, int64_t came_us)
{
	return !r->ending && came_us >= r->line.start_us;
}

bool rec_decode(struct rec *r, int64_t now_us, const struct rtp_packet *pkt, unsigned lost)
{
	int16_t pcm[2 * INCOMING_MAX];
	struct rtp_packet counted = *pkt;
	uint32_t ts;
	if (!r->in.rx || codec_rx_codec(r->in.rx) != r->port->cfg.codec)
		return false;
	counted.n = 0;
	rec_packet(r, now_us, &counted, REC_DECODED);
	size_t ticks = !wants(r, now_us) ? 0 : incoming_decode(&r->in, pkt, pcm, &ts) / 2;
	if (!ticks)
		return true;
	size_t gap = gap_before(r, pkt->ssrc, ts, ticks, lost);
	if (gap)
		fill_gap(r, now_us, pkt->ssrc, gap);
	conceal_good(&r->conceal, pcm, 2 * ticks);
	put(r, now_us, pkt->ssrc, ts, pcm, ticks);
	spoke(r, pkt->ssrc, ts + (uint32_t)ticks);
	return true;
}

void rec_packet(struct rec *r, int64_t now_us, const struct rtp_packet *pkt, uint8_t codec)
{
	if (!wants(r, now_us))
		return;
	jitter_put(&r->jitter, now_us, pkt, codec);
}

void rec_start(struct rec *r, struct media_port *port, int64_t now_us)
{
	enum media_codec codec = port->cfg.codec, law = r->prm.format != MEDIA_L16 ? r->prm.format : codec_info(codec)->law ? codec : MEDIA_PCMU;
	jitter_init(&r->jitter, HOLD_MS, in_order, r);
	conceal_init(&r->conceal, is_wide(r) ? MEDIA_RATE_WIDE : MEDIA_RATE);
	gain_init(&r->gain, is_wide(r) ? MEDIA_FRAME_WIDE : MEDIA_FRAME);
	line_init(&r->line, law, now_us, take, r);
	vad_init(&r->vad, r->prm.silence_db);
	r->stats.peak_db = LEVEL_NOTHING;
	r->now = r->block[0]; /* an empty block opens the sink, so that a full disk is known before the caller has spoken */
	if (r->prm.sink->begin && hand_over(r, port->thread, false))
		r->now = NULL;
}

void rec_end(struct rec *r, int64_t now_us)
{
	if (r->ending)
		return;
	jitter_flush(&r->jitter);
	line_flush(&r->line, now_us);
	if (r->prm.level)
		append_last(r);
	r->ending = true;
	r->stats.lost = r->jitter.lost > r->jitter.late ? r->jitter.lost - r->jitter.late : 0; /* who came too late was given up as lost before */
	r->stats.late = r->jitter.late + r->line.late;
	r->stats.speech_ms = r->speech_frames * MEDIA_FRAME_MS;
	r->stats.mean_db = r->speech_frames ? level_db((float)(r->power_sum / r->speech_frames)) : LEVEL_NOTHING;
}

static void tell_speech(struct rec *r, struct media_port *port)
{
	if (!r->prm.speech_ms || !r->heard || r->speech_told)
		return;
	r->speech_told = true;
	thread_emit(port->thread, &(struct media_msg){ .type = MEDIA_REC_SPEECH, .port = port, .id = r->id, .samples = r->stats.samples });
}

static void tell_silence(struct rec *r, struct media_port *port)
{
	uint32_t limit_ms = r->heard || !r->prm.start_silence_ms ? r->prm.silence_ms : r->prm.start_silence_ms;
	uint32_t ms = (r->stats.samples - r->silence_from) / (MEDIA_RATE / 1000);
	if (!limit_ms || r->silence_told || ms < limit_ms)
		return;
	r->silence_told = true;
	thread_emit(port->thread, &(struct media_msg){ .type = MEDIA_REC_SILENCE, .port = port, .id = r->id, .ms = ms, .heard = r->heard });
}

bool rec_tick(struct rec *r, struct media_port *port, int64_t now_us)
{
	if (!r->ending) {
		jitter_tick(&r->jitter, now_us);
		line_tick(&r->line, now_us);
		tell_speech(r, port);
		tell_silence(r, port);
		if (r->full)
			thread_emit(port->thread, &(struct media_msg){ .type = MEDIA_REC_FULL, .port = port, .id = r->id,
				.ms = r->stats.samples / (MEDIA_RATE / 1000) });
		if (r->full || r->overrun)
			rec_end(r, now_us);
	}
	if (!r->ending)
		return false;
	if (!r->now)
		r->now = block_free(r);
	return r->now && hand_over(r, port->thread, true);
}

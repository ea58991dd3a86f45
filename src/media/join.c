/* SPDX-License-Identifier: Apache-2.0 */
/* join.c  The pipes between two joined ports. */
#include "media/join.h"
#include "base/mem.h"
#include "media/g711.h"

enum { GAP_MOST = 10 * MEDIA_FRAME /* a longer one was a pause of the peer */ };

struct media_join *media_join_new(void)
{
	return mem_object(sizeof(struct media_join), NULL);
}

void join_set(struct join_end *e, struct media_join *join, unsigned side)
{
	mem_unref(e->join);
	*e = (struct join_end){ .join = join, .side = side };
}

/* ---- putting ---- */
static unsigned filled(const struct join_pipe *p)
{
	return atomic_load_explicit(&p->tail, memory_order_acquire) - atomic_load_explicit(&p->head, memory_order_acquire);
}

/* ---- what a place holds ---- */
enum { VALUE = 0xffff, KIND = 16, OPUS_HEAD = MEDIA_CODECS /* its length; what follows are two bytes each */, OPUS_BYTES = 2 * (MEDIA_FRAME - 1) };

static uint32_t place(unsigned kind, unsigned value)
{
	return (uint32_t)kind << KIND | (value & VALUE);
}

static unsigned kind_of(uint32_t v)
{
	return v >> KIND;
}

/* The nth of a payload of Opus. */
static uint32_t opus_place(const uint8_t *p, size_t n_bytes, size_t i)
{
	size_t at = 2 * (i - 1);
	if (!i)
		return place(OPUS_HEAD, (unsigned)n_bytes);
	return place(MEDIA_OPUS, (at < n_bytes ? p[at] : 0u) | (at + 1 < n_bytes ? (unsigned)p[at + 1] << 8 : 0u));
}

/* What has no room is left out: the other side is not taking, or skips soon. p NULL: silence. */
static void put(struct join_pipe *pipe, enum media_codec codec, const uint8_t *p, size_t n_bytes, size_t n)
{
	unsigned tail = atomic_load_explicit(&pipe->tail, memory_order_relaxed), room = JOIN_ROOM - filled(pipe);
	if (n > room)
		n = codec == MEDIA_OPUS ? 0 : room;
	for (size_t i = 0; i < n; i++)
		pipe->sample[(tail + i) % JOIN_ROOM] = !p ? place(MEDIA_PCMU, media_codec_silence(MEDIA_PCMU)) : codec == MEDIA_OPUS ? opus_place(p, n_bytes, i) : place(codec, p[i]);
	atomic_store_explicit(&pipe->tail, tail + (unsigned)n, memory_order_release);
}

static void put_at(struct join_end *e, uint32_t ssrc, uint32_t ts, enum media_codec codec, const uint8_t *p, size_t n_bytes, size_t n)
{
	struct join_pipe *pipe = &e->join->pipe[e->side];
	int32_t gap = (int32_t)(ts - e->next_ts);
	bool same = e->placed && ssrc == e->ssrc;
	if (same && gap < 0 && gap > -GAP_MOST)
		return; /* too late, or twice */
	if (same && gap > 0 && gap <= GAP_MOST)
		put(pipe, MEDIA_PCMU, NULL, 0, (size_t)gap);
	put(pipe, codec, p, n_bytes, n);
	e->placed = true;
	e->ssrc = ssrc;
	e->next_ts = ts + (uint32_t)n;
}

void join_put(struct join_end *e, uint32_t ssrc, uint32_t ts, enum media_codec codec, const uint8_t *p, size_t n)
{
	if (e->join && n && n <= JOIN_ROOM / 2)
		put_at(e, ssrc, ts, codec, p, n, n);
}

void join_speaks(struct join_end *e, enum media_codec codec)
{
	if (e->join)
		atomic_store_explicit(&e->join->speaks[e->side], (unsigned)codec + 1, memory_order_relaxed);
}

bool join_put_payload(struct join_end *e, uint32_t ssrc, uint32_t ts, enum media_codec codec, const uint8_t *p, size_t n_bytes, size_t n)
{
	if (!e->join || atomic_load_explicit(&e->join->speaks[!e->side], memory_order_relaxed) != (unsigned)codec + 1)
		return false;
	if (codec == MEDIA_OPUS ? n != MEDIA_FRAME || n_bytes > OPUS_BYTES : codec != MEDIA_G722 || n != n_bytes || n > JOIN_ROOM / 2)
		return false;
	put_at(e, ssrc, ts, codec, p, n_bytes, n);
	return true;
}

/* ---- taking ---- */
/* Places that can be taken from *head on; none while they are held back. What piled up is skipped. */
static bool flowing(struct join_end *e, struct join_pipe *pipe, unsigned *head)
{
	unsigned n = filled(pipe);
	*head = atomic_load_explicit(&pipe->head, memory_order_relaxed);
	if (n > JOIN_MOST) {
		*head += n - JOIN_HOLD;
		n = JOIN_HOLD;
		atomic_store_explicit(&pipe->head, *head, memory_order_release);
	}
	e->flows = n >= (e->flows ? MEDIA_FRAME : JOIN_HOLD);
	return e->flows;
}

static bool all_of(const struct join_pipe *pipe, unsigned head, enum media_codec codec)
{
	for (unsigned i = 0; i < MEDIA_FRAME; i++)
		if (kind_of(pipe->sample[(head + i) % JOIN_ROOM]) != (codec == MEDIA_OPUS && !i ? OPUS_HEAD : (unsigned)codec))
			return false;
	return true;
}

/* The rest of a frame of Opus whose beginning was skipped. */
static void skip_torn(struct join_pipe *pipe, unsigned *head)
{
	unsigned n = filled(pipe), i = 0;
	while (i < n && i < MEDIA_FRAME && kind_of(pipe->sample[(*head + i) % JOIN_ROOM]) == MEDIA_OPUS)
		i++;
	*head += i;
	atomic_store_explicit(&pipe->head, *head, memory_order_release);
}

bool join_take_payload(struct join_end *e, enum media_codec codec, uint8_t *dst, size_t *n_bytes)
{
	unsigned head;
	struct join_pipe *pipe = e->join ? &e->join->pipe[!e->side] : NULL;
	if (!pipe || (codec != MEDIA_OPUS && codec != MEDIA_G722) || !flowing(e, pipe, &head))
		return false;
	if (codec == MEDIA_OPUS)
		skip_torn(pipe, &head);
	if (filled(pipe) < MEDIA_FRAME || !all_of(pipe, head, codec))
		return false;
	*n_bytes = codec == MEDIA_OPUS ? pipe->sample[head % JOIN_ROOM] & VALUE : MEDIA_FRAME;
	for (unsigned i = 0; i < *n_bytes; i++) {
		uint32_t v = pipe->sample[(head + (codec == MEDIA_OPUS ? 1 + i / 2 : i)) % JOIN_ROOM];
		dst[i] = (uint8_t)(codec == MEDIA_OPUS && i % 2 ? v >> 8 : v);
	}
	atomic_store_explicit(&pipe->head, head + MEDIA_FRAME, memory_order_release);
	return true;
}

bool join_take(struct join_end *e, enum media_codec codec, uint8_t dst[MEDIA_FRAME])
{
	unsigned head;
	struct join_pipe *pipe = e->join ? &e->join->pipe[!e->side] : NULL;
	if (!pipe || !flowing(e, pipe, &head))
		return false;
	const uint8_t *cross = g711_cross(codec == MEDIA_PCMA ? MEDIA_PCMU : MEDIA_PCMA);
	for (unsigned i = 0; i < MEDIA_FRAME; i++) {
		uint32_t s = pipe->sample[(head + i) % JOIN_ROOM];
		unsigned kind = kind_of(s);
		dst[i] = kind == (unsigned)codec ? (uint8_t)s : kind == MEDIA_PCMU || kind == MEDIA_PCMA ? cross[s & 0xff] : media_codec_silence(codec);
	}
	atomic_store_explicit(&pipe->head, head + MEDIA_FRAME, memory_order_release);
	return true;
}

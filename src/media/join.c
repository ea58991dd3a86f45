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

/* What has no room is left out: the other side is not taking, or skips soon. */
static void put(struct join_pipe *pipe, enum media_codec codec, const uint8_t *p, size_t n)
{
	unsigned tail = atomic_load_explicit(&pipe->tail, memory_order_relaxed), room = JOIN_ROOM - filled(pipe);
	uint16_t law = codec == MEDIA_PCMA ? 0x100 : 0;
	if (n > room)
		n = room;
	for (size_t i = 0; i < n; i++)
		pipe->sample[(tail + i) % JOIN_ROOM] = (uint16_t)(law | (p ? p[i] : media_codec_silence(codec)));
	atomic_store_explicit(&pipe->tail, tail + (unsigned)n, memory_order_release);
}

void join_put(struct join_end *e, uint32_t ssrc, uint32_t ts, enum media_codec codec, const uint8_t *p, size_t n)
{
	if (!e->join || !n || n > JOIN_ROOM / 2)
		return;
	struct join_pipe *pipe = &e->join->pipe[e->side];
	int32_t gap = (int32_t)(ts - e->next_ts);
	bool same = e->placed && ssrc == e->ssrc;
	if (same && gap < 0 && gap > -GAP_MOST)
		return; /* too late, or twice */
	if (same && gap > 0 && gap <= GAP_MOST)
		put(pipe, codec, NULL, (size_t)gap);
	put(pipe, codec, p, n);
	e->placed = true;
	e->ssrc = ssrc;
	e->next_ts = ts + (uint32_t)n;
}

/* ---- taking ---- */
bool join_take(struct join_end *e, enum media_codec codec, uint8_t dst[MEDIA_FRAME])
{
	if (!e->join)
		return false;
	struct join_pipe *pipe = &e->join->pipe[!e->side];
	unsigned n = filled(pipe), head = atomic_load_explicit(&pipe->head, memory_order_relaxed);
	if (n > JOIN_MOST) {
		head += n - JOIN_HOLD;
		n = JOIN_HOLD;
	}
	e->flows = n >= (e->flows ? MEDIA_FRAME : JOIN_HOLD);
	if (e->flows) {
		const uint8_t *cross = g711_cross(codec == MEDIA_PCMA ? MEDIA_PCMU : MEDIA_PCMA);
		uint16_t law = codec == MEDIA_PCMA ? 0x100 : 0;
		for (unsigned i = 0; i < MEDIA_FRAME; i++) {
			uint16_t s = pipe->sample[(head + i) % JOIN_ROOM];
			dst[i] = (s & 0x100) == law ? (uint8_t)s : cross[s & 0xff];
		}
		head += MEDIA_FRAME;
	}
	atomic_store_explicit(&pipe->head, head, memory_order_release);
	return e->flows;
}

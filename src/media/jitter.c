/* SPDX-License-Identifier: Apache-2.0 */
/* jitter.c  Packets put in order. */
#include "media/jitter.h"
#include <string.h>
#include "base/mem.h"

/* RFC 3550 A.1: a number further away is a source that began anew, or a stray. */
enum { MAX_DROPOUT = 3000, MAX_MISORDER = 100, NONE = 0xff };

void jitter_init(struct jitter *j, unsigned hold_ms, jitter_out_h *out, void *arg)
{
	*j = (struct jitter){ .out = out, .arg = arg, .hold_us = hold_ms * 1000, .n_free = JITTER_CHUNKS };
	for (uint8_t i = 0; i < JITTER_CHUNKS; i++)
		j->link[i] = i + 1 < JITTER_CHUNKS ? (uint8_t)(i + 1) : NONE;
}

void jitter_hold(struct jitter *j, unsigned hold_ms)
{
	j->hold_us = hold_ms * 1000;
}

/* ---- those that wait ---- */
static unsigned chunks_of(size_t n)
{
	return (unsigned)((n + JITTER_CHUNK - 1) / JITTER_CHUNK);
}

static uint8_t fill_chunks(struct jitter *j, const uint8_t *p, size_t n)
{
	uint8_t first = NONE, *end = &first;
	for (size_t at = 0; at < n; at += JITTER_CHUNK) {
		uint8_t c = j->free_first;
		size_t part = n - at < JITTER_CHUNK ? n - at : JITTER_CHUNK;
		j->free_first = j->link[c];
		j->n_free--;
		memcpy(j->chunk[c], p + at, part);
		*end = c;
		end = &j->link[c];
		*end = NONE;
	}
	return first;
}

static void empty_chunks(struct jitter *j, uint8_t *dst, const struct jitter_slot *s)
{
	uint8_t c = s->first;
	for (size_t at = 0; c != NONE; at += JITTER_CHUNK) {
		size_t part = (size_t)s->n - at < JITTER_CHUNK ? (size_t)s->n - at : JITTER_CHUNK;
		uint8_t next = j->link[c];
		memcpy(dst + at, j->chunk[c], part);
		j->link[c] = j->free_first;
		j->free_first = c;
		j->n_free++;
		c = next;
	}
}

static bool has_room(const struct jitter *j, size_t n)
{
	return j->n_slots < JITTER_SLOTS && chunks_of(n) <= j->n_free;
}

/* False: it waits already. */
static bool keep(struct jitter *j, int64_t now_us, const struct rtp_packet *pkt, uint8_t tag)
{
	unsigned at = j->n_slots;
	uint16_t ahead = (uint16_t)(pkt->seq - j->next);
	while (at && (uint16_t)(j->slot[at - 1].seq - j->next) > ahead)
		at--;
	if (at && j->slot[at - 1].seq == pkt->seq)
		return false;
	memmove(&j->slot[at + 1], &j->slot[at], (j->n_slots - at) * sizeof *j->slot);
	j->slot[at] = (struct jitter_slot){ .put_us = now_us, .ts = pkt->ts, .seq = pkt->seq, .n = (uint16_t)pkt->n, .pt = pkt->pt, .tag = tag,
		.first = fill_chunks(j, pkt->payload, pkt->n) };
	j->n_slots++;
	return true;
}

/* ---- out ---- */
static void let_out(struct jitter *j, const struct jitter_packet *p)
{
	j->next = (uint16_t)(p->rtp.seq + 1);
	j->seen = p->lost < 63 ? j->seen << (p->lost + 1) | 1 : 1;
	j->lost += p->lost;
	j->out(p, j->arg);
}

/* The first of those that wait; what is missing before it is lost. */
static void let_out_first(struct jitter *j)
{
	MEM_NOT_CLEARED uint8_t p[RTP_PACKET_MAX];
	struct jitter_slot s = j->slot[0];
	empty_chunks(j, p, &s);
	memmove(&j->slot[0], &j->slot[1], --j->n_slots * sizeof *j->slot);
	struct rtp_packet rtp = { .pt = s.pt, .seq = s.seq, .ts = s.ts, .ssrc = j->ssrc, .payload = p, .n = s.n };
	let_out(j, &(struct jitter_packet){ .rtp = rtp, .tag = s.tag, .at_us = s.put_us, .lost = (uint16_t)(s.seq - j->next) });
}

static void let_out_due(struct jitter *j)
{
	while (j->n_slots && j->slot[0].seq == j->next)
		let_out_first(j);
}

void jitter_flush(struct jitter *j)
{
	while (j->n_slots)
		let_out_first(j);
}

void jitter_tick(struct jitter *j, int64_t now_us)
{
	unsigned due = 0;
	for (unsigned i = 0; i < j->n_slots; i++)
		if (now_us - j->slot[i].put_us >= j->hold_us)
			due = i + 1; /* and all before it */
	if (!due)
		return;
	while (due--)
		let_out_first(j);
	let_out_due(j);
}

/* ---- in ---- */
static void begin(struct jitter *j, int64_t at_us, const struct rtp_packet *pkt, uint8_t tag)
{
	j->known = true;
	j->has_aside = false;
	j->ssrc = pkt->ssrc;
	j->seen = 0;
	let_out(j, &(struct jitter_packet){ .rtp = *pkt, .tag = tag, .at_us = at_us, .anew = true });
}

static void set_aside(struct jitter *j, int64_t now_us, const struct rtp_packet *pkt, uint8_t tag)
{
	if (j->has_aside)
		j->strays++;
	size_t n = pkt->n <= JITTER_ASIDE ? pkt->n : 0;
	j->has_aside = true;
	j->aside = (struct jitter_slot){ .put_us = now_us, .ts = pkt->ts, .seq = pkt->seq, .n = (uint16_t)n, .pt = pkt->pt, .tag = tag };
	j->aside_ssrc = pkt->ssrc;
	memcpy(j->aside_payload, pkt->payload, n);
}

/* Not of the source that is known, or far from its numbers. */
static void other_source(struct jitter *j, int64_t now_us, const struct rtp_packet *pkt, uint8_t tag)
{
	const struct jitter_slot *a = &j->aside;
	if (j->has_aside && pkt->ssrc == j->aside_ssrc && pkt->seq == (uint16_t)(a->seq + 1)) {
		struct rtp_packet first = { .pt = a->pt, .seq = a->seq, .ts = a->ts, .ssrc = j->aside_ssrc, .payload = j->aside_payload, .n = a->n };
		jitter_flush(j);
		begin(j, a->put_us, &first, a->tag);
		let_out(j, &(struct jitter_packet){ .rtp = *pkt, .tag = tag, .at_us = now_us });
	} else if (!j->has_aside || pkt->ssrc != j->aside_ssrc || pkt->seq != a->seq) {
		set_aside(j, now_us, pkt, tag);
	}
}

static void old(struct jitter *j, uint16_t behind)
{
	uint64_t bit = behind <= 64 ? UINT64_C(1) << (behind - 1) : 0;
	if (j->seen & bit)
		j->twice++;
	else
		j->late++;
	j->seen |= bit;
}

void jitter_put(struct jitter *j, int64_t now_us, const struct rtp_packet *pkt, uint8_t tag)
{
	if (pkt->n > RTP_PACKET_MAX)
		return;
	if (!j->known) {
		begin(j, now_us, pkt, tag);
		return;
	}
	uint16_t ahead = (uint16_t)(pkt->seq - j->next), behind = (uint16_t)(j->next - pkt->seq);
	if (pkt->ssrc != j->ssrc || (ahead >= MAX_DROPOUT && behind > MAX_MISORDER)) {
		other_source(j, now_us, pkt, tag);
		return;
	}
	if (ahead >= MAX_DROPOUT) {
		old(j, behind);
		return;
	}
	if (j->has_aside) { /* he goes on: the other one was a stray */
		j->has_aside = false;
		j->strays++;
	}
	while (ahead && j->n_slots && !has_room(j, pkt->n)) {
		let_out_first(j);
		let_out_due(j);
		ahead = (uint16_t)(pkt->seq - j->next);
		if (ahead >= MAX_DROPOUT) { /* overtaken by those that waited */
			old(j, (uint16_t)-ahead);
			return;
		}
	}
	if (!ahead) {
		let_out(j, &(struct jitter_packet){ .rtp = *pkt, .tag = tag, .at_us = now_us });
		let_out_due(j);
	} else if (!keep(j, now_us, pkt, tag)) {
		j->twice++;
	}
}

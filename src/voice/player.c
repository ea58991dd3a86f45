/* SPDX-License-Identifier: Apache-2.0 */
/* player.c  A sequence on a port, one word at its end. */
#include "voice/player.h"
#include "base/mem.h"

void player_init(struct player *p, struct media_port *port)
{
	*p = (struct player){ .port = port };
}

/* An empty sequence is 20 ms of nothing, so that its end comes as any other does. */
static int start(struct player *p, const struct say_seq *q, uint32_t *id)
{
	struct media_clip *nothing;
	if (q->n)
		return media_play(p->port, say_clips(q), q->n, id);
	int err = media_clip_silence(&nothing, MEDIA_FRAME_MS);
	if (err)
		return err;
	err = media_play(p->port, &nothing, 1, id);
	mem_unref(nothing);
	return err;
}

int player_play(struct player *p, const struct say_seq *q, player_h *h, void *arg)
{
	uint32_t id;
	player_forget(p);
	int err = start(p, q, &id);
	if (err)
		return err;
	p->id = p->first = id;
	p->ms = 0;
	p->handler = h;
	p->arg = arg;
	return 0;
}

int player_append(struct player *p, const struct say_seq *q)
{
	uint32_t id;
	if (!p->id || !q->n)
		return 0;
	int err = start(p, q, &id);
	if (err)
		return err;
	p->id = id;
	return 0;
}

bool player_active(const struct player *p)
{
	return p->id != 0;
}

void player_stop(struct player *p)
{
	if (p->id)
		media_play_stop(p->port);
}

void player_forget(struct player *p)
{
	player_stop(p);
	p->id = 0;
	p->handler = NULL;
}

bool player_event(struct player *p, const struct media_event *ev)
{
	if (ev->type != MEDIA_PLAY_ENDED)
		return false;
	if (!p->id)
		return true; /* of one that was forgotten */
	if (ev->id != p->id) {
		if (ev->id - p->first < p->id - p->first) /* an earlier part of this one */
			p->ms += ev->ms;
		return true;
	}
	player_h *h = p->handler;
	uint32_t ms = p->ms + ev->ms;
	p->id = 0;
	p->handler = NULL;
	if (h)
		h(p, ev->stopped, ms, p->arg);
	return true;
}

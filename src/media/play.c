/* SPDX-License-Identifier: Apache-2.0 */
/* play.c  What a port plays: items queued one behind the other, each of clips that were encoded before. On the media thread. */
#include "media/media_private.h"

static struct media_play_item *play_now(struct media_port *port)
{
	struct media_play_item *it = port->plays;
	while (it && it->over)
		it = it->next;
	return it;
}

bool play_frame(struct media_port *port, uint8_t dst[MEDIA_FRAME])
{
	size_t at = 0;
	struct media_play_item *it;
	while (at < MEDIA_FRAME && (it = play_now(port)) != NULL) {
		const struct media_clip *c = it->clip[it->at];
		size_t left = media_clip_samples(c) - it->pos, take = MEDIA_FRAME - at < left ? MEDIA_FRAME - at : left;
		memcpy(dst + at, media_clip_bytes(c, port->cfg.codec) + it->pos, take);
		at += take;
		it->pos += (uint32_t)take;
		it->samples += (uint32_t)take;
		if (take == left) {
			it->pos = 0;
			if (++it->at == it->n)
				it->over = port->plays_over = true;
		}
	}
	memset(dst + at, media_codec_silence(port->cfg.codec), MEDIA_FRAME - at);
	return at > 0;
}

void play_tell(struct media_thread *t, struct media_port *port)
{
	struct media_play_item *first = port->plays, **end = &port->plays;
	while (*end && (*end)->over)
		end = &(*end)->next;
	port->plays_over = false;
	if (end == &port->plays)
		return;
	port->plays = *end;
	*end = NULL;
	if (!port->plays)
		port->plays_end = &port->plays;
	thread_emit(t, &(struct media_msg){ .type = MEDIA_PLAY_ENDED, .port = port, .plays = first });
}

void play_stop(struct media_port *port)
{
	for (struct media_play_item *it = port->plays; it; it = it->next)
		if (!it->over) {
			it->over = it->stopped = true;
			port->plays_over = true;
		}
}

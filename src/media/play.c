/* SPDX-License-Identifier: Apache-2.0 */
/* play.c  What a port plays: items queued one behind the other, each of clips that were encoded before; asked for on the loop thread, played on the
 * media thread. What is not as it was encoded (slower, louder) is made into other clips by a worker and takes the place of the first. */
#include <errno.h>
#include "base/mem.h"
#include "media/media_private.h"

enum { CLIPS_MAX = 4096 };

/* ---- media thread ---- */

struct media_play_item *play_now(struct media_port *port)
{
	struct media_play_item *it = port->plays;
	while (it && it->over)
		it = it->next;
	return it;
}

void play_forward(struct media_port *port, struct media_play_item *it, uint32_t samples)
{
	it->pos += samples;
	it->samples += samples;
	if (it->pos < media_clip_samples(it->clip[it->at]))
		return;
	it->pos = 0;
	if (++it->at == it->n)
		it->over = port->plays_over = true;
}

bool play_frame(struct media_port *port, enum media_codec law, uint8_t dst[MEDIA_FRAME])
{
	size_t at = 0;
	struct media_play_item *it;
	while (at < MEDIA_FRAME && !port->paused && (it = play_now(port)) != NULL) {
		const struct media_clip *c = it->clip[it->at];
		size_t left = media_clip_samples(c) - it->pos, take = MEDIA_FRAME - at < left ? MEDIA_FRAME - at : left;
		memcpy(dst + at, media_clip_bytes(c, law) + it->pos, take);
		at += take;
		play_forward(port, it, (uint32_t)take);
	}
	memset(dst + at, media_codec_silence(law), MEDIA_FRAME - at);
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
	port->paused = false;
	for (struct media_play_item *it = port->plays; it; it = it->next)
		if (!it->over) {
			it->over = it->stopped = true;
			port->plays_over = true;
		}
}

static uint64_t length(const struct media_play_item *it)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < it->n; i++)
		n += media_clip_samples(it->clip[i]);
	return n;
}

/* To a frame's beginning in the clip that holds that sample. False: behind the end. */
static bool seek(struct media_play_item *it, uint64_t sample)
{
	uint64_t before = 0;
	for (unsigned i = 0; i < it->n; i++) {
		uint32_t n = media_clip_samples(it->clip[i]);
		if (sample < before + n) {
			it->at = i;
			it->pos = (uint32_t)(sample - before) / MEDIA_FRAME * MEDIA_FRAME;
			it->samples = (uint32_t)before + it->pos;
			return true;
		}
		before += n;
	}
	it->samples = (uint32_t)before;
	return false;
}

void play_skip(struct media_port *port, int32_t by_ms)
{
	struct media_play_item *it = play_now(port);
	int64_t to = it ? (int64_t)it->samples + (int64_t)by_ms * (MEDIA_RATE / 1000) : 0;
	if (it && !seek(it, to > 0 ? (uint64_t)to : 0))
		it->over = port->plays_over = true;
}

void play_swap(struct media_port *port, struct media_play_item *it)
{
	struct media_play_item *old = port->plays;
	while (old && (old->over || old->id != it->id))
		old = old->next;
	if (!old) { /* too late: only given back */
		it->over = it->swapped = port->plays_over = true;
		*port->plays_end = it;
		port->plays_end = &it->next;
		return;
	}
	if (!seek(it, old->samples * length(it) / length(old)))
		it->over = true;
	it->next = old->next;
	old->next = it;
	if (port->plays_end == &old->next)
		port->plays_end = &it->next;
	old->over = old->swapped = port->plays_over = true;
}

/* ---- loop thread ---- */
void plays_free(struct media_play_item *it)
{
	while (it) {
		struct media_play_item *next = it->next;
		for (unsigned i = 0; i < it->n; i++)
			mem_unref(it->clip[i]);
		mem_free(it);
		it = next;
	}
}

static int ask(struct media_port *port, enum media_cmd_type type, uint32_t id, struct media_clip *const *clips, unsigned n)
{
	if (!n || n > CLIPS_MAX)
		return EINVAL;
	struct media_play_item *it = mem_zalloc(1, sizeof *it + n * sizeof(struct media_clip *));
	if (!it)
		return ENOMEM;
	it->id = id;
	it->n = n;
	for (unsigned i = 0; i < n; i++)
		it->clip[i] = mem_ref(clips[i]);
	for (unsigned i = 0; i < n; i++)
		if (port->codec_told != MEDIA_G722 || media_clip_can_widen(clips[i]))
			encoder_wish(port->engine->encoder, clips[i], port->codec_told);
	if (!port->closing && engine_command(port->thread, &(struct media_cmd){ .type = type, .port = port, .u.play = it }))
		return 0;
	plays_free(it);
	return EAGAIN;
}

int media_play(struct media_port *port, struct media_clip *const *clips, unsigned n, uint32_t *id)
{
	uint32_t its_id = port_next_id(port);
	int err = ask(port, CMD_PLAY, its_id, clips, n);
	if (!err && id)
		*id = its_id;
	return err;
}

int media_play_swap(struct media_port *port, uint32_t id, struct media_clip *const *clips, unsigned n)
{
	return ask(port, CMD_SWAP, id, clips, n);
}

static int command(struct media_port *port, const struct media_cmd *cmd)
{
	return !port->closing && engine_command(port->thread, cmd) ? 0 : EAGAIN;
}

int media_play_pause(struct media_port *port, bool on)
{
	return command(port, &(struct media_cmd){ .type = CMD_PAUSE, .port = port, .u.paused = on });
}

int media_play_skip(struct media_port *port, int32_t by_ms)
{
	return command(port, &(struct media_cmd){ .type = CMD_SKIP, .port = port, .u.skip_ms = by_ms });
}

void media_play_stop(struct media_port *port)
{
	(void)command(port, &(struct media_cmd){ .type = CMD_STOP, .port = port });
}

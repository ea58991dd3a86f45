/* SPDX-License-Identifier: Apache-2.0 */
/* utter.c  The payload of a port's next packet, in whatever codec is sent. On the media thread.
 *
 *   G.711                     clips or the joined port, as they are
 *   Opus, L16, clip is there  its payload, shared by all ports (encoder.h)
 *   not yet, and G.722        the port's own encoder, from the clip's G.711 (G.722: from its wide samples, if it has them); also for what the joined port says
 *   nothing to be said        one frame of silence that was made beforehand
 *
 * A clip keeps to the way in which it began. Opus finds its way from any state to the beginning of a clip. G.722 does not: with a decoder that has another past
 * than the encoder, a clip begins with a bang as loud as can be. So each port has an encoder that goes on without a break, also into silence until
 * both ends are at rest. Frames of Opus cannot be cut, so that a clip which ends within one is filled up: words of a sentence come up to 20 ms further apart
 * than in G.711.                                                                                                          */
#include "media/g711.h"
#include "media/media_private.h"

/* ---- payload that all share ---- */
struct place {
	struct media_play_item *it;
	unsigned at;
	uint32_t pos;
};

static struct place place_now(struct media_port *port)
{
	struct media_play_item *it = play_now(port);
	return it ? (struct place){ it, it->at, it->pos } : (struct place){ 0 };
}

static struct place behind(struct place p, uint32_t n)
{
	p.pos += n;
	if (p.pos < media_clip_samples(p.it->clip[p.at]))
		return p;
	p.pos = 0;
	if (++p.at < p.it->n)
		return p;
	do
		p.it = p.it->next;
	while (p.it && p.it->over);
	return p.it ? (struct place){ p.it, p.it->at, p.it->pos } : (struct place){ 0 };
}

static uint32_t left_in(const struct place *p)
{
	return media_clip_samples(p->it->clip[p->at]) - p->pos;
}

/* A clip that began otherwise, or stands where it was never cut, is not shared. */
static bool is_shared(const struct place *p, enum media_codec codec, struct media_form *form)
{
	return (!p->pos || p->it->shared) && media_clip_form(p->it->clip[p->at], codec, form);
}

/* Codecs that may be cut: a frame of one clip or several, if all of them are there. */
static bool shared_units(struct media_port *port, uint8_t *dst, size_t *n)
{
	enum media_codec codec = port->cfg.codec;
	struct media_form form;
	struct place p = place_now(port);
	size_t at = 0, bytes = 0;
	for (; at < MEDIA_FRAME && p.it; p = behind(p, MEDIA_FRAME - at < left_in(&p) ? (uint32_t)(MEDIA_FRAME - at) : left_in(&p))) {
		if (!is_shared(&p, codec, &form))
			return false;
		size_t take = MEDIA_FRAME - at < left_in(&p) ? MEDIA_FRAME - at : left_in(&p);
		memcpy(dst + bytes, form.bytes + (size_t)p.pos * form.unit, take * form.unit);
		bytes += take * form.unit;
		at += take;
		if (at == MEDIA_FRAME)
			break;
	}
	if (!at)
		return false;
	const uint8_t *silence = codec_silence(codec, n);
	memcpy(dst + bytes, silence + bytes, *n - bytes);
	struct media_play_item *it;
	for (size_t left = at; left && (it = play_now(port)) != NULL;) {
		struct place now = { it, it->at, it->pos };
		uint32_t take = left < left_in(&now) ? (uint32_t)left : left_in(&now);
		it->shared = true;
		play_forward(port, it, take);
		left -= take;
	}
	return true;
}

static bool shared_frame(struct media_port *port, uint8_t *dst, size_t *n)
{
	struct media_form form;
	struct place p = place_now(port);
	if (!p.it || p.pos % MEDIA_FRAME || !is_shared(&p, port->cfg.codec, &form))
		return false;
	uint32_t i = p.pos / MEDIA_FRAME, take = MEDIA_FRAME < left_in(&p) ? MEDIA_FRAME : left_in(&p);
	*n = form.at[i + 1] - form.at[i];
	if (!*n)
		return false;
	memcpy(dst, form.bytes + form.at[i], *n);
	p.it->shared = true;
	play_forward(port, p.it, take);
	return true;
}

static bool shared(struct media_port *port, uint8_t *dst, size_t *n)
{
	if (port->paused)
		return false;
	if (codec_info(port->cfg.codec)->unit_bytes ? shared_units(port, dst, n) : shared_frame(port, dst, n))
		return true;
	struct media_play_item *it = play_now(port);
	if (it)
		it->shared = false;
	return false;
}

/* ---- the port's own encoder ---- */
/* A whole frame of a clip that is wide. */
static bool own_wide(struct media_port *port, uint8_t *dst, size_t *n)
{
	struct place p = place_now(port);
	const int16_t *wide = p.it && !port->paused ? media_clip_wide(p.it->clip[p.at]) : NULL;
	if (port->cfg.codec != MEDIA_G722 || !port->cfg.tx || !wide || left_in(&p) < MEDIA_FRAME)
		return false;
	*n = codec_encode_wide(port->cfg.tx, wide + 2 * (size_t)p.pos, dst);
	play_forward(port, p.it, MEDIA_FRAME);
	return *n > 0;
}

static bool own(struct media_port *port, uint8_t *dst, size_t *n)
{
	uint8_t law[MEDIA_FRAME];
	int16_t pcm[MEDIA_FRAME];
	if (own_wide(port, dst, n))
		return true;
	if (!play_frame(port, MEDIA_PCMU, law) && !join_take(&port->join, MEDIA_PCMU, law))
		return false;
	g711_decode(MEDIA_PCMU, pcm, law, MEDIA_FRAME);
	*n = port->cfg.tx ? codec_encode(port->cfg.tx, pcm, dst) : 0;
	return *n > 0;
}

/* The listener's decoder must come to rest as our encoder does; then both know what follows. */
static void quiet(struct media_port *port, uint8_t *dst, size_t *n)
{
	static const int16_t nothing[MEDIA_FRAME];
	if (port->cfg.codec == MEDIA_G722 && port->cfg.tx && port->quiet < QUIET_SETTLED) {
		port->quiet++;
		*n = codec_encode(port->cfg.tx, nothing, dst);
		return;
	}
	const uint8_t *silence = codec_silence(port->cfg.codec, n);
	memcpy(dst, silence, *n);
}

bool utter(struct media_port *port, uint8_t dst[CODEC_PAYLOAD_MAX], size_t *n)
{
	enum media_codec codec = port->cfg.codec;
	if (codec_info(codec)->law) {
		*n = MEDIA_FRAME;
		return play_frame(port, codec, dst) || join_take(&port->join, codec, dst);
	}
	if ((codec != MEDIA_G722 && shared(port, dst, n)) || (!play_now(port) && join_take_payload(&port->join, codec, dst, n)) || own(port, dst, n)) {
		port->quiet = 0;
		return true;
	}
	quiet(port, dst, n);
	return false;
}

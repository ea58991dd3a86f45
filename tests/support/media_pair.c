/* SPDX-License-Identifier: Apache-2.0 */
/* media_pair.c  Two ports in one process. */
#include "media_pair.h"
#include <string.h>
#include "audio.h"
#include "ut.h"

static void on_event(struct media_port *port, const struct media_event *ev, void *arg)
{
	struct pair_side *s = arg;
	assert_true(s->n < PAIR_EVENTS);
	s->ev[s->n] = *ev;
	if (ev->addr)
		s->addr[s->n] = *ev->addr;
	s->n++;
	if (s->also)
		s->also(port, ev, s->arg);
	if (ev->type == MEDIA_CLOSED)
		s->port = NULL;
}

static void open_side(struct pair *p, struct pair_side *s, bool v6)
{
	struct net_addr local;
	assert_int_equal(net_addr_parse(&local, text_of(v6 ? "::1" : "127.0.0.1"), 0), 0);
	struct media_port_prm prm = { .local = &local, .handler = on_event, .arg = s };
	assert_int_equal(media_port_open(&s->port, p->engine, &prm, NULL), 0);
}

void pair_open_idle(struct pair *p, bool v6)
{
	memset(p, 0, sizeof *p);
	clock_fake_init(&p->clock, 1800000000);
	struct media_engine_prm prm = { .clock = &p->clock.clock };
	assert_int_equal(media_engine_create(&p->engine, &prm, NULL), 0);
	open_side(p, &p->a, v6);
	open_side(p, &p->b, v6);
}

void pair_start(struct pair *p, struct pair_side *s, const struct net_addr *remote, enum media_codec codec)
{
	(void)p;
	struct media_stream st = { .remote = remote, .codec = codec, .pt = media_codec_pt(codec) == CODEC_NO_PT ? 96 : media_codec_pt(codec), .dtmf_pt = 101, .send = true, .recv = true };
	assert_int_equal(media_port_start(s->port, &st), 0);
}

void pair_open(struct pair *p, bool v6)
{
	pair_open_idle(p, v6);
	pair_start(p, &p->a, media_port_addr(p->b.port), MEDIA_PCMU);
	pair_start(p, &p->b, media_port_addr(p->a.port), MEDIA_PCMU);
}

void pair_close(struct pair *p)
{
	if (p->a.port)
		media_port_close(p->a.port);
	if (p->b.port)
		media_port_close(p->b.port);
	pair_run(p, 40);
	assert_null(p->a.port);
	assert_null(p->b.port);
	media_engine_destroy(p->engine);
}

void pair_run(struct pair *p, unsigned ms)
{
	for (unsigned t = 0; t < ms; t += MEDIA_FRAME_MS) {
		clock_fake_advance_ms(&p->clock, MEDIA_FRAME_MS);
		media_engine_step(p->engine);
	}
}

const struct media_event *pair_event(const struct pair_side *s, enum media_event_type type, unsigned nth)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->ev[i].type == type && !nth--)
			return &s->ev[i];
	return NULL;
}

unsigned pair_count(const struct pair_side *s, enum media_event_type type)
{
	unsigned n = 0;
	for (unsigned i = 0; i < s->n; i++)
		n += s->ev[i].type == type;
	return n;
}

const char *pair_digits(const struct pair_side *s)
{
	static char digits[PAIR_EVENTS + 1];
	unsigned n = 0;
	for (unsigned i = 0; i < s->n; i++)
		if (s->ev[i].type == MEDIA_DIGIT)
			digits[n++] = s->ev[i].digit;
	digits[n] = 0;
	return digits;
}

struct media_clip *pair_clip(int16_t *pcm, size_t n, unsigned seed)
{
	struct media_clip *c;
	audio_make(pcm, n, seed);
	assert_int_equal(media_clip_from_l16(&c, pcm, n), 0);
	return c;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* hear.c  A recording into memory that knows when somebody speaks. */
#include "voice/hear.h"
#include <errno.h>
#include "base/mem.h"
#include "net/tmr.h"

enum { LONGEST_WAIT_MS = 120000 /* prompt and silence before anybody speaks */, NO_SPEECH_MS = 5000, AHEAD_MS = 400, BEHIND_MS = 240, A_MS = MEDIA_RATE / 1000 };

struct hear {
	struct hear_prm prm;
	struct hear **slot;
	struct media_sink_mem sink;
	uint32_t rec;
	uint32_t began; /* sample at which speech was sure; 0: not yet */
	bool nothing;
	struct tmr limit;
};

static void too_long(void *arg)
{
	struct hear *h = arg;
	media_record_stop(h->prm.port);
}

int hear_start(struct hear **hp, const struct hear_prm *prm)
{
	struct hear *h = mem_zalloc(1, sizeof *h);
	if (!h)
		return ENOMEM;
	h->prm = *prm;
	h->slot = hp;
	media_sink_mem_init(&h->sink, (size_t)(LONGEST_WAIT_MS + HEAR_LONGEST_MS + 1000) * A_MS * 2);
	struct media_record_prm rec = {
		.sink = &h->sink.sink, .format = MEDIA_L16, .max_ms = LONGEST_WAIT_MS, .silence_ms = HEAR_END_MS,
		.start_silence_ms = prm->no_speech_ms ? prm->no_speech_ms : NO_SPEECH_MS, .speech_ms = HEAR_SPEECH_MS, .playing_db = HEAR_PLAYING_DB,
	};
	int err = media_record(prm->port, &rec, &h->rec);
	if (err) {
		buf_free(&h->sink.bytes);
		mem_free(h);
		return err;
	}
	*hp = h;
	return 0;
}

void hear_stop(struct hear *h)
{
	h->prm.handler = NULL;
	tmr_cancel(&h->limit);
	media_record_stop(h->prm.port);
}

static void hear_free(struct hear *h)
{
	tmr_cancel(&h->limit);
	buf_free(&h->sink.bytes);
	mem_free(h);
}

static void tell(struct hear *h, enum hear_what what, int err, size_t from, size_t to)
{
	struct hear_event ev = { .what = what, .err = err };
	if (what == HEAR_UTTERANCE) {
		ev.pcm = (const int16_t *)(const void *)h->sink.bytes.p + from;
		ev.n = to - from;
	}
	if (h->prm.handler)
		h->prm.handler(&ev, h->prm.arg);
}

static void over(struct hear *h, const struct media_event *ev)
{
	size_t all = h->sink.bytes.n / 2, from = 0, to = ev->rec.speech_end + (size_t)BEHIND_MS * A_MS;
	if (h->began > (HEAR_SPEECH_MS + AHEAD_MS) * A_MS)
		from = h->began - (HEAR_SPEECH_MS + AHEAD_MS) * A_MS;
	if (to > all)
		to = all;
	tmr_cancel(&h->limit);
	*h->slot = NULL; /* the handler may start another one */
	if (ev->err)
		tell(h, HEAR_FAILED, ev->err, 0, 0);
	else if (h->began && to > from)
		tell(h, HEAR_UTTERANCE, 0, from, to);
	else
		tell(h, HEAR_NOTHING, 0, 0, 0);
	hear_free(h);
}

bool hear_event(struct hear *h, const struct media_event *ev)
{
	switch (ev->type) {
	case MEDIA_REC_SPEECH:
		if (ev->id != h->rec)
			return false;
		if (h->began)
			return true;
		h->began = ev->samples ? ev->samples : 1;
		tmr_start(h->prm.loop, &h->limit, HEAR_LONGEST_MS, too_long, h);
		tell(h, HEAR_BEGAN, 0, 0, 0);
		return true;
	case MEDIA_REC_SILENCE:
		if (ev->id != h->rec)
			return false;
		media_record_stop(h->prm.port);
		return true;
	case MEDIA_REC_FULL:
	case MEDIA_REC_BLOCK:
		return ev->id == h->rec;
	case MEDIA_REC_ENDED:
		if (ev->id != h->rec)
			return false;
		over(h, ev);
		return true;
	default:
		return false;
	}
}

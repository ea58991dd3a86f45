/* SPDX-License-Identifier: Apache-2.0 */
/* work.c  Requests to those who do them. */
#include "umbel-speech/work.h"
#include <errno.h>
#include "base/mem.h"
#include "voice/speak.h"

struct work_shared {
	int unused;
};

struct work {
	struct work_shared *shared;
};

int work_shared_open(struct work_shared **sp)
{
	struct work_shared *s = mem_zalloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	*sp = s;
	return 0;
}

void work_shared_close(struct work_shared *s)
{
	mem_free(s);
}

void work_describe(const struct work_shared *s, struct speech_hello *h)
{
	(void)s;
	h->speaks = true;
	h->front = TEXT("no");
	h->reason = TEXT("not built in");
}

struct work *work_open(struct work_shared *s)
{
	struct work *w = mem_zalloc(1, sizeof *w);
	if (w)
		w->shared = s;
	return w;
}

void work_close(struct work *w)
{
	mem_free(w);
}

static int say(struct text text, uint32_t id, struct buf *out)
{
	char words[SPEECH_TEXT_MAX + 1];
	int16_t *pcm;
	size_t n;
	int err = text_copy(text, words, sizeof words) ? EINVAL : speak_pcm(&pcm, &n, words);
	if (err)
		return err;
	size_t at = speech_begin(out, SPEECH_SAID, id);
	speech_put_pcm(out, pcm, n < SPEECH_SAID_MAX ? n : SPEECH_SAID_MAX);
	speech_end(out, at);
	mem_free(pcm);
	return 0;
}

int work_do(struct work *w, const struct speech_head *h, const uint8_t *body, struct buf *out)
{
	(void)w;
	switch (h->type) {
	case SPEECH_SAY: return say(text_make(body, h->n), h->id, out);
	default: return ENOTSUP;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* calltest_audio.c  The ear of the test caller. */
#include "cli/calltest_audio.h"
#include <errno.h>
#include "base/mem.h"
#include "media/g711.h"
#include "voice/wav.h"

enum { HEARD_MAX = MEDIA_RATE * 2 * 900 };

static struct ear *ear_of(struct media_sink *s)
{
	return (struct ear *)(void *)s;
}

static int append(struct media_sink *s, const void *p, size_t n)
{
	struct ear *e = ear_of(s);
	pthread_mutex_lock(&e->lock);
	int err = buf_put(&e->pcm, p, n);
	pthread_mutex_unlock(&e->lock);
	return err;
}

static int sync_nothing(struct media_sink *s)
{
	(void)s;
	return 0;
}

static int finish(struct media_sink *s, const struct media_rec_stats *stats)
{
	(void)s;
	(void)stats;
	return 0;
}

void ear_init(struct ear *e)
{
	*e = (struct ear){ .sink = { .append = append, .sync = sync_nothing, .finish = finish } };
	pthread_mutex_init(&e->lock, NULL);
	buf_init(&e->pcm, HEARD_MAX);
}

void ear_free(struct ear *e)
{
	buf_free(&e->pcm);
	pthread_mutex_destroy(&e->lock);
}

size_t ear_samples(struct ear *e)
{
	pthread_mutex_lock(&e->lock);
	size_t n = e->pcm.n / 2;
	pthread_mutex_unlock(&e->lock);
	return n;
}

bool ear_heard(struct ear *e, size_t from, const struct match_sound *sound, struct match_found *f)
{
	bool found = false;
	pthread_mutex_lock(&e->lock);
	const int16_t *heard = (const int16_t *)(const void *)e->pcm.p;
	size_t have = e->pcm.n / 2;
	f->at = from;
	if (heard && from + sound->n <= have && sound->n) {
		found = match_find(sound, heard + from, have - from, f);
		size_t seen = have - from - sound->n + 1;
		if (!found)
			f->at = seen > MATCH_AGAIN ? seen - MATCH_AGAIN : 0; /* one with gaps may not have been heard to its end */
		f->at += from;
		f->end += from;
	}
	pthread_mutex_unlock(&e->lock);
	return found;
}

int ear_write(struct ear *e, size_t from, size_t to, const char *path)
{
	pthread_mutex_lock(&e->lock);
	size_t have = e->pcm.n / 2;
	if (to > have)
		to = have;
	size_t n = from < to ? to - from : 0;
	int16_t *copy = mem_zalloc(n ? n : 1, sizeof *copy);
	if (copy && n)
		memcpy(copy, e->pcm.p + from * 2, n * 2);
	pthread_mutex_unlock(&e->lock);
	int err = copy ? wav_write(path, copy, n) : ENOMEM;
	mem_free(copy);
	return err;
}

int16_t *clip_pcm(const struct media_clip *c, size_t *n)
{
	*n = media_clip_samples(c);
	int16_t *pcm = mem_zalloc(*n, sizeof *pcm);
	const uint8_t *law = media_clip_bytes(c, MEDIA_PCMU);
	if (pcm)
		g711_decode(MEDIA_PCMU, pcm, law, *n);
	return pcm;
}

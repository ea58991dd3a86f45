/* SPDX-License-Identifier: Apache-2.0 */
/* encoder.c  A queue of clips and one thread. */
#include "media/encoder.h"
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/list.h"
#include "base/mem.h"

enum { WISHES_MAX = 4096, GIVES_WAY = 10 /* nice */ };

struct wish {
	struct link link;
	struct media_clip *clip; /* a reference */
	enum media_codec codec;
};

struct encoder {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct list wishes;
	unsigned n;
	bool thread, ending;
	pthread_t id;
};

static struct wish *next(struct encoder *e)
{
	struct link *l = list_pop(&e->wishes);
	if (!l)
		return NULL;
	e->n--;
	return LIST_ENTRY(l, struct wish, link);
}

static void let_go(struct wish *w)
{
	mem_unref(w->clip);
	mem_free(w);
}

static void fulfil(struct wish *w)
{
	if (w->codec == MEDIA_G722 ? media_clip_widen(w->clip) : media_clip_encode(w->clip, w->codec)) /* without memory the ports go on by themselves */
		media_clip_wish_failed(w->clip, w->codec);
	let_go(w);
}

static void *work(void *arg)
{
	struct encoder *e = arg;
	struct wish *w;
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), GIVES_WAY); /* of this thread alone, in Linux */
	pthread_mutex_lock(&e->lock);
	while (!e->ending) {
		w = next(e);
		if (!w) {
			pthread_cond_wait(&e->more, &e->lock);
			continue;
		}
		pthread_mutex_unlock(&e->lock);
		fulfil(w);
		pthread_mutex_lock(&e->lock);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

int encoder_create(struct encoder **ep, bool thread)
{
	struct encoder *e = mem_zalloc(1, sizeof *e);
	if (!e)
		return ENOMEM;
	list_init(&e->wishes);
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->more, NULL);
	int err = thread ? pthread_create(&e->id, NULL, work, e) : 0;
	if (err) {
		encoder_destroy(e);
		return err;
	}
	e->thread = thread;
	*ep = e;
	return 0;
}

void encoder_destroy(struct encoder *e)
{
	struct wish *w;
	if (!e)
		return;
	if (e->thread) {
		pthread_mutex_lock(&e->lock);
		e->ending = true;
		pthread_cond_signal(&e->more);
		pthread_mutex_unlock(&e->lock);
		pthread_join(e->id, NULL);
	}
	while ((w = next(e)) != NULL)
		let_go(w);
	pthread_cond_destroy(&e->more);
	pthread_mutex_destroy(&e->lock);
	mem_free(e);
}

void encoder_wish(struct encoder *e, struct media_clip *clip, enum media_codec codec)
{
	if (codec_info(codec)->law || !media_clip_first_wish(clip, codec))
		return;
	struct wish *w = mem_zalloc(1, sizeof *w);
	if (!w) {
		media_clip_wish_failed(clip, codec);
		return;
	}
	w->clip = mem_ref(clip);
	w->codec = codec;
	pthread_mutex_lock(&e->lock);
	bool room = e->n < WISHES_MAX;
	if (room) {
		list_append(&e->wishes, &w->link);
		e->n++;
		pthread_cond_signal(&e->more);
	}
	pthread_mutex_unlock(&e->lock);
	if (!room) {
		media_clip_wish_failed(clip, codec);
		let_go(w);
	}
}

void encoder_step(struct encoder *e)
{
	struct wish *w;
	while (!e->thread && (w = next(e)) != NULL)
		fulfil(w);
}

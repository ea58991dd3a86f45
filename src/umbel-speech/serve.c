/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c  One thread reads, several work. */
#include "umbel-speech/serve.h"
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/list.h"
#include "base/mem.h"
#include "umbel-speech/work.h"
#include "voice/speech_msg.h"

enum { WORKERS_MAX = 16, QUEUE_MAX = 1024, ARENAS = 4, ANSWER_MAX = SPEECH_BODY_MAX + SPEECH_HEAD };

struct job {
	struct link link;
	struct speech_head head;
	uint8_t body[];
};

struct serve {
	int fd;
	struct work_shared *shared;
	pthread_mutex_t lock, out; /* out: one answer at a time */
	pthread_cond_t more;
	struct list queue;
	unsigned queued;
};

static int send_all(struct serve *s, const struct buf *b)
{
	size_t sent = 0;
	int err = buf_error(b);
	pthread_mutex_lock(&s->out);
	while (!err && sent < b->n) {
		ssize_t n = send(s->fd, b->p + sent, b->n - sent, MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		else if (errno != EINTR)
			err = errno;
	}
	pthread_mutex_unlock(&s->out);
	return err;
}

static int say_failed(struct serve *s, uint32_t id, int why)
{
	struct buf b;
	buf_init(&b, 64);
	size_t at = speech_begin(&b, SPEECH_FAILED, id);
	speech_put_failed(&b, why);
	speech_end(&b, at);
	int err = send_all(s, &b);
	buf_free(&b);
	return err;
}

static void answer(struct serve *s, struct work *w, const struct job *j)
{
	struct buf b;
	buf_init(&b, ANSWER_MAX);
	int err = work_do(w, &j->head, j->body, &b);
	if (!err)
		err = buf_error(&b);
	if (err)
		(void)say_failed(s, j->head.id, err);
	else
		(void)send_all(s, &b);
	buf_free(&b);
}

static void *worker(void *arg)
{
	struct serve *s = arg;
	struct work *w = work_open(s->shared);
	for (;;) {
		pthread_mutex_lock(&s->lock);
		while (list_empty(&s->queue))
			pthread_cond_wait(&s->more, &s->lock);
		struct job *j = LIST_ENTRY(list_pop(&s->queue), struct job, link);
		s->queued--;
		pthread_mutex_unlock(&s->lock);
		if (w)
			answer(s, w, j);
		else
			(void)say_failed(s, j->head.id, ENOMEM);
		mem_free(j);
	}
	return NULL;
}

static int read_all(int fd, void *to, size_t n)
{
	size_t got = 0;
	while (got < n) {
		ssize_t r = recv(fd, (uint8_t *)to + got, n - got, 0);
		if (r == 0)
			return ENODATA;
		if (r > 0)
			got += (size_t)r;
		else if (errno != EINTR)
			return errno;
	}
	return 0;
}

/* One request into the queue. ENODATA: the other side is gone. */
static int read_one(struct serve *s)
{
	uint8_t head[SPEECH_HEAD];
	struct speech_head h;
	int err = read_all(s->fd, head, sizeof head);
	if (!err)
		err = speech_head_parse(&h, head, sizeof head);
	if (!err && (h.type < SPEECH_PING || h.type > SPEECH_HEAR))
		err = EPROTO;
	if (err)
		return err;
	struct job *j = mem_alloc(sizeof *j + h.n);
	if (!j)
		return ENOMEM;
	*j = (struct job){ .head = h };
	err = read_all(s->fd, j->body, h.n);
	if (err) {
		mem_free(j);
		return err;
	}
	if (h.type == SPEECH_PING) { /* the workers may be busy */
		struct buf b;
		buf_init(&b, 64);
		speech_end(&b, speech_begin(&b, SPEECH_PONG, h.id));
		err = send_all(s, &b);
		buf_free(&b);
		mem_free(j);
		return err;
	}
	pthread_mutex_lock(&s->lock);
	bool full = s->queued >= QUEUE_MAX;
	if (!full) {
		list_append(&s->queue, &j->link);
		s->queued++;
		pthread_cond_signal(&s->more);
	}
	pthread_mutex_unlock(&s->lock);
	if (full) {
		mem_free(j);
		return say_failed(s, h.id, EAGAIN);
	}
	return 0;
}

static int hello(struct serve *s, unsigned workers)
{
	struct buf b;
	struct speech_hello h = { .workers = workers };
	buf_init(&b, 4096);
	work_describe(s->shared, &h);
	size_t at = speech_begin(&b, SPEECH_HELLO, 0);
	speech_put_hello(&b, &h);
	speech_end(&b, at);
	int err = send_all(s, &b);
	buf_free(&b);
	return err;
}

int serve_run(int fd)
{
	static struct serve s; /* the workers outlive this function, until the process ends */
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned workers = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (unsigned)cores;
	mallopt(M_ARENA_MAX, ARENAS);
	s.fd = fd;
	list_init(&s.queue);
	pthread_mutex_init(&s.lock, NULL);
	pthread_mutex_init(&s.out, NULL);
	pthread_cond_init(&s.more, NULL);
	int err = work_shared_open(&s.shared);
	for (unsigned i = 0; i < workers && !err; i++) {
		pthread_t t;
		err = pthread_create(&t, NULL, worker, &s);
	}
	if (!err)
		err = hello(&s, workers);
	while (!err)
		err = read_one(&s);
	return err == ENODATA || err == ECONNRESET ? 0 : err;
}

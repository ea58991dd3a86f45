/* SPDX-License-Identifier: Apache-2.0 */
/* notices.c  A thread with a connection of its own that hears what transactions of all nodes told (db_notify), and hands it to the loop. While
 * the connection is away nothing is heard; who needs to know all looks for himself now and then. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/mem.h"
#include "db/store_private.h"

enum { AGAIN_MS = 1000, WAITING_MAX = 10000 };

struct notice {
	struct link link;
	char text[STORE_NOTICE_MAX];
};

struct notices {
	struct store *s;
	pthread_t thread;
	int wake; /* an eventfd: the end */
	store_notice_h *h;
	void *arg;
	struct list list; /* under the store's lock */
	size_t n;
};

/* ---- the thread ---- */

static void hand_over(struct notices *t, const char *text)
{
	struct store *s = t->s;
	struct notice *e = mem_alloc(sizeof *e);
	if (!e)
		return;
	e->link = (struct link){ 0 };
	text_fill(e->text, sizeof e->text, text);
	pthread_mutex_lock(&s->lock);
	bool take = t->n < WAITING_MAX;
	if (take) {
		list_append(&t->list, &e->link);
		t->n++;
	}
	pthread_mutex_unlock(&s->lock);
	if (take)
		store_wake_loop(s);
	else
		mem_free(e);
}

/* false: it is the end. */
static bool pause_for(const struct notices *t, int ms)
{
	struct pollfd p = { t->wake, POLLIN, 0 };
	return poll(&p, 1, ms) <= 0;
}

static void *run(void *arg)
{
	struct notices *t = arg;
	struct store *s = t->s;
	char text[STORE_NOTICE_MAX];
	struct db_open prm = { .url = s->url, .writer = true, .statement_ms = s->statement_ms, .tls = &s->tls, .place = s->place };
	do {
		struct db_conn *c = NULL;
		int err = store_state(s) == STORE_AWAY ? ENOTCONN : s->drv->open(&c, &prm, NULL);
		if (!err)
			err = s->drv->listen(c, NULL);
		while (!err && (err = s->drv->next_notice(c, t->wake, text, sizeof text)) == 0)
			hand_over(t, text);
		if (c)
			s->drv->close(c);
	} while (pause_for(t, AGAIN_MS));
	return NULL;
}

/* ---- loop ---- */

void store_notices_deliver(struct store *s)
{
	struct notices *t = s->notices;
	struct link *e;
	if (!t)
		return;
	for (;;) {
		pthread_mutex_lock(&s->lock);
		e = list_pop(&t->list);
		t->n -= e != NULL;
		pthread_mutex_unlock(&s->lock);
		if (!e)
			return;
		struct notice *n = LIST_ENTRY(e, struct notice, link);
		t->h(n->text, t->arg);
		mem_free(n);
	}
}

int store_on_notice(struct store *s, store_notice_h *h, void *arg)
{
	if (!s->drv->listen || s->notices)
		return s->drv->listen ? EEXIST : ENOTSUP;
	struct notices *t = mem_zalloc(1, sizeof *t);
	if (!t)
		return ENOMEM;
	t->s = s;
	t->h = h;
	t->arg = arg;
	list_init(&t->list);
	t->wake = eventfd(0, EFD_CLOEXEC);
	int err = t->wake < 0 ? errno : pthread_create(&t->thread, NULL, run, t);
	if (err) {
		if (t->wake >= 0)
			close(t->wake);
		mem_free(t);
		return err;
	}
	s->notices = t;
	return 0;
}

void store_notices_stop(struct store *s)
{
	struct notices *t = s->notices;
	struct link *e;
	if (!t)
		return;
	eventfd_write(t->wake, 1);
	pthread_join(t->thread, NULL);
	s->notices = NULL;
	while ((e = list_pop(&t->list)) != NULL)
		mem_free(LIST_ENTRY(e, struct notice, link));
	close(t->wake);
	mem_free(t);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* name.c  Spoken names: a small cache over the helper for speech; the name used longest ago makes room. */
#include "voice/name.h"
#include <errno.h>
#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "voice/speech.h"
#include "voice_events.h"

enum { NAME_MAX_BYTES = 200 };

struct waiter {
	struct link link;
	voice_name_h *handler;
	void *arg;
};

enum name_state { NAME_RENDERING, NAME_READY, NAME_UNSPEAKABLE };

struct name {
	struct hash_entry entry;
	struct link used;        /* in order of use, while not rendering */
	struct list waiters;
	enum name_state state;
	struct voice_names *names;
	uint64_t asked;          /* the helper's handle, while rendering */
	struct media_clip *clip;
	char *text;              /* the key */
};

struct voice_names {
	struct speech *speech;
	struct ev_bus *bus;
	struct hash *by_text;
	struct list used;
	unsigned keep, n_used;
};

static void name_free(struct name *n)
{
	hash_remove(&n->entry);
	list_remove(&n->used);
	for (struct link *l; (l = list_pop(&n->waiters)) != NULL;)
		mem_free(LIST_ENTRY(l, struct waiter, link));
	mem_unref(n->clip);
	mem_free(n->text);
	mem_free(n);
}

static void keep_used(struct voice_names *v, struct name *n)
{
	if (!link_linked(&n->used))
		v->n_used++;
	list_remove(&n->used);
	list_append(&v->used, &n->used);
	while (v->n_used > v->keep) {
		struct name *old = LIST_ENTRY(list_first(&v->used), struct name, used);
		v->n_used--;
		name_free(old);
	}
}

static void tell_failed(struct voice_names *v, const char *name, int err)
{
	struct ev_report r;
	ev_set(&r, EV_VOICE_NAME_FAILED);
	ev_str(&r, "name", name);
	ev_str(&r, "error", err == EINVAL ? "nothing in it can be read aloud" : err == ENOTSUP ? "the voice is missing" : strerror(err));
	ev_emit(v->bus, &r);
}

static void rendered(int err, const struct speech_answer *a, void *arg)
{
	struct name *n = arg;
	struct voice_names *v = n->names;
	struct media_clip *clip = NULL;
	if (!err)
		err = media_clip_from_l16(&clip, a->pcm, a->n);
	n->asked = 0;
	n->state = err ? NAME_UNSPEAKABLE : NAME_READY;
	n->clip = mem_ref(clip);
	if (err && err != ECONNRESET) /* that the helper ended has been told */
		tell_failed(v, n->text, err);
	struct list waiters;
	list_init(&waiters);
	for (struct link *l; (l = list_pop(&n->waiters)) != NULL;)
		list_append(&waiters, l);
	if (!err || err == EINVAL)
		keep_used(v, n);
	else
		name_free(n); /* to be tried again */
	/* handlers may ask for more, or end all of this */
	for (struct link *l; (l = list_pop(&waiters)) != NULL;) {
		struct waiter w = *LIST_ENTRY(l, struct waiter, link);
		mem_free(LIST_ENTRY(l, struct waiter, link));
		w.handler(clip, w.arg);
	}
	mem_unref(clip);
}

int voice_names_create(struct voice_names **np, struct speech *speech, struct ev_bus *bus, unsigned keep)
{
	struct voice_names *v = mem_zalloc(1, sizeof *v);
	if (!v)
		return ENOMEM;
	v->speech = speech;
	v->bus = bus;
	v->keep = keep ? keep : 1;
	list_init(&v->used);
	int err = hash_create(&v->by_text, keep);
	if (err) {
		mem_free(v);
		return err;
	}
	*np = v;
	return 0;
}

static void free_entry(struct hash_entry *e, void *arg)
{
	struct name *n = HASH_MEMBER(e, struct name, entry);
	struct voice_names *v = arg;
	if (n->asked)
		speech_cancel(v->speech, n->asked);
	name_free(n);
}

void voice_names_destroy(struct voice_names *v)
{
	if (!v)
		return;
	hash_each(v->by_text, free_entry, v);
	hash_destroy(v->by_text);
	mem_free(v);
}

static int name_new(struct name **np, struct voice_names *v, struct text text)
{
	struct name *n = mem_zalloc(1, sizeof *n);
	if (!n)
		return ENOMEM;
	list_init(&n->waiters);
	n->names = v;
	n->text = text_dup(text);
	int err = n->text ? hash_add(v->by_text, &n->entry, text_of(n->text)) : ENOMEM;
	if (err)
		name_free(n);
	else
		*np = n;
	return err;
}

int voice_name_clip(struct voice_names *v, struct text text, voice_name_h *h, void *arg)
{
	text = text_head(text_trim(text), NAME_MAX_BYTES);
	if (text_empty(text) || text_find(text, '\0') != SIZE_MAX) {
		h(NULL, arg);
		return 0;
	}
	struct hash_entry *e = hash_find(v->by_text, text);
	struct name *n = e ? HASH_MEMBER(e, struct name, entry) : NULL;
	if (n && n->state != NAME_RENDERING) {
		struct media_clip *clip = mem_ref(n->clip);
		keep_used(v, n);
		h(clip, arg);
		mem_unref(clip);
		return 0;
	}
	struct waiter *w = mem_zalloc(1, sizeof *w);
	if (!w)
		return ENOMEM;
	int err = n ? 0 : name_new(&n, v, text);
	if (!err && !e) {
		err = speech_say(v->speech, &n->asked, text_of(n->text), rendered, n);
		if (err)
			name_free(n);
	}
	if (err) {
		mem_free(w);
		return err;
	}
	w->handler = h;
	w->arg = arg;
	list_append(&n->waiters, &w->link);
	return 0;
}

struct whose {
	voice_name_h *h;
	void *arg;
};

static void cancel_in(struct hash_entry *e, void *arg)
{
	struct name *n = HASH_MEMBER(e, struct name, entry);
	const struct whose *who = arg;
	LIST_FOREACH(&n->waiters, l) {
		struct waiter *w = LIST_ENTRY(l, struct waiter, link);
		if (w->handler == who->h && w->arg == who->arg) {
			list_remove(l);
			mem_free(w);
		}
	}
}

void voice_name_cancel(struct voice_names *v, voice_name_h *h, void *arg)
{
	hash_each(v->by_text, cancel_in, &(struct whose){ h, arg });
}

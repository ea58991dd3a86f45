/* SPDX-License-Identifier: Apache-2.0 */
/* name.c  A small cache over the helper for speech; what was used longest ago makes room. What flite spoke for a voice that wasn't there is tried again
 * after a minute: espeak-ng may be installed meanwhile. */
#include "voice/name.h"
#include <errno.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "voice/speaker.h"
#include "voice/speech.h"
#include "voice_events.h"

enum { KEY_MAX = SPEAKER_VOICE_MAX + 1 + SPEECH_TEXT_MAX, FAULTS = 16, STAND_IN_MS = 60000 };

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
	int64_t until_ms;        /* not 0: so long it may be used */
	char *key;               /* voice, a tab, text */
	struct text voice, text; /* in it */
};

/* A voice that wasn't there, and told so. */
struct fault {
	char voice[SPEAKER_VOICE_MAX + 1];
	enum speech_stand_in why; /* SPEECH_AS_ASKED: free */
};

struct voice_names {
	struct speech *speech;
	struct ev_bus *bus;
	struct hash *by_text;
	struct list used;
	unsigned keep, n_used;
	const struct cfg *cfg;
	struct fault fault[FAULTS];
};

static void name_free(struct name *n)
{
	hash_remove(&n->entry);
	list_remove(&n->used);
	for (struct link *l; (l = list_pop(&n->waiters)) != NULL;)
		mem_free(LIST_ENTRY(l, struct waiter, link));
	mem_unref(n->clip);
	mem_free(n->key);
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

/* ---- what went wrong ---- */
static void tell_failed(struct voice_names *v, const char *name, int err)
{
	struct ev_report r;
	ev_set(&r, EV_VOICE_NAME_FAILED);
	ev_str(&r, "name", name);
	ev_str(&r, "error", err == EINVAL ? "nothing in it can be read aloud" : err == ENOTSUP ? "the voice is missing" : strerror(err));
	ev_emit(v->bus, &r);
}

/* Whether this is news; a voice that speaks again may fail anew. A program that isn't there is missing for all voices. */
static bool news(struct voice_names *v, struct text voice, enum speech_stand_in why)
{
	struct fault *at = NULL;
	for (unsigned i = 0; i < FAULTS; i++) {
		struct fault *f = &v->fault[i];
		bool same = f->why != SPEECH_AS_ASKED && (f->why == SPEECH_NO_PROGRAM || text_is(voice, f->voice));
		if (same && f->why == why)
			return false;
		if (same)
			f->why = SPEECH_AS_ASKED;
		if (!at && f->why == SPEECH_AS_ASKED)
			at = f;
	}
	if (at && why != SPEECH_AS_ASKED) {
		(void)text_copy(voice, at->voice, sizeof at->voice);
		at->why = why;
	}
	return at && why != SPEECH_AS_ASKED;
}

static void tell_stand_in(struct voice_names *v, struct text voice, enum speech_stand_in why)
{
	struct ev_report r;
	if (!voice.n || !news(v, voice, why))
		return;
	ev_set(&r, why == SPEECH_NO_PROGRAM ? EV_VOICE_ESPEAK_MISSING : why == SPEECH_NO_VOICE ? EV_VOICE_UNKNOWN : EV_VOICE_ESPEAK_FAILED);
	ev_text(&r, "voice", voice);
	if (v->bus)
		ev_emit(v->bus, &r);
}

static void rendered(int err, const struct speech_answer *a, void *arg)
{
	struct name *n = arg;
	struct voice_names *v = n->names;
	struct media_clip *clip = NULL;
	if (!err) {
		err = media_clip_from_l16(&clip, a->pcm, a->n);
		tell_stand_in(v, n->voice, a->stand_in);
	}
	if (n->voice.n && (err == EINVAL || (!err && a->stand_in != SPEECH_AS_ASKED)))
		n->until_ms = clock_mono_ms(clock_system()) + STAND_IN_MS;
	n->asked = 0;
	n->state = err ? NAME_UNSPEAKABLE : NAME_READY;
	n->clip = mem_ref(clip);
	if (err && err != ECONNRESET) /* that the helper ended has been told */
		tell_failed(v, n->text.p, err);
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
	if (v->cfg)
		cfg_unref(v->cfg);
	mem_free(v);
}

void voice_names_use(struct voice_names *v, const struct cfg *cfg)
{
	const struct cfg *was = v->cfg;
	v->cfg = cfg ? cfg_ref(cfg) : NULL;
	if (was)
		cfg_unref(was);
}

/* Which voice speaks that language: the configured one of the tag ("de-AT"), else of the whole language ("de"), else what speaker.h says. */
static struct text voice_of(const struct voice_names *v, struct text language, char *dst)
{
	const struct cfg_node *node = v->cfg ? &v->cfg->node : NULL;
	for (unsigned loose = 0; loose < 2; loose++)
		for (size_t i = 0; node && i < node->n_speakers; i++) {
			const struct cfg_speaker *s = &node->speakers[i];
			struct text tag = text_of(s->language);
			bool whole = !strpbrk(s->language, "-_");
			if (loose ? whole && speaker_same_language(language, tag) : speaker_same_tag(language, tag))
				return strcmp(s->voice, SPEAKER_FLITE) == 0 ? TEXT_NONE : text_of(s->voice);
		}
	speaker_voice_of(language, dst);
	return text_of(dst);
}

static int name_new(struct name **np, struct voice_names *v, struct text voice, struct text key)
{
	struct name *n = mem_zalloc(1, sizeof *n);
	if (!n)
		return ENOMEM;
	list_init(&n->waiters);
	n->names = v;
	n->key = text_dup(key);
	n->voice = text_make(n->key, voice.n);
	n->text = text_of(n->key ? n->key + voice.n + 1 : NULL);
	int err = n->key ? hash_add(v->by_text, &n->entry, text_of(n->key)) : ENOMEM;
	if (err)
		name_free(n);
	else
		*np = n;
	return err;
}

/* Not within a letter. */
static struct text at_most(struct text t, size_t n)
{
	if (t.n <= n)
		return t;
	while (n && ((unsigned char)t.p[n] & 0xc0) == 0x80)
		n--;
	return text_head(t, n);
}

static struct name *known(struct voice_names *v, struct text key)
{
	struct hash_entry *e = hash_find(v->by_text, key);
	struct name *n = e ? HASH_MEMBER(e, struct name, entry) : NULL;
	if (!n || n->state == NAME_RENDERING || !n->until_ms || clock_mono_ms(clock_system()) < n->until_ms)
		return n;
	if (link_linked(&n->used))
		v->n_used--;
	name_free(n);
	return NULL;
}

static int begin(struct name **np, struct voice_names *v, struct text voice, struct text key)
{
	struct name *n;
	int err = name_new(&n, v, voice, key);
	if (err)
		return err;
	err = speech_say(v->speech, &n->asked, n->voice, n->text, rendered, n);
	if (err)
		name_free(n);
	else
		*np = n;
	return err;
}

int voice_name_clip(struct voice_names *v, struct text text, struct text language, voice_name_h *h, void *arg)
{
	char own[SPEAKER_VOICE_MAX + 1], key[KEY_MAX + 1];
	struct text voice = voice_of(v, language, own);
	text = at_most(text_trim(text), SPEECH_TEXT_MAX);
	if (text_empty(text) || text_find(text, '\0') != SIZE_MAX || text_print(key, sizeof key, "%.*s\t%.*s", TEXT_FMT(voice), TEXT_FMT(text))) {
		h(NULL, arg);
		return 0;
	}
	struct name *n = known(v, text_of(key));
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
	int err = n ? 0 : begin(&n, v, voice, text_of(key));
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

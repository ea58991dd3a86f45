/* SPDX-License-Identifier: Apache-2.0 */
/* work.c  Requests to those who do them. Books are shared: the one used longest ago makes room. Each worker keeps a few decoders, one a book. */
#include "umbel-speech/work.h"
#include <errno.h>
#include <pthread.h>
#include <sphinxbase/err.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/phones.h"
#include "umbel-config.h"
#include "umbel-speech/book.h"
#include "umbel-speech/front.h"
#include "umbel-speech/recog.h"
#include "umbel-speech/tongue.h"
#include "voice/speak.h"

enum { BOOKS = 32, DECODERS = 3, ENTRIES_KEPT = 6000 /* of all decoders of a worker together: some 3 MB */, PATH_BYTES = 512,
	REST_MS = 30000 };

struct work_shared {
	struct lexicon *lexicon; /* NULL: no recogniser */
	struct acoustic *acoustic;
	char model[PATH_BYTES], front[PATH_BYTES], adapted[PATH_BYTES]; /* front: "" is stock */
	char reason[160];
	int64_t tongue_rests_until_ms; /* under the lock */
	pthread_mutex_t lock;
	struct book *book[BOOKS]; /* the one used last first */
};

struct work {
	struct work_shared *shared;
	struct front *front;
	struct recog *recog[DECODERS]; /* the one used last first */
};

/* ---- what is there ---- */
static void find_front(struct work_shared *s)
{
	static const char *const places[] = { UMBEL_DATADIR "/speech/narrow", UMBEL_BUILD_ROOT "/tools/speech/narrow" };
	const char *named = getenv("UMBEL_SPEECH_FRONT");
	if (named && strcmp(named, "stock") == 0)
		return;
	if (named && *named) {
		struct text stem = text_of(named);
		text_fill(s->front, sizeof s->front, named);
		if (text_ends_nocase(stem, ".front"))
			(void)text_copy(text_head(stem, stem.n - 6), s->adapted, sizeof s->adapted);
		return;
	}
	for (size_t i = 0; i < sizeof places / sizeof *places && !s->front[0]; i++) {
		char path[PATH_BYTES];
		text_print(path, sizeof path, "%s.front", places[i]);
		if (access(path, R_OK) != 0)
			continue;
		text_fill(s->front, sizeof s->front, path);
		text_fill(s->adapted, sizeof s->adapted, places[i]);
	}
}

/* A model that can't be used is no reason to understand nobody. */
static int open_front(struct work_shared *s, struct front **fp)
{
	if (s->front[0] && front_open(fp, s->front) == 0)
		return 0;
	s->front[0] = s->adapted[0] = '\0';
	return front_open(fp, NULL);
}

static const char *model_folder(void)
{
	const char *named = getenv("UMBEL_SPEECH_MODEL");
	return named && *named ? named : "/usr/share/pocketsphinx/model/en-us";
}

int work_lexicon(struct lexicon **lp)
{
	char path[PATH_BYTES + 32];
	text_print(path, sizeof path, "%s/cmudict-en-us.dict", model_folder());
	return lexicon_open(lp, path);
}

int work_shared_open(struct work_shared **sp)
{
	char path[PATH_BYTES + 32];
	struct front *f;
	struct work_shared *s = mem_zalloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	err_set_logfp(NULL);
	pthread_mutex_init(&s->lock, NULL);
	text_fill(s->model, sizeof s->model, model_folder());
	find_front(s);
	int err = work_lexicon(&s->lexicon);
	if (!err)
		err = open_front(s, &f);
	if (!err)
		front_close(f);
	text_print(path, sizeof path, "%s/en-us", s->model);
	if (!err)
		err = acoustic_open(&s->acoustic, path, s->adapted[0] ? s->adapted : NULL);
	if (err) {
		lexicon_close(s->lexicon);
		s->lexicon = NULL;
		text_print(s->reason, sizeof s->reason, "%s: %s", s->model, strerrordesc_np(err));
	}
	*sp = s;
	return 0;
}

void work_shared_close(struct work_shared *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < BOOKS; i++)
		mem_unref(s->book[i]);
	lexicon_close(s->lexicon);
	mem_unref(s->acoustic);
	pthread_mutex_destroy(&s->lock);
	mem_free(s);
}

void work_describe(const struct work_shared *s, struct speech_hello *h)
{
	h->speaks = true;
	h->hears = s->lexicon != NULL;
	h->front = s->front[0] ? TEXT("trained") : TEXT("stock");
	h->reason = text_of(s->reason);
}

struct work *work_open(struct work_shared *s)
{
	struct work *w = mem_zalloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->shared = s;
	if (s->lexicon && (s->front[0] ? front_open(&w->front, s->front) : front_open(&w->front, NULL)) != 0)
		w->front = NULL;
	return w;
}

void work_close(struct work *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < DECODERS; i++)
		recog_close(w->recog[i]);
	front_close(w->front);
	mem_free(w);
}

/* ---- books ---- */
static void to_front(struct book **v, unsigned at, struct book *b)
{
	for (; at > 0; at--)
		v[at] = v[at - 1];
	v[0] = b;
}

/* A reference, or NULL. */
static struct book *find_book(struct work_shared *s, uint64_t key)
{
	struct book *found = NULL;
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < BOOKS && s->book[i] && !found; i++)
		if (book_key(s->book[i]) == key) {
			found = mem_ref(s->book[i]);
			to_front(s->book, i, found);
		}
	pthread_mutex_unlock(&s->lock);
	return found;
}

static void keep_book(struct work_shared *s, struct book *b)
{
	pthread_mutex_lock(&s->lock);
	unsigned at = 0;
	while (at < BOOKS - 1 && s->book[at] && book_key(s->book[at]) != book_key(b))
		at++;
	struct book *old = s->book[at];
	to_front(s->book, at, mem_ref(b));
	pthread_mutex_unlock(&s->lock);
	mem_unref(old);
}

/* ---- decoders ---- */
static void make_room(struct work *w, unsigned entries)
{
	for (unsigned i = 0; i < DECODERS; i++) {
		if (!w->recog[i])
			continue;
		entries += book_entries(recog_book(w->recog[i]));
		if (i == DECODERS - 1 || entries > ENTRIES_KEPT) {
			recog_close(w->recog[i]);
			w->recog[i] = NULL;
		}
	}
}

static int decoder(struct work *w, struct book *b, struct recog **rp)
{
	struct recog *r = NULL;
	unsigned at = DECODERS;
	for (unsigned i = 0; i < DECODERS && at == DECODERS; i++)
		if (w->recog[i] && recog_book(w->recog[i]) == b)
			at = i;
	int err = 0;
	if (at < DECODERS) {
		r = w->recog[at];
	} else {
		make_room(w, book_entries(b));
		for (at = 0; at < DECODERS - 1 && w->recog[at]; at++)
			;
		err = recog_open(&r, b, w->shared->acoustic, w->front);
	}
	if (err)
		return err;
	for (; at > 0; at--)
		w->recog[at] = w->recog[at - 1];
	w->recog[0] = r;
	*rp = r;
	return 0;
}

/* ---- requests ---- */
/* Who hung is not waited for again at once: every caller would wait in silence. */
static bool rests(struct work_shared *s)
{
	pthread_mutex_lock(&s->lock);
	bool yes = clock_mono_ms(clock_system()) < s->tongue_rests_until_ms;
	pthread_mutex_unlock(&s->lock);
	return yes;
}

static void let_rest(struct work_shared *s)
{
	pthread_mutex_lock(&s->lock);
	s->tongue_rests_until_ms = clock_mono_ms(clock_system()) + REST_MS;
	pthread_mutex_unlock(&s->lock);
}

/* By the voice that was asked for, else by flite, which needs no other program; *why says so. */
static int speak(struct work_shared *s, const char *voice, struct text text, int16_t **pcm, size_t *n, enum speech_stand_in *why)
{
	char words[SPEECH_TEXT_MAX + 1];
	*why = SPEECH_AS_ASKED;
	int err = text_copy(text, words, sizeof words) ? EINVAL : 0;
	if (!err && *voice && !phones_meant(text)) { /* sounds of English are flite's */
		err = rests(s) ? EAGAIN : tongue_say(voice, text, pcm, n);
		if (!err || err == EINVAL || err == ENOMEM)
			return err;
		if (err == ETIMEDOUT)
			let_rest(s);
		*why = err == ENOENT ? SPEECH_NO_PROGRAM : err == ENOTSUP ? SPEECH_NO_VOICE : SPEECH_VOICE_FAILED;
		err = 0;
	}
	return err ? err : speak_pcm(pcm, n, words);
}

static int say(struct work_shared *s, const struct speech_head *h, const uint8_t *body, struct buf *out)
{
	char voice[SPEECH_VOICE_MAX + 1];
	struct text name, text;
	enum speech_stand_in why;
	int16_t *pcm;
	size_t n;
	if (speech_get_say(&name, &text, body, h->n) || text_copy(name, voice, sizeof voice))
		return EINVAL;
	int err = speak(s, voice, text, &pcm, &n, &why);
	if (err)
		return err;
	size_t at = speech_begin(out, SPEECH_SAID, h->id);
	speech_put_said(out, why, pcm, n < SPEECH_SAID_MAX ? n : SPEECH_SAID_MAX);
	speech_end(out, at);
	mem_free(pcm);
	return 0;
}

static int learn(struct work *w, const struct speech_head *h, const uint8_t *body, struct buf *out)
{
	struct speech_learn l;
	struct book *b = NULL;
	struct recog *r;
	struct speech_learned *learned = mem_zalloc(1, sizeof *learned);
	if (!learned)
		return ENOMEM;
	int err = speech_get_learn(&l, body, h->n) ? EINVAL : 0;
	if (!err)
		err = book_create(&b, w->shared->lexicon, &l, learned);
	if (!err)
		err = decoder(w, b, &r); /* what the decoder doesn't take is said now, and the first caller finds it ready */
	if (!err) {
		keep_book(w->shared, b);
		size_t at = speech_begin(out, SPEECH_LEARNED, h->id);
		speech_put_learned(out, learned);
		speech_end(out, at);
	}
	mem_unref(b);
	mem_free(learned);
	return err;
}

static int hear(struct work *w, const struct speech_head *h, const uint8_t *body, struct buf *out)
{
	uint64_t key;
	struct speech_result result;
	struct speech_memory before;
	struct recog *r;
	const uint8_t *samples;
	size_t n;
	if (speech_get_hear(&key, &before, &samples, &n, body, h->n))
		return EINVAL;
	struct book *b = find_book(w->shared, key);
	if (!b)
		return ENOENT;
	int16_t *pcm = mem_alloc(n + 1);
	int err = !pcm ? ENOMEM : speech_get_pcm(pcm, SPEECH_SAMPLES_MAX, samples, n) ? EINVAL : 0;
	if (!err)
		err = decoder(w, b, &r);
	if (!err)
		err = recog_hear(r, pcm, n / 2, &before, &result, NULL);
	if (!err) {
		size_t at = speech_begin(out, SPEECH_HEARD, h->id);
		speech_put_result(out, &result);
		speech_end(out, at);
	}
	mem_free(pcm);
	mem_unref(b);
	return err == ENOENT ? EIO : err; /* that grammar is known */
}

int work_do(struct work *w, const struct speech_head *h, const uint8_t *body, struct buf *out)
{
	if (h->type == SPEECH_SAY)
		return say(w->shared, h, body, out);
	if (!w->front)
		return ENOTSUP;
	switch (h->type) {
	case SPEECH_LEARN: return learn(w, h, body, out);
	case SPEECH_HEAR: return hear(w, h, body, out);
	default: return EINVAL;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* search_test.c  The acoustic model, the search of names, and two tries of one caller. */
#include "ut.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sphinxbase/err.h>
#include "base/mem.h"
#include "umbel-speech/recog.h"
#include "umbel-speech/search.h"
#include "voice/speak.h"

#define MODEL "/usr/share/pocketsphinx/model/en-us"
static const char *const files[] = { "mdef", "means", "variances", "sendump", "transition_matrices" };

#define PERSON(id, text) { id, SPEECH_PERSON, { text, sizeof text - 1 }, { "en-US", 5 }, { NULL, 0 } }
static const struct speech_entry entries[] = { PERSON(1, "Geraldine Gibson"), PERSON(2, "Anthony Guthrie"), PERSON(3, "Pamela Guthrie"), PERSON(4, "Geraldine Gibbons"),
	                                       PERSON(5, "Susan Holloway") };

static struct book *make_book(void)
{
	struct lexicon *lex;
	struct book *b;
	struct buf msg;
	struct speech_learn l;
	assert_int_equal(lexicon_open(&lex, MODEL "/cmudict-en-us.dict"), 0);
	buf_init(&msg, 10000);
	speech_put_learn(&msg, 42, entries, sizeof entries / sizeof *entries);
	assert_int_equal(speech_get_learn(&l, msg.p, msg.n), 0);
	assert_int_equal(book_create(&b, lex, &l, NULL), 0);
	buf_free(&msg);
	lexicon_close(lex);
	return b;
}

static size_t spoken(int16_t *to, size_t room, const char *text)
{
	int16_t *pcm;
	size_t n, quiet = 2400;
	unsigned seed = 7;
	assert_int_equal(speak_pcm(&pcm, &n, text), 0);
	n = n < room - 2 * quiet ? n : room - 2 * quiet;
	memset(to, 0, room * sizeof *to);
	memcpy(to + quiet, pcm, n * sizeof *to);
	mem_free(pcm);
	for (size_t i = 0; i < n + 2 * quiet; i++) {
		seed = seed * 1103515245u + 12345u;
		to[i] = (int16_t)(to[i] + (int)(seed >> 16 & 31) - 16);
	}
	return n + 2 * quiet;
}

static void phones_have_their_senones(void **state)
{
	(void)state;
	struct acoustic *a;
	assert_int_equal(acoustic_open(&a, MODEL "/en-us", NULL), 0);
	assert_int_equal(acoustic_senones(a), 5126);
	int ah = acoustic_phone(a, TEXT("AH")), n = acoustic_phone(a, TEXT("N")), t = acoustic_phone(a, TEXT("T"));
	assert_true(ah >= 0 && n >= 0 && t >= 0 && acoustic_phone(a, TEXT("QQ")) == -1);
	struct acoustic_unit alone = acoustic_unit(a, (unsigned)ah, ACOUSTIC_ANY, ACOUSTIC_ANY, ACOUSTIC_INSIDE);
	struct acoustic_unit nat = acoustic_unit(a, (unsigned)ah, (unsigned)n, (unsigned)t, ACOUSTIC_INSIDE), tan = acoustic_unit(a, (unsigned)ah, (unsigned)t, (unsigned)n, ACOUSTIC_INSIDE);
	assert_true(alone.senone[0] < 126); /* those without neighbours come first */
	assert_true(nat.senone[0] >= 126 && memcmp(nat.senone, tan.senone, sizeof nat.senone) != 0);
	for (unsigned i = 0; i < ACOUSTIC_STATES; i++) {
		float stay = acoustic_stay(a, &nat, i), leave = acoustic_leave(a, &nat, i);
		assert_true(fabsf(expf(stay) + expf(leave) - 1) < 0.01f);
	}
	/* each frame has one senone that nothing beats */
	float(*cep)[FRONT_CEPSTRA] = mem_zalloc(5, sizeof *cep), *scores = mem_alloc(5 * acoustic_senones(a) * sizeof *scores);
	cep[2][0] = 30;
	assert_int_equal(acoustic_scores(a, cep, 5, scores), 0);
	for (size_t f = 0; f < 5; f++) {
		float most = -1e9f;
		for (size_t i = 0; i < acoustic_senones(a); i++)
			most = fmaxf(most, scores[f * acoustic_senones(a) + i]);
		assert_true(most == 0);
	}
	mem_free(cep);
	mem_free(scores);
	mem_unref(a);
}

static int open_model(void *arg)
{
	struct acoustic *a;
	int err = acoustic_open(&a, arg, NULL);
	if (!err)
		mem_unref(a);
	return err;
}

static void without_memory_no_model(void **state)
{
	(void)state;
	ut_oom(open_model, (void *)(uintptr_t)(MODEL "/en-us"));
}

/* A copy of one file, cut or with a byte changed; the others are links. */
static void damage(const char *folder, const char *name, long keep, long at, int byte)
{
	char from[300], to[300], *p;
	snprintf(from, sizeof from, MODEL "/en-us/%s", name);
	snprintf(to, sizeof to, "%s/%s", folder, name);
	unlink(to);
	FILE *f = fopen(from, "rb");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	long n = ftell(f);
	rewind(f);
	p = mem_alloc((size_t)n + 1);
	assert_int_equal(fread(p, 1, (size_t)n, f), (size_t)n);
	fclose(f);
	if (at < n)
		p[at] = (char)byte;
	f = fopen(to, "wb");
	assert_non_null(f);
	n = keep < n ? keep : n;
	assert_int_equal(fwrite(p, 1, (size_t)n, f), (size_t)n);
	fclose(f);
	mem_free(p);
}

static void a_damaged_model_is_refused(void **state)
{
	(void)state;
	const char *folder = ut_tmpdir();
	struct acoustic *a;
	char from[300], to[300];
	assert_int_equal(acoustic_open(&a, folder, NULL), ENOENT);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(from, sizeof from, MODEL "/en-us/%s", files[i]);
		snprintf(to, sizeof to, "%s/%s", folder, files[i]);
		assert_int_equal(symlink(from, to), 0);
	}
	assert_int_equal(open_model((void *)(uintptr_t)folder), 0);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		static const long cuts[] = { 0, 3, 40, 100, 700, 1100, 1500, 2000 };
		for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++) {
			damage(folder, files[i], cuts[k], LONG_MAX, 0);
			assert_int_equal(acoustic_open(&a, folder, NULL), EPROTO);
		}
		for (long at = 0; at < 1300; at += 53) { /* refused, or as harmless as another number */
			damage(folder, files[i], LONG_MAX, at, 0xff);
			int err = open_model((void *)(uintptr_t)folder);
			assert_true(err == 0 || err == EPROTO);
		}
		damage(folder, files[i], LONG_MAX, LONG_MAX, 0);
	}
	assert_int_equal(open_model((void *)(uintptr_t)folder), 0);
}

struct world {
	struct acoustic *model;
	struct book *book;
	struct front *front;
	int16_t *pcm;
	size_t n;
};

static int hear_once(void *arg)
{
	const struct world *w = arg;
	struct recog *r;
	struct speech_result result;
	int err = recog_open(&r, w->book, w->model, w->front);
	if (err)
		return err;
	err = recog_hear(r, w->pcm, w->n, NULL, &result, NULL);
	if (!err) {
		assert_true(result.n > 0);
		assert_int_equal(result.v[0].id, 1);
	}
	recog_close(r);
	return err;
}

static void set_up(struct world *w)
{
	assert_int_equal(acoustic_open(&w->model, MODEL "/en-us", NULL), 0);
	assert_int_equal(front_open(&w->front, NULL), 0);
	w->book = make_book();
	w->pcm = mem_alloc(8 * 8000 * sizeof *w->pcm);
}

static void tear_down(struct world *w)
{
	mem_free(w->pcm);
	mem_unref(w->book);
	front_close(w->front);
	mem_unref(w->model);
}

static void without_memory_nobody_is_heard(void **state)
{
	(void)state;
	struct world w;
	set_up(&w);
	w.n = spoken(w.pcm, 8 * 8000, "Geraldine Gibson");
	ut_oom(hear_once, &w);
	tear_down(&w);
}

/* The same name is heard with all others behind it, and where in the utterance it is. */
static void all_names_are_compared(void **state)
{
	(void)state;
	struct world w;
	struct search *s;
	float(*cep)[FRONT_CEPSTRA];
	size_t frames;
	unsigned owners;
	set_up(&w);
	assert_int_equal(search_create(&s, w.model, w.book), 0);
	w.n = spoken(w.pcm, 8 * 8000, "I'd like to speak to Anthony Guthrie please");
	assert_int_equal(front_cepstra(w.front, w.pcm, w.n, &cep, &frames), 0);
	float *scores = mem_alloc(frames * acoustic_senones(w.model) * sizeof *scores), *loop = mem_alloc((frames + 1) * sizeof *loop);
	struct search_name *names = mem_alloc(book_names(w.book) * sizeof *names);
	assert_int_equal(acoustic_scores(w.model, cep, frames, scores), 0);
	assert_int_equal(search_run(s, scores, frames, names, loop), 0);
	unsigned best = 0, pamela = 0;
	for (unsigned i = 1; i < book_names(w.book); i++)
		if (names[i].score > names[best].score)
			best = i;
	for (unsigned i = 0; i < book_names(w.book); i++)
		if (*book_owners(w.book, i, &owners) == 3 && names[i].score > names[pamela].score)
			pamela = i;
	assert_int_equal(*book_owners(w.book, best, &owners), 2);
	assert_true(names[best].from > frames / 4 && names[best].to < frames - 10 && names[best].from < names[best].to);
	assert_true(names[best].score - names[pamela].score > 1);
	assert_true(loop[0] == 0 && loop[frames] < 0 && names[best].own < 0 && names[best].own > names[best].score);
	mem_free(scores);
	mem_free(loop);
	mem_free(names);
	mem_free(cep);
	search_destroy(s);
	tear_down(&w);
}

/* What was refused does not come again, and what was said before counts. */
static void two_tries_are_taken_together(void **state)
{
	(void)state;
	struct world w;
	struct recog *r;
	struct speech_result first, again;
	struct speech_memory m;
	struct recog_score alone, both;
	set_up(&w);
	assert_int_equal(recog_open(&r, w.book, w.model, w.front), 0);
	w.n = spoken(w.pcm, 8 * 8000, "Geraldine Gibson");
	assert_int_equal(recog_hear(r, w.pcm, w.n, NULL, &first, &alone), 0);
	assert_true(first.sure != SPEECH_REJECT && first.n >= 1 && first.memory.n >= 2);
	assert_int_equal(first.v[0].id, 1);
	m = first.memory;
	assert_int_equal(recog_hear(r, w.pcm, w.n, &m, &again, &both), 0); /* the same once more: twice as far ahead */
	assert_int_equal(again.v[0].id, 1);
	assert_true(both.margin > 1.5f * alone.margin || both.margin >= 999);
	assert_true(both.fit == alone.fit);
	speech_refuse(&m, &first);
	assert_int_equal(recog_hear(r, w.pcm, w.n, &m, &again, NULL), 0);
	for (unsigned i = 0; i < again.n; i++)
		for (unsigned k = 0; k < first.n; k++)
			assert_int_not_equal(again.v[i].id, first.v[k].id);
	m = again.memory; /* which still knows it at the third try */
	bool known = false;
	for (unsigned i = 0; i < m.n; i++)
		known |= m.v[i].id == 1 && m.v[i].refused;
	assert_true(known || again.sure == SPEECH_REJECT);
	/* another who is far behind does not come before what both tries agree upon */
	m = (struct speech_memory){ .n = 2, .v = { { .id = 5, .behind = 0 }, { .id = 1, .behind = 500 } } };
	assert_int_equal(recog_hear(r, w.pcm, w.n, &m, &again, NULL), 0);
	assert_int_equal(again.v[0].id, 1);
	/* but somebody sure before turns what is hardly told apart now */
	m = (struct speech_memory){ .n = 2, .v = { { .id = 4, .behind = 0 }, { .id = 1, .behind = SPEECH_BEHIND_MAX } } };
	assert_int_equal(recog_hear(r, w.pcm, w.n, &m, &again, NULL), 0);
	assert_int_equal(again.memory.v[0].id, 4);
	recog_close(r);
	tear_down(&w);
}

static void noise_is_no_name(void **state)
{
	(void)state;
	struct world w;
	struct recog *r;
	struct speech_result result;
	unsigned seed = 3;
	set_up(&w);
	assert_int_equal(recog_open(&r, w.book, w.model, w.front), 0);
	assert_int_equal(recog_hear(r, w.pcm, 10, NULL, &result, NULL), EINVAL);
	w.n = spoken(w.pcm, 8 * 8000, "what time do you open on saturday and is there a table for two");
	assert_int_equal(recog_hear(r, w.pcm, w.n, NULL, &result, NULL), 0);
	assert_true(result.sure != SPEECH_DIRECT);
	for (size_t i = 0; i < 16000; i++) {
		seed = seed * 1103515245u + 12345u;
		w.pcm[i] = (int16_t)(seed >> 16);
	}
	assert_int_equal(recog_hear(r, w.pcm, 16000, NULL, &result, NULL), 0);
	assert_true(result.sure != SPEECH_DIRECT);
	memset(w.pcm, 0, 16000 * sizeof *w.pcm);
	assert_int_equal(recog_hear(r, w.pcm, 16000, NULL, &result, NULL), 0);
	assert_true(result.sure != SPEECH_DIRECT);
	recog_close(r);
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { UT(phones_have_their_senones), UT(without_memory_no_model), UT(a_damaged_model_is_refused), UT(without_memory_nobody_is_heard),
		                            UT(all_names_are_compared), UT(two_tries_are_taken_together), UT(noise_is_no_name) };
	err_set_logfp(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include <sphinxbase/err.h>
#include "base/mem.h"
#include "umbel-speech/book.h"
#include "umbel-speech/recog.h"
#include "umbel-speech/work.h"
#include "voice/speak.h"

#define MODEL "/usr/share/pocketsphinx/model/en-us"

static const struct speech_entry entries[] = {
	{ 1, SPEECH_PERSON, { "Geraldine Gibson", 16 }, { "en-US", 5 }, { NULL, 0 } }, { 2, SPEECH_PERSON, { "Anthony Guthrie", 15 }, { "en-US", 5 }, { NULL, 0 } },
	{ 3, SPEECH_PERSON, { "Ann Smith", 9 }, { "en-US", 5 }, { NULL, 0 } },        { 4, SPEECH_PERSON, { "Anne Smith", 10 }, { "en-US", 5 }, { NULL, 0 } },
	{ 5, SPEECH_PERSON, { "J\xc3\xb6rg Willemstein", 17 }, { "de-DE", 5 }, { NULL, 0 } }, { 6, SPEECH_DEPARTMENT, { "Technical Support", 17 }, { "en-US", 5 }, { NULL, 0 } },
	{ 7, SPEECH_PERSON, { "Qqx", 3 }, { "en-US", 5 }, { "/JH EH N AH F ER W IH L IY AH M Z/", 34 } },
};

static void make_learn(struct buf *b)
{
	buf_init(b, 10000);
	speech_put_learn(b, 42, entries, sizeof entries / sizeof *entries);
}

static void words_and_phones(void **state)
{
	(void)state;
	char words[4][LEXICON_WORD], phones[LEXICON_PHONES];
	assert_int_equal(lexicon_words(TEXT("J\xc3\xbcrgen O'Neil-Gro\xc3\x9f 7"), words, 4), 4);
	assert_string_equal(words[0], "juergen");
	assert_string_equal(words[1], "o'neil");
	assert_string_equal(words[2], "gross");
	assert_string_equal(words[3], "seven");
	assert_int_equal(lexicon_words(TEXT("..."), words, 4), 0);
	assert_true(lexicon_phones(TEXT("/AE N/"), phones, sizeof phones));
	assert_string_equal(phones, "AE N");
	assert_false(lexicon_phones(TEXT("/AE QQ/"), phones, sizeof phones));
	assert_false(lexicon_phones(TEXT("//"), phones, sizeof phones));
	assert_false(lexicon_phones(TEXT("AE N"), phones, sizeof phones));
	assert_true(lexicon_from_ipa(TEXT("m \xcb\x88y l \xc9\x9c"), false, phones, sizeof phones));
	assert_string_equal(phones, "M UW L ER");
	assert_true(lexicon_from_ipa(TEXT("t\xca\x83 a\xc9\xaa n"), false, phones, sizeof phones)); /* several signs are one phone */
	assert_string_equal(phones, "CH AY N");
	assert_true(lexicon_from_ipa(TEXT("k a t a\xc9\xaa"), true, phones, sizeof phones)); /* the Briton's cat */
	assert_string_equal(phones, "K AE T AY");
	assert_false(lexicon_from_ipa(TEXT("123"), false, phones, sizeof phones));
}

static void a_book_knows_who_sounds_alike(void **state)
{
	(void)state;
	struct lexicon *lex;
	struct book *b;
	struct buf msg;
	struct speech_learn l;
	static struct speech_learned learned;
	struct lexicon_prons p = { 0 };
	assert_int_equal(lexicon_open(&lex, MODEL "/cmudict-en-us.dict"), 0);
	assert_true(lexicon_listed(lex, "smith", &p) && p.n >= 1);
	assert_string_equal(p.v[0], "S M IH TH");
	assert_false(lexicon_listed(lex, "smithx", &p));
	make_learn(&msg);
	assert_int_equal(speech_get_learn(&l, msg.p, msg.n), 0);
	assert_int_equal(book_create(&b, lex, &l, &learned), 0);
	assert_int_equal(learned.entries, 7);
	assert_int_equal(learned.alike, 1);
	assert_true(learned.v[0].a == 3 && learned.v[0].b == 4);
	assert_true(text_find_text(book_dict(b), TEXT("JH EH N AH F ER W IH L IY AH M Z")) != SIZE_MAX); /* as the administrator said */
	assert_true(text_find_text(book_dict(b), TEXT("W IH L")) != SIZE_MAX);
	assert_true(book_holds(b, "please"));
	mem_unref(b);
	buf_free(&msg);
	lexicon_close(lex);
	lex = NULL;
	assert_int_equal(lexicon_open(&lex, "/nonexistent"), ENOENT);
}

/* `hiss`: of a quiet line, from -hiss to hiss - 1; 0: the line is silent to the last bit. */
static size_t spoken(int16_t *to, size_t room, const char *text, int hiss)
{
	int16_t *pcm;
	size_t n, quiet = 2400;
	unsigned seed = 7;
	assert_int_equal(speak_pcm(&pcm, &n, text), 0);
	if (n > room - 2 * quiet)
		n = room - 2 * quiet;
	memset(to, 0, room * sizeof *to);
	memcpy(to + quiet, pcm, n * sizeof *to);
	mem_free(pcm);
	for (size_t i = 0; hiss && i < n + 2 * quiet; i++) {
		seed = seed * 1103515245u + 12345u;
		to[i] = (int16_t)(to[i] + (int)(seed >> 16) % (2 * hiss) - hiss);
	}
	return n + 2 * quiet;
}

static uint64_t ask(struct work *w, const struct buf *msg, struct buf *out, enum speech_type type)
{
	struct speech_head h = { type, 9, (uint32_t)msg->n };
	buf_init(out, 1 << 20);
	return (uint64_t)work_do(w, &h, msg->p, out);
}

/* Requests as the helper gets them, in one thread. */
static void who_is_asked_for_is_heard(void **state)
{
	(void)state;
	static int16_t pcm[8 * 8000];
	struct work_shared *s;
	struct buf msg, out;
	struct speech_result r;
	struct speech_hello hello = { 0 };
	assert_int_equal(work_shared_open(&s), 0);
	work_describe(s, &hello);
	assert_true(hello.hears && hello.speaks);
	struct work *w = work_open(s);
	assert_non_null(w);
	static const struct {
		const char *text;
		uint32_t id;
		int hiss;
	} said[] = { { "Geraldine Gibson", 1, 16 }, { "I'd like to speak to Anthony Guthrie please", 2, 16 }, { "Ann Smith please", 3, 16 }, { "Technical support", 6, 16 },
		{ "Geraldine Gibson", 1, 0 }, { "I'd like to speak to Anthony Guthrie please", 2, 0 } }; /* silence is no reason to refuse */
	for (unsigned i = 0; i <= sizeof said / sizeof *said; i++) {
		buf_init(&msg, 1 << 20);
		size_t n = spoken(pcm, sizeof pcm / sizeof *pcm, said[i ? i - 1 : 0].text, said[i ? i - 1 : 0].hiss);
		speech_put_hear(&msg, 42, NULL, pcm, n);
		int err = (int)ask(w, &msg, &out, SPEECH_HEAR);
		buf_free(&msg);
		if (i == 0) { /* nobody taught it yet */
			assert_int_equal(err, ENOENT);
			make_learn(&msg);
			buf_free(&out);
			assert_int_equal(ask(w, &msg, &out, SPEECH_LEARN), 0);
			buf_free(&msg);
		} else {
			assert_int_equal(err, 0);
			assert_int_equal(speech_get_result(&r, out.p + SPEECH_HEAD, out.n - SPEECH_HEAD), 0);
			assert_true(r.n > 0 && r.sure != SPEECH_REJECT);
			assert_int_equal(r.v[0].id, said[i - 1].id);
			if (said[i - 1].id == 3) { /* two who sound alike are both offered, and never put through at once */
				assert_true(r.n >= 2 && r.v[1].id == 4);
				assert_int_equal(r.sure, SPEECH_CONFIRM);
			}
		}
		buf_free(&out);
	}
	buf_init(&msg, 1 << 20);
	speech_put_hear(&msg, 42, NULL, pcm, 10);
	assert_int_equal(ask(w, &msg, &out, SPEECH_HEAR), EINVAL);
	buf_free(&msg);
	buf_free(&out);
	work_close(w);
	work_shared_close(s);
}

static void without_a_model_nobody_is_heard(void **state)
{
	(void)state;
	struct work_shared *s;
	struct speech_hello hello = { 0 };
	setenv("UMBEL_SPEECH_MODEL", "/nonexistent", 1);
	assert_int_equal(work_shared_open(&s), 0);
	work_describe(s, &hello);
	assert_true(hello.speaks && !hello.hears && hello.reason.n > 0);
	struct work *w = work_open(s);
	struct buf msg, out;
	make_learn(&msg);
	assert_int_equal(ask(w, &msg, &out, SPEECH_LEARN), ENOTSUP);
	buf_free(&msg);
	buf_free(&out);
	work_close(w);
	work_shared_close(s);
	unsetenv("UMBEL_SPEECH_MODEL");
}

int main(void)
{
	const struct CMUnitTest tests[] = { UT(words_and_phones), UT(a_book_knows_who_sounds_alike), UT(who_is_asked_for_is_heard), UT(without_a_model_nobody_is_heard) };
	err_set_logfp(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

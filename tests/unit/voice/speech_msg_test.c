/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "voice/speech_msg.h"

static void a_head_says_what_follows(void **state)
{
	(void)state;
	struct buf b;
	struct speech_head h;
	buf_init(&b, 1000);
	buf_str(&b, "before");
	size_t at = speech_begin(&b, SPEECH_SAY, 0x01020304);
	speech_put_say(&b, TEXT("de"), TEXT("Anna"));
	speech_end(&b, at);
	assert_int_equal(speech_head_parse(&h, b.p + at, b.n - at), 0);
	assert_int_equal(h.type, SPEECH_SAY);
	assert_int_equal(h.id, 0x01020304);
	assert_int_equal(h.n, 10);
	assert_int_equal(speech_head_parse(&h, b.p + at, SPEECH_HEAD - 1), EAGAIN);
	b.p[at + 2]++;
	assert_int_equal(speech_head_parse(&h, b.p + at, b.n - at), EPROTONOSUPPORT);
	b.p[at + 2]--;
	b.p[at + 3] = SPEECH_TYPES;
	assert_int_equal(speech_head_parse(&h, b.p + at, b.n - at), EPROTO);
	b.p[at + 3] = SPEECH_SAY;
	b.p[at + 11] = 0x7f; /* longer than any message may be */
	assert_int_equal(speech_head_parse(&h, b.p + at, b.n - at), EPROTO);
	buf_free(&b);
}

static void a_text_comes_back_with_its_voice(void **state)
{
	(void)state;
	static const char *const bad[] = { "-w", "--path=x", "de -w /tmp/x", "../de", "mb/de1", "1de", "+f3", "de;ls", "d\xc3\xa9", "de\n" };
	struct buf b;
	struct text voice, text;
	enum speech_stand_in why;
	const uint8_t *samples;
	size_t bytes;
	int16_t sound[] = { 1, -2 };
	buf_init(&b, 4000);
	speech_put_say(&b, TEXT("de+f3"), TEXT("Gr\xc3\xbc\xc3\x9f Gott"));
	assert_int_equal(speech_get_say(&voice, &text, b.p, b.n), 0);
	assert_true(text_is(voice, "de+f3") && text_is(text, "Gr\xc3\xbc\xc3\x9f Gott"));
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(speech_get_say(&voice, &text, b.p, n), EPROTO);
	buf_clear(&b);
	speech_put_say(&b, TEXT_NONE, TEXT("Anna"));
	assert_int_equal(speech_get_say(&voice, &text, b.p, b.n), 0);
	assert_true(!voice.n && text_is(text, "Anna"));
	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		buf_clear(&b);
		speech_put_say(&b, text_of(bad[i]), TEXT("Anna"));
		assert_int_equal(speech_get_say(&voice, &text, b.p, b.n), EPROTO);
	}
	buf_clear(&b);
	speech_put_said(&b, SPEECH_NO_VOICE, sound, 2);
	assert_int_equal(speech_get_said(&why, &samples, &bytes, b.p, b.n), 0);
	assert_true(why == SPEECH_NO_VOICE && bytes == 4 && samples[0] == 1 && samples[2] == 0xfe);
	assert_int_equal(speech_get_said(&why, &samples, &bytes, b.p, 0), EPROTO);
	b.p[0] = SPEECH_STAND_INS;
	assert_int_equal(speech_get_said(&why, &samples, &bytes, b.p, b.n), EPROTO);
	buf_free(&b);
}

static void a_grammar_comes_back_as_it_was(void **state)
{
	(void)state;
	struct buf b;
	struct speech_learn l;
	struct speech_entry e, v[] = { { 7, SPEECH_PERSON, TEXT("J\xc3\xbcrgen Gro\xc3\x9f"), TEXT("de-DE"), TEXT("") }, { 8, SPEECH_DEPARTMENT, TEXT("Sales"), TEXT("en-US"), TEXT("/S EY L Z/") } };
	buf_init(&b, 1000);
	speech_put_learn(&b, 0x1122334455667788, v, 2);
	assert_int_equal(speech_get_learn(&l, b.p, b.n), 0);
	assert_true(l.key == 0x1122334455667788 && l.n == 2);
	assert_true(speech_next_entry(&l, &e) && e.id == 7 && e.kind == SPEECH_PERSON && text_eq(e.name, v[0].name) && text_is(e.language, "de-DE") && e.pronunciation.n == 0);
	assert_true(speech_next_entry(&l, &e) && e.id == 8 && e.kind == SPEECH_DEPARTMENT && text_is(e.pronunciation, "/S EY L Z/"));
	assert_false(speech_next_entry(&l, &e));
	for (size_t n = 0; n < b.n; n++) /* no part of it is taken for all */
		assert_int_equal(speech_get_learn(&l, b.p, n), EPROTO);
	buf_char(&b, 0);
	assert_int_equal(speech_get_learn(&l, b.p, b.n), EPROTO);
	buf_free(&b);
}

static void answers_come_back_as_they_were(void **state)
{
	(void)state;
	struct buf b;
	struct speech_result r, is = { SPEECH_DIRECT, 2, 40, { { 5, -1200, 900 }, { 6, -2200, 100 } }, { 3, { { 5, 0, false }, { 6, 250, false }, { 9, 4000, true } } } };
	struct speech_memory m;
	uint64_t key;
	const uint8_t *samples;
	size_t n_samples;
	static struct speech_learned l, was = { 500, 1, 1, { { 3, 4 } } };
	struct speech_hello h, hi = { 2, true, true, TEXT("trained"), TEXT("") };
	int16_t pcm[3], sound[] = { -32768, 0, 1234 };
	int err;
	buf_init(&b, 4000);
	speech_put_result(&b, &is);
	assert_int_equal(speech_get_result(&r, b.p, b.n), 0);
	assert_true(r.sure == SPEECH_DIRECT && r.n == 2 && r.cpu_ms == 40 && r.v[1].id == 6 && r.v[1].score == -2200 && r.v[0].posterior == 900);
	assert_true(r.memory.n == 3 && r.memory.v[1].id == 6 && r.memory.v[1].behind == 250 && !r.memory.v[1].refused && r.memory.v[2].refused);
	speech_refuse(&r.memory, &r);
	assert_true(r.memory.v[0].refused && r.memory.v[1].refused);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(speech_get_result(&r, b.p, n), EPROTO);
	b.p[8] = 4; /* more than there can be */
	assert_int_equal(speech_get_result(&r, b.p, b.n), EPROTO);
	buf_clear(&b);
	speech_put_learned(&b, &was);
	assert_int_equal(speech_get_learned(&l, b.p, b.n), 0);
	assert_true(l.entries == 500 && l.alike == 1 && l.v[0].a == 3 && l.v[0].b == 4);
	buf_clear(&b);
	speech_put_hello(&b, &hi);
	assert_int_equal(speech_get_hello(&h, b.p, b.n), 0);
	assert_true(h.workers == 2 && h.hears && text_is(h.front, "trained"));
	buf_clear(&b);
	speech_put_pcm(&b, sound, 3);
	assert_int_equal(speech_get_pcm(pcm, 3, b.p, b.n), 0);
	assert_memory_equal(pcm, sound, sizeof pcm);
	assert_int_equal(speech_get_pcm(pcm, 2, b.p, b.n), EPROTO);
	assert_int_equal(speech_get_pcm(pcm, 3, b.p, 5), EPROTO);
	buf_clear(&b);
	speech_put_hear(&b, 77, &is.memory, sound, 3);
	assert_int_equal(speech_get_hear(&key, &m, &samples, &n_samples, b.p, b.n), 0);
	assert_true(key == 77 && m.n == 3 && m.v[2].id == 9 && m.v[2].refused && n_samples == 6);
	assert_int_equal(speech_get_pcm(pcm, 3, samples, n_samples), 0);
	assert_memory_equal(pcm, sound, sizeof pcm);
	b.p[8] = SPEECH_KEPT + 1;
	assert_int_equal(speech_get_hear(&key, &m, &samples, &n_samples, b.p, b.n), EPROTO);
	buf_clear(&b);
	speech_put_hear(&b, 78, NULL, sound, 1);
	assert_int_equal(speech_get_hear(&key, &m, &samples, &n_samples, b.p, b.n), 0);
	assert_true(key == 78 && m.n == 0 && n_samples == 2);
	buf_clear(&b);
	speech_put_failed(&b, ENOENT);
	assert_int_equal(speech_get_failed(&err, b.p, b.n), 0);
	assert_int_equal(err, ENOENT);
	buf_clear(&b);
	speech_put_failed(&b, 12345); /* what nobody knows */
	assert_int_equal(speech_get_failed(&err, b.p, b.n), 0);
	assert_int_equal(err, EIO);
	buf_free(&b);
}

UT_MAIN(UT(a_head_says_what_follows), UT(a_text_comes_back_with_its_voice), UT(a_grammar_comes_back_as_it_was), UT(answers_come_back_as_they_were))

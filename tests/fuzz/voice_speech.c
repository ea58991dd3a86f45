/* SPDX-License-Identifier: Apache-2.0 */
/* voice_speech.c  A message between umbeld and its helper for speech, as either side reads it. */
#include <assert.h>
#include "voice/speaker.h"
#include "voice/speech_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct text t, const uint8_t *p, size_t n)
{
	assert(!t.n || ((const uint8_t *)t.p >= p && (const uint8_t *)t.p + t.n <= p + n));
}

static void learn(const uint8_t *p, size_t n)
{
	struct speech_learn l;
	struct speech_entry e;
	if (speech_get_learn(&l, p, n))
		return;
	uint32_t entries = l.n, got = 0;
	for (; speech_next_entry(&l, &e); got++) {
		inside(e.name, p, n);
		inside(e.language, p, n);
		inside(e.pronunciation, p, n);
		assert(e.kind < SPEECH_KINDS);
	}
	assert(got == entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct speech_learned learned;
	static int16_t pcm[1000];
	struct speech_head h;
	struct speech_hello hello;
	struct speech_result r;
	struct speech_memory memory;
	const uint8_t *samples;
	size_t n_samples;
	uint64_t key;
	int err;
	if (speech_head_parse(&h, data, size) == 0)
		assert(h.n <= SPEECH_BODY_MAX && h.type < SPEECH_TYPES);
	const uint8_t *p = size > SPEECH_HEAD ? data + SPEECH_HEAD : data;
	size_t n = size > SPEECH_HEAD ? size - SPEECH_HEAD : size;
	learn(p, n);
	if (!speech_get_hello(&hello, p, n)) {
		inside(hello.front, p, n);
		inside(hello.reason, p, n);
	}
	if (!speech_get_result(&r, p, n))
		assert(r.n <= SPEECH_HEARD_MAX && r.sure < SPEECH_CLASSES && r.memory.n <= SPEECH_KEPT);
	if (!speech_get_learned(&learned, p, n))
		assert(learned.n <= SPEECH_ALIKE_MAX);
	struct text voice, text;
	if (!speech_get_say(&voice, &text, p, n)) {
		inside(voice, p, n);
		inside(text, p, n);
		assert(!voice.n || speaker_voice_good(voice));
	}
	enum speech_stand_in why;
	if (!speech_get_said(&why, &samples, &n_samples, p, n)) {
		inside(text_make(samples, n_samples), p, n);
		assert(why < SPEECH_STAND_INS);
	}
	(void)speech_get_pcm(pcm, sizeof pcm / sizeof *pcm, p, n);
	if (!speech_get_hear(&key, &memory, &samples, &n_samples, p, n)) {
		inside(text_make(samples, n_samples), p, n);
		assert(memory.n <= SPEECH_KEPT);
	}
	(void)speech_get_failed(&err, p, n);
	return 0;
}

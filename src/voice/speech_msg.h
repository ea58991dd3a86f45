/* SPDX-License-Identifier: Apache-2.0 */
/* speech_msg.h  What umbeld and its helper umbel-speech say to each other over a socket pair: messages with a head of 12 bytes (all numbers little
 * endian), then a body whose form the type says. Both sides read every byte with doubt: a length beyond its bound, a type that
 * is not expected or a body that holds too little or too much is EPROTO, and ends the connection.
 *
 *   'U' 'S'  version  type  id (4)  length of the body (4)
 *
 * umbeld asks (SAY, LEARN, HEAR, PING); the helper answers with the same id (SAID, LEARNED, HEARD, PONG) or FAILED, in any order. HELLO is its
 * first word, id 0. Pure. */
#ifndef VOICE_SPEECH_MSG_H
#define VOICE_SPEECH_MSG_H
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

enum {
	SPEECH_VERSION = 3, SPEECH_HEAD = 12, SPEECH_BODY_MAX = 4 << 20, SPEECH_TEXT_MAX = 1000, SPEECH_NAME_MAX = 200, SPEECH_ENTRIES_MAX = 6000,
	SPEECH_SAMPLES_MAX = 60 * 8000, SPEECH_SAID_MAX = 180 * 8000, SPEECH_HEARD_MAX = 3, SPEECH_ALIKE_MAX = 200, SPEECH_LANGUAGE_MAX = 15, SPEECH_VOICE_MAX = 31,
	SPEECH_KEPT = 48, SPEECH_BEHIND_MAX = 100000,
};

enum speech_type {
	SPEECH_HELLO = 1,
	SPEECH_PING, SPEECH_SAY, SPEECH_LEARN, SPEECH_HEAR,              /* asked */
	SPEECH_PONG, SPEECH_SAID, SPEECH_LEARNED, SPEECH_HEARD, SPEECH_FAILED, /* answered */
	SPEECH_TYPES
};

struct speech_head {
	enum speech_type type;
	uint32_t id, n; /* of the body */
};
/* 0; EAGAIN: fewer than SPEECH_HEAD bytes; EPROTO; EPROTONOSUPPORT: another version. */
int speech_head_parse(struct speech_head *h, const uint8_t *p, size_t n);
/* Appends a head with a body's length still to come, and sets it; what is between the two is the body. Returns where the message began. */
size_t speech_begin(struct buf *b, enum speech_type type, uint32_t id);
void speech_end(struct buf *b, size_t at);

/* ---- bodies; texts that were parsed are borrowed from the body ---- */
struct speech_hello {
	uint32_t workers;
	bool speaks, hears;
	struct text front, reason; /* which front end; why it can't hear */
};
void speech_put_hello(struct buf *b, const struct speech_hello *h);
int speech_get_hello(struct speech_hello *h, const uint8_t *p, size_t n);

/* SAY: by which voice (voice/speaker.h; "" is flite), and a text. */
void speech_put_say(struct buf *b, struct text voice, struct text text);
/* EPROTO also for a voice that could be anything else. */
int speech_get_say(struct text *voice, struct text *text, const uint8_t *p, size_t n);
/* SAID: whether that voice spoke, or flite for it and why; then samples. */
enum speech_stand_in { SPEECH_AS_ASKED, SPEECH_NO_PROGRAM, SPEECH_NO_VOICE, SPEECH_VOICE_FAILED, SPEECH_STAND_INS };
void speech_put_said(struct buf *b, enum speech_stand_in why, const int16_t *pcm, size_t n);
/* *pcm, *pcm_n: bytes for speech_get_pcm(), borrowed. */
int speech_get_said(enum speech_stand_in *why, const uint8_t **pcm, size_t *pcm_n, const uint8_t *p, size_t n);

/* The samples of SAID and HEAR: 16 bit, little endian. */
void speech_put_pcm(struct buf *b, const int16_t *pcm, size_t n);
/* Into pcm (room for n / 2). EPROTO: odd or more than max samples. */
int speech_get_pcm(int16_t *pcm, size_t max, const uint8_t *p, size_t n);

enum speech_kind { SPEECH_PERSON, SPEECH_DEPARTMENT, SPEECH_OPERATOR, SPEECH_COMMAND /* said alone, not in a sentence */, SPEECH_KINDS };
/* What can be asked for. */
struct speech_entry {
	uint32_t id; /* the asker's: several entries may share one, as other names of the same */
	enum speech_kind kind;
	struct text name, language; /* "en-US" */
	struct text pronunciation;  /* instead of what the name looks like: other words ("an shmit"), or phones in slashes ("/AE N SH M IH T/") */
};
/* LEARN: a grammar by the key that HEAR names; keys are hashes of what is in it. */
void speech_put_learn(struct buf *b, uint64_t key, const struct speech_entry *v, size_t n);
/* The key and how many entries; then speech_next_entry() that often. The whole body is checked here. */
struct speech_learn {
	uint64_t key;
	uint32_t n;
	const uint8_t *p; /* the next entry */
	size_t left;
};
int speech_get_learn(struct speech_learn *l, const uint8_t *p, size_t n);
bool speech_next_entry(struct speech_learn *l, struct speech_entry *e);
/* LEARNED: how many entries can be heard, how many pairs sound alike, and the first of these. */
struct speech_alike {
	uint32_t a, b; /* ids */
};
struct speech_learned {
	uint32_t entries, alike, n;
	struct speech_alike v[SPEECH_ALIKE_MAX];
};
void speech_put_learned(struct buf *b, const struct speech_learned *l);
int speech_get_learned(struct speech_learned *l, const uint8_t *p, size_t n);

/* What an utterance leaves behind for the next one of a caller who still wants the same: handed back as it came, but for what he refused. */
struct speech_memory {
	uint32_t n;
	struct speech_kept {
		uint32_t id, behind; /* the likeliest, in hundredths of a logarithm */
		bool refused;
	} v[SPEECH_KEPT];
};

/* HEAR: the key (8 bytes), what was heard before (NULL: nothing), then samples. */
void speech_put_hear(struct buf *b, uint64_t key, const struct speech_memory *before, const int16_t *pcm, size_t n);
/* *pcm, *pcm_n: bytes for speech_get_pcm(), borrowed. */
int speech_get_hear(uint64_t *key, struct speech_memory *before, const uint8_t **pcm, size_t *pcm_n, const uint8_t *p, size_t n);

/* How sure the recogniser is. */
enum speech_class { SPEECH_REJECT, SPEECH_CONFIRM, SPEECH_DIRECT, SPEECH_CLASSES };
struct speech_result {
	enum speech_class sure;
	uint32_t n, cpu_ms;
	struct {
		uint32_t id;
		int32_t score;      /* thousandths of the recogniser's own measure; only for logs and tuning */
		uint32_t posterior; /* thousandths */
	} v[SPEECH_HEARD_MAX];      /* the likeliest first, each id once */
	struct speech_memory memory; /* for the caller's next try */
};
/* Marks what this result offered as refused. */
void speech_refuse(struct speech_memory *m, const struct speech_result *r);
void speech_put_result(struct buf *b, const struct speech_result *r);
int speech_get_result(struct speech_result *r, const uint8_t *p, size_t n);

/* FAILED: ENOENT: that grammar isn't known (any more), teach it; EAGAIN: too much to do; ENOTSUP: no voice, or no recogniser; EINVAL: nothing in it
 * can be said or learnt; ENOMEM. */
void speech_put_failed(struct buf *b, int err);
int speech_get_failed(int *err, const uint8_t *p, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* say.h  Builds what is said: a sequence of clips from prompts and typed arguments. A sequence is a value on the stack or inside a
 * session; errors stick (a prompt that is missing, too many clips) and are asked once, by say_error(). Numbers, counts and
 * times follow the grammar of the set's language (lang.h).                                                              */
#ifndef VOICE_SAY_H
#define VOICE_SAY_H
#include <stdint.h>
#include "base/text.h"
#include "event/report.h"
#include "voice/lang.h"
#include "voice/prompt.h"

enum { SAY_MAX = 128, SAY_NAME = 48 };

struct zone;

struct say_seq {
	const struct prompt_set *set;
	struct media_clip *clip[SAY_MAX]; /* references: in the default voice */
	struct media_clip *recorded[SAY_MAX]; /* references: as people recorded it; NULL: nobody did */
	unsigned n;
	const struct zone *zone; /* times are told in; NULL: the process's */
	unsigned hours;        /* 12 or 24; 0: as the language does */
	int err;               /* 0, ENOENT, E2BIG, ENOMEM */
	char missing[SAY_NAME]; /* the first prompt that was not there */
};

void say_begin(struct say_seq *q, const struct prompt_set *set);
/* For the times said from now on; borrowed until say_clear(). */
void say_zone(struct say_seq *q, const struct zone *zone, unsigned hours);
void say_clear(struct say_seq *q); /* gives the references back; begin anew after it */
/* 0 or the error that stuck, told in words: VOICE_PROMPT_MISSING names the prompt. What could be built still plays. */
int say_error(const struct say_seq *q, struct ev_report *why);
uint32_t say_ms(const struct say_seq *q);
/* What is to be played, q->n clips: the recorded ones if all words of the sequence were recorded, else the default voice alone. A
 * sentence comes from one voice. */
struct media_clip *const *say_clips(const struct say_seq *q);

void say_prompt(struct say_seq *q, const char *name);
/* A name, a message, a greeting: goes with any voice. Takes a reference of its own; NULL does nothing. */
void say_clip(struct say_seq *q, struct media_clip *clip);
void say_pause(struct say_seq *q, unsigned ms);            /* at most 5 s */
void say_beep(struct say_seq *q);
void say_number(struct say_seq *q, uint32_t n);            /* up to 999,999,999: "forty two" */
void say_number_as(struct say_seq *q, uint32_t n, enum lang_gender g);
void say_digits(struct say_seq *q, struct text digits);    /* "4 2 3"; also + * # and letters; other bytes are skipped */
void say_letters(struct say_seq *q, struct text word);
/* "no messages", "one new message", "four new messages": count, then prompt `adjective` (NULL: none), then `singular` or `plural`. */
void say_count(struct say_seq *q, uint32_t n, const char *adjective, const char *singular, const char *plural);
/* "today at three oh five p m", "yesterday ...", "Monday ..." within a week, else "June second ..."; local time of the process. */
void say_when(struct say_seq *q, int64_t when_s, int64_t now_s);
void say_date(struct say_seq *q, int64_t when_s);
void say_time(struct say_seq *q, int64_t when_s);
void say_clock_time(struct say_seq *q, unsigned minute);   /* of the day: "eight thirty a m" */
void say_duration(struct say_seq *q, uint32_t ms);         /* "two minutes and ten seconds" */

#endif

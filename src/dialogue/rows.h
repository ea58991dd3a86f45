/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h  Short words for writing tables; included by files that hold one, never by headers. */
#ifndef DIALOGUE_ROWS_H
#define DIALOGUE_ROWS_H
#include "dialogue/engine.h"

/* in */
#define ANY DLG_ANY
/* when */
#define ENTER { DLG_ENTER, 0, NULL, NULL }
#define KEYS(pattern) { DLG_KEYS, 0, pattern, NULL }
#define KEYS_OR(pattern, words) { DLG_KEYS, 0, pattern, words }
#define WRONG { DLG_WRONG, 0, NULL, NULL }
#define SPOKEN { DLG_SPOKEN, 0, NULL, NULL }
#define ENDED { DLG_ENDED, 0, NULL, NULL }
#define TIMEOUT { DLG_TIMEOUT, 0, NULL, NULL }
#define DONE { DLG_DONE, 0, NULL, NULL }
#define DONE_AS(code) { DLG_DONE, code, NULL, NULL }
#define FAILED { DLG_FAILED, 0, NULL, NULL }
#define PROGRESS { DLG_PROGRESS, 0, NULL, NULL }
#define RESULT(code) { DLG_RESULT, code, NULL, NULL }
#define ANY_RESULT { DLG_RESULT, 0, NULL, NULL }
#define HANGUP { DLG_HANGUP, 0, NULL, NULL }
/* if */
#define IF(guard) { guard, #guard }
#define ALWAYS { NULL, NULL }
/* do */
#define DO(action) { action, #action }
#define NOTHING { NULL, NULL }
/* go */
#define STAY DLG_STAY
#define RETURN(code) (DLG_RETURN_BIT | (code))
/* said */
#define SAY(p) { .kind = DLG_W_PROMPT, .prompt = p }
#define SAY_IF(guard, p) { .kind = DLG_W_PROMPT, .prompt = p, .only_if = guard }
#define SAY_NUMBER(h) { .kind = DLG_W_NUMBER, .number = h }
#define SAY_DIGITS(guard, h) { .kind = DLG_W_DIGITS, .text = h, .only_if = guard }
#define SAY_COUNT(h, adjective) { .kind = DLG_W_COUNT, .number = h, .prompt = adjective, .singular = P_MESSAGE, .plural = P_MESSAGES }
#define SAY_WHEN(h) { .kind = DLG_W_WHEN, .number = h }
#define SAY_LENGTH(h) { .kind = DLG_W_LENGTH, .number = h }
#define SAY_NAME(guard, h) { .kind = DLG_W_NAME, .text = h, .only_if = guard }
#define SAY_CLIP(guard, which) { .kind = DLG_W_CLIP, .clip = which, .only_if = guard }
#define SAY_PAUSE(ms) { .kind = DLG_W_PAUSE, .clip = ms }
#define SAY_BEEP { .kind = DLG_W_BEEP }
#define SAY_END { .kind = DLG_W_END }
/* How a recording is heard before anything is done with it: fetched, played, back to what may be done. Keys and hang-up are the table's own. */
#define FETCH_AND_LISTEN(fetch, listen, review) \
	{ fetch,   ENTER,            ALWAYS,               DO(dlg_fetch_recording), STAY }, \
	{ fetch,   DONE,             ALWAYS,               NOTHING,                 listen }, \
	{ fetch,   FAILED,           ALWAYS,               NOTHING,                 review,            dlg_say_empty }, \
	{ fetch,   TIMEOUT,          ALWAYS,               NOTHING,                 review,            dlg_say_empty }, \
	{ listen,  WRONG,            ALWAYS,               NOTHING,                 review,            dlg_say_invalid, true }, \
	{ listen,  ENDED,            ALWAYS,               NOTHING,                 review }, \
	{ listen,  TIMEOUT,          ALWAYS,               NOTHING,                 review }
/* What was said where speech may stand for keys, and is no choice there (spoken.c). */
#define MISHEARD(st, then) \
	{ st, SPOKEN, IF(dlg_misheard_last), DO(dlg_count_misheard), then, dlg_say_use_keys }, \
	{ st, SPOKEN, ALWAYS, DO(dlg_count_misheard), then, dlg_say_misheard }
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif

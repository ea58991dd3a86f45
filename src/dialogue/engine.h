/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h  Conversations as tables. A table has states (what is said there, how long it waits, which table it calls) and rows (in which
 * state, on which event, if, do, go); the first row that matches wins. A session is typed data and a stack of tables:
 * a state may call another table (PIN entry, recorder, name chooser), which returns a result that is an event in the caller.
 *
 *   - An action starts at most one job; the job's result is an event (DONE with a code, FAILED with an errno). Only the job
 *     started last counts: whatever an older one reports later is dropped, and so is what comes after a TIMEOUT led on. An action that fails itself is FAILED at once, in
 *     the state the row goes to. Guards only read.
 *   - What a row says and what the states passed through say is one utterance, begun where the conversation comes to rest; a
 *     state that says nothing itself and waits for a job hands it on.
 *   - Keys stop what is said (barge-in) where a state takes keys; keys pressed earlier wait, DLG_TYPE_AHEAD at most, and what
 *     they skip is not said at all. Patterns are strings of keys, blanks ignored, `x` any digit: "1", "00 88", "##",
 *     "xxxx". The longest wins; where a longer one could still come, the inter-digit timer decides. Keys that no pattern
 *     takes are one WRONG event and clear the queue. Words that mean the same as keys stand beside them (`spoken`, several
 *     with | between); what a caller says where no row has it is SPOKEN.
 *   - HANGUP that no row of a table takes leaves the table and is offered to its caller; at the bottom the session is over.
 *     After it nothing is said any more: an utterance counts as ENDED at once.
 *
 * Pure: time, sound and jobs are behind struct dlg_io, whose functions must never call back before they return.
 * Loop thread, one session a time.                                                                                        */
#ifndef DIALOGUE_ENGINE_H
#define DIALOGUE_ENGINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/text.h"
#include "dialogue/prompts.h"

struct dlg_session; /* the typed data; whoever writes the tables defines it */
struct dlg_table;

enum { DLG_TYPE_AHEAD = 32, DLG_DEPTH = 8, DLG_WORDS = 80, DLG_WORD_TEXT = 96, DLG_TEXT_BYTES = 1024, DLG_STEPS = 64, DLG_INTER_DIGIT_MS = 1500 };

/* ---- what is said ---- */
enum dlg_word {
	DLG_W_END,
	DLG_W_PROMPT, /* a sentence of prompts.h */
	DLG_W_NAMED,  /* a prompt whose name is data (attendants' own): text */
	DLG_W_NUMBER, /* "forty two": number */
	DLG_W_DIGITS, /* "four two": text */
	DLG_W_COUNT,  /* "one new message", "no messages": number, prompt (adjective, or P_NONE), singular, plural */
	DLG_W_WHEN,   /* "yesterday at ten": number, seconds since the epoch */
	DLG_W_LENGTH, /* "two minutes": number, ms */
	DLG_W_NAME,   /* of a person or a place: text, spoken by the name's own clip or by synthesis, in the caller's language */
	DLG_W_TEXT,   /* words of the configuration: likewise, in the language that they were written in */
	DLG_W_CLIP,   /* a piece of audio that the session holds: number says which */
	DLG_W_BEEP,
	DLG_W_PAUSE, /* silence: number, ms */
	DLG_W_CLOCK, /* "half past eight": number, minutes since midnight */
};
typedef bool (dlg_guard_h)(const struct dlg_session *s);
typedef int64_t (dlg_number_h)(const struct dlg_session *s);
typedef const char *(dlg_text_h)(const struct dlg_session *s);
/* 0, or an errno: then FAILED is the next event. */
typedef int (dlg_action_h)(struct dlg_session *s);

/* One piece of a sentence in a table; a list ends with { 0 }. */
struct dlg_phrase {
	enum dlg_word kind;
	enum dlg_prompt prompt, singular, plural;
	dlg_guard_h *only_if; /* NULL: always */
	dlg_number_h *number;
	dlg_text_h *text;
	int clip; /* which clip, how many ms of pause, which minute */
	const char *fixed; /* the text where it belongs to the table: of any length */
	bool lasts;        /* what `text` gives lives as long as the session: of any length, too */
};
/* The same with its arguments filled in, ready for the voice. */
struct dlg_said {
	enum dlg_word kind;
	enum dlg_prompt prompt, singular, plural;
	int64_t number;
	const char *fixed; /* not NULL: instead of a text of its own; belongs to the table */
	uint16_t text_at;  /* in the utterance's texts */
};
/* A plain value: may be copied. A text is cut to DLG_WORD_TEXT; what has no room left is left out. */
struct dlg_utterance {
	uint16_t n, text_used;
	struct dlg_said word[DLG_WORDS];
	char texts[DLG_TEXT_BYTES]; /* the first byte is NUL: the empty text */
};
/* The words of a NAMED, DIGITS or NAME; "" where there are none. As long as the utterance. */
const char *dlg_said_text(const struct dlg_utterance *u, unsigned i);

/* ---- tables ---- */
enum dlg_event_type {
	DLG_ENTER,    /* the state has just been entered; a row here can pass on at once */
	DLG_KEYS,     /* keys that the row's pattern takes */
	DLG_WRONG,    /* keys that no row takes */
	DLG_SPOKEN,   /* words of the caller that no row has beside its keys */
	DLG_ENDED,    /* what was said is over; without such a row the state's time begins to run */
	DLG_TIMEOUT,  /* the state's time is up */
	DLG_DONE,     /* the job is done; code */
	DLG_FAILED,   /* the job, or the action itself, failed; errno */
	DLG_PROGRESS, /* the job says where it is; code */
	DLG_RESULT,   /* the called table returned; code */
	DLG_HANGUP,   /* the caller is gone */
	DLG_EVENTS
};
struct dlg_when {
	enum dlg_event_type event;
	int code;           /* DONE, PROGRESS, RESULT: 0 is any */
	const char *keys;   /* KEYS: the pattern */
	const char *spoken; /* words that do the same, "next|next message"; NULL: none */
};
struct dlg_guard {
	dlg_guard_h *h; /* NULL: always */
	const char *name;
};
struct dlg_action {
	dlg_action_h *h; /* NULL: nothing */
	const char *name;
};
enum { DLG_ANY = 255, DLG_STAY = 254, DLG_RETURN_BIT = 0x100 };
struct dlg_row {
	uint8_t in; /* a state, or DLG_ANY */
	struct dlg_when when;
	struct dlg_guard only_if;
	struct dlg_action act;
	uint16_t go; /* a state, DLG_STAY, or DLG_RETURN_BIT | code */
	const struct dlg_phrase *say; /* before what the next state says; NULL: nothing */
	bool flush; /* forget keys typed ahead: the caller must hear this */
	int arg;    /* for the action: dlg_arg() */
};
enum dlg_state_flag {
	DLG_NO_BARGE = 1, /* what is said is said to its end; keys wait */
	DLG_CLOCK_NOW = 2, /* time runs from entry, not from the end of what is said */
	DLG_SECRET = 4,    /* keys pressed here appear in no history */
	DLG_TAIL = 8,      /* the called table takes the place of this one instead of returning to it */
	DLG_LISTENS = 16,  /* callers may say what they want instead of keys */
	DLG_TALKS_ON = 32, /* and what is said stops only when that was understood */
};
struct dlg_state {
	const char *name;
	const struct dlg_phrase *say;
	const struct dlg_table *call; /* entering calls this table; its result is the RESULT event here */
	uint32_t timeout_ms;          /* 0: waits for ever; the walker allows that only where a job or a table is awaited */
	unsigned flags;
};
struct dlg_table {
	const char *name, *title; /* "answering", "Call answering" */
	const struct dlg_state *states;
	const struct dlg_row *rows;
	unsigned n_states, n_rows;
	uint8_t start;
	void *owner; /* an object that holds the table, referenced while a session is in it; NULL: static */
};

/* ---- sessions ---- */
enum dlg_timer { DLG_T_STATE, DLG_T_KEY, DLG_TIMERS };
struct dlg_step { /* for histories */
	const struct dlg_table *table;
	uint8_t from, to; /* to: DLG_STAY too */
	int result;       /* the table returned this; 0: it did not */
	enum dlg_event_type event;
	int code;
	const char *keys; /* "" where there are none or they are secret */
};
struct dlg_io {
	/* 0: dlg_said() with that id follows. errno: counts as said. */
	int (*say)(void *arg, const struct dlg_utterance *u, uint32_t id);
	void (*hush)(void *arg); /* dlg_said() may or may not follow */
	void (*timer)(void *arg, enum dlg_timer which, int64_t ms); /* starts anew; below 0 stops. dlg_timer_fired() */
	void (*step)(void *arg, const struct dlg_step *step);       /* may be NULL */
	/* The last call: the bottom table returned (its code), or the caller hung up (0). The engine may be freed after the
	 * function that led here has returned. */
	void (*over)(void *arg, int result);
	void (*rests)(void *arg); /* whatever happened, nothing more does at once; may call back. May be NULL */
};
struct dlg_frame {
	const struct dlg_table *table;
	uint8_t state;
};
struct dlg_event {
	enum dlg_event_type type;
	int code;
	struct text spoken;
	const struct dlg_row *row; /* KEYS: chosen already */
	bool own;                  /* FAILED: the action itself failed */
};
/* Embedded in the session; its fields are the engine's own. */
struct dlg_engine {
	struct dlg_session *s;
	const struct dlg_io *io;
	void *io_arg;
	struct dlg_frame stack[DLG_DEPTH];
	unsigned depth;
	char keys[DLG_TYPE_AHEAD], matched[DLG_TYPE_AHEAD + 1];
	unsigned n_keys, inter_digit_ms;
	bool running, over, gone, saying, entered, key_time_up, key_waiting, told, job_in_action;
	uint32_t say_id, job_id, job_last;
	int arg, code, result;
	bool has_next;
	struct dlg_event next;
	struct dlg_utterance *pending; /* what is to be said next; NULL: nothing yet. Four KB, so it lives only from the first word until it is said */
	bool wordless;                 /* there was no memory for it */
};

void dlg_engine_init(struct dlg_engine *e, struct dlg_session *s, const struct dlg_io *io, void *io_arg);
/* Enters the table's first state. */
void dlg_start(struct dlg_engine *e, const struct dlg_table *table);
/* Gives back what a session that is not over still holds; nothing is called. */
void dlg_engine_close(struct dlg_engine *e);

/* ---- what happens ---- */
void dlg_key(struct dlg_engine *e, char key);
void dlg_heard(struct dlg_engine *e, struct text words); /* from a recogniser; nothing while keys wait for more: whoever dials was not speaking to us */
void dlg_speaks(struct dlg_engine *e); /* the caller begins to: we are silent, and time stands still until dlg_heard() */
void dlg_said(struct dlg_engine *e, uint32_t id);
void dlg_timer_fired(struct dlg_engine *e, enum dlg_timer which);
void dlg_job_done(struct dlg_engine *e, uint32_t job, int code);
void dlg_job_failed(struct dlg_engine *e, uint32_t job, int err);
void dlg_job_progress(struct dlg_engine *e, uint32_t job, int code);
void dlg_hangup(struct dlg_engine *e); /* the second one does nothing */

/* ---- for actions ---- */
uint32_t dlg_job(struct dlg_engine *e);         /* the id of the job that this action starts */
int dlg_arg(const struct dlg_engine *e);        /* of the row */
void dlg_job_drop(struct dlg_engine *e);       /* nobody waits for the job under way any more */
void dlg_press(struct dlg_engine *e, const char *keys); /* as if the caller had pressed these next */
void dlg_put_back(struct dlg_engine *e);       /* the keys that the row matched wait again, before all others: the next state is to have them */
int dlg_code(const struct dlg_engine *e);       /* of the event: a result, an errno */
const char *dlg_keys(const struct dlg_engine *e); /* that the row matched */

/* ---- for guards, the administrator and tests ---- */
bool dlg_gone(const struct dlg_engine *e);      /* the caller has hung up */
bool dlg_over(const struct dlg_engine *e);
const struct dlg_table *dlg_table_of(const struct dlg_engine *e); /* on top; NULL when over */
unsigned dlg_flags_of(const struct dlg_engine *e);                /* its state's flags; 0 when over */
const char *dlg_state_of(const struct dlg_engine *e);             /* its state's name; "" when over */
const struct dlg_frame *dlg_bottom_of(const struct dlg_engine *e); /* the table that called all others, and where it is; NULL when over */
bool dlg_awaits(const struct dlg_engine *e, uint32_t job);        /* whether that job's result still counts */
const char *dlg_event_name(enum dlg_event_type t);
/* How far `keys` fulfil a pattern: the number of keys it takes, 0 if none, -1 if it needs more of the same. */
/* Whether these words are one of `spoken`. */
bool dlg_spoken(const char *spoken, struct text words);
int dlg_pattern(const char *pattern, const char *keys, unsigned n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* talk.h  A conversation in virtual time with fakes for all that it can do: every sentence takes a second, every job has a delay and an
 * outcome that the test chooses. No SIP, no media, no store.                                                           */
#ifndef TESTS_DIALOGUE_TALK_H
#define TESTS_DIALOGUE_TALK_H
#include "dialogue/path.h"
#include "dialogue/session.h"

enum talk_mode { TALK_GOOD, TALK_FAILS, TALK_NEVER, TALK_REFUSES /* the function itself returns an error */ };
enum { TALK_JOBS = 16, TALK_MESSAGES = 8 };
struct talk_job {
	uint32_t id;
	int64_t due_ms;
	int code, err; /* err != 0: failed */
	bool is_list, used;
};
struct talk {
	struct dlg_session s;
	struct dir_view *view;
	int64_t now_ms, timer[DLG_TIMERS], said_due_ms;
	uint32_t say_id;
	bool saying;
	struct talk_job job[TALK_JOBS];
	uint32_t rec_job, xfer_job;

	/* what the world does */
	enum talk_mode room, save, fetch, greeting, mark, list, transfer, logon, pin_set, record, owner, choose, stretch, send;
	unsigned send_fails_for; /* so many recipients, the last ones, cannot get it */
	int job_ms, room_err;
	int64_t speak_ms;      /* the caller speaks so long, then is silent; -1: until stopped */
	bool mute;             /* nobody speaks at all */
	const char *pin;       /* the right one */
	bool locked, must_change, no_pin, has_greeting, has_name;
	unsigned recorded;     /* greetings that are there: bits of enum mbox_greeting */
	bool setting_up, away;
	int32_t offset_s;      /* of the owner's clock; an hour more before the change */
	int64_t clock_change_s, until_s;
	unsigned n_languages;  /* that are installed: en-US, de-DE, fr-FR */
	const char *group;     /* group 1 of the owner: "Team\nbob\ncarol" */
	int xfer_status;
	int64_t xfer_ms;
	unsigned greetings;    /* bits of enum mbox_greeting, besides has_greeting and has_name */
	bool rule_greeting;    /* recorded for the rule */
	struct mbox_standing standing;
	enum talk_mode find, join, take;
	bool no_orders;        /* transfer: refused as such; bridge instead */
	int find_ms, talk_ms, find_status;
	int64_t real_s;        /* the wall clock when it began */
	struct mbox_message messages[TALK_MESSAGES];
	unsigned n_messages;

	bool recogniser, hear_direct;
	int hear_err;          /* instead of: */
	const char *hear_who[DLG_HEARD]; /* mailboxes; "operator"; "@Sales": a department; "=3": a key */
	enum talk_mode hear;

	/* what happened */
	unsigned n_listens, n_deaf;
	uint32_t hear_job;
	char heard[16384];     /* "answer-leave-message <alice> *tone* ..." since the last talk_heard() */
	int confirmed;         /* -1: not, 0: 500, 1: 200 */
	unsigned n_confirmed, n_saved, n_dropped, n_recorded, n_greetings, n_removed, n_tries, n_gave_up, n_pins, n_marks, n_events, n_parts, n_calls, n_stopped, n_talks, n_bridged, n_counted;
	uint32_t cap;          /* of calls outside, for */
	char counted_of[80];
	bool over_cap;         /* there were as many already */
	uint32_t joined;
	bool saved_urgent, saved_private;
	uint32_t saved_ms, ring_ms;
	uint16_t last_event;
	enum mbox_state marked;
	unsigned n_undeleted, n_notes, notes, n_sent, n_stretched, n_fetched_own;
	char sent_to[256];     /* "bob carol " */
	enum mbox_relation sent_as;
	bool sent_urgent, sent_private, sent_file;
	uint32_t heard_ms, played_from_ms;
	char spoke[16];        /* the language of the last sentence */
	char chosen[96];       /* "hours=24" */
	enum mbox_greeting greeting_kind;
	unsigned pins_used; /* so many new PINs are former ones */
	char uri[DLG_URI], saved_for[65], new_pin[40];
	int64_t rec_started_ms;
	bool file;             /* a recording lies on the disk */
	int result;
	bool over;
	struct dlg_path path;  /* what a record would say */
	char events[4096];     /* what a history would say of the events: "keys 2|timeout|" */
};

void talk_init(struct talk *t); /* a good world; the caller speaks for 5 s */
void talk_start(struct talk *t, const struct dlg_table *table);
void talk_end(struct talk *t);
/* Somebody calls alice; call answering begins. */
void talk_called(struct talk *t);
void talk_answers(struct talk *t);
void talk_box(struct talk *t, const char *mailbox);
void talk_message(struct talk *t, const char *id, enum mbox_state state, const char *caller);
/* Time passes: prompts end, jobs come back, timers fire, in order. */
void talk_wait(struct talk *t, int64_t ms);
void talk_keys(struct talk *t, const char *keys); /* 50 ms apart */
void talk_hangup(struct talk *t);
/* Whether that was heard since the last time (and forgets what came before and with it). */
bool talk_heard(struct talk *t, const char *what);
const char *talk_where(struct talk *t); /* "answering: greeting" */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* session.h  What a conversation knows (struct dlg_session: typed data under an engine) and all that it can do (struct dlg_effects).
 * Tables, guards and actions see nothing else: so a test drives them with fakes, and effects_live.c puts a leg, a port and
 * the mailbox behind the same functions. Loop thread.                                                                    */
#ifndef DIALOGUE_SESSION_H
#define DIALOGUE_SESSION_H
#include <stdbool.h>
#include <stdint.h>
#include "dialogue/engine.h"
#include "directory/dir.h"
#include "directory/hours.h"
#include "directory/pin.h"
#include "dialogue/phone.h"
#include "mailbox/mbox.h"

/* What tables return and jobs report: one numbering, so that a row says it all. */
enum dlg_code {
	R_NONE,
	R_OK,          /* what the table is for was done: digits entered, message recorded, logged on, chosen, changed */
	R_EMPTY,       /* # alone */
	R_BACK,        /* the caller wants to go back */
	R_NO_INPUT,    /* no key came */
	R_GIVE_UP,     /* too many failures */
	R_SHORT,       /* the recording was too short; it is gone */
	R_SILENT,      /* nobody spoke; it is gone */
	R_FAILED,      /* something of ours failed; the caller has been told or cannot be */
	R_REFUSED,     /* not allowed; the caller has been told */
	R_OPERATOR,    /* the caller asks for the operator */
	R_MESSAGE,     /* the caller wants to leave a message */
	R_LOGON,       /* the caller wants to log on to the mailbox that answers */
	R_TRANSFERRED, /* put through: our part is over */
	R_GOODBYE,     /* said, now hang up */
	R_KEYS,        /* a choice of the menu was named: s->spoken_keys */
	R_TALKED,      /* joined with somebody, and that is over: our part is, too */
	R_GONE,        /* the caller has hung up, and all that had to be kept is safe or has been told */
	J_REC_ENDED,   /* recording: silence, its greatest length, a key or a hang-up ended it */
	J_SAVED,       /* accepted: in the store or in the synced spool */
	J_LOGON_OK, J_LOGON_MUST_CHANGE, J_LOGON_WRONG, J_LOGON_LOCKED, J_LOGON_NO_PIN,
	J_PIN_RULE,    /* the rules refuse the PIN */
	J_SPEECH_BEGAN, J_HEARD, /* somebody speaks; s->heard is filled */
	J_DONE,        /* anything else that was done */
	R_CODES
};
const char *dlg_code_name(int code); /* "ok" */

/* Pieces of audio that a session can hold. */
enum dlg_clip { CLIP_NONE, CLIP_GREETING, CLIP_NAME, CLIP_RECORDING, CLIP_MESSAGE, CLIP_CALLER /* who he says he is */, DLG_CLIPS };

enum dlg_record_kind { DLG_RECORD_MESSAGE, DLG_RECORD_GREETING, DLG_RECORD_NAME, DLG_RECORD_DRAFT /* to be sent by its owner */ };
/* ---- call answering: answering.c, find.c, screen.c ---- */
/* Why a call came here instead of its person, as the diversion says. */
enum dlg_reason { DLG_DIRECT, DLG_BUSY, DLG_NO_ANSWER, DLG_UNREACHABLE, DLG_FORWARDED };
const char *dlg_reason_name(enum dlg_reason r); /* "no-answer"; "" for DIRECT */
/* What a rule wants next, or a caller by its keys. */
enum dlg_rule_do { DLG_RULE_NONE, DLG_RULE_MESSAGE, DLG_RULE_FIND, DLG_RULE_TRANSFER, DLG_RULE_MENU, DLG_RULE_OPERATOR, DLG_RULE_BYE };
enum { DLG_PLACES = 2 };
struct dlg_place {
	const char *target; /* of the configuration */
	uint32_t ring_ms;
};
/* Where a caller was who left nothing: for the list of missed calls. */
enum dlg_missed { DLG_MISSED_GREETING, DLG_MISSED_SEARCH, DLG_MISSED_SHORT, DLG_MISSED_SILENT, DLG_MISSED_DISCARDED, DLG_MISSED_FULL,
	          DLG_MISSED_UNANSWERED };
const char *dlg_missed_name(enum dlg_missed m); /* "greeting" */
enum { DLG_PARTS = 6 }; /* of one message: recorded, and added to */

struct dlg_recording {
	enum dlg_record_kind kind;
	uint32_t duration_ms;
	bool heard;   /* anybody spoke */
	bool kept;    /* there is a file */
	bool late;    /* a message whose end was not told in time: it may be there yet */
	unsigned parts; /* of the message before this one; they stay when this one is dropped */
};

enum { DLG_DIGITS = 33, DLG_MATCHES = 9, DLG_LIST_MAX = 5000 /* as many as a policy allows */, DLG_URI = 256,
	DLG_AA_PIECES = 8, DLG_AA_PIECE = 184 };

/* What sessions can do. `arg` is the effects' own. Jobs are told their id and end in dlg_job_done() or dlg_job_failed() later, never
 * before the function returns; what they bring is in the session by then. A function that returns an errno started nothing. */
struct dlg_effects {
	struct dlg_io io; /* say, hush, timers, steps, over: engine.h */
	/* The receipt: whether all that the caller left is safe. Nothing when no receipt is waited for. */
	void (*confirm)(void *arg, bool ok);
	/* Job: J_DONE; s->standing is filled if the store answers. Failed: why nothing can be recorded for `box` now: ENOSPC, EROFS, EHOSTUNREACH; EDQUOT: the mailbox is full. */
	int (*room)(void *arg, uint32_t job, const struct dir_user *box);
	/* Job: J_REC_ENDED with s->rec filled. */
	int (*record)(void *arg, uint32_t job);
	void (*record_stop)(void *arg, bool hangup);
	void (*record_drop)(void *arg); /* forget the recording and its file, all parts of it */
	void (*record_drop_part)(void *arg); /* forget what was added last */
	/* Job: J_SAVED. The recording becomes a message for s->box. */
	int (*save)(void *arg, uint32_t job);
	/* Job: J_DONE; the clip is held. ENOENT: there is none. `box` for greeting and name; the message in s->list for CLIP_MESSAGE;
	 * what was recorded last for CLIP_RECORDING, and for CLIP_CALLER, which outlives the recording. */
	int (*fetch)(void *arg, uint32_t job, enum dlg_clip clip, const struct dir_user *box);
	/* Job: J_DONE; CLIP_GREETING is held: s->phone.greeting of s->box, recorded by its owner, for himself. ENOENT: there is none. */
	int (*fetch_own)(void *arg, uint32_t job);
	/* Job: J_DONE. The recording becomes s->phone.greeting of s->box, or is taken away. */
	int (*greeting_set)(void *arg, uint32_t job);
	int (*greeting_remove)(void *arg, uint32_t job);
	/* Job: J_DONE; dlg_list_set() was called: new messages first, each part oldest first. */
	int (*list)(void *arg, uint32_t job);
	/* ---- the mailbox by phone ---- */
	/* Job: J_DONE: s->phone.choices, recorded and away are filled. */
	int (*owner)(void *arg, uint32_t job);
	/* Job: J_DONE. The temporary greeting on, until then (0: until it is turned off), or off; s->phone.away says so. */
	int (*away)(void *arg, uint32_t job, bool on, int64_t until_us);
	/* Seconds that the owner's clock is ahead of universal time at that moment. */
	int32_t (*offset_s)(void *arg, int64_t when_s);
	/* Job: J_DONE. One of s->phone.choices, in the store and in the session. */
	int (*choose)(void *arg, uint32_t job, const char *name, const char *value);
	/* The tag of the i-th language that is installed, the node's own first; NULL behind the last. */
	const char *(*language)(void *arg, unsigned i);
	/* How times are told now: 12 or 24 hours. */
	unsigned (*hours)(void *arg);
	/* Job: J_DONE. The message is held at that speed, too. */
	int (*stretch)(void *arg, uint32_t job, unsigned speed);
	/* How much of the message has been heard, by its own time, as of the last time it was stopped. */
	uint32_t (*heard_ms)(void *arg);
	/* Job: J_DONE. The deleted message is back; notes are made and taken away. */
	int (*undelete)(void *arg, uint32_t job, const char *id);
	int (*note)(void *arg, uint32_t job, const char *id, unsigned set, unsigned clear);
	/* Job: J_DONE: everybody of s->phone.to has it. Failed: those who have not are left there. */
	int (*send)(void *arg, uint32_t job);
	/* Job: J_DONE. DELETED: into the deleted folder. */
	int (*mark)(void *arg, uint32_t job, const char *id, enum mbox_state state);
	/* Job: J_LOGON_*. box NULL: an extension that does not exist; takes as long. */
	int (*logon)(void *arg, uint32_t job, const struct dir_user *box, struct text pin);
	void (*logon_gave_up)(void *arg, const struct dir_user *box, unsigned tries);
	/* Job: J_DONE, or J_PIN_RULE with s->pin_rule. */
	int (*pin_set)(void *arg, uint32_t job, struct text pin);
	/* Job: J_DONE: a call outside is counted for `of`, so it may be made. Failed: EDQUOT: there were as many already; anything else: it cannot be counted. */
	int (*count_outside)(void *arg, uint32_t job, const char *of, uint32_t per_hour);
	/* Job: progress with SIP statuses, then J_DONE: the target answered. Failed: s->xfer_status is set (0: no answer at all). */
	int (*transfer)(void *arg, uint32_t job, const char *uri); /* EOPNOTSUPP, at once or later: not by the gateway; bridge() instead */
	/* Job: progress with SIP statuses, then J_DONE: the target answered, and waits for join(). Failed: s->find_status is set. find_stop() ends it. */
	int (*bridge)(void *arg, uint32_t job, const char *uri);
	/* ---- call answering ---- */
	/* Job: J_DONE: whoever answered at `uri` (of s->target) takes the call. Failed: s->find_status is set (0: nothing came by SIP). */
	int (*find)(void *arg, uint32_t job, const char *uri, uint32_t ring_ms);
	void (*find_stop)(void *arg); /* and whatever came of it */
	/* Job: PROGRESS: they hear each other; then J_DONE: the other one has hung up. */
	int (*join)(void *arg, uint32_t job);
	/* Job, of the other one: the same two; failed: the caller is not there any more. */
	int (*take)(void *arg, uint32_t job);
	/* ---- spoken names (ask.c); all three may be NULL ---- */
	bool (*hears)(void *arg);  /* whether there is a recogniser now */
	/* Job: progress J_SPEECH_BEGAN, then J_HEARD with s->heard. Failed: ETIMEDOUT: nobody spoke; ENOENT: nobody of those was meant; anything else: nothing can
	 * be heard now. */
	int (*listen)(void *arg, uint32_t job);
	void (*deaf)(void *arg);   /* stop listening */
	/* The wall clock, seconds since 1970. */
	int64_t (*now_s)(void *arg);
	/* A report goes out; id and session of the call are filled in. */
	void (*event)(void *arg, struct ev_report *r);
};

/* Who or what a caller named. */
enum { DLG_HEARD = 3, DLG_MISHEARD = 3 };
struct dlg_heard {
	const struct dir_user *user; /* or */
	const char *department;      /* of people, or */
	char keys[12];               /* of the menu, or */
	bool is_operator;
	const char *say;             /* belongs to view, configuration or program */
};

struct dlg_session {
	struct dlg_engine eng;
	const struct dlg_effects *fx;
	void *fx_arg;
	struct dir_view *view; /* a reference: everybody this call meets comes from here */

	/* the caller */
	char caller_number[64], caller_name[128];
	const struct dir_user *caller; /* a user calling from an own number that is believed; NULL */

	bool open_sound;       /* and its sound is plain */
	const char *open_line; /* how the call came where others on the way can read it: "UDP"; NULL: it did not */

	char language[16]; /* a tag that the caller, or the mailbox's owner, chose; "": that of whom is called */

	/* call answering and log-on */
	const struct dir_user *box;
	bool box_typed;        /* by the caller, so it may be mistyped */
	bool logged_on, wants_operator, lost, left_message;
	int refusal;           /* why nothing can be recorded */
	struct dlg_recording rec;
	bool has_clip[DLG_CLIPS];
	unsigned short_tries;

	enum dlg_reason reason; /* why the call came here */
	bool closed;           /* after hours, by the mailbox's schedule */
	const struct cfg_answer_rule *rule; /* that applies to this call; belongs to the view; NULL */
	enum dlg_rule_do rule_do;
	bool rule_wrong;       /* a key that it does not bind */
	const char *rule_target; /* of what it, or a key of it, transfers to */
	struct mbox_standing standing; /* as far as the store said */
	enum mbox_greeting greet, fetched; /* which greeting applies; which one was looked for last */
	bool urgent, private;  /* as the caller asked */
	enum dlg_missed missed;
	struct dlg_place find[DLG_PLACES];
	unsigned n_find, find_at;
	int find_status;
	bool talked;           /* joined with somebody */
	uint32_t part_ms;      /* of the parts that are there already */

	/* entry of digits */
	char digits[DLG_DIGITS];
	unsigned n_digits;
	bool digits_full;      /* more came than there is room for */
	char new_pin[DLG_DIGITS];
	enum dir_pin_rule pin_rule;
	unsigned failures, pin_tries;

	/* the mailbox by phone */
	struct mbox_message *list;
	unsigned n_list, at, n_new, n_saved;
	bool at_start;         /* the caller asked for the message before the first one */
	bool only_new;         /* skip to the next new one */
	enum mbox_state mark_as;
	struct dlg_phone phone;

	/* attendant, dial by name, transfer */
	const struct cfg_attendant *aa;
	bool aa_closed;        /* it speaks and acts as it does while its house is closed */
	struct hours_now hours; /* as it was when the attendant answered */
	char (*aa_piece)[DLG_AA_PIECE]; /* a holiday's greeting, cut where a breath is taken: DLG_AA_PIECES; NULL: there was none yet */
	char spelled[DLG_DIGITS]; /* dial by name: what too many had in common */
	enum dir_allow allow;
	struct dir_target target;
	bool target_is_operator;
	char uri[DLG_URI];     /* of the target, once a transfer was tried */
	char home[DLG_URI];    /* host of URIs made from numbers where no dial plan names one */
	bool xfer_begun;       /* REFER was sent */
	int xfer_status;
	char xfer_reason[160];
	const struct dir_user *match[DLG_MATCHES];
	unsigned n_match, at_match;
	size_t total_match;

	/* a spoken name (ask.c) */
	struct dlg_heard heard[DLG_HEARD]; /* the likeliest first */
	unsigned n_heard, ask_tries;
	bool heard_direct;     /* beyond doubt */
	bool unasked;          /* what was heard was said to a menu, or to somebody else */
	const char *department; /* in which somebody is asked for; NULL: anywhere */
	char spoken_keys[12];
	unsigned misheard;     /* in a row, where nothing was asked; DLG_MISHEARD: nothing is listened to any more */
};

/* The view is referenced. */
void dlg_session_init(struct dlg_session *s, struct dir_view *view, const struct dlg_effects *fx, void *fx_arg);
/* Gives back what the session holds; PINs are wiped. */
void dlg_session_close(struct dlg_session *s);
/* Copies; new ones first. ENOMEM. */
int dlg_list_set(struct dlg_session *s, const struct mbox_message *v, size_t n);

/* ---- tables ---- */
extern const struct dlg_table dlg_answering;  /* a message for s->box */
extern const struct dlg_table dlg_ruled;      /* the answering rule of this call, if one applies */
extern const struct dlg_table dlg_subscriber; /* the mailbox by phone: log-on, then all of it; s->box where it is known */
extern const struct dlg_table dlg_logon;
extern const struct dlg_table dlg_player;     /* the messages of s->list one by one */
extern const struct dlg_table dlg_options;    /* greeting, name, PIN */
extern const struct dlg_table dlg_pin_change;
extern const struct dlg_table dlg_rule_greetings; /* of s->box's rules */
extern const struct dlg_table dlg_away;       /* the temporary greeting on or off */
extern const struct dlg_table dlg_language;   /* s->phone.choices.language */
extern const struct dlg_table dlg_greeting;   /* s->phone.greeting, by dlg_greeting_of() */
extern const struct dlg_table dlg_play_out;   /* for whoever answers a phone that was called for s->box */
extern const struct dlg_table dlg_setup;      /* name and greeting at the first use */
extern const struct dlg_table dlg_send;       /* a message to s->phone.to, or to whom the caller says */
extern const struct dlg_table dlg_recorder;   /* s->rec.kind */
extern const struct dlg_table dlg_entry;      /* digits */
extern const struct dlg_table dlg_names;      /* dial by name: s->target */
extern const struct dlg_table dlg_ask;        /* the same by voice; by keys where nobody listens */
extern const struct dlg_table dlg_find;       /* s->find, one after another */
extern const struct dlg_table dlg_screen;     /* for whoever answers there */
extern const struct dlg_table dlg_bridged;    /* for whoever a caller is put through to by a call of ours */
extern const struct dlg_table dlg_transfer;   /* to s->target */

/* Attendants of a configuration, loaded into rows. An object (mem_ref, mem_unref) that owns its tables; sessions in them hold it too. */
struct dlg_attendants;
int dlg_attendants_create(struct dlg_attendants **ap, const struct cfg *cfg);
const struct dlg_table *dlg_attendant_table(const struct dlg_attendants *a, struct text name); /* NULL if there is none */

/* ---- shared guards and actions (session.c) ---- */
bool dlg_is_gone(const struct dlg_session *s);
bool dlg_last_failure(const struct dlg_session *s); /* one more would be too many */
bool dlg_has_operator(const struct dlg_session *s);
int dlg_count_failure(struct dlg_session *s);
int dlg_no_failures(struct dlg_session *s);
int dlg_do_confirm(struct dlg_session *s);
int dlg_drop_recording(struct dlg_session *s);
int dlg_fetch_recording(struct dlg_session *s);
int dlg_to_operator(struct dlg_session *s);   /* s->target becomes the operator */
/* s->target and s->allow from a name, extension or URI that the administrator gave. What nobody has as a mailbox must be as long as an
 * extension: outside numbers are never reached. */
void dlg_aim(struct dlg_session *s, const char *target);
/* The same for targets that the owner of s->box chose: what he may call himself, outside numbers of his groups too. */
void dlg_aim_from(struct dlg_session *s, const char *target);
bool dlg_target_allowed(const struct dlg_session *s);
bool dlg_target_counts(const struct dlg_session *s); /* it is outside, and such calls have a cap: dlg_count_outside() comes first */
int dlg_count_outside(struct dlg_session *s);
/* Whether what belongs to that dial plan (NULL: to none) may be reached by this call, as it came: dialplans[].security. */
bool dlg_line_allows(const struct dlg_session *s, const struct cfg_dialplan *plan);
bool dlg_box_allowed(const struct dlg_session *s, const struct dir_user *box);
const struct cfg_policy *dlg_policy(const struct dlg_session *s); /* of the mailbox, or the default; never NULL */
/* What bounds a call and a message: the mailbox's policy within its dial plan; for attendants and before a log-on the dial plan alone. */
uint64_t dlg_max_call_ms(const struct dlg_session *s);
uint64_t dlg_max_recording_ms(const struct dlg_session *s);
uint64_t dlg_silence_ms(const struct dlg_session *s);
/* What is spoken: the tag that the caller chose; else that of whom he called; else of the first dial plan; "": the node's own. */
const char *dlg_language_of(const struct dlg_session *s);
/* In which the words of the attendant or mailbox are written that is heard now: its own, whatever the caller chose. */
const char *dlg_written_in(const struct dlg_session *s);
const char *dlg_box_name(const struct dlg_session *s);
bool dlg_nearly_full(const struct dlg_session *s); /* by the list of messages, as the policy warns */
/* Writes where s->target is reached: "sip:number@domain" or the user's URI. ENOENT: no way. */
int dlg_target_uri(const struct dlg_session *s, char *dst, size_t size);
/* The operator for who is called: of the mailbox, of the attendant, of the dial plan; "" for none. */
const char *dlg_operator(const struct dlg_session *s);
/* ---- rules (rules.c) ---- */
/* What the rule of this call does first; s->find is filled. NONE without a rule. */
enum dlg_rule_do dlg_rule_begin(struct dlg_session *s);
/* What a key of its menu does: s->rule_do (MENU: it is bound to nothing), s->find, s->rule_target. */
int dlg_rule_key(struct dlg_session *s, char key);
/* ---- speech instead of keys (spoken.c) ---- */
/* Whether callers of this attendant, or the owner of this mailbox, may speak: it is wanted, there is a recogniser, and it knows the language. */
bool dlg_may_speak(const struct dlg_session *s);
/* The same for where the conversation rests now. */
bool dlg_listens(const struct dlg_session *s);
bool dlg_heard_somebody(const struct dlg_session *s);
bool dlg_misheard_last(const struct dlg_session *s); /* once more would be too many */
int dlg_count_misheard(struct dlg_session *s);
int dlg_forget_heard(struct dlg_session *s);
int dlg_understood(struct dlg_session *s);
/* The command of that number, all tables of the mailbox together, each once; NULL behind the last. */
const char *dlg_command(unsigned i);
/* Where a department leads: to an attendant; NULL: to its people. */
const struct cfg_attendant *dlg_department_leads(const struct cfg *cfg, const struct cfg_attendant *aa, const char *department);
/* Keys no phone has, for "that attendant". */
void dlg_attendant_keys(const struct cfg_attendant *aa, char keys[12]);
extern const struct dlg_phrase dlg_say_misheard[], dlg_say_use_keys[];
/* Sentences that several tables say. */
extern const struct dlg_phrase dlg_say_invalid[], dlg_say_no_input[], dlg_say_goodbye[], dlg_say_recording[], dlg_say_empty[];

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* mbox.h  Voice messages and greetings, kept in the store.
 *
 * A message is accepted when it is durable: mbox_save() says SAVED only after commit, or, when the store does not answer within
 * receipt_ms, after the message was written and synced to this node's spool, from where it is shipped later. The id is chosen by the caller
 * beforehand, so saving again after an unknown end makes no second message. Saving, marking and deleting write the lamp's outbox row in
 * the same transaction. All calls on the loop thread, all handlers on the loop thread; a handler may start the next call. */
#ifndef MAILBOX_MBOX_H
#define MAILBOX_MBOX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "db/db.h"
#include "event/bus.h"
#include "event/metrics.h"

struct mbox;
struct outbox;
struct pool;

/* How audio lies in the store (voice/stored.h): G.711; linear samples, 16,000 a second for L16_WIDE; Opus in Ogg; MP3. */
enum mbox_codec { MBOX_PCMU, MBOX_PCMA, MBOX_L16, MBOX_L16_WIDE, MBOX_OPUS, MBOX_MP3, MBOX_CODECS };
enum mbox_state { MBOX_NEW, MBOX_SAVED, MBOX_DELETED };
const char *mbox_codec_name(enum mbox_codec c); /* "PCMU" */
const char *mbox_state_name(enum mbox_state s); /* "new" */
/* What the owner noted of a message, and what became of it: a set. */
enum mbox_note { MBOX_FLAGGED = 1, MBOX_REPLIED = 2, MBOX_FORWARDED = 4, MBOX_NOTES_ALL = 7 };
/* How a message came to be: left by a caller, or recorded by the owner of another mailbox. */
enum mbox_relation { MBOX_LEFT, MBOX_SENT, MBOX_REPLY, MBOX_FORWARD };
const char *mbox_relation_name(enum mbox_relation r); /* "left" */

/* What is known of a message without its audio. */
struct mbox_message {
	char id[ID_SIZE];
	char mailbox[65];
	char caller_number[64], caller_name[128]; /* as it came, cut; "" when withheld */
	char session[32]; /* ties it to the call's events */
	int64_t received_us;
	uint32_t duration_ms, bytes;
	enum mbox_codec codec;
	enum mbox_codec form; /* when saving: what it is to become after the call (mbox_form.c); MBOX_PCMU: it stays as it is */
	enum mbox_state state;
	bool cut; /* the recording was ended by a crash, not by the caller */
	bool urgent, private; /* as the caller asked */
	unsigned notes; /* of enum mbox_note */
	enum mbox_relation relation;
	char related[ID_SIZE]; /* the message that this one answers or forwards; "" */
	char through[ID_SIZE]; /* when saving what its caller ended: the last part of the recording that is in it; "": a part that was found */
	char sender[65]; /* the mailbox whose owner logged on and sent it; "" for callers, whoever they say they are */
	int64_t version; /* grows with each change */
	int64_t deleted_us, purge_us; /* in the deleted folder: since when, until when; 0 elsewhere */
};
/* Whether a message comes from there: part of the number, or of the name without case. */
bool mbox_is_from(const struct mbox_message *m, struct text caller);

/* Where the audio is: bytes in memory (copied before the call returns) or a file that stays until the handler was called. */
struct mbox_audio {
	const uint8_t *p;
	size_t n;
	const char *path; /* used when p is NULL: n bytes from offset; n 0 = to its end */
	uint64_t offset;
};

struct mbox_prm {
	struct store *store;
	struct loop *loop;
	struct pool *files; /* slow file work (spool) */
	const struct um_clock *clock;
	struct ev_bus *bus;
	struct metrics *metrics;
	struct outbox *outbox; /* kicked after changes; may be NULL */
	const char *node; /* whose turn it is to look at the deleted folders of a store that several share; copied; NULL: always ours */
	bool shared; /* other nodes use the store: what is being said is kept there, too (draft.h) */
	uint64_t draft_ms; /* 0: DRAFT_TICK_MS */
	const char *spool_dir; /* made if missing; private to this node */
	uint64_t receipt_ms; /* 0 = 3000 */
	uint64_t ship_ms; /* how often spooled messages are tried; 0 = 5000 */
	uint64_t purge_ms; /* how often deleted folders are looked at, the first time after a sixtieth of it; 0 = 3600000 */
	uint64_t spool_free_min_bytes; /* 0 = 16 MiB: with less the spool counts as full */
};

/* Finds what an earlier life left in the spool and ships it. EACCES, ENOSPC ... when the spool folder cannot be used (`why`). */
int mbox_create(struct mbox **mp, const struct mbox_prm *prm, struct ev_report *why);
/* Handlers of calls still running are not called. What is not shipped stays in the spool. */
void mbox_destroy(struct mbox *m);

/* Called after each change of a mailbox that this node made and that is durable, also where the numbers stayed what they were. One at a time; NULL takes it off. */
typedef void (mbox_change_h)(const char *mailbox, void *arg);
/* Another node changed that mailbox: tells the handler as if this one had. */
void mbox_changed_elsewhere(struct mbox *m, const char *mailbox);
void mbox_on_change(struct mbox *m, mbox_change_h *h, void *arg);

/* Would the store or the spool take a message, as of the last look at the spool's disk (every ship_ms)? 0, or ENOSPC, EROFS, EHOSTUNREACH with
 * `why`. */
int mbox_accepts(struct mbox *m, struct ev_report *why);
/* May a message for this mailbox be recorded now? Looks at the disks and counts; ask before the greeting ends, so that nobody speaks into the
 * void. The handler gets 0, an error of mbox_accepts(), ENOSPC or EROFS for the folder `also` (may be NULL), or EDQUOT when the mailbox holds
 * `most` messages (0: any number). One that cannot be counted is not full. 0; EAGAIN, ENOMEM: the handler is not called. */
typedef void (mbox_room_h)(int err, const struct ev_report *why, void *arg);
int mbox_room(struct mbox *m, const char *mailbox, uint32_t most, const char *also, mbox_room_h *h, void *arg, uint64_t *handle);

enum mbox_saved {
	MBOX_SAVE_DONE, /* in the store */
	MBOX_SAVE_SPOOLED, /* in the synced spool: accepted just the same */
	MBOX_SAVE_FAILED, /* neither: tell the caller honestly */
};
typedef void (mbox_saved_h)(enum mbox_saved outcome, int err, const struct ev_report *why, void *arg);
/* All of `msg` is used but for bytes, state, notes, deleted_us and purge_us. 0, ENOMEM, EINVAL; the handler is called then only for 0. */
int mbox_save(struct mbox *m, const struct mbox_message *msg, const struct mbox_audio *audio, mbox_saved_h *h, void *arg, uint64_t *handle);

enum mbox_order { MBOX_OLDEST_FIRST, MBOX_NEWEST_FIRST };
/* The array is borrowed for the call. `which` is MBOX_NEW, MBOX_SAVED, -1 for both, or MBOX_DELETED: those that can still be brought back. */
typedef void (mbox_list_h)(int err, const struct mbox_message *v, size_t n, const struct ev_report *why, void *arg);
int mbox_list(struct mbox *m, const char *mailbox, int which, enum mbox_order order, mbox_list_h *h, void *arg, uint64_t *handle);

struct mbox_counts {
	uint32_t fresh, saved; /* "new" and "saved" */
};
typedef void (mbox_counts_h)(int err, const struct mbox_counts *c, const struct ev_report *why, void *arg);
int mbox_counts(struct mbox *m, const char *mailbox, mbox_counts_h *h, void *arg, uint64_t *handle);
/* For jobs that run in the store's thread. */
int mbox_counts_tx(struct db_tx *tx, const char *mailbox, struct mbox_counts *c, struct ev_report *why);

/* The message's audio; bytes are borrowed for the call. ENOENT: no such message. */
typedef void (mbox_audio_h)(int err, enum mbox_codec codec, const uint8_t *p, size_t n, const struct ev_report *why, void *arg);
int mbox_get_audio(struct mbox *m, const char *mailbox, const char *id, mbox_audio_h *h, void *arg, uint64_t *handle);
/* The same as something that can be played: in G.711, or as linear samples in the host's order. EBADMSG: it is damaged. Of `what`, mailbox (in lower
 * case), id, codec, duration_ms, cut and version are those of what comes; the rest is empty. */
typedef void (mbox_sound_h)(int err, const struct mbox_message *what, const uint8_t *p, size_t n, const struct ev_report *why, void *arg);
int mbox_get_sound(struct mbox *m, const char *mailbox, const char *id, mbox_sound_h *h, void *arg, uint64_t *handle);

/* err 0, ENOENT, or as db.h */
typedef void (mbox_done_h)(int err, const struct ev_report *why, void *arg);
/* state MBOX_NEW or MBOX_SAVED, or MBOX_DELETED: the message is out of every list at once, its audio is removed by the same transaction, for good. */
int mbox_mark(struct mbox *m, const char *mailbox, const char *id, enum mbox_state state, mbox_done_h *h, void *arg, uint64_t *handle);
/* This and mbox_delete() for who has that version before him: ESTALE, and nothing is changed, if there is more in it by now (its rest came from another
 * node). What others marked meanwhile is no hindrance. */
enum { MBOX_ANY_VERSION = -1 };
int mbox_mark_seen(struct mbox *m, const char *mailbox, const char *id, int64_t version, enum mbox_state state, mbox_done_h *h, void *arg, uint64_t *handle);
int mbox_delete_seen(struct mbox *m, const char *mailbox, const char *id, int64_t version, uint64_t keep_ms, mbox_done_h *h, void *arg, uint64_t *handle);

/* Into the deleted folder, for keep_ms; with 0 as MBOX_DELETED above. Again is harmless and does not begin the time anew. */
int mbox_delete(struct mbox *m, const char *mailbox, const char *id, uint64_t keep_ms, mbox_done_h *h, void *arg, uint64_t *handle);
/* Back to where it was, new or saved. Again is harmless; ENOENT: it is gone for good. */
int mbox_undelete(struct mbox *m, const char *mailbox, const char *id, mbox_done_h *h, void *arg, uint64_t *handle);
/* Notes made and taken away, of a message that is not deleted. */
int mbox_note(struct mbox *m, const char *mailbox, const char *id, unsigned set, unsigned clear, mbox_done_h *h, void *arg, uint64_t *handle);

/* ---- what the owner of a mailbox chose: kept in the store, for all nodes ---- */
enum { MBOX_GROUPS = 9, MBOX_GROUP_TEXT = 1024, MBOX_ZONE = 48, MBOX_LANGUAGE = 16 };
struct mbox_group {
	char name[65];                 /* "" where there is no such group */
	char members[MBOX_GROUP_TEXT]; /* names of mailboxes, one a line */
};
struct mbox_choices {
	bool by_voice;                 /* commands by voice rather than keys, where there is a recogniser */
	bool setting_up;               /* the first use was begun and not ended */
	uint8_t hours;                 /* 12 or 24; 0: as the language does */
	char zone[MBOX_ZONE];          /* "Europe/Berlin"; "": the server's */
	char language[MBOX_LANGUAGE];  /* "de-DE"; "": the configuration's */
	struct mbox_group *group;      /* MBOX_GROUPS of them, 1 to 9 on the keys; NULL: there are none. Owned */
};
void mbox_choices_clear(struct mbox_choices *c);
/* 0, ENOMEM: all but the groups. */
int mbox_choices_copy(struct mbox_choices *to, const struct mbox_choices *from);
/* NULL where there is no such group; i from 0. */
const struct mbox_group *mbox_choices_group(const struct mbox_choices *c, unsigned i);
typedef void (mbox_choices_h)(int err, const struct mbox_choices *c, const struct ev_report *why, void *arg);
int mbox_choices(struct mbox *m, const char *mailbox, mbox_choices_h *h, void *arg, uint64_t *handle);
/* One of them by its name in the store: "voice", "setup" ("1" or ""), "hours" ("12", "24"), "zone", "language", "group.1" ... "group.9"
 * (name and members, one a line). "" takes it away. EINVAL for what none of them may hold. */
int mbox_choose(struct mbox *m, const char *mailbox, const char *name, const char *value, mbox_done_h *h, void *arg, uint64_t *handle);
/* Takes one name and value into the struct: EINVAL if it is none; ENOMEM. */
int mbox_choice_read(struct mbox_choices *c, const char *name, const char *value);

/* ---- greetings: each kind recorded once a mailbox, under its name; others by names of their own ("attendant.main") ---- */
enum mbox_greeting {
	MBOX_G_NAME,     /* the spoken name: said in every standard greeting, in transfers, in matches of a directory */
	MBOX_G_PERSONAL, /* whenever no other applies */
	MBOX_G_BUSY,     /* its owner is on another call */
	MBOX_G_CLOSED,   /* after hours */
	MBOX_G_AWAY,     /* temporary, while mbox_away_set() says so */
	MBOX_GREETINGS
};
const char *mbox_greeting_name(enum mbox_greeting g); /* "personal" */
int mbox_greeting_set(struct mbox *m, const char *mailbox, const char *kind, enum mbox_codec codec, const struct mbox_audio *audio,
                      mbox_done_h *h, void *arg, uint64_t *handle);
/* ENOENT: none recorded. */
int mbox_greeting_get(struct mbox *m, const char *mailbox, const char *kind, mbox_audio_h *h, void *arg, uint64_t *handle);
int mbox_greeting_delete(struct mbox *m, const char *mailbox, const char *kind, mbox_done_h *h, void *arg, uint64_t *handle);


/* ---- the state of a mailbox, as answering and its owner need to know it ---- */
struct mbox_standing {
	struct mbox_counts counts;
	unsigned recorded;     /* bit 1 << enum mbox_greeting for each that is there */
	bool away;             /* the temporary greeting is on, and its end has not come */
	int64_t away_until_us; /* 0: until it is taken back */
};
typedef void (mbox_standing_h)(int err, const struct mbox_standing *st, const struct ev_report *why, void *arg);
int mbox_standing(struct mbox *m, const char *mailbox, mbox_standing_h *h, void *arg, uint64_t *handle);
/* on: the temporary greeting applies until `until_us` (0: until it is taken back). */
int mbox_away_set(struct mbox *m, const char *mailbox, bool on, int64_t until_us, mbox_done_h *h, void *arg, uint64_t *handle);

/* ---- calls whose caller left nothing ---- */
struct mbox_missed {
	char id[ID_SIZE];
	char mailbox[65];
	char caller_number[64], caller_name[128]; /* "" when withheld */
	char session[32];
	int64_t at_us;
	char why[24];    /* where the caller gave up: "greeting", "short", ... */
	char reason[24]; /* why the call came here: "busy" ...; "" */
};
enum { MBOX_MISSED_DAYS = 90, MBOX_MISSED_MAX = 1000 }; /* how long, and how many of a mailbox are listed */
/* Again with the same id is harmless. h may be NULL. */
int mbox_missed_put(struct mbox *m, const struct mbox_missed *call, mbox_done_h *h, void *arg, uint64_t *handle);
/* The newest first; the array is borrowed for the call. */
typedef void (mbox_missed_h)(int err, const struct mbox_missed *v, size_t n, const struct ev_report *why, void *arg);
int mbox_missed_list(struct mbox *m, const char *mailbox, mbox_missed_h *h, void *arg, uint64_t *handle);

/* The handler will not be called any more; what was begun goes on without it. 0 and unknown handles are ignored. */
void mbox_cancel(struct mbox *m, uint64_t handle);
size_t mbox_spooled(const struct mbox *m); /* messages waiting in the spool */
void mbox_ship_now(struct mbox *m); /* tries them now */

#endif

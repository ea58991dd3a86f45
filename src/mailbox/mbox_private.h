/* SPDX-License-Identifier: Apache-2.0 */
/* mbox_private.h  What the files of mailbox/ share: the service, and the work done in store threads. */
#ifndef MAILBOX_MBOX_PRIVATE_H
#define MAILBOX_MBOX_PRIVATE_H
#include "base/list.h"
#include "db/op.h"
#include "mailbox/mbox.h"
#include "mailbox/spool.h"
#include "net/pool.h"
#include "net/tmr.h"

enum { MBOX_AUDIO_MAX = DB_BLOB_MAX, MBOX_LIST_MAX = 5000 };

struct mbox_cache;

struct mbox {
	struct mbox_prm prm;
	char node[65], owner[96]; /* of recordings under way: this process */
	struct list drafts; /* struct draft */
	struct tmr draft_tmr;
	unsigned puts; /* of drafts, in the store's queue */
	bool looking_for_drafts, look_again;
	char looked_to[ID_SIZE]; /* drafts are looked at from behind this one; "": from the first */
	int64_t rescue_said_ms; /* when a failure to rescue one was told last */
	struct ops ops;
	struct spool *spool;
	struct mbox_cache *cache;
	struct list saves; /* struct save */
	struct tmr ship_tmr;
	size_t spooled;
	bool closed, shipping, looking, purging;
	int64_t purge_at_ms; /* when the deleted folders are looked at next */
	int room_err; /* of the spool, as of the last look */
	int64_t refused_said_ms; /* when the store's refusal of a single message was told last */
	struct metric *m_saved, *m_spooled, *m_failed, *m_waiting;
	mbox_change_h *change;
	void *change_arg;
};
/* That mailbox has changed, and its lamp's row is written. */
void mbox_changed(struct mbox *m, const char *mailbox);

/* ---- store threads (mbox_sql.c) ---- */

/* One call for all that reads or changes rows; the fields that a work function needs are filled. */
struct mbox_call {
	struct op op;
	struct mbox *m; /* a reference */
	struct mbox_message msg;
	char kind[65];
	bool linear; /* audio that can be played is wanted */
	int which;
	enum mbox_order order;
	struct mbox_counts counts;
	struct buf audio; /* in or out */
	char *path; /* audio comes from this file; owned */
	uint64_t offset;
	size_t n;
	struct mbox_message *list;
	size_t n_list, room;
	struct mbox_standing standing;
	struct mbox_missed missed, *calls; /* calls: n_list of them */
	uint64_t keep_ms;
	unsigned set, clear;
	int64_t seen; /* a message that has grown since that version is not changed */
	struct mbox_choices *choices; /* owned; out */
	char *value; /* of a choice; owned */
};

/* A message with its audio, its row, and the lamp's order; again is harmless. */
int mbox_save_work(struct db_tx *tx, const struct mbox_message *msg, const uint8_t *p, size_t n, struct ev_report *why);
store_work_h mbox_list_work, mbox_counts_work, mbox_audio_work, mbox_mark_work, mbox_greeting_set_work, mbox_greeting_get_work,
	mbox_greeting_delete_work, mbox_standing_work, mbox_away_work, mbox_missed_put_work, mbox_missed_list_work, mbox_delete_work, mbox_undelete_work,
	mbox_note_work, mbox_choices_work, mbox_choose_work;
/* At most so many rows a transaction; *n says how many it were. */
enum { MBOX_PURGE_ROWS = 50 };
int mbox_purge_work(struct db_tx *tx, int64_t now_us, unsigned *n, struct ev_report *why);

/* The same; *news: there is a message, or more of it, that was not there before. */
int mbox_save_news_work(struct db_tx *tx, const struct mbox_message *msg, const uint8_t *p, size_t n, bool *news, struct ev_report *why);
/* The recording under way has become that message, or nothing; so have its later parts up to `through` ("": none of them). */
int mbox_drafts_settle(struct db_tx *tx, const char *message, const char *through, struct ev_report *why);

/* ---- audio fetched lately (mbox_cache.c) ---- */
enum { MBOX_CACHE_BYTES = 32 << 20 };
int mbox_cache_create(struct mbox_cache **cp, size_t bytes_max);
void mbox_cache_destroy(struct mbox_cache *c); /* NULL is allowed */
bool mbox_cache_get(struct mbox_cache *c, const char *mark, struct buf *out); /* appends */
void mbox_cache_put(struct mbox_cache *c, const char *mark, const uint8_t *p, size_t n);
uint64_t mbox_cache_hits(struct mbox_cache *c);

/* ---- loop ---- */
void mbox_drafts_begin(struct mbox *m);
void mbox_drafts_end(struct mbox *m);
void mbox_drafts_saved(struct mbox *m, const struct mbox_message *msg, bool stored);
/* One for `mailbox` (its name in lower case); ENOMEM: NULL. It is freed by its `done`, or here if the store does not take it. */
struct mbox_call *mbox_call_new(struct mbox *m, const char *mailbox, const char *id);
int mbox_call_go(struct mbox_call *c, enum store_kind kind, store_work_h *work, store_done_h *done, op_fn *h, void *arg, uint64_t *handle);
void mbox_call_free(struct mbox_call *c);
store_done_h mbox_call_changed; /* tells an mbox_done_h */
void mbox_save_cancel_all(struct mbox *m);
void mbox_ship_start(struct mbox *m);
void mbox_look_at_room(struct mbox *m);
int mbox_form_begin(struct mbox *m);
/* Within the transaction that saves the message. */
int mbox_form_wish(struct db_tx *tx, const struct mbox_message *m, struct ev_report *why);
/* Into linear samples of the host's order, unless it is G.711. Takes its time. */
int mbox_form_linear(enum mbox_codec *codec, struct buf *audio);
void mbox_purge(struct mbox *m); /* now and then: what lay long enough in deleted folders goes for good */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* dir_private.h  What the files of directory/ share. */
#ifndef DIRECTORY_DIR_PRIVATE_H
#define DIRECTORY_DIR_PRIVATE_H
#include "base/mem.h"
#include "config/arena.h"
#include "db/op.h"
#include "directory/pin.h"
#include "directory/proposal.h"
#include "net/pool.h"
#include "net/tmr.h"

enum { DIR_KEYS_SIZE = 48 };

/* A user with what is computed once for finding it. */
struct dir_entry {
	struct dir_user user; /* first */
	char last_first[DIR_KEYS_SIZE], first_last[DIR_KEYS_SIZE], last[DIR_KEYS_SIZE], first[DIR_KEYS_SIZE], alias[DIR_KEYS_SIZE];
};

struct dir_index {
	const char *key;
	const struct dir_entry *entry;
};

struct dir_sound {
	const char *name, *sound;
};

struct dir_department {
	const char *name;
	size_t people;
};

struct dir_view {
	struct arena arena;
	const struct cfg *cfg; /* a reference */
	int64_t revision;
	struct dir_entry *entries; /* by name */
	size_t n;
	struct dir_index *numbers, *uris;
	struct dir_sound *sounds; /* by name, without case; most have none */
	struct dir_department *departments;
	size_t n_numbers, n_uris, n_sounds, n_departments;
};

/* Builds step by step: begin, a user each, end. Any thread. */
int dir_view_begin(struct dir_view **vp, const struct cfg *cfg, size_t users);
struct dir_entry *dir_view_add(struct dir_view *v); /* fill entry->user with texts of the view's arena */
int dir_view_end(struct dir_view *v); /* ENOMEM: give it back */
/* "user@host" in lower case of any form of URI; false if it is none. */
bool dir_uri_key(struct text uri, char *dst, size_t size);

struct dir {
	struct dir_prm prm;
	char node[65];
	struct ops ops;
	struct dir_view *view;
	struct tmr poll;
	dir_objects_h *on_objects;
	void *on_objects_arg;
	dir_serves_h *on_serves;
	void *on_serves_arg;
	dir_try_h *on_try;
	void *on_try_arg;
	int64_t tried; /* number of the proposal that was tried last */
	struct list proposals; /* of this node */
	bool closed, polling, applying, look_again, asking, ask_again;
};

/* ---- store threads (dir_sql.c) ---- */
struct dir_sync {
	struct dir *d; /* a reference */
	const struct cfg *cfg; /* a reference */
	int64_t known; /* revision that need not be loaded again */
	bool apply; /* asked for by dir_apply() */
	bool writes; /* and there is something to write */
	struct dir_view *view; /* loaded; NULL when nothing is newer */
	bool view_made;
	int64_t revision;
	int64_t count, removed;
	char other[65]; /* node whose revision was replaced */
	int64_t other_revision;
	bool fresh; /* a new revision was made */
	struct cfg *objects; /* of the newest revision, when other than ours; owned */
	struct cfg_errors errors; /* why they cannot be used */
	dir_applied_h *done;
	void *arg;
};
store_work_h dir_sync_work;
void dir_tell_revision(struct dir *d, const struct dir_sync *s); /* if it is a new one */
/* Makes s->cfg the next revision unless the newest says the same; tells all nodes. */
int dir_revision_write(struct db_tx *tx, struct dir_sync *s, struct ev_report *why);
/* The newest revision from `since` on that says the same as cfg; ENOENT: none. */
int dir_revision_same(struct db_tx *tx, const struct cfg *cfg, int64_t since, int64_t *number, struct ev_report *why);

/* ---- proposals (proposal.c, proposal_sql.c) ---- */
enum dir_decision { DIR_WAIT, DIR_REFUSED, DIR_MADE };
struct dir_proposal {
	struct link link; /* of d's proposals */
	struct dir *d; /* a reference */
	struct dir_proposal_prm prm; /* cfg is a reference */
	dir_proposed_h *h;
	void *arg;
	struct tmr tmr;
	bool in_store, put, wake;
	int64_t number, until_us;
	enum dir_decision decision;
	struct dir_sync *sync; /* what becomes the revision */
	struct dir_answer v[DIR_ANSWERS_MAX];
	size_t n;
};
store_work_h dir_propose_work, dir_settle_work, dir_withdraw_work;
/* What others propose and this node did not answer yet. */
struct dir_question {
	struct dir *d; /* a reference */
	int64_t number;
	char node[65]; /* whose it is; "" none */
	struct cfg *objects;
	struct cfg_errors errors;
};
store_work_h dir_question_work;
struct dir_reply {
	struct dir *d; /* a reference */
	int64_t number;
	bool good;
	char finding[DIR_FINDING_SIZE];
};
store_work_h dir_reply_work;
void dir_proposals_look(struct dir *d);
void dir_proposals_end(struct dir *d);

#endif

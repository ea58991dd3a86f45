/* SPDX-License-Identifier: Apache-2.0 */
/* admin.h  What an administrator can see and do, as commands of the admin socket. Each cmd_*.c holds the table of one noun; the table's arg
 * is a `struct admin`. What is not there (NULL) makes its commands answer that this process has none. Loop thread only.      */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H
#include "admin/server.h"
#include "base/clock.h"
#include "config/cfg.h"
#include "event/metrics.h"

struct calendars;
struct dir;
struct dir_answer;
struct dns;
struct dlg_service;
struct gw_shared;
struct gw_story_store;
struct gw_table;
struct languages;
struct speech;
struct mbox;
struct node;
struct own_prompts;
struct pool;
struct records;
struct registry;
struct sip_core;
struct store;
struct trace;
struct trust_keeper;
struct trust_set;

/* How a new configuration is to be taken into use. */
struct admin_apply {
	bool objects;     /* only the organisation's part is to be looked at; where nodes share a store, all take it or none (directory/proposal.h) */
	int64_t based_on; /* ... if that revision is still the newest; -1: whatever is */
	bool leave_behind; /* ... although some nodes cannot take it */
	uint64_t within_ms; /* ... which they are to say within that time; 0: as long as is usual */
	bool (*left)(void *done_arg); /* ... as long as somebody waits for it: true once nobody does. NULL: it goes on to its end */
};
/* Borrowed for the call. */
struct admin_applied {
	int err;
	const struct ev_report *why;
	int64_t revision; /* that was made of it for all nodes; 0: this node is alone */
	const struct dir_answer *answers; /* of the other nodes */
	size_t n;
};
/* It is read and prepared elsewhere: `done` comes later, unless ENOMEM is returned. */
typedef void (admin_applied_h)(const struct admin_applied *r, void *arg);
typedef int (admin_apply_h)(const struct cfg *cfg, const struct admin_apply *how, admin_applied_h *done, void *done_arg, void *arg);
/* The revision of the store that is in use here; -1: none. */
typedef int64_t (admin_revision_h)(void *arg);

/* What became of the node's own file, read again. Borrowed for the call. */
struct admin_reloaded {
	int err;                         /* not 0: the last good configuration is still in use, whole */
	const char *path;
	const struct ev_report *why;     /* of err */
	const struct cfg_errors *errors; /* those that have a place in the file */
	const struct cfg_changes *changes;
	const struct trust_set *was, *now; /* what was and what is shown and believed */
};
typedef void (admin_reloaded_h)(const struct admin_reloaded *r, void *arg);
/* Reads the node's own file again; `done` comes later, unless ENOMEM is returned. */
typedef int (admin_reload_h)(admin_reloaded_h *done, void *done_arg, void *arg);

struct admin_prm {
	struct loop *loop;
	const struct um_clock *clock;
	struct ev_bus *bus;
	struct metrics *metrics;
	struct node *node;
	struct gw_table *gateways;
	struct gw_shared *shared; /* what other nodes know of gateways */
	struct gw_story_store *stories; /* what fails on other nodes */
	struct sip_core *sip;
	struct store *store;
	struct registry *registry;
	struct calendars *calendars; /* that schedules name by address; may be NULL */
	struct dir *dir;
	struct mbox *mbox;
	struct records *records;
	struct dlg_service *calls;
	struct languages *languages;
	struct speech *speech; /* the helper process; may be NULL */
	struct own_prompts *own_prompts;
	struct trust_keeper *trust;
	struct trace *trace;
	struct dns *dns;
	struct pool *files; /* for reading files */
	struct pool *crypto; /* for making keys */
	const char *socket; /* path */
	const char *group;  /* who may use it besides root and the owner; NULL or "": nobody */
	admin_apply_h *apply;
	admin_revision_h *revision; /* NULL: nobody shares the store */
	admin_reload_h *reload;
	/* Identities or anchors are swapped in the keeper: tell everyone who has to know. */
	void (*trust_changed)(void *arg);
	void *arg;
};

struct admin;
/* Opens the socket. */
int admin_create(struct admin **ap, const struct admin_prm *prm, struct ev_report *why);
void admin_destroy(struct admin *a); /* NULL is allowed */
/* The configuration that is in use now, the node's file or objects applied later; a reference is taken. */
void admin_config(struct admin *a, const struct cfg *cfg);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* service.h  All calls that this node is having, as main, admin and node see them: a call is offered, finds its conversation, and ends; here
 * it can be listed, looked at step by step, and ended. Everything runs on the loop thread.                              */
#ifndef DIALOGUE_SERVICE_H
#define DIALOGUE_SERVICE_H
#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/text.h"
#include "config/cfg.h"
#include "event/bus.h"
#include "event/metrics.h"

struct loop;
struct pool;
struct leg;
struct dir;
struct mbox;
struct media_engine;
struct languages;
struct speech;
struct voice_names;
struct net_addr;
struct dlg_service;
struct dlg_table;
struct dlg_tale;

/* Everything is borrowed and must outlive the service, but for what is said to be copied or referenced. */
struct dlg_service_prm {
	struct loop *loop;
	const struct um_clock *clock;
	struct ev_bus *bus;          /* may be NULL */
	struct metrics *metrics;     /* may be NULL */
	const struct cfg *cfg;       /* referenced */
	struct dir *dir;
	struct mbox *mbox;
	struct records *records;     /* where calls that are over are written down; may be NULL */
	const char *node;            /* its name, for these; copied. NULL with records NULL only */
	struct media_engine *media;
	struct languages *languages; /* what is spoken */
	struct speech *speech;       /* NULL: nobody hears spoken names */
	struct voice_names *names;   /* NULL: names are spelled as digits or left out */
	struct pool *files;          /* for reading recordings back */
	const char *spool_dir;       /* where recordings grow; copied, made if missing */
	const char *media_address;   /* bound for audio, copied; "" or NULL: the address the call's signalling came in on */
	unsigned max_calls;          /* 0: no limit of its own */
	unsigned reserved_calls;     /* of them, for those who call an access number; a tenth at most */
	bool busy_when_full;         /* 486 instead of 503 */
};
int dlg_service_create(struct dlg_service **sp, const struct dlg_service_prm *prm, struct ev_report *why);
/* Recordings that an earlier process left in the spool folder become messages marked as cut. Once, after dir and mbox are there. */
void dlg_service_recover(struct dlg_service *s);
/* Calls that live are hung up; what callers have said by then is handed to the mailbox, but nobody waits for it: drain first. */
void dlg_service_destroy(struct dlg_service *s);
/* What SIP's leg_offered handler calls: answers or rejects the leg, always. `offered` fits sip_core_prm with arg = the service. */
void dlg_service_offer(struct dlg_service *s, struct leg *leg);
void dlg_service_offered_h(struct leg *leg, void *service);
/* A new configuration with its attendants (dlg_attendants_create, any thread; the reference is taken over). Calls that live keep theirs. */
struct dlg_attendants;
void dlg_service_use(struct dlg_service *s, const struct cfg *cfg, struct dlg_attendants *attendants);

/* How calls are made (find me); NULL, NULL: none from now on. Both are borrowed. */
struct sip_core;
struct gw_table;
void dlg_service_ways(struct dlg_service *s, struct sip_core *core, struct gw_table *gateways);

/* ---- drain ---- */
/* New calls get 503 with Retry-After from now on (or again not). */
void dlg_service_drain(struct dlg_service *s, bool on);
/* Asks everybody by voice to come to an end; so many seconds are left. */
void dlg_service_ask_to_finish(struct dlg_service *s, unsigned seconds);
unsigned dlg_service_count(const struct dlg_service *s); /* calls alive */
unsigned dlg_service_waiting(const struct dlg_service *s); /* messages on their way to the mailbox, out of files that were found too */
typedef void (dlg_idle_h)(void *arg);
/* Called once when the last call is over; at once if there is none. NULL takes it back. */
void dlg_service_when_idle(struct dlg_service *s, dlg_idle_h *h, void *arg);

/* ---- for the administrator ---- */
enum { DLG_HISTORY = 256 /* and DLG_REFUSED that were refused at once */, DLG_REFUSED = 64, DLG_CALL_STEPS = 96, DLG_STEP_TEXT = 96 };
struct dlg_call_step {
	int64_t at_ms;  /* since the call arrived */
	char text[DLG_STEP_TEXT]; /* "answering: greeting -> take message on ended" */
};
struct dlg_call_info {
	const char *session, *from, *from_name, *called, *gateway, *source;
	const char *dialogue; /* "answering", "subscriber", "attendant", "" while unknown */
	const char *object;   /* mailbox or attendant that answers; "" */
	const char *state;    /* "answering: greeting"; of a call that is over: how it ended */
	bool over, held;
	int64_t started_us;   /* wall clock */
	int64_t duration_ms;
	const struct dlg_call_step *steps;
	unsigned n_steps, steps_lost;
	const struct dlg_tale *tale; /* the same and more in sentences */
};
/* Borrowed for the call. */
typedef void (dlg_call_h)(const struct dlg_call_info *c, void *arg);
/* Calls alive (oldest first), then, if asked for, the last DLG_HISTORY that are over (newest first). */
void dlg_service_calls(struct dlg_service *s, bool history, dlg_call_h *each, void *arg);
/* One of them, alive or remembered, by session id; a unique beginning of it is enough. ENOENT; EEXIST: several begin so. */
int dlg_service_call(struct dlg_service *s, const char *session, dlg_call_h *h, void *arg);
/* As if the caller had hung up: what he left is kept; then BYE. ENOENT, EEXIST. */
int dlg_service_end(struct dlg_service *s, const char *session);

/* ---- tables, for `umbel attendant draw` ---- */
enum dlg_draw_form { DLG_DRAW_TEXT, DLG_DRAW_GRAPHVIZ };
struct buf;
int dlg_draw(const struct dlg_table *table, enum dlg_draw_form form, struct buf *out);
/* An attendant of a configuration, or one of the built-in conversations by name ("answering", "subscriber" ...). ENOENT, ENOMEM. */
int dlg_draw_named(const struct cfg *cfg, struct text name, enum dlg_draw_form form, struct buf *out);

#endif

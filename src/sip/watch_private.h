/* SPDX-License-Identifier: Apache-2.0 */
/* watch_private.h  A subscription, as watch.c (its life) and watch_in.c (SUBSCRIBE) share it. */
#ifndef SIP_WATCH_PRIVATE_H
#define SIP_WATCH_PRIVATE_H
#include "sip/core_private.h"
#include "sip/dialog.h"
#include "sip/watch.h"

enum watch_state {
	WATCH_NEW,    /* accepted; its state is not known yet, so nothing was told */
	WATCH_ACTIVE, /* told at least once */
	WATCH_ENDING, /* the last NOTIFY is to be said, or on its way */
	WATCH_OVER,
};
enum watch_event {
	WATCH_REFRESHED,    /* SUBSCRIBE within it */
	WATCH_UNSUBSCRIBED, /* ... with Expires: 0; also a SUBSCRIBE that only wants to know once */
	WATCH_TOLD,         /* the state came, and is news or was asked for */
	WATCH_MAY_SPEAK,    /* a second is over since the last NOTIFY, or Retry-After */
	WATCH_HEARD,        /* NOTIFY answered 2xx */
	WATCH_UNHEARD,      /* NOTIFY refused or unanswered */
	WATCH_EXPIRED,
	WATCH_GONE,         /* what it watched */
	WATCH_LEFT,         /* we go */
	WATCH_BARRED,       /* its gateway may have none any more */
	WATCH_LATE,         /* the state did not come: the last NOTIFY goes without it */
	WATCH_EVENTS
};

/* Of one peer, so that counting costs nothing. */
struct watch_owner {
	struct link link;
	char name[SIP_PEER_NAME_SIZE];
	unsigned count;
};

struct sip_watch {
	struct link link; /* of the core, until it is over */
	struct hash_entry by_tag;
	struct sip_core *core;
	struct watch_owner *owner;
	struct sip_peer *peer;
	struct sip_dialog d;
	enum watch_state state;
	const char *reason; /* of its end; a literal */
	char event_id[64];  /* of Event; "": none */
	void *own;
	bool accepted;      /* wanted() said yes: over() is owed */
	bool asked;         /* state() was called and not answered yet */
	bool unsaid;        /* there is something to be said when it may speak */
	bool last_said;     /* the NOTIFY on its way is the last one */
	char *body;         /* the state as it is known; NULL: unknown */
	int64_t until_ms;   /* monotonic */
	struct tmr expires, pause, late;
	struct sip_uac *uac; /* NOTIFY on its way */
	uint32_t cseq;
	unsigned tries;      /* of its authentication */
	uint32_t retry_after_s;
};

/* watch.c */
int watch_make(struct sip_watch **wp, struct sip_core *core, struct sip_peer *peer, const struct sip_msg *req, const struct sip_path *path);
void watch_happens(struct sip_watch *w, enum watch_event ev);
/* For so many seconds from now. */
void watch_until(struct sip_watch *w, uint32_t seconds);
/* Over without a word: it never was accepted. */
void watch_drop(struct sip_watch *w);
struct sip_watch *watch_of(const struct sip_core *core, const struct sip_msg *req);
unsigned watch_count_of(const struct sip_core *core, const struct sip_peer *peer);

#endif

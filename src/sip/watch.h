/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h  Who wants to be told when the state of a mailbox changes: SUBSCRIBE of a known peer to `message-summary` (RFC 6665, RFC 3842), each with NOTIFYs
 * of its own until it ends. What there is to be watched, and its state as a body, is said by handlers; SIP stays below this header.
 *
 *   SUBSCRIBE -> wanted() -> 200 -> state() -> sip_watch_tell() -> NOTIFY ... -> over()
 *
 * Loop thread only. Subscriptions are bounded for each peer (sip_peer.max_watches) and in all (sip_limits.watches).             */
#ifndef SIP_WATCH_H
#define SIP_WATCH_H
#include "sip/core.h"

struct sip_watch;

/* How long a subscription lasts: shorter ones are refused with 423, longer ones cut, and without a wish it is the usual time. */
enum { SIP_WATCH_MIN_S = 60, SIP_WATCH_USUAL_S = 3600, SIP_WATCH_MAX_S = 86400 };

struct sip_watch_asked {
	const struct sip_peer *peer;
	struct text uri;  /* Request-URI */
	const char *user; /* of it, unescaped */
	struct text host;
};
/* Called by the loop, never from within sip_watch_tell() or sip_watch_end(). */
struct sip_watch_handlers {
	/* 0: it may, and sip_watch_own() was called; ENOENT: there is no such mailbox; EACCES: that peer may not; anything else: not now. */
	int (*wanted)(struct sip_watch *w, const struct sip_watch_asked *asked, void *arg);
	/* Its state is to be told by sip_watch_tell(), now or soon. */
	void (*state)(struct sip_watch *w, void *arg);
	/* Nobody listens any more; the watch must not be used again. Only after a `wanted` that gave 0. */
	void (*over)(struct sip_watch *w, void *arg);
	void *arg;
};
/* From now on; NULL: nobody may watch anything. Those that are keep the handlers' arg: end them before. */
void sip_core_watches(struct sip_core *core, const struct sip_watch_handlers *h);
/* Ends all of them so that they may begin anew with another node (reason deactivated). */
void sip_core_unwatch(struct sip_core *core);
unsigned sip_core_watch_count(const struct sip_core *core);

/* The handlers' own pointer. */
void sip_watch_own(struct sip_watch *w, void *own);
void *sip_watch_owned(const struct sip_watch *w);
/* The state as a body of SIP_SUMMARY_TYPE; empty: it could not be found out. What is no news is not sent, and not more than one a second. */
void sip_watch_tell(struct sip_watch *w, struct text body);
/* What was watched is there no more (reason noresource). */
void sip_watch_end(struct sip_watch *w);

#endif

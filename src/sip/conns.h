/* SPDX-License-Identifier: Apache-2.0 */
/* conns.h  The table of stream connections (TCP, TLS): who opened one, under which identity, what the peer proved, and which requests of ours
 * it may carry.
 *
 *   - One that we opened: by (address, our identity as it is today, the peer's name as judged for this request).
 *   - One that the peer opened: when its Via said `alias` and its certificate is good for the request's target (RFC 5923), or the gateway says
 *     `reuse: any`; never with `reuse: never`.
 *   - Responses go back on the connection of their request, whatever these rules say.
 *
 * Counted (mem_ref); the table holds one reference while it is open. A user is told when it comes up and when it ends.  */
#ifndef SIP_CONNS_H
#define SIP_CONNS_H
#include "base/list.h"
#include "net/conn.h"
#include "net/tmr.h"
#include "sip/budget.h"
#include "sip/framing.h"
#include "sip/header.h"
#include "sip/path.h"
#include "sip/peer.h"
#include "sip/request.h"
#include "trust/facts.h"
#include "trust/tls_filter.h"

struct sip_core;

enum sip_conn_event { SIP_CONN_UP, SIP_CONN_DOWN };
struct sip_conn_user {
	struct link link; /* zero before use */
	void (*h)(struct sip_conn *c, enum sip_conn_event ev, void *arg);
	void *arg;
};

enum sip_conn_state { SIP_CONN_OPENING, SIP_CONN_OPEN, SIP_CONN_ENDED };
struct sip_conn {
	struct link link; /* of the core, while open */
	struct sip_core *core;
	struct conn *conn;
	enum net_transport transport;
	enum sip_conn_state state;
	uint64_t wire_id; /* for traces */
	bool tapped;      /* bytes came or went */
	struct net_addr peer;
	bool opened;    /* by us */
	bool exclusive; /* one request's own */
	bool at_peer;   /* ours, to a host of `owner` itself: not to one that a Contact or route named */
	bool proven;    /* SIP came over it */
	bool tls_spoken; /* a plain connection, and the other side speaks TLS */
	bool suspect;   /* ours, and a request over it got no answer: carries nothing new, ends when idle */
	bool closing;
	struct sip_seat seat; /* accepted ones */
	unsigned listener;
	uint16_t alias_port;      /* the peer's Via said alias: its port; 0: it did not */
	struct sip_peer *owner;   /* for whom we opened it, or as whom it was recognised; may be NULL */
	struct trust_policy *policy; /* opened by us: what judged the peer */
	char identity[SIP_PEER_NAME_SIZE]; /* opened by us: which was asked for */
	char shown[65];           /* ... and its fingerprint */
	struct sip_framer framer;
	struct list users;
	struct tmr idle, message, slow; /* slow runs: it is not read until it has read what waits for it */
	uint8_t first[8], n_first; /* what came first on a plain connection */
	int64_t began_ms, up_ms;
	struct conn_end end;
	struct trust_facts *facts; /* kept when it ended; NULL before, or without memory */
};

struct sip_conn_want {
	struct net_addr addr;
	enum net_transport transport;
	struct sip_peer *peer;
	struct trust_policy *policy; /* judges the other side */
	const char *sni;             /* dialled: name asked for; an IP literal sends none */
	const char *identity;        /* "" = default */
	enum sip_conn_choice choice;
	bool at_peer;                /* it goes to a host of `peer` itself */
};
void sip_conn_heed_queue(struct sip_conn *c); /* something came, and was answered: does too much wait for the peer? */
void sip_conn_drained(struct conn *conn, void *arg);
/* An open or opening one that may carry the request; NULL. Borrowed. */
struct sip_conn *sip_conn_find(struct sip_core *core, const struct sip_conn_want *want);
/* Dials. Borrowed result. errno for what fails at once. */
int sip_conn_open(struct sip_conn **cp, struct sip_core *core, const struct sip_conn_want *want);
/* From a listener; takes fd. */
void sip_conn_accept(struct sip_core *core, unsigned listener, int fd, const struct net_addr *peer);
void sip_conn_use(struct sip_conn *c, struct sip_conn_user *u, void (*h)(struct sip_conn *, enum sip_conn_event, void *), void *arg);
void sip_conn_unuse(struct sip_conn *c, struct sip_conn_user *u);
int sip_conn_send(struct sip_conn *c, const void *p, size_t n);
/* With goodbye. Users hear DOWN. */
void sip_conn_close(struct sip_conn *c);
/* All of the core, at once. */
void sip_conns_end(struct sip_core *core);
/* What is known now, or was when it ended. Only what the connection itself knows: no DNS, no SIP answer. */
void sip_conn_facts(struct sip_conn *c, struct trust_facts *f);
/* The same without a copy of their tens of kilobytes, borrowed until anything else happens to the connection; NULL: not over TLS, or not now. */
const struct trust_facts *sip_conn_known(struct sip_conn *c);
/* The top Via of a request that came over it. */
void sip_conn_saw_via(struct sip_conn *c, const struct sip_via *via);
void sip_conn_recognised(struct sip_conn *c, struct sip_peer *peer);
void sip_conn_proven(struct sip_conn *c);
void sip_conn_silent(struct sip_conn *c); /* no answer came over it in time */
const char *sip_conn_label(struct sip_conn *c);
void sip_conn_path(struct sip_conn *c, struct sip_path *path); /* takes a reference */

/* conns_wire.c, for conns.c: whoever traces hears it (struct sip_wire). */
void sip_conn_on_tap(const struct conn *conn, bool in, const uint8_t *data, size_t n, void *arg);
void sip_conn_tell_up(struct sip_conn *c);
void sip_conn_tell_end(const struct sip_conn *c);

#endif

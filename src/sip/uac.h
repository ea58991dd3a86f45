/* SPDX-License-Identifier: Apache-2.0 */
/* uac.h  One request of ours on its way: the next hop is resolved anew (RFC 3263), its addresses are tried in turn, a connection is found or dialled,
 * a client transaction sends it, and what happened is kept as facts. Used by request.h and by legs.
 *
 *   resolving -> (target: connecting -> sent)* -> answered | failed
 *
 * Counted; the core holds one reference until it is done. sip_uac_stop() ends the owner's interest at any time.       */
#ifndef SIP_UAC_H
#define SIP_UAC_H
#include "sip/core_private.h"
#include "sip/request.h"

struct sip_uac;

struct sip_hop {
	char host[SIP_HOST_SIZE];
	uint16_t port;
	enum net_transport transport; /* NET_ANY: as DNS says */
};

enum sip_uac_event {
	SIP_UAC_PROVISIONAL, /* res */
	SIP_UAC_FINAL,       /* res; of an INVITE each 2xx, repeated and forked ones too */
	SIP_UAC_SENT,        /* ACK only: it is out; last event */
	SIP_UAC_TIMEOUT,     /* no answer; last event */
	SIP_UAC_FAILED,      /* could not be sent, or the way broke before an answer; sip_uac_err(); last event */
};
typedef void (sip_uac_h)(struct sip_uac *u, enum sip_uac_event ev, const struct sip_msg *res, void *arg);
/* Writes the whole request: request line, Via from *via, ..., body. Called once an address. 0 or errno. */
typedef int (sip_uac_build_h)(struct buf *b, const struct sip_via_prm *via, const struct sip_self *self, void *arg);

struct sip_uac_prm {
	const char *method;
	struct sip_peer *peer;      /* may be NULL: a call's own peer is gone; then nothing is accepted by TLS */
	const struct sip_hop *hop;
	struct net_addr only;       /* set: this address, no DNS */
	enum net_transport only_by; /* ... and how, where the hop does not say */
	enum sip_conn_choice choice;
	const char *identity;       /* NULL: the peer's */
	enum trust_flow flow;
	int64_t timeout_ms;         /* for all of it; 0: only the transactions' own */
	bool new_dialog;            /* a 503 sends it to the next address */
	sip_uac_build_h *build;
	sip_uac_h *h;
	void *arg;
};
/* The caller owns one reference of *up. The handler never runs from within. */
int sip_uac_start(struct sip_uac **up, struct sip_core *core, const struct sip_uac_prm *prm);
/* The handler runs no more; the transaction goes on alone where the RFC wants it. Then give the reference back. NULL is allowed. Returns NULL. */
struct sip_uac *sip_uac_stop(struct sip_uac *u);
/* CANCEL of an INVITE that had a provisional answer. */
int sip_uac_cancel(struct sip_uac *u);
/* How often it was sent again because of a challenge: each time with a CSeq of its own. NULL is allowed. */
unsigned sip_uac_auth_tries(const struct sip_uac *u);
/* The header lines that answer it, for `build`; and for the ACK (RFC 3261 13.2.2.4). */
void sip_uac_put_auth(const struct sip_uac *u, struct buf *b);
/* Complete once final, timed out or failed; before: what is known. Borrowed; NULL without memory. */
const struct trust_facts *sip_uac_facts(struct sip_uac *u);
int sip_uac_err(const struct sip_uac *u);
bool sip_uac_sent(const struct sip_uac *u);
/* Which addresses, how many, by which connection. */
void sip_uac_fate(const struct sip_uac *u, struct sip_result *res);
const struct sip_path *sip_uac_path(const struct sip_uac *u);
void sip_uacs_end(struct sip_core *core);

#endif

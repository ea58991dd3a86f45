/* SPDX-License-Identifier: Apache-2.0 */
/* request.h  One request outside of a dialog (OPTIONS to probe, NOTIFY for a lamp) and all that can be known of its fate. The names are
 * resolved anew (RFC 3263), targets are tried in turn, and the result carries the whole story as `struct trust_facts`: what DNS said,
 * how connecting went, what TLS told and when, what SIP answered, how the connection ended. Loop thread only.          */
#ifndef SIP_REQUEST_H
#define SIP_REQUEST_H
#include "sip/peer.h"
#include "trust/facts.h"

struct sip_core;
struct sip_request;

enum sip_conn_choice {
	SIP_CONN_REUSE,     /* as RFC 5923 and the peer's `reuse` allow; else a new one */
	SIP_CONN_FRESH,     /* a new one for this request; it is closed afterwards and nobody else uses it */
	SIP_CONN_PEERS_OWN, /* only one that the peer opened, whatever `reuse` says: a second probe. None there: FAILED, ENOTCONN */
};

struct sip_request_prm {
	const char *method;
	const char *user, *host;      /* Request-URI and To; NULL: no user, the peer's host */
	const char *from_user;        /* NULL: none */
	const char *const *headers;   /* complete lines without CRLF ("Event: message-summary"), ended by NULL; may be NULL */
	const char *content_type;     /* NULL: no body */
	const void *body;
	size_t body_n;
	int64_t timeout_ms;           /* for all of it; 0: 64 * T1 */
	enum sip_conn_choice choice;
	const char *identity;         /* NULL: the peer's */
	struct net_addr only;         /* set: this address, no DNS (one member of a pool) */
	enum net_transport only_by;   /* ... and how, for a peer whose transport DNS says */
	enum trust_flow flow;
	const char *session;          /* NULL: a new one */
};

enum sip_outcome {
	SIP_ANSWERED, /* status says what */
	SIP_TIMEOUT,  /* sent, but no answer in time */
	SIP_FAILED,   /* never sent, or the connection ended before an answer: facts say why */
};
const char *sip_outcome_name(enum sip_outcome o);

/* Borrowed for the call. */
struct sip_result {
	enum sip_outcome outcome;
	int status;         /* SIP_ANSWERED */
	const char *reason; /* phrase of the answer, or "" */
	int err;            /* SIP_FAILED: errno */
	int64_t took_ms;
	struct net_addr addr; /* the last address tried; unset: none */
	unsigned tried;       /* how many addresses */
	bool reused;          /* went over a connection that was there before */
	bool peers_own;       /* ... and that the peer had opened */
	const struct trust_facts *facts;
	const char *session;
};
typedef void (sip_result_h)(const struct sip_result *res, void *arg);

/* The handler comes once, later, never from within the call, unless cancelled. *rp (may be NULL) is void once the handler ran. prm is copied.
 * 0; EINVAL; ENOMEM; EAGAIN (too many at once): then no handler. */
int sip_request_send(struct sip_request **rp, struct sip_core *core, struct sip_peer *peer, const struct sip_request_prm *prm, sip_result_h *h, void *arg);
void sip_request_cancel(struct sip_request *r);

#endif

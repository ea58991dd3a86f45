/* SPDX-License-Identifier: Apache-2.0 */
/* look.h  Dials somebody once, as a live connection would (the same filter, the same rule, our certificate shown), writes down the certificate that he
 * shows and how the handshake went, and hangs up without a word. For the matrix: what he shows may be judged even where he is refused.
 * Loop thread.                                                                                                              */
#ifndef CERT_LOOK_H
#define CERT_LOOK_H
#include <jansson.h>
#include "net/dns.h"
#include "net/pool.h"
#include "sip/peer.h"
#include "trust/explain.h"
#include "trust/identity.h"

struct cert_look;

struct cert_look_prm {
	struct loop *loop;
	struct dns *dns;     /* NULL: addresses only */
	struct pool *crypto; /* NULL: on the loop */
	const struct um_clock *clock;
	struct trust_set *set;
	struct sip_peer *peer; /* host, port, transport (NET_ANY: as DNS says), name asked for, rule, and which identity it is shown; without that one no certificate is */
};
/* Borrowed for the call. */
struct cert_look_result {
	STACK_OF(X509) *chain;    /* as it came, leaf first; NULL: none was shown */
	bool accepted;            /* both sides finished the handshake, and nobody objected for a while after it */
	const char *shown_cn;     /* of ours; "" none */
	const struct trust_verdict *verdict; /* unless accepted: who refused whom; NULL with `plain` */
	const char *plain;        /* not NULL: DNS leads to this transport, so nobody was dialled ... */
	const char *by;           /* ... and which records said so, or led to TLS; "" none */
};
typedef void (cert_look_h)(const struct cert_look_result *res, void *arg);

/* The handler comes once, later, unless cancelled. ENOMEM, EINVAL. */
int cert_look_start(struct cert_look **lp, const struct cert_look_prm *prm, cert_look_h *h, void *arg);
void cert_look_cancel(struct cert_look *l);

/* For a node of which only the name is known: it must hold it. */
int cert_look_peer(struct sip_peer **pp, const char *host, uint16_t port);
/* {"seen", "pem", "from", "accepted", "verdict", "sentence", "advice"}; NULL without memory. */
json_t *cert_look_json(const struct cert_look_result *res, const struct sip_peer *peer);

#endif

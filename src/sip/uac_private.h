/* SPDX-License-Identifier: Apache-2.0 */
/* uac_private.h  A request on its way, as uac.c and uac_facts.c share it. */
#ifndef SIP_UAC_PRIVATE_H
#define SIP_UAC_PRIVATE_H
#include "sip/conns.h"
#include "sip/uac.h"

enum uac_state { UAC_RESOLVING, UAC_TRYING, UAC_DONE };

struct sip_uac {
	struct link link;
	struct sip_core *core;
	enum uac_state state;
	struct sip_peer *peer;
	struct trust_policy *policy; /* of the next hop */
	struct sip_hop hop;
	enum net_transport transport; /* of this try: the hop's, or TCP for what is too large for a datagram */
	size_t large;                 /* bytes, where that is so */
	int tcp_err;                  /* ... and why it went by UDP after all; 0: it did not */
	enum sip_conn_choice choice;
	enum trust_flow flow;
	char method[24];
	char identity[SIP_PEER_NAME_SIZE];
	char branch[SIP_BRANCH_SIZE];
	bool invite, ack, new_dialog, sent, received, answered, reused, peers_own, again, no_dns, built_wrong;
	bool at_peer; /* the hop is a host of the peer itself */
	sip_uac_build_h *build;
	sip_uac_h *h;
	void *arg;
	struct dns_resolve *resolve;
	struct dns_targets *targets;
	unsigned at, tried;
	struct net_addr addr;
	struct sip_path path;
	struct sip_conn *conn, *last_conn; /* in use; the one before */
	struct sip_conn_user use;
	struct sip_ctx *ctx;
	struct tmr deadline, attempt, kick;
	int64_t sent_ms;
	int err, start_err, connect_err;
	struct trust_facts *facts;
	struct uac_login {
		struct buf line; /* the header line; empty: none */
		uint32_t count;  /* of its nonce */
		bool ahead;      /* said without being asked */
		bool stale;      /* told once that its nonce had grown so */
	} login, proxy_login;
	unsigned auth_tries;
};

/* A challenge that we can answer: the header line is made; the request is to go out again. */
bool uac_auth_answer(struct sip_uac *u, const struct sip_msg *res);
/* The request as written, before it goes out: what the gateway was content with a moment ago is said at once. True: lines were made, it is to be
 * written anew. */
bool uac_auth_ahead(struct sip_uac *u, struct text request);
/* The first final answer that is no challenge: what of it is kept for the next request. */
void uac_auth_done(struct sip_uac *u, const struct sip_msg *res);
/* uac_large.c: this message of n bytes is to go by TCP though its hop is UDP (RFC 3261 18.1.1); u->transport says so from now on. */
bool uac_goes_by_tcp(struct sip_uac *u, size_t n);
/* Its connection never came up: then it goes by UDP after all, which u->transport says; the reason is kept and told. False: it was no such connection. */
bool uac_goes_by_udp(struct sip_uac *u, int err);
/* Where the other side finds us for the next requests: as the hop says, whatever way this message takes. */
void uac_self(struct sip_uac *u, const struct sip_self *way, struct sip_self *self);
/* Writes u->facts anew from all that is known at this event. */
void uac_facts_collect(struct sip_uac *u, enum sip_uac_event ev);

#endif

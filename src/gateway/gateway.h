/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.h  The SIP peers of this node: who they are, whether they answer, and what works with each of them.
 *
 * The table is made from the configuration and follows its changes. Each gateway is one `struct sip_peer` for the SIP core, and as many
 * members as DNS names for it; each member is asked OPTIONS again and again. What works and what does not is kept a flow: calls in,
 * OPTIONS, transfer, lamp. Half that works must not hide the half that fails, so nothing here is summed up into one light.
 * A failed probe never refuses calls in. Loop thread only; handlers come later, never from within the call.                */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H
#include "config/cfg.h"
#include "event/bus.h"
#include "event/metrics.h"
#include "gateway/health.h"
#include "gateway/story.h"
#include "net/dns.h"
#include "sip/core.h"
#include "sip/request.h"
#include "trust/explain.h"
#include "trust/identity.h"

struct gw_table;
struct gateway;
struct media_engine;

/* Who sends, and who asks DNS: the SIP core and the resolver, or something a test can turn. */
struct gw_hooks {
	int (*send)(struct sip_request **rp, struct sip_core *core, struct sip_peer *peer, const struct sip_request_prm *prm, sip_result_h *h, void *arg);
	void (*cancel)(struct sip_request *r);
	int (*resolve)(struct dns *dns, struct dns_resolve **rp, struct text host, uint16_t port, enum net_transport transport, dns_targets_h *h, void *arg);
	void (*resolve_cancel)(struct dns_resolve *r);
};

struct gw_prm {
	struct loop *loop;
	const struct um_clock *clock;
	struct ev_bus *bus;           /* may be NULL */
	struct metrics *metrics;      /* may be NULL */
	struct dns *dns;
	struct trust_keeper *trust;   /* which identities there are, for the second probe; NULL: only the peer's own connection */
	struct media_engine *media;   /* for the call of a live check; NULL: that part is not tried */
	const char *node, *fqdn;
	const struct gw_hooks *hooks; /* NULL: the real ones */
};

/* ---- the table ---- */
int gw_table_create(struct gw_table **tp, const struct gw_prm *prm);
void gw_table_destroy(struct gw_table *t); /* requests under way are cancelled; NULL is allowed */
/* Takes the gateways of this configuration; those that did not change go on undisturbed. ENOMEM: nothing has changed. */
int gw_table_apply(struct gw_table *t, const struct cfg *cfg);
/* The same in two steps, for who has more to prepare before anything may change: all that can fail, then what cannot. On the loop, the table
 * unchanged in between. A change that was prepared is used or dropped (NULL is allowed), once. */
struct gw_change;
int gw_table_prepare(struct gw_table *t, const struct cfg *cfg, struct gw_change **change);
void gw_table_use(struct gw_table *t, struct gw_change *change);
void gw_change_drop(struct gw_change *change);
/* The core to send by; probing starts. The table's handlers below are the core's already at its creation. */
void gw_table_start(struct gw_table *t, struct sip_core *core);
/* Identities or anchors were swapped: all members are asked anew, on fresh connections. */
void gw_table_trust_changed(struct gw_table *t);
/* No more probes, no more questions to DNS (on the way out). Who the gateways are stays known: their new calls are told to go elsewhere, and those
 * that go on may need them. */
void gw_table_stop(struct gw_table *t);

/* Whose certificates our listeners accept: one rule a gateway, labelled with its name. Borrowed until the next gw_table_apply(). */
struct trust_policy *gw_table_policy(const struct gw_table *t);
/* Versions and suites that listeners must offer so that every gateway may connect as its settings allow: the widest of them. */
void gw_table_accept_tls(const struct gw_table *t, struct tls_limits *limits);

/* For sip_core_prm: who is this (sip_peer_lookup_h), and what is known of a flow (sip_flow_h). arg is the table. */
bool gw_is_known(struct gw_table *t, const struct net_addr *addr); /* an address of some gateway, whatever it may then do */
int gw_identify(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg);
void gw_flow(struct sip_peer *peer, const struct trust_facts *facts, bool works, void *arg);
bool gw_flow_again(struct sip_peer *peer, void *arg); /* sip_flow_again_h */

/* What fails and failed, see story.h. */
struct gw_stories *gw_table_stories(const struct gw_table *t);

unsigned gw_count(const struct gw_table *t);
struct gateway *gw_at(struct gw_table *t, unsigned i);
struct gateway *gw_find(struct gw_table *t, const char *name); /* NULL if there is none */

/* ---- one gateway ---- */
const char *gw_name(const struct gateway *g);
const struct cfg_gateway *gw_cfg(const struct gateway *g);
/* Its peer, to send or call by: borrowed; take a reference to keep it. */
struct sip_peer *gw_peer(const struct gateway *g);
/* How it is dialled: as its setting says, or as DNS said of its members (`transport: auto`): NET_TLS as soon as one of them has it; NET_ANY: DNS was not asked
 * yet, or did not answer. */
enum net_transport gw_transport(const struct gateway *g);
/* Whether it may be shown a certificate, as far as is known: not once DNS said that it speaks another transport. */
bool gw_may_speak_tls(const struct gateway *g);
const char *gw_decided_by(const struct gateway *g); /* the records that said where it is: "NAPTR a.test, SRV _sips._tcp.a.test"; "" none */
/* The same of a configuration, without a table: a new one. */
int gw_make_peer(struct sip_peer **pp, const struct cfg_gateway *conf);
/* Up if a member is, down if all are. */
enum gw_state gw_state(const struct gateway *g);
bool gw_calls_in(const struct gateway *g); /* may it bring calls */

/* ---- flows ---- */
enum gw_works { GW_NOT_TRIED, GW_WORKS, GW_REFUSED };
const char *gw_works_name(enum gw_works w); /* "not tried", "works", "refused" */
enum gw_flow_kind { GW_CALLS_IN, GW_OPTIONS, GW_TRANSFER, GW_LAMP, GW_FLOWS };
const char *gw_flow_name(enum gw_flow_kind f); /* "calls-in", "options", "transfer", "lamp" */

struct gw_flow_state {
	enum gw_works works;
	int64_t at_us;                 /* wall clock of the last try; 0: never */
	int64_t worked_us, failed_us;  /* the last of each; 0: never */
	uint64_t good, bad;
	struct trust_verdict verdict;  /* of the last try that counted */
	struct trust_facts facts;
	char story[ID_SIZE];           /* of its last failure; "": none */
};
const struct gw_flow_state *gw_flow_state(const struct gateway *g, enum gw_flow_kind f);
/* The flow to explain first: OPTIONS, transfer, lamp, calls in, the first that is refused; OPTIONS if none is. */
enum gw_flow_kind gw_worst_flow(const struct gateway *g);

/* ---- members ---- */
struct gw_member_info {
	struct net_addr addr;   /* unset: DNS gave none */
	const char *host;       /* the name that gave it */
	enum gw_state state;
	int64_t since_ms;       /* monotonic */
	int64_t probed_us;      /* wall clock of the last answer or failure; 0: never */
	int64_t took_ms;        /* of the last answer */
	int status;             /* of the last answer, 0: none */
	unsigned misses;
	uint64_t failed;        /* since it went down */
	const struct trust_verdict *verdict; /* of the last probe; NULL before it */
	const struct trust_facts *facts;
};
unsigned gw_members(const struct gateway *g);
void gw_member(const struct gateway *g, unsigned i, struct gw_member_info *info);

/* Asks all members now; the handler when every one has its verdict (the second probe included). EBUSY: a probe by hand is under way.
 * If the gateway goes away meanwhile, the handler comes with NULL. */
typedef void (gw_probed_h)(struct gateway *g, void *arg);
int gw_probe(struct gateway *g, gw_probed_h *h, void *arg);

/* One OPTIONS on a fresh connection showing another identity of ours; counts for nothing but its handler, which comes once, later. */
typedef void (gw_tried_h)(bool answered, const struct trust_facts *facts, void *arg);
int gw_try_identity(struct gateway *g, const char *identity, gw_tried_h *h, void *arg);

/* ---- lamps ---- */
struct gw_lamp {
	const char *account;  /* "sip:201@domain" */
	const void *body;     /* application/simple-message-summary */
	size_t body_n;
	const char *session;  /* NULL: a new one */
};
enum gw_sent { GW_SENT_DONE, GW_SENT_LATER, GW_SENT_NEVER };
struct gw_lamp_result {
	enum gw_sent sent;
	int status; /* 0: no SIP answer */
	const struct trust_verdict *verdict; /* borrowed for the call */
};
typedef void (gw_lamp_h)(const struct gw_lamp_result *res, void *arg);
/* The handler comes once, also when the table is destroyed meanwhile (LATER). EINVAL: not an account. ENOMEM, EAGAIN: no handler. */
int gw_lamp_send(struct gateway *g, const struct gw_lamp *lamp, gw_lamp_h *h, void *arg);

/* ---- a live check: really tries what can be tried (live.c) ---- */
enum gw_live_step { GW_LIVE_OPTIONS, GW_LIVE_LAMP, GW_LIVE_TRANSFER, GW_LIVE_CALLS_IN, GW_LIVE_STEPS };
struct gw_live_result {
	enum gw_live_step step;
	enum gw_works works;
	char words[512];                     /* what happened, in a sentence */
	const struct trust_verdict *verdict; /* NULL: none; borrowed for the call */
};
/* Once a step, then with step == GW_LIVE_STEPS at the end (works: whether all that was tried works). */
typedef void (gw_live_h)(const struct gw_live_result *res, void *arg);
struct gw_live;
int gw_check_live(struct gw_live **lp, struct gateway *g, gw_live_h *h, void *arg);
void gw_live_cancel(struct gw_live *l); /* before the end only: the handler comes no more */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_private.h  What the files of this folder share: the table, a gateway, a member. */
#ifndef GATEWAY_PRIVATE_H
#define GATEWAY_PRIVATE_H
#include "base/list.h"
#include "gateway/gateway.h"
#include "gateway/story.h"
#include "net/tmr.h"

enum { GW_FRESH_EVERY = 10, GW_START_GAP_MS = 50, GW_DNS_RETRY_MS = 15000, GW_TTL_MIN_S = 5, GW_TTL_MAX_S = 3600, GW_SWEEP_MS = 5000 };

struct gw_member;

/* A probe and its second probe, from the first byte to the verdict. */
struct gw_probe {
	struct sip_request *first;
	struct sip_request *second[3]; /* by another identity; over the peer's own connection; without TLS */
	bool by_hand;
	struct trust_facts facts; /* of the first; `second` is filled when the others are back */
	int status;
	int64_t took_ms;
	unsigned waiting; /* second probes under way */
	char other_identity[TRUST_LABEL_SIZE], other_cn[TRUST_NAME_SIZE];
};

/* One address of a gateway. */
struct gw_member {
	struct link link;
	struct gateway *gw;
	struct net_addr addr; /* unset: stands for "no address known"; the core then asks DNS itself and its facts say why there is none */
	char host[SIP_HOST_SIZE];
	enum net_transport transport; /* as DNS said, where the gateway is `auto`; else the gateway's */
	bool seen;            /* in the DNS answer that is being worked in */
	struct tmr next;
	struct gw_health health;
	struct gw_probe *probe; /* under way */
	unsigned turn;        /* how many probes so far */
	int64_t hint_ms;      /* monotonic: when it was asked out of turn last; 0: never */
	bool want_fresh;
	int64_t probed_us, took_ms;
	int status;
	bool judged;          /* facts and verdict below count */
	struct trust_facts facts;
	struct trust_verdict verdict;
	struct metric *up;
};

/* What the other nodes were told of a flow last, see shared.c. */
struct gw_told {
	enum gw_works works;
	enum gw_state state;
	int64_t at_us;
	char verdict[48];
};

struct gateway {
	struct link link;
	struct gw_table *table;
	struct cfg *cfg;                 /* a reference: keeps `conf` alive */
	const struct cfg_gateway *conf;
	struct sip_peer *peer;
	struct list members;
	struct dns_resolve *resolve;
	struct tmr dns_tmr;
	bool dns_failed; /* said already */
	char by[DNS_BY_SIZE]; /* which records said where it is; "" none, or not asked yet */
	bool seen;       /* in the configuration that is being worked in */
	struct gw_flow_state flow[GW_FLOWS];
	struct gw_told told[GW_FLOWS];
	gw_probed_h *probed;             /* of gw_probe() */
	void *probed_arg;
	struct metric *works[GW_FLOWS];
	struct gw_live *live;            /* a live check under way */
	unsigned mute;                   /* connections of its that carried nothing, since it was heard last by a new one */
	int64_t mute_ms, mute_since_ms;  /* monotonic: the last of them, the first of them */
};

struct gw_table {
	struct gw_prm prm;
	char node[TRUST_LABEL_SIZE], fqdn[TRUST_NAME_SIZE];
	struct gw_hooks hooks;
	struct sip_core *core; /* NULL before gw_table_start() */
	struct cfg *cfg;
	struct list gateways;
	struct trust_policy *policy; /* one rule a gateway that speaks TLS, labelled with its name */
	struct list lamps;
	struct gw_stories *stories;
	struct tmr sweep;
	int64_t lost_told_ms;
	bool stopped;
};

/* peer.c: the policy that knows all gateways, and the other nodes, by their certificates. */
int gw_make_policy(struct trust_policy **pp, const struct cfg *cfg);
bool gw_same_settings(const struct cfg_gateway *a, const struct cfg_gateway *b);

/* member.c: from names to members. */
void gw_resolve(struct gateway *g);
void gw_resolve_stop(struct gateway *g);
void gw_members_drop(struct gateway *g);

/* probe.c */
void gw_member_start(struct gw_member *m, int64_t in_ms);
void gw_member_stop(struct gw_member *m);
int gw_member_probe(struct gw_member *m, bool by_hand);
/* Something looks wrong from outside: the member with that address (unset: all) is asked on a new connection now, at most once a minute. */
void gw_probe_hint(struct gateway *g, const struct net_addr *host);

/* second.c: pure. Whether a silence or close should be looked at in another way; and by which identity (false: there is none that differs);
 * `f` tells the time, our name, and what the peer knows us by. */
bool gw_second_wanted(const struct trust_facts *f);
/* Whether a port that says nothing to TLS should be asked in plain SIP. */
bool gw_plain_wanted(const struct trust_facts *f);
/* Whether a port that says nothing to plain SIP should be asked in TLS. */
bool gw_tls_wanted(const struct trust_facts *f);
bool gw_second_identity(const struct trust_set *set, const char *shown, const struct trust_facts *f, const char **name, const char **cn);
/* Outcome of a second probe, as the facts want it. */
enum trust_second_outcome gw_second_outcome(const struct sip_result *res);
/* Whether `b` says more than what stands in the facts already. */
bool gw_second_better(const struct trust_second *now, enum trust_second_outcome o);

/* flow.c */
/* The verdict of a flow. When OPTIONS ended in the same way a short time ago and was asked once more in another way, what that told counts here
 * too: `full` (may be NULL) gets the facts with it. */
void gw_judge(const struct gateway *g, const struct trust_facts *facts, struct trust_facts *full, struct trust_verdict *v);
void gw_flow_set(struct gateway *g, enum gw_flow_kind f, bool works, const struct trust_facts *facts, const struct trust_verdict *verdict);

/* tell.c: from failures and successes to stories, and what is to be said of them. */
/* A failure with a bad verdict; `g` NULL: of a stranger. Says 1113 for TLS that came in and for flows that have no event of their own. */
void gw_tell_failed(struct gw_table *t, const struct gateway *g, const struct trust_facts *f, const struct trust_verdict *v, struct gw_story_told *told);
/* The short way for who comes in again and again, see gw_story_again(). */
bool gw_tell_again(struct gw_table *t, const struct gateway *g, const struct net_addr *from, enum trust_verdict_id id, const char *identity);
/* A request of ours was answered as expected. */
void gw_tell_works(const struct gateway *g, const struct trust_facts *f);
/* A request came in, from that gateway, by a connection that began then (monotonic; 0: a datagram). */
void gw_tell_heard(struct gateway *g, const struct net_addr *from, int64_t began_ms);
void gw_tell_start(struct gw_table *t);

/* identify.c: whether that gateway calls from there. */
bool gw_comes_from(const struct gateway *g, const struct net_addr *a);

/* lamp.c */
void gw_lamps_cancel(struct gw_table *t, const struct gateway *only);

/* live.c: the gateway goes away. */
void gw_live_abort(struct gw_live *l);

/* report.c: the events of this folder. */
void gw_say_health(struct gw_member *m, enum gw_say say, const struct trust_facts *facts, const struct trust_verdict *v, int status);
void gw_say_shared_address(struct gw_table *t, const struct gateway *a, const struct gateway *b, const struct net_addr *addr);
void gw_say_dns(struct gateway *g, const struct dns_targets *res);
/* Everything that was seen, at the level expert: names compared, certificates, alerts, the form of the close. */
void gw_say_facts(struct gateway *g, enum gw_flow_kind f, const struct trust_facts *facts);
void gw_say_mute(struct gateway *g, const struct trust_facts *f);
void gw_say_flow(struct gateway *g, enum gw_flow_kind f, const struct gw_flow_state *s);
void gw_say_incoming(struct gw_table *t, const struct gw_story *st, const struct trust_facts *f, const struct trust_verdict *v);
void gw_say_story(struct gw_table *t, const struct gw_story *st, const struct trust_verdict *v);
void gw_say_story_over(struct gw_table *t, const struct gw_story *st);
void gw_say_stories_full(struct gw_table *t);

#endif

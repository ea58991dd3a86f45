/* SPDX-License-Identifier: Apache-2.0 */
/* core.h  The SIP endpoint of this process: listeners, connections, transactions, dialogs. Never a proxy. Everything runs on the loop's
 * thread; only handshakes go to the crypto pool. What lies above speaks to it by peer.h, leg.h and request.h, and is asked three
 * questions through handlers: who is this, do you want this call, are you ready.                                       */
#ifndef SIP_CORE_H
#define SIP_CORE_H
#include "base/clock.h"
#include "event/bus.h"
#include "event/metrics.h"
#include "net/dns.h"
#include "net/loop.h"
#include "net/pool.h"
#include "sip/budget.h"
#include "sip/leg.h"
#include "sip/peer.h"
#include "trust/facts.h"
#include "trust/identity.h"

struct conn_end;
struct sip_core;

enum { SIP_NO_SESSION_TIMER = 1 };
/* RFC 3261 table 4, in ms; 0 takes the RFC's value. Tests and slow or fast sites change them. */
struct sip_timers {
	unsigned t1, t2, t4;      /* 500, 4000, 5000 */
	unsigned tb;              /* INVITE unanswered: 64*T1. (Also F, H, J, L, M unless named) */
	unsigned tc;              /* ringing at most: 180 s */
	unsigned td;              /* wait for repeated final answers: 32 s */
	unsigned connect_ms;      /* TCP connect, a target: 4 s */
	unsigned handshake_ms;    /* TLS, a target: 10 s */
	unsigned message_ms;      /* from a message's first byte to its last: 20 s */
	unsigned idle_ms;         /* a connection without use is closed after: 15 min */
	unsigned receipt_ms;      /* LEG_ENDING to leg_confirm(): 6 s */
	unsigned transfer_ms;     /* REFER to its last NOTIFY: 60 s */
	unsigned refer_ms;        /* a REFER unanswered: 20*T1. Less than the RFC's 64*T1, because a caller waits */
	unsigned rtp_timeout_ms;  /* MEDIA_RTP_TIMEOUT after that much silence on the wire: 30 s */
	unsigned session_s;       /* a call is refreshed within (RFC 4028): 1800; SIP_NO_SESSION_TIMER: we ask for none, and answer those of the peer */
	unsigned min_session_s;   /* shorter ones are refused with 422: 90 */
	unsigned first_notify_ms; /* REFER accepted, but no NOTIFY at all: 64*T1 */
};

/* 0 takes the default. (A message's head is at most 64 KiB, its body 256 KiB: message.h.) */
struct sip_limits {
	unsigned conns, conns_per_source;  /* accepted ones, in all and from one stranger: 4096, 256 */
	unsigned conns_per_gateway;        /* ... from one address of a gateway: 1024 */
	unsigned handshakes;               /* at once, of strangers: 256 */
	unsigned stranger_handshakes;      /* a second, from one of them: 20 */
	unsigned stranger_messages, strangers_messages; /* a second, from one of them and from all: 100, 2000 */
	unsigned calls;                    /* new ones a second from one address of a gateway: 2000 */
	size_t stranger_bytes;             /* that wait for the rest of their message, from all strangers: 32 MiB */
	unsigned transactions;             /* 65536 */
	unsigned legs, legs_per_source;    /* 2000, 1000 */
	unsigned watches;                  /* subscriptions of peers (watch.h): 10000 */
	unsigned requests;                 /* sip_request_send() at once: 1024 */
	bool busy_when_full;               /* 486 for calls beyond legs, not 503 */
	unsigned retry_after_s;            /* told with a 503 of overload: 10 */
};

enum { SIP_LISTENERS = 16 };
struct sip_listen {
	enum net_transport transport;
	struct net_addr addr;          /* port 0: any; sip_core_local() tells */
	char identity[SIP_PEER_NAME_SIZE]; /* TLS: shown to peers that ask for no name we know; "" = the default one */
};

/* Where a message or connection comes from, to recognise a peer. */
struct sip_source {
	struct net_addr addr;
	enum net_transport transport;
	unsigned listener;                /* index in the list; UINT_MAX: a connection that we opened */
	const char *label;                /* TLS: of the rule that accepted the certificate; "" otherwise */
	const struct trust_facts *facts;  /* TLS: the certificate shown and how it was judged; else NULL */
	int64_t began_ms;                 /* monotonic: when its connection came up; 0: a datagram */
};
/* Which peer this is: a reference in *peer, or ENOENT: nobody we know, and `why` says in words what was looked for. */
typedef int (sip_peer_lookup_h)(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg);
/* A new call, see leg.h. */
typedef void (leg_offered_h)(struct leg *leg, void *arg);
struct sip_readiness {
	bool ready;
	char reason[160];       /* not ready: in words */
	char elsewhere[300];    /* ... and where a new call may go instead: "host:port;transport=tls"; it gets 302 then. "": nowhere, 503 */
	bool avoid;             /* ready, but OPTIONS are answered 503 with that reason */
	unsigned retry_after_s;
};
/* Asked by OPTIONS (200 or 503), and before each new call (503 when not ready). `peer` may be NULL for OPTIONS. */
typedef void (sip_ready_h)(const struct sip_peer *peer, struct sip_readiness *r, void *arg);
/* Something is known of a flow with a peer (calls in, a transfer, a call out): for the gateway's table of what works. peer is NULL when an incoming
 * connection failed before it was known whose it was. facts are complete. */
typedef void (sip_flow_h)(struct sip_peer *peer, const struct trust_facts *facts, bool works, void *arg);
/* One more call came in from the peer by the very way that was told as working not a second ago: it is counted. False: the last that is known there is a failure,
 * so the whole is to be told. */
typedef bool (sip_flow_again_h)(struct sip_peer *peer, void *arg);
/* Every message in and out, as bytes. Borrowed for the call. */
struct sip_trace {
	bool in;
	enum net_transport transport;
	struct net_addr local, peer;
	int64_t real_us;
	const uint8_t *data;
	size_t n;
	const char *session; /* "" while unknown */
	const char *gateway; /* name of the peer, "" if it is nobody we know */
	uint64_t conn;       /* number of its connection, as in sip_wire; 0: a datagram */
};
typedef void (sip_trace_h)(const struct sip_trace *t, void *arg);

/* What happens on stream sockets, below TLS. Borrowed for the call. */
struct sip_wire_conn {
	uint64_t id; /* of a connection, never used again */
	enum net_transport transport;
	bool opened; /* by us */
	bool first;  /* bytes(): the first of this connection */
	const struct net_addr *local, *peer;
	const char *gateway; /* as in sip_trace */
};
struct sip_wire {
	void (*bytes)(const struct sip_wire_conn *c, bool in, const uint8_t *data, size_t n, void *arg);
	void (*up)(const struct sip_wire_conn *c, const struct trust_facts *facts, void *arg); /* TCP: connected; TLS: the handshake is done */
	void (*ended)(const struct sip_wire_conn *c, const struct conn_end *end, const struct trust_facts *facts, void *arg); /* facts may be NULL */
	/* A name that a request of ours needed was looked up: what was asked, and what came. May be NULL. */
	void (*looked_up)(const char *gateway, const struct dns_targets *t, void *arg);
	tls_keylog_h *keylog; /* of handshakes that begin while it is set; any thread. NULL: keys are not told */
	void *arg;            /* lives as long as the core and its pools */
};

struct sip_core_prm {
	struct loop *loop;
	const struct um_clock *clock;
	struct dns *dns;             /* NULL: IP literals only */
	struct pool *crypto;         /* handshakes; NULL: on the loop (tests) */
	struct ev_bus *bus;          /* may be NULL */
	struct metrics *metrics;     /* may be NULL */
	struct trust_keeper *trust;  /* asked at each new connection; NULL: no TLS */
	struct trust_policy *accept; /* whose certificates listeners accept: a rule a gateway, its label the gateway's name. A reference is
	                              * taken; NULL: nobody's */
	struct tls_limits accept_tls; /* versions and suites of listeners */
	struct sip_listen listen[SIP_LISTENERS];
	unsigned n_listen;
	char fqdn[SIP_HOST_SIZE];    /* in Via and Contact over TLS, where a name is judged; "": the local address. Over UDP and TCP always the
	                              * address that the other side reached or is reached from: phones need no DNS for it */
	char service[SIP_HOST_SIZE]; /* the name that several nodes share; for facts; may be "" */
	char node[SIP_PEER_NAME_SIZE];
	struct sip_timers timers;
	struct sip_limits limits;
	sip_peer_lookup_h *lookup;
	sip_known_h *known;   /* whose budgets are a gateway's; NULL: everybody's */
	leg_offered_h *offered;
	sip_ready_h *ready;   /* NULL: always ready */
	sip_flow_h *flow;     /* may be NULL */
	sip_flow_again_h *flow_again; /* NULL: the whole is told of each call */
	void *arg;            /* for the six above */
};

/* Binds all listeners, or none: EADDRINUSE, EADDRNOTAVAIL, EACCES with `why` naming the address. */
int sip_core_create(struct sip_core **cp, const struct sip_core_prm *prm, struct ev_report *why);
/* No new calls or requests are taken (503), those that live go on. */
void sip_core_drain(struct sip_core *core);
/* Ends all that still lives: legs get LEG_OVER, requests their handlers, connections a goodbye; then frees. Legs still referenced stay valid
 * objects, but are over. NULL is allowed. */
void sip_core_destroy(struct sip_core *core);
/* Another policy and other limits for connections accepted from now on (a reference is taken). New identities and anchors come through the
 * keeper by themselves: living connections keep theirs, but one of ours that showed an identity which is no longer the same carries
 * no new request and ends when idle. */
void sip_core_accept(struct sip_core *core, struct trust_policy *accept, const struct tls_limits *limits);
/* The bound address of listener i. */
const struct net_addr *sip_core_local(const struct sip_core *core, unsigned i);
unsigned sip_core_legs(const struct sip_core *core); /* how many live */
typedef void (sip_leg_each_h)(struct leg *leg, void *arg); /* may end the leg it is given */
void sip_core_each_leg(struct sip_core *core, sip_leg_each_h *each, void *arg);
struct leg *sip_core_leg(struct sip_core *core, const char *session); /* borrowed; NULL if none */
/* Stream connections that are open, and what they show. Borrowed for the call. */
struct sip_conn_info {
	enum net_transport transport;
	struct net_addr peer;
	bool opened;          /* by us */
	const char *owner;    /* the gateway's name; "" while it is not known */
	const char *identity, *sha256; /* ours, shown on it; "" without TLS */
	const char *peer_name; /* that its certificate proved; "" without */
	int64_t age_ms;
};
typedef void (sip_conn_each_h)(const struct sip_conn_info *info, void *arg);
void sip_core_each_conn(struct sip_core *core, sip_conn_each_h *each, void *arg);
/* One at a time; NULL takes it off. */
void sip_core_tracer(struct sip_core *core, sip_trace_h *h, void *arg);

/* One at a time, copied; NULL takes it off. */
void sip_core_wire(struct sip_core *core, const struct sip_wire *wire);
/* For struct sip_wire: a name of that gateway ("": of somebody else) was looked up. The core tells of its own look-ups; others of theirs. */
void sip_core_looked_up(struct sip_core *core, const char *gateway, const struct dns_targets *t);

/* For tests and status: connections open, and how many were ever opened and accepted. */
struct sip_core_stats {
	unsigned conns, transactions, legs, requests;
	uint64_t opened, accepted;
	uint64_t invites, refused, malformed, stray, retransmissions;
};
void sip_core_stats(const struct sip_core *core, struct sip_core_stats *s);

#endif

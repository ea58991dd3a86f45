/* SPDX-License-Identifier: Apache-2.0 */
/* dns.h  Names to addresses: c-ares asks, our own bounded parser reads the answers, TTLs are respected (also of negative answers, RFC 2308),
 * and every outcome keeps what an administrator needs: which name, which type, which server, what it said. Loop thread only; handlers
 * always come later, never from within the call.                                                                      */
#ifndef NET_DNS_H
#define NET_DNS_H
#include "net/addr.h"
#include "net/dns_answer.h"
#include "net/loop.h"

struct dns;
struct dns_query;

/* servers: "127.0.0.1:53,[::1]:53", or NULL for what /etc/resolv.conf says. */
int dns_create(struct dns **dp, struct loop *loop, const char *servers);
/* Queries still under way are dropped without their handlers. */
void dns_destroy(struct dns *dns);
void dns_observe(struct dns *dns, struct ev_bus *bus, struct metrics *metrics);
/* How long one query may take in all (default 5,000 ms; three tries within it). */
void dns_timeout(struct dns *dns, int64_t ms);
struct loop *dns_loop(const struct dns *dns);
/* Forgets what is cached. */
void dns_flush(struct dns *dns);

/* `res` is borrowed for the call. */
typedef void (dns_h)(const struct dns_result *res, void *arg);
/* One question. IP literals are not names: EINVAL. *qp (may be NULL) cancels it; it is void once the handler ran. */
int dns_query(struct dns *dns, struct dns_query **qp, struct text name, enum dns_type type, dns_h *h, void *arg);
void dns_cancel(struct dns_query *q);

/* ---- RFC 3263 4: from a SIP host to an ordered list of addresses ---- */
enum net_transport {
	NET_UDP,
	NET_TCP,
	NET_TLS,
	NET_ANY, /* asked for only: which of them is for DNS to say; nothing ever came or went by it */
};
const char *net_transport_name(enum net_transport t); /* "UDP" "TCP" "TLS", "as DNS says" */

enum { DNS_TARGETS = 16, DNS_TRAIL = 12, DNS_BY_SIZE = 560 };
struct dns_target {
	struct net_addr addr;
	enum net_transport transport; /* never NET_ANY; one for all targets of an answer */
	char host[256]; /* the name that gave this address (SRV target or the host itself) */
	uint32_t ttl_s;
};
/* One look-up on the way, for facts. */
struct dns_step {
	char name[256];
	enum dns_type type;
	enum dns_outcome outcome;
	char server[NET_ADDR_SIZE];
	unsigned records;
};
struct dns_targets {
	struct dns_target target[DNS_TARGETS]; /* in the order to try: SRV by priority and weight (RFC 2782), AAAA after A */
	unsigned n;
	struct dns_step trail[DNS_TRAIL];
	unsigned n_trail;
	char by[DNS_BY_SIZE];     /* which records said by what transport and where: "NAPTR a.test, SRV _sips._tcp.a.test"; "" when none did */
	enum dns_outcome outcome; /* OK, or what stopped it (of the last decisive look-up) */
	uint32_t ttl_s;           /* the least of all: ask again after it */
};
typedef void (dns_targets_h)(const struct dns_targets *t, void *arg);
struct dns_resolve;
/* host: a name or an IP literal (answered without DNS). port 0: not given: SRV first (_sip._udp, _sip._tcp, _sips._tcp), then A and AAAA with
 * the default port (5060, TLS 5061). With a port: A and AAAA only.
 * NET_ANY (RFC 3263 4.1): the best of the NAPTR records says by which transport and under which SRV name; without NAPTR, SRV for TLS, TCP and UDP in that
 * order; without those, UDP. A question that gets no answer, or a refusal, ends it: silence must not lead from TLS to anything less. With a port or an
 * address: UDP. */
int dns_resolve_sip(struct dns *dns, struct dns_resolve **rp, struct text host, uint16_t port, enum net_transport transport, dns_targets_h *h, void *arg);
void dns_resolve_cancel(struct dns_resolve *r);

#endif

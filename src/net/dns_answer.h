/* SPDX-License-Identifier: Apache-2.0 */
/* dns_answer.h  Reads a DNS answer (RFC 1035 4) of A, AAAA, PTR, SRV (RFC 2782) or NAPTR (RFC 3403) as a value, without allocation. The bytes come
 * from the network: every length is checked, names are bounded, compression may only point backwards.                  */
#ifndef NET_DNS_ANSWER_H
#define NET_DNS_ANSWER_H
#include "net/addr.h"

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_SOA = 6, DNS_PTR = 12, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35 };
enum dns_outcome {
	DNS_OK,
	DNS_NXDOMAIN,  /* the name does not exist */
	DNS_NODATA,    /* the name exists, but has no record of that type */
	DNS_SERVFAIL,
	DNS_REFUSED,
	DNS_TIMEOUT,   /* no server answered */
	DNS_MALFORMED, /* an answer that breaks RFC 1035 */
	DNS_NO_SERVER, /* none could be reached (connection refused) or none is configured */
};
const char *dns_type_name(enum dns_type t);
const char *dns_outcome_name(enum dns_outcome o); /* "NXDOMAIN" ... */

enum { DNS_RECORDS = 32, DNS_NAME_SIZE = 256 };
struct dns_record {
	enum dns_type type;
	uint32_t ttl_s;
	struct net_addr addr;                 /* A, AAAA; port 0 */
	uint16_t priority, weight, port;      /* SRV; NAPTR: order, preference */
	char target[DNS_NAME_SIZE];           /* SRV, CNAME, PTR; NAPTR: replacement; no trailing dot; "" is the root */
	char flags[8], service[64];           /* NAPTR */
};
struct dns_result {
	char name[DNS_NAME_SIZE]; /* asked for */
	enum dns_type type;
	enum dns_outcome outcome;
	char server[NET_ADDR_SIZE]; /* the configured server that was asked first; "" when none */
	struct dns_record rec[DNS_RECORDS]; /* of the type asked for, CNAMEs followed */
	unsigned n;
	uint32_t ttl_s; /* least of the chain; for NXDOMAIN and NODATA from the SOA (RFC 2308 5), at most 300 */
	bool cached;
};

/* Fills res (name and type are given by the caller). Always leaves a valid result; returns its outcome. */
enum dns_outcome dns_answer_parse(struct dns_result *res, const uint8_t *data, size_t n);

#endif

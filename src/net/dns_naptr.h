/* SPDX-License-Identifier: Apache-2.0 */
/* dns_naptr.h  Which of a domain's NAPTR records are SIP services that we speak, and in which order they are to be tried (RFC 3263 4.1, RFC 3403 4.1). Pure. */
#ifndef NET_DNS_NAPTR_H
#define NET_DNS_NAPTR_H
#include "net/dns.h"

enum { DNS_SERVICES = 4 };
struct dns_service {
	char name[DNS_NAME_SIZE]; /* whose SRV records are to be asked for */
	enum net_transport transport;
};
/* Returns how many stand in `out`. Records with other flags than "s", without a replacement, and of unknown services are passed over. Where the best one is for
 * TLS, the others for TLS follow and nothing else does: whoever can suppress an answer shall not choose the transport. */
unsigned dns_naptr_services(const struct dns_result *res, struct dns_service out[DNS_SERVICES]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* addr.h  An IPv4 or IPv6 address with a port: a value. Mapped IPv4 (::ffff:a.b.c.d) is turned into plain IPv4, so that one peer has one
 * address.                                                                                                             */
#ifndef NET_ADDR_H
#define NET_ADDR_H
#include <netinet/in.h>
#include <stdbool.h>
#include "base/text.h"

struct net_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} u; /* sa_family AF_UNSPEC (0): no address */
};

enum { NET_ADDR_SIZE = 64 };

/* "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; no names. EINVAL. */
int net_addr_parse(struct net_addr *a, struct text host, uint16_t port);
/* "192.0.2.1:5060", "[::1]:5060", and without port when default_port is given instead. EINVAL. */
int net_addr_parse_port(struct net_addr *a, struct text host_port, uint16_t default_port);
void net_addr_from(struct net_addr *a, const struct sockaddr *sa);
socklen_t net_addr_len(const struct net_addr *a);
bool net_addr_is_set(const struct net_addr *a);
bool net_addr_is_v6(const struct net_addr *a);
bool net_addr_is_any(const struct net_addr *a); /* 0.0.0.0 or :: */
bool net_addr_is_loopback(const struct net_addr *a);
uint16_t net_addr_port(const struct net_addr *a);
void net_addr_set_port(struct net_addr *a, uint16_t port);
bool net_addr_eq(const struct net_addr *a, const struct net_addr *b);      /* with port */
bool net_addr_eq_host(const struct net_addr *a, const struct net_addr *b); /* without */
/* "192.0.2.1:5060" or "[2001:db8::1]:5060"; dst has NET_ADDR_SIZE bytes. Return dst. */
char *net_addr_print(const struct net_addr *a, char *dst);
char *net_addr_print_host(const struct net_addr *a, char *dst); /* without brackets and port */
/* The address from which packets to `to` would leave (a connected UDP socket tells). errno: ENETUNREACH ... */
int net_addr_local_for(struct net_addr *local, const struct net_addr *to);
/* How many bytes a packet on that way may have, headers included, as far as the kernel knows: its interface, and what routers said. 0: it does not tell. */
size_t net_addr_mtu(const struct net_addr *to);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* path.h  The way a message came or goes: a datagram socket with two addresses, or a connection. A value; a copy holds a reference. */
#ifndef SIP_PATH_H
#define SIP_PATH_H
#include <limits.h>
#include "net/addr.h"
#include "net/dns.h"

struct udp;
struct sip_conn;

struct sip_path {
	enum net_transport transport;
	struct net_addr local, peer;
	struct udp *udp;       /* UDP; the listener's */
	struct sip_conn *conn; /* TCP, TLS: a reference */
	unsigned listener;     /* index; UINT_MAX: none, we opened it */
};

void sip_path_copy(struct sip_path *dst, const struct sip_path *src);
void sip_path_clear(struct sip_path *p);

static inline bool sip_path_reliable(const struct sip_path *p)
{
	return p->transport != NET_UDP;
}

#endif

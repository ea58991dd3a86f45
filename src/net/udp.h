/* SPDX-License-Identifier: Apache-2.0 */
/* udp.h  A datagram socket on the loop (signalling; media has its own). */
#ifndef NET_UDP_H
#define NET_UDP_H
#include "net/addr.h"
#include "net/loop.h"

struct udp;
/* `data` is borrowed for the call and may be written to; datagrams of up to 65,535 bytes. The handler may destroy the socket. */
typedef void (udp_recv_h)(struct udp *udp, const struct net_addr *from, uint8_t *data, size_t n, void *arg);

/* Port 0: any; udp_local() tells which. */
int udp_create(struct udp **up, struct loop *loop, const struct net_addr *local, udp_recv_h *recv, void *arg);
void udp_destroy(struct udp *udp);
const struct net_addr *udp_local(const struct udp *udp);
/* 0 or errno; a full socket buffer (EAGAIN) loses the datagram, as the network would. */
int udp_send(struct udp *udp, const struct net_addr *to, const void *data, size_t n);
/* The same, but a busy loop (loop_gathers()) sends all of a turn at its end, with one call and one waking of their reader; 0 is said before. One
 * that cannot be sent, then or at once, is told as an event (at most one a minute and socket) besides. For answers: whoever asked asks again. */
int udp_send_soon(struct udp *udp, const struct net_addr *to, const void *data, size_t n);

#endif

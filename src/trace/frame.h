/* SPDX-License-Identifier: Apache-2.0 */
/* frame.h  Headers for bytes that a socket gave or took: IP with UDP or TCP, as they might have been on the wire, and the tags of an exported
 * message. Addresses, ports, order and bytes are true; sequence numbers, segments and checksums are made here. Pure.     */
#ifndef TRACE_FRAME_H
#define TRACE_FRAME_H
#include "base/buf.h"
#include "net/addr.h"

enum { FRAME_PAYLOAD_MAX = 65000, FRAME_HEAD_MAX = 80 };
enum { FRAME_FIN = 1, FRAME_SYN = 2, FRAME_RST = 4, FRAME_PSH = 8, FRAME_ACK = 16 };

/* Writes the headers of a packet with n bytes of payload into head (FRAME_HEAD_MAX bytes); returns their length. The IP version is that of
 * `from`; both must be of one family. */
size_t frame_udp(uint8_t *head, const struct net_addr *from, const struct net_addr *to, const void *payload, size_t n);
size_t frame_tcp(uint8_t *head, const struct net_addr *from, const struct net_addr *to, uint32_t seq, uint32_t ack, unsigned flags, const void *payload,
		 size_t n);
/* Tags of LINKTYPE_WIRESHARK_UPPER_PDU: the dissector's name and the two addresses. tcp: else UDP. */
int frame_pdu(struct buf *b, const char *dissector, bool tcp, const struct net_addr *from, const struct net_addr *to);

#endif

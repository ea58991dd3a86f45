/* SPDX-License-Identifier: Apache-2.0 */
/* pcapng.h  Writes the blocks of a pcapng file (draft-ietf-opsawg-pcapng) into a buffer, in this machine's byte order, which the section header
 * tells. Pure. Each returns the buffer's error.                                                                         */
#ifndef TRACE_PCAPNG_H
#define TRACE_PCAPNG_H
#include "base/buf.h"

enum {
	PCAPNG_RAW = 101,       /* LINKTYPE_RAW: packets begin with their IP header */
	PCAPNG_UPPER_PDU = 252, /* LINKTYPE_WIRESHARK_UPPER_PDU: a message with tags that say how to read it */
};
enum { PCAPNG_SNAPLEN = 1 << 20 };

int pcapng_section(struct buf *b, const char *application);
/* Interfaces count from 0 in the order in which they are written. Times are microseconds. */
int pcapng_interface(struct buf *b, uint16_t link_type, const char *name);
/* TLS keys in NSS key log form; before the packets that they open. */
int pcapng_secrets(struct buf *b, struct text keylog);
enum pcapng_way { PCAPNG_UNKNOWN, PCAPNG_IN, PCAPNG_OUT };
/* head and body are one packet; comment may be empty. EMSGSIZE above the snapshot length. */
int pcapng_packet(struct buf *b, uint32_t interface, int64_t us, enum pcapng_way way, struct text head, struct text body, struct text comment);

#endif

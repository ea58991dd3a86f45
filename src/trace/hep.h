/* SPDX-License-Identifier: Apache-2.0 */
/* hep.h  HEP version 3 (the Homer Encapsulation Protocol): one datagram a message, to a collector such as Homer. hep_write() is pure; a sender
 * never blocks: what the socket does not take at once is lost and counted.                                              */
#ifndef TRACE_HEP_H
#define TRACE_HEP_H
#include "base/buf.h"
#include "event/metrics.h"
#include "net/addr.h"
#include "net/dns.h"

enum { HEP_DATAGRAM_MAX = 65000 };
enum hep_kind { HEP_SIP = 1, HEP_LOG = 100 };
struct hep_message {
	enum hep_kind kind;
	bool tcp;             /* else UDP */
	struct net_addr from, to;
	int64_t us;
	uint32_t capture_id;
	struct text key;      /* the collector's password; may be empty */
	struct text node;     /* our name */
	struct text correlation; /* what belongs together: the Call-ID */
	struct text payload;
};
/* 0, EMSGSIZE when it does not fit a datagram, EINVAL when the addresses are of two families. */
int hep_write(struct buf *b, const struct hep_message *m);

struct hep_prm {
	struct loop *loop;
	struct dns *dns;
	struct metrics *metrics;
	const char *host; /* a name or an address */
	uint16_t port;
};
struct hep;
int hep_create(struct hep **hp, const struct hep_prm *prm);
void hep_destroy(struct hep *h); /* NULL is allowed */
void hep_send(struct hep *h, const struct hep_message *m);

#endif

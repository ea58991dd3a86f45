/* SPDX-License-Identifier: Apache-2.0 */
/* talk.h  One conversation of a capture: who opened it, what TLS said in the clear, how much was said under its protection, SIP where it can be
 * read, and how it ended. Filled packet by packet from tshark's lines; judges nothing. Pure but for memory, which is bounded.
 *
 * In TLS 1.3 without keys everything behind the ServerHello is opaque. What is certain then: the client's Finished has a size of its own, so
 * the handshake's end is seen; a record of 19 bytes holds two bytes, an alert or an empty line; and equal records that a server sends
 * at once are session tickets, which it sends only to those whom it let in.                                                      */
#ifndef CAPTURE_TALK_H
#define CAPTURE_TALK_H
#include "capture/line.h"
#include "trust/facts.h"

enum { CAP_HOST_SIZE = 48, CAP_CERTS = 8, CAP_CERT_MAX = 16384, CAP_ALERTS = 6, CAP_TXNS = 32, CAP_FIRST = 24, CAP_LATE = 6, CAP_HOLES = 4 };
enum { CAP_CLIENT, CAP_SERVER };
enum cap_proto { CAP_TCP, CAP_UDP };

struct cap_side {
	char host[CAP_HOST_SIZE];
	uint16_t port;
	int64_t fin_us, rst_us;  /* 0: not */
	int64_t last_us;         /* of payload */
	unsigned packets;        /* sent by it */
	uint8_t first[CAP_FIRST];
	unsigned n_first;
	bool hello, ccs, finished, cert_message;
	unsigned n_certs;
	struct {
		uint8_t *p;
		size_t n;
	} cert[CAP_CERTS];
	unsigned flight;         /* TLS 1.3, no keys: bytes of protected records before its Finished */
	bool refused_early;      /* TLS 1.3: its first protected record has the size of an alert */
	bool empty_cert;         /* it answered a request with an empty certificate */
	unsigned app_records;    /* application data, surely */
	unsigned late;           /* server, TLS 1.3, no keys: protected records behind the client's Finished that may be tickets or data */
	uint16_t late_len[CAP_LATE];
	int64_t late_us[CAP_LATE];
	int64_t app_us, last_app_us; /* first and last of them */
	int64_t small_us;        /* last record that may be an alert (TLS 1.3) or is one that cannot be read (TLS 1.2) */
	unsigned requests, answers;
	char via[TRUST_NAME_SIZE]; /* host of the top Via of its own requests */
	bool seq_known;
	uint32_t next;             /* sequence number behind all that was seen of it */
	unsigned n_holes, more_holes; /* what lies before that and was not; more_holes: found no place here */
	struct {
		uint32_t from, to;
	} hole[CAP_HOLES];
	uint8_t hops, rst_hops;    /* TTL or hop limit of its first packet, and of its RST; 0: not known */
};

struct cap_alert {
	int64_t at_us;
	uint8_t side, number;
	bool fatal, after_handshake;
};

/* A SIP request and its final answer. */
struct cap_txn {
	uint64_t key;
	int64_t at_us, answered_us;
	uint8_t side; /* who asked */
	uint16_t status, provisional;
	char method[16], phrase[64];
	char reason[160], warning[160], diagnostics[320];
};

struct cap_talk {
	enum cap_proto proto;
	uint32_t stream;
	uint64_t frame;          /* of its first packet */
	struct cap_side side[2]; /* CAP_CLIENT, CAP_SERVER */
	bool exported, exported_tcp; /* no packets, but messages with tags (Wireshark's exported PDUs, our own traces); over TCP or TLS */
	bool opening_seen;       /* its SYN is in the capture */
	int8_t first_end;        /* side of the first FIN or RST + 1; 0: none. Times may be equal where order is not */
	bool direction_known;
	int64_t first_us, last_us, syn_us, up_us, hello_us, done_us;
	unsigned packets, syns, again, lost, cut;
	bool tls, tls_done, readable, resumed;
	unsigned n_opaque, common; /* TLS 1.3, no keys: protected records, and the greatest common divisor of their lengths without the tag */
	bool http;
	uint16_t version;
	uint16_t suite;
	struct trust_hello hello;
	char alpn[32];
	bool cert_requested;
	unsigned n_alerts;
	struct cap_alert alert[CAP_ALERTS];
	uint8_t icmp_type, icmp_code; /* of the last complaint */
	bool icmp, icmp6;
	char icmp_from[CAP_HOST_SIZE];
	bool sip;
	unsigned n_txns, txns_dropped;
	struct cap_txn txn[CAP_TXNS]; /* a ring: the youngest */
};

/* The conversation's first packet tells its sides; the sender is the client until something says otherwise. 0, ENOMEM, EBADMSG. */
int cap_talk_create(struct cap_talk **tp, const struct cap_line *l, int64_t us);
struct cap_talk *cap_talk_destroy(struct cap_talk *t);
/* ENOMEM: certificates are missing then. */
int cap_talk_packet(struct cap_talk *t, const struct cap_line *l, int64_t us);
/* An ICMP complaint about it. */
void cap_talk_icmp(struct cap_talk *t, const struct cap_line *l);
/* Whether the server let the client in, as far as TLS tells: it went on speaking after the client's Finished. */
bool cap_talk_admitted(const struct cap_talk *t);
/* Whether packets of it are missing in the capture that should be there. */
bool cap_talk_lost(const struct cap_talk *t);
/* Whether records are padded, so that sizes tell nothing. */
bool cap_talk_padded(const struct cap_talk *t);
/* Application data from that side, surely or (TLS 1.3 without keys) perhaps. */
enum cap_spoke { CAP_SILENT, CAP_PERHAPS, CAP_SPOKE };
enum cap_spoke cap_talk_spoke(const struct cap_talk *t, unsigned side);
/* Which side ended it: CAP_CLIENT, CAP_SERVER, or -1 while open; *us when. */
int cap_talk_ended_by(const struct cap_talk *t, int64_t *us);

#endif

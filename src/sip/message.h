/* SPDX-License-Identifier: Apache-2.0 */
/* message.h  One SIP message as an index over the bytes it came in: start line, header table, body. Nothing is copied and nothing is
 * allocated; the buffer belongs to the caller and must outlive the index unchanged. What every message needs (top Via,
 * From, To, Call-ID, CSeq) is taken apart at once; the rest when asked for.
 *
 * One parse serves policy and use: names are compared after the blank before the colon is cut, compact and long form are
 * the same header, a value that may stand once and stands twice refuses the message (400).                               */
#ifndef SIP_MESSAGE_H
#define SIP_MESSAGE_H
#include <stdbool.h>
#include <stdint.h>
#include "base/text.h"
#include "sip/header.h"
#include "sip/refusal.h"
#include "sip/uri.h"

enum { SIP_HEADERS_MAX = 200, SIP_HEAD_MAX_BYTES = 65536, SIP_BODY_MAX_BYTES = 262144, SIP_MAX_FORWARDS = 70 };

enum sip_hdr_id {
	SIP_HDR_OTHER,
#define HDR(name, wire, compact, often) SIP_HDR_##name,
#include "sip/headers.def"
#undef HDR
	SIP_HDR_IDS
};

struct sip_hdr {
	enum sip_hdr_id id;
	uint8_t next;      /* index + 1 of the next one of this id (of SIP_HDR_OTHER too); 0: none */
	struct text name;  /* as it came, without blanks */
	struct text value; /* trimmed; may be folded inside */
};

struct sip_msg {
	struct text whole; /* head, blank line, body; without what followed the body in a datagram */
	struct text head;  /* up to and with the last header's CR LF */
	struct text body;
	bool request;
	/* request */
	enum sip_method method;      /* of a response: that of its CSeq */
	struct text method_text;
	struct sip_uri uri;          /* Request-URI */
	/* response */
	unsigned status;
	struct text phrase;
	/* both */
	uint8_t n_hdr;
	uint8_t first[SIP_HDR_IDS];  /* index + 1 in hdr; 0: none */
	uint8_t last[SIP_HDR_IDS];
	uint8_t max_forwards;        /* 70 when absent, as RFC 3261 16.6 lets a proxy assume */
	struct sip_via via;          /* the top one */
	struct sip_addr from, to;
	struct text from_tag, to_tag;
	struct text call_id;
	struct sip_cseq cseq;
	struct sip_hdr hdr[SIP_HEADERS_MAX];
};

/* Parses `n` bytes: a datagram (bytes behind Content-Length are ignored, as RFC 3261 18.3 says; without it the body is the rest) or one
 * frame of a stream. Blank lines in front are skipped. 0; EBADMSG, and *why (may be NULL) says what to answer. Even then *msg holds what
 * was read so far, and sip_msg_answerable() tells whether it is enough for an error response.
 * Checked: start line, line ends, names, doubled headers, Via, From, To, Call-ID, CSeq, its method, Content-Length, Max-Forwards, Contact,
 * Route, Record-Route, Expires, Content-Type, in requests Date. Not checked: whatever else has a parser in header.h; it is checked when used. */
int sip_msg_parse(struct sip_msg *msg, const void *p, size_t n, struct sip_refusal *why);
/* A request (not ACK) whose Via says where a response goes. What else of From, To, Call-ID and CSeq is there is copied into it: RFC 4475 3.3.1 wants a 400 even
 * for one that has none of them. */
bool sip_msg_answerable(const struct sip_msg *msg);

/* The first header of that id; NULL without one. */
const struct sip_hdr *sip_msg_hdr(const struct sip_msg *msg, enum sip_hdr_id id);
/* The next one of the same id. */
const struct sip_hdr *sip_msg_hdr_next(const struct sip_msg *msg, const struct sip_hdr *h);
/* Its value, TEXT_NONE without one. */
struct text sip_msg_value(const struct sip_msg *msg, enum sip_hdr_id id);
/* By name, for headers we do not know; also finds known ones. */
const struct sip_hdr *sip_msg_hdr_named(const struct sip_msg *msg, const char *name);
enum sip_hdr_id sip_hdr_id_of(struct text name);
const char *sip_hdr_name(enum sip_hdr_id id);

/* Items of a list header over all its occurrences, in order:
 *     struct sip_iter it = sip_iter_of(msg, SIP_HDR_ROUTE);
 *     while ((err = sip_iter_next(&it, &item)) == 0) ...
 * ENOENT at the end; EBADMSG for a list that cannot be split. */
struct sip_iter {
	const struct sip_msg *msg;
	const struct sip_hdr *hdr;
	struct text rest;
};
struct sip_iter sip_iter_of(const struct sip_msg *msg, enum sip_hdr_id id);
int sip_iter_next(struct sip_iter *it, struct text *item);
/* The same, each item an address. A malformed one is EBADMSG; calling again goes on behind it. */
int sip_iter_addr(struct sip_iter *it, struct sip_addr *a);
/* A list header (all occurrences) has the token: sip_msg_has_token(msg, SIP_HDR_SUPPORTED, "replaces"). */
bool sip_msg_has_token(const struct sip_msg *msg, enum sip_hdr_id id, const char *token);
/* The first Contact's address. ENOENT, EBADMSG; a "*" is EBADMSG. */
int sip_msg_contact(const struct sip_msg *msg, struct sip_addr *a);

/* What an endpoint checks of a well-formed request before acting on it (RFC 3261 8.2): scheme of the Request-URI (416), method (405),
 * Require (420; not for ACK and CANCEL), Content-Type and Content-Encoding (415). EBADMSG with *why. */
struct sip_served {
	uint32_t methods;               /* bits: 1u << SIP_INVITE | ... */
	const char *const *extensions;  /* option tags we support, ended by NULL; NULL: none */
	const char *const *body_types;  /* "application/sdp" ..., ended by NULL; multipart/ is always looked into; NULL: any */
};
int sip_msg_check(const struct sip_msg *msg, const struct sip_served *served, struct sip_refusal *why);

/* ---- bodies ---- */
/* The part of type/subtype: the body itself, or such a part of a multipart body (nested at most 3 deep, 32 parts): of multipart/alternative
 * the last, which RFC 2046 5.1.4 calls the best, otherwise the first. Parts with a transfer encoding of their own (base64 ...), or whose
 * Content-Disposition is not `session` or `render`, do not count. 0; ENOENT without one; EBADMSG. */
int sip_msg_part(const struct sip_msg *msg, const char *type, const char *subtype, struct text *part, struct sip_refusal *why);
/* Same for application/sdp; of alternatives the last that has audio over plain RTP (Lync puts such a one before the encrypted one), or the
 * last if none has. An empty body is ENOENT. */
int sip_msg_sdp(const struct sip_msg *msg, struct text *sdp, struct sip_refusal *why);

/* What events show of a message: without the body of an INFO, whose key may belong to a PIN. */
struct text sip_message_shown(struct text bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* writer.h  Writes requests and responses into a struct buf. Errors stick in the buffer: write all, then ask buf_error(). A value that
 * would break the line (CR, LF, NUL) makes the message EINVAL, never a second header. Texts that were copied from a parsed message
 * are unfolded on the way.
 *
 *     sip_put_request(b, "OPTIONS", TEXT("sip:pool.example"));
 *     sip_put_via(b, &via);
 *     sip_put_addr(b, "From", &from); ...
 *     sip_put_body(b, "application/sdp", sdp);      or sip_put_end(b)                                                     */
#ifndef SIP_WRITER_H
#define SIP_WRITER_H
#include <stdint.h>
#include "base/buf.h"
#include "base/text.h"
#include "sip/header.h"
#include "sip/message.h"

/* "METHOD uri SIP/2.0" */
void sip_put_request(struct buf *b, const char *method, struct text uri);
/* "SIP/2.0 status phrase"; phrase NULL: the usual one. */
void sip_put_status(struct buf *b, unsigned status, const char *phrase);

/* "Name: value". */
void sip_put_header(struct buf *b, const char *name, struct text value);
void sip_put_str(struct buf *b, const char *name, const char *value);
void sip_put_printf(struct buf *b, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void sip_put_uint(struct buf *b, const char *name, uint64_t value);
/* CSeq: number METHOD */
void sip_put_cseq(struct buf *b, uint32_t number, const char *method);
/* Max-Forwards: 70 */
void sip_put_max_forwards(struct buf *b);

struct sip_via_prm {
	enum sip_transport transport;
	struct text host;    /* IPv6 without brackets is given its own */
	uint16_t port;       /* 0: none */
	struct text branch;  /* whole, with z9hG4bK */
	bool rport, alias;
};
void sip_put_via(struct buf *b, const struct sip_via_prm *via);

struct sip_addr_prm {
	struct text display; /* plain; quoted and escaped here; empty: none */
	struct text uri;     /* whole, without <>; must parse, or EINVAL */
	struct text tag;     /* empty: none */
	struct text params;  /* more header parameters, without the first ';'; empty: none */
};
void sip_put_addr(struct buf *b, const char *name, const struct sip_addr_prm *a);

struct sip_uri_prm {
	enum sip_scheme scheme; /* sip, sips or tel */
	struct text user;       /* plain; escaped here; empty: none */
	struct text host;       /* IPv6 without brackets is given its own; unused for tel */
	uint16_t port;
	struct text params;     /* without the first ';' */
	struct text headers;    /* without the '?'; already escaped */
};
/* Only the URI, no header; for sip_put_addr and Request-URIs. */
void sip_put_uri(struct buf *b, const struct sip_uri_prm *u);
/* "text" with quotes and backslashes escaped; control bytes become blanks. */
void sip_put_quoted(struct buf *b, struct text t);
/* Plain text with everything escaped that is not unreserved and not in `also` ("" for nothing more). */
void sip_put_escaped(struct buf *b, struct text t, const char *also);
/* A user part: the set of RFC 3261's `user`. */
void sip_put_escaped_user(struct buf *b, struct text t);

/* All headers of that id, unfolded, under their long name, in their order. */
void sip_put_copy(struct buf *b, const struct sip_msg *msg, enum sip_hdr_id id);
/* The same under another name, e.g. Record-Route as Route; `reverse`: items in reverse order (a dialog's route set at the caller,
 * RFC 3261 12.1.2), one header field an item. */
void sip_put_copy_as(struct buf *b, const struct sip_msg *msg, enum sip_hdr_id id, const char *name, bool reverse);

/* Status line and what RFC 3261 8.2.6.2 copies from the request: Via (received and rport filled in on the top one, RFC 3581), From, To,
 * Call-ID, CSeq; Record-Route into 101..299 of INVITE, SUBSCRIBE, NOTIFY and REFER (12.1.1); Timestamp into 100. */
struct sip_response_prm {
	unsigned status;
	const char *phrase;   /* NULL: the usual one; CR, LF, NUL and control bytes become blanks */
	struct text to_tag;   /* added when To has none and status is not 100 */
	struct text received; /* the source address, IPv6 without brackets; added when it differs from sent-by or rport is asked for */
	uint16_t rport;       /* the source port, filled in where rport is asked for */
};
void sip_put_response(struct buf *b, const struct sip_msg *req, const struct sip_response_prm *prm);

/* Content-Length: 0 and the blank line. */
void sip_put_end(struct buf *b);
/* Content-Type, Content-Length, blank line, body. */
void sip_put_body(struct buf *b, const char *type, struct text body);

/* For a response to a request that sip_msg_check() refused: Allow, Unsupported, Accept or Accept-Encoding, as the status wants. */
void sip_put_refusal_headers(struct buf *b, const struct sip_msg *req, const struct sip_served *served, const struct sip_refusal *why);
/* Allow: from bits as in struct sip_served. */
void sip_put_allow(struct buf *b, uint32_t methods);

#endif

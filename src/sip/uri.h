/* SPDX-License-Identifier: Apache-2.0 */
/* uri.h  SIP, SIPS and TEL URIs (RFC 3261 19.1, RFC 3966, RFC 5118) taken apart without a copy: every text borrows from the input,
 * and is as it came, escapes included. Other schemes are kept whole.                                                    */
#ifndef SIP_URI_H
#define SIP_URI_H
#include <stdint.h>
#include "base/buf.h"
#include "base/text.h"
#include "sip/refusal.h"

enum sip_scheme { SIP_SCHEME_OTHER, SIP_SCHEME_SIP, SIP_SCHEME_SIPS, SIP_SCHEME_TEL };
enum sip_host_kind {
	SIP_HOST_NONE, /* tel and other schemes */
	SIP_HOST_NAME,
	SIP_HOST_IPV4,
	SIP_HOST_IPV6, /* the text is without its brackets */
};

struct sip_uri {
	struct text whole;
	enum sip_scheme scheme;
	enum sip_host_kind host_kind;
	bool has_user, has_password;
	uint16_t port;           /* 0: none given */
	struct text scheme_text; /* without the colon */
	struct text user;        /* escaped; of a tel URI: the number. User parameters ("+1234;phone-context=x") are part of it */
	struct text password;
	struct text host;
	struct text params;      /* without the first ';' */
	struct text headers;     /* without the '?' */
	struct text opaque;      /* other schemes: all behind the colon */
};

/* Takes `t` apart, which must hold the URI and nothing else. EBADMSG with URI_* faults, also for more than 64 parameters or headers. Does not allocate. */
int sip_uri_parse(struct sip_uri *u, struct text t, struct sip_refusal *why);
/* Host and optional port, as in a URI or Via ("host", "host:port", "[v6]:port"). *port is 0 when none is given. */
int sip_hostport_parse(struct text t, struct text *host, enum sip_host_kind *kind, uint16_t *port, struct sip_refusal *why);
/* What a bare host text is; SIP_HOST_NONE when it is neither a name nor an address. */
enum sip_host_kind sip_host_classify(struct text host);

/* A parameter by name (case does not matter). True if present; *value is TEXT_NONE for one without "=". value may be NULL. */
bool sip_uri_param(const struct sip_uri *u, const char *name, struct text *value);
/* A header of "?name=value&..." (still escaped). */
bool sip_uri_header(const struct sip_uri *u, const char *name, struct text *value);
/* Loose routing: has "lr". */
bool sip_uri_is_loose(const struct sip_uri *u);
/* A GRUU: "gr" (RFC 5627) or "gruu" (older, as Lync writes it). */
bool sip_uri_is_gruu(const struct sip_uri *u);
/* "opaque=app:NAME": true and the name behind "app:", e.g. "voicemail". */
bool sip_uri_app(const struct sip_uri *u, struct text *app);
/* That name is voicemail, alone or followed by a colon and more. */
bool sip_uri_is_voicemail(const struct sip_uri *u);

/* RFC 3261 19.1.4 (and RFC 3966 4 for tel). Other schemes: byte for byte after the scheme. */
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);
/* Two IPv6 addresses, however written; false when one is none. */
bool sip_ipv6_equal(struct text a, struct text b);

/* Undoes %XX. dst gets a NUL behind it; ENAMETOOLONG when it does not fit; EBADMSG for a broken escape, or for %00, CR, LF and
 * other control bytes, which no user, name or value of ours may hold. */
int sip_unescape(struct text t, char *dst, size_t size);
/* As above into a buffer, and any byte is allowed (for the embedded Reason of History-Info): returns 0, EBADMSG, ENOMEM, EMSGSIZE. */
int sip_unescape_buf(struct text t, struct buf *out);

#endif

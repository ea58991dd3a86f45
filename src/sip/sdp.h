/* SPDX-License-Identifier: Apache-2.0 */
/* sdp.h  Session descriptions (RFC 4566) as an index over the bytes they came in: no copy, no allocation, hard limits. What the
 * offer/answer of offer.h needs is typed; other attributes stay raw and can be walked.                                 */
#ifndef SIP_SDP_H
#define SIP_SDP_H
#include <stdbool.h>
#include <stdint.h>
#include "base/text.h"
#include "sip/refusal.h"
#include "sip/uri.h"

enum { SDP_MEDIA_MAX = 12, SDP_FORMATS_MAX = 24 };

enum sdp_kind { SDP_OTHER_KIND, SDP_AUDIO, SDP_VIDEO, SDP_IMAGE, SDP_APPLICATION, SDP_TEXT_KIND, SDP_MESSAGE };
enum sdp_proto { SDP_OTHER_PROTO, SDP_RTP_AVP, SDP_RTP_AVPF, SDP_RTP_SAVP, SDP_RTP_SAVPF, SDP_UDPTL };
enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

struct sdp_conn {
	bool present;
	enum sip_host_kind kind; /* IPv4, IPv6 or a name; must agree with IP4/IP6 */
	bool unspecified;        /* 0.0.0.0 or :: : the old way of hold (RFC 3264 8.4) */
	bool multicast;
	struct text addr;        /* without /ttl/count */
};

struct sdp_format {
	uint8_t pt;
	uint8_t channels;   /* 1 unless rtpmap says more */
	bool mapped;        /* has an rtpmap line; else `name` and `rate` come from the static table of RFC 3551, if there */
	uint32_t rate;      /* 0: unknown */
	struct text name;   /* "PCMU"; empty: unknown */
	struct text fmtp;   /* its parameters; TEXT_NONE without */
};

struct sdp_media {
	enum sdp_kind kind;
	enum sdp_proto proto;
	enum sdp_direction direction; /* its own, else the session's, else sendrecv */
	bool has_direction;
	uint8_t n_formats;            /* of RTP media; more than SDP_FORMATS_MAX are left out of the table, not of formats_text */
	uint16_t port, n_ports;       /* port 0: refused or switched off */
	uint16_t rtcp_port;           /* a=rtcp; 0: port + 1 */
	uint16_t ptime_ms, maxptime_ms; /* 0: not given */
	bool rtcp_mux;
	bool has_crypto;              /* at least one a=crypto */
	bool has_candidates;          /* at least one a=candidate */
	struct text kind_text, proto_text, formats_text;
	struct sdp_conn conn;         /* its own, else the session's */
	struct text lines;            /* all lines behind the m= line, for sdp_attr_next() */
	struct sdp_format format[SDP_FORMATS_MAX];
};

struct sdp {
	struct text whole;
	struct text origin_user, origin_addr;
	uint64_t session_id, version; /* of o=; numbers beyond 64 bits are kept modulo 2^64 */
	struct text name;             /* s= */
	struct text time;             /* the first t=; an answer repeats it (RFC 3264 6) */
	struct sdp_conn conn;
	enum sdp_direction direction;
	bool has_direction;
	uint16_t ptime_ms;
	struct text lines;            /* session level, without media */
	uint8_t n_media;
	struct sdp_media media[SDP_MEDIA_MAX];
};

/* 0; EBADMSG with an SDP_ fault. Lines may end with LF alone and the last one without any end. Each medium with a port has an address. */
int sdp_parse(struct sdp *sdp, struct text t, struct sip_refusal *why);
/* The next "a=name:value" of `*rest` (begin with sdp.lines or media.lines): 0 or ENOENT. value is TEXT_NONE for "a=name". */
int sdp_attr_next(struct text *rest, struct text *name, struct text *value);
/* Audio that is switched on and goes over RTP without encryption (RTP/AVP, RTP/AVPF). */
bool sdp_is_plain_audio(const struct sdp_media *m);
const char *sdp_direction_name(enum sdp_direction d);
/* What we are when the other side is d: sendonly <-> recvonly. */
enum sdp_direction sdp_direction_mirror(enum sdp_direction d);

#endif

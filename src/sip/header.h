/* SPDX-License-Identifier: Apache-2.0 */
/* header.h  Header field values with a type: lists, parameters, addresses, Via and the small ones. Nothing is copied or allocated;
 * texts borrow from the message. A value may be folded: CR and LF inside count as blanks, and only as that, because
 * the message parser has seen to it. Lists over several header fields of one message: sip_iter of message.h.              */
#ifndef SIP_HEADER_H
#define SIP_HEADER_H
#include <stdint.h>
#include "base/buf.h"
#include "base/text.h"
#include "sip/refusal.h"
#include "sip/uri.h"

/* ---- lists and parameters ---- */
/* The next item of a comma list, trimmed; commas in quotes and angle brackets do not separate; empty items are left out. 0, ENOENT at
 * the end, EBADMSG for a quotation mark or bracket left open. Begin with *rest = the whole value. */
int sip_list_next(struct text *rest, struct text *item);
/* The next of ";a=b;c" (a first ';' may be there or not): name, and value with its quotes still on (TEXT_NONE without "="). 0, ENOENT,
 * EBADMSG. */
int sip_param_next(struct text *rest, struct text *name, struct text *value);
/* By name, case does not matter; the first counts. The value comes without quotes around it (escapes stay); value may be NULL. */
bool sip_param_find(struct text params, const char *name, struct text *value);
/* All parameters are well formed. */
int sip_params_check(struct text params);
/* "..." without its quotes, otherwise unchanged. */
struct text sip_unquote(struct text t);
/* Undoes quotes, \x pairs and folding for reading; control bytes become blanks; always NUL-terminated, cut to size. Returns dst. */
char *sip_plain_text(struct text t, char *dst, size_t size);
bool sip_is_token(struct text t);
/* The token is one of a comma list ("Supported: a, b"), without case. */
bool sip_list_has(struct text list, const char *token);

/* ---- addresses: From, To, Contact, Route, Record-Route, Refer-To, Referred-By, P-Asserted-Identity, Diversion ... ---- */
struct sip_addr {
	struct text whole;
	struct text display; /* without quotes, escapes as they came; sip_plain_text() makes it readable */
	struct sip_uri uri;
	struct text params;  /* those behind ">", of the header field; without the first ';' */
	bool bracketed;      /* the URI stood in <> */
	bool star;           /* Contact: * (the rest is empty then) */
};

/* One address; without <> everything behind ';' belongs to the header field (RFC 3261 20.10). A URI of unknown scheme is accepted. */
int sip_addr_parse(struct sip_addr *a, struct text t, struct sip_refusal *why);
bool sip_addr_param(const struct sip_addr *a, const char *name, struct text *value);
/* The tag, TEXT_NONE without one. */
struct text sip_addr_tag(const struct sip_addr *a);

/* ---- Via (RFC 3261 20.42, RFC 3581, RFC 5923) ---- */
enum sip_transport { SIP_TRANSPORT_OTHER, SIP_UDP, SIP_TCP, SIP_TLS, SIP_SCTP, SIP_WS, SIP_WSS };
struct sip_via {
	struct text whole;
	enum sip_transport transport;
	enum sip_host_kind host_kind;
	uint16_t port;              /* 0: none given */
	uint16_t rport;             /* its value, 0 when there is none */
	bool has_rport, has_alias;  /* the bare parameters */
	bool has_magic;             /* branch begins with z9hG4bK and has something behind it */
	uint8_t ttl;
	struct text transport_text, host, params, branch, received, maddr;
};
int sip_via_parse(struct sip_via *v, struct text t, struct sip_refusal *why);
const char *sip_transport_name(enum sip_transport t); /* "UDP" ...; "" for others */
enum sip_transport sip_transport_of(struct text t);
uint16_t sip_transport_port(enum sip_transport t); /* 5060 or 5061 */

/* ---- CSeq ---- */
enum sip_method {
	SIP_METHOD_OTHER, SIP_INVITE, SIP_ACK, SIP_BYE, SIP_CANCEL, SIP_OPTIONS, SIP_REFER, SIP_NOTIFY, SIP_SUBSCRIBE, SIP_INFO, SIP_UPDATE,
	SIP_PRACK, SIP_REGISTER, SIP_MESSAGE, SIP_PUBLISH, SIP_METHODS
};
const char *sip_method_name(enum sip_method m); /* "INVITE" ...; "" for others */
enum sip_method sip_method_of(struct text t);   /* methods are case sensitive */
struct sip_cseq {
	uint32_t number;
	enum sip_method method;
	struct text method_text;
};
int sip_cseq_parse(struct sip_cseq *c, struct text t, struct sip_refusal *why);

/* RAck (RFC 3262): '776656 1 INVITE'. */
struct sip_rack { uint32_t rseq; struct sip_cseq cseq; };
int sip_rack_parse(struct sip_rack *r, struct text t);

/* ---- who was called before us ---- */
/* Diversion (RFC 5806), one item. */
struct sip_diversion {
	struct sip_addr addr;
	struct text reason;  /* "no-answer", "user-busy", "unconditional" ...; unquoted; TEXT_NONE */
	struct text privacy;
	uint32_t counter;    /* 0: none given */
	bool multiple;       /* multiple=1 (limit reached, more were left out) */
};
int sip_diversion_parse(struct sip_diversion *d, struct text item, struct sip_refusal *why);

/* Reason (RFC 3326), one item: 'Q.850;cause=16;text="..."'. */
struct sip_reason {
	struct text protocol;
	uint32_t cause;     /* 0: none given */
	struct text text;   /* unquoted, escapes as they came */
};
int sip_reason_parse(struct sip_reason *r, struct text item, struct sip_refusal *why);

/* History-Info (RFC 4244, 7044), one item. */
enum { SIP_HISTORY_DEPTH = 12 };
struct sip_history {
	struct sip_addr addr;
	uint8_t n_index;                     /* how many numbers; deeper ones are left out */
	uint32_t index[SIP_HISTORY_DEPTH];   /* 1.2.1 */
	struct text mp, rc;                  /* the index it came from, TEXT_NONE without */
	struct text reason;                  /* the embedded Reason, still escaped: sip_history_reason() */
	struct text privacy;
	bool has_cause;                      /* "cause" of the URI (RFC 4458) */
	uint32_t cause;
};
int sip_history_parse(struct sip_history *h, struct text item, struct sip_refusal *why);
/* The embedded Reason ("?Reason=SIP%3Bcause%3D486") unescaped into `room` (which must outlive *r) and taken apart. ENOENT when there is
 * none, EBADMSG. */
int sip_history_reason(const struct sip_history *h, char *room, size_t size, struct sip_reason *r);
/* -1, 0, 1 as the order of the indices. */
int sip_history_compare(const struct sip_history *a, const struct sip_history *b);

/* ---- events and refusals of the peer ---- */
struct sip_event { struct text package; struct text id; struct text params; };
int sip_event_parse(struct sip_event *e, struct text t, struct sip_refusal *why);

enum sip_substate { SIP_SUB_OTHER, SIP_SUB_ACTIVE, SIP_SUB_PENDING, SIP_SUB_TERMINATED };
struct sip_subscription_state {
	enum sip_substate state;
	struct text state_text, reason;
	bool has_expires;
	uint32_t expires_s, retry_after_s;
};
int sip_subscription_state_parse(struct sip_subscription_state *s, struct text t, struct sip_refusal *why);

/* Seconds, with comment and parameters left aside (RFC 3261 20.33). */
int sip_retry_after_parse(struct text t, uint32_t *seconds);
/* Seconds; more than 2^32-1 is EBADMSG. */
int sip_expires_parse(struct text t, uint32_t *seconds);
/* Session-Expires (RFC 4028): '1800;refresher=uas'. A refresher of another name counts as none. */
enum sip_refresher { SIP_REFRESHER_NONE, SIP_REFRESHER_UAC, SIP_REFRESHER_UAS };
struct sip_session_expires { uint32_t seconds; enum sip_refresher refresher; };
int sip_session_expires_parse(struct sip_session_expires *se, struct text t);
/* Warning, one item: '399 host "text"'. */
struct sip_warning { uint16_t code; struct text agent, text; };
int sip_warning_parse(struct sip_warning *w, struct text item, struct sip_refusal *why);
/* ms-diagnostics and ms-diagnostics-public: '1008;reason="...";source="..."'. */
struct sip_ms_diagnostics { uint32_t id; struct text reason, source, params; };
int sip_ms_diagnostics_parse(struct sip_ms_diagnostics *d, struct text t, struct sip_refusal *why);

/* ---- bodies ---- */
struct sip_media_type { struct text type, subtype, params; };
int sip_media_type_parse(struct sip_media_type *m, struct text t, struct sip_refusal *why);
bool sip_media_type_is(const struct sip_media_type *m, const char *type, const char *subtype);
/* An Accept value (all of its list) allows type/subtype; q is not weighed, but q=0 refuses. */
bool sip_accepts(struct text accept, const char *type, const char *subtype);
/* RFC 1123 date in GMT, the only one that SIP has (20.17): seconds since 1970. */
int sip_date_parse(struct text t, int64_t *unix_s);

/* Replaces and Target-Dialog (RFC 3891, 4538). */
struct sip_replaces { struct text call_id, from_tag, to_tag; bool early_only; };
int sip_replaces_parse(struct sip_replaces *r, struct text t, struct sip_refusal *why);

#endif

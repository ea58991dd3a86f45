/* SPDX-License-Identifier: Apache-2.0 */
/* transaction.h  The four transaction machines of RFC 3261 17, with RFC 6026's Accepted states: requests and responses are repeated over UDP,
 * repeated ones are absorbed, and whoever uses a transaction hears each thing once.
 *
 *   client  INVITE:  CALLING -> PROCEEDING -> COMPLETED (timer D) | ACCEPTED (timer M) -> over
 *           others:  TRYING  -> PROCEEDING -> COMPLETED (timer K) -> over
 *   server  INVITE:  PROCEEDING -> COMPLETED (timers G, H) -> CONFIRMED (timer I) | ACCEPTED (timer L) -> over
 *           others:  TRYING  -> PROCEEDING -> COMPLETED (timer J) -> over
 *
 * Repeating a 2xx until its ACK is the leg's work (RFC 3261 13.3.1.4); a 2xx passes through here each time. The machines know no socket: they
 * send through a function. Found by hash over branch, sent-by and method. Loop thread only.                            */
#ifndef SIP_TRANSACTION_H
#define SIP_TRANSACTION_H
#include "base/buf.h"
#include "net/loop.h"
#include "sip/core.h"
#include "sip/message.h"
#include "sip/path.h"

struct sip_txns;

/* 0, or errno when it cannot leave at all. */
typedef int (sip_txn_send_h)(const struct sip_path *path, const void *p, size_t n, void *arg);

/* `timers` are copied and must be complete (sip_timers_fill). max: how many at once. */
int sip_txns_create(struct sip_txns **tp, struct loop *loop, const struct sip_timers *timers, unsigned max, sip_txn_send_h *send, void *arg);
/* Ends all without a word to their users. */
void sip_txns_destroy(struct sip_txns *txns);
unsigned sip_txns_count(const struct sip_txns *txns);
uint64_t sip_txns_repeats(const struct sip_txns *txns); /* messages that we sent again or that came again */
/* Puts the RFC's values where there is 0. */
void sip_timers_fill(struct sip_timers *t);

/* ---- server ---- */
/* Counted (mem_ref); the table holds one reference until it is over. */
struct sip_stx;
enum sip_stx_event {
	SIP_STX_ACK,    /* INVITE: the ACK of our non-2xx came */
	SIP_STX_NO_ACK, /* INVITE: it did not (timer H) */
	SIP_STX_OVER,   /* last event */
};
typedef void (sip_stx_h)(struct sip_stx *stx, enum sip_stx_event ev, void *arg);

/* For a request that sip_stx_find() did not know (never ACK). The path is copied. ENOMEM, EAGAIN (too many). Borrowed result. */
int sip_stx_create(struct sip_stx **sp, struct sip_txns *txns, const struct sip_msg *req, const struct sip_path *path);
void sip_stx_handler(struct sip_stx *stx, sip_stx_h *h, void *arg);
/* The transaction a request belongs to: its own, for an ACK that of its INVITE. NULL. */
struct sip_stx *sip_stx_find(struct sip_txns *txns, const struct sip_msg *req);
/* The INVITE that a CANCEL means (RFC 3261 9.2). NULL. */
struct sip_stx *sip_stx_cancelled(struct sip_txns *txns, const struct sip_msg *cancel);
/* Another one of the same dialog and CSeq that came another way and was not refused: merged (RFC 3261 8.2.2.2). */
bool sip_stx_merged(struct sip_txns *txns, const struct sip_msg *req);
/* The request came again, or its ACK; answered by the path it came by this time. The ACK of a 2xx is none of the transaction's (sip_stx_accepted). */
void sip_stx_again(struct sip_stx *stx, const struct sip_msg *req, const struct sip_path *path);
/* Sends a response, built whole. For an INVITE's 2xx it may be called again with the same bytes. EALREADY after a final one; EINVAL for what RFC 4320 does not
 * allow to anything but INVITE (1xx, 408); an error of the way it was to take changes nothing (RFC 6026 7.1). */
int sip_stx_respond(struct sip_stx *stx, unsigned status, const void *p, size_t n);
/* The request, as it came; TEXT_NONE once a final response is out. */
struct text sip_stx_request(const struct sip_stx *stx);
const struct sip_path *sip_stx_path(const struct sip_stx *stx);
unsigned sip_stx_status(const struct sip_stx *stx); /* last sent; 0: none */
bool sip_stx_accepted(const struct sip_stx *stx);   /* an INVITE that got its 2xx: an ACK is the user's */
bool sip_stx_is_invite(const struct sip_stx *stx);
void *sip_stx_arg(const struct sip_stx *stx);
sip_stx_h *sip_stx_handler_of(const struct sip_stx *stx);

/* ---- client ---- */
struct sip_ctx;
enum sip_ctx_event {
	SIP_CTX_PROVISIONAL,
	SIP_CTX_FINAL,     /* for an INVITE's 2xx: each one, repeated and forked ones too */
	SIP_CTX_TIMEOUT,   /* timer B or F */
	SIP_CTX_TRANSPORT, /* it could not be sent */
	SIP_CTX_OVER,      /* last event */
};
/* `res` is NULL but for the first two. */
typedef void (sip_ctx_h)(struct sip_ctx *ctx, enum sip_ctx_event ev, const struct sip_msg *res, void *arg);

enum { SIP_BRANCH_SIZE = 40 };
/* A branch of our own, with the magic cookie. */
void sip_branch_make(char branch[SIP_BRANCH_SIZE]);
/* Takes the bytes (and the path's reference by copying) and sends them at once. method: of the request. The handler never runs from within. A
 * failure to send comes as SIP_CTX_TRANSPORT, later. ENOMEM, EAGAIN. *cp is borrowed and void after SIP_CTX_OVER. */
int sip_ctx_create(struct sip_ctx **cp, struct sip_txns *txns, const struct sip_path *path, const char *branch, const char *method, struct buf *bytes,
                   sip_ctx_h *h, void *arg);
/* A response: true if it belonged to one of ours. */
bool sip_ctx_receive(struct sip_txns *txns, const struct sip_msg *res);
/* Goes on alone (absorbs, ACKs), tells nobody. */
void sip_ctx_forget(struct sip_ctx *ctx);
/* At once, without a word. */
void sip_ctx_end(struct sip_ctx *ctx);
struct text sip_ctx_request(const struct sip_ctx *ctx); /* the bytes sent */
const struct sip_path *sip_ctx_path(const struct sip_ctx *ctx);

/* ---- requests made of another one (RFC 3261 9.1, 17.1.1.3) ---- */
/* CANCEL of, or ACK to a non-2xx answer of, the INVITE in `req`. to: the To value to write; empty: the request's. */
int sip_make_from_invite(struct buf *b, struct text req, const char *method, const struct sip_msg *res);

#endif

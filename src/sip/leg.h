/* SPDX-License-Identifier: Apache-2.0 */
/* leg.h  One side of a call as everything above SIP sees it: offered or dialled, answered, digits, transferred, ending, over. No SIP message,
 * header or transaction goes above this page.
 *
 *      in:   LEG_OFFERED -> leg_answer() -> LEG_ANSWERED -> ... -> LEG_ENDING -> leg_confirm() -> LEG_OVER
 *                        -> leg_reject() ----------------------------------------------------> LEG_OVER
 *      out:  leg_call() -> LEG_PROGRESS* -> LEG_ANSWERED -> ... -> LEG_OVER
 *
 * A leg is reference-counted (mem_ref, mem_unref). An offered leg is handed to `leg_offered_h` of the core, borrowed: who wants it takes a
 * reference and sets its handler before returning, or rejects it there. Handlers run on the loop's thread; they may call any verb, also on
 * another leg, and give their reference back. LEG_OVER is the last event; no verb does anything afterwards (ENOTCONN).
 *
 * Receipts: when the peer says BYE, LEG_ENDING comes with `receipt` set, and the 200 is held back until leg_confirm() says whether what the
 * caller left is safe. After `receipt_ms` of the core without leg_confirm() the peer gets 500 and event SIP_RECEIPT_LATE is written.
 * Whatever else ends a call that was up (a lost dialog, an ACK that never came) is told by LEG_ENDING without `receipt`, then LEG_OVER at once; who
 * hangs up himself hears LEG_OVER only.
 * All texts in events and infos are NUL-terminated and never NULL ("" when absent).                                    */
#ifndef SIP_LEG_H
#define SIP_LEG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "event/report.h"
#include "net/addr.h"
#include "net/dns.h"
#include "sip/peer.h"
#include "sip/sdes.h"

struct leg;
struct media_port;
struct sip_core;
struct trust_facts;

/* A person or place in a header: "Display" <sip:user@host;params>. `user` is unescaped. */
struct leg_party {
	const char *uri; /* as it stood in the header, without brackets; "" when the header was absent */
	const char *user, *host, *display;
};
struct leg_redirect {
	struct leg_party party;
	const char *reason; /* "no-answer", "user-busy", "unconditional" ...; of History-Info: the Reason of that entry */
};

enum { LEG_DIVERSIONS = 8, LEG_HISTORY = 8 };
/* What the call said of itself when it came (or what we said). Borrowed from the leg: lives as long as it does. */
struct leg_info {
	const char *session;      /* ties the call's events together */
	const char *call_id;
	struct leg_party called;  /* Request-URI */
	struct leg_party to, from;
	struct leg_party asserted;   /* P-Asserted-Identity; only from a believed peer */
	const struct leg_redirect *diversion; /* as they stood: the last redirection first (RFC 5806); only from a believed peer */
	const struct leg_redirect *history; /* the oldest first (RFC 7044); only from a believed peer */
	const char *opaque;       /* URI parameter of the Request-URI, for instance "app:voicemail" */
	const char *referred_by;
	const char *user_agent;   /* of the peer */
	const struct sip_peer *peer;
	struct net_addr source;   /* where the first message came from, or went to */
	enum net_transport transport : 8;
	uint8_t n_diversions, n_history;
	bool incoming;
	bool headers_believed;
	bool wants_privacy; /* the caller does not want to be shown (RFC 3323, 3325 9.3) */
	uint8_t max_forwards;     /* of the INVITE that came */
};

enum leg_event_type {
	LEG_PROGRESS,         /* out: provisional answer; status */
	LEG_ANSWERED,         /* in: our 200 was ACKed; out: the peer's 200 came. Audio flows */
	LEG_HELD,             /* the peer wants no audio from us */
	LEG_RESUMED,
	LEG_DIGIT,            /* by SIP INFO; digit, duration_ms. (Digits within the audio come from the media port.) */
	LEG_REPLACED,         /* the peer's side was handed to another phone (RFC 3891): leg_info() says whose; audio and call go on */
	LEG_REFERRED,         /* the peer asks us to call `target` (already answered 202): say leg_refer_progress() */
	LEG_TRANSFER_PROGRESS,/* status of the call to the target, as the peer tells it; 202: the peer took the order */
	LEG_TRANSFERRED,      /* the target answered; now it is our turn to leg_hangup() */
	LEG_TRANSFER_FAILED,  /* status (0: none), reason, facts: the call goes on as before */
	LEG_ENDING,           /* the call ends: save, then leg_confirm() if `receipt` */
	LEG_OVER,             /* the last event */
};
const char *leg_event_name(enum leg_event_type t); /* "answered" ... */

/* Why a leg ended. */
enum leg_end {
	LEG_END_PEER,      /* the peer said BYE */
	LEG_END_US,        /* leg_hangup() */
	LEG_END_CANCELLED, /* in: CANCEL before the answer; out: leg_cancel() */
	LEG_END_REJECTED,  /* in: leg_reject(); out: the peer refused, status */
	LEG_END_FAILED,    /* no answer, no connection, no ACK, lost dialog: status, facts */
};
const char *leg_end_name(enum leg_end e); /* "peer hung up" ... */

struct leg_event {
	enum leg_event_type type;
	int status;         /* SIP status where one belongs to it, else 0 */
	const char *reason; /* reason phrase, or a sentence */
	char digit;         /* 0-9 * # A-D */
	unsigned duration_ms;
	const char *target; /* LEG_REFERRED: the URI to call */
	const char *referred_by;
	bool order_refused; /* LEG_TRANSFER_FAILED: the peer would not even try: it takes no such orders */
	bool receipt;       /* LEG_ENDING: the peer waits for leg_confirm() */
	enum leg_end end;   /* LEG_ENDING, LEG_OVER */
	const struct trust_facts *facts; /* TRANSFER_FAILED, OVER with LEG_END_FAILED: what is known of the connection; NULL otherwise */
};
typedef void (leg_event_h)(struct leg *leg, const struct leg_event *ev, void *arg);

void leg_handler(struct leg *leg, leg_event_h *h, void *arg); /* NULL: nobody listens */
const struct leg_info *leg_info(const struct leg *leg);
const char *leg_session(const struct leg *leg);
/* "offered" "calling" "answering" "up" "ending" "over": for status displays. */
const char *leg_state_name(const struct leg *leg);
bool leg_is_up(const struct leg *leg);
bool leg_is_over(const struct leg *leg);
bool leg_is_held(const struct leg *leg);
int64_t leg_started_ms(const struct leg *leg); /* monotonic */
/* What is known of the way of its INVITE: names, connection, certificates. While it is offered or calling, and when LEG_ANSWERED of a call of ours
 * comes; ENOENT otherwise. */
int leg_facts(struct leg *leg, struct trust_facts *f);
/* The same where they stand, without copying their fifteen kilobytes: borrowed until anything else happens. NULL: leg_facts() may know them. */
const struct trust_facts *leg_facts_known(struct leg *leg);
/* What was agreed of the audio. */
struct leg_sound {
	const char *codec; /* "PCMA" */
	struct net_addr local, remote;
	int keys_pt;       /* of the telephone-events that may come; -1: none was agreed */
	const char *srtp;  /* with what it is encrypted: "AES_CM_128_HMAC_SHA1_80"; "": it is not */
};
bool leg_sound(const struct leg *leg, struct leg_sound *s); /* false: nothing yet, or it is over */

/* Whether the sound is to be encrypted: from the next offer or answer on. Before this is said it is as the peer is configured (sip_peer.srtp). Keys neither
 * go nor come but over TLS. */
void leg_srtp(struct leg *leg, enum sdes_want want);
bool leg_is_encrypted(const struct leg *leg);

/* ---- an offered call ---- */
/* 180 to the peer; optional. EALREADY once answered. */
int leg_ring(struct leg *leg);
/* 200 with audio from `port` (opened, not yet started), borrowed until LEG_OVER or until the owner closes it after hanging up; the leg starts it
 * towards the peer's address. 0; EALREADY if answered; ENOTCONN when over; EPROTO if the offer holds nothing that we speak: `why` then names
 * what was offered, and the peer got 488. */
int leg_answer(struct leg *leg, struct media_port *port, struct ev_report *why);
/* 3xx-6xx before the answer. reason_text: a sentence for the peer's administrator (goes into a Reason header), or NULL.
 * retry_after_s: 0 for none. */
int leg_reject(struct leg *leg, int status, const char *reason_text, unsigned retry_after_s);

/* 302: the caller is to call `contact` ("sip:user@host") instead. */
int leg_redirect(struct leg *leg, const char *contact, const char *reason_text);

/* ---- a call of ours ---- */
struct leg_call_prm {
	const char *uri;           /* whom: "sip:user@host"; goes into Request-URI and To */
	const char *from_user, *from_display; /* NULL: none */
	const char *from_host;     /* NULL: the core's name */
	const char *referred_by;   /* NULL: none */
	const char *diversion;     /* NULL: none; the URI of a Diversion header */
	const struct leg_info *after; /* NULL: none; the call for which this one is made. A peer marked for it (sip_peer.told_identity) is told who called there
	                               * if that is believed, and its history with what we add */
	enum sdes_want srtp;       /* more than the peer's own setting asks for counts */
	bool assert_from;          /* From is ourselves: such a peer is told so */
	const char *session;       /* NULL: a new one; else this call belongs to that session */
	const char *identity;      /* NULL: the peer's */
	uint8_t max_forwards;      /* 0: 70; of a call for another one: one less than that had left (RFC 7332) */
	int64_t ring_ms;           /* 0: the core's limit; then CANCEL */
	leg_event_h *h;
	void *arg;
};
/* Calls through `peer` (its host, port, transport, rule). The caller owns one reference of *legp. 0, or errno with `why`; later failures are
 * LEG_OVER. Events never come from within the call. */
int leg_call(struct leg **legp, struct sip_core *core, struct sip_peer *peer, const struct leg_call_prm *prm, struct media_port *port,
             struct ev_report *why);
/* CANCEL before the answer, BYE after it (the race is the leg's business). LEG_OVER follows. */
int leg_cancel(struct leg *leg);

/* ---- while it is up ---- */
/* BYE. reason: goes into a Reason header, or NULL. LEG_OVER follows when the peer answered or did not in time; no LEG_ENDING. */
int leg_hangup(struct leg *leg, const char *reason);
/* The receipt after LEG_ENDING: 200, or 500 when what was left is not safe. Then LEG_OVER. Nothing when none is waited for. */
void leg_confirm(struct leg *leg, bool ok);
/* REFER to `target` ("sip:user@host") with Referred-By (NULL: we ourselves). LEG_TRANSFER_PROGRESS, then LEG_TRANSFERRED or LEG_TRANSFER_FAILED
 * within `transfer_ms` of the core. EBUSY while one is under way; ENOTCONN when not up. */
int leg_transfer(struct leg *leg, const char *target, const char *referred_by);
/* The same, to the one at the end of another leg that is up, whose call is taken over there (Replaces). */
int leg_transfer_to(struct leg *leg, const struct leg *other, const char *referred_by);
/* After LEG_REFERRED: NOTIFY with sipfrag; a final status (200 and up) ends the subscription. */
int leg_refer_progress(struct leg *leg, int status);
/* INFO application/dtmf-relay. */
int leg_send_info_digit(struct leg *leg, char digit, unsigned duration_ms);
/* Offers the peer a hold (sendonly) or the end of it. */
int leg_hold(struct leg *leg, bool on);

#endif

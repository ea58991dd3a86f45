/* SPDX-License-Identifier: Apache-2.0 */
/* leg_private.h  A leg as its files share it: leg.c (life, events), leg_in.c, leg_out.c, leg_bye.c, leg_modify.c (re-INVITE, UPDATE, hold),
 * leg_media.c (SDP and the port), leg_info.c (what the INVITE said), leg_request.c (our requests within), leg_digit.c, refer.c. */
#ifndef SIP_LEG_PRIVATE_H
#define SIP_LEG_PRIVATE_H
#include "base/id.h"
#include "media/media.h"
#include "sip/core_private.h"
#include "sip/dialog.h"
#include "sip/leg.h"
#include "sip/offer.h"
#include "sip/uac.h"

enum leg_state {
	LEG_S_OFFERED,   /* in: INVITE came, nothing final said */
	LEG_S_ANSWERING, /* in: 200 sent, ACK awaited */
	LEG_S_CALLING,   /* out: INVITE on its way */
	LEG_S_UP,
	LEG_S_ENDING,    /* the peer's BYE waits for the receipt */
	LEG_S_HANGING,   /* our BYE is on its way */
	LEG_S_OVER,
};

/* A 2xx of ours to an INVITE, repeated until its ACK (RFC 3261 13.3.1.4). */
struct leg_accept {
	struct sip_stx *stx;
	struct buf bytes;
	struct tmr repeat, give_up;
	unsigned repeat_ms;
	uint32_t cseq;
	bool our_offer; /* it carried an offer; the ACK brings the answer */
	bool initial;
};

/* A request of ours within the dialog. */
struct leg_req;
typedef void (leg_req_h)(struct leg *leg, struct leg_req *q, enum sip_uac_event ev, const struct sip_msg *res);
struct leg_req {
	struct link link;
	struct leg *leg; /* NULL once the leg let go */
	struct sip_core *core;
	const char *method;
	uint32_t cseq;
	struct sip_dialog d; /* as it was, copied for ACK and others that outlive the leg */
	struct buf headers, body;
	const char *body_type;
	bool contact;
	struct sip_uac *uac;
	leg_req_h *done;
	unsigned auth_tries;
};

/* A transfer that we ordered, as long as it goes on. */
struct leg_transfer {
	bool accepted, notified;
	struct leg_req *req;
	struct tmr late;
	int last_status;
	struct trust_facts *facts; /* of the REFER's way; NULL before its end */
};
/* RFC 3262. */
enum { LEG_EARLY = 8 };
struct leg_early {
	char tag[64];
	uint32_t rseq; /* the last that we acknowledged; 0: none */
};
struct leg_reliable {
	/* in: their INVITE requires it */
	bool waiting;
	uint32_t rseq;
	struct buf bytes;
	struct tmr repeat, give_up;
	unsigned repeat_ms;
	/* out: the forks that rang, and the first one's answer to our offer */
	struct leg_early early[LEG_EARLY];
	unsigned n_early;
	bool answered;
	char tag[64];
	struct sdp_agreed agreed;
};
/* RFC 4028. */
struct leg_timer {
	uint32_t interval_s;   /* 0: none */
	uint32_t least_s;      /* the peer's Min-SE */
	bool ours;             /* we refresh; else the peer does */
	bool in_response;      /* the request that is being answered speaks of it: so does the answer */
	bool peer_knows, peer_updates; /* Supported: timer; Allow: UPDATE */
	int64_t ends_ms;       /* monotonic: without a refresh until then the call is over */
	struct leg_req *req;   /* our refresh by UPDATE */
};
struct leg_referral {
	bool active, quiet;
};

/* What only a call of ours needs. */
struct leg_out {
	struct leg_req *invite; /* NULL: it is over */
	struct buf said;        /* headers of our INVITE beside the usual, until it is answered */
	struct sip_hop *redirect; /* where a 302 sent our INVITE; NULL: nowhere */
	unsigned redirects;
	unsigned again;         /* how often it was sent anew */
	bool cancel_sent, provisional;
	struct tmr ring;
};

/* How many legs a gateway has: asked at each new call, so it is not counted then. By name, since a new configuration makes new peers. */
struct leg_tally {
	struct hash_entry by_name;
	char name[SIP_PEER_NAME_SIZE];
	unsigned n;
};

struct leg_text;
struct leg {
	struct link link;
	struct hash_entry by_tag;
	struct sip_core *core;
	enum leg_state state;
	uint32_t invite_cseq;   /* in: of the INVITE */
	bool ghost : 1;         /* nobody above knows it: a forked answer being hung up */
	bool prack_wanted : 1;  /* in: their INVITE requires reliable provisional answers */
	bool cancel_wanted : 1, hangup_wanted : 1, over_soon : 1;
	bool agreed_once : 1, held : 1, hold_ours : 1, hold_was : 1; /* hold_was: what our re-INVITE changes; refused: as it was */
	enum sdes_want srtp_want : 8;
	struct leg_referral referral;
	char session[ID_SIZE];
	struct leg_info info;
	struct leg_text *texts;
	leg_event_h *h;
	void *arg;
	struct sip_peer *peer;
	struct leg_tally *tally; /* NULL: it is not in the table */
	const char *identity; /* of ours, shown to the peer; "": the peer's choice */
	int64_t started_ms;
	struct sip_dialog d;
	struct list reqs;
	struct sip_stx *invite; /* in: until its final response */
	struct leg_accept *accept; /* NULL: no 2xx of ours waits for its ACK */
	struct tmr tmr;         /* up: the session's refresh; then: the receipt is late; or it is over soon */
	char *offer;            /* their offer, until answered; NULL: there was none */
	struct leg_out *out;    /* NULL: the call came in */
	char *ack_auth;         /* the lines that proved our INVITE, for its ACK; NULL: none were needed */
	/* ending */
	struct sip_stx *bye;
	char *hangup_reason;
	enum leg_end end;
	int end_status;
	const char *end_reason;
	struct trust_facts *end_facts;
	/* audio */
	struct media_port *port;
	struct sdp_session sdp;
	struct sdes *sdes;      /* NULL: the sound is plain, and nothing else was asked for */
	struct sdp_agreed agreed;
	struct leg_req *modify; /* our re-INVITE */
	struct tmr *again;      /* it met theirs: once more (glare); NULL: it does not run */
	/* transfer */
	struct leg_transfer *transfer; /* NULL: none is under way */
	struct leg_timer timer;
	struct leg_reliable *reliable; /* NULL: none came or went */
};

/* ---- leg.c ---- */
struct leg *leg_make(struct sip_core *core, struct sip_peer *peer, bool incoming, const char *session);
int leg_enter(struct leg *leg); /* into the table by its local tag */
void leg_info_silent(struct leg *leg); /* nothing was said of the call */
void leg_set_state(struct leg *leg, enum leg_state s);
void leg_emit(struct leg *leg, struct leg_event *ev);
/* The end: LEG_ENDING if it was up and somebody else ended it, then LEG_OVER. facts are copied. */
void leg_over(struct leg *leg, enum leg_end end, int status, const char *reason, const struct trust_facts *facts);
/* The same, from the loop: for verbs. */
void leg_over_later(struct leg *leg, enum leg_end end, int status, const char *reason);
bool leg_was_up(const struct leg *leg);

/* ---- leg_text.c ---- */
const char *leg_keep(struct leg *leg, struct text t); /* a copy that lives with the leg, or what is there already; "" without memory */
void *leg_room(struct leg *leg, size_t n);            /* bytes that live with the leg, on a pointer's boundary; NULL */
/* Between the two what an INVITE says is gathered; pointers to it are good from the second one on, when it has moved. */
void leg_texts_begin(struct leg *leg);
void leg_texts_settle(struct leg *leg);
void leg_texts_free(struct leg *leg);

/* ---- leg_media.c ---- */
/* Parsed, or as it was parsed before, when it is the leg's kept offer. Borrowed until anything else is read. */
int leg_offer_read(struct leg *leg, struct text offer, const struct sdp **sdp, struct sip_refusal *why);
/* leg_srtp.c: the leg's keys, made where they are wanted; NULL: plain sound. ENOMEM. */
int leg_srtp_of(struct leg *leg, struct sdes **sp);
void leg_srtp_forget(struct leg *leg);
/* An event where encryption is why nothing was agreed; false: something else is. */
bool leg_srtp_report(struct leg *leg, const struct sip_refusal *why, struct ev_report *report);
void leg_srtp_refused(struct leg *leg, unsigned status, const char *words);
void leg_offer_drop(struct leg *leg); /* the kept one is answered, or will never be */
/* Reads their offer; writes our answer; *agreed is not yet put to work. EPROTO with the refusal. */
int leg_sdp_answer(struct leg *leg, struct text offer, struct buf *out, struct sdp_agreed *agreed, struct sip_refusal *why);
int leg_sdp_offer(struct leg *leg, enum sdp_direction direction, struct buf *out);
int leg_sdp_accept(struct leg *leg, struct text answer, struct sdp_agreed *agreed, struct sip_refusal *why);
/* Starts or changes the port; tells LEG_HELD or LEG_RESUMED when that changed and `tell`. */
int leg_media_apply(struct leg *leg, const struct sdp_agreed *agreed, bool tell);

/* ---- leg_in.c ---- */
/* Sends the 200 and repeats it until its ACK. An error of the way it was to take is none: the ACK will tell. */
int leg_accept_send(struct leg *leg, struct sip_stx *stx, uint32_t cseq, struct text sdp, bool initial, bool our_offer);
void leg_accept_stop(struct leg *leg);
void leg_on_ack(struct leg *leg, const struct sip_msg *ack);
void leg_put_2xx(struct buf *b, void *arg); /* Contact, Allow, Supported; arg is the leg */
void leg_put_session(struct buf *b, void *arg); /* the same, with the session timer */
void leg_invite_dropped(struct leg *leg);
void leg_invite_take(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req);

/* ---- leg_request.c ---- */
/* `headers` are complete lines without CRLF, ended by NULL. *qp (may be NULL) is void after `done` ran with a last event. cseq 0: the next. */
int leg_req_send(struct leg_req **qp, struct leg *leg, const char *method, uint32_t cseq, const char *const *headers, const char *type, struct text body,
                 enum trust_flow flow, leg_req_h *done);
/* Without a body and for nobody to hear of, within a dialog that is not the leg's (which counts CSeq for both). */
int leg_req_send_in(struct leg *leg, const struct sip_dialog *d, const char *method, const char *const *headers);
void leg_req_drop(struct leg_req *q);
void leg_reqs_end(struct leg *leg);
void leg_ack(struct leg *leg, uint32_t cseq);

/* ---- leg_out.c ---- */
void leg_out_drop(struct leg *leg); /* its INVITE is nothing to wait for any more */
void leg_out_free(struct leg *leg);

/* ---- leg_bye.c ---- */
void leg_on_bye(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req);
void leg_bye_send(struct leg *leg, const char *reason);

/* ---- leg_modify.c ---- */
void leg_on_reinvite(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req);
void leg_on_update(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req);

/* ---- leg_reliable.c ---- */
int leg_reliable_ring(struct leg *leg);
void leg_reliable_stop(struct leg *leg);
void leg_reliable_free(struct leg *leg);
void leg_on_prack(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req);
/* A provisional answer to our INVITE: acknowledged where it wants that; false: not to be looked at (repeated, out of order). */
bool leg_reliable_came(struct leg *leg, const struct sip_msg *res, uint32_t cseq);
/* The answer to our offer that came before the 200 of the fork that answered; NULL. */
const struct sdp_agreed *leg_reliable_answer(const struct leg *leg);
void leg_reliable_anew(struct leg *leg); /* the INVITE goes out again */

/* ---- leg_change.c ---- */
/* A re-INVITE that says how we want the session; also the refresh of peers that know no UPDATE. EBUSY. */
int leg_change_send(struct leg *leg);
void leg_change_drop(struct leg *leg);
/* BYE, and over: the other side knows nothing of this call any more (RFC 3261 12.2.1.2, RFC 4028 10). */
void leg_lost(struct leg *leg, int status, const char *sentence);

/* ---- leg_timer.c ---- */
/* A session interval shorter than we take: 422, and true (RFC 4028 9). */
bool leg_timer_too_short(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, struct text to_tag);
/* INVITE, re-INVITE, UPDATE of the peer: what it says of the timer. To be put to work with leg_timer_start() when the 200 is out. */
void leg_timer_asked(struct leg *leg, const struct sip_msg *req);
void leg_timer_put_response(struct leg *leg, struct buf *b);
/* Headers of our INVITE, re-INVITE, UPDATE: for leg_req_send(); points into itself. */
struct leg_timer_lines {
	char expires[64], least[32];
	const char *list[3];
};
const char *const *leg_timer_lines(struct leg *leg, struct leg_timer_lines *lines);
/* Their 2xx. Starts it too. */
void leg_timer_answered(struct leg *leg, const struct sip_msg *res);
/* Their 422: longer from now on; false: it cannot be. */
bool leg_timer_longer(struct leg *leg, const struct sip_msg *res);
void leg_timer_start(struct leg *leg);
void leg_timer_stop(struct leg *leg);

/* ---- leg_digit.c, refer.c ---- */
void leg_on_info(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req);
void leg_on_refer(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req);
void leg_on_notify(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req);
void leg_transfer_drop(struct leg *leg);

/* ---- leg_info.c ---- */
void leg_info_fill(struct leg *leg, const struct sip_msg *invite, const struct sip_path *path);

void leg_info_replaced(struct leg *leg, const struct sip_msg *invite, const struct sip_path *path); /* another one took his place */

/* ---- leg_replace.c ---- */
/* An INVITE with Replaces: dealt with; false: it has none. */
bool sip_leg_replaces(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, struct sip_peer *peer);

/* A reply with a sentence. */
void leg_reply(struct leg *leg, struct sip_stx *stx, unsigned status, const char *sentence);

/* ---- history.c ---- */
/* History-Info into what the INVITE says (out->said); and anew when a 302 sends it to `target`. */
void leg_history_put(struct leg *leg, const struct leg_call_prm *prm);
int leg_history_moved(struct leg *leg, struct text target);

#endif

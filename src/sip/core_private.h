/* SPDX-License-Identifier: Apache-2.0 */
/* core_private.h  The core as the files of this folder share it. */
#ifndef SIP_CORE_PRIVATE_H
#define SIP_CORE_PRIVATE_H
#include "base/hash.h"
#include "base/list.h"
#include "net/conn.h"
#include "net/tmr.h"
#include "net/udp.h"
#include "sip/core.h"
#include "sip/message.h"
#include "sip/note.h"
#include "sip/path.h"
#include "sip/transaction.h"
#include "sip/watch.h"
#include "sip/writer.h"
#include "sip_events.h"

struct sdp;
struct sip_listener {
	struct sip_core *core;
	unsigned index;
	struct udp *udp;
	struct listener *stream;
	struct net_addr local;
};

/* Of a request's History-Info: the entry whose index is the last, and whether all can be read. Its texts are the message's. */
struct sip_history_last {
	bool unreadable;
	struct sip_history entry; /* n_index 0: there is none */
};

struct sip_core {
	struct sip_core_prm prm; /* timers and limits complete */
	struct loop *loop;
	struct ev_bus *bus;
	struct sip_txns *txns;
	struct sip_budget *budget;
	uint8_t tag_key[16]; /* of To tags that are not kept */
	struct sip_listener listener[SIP_LISTENERS];
	struct list conns;
	unsigned n_conns;
	struct list legs, requests, uacs, orphans; /* orphans: requests whose leg is over */
	unsigned n_legs, n_requests;
	struct hash *leg_by_tag, *tally_by_name;
	bool draining, ending;
	struct {              /* the session that was read last, and whose offer it was; NULL: nobody's */
		const struct leg *leg;
		struct sdp *sdp;
	} offer;
	struct leg_gather *gather; /* room for the texts of the INVITE that is being read */
	struct ev_report why; /* room to say why a peer is not known */
	struct sip_msg *msg;  /* room for the message that is being read; NULL while one is */
	struct {              /* the request that is being served, as it was read; NULL: none */
		struct sip_stx *stx;
		const struct sip_msg *req;
		bool history_read; /* all of its History-Info, for the leg; the answers need only: */
		struct sip_history_last history;
	} now;
	uint8_t nonce_key[32]; /* of our challenges */
	struct sip_auth_memory *auth_memory; /* NULL until a login is used */
	int64_t tls_in_reported_ms;
	unsigned tls_in_silent;
	sip_trace_h *tracer;
	void *tracer_arg;
	struct sip_wire wire; /* all NULL while nobody listens */
	struct {
		const char *type, *subtype;
		sip_note_h *h;
		void *arg;
	} note;
	struct {
		struct list list, owners;
		struct hash *by_tag;
		unsigned count;
		struct sip_watch_handlers h;
	} watch;
	struct {
		struct net_addr addr;
		int64_t until_ms;
		int err;
	} no_tcp[16]; /* who did not take TCP, and why: the last few */
	unsigned last_no_tcp;
	uint64_t last_wire_id;
	struct {
		const struct sip_peer *peer; /* never looked into */
		struct net_addr from;
		uint64_t conn;
		int64_t until_ms;
	} came_in[16]; /* ways by which calls were told to come in just now, by peer */
	struct sip_core_stats stats;
	struct {
		struct metric *conns, *opened, *accepted, *transactions, *legs, *invites, *refused, *malformed, *stray, *in, *out, *watches;
	} m;
};

/* ---- path.c ---- */
/* Sends a whole message; the tracer and the TRACE events see it. */
int sip_path_send(struct sip_core *core, const struct sip_path *path, const void *p, size_t n);
/* answer_anew.c: an answer whose connection is gone: over another one, when that is up. ENOTCONN: to nobody that we know. */
int sip_answer_anew(struct sip_core *core, const struct sip_path *path, const void *p, size_t n);
/* The path of datagrams to `to`: the first UDP listener of that family. EAFNOSUPPORT. */
int sip_path_udp(struct sip_core *core, struct sip_path *path, const struct net_addr *to);
/* What the peer is told to find us by: for Via and Contact. */
struct sip_self {
	char host[SIP_HOST_SIZE];
	uint16_t port;
	enum net_transport transport;
};
void sip_self(struct sip_core *core, const struct sip_path *path, struct sip_self *self);
/* "<sip:user@host:port;transport=tls>" */
void sip_put_contact(struct buf *b, const struct sip_self *self, struct text user, bool focus);
enum sip_transport sip_transport_from_net(enum net_transport t);
bool sip_transport_to_net(enum sip_transport t, enum net_transport *out);

/* ---- admit.c ---- */
/* Whose request outside of any call that is: a reference. NULL: it was answered, and nothing is kept. */
struct sip_peer *sip_admit(struct sip_core *core, const struct sip_path *path, const struct sip_msg *req);
/* Refused for want of budget: counted, and told now and then. */
void sip_over_budget(struct sip_core *core, const struct net_addr *addr, enum sip_budget_what what);

/* ---- receive.c ---- */
void sip_receive(struct sip_core *core, const struct sip_path *path, struct text bytes);
/* A stream lost its rhythm: answers what can be answered. */
void sip_receive_bad(struct sip_core *core, const struct sip_path *path, struct text head, const struct sip_refusal *why);

/* ---- reply.c ---- */
struct sip_reply {
	unsigned status;
	const char *phrase;      /* NULL: the usual one */
	struct text to_tag;
	void (*more)(struct buf *b, void *arg); /* writes further headers; may be NULL */
	void *arg;
	const char *sentence;    /* put into a Reason header and Warning for the peer's administrator; may be NULL */
	unsigned retry_after_s;
	const char *body_type;   /* NULL: none */
	struct text body;
	struct buf *keep;        /* gets the bytes (to be sent again); may be NULL */
};
int sip_reply(struct sip_core *core, struct sip_stx *stx, const struct sip_reply *r);
/* Without a transaction (overload, malformed). */
void sip_reply_stateless(struct sip_core *core, const struct sip_path *path, const struct sip_msg *req, const struct sip_reply *r);
void sip_put_capabilities(struct buf *b); /* Allow, Supported */
/* history.c: History-Info of an answer, where the request is of one who understands it. */
void sip_history_answer(struct sip_core *core, struct buf *b, const struct sip_msg *req);
/* One more entry was read, `err` as sip_history_parse() said. */
void sip_history_seen(struct sip_history_last *l, int err, const struct sip_history *h);
extern const struct sip_served sip_served, sip_served_calls, sip_served_notes;

/* ---- who ---- */
/* The peer of a path, a reference; NULL: nobody we know, and `why` says so. */
struct sip_peer *sip_who(struct sip_core *core, const struct sip_path *path, struct ev_report *why);
/* Where a connection's message comes from; over TLS with the facts, which the source borrows. */
void sip_source(struct sip_source *src, struct trust_facts *facts, const struct sip_path *path);
/* Tells the flow handler. */
void sip_flow(struct sip_core *core, struct sip_peer *peer, const struct trust_facts *facts, bool works);
/* Facts of the path a request came by. */
void sip_path_facts(struct sip_core *core, const struct sip_path *path, struct trust_facts *f);
/* "Reason" for people, out of Reason, Warning, ms-diagnostics, into facts. */
void sip_facts_answer(struct trust_facts *f, const struct sip_msg *res);

/* ---- auth.c ---- */
/* The peer need not prove anything, or did; else it is answered 401. */
bool sip_auth_passes(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, const struct sip_peer *peer);
/* Into a 2xx with that body: we know the password, too (Authentication-Info). Nothing where the request proved none. */
void sip_auth_put_proof(struct sip_core *core, struct buf *b, const struct sip_msg *req, const struct sip_path *path, struct text body);

/* ---- note.c ---- */
bool sip_is_note(const struct sip_core *core, const struct sip_path *path, const struct sip_msg *req);
void sip_note_take(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req);

/* ---- subscriptions, called by receive.c ---- */
void sip_watch_new(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, struct sip_peer *peer);
bool sip_watch_is_there(const struct sip_core *core, const struct sip_msg *req);
/* A request within one; false: there is none. */
bool sip_watch_request(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req);
void sip_watches_end(struct sip_core *core);

/* ---- legs, called by receive.c ---- */
void sip_leg_invite(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, struct sip_peer *peer);
/* A request within a dialog; false: no such dialog. stx is NULL for ACK. */
bool sip_leg_is_there(struct sip_core *core, const struct sip_msg *req);
bool sip_leg_request(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req);
/* CANCEL of the INVITE that `stx` is. */
void sip_leg_cancelled(struct sip_stx *invite);
void sip_legs_end(struct sip_core *core);
unsigned sip_legs_of(const struct sip_core *core, const struct sip_peer *peer); /* of that name */
/* The session of the call that a message of it belongs to, by either tag; "" if none. */
const char *sip_session_of(const struct sip_core *core, struct text message);
/* An event with the verdict on what went wrong; facts may be NULL. */
void sip_ev_verdict(struct ev_report *r, const struct trust_facts *facts);
/* The field "what": those of `fields` that say something, with commas between them; a number that is 0 says nothing. The list ends with NULL. */
void sip_ev_what(struct ev_report *r, const char *const *fields);
void sip_orphans_end(struct sip_core *core);
void sip_requests_end(struct sip_core *core);
/* options.c */
void sip_options_answer(struct sip_core *core, struct sip_stx *stx, const struct sip_peer *peer, bool in_dialog);
bool sip_is_ready(struct sip_core *core, const struct sip_peer *peer, struct sip_readiness *r);

void sip_ev(struct sip_core *core, struct ev_report *r, uint16_t id, const char *session);

#endif

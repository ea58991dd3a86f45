/* SPDX-License-Identifier: Apache-2.0 */
/* actor.h  One scripted peer playing one scene of a talk against Umbel, on the stage's clock. It compares what Umbel says with what the scene and
 * the product want, keeps to the rules of transactions where its network loses datagrams, and may go astray at one step. */
#ifndef TESTS_REPLAYED_ACTOR_H
#define TESTS_REPLAYED_ACTOR_H
#include "base/buf.h"
#include "media/media.h"
#include "replayed/referee.h"
#include "replayed/talk.h"
#include "replayed/wire.h"

/* What can be done wrong at a SEND step. Beside each what is expected of Umbel; that it stays sane is expected of all. */
#define ASTRAY_KINDS(X) \
	X(SILENT, "silent")                 /* nothing more is said, for ever */ \
	X(DOUBLED, "doubled")               /* said twice: the conversation goes on as if it were once */ \
	X(REORDERED, "reordered")           /* said after what comes next, or 700 ms late */ \
	X(WRONG_TAG, "wrong-tag")           /* first with another To tag: a request within a dialog gets 481 */ \
	X(WRONG_CSEQ, "wrong-cseq")         /* first with an older CSeq: a request within a dialog gets 500; an answer is passed over */ \
	X(NO_TO_TAG, "no-to-tag")           /* first without To tag: a BYE, INFO, UPDATE, NOTIFY gets 481 */ \
	X(LATE, "late")                     /* 3 s late: an ACK is waited for */ \
	X(GLARE, "glare")                   /* a re-INVITE just before it: gets an answer, whichever */ \
	X(STORM, "storm")                   /* 40 provisional answers before it */ \
	X(NO_FINAL, "no-final")             /* a provisional answer in its place, and no other */ \
	X(CUT, "cut")                       /* the connection is closed before it; then said on another one */ \
	X(GONE, "gone")                     /* ... and never opened again */ \
	X(CANCELLED, "cancelled")           /* an INVITE is cancelled at once: 200, and 487 unless it was answered already */ \
	X(ANSWERED_LATE, "answered-late")   /* an INVITE of Umbel is answered only when it was cancelled: ACK and BYE */ \
	X(OVERLAP, "overlap")               /* two re-INVITEs behind an ACK without waiting: both get an answer */ \
	X(GARBAGE, "garbage")               /* a body that is none */
enum astray_kind {
	ASTRAY_NOT,
#define X(id, name) ASTRAY_##id,
	ASTRAY_KINDS(X)
#undef X
	ASTRAY_COUNT
};
const char *astray_name(enum astray_kind k);

struct astray {
	enum astray_kind kind;
	unsigned step;   /* which SEND of the scene, from 0 */
	bool gives_up;   /* what does not come as written is waited for 8 s; then: nothing more is said. Else the scene goes on */
	bool polite;     /* when the scene is over, requests get answers all the same */
};
/* Whether this can be done at that SEND; judged by its first line and lines. */
bool astray_applies(const struct talk_step *s, enum astray_kind k, const char *transport);
/* Whether the scene must still go as it is written. */
bool astray_strict(const struct talk_step *s, enum astray_kind k);

struct actor;
struct actor_prm {
	const struct talk *talk;
	const struct talk_scene *scene;
	struct astray astray;
	bool lossy;            /* the network loses: what comes in another order, or not at all, is no fault */
	unsigned number;       /* of its own: in names, numbers and tags */
	const char *host;      /* its address */
	SSL_CTX *tls;          /* for TLS; borrowed */
	int epoll_fd;
	int64_t begins_ms;
	int (*lamp)(struct actor *a, unsigned fresh, unsigned old, void *arg);
	void *arg;
};
struct actor *actor_open(const struct actor_prm *prm);
void actor_free(struct actor *a);
unsigned actor_port(const struct actor *a);
const struct actor_prm *actor_prm(const struct actor *a);
/* Where it says what it says; `contact` is Umbel itself, as variables name it. */
void actor_to(struct actor *a, const struct sockaddr_in *to, const struct sockaddr_in *umbel);
/* Something has come for it. */
unsigned actor_poll(struct actor *a, int64_t now_ms);
/* Time has passed. */
void actor_tick(struct actor *a, int64_t now_ms);
bool actor_done(const struct actor *a);
bool actor_waits_for_bye(const struct actor *a);
/* "" or what was not as it should be, with what was said so far. */
const char *actor_difference(struct actor *a);
bool actor_incomplete(const struct actor *a); /* lossy: the scene did not come to its end */
int actor_left(const struct actor *a); /* messages that the scene says it leaves; -1: it does not say */
/* At the end of all: requests that were never answered. */
void actor_close_books(struct actor *a);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* actor_private.h  What the files of the actor share: actor.c (its life and steps), actor_say.c (what it says), actor_astray.c (what it does
 * wrong), actor_hear.c (what it hears and wants), actor_sound.c (its audio and keys).                                    */
#ifndef TESTS_REPLAYED_ACTOR_PRIVATE_H
#define TESTS_REPLAYED_ACTOR_PRIVATE_H
#include "replayed/actor.h"

enum { QUEUE = 48, SEEN = 256, KEPT = 12, EXTRAS = 12 };

/* Something said that may have to be said again: a request until its answer, a 200 to INVITE until its ACK, an answer when it is asked again. */
struct kept {
	char *text;
	size_t n;
	char method[16], branch[128];
	int status; /* 0: a request of ours */
	int conn;
	int64_t next_ms, pause_ms; /* 0: said again only when asked */
};
/* A request beside the scene; its answers are looked after here. */
struct extra {
	char method[16], branch[128];
	unsigned cseq;
	bool done;
};
struct actor {
	struct actor_prm prm;
	struct wire *wire;
	struct sockaddr_in umbel;
	int64_t now_ms, step_ms; /* ... when the step began; 0: not yet */
	unsigned step, sends;
	bool done, silent, lenient, hid_final, incomplete;
	/* the dialog that we began */
	char call_id[160], tag[64], their_tag[128], target[300], branch[100], invite_branch[100];
	unsigned cseq, invite_cseq, branches;
	bool answered, up;
	char acked[240]; /* CSeq and Call-ID of the last ACK heard */
	/* what Umbel asked last */
	struct msg asked;
	struct msg called; /* the last INVITE of Umbel's outside of a call: the dialog that it began */
	/* waiting messages, cut up */
	struct msg queue[QUEUE];
	unsigned n_queue;
	uint64_t seen[SEEN];
	unsigned n_seen;
	struct kept kept[KEPT];
	unsigned n_kept;
	struct kept ack;
	struct extra extra[EXTRAS];
	unsigned n_extra;
	/* said later than it is written */
	char *later;
	size_t later_n;
	int64_t later_ms;
	int later_conn;
	bool until_cancel;
	struct {
		char *text[QUEUE];
		size_t n[QUEUE];
		int conn[QUEUE];
		unsigned count;
	} inbox;
	/* sound */
	int rtp_fd, rtcp_fd;
	unsigned rtp_port;
	struct sockaddr_in rtp_to;
	bool rtp_known;
	uint8_t pt, key_pt;
	uint16_t seq;
	uint32_t stamp;
	int64_t tick_ms;
	unsigned key_phase, key_at;
	struct referee ref;
	struct buf ladder, difference;
};

/* ---- actor.c ---- */
const struct talk_step *actor_step(const struct actor *a); /* NULL: the scene is over */
void actor_note(struct actor *a, bool out, const char *p, size_t n);
/* The first difference counts; the scene is over with it. */
void actor_differs(struct actor *a, unsigned line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void actor_over(struct actor *a);
/* The same, but no fault where the network loses. */
void actor_misses(struct actor *a, unsigned line, const char *wanted, const char *heard);

/* ---- actor_say.c ---- */
void actor_expand(struct actor *a, const char *line, struct buf *out);
void actor_say_step(struct actor *a, const struct talk_step *s);
void actor_answer_rule(struct actor *a, const struct talk_rule *r, const struct msg *m);
/* An answer of our own making to that request. */
void actor_answer_plain(struct actor *a, const struct msg *m, int status, const char *phrase);
void actor_raw(struct actor *a, int conn, const char *p, size_t n, int must, bool excused);
/* {mailbox}, {TRANSPORT} ...; false: no such variable. */
bool actor_name_or_number(struct actor *a, const char *name, struct buf *b);

/* ---- actor_astray.c ---- */
bool step_is_answer(const struct talk_step *s);
bool step_is_method(const struct talk_step *s, const char *method);
/* The message of the step at which it goes astray. */
void actor_say_astray(struct actor *a, const char *text, size_t n, int conn);
/* What was held back. */
void actor_say_later(struct actor *a);
void actor_reinvite(struct actor *a);
void actor_ack_extra(struct actor *a, const struct extra *x, const struct msg *m);
/* BYE in the dialog that we began. */
void actor_bye(struct actor *a);

/* ---- actor_hear.c ---- */
void actor_hear_all(struct actor *a);
/* The HEAR step: true when it is done with. */
bool actor_hear_step(struct actor *a, const struct talk_step *s);
/* Requests that the product always answers alike, while no step hears. */
void actor_answer_by_rule(struct actor *a);
void actor_repeat(struct actor *a);
void actor_queue_drop(struct actor *a, unsigned i);
void actor_keep(struct actor *a, const struct msg *m);

/* ---- actor_sound.c ---- */
void actor_sound_open(struct actor *a);
void actor_sound_close(struct actor *a);
void actor_sound_learn(struct actor *a, const struct msg *m);
/* true: finished */
bool actor_speaks(struct actor *a, int64_t since_ms, int64_t ms);
bool actor_presses(struct actor *a, const char *keys);
bool actor_hears_audio(struct actor *a);
void actor_sound_idle(struct actor *a);

#endif

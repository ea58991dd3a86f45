/* SPDX-License-Identifier: Apache-2.0 */
/* referee.h  What holds for every conversation, whatever product: what each message of Umbel must have, that each request gets one final answer,
 * that sequence numbers rise within a dialog, that nothing is said in it after its end.                                */
#ifndef TESTS_REPLAYED_REFEREE_H
#define TESTS_REPLAYED_REFEREE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message, cut up as far as it is needed. */
struct msg {
	char *text; /* owned, with a NUL behind it */
	size_t n;
	char method[16]; /* of CSeq for an answer */
	int status;      /* 0: a request */
	unsigned cseq;
	char call_id[200], branch[128], from_tag[128], to_tag[128];
	uint64_t print; /* of its bytes: repeated ones are the same */
	int conn;
};
/* false: not even that. `text` is taken over in either case. */
bool msg_read(struct msg *m, char *text, size_t n);
/* The i-th value of that header (as one line), false: there is none. */
bool msg_header(const struct msg *m, const char *name, unsigned i, char *dst, size_t size);
const char *msg_body(const struct msg *m);
void msg_first_line(const struct msg *m, char *dst, size_t size);

enum { REF_ASKED = 96, REF_DIALOGS = 8, REF_4XX = 4 };
struct ref_asked {
	char method[16], branch[128];
	unsigned cseq;
	int final;      /* 0: none yet */
	int must;       /* what it must get: 481 ..., REF_4XX; 0: any */
	bool excused;   /* its answer cannot be expected */
};
struct ref_dialog {
	char call_id[200];
	unsigned cseq; /* of Umbel's last request */
	char method[16];
	bool ended;    /* a BYE was said */
	unsigned offered; /* CSeq of our request with an offer; 0: none */
	char own_tag[128];
	char offer[3000], own[2000]; /* what we offered last; Umbel's last description */
};
struct referee {
	struct ref_asked asked[REF_ASKED];
	unsigned n_asked;
	struct ref_dialog dialog[REF_DIALOGS];
	unsigned n_dialogs;
	char fault[400]; /* the first one */
};
void referee_said(struct referee *r, const struct msg *m, int must, bool excused);
/* Not for repeated ones. `lenient`: what was said was not right itself. */
void referee_heard(struct referee *r, const struct msg *m, bool lenient);
void referee_excuse_all(struct referee *r);
void referee_close(struct referee *r);

#endif

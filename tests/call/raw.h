/* SPDX-License-Identifier: Apache-2.0 */
/* raw.h  A plain socket that talks to core b of a rig with messages written by hand. */
#ifndef TESTS_RAW_H
#define TESTS_RAW_H
#include "call/rig.h"

struct raw {
	struct rig r;
	int fd;
	bool stream;
	unsigned port; /* ours */
	char in[65536];
	char tag[64];  /* of their To, out of the last answer read */
	unsigned cseq;
};

void raw_open(struct raw *x, bool stream);
void raw_close(struct raw *x);
/* All that comes while so much time passes, one message behind the other; their last To tag is kept. */
const char *heard(struct raw *x, int64_t ms);
void say_bytes(struct raw *x, const char *p, size_t n);
/* method, branch, more headers (with CR LF), body */
void say(struct raw *x, const char *method, const char *branch, const char *more, const char *body);
unsigned count(const char *text, const char *what);
/* Answers the request heard last: status, To tag, body ("" for none). */
void answer(struct raw *x, unsigned status, const char *tag, const char *body);

/* The same, with more headers (with CR LF). */
void answer_more(struct raw *x, unsigned status, const char *tag, const char *more, const char *body);

/* Without our own Contact. */
void answer_moved(struct raw *x, unsigned status, const char *more);

#define SDP \
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"

#define wants(x, word) \
	do { \
		if (!strstr((x)->in, word)) \
			fail_msg("wanted '%s' in:\n%s", word, (x)->in); \
	} while (0)

#endif

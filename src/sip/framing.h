/* SPDX-License-Identifier: Apache-2.0 */
/* framing.h  Cuts the bytes of a stream (TCP, TLS) into messages by Content-Length (RFC 3261 18.3, 7.5), and finds the keep-alives of
 * RFC 5626 3.5.1 between them. Bounded: 64 KiB of head, 256 KiB of body. Time is the connection's business.
 *
 *     err = sip_framer_feed(&f, p, n);
 *     while (sip_framer_next(&f, &frame) != SIP_FRAME_MORE) ...
 *
 * After SIP_FRAME_BAD the stream has lost its rhythm: answer if possible, close; the framer says BAD from then on.        */
#ifndef SIP_FRAMING_H
#define SIP_FRAMING_H
#include "base/buf.h"
#include "base/text.h"
#include "sip/refusal.h"

struct sip_framer {
	struct buf in;
	size_t at;        /* what of `in` has been handed out */
	size_t scanned;   /* how far the search for the end of the head has come, counted from `at` */
	size_t need;      /* length of the message once its head is known, else 0 */
	size_t head;      /* ... and of that */
	bool half;        /* the last thing told was a single CR LF: a second one makes it a ping */
	bool bad;
	struct sip_refusal why;
};

enum sip_frame_kind {
	SIP_FRAME_MORE,    /* feed again */
	SIP_FRAME_MESSAGE, /* `message` is complete */
	SIP_FRAME_PING,    /* CR LF CR LF: send a pong (CR LF) */
	SIP_FRAME_PONG,    /* a single CR LF: the answer to our ping, or a blank line between messages */
	SIP_FRAME_BAD,     /* `why`; `message` is the head, or what is there of one that is too large, to build a response from; else empty */
};
struct sip_frame {
	struct text message; /* valid until the next call for this framer */
	struct sip_refusal why;
};

void sip_framer_init(struct sip_framer *f);
void sip_framer_free(struct sip_framer *f);
/* Takes the bytes (copied). 0; ENOMEM, and the stream is lost; EMSGSIZE cannot happen when the caller empties by sip_framer_next() after each feed of at most
 * 64 KiB. After BAD the bytes are dropped. */
int sip_framer_feed(struct sip_framer *f, const void *p, size_t n);
enum sip_frame_kind sip_framer_next(struct sip_framer *f, struct sip_frame *frame);
/* A message has begun and is not complete: the connection's time limit for a whole message applies. */
bool sip_framer_midway(const struct sip_framer *f);
/* Time is over: the head of the message that is not complete, or what there is of it, to answer it. BAD from then on. */
struct text sip_framer_give_up(struct sip_framer *f);

#endif

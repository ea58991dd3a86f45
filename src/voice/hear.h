/* SPDX-License-Identifier: Apache-2.0 */
/* hear.h  One utterance from a port: begins when somebody speaks, ends when he falls silent, and comes whole. Judged on the media thread (level.h): the
 * floor of noise is learnt, at least 200 ms must stand out of it, 700 ms without end it, and it is cut off after 10 s. While the port plays, the
 * caller must be louder than what comes back of a prompt as an echo, so that we don't interrupt ourselves. Keys are none of its business: they
 * come to the port's handler as ever. Loop thread. */
#ifndef VOICE_HEAR_H
#define VOICE_HEAR_H
#include <stdbool.h>
#include <stdint.h>
#include "media/media.h"
#include "net/loop.h"

enum { HEAR_SPEECH_MS = 200, HEAR_END_MS = 700, HEAR_LONGEST_MS = 10000, HEAR_PLAYING_DB = -34 };

struct hear;
enum hear_what {
	HEAR_BEGAN,     /* somebody speaks; the utterance follows */
	HEAR_UTTERANCE, /* pcm, n */
	HEAR_NOTHING,   /* nobody spoke in time */
	HEAR_FAILED,    /* err */
};
struct hear_event {
	enum hear_what what;
	const int16_t *pcm; /* 8 kHz, valid during the call */
	size_t n;
	int err;
};
/* The last of them is any but HEAR_BEGAN; hear is over and freed then. It may stop it, or start another one. */
typedef void (hear_h)(const struct hear_event *ev, void *arg);

struct hear_prm {
	struct loop *loop;
	struct media_port *port;
	uint32_t no_speech_ms; /* counted while nothing is played; 0: 5 s */
	hear_h *handler;
	void *arg;
};
/* *hp is NULL again when it is over and freed: it must live until then. 0; EBUSY: the port records; EAGAIN, ENOMEM. */
int hear_start(struct hear **hp, const struct hear_prm *prm);
/* The handler does not come any more. The port is free for recording when its recording has ended, some 20 ms later. */
void hear_stop(struct hear *h);
/* Each event of the port; true if it was for us. */
bool hear_event(struct hear *h, const struct media_event *ev);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* media_pair.h  Two media ports that talk to each other over loopback, on a clock that the test turns; and what their handlers saw. */
#ifndef TESTS_MEDIA_PAIR_H
#define TESTS_MEDIA_PAIR_H
#include "media/media.h"
#include "net/addr.h"

enum { PAIR_EVENTS = 4096 };

struct pair_side {
	struct media_port *port; /* NULL after MEDIA_CLOSED */
	struct media_event ev[PAIR_EVENTS];
	struct net_addr addr[PAIR_EVENTS];
	unsigned n;
	media_event_h *also;     /* called as well; may be NULL */
	void *arg;
};

struct pair {
	struct clock_fake clock;
	struct media_engine *engine;
	struct pair_side a, b;
};

/* Engine without threads, both ports open on 127.0.0.1 (or ::1) and started with each other: PCMU, keys on 101. */
void pair_open(struct pair *p, bool v6);
/* The same, not started. */
void pair_open_idle(struct pair *p, bool v6);
void pair_start(struct pair *p, struct pair_side *s, const struct net_addr *remote, enum media_codec codec);
/* Closes what is open, and ends the engine. */
void pair_close(struct pair *p);
/* Turns the clock in steps of 20 ms. */
void pair_run(struct pair *p, unsigned ms);
/* The nth (0 = first) event of that type; NULL if there was none. */
const struct media_event *pair_event(const struct pair_side *s, enum media_event_type type, unsigned nth);
unsigned pair_count(const struct pair_side *s, enum media_event_type type);
/* All keys of MEDIA_DIGIT as text. */
const char *pair_digits(const struct pair_side *s);
/* A clip of reproducible sound, and its samples. */
struct media_clip *pair_clip(int16_t *pcm, size_t n, unsigned seed);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* key_ways.h  A key that a gateway sends in more than one way (telephone-event, tone, INFO) counts once. Each press is remembered for a moment with the
 * ways in which it came; the same key by another way within that time is the same press. Pure.                           */
#ifndef DIALOGUE_KEY_WAYS_H
#define DIALOGUE_KEY_WAYS_H
#include <stdbool.h>
#include <stdint.h>

enum key_way { KEY_BY_EVENT, KEY_BY_TONE, KEY_BY_INFO, KEY_WAYS };
enum { KEY_WAYS_PRESSES = 16, KEY_WAYS_MS = 1500, KEY_WAYS_TEXT = 24 };

/* Zero is an empty one. */
struct key_ways {
	struct {
		char digit; /* 0: none */
		uint8_t ways;
		int64_t at_ms;
	} press[KEY_WAYS_PRESSES]; /* a ring; the oldest at `at` */
	unsigned at;
	uint8_t all;        /* ways in which keys have come */
};
/* False: this press has counted already. */
bool key_ways_counts(struct key_ways *k, enum key_way way, char digit, int64_t now_ms);
/* What of "event", "tone" and "info" came, with commas; "" for none. */
const char *key_ways_text(const struct key_ways *k, char text[KEY_WAYS_TEXT]);

#endif

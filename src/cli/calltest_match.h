/* SPDX-License-Identifier: Apache-2.0 */
/* calltest_match.h  A known sound, found in what was heard. Pure. */
#ifndef CLI_CALLTEST_MATCH_H
#define CLI_CALLTEST_MATCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MATCH_ANCHORS = 4, MATCH_PROBE = 64, MATCH_AGAIN = 16000 /* samples: what is looked through once more when more was heard */ };

/* A sound, prepared for the search. */
struct match_sound {
	int16_t *pcm;
	size_t n, piece;
	unsigned anchors;
	struct match_anchor {
		size_t from, n, probe; /* a loud piece, and the loudest place in it */
		int16_t at_probe[MATCH_PROBE]; /* an eighth of the samples there, so that 32 bits hold the sum of their products */
		int64_t energy;        /* of those */
	} anchor[MATCH_ANCHORS];
};

struct match_found {
	size_t at, end;   /* its first sample, and the one behind its last */
	double likeness;  /* 0..1 */
	unsigned gaps_ms; /* how much longer it took than the sound itself: the sender, or who listened, stood still meanwhile */
};

/* The samples go over to the sound; n > 0. */
void match_prepare(struct match_sound *s, int16_t *pcm, size_t n);
void match_free(struct match_sound *s);
/* The earliest place where the whole of it is. */
bool match_find(const struct match_sound *s, const int16_t *heard, size_t n, struct match_found *f);

#endif

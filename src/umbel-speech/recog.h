/* SPDX-License-Identifier: Apache-2.0 */
/* recog.h  Names heard: an utterance in, up to three of the book's entries out, with how sure that is. One thread at a time; what is large in it, the
 * acoustic model and the book, is shared.
 *
 * Every name is compared with the whole utterance (search.h), which is also compared with a loop of phones: how much better anything at all would have
 * fitted tells whether this was any of the names. A caller who says it again is heard together with what he said before: two utterances that
 * are doubtful alone rarely are together, and what he has refused is not offered again. */
#ifndef SPEECH_RECOG_H
#define SPEECH_RECOG_H
#include "umbel-speech/acoustic.h"
#include "umbel-speech/book.h"
#include "umbel-speech/front.h"

struct recog;
/* Keeps a reference of the book and of the model; borrows the front end. 0; ENOMEM; EINVAL: no name of the book can be said with the model's phones. */
int recog_open(struct recog **rp, struct book *book, struct acoustic *model, struct front *front);
void recog_close(struct recog *r);
struct book *recog_book(const struct recog *r);

/* What the decision is made of; for tuning. */
struct recog_score {
	float fit;    /* the whole utterance with the name against the loop of phones, per frame; 0: as good */
	float margin; /* how far the next name is behind, as a logarithm */
	unsigned frames;
};
/* 0 with result (n may be 0: nothing fitted; sure is then SPEECH_REJECT); EINVAL: too short or too long; ENOMEM. `before`: result->memory of what the same
 * caller said before, with what he refused; NULL or empty: nothing. *score may be NULL. */
int recog_hear(struct recog *r, const int16_t *pcm, size_t n, const struct speech_memory *before, struct speech_result *result, struct recog_score *score);

/* The thresholds for a book of that many entries heard through that front end. */
struct recog_limits {
	float confirm;               /* least fit */
	float direct, direct_margin; /* both */
};
struct recog_limits recog_limits(const char *front, unsigned entries);

#endif

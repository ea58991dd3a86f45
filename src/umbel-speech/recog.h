/* SPDX-License-Identifier: Apache-2.0 */
/* recog.h  A decoder for one book: an utterance in, up to three of the book's entries out, with how sure that is. One thread at a time; some
 * 10 MB each. The decoder reads cepstra (front.h) without a normalisation of its own, decodes the utterance whole against the book's sentences, and once
 * more against a loop of phones: how much better anything at all would have fitted tells whether this was any of the names.
 *
 * The settings stand in the code and not in the model's folder, because the feat.params there would override them. */
#ifndef SPEECH_RECOG_H
#define SPEECH_RECOG_H
#include "umbel-speech/book.h"
#include "umbel-speech/front.h"

struct recog;

struct recog_prm {
	const char *model;   /* folder: en-us/mdef ... and cmudict-en-us.dict beside it */
	const char *adapted; /* "DIR/narrow": DIR/narrow.means and .variances stand for the model's, where they are; may be NULL */
	struct front *front; /* borrowed */
};
/* Keeps a reference of the book. 0; ENOENT: no model; ENOMEM; EIO: the decoder doesn't take it. */
int recog_open(struct recog **rp, struct book *book, const struct recog_prm *prm);
void recog_close(struct recog *r);
struct book *recog_book(const struct recog *r);

/* What the measure is made of; for tuning. */
struct recog_score {
	float ratio;     /* name against phone loop, per frame */
	float plain;     /* the name itself, per frame */
	float posterior; /* share of the lattice */
	float sum;       /* what the thresholds are for */
	unsigned frames; /* of the name */
};
/* 0 with result (n may be 0: nothing fitted; sure is then SPEECH_REJECT); EINVAL: too short or too long; ENOMEM; EIO. *score may be NULL. */
int recog_hear(struct recog *r, const int16_t *pcm, size_t n, struct speech_result *result, struct recog_score *score);

/* The thresholds for a book of that many entries heard through that front end. */
struct recog_limits {
	float confirm, direct;
};
struct recog_limits recog_limits(const char *front, unsigned entries);

#endif

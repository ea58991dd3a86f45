/* SPDX-License-Identifier: Apache-2.0 */
/* search.h  Every name of a book against one utterance: how likely the whole utterance is if it holds that name, alone or in a sentence. Nothing is
 * pruned that could be offered, so that names can be compared, and two utterances of one caller be taken together. A search is immutable and
 * may be run by any thread; what a run needs is its own. */
#ifndef SPEECH_SEARCH_H
#define SPEECH_SEARCH_H
#include "umbel-speech/acoustic.h"
#include "umbel-speech/book.h"

struct search;
/* Borrows both. 0; EINVAL: no name can be said with the model's phones; ENOMEM. */
int search_create(struct search **sp, const struct acoustic *a, const struct book *b);
void search_destroy(struct search *s); /* NULL is allowed */

#define SEARCH_NEVER -1e30f
struct search_name {
	float score;       /* of the whole utterance; SEARCH_NEVER: fell behind all others */
	float own;         /* of the name's frames alone */
	uint32_t from, to; /* the name's frames */
};
/* names: book_names() of them. loop: frames + 1; what a loop of phones reaches before each frame. 0 or ENOMEM. */
int search_run(const struct search *s, const float *scores, size_t frames, struct search_name *names, float *loop);

#endif

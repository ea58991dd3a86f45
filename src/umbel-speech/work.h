/* SPDX-License-Identifier: Apache-2.0 */
/* work.h  What is done for a request: text spoken, a grammar learnt, an utterance heard. One struct work a thread; what they share locks itself. */
#ifndef SPEECH_WORK_H
#define SPEECH_WORK_H
#include "umbel-speech/lexicon.h"
#include "voice/speech_msg.h"

struct work_shared;
struct work;

int work_shared_open(struct work_shared **sp);
void work_shared_close(struct work_shared *s);
void work_describe(const struct work_shared *s, struct speech_hello *h);
struct work *work_open(struct work_shared *s); /* NULL without memory */
void work_close(struct work *w);
/* Appends the whole answer, head included. 0, or an errno of speech_put_failed(). */
int work_do(struct work *w, const struct speech_head *h, const uint8_t *body, struct buf *out);

/* Where the word list is: below $UMBEL_SPEECH_MODEL, or where the packages put it. ENOENT, EPROTO, ENOMEM. */
int work_lexicon(struct lexicon **lp);

#endif

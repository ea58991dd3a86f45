/* SPDX-License-Identifier: Apache-2.0 */
/* learn.h  Gradient descent for front_net.h: Adam on the squared error of cepstra, one thread, the same numbers every time. */
#ifndef SPEECH_LEARN_H
#define SPEECH_LEARN_H
#include "channel.h"
#include "umbel-speech/front_net.h"

enum { LEARN_BATCH = 128 };

struct learner;
/* Fills the network with small random numbers; borrows it until the end. `scale`: what each cepstrum's error is divided by. */
int learner_create(struct learner **lp, struct net *n, const float scale[NET_OUT], struct chance *chance);
void learner_destroy(struct learner *l);
/* Where the next batch's inputs (LEARN_BATCH rows of net->in), wishes (rows of NET_OUT) and weights go. */
float *learner_in(struct learner *l);
float *learner_want(struct learner *l);
float *learner_weight(struct learner *l);
/* One step with what was filled in; the mean weighted squared error before it. */
double learner_step(struct learner *l, float rate);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* adapt.h  Tells the acoustic model what the network's cepstra look like.
 *
 * Where the telephone left nothing to guess from, the network gives a middle of what it could have been; the model's densities know nothing of
 * that. So each frame's share of each density is taken from its wide-band cepstra, and the density's mean and variance from what the network made
 * of the same frame on a telephone line. (Known as single-pass retraining: P. Woodland et al., 1996.) Which words were said is not needed.      */
#ifndef SPEECH_ADAPT_H
#define SPEECH_ADAPT_H
#include "corpus.h"

/* `model`: the folder with means and variances; `out`: a prefix, to which ".means" and ".variances" are added. */
int adapt_model(const struct corpus *c, const struct net *n, const char *model, const char *out, uint64_t seed);

#endif

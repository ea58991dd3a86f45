/* SPDX-License-Identifier: Apache-2.0 */
/* front_net.h  The network that guesses wide-band cepstra from the narrow band, and the file that it is kept in.
 *
 * Input: 2 * context + 1 frames of log mel bands (front_mel.h); two layers of rectified units, then a linear one beside which a
 * linear map of the input runs; then a factor for each cepstrum, because a guess varies less than what is guessed.
 *
 *   "UMBELEAR" | version | bands | context | hidden 1 | hidden 2 | cepstra | the numbers as float32 | SipHash-2-4 of all before, key 0
 *
 * all little endian. Made by src/umbel-speech/train (make speech-model), read once by each decoder. The sum finds damage, not malice.  */
#ifndef FRONT_NET_H
#define FRONT_NET_H
#include <stddef.h>
#include <stdint.h>
#include "umbel-speech/front_mel.h"

enum {
	NET_VERSION = 1,
	NET_OUT = 13,
	NET_OUT_ROOM = 16, /* rows of 13 are kept as rows of 16, the last three nothing */
	NET_CONTEXT_MAX = 12,
	NET_HIDDEN_MAX = 1024,
	NET_FILE_MAX = 16 << 20,
};

/* Dense row-major matrices within one block; the trainer writes them directly. */
struct net {
	unsigned context, hidden1, hidden2;
	size_t in, count; /* inputs; numbers in all */
	float *numbers;   /* the block: what follows points into it, in this order */
	float *in_scale;  /* MEL_BANDS */
	float *w1, *b1;   /* in x hidden1 */
	float *w2, *b2;   /* hidden1 x hidden2 */
	float *w3, *b3;   /* hidden2 x NET_OUT_ROOM */
	float *skip;      /* in x NET_OUT_ROOM */
	float *out_scale; /* NET_OUT_ROOM */
};

/* Zeros. EINVAL: context over NET_CONTEXT_MAX, or hidden layers that are not multiples of 16 up to NET_HIDDEN_MAX. */
int net_create(struct net **np, unsigned context, unsigned hidden1, unsigned hidden2);
void net_destroy(struct net *n); /* NULL is allowed */
/* EPROTO: not such a file, another version, dimensions that do not fit, a number that is none, a sum that is wrong. */
int net_parse(struct net **np, const void *file, size_t size);
/* *file is the caller's (mem_free). */
int net_print(const struct net *n, void **file, size_t *size);
/* Spreads frame `at` of `frames` and its neighbours over in[0 .. n->in); at the edges the last frame stands for what is not there. */
void net_input(const struct net *n, float *in, const float *bands, size_t frames, size_t at);
/* out: `frames` rows of NET_OUT. 0 or ENOMEM. */
int net_apply(const struct net *n, const float *bands, size_t frames, float (*out)[NET_OUT]);

#endif

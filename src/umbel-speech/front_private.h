/* SPDX-License-Identifier: Apache-2.0 */
/* front_private.h  What a kind of front end is made of. */
#ifndef SPEECH_FRONT_PRIVATE_H
#define SPEECH_FRONT_PRIVATE_H
#include "umbel-speech/front.h"

struct front_kind {
	const char *name;
	int (*cepstra)(struct front *f, const int16_t *pcm, size_t n, float (**cep)[FRONT_CEPSTRA], size_t *frames);
	void (*close)(struct front *f);
};
/* The first member of each kind's own. */
struct front {
	const struct front_kind *kind;
};

int front_stock_open(struct front **fp);                       /* front_stock.c */
int front_trained_open(struct front **fp, const char *path);   /* front_trained.c; ENOTSUP: not built in */

#endif

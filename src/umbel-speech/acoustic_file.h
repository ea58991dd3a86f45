/* SPDX-License-Identifier: Apache-2.0 */
/* acoustic_file.h  The files of an acoustic model of Sphinx: mdef (which senones a phone has among its neighbours), means and variances, sendump (the
 * weights of the densities), transition matrices. Every number in them is doubted. */
#ifndef SPEECH_ACOUSTIC_FILE_H
#define SPEECH_ACOUSTIC_FILE_H
#include <stdbool.h>
#include "umbel-speech/acoustic.h"

enum { ACOUSTIC_STREAMS = 3, ACOUSTIC_BOOKS_MAX = 64, ACOUSTIC_NAME = 8 };

struct acoustic_file {
	unsigned phones, senones, books, densities, transitions, silence;
	char name[ACOUSTIC_BOOKS_MAX][ACOUSTIC_NAME];
	uint8_t *book; /* of each senone: that of its phone */
	float *mean, *variance;    /* [book][stream][density][FRONT_CEPSTRA] */
	uint8_t *weight;           /* [stream][density][senone] */
	float *transition;         /* [transitions][state][state + 1] */
	uint8_t *mdef;             /* the whole file, into which these point */
	size_t tree, nodes, entries, n_entries, sequences, n_sequences;
};
int acoustic_file_read(struct acoustic_file *f, const char *folder, const char *adapted);
/* Frees all but what the two below need. */
void acoustic_file_forget(struct acoustic_file *f);
void acoustic_file_free(struct acoustic_file *f);
bool acoustic_file_unit(const struct acoustic_file *f, struct acoustic_unit *u, unsigned place, unsigned phone, unsigned left, unsigned right);
void acoustic_file_alone(const struct acoustic_file *f, struct acoustic_unit *u, unsigned phone);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* library.h  What one gets from pocketsphinx as it comes: its own front end on sound at 16 kHz, its settings, its decoder, the same names in the same
 * sentences. One name or none. For comparison only. */
#ifndef BENCH_LIBRARY_H
#define BENCH_LIBRARY_H
#include "umbel-speech/book.h"

struct library;
/* NULL: it does not take the book. */
struct library *library_open(const char *model, const struct book *b);
void library_close(struct library *l);
int library_hear(struct library *l, const int16_t *pcm, size_t n, struct speech_result *result);

#endif

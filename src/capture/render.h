/* SPDX-License-Identifier: Apache-2.0 */
/* render.h  A judged conversation as JSON, from which the sentences for people are made too.                             */
#ifndef CAPTURE_RENDER_H
#define CAPTURE_RENDER_H
#include <jansson.h>
#include "capture/judge.h"

/* NULL without memory. */
json_t *cap_render_talk(const struct cap_book *b, const struct cap_talk *t, const struct cap_judgement *j);
json_t *cap_render_asked(const struct cap_asked *a, const struct cap_judgement *j);
/* The sentence of one note. */
const char *cap_note_words(unsigned bit);

#endif

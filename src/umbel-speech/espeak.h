/* SPDX-License-Identifier: Apache-2.0 */
/* espeak.h  espeak-ng as a program: a line in, the same line as phones of the International Phonetic Alphabet out. How it speaks: tongue.h. */
#ifndef SPEECH_ESPEAK_H
#define SPEECH_ESPEAK_H
#include "base/text.h"

typedef void (espeak_line_h)(size_t line, struct text ipa, void *arg);

/* `voice`: as speaker_voice_good() has them. `words`: one a line. 0; ENOENT: it isn't installed; ETIMEDOUT; EPROTO: it gave other lines than it got;
 * errno. */
int espeak_run(const char *voice, struct text words, espeak_line_h *h, void *arg);

#endif

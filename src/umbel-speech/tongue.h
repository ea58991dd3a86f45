/* SPDX-License-Identifier: Apache-2.0 */
/* tongue.h  A text spoken in its own language by espeak-ng, as the prompts of that language were when they were built: 8 kHz, the silence around it
 * trimmed, speech at -22 dBov. Any thread; costs some 20 ms.                                                             */
#ifndef SPEECH_TONGUE_H
#define SPEECH_TONGUE_H
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

enum { TONGUE_LIMIT_MS = 1500 /* a caller waits in silence */ };

/* `voice` as speaker_voice_good() has it. *pcm is the caller's (mem_free). EINVAL: nothing in the text can be said; ENOENT: espeak-ng isn't installed;
 * ENOTSUP: it doesn't know the voice; ETIMEDOUT; EPROTO: it wrote no sound; ENOMEM; errno. */
int tongue_say(const char *voice, struct text text, int16_t **pcm, size_t *n);
/* What espeak-ng is given of a text: UTF-8 that is some, in one line; without control characters and without brackets, which begin its own
 * commands. ENODATA: no letter or digit is left; ENOMEM, EMSGSIZE. */
int tongue_clean(struct text text, struct buf *out);

#endif

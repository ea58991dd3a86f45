/* SPDX-License-Identifier: Apache-2.0 */
/* speak.h  Text to sound by flite's voice slt: 8 kHz, and the 16 kHz of the voice beside it, low-passed, the silence around it trimmed, speech at -22 dBov. Used when prompts
 * are built and for names at run time. One text at a time: flite has state of its own, so calls wait for each other; they
 * take about a hundredth of the speech's duration. Never on the loop.                                                  */
#ifndef VOICE_SPEAK_H
#define VOICE_SPEAK_H
#include <stddef.h>
#include <stdint.h>
#include "media/clip.h"

enum { SPEAK_TEXT_MAX = 2000, SPEAK_LEVEL_DB = -22 };

/* Accents are folded (flite reads ASCII only); what cannot be read is left out. EINVAL: nothing left to say, or too long. ENOTSUP: the
 * voice is not there. ENOMEM. A text of sounds between slashes (base/phones.h) is said as one word. */
int speak_text(struct media_clip **cp, const char *text);
/* The same as samples at 8 kHz: the caller's (mem_free). */
int speak_pcm(int16_t **pcm, size_t *n, const char *text);
/* The same care for samples of 8 kHz that something else made of `text`, in place: silence around them trimmed, a pause behind a full stop kept,
 * levelled. How many are left. */
size_t speak_care(int16_t *pcm, size_t n, const char *text);
/* And the same done to twice as many samples of the same sound at 16 kHz. */
size_t speak_care_both(int16_t *pcm, size_t n, int16_t *wide, const char *text);
/* "Zoë Müller-Łukasz" -> "Zoe Mueller-Lukasz"; dst is cut. Returns the length. */
size_t speak_fold(const char *utf8, char *dst, size_t size);

#endif

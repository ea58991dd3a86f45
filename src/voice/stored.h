/* SPDX-License-Identifier: Apache-2.0 */
/* stored.h  The forms in which recordings lie in a store, and the way from one to another: samples of G.711, linear samples, Opus in Ogg (RFC 7845), MP3.
 * libsndfile does the work. What is read here was written here: no stranger's file comes this way (for those there is sound_file.h, in other programs).
 * Takes its time: worker threads. Pure, but for memory.                                                                  */
#ifndef VOICE_STORED_H
#define VOICE_STORED_H
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/text.h"

/* The numbers are stored: new ones come last. The first four have no head: one byte a sample, or two in little endian. */
enum stored_form { STORED_PCMU, STORED_PCMA, STORED_L16, STORED_L16_WIDE, STORED_OPUS, STORED_MP3, STORED_FORMS };
enum { STORED_SECONDS_MAX = 6100 };

const char *stored_name(enum stored_form f);   /* "PCMU", "L16/16k", "opus", "mp3" */
/* Of a file that holds it (umbel message export, mail): ".wav", ".opus", ".mp3", and its MIME type. The first four become WAV files. */
const char *stored_suffix(enum stored_form f);
const char *stored_mime(enum stored_form f);
/* The form that a file's name asks for: STORED_L16 for .wav and what isn't known. */
enum stored_form stored_of_name(struct text name);

/* Linear samples of a rate of 8000 or 16000, appended to out. The linear forms take the rate that they are of; G.711 is always 8000. 0, ENOMEM, EINVAL
 * (no samples, or too many), EMSGSIZE (out's ceiling), ENOTSUP: this machine's libsndfile cannot write that. */
int stored_make(enum stored_form f, const int16_t *pcm, size_t n, unsigned rate, struct buf *out);
/* The samples of a recording, to be freed by mem_free(), at 8000 or 16000. EBADMSG: it is damaged. */
int stored_read(enum stored_form f, const uint8_t *p, size_t n, int16_t **pcm, size_t *n_samples, unsigned *rate);
/* A WAV file of linear samples, appended. */
int stored_wav(const int16_t *pcm, size_t n, unsigned rate, struct buf *out);

#endif

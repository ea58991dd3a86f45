/* SPDX-License-Identifier: Apache-2.0 */
/* sound_file.h  Reads a sound file of any kind that libsndfile knows (WAV, FLAC, Ogg, AIFF, AU ...) as what a telephone can play. Not for the server's
 * process: it parses whatever it is given. Any thread.                                                                  */
#ifndef VOICE_SOUND_FILE_H
#define VOICE_SOUND_FILE_H
#include <stddef.h>
#include <stdint.h>

enum { SOUND_FILE_SECONDS = 300 };

/* Mono samples of 8 kHz, to be freed by mem_free(); channels are averaged. EBADMSG: no sound file, or it is damaged; EFBIG: longer than
 * SOUND_FILE_SECONDS; ENODATA: there is no sound in it; ENOENT and the like; ENOMEM. `why` is the library's reason, "" if it has none. */
int sound_file_read(const char *path, int16_t **pcm, size_t *n, char *why, size_t size);
/* The same at another rate. */
int sound_file_read_at(unsigned rate, const char *path, int16_t **pcm, size_t *n, char *why, size_t size);

#endif

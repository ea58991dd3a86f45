/* SPDX-License-Identifier: Apache-2.0 */
/* calltest_audio.h  What the test caller hears: kept whole, searched for sounds that are known, written to WAV files. */
#ifndef CLI_CALLTEST_AUDIO_H
#define CLI_CALLTEST_AUDIO_H
#include <pthread.h>
#include "base/buf.h"
#include "cli/calltest_match.h"
#include "media/media.h"

/* A sink for media_record() in MEDIA_L16; appended to by the engine's file thread, read by the loop. */
struct ear {
	struct media_sink sink;
	pthread_mutex_t lock;
	struct buf pcm;   /* L16, host order */
	size_t mark;      /* sample where the running WAV recording begins */
};

void ear_init(struct ear *e);
void ear_free(struct ear *e);
size_t ear_samples(struct ear *e);
/* Looks for the sound in what was heard from sample `from` on. False with f->at where the next look may begin, when more was heard: what lies
 * before has been seen. */
bool ear_heard(struct ear *e, size_t from, const struct match_sound *sound, struct match_found *f);
/* Writes samples from..to (to = SIZE_MAX: all) as a WAV file of 16 bits, 8 kHz. 0 or errno. */
int ear_write(struct ear *e, size_t from, size_t to, const char *path);
/* The samples of a clip, decoded; mem_free. NULL without memory. */
int16_t *clip_pcm(const struct media_clip *c, size_t *n);

#endif

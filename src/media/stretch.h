/* SPDX-License-Identifier: Apache-2.0 */
/* stretch.h  Speech slower or faster at the same pitch (WSOLA: W. Verhelst, M. Roelands, ICASSP 1993): overlapping pieces are laid at
 * another distance, each taken from where it continues the one before best. Nothing happens on the tick: a worker makes a second clip. */
#ifndef MEDIA_STRETCH_H
#define MEDIA_STRETCH_H
#include "media/clip.h"

enum { MEDIA_STRETCH_MIN = 40, MEDIA_STRETCH_MAX = 250, MEDIA_GAIN_MAX = 30 };

/* percent 150: half as long again is heard in the same time. 100 is a reference to the clip itself. Any thread; some 10 ms of work a minute
 * of audio. 0, ENOMEM, EINVAL (percent outside the limits). */
int media_clip_stretch(struct media_clip **cp, struct media_clip *c, unsigned percent);
/* The rest of a clip from `ms` on, without a copy; it holds the clip. EINVAL: nothing is left there. */
int media_clip_from(struct media_clip **cp, struct media_clip *c, uint32_t ms);

/* Louder or softer, as a clip of its own likewise: a tick costs the same whatever the volume is. Peaks above half of full scale are bent, not cut. gain_db 0 is a
 * reference to the clip itself. Any thread. 0, ENOMEM, EINVAL (beyond +-MEDIA_GAIN_MAX). */
int media_clip_gain(struct media_clip **cp, struct media_clip *c, int gain_db);

#endif

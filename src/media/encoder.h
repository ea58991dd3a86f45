/* SPDX-License-Identifier: Apache-2.0 */
/* encoder.h  Clips encoded for codecs that cost something: once, in a thread of its own that gives way to the media threads, for all who play them.
 * Until a clip is ready each port encodes it for itself (utter.h), so nobody waits; what finds no room here stays so.     */
#ifndef MEDIA_ENCODER_H
#define MEDIA_ENCODER_H
#include <stdbool.h>
#include "media/clip.h"

struct encoder;
/* Without a thread, encoder_step() does the work. 0, ENOMEM, EAGAIN. */
int encoder_create(struct encoder **ep, bool thread);
/* What was begun is ended, the rest let go. NULL is allowed. */
void encoder_destroy(struct encoder *e);
/* Any thread but those of media: takes a lock. Only the first wish for a codec counts. G.722 is encoded by each port for itself (utter.c says why): for it
 * the clip is only made wide, where it can be. */
void encoder_wish(struct encoder *e, struct media_clip *clip, enum media_codec codec);
void encoder_step(struct encoder *e);

#endif

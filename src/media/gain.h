/* SPDX-License-Identifier: Apache-2.0 */
/* gain.h  Quiet speech made louder, slowly, so that messages are alike in loudness: up to GAIN_MOST_DB, never softer than it came, and never into
 * clipping: a frame waits until the next one is known, and the gain comes down before a loud sound, not in it. Noise and silence leave the gain as
 * it is. 20 ms late. Pure; 8,000 samples a second.                                                                       */
#ifndef MEDIA_GAIN_H
#define MEDIA_GAIN_H
#include <stdbool.h>
#include <stdint.h>
#include "media/clip.h"

enum { GAIN_MOST_DB = 18, GAIN_TARGET_DB = -20 }; /* dBov that speech is brought to */

struct gain {
	unsigned n;           /* samples a frame */
	bool waiting;
	double now, wanted;   /* factors: at the end of what went out; where it goes */
	double mean;          /* power of speech, as a share of full scale; 0: none was heard */
	double room;          /* factor that the waiting frame bears */
	int16_t frame[MEDIA_FRAME_WIDE];
};
/* n: samples a frame, MEDIA_FRAME or MEDIA_FRAME_WIDE. */
void gain_init(struct gain *g, unsigned n);
/* Takes a frame and gives the one before; false: there was none yet. `speech`: somebody speaks in it. */
bool gain_frame(struct gain *g, const int16_t *in, bool speech, int16_t *out);
/* The one that waits. */
bool gain_last(struct gain *g, int16_t *out);

#endif

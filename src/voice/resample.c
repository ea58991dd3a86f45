/* SPDX-License-Identifier: Apache-2.0 */
/* resample.c  libsamplerate, in one piece. */
#include "voice/resample.h"
#include <errno.h>
#include <math.h>
#include <samplerate.h>
#include "base/mem.h"
#include "media/clip.h"

int resample_8k(const float *in, size_t n, unsigned rate, int16_t **pcm, size_t *n_out)
{
	return resample_to(MEDIA_RATE, in, n, rate, pcm, n_out);
}

int resample_to(unsigned to, const float *in, size_t n, unsigned rate, int16_t **pcm, size_t *n_out)
{
	double ratio = (double)to / rate;
	size_t room = (size_t)((double)n * ratio) + 64;
	float *out = mem_alloc(room * sizeof *out);
	int16_t *p = mem_alloc(room * sizeof *p);
	int err = out && p ? 0 : ENOMEM;
	SRC_DATA d = { .data_in = in, .data_out = out, .input_frames = (long)n, .output_frames = (long)room, .src_ratio = ratio };
	if (!err && src_simple(&d, SRC_SINC_MEDIUM_QUALITY, 1))
		err = ENOMEM; /* the ratio is in its bounds, so nothing else is left */
	for (long i = 0; !err && i < d.output_frames_gen; i++) {
		float v = out[i] * 32767.f;
		p[i] = (int16_t)lrintf(v > 32767.f ? 32767.f : v < -32768.f ? -32768.f : v);
	}
	mem_free(out);
	if (!err && !d.output_frames_gen)
		err = ENODATA;
	if (err) {
		mem_free(p);
		return err;
	}
	*pcm = p;
	*n_out = (size_t)d.output_frames_gen;
	return 0;
}

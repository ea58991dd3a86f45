/* SPDX-License-Identifier: Apache-2.0 */
/* sound_file.c  libsndfile reads. */
#include "voice/sound_file.h"
#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/text.h"
#include "media/clip.h"
#include "voice/resample.h"

enum { CHANNELS_MAX = 8, RATE_MIN = 4000, RATE_MAX = 192000, BLOCK = 4096 };

/* All frames as mono; *n holds how many there are. What a header promises is not believed: as much is kept as really comes. */
static int read_mono(SNDFILE *f, const SF_INFO *info, float **out, size_t *n)
{
	size_t limit = (size_t)info->samplerate * SOUND_FILE_SECONDS, room = 0, used = 0, channels = (size_t)info->channels;
	float block[BLOCK * CHANNELS_MAX], *mono = NULL;
	sf_count_t got;
	int err = 0;
	while (!err && (got = sf_readf_float(f, block, BLOCK)) > 0) {
		if (used + (size_t)got > limit) {
			err = EFBIG;
			break;
		}
		if (used + (size_t)got > room) {
			room = room ? 2 * room : 16 * BLOCK;
			float *more = mem_realloc(mono, room * sizeof *more);
			if (!more) {
				err = ENOMEM;
				break;
			}
			mono = more;
		}
		for (size_t i = 0; i < (size_t)got; i++) {
			float sum = 0;
			for (size_t c = 0; c < channels; c++)
				sum += block[i * channels + c];
			mono[used++] = isfinite(sum) ? sum / (float)channels : 0;
		}
	}
	if (err) {
		mem_free(mono);
		return err;
	}
	*out = mono;
	*n = used;
	return used ? 0 : ENODATA;
}

int sound_file_read(const char *path, int16_t **pcm, size_t *n, char *why, size_t size)
{
	return sound_file_read_at(MEDIA_RATE, path, pcm, n, why, size);
}

int sound_file_read_at(unsigned rate, const char *path, int16_t **pcm, size_t *n, char *why, size_t size)
{
	SF_INFO info = { 0 };
	float *mono = NULL;
	size_t frames = 0;
	text_fill(why, size, "");
	FILE *there = fopen(path, "re");
	if (!there)
		return errno;
	fclose(there);
	SNDFILE *f = sf_open(path, SFM_READ, &info);
	if (!f) {
		text_fill(why, size, sf_strerror(NULL));
		return EBADMSG;
	}
	int err = info.channels < 1 || info.channels > CHANNELS_MAX || info.samplerate < RATE_MIN || info.samplerate > RATE_MAX ? ENOTSUP : 0;
	if (err)
		text_print(why, size, "%d channels at %d Hz", info.channels, info.samplerate);
	if (!err)
		err = read_mono(f, &info, &mono, &frames);
	if (!err)
		err = resample_to(rate, mono, frames, (unsigned)info.samplerate, pcm, n);
	mem_free(mono);
	sf_close(f);
	return err;
}

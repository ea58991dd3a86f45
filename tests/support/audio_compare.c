/* SPDX-License-Identifier: Apache-2.0 */
/* audio_compare.c  umbel-audio-compare A.wav B.wav [MAX-LAG-MS [LEAST-CORRELATION]]: prints how alike two recordings are and by how much B is
 * later, as one JSON line. Exit 0 if the correlation is at least LEAST (0.7), 1 if not, 2 if a file cannot be read.    */
#include "audio.h"
#include "base/mem.h"
#include "voice/wav.h"

static int16_t *read_or_die(const char *path, size_t *n)
{
	int16_t *pcm;
	int err = wav_read(path, &pcm, n);
	if (!err)
		return pcm;
	fprintf(stderr, "%s: %s\n", path, strerror(err));
	exit(2);
}

int main(int argc, char **argv)
{
	if (argc < 3 || argc > 5) {
		fprintf(stderr, "usage: umbel-audio-compare A.wav B.wav [MAX-LAG-MS [LEAST-CORRELATION]]\n");
		return 2;
	}
	size_t na, nb;
	int16_t *a = read_or_die(argv[1], &na), *b = read_or_die(argv[2], &nb);
	long max_lag = (argc > 3 ? strtol(argv[3], NULL, 10) : 3000) * (MEDIA_RATE / 1000);
	double least = argc > 4 ? strtod(argv[4], NULL) : 0.7;
	struct audio_match m = audio_compare(a, na, b, nb, max_lag);
	printf("{\"correlation\":%.4f,\"lag_ms\":%.2f,\"overlap_ms\":%zu,\"a_ms\":%zu,\"b_ms\":%zu,\"a_rms\":%.0f,\"b_rms\":%.0f}\n", m.correlation,
		(double)m.lag * 1000 / MEDIA_RATE, m.overlap / 8, na / 8, nb / 8, audio_rms(a, na), audio_rms(b, nb));
	mem_free(a);
	mem_free(b);
	return m.correlation >= least ? 0 : 1;
}

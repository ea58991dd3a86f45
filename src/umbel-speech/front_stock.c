/* SPDX-License-Identifier: Apache-2.0 */
/* front_stock.c  The acoustic model's own front end, on speech brought to 16 kHz: the upper half of its band stays empty. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sphinxbase/cmd_ln.h>
#include <sphinxbase/fe.h>
#include "base/mem.h"
#include "umbel-speech/front_private.h"

enum { HALF_TAPS = 16 };

struct stock {
	struct front front;
	cmd_ln_t *config;
	fe_t *fe;
	float tap[2 * HALF_TAPS]; /* between two samples: windowed sinc at the odd half steps */
};

static void taps(struct stock *s)
{
	float sum = 0;
	for (int i = 0; i < 2 * HALF_TAPS; i++) {
		double t = i - HALF_TAPS + 0.5, x = M_PI * t;
		s->tap[i] = (float)(sin(x) / x * (0.54 + 0.46 * cos(x / HALF_TAPS)));
		sum += s->tap[i];
	}
	for (int i = 0; i < 2 * HALF_TAPS; i++)
		s->tap[i] /= sum;
}

static int16_t clamp(float v)
{
	return (int16_t)lrintf(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
}

static void twice(const struct stock *s, const int16_t *in, size_t n, int16_t *out)
{
	for (size_t i = 0; i < n; i++) {
		float sum = 0;
		for (int k = 0; k < 2 * HALF_TAPS; k++) {
			ptrdiff_t at = (ptrdiff_t)i + k - HALF_TAPS + 1;
			if (at >= 0 && at < (ptrdiff_t)n)
				sum += s->tap[k] * in[at];
		}
		out[2 * i] = in[i];
		out[2 * i + 1] = clamp(sum);
	}
}

/* What fe has computed becomes ours, with the frame that was still under way. */
static int collect(struct stock *s, mfcc_t **block, int32 n_block, float (**cep)[FRONT_CEPSTRA], size_t *frames)
{
	mfcc_t last[FRONT_CEPSTRA];
	int32 n_last = 0;
	fe_end_utt(s->fe, last, &n_last);
	size_t n = (size_t)(n_block > 0 ? n_block : 0), all = n + (n_last > 0);
	if (!all)
		return ENODATA;
	float(*c)[FRONT_CEPSTRA] = mem_alloc(all * sizeof *c);
	if (!c)
		return ENOMEM;
	for (size_t i = 0; i < n; i++)
		memcpy(c[i], block[i], sizeof *c);
	if (n_last > 0)
		memcpy(c[n], last, sizeof *c);
	front_zero_mean(c, all);
	*cep = c;
	*frames = all;
	return 0;
}

static int stock_cepstra(struct front *f, const int16_t *pcm, size_t n, float (**cep)[FRONT_CEPSTRA], size_t *frames)
{
	struct stock *s = (struct stock *)f;
	int16_t *wide = mem_alloc(2 * n * sizeof *wide);
	mfcc_t **block = NULL;
	int32 n_block = 0;
	if (!wide)
		return ENOMEM;
	twice(s, pcm, n, wide);
	fe_start_stream(s->fe);
	int err = fe_start_utt(s->fe) < 0 || fe_process_utt(s->fe, wide, 2 * n, &block, &n_block) < 0 ? EIO : 0;
	if (!err)
		err = collect(s, block, n_block, cep, frames);
	if (block)
		fe_free_2d(block);
	mem_free(wide);
	return err;
}

static void stock_close(struct front *f)
{
	struct stock *s = (struct stock *)f;
	if (s->fe)
		fe_free(s->fe);
	if (s->config)
		cmd_ln_free_r(s->config);
	mem_free(s);
}

static const struct front_kind stock = { "stock", stock_cepstra, stock_close };

int front_stock_open(struct front **fp)
{
	/* as the model's feat.params say */
	const char *argv[] = { "umbel-speech", "-samprate", "16000", "-lowerf", "130", "-upperf", "6800", "-nfilt", "25", "-transform", "dct", "-lifter", "22",
		         "-remove_noise", "yes", "-remove_silence", "yes" };
	struct stock *s = mem_zalloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	s->front.kind = &stock;
	taps(s);
	s->config = cmd_ln_parse_r(NULL, fe_get_args(), sizeof argv / sizeof *argv, (char **)(uintptr_t)argv, TRUE);
	s->fe = s->config ? fe_init_auto_r(s->config) : NULL;
	if (!s->fe) {
		stock_close(&s->front);
		return ENOMEM;
	}
	*fp = &s->front;
	return 0;
}

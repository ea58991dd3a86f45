/* SPDX-License-Identifier: Apache-2.0 */
/* front_trained.c  The front end that was taught the narrow band: bands, network, cepstra. */
#include <errno.h>
#include <stdio.h>
#include "base/mem.h"
#include "umbel-speech/front_mel.h"
#include "umbel-speech/front_net.h"
#include "umbel-speech/front_private.h"

_Static_assert((int)FRONT_CEPSTRA == (int)NET_OUT && (int)FRONT_RATE == (int)MEL_RATE, "one utterance, one kind of frame");

struct trained {
	struct front front;
	struct net *net;
};

static int trained_cepstra(struct front *f, const int16_t *pcm, size_t n, float (**cep)[FRONT_CEPSTRA], size_t *frames)
{
	const struct trained *t = (const struct trained *)f;
	size_t count = mel_count(n);
	if (!count)
		return EINVAL;
	float *bands = mem_alloc(count * MEL_BANDS * sizeof *bands);
	float(*c)[FRONT_CEPSTRA] = mem_alloc(count * sizeof *c);
	int err = bands && c ? mel_compute(bands, pcm, n) : ENOMEM;
	if (!err)
		err = net_apply(t->net, bands, count, c);
	mem_free(bands);
	if (err) {
		mem_free(c);
		return err;
	}
	*cep = c;
	*frames = count;
	return 0;
}

static void trained_close(struct front *f)
{
	struct trained *t = (struct trained *)f;
	net_destroy(t->net);
	mem_free(t);
}

static const struct front_kind trained = { "trained", trained_cepstra, trained_close };

/* One byte more than a model may have is asked for, so that a greater file is seen to be one. */
static int read_model(struct net **np, const char *path)
{
	FILE *file = fopen(path, "rbe");
	if (!file)
		return errno == ENOENT ? ENOENT : EIO;
	char *bytes = mem_alloc(NET_FILE_MAX + 1);
	size_t size = bytes ? fread(bytes, 1, NET_FILE_MAX + 1, file) : 0;
	int err = !bytes ? ENOMEM : ferror(file) ? EIO : net_parse(np, bytes, size);
	mem_free(bytes);
	fclose(file);
	return err;
}

int front_trained_open(struct front **fp, const char *path)
{
	struct trained *t = mem_zalloc(1, sizeof *t);
	if (!t)
		return ENOMEM;
	t->front.kind = &trained;
	int err = read_model(&t->net, path);
	if (err) {
		mem_free(t);
		return err;
	}
	*fp = &t->front;
	return 0;
}

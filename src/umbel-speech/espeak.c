/* SPDX-License-Identifier: Apache-2.0 */
/* espeak.c  What espeak-ng is told, and its lines. */
#include "umbel-speech/espeak.h"
#include <errno.h>
#include "umbel-speech/child.h"
#include "voice/speaker.h"

enum { OUT_MAX = 16 << 20, AT_LEAST_MS = 5000, PER_LINE_MS = 20 };

static size_t lines_of(struct text t)
{
	size_t n = 0;
	for (size_t i = 0; i < t.n; i++)
		n += t.p[i] == '\n';
	return n;
}

static int hand_over(struct text out, struct text words, espeak_line_h *h, void *arg)
{
	size_t lines = lines_of(words);
	if (lines_of(out) != lines)
		return EPROTO; /* which belongs to which is not known */
	struct text line, rest = out;
	for (size_t i = 0; i < lines && text_cut(rest, '\n', &line, &rest); i++)
		h(i, line, arg);
	return 0;
}

int espeak_run(const char *voice, struct text words, espeak_line_h *h, void *arg)
{
	const char *argv[] = { "espeak-ng", "-q", "--ipa", "--sep= ", "-v", voice, NULL };
	struct buf got;
	if (!speaker_voice_good(text_of(voice)))
		return EINVAL;
	buf_init(&got, OUT_MAX);
	int err = child_run(argv, words, AT_LEAST_MS + PER_LINE_MS * (int64_t)lines_of(words), &got);
	if (!err)
		err = hand_over(buf_as_text(&got), words, h, arg);
	buf_free(&got);
	return err == ECHILD ? EPROTO : err;
}

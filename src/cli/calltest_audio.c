/* SPDX-License-Identifier: Apache-2.0 */
/* calltest_audio.c  The ear of the test caller.
 *
 * A sound is found by the loudest piece of its loudest quarter of a second, which is compared with every place; where that fits, the whole
 * is compared, and the best place nearby is taken. On a line that loses nothing the likeness is 1; a packet lost here and
 * there still leaves it above 0.8. Where a machine with too much to do fell behind, sound has gaps of some frames, and what follows is later than
 * it should be: then the sound is compared piece by piece from its loudest one on, each as late or early as it is.       */
#include "cli/calltest_audio.h"
#include <errno.h>
#include <math.h>
#include "base/mem.h"
#include "media/g711.h"
#include "voice/wav.h"

enum { ANCHOR = MEDIA_RATE / 4, PROBE = 64, NEARBY = 200 /* a period of a low voice */, PIECE = MEDIA_RATE / 8,
       GAP = 25 * MEDIA_FRAME /* most that a piece is off its neighbour */,
       AGAIN = 2 * GAP, QUIET_PIECE = 100, HEARD_MAX = MEDIA_RATE * 2 * 900 };
#define LIKE 0.80
#define SAME_PIECE 0.9

static struct ear *ear_of(struct media_sink *s)
{
	return (struct ear *)(void *)s;
}

static int append(struct media_sink *s, const void *p, size_t n)
{
	struct ear *e = ear_of(s);
	pthread_mutex_lock(&e->lock);
	int err = buf_put(&e->pcm, p, n);
	pthread_mutex_unlock(&e->lock);
	return err;
}

static int sync_nothing(struct media_sink *s)
{
	(void)s;
	return 0;
}

static int finish(struct media_sink *s, const struct media_rec_stats *stats)
{
	(void)s;
	(void)stats;
	return 0;
}

void ear_init(struct ear *e)
{
	*e = (struct ear){ .sink = { .append = append, .sync = sync_nothing, .finish = finish } };
	pthread_mutex_init(&e->lock, NULL);
	buf_init(&e->pcm, HEARD_MAX);
}

void ear_free(struct ear *e)
{
	buf_free(&e->pcm);
	pthread_mutex_destroy(&e->lock);
}

size_t ear_samples(struct ear *e)
{
	pthread_mutex_lock(&e->lock);
	size_t n = e->pcm.n / 2;
	pthread_mutex_unlock(&e->lock);
	return n;
}

/* Normalised correlation of two pieces of n samples; 0 if either is silent. */
static double likeness_of(const int16_t *a, const int16_t *b, size_t n)
{
	double ab = 0, aa = 0, bb = 0;
	for (size_t i = 0; i < n; i++) {
		ab += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	return aa > (double)n * 100 && bb > (double)n * 100 ? ab / sqrt(aa * bb) : 0;
}

static size_t loudest(const int16_t *sound, size_t n, size_t len)
{
	size_t best = 0;
	double best_power = -1;
	for (size_t i = 0; i + len <= n; i += 80) {
		double power = 0;
		for (size_t k = i; k < i + len; k += 4)
			power += (double)sound[k] * sound[k];
		if (power > best_power) {
			best_power = power;
			best = i;
		}
	}
	return best;
}

/* Of pieces of a sound that may have gaps between them: how much of its power was found, and whether its ends were. */
struct pieces {
	const int16_t *heard, *sound;
	size_t n_heard, n;
	double found, all;
	bool missed_one; /* the last loud piece that was looked for was not there */
};

/* Looks for the piece at `from` around heard[place + from + *off]; *off follows it. */
static void add_piece(struct pieces *p, ptrdiff_t place, size_t from, size_t len, ptrdiff_t *off)
{
	double best = SAME_PIECE, power = 0;
	bool there = false;
	ptrdiff_t at = *off;
	for (size_t i = 0; i < len; i++)
		power += (double)p->sound[from + i] * p->sound[from + i];
	if (power < (double)len * QUIET_PIECE * QUIET_PIECE)
		return;
	for (ptrdiff_t d = *off - GAP; d <= *off + GAP; d += MEDIA_FRAME) {
		ptrdiff_t start = place + (ptrdiff_t)from + d;
		if (start < 0 || (size_t)start + len > p->n_heard)
			continue;
		double like = likeness_of(p->heard + start, p->sound + from, len);
		if (like <= best)
			continue;
		best = like;
		at = d;
		there = true;
	}
	*off = at;
	p->all += power;
	p->found += there ? power : 0;
	p->missed_one = !there;
}

/* The share of the sound that is there, around a place where its anchor fits; *first is where it began. 0: its beginning or its end is not there. */
static double with_gaps(struct pieces p, size_t place, size_t anchor, size_t *first)
{
	ptrdiff_t off = 0, here = (ptrdiff_t)place;
	for (size_t from = anchor; from < p.n; from += PIECE)
		add_piece(&p, here, from, p.n - from < PIECE ? p.n - from : PIECE, &off);
	bool whole = !p.missed_one;
	off = 0;
	p.missed_one = false;
	for (size_t from = anchor, before; from > 0; from = before) {
		before = from < PIECE ? 0 : from - PIECE;
		add_piece(&p, here, before, from - before, &off);
	}
	*first = here + off > 0 ? (size_t)(here + off) : 0;
	return whole && !p.missed_one && p.n >= 6 * PIECE ? p.found / p.all : 0;
}

static bool search(const int16_t *heard, size_t n_heard, const int16_t *sound, size_t n, size_t *at, double *likeness)
{
	size_t len = n < ANCHOR ? n : ANCHOR, anchor = loudest(sound, n, len), few = len < PROBE ? len : PROBE;
	size_t probe = anchor + loudest(sound + anchor, len, few); /* the anchor itself may begin in a pause */
	struct pieces pieces = { .heard = heard, .sound = sound, .n_heard = n_heard, .n = n };
	for (size_t i = 0; i + n <= n_heard; i++) {
		/* A few samples first: they rule out almost every place. */
		if (likeness_of(heard + i + probe, sound + probe, few) < 0.5 || likeness_of(heard + i + anchor, sound + anchor, len) < LIKE)
			continue;
		if (likeness_of(heard + i, sound, n) < LIKE) {
			*likeness = with_gaps(pieces, i, anchor, at);
			if (*likeness >= LIKE)
				return true;
			continue;
		}
		*likeness = 0;
		for (size_t k = i; k <= i + NEARBY && k + n <= n_heard; k++) {
			double whole = likeness_of(heard + k, sound, n);
			if (whole <= *likeness)
				continue;
			*likeness = whole;
			*at = k;
		}
		return true;
	}
	return false;
}

bool ear_heard(struct ear *e, size_t from, const int16_t *sound, size_t n, size_t *at, double *likeness)
{
	bool found = false;
	pthread_mutex_lock(&e->lock);
	const int16_t *heard = (const int16_t *)(const void *)e->pcm.p;
	size_t have = e->pcm.n / 2;
	*at = 0;
	if (heard && from + n <= have && n) {
		found = search(heard + from, have - from, sound, n, at, likeness);
		size_t seen = have - from - n + 1;
		if (!found)
			*at = seen > AGAIN ? seen - AGAIN : 0; /* one with gaps may not have been heard to its end */
	}
	pthread_mutex_unlock(&e->lock);
	*at += from;
	return found;
}

int ear_write(struct ear *e, size_t from, size_t to, const char *path)
{
	pthread_mutex_lock(&e->lock);
	size_t have = e->pcm.n / 2;
	if (to > have)
		to = have;
	size_t n = from < to ? to - from : 0;
	int16_t *copy = mem_zalloc(n ? n : 1, sizeof *copy);
	if (copy && n)
		memcpy(copy, e->pcm.p + from * 2, n * 2);
	pthread_mutex_unlock(&e->lock);
	int err = copy ? wav_write(path, copy, n) : ENOMEM;
	mem_free(copy);
	return err;
}

int16_t *clip_pcm(const struct media_clip *c, size_t *n)
{
	*n = media_clip_samples(c);
	int16_t *pcm = mem_zalloc(*n, sizeof *pcm);
	const uint8_t *law = media_clip_bytes(c, MEDIA_PCMU);
	if (pcm)
		g711_decode(MEDIA_PCMU, pcm, law, *n);
	return pcm;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* calltest_match.c  Finds a known sound in what was heard.
 *
 * On a line that loses nothing the likeness is 1; a packet lost here and there still leaves it above 0.8. Where a machine with too much to
 * do fell behind, sound has gaps of some frames, and what follows is later than it should be. A gap may lie anywhere. So up
 * to four loud pieces of the sound, its anchors, are looked for; from one that fits the walk goes outward, piece by piece, each as late or
 * early as it is. A piece that is torn by a gap is counted by frames, as they fit to either side of it.
 *
 * Many test callers share a machine with what they test, so looking must cost next to nothing: 64 samples of an anchor are compared
 * first, in whole numbers; they rule out almost every place.                                                              */
#include "cli/calltest_match.h"
#include <math.h>
#include "base/mem.h"
#include "media/clip.h"

enum {
	ANCHOR_MIN = 400, ANCHOR_MAX = 1000, PIECE_MAX = 800, EDGE = 3 * MEDIA_FRAME,
	NEARBY = 200,  /* a period of a low voice */
	GAP = 25, EARLY = 3, /* frames: most that a piece is later, or earlier, than its neighbour says */
	TORN_MAX = 6,  /* pieces at a stretch */
	QUIET = 100,
};
#define LIKE 0.80
#define SAME_PIECE 0.95
#define SURE 0.98

/* Sums over samples of which an eighth is taken: 32 bits hold those of MATCH_PROBE of them, and compilers know one instruction for many. */
struct sums {
	int64_t ab, aa, bb;
};

static inline int16_t eighth(int16_t v)
{
	return (int16_t)(v >> 3);
}

static inline void add_sums(struct sums *s, const int16_t *a, const int16_t *b, size_t n)
{
	int32_t ab = 0, aa = 0, bb = 0;
	for (size_t i = 0; i < n; i++) {
		int16_t x = eighth(a[i]), y = eighth(b[i]);
		ab += x * y;
		aa += x * x;
		bb += y * y;
	}
	s->ab += ab;
	s->aa += aa;
	s->bb += bb;
}

/* Normalised correlation of two pieces of n samples; 0 if either is silent. */
static double likeness_of(const int16_t *a, const int16_t *b, size_t n)
{
	struct sums s = { 0 };
	size_t i = 0;
	for (; i + MATCH_PROBE <= n; i += MATCH_PROBE)
		add_sums(&s, a + i, b + i, MATCH_PROBE);
	add_sums(&s, a + i, b + i, n - i);
	double least = (double)n * QUIET / 64;
	return (double)s.aa > least && (double)s.bb > least ? (double)s.ab / sqrt((double)s.aa * (double)s.bb) : 0;
}

static double power_of(const int16_t *p, size_t n)
{
	double power = 0;
	for (size_t i = 0; i < n; i++)
		power += (double)p[i] * p[i];
	return power;
}

static size_t loudest(const int16_t *p, size_t n, size_t len)
{
	enum { STEP = 40 };
	size_t best = 0;
	double best_power = -1;
	for (size_t i = 0; i + len <= n; i += STEP) {
		double power = power_of(p + i, len);
		if (power > best_power) {
			best_power = power;
			best = i;
		}
	}
	return best;
}

/* ---- preparation ---- */
static size_t within(size_t n, size_t min, size_t max)
{
	return n < min ? min : n > max ? max : n;
}

static void add_anchor(struct match_sound *s, size_t from, size_t n, size_t len)
{
	struct match_anchor *a = &s->anchor[s->anchors];
	a->n = len;
	a->from = from + loudest(s->pcm + from, n, len);
	size_t few = len < MATCH_PROBE ? len : MATCH_PROBE;
	a->probe = a->from + loudest(s->pcm + a->from, len, few); /* an anchor may begin in a pause */
	for (size_t i = 0; i < few; i++) {
		a->at_probe[i] = eighth(s->pcm[a->probe + i]);
		a->energy += (int64_t)a->at_probe[i] * a->at_probe[i];
	}
	if (a->energy > 0)
		s->anchors++;
}

/* What is quiet is alike in too many places. */
static void drop_quiet_ones(struct match_sound *s)
{
	int64_t most = 0;
	unsigned n = 0;
	for (unsigned i = 0; i < s->anchors; i++)
		if (s->anchor[i].energy > most)
			most = s->anchor[i].energy;
	for (unsigned i = 0; i < s->anchors; i++)
		if (s->anchor[i].energy * 16 >= most)
			s->anchor[n++] = s->anchor[i];
	s->anchors = n;
}

void match_prepare(struct match_sound *s, int16_t *pcm, size_t n)
{
	size_t len = within(n / 6, ANCHOR_MIN, ANCHOR_MAX), parts = within(n / (2 * len), 1, MATCH_ANCHORS);
	*s = (struct match_sound){ .pcm = pcm, .n = n, .piece = len < PIECE_MAX ? len : PIECE_MAX };
	if (n < MATCH_PROBE)
		return;
	for (size_t i = 0; i < parts; i++)
		add_anchor(s, n / parts * i, n / parts, len < n / parts ? len : n / parts);
	drop_quiet_ones(s);
}

void match_free(struct match_sound *s)
{
	mem_free(s->pcm);
	*s = (struct match_sound){ 0 };
}

/* ---- with gaps ---- */
/* One way from the anchor outward. */
struct walk {
	const struct match_sound *s;
	const int16_t *heard;
	size_t n_heard;
	int way;                    /* 1: to its end, -1: to its beginning */
	ptrdiff_t place;            /* where the sound began, if there were no gap before the anchor */
	ptrdiff_t off;              /* how much later the last piece was than that says */
	size_t torn_from, torn_to;  /* what was not found since then; the same: nothing */
	unsigned torn;              /* pieces of it */
	bool lost;                  /* too many of them */
	double found, all;          /* power */
};

static double like_at(const struct walk *w, size_t from, size_t n, ptrdiff_t off)
{
	ptrdiff_t start = w->place + (ptrdiff_t)from + off;
	if (start < 0 || (size_t)start + n > w->n_heard)
		return 0;
	return likeness_of(w->heard + start, w->s->pcm + from, n);
}

/* Where some samples are, whole frames off the piece before; the likeness must be better than `least`. */
static bool look_around(const struct walk *w, size_t from, size_t n, double least, ptrdiff_t *off)
{
	ptrdiff_t reach = GAP * (w->torn < 2 ? (ptrdiff_t)w->torn + 1 : 3), at = w->off;
	double best = like_at(w, from, n, at);
	for (ptrdiff_t d = 1; d <= reach + EARLY && best < SURE; d++) {
		ptrdiff_t there = w->off + w->way * (d <= reach ? d : reach - d) * MEDIA_FRAME;
		double like = like_at(w, from, n, there);
		if (like <= best)
			continue;
		best = like;
		at = there;
	}
	*off = at;
	return best > least;
}

/* What was torn lies between this place and that. */
static void count_torn(struct walk *w, ptrdiff_t off)
{
	for (size_t i = w->torn_from, n; i < w->torn_to; i += n) {
		n = w->torn_to - i < MEDIA_FRAME ? w->torn_to - i : MEDIA_FRAME;
		if (like_at(w, i, n, w->off) > SAME_PIECE || like_at(w, i, n, off) > SAME_PIECE)
			w->found += power_of(w->s->pcm + i, n);
	}
	w->torn_from = w->torn_to = w->torn = 0;
	w->off = off;
}

static void add_piece(struct walk *w, size_t from, size_t n)
{
	double power = power_of(w->s->pcm + from, n);
	ptrdiff_t off;
	if (w->lost || power < (double)n * QUIET * QUIET)
		return;
	w->all += power;
	if (look_around(w, from, n, SAME_PIECE, &off)) {
		count_torn(w, off);
		w->found += power;
		return;
	}
	if (!w->torn++)
		w->torn_from = from;
	if (from < w->torn_from)
		w->torn_from = from;
	if (from + n > w->torn_to)
		w->torn_to = from + n;
	w->lost = w->torn > TORN_MAX;
}

/* Whether the outermost loud piece was there; if that one is torn, some frames of it. */
static bool reached_end(struct walk *w)
{
	ptrdiff_t off;
	if (w->lost || !w->torn)
		return !w->lost;
	size_t torn = w->torn_to - w->torn_from, n = torn < w->s->piece ? torn : w->s->piece, len = n < EDGE ? n : EDGE;
	size_t from = w->way < 0 ? w->torn_from : w->torn_to - n, at = from + loudest(w->s->pcm + from, n, len);
	if (!look_around(w, at, len, SAME_PIECE, &off))
		return false;
	count_torn(w, off);
	return true;
}

/* A rest of less than half a piece is not left alone. */
static size_t next_piece(const struct walk *w, size_t left)
{
	return left < w->s->piece * 3 / 2 ? left : w->s->piece;
}

static bool walk_on(struct walk *w, size_t anchor)
{
	for (size_t from = anchor, n; from < w->s->n; from += n) {
		n = next_piece(w, w->s->n - from);
		add_piece(w, from, n);
	}
	return reached_end(w);
}

static bool walk_back(struct walk *w, size_t anchor)
{
	w->off = 0;
	w->way = -1;
	for (size_t to = anchor, n; to > 0; to -= n) {
		n = next_piece(w, to);
		add_piece(w, to - n, n);
	}
	return reached_end(w);
}

/* Around a place where an anchor fits. */
static bool with_gaps(const struct match_sound *s, const int16_t *heard, size_t n, size_t place, size_t anchor, struct match_found *f)
{
	struct walk w = { .s = s, .heard = heard, .n_heard = n, .way = 1, .place = (ptrdiff_t)place };
	if (s->n < 3 * s->piece || !walk_on(&w, anchor))
		return false;
	ptrdiff_t last = w.off;
	if (!walk_back(&w, anchor) || w.found < LIKE * w.all || (last < w.off && (size_t)(w.off - last) > s->n / 8))
		return false;
	ptrdiff_t at = (ptrdiff_t)place + w.off, end = (ptrdiff_t)(place + s->n) + last;
	f->at = at > 0 ? (size_t)at : 0;
	f->end = end < (ptrdiff_t)n ? (size_t)end : n;
	f->likeness = w.found / w.all;
	f->gaps_ms = last > w.off ? (unsigned)((last - w.off) * 1000 / MEDIA_RATE) : 0;
	return true;
}

/* ---- search ---- */
static int32_t product(const int16_t *heard, const int16_t *probe)
{
	int32_t sum = 0;
	for (unsigned i = 0; i < MATCH_PROBE; i++)
		sum += eighth(heard[i]) * probe[i];
	return sum;
}

/* The likeness at the best place from i on, which is the best of those less than a period behind it. */
static double climb(const int16_t *heard, size_t n_heard, const int16_t *sound, size_t n, size_t need, size_t *i)
{
	double best = 0;
	for (size_t k = *i, first = *i; k <= first + NEARBY && k + need <= n_heard; k++) {
		double like = likeness_of(heard + k, sound, n);
		if (like <= best)
			continue;
		best = like;
		*i = first = k;
	}
	return best;
}

/* Whether the sound is where this anchor is, at i or a little behind; *i goes on to what was not looked at. */
static bool is_here(const struct match_sound *s, const struct match_anchor *a, const int16_t *heard, size_t n, size_t *i, struct match_found *f)
{
	size_t at = *i, whole = at;
	double best = 0;
	for (; *i <= at + NEARBY && *i + s->n <= n; ++*i) {
		double like = likeness_of(heard + *i + a->from, s->pcm + a->from, a->n);
		if (like <= best)
			continue;
		best = like;
		whole = *i;
	}
	if (best < LIKE)
		return false;
	if (likeness_of(heard + whole, s->pcm, s->n) < LIKE)
		return with_gaps(s, heard, n, whole, a->from, f);
	*f = (struct match_found){ .likeness = climb(heard, n, s->pcm, s->n, s->n, &whole) };
	f->at = whole;
	f->end = whole + s->n;
	return true;
}

static bool find_by(const struct match_sound *s, const struct match_anchor *a, const int16_t *heard, size_t n, struct match_found *f)
{
	const int16_t *p = heard + a->probe;
	int64_t energy = 0;
	for (size_t i = 0, counted = SIZE_MAX; i + s->n <= n;) {
		if (i != counted) { /* we leapt */
			energy = 0;
			for (size_t k = i; k < i + MATCH_PROBE; k++)
				energy += (int64_t)eighth(p[k]) * eighth(p[k]);
		}
		int32_t sum = product(p + i, a->at_probe);
		bool like = sum > 0 && 2.0 * sum * sum >= (double)a->energy * (double)energy; /* nearly alike */
		if (like && likeness_of(heard + i + a->from, s->pcm + a->from, a->n) >= LIKE) {
			if (is_here(s, a, heard, n, &i, f))
				return true;
			continue;
		}
		energy -= (int64_t)eighth(p[i]) * eighth(p[i]);
		if (++i + s->n <= n)
			energy += (int64_t)eighth(p[i + MATCH_PROBE - 1]) * eighth(p[i + MATCH_PROBE - 1]);
		counted = i;
	}
	return false;
}

bool match_find(const struct match_sound *s, const int16_t *heard, size_t n, struct match_found *f)
{
	struct match_found one;
	bool found = false;
	for (unsigned i = 0; i < s->anchors; i++) {
		if (!find_by(s, &s->anchor[i], heard, n, &one) || (found && one.at >= f->at))
			continue;
		*f = one;
		found = true;
	}
	return found;
}

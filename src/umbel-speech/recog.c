/* SPDX-License-Identifier: Apache-2.0 */
/* recog.c  From the likelihood of names to what is offered. */
#include "umbel-speech/recog.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>
#include "base/mem.h"
#include "umbel-speech/search.h"

/* spread: of the differences between names, for what is told as a share; offered_behind: what is further behind than that is not offered beside the
 * first; doubt: where the second is closer than that, it is heard at two other speeds. */
static const float spread = 15, offered_behind = 80, doubt = 60;

struct recog {
	struct book *book;
	struct acoustic *model;
	struct front *front;
	struct search *search;
	struct recog_limits limits;
};

int recog_open(struct recog **rp, struct book *book, struct acoustic *model, struct front *front)
{
	struct recog *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return ENOMEM;
	r->book = mem_ref(book);
	r->model = mem_ref(model);
	r->front = front;
	r->limits = recog_limits(front_name(front), book_entries(book));
	int err = search_create(&r->search, model, book);
	if (err)
		recog_close(r);
	else
		*rp = r;
	return err;
}

void recog_close(struct recog *r)
{
	if (!r)
		return;
	search_destroy(r->search);
	mem_unref(r->model);
	mem_unref(r->book);
	mem_free(r);
}

struct book *recog_book(const struct recog *r)
{
	return r->book;
}

/* ---- playing at another speed ---- */
enum { REACH = 12, STEPS = 128 }; /* samples to each side; between two of them */

/* A windowed sinc, cut off for what is played faster. */
static void make_kernel(float kernel[REACH * STEPS + 1], double cut)
{
	for (size_t i = 0; i <= REACH * STEPS; i++) {
		double t = (double)i / STEPS, x = M_PI * t * cut;
		kernel[i] = (float)((i ? sin(x) / x : 1) * cut * (0.5 + 0.5 * cos(M_PI * t / REACH)));
	}
}

static int play_at(float speed, int16_t **to, size_t *count, const int16_t *pcm, size_t n)
{
	float kernel[REACH * STEPS + 1];
	*count = (size_t)((float)n / speed);
	*to = mem_alloc((*count + 1) * sizeof **to);
	if (!*to)
		return ENOMEM;
	make_kernel(kernel, speed > 1 ? 1 / (double)speed : 1);
	for (size_t i = 0; i < *count; i++) {
		double at = (double)i * (double)speed;
		ptrdiff_t middle = (ptrdiff_t)at;
		float v = 0;
		for (ptrdiff_t k = middle - REACH + 1; k <= middle + REACH; k++)
			if (k >= 0 && k < (ptrdiff_t)n)
				v += pcm[k] * kernel[(size_t)(fabs(at - (double)k) * STEPS + 0.5)];
		(*to)[i] = (int16_t)lrintf(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
	}
	return 0;
}

/* ---- an utterance ---- */
struct owner {
	uint32_t id;
	float score;
};

struct heard {
	struct owner *v; /* each entry that was not left behind by far, the likeliest first */
	size_t n;
	size_t frames;
};

static int by_id(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;
	return x->id != y->id ? (x->id < y->id ? -1 : 1) : (x->score < y->score) - (x->score > y->score);
}

static int by_score(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;
	return x->score != y->score ? (x->score < y->score ? 1 : -1) : (x->id > y->id) - (x->id < y->id);
}

/* Names become those whose they are, each with the best of its names and of what was heard of it before. */
static int owners(const struct recog *r, const struct search_name *names, struct heard *h)
{
	struct owner *before = h->v;
	size_t n = h->n, kept = 0;
	unsigned count;
	for (unsigned i = 0; i < book_names(r->book); i++) {
		(void)book_owners(r->book, i, &count);
		n += names[i].score > SEARCH_NEVER ? count : 0;
	}
	struct owner *v = mem_realloc(before, (n + 1) * sizeof *v);
	if (!v)
		return ENOMEM;
	h->v = v;
	n = h->n;
	for (unsigned i = 0; i < book_names(r->book); i++) {
		const uint32_t *ids = book_owners(r->book, i, &count);
		for (unsigned k = 0; names[i].score > SEARCH_NEVER && k < count; k++)
			h->v[n++] = (struct owner){ ids[k], names[i].score };
	}
	qsort(h->v, n, sizeof *h->v, by_id);
	for (size_t i = 0; i < n; i++)
		if (!kept || h->v[kept - 1].id != h->v[i].id)
			h->v[kept++] = h->v[i];
	qsort(h->v, kept, sizeof *h->v, by_score);
	h->n = kept;
	return 0;
}

/* Each name's likelihood against the loop of phones. */
static int search(const struct recog *r, float (*cep)[FRONT_CEPSTRA], size_t frames, struct heard *h)
{
	float *scores = mem_alloc(frames * acoustic_senones(r->model) * sizeof *scores), *loop = mem_alloc((frames + 1) * sizeof *loop);
	struct search_name *names = mem_alloc((book_names(r->book) + 1) * sizeof *names);
	int err = scores && loop && names ? acoustic_scores(r->model, cep, frames, scores) : ENOMEM;
	if (!err)
		err = search_run(r->search, scores, frames, names, loop);
	if (!err) {
		h->frames = h->frames ? h->frames : frames;
		for (unsigned i = 0; i < book_names(r->book); i++)
			if (names[i].score > SEARCH_NEVER)
				names[i].score -= loop[frames];
		err = owners(r, names, h);
	}
	mem_free(scores);
	mem_free(loop);
	mem_free(names);
	return err;
}

/* What holds no speech is no failure. */
static int listen(const struct recog *r, const int16_t *pcm, size_t n, struct heard *h)
{
	float(*cep)[FRONT_CEPSTRA];
	size_t frames;
	int err = front_cepstra(r->front, pcm, n, &cep, &frames);
	if (err)
		return err == ENODATA ? 0 : err;
	err = search(r, cep, frames, h);
	mem_free(cep);
	return err;
}

/* A voice that is small or large for its kind becomes usual when it is played slower or faster. The best of three counts. */
static int listen_otherwise(const struct recog *r, const int16_t *pcm, size_t n, struct heard *h)
{
	static const float speeds[] = { 0.92f, 1.09f };
	int err = 0;
	for (size_t i = 0; i < sizeof speeds / sizeof *speeds && !err; i++) {
		int16_t *played;
		size_t count;
		err = play_at(speeds[i], &played, &count, pcm, n);
		if (err)
			break;
		err = listen(r, played, count, h);
		if (err == EINVAL) /* too long now, or too short */
			err = 0;
		mem_free(played);
	}
	return err;
}

/* Whether the second is close to the first; names that sound alike are not a doubt that listening could end. */
static bool doubtful(const struct heard *h)
{
	size_t i = 1;
	while (i < h->n && h->v[i].score == h->v[0].score)
		i++;
	return i < h->n && h->v[0].score - h->v[i].score < doubt;
}

/* ---- what it is taken for ---- */
static struct speech_kept *kept(struct speech_memory *m, uint32_t id)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->v[i].id == id)
			return &m->v[i];
	return NULL;
}

static uint32_t hundredths(float behind)
{
	return (uint32_t)lrintf(100 * fminf(fmaxf(behind, 0), SPEECH_BEHIND_MAX / 100));
}

/* What was heard now, and with what was heard before: how far each is behind the first. Who was not kept was at least as far behind as the last one. */
static void together(struct speech_memory *m, const struct heard *h, const struct speech_memory *before)
{
	struct owner all[2 * SPEECH_KEPT];
	size_t n = 0;
	uint32_t furthest = 0, last = h->n ? hundredths(h->v[0].score - h->v[(h->n < SPEECH_KEPT ? h->n : SPEECH_KEPT) - 1].score) : 0;
	*m = (struct speech_memory){ 0 };
	for (uint32_t i = 0; i < before->n; i++) {
		if (!before->v[i].refused)
			furthest = before->v[i].behind > furthest ? before->v[i].behind : furthest;
		else if (m->n < SPEECH_KEPT / 2)
			m->v[m->n++] = before->v[i];
	}
	struct speech_memory old = *before;
	for (size_t i = 0; i < h->n && n < SPEECH_KEPT; i++) {
		struct speech_kept *k = kept(&old, h->v[i].id);
		if (!k || !k->refused)
			all[n++] = (struct owner){ h->v[i].id, -(float)(hundredths(h->v[0].score - h->v[i].score) + (k ? k->behind : furthest)) };
		if (k)
			k->refused = true; /* done */
	}
	for (uint32_t i = 0; i < old.n; i++)
		if (!old.v[i].refused)
			all[n++] = (struct owner){ old.v[i].id, -(float)(old.v[i].behind + last) };
	qsort(all, n, sizeof *all, by_score);
	for (size_t i = 0; i < n && m->n < SPEECH_KEPT; i++)
		m->v[m->n++] = (struct speech_kept){ .id = all[i].id, .behind = hundredths((all[0].score - all[i].score) / 100) };
}

static float fit(const struct heard *h, uint32_t id)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].id == id)
			return h->v[i].score / (float)h->frames;
	return -100;
}

static void offer(const struct recog *r, const struct heard *h, struct speech_result *result, struct recog_score *s)
{
	const struct speech_memory *m = &result->memory;
	const struct speech_kept *first = NULL;
	double all = 0;
	s->margin = SPEECH_BEHIND_MAX / 100;
	for (uint32_t i = 0; i < m->n; i++) {
		if (m->v[i].refused)
			continue;
		if (first && s->margin > (float)m->v[i].behind / 100)
			s->margin = (float)m->v[i].behind / 100;
		first = first ? first : &m->v[i];
		all += exp(-(double)m->v[i].behind / 100 / (double)spread);
	}
	for (uint32_t i = 0; i < m->n && result->n < SPEECH_HEARD_MAX; i++) {
		float behind = (float)m->v[i].behind / 100;
		if (m->v[i].refused || behind > offered_behind)
			continue;
		result->v[result->n].id = m->v[i].id;
		result->v[result->n].score = (int32_t)lrintf(1000 * fit(h, m->v[i].id));
		result->v[result->n++].posterior = (uint32_t)(1000 * exp(-(double)behind / (double)spread) / all);
	}
	if (!first)
		return;
	s->fit = fit(h, first->id);
	s->frames = (unsigned)h->frames;
	if (s->fit >= r->limits.confirm)
		result->sure = s->fit >= r->limits.direct && s->margin >= r->limits.direct_margin ? SPEECH_DIRECT : SPEECH_CONFIRM;
}

static uint32_t cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint32_t)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

int recog_hear(struct recog *r, const int16_t *pcm, size_t n, const struct speech_memory *before, struct speech_result *result, struct recog_score *score)
{
	static const struct speech_memory nothing;
	struct recog_score own = { 0 };
	struct heard h = { 0 };
	uint32_t began = cpu_ms();
	*result = (struct speech_result){ .sure = SPEECH_REJECT };
	int err = listen(r, pcm, n, &h);
	if (!err && doubtful(&h))
		err = listen_otherwise(r, pcm, n, &h);
	if (err) {
		mem_free(h.v);
		return err;
	}
	together(&result->memory, &h, before ? before : &nothing);
	if (h.n)
		offer(r, &h, result, &own);
	if (result->sure == SPEECH_REJECT && before)
		result->memory = *before; /* of what was no name, nothing is kept */
	else if (result->sure == SPEECH_REJECT)
		result->memory = nothing;
	mem_free(h.v);
	if (score)
		*score = own;
	result->cpu_ms = cpu_ms() - began;
	return 0;
}

/* From three fifths of the calls of make bench-speech, at 20 and 10 dB; the others judge them. `confirm` keeps nearly all that was understood, since a
 * needless question costs little; `direct` let nobody through who had asked for another of the directory. docs/speech.md has the figures. */
struct recog_limits recog_limits(const char *front, unsigned entries)
{
	static const struct {
		const char *front;
		unsigned entries; /* up to */
		struct recog_limits limits;
	} table[] = {
		{ "trained", 150, { -1.6f, -0.4f, 120 } },
		{ "trained", 1500, { -1.5f, -0.4f, 100 } },
		{ "trained", UINT32_MAX, { -1.3f, -0.4f, 100 } },
		{ "stock", UINT32_MAX, { -1.8f, -0.3f, 150 } },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(table[i].front, front) == 0 && entries <= table[i].entries)
			return table[i].limits;
	return table[sizeof table / sizeof *table - 1].limits;
}

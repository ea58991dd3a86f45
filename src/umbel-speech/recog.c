/* SPDX-License-Identifier: Apache-2.0 */
/* recog.c  pocketsphinx with a finite-state grammar of whole names. */
#include "umbel-speech/recog.h"
#include <errno.h>
#include <math.h>
#include <pocketsphinx.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"

enum { AT_NAME = 1, BEHIND_NAME = 2, LAST = 3, FIRST_FREE = 4, ARGS = 64, BEST = 8 };
#define LANGUAGE_WEIGHT 6.5f
#define HOPELESS -65.0f /* per frame */
#define GRAMMAR "names"
#define LOOP "phones"
#define SECOND "names again"

struct recog {
	struct book *book;
	struct front *front;
	cmd_ln_t *config;
	ps_decoder_t *ps;
	int dict_fd;
	struct recog_limits limits;
};

/* ---- making one ---- */
static int write_dict(struct recog *r)
{
	struct text dict = book_dict(r->book);
	r->dict_fd = memfd_create("names", MFD_CLOEXEC);
	if (r->dict_fd < 0)
		return errno;
	for (size_t at = 0; at < dict.n;) {
		ssize_t n = write(r->dict_fd, dict.p + at, dict.n - at);
		if (n <= 0)
			return errno == EINTR ? EIO : errno;
		at += (size_t)n;
	}
	return 0;
}

/* What was taught along with the front end, instead of the model's own. */
static void adapted(const char *stem, const char *name, char *path, size_t size)
{
	char other[512];
	if (stem && (strcmp(name, "means") == 0 || strcmp(name, "variances") == 0) && !text_print(other, sizeof other, "%s.%s", stem, name) && access(other, R_OK) == 0)
		text_fill(path, size, other);
}

static int configure(struct recog *r, const struct recog_prm *prm)
{
	static const char *const files[] = { "mdef", "mean", "var", "tmat", "sendump", "fdict" };
	static const char *const names[] = { "mdef", "means", "variances", "transition_matrices", "sendump", "noisedict" };
	char option[6][16], path[6][512], dict[64];
	const char *argv[ARGS] = { "umbel-speech" };
	int argc = 1;
	struct stat st;
	for (unsigned i = 0; i < 6; i++) {
		text_print(option[i], sizeof option[i], "-%s", files[i]);
		if (text_print(path[i], sizeof path[i], "%s/en-us/%s", prm->model, names[i]) || stat(path[i], &st) != 0)
			return ENOENT;
		adapted(prm->adapted, names[i], path[i], sizeof path[i]);
		argv[argc++] = option[i];
		argv[argc++] = path[i];
	}
	text_print(dict, sizeof dict, "/proc/self/fd/%d", r->dict_fd);
	static const char *const fixed[] = { "-feat", "1s_c_d_dd", "-svspec", "0-12/13-25/26-38", "-agc", "none", "-cmn", "none", "-varnorm", "no", "-samprate", "16000",
		                             "-lowerf", "130", "-upperf", "6800", "-nfilt", "25", "-transform", "dct", "-lifter", "22", "-logfn", "/dev/null",
		                             "-bestpath", "no", "-allphone_ci", "yes" };
	argv[argc++] = "-dict";
	argv[argc++] = dict;
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		argv[argc++] = fixed[i];
	r->config = cmd_ln_parse_r(NULL, ps_args(), argc, (char **)(uintptr_t)argv, TRUE);
	r->ps = r->config ? ps_init(r->config) : NULL;
	return r->ps ? 0 : EIO;
}

/* Whether sentence i begins with the first n words of sentence k. */
static bool begins_alike(const char *const *a, const char *const *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!a[i] || !b[i] || strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

typedef const char *const *(sentence_h)(unsigned i);

/* A state for each different beginning of the sentences, so that those that begin alike are one path until they part. */
struct chain {
	fsg_model_t *fsg;
	const struct book *book;
	sentence_h *sentence;
	int from, to, first; /* first: of its own states */
};

/* The state behind the first n words of sentence i: that of the first sentence which begins so. */
static int state_behind(const struct chain *c, unsigned i, unsigned n)
{
	int state = c->first;
	if (n == 0)
		return c->from;
	for (unsigned k = 0; k <= i; k++)
		for (unsigned m = 1; c->sentence(k)[m - 1]; m++, state++)
			if (m == n && begins_alike(c->sentence(k), c->sentence(i), n))
				return state;
	return state;
}

static void add_chains(const struct chain *c, double share)
{
	logmath_t *lm = c->fsg->lmath;
	char word[64];
	for (unsigned i = 0; c->sentence(i); i++) {
		const char *const *w = c->sentence(i);
		bool known = true;
		for (unsigned n = 0; w[n]; n++)
			known = known && book_holds(c->book, w[n]);
		for (unsigned n = 0; known && w[n]; n++) {
			int from = state_behind(c, i, n), to = w[n + 1] ? state_behind(c, i, n + 1) : c->to;
			text_print(word, sizeof word, "w_%s", w[n]);
			int32 logp = n ? 0 : (int32)((float)logmath_log(lm, share) * LANGUAGE_WEIGHT);
			fsg_model_trans_add(c->fsg, from, to, logp, fsg_model_word_add(c->fsg, word)); /* once: a second one of the same is dropped */
		}
	}
}

static int words_in(sentence_h *sentence)
{
	int n = 0;
	for (unsigned i = 0; sentence(i); i++)
		for (const char *const *w = sentence(i); *w; w++)
			n++;
	return n;
}

static int teach(struct recog *r)
{
	logmath_t *lm = ps_get_logmath(r->ps);
	fsg_model_t *fsg = fsg_model_init(GRAMMAR, lm, LANGUAGE_WEIGHT, FIRST_FREE + words_in(book_before) + words_in(book_after));
	unsigned names = book_names(r->book);
	char word[32];
	if (!fsg)
		return ENOMEM;
	fsg->start_state = 0;
	fsg->final_state = LAST;
	int32 alone = (int32)((float)logmath_log(lm, 0.5) * LANGUAGE_WEIGHT), one = (int32)((float)logmath_log(lm, 1.0 / names) * LANGUAGE_WEIGHT);
	struct chain ahead = { fsg, r->book, book_before, 0, AT_NAME, FIRST_FREE }, behind = { fsg, r->book, book_after, BEHIND_NAME, LAST, FIRST_FREE + words_in(book_before) };
	fsg_model_null_trans_add(fsg, 0, AT_NAME, alone);
	if (!book_commands(r->book))
		add_chains(&ahead, 0.5 / 12);
	for (unsigned i = 0; i < names; i++) {
		text_print(word, sizeof word, "n%u", i);
		fsg_model_trans_add(fsg, AT_NAME, BEHIND_NAME, one, fsg_model_word_add(fsg, word));
	}
	fsg_model_null_trans_add(fsg, BEHIND_NAME, LAST, alone);
	add_chains(&behind, 0.5 / 3);
	glist_free(fsg_model_null_trans_closure(fsg, NULL));
	int err = ps_set_fsg(r->ps, GRAMMAR, fsg) == 0 && ps_set_allphone_file(r->ps, LOOP, NULL) == 0 ? 0 : EIO;
	/* a search takes its beams from the settings of the moment it is made */
	cmd_ln_set_float_r(r->config, "-beam", 1e-64);
	cmd_ln_set_float_r(r->config, "-pbeam", 1e-64);
	cmd_ln_set_float_r(r->config, "-wbeam", 1e-48);
	if (!err && ps_set_fsg(r->ps, SECOND, fsg) != 0)
		err = EIO;
	fsg_model_free(fsg);
	return err;
}

int recog_open(struct recog **rp, struct book *book, const struct recog_prm *prm)
{
	struct recog *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return ENOMEM;
	r->dict_fd = -1;
	r->book = mem_ref(book);
	r->front = prm->front;
	r->limits = recog_limits(front_name(prm->front), book_entries(book));
	int err = write_dict(r);
	if (!err)
		err = configure(r, prm);
	if (!err)
		err = teach(r);
	if (r->dict_fd >= 0)
		close(r->dict_fd); /* it is read */
	r->dict_fd = -1;
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
	/* The library frees the phones of the last utterance only when the next one begins. */
	if (r->ps && ps_set_search(r->ps, LOOP) == 0 && ps_start_utt(r->ps) == 0)
		(void)ps_end_utt(r->ps);
	if (r->ps)
		ps_free(r->ps);
	if (r->config)
		cmd_ln_free_r(r->config);
	mem_unref(r->book);
	mem_free(r);
}

struct book *recog_book(const struct recog *r)
{
	return r->book;
}

/* ---- hearing ---- */
static int decode(struct recog *r, const char *search, float (*cep)[FRONT_CEPSTRA], size_t frames)
{
	mfcc_t **row = mem_alloc(frames * sizeof(*row));
	if (!row)
		return ENOMEM;
	for (size_t i = 0; i < frames; i++)
		row[i] = cep[i];
	int err = ps_set_search(r->ps, search) < 0 || ps_start_utt(r->ps) < 0 ? EIO : 0;
	if (!err) {
		int n = ps_process_cep(r->ps, row, (int)frames, FALSE, TRUE);
		err = ps_end_utt(r->ps) < 0 || n < 0 ? EIO : 0;
	}
	mem_free(row);
	return err;
}

/* The number of a name's word; false for other words. */
static bool name_number(const char *word, unsigned *n)
{
	uint32_t v;
	if (word[0] != 'n' || text_u32(text_of(word + 1), UINT32_MAX, &v))
		return false;
	*n = v;
	return true;
}

struct best {
	unsigned name;
	double p;
};

/* How the lattice shares itself between names. */
static unsigned lattice_names(struct recog *r, struct best *best)
{
	unsigned n_best = 0;
	ps_lattice_t *dag = ps_get_lattice(r->ps);
	logmath_t *lm = ps_get_logmath(r->ps);
	if (!dag || !ps_lattice_bestpath(dag, NULL, 1.0f, 1.0f / 20))
		return 0;
	(void)ps_lattice_posterior(dag, NULL, 1.0f / 20);
	for (ps_latnode_iter_t *i = ps_latnode_iter(dag); i; i = ps_latnode_iter_next(i)) {
		for (ps_latlink_iter_t *e = ps_latnode_exits(ps_latnode_iter_node(i)); e; e = ps_latlink_iter_next(e)) {
			ps_latlink_t *link = ps_latlink_iter_link(e);
			unsigned name, at = 0;
			if (!name_number(ps_latlink_baseword(dag, link), &name))
				continue;
			double p = logmath_exp(lm, ps_latlink_prob(dag, link, NULL));
			while (at < n_best && best[at].name != name)
				at++;
			if (at == n_best && n_best < BEST)
				best[n_best++] = (struct best){ name, 0 };
			else if (at == n_best) { /* the least makes room for a greater one */
				at = 0;
				for (unsigned k = 1; k < BEST; k++)
					if (best[k].p < best[at].p)
						at = k;
				if (best[at].p >= p)
					continue;
				best[at] = (struct best){ name, 0 };
			}
			best[at].p += p;
		}
	}
	for (unsigned i = 1; i < n_best; i++)
		for (unsigned k = i; k > 0 && best[k].p > best[k - 1].p; k--) {
			struct best t = best[k];
			best[k] = best[k - 1];
			best[k - 1] = t;
		}
	return n_best;
}

struct segment {
	int from, to;
	int32 acoustic;
};

/* The name on the best path. */
static bool best_name(struct recog *r, unsigned *name, struct segment *s)
{
	int32 score;
	bool found = false;
	if (!ps_get_hyp(r->ps, &score))
		return false;
	for (ps_seg_t *seg = ps_seg_iter(r->ps); seg; seg = ps_seg_next(seg)) {
		if (found || !name_number(ps_seg_word(seg), name))
			continue;
		found = true;
		ps_seg_frames(seg, &s->from, &s->to);
		(void)ps_seg_prob(seg, &s->acoustic, NULL, NULL);
	}
	return found;
}

/* What the loop of phones reaches over the same frames; a phone that lies across the edge counts by its share. */
static double loop_score(struct recog *r, const struct segment *s)
{
	double sum = 0;
	for (ps_seg_t *seg = ps_seg_iter(r->ps); seg; seg = ps_seg_next(seg)) {
		int from, to;
		int32 acoustic;
		ps_seg_frames(seg, &from, &to);
		(void)ps_seg_prob(seg, &acoustic, NULL, NULL);
		int a = from > s->from ? from : s->from, b = to < s->to ? to : s->to;
		if (b >= a)
			sum += (double)acoustic * (b - a + 1) / (to - from + 1);
	}
	return sum;
}

static void put(struct speech_result *result, const struct recog *r, unsigned name, double p, float score)
{
	unsigned count;
	const uint32_t *ids = book_owners(r->book, name, &count);
	for (unsigned i = 0; i < count && result->n < SPEECH_HEARD_MAX; i++) {
		unsigned at = 0;
		while (at < result->n && result->v[at].id != ids[i])
			at++;
		uint32_t share = (uint32_t)(1000 * (p > 1 ? 1 : p));
		if (at == result->n) {
			result->v[result->n].id = ids[i];
			result->v[result->n].score = (int32_t)(1000 * score);
			result->v[result->n++].posterior = share;
		} else if (result->v[at].posterior + share <= 1000) {
			result->v[at].posterior += share;
		}
	}
}

static void judge(const struct recog *r, struct speech_result *result, const struct recog_score *s, bool shared)
{
	result->sure = s->sum < r->limits.confirm ? SPEECH_REJECT : SPEECH_CONFIRM;
	if (result->sure == SPEECH_CONFIRM && s->sum >= r->limits.direct && !shared && result->v[0].posterior >= 900)
		result->sure = SPEECH_DIRECT;
}

static uint32_t cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint32_t)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

/* The likeliest name; where none fits, or badly, with wider beams: what an unusual voice says falls out of the narrow ones. The lattice of those
 * would take longer than all the rest, so it is not asked for. */
static int search(struct recog *r, float (*cep)[FRONT_CEPSTRA], size_t frames, unsigned *name, struct segment *seg, struct recog_score *s, bool *second)
{
	for (unsigned turn = 0; turn < 2; turn++) {
		int err = decode(r, turn ? SECOND : GRAMMAR, cep, frames);
		if (err)
			return err;
		*second = turn == 1;
		if (!best_name(r, name, seg))
			continue;
		s->frames = (unsigned)(seg->to - seg->from + 1);
		s->plain = (float)seg->acoustic / (float)s->frames;
		if (s->plain >= HOPELESS)
			break;
	}
	return 0;
}

static int hear(struct recog *r, float (*cep)[FRONT_CEPSTRA], size_t frames, struct speech_result *result, struct recog_score *s)
{
	struct best best[BEST];
	struct segment seg = { 0 };
	unsigned first = 0, owners;
	bool second = false;
	int err = search(r, cep, frames, &first, &seg, s, &second);
	if (err || !s->frames)
		return err;
	if (s->plain < HOPELESS) { /* nothing of this was meant; its lattice would be large */
		s->sum = s->plain;
		return 0;
	}
	unsigned n_best = second ? 0 : lattice_names(r, best);
	err = decode(r, LOOP, cep, frames);
	if (err)
		return err;
	double posterior = n_best ? 0 : 1;
	for (unsigned i = 0; i < n_best; i++)
		if (best[i].name == first)
			posterior = best[i].p;
	s->ratio = (float)(((double)seg.acoustic - loop_score(r, &seg)) / s->frames);
	s->posterior = (float)(posterior > 1 ? 1 : posterior);
	s->sum = s->ratio + 0.25f * s->plain + 5 * s->posterior;
	put(result, r, first, posterior, s->sum);
	for (unsigned i = 0; i < n_best; i++)
		put(result, r, best[i].name, best[i].name == first ? 0 : best[i].p, s->sum);
	(void)book_owners(r->book, first, &owners);
	judge(r, result, s, owners > 1);
	return 0;
}

int recog_hear(struct recog *r, const int16_t *pcm, size_t n, struct speech_result *result, struct recog_score *score)
{
	float(*cep)[FRONT_CEPSTRA];
	struct recog_score own = { 0 };
	size_t frames;
	uint32_t began = cpu_ms();
	*result = (struct speech_result){ .sure = SPEECH_REJECT };
	int err = front_cepstra(r->front, pcm, n, &cep, &frames);
	if (err == ENODATA)
		return 0;
	if (err)
		return err;
	err = hear(r, cep, frames, result, &own);
	mem_free(cep);
	if (score)
		*score = own;
	result->cpu_ms = cpu_ms() - began;
	return err;
}

/* From a fifth of the calls of make bench-speech, at 20 and 10 dB; the others judge them. `confirm` keeps nearly all that was understood, since a
 * needless question costs little; `direct` let nobody through who had asked for another of the directory. docs/speech.md has the figures. */
struct recog_limits recog_limits(const char *front, unsigned entries)
{
	static const struct {
		const char *front;
		unsigned entries; /* up to */
		struct recog_limits limits;
	} table[] = {
		{ "trained", 150, { -55, -12 } },
		{ "trained", UINT32_MAX, { -55, -12 } },
		{ "stock", UINT32_MAX, { -55, -12 } },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(table[i].front, front) == 0 && entries <= table[i].entries)
			return table[i].limits;
	return table[sizeof table / sizeof *table - 1].limits;
}

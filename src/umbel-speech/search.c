/* SPDX-License-Identifier: Apache-2.0 */
/* search.c  Viterbi, in three parts: what comes before a name, forward; the tree of names, forward, each state knowing when its name began; what comes behind,
 * backward. A name's likelihood is the best moment at which the second part meets the third.  */
#include "umbel-speech/search.h"
#include <errno.h>
#include <math.h>
#include "base/mem.h"

enum { PHONES_MAX = 96, CHAINS_MAX = 128, TRANSITIONS_MAX = ACOUSTIC_TRANSITIONS_MAX, FROM_QUIET = -1, FROM_SENTENCE = -2, NOBODY = -3, WORD_VARIANTS = 3 };
/* Costs of the grammar, as logarithms. */
static const float alone_cost = -4.5f, before_cost = -20, after_cost = -11.6f, beam = 250;

struct chain { /* a sentence's part, all its phones */
	unsigned n;
	struct acoustic_unit *unit;
};

struct node {
	struct acoustic_unit unit;
	int32_t parent, other; /* other: the same phone behind a sentence instead of silence; NOBODY */
};

struct search {
	const struct acoustic *acoustic;
	unsigned names, n_nodes, room, n_before, n_after, phones;
	struct node *node;
	int32_t *leaf; /* of each name; NOBODY */
	struct chain before[CHAINS_MAX], after[CHAINS_MAX];
	struct acoustic_unit quiet, *loop;
	unsigned silence, vowel; /* the vowel of "to", which stands before most names */
};

/* ---- the graph ---- */
struct phones {
	unsigned n;
	uint8_t v[PHONES_MAX], word[PHONES_MAX]; /* word: which word of it */
};

static bool add_phones(struct phones *p, const struct acoustic *a, struct text t, unsigned word)
{
	struct text one, rest;
	for (t = text_trim(t); t.n; t = text_trim(rest)) {
		(void)text_cut(t, ' ', &one, &rest);
		int phone = acoustic_phone(a, one);
		if (phone < 0 || p->n == PHONES_MAX)
			return false;
		p->word[p->n] = (uint8_t)word;
		p->v[p->n++] = (uint8_t)phone;
	}
	return true;
}

static struct acoustic_unit unit_at(const struct acoustic *a, const struct phones *p, unsigned i, unsigned left, unsigned right)
{
	bool first = i == 0 || p->word[i - 1] != p->word[i], last = i + 1 == p->n || p->word[i + 1] != p->word[i];
	enum acoustic_place place = first && last ? ACOUSTIC_ALONE : first ? ACOUSTIC_FIRST : last ? ACOUSTIC_LAST : ACOUSTIC_INSIDE;
	return acoustic_unit(a, p->v[i], i ? p->v[i - 1] : left, i + 1 < p->n ? p->v[i + 1] : right, place);
}

static bool same_unit(const struct acoustic_unit *a, const struct acoustic_unit *b)
{
	return a->transitions == b->transitions && memcmp(a->senone, b->senone, sizeof a->senone) == 0;
}

static int add_node(struct search *s, struct acoustic_unit u, int32_t parent, int32_t other)
{
	if (s->n_nodes == s->room) {
		unsigned room = s->room ? 2 * s->room : 4096;
		struct node *v = mem_realloc(s->node, room * sizeof *v);
		if (!v)
			return ENOMEM;
		s->node = v;
		s->room = room;
	}
	s->node[s->n_nodes++] = (struct node){ u, parent, other };
	return 0;
}

/* The path of the name before is shared as far as it is the same: names come sorted by their phones. */
struct path {
	unsigned n;
	struct acoustic_unit unit[PHONES_MAX], behind; /* behind: the first one behind a sentence */
	int32_t node[PHONES_MAX];
};

static int add_name(struct search *s, struct path *path, const struct phones *p, unsigned name)
{
	struct path now = { .n = p->n };
	int err = 0;
	for (unsigned i = 0; i < p->n; i++)
		now.unit[i] = unit_at(s->acoustic, p, i, s->silence, s->silence);
	now.behind = unit_at(s->acoustic, p, 0, s->vowel, s->silence);
	unsigned same = 0;
	while (same < p->n && same < path->n && same_unit(&now.unit[same], &path->unit[same]) && (same || same_unit(&now.behind, &path->behind))) {
		now.node[same] = path->node[same];
		same++;
	}
	for (unsigned i = same; i < p->n && !err; i++) {
		if (i == 0) {
			err = add_node(s, now.behind, FROM_SENTENCE, NOBODY); /* the one from silence stands right behind it */
			if (!err)
				err = add_node(s, now.unit[0], FROM_QUIET, NOBODY);
		} else {
			err = add_node(s, now.unit[i], now.node[i - 1], i == 1 ? now.node[0] - 1 : NOBODY);
		}
		now.node[i] = (int32_t)s->n_nodes - 1;
	}
	if (!err)
		s->leaf[name] = now.node[p->n - 1];
	*path = now;
	return err;
}

static int add_names(struct search *s, const struct book *b)
{
	struct path *path = mem_zalloc(1, sizeof *path);
	s->leaf = mem_alloc((s->names + 1) * sizeof *s->leaf);
	int err = path && s->leaf ? 0 : ENOMEM;
	for (unsigned i = 0; i < s->names && !err; i++) {
		struct phones p = { 0 };
		s->leaf[i] = NOBODY;
		if (add_phones(&p, s->acoustic, book_phones(b, i), 0) && p.n)
			err = add_name(s, path, &p, i);
	}
	mem_free(path);
	return err ? err : s->n_nodes ? 0 : EINVAL;
}

static int add_chain(struct search *s, struct chain *to, unsigned *n, const struct phones *p, unsigned left, unsigned right)
{
	struct chain *c = &to[*n];
	if (*n == CHAINS_MAX || !p->n)
		return 0;
	c->unit = mem_alloc(p->n * sizeof *c->unit);
	if (!c->unit)
		return ENOMEM;
	c->n = p->n;
	for (unsigned i = 0; i < p->n; i++)
		c->unit[i] = unit_at(s->acoustic, p, i, left, right);
	(*n)++;
	return 0;
}

/* A sentence as its words are said first, second, third. */
static int add_sentence(struct search *s, const struct book *b, struct chain *to, unsigned *n, const char *const *words, unsigned left, unsigned right)
{
	int err = 0;
	bool more = true;
	for (unsigned v = 0; v < WORD_VARIANTS && more && !err; v++) {
		struct phones p = { 0 };
		bool whole = true;
		more = false;
		for (unsigned i = 0; words[i] && whole; i++) {
			struct text said = book_word(b, words[i], v);
			if (said.n)
				more |= v > 0;
			else
				said = book_word(b, words[i], 0);
			whole = said.n && add_phones(&p, s->acoustic, said, i);
		}
		if (whole && (v == 0 || more))
			err = add_chain(s, to, n, &p, left, right);
		more = more || v == 0;
	}
	return err;
}

static int add_loop(struct search *s)
{
	s->loop = mem_alloc(acoustic_phones(s->acoustic) * sizeof *s->loop);
	if (!s->loop)
		return ENOMEM;
	int noise = acoustic_phone(s->acoustic, TEXT("+NSN+")), spoken = acoustic_phone(s->acoustic, TEXT("+SPN+"));
	for (unsigned i = 0; i < acoustic_phones(s->acoustic); i++)
		if ((int)i != noise && (int)i != spoken)
			s->loop[s->phones++] = acoustic_unit(s->acoustic, i, ACOUSTIC_ANY, ACOUSTIC_ANY, ACOUSTIC_INSIDE);
	return 0;
}

int search_create(struct search **sp, const struct acoustic *a, const struct book *b)
{
	int silence = acoustic_phone(a, TEXT("SIL")), vowel = acoustic_phone(a, TEXT("UW"));
	struct search *s = mem_zalloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	s->acoustic = a;
	s->names = book_names(b);
	s->silence = silence < 0 ? 0 : (unsigned)silence;
	s->vowel = vowel < 0 ? s->silence : (unsigned)vowel;
	s->quiet = acoustic_unit(a, s->silence, ACOUSTIC_ANY, ACOUSTIC_ANY, ACOUSTIC_ALONE);
	int err = add_names(s, b);
	for (unsigned i = 0; !book_commands(b) && book_before(i) && !err; i++)
		err = add_sentence(s, b, s->before, &s->n_before, book_before(i), s->silence, ACOUSTIC_ANY);
	for (unsigned i = 0; book_after(i) && !err; i++)
		err = add_sentence(s, b, s->after, &s->n_after, book_after(i), ACOUSTIC_ANY, s->silence);
	if (!err)
		err = add_loop(s);
	if (err)
		search_destroy(s);
	else
		*sp = s;
	return err;
}

void search_destroy(struct search *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n_before; i++)
		mem_free(s->before[i].unit);
	for (unsigned i = 0; i < s->n_after; i++)
		mem_free(s->after[i].unit);
	mem_free(s->node);
	mem_free(s->leaf);
	mem_free(s->loop);
	mem_free(s);
}

/* ---- a run ---- */
struct run {
	const struct search *s;
	const float *scores;
	size_t frames, senones;
	float *quiet, *sentence, *behind, *loop; /* frames + 1: reached before each frame; behind: what is still to come */
	float *a, *b, *c;                /* frames + 1, for whoever needs them */
	float stay[TRANSITIONS_MAX][ACOUSTIC_STATES], leave[TRANSITIONS_MAX][ACOUSTIC_STATES];
	struct state {
		float v[ACOUSTIC_STATES], most;
		uint32_t from[ACOUSTIC_STATES];
	} *state;
};

static float greater(float a, float b)
{
	return a > b ? a : b;
}

static void raise(float *to, const float *v, size_t n, float cost)
{
	for (size_t t = 0; t < n; t++)
		to[t] = greater(to[t], v[t] + cost);
}

static void never(float *v, size_t n)
{
	for (size_t t = 0; t < n; t++)
		v[t] = SEARCH_NEVER;
}

/* out[t]: the chain has been left before frame t, entered at in[]. */
static void forward(const struct run *r, const struct acoustic_unit *unit, unsigned n, const float *in, float *out)
{
	float v[PHONES_MAX][ACOUSTIC_STATES];
	for (unsigned i = 0; i < n; i++)
		v[i][0] = v[i][1] = v[i][2] = SEARCH_NEVER;
	out[0] = SEARCH_NEVER;
	for (size_t t = 0; t < r->frames; t++) {
		const float *o = r->scores + t * r->senones;
		for (unsigned i = n; i-- > 0;) {
			const struct acoustic_unit *u = &unit[i];
			const float *stay = r->stay[u->transitions], *leave = r->leave[u->transitions];
			float entered = i ? v[i - 1][2] + r->leave[unit[i - 1].transitions][2] : in[t];
			v[i][2] = greater(v[i][2] + stay[2], v[i][1] + leave[1]) + o[u->senone[2]];
			v[i][1] = greater(v[i][1] + stay[1], v[i][0] + leave[0]) + o[u->senone[1]];
			v[i][0] = greater(v[i][0] + stay[0], entered) + o[u->senone[0]];
		}
		out[t + 1] = v[n - 1][2] + r->leave[unit[n - 1].transitions][2];
	}
}

/* in[t]: the chain is entered at frame t; what it and out[] give until the end. */
static void backward(const struct run *r, const struct acoustic_unit *unit, unsigned n, const float *out, float *in)
{
	float v[PHONES_MAX + 1][ACOUSTIC_STATES]; /* frame t is in this state */
	for (unsigned i = 0; i <= n; i++)
		v[i][0] = v[i][1] = v[i][2] = SEARCH_NEVER;
	in[r->frames] = SEARCH_NEVER;
	for (size_t t = r->frames; t-- > 0;) {
		const float *o = r->scores + t * r->senones;
		for (unsigned i = 0; i < n; i++) {
			const struct acoustic_unit *u = &unit[i];
			const float *stay = r->stay[u->transitions], *leave = r->leave[u->transitions];
			float next = i + 1 < n ? v[i + 1][0] : out[t + 1]; /* the next phone still holds frame t + 1 */
			v[i][0] = greater(v[i][0] + stay[0], v[i][1] + leave[0]) + o[u->senone[0]];
			v[i][1] = greater(v[i][1] + stay[1], v[i][2] + leave[1]) + o[u->senone[1]];
			v[i][2] = greater(v[i][2] + stay[2], next + leave[2]) + o[u->senone[2]];
		}
		in[t] = v[0][0];
	}
}

static void before(struct run *r)
{
	const struct search *s = r->s;
	size_t n = r->frames + 1;
	never(r->a, n);
	r->a[0] = 0;
	forward(r, &s->quiet, 1, r->a, r->b);
	raise(r->a, r->b, n, 0); /* the beginning, or silence and then the beginning */
	never(r->sentence, n);
	for (unsigned i = 0; i < s->n_before; i++) {
		forward(r, s->before[i].unit, s->before[i].n, r->a, r->b);
		raise(r->sentence, r->b, n, before_cost);
	}
	forward(r, &s->quiet, 1, r->sentence, r->quiet);
	raise(r->quiet, r->a, n, alone_cost);
}

static void behind(struct run *r)
{
	const struct search *s = r->s;
	size_t n = r->frames + 1;
	never(r->a, n);
	r->a[r->frames] = 0;
	backward(r, &s->quiet, 1, r->a, r->b);
	raise(r->a, r->b, n, 0); /* the end, or silence until then */
	never(r->c, n);
	for (unsigned i = 0; i < s->n_after; i++) {
		backward(r, s->after[i].unit, s->after[i].n, r->a, r->b);
		raise(r->c, r->b, n, after_cost);
	}
	backward(r, &s->quiet, 1, r->c, r->behind);
	raise(r->behind, r->c, n, 0);
	raise(r->behind, r->a, n, alone_cost);
}

static void loop(struct run *r)
{
	const struct search *s = r->s;
	struct state *v = r->state; /* the names come later */
	for (unsigned i = 0; i < s->phones; i++)
		v[i].v[0] = v[i].v[1] = v[i].v[2] = SEARCH_NEVER;
	r->loop[0] = 0;
	for (size_t t = 0; t < r->frames; t++) {
		const float *o = r->scores + t * r->senones;
		float most = SEARCH_NEVER;
		for (unsigned i = 0; i < s->phones; i++) {
			const struct acoustic_unit *u = &s->loop[i];
			const float *stay = r->stay[u->transitions], *leave = r->leave[u->transitions];
			float *w = v[i].v;
			w[2] = greater(w[2] + stay[2], w[1] + leave[1]) + o[u->senone[2]];
			w[1] = greater(w[1] + stay[1], w[0] + leave[0]) + o[u->senone[1]];
			w[0] = greater(w[0] + stay[0], r->loop[t]) + o[u->senone[0]];
			most = greater(most, w[2] + leave[2]);
		}
		r->loop[t + 1] = most;
	}
}

static void step(struct state *x, const struct acoustic_unit *u, const struct run *r, const float *o, float entered, uint32_t from)
{
	const float *stay = r->stay[u->transitions], *leave = r->leave[u->transitions];
	float still = x->v[2] + stay[2], on = x->v[1] + leave[1];
	if (on > still)
		x->from[2] = x->from[1];
	x->v[2] = greater(still, on) + o[u->senone[2]];
	still = x->v[1] + stay[1], on = x->v[0] + leave[0];
	if (on > still)
		x->from[1] = x->from[0];
	x->v[1] = greater(still, on) + o[u->senone[1]];
	still = x->v[0] + stay[0];
	if (entered > still)
		x->from[0] = from;
	x->v[0] = greater(still, entered) + o[u->senone[0]];
	x->most = greater(x->v[0], greater(x->v[1], x->v[2]));
}

static float left(const struct run *r, int32_t node)
{
	return r->state[node].v[2] + r->leave[r->s->node[node].unit.transitions][2];
}

/* One frame through the tree, children before their parents, which so are still as they were a frame ago. */
static float tree_frame(struct run *r, size_t t, float least)
{
	const float *o = r->scores + t * r->senones;
	float most = SEARCH_NEVER;
	for (size_t i = r->s->n_nodes; i-- > 0;) {
		const struct node *n = &r->s->node[i];
		struct state *x = &r->state[i];
		float entered;
		uint32_t from = (uint32_t)t;
		if (n->parent >= 0) {
			entered = left(r, n->parent);
			from = r->state[n->parent].from[2];
			if (n->other >= 0 && left(r, n->other) > entered) {
				entered = left(r, n->other);
				from = r->state[n->other].from[2];
			}
		} else {
			entered = n->parent == FROM_QUIET ? r->quiet[t] : r->sentence[t];
		}
		if (entered < least && x->most < least) {
			if (x->most > SEARCH_NEVER)
				x->v[0] = x->v[1] = x->v[2] = x->most = SEARCH_NEVER;
			continue;
		}
		step(x, &n->unit, r, o, entered, from);
		most = greater(most, x->most);
	}
	return most;
}

static void tree(struct run *r, struct search_name *names)
{
	float least = SEARCH_NEVER;
	for (size_t i = 0; i < r->s->n_nodes; i++)
		r->state[i] = (struct state){ { SEARCH_NEVER, SEARCH_NEVER, SEARCH_NEVER }, SEARCH_NEVER, { 0 } };
	for (unsigned i = 0; i < r->s->names; i++)
		names[i] = (struct search_name){ SEARCH_NEVER, SEARCH_NEVER, 0, 0 };
	for (size_t t = 0; t < r->frames; t++) {
		least = tree_frame(r, t, least) - beam;
		for (unsigned i = 0; i < r->s->names; i++) {
			int32_t leaf = r->s->leaf[i];
			if (leaf < 0 || r->state[leaf].v[2] <= SEARCH_NEVER / 2)
				continue;
			float at_end = left(r, leaf), all = at_end + r->behind[t + 1];
			if (all > names[i].score)
				names[i] = (struct search_name){ all, at_end, r->state[leaf].from[2], (uint32_t)t + 1 };
		}
	}
	for (unsigned i = 0; i < r->s->names; i++) /* what was before the name is not its own */
		if (names[i].score > SEARCH_NEVER)
			names[i].own -= greater(r->quiet[names[i].from], r->sentence[names[i].from]);
}

int search_run(const struct search *s, const float *scores, size_t frames, struct search_name *names, float *loop_at)
{
	size_t n = frames + 1, states = s->n_nodes > s->phones ? s->n_nodes : s->phones;
	struct run *r = mem_alloc(sizeof *r);
	float *room = mem_alloc(6 * n * sizeof *room);
	int err = r && room ? 0 : ENOMEM;
	if (!err) {
		*r = (struct run){ .s = s, .scores = scores, .frames = frames, .senones = acoustic_senones(s->acoustic), .loop = loop_at, .quiet = room, .sentence = room + n,
			           .behind = room + 2 * n, .a = room + 3 * n, .b = room + 4 * n, .c = room + 5 * n };
		r->state = mem_alloc(states * sizeof *r->state);
		err = r->state ? 0 : ENOMEM;
	}
	if (!err) {
		for (unsigned t = 0; t < TRANSITIONS_MAX; t++)
			for (unsigned i = 0; i < ACOUSTIC_STATES; i++) {
				struct acoustic_unit u = { .transitions = (uint8_t)t };
				r->stay[t][i] = acoustic_stay(s->acoustic, &u, i);
				r->leave[t][i] = acoustic_leave(s->acoustic, &u, i);
			}
		before(r);
		behind(r);
		loop(r);
		tree(r, names);
		mem_free(r->state);
	}
	mem_free(room);
	mem_free(r);
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* replayed_test.c  The conversations of talks/ replayed against Umbel: as they are written; with one step done wrong on purpose; over a network that
 * loses a fifth. All of one play talk at once, so a peer that misbehaves must not disturb the others.
 *
 * The usual run takes a seeded choice of what can be done wrong; UMBEL_REPLAYED=all takes every scene, every message, every way.
 * UMBEL_SEED=N chooses others; UMBEL_ONLY="asterisk:hold" plays only what begins so; UMBEL_TALK=1 prints all messages.       */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "replayed/stage.h"
#include "support/ut.h"

static const char *const products[] = { "lync", "asterisk", "freeswitch", "cucm", "audiocodes", "teams" };
enum { PRODUCTS = sizeof(products) / sizeof(*products), CHOSEN = 110, LOSSY = 36, BATCH = 200 };
static struct talk *talks[PRODUCTS];

static uint64_t seed_of(void)
{
	const char *s = getenv("UMBEL_SEED");
	return s ? strtoull(s, NULL, 10) : 1;
}

static bool all(void)
{
	const char *how = getenv("UMBEL_REPLAYED");
	return how && !strcmp(how, "all");
}

static uint64_t next(uint64_t *x)
{
	*x ^= *x >> 12;
	*x ^= *x << 25;
	*x ^= *x >> 27;
	return *x * 0x2545f4914f6cdd1dULL >> 33;
}

static bool wanted(const struct talk_scene *sc)
{
	const char *only = getenv("UMBEL_ONLY"), *colon = only ? strchr(only, ':') : NULL;
	size_t n = colon ? (size_t)(colon - only) : only ? strlen(only) : 0;
	return !only || (!strncmp(sc->product, only, n) && (!colon || !strncmp(sc->name, colon + 1, strlen(colon + 1))));
}

static int read_all(void **state)
{
	char path[400];
	(void)state;
	for (unsigned i = 0; i < PRODUCTS; i++) {
		snprintf(path, sizeof(path), "%s/%s.talk", UMBEL_TALKS, products[i]);
		talks[i] = talk_read(path);
	}
	stage_prepare();
	return 0;
}

static int forget_all(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PRODUCTS; i++)
		talk_free(talks[i]);
	stage_forget();
	return 0;
}

/* ---- lists of what is played ---- */
struct program {
	struct stage_part *v;
	unsigned n, room;
};

static void put(struct program *l, const struct stage_part *part)
{
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 64;
		l->v = mem_realloc(l->v, l->room * sizeof(*l->v));
		assert_non_null(l->v);
	}
	l->v[l->n++] = *part;
}

static void every_scene(struct program *l)
{
	for (unsigned i = 0; i < PRODUCTS; i++)
		for (unsigned k = 0; k < talks[i]->n_scenes; k++)
			if (wanted(&talks[i]->scene[k]))
				put(l, &(struct stage_part){ .talk = talks[i], .scene = &talks[i]->scene[k] });
}

/* The same scenes by transports that their product may be set to as well. Teams knows TLS only. */
static struct talk_scene moved[PRODUCTS * TALK_SCENES * 2];

static void by_other_transports(struct program *l)
{
	static const char *const transports[] = { "udp", "tcp", "tls" };
	unsigned n = l->n, used = 0;
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < 3; k++) {
			struct stage_part part = l->v[i];
			if (!strcmp(part.scene->transport, transports[k]) || !strcmp(part.scene->product, "teams") || part.scene->only)
				continue;
			moved[used] = *part.scene;
			memcpy(moved[used].transport, transports[k], 4);
			part.scene = &moved[used++];
			put(l, &part);
		}
}

/* Every scene at every message in every way, each once with a peer that gives up and one that goes on. */
static void every_way(struct program *l)
{
	struct program scenes = { 0 };
	every_scene(&scenes);
	if (all())
		by_other_transports(&scenes);
	for (unsigned i = 0; i < scenes.n; i++) {
		const struct talk_scene *sc = scenes.v[i].scene;
		for (unsigned k = 0, said = 0; k < sc->n; k++) {
			if (sc->step[k].act != TALK_SEND)
				continue;
			for (enum astray_kind kind = ASTRAY_NOT + 1; kind < ASTRAY_COUNT; kind++) {
				struct stage_part part = scenes.v[i];
				if (!astray_applies(&sc->step[k], kind, sc->transport))
					continue;
				unsigned ways = astray_strict(&sc->step[k], kind) ? 1 : 2;
				for (unsigned w = 0; w < ways; w++) {
					part.astray = (struct astray){ .kind = kind, .step = said, .gives_up = w, .polite = (k + kind + w) % 2 };
					put(l, &part);
				}
			}
			said++;
		}
	}
	mem_free(scenes.v);
}

static void shuffle(struct program *l, uint64_t *x)
{
	for (unsigned i = l->n; i > 1; i--) {
		unsigned k = (unsigned)(next(x) % i);
		struct stage_part t = l->v[i - 1];
		l->v[i - 1] = l->v[k];
		l->v[k] = t;
	}
}

/* The list is used up. */
static struct stage_report play(struct program *l, const char *what)
{
	struct stage_report r = { 0 };
	for (unsigned i = 0; i < l->n; i += BATCH) {
		unsigned n = l->n - i < BATCH ? l->n - i : BATCH;
		stage_play(l->v + i, n, &r);
		if (l->n > BATCH)
			print_message("%u of %u played, %u differences\n", i + n, l->n, r.differences);
	}
	mem_free(l->v);
	print_message("%s: %u played in %.0f s of their time; all was over %.0f s after the last word\n", what, r.played, (double)r.virtual_ms / 1000,
	              (double)r.longest_drain_ms / 1000);
	if (r.differences)
		fail_msg("%s: %u of %u differ (UMBEL_SEED=%llu)", what, r.differences, r.played, (unsigned long long)seed_of());
	return r;
}

/* ---- the tests ---- */
static void as_they_are_written(void **state)
{
	struct program l = { 0 };
	(void)state;
	every_scene(&l);
	by_other_transports(&l);
	(void)play(&l, "as written, and by other transports");
}

static void one_step_done_wrong(void **state)
{
	struct program l = { 0 }, good = { 0 };
	uint64_t x = seed_of() * 0x9e3779b97f4a7c15ULL + 1;
	(void)state;
	every_way(&l);
	shuffle(&l, &x);
	if (!all() && l.n > CHOSEN)
		l.n = CHOSEN;
	/* every sixth is a good one, in the midst of the others */
	every_scene(&good);
	for (unsigned i = 0, n = l.n / 5; i < n; i++)
		put(&l, &good.v[next(&x) % good.n]);
	shuffle(&l, &x);
	mem_free(good.v);
	(void)play(&l, "done wrong");
}

static void a_fifth_is_lost(void **state)
{
	struct program l = { 0 }, scenes = { 0 };
	uint64_t x = seed_of() + 77;
	unsigned n = all() ? LOSSY * 10 : LOSSY;
	(void)state;
	every_scene(&scenes);
	for (unsigned i = 0; i < scenes.n; i++)
		if (!strcmp(scenes.v[i].scene->transport, "udp"))
			scenes.v[l.n++] = scenes.v[i];
	scenes.n = l.n;
	l.n = 0;
	for (unsigned i = 0; scenes.n && i < n; i++) {
		struct stage_part part = scenes.v[i % scenes.n];
		part.lossy = true;
		part.seed = next(&x);
		put(&l, &part);
	}
	unsigned none = !scenes.n;
	mem_free(scenes.v);
	struct stage_report r = play(&l, "over a bad network");
	print_message("%u lost, %u doubled, %u overtaken of %u; %u scenes came to their end\n", r.lossy.lost, r.lossy.doubled, r.lossy.overtaken,
	              r.lossy.lost + r.lossy.passed, r.played - r.incomplete);
	if (!none && (r.incomplete * 2 > r.played || !r.lossy.lost))
		fail_msg("%u of %u did not come to their end", r.incomplete, r.played);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { UT(as_they_are_written), UT(one_step_done_wrong), UT(a_fifth_is_lost) };
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, read_all, forget_all);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* life.c  An errand's surroundings in a test. */
#include "life.h"
#include <unistd.h>
#include "base/mem.h"
#include "cert/install.h"

void life_up(struct life *l)
{
	*l = (struct life){ .dir = ut_tmpdir() };
	clock_fake_init(&l->clock, TC_NOW);
	assert_int_equal(loop_create(&l->loop, &l->clock.clock), 0);
	assert_int_equal(pool_create(&l->pool, l->loop, "files", 1, 8), 0);
	tc_root(&l->root, "Lab CA");
}

void life_identity(struct life *l, const struct tc *shown)
{
	struct trust_identity *id;
	struct trust_set *set;
	assert_int_equal(trust_identity_from(&id, "default", shown->cert, NULL, shown->key, NULL), 0);
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_set_identity(set, id), 0);
	assert_int_equal(trust_set_anchor(set, l->root.cert), 0);
	assert_int_equal(trust_keeper_create(&l->keeper, set), 0);
	mem_unref(set);
	mem_unref(id);
}

void life_down(struct life *l)
{
	pool_destroy(l->pool);
	loop_destroy(l->loop);
	trust_keeper_destroy(l->keeper);
	tc_free(&l->root);
}

static void answer(void *arg)
{
	struct life *l = arg;
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, TRUST_DIALLED, TRUST_TLS, TC_NOW);
	f->tls.done = true;
	facts_silent(f, 5000);
	l->done(l->answers(l, l->asked, l->asked_with), f, l->done_arg);
	mem_free(f);
}

int life_probe(const char *gateway, const char *identity, cert_probe_done_h *done, void *done_arg, void *arg)
{
	struct life *l = arg;
	struct trust_set *s = trust_keeper_get(l->keeper);
	struct trust_identity *id = trust_set_find(s, identity);
	assert_non_null(id);
	text_fill(l->asked_with, sizeof l->asked_with, trust_identity_cn(id));
	text_fill(l->asked, sizeof l->asked, gateway);
	mem_unref(s);
	l->probes++;
	l->done = done;
	l->done_arg = done_arg;
	tmr_start(l->loop, &l->timer, 0, answer, l);
	return 0;
}

void life_said(enum cert_cure_step step, const struct ev_report *r, void *arg)
{
	struct life *l = arg;
	char text[2048];
	(void)step;
	assert_null(strstr(ev_sentence(r, text, sizeof text), "?")); /* what is said is filled in */
	if (l->n_said < 64)
		l->said[l->n_said++] = r->id;
}

void life_over(const struct cert_cure_result *r, void *arg)
{
	struct life *l = arg;
	l->is_over = true;
	l->result = *r;
}

void life_turn(struct life *l)
{
	loop_step(l->loop, pool_depth(l->pool) ? 5 : 0);
	clock_fake_advance_ms(&l->clock, 5);
}

static int nothing_to_do(void *arg)
{
	(void)arg;
	return 0;
}

static void nothing_done(enum pool_result result, int err, void *arg)
{
	(void)result;
	(void)err;
	(void)arg;
}

void life_run(struct life *l)
{
	for (unsigned i = 0; i < 40000 && !l->is_over; i++) {
		if (i % 20000 == 19999) /* a worker's end that found no memory is told with the next one's */
			assert_int_equal(pool_submit(l->pool, nothing_to_do, nothing_done, l), 0);
		life_turn(l);
	}
	assert_true(l->is_over);
}

unsigned life_heard(const struct life *l, uint16_t event)
{
	unsigned n = 0;
	for (unsigned i = 0; i < l->n_said; i++)
		n += l->said[i] == event;
	return n;
}

bool life_shows(struct life *l, const struct tc *c)
{
	struct trust_set *s = trust_keeper_get(l->keeper);
	assert_int_equal(trust_set_count(s), 1);
	bool same = X509_cmp(trust_identity_x509(trust_set_find(s, "default")), c->cert) == 0;
	mem_unref(s);
	return same;
}

bool life_on_disk(struct life *l)
{
	char path[512];
	return access(cert_installed_path(l->dir, "default", path), R_OK) == 0;
}

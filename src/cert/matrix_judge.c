/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_judge.c  Opinions: what a gateway thinks of our certificate (trust/profile.h), and what we think of its (our rule). */
#include <errno.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "cert/matrix_private.h"
#include "trust/rule.h"

/* ---- sentences ---- */

static const struct {
	const char *name, *sentence, *fix;
} words[] = {
#define WORDS(id, name, sentence, fix) { name, sentence, fix },
#include "cert/matrix.def"
#undef WORDS
};

const char *matrix_words_name(enum matrix_words w)
{
	return words[w].name;
}

static void render(const char *pattern, const struct ev_report *fields, char *dst, size_t size)
{
	struct buf b;
	buf_init(&b, 65536);
	const char *s = ev_render(pattern, fields, &b) == 0 ? buf_cstr(&b) : NULL;
	text_fill(dst, size, s ? s : pattern);
	buf_free(&b);
}

void matrix_words_fill(enum matrix_words w, const struct ev_report *fields, char *sentence, size_t sentence_size, char *fix, size_t fix_size)
{
	if (sentence)
		render(words[w].sentence, fields, sentence, sentence_size);
	if (fix)
		render(words[w].fix, fields, fix, fix_size);
}

void matrix_opinion_of(struct matrix_opinion *o, enum matrix_words w, enum matrix_says says, enum trust_certainty certainty, const struct ev_report *fields)
{
	*o = (struct matrix_opinion){ .says = says, .certainty = certainty };
	text_fill(o->name, sizeof o->name, words[w].name);
	matrix_words_fill(w, fields, o->sentence, sizeof o->sentence, o->fix, sizeof o->fix);
}

static void opinion_of_gateway(struct matrix_opinion *o, enum matrix_words w, enum matrix_says says, const struct matrix_gateway *g, struct ev_report *r)
{
	ev_str(r, "gateway", g->name);
	matrix_opinion_of(o, w, says, says == MATRIX_UNKNOWN ? TRUST_UNKNOWN : TRUST_SURE, r);
}

/* ---- they of us ---- */

static const struct trust_profile *profile_of(const struct matrix_gateway *g)
{
	const struct trust_profile *p = trust_profile_find(g->profile);
	return p ? p : strcmp(g->profile, "cn-known-servers") == 0 ? trust_profile_find("lync") : NULL;
}

bool matrix_has_list(const struct matrix_gateway *g)
{
	const struct matrix_finder *f = matrix_finder(g);
	return g->known.n && f && f->finds != MATRIX_FINDS_UNKNOWN;
}

void matrix_judges_us(const struct matrix_gateway *g, struct trust_judges_us *j)
{
	*j = (struct trust_judges_us){ .known = g->known };
	(void)trust_judges_us_set(j, g->profile);
}

static void take_answer(struct matrix_opinion *o, const struct trust_answer *a)
{
	static const enum matrix_says says[] = { [TRUST_ACCEPTS] = MATRIX_ACCEPTS, [TRUST_REFUSES] = MATRIX_REFUSES, [TRUST_CANNOT_SAY] = MATRIX_UNKNOWN };
	*o = (struct matrix_opinion){ .says = says[a->kind], .certainty = a->certainty, .confidence = a->confidence, .by_rule = true,
		                      .ours_to_cure = a->kind == TRUST_REFUSES };
	/* Why it is accepted is worth a line only when that hangs by a switch of theirs. */
	bool by_switch = a->default_off && a->if_enabled != TRUST_ACCEPTS;
	text_fill(o->name, sizeof o->name, a->kind != TRUST_ACCEPTS || by_switch ? a->name : "");
	text_fill(o->sentence, sizeof o->sentence, a->sentence);
	text_fill(o->fix, sizeof o->fix, a->fix);
	text_fill(o->wanted, sizeof o->wanted, a->wanted);
	text_fill(o->offered, sizeof o->offered, a->offered);
	text_fill(o->sees, sizeof o->sees, a->kind == TRUST_REFUSES ? a->sees : "");
}

void matrix_they_judge(const struct matrix_gateway *g, enum trust_seat seat, const struct matrix_cert *cert, const char *reference, int64_t now_s,
		       struct matrix_scratch *s, struct matrix_opinion *o)
{
	const struct trust_profile *p = profile_of(g);
	struct trust_question q = { .seat = seat, .leaf = cert->leaf, .chain = cert->chain, .reference = reference,
		                    .known = g->known.n ? &g->known : NULL, .now_s = now_s };
	*o = (struct matrix_opinion){ .says = MATRIX_ACCEPTS, .certainty = TRUST_SURE };
	if (seat == TRUST_SEAT_CLIENT_CERT && !g->asks_certificate)
		return;
	if (!p) {
		ev_set(&s->report, 0);
		opinion_of_gateway(o, MATRIX_W_PROFILE_UNKNOWN, MATRIX_UNKNOWN, g, &s->report);
		return;
	}
	trust_profile_judge(p, &q, &s->answer);
	take_answer(o, &s->answer);
	o->by_configuration = trust_profile_generic(p);
}

/* ---- we of them ---- */

static bool lacks(const struct trust_cert *c, unsigned usage)
{
	return (c->eku & TRUST_EKU_PRESENT) && !(c->eku & usage);
}

static int judge_names(const struct matrix_gateway *g, const struct trust_cert *c, struct trust_judgement *j)
{
	struct trust_policy *policy = NULL;
	struct trust_cert_names names = { 0 };
	const char *accept[128];
	unsigned n = 0;
	for (; n < g->accept.n && n < 128; n++)
		accept[n] = trust_names_at(&g->accept, n);
	int err = trust_policy_one(&policy, g->name, g->rule, accept, n);
	if (!err)
		err = trust_cert_names_of_facts(&names, c);
	if (!err)
		trust_policy_judge(policy, &names, j);
	trust_cert_names_free(&names);
	mem_unref(policy);
	return err;
}

/* MATRIX_WORDS: nothing is wrong. */
static enum matrix_words our_reason(const struct matrix_gateway *g, const struct matrix_theirs *t, bool dialled, int64_t now_s)
{
	const struct trust_cert *c = &t->facts;
	if (now_s > c->not_after_s)
		return MATRIX_W_THEIRS_EXPIRED;
	if (now_s < c->not_before_s)
		return MATRIX_W_THEIRS_NOT_YET;
	if (lacks(c, dialled ? TRUST_EKU_SERVER : TRUST_EKU_CLIENT))
		return MATRIX_W_THEIRS_USAGE;
	if (t->judged && t->refused)
		return MATRIX_W_THEIRS_CHAIN;
	return g->accept.n ? MATRIX_WORDS : MATRIX_W_THEIRS_NOBODY;
}

static void say_theirs(const struct matrix_gateway *g, const struct matrix_theirs *t, bool dialled, struct matrix_scratch *s)
{
	struct ev_report *r = &s->report;
	char at[RFC3339_SIZE], list[512];
	ev_set(r, 0);
	ev_str(r, "cn", t->facts.cn);
	ev_str(r, "not_after", rfc3339_s(t->facts.not_after_s, at));
	ev_str(r, "not_before", rfc3339_s(t->facts.not_before_s, at));
	ev_str(r, "usage", dialled ? "serverAuth" : "clientAuth");
	ev_str(r, "role", dialled ? "this node dials it" : "it dials this node");
	ev_str(r, "error", t->why);
	ev_str(r, "offered", trust_names_join(&s->judgement.offered, list, sizeof list));
	ev_str(r, "wanted", trust_names_join_by(&g->accept, "or", list, sizeof list));
	ev_str(r, "rule", trust_rule_kind_name(g->rule));
}

int matrix_we_judge(const struct matrix_gateway *g, bool dialled, int64_t now_s, struct matrix_scratch *s, struct matrix_opinion *o)
{
	const struct matrix_theirs *mine = dialled ? &g->as_server : &g->as_client, *other = dialled ? &g->as_client : &g->as_server;
	const struct matrix_theirs *t = mine->known ? mine : other;
	*o = (struct matrix_opinion){ .says = MATRIX_ACCEPTS, .certainty = t == mine ? TRUST_SURE : TRUST_LIKELY };
	s->judgement = (struct trust_judgement){ 0 };
	if (!t->known) {
		ev_set(&s->report, 0);
		opinion_of_gateway(o, MATRIX_W_THEIRS_UNKNOWN, MATRIX_UNKNOWN, g, &s->report);
		return 0;
	}
	enum matrix_words w = our_reason(g, t, dialled, now_s);
	int err = w == MATRIX_WORDS ? judge_names(g, &t->facts, &s->judgement) : 0;
	if (!err && w == MATRIX_WORDS && s->judgement.reason != TRUST_NAME_OK)
		w = MATRIX_W_THEIRS_NAME;
	if (err || w == MATRIX_WORDS)
		return err;
	say_theirs(g, t, dialled, s);
	opinion_of_gateway(o, w, MATRIX_REFUSES, g, &s->report);
	if (t != mine)
		o->certainty = TRUST_LIKELY; /* it may show another one there */
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* talk.c  See talk.h. */
#include "replayed/talk.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "support/ut.h"

struct reader {
	struct talk *t;
	char **line; /* all lines; line[i] is number i + 1 */
	unsigned n, at;
	char transport[4];
};

static void wrong(const struct reader *r, unsigned line, const char *what)
{
	fail_msg("%s:%u: %s: '%s'", r->t->path, line, what, line ? r->line[line - 1] : "");
}

static char *past_blanks(char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* The first word, ended by NUL; *rest is what stands behind it. */
static char *word(char *p, char **rest)
{
	p = past_blanks(p);
	char *end = p + strcspn(p, " \t");
	*rest = *end ? past_blanks(end + 1) : end;
	*end = '\0';
	return p;
}

/* "500ms", "3s", "2m" */
static int64_t time_of(const struct reader *r, unsigned line, const char *p)
{
	char *unit;
	long n = strtol(p, &unit, 10);
	int64_t factor = !strcmp(unit, "ms") ? 1 : !strcmp(unit, "s") ? 1000 : !strcmp(unit, "m") ? 60000 : 0;
	if (unit == p || !factor)
		wrong(r, line, "a time like 500ms or 3s is wanted");
	return n * factor;
}

static bool indented(const char *p)
{
	return *p == '\t';
}

/* The lines below, each without its tab. An empty line belongs to them when an indented one follows. */
static struct talk_lines block_of(struct reader *r)
{
	struct talk_lines b = { 0 };
	unsigned end = r->at;
	for (unsigned i = r->at; i < r->n && (!*r->line[i] || indented(r->line[i])); i++)
		if (indented(r->line[i]))
			end = i + 1;
	b.v = &r->line[r->at];
	for (; r->at < end; r->at++, b.n++)
		if (*r->line[r->at])
			r->line[r->at]++;
	return b;
}

static void rule(struct reader *r, struct talk_rule *list, unsigned *n, char *what)
{
	if (*n == TALK_RULES)
		wrong(r, r->at, "too many of these");
	list[*n].what = what;
	list[(*n)++].lines = block_of(r);
}

static const struct {
	const char *word;
	enum talk_do act;
	char takes; /* m: message, w: words, t: time, n: number */
} acts[] = {
	{ "send", TALK_SEND, 'm' }, { "hear", TALK_HEAR, 'h' }, { "wait", TALK_WAIT, 't' }, { "speak", TALK_SPEAK, 't' }, { "keys", TALK_KEYS, 'w' },
	{ "lamp", TALK_LAMP, 'w' }, { "quiet", TALK_QUIET, 't' }, { "audio", TALK_AUDIO, 0 }, { "silence", TALK_SILENCE, 't' }, { "close", TALK_CLOSE, 0 }, { "left", TALK_LEFT, 'n' },
};

enum { HEAR_MS = 15000, STEPS = 64 };

static void fill(struct reader *r, struct talk_step *s, char takes, char *rest)
{
	switch (takes) {
	case 'h': {
		char *within = strstr(rest, " within ");
		s->ms = within ? time_of(r, s->line, within + 8) : HEAR_MS;
		if (within)
			*within = '\0';
		s->what = rest;
		s->lines = block_of(r);
		break;
	}
	case 'm':
		s->lines = block_of(r);
		if (!s->lines.n)
			wrong(r, s->line, "a message is wanted below");
		break;
	case 't':
		s->ms = time_of(r, s->line, rest);
		break;
	case 'n':
		s->ms = strtol(rest, NULL, 10);
		break;
	case 'w':
		s->what = rest;
		break;
	}
}

static void step(struct reader *r, char *first, char *rest)
{
	struct talk_scene *sc = r->t->n_scenes ? &r->t->scene[r->t->n_scenes - 1] : NULL;
	bool may = !strcmp(first, "may");
	if (may)
		first = word(rest, &rest);
	if (!sc || sc->n == STEPS)
		wrong(r, r->at, sc ? "too many steps" : "no scene has begun");
	for (unsigned i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		if (strcmp(first, acts[i].word))
			continue;
		struct talk_step *s = &sc->step[sc->n++];
		*s = (struct talk_step){ .act = acts[i].act, .line = r->at, .what = (char *)(uintptr_t)"", .may = may };
		fill(r, s, acts[i].takes, rest);
		return;
	}
	wrong(r, r->at, "not understood");
}

/* "scene NAME", or "scene tcp NAME" */
static void scene(struct reader *r, char *rest)
{
	struct talk *t = r->t;
	if (t->n_scenes == TALK_SCENES)
		wrong(r, r->at, "too many scenes");
	struct talk_scene *sc = &t->scene[t->n_scenes++];
	*sc = (struct talk_scene){ .product = t->product, .line = r->at, .step = mem_zalloc(STEPS, sizeof(*sc->step)) };
	assert_non_null(sc->step);
	memcpy(sc->transport, r->transport, sizeof(sc->transport));
	for (unsigned i = 0; i < 3; i++) {
		static const char *const transports[] = { "udp ", "tcp ", "tls " };
		if (!strncmp(rest, transports[i], 4)) {
			memcpy(sc->transport, transports[i], 3);
			sc->only = true;
			rest += 4;
		}
	}
	sc->name = rest;
}

static void statement(struct reader *r)
{
	char *rest, *first = word(r->line[r->at++], &rest);
	struct talk *t = r->t;
	if (!strcmp(first, "product"))
		snprintf(t->product, sizeof(t->product), "%s", rest);
	else if (!strcmp(first, "transport"))
		snprintf(r->transport, sizeof(r->transport), "%s", rest);
	else if (!strcmp(first, "when"))
		rule(r, t->when, &t->n_when, rest);
	else if (!strcmp(first, "accepts"))
		rule(r, t->accepts, &t->n_accepts, rest);
	else if (!strcmp(first, "block"))
		rule(r, t->block, &t->n_block, rest);
	else if (!strcmp(first, "scene"))
		scene(r, rest);
	else
		step(r, first, rest);
}

static char *whole(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = mem_zalloc(1, 256 << 10);
	if (!f || !text)
		fail_msg("%s cannot be read", path);
	size_t n = fread(text, 1, (256 << 10) - 1, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

/* ---- blocks put in place ---- */
static unsigned put_in(struct reader *r, const struct talk_lines *from, char **to)
{
	unsigned n = 0;
	for (unsigned i = 0; i < from->n; i++) {
		const struct talk_lines *inner = NULL;
		for (unsigned k = 0; *from->v[i] == '&' && k < r->t->n_block; k++)
			if (!strcmp(r->t->block[k].what, from->v[i] + 1))
				inner = &r->t->block[k].lines;
		if (*from->v[i] == '&' && !inner)
			fail_msg("%s: no block '%s'", r->t->path, from->v[i] + 1);
		if (inner)
			n += put_in(r, inner, to ? to + n : NULL);
		else if (to)
			to[n++] = from->v[i];
		else
			n++;
	}
	return n;
}

static void flatten(struct reader *r, struct talk_lines *l)
{
	struct talk_lines flat = { .n = put_in(r, l, NULL) };
	flat.v = mem_zalloc(flat.n + 1, sizeof(*flat.v));
	assert_non_null(flat.v);
	(void)put_in(r, l, flat.v);
	*l = flat;
}

static void flatten_all(struct reader *r)
{
	struct talk *t = r->t;
	for (unsigned i = 0; i < t->n_when; i++)
		flatten(r, &t->when[i].lines);
	for (unsigned i = 0; i < t->n_accepts; i++)
		flatten(r, &t->accepts[i].lines);
	for (unsigned i = 0; i < t->n_scenes; i++)
		for (unsigned k = 0; k < t->scene[i].n; k++)
			flatten(r, &t->scene[i].step[k].lines);
}

struct talk *talk_read(const char *path)
{
	struct talk *t = mem_zalloc(1, sizeof(*t));
	struct reader r = { .t = t, .transport = "udp" };
	assert_non_null(t);
	snprintf(t->path, sizeof(t->path), "%s", path);
	t->text = whole(path);
	for (char *p = t->text; *p; p++)
		r.n += *p == '\n';
	r.line = mem_zalloc(r.n + 1, sizeof(*r.line));
	assert_non_null(r.line);
	r.n = 0;
	for (char *p = t->text, *end; (end = strchr(p, '\n')); p = end + 1) {
		*end = '\0';
		r.line[r.n++] = p;
	}
	t->lines = r.line;
	while (r.at < r.n) {
		if (!*r.line[r.at] || *r.line[r.at] == '#')
			r.at++;
		else if (indented(r.line[r.at]))
			wrong(&r, r.at + 1, "belongs to nothing");
		else
			statement(&r);
	}
	flatten_all(&r);
	return t;
}

void talk_free(struct talk *t)
{
	for (unsigned i = 0; i < t->n_when; i++)
		mem_free(t->when[i].lines.v);
	for (unsigned i = 0; i < t->n_accepts; i++)
		mem_free(t->accepts[i].lines.v);
	for (unsigned i = 0; i < t->n_scenes; i++) {
		for (unsigned k = 0; k < t->scene[i].n; k++)
			mem_free(t->scene[i].step[k].lines.v);
		mem_free(t->scene[i].step);
	}
	mem_free(t->lines);
	mem_free(t->text);
	mem_free(t);
}

bool talk_is(const char *what, const char *method, int status)
{
	char first[32];
	size_t n = strcspn(what, " ");
	const char *second = what[n] ? what + n + 1 : NULL;
	snprintf(first, sizeof(first), "%.*s", (int)n, what);
	if (!strcmp(first, "all"))
		return true;
	if (!strcmp(first, "requests"))
		return !status;
	if (!isdigit((unsigned char)*first) && strcmp(first, "responses") != 0)
		return !status && !strcmp(first, method);
	if (!status || (second && strcmp(second, method) != 0))
		return false;
	if (!strcmp(first, "responses"))
		return true;
	return !strcmp(first + 1, "xx") ? *first - '0' == status / 100 : atoi(first) == status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* leg_text.c  The texts that live with a leg. Those of an INVITE gather in a room of the core's while it is read; then one block, exactly as large as they are,
 * takes them all, the dialog's own and the lists of redirections too:
 *
 *   leg_texts_begin() -> leg_keep(), leg_room() -> leg_texts_settle(): [strings ... | redirections]
 *
 * What is kept later (why it ended) gets pieces of its own.                                                                                              */
#include <errno.h>
#include "base/mem.h"
#include "sip/leg_private.h"

struct leg_text {
	struct leg_text *next;
	uint32_t used, room; /* of strings */
	char s[];
};
enum { PIECE_BYTES = 128, GATHERED_BYTES = 16384, GATHERED = 96, ROOM_BYTES = (LEG_DIVERSIONS + LEG_HISTORY) * sizeof(struct leg_redirect) };

struct leg_gather {
	const struct leg *leg; /* whose; NULL: nobody's */
	struct {
		uint32_t at, n;
	} text[GATHERED];
	unsigned n_texts;
	size_t n, n_room;
	char s[GATHERED_BYTES];
	_Alignas(max_align_t) char room[ROOM_BYTES];
};

static struct leg_text *piece(struct leg *leg, size_t room)
{
	struct leg_text *x = mem_alloc(sizeof(*x) + room);

	if (!x)
		return NULL;
	*x = (struct leg_text){ .next = leg->texts, .room = (uint32_t)room };
	leg->texts = x;
	return x;
}

void leg_texts_free(struct leg *leg)
{
	while (leg->texts) {
		struct leg_text *t = leg->texts;
		leg->texts = t->next;
		mem_free(t);
	}
}

static struct leg_gather *gather_of(const struct leg *leg)
{
	struct leg_gather *g = leg->core->gather;

	return g && g->leg == leg ? g : NULL;
}

void *leg_room(struct leg *leg, size_t n)
{
	struct leg_gather *g = gather_of(leg);
	struct leg_text *x;

	if (g && n <= sizeof(g->room) - g->n_room) {
		g->n_room += n;
		return g->room + g->n_room - n;
	}
	x = piece(leg, n);
	if (!x)
		return NULL;
	x->room = 0; /* no texts are looked for in it, nor put into it */
	return x->s;
}

static const char *write_text(char *to, struct text t)
{
	memcpy(to, t.p, t.n);
	to[t.n] = '\0';
	return to;
}

/* The same text, or one that ends with it, as a URI ends with its host. NULL: there is no room. */
static const char *gathered(struct leg_gather *g, struct text t)
{
	for (unsigned i = 0; i < g->n_texts; i++) {
		const char *end = g->s + g->text[i].at + g->text[i].n;
		if (g->text[i].n >= t.n && end[-1] == t.p[t.n - 1] && !memcmp(end - t.n, t.p, t.n))
			return end - t.n;
	}
	if (g->n_texts == GATHERED || t.n >= sizeof(g->s) - g->n)
		return NULL;
	g->text[g->n_texts].at = (uint32_t)g->n;
	g->text[g->n_texts++].n = (uint32_t)t.n;
	g->n += t.n + 1;
	return write_text(g->s + g->n - t.n - 1, t);
}

static const char *kept(const struct leg_text *x, struct text t)
{
	for (const char *s = x->s, *end = x->s + x->used; s < end;) {
		size_t n = strlen(s);
		if (n >= t.n && !memcmp(s + n - t.n, t.p, t.n))
			return s + n - t.n;
		s += n + 1;
	}
	return NULL;
}

const char *leg_keep(struct leg *leg, struct text t)
{
	struct leg_gather *g = gather_of(leg);
	struct leg_text *x;
	const char *there;

	if (text_empty(t))
		return "";
	if (memchr(t.p, 0, t.n)) /* a text ends where it does for who reads it */
		return leg_keep(leg, text_head(t, strnlen(t.p, t.n)));
	if (g && (there = gathered(g, t)))
		return there;
	for (x = leg->texts; x; x = x->next)
		if ((there = kept(x, t)))
			return there;
	for (x = leg->texts; x && x->room - x->used < t.n + 1; x = x->next)
		;
	if (!x && !(x = piece(leg, t.n + 1 > PIECE_BYTES ? t.n + 1 : PIECE_BYTES)))
		return "";
	x->used += (uint32_t)(t.n + 1);
	return write_text(x->s + x->used - t.n - 1, t);
}

/* ---- of an INVITE ---- */
void leg_texts_begin(struct leg *leg)
{
	struct sip_core *core = leg->core;

	if (!core->gather && !(core->gather = mem_alloc(sizeof(*core->gather))))
		return; /* in pieces, then */
	core->gather->leg = leg;
	core->gather->n = core->gather->n_room = core->gather->n_texts = 0;
}

/* From where a block of bytes was to where it is. */
struct move {
	const char *from, *to;
	size_t n;
};

static void move_text(const struct move *m, const char **s)
{
	if (*s >= m->from && *s < m->from + m->n)
		*s = m->to + (*s - m->from);
}

static void move_party(const struct move *m, struct leg_party *p)
{
	move_text(m, &p->uri);
	move_text(m, &p->user);
	move_text(m, &p->host);
	move_text(m, &p->display);
}

static const struct leg_redirect *move_redirects(const struct move *texts, const struct move *rooms, const struct leg_redirect *r, unsigned n)
{
	const char *at = (const char *)r;
	struct leg_redirect *moved;

	move_text(rooms, &at);
	moved = (struct leg_redirect *)(uintptr_t)at;
	for (unsigned i = 0; i < n; i++) {
		move_party(texts, &moved[i].party);
		move_text(texts, &moved[i].reason);
	}
	return moved;
}

static void move_all(struct leg *leg, const struct move *texts, const struct move *rooms)
{
	struct leg_info *i = &leg->info;
	struct leg_party *parties[] = { &i->called, &i->to, &i->from, &i->asserted };
	const char **single[] = { &i->call_id, &i->opaque, &i->referred_by, &i->user_agent };

	for (unsigned k = 0; k < sizeof(parties) / sizeof(*parties); k++)
		move_party(texts, parties[k]);
	for (unsigned k = 0; k < sizeof(single) / sizeof(*single); k++)
		move_text(texts, single[k]);
	i->diversion = move_redirects(texts, rooms, i->diversion, i->n_diversions);
	i->history = move_redirects(texts, rooms, i->history, i->n_history);
}

/* The dialog's own texts stand among the leg's from now on. */
static void lend(struct leg *leg, const struct move *m, struct sip_dialog_texts *t)
{
	move_text(m, &t->call_id);
	move_text(m, &t->local_uri);
	move_text(m, &t->remote_uri);
	move_text(m, &t->remote_tag);
	move_text(m, &t->target);
	sip_dialog_lend(&leg->d, t);
}

void leg_texts_settle(struct leg *leg)
{
	struct leg_gather *g = gather_of(leg);
	struct sip_dialog_texts of_dialog;
	struct move texts = { 0 }, rooms = { 0 };
	struct leg_text *x;
	size_t strings;

	if (!g)
		return;
	of_dialog = (struct sip_dialog_texts){ leg_keep(leg, text_of(leg->d.call_id)), leg_keep(leg, text_of(leg->d.local_uri)), leg_keep(leg, text_of(leg->d.remote_uri)),
		                               leg_keep(leg, text_of(leg->d.remote_tag)), leg_keep(leg, text_of(leg->d.target)) };
	g->leg = NULL;
	strings = (g->n + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
	x = piece(leg, strings + g->n_room);
	if (!x) { /* as always without memory: nothing was said */
		leg_info_silent(leg);
		return;
	}
	x->used = x->room = (uint32_t)g->n;
	memcpy(x->s, g->s, g->n);
	if (g->n_room)
		memcpy(x->s + strings, g->room, g->n_room);
	texts = (struct move){ g->s, x->s, g->n };
	rooms = (struct move){ g->room, x->s + strings, g->n_room };
	move_all(leg, &texts, &rooms);
	lend(leg, &texts, &of_dialog);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* story.c  Two lists, open and ended stories, both with the newest first. A few hundred at most: they are looked through, not indexed. */
#include "gateway/story.h"
#include <arpa/inet.h>
#include <errno.h>
#include "base/mem.h"

enum {
	REMIND_MS = 3600 * 1000,
	MAKE_AGAIN_MS = 1000,           /* the two texts of a gateway's story are made anew at most so often; */
	MAKE_STRANGER_MS = 30 * 1000,   /* those of a stranger's */
	CHANGED_AFTER = 3,              /* failures by other verdicts until a story counts as changed */
	EVICT_AFTER_S = 600,            /* a stranger's story that was quiet for so long gives way to another */
	BACK_S = 3600,                  /* the same failure within that time after the end is the same story */
	QUIET_S = 86400,
	REST_S = 30, REST_MAX_S = 3600, /* after it came back: how long it must rest before a success counts; doubled each time */
};

struct gw_stories {
	const struct um_clock *clock;
	char node[TRUST_LABEL_SIZE];
	struct list open, ended;
	unsigned n_open, n_ended;
	uint64_t lost;
};

#define STORY(it) LIST_ENTRY(it, struct gw_story, link)

const char *gw_story_end_name(enum gw_story_end e)
{
	static const char *const names[] = { "open", "works", "changed", "gone", "quiet" };
	return (unsigned)e <= GW_STORY_QUIET ? names[e] : "?";
}

char *gw_story_network(const char *address, char *dst, size_t size)
{
	struct in_addr v4;
	struct in6_addr v6;
	char text[INET6_ADDRSTRLEN];
	if (inet_pton(AF_INET, address, &v4) == 1) {
		v4.s_addr &= htonl(0xffffff00u);
		text_print(dst, size, "%s/24", inet_ntop(AF_INET, &v4, text, sizeof text));
	} else if (inet_pton(AF_INET6, address, &v6) == 1) {
		memset(&v6.s6_addr[6], 0, 10);
		text_print(dst, size, "%s/48", inet_ntop(AF_INET6, &v6, text, sizeof text));
	} else {
		text_fill(dst, size, address);
	}
	return dst;
}

char *gw_story_lasted(const struct gw_story *st, char *dst, size_t size)
{
	int64_t until_us = st->end == GW_STORY_OPEN ? st->last_us : st->ended_us;
	long long s = (long long)((until_us - st->first_us) / 1000000);
	if (s >= 86400)
		text_print(dst, size, "%lld d %lld h", s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		text_print(dst, size, "%lld h %lld min", s / 3600, s % 3600 / 60);
	else if (s >= 60)
		text_print(dst, size, "%lld min %lld s", s / 60, s % 60);
	else
		text_print(dst, size, "%lld s", s < 0 ? 0 : s);
	return dst;
}

/* ---- life ---- */

static void story_free(struct gw_story *st)
{
	mem_free(st->verdict_json);
	mem_free(st->facts_json);
	mem_free(st);
}

static void forget(struct gw_stories *s, struct gw_story *st)
{
	if (st->end == GW_STORY_OPEN)
		s->n_open--;
	else
		s->n_ended--;
	list_remove(&st->link);
	story_free(st);
}

static void to_front(struct list *l, struct gw_story *st)
{
	list_insert_before(l->head.next, &st->link);
}

static void end_story(struct gw_stories *s, struct gw_story *st, enum gw_story_end how, gw_story_h *ended, void *arg)
{
	st->end = how;
	st->ended_us = clock_real_us(s->clock);
	st->dirty = true;
	list_remove(&st->link);
	to_front(&s->ended, st);
	s->n_open--;
	s->n_ended++;
	if (ended)
		ended(st, arg);
	if (s->n_ended > GW_STORIES_ENDED)
		forget(s, STORY(s->ended.head.prev));
}

static void open_again(struct gw_stories *s, struct gw_story *st)
{
	st->end = GW_STORY_OPEN;
	st->ended_us = 0;
	st->good = false;
	st->returns++;
	list_remove(&st->link);
	to_front(&s->open, st);
	s->n_ended--;
	s->n_open++;
}

int gw_stories_create(struct gw_stories **sp, const struct um_clock *clock, const char *node)
{
	struct gw_stories *s = mem_zalloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	s->clock = clock;
	text_fill(s->node, sizeof s->node, node ? node : "");
	list_init(&s->open);
	list_init(&s->ended);
	*sp = s;
	return 0;
}

void gw_stories_destroy(struct gw_stories *s)
{
	if (!s)
		return;
	LIST_FOREACH(&s->open, it)
		story_free(STORY(it));
	LIST_FOREACH(&s->ended, it)
		story_free(STORY(it));
	mem_free(s);
}

/* ---- which story ---- */

struct kind {
	const char *gateway, *peer, *verdict, *identity;
	enum trust_role role;
	enum trust_flow flow;
};

static bool same_flow(const struct gw_story *st, const struct kind *k)
{
	return st->role == k->role && st->flow == k->flow && strcmp(st->gateway, k->gateway) == 0 &&
	       (strcmp(st->peer, k->peer) == 0 || !*st->peer || !*k->peer);
}

static bool is_kind(const struct gw_story *st, const struct kind *k)
{
	return st->role == k->role && st->flow == k->flow && strcmp(st->verdict, k->verdict) == 0 && strcmp(st->gateway, k->gateway) == 0 &&
	       strcmp(st->peer, k->peer) == 0 && strcmp(st->identity, k->identity) == 0;
}

static struct gw_story *find_open(const struct gw_stories *s, const struct kind *k)
{
	LIST_FOREACH(&s->open, it)
		if (is_kind(STORY(it), k))
			return STORY(it);
	return NULL;
}

static struct gw_story *find_lately_ended(const struct gw_stories *s, const struct kind *k)
{
	int64_t now_us = clock_real_us(s->clock);
	LIST_FOREACH(&s->ended, it)
		if (is_kind(STORY(it), k) && now_us - STORY(it)->ended_us < (int64_t)BACK_S * 1000000)
			return STORY(it);
	return NULL;
}

/* ---- room ---- */

static bool is_stranger(const struct gw_story *st)
{
	return !*st->gateway;
}

/* The open story of that gateway ("": of strangers) that was quiet for the longest time; *n is how many there are. */
static struct gw_story *quietest(const struct gw_stories *s, const char *gateway, unsigned *n)
{
	struct gw_story *found = NULL;
	*n = 0;
	LIST_FOREACH(&s->open, it) {
		struct gw_story *st = STORY(it);
		if (gateway && strcmp(st->gateway, gateway) != 0)
			continue;
		++*n;
		if (!found || st->last_us < found->last_us)
			found = st;
	}
	return found;
}

/* A new story may take the place of an old one; strangers, who cost nothing to be, only of one that is quiet. */
static bool make_room(struct gw_stories *s, const char *gateway)
{
	unsigned n, all;
	struct gw_story *of_it = quietest(s, gateway, &n), *of_all = quietest(s, NULL, &all);
	if (!*gateway && n >= GW_STORIES_STRANGERS) {
		if (clock_real_us(s->clock) - of_it->last_us < (int64_t)EVICT_AFTER_S * 1000000)
			return false;
		forget(s, of_it);
	} else if (*gateway && n >= GW_STORIES_GATEWAY) {
		forget(s, of_it);
	} else if (all >= GW_STORIES_OPEN) {
		if (!*gateway)
			return false;
		forget(s, of_all);
	}
	return true;
}

static bool stranger_has_room(const struct gw_stories *s)
{
	unsigned n;
	const struct gw_story *oldest = quietest(s, "", &n);
	if (n >= GW_STORIES_STRANGERS)
		return clock_real_us(s->clock) - oldest->last_us >= (int64_t)EVICT_AFTER_S * 1000000;
	return s->n_open < GW_STORIES_OPEN;
}

/* ---- a failure ---- */

static char *text_of_buf(struct buf *b)
{
	return buf_error(b) ? NULL : mem_strdup(buf_cstr(b));
}

/* Without memory the old texts stay. */
static void make_texts(struct gw_stories *s, struct gw_story *st, const struct trust_facts *f, const struct trust_verdict *v)
{
	struct buf b;
	buf_init(&b, 65536);
	char *verdict = trust_verdict_json(v, &b) == 0 ? text_of_buf(&b) : NULL;
	buf_clear(&b);
	char *facts = trust_verdict_bad(v) && facts_json(f, &b) == 0 ? text_of_buf(&b) : NULL;
	buf_free(&b);
	if (verdict && facts) {
		mem_free(st->verdict_json);
		mem_free(st->facts_json);
		st->verdict_json = verdict;
		st->facts_json = facts;
		st->made_ms = clock_mono_ms(s->clock);
	} else {
		mem_free(verdict);
		mem_free(facts);
	}
	text_escape(text_of(v->sentence), st->sentence, sizeof st->sentence);
	st->certainty = v->certainty;
	st->step = v->step;
	st->transport = f->transport;
}

static struct gw_story *new_story(struct gw_stories *s, const struct kind *k)
{
	struct gw_story *st = make_room(s, k->gateway) ? mem_zalloc(1, sizeof *st) : NULL;
	if (!st)
		return NULL;
	id_make(st->id, s->clock);
	text_fill(st->node, sizeof st->node, s->node);
	text_fill(st->gateway, sizeof st->gateway, k->gateway);
	text_fill(st->peer, sizeof st->peer, k->peer);
	text_fill(st->verdict, sizeof st->verdict, k->verdict);
	text_fill(st->identity, sizeof st->identity, k->identity);
	st->role = k->role;
	st->flow = k->flow;
	st->first_us = clock_real_us(s->clock);
	to_front(&s->open, st);
	s->n_open++;
	return st;
}

static void count_for_others(struct gw_stories *s, const struct gw_story *mine, const struct kind *k)
{
	LIST_FOREACH(&s->open, it) {
		struct gw_story *st = STORY(it);
		if (st != mine && !is_stranger(st) && same_flow(st, k))
			st->others++;
	}
}

static enum gw_story_news news_of(struct gw_stories *s, struct gw_story *st, enum gw_story_news born)
{
	int64_t now_ms = clock_mono_ms(s->clock);
	if (born == GW_STORY_IS_OLD && (!st->told_ms || now_ms - st->told_ms >= REMIND_MS))
		born = GW_STORY_STILL;
	if (born != GW_STORY_IS_OLD)
		st->told_ms = now_ms;
	return born;
}

static void take_address(struct gw_story *st, const char *address)
{
	if (!is_stranger(st))
		return;
	st->many = st->many || (*st->host && strcmp(st->host, address) != 0);
	text_fill(st->host, sizeof st->host, address);
}

static void count_one(struct gw_stories *s, struct gw_story *st, const char *address)
{
	st->count++;
	st->last_us = clock_real_us(s->clock);
	st->failed_ms = clock_mono_ms(s->clock);
	st->good = false;
	st->others = 0;
	st->dirty = true;
	take_address(st, address);
	list_remove(&st->link);
	to_front(&s->open, st);
}

static bool texts_are_old(const struct gw_stories *s, const struct gw_story *st)
{
	return !st->verdict_json || clock_mono_ms(s->clock) - st->made_ms >= (is_stranger(st) ? MAKE_STRANGER_MS : MAKE_AGAIN_MS);
}

bool gw_story_again(struct gw_stories *s, const char *gateway, const char *address, enum trust_role role, enum trust_flow flow, const char *verdict,
                    const char *identity)
{
	char network[TRUST_ADDR_SIZE];
	struct kind k = { gateway, *gateway ? address : gw_story_network(address, network, sizeof network), verdict, identity, role, flow };
	struct gw_story *st = find_open(s, &k);
	if (!st && !*gateway && !find_lately_ended(s, &k) && !stranger_has_room(s)) {
		s->lost++;
		return true;
	}
	if (!st || texts_are_old(s, st) || clock_mono_ms(s->clock) - st->told_ms >= REMIND_MS)
		return false;
	count_one(s, st, address);
	return true;
}

void gw_story_failed(struct gw_stories *s, const char *gateway, const char *address, const struct trust_facts *f, const struct trust_verdict *v,
                     struct gw_story_told *told)
{
	char network[TRUST_ADDR_SIZE];
	struct kind k = { gateway, *gateway ? address : gw_story_network(address, network, sizeof network), v->name, f->our_identity, f->role, f->flow };
	enum gw_story_news born = GW_STORY_IS_OLD;
	struct gw_story *st = find_open(s, &k);
	*told = (struct gw_story_told){ GW_STORY_IS_LOST, NULL };
	if (!st && (st = find_lately_ended(s, &k)) != NULL) {
		open_again(s, st);
		born = GW_STORY_IS_BACK;
	} else if (!st) {
		st = new_story(s, &k);
		born = GW_STORY_IS_NEW;
	}
	if (!st) {
		s->lost++;
		return;
	}
	count_one(s, st, address);
	if (texts_are_old(s, st))
		make_texts(s, st, f, v);
	count_for_others(s, st, &k);
	*told = (struct gw_story_told){ news_of(s, st, born), st };
}

/* ---- its end ---- */

static int64_t rest_ms(const struct gw_story *st)
{
	int64_t s = REST_S;
	if (!st->returns)
		return 0;
	for (unsigned i = 1; i < st->returns && s < REST_MAX_S; i++)
		s *= 2;
	return (s < REST_MAX_S ? s : REST_MAX_S) * 1000;
}

static bool rested(const struct gw_stories *s, const struct gw_story *st)
{
	return st->good && clock_mono_ms(s->clock) - st->failed_ms >= rest_ms(st);
}

static bool disproved(const struct gw_story *st, const char *gateway, const char *address, enum trust_role role, enum trust_flow flow)
{
	if (st->role != role)
		return false;
	if (is_stranger(st)) /* who was a stranger is known by now, or the fault lay in its certificate */
		return role == TRUST_ACCEPTED && !st->many && strcmp(st->host, address) == 0;
	if (strcmp(st->gateway, gateway) != 0 || (*st->peer && *address && strcmp(st->peer, address) != 0))
		return false;
	return role == TRUST_ACCEPTED || st->flow == flow || st->step <= TRUST_STEP_HANDSHAKE;
}

void gw_story_works(struct gw_stories *s, const char *gateway, const char *address, enum trust_role role, enum trust_flow flow, int64_t began_ms,
                    gw_story_h *ended, void *arg)
{
	LIST_FOREACH(&s->open, it) {
		struct gw_story *st = STORY(it);
		if (!disproved(st, gateway, address, role, flow) || (began_ms && began_ms < st->failed_ms))
			continue;
		st->good = true;
		if (rested(s, st))
			end_story(s, st, GW_STORY_WORKS, ended, arg);
	}
}

void gw_story_sweep(struct gw_stories *s, gw_story_there_h *there, void *there_arg, gw_story_h *ended, void *arg)
{
	int64_t now_us = clock_real_us(s->clock);
	LIST_FOREACH(&s->open, it) {
		struct gw_story *st = STORY(it);
		if (!is_stranger(st) && !there(st, there_arg))
			end_story(s, st, GW_STORY_GONE, ended, arg);
		else if (rested(s, st))
			end_story(s, st, GW_STORY_WORKS, ended, arg);
		else if (st->others >= CHANGED_AFTER)
			end_story(s, st, GW_STORY_CHANGED, ended, arg);
		else if (is_stranger(st) && now_us - st->last_us >= (int64_t)QUIET_S * 1000000)
			end_story(s, st, GW_STORY_QUIET, ended, arg);
	}
}

/* ---- reading ---- */

unsigned gw_story_count(const struct gw_stories *s)
{
	return s->n_open + s->n_ended;
}

unsigned gw_story_open(const struct gw_stories *s)
{
	return s->n_open;
}

const struct gw_story *gw_story_at(const struct gw_stories *s, unsigned i)
{
	const struct list *l = i < s->n_open ? &s->open : &s->ended;
	i -= i < s->n_open ? 0 : s->n_open;
	for (const struct link *it = l->head.next; it != &l->head; it = it->next)
		if (i-- == 0)
			return LIST_ENTRY(it, const struct gw_story, link);
	return NULL;
}

const struct gw_story *gw_story_find(const struct gw_stories *s, const char *id)
{
	for (unsigned i = 0; i < 2; i++)
		LIST_FOREACH(i ? &s->ended : &s->open, it)
			if (strcmp(STORY(it)->id, id) == 0)
				return STORY(it);
	return NULL;
}

uint64_t gw_story_lost(const struct gw_stories *s)
{
	return s->lost;
}

/* ---- kept over a restart ---- */

bool gw_story_restore(struct gw_stories *s, const struct gw_story *kept)
{
	bool open = kept->end == GW_STORY_OPEN;
	struct kind k = { kept->gateway, kept->peer, kept->verdict, kept->identity, kept->role, kept->flow };
	struct gw_story *st = find_open(s, &k);
	if (st && open) { /* born anew since the start: one story */
		text_fill(st->id, sizeof st->id, kept->id);
		st->first_us = kept->first_us;
		st->count += kept->count;
		st->returns = kept->returns;
		st->dirty = true;
		return false;
	}
	if (gw_story_find(s, kept->id) || (open ? s->n_open >= GW_STORIES_OPEN : s->n_ended >= GW_STORIES_ENDED))
		return false;
	st = mem_alloc(sizeof *st);
	if (!st)
		return false;
	*st = *kept;
	st->link = (struct link){ 0 };
	st->dirty = false;
	st->told_ms = clock_mono_ms(s->clock); /* it was told before the restart */
	st->made_ms = 0;
	st->failed_ms = clock_mono_ms(s->clock);
	st->good = false;
	st->others = 0;
	list_append(open ? &s->open : &s->ended, &st->link);
	if (open)
		s->n_open++;
	else
		s->n_ended++;
	return true;
}

unsigned gw_story_dirty(struct gw_stories *s, unsigned max, gw_story_h *each, void *arg)
{
	unsigned n = 0;
	for (unsigned i = 0; i < 2; i++)
		LIST_FOREACH(i ? &s->ended : &s->open, it)
			if (STORY(it)->dirty && n < max) {
				STORY(it)->dirty = false;
				each(STORY(it), arg);
				n++;
			}
	return n;
}

void gw_story_touch(struct gw_stories *s, const char *id)
{
	for (unsigned i = 0; i < 2; i++)
		LIST_FOREACH(i ? &s->ended : &s->open, it)
			if (strcmp(STORY(it)->id, id) == 0)
				STORY(it)->dirty = true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.c  When a house is open, as it stands in the file: days, periods of a day, days of the calendar. What they mean at a moment is
 * directory/hours.c's.                                                                                                 */
#include "config/config_private.h"

enum { WEEK = 7, PERIODS_MAX = 128 };

static const char *const days[WEEK] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
static const char *const long_days[WEEK] = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" };

static int day_of(struct text t)
{
	for (int i = 0; i < WEEK; i++)
		if (text_is_nocase(t, days[i]) || text_is_nocase(t, long_days[i]))
			return i;
	return -1;
}

/* "mon", "mon-fri", "sat-mon", "mon,wed,fri", "daily" as bits. */
static bool days_of(struct text t, unsigned *bits)
{
	*bits = 0;
	if (text_is_nocase(t, "daily")) {
		*bits = (1u << WEEK) - 1;
		return true;
	}
	for (struct text part, rest = t; rest.n;) {
		struct text first, last;
		text_cut(rest, ',', &part, &rest);
		bool range = text_cut(text_trim(part), '-', &first, &last);
		int from = day_of(text_trim(first)), to = range ? day_of(text_trim(last)) : from;
		if (from < 0 || to < 0)
			return false;
		for (int d = from;; d = (d + 1) % WEEK) {
			*bits |= 1u << d;
			if (d == to)
				break;
		}
	}
	return *bits != 0;
}

/* "8:30", "08:30", "24:00" */
static bool minutes_of(struct text t, uint16_t *min)
{
	struct text h, m;
	uint32_t hours, minutes;
	if (!text_cut(t, ':', &h, &m) || h.n < 1 || h.n > 2 || m.n != 2 || text_u32(h, 24, &hours) || text_u32(m, 59, &minutes) || (hours == 24 && minutes))
		return false;
	*min = (uint16_t)(hours * 60 + minutes);
	return true;
}

static bool period_of(struct text t, struct cfg_period *p)
{
	struct text from, to;
	if (text_is_nocase(t, "all day")) {
		p->from_min = 0;
		p->to_min = CFG_DAY_MIN;
		return true;
	}
	if (!text_cut(t, '-', &from, &to) || !minutes_of(text_trim(from), &p->from_min) || !minutes_of(text_trim(to), &p->to_min) ||
	    p->from_min == p->to_min || p->from_min == CFG_DAY_MIN)
		return false;
	if (p->to_min < p->from_min)
		p->to_min = (uint16_t)(p->to_min + CFG_DAY_MIN);
	return true;
}

struct week {
	struct binder *b;
	struct cfg_period v[PERIODS_MAX];
	size_t n;
	unsigned seen; /* days that stand somewhere */
};

static void add(struct week *w, unsigned bits, struct text t, struct cfg_pos pos)
{
	struct cfg_period p = { .pos = pos };
	if (!period_of(t, &p)) {
		cfg_wrong(w->b, pos, "write HH:MM-HH:MM, as in 08:30-17:00 (22:00-06:00 goes over midnight), all day, or closed", "holds \"%.*s\"", TEXT_FMT(text_head(t, 80)));
		return;
	}
	for (uint16_t d = 0; d < WEEK; d++) {
		if (!(bits & 1u << d))
			continue;
		if (w->n == PERIODS_MAX) {
			cfg_wrong(w->b, pos, "use fewer, longer periods", "there are more than %d periods in the week", PERIODS_MAX);
			return;
		}
		p.day = d;
		w->v[w->n++] = p;
	}
}

/* A text with commas, or a list of texts. */
static void add_all(struct week *w, unsigned bits, const struct tree *t)
{
	if (t->kind == TREE_MAP) {
		cfg_wrong(w->b, t->pos, "write periods, as in 08:30-12:00, 13:00-17:00", "is a map");
		return;
	}
	for (const struct tree *c = t->kind == TREE_LIST ? t->first : t; c; c = t->kind == TREE_LIST ? c->next : NULL) {
		if (c->kind != TREE_SCALAR || !text_trim(c->text).n) {
			cfg_wrong(w->b, c->pos, "write periods, as in 08:30-12:00, 13:00-17:00, or closed", "holds no period");
			continue;
		}
		if (text_is_nocase(text_trim(c->text), "closed"))
			continue;
		for (struct text part, rest = c->text; rest.n;) {
			text_cut(rest, ',', &part, &rest);
			add(w, bits, text_trim(part), c->pos);
		}
	}
}

static int in_order(const void *a, const void *b)
{
	const struct cfg_period *x = a, *y = b;
	int c = x->day - y->day;
	return c ? c : x->from_min - y->from_min;
}

void cfg_hours(struct binder *b, const struct cfg_row *row, const struct tree *t, void *base)
{
	struct cfg_schedule *s = base;
	struct week *w = mem_zalloc(1, sizeof *w);
	(void)row;
	if (!w) {
		b->all->arena.failed = true;
		return;
	}
	w->b = b;
	if (t->kind != TREE_MAP)
		cfg_wrong(b, t->pos, "write days: periods, one a line, as in mon-fri: 08:30-17:00", "is not a map");
	for (const struct tree *c = t->kind == TREE_MAP ? t->first : NULL; c; c = c->next) {
		unsigned bits;
		if (!days_of(c->key->text, &bits)) {
			cfg_wrong(b, c->key->pos, "use mon, tue, wed, thu, fri, sat, sun, a range as in mon-fri, several as in mon,wed, or daily", "\"%.*s\" is no day",
				TEXT_FMT(text_head(c->key->text, 40)));
			continue;
		}
		if (bits & w->seen)
			cfg_wrong(b, c->key->pos, "name each day in one line, with all its periods", "a day of \"%.*s\" stands in another line, too",
				TEXT_FMT(text_head(c->key->text, 40)));
		w->seen |= bits;
		add_all(w, bits, c);
	}
	if (w->n)
		qsort(w->v, w->n, sizeof w->v[0], in_order);
	struct cfg_period *v = arena_alloc(&b->all->arena, (w->n ? w->n : 1) * sizeof *v);
	if (v && w->n)
		memcpy(v, w->v, w->n * sizeof *v);
	s->hours = v;
	s->n_hours = v ? w->n : 0;
	mem_free(w);
}

const struct cfg_period *cfg_whole_week(struct binder *b)
{
	struct cfg_period *v = arena_alloc(&b->all->arena, WEEK * sizeof *v);
	for (uint16_t d = 0; v && d < WEEK; d++)
		v[d] = (struct cfg_period){ .day = d, .from_min = 0, .to_min = CFG_DAY_MIN };
	return v;
}

/* ---- days of the calendar ---- */

static bool number(struct text t, size_t digits, uint32_t least, uint32_t most, int16_t *n)
{
	uint32_t v;
	if (t.n != digits || text_u32(t, most, &v) || v < least)
		return false;
	*n = (int16_t)v;
	return true;
}

static int16_t last_day(const struct cfg_date *d)
{
	static const int16_t lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = !d->year || (d->year % 4 == 0 && (d->year % 100 != 0 || d->year % 400 == 0));
	return d->month == 2 && leap ? 29 : lengths[d->month - 1];
}

bool cfg_date_of(struct text t, struct cfg_date *out)
{
	struct cfg_date d = { .minute = -1 };
	struct text day, time, year = TEXT_NONE;
	uint16_t min;
	bool timed = text_cut(text_trim(t), ' ', &day, &time);
	if (!timed)
		timed = text_cut(text_trim(t), 'T', &day, &time);
	if (timed) {
		if (!minutes_of(text_trim(time), &min))
			return false;
		d.minute = (int16_t)min;
	}
	if (day.n == 10 && day.p[4] == '-') {
		year = text_head(day, 4);
		day = text_skip(day, 5);
	}
	if (day.n != 5 || day.p[2] != '-' || (year.n && !number(year, 4, 1970, 2199, &d.year)) || !number(text_head(day, 2), 2, 1, 12, &d.month) ||
	    !number(text_skip(day, 3), 2, 1, 31, &d.day) || d.day > last_day(&d))
		return false;
	*out = d;
	return true;
}

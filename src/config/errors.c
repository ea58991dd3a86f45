/* SPDX-License-Identifier: Apache-2.0 */
/* errors.c  All that is wrong with a file, each with its place and its cure. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include "config/config_private.h"

void cfg_errors_free(struct cfg_errors *e)
{
	for (size_t i = 0; i < e->n; i++) {
		mem_free(e->v[i].file);
		mem_free(e->v[i].key);
		mem_free(e->v[i].what);
		mem_free(e->v[i].fix);
	}
	mem_free(e->v);
	*e = (struct cfg_errors){ 0 };
}

static struct cfg_error *room_for_one(struct cfg_errors *e)
{
	if (e->n >= CFG_ERRORS_MAX) {
		e->more++;
		return NULL;
	}
	if (e->n == e->room) {
		size_t room = e->room ? e->room * 2 : 8;
		struct cfg_error *v = mem_realloc(e->v, room * sizeof *v);
		if (!v) {
			e->more++;
			return NULL;
		}
		e->v = v;
		e->room = room;
	}
	return &e->v[e->n];
}

static bool before(struct cfg_pos a, struct cfg_pos b)
{
	return a.line < b.line || (a.line == b.line && a.column < b.column);
}

void cfg_fail(struct cfg_errors *e, const char *file, struct cfg_pos pos, const char *key, const char *fix, const char *what, ...)
{
	struct cfg_error *x = e ? room_for_one(e) : NULL;
	char words[600], clean[900];
	va_list ap;
	if (!x)
		return;
	va_start(ap, what);
	vsnprintf(words, sizeof words, what, ap);
	va_end(ap);
	struct cfg_error one = { mem_strdup(file), pos, mem_strdup(key), mem_strdup(text_escape(text_of(words), clean, sizeof clean)), mem_strdup(fix) };
	if (!one.file || !one.key || !one.what || !one.fix) {
		mem_free(one.file);
		mem_free(one.key);
		mem_free(one.what);
		mem_free(one.fix);
		e->more++;
		return;
	}
	size_t at = e->n++;
	for (; at > 0 && before(pos, e->v[at - 1].pos); at--) /* in the order of the file */
		e->v[at] = e->v[at - 1];
	e->v[at] = one;
}

int cfg_error_print(const struct cfg_error *e, struct buf *out)
{
	if (e->pos.line)
		return buf_printf(out, "%s:%u:%u: %s: %s: %s", e->file, e->pos.line, e->pos.column, e->key, e->what, e->fix);
	return buf_printf(out, "%s: %s: %s: %s", e->file, e->key, e->what, e->fix);
}

int cfg_errors_print(const struct cfg_errors *e, struct buf *out)
{
	for (size_t i = 0; i < e->n; i++) {
		cfg_error_print(&e->v[i], out);
		buf_char(out, '\n');
	}
	if (e->more)
		buf_printf(out, "and %zu more\n", e->more);
	return buf_error(out);
}

/* ---- nearest word: edit distance, where two neighbours in the wrong order count as one edit ---- */

enum { WORD_MAX = 40 };

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

static size_t distance(struct text a, struct text b)
{
	size_t row[3][WORD_MAX + 1];
	if (a.n > WORD_MAX || b.n > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *now = row[i % 3], *was = row[(i + 2) % 3], *old = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			bool same = text_lower(a.p[i - 1]) == text_lower(b.p[j - 1]);
			now[j] = least(was[j] + 1, now[j - 1] + 1, was[j - 1] + !same);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] && old[j - 2] + 1 < now[j])
				now[j] = old[j - 2] + 1;
		}
	}
	return row[a.n % 3][b.n];
}

const char *cfg_nearest(struct text word, const char *const *known, size_t n)
{
	const char *best = NULL;
	size_t nearest = word.n / 3 + 2; /* further off it would be a guess */
	for (size_t i = 0; i < n; i++) {
		size_t d = distance(word, text_of(known[i]));
		if (d < nearest) {
			nearest = d;
			best = known[i];
		}
	}
	return best;
}

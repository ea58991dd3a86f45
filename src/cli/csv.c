/* SPDX-License-Identifier: Apache-2.0 */
/* csv.c  Records out of a table. Fields are copied together into one block, since quotes within them come doubled. */
#include "cli/csv.h"
#include <errno.h>
#include <string.h>

static size_t count(struct text t, char c)
{
	size_t n = 0;
	for (size_t i = 0; i < t.n; i++)
		n += t.p[i] == c;
	return n;
}

void csv_begin(struct csv *c, struct text all)
{
	struct text first;
	if (text_starts(all, "\xef\xbb\xbf"))
		all = text_skip(all, 3);
	*c = (struct csv){ .rest = all, .line = 1 };
	first = text_head(all, text_find(all, '\n'));
	c->separator = count(first, ';') > count(first, ',') ? ';' : ',';
}

static int wrong(struct csv *c, const char *what)
{
	c->wrong = what;
	c->wrong_column = c->n + 1;
	return EINVAL;
}

static char look(const struct csv *c)
{
	return c->rest.n ? c->rest.p[0] : '\n';
}

static void skip(struct csv *c)
{
	if (c->rest.n && c->rest.p[0] == '\n')
		c->line++;
	c->rest = text_skip(c->rest, 1);
}

static int add(struct csv *c, size_t *used, size_t from)
{
	if (*used == sizeof c->bytes || *used - from >= CSV_FIELD_BYTES)
		return wrong(c, "the line is too long");
	c->bytes[(*used)++] = look(c);
	skip(c);
	return 0;
}

static int one_field(struct csv *c, size_t *used)
{
	size_t from = *used;
	int err = 0;
	bool quotes = look(c) == '"';
	if (quotes)
		skip(c);
	while (!err) {
		if (quotes && !c->rest.n)
			return wrong(c, "a quote is not closed");
		char ch = look(c);
		if (quotes && ch == '"') {
			skip(c);
			if (look(c) != '"' || !c->rest.n)
				break;
		} else if (!quotes && (ch == c->separator || ch == '\n')) {
			break;
		}
		err = add(c, used, from);
	}
	if (err)
		return err;
	while (quotes && (look(c) == ' ' || look(c) == '\r') && c->rest.n)
		skip(c);
	if (quotes && look(c) != c->separator && look(c) != '\n')
		return wrong(c, "something stands behind the closing quote");
	struct text t = text_make(c->bytes + from, *used - from);
	if (memchr(t.p, 0, t.n))
		return wrong(c, "a NUL byte");
	if (c->n == CSV_FIELDS)
		return wrong(c, "there are too many columns");
	c->field[c->n++] = text_trim(t);
	return 0;
}

int csv_next(struct csv *c)
{
	do {
		size_t used = 0;
		if (!c->rest.n)
			return ENOENT;
		c->n = 0;
		c->at_line = c->line;
		for (;;) {
			int err = one_field(c, &used);
			if (err)
				return err;
			bool more = c->rest.n && look(c) == c->separator;
			skip(c);
			if (!more)
				break;
		}
	} while (c->n == 1 && !c->field[0].n);
	return 0;
}

int csv_put(struct buf *out, const char *field, bool first)
{
	bool formula = strchr("=+-@\t", field[0]) && field[0] && !(field[0] == '+' && strspn(field + 1, "0123456789") == strlen(field + 1));
	if (!first)
		buf_char(out, ',');
	if (!formula && !field[strcspn(field, ",;\"\r\n")])
		return buf_str(out, field);
	buf_char(out, '"');
	if (formula)
		buf_char(out, '\'');
	for (const char *p = field; *p; p++)
		buf_printf(out, *p == '"' ? "\"\"" : "%c", *p);
	return buf_char(out, '"');
}

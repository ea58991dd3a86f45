/* SPDX-License-Identifier: Apache-2.0 */
/* report.c  Reports as values, and sentences out of them. */
#include "event/report.h"
#include <errno.h>
#include <stdarg.h>

extern const struct ev_def ev_table[];
extern const unsigned ev_table_len;

const struct ev_def *ev_def_find(uint16_t id)
{
	unsigned lo = 0, hi = ev_table_len;
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (ev_table[mid].id == id)
			return &ev_table[mid];
		if (ev_table[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct ev_def *ev_def_by_name(struct text name)
{
	for (unsigned i = 0; i < ev_table_len; i++)
		if (text_is_nocase(name, ev_table[i].name))
			return &ev_table[i];
	return NULL;
}

const struct ev_def *ev_defs(unsigned *n)
{
	*n = ev_table_len;
	return ev_table;
}

static const char *const severity_names[] = { "error", "warning", "notice", "info", "detail", "trace" };
static const char *const level_names[] = { "lowest", "low", "medium", "high", "expert" };
static const char *const category_names[EV_CATEGORIES] = {
	"core", "config", "net", "store", "trust", "media", "directory", "sip", "gateway", "voice", "mailbox", "delivery", "dialogue", "cert", "node", "admin",
};

const char *ev_severity_name(enum ev_severity s)
{
	return severity_names[s];
}

const char *ev_category_name(enum ev_category c)
{
	return c < EV_CATEGORIES ? category_names[c] : "?";
}

const char *ev_level_name(enum ev_level l)
{
	return level_names[l];
}

int ev_category_parse(struct text t, enum ev_category *c)
{
	for (unsigned i = 0; i < EV_CATEGORIES; i++)
		if (text_is_nocase(t, category_names[i])) {
			*c = (enum ev_category)i;
			return 0;
		}
	return EINVAL;
}

int ev_level_parse(struct text t, enum ev_level *l)
{
	for (unsigned i = 0; i <= EV_LEVEL_EXPERT; i++)
		if (text_is_nocase(t, level_names[i])) {
			*l = (enum ev_level)i;
			return 0;
		}
	return EINVAL;
}

void ev_set(struct ev_report *r, uint16_t id)
{
	if (!r)
		return;
	char session[EV_SESSION_SIZE];
	memcpy(session, r->session, sizeof session);
	bool had = r->id != 0;
	r->id = id;
	r->n_fields = 0;
	r->used = 0;
	if (!had)
		session[0] = '\0'; /* a fresh report may be uninitialised memory */
	session[sizeof session - 1] = '\0';
	memcpy(r->session, session, sizeof session);
}

void ev_session(struct ev_report *r, const char *session)
{
	if (r)
		text_fill(r->session, sizeof r->session, session ? session : "");
}

static struct ev_field *slot(struct ev_report *r, const char *name)
{
	for (unsigned i = 0; i < r->n_fields; i++)
		if (strcmp(r->field[i].name, name) == 0)
			return &r->field[i];
	if (r->n_fields == EV_FIELDS)
		return NULL;
	struct ev_field *f = &r->field[r->n_fields++];
	*f = (struct ev_field){ .name = name };
	return f;
}

void ev_text(struct ev_report *r, const char *name, struct text value)
{
	struct ev_field *f = r ? slot(r, name) : NULL;
	if (!f)
		return;
	size_t room = (size_t)(EV_ARENA - r->used);
	size_t n = value.n < room ? value.n : room ? room - 1 : 0;
	f->type = EV_TEXT;
	f->cut = n < value.n;
	f->at = r->used;
	f->n = (uint16_t)n;
	if (n)
		memcpy(r->arena + f->at, value.p, n);
	if (room) {
		r->arena[f->at + n] = '\0';
		r->used = (uint16_t)(r->used + n + 1);
	}
}

void ev_str(struct ev_report *r, const char *name, const char *value)
{
	ev_text(r, name, text_of(value ? value : ""));
}

void ev_int(struct ev_report *r, const char *name, int64_t value)
{
	struct ev_field *f = r ? slot(r, name) : NULL;
	if (f)
		*f = (struct ev_field){ .name = name, .type = EV_INT, .i = value };
}

void ev_printf(struct ev_report *r, const char *name, const char *fmt, ...)
{
	char line[2048] MEM_NOT_CLEARED;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	ev_str(r, name, line);
}

const struct ev_field *ev_field(const struct ev_report *r, const char *name)
{
	for (unsigned i = 0; i < r->n_fields; i++)
		if (strcmp(r->field[i].name, name) == 0)
			return &r->field[i];
	return NULL;
}

struct text ev_field_text(const struct ev_report *r, const char *name)
{
	const struct ev_field *f = ev_field(r, name);
	return f && f->type == EV_TEXT ? text_make(r->arena + f->at, f->n) : TEXT_NONE;
}

void ev_copy(struct ev_report *dst, const struct ev_report *src)
{
	memcpy(dst, src, offsetof(struct ev_report, field));
	memcpy(dst->field, src->field, src->n_fields * sizeof src->field[0]);
	memcpy(dst->arena, src->arena, src->used);
}

static int put_field(struct buf *out, const struct ev_report *r, struct text name)
{
	for (unsigned i = 0; i < r->n_fields; i++) {
		const struct ev_field *f = &r->field[i];
		if (!text_is(name, f->name))
			continue;
		if (f->type == EV_INT)
			return buf_printf(out, "%lld", (long long)f->i);
		/* Line by line: a field may hold several lines of ours (a verdict), but no other control byte passes. */
		struct text rest = text_make(r->arena + f->at, f->n), line;
		for (bool more = true; more;) {
			char esc[4096] MEM_NOT_CLEARED;
			more = text_cut(rest, '\n', &line, &rest);
			buf_str(out, text_escape(line, esc, sizeof esc));
			if (more)
				buf_char(out, '\n');
		}
		return f->cut ? buf_str(out, "...") : 0;
	}
	return buf_char(out, '?');
}

int ev_render(const char *pattern, const struct ev_report *r, struct buf *out)
{
	for (const char *p = pattern; *p;) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;
		if (end) {
			put_field(out, r, text_make(p + 1, (size_t)(end - p - 1)));
			p = end + 1;
			continue;
		}
		const char *next = strchr(p + 1, '{');
		size_t n = next ? (size_t)(next - p) : strlen(p);
		buf_put(out, p, n);
		p += n;
	}
	return buf_error(out);
}

char *ev_sentence(const struct ev_report *r, char *dst, size_t size)
{
	struct buf b;
	buf_init(&b, 65536);
	const struct ev_def *d = ev_def_find(r->id);
	ev_render(d ? d->text : "unknown event", r, &b);
	const char *s = buf_cstr(&b);
	text_fill(dst, size, s ? s : d ? d->text : "");
	for (char *p = dst; *p; p++)
		if (*p == '\n')
			*p = ' ';
	buf_free(&b);
	return dst;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c  Growing bytes under a ceiling. */
#include "base/buf.h"
#include <errno.h>
#include <stdarg.h>
#include "base/mem.h"

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .max = max_bytes };
}

void buf_free(struct buf *b)
{
	mem_free(b->p);
	buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->err = 0;
}

int buf_error(const struct buf *b)
{
	return b->err;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	if (b->err)
		return NULL;
	if (n > b->max || b->n > b->max - n) {
		b->err = EMSGSIZE;
		return NULL;
	}
	size_t need = b->n + n + 1; /* the NUL of buf_cstr() */
	if (need > b->room) {
		size_t room = b->room ? b->room : 256;
		while (room < need)
			room *= 2;
		uint8_t *p = mem_realloc(b->p, room);
		if (!p) {
			b->err = ENOMEM;
			return NULL;
		}
		b->p = p;
		b->room = room;
	}
	return b->p + b->n;
}

void buf_grew(struct buf *b, size_t n)
{
	b->n += n;
}

/* Inline in all that follow: a message is written in some hundred small pieces. */
static inline int put(struct buf *b, const void *p, size_t n)
{
	/* Most of what is put is short and has its room. */
	bool fits = !b->err && n < b->room - b->n && n <= b->max - b->n;
	uint8_t *to = fits ? b->p + b->n : buf_reserve(b, n);
	if (!to)
		return b->err;
	if (n)
		memcpy(to, p, n);
	b->n += n;
	return 0;
}

int buf_put(struct buf *b, const void *p, size_t n)
{
	return put(b, p, n);
}

int buf_text(struct buf *b, struct text t)
{
	return put(b, t.p, t.n);
}

int buf_str(struct buf *b, const char *s)
{
	return put(b, s, strlen(s));
}

int buf_char(struct buf *b, char c)
{
	return put(b, &c, 1);
}

int buf_uint(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;
	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	return put(b, digits + at, sizeof digits - at);
}

/* The conversions that messages are written with; false at any other one, which is for the library. */
static bool put_formatted(struct buf *b, const char *fmt, va_list ap)
{
	for (const char *next; *fmt; fmt = next) {
		next = strchrnul(fmt, '%');
		buf_put(b, fmt, (size_t)(next - fmt));
		if (!*next)
			break;
		const char *from = next + 1;
		if (*from == 's') {
			const char *s = va_arg(ap, const char *);
			if (!s)
				return false;
			buf_str(b, s);
		} else if (!strncmp(from, ".*s", 3)) {
			int most = va_arg(ap, int);
			const char *s = va_arg(ap, const char *);
			if (most < 0 || !s)
				return false;
			buf_put(b, s, strnlen(s, (size_t)most));
			from += 2;
		} else if (*from == 'u') {
			buf_uint(b, va_arg(ap, unsigned));
		} else if (!strncmp(from, "llu", 3)) {
			buf_uint(b, va_arg(ap, unsigned long long));
			from += 2;
		} else if (*from == 'd') {
			int v = va_arg(ap, int);
			if (v < 0)
				buf_char(b, '-');
			buf_uint(b, v < 0 ? 0u - (unsigned)v : (unsigned)v);
		} else {
			return false;
		}
		next = from + 1;
	}
	return true;
}

/* Into the room that is there; only what does not fit is formatted twice. */
static void put_by_library(struct buf *b, const char *fmt, va_list ap)
{
	size_t room = b->err || !b->p ? 0 : b->room - b->n;
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(room ? (char *)b->p + b->n : NULL, room, fmt, ap);
	uint8_t *to = n < 0 ? NULL : buf_reserve(b, (size_t)n);
	if (to) {
		if ((size_t)n >= room)
			vsnprintf((char *)to, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	} else if (!b->err) {
		b->err = EINVAL;
	}
	va_end(again);
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t was = b->n;
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	bool done = put_formatted(b, fmt, ap);
	va_end(ap);
	if (!done || b->err)
		b->n = was;
	if (!done)
		put_by_library(b, fmt, again);
	va_end(again);
	return b->err;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n > b->n)
		n = b->n;
	if (n && n < b->n)
		memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

struct text buf_as_text(const struct buf *b)
{
	return (struct text){ (const char *)b->p, b->n };
}

const char *buf_cstr(struct buf *b)
{
	if (b->err)
		return NULL;
	if (!b->p)
		return "";
	b->p[b->n] = '\0';
	return (const char *)b->p;
}

uint8_t *buf_take(struct buf *b, size_t *n)
{
	uint8_t *p = b->err ? NULL : b->p;
	if (!p)
		return NULL;
	p[b->n] = '\0';
	*n = b->n;
	buf_init(b, b->max);
	return p;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* text.c  Borrowed text. */
#include "base/text.h"
#include <errno.h>
#include <stdarg.h>
#include <strings.h>
#include "base/mem.h"

bool text_eq_nocase_bytes(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] && text_lower(a[i]) != text_lower(b[i]))
			return false;
	return true;
}

bool text_starts(struct text a, const char *s)
{
	struct text t = text_of(s);
	return a.n >= t.n && text_eq(text_head(a, t.n), t);
}

bool text_starts_nocase(struct text a, const char *s)
{
	struct text t = text_of(s);
	return a.n >= t.n && text_eq_nocase(text_head(a, t.n), t);
}

bool text_ends_nocase(struct text a, const char *s)
{
	struct text t = text_of(s);
	return a.n >= t.n && text_eq_nocase(text_skip(a, a.n - t.n), t);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct text text_trim(struct text a)
{
	while (a.n && is_space(a.p[0]))
		a = text_skip(a, 1);
	while (a.n && is_space(a.p[a.n - 1]))
		a.n--;
	return a;
}

size_t text_rfind(struct text a, char c)
{
	const char *at = a.n ? memrchr(a.p, c, a.n) : NULL;
	return at ? (size_t)(at - a.p) : SIZE_MAX;
}

size_t text_find_text(struct text a, struct text what)
{
	const char *at = a.n && what.n ? memmem(a.p, a.n, what.p, what.n) : NULL;
	return at ? (size_t)(at - a.p) : SIZE_MAX;
}

int text_u64(struct text a, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;
	if (!a.n)
		return EINVAL;
	for (size_t i = 0; i < a.n; i++) {
		if (a.p[i] < '0' || a.p[i] > '9')
			return EINVAL;
		unsigned digit = (unsigned)(a.p[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return ERANGE;
		v = v * 10 + digit;
	}
	if (v > max)
		return ERANGE;
	*value = v;
	return 0;
}

int text_u32(struct text a, uint32_t max, uint32_t *value)
{
	uint64_t v;
	int err = text_u64(a, max, &v);
	if (!err)
		*value = (uint32_t)v;
	return err;
}

int text_copy(struct text a, char *dst, size_t size)
{
	if (size)
		dst[0] = '\0';
	if (a.n >= size)
		return ENAMETOOLONG;
	if (a.n && memchr(a.p, '\0', a.n))
		return EINVAL;
	if (a.n)
		memcpy(dst, a.p, a.n);
	dst[a.n] = '\0';
	return 0;
}

char *text_dup(struct text a)
{
	return mem_strndup(a.p ? a.p : "", a.n);
}

int text_print(char *dst, size_t size, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(dst, size, fmt, ap);
	va_end(ap);
	return n < 0 || (size_t)n >= size ? ENAMETOOLONG : 0;
}

void text_fill(char *dst, size_t size, const char *s)
{
	size_t n = strnlen(s, size - 1), letter = n;
	while (letter && n - letter < 3 && ((unsigned char)s[letter] & 0xc0) == 0x80)
		letter--;
	if (((unsigned char)s[n] & 0xc0) == 0x80 && (unsigned char)s[letter] >= 0xc0)
		n = letter; /* half a letter would spoil the rest for databases and JSON */
	memcpy(dst, s, n);
	dst[n] = '\0';
}

/* Length of the well-formed UTF-8 sequence at the start, or 0 (RFC 3629; no surrogates, no overlong forms). */
static size_t utf8_len(const unsigned char *p, size_t n)
{
	size_t want = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
	if (!want || want > n)
		return 0;
	for (size_t i = 1; i < want; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return want;
}

/* U+0080..U+009F, U+2028/2029 and the marks that turn the direction of text would let a peer rewrite what a log reader sees. */
static bool deceives(const unsigned char *p, size_t n)
{
	if (n == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	if (n == 3 && p[0] == 0xe2)
		return (p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae))) || (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
	return false;
}

char *text_escape(struct text a, char *dst, size_t size)
{
	size_t o = 0, i = 0;
	while (i < a.n) {
		const unsigned char *p = (const unsigned char *)a.p + i;
		size_t len = utf8_len(p, a.n - i);
		bool plain = len && !(len == 1 && (*p < 0x20 || *p == 0x7f || *p == '\\')) && !deceives(p, len);
		size_t need = plain ? len : 4;
		if (o + need + 4 > size) {
			if (o + 4 <= size) {
				memcpy(dst + o, "...", 3);
				o += 3;
			}
			break;
		}
		if (plain) {
			memcpy(dst + o, p, len);
			i += len;
		} else {
			snprintf(dst + o, 5, "\\x%02x", *p);
			i++;
		}
		o += need;
	}
	if (size)
		dst[o] = '\0';
	return dst;
}

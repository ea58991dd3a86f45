/* SPDX-License-Identifier: Apache-2.0 */
/* text.h  Borrowed text: a pointer and a length, never NUL-terminated by promise. The bytes belong to somebody else and
 * must outlive it. Comparison without case is ASCII only, as SIP and DNS want it.                                      */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *p;
	size_t n;
};

#define TEXT(literal) ((struct text){ "" literal, sizeof(literal) - 1 })
/* for printf's "%.*s" */
#define TEXT_FMT(t) (int)((t).n), ((t).p ? (t).p : "")
#define TEXT_NONE ((struct text){ NULL, 0 })

/* Those that a parser calls for each word stand here, so that a literal's length is known where it is compared. */
/* NULL gives TEXT_NONE */
static inline struct text text_of(const char *s)
{
	return s ? (struct text){ s, strlen(s) } : TEXT_NONE;
}

static inline struct text text_make(const void *p, size_t n)
{
	return (struct text){ (const char *)p, n };
}

static inline bool text_eq(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool text_eq_nocase_bytes(const char *a, const char *b, size_t n);
static inline bool text_eq_nocase(struct text a, struct text b)
{
	return a.n == b.n && text_eq_nocase_bytes(a.p, b.p, a.n);
}

static inline bool text_is(struct text a, const char *s)
{
	return text_eq(a, text_of(s));
}

static inline bool text_is_nocase(struct text a, const char *s)
{
	return text_eq_nocase(a, text_of(s));
}

bool text_starts(struct text a, const char *s);
bool text_starts_nocase(struct text a, const char *s);
bool text_ends_nocase(struct text a, const char *s);
static inline bool text_empty(struct text a)
{
	return a.n == 0;
}

/* From `from` on (clamped); first n (clamped). */
static inline struct text text_skip(struct text a, size_t from)
{
	if (from > a.n)
		from = a.n;
	return (struct text){ a.p ? a.p + from : NULL, a.n - from };
}

static inline struct text text_head(struct text a, size_t n)
{
	return (struct text){ a.p, n < a.n ? n : a.n };
}

/* Without SP, HTAB, CR, LF at both ends. */
struct text text_trim(struct text a);
/* Index of the byte, or SIZE_MAX. */
static inline size_t text_find(struct text a, char c)
{
	const char *at = a.n ? (const char *)memchr(a.p, c, a.n) : NULL;
	return at ? (size_t)(at - a.p) : SIZE_MAX;
}

size_t text_rfind(struct text a, char c);
size_t text_find_text(struct text a, struct text what);
/* Cuts at the first c: head before it, rest behind it; without c, head is all and rest TEXT_NONE. True if c was there. */
static inline bool text_cut(struct text a, char c, struct text *head, struct text *rest)
{
	size_t at = text_find(a, c);
	*head = text_head(a, at);
	*rest = at == SIZE_MAX ? TEXT_NONE : text_skip(a, at + 1);
	return at != SIZE_MAX;
}

/* Decimal digits only, at most `max`; EINVAL for anything else, ERANGE above max. */
int text_u64(struct text a, uint64_t max, uint64_t *value);
int text_u32(struct text a, uint32_t max, uint32_t *value);
/* Copy with NUL into dst (size bytes). ENAMETOOLONG, and dst holds "", if it does not fit; EINVAL if it contains NUL. */
int text_copy(struct text a, char *dst, size_t size);
/* A heap copy with NUL (mem_free); NULL without memory. */
char *text_dup(struct text a);
/* ASCII lower case, one byte. */
static inline char text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* snprintf into a fixed array that reports cutting off: 0 or ENAMETOOLONG (dst then holds the cut text, with NUL). */
int text_print(char *dst, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Copies a C string into a fixed array, cut off if need be, but not in the middle of a UTF-8 letter. */
void text_fill(char *dst, size_t size, const char *s);
/* Escapes bytes that a log line must not hold (control bytes, DEL, backslash, broken UTF-8) as \xNN; always NUL-terminated, cut
 * with "..." when it does not fit. Returns dst. */
char *text_escape(struct text a, char *dst, size_t size);

#endif

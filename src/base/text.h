/* SPDX-License-Identifier: Apache-2.0 */
/* text.h  Borrowed text: a pointer and a length, never NUL-terminated by promise. The bytes belong to somebody else and
 * must outlive it. Comparison without case is ASCII only, as SIP and DNS want it.                                      */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	const char *p;
	size_t n;
};

#define TEXT(literal) ((struct text){ "" literal, sizeof(literal) - 1 })
/* for printf's "%.*s" */
#define TEXT_FMT(t) (int)((t).n), ((t).p ? (t).p : "")
#define TEXT_NONE ((struct text){ NULL, 0 })

struct text text_of(const char *s); /* NULL gives TEXT_NONE */
struct text text_make(const void *p, size_t n);
bool text_eq(struct text a, struct text b);
bool text_eq_nocase(struct text a, struct text b);
bool text_is(struct text a, const char *s);
bool text_is_nocase(struct text a, const char *s);
bool text_starts(struct text a, const char *s);
bool text_starts_nocase(struct text a, const char *s);
bool text_ends_nocase(struct text a, const char *s);
bool text_empty(struct text a);
/* From `from` on (clamped); first n (clamped). */
struct text text_skip(struct text a, size_t from);
struct text text_head(struct text a, size_t n);
/* Without SP, HTAB, CR, LF at both ends. */
struct text text_trim(struct text a);
/* Index of the byte, or SIZE_MAX. */
size_t text_find(struct text a, char c);
size_t text_rfind(struct text a, char c);
size_t text_find_text(struct text a, struct text what);
/* Cuts at the first c: head before it, rest behind it; without c, head is all and rest TEXT_NONE. True if c was there. */
bool text_cut(struct text a, char c, struct text *head, struct text *rest);
/* Decimal digits only, at most `max`; EINVAL for anything else, ERANGE above max. */
int text_u64(struct text a, uint64_t max, uint64_t *value);
int text_u32(struct text a, uint32_t max, uint32_t *value);
/* Copy with NUL into dst (size bytes). ENAMETOOLONG, and dst holds "", if it does not fit; EINVAL if it contains NUL. */
int text_copy(struct text a, char *dst, size_t size);
/* A heap copy with NUL (mem_free); NULL without memory. */
char *text_dup(struct text a);
/* ASCII lower case, one byte. */
char text_lower(char c);

/* snprintf into a fixed array that reports cutting off: 0 or ENAMETOOLONG (dst then holds the cut text, with NUL). */
int text_print(char *dst, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Copies a C string into a fixed array, cut off if need be, but not in the middle of a UTF-8 letter. */
void text_fill(char *dst, size_t size, const char *s);
/* Escapes bytes that a log line must not hold (control bytes, DEL, backslash, broken UTF-8) as \xNN; always NUL-terminated, cut
 * with "..." when it does not fit. Returns dst. */
char *text_escape(struct text a, char *dst, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h  A byte buffer that grows up to a ceiling given at birth. The first failure (no memory, ceiling reached) sticks: later
 * appends do nothing, so that a run of them is checked once, by buf_error().                                           */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include <stddef.h>
#include <stdint.h>
#include "base/text.h"

struct buf {
	uint8_t *p;
	size_t n, room, max;
	int err;
};

/* No memory is taken before the first append. */
void buf_init(struct buf *b, size_t max_bytes);
void buf_free(struct buf *b); /* and ready for use again with the same ceiling */
void buf_clear(struct buf *b); /* keeps the memory, forgets the error */
int buf_error(const struct buf *b); /* 0, ENOMEM, EMSGSIZE */
int buf_put(struct buf *b, const void *p, size_t n);
int buf_text(struct buf *b, struct text t);
int buf_str(struct buf *b, const char *s);
int buf_char(struct buf *b, char c);
int buf_uint(struct buf *b, uint64_t value); /* decimal */
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for n more bytes at p + n of the buffer; the caller fills them and says buf_grew(). NULL on failure. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);
struct text buf_as_text(const struct buf *b);
/* A NUL is put behind (not counted); "" when empty. NULL after an error. */
const char *buf_cstr(struct buf *b);
/* Hands the bytes over (mem_free), with a NUL behind; the buffer is empty then. NULL after an error or without bytes. */
uint8_t *buf_take(struct buf *b, size_t *n);

#endif

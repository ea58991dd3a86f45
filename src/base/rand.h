/* SPDX-License-Identifier: Apache-2.0 */
/* rand.h  Random bytes from the kernel, good enough for tags, branches, ids and PINs. Any thread. */
#ifndef BASE_RAND_H
#define BASE_RAND_H
#include <stddef.h>
#include <stdint.h>

/* 0, or the errno of getrandom(2). */
int rand_bytes(void *p, size_t n);
/* For where failing is no use: aborts if the kernel gives none. */
uint32_t rand_u32(void);
uint64_t rand_u64(void);
/* Evenly spread in 0 .. n-1; n > 0. */
uint32_t rand_below(uint32_t n);
/* n characters of 0-9a-z and a NUL: size is at least n + 1. */
void rand_token(char *dst, size_t n);

#endif

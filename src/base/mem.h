/* SPDX-License-Identifier: Apache-2.0 */
/* mem.h  Memory that is counted, can be made to fail, and knows how to end.
 *
 * Two kinds: plain blocks (mem_alloc ... mem_free) have one owner; objects (mem_object ... mem_ref, mem_unref) are counted
 * and end with their destructor, which undoes creation in reverse. Counting is atomic: any thread may hold a reference,
 * but what the object itself allows is said in its own header. A test asks mem_live() for leaks and makes the nth
 * allocation fail by mem_fail_at().                                                                                   */
#ifndef BASE_MEM_H
#define BASE_MEM_H
#include <stdbool.h>
#include <stddef.h>

typedef void (mem_destroy_h)(void *object);

/* Uninitialised; NULL when there is none left (or a test wants it so). size 0 gives a block of its own. */
void *mem_alloc(size_t size);
/* n * size zeroed bytes; NULL also when the product does not fit. */
void *mem_zalloc(size_t n, size_t size);
/* As realloc: on failure NULL, and the old block is still the caller's. Only for plain blocks. */
void *mem_realloc(void *block, size_t size);
/* NULL is allowed. */
void mem_free(void *block);
/* Wipe, then free: for secrets. */
void mem_free_secret(void *block, size_t size);
/* A copy with a NUL behind it; NULL without memory. */
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t n);

/* A zeroed object with one reference, owned by the caller; destroy (may be NULL) runs when the last one is given back. */
void *mem_object(size_t size, mem_destroy_h *destroy);
/* One more reference; returns the object. NULL stays NULL. */
void *mem_ref(void *object);
/* Gives a reference back. Always NULL, so that an owner writes x = mem_unref(x). */
void *mem_unref(void *object);
/* How many references there are; for tests and assertions. */
unsigned mem_refs(const void *object);

/* For a large buffer on the stack that is written before it is read. The compiler clears all others where they begin to live. */
#define MEM_NOT_CLEARED __attribute__((uninitialized))
/* Overwrites in a way the compiler keeps. */
void mem_wipe(void *p, size_t n);
/* Compares in constant time: for secrets. */
bool mem_equal_secret(const void *a, const void *b, size_t n);

/* Once, before other threads: large blocks come from the system and go back to it when freed, and never more than 2 MB lie unused at the end of a heap.
 * By itself glibc takes the size of the largest block that was freed for ordinary: after one Argon2 of 19 MB each thread's heap may keep twice that, and what
 * is that large from then on stands among small blocks, where it leaves holes. */
void mem_settle(void);

/* ---- for tests ---- */
/* Blocks and objects alive in this process. */
size_t mem_live(void);
size_t mem_live_bytes(void);
/* From now on, the nth allocation (1 = the next) fails, once; 0 switches that off. */
void mem_fail_at(size_t n);
/* Whether the failure asked for has happened. */
bool mem_failed(void);

#endif

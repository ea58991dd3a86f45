/* SPDX-License-Identifier: Apache-2.0 */
/* mem.c  A header of 16 bytes before each block holds its size (so none is as long as 4 GiB), and for objects the count and the destructor. */
#include "base/mem.h"
#include <assert.h>
#include <malloc.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

struct head {
	alignas(max_align_t) uint32_t size;
	atomic_uint refs; /* 0: a plain block */
	mem_destroy_h *destroy;
};
static_assert(sizeof(struct head) == 16, "a header must not cost more than it holds");

static atomic_size_t live, live_bytes;
static atomic_size_t fail_countdown;
static atomic_bool failed;

static bool must_fail(void)
{
	size_t n = atomic_load_explicit(&fail_countdown, memory_order_relaxed);
	while (n && !atomic_compare_exchange_weak(&fail_countdown, &n, n - 1))
		;
	if (n != 1)
		return false;
	atomic_store(&failed, true);
	return true;
}

static struct head *head_of(const void *block)
{
	return (struct head *)((uintptr_t)block - sizeof(struct head));
}

static void *head_new(size_t size, bool zero)
{
	if (size > UINT32_MAX || must_fail())
		return NULL;
	struct head *h = zero ? calloc(1, sizeof *h + size) : malloc(sizeof *h + size);
	if (!h)
		return NULL;
	h->size = (uint32_t)size;
	atomic_init(&h->refs, 0);
	h->destroy = NULL;
	atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&live_bytes, size, memory_order_relaxed);
	return h + 1;
}

static void head_free(struct head *h)
{
	atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&live_bytes, h->size, memory_order_relaxed);
	free(h);
}

void *mem_alloc(size_t size)
{
	return head_new(size, false);
}

void *mem_zalloc(size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		return NULL;
	return head_new(n * size, true);
}

void *mem_realloc(void *block, size_t size)
{
	if (!block)
		return mem_alloc(size);
	struct head *h = head_of(block);
	assert(atomic_load(&h->refs) == 0);
	if (size > UINT32_MAX || must_fail())
		return NULL;
	size_t was = h->size;
	h = realloc(h, sizeof *h + size);
	if (!h)
		return NULL;
	h->size = (uint32_t)size;
	atomic_fetch_add_explicit(&live_bytes, size - was, memory_order_relaxed);
	return h + 1;
}

void mem_free(void *block)
{
	if (!block)
		return;
	assert(atomic_load(&head_of(block)->refs) == 0);
	head_free(head_of(block));
}

void mem_free_secret(void *block, size_t size)
{
	if (block)
		mem_wipe(block, size);
	mem_free(block);
}

char *mem_strndup(const char *s, size_t n)
{
	char *copy = n < SIZE_MAX ? mem_alloc(n + 1) : NULL;
	if (!copy)
		return NULL;
	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

void *mem_object(size_t size, mem_destroy_h *destroy)
{
	void *object = head_new(size, true);
	if (!object)
		return NULL;
	atomic_init(&head_of(object)->refs, 1);
	head_of(object)->destroy = destroy;
	return object;
}

void *mem_ref(void *object)
{
	if (object) {
		unsigned was = atomic_fetch_add_explicit(&head_of(object)->refs, 1, memory_order_relaxed);
		assert(was > 0);
		(void)was;
	}
	return object;
}

void *mem_unref(void *object)
{
	if (!object)
		return NULL;
	struct head *h = head_of(object);
	unsigned was = atomic_load(&h->refs);
	assert(was > 0);
	/* The destructor runs while the count still is 1, so that it may pass the object to functions that take and give
	 * references back; only afterwards the block goes. */
	for (;;) {
		if (was == 1) {
			atomic_thread_fence(memory_order_acquire);
			if (h->destroy)
				h->destroy(object);
			head_free(h);
			return NULL;
		}
		if (atomic_compare_exchange_weak_explicit(&h->refs, &was, was - 1, memory_order_acq_rel, memory_order_acquire))
			return NULL;
	}
}

unsigned mem_refs(const void *object)
{
	return object ? atomic_load(&head_of(object)->refs) : 0;
}

void mem_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

bool mem_equal_secret(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char differ = 0;
	for (size_t i = 0; i < n; i++)
		differ = (unsigned char)(differ | (x[i] ^ y[i]));
	return differ == 0;
}

void mem_settle(void)
{
	/* Either of them ends the allocator's own adjusting. */
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	mallopt(M_TRIM_THRESHOLD, 2 << 20);
}

size_t mem_live(void)
{
	return atomic_load(&live);
}

size_t mem_live_bytes(void)
{
	return atomic_load(&live_bytes);
}

void mem_fail_at(size_t n)
{
	atomic_store(&failed, false);
	atomic_store(&fail_countdown, n);
}

bool mem_failed(void)
{
	return atomic_load(&failed);
}

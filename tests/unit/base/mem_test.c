/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <malloc.h>
#include "base/mem.h"

static int destroyed;

static void count_destroy(void *object)
{
	(void)object;
	destroyed++;
}

static void object_ends_with_its_last_reference(void **state)
{
	(void)state;
	destroyed = 0;
	int *o = mem_object(sizeof *o, count_destroy);
	assert_non_null(o);
	assert_ptr_equal(mem_ref(o), o);
	assert_int_equal(mem_refs(o), 2);
	assert_null(mem_unref(o));
	assert_int_equal(destroyed, 0);
	assert_null(mem_unref(o));
	assert_int_equal(destroyed, 1);
	assert_null(mem_unref(NULL));
}

static void product_that_overflows_gives_nothing(void **state)
{
	(void)state;
	assert_null(mem_zalloc(SIZE_MAX / 2, 3));
}

static void nth_allocation_fails_once(void **state)
{
	(void)state;
	mem_fail_at(2);
	void *a = mem_alloc(1), *b = mem_alloc(1), *c = mem_alloc(1);
	assert_non_null(a);
	assert_null(b);
	assert_non_null(c);
	assert_true(mem_failed());
	mem_free(a);
	mem_free(c);
}

static void realloc_that_fails_leaves_the_block(void **state)
{
	(void)state;
	char *p = mem_strdup("kept");
	mem_fail_at(1);
	assert_null(mem_realloc(p, 100000));
	assert_string_equal(p, "kept");
	mem_free(p);
}

static void live_counts_blocks_and_bytes(void **state)
{
	(void)state;
	size_t n = mem_live(), bytes = mem_live_bytes();
	char *p = mem_alloc(10);
	p = mem_realloc(p, 30);
	assert_int_equal(mem_live(), n + 1);
	assert_int_equal(mem_live_bytes(), bytes + 30);
	mem_free(p);
	assert_int_equal(mem_live_bytes(), bytes);
}

static void secrets_compare_and_wipe(void **state)
{
	(void)state;
	char a[4] = "abc", b[4] = "abd";
	assert_false(mem_equal_secret(a, b, 3));
	assert_true(mem_equal_secret(a, b, 2));
	mem_wipe(a, 4);
	assert_int_equal(a[0], 0);
}

/* As a crowd leaves it: a block of Argon2, then many of a quarter of a megabyte, with small ones between that stay. */
static size_t unused_after_a_crowd(void)
{
	enum { CALLERS = 100 };
	void *large[CALLERS], *small[CALLERS];
	mem_free(mem_alloc(19 << 20));
	for (int i = 0; i < CALLERS; i++) {
		large[i] = mem_alloc(240 << 10);
		small[i] = mem_alloc(1000);
		assert_non_null(large[i]);
		assert_non_null(small[i]);
	}
	for (int i = 0; i < CALLERS; i++)
		mem_free(large[i]);
	size_t unused = mallinfo2().fordblks;
	for (int i = 0; i < CALLERS; i++)
		mem_free(small[i]);
	return unused;
}

static void large_blocks_go_back_to_the_system(void **state)
{
	(void)state;
	if (!mallinfo2().arena)
		return; /* the allocator of a sanitizer, which keeps what it likes: the ordinary build has the say */
	mem_settle();
	assert_in_range(unused_after_a_crowd(), 0, 3 << 20);
}

UT_MAIN(UT(large_blocks_go_back_to_the_system), UT(object_ends_with_its_last_reference), UT(product_that_overflows_gives_nothing), UT(nth_allocation_fails_once),
        UT(realloc_that_fails_leaves_the_block), UT(live_counts_blocks_and_bytes), UT(secrets_compare_and_wipe))

/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"

struct member {
	struct hash_entry entry;
	char name[16];
};

static void finds_what_was_added_through_growth_and_removal(void **state)
{
	(void)state;
	enum { N = 1000 };
	struct hash *h;
	struct member *m = mem_zalloc(N, sizeof *m);
	assert_int_equal(hash_create(&h, 1), 0);
	for (int i = 0; i < N; i++) {
		snprintf(m[i].name, sizeof m[i].name, "key-%d", i);
		assert_int_equal(hash_add(h, &m[i].entry, text_of(m[i].name)), 0);
	}
	struct member twin = { .name = "" };
	assert_int_equal(hash_add(h, &twin.entry, TEXT("key-5")), EEXIST);
	for (int i = 0; i < N; i += 2)
		hash_remove(&m[i].entry);
	hash_remove(&m[0].entry); /* twice does no harm */
	assert_int_equal(hash_count(h), N / 2);
	for (int i = 0; i < N; i++) {
		struct hash_entry *e = hash_find(h, text_of(m[i].name));
		assert_ptr_equal(e, i % 2 ? &m[i].entry : NULL);
	}
	hash_destroy(h);
	mem_free(m);
}

/* Reference vector of the SipHash paper, appendix A: key 00..0f, input 00..0e. */
static void siphash_gives_the_published_vector(void **state)
{
	(void)state;
	uint8_t key[16], in[15];
	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (uint8_t i = 0; i < 15; i++)
		in[i] = i;
	assert_true(hash_siphash(key, in, sizeof in) == 0xa129ca6149be45e5ULL);
}

static void list_keeps_order_and_tolerates_removal_on_the_way(void **state)
{
	(void)state;
	struct list l = LIST_INIT(l);
	struct link a = { 0 }, b = { 0 }, c = { 0 };
	list_append(&l, &a);
	list_append(&l, &b);
	list_prepend(&l, &c);
	LIST_FOREACH(&l, e)
		if (e == &a)
			list_remove(e);
	assert_int_equal(list_count(&l), 2);
	assert_ptr_equal(list_pop(&l), &c);
	assert_ptr_equal(list_pop(&l), &b);
	assert_null(list_pop(&l));
	assert_false(link_linked(&a));
}

UT_MAIN(UT(finds_what_was_added_through_growth_and_removal), UT(siphash_gives_the_published_vector), UT(list_keeps_order_and_tolerates_removal_on_the_way))

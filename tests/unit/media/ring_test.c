/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include "media/ring.h"

static void holds_what_it_has_room_for(void **state)
{
	(void)state;
	struct ring r;
	int v;
	assert_int_equal(ring_init(&r, sizeof v, 4), 0);
	assert_false(ring_take(&r, &v));
	for (int round = 0; round < 3; round++) {
		for (v = 0; v < 4; v++)
			assert_true(ring_put(&r, &v));
		assert_int_equal(ring_room(&r), 0);
		assert_false(ring_put(&r, &v));
		for (int i = 0; i < 4; i++) {
			assert_true(ring_take(&r, &v));
			assert_int_equal(v, i);
		}
	}
	ring_free(&r);
}

enum { MANY = 100000 };

static void *put_many(void *arg)
{
	for (int i = 0; i < MANY;)
		if (ring_put(arg, &i))
			i++;
		else
			sched_yield();
	return NULL;
}

static void keeps_order_between_threads(void **state)
{
	(void)state;
	struct ring r;
	pthread_t t;
	int v;
	assert_int_equal(ring_init(&r, sizeof v, 64), 0);
	assert_int_equal(pthread_create(&t, NULL, put_many, &r), 0);
	for (int i = 0; i < MANY;) {
		if (!ring_take(&r, &v)) {
			sched_yield();
			continue;
		}
		assert_int_equal(v, i);
		i++;
	}
	pthread_join(t, NULL);
	ring_free(&r);
}

UT_MAIN(UT(holds_what_it_has_room_for), UT(keeps_order_between_threads))

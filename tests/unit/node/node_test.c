/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "net/loop.h"
#include "node/node.h"

struct rig {
	struct clock_fake clock;
	struct loop *loop;
	struct node *node;
	unsigned calls, deaf, asked, hang_ups, stopped;
	struct node_left left;
};

static unsigned calls_h(void *arg)
{
	return ((struct rig *)arg)->calls;
}

static void deaf_h(void *arg)
{
	((struct rig *)arg)->deaf++;
}

static void ask_h(unsigned seconds, void *arg)
{
	assert_in_range(seconds, 1, 60);
	((struct rig *)arg)->asked++;
}

static void hang_up_h(void *arg)
{
	((struct rig *)arg)->hang_ups++;
}

static void left_h(struct node_left *l, void *arg)
{
	*l = ((struct rig *)arg)->left;
}

static void stopped_h(void *arg)
{
	((struct rig *)arg)->stopped++;
}

static void begin(struct rig *r)
{
	memset(r, 0, sizeof *r);
	clock_fake_init(&r->clock, 1700000000);
	assert_int_equal(loop_create(&r->loop, &r->clock.clock), 0);
	struct node_prm prm = { .loop = r->loop, .clock = &r->clock.clock, .name = "node01",
		                .h = { calls_h, deaf_h, ask_h, hang_up_h, left_h, stopped_h, r } };
	assert_int_equal(node_create(&r->node, &prm), 0);
}

static void end(struct rig *r)
{
	node_destroy(r->node);
	loop_destroy(r->loop);
}

static void meet_all(struct rig *r)
{
	for (unsigned i = 0; i < NODE_NEEDS; i++)
		node_met(r->node, (enum node_need)i);
}

static void turn(struct rig *r, int64_t ms)
{
	for (int64_t t = 0; t < ms; t += 50) {
		clock_fake_advance_ms(&r->clock, 50);
		loop_step(r->loop, 0);
	}
}

static void ready_when_all_needs_are_met(void **state)
{
	(void)state;
	struct rig r;
	struct node_answer a;
	begin(&r);
	node_answer(r.node, &a);
	assert_int_equal(a.status, 503);
	node_met(r.node, NODE_NEED_STORE);
	assert_int_equal(node_state(r.node), NODE_STARTING);
	meet_all(&r);
	node_answer(r.node, &a);
	assert_int_equal(node_state(r.node), NODE_READY);
	assert_int_equal(a.status, 200);
	assert_true(a.ready);
	end(&r);
}

static void need_lost_answers_503_with_reason_and_comes_back(void **state)
{
	(void)state;
	struct rig r;
	struct node_answer a;
	begin(&r);
	meet_all(&r);
	node_not_met(r.node, NODE_NEED_CERTIFICATE, "it expired on 2026-01-01");
	node_answer(r.node, &a);
	assert_int_equal(a.status, 503);
	assert_non_null(strstr(a.reason, "certificate"));
	assert_null(strstr(a.reason, "2026")); /* details are for the administrator, not for peers */
	assert_true(a.retry_after_s > 0);
	assert_string_equal(node_need_detail(r.node, NODE_NEED_CERTIFICATE), "it expired on 2026-01-01");
	node_met(r.node, NODE_NEED_CERTIFICATE);
	assert_int_equal(node_state(r.node), NODE_READY);
	end(&r);
}

static void drained_node_refuses_new_calls_until_resumed(void **state)
{
	(void)state;
	struct rig r;
	struct node_answer a;
	begin(&r);
	meet_all(&r);
	r.calls = 2;
	assert_int_equal(node_drain(r.node, 0), 0);
	assert_int_equal(node_drain(r.node, 0), EALREADY);
	node_answer(r.node, &a);
	assert_int_equal(a.status, 503);
	turn(&r, 60000);
	assert_int_equal(r.hang_ups, 0);
	node_met(r.node, NODE_NEED_STORE); /* needs do not end a drain */
	assert_int_equal(node_state(r.node), NODE_DRAINING);
	assert_int_equal(node_resume(r.node), 0);
	assert_int_equal(node_state(r.node), NODE_READY);
	assert_int_equal(node_resume(r.node), EALREADY);
	end(&r);
}

static void drain_with_an_end_hangs_up_once_and_stays_drained(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	meet_all(&r);
	r.calls = 2;
	assert_int_equal(node_drain(r.node, 0), 0);
	assert_int_equal(node_drain_left_ms(r.node), -1);
	turn(&r, 5000);
	assert_int_equal(node_drain(r.node, 10000), 0); /* asked again, now with an end */
	assert_int_equal(node_drain_left_ms(r.node), 10000);
	turn(&r, 9500);
	assert_int_equal(r.hang_ups, 0);
	turn(&r, 1000);
	assert_int_equal(r.hang_ups, 1);
	turn(&r, 30000);
	assert_int_equal(r.hang_ups, 1);
	assert_int_equal(node_state(r.node), NODE_DRAINING);
	assert_int_equal(r.stopped, 0);
	end(&r);
}

static void callers_are_asked_to_finish_a_minute_before(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	meet_all(&r);
	r.calls = 2;
	assert_int_equal(node_drain(r.node, 600000), 0);
	turn(&r, 530000);
	assert_int_equal(r.asked, 0);
	turn(&r, 15000);
	assert_int_equal(r.asked, 1);
	assert_int_equal(r.hang_ups, 0);
	turn(&r, 50000);
	assert_int_equal(r.asked, 1);
	assert_int_equal(node_drain(r.node, 20000), 0); /* another limit: asked again, at once */
	turn(&r, 500);
	assert_int_equal(r.asked, 2);
	turn(&r, 20000);
	assert_int_equal(r.hang_ups, 1);
	assert_int_equal(node_drain(r.node, 20000), 0);
	r.calls = 0;
	turn(&r, 500);
	assert_int_equal(r.asked, 2); /* nobody is there */
	assert_int_equal(node_resume(r.node), 0);
	r.calls = 1;
	node_stop(r.node);
	turn(&r, 500);
	assert_int_equal(r.asked, 3);
	end(&r);
}

static void resumed_node_forgets_the_end_of_its_drain(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	meet_all(&r);
	r.calls = 2;
	assert_int_equal(node_drain(r.node, 10000), 0);
	assert_int_equal(node_resume(r.node), 0);
	assert_int_equal(node_drain(r.node, 0), 0);
	turn(&r, 20000);
	assert_int_equal(r.hang_ups, 0);
	end(&r);
}

static void safe_to_stop_when_drained_and_nothing_is_left(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	meet_all(&r);
	assert_false(node_safe_to_stop(r.node)); /* the next call may come any moment */
	r.calls = 1;
	assert_int_equal(node_drain(r.node, 0), 0);
	assert_false(node_safe_to_stop(r.node));
	r.calls = 0;
	for (int i = 0; i < 3; i++) {
		r.left = (struct node_left){ .messages = i == 0, .records = i == 1, .errands = i == 2 };
		assert_false(node_safe_to_stop(r.node));
	}
	r.left = (struct node_left){ 0 };
	assert_true(node_safe_to_stop(r.node));
	end(&r);
}

static void cut_off_node_answers_as_its_policy_says(void **state)
{
	(void)state;
	struct rig r;
	struct node_answer a;
	begin(&r);
	meet_all(&r);
	node_cut_off(r.node, true, NODE_AWAY_SERVE);
	node_answer(r.node, &a);
	assert_true(a.ready && !a.avoid && a.status == 200);
	node_cut_off(r.node, true, NODE_AWAY_AVOID);
	node_answer(r.node, &a);
	assert_true(a.ready && a.avoid && a.retry_after_s > 0);
	assert_non_null(strstr(a.reason, "store"));
	node_cut_off(r.node, true, NODE_AWAY_REFUSE);
	node_answer(r.node, &a);
	assert_true(!a.ready && !a.avoid && a.status == 503);
	node_cut_off(r.node, false, NODE_AWAY_REFUSE);
	node_answer(r.node, &a);
	assert_true(a.ready && !a.avoid && !node_is_cut_off(r.node));
	end(&r);
}

static void stopping_waits_for_calls(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	meet_all(&r);
	r.calls = 1;
	node_stop(r.node);
	assert_int_equal(r.deaf, 1);
	turn(&r, 5000);
	assert_int_equal(r.stopped, 0);
	r.calls = 0;
	turn(&r, 300);
	assert_int_equal(r.stopped, 1);
	assert_int_equal(r.hang_ups, 0);
	assert_int_equal(node_drain(r.node, 0), EBUSY);
	end(&r);
}

static void stopping_hangs_up_after_12_s_and_ends_within_15_s(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	meet_all(&r);
	r.calls = 3;
	node_stop(r.node);
	turn(&r, 11500);
	assert_int_equal(r.hang_ups, 0);
	turn(&r, 1000);
	assert_int_equal(r.hang_ups, 1);
	assert_int_equal(r.stopped, 0);
	turn(&r, 2500);
	turn(&r, 300);
	assert_int_equal(r.stopped, 1);
	assert_int_equal(r.hang_ups, 1);
	end(&r);
}

static void second_stop_hangs_up_at_once(void **state)
{
	(void)state;
	struct rig r;
	begin(&r);
	meet_all(&r);
	r.calls = 1;
	node_stop(r.node);
	turn(&r, 500);
	node_stop(r.node);
	assert_int_equal(r.hang_ups, 1);
	node_stop(r.node);
	assert_int_equal(r.hang_ups, 1);
	r.calls = 0;
	turn(&r, 300);
	assert_int_equal(r.stopped, 1);
	end(&r);
}

static void other_threads_see_state_and_needs(void **state)
{
	(void)state;
	struct rig r;
	char line[200];
	begin(&r);
	assert_false(node_view_ready(node_view(r.node), line, sizeof line));
	assert_string_equal(line, "starting: store: prompts: certificate: listeners");
	meet_all(&r);
	assert_true(node_view_ready(node_view(r.node), line, sizeof line));
	node_not_met(r.node, NODE_NEED_STORE, "away");
	assert_false(node_view_ready(node_view(r.node), line, sizeof line));
	assert_string_equal(line, "not-ready: store");
	end(&r);
}

UT_MAIN(UT(ready_when_all_needs_are_met), UT(need_lost_answers_503_with_reason_and_comes_back), UT(drained_node_refuses_new_calls_until_resumed),
        UT(stopping_waits_for_calls), UT(drain_with_an_end_hangs_up_once_and_stays_drained), UT(callers_are_asked_to_finish_a_minute_before),
        UT(resumed_node_forgets_the_end_of_its_drain), UT(safe_to_stop_when_drained_and_nothing_is_left), UT(cut_off_node_answers_as_its_policy_says), UT(stopping_hangs_up_after_12_s_and_ends_within_15_s), UT(second_stop_hangs_up_at_once),
        UT(other_threads_see_state_and_needs))

/* SPDX-License-Identifier: Apache-2.0 */
/* call_test.c  Calls between two cores over UDP, TCP and both IP versions: answered, refused, cancelled, held, ended with a receipt. */
#include <errno.h>
#include "base/mem.h"
#include "call/rig.h"

static void call_and_hangup(enum net_transport t, bool v6)
{
	struct rig r;

	rig_open(&r, t, v6);
	rig_call_up(&r);
	assert_string_equal(leg_info(r.side[B].leg)->called.user, "100");
	assert_string_equal(leg_info(r.side[B].leg)->from.user, "alice");
	assert_string_equal(leg_info(r.side[B].leg)->from.display, "Alice");
	leg_hangup(r.side[A].leg, "done");
	assert_true(rig_until(&r, A, "over:we hung up:200", 2000));
	assert_true(rig_until(&r, B, "ending! over:the peer hung up:200", 2000));
	assert_string_equal(r.side[B].log, "offered answered ending! over:the peer hung up:200 ");
	rig_run(&r, 40000);
	assert_int_equal(rig_stats(&r, A).transactions, 0);
	assert_int_equal(rig_stats(&r, B).transactions, 0);
	assert_int_equal(rig_stats(&r, B).legs, 0);
	rig_close(&r);
}

static void udp_call(void **state)
{
	(void)state;
	call_and_hangup(NET_UDP, false);
}

static void tcp_call(void **state)
{
	(void)state;
	call_and_hangup(NET_TCP, false);
}

static void udp6_call(void **state)
{
	(void)state;
	call_and_hangup(NET_UDP, true);
}

static void tcp6_call(void **state)
{
	(void)state;
	call_and_hangup(NET_TCP, true);
}

static void callee_hangs_up(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	rig_call_up(&r);
	leg_hangup(r.side[B].leg, NULL);
	assert_true(rig_until(&r, B, "over:we hung up:200", 2000));
	assert_true(rig_until(&r, A, "over:the peer hung up", 2000));
	rig_close(&r);
}

static void the_answer_to_bye_waits_for_the_receipt(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_TCP, false);
	rig_call_up(&r);
	r.side[B].auto_confirm = false;
	leg_hangup(r.side[A].leg, NULL);
	assert_true(rig_until(&r, B, "ending!", 2000));
	rig_run(&r, 2000);
	assert_null(strstr(r.side[A].log, "over"));
	leg_confirm(r.side[B].leg, false);
	assert_true(rig_until(&r, A, "over:we hung up:500", 2000));
	assert_true(rig_until(&r, B, "over", 2000));
	rig_close(&r);
}

static void a_receipt_that_never_comes_is_a_500(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	rig_call_up(&r);
	r.side[B].auto_confirm = false;
	leg_hangup(r.side[A].leg, NULL);
	assert_true(rig_until(&r, A, "over:we hung up:500", 8000));
	rig_close(&r);
}

static void caller_cancels(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	r.side[B].auto_answer = false;
	rig_call(&r, A, "100");
	assert_true(rig_until(&r, B, "offered", 2000));
	assert_int_equal(leg_ring(r.side[B].leg), 0);
	assert_true(rig_until(&r, A, "progress:180", 2000));
	leg_cancel(r.side[A].leg);
	assert_true(rig_until(&r, A, "over:cancelled:487", 2000));
	assert_true(rig_until(&r, B, "over:cancelled:487", 2000));
	assert_null(strstr(r.side[B].log, "ending"));
	rig_close(&r);
}

static void cancel_crosses_the_answer(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	rig_call(&r, A, "100");
	leg_cancel(r.side[A].leg); /* before any answer: must wait for one, and then it is a 200 */
	assert_true(rig_until(&r, A, "over:cancelled", 5000));
	assert_true(rig_until(&r, B, "over", 5000));
	assert_int_equal(rig_stats(&r, A).legs, 0);
	assert_int_equal(rig_stats(&r, B).legs, 0);
	rig_close(&r);
}

static void callee_refuses(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	r.side[B].auto_reject = 404;
	rig_call(&r, A, "100");
	assert_true(rig_until(&r, A, "over:refused:404", 2000));
	assert_true(rig_until(&r, B, "over:refused:404", 2000));
	assert_string_equal(r.side[A].facts.sip.reason, "SIP;cause=404;text=\"because the test says so\"");
	assert_int_equal(r.side[A].facts.sip.retry_after_s, 7);
	rig_close(&r);
}

static void not_ready_is_503(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	r.side[B].ready = (struct sip_readiness){ .ready = false, .reason = "the store is away", .retry_after_s = 33 };
	rig_call(&r, A, "100");
	assert_true(rig_until(&r, A, "over:refused:503", 2000));
	assert_string_equal(r.side[B].log, "");
	assert_int_equal(r.side[A].facts.sip.retry_after_s, 33);
	rig_close(&r);
}

/* To the same user, wherever it is to go. */
static void not_ready_with_somewhere_else_is_302(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	r.side[B].ready = (struct sip_readiness){ .ready = false, .reason = "this node is being drained", .retry_after_s = 33,
		                                  .elsewhere = "192.0.2.12:5060;transport=udp" };
	rig_call(&r, A, "100");
	assert_true(rig_until(&r, A, "over:refused:302", 2000));
	assert_string_equal(r.side[B].log, "");
	assert_int_equal(r.side[A].facts.sip.retry_after_s, -1);
	rig_close(&r);
}

static void strangers_get_403(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	r.side[B].no_lookup = true;
	rig_call(&r, A, "100");
	assert_true(rig_until(&r, A, "over:refused:403", 2000));
	assert_string_equal(r.side[B].log, "");
	rig_close(&r);
}

static void hold_and_resume(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	rig_call_up(&r);
	assert_int_equal(leg_hold(r.side[A].leg, true), 0);
	assert_true(rig_until(&r, B, "held", 2000));
	assert_true(leg_is_held(r.side[B].leg));
	rig_run(&r, 500);
	assert_int_equal(leg_hold(r.side[A].leg, false), 0);
	assert_true(rig_until(&r, B, "resumed", 2000));
	rig_run(&r, 500);
	/* both at once: each refuses the other's (491), and the call lives */
	assert_int_equal(leg_hold(r.side[A].leg, true), 0);
	assert_int_equal(leg_hold(r.side[B].leg, true), 0);
	rig_run(&r, 2000);
	assert_non_null(strstr(r.side[A].heard, "491"));
	assert_true(leg_is_up(r.side[A].leg));
	assert_true(leg_is_up(r.side[B].leg));
	rig_close(&r);
}

static void digits_by_info(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_TCP, false);
	rig_call_up(&r);
	assert_int_equal(leg_send_info_digit(r.side[A].leg, '5', 120), 0);
	assert_true(rig_until(&r, B, "digit:5/120", 2000));
	assert_int_equal(leg_send_info_digit(r.side[A].leg, '#', 0), 0);
	assert_true(rig_until(&r, B, "digit:#/160", 2000));
	rig_close(&r);
}

static void a_peer_that_dies_is_noticed_by_bye(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	rig_call_up(&r);
	sip_core_destroy(r.side[B].core);
	r.side[B].core = NULL;
	leg_hangup(r.side[A].leg, NULL);
	assert_true(rig_until(&r, A, "over:we hung up:0", 40000));
	rig_close(&r);
}

static void nobody_there(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_TCP, false);
	sip_core_destroy(r.side[B].core);
	r.side[B].core = NULL;
	rig_call(&r, A, "100");
	assert_true(rig_until(&r, A, "over:failed:0", 5000));
	assert_true(r.side[A].had_facts);
	assert_true(r.side[A].facts.connect_tried);
	assert_false(r.side[A].facts.connected);
	assert_int_equal(r.side[A].facts.connect_errno, ECONNREFUSED);
	assert_int_equal(r.side[A].facts.flow, TRUST_FLOW_CALL_OUT);
	rig_close(&r);
}

static void cores_end_with_calls_up(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_TCP, false);
	rig_call_up(&r);
	rig_close(&r);
}

UT_MAIN(UT(udp_call), UT(tcp_call), UT(udp6_call), UT(tcp6_call), UT(callee_hangs_up), UT(the_answer_to_bye_waits_for_the_receipt),
        UT(a_receipt_that_never_comes_is_a_500), UT(caller_cancels), UT(cancel_crosses_the_answer), UT(callee_refuses), UT(not_ready_is_503), UT(not_ready_with_somewhere_else_is_302),
        UT(strangers_get_403), UT(hold_and_resume), UT(digits_by_info), UT(a_peer_that_dies_is_noticed_by_bye), UT(nobody_there),
        UT(cores_end_with_calls_up))

/* SPDX-License-Identifier: Apache-2.0 */
/* transfer_test.c  REFER and its NOTIFYs between two cores: taken, refused, early, silent. */
#include <errno.h>
#include "base/mem.h"
#include "call/rig.h"

static void transfer_up(struct rig *r, enum net_transport t)
{
	rig_open(r, t, false);
	rig_call_up(r);
	assert_int_equal(leg_transfer(r->side[B].leg, "sip:200@example.test", "sip:attendant@um.test"), 0);
	assert_true(rig_until(r, A, "referred", 2000));
	assert_string_equal(r->side[A].last_target, "sip:200@example.test");
}

static void to_an_answer(void **state)
{
	struct rig r;

	(void)state;
	transfer_up(&r, NET_UDP);
	r.side[B].auto_hangup_on_transfer = true;
	assert_true(rig_until(&r, B, "transferring:202", 2000));
	assert_true(rig_until(&r, B, "transferring:100", 2000));
	assert_int_equal(leg_transfer(r.side[B].leg, "sip:300@example.test", NULL), EBUSY);
	assert_int_equal(leg_refer_progress(r.side[A].leg, 180), 0);
	assert_true(rig_until(&r, B, "transferring:180", 2000));
	assert_int_equal(leg_refer_progress(r.side[A].leg, 200), 0);
	assert_true(rig_until(&r, B, "transferred:200", 2000));
	assert_true(rig_until(&r, B, "over:we hung up:200", 2000));
	assert_true(rig_until(&r, A, "over:the peer hung up", 2000));
	assert_int_equal(leg_refer_progress(r.side[A].leg, 200), ENOENT);
	assert_int_equal(r.side[B].flow.flow, TRUST_FLOW_TRANSFER);
	assert_true(r.side[B].flow_works);
	assert_true(r.side[B].dialog_flows && r.side[B].dialog_works); /* its BYE */
	rig_close(&r);
}

static void target_is_busy(void **state)
{
	struct rig r;

	(void)state;
	transfer_up(&r, NET_TCP);
	assert_int_equal(leg_refer_progress(r.side[A].leg, 486), 0);
	assert_true(rig_until(&r, B, "transfer-failed:486", 2000));
	assert_true(leg_is_up(r.side[B].leg));
	/* the call goes on, and may be transferred again */
	assert_int_equal(leg_transfer(r.side[B].leg, "sip:300@example.test", NULL), 0);
	rig_forget(&r.side[A]);
	assert_true(rig_until(&r, A, "referred", 2000));
	rig_close(&r);
}

static void reports_stop(void **state)
{
	struct rig r;

	(void)state;
	transfer_up(&r, NET_UDP);
	assert_true(rig_until(&r, B, "transfer-failed:100", 70000));
	assert_true(leg_is_up(r.side[B].leg));
	rig_close(&r);
}

/* The peer takes no REFER: nobody listens on its leg. */
static void refused(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	rig_call_up(&r);
	leg_handler(r.side[A].leg, NULL, NULL);
	assert_int_equal(leg_transfer(r.side[B].leg, "sip:200@example.test", NULL), 0);
	assert_true(rig_until(&r, B, "transfer-failed:603", 2000));
	assert_true(r.side[B].had_facts);
	assert_int_equal(r.side[B].facts.sip.status, 603);
	rig_close(&r);
}

static void peer_is_gone(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	rig_call_up(&r);
	sip_core_destroy(r.side[A].core);
	r.side[A].core = NULL;
	rig_forget(&r.side[B]);
	/* its BYE never came */
	assert_int_equal(leg_transfer(r.side[B].leg, "sip:200@example.test", NULL), 0);
	assert_true(rig_until(&r, B, "transfer-failed:0", 40000));
	assert_true(r.side[B].had_facts);
	assert_int_equal(r.side[B].facts.flow, TRUST_FLOW_TRANSFER);
	assert_true(r.side[B].facts.sip.sent);
	assert_int_equal(r.side[B].facts.end, TRUST_TIMED_OUT);
	rig_close(&r);
}

static void bad_targets(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NET_UDP, false);
	rig_call_up(&r);
	assert_int_equal(leg_transfer(r.side[B].leg, "", NULL), EINVAL);
	assert_int_equal(leg_transfer(r.side[B].leg, "sip:a@b>\r\nX: y", NULL), EINVAL);
	assert_int_equal(leg_transfer(r.side[B].leg, "mailto:a@b", NULL), EINVAL);
	assert_int_equal(leg_transfer(r.side[B].leg, "sip:a@b", "sip:x@y>\r\nX: y"), EINVAL);
	rig_close(&r);
}

UT_MAIN(UT(to_an_answer), UT(target_is_busy), UT(reports_stop), UT(refused), UT(peer_is_gone), UT(bad_targets))

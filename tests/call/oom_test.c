/* SPDX-License-Identifier: Apache-2.0 */
/* oom_test.c  A whole call with the nth allocation failing, n = 1, 2, 3 ...: it may fail, but nothing crashes, hangs or leaks. */
#include <errno.h>
#include "base/mem.h"
#include "call/rig.h"

/* From the call's begin to its end, whatever became of it. */
static bool one_call(size_t n)
{
	struct rig r;
	struct leg *leg;
	bool met;

	rig_open(&r, NET_TCP, false);
	r.side[B].auto_hangup_on_transfer = true;
	rig_prepare(&r);
	mem_fail_at(n);
	if (!rig_try_call(&r, A, "100")) {
		rig_run(&r, 200);
		leg = r.side[B].leg;
		if (leg && leg_is_up(leg) && !leg_transfer(leg, "sip:200@x.test", NULL)) {
			rig_run(&r, 100);
			if (r.side[A].leg)
				(void)leg_refer_progress(r.side[A].leg, 200);
		}
		rig_run(&r, 200);
		if (r.side[A].leg)
			(void)leg_hangup(r.side[A].leg, "over");
		rig_run(&r, 70000);
	}
	met = mem_failed();
	mem_fail_at(0);
	if (rig_stats(&r, A).legs || rig_stats(&r, B).legs)
		fail_msg("allocation %zu: a call is still there: %s | %s", n, r.side[A].log, r.side[B].log);
	rig_close(&r);
	if (mem_live())
		fail_msg("allocation %zu: %zu blocks left", n, mem_live());
	return met;
}

static void a_call_without_memory(void **state)
{
	size_t n = 1;

	(void)state;
	while (one_call(n))
		n++;
	assert_true(n > 100);
	print_message("%zu allocations\n", n - 1);
}

UT_MAIN(UT(a_call_without_memory))

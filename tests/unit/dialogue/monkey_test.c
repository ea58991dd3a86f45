/* SPDX-License-Identifier: Apache-2.0 */
/* Callers who press anything at any time, over stores that do anything: whatever happens, nothing but a conversation ends, once, and soon
 * after the hang-up; what was saved is saved once. Seeds are fixed, so a failure repeats.                              */
#include "ut.h"
#include "base/mem.h"
#include "talk.h"
#include "world.h"

static uint64_t seed;

static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

static enum talk_mode mode(void)
{
	return below(4) ? TALK_GOOD : (enum talk_mode)below(4);
}

static void world(struct talk *t)
{
	talk_init(t);
	talk_message(t, "m1", MBOX_NEW, "203");
	talk_message(t, "m2", MBOX_SAVED, "");
	talk_message(t, "m3", MBOX_DELETED, "202");
	t->messages[0].private = below(2);
	t->save = mode();
	t->fetch = mode();
	t->greeting = mode();
	t->mark = mode();
	t->list = mode();
	t->transfer = mode();
	t->logon = mode();
	t->pin_set = mode();
	t->record = mode();
	t->job_ms = (int)below(2000);
	t->speak_ms = below(3) ? (int)below(9000) : -1;
	t->mute = !below(5);
	t->has_greeting = below(2);
	t->find = mode();
	t->join = mode();
	t->take = mode();
	t->find_ms = (int)below(9000);
	t->greetings = below(1u << MBOX_GREETINGS);
	t->rule_greeting = below(2);
	t->standing.away = !below(4);
	t->s.closed = !below(4);
	t->s.reason = (enum dlg_reason)below(5);
	t->must_change = !below(5);
	t->owner = mode();
	t->choose = mode();
	t->stretch = mode();
	t->send = mode();
	t->send_fails_for = below(3);
	t->recorded = below(32);
	t->setting_up = !below(6);
	t->group = below(2) ? "Team\nbob\ncarol" : NULL;
	t->xfer_status = below(2) ? 486 : 0;
	t->no_orders = below(2);
}

static void play(struct talk *t)
{
	static const char *const phrases[] = { "201#482915#", "1", "0", "#", "*", "3", "7", "9", "00", "11", "33", "62", "203", "2222#", "63", "918273#918273#", "5", "8", "2", "5202#", "1#", "#1", "6#", "88", "44", "007", "73", "74", "4", "6", "0061" };
	for (unsigned i = below(25); i > 0 && !t->over; i--) {
		if (below(4))
			talk_keys(t, phrases[below(sizeof(phrases) / sizeof(phrases[0]))]);
		talk_wait(t, below(5000));
	}
}

static void nothing_but_a_conversation_ends(void **state)
{
	(void)state;
	for (unsigned run = 1; run <= 1500; run++) {
		seed = 0x9e3779b97f4a7c15ULL * run;
		struct talk t;
		struct dlg_attendants *all;
		struct cfg *cfg = world_cfg();
		assert_int_equal(dlg_attendants_create(&all, cfg), 0);
		cfg_unref(cfg);
		world(&t);
		unsigned kind = below(4);
		if (kind == 0 || kind == 3)
			talk_box(&t, "alice");
		struct cfg *rules = rules_cfg();
		if (kind == 0 && below(2))
			t.s.rule = &cfg_mailbox(rules, TEXT("alice"))->rules[below(5)];
		talk_start(&t, kind == 3 ? &dlg_screen : kind == 0 ? &dlg_answering : kind == 1 ? &dlg_subscriber : dlg_attendant_table(all, TEXT("main")));
		mem_unref(all);
		play(&t);
		talk_hangup(&t);
		talk_wait(&t, 61000);
		if (!t.over)
			fail_msg("run %u does not end: %s", run, talk_where(&t));
		assert_true(t.n_confirmed <= 1 || t.confirmed >= 0);
		talk_end(&t);
		cfg_unref(rules);
	}
}

UT_MAIN(UT(nothing_but_a_conversation_ends))

/* SPDX-License-Identifier: Apache-2.0 */
/* Stories: one a kind of failure, over when it works again, bounded whoever knocks. */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "gateway/story.h"

static struct rig {
	struct clock_fake clock;
	struct gw_stories *s;
	unsigned ended;
	char last_verdict[48];
	enum gw_story_end last_end;
	bool there;
} rig;

static void begin(void)
{
	memset(&rig, 0, sizeof rig);
	rig.there = true;
	clock_fake_init(&rig.clock, 1700000000);
	assert_int_equal(gw_stories_create(&rig.s, &rig.clock.clock, "node01"), 0);
}

static void end(void)
{
	gw_stories_destroy(rig.s);
}

static void pass_s(int64_t s)
{
	clock_fake_advance_ms(&rig.clock, s * 1000);
}

static void ended_h(const struct gw_story *st, void *arg)
{
	(void)arg;
	rig.ended++;
	rig.last_end = st->end;
	text_fill(rig.last_verdict, sizeof rig.last_verdict, st->verdict);
}

static bool there_h(const struct gw_story *st, void *arg)
{
	(void)st;
	(void)arg;
	return rig.there;
}

static void sweep(void)
{
	gw_story_sweep(rig.s, there_h, NULL, ended_h, NULL);
}

/* A failure to connect with errno `err`; or, as accepted, an alert from the peer. */
static struct gw_story_told failed(const char *gateway, const char *address, enum trust_role role, enum trust_flow flow, int err)
{
	struct gw_story_told told;
	struct trust_verdict v;
	char peer[96];
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, role, TRUST_TLS, clock_real_s(&rig.clock.clock));
	facts_gateway(f, gateway, gateway);
	facts_flow(f, flow);
	text_print(peer, sizeof peer, "%s:5061", address);
	facts_target(f, "pool.example.com", 5061, peer);
	if (role == TRUST_DIALLED) {
		facts_connect(f, err, 3);
	} else {
		f->tls.used = f->tls.started = f->tls.hello_from_peer = true;
		facts_alert(f, false, true, false, (unsigned)err);
		facts_closed(f, TRUST_FIN, 0, 0);
	}
	trust_explain(f, &v);
	assert_true(trust_verdict_bad(&v));
	gw_story_failed(rig.s, gateway, address, f, &v, &told);
	mem_free(f);
	return told;
}

static struct gw_story_told dial(int err)
{
	return failed("pool", "192.0.2.1", TRUST_DIALLED, TRUST_FLOW_OPTIONS, err);
}

static void works(enum trust_flow flow)
{
	gw_story_works(rig.s, "pool", "192.0.2.1", TRUST_DIALLED, flow, 0, ended_h, NULL);
}

static void what_repeats_is_one_story(void **state)
{
	(void)state;
	begin();
	struct gw_story_told t = dial(ECONNREFUSED);
	assert_int_equal(t.news, GW_STORY_IS_NEW);
	assert_string_equal(t.story->verdict, "connection-refused");
	assert_string_equal(t.story->node, "node01");
	char id[ID_SIZE];
	text_fill(id, sizeof id, t.story->id);
	for (unsigned i = 0; i < 99; i++) {
		pass_s(10);
		t = dial(ECONNREFUSED);
		assert_int_equal(t.news, GW_STORY_IS_OLD);
	}
	assert_int_equal(gw_story_open(rig.s), 1);
	const struct gw_story *st = gw_story_at(rig.s, 0);
	assert_string_equal(st->id, id);
	assert_int_equal(st->count, 100);
	assert_int_equal(st->last_us - st->first_us, 990 * INT64_C(1000000));
	assert_non_null(strstr(st->verdict_json, "\"connection-refused\""));
	assert_non_null(strstr(st->facts_json, "192.0.2.1:5061"));
	pass_s(3000);
	assert_int_equal(dial(ECONNREFUSED).news, GW_STORY_STILL); /* once an hour it is said again */
	assert_int_equal(dial(ECONNREFUSED).news, GW_STORY_IS_OLD);
	end();
}

static void another_address_flow_or_verdict_is_another_story(void **state)
{
	(void)state;
	begin();
	dial(ECONNREFUSED);
	dial(ETIMEDOUT);
	failed("pool", "192.0.2.2", TRUST_DIALLED, TRUST_FLOW_OPTIONS, ECONNREFUSED);
	failed("pool", "192.0.2.1", TRUST_DIALLED, TRUST_FLOW_LAMP, ECONNREFUSED);
	failed("pool", "192.0.2.1", TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, 48);
	failed("other", "192.0.2.1", TRUST_DIALLED, TRUST_FLOW_OPTIONS, ECONNREFUSED);
	assert_int_equal(gw_story_open(rig.s), 6);
	end();
}

static void success_ends_it_and_tells_once(void **state)
{
	(void)state;
	begin();
	dial(ECONNREFUSED);
	failed("pool", "192.0.2.1", TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, 48);
	failed("pool", "192.0.2.2", TRUST_DIALLED, TRUST_FLOW_OPTIONS, ECONNREFUSED);
	failed("pool", "192.0.2.1", TRUST_DIALLED, TRUST_FLOW_LAMP, ECONNREFUSED); /* the port is open for lamps, too */
	pass_s(200);
	works(TRUST_FLOW_OPTIONS);
	assert_int_equal(rig.ended, 2);
	assert_int_equal(rig.last_end, GW_STORY_WORKS);
	assert_int_equal(gw_story_open(rig.s), 2);
	works(TRUST_FLOW_OPTIONS);
	assert_int_equal(rig.ended, 2);
	gw_story_works(rig.s, "pool", "192.0.2.1", TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, 0, ended_h, NULL);
	assert_int_equal(rig.ended, 3);
	const struct gw_story *st = gw_story_at(rig.s, 1);
	char lasted[48];
	assert_string_equal(gw_story_lasted(st, lasted, sizeof lasted), "3 min 20 s");
	assert_int_equal(gw_story_count(rig.s), 4);
	end();
}

static void what_comes_back_must_rest(void **state)
{
	(void)state;
	begin();
	char id[ID_SIZE];
	text_fill(id, sizeof id, dial(ECONNREFUSED).story->id);
	works(TRUST_FLOW_OPTIONS);
	assert_int_equal(rig.ended, 1);
	pass_s(60);
	struct gw_story_told t = dial(ECONNREFUSED);
	assert_int_equal(t.news, GW_STORY_IS_BACK);
	assert_string_equal(t.story->id, id);
	assert_int_equal(t.story->count, 2);
	works(TRUST_FLOW_OPTIONS);
	assert_int_equal(rig.ended, 1); /* too early to believe it */
	for (unsigned i = 0; i < 50; i++) { /* comes and goes: nothing is told */
		pass_s(10);
		assert_int_equal(dial(ECONNREFUSED).news, GW_STORY_IS_OLD);
		works(TRUST_FLOW_OPTIONS);
		sweep();
	}
	assert_int_equal(rig.ended, 1);
	pass_s(31);
	sweep(); /* it worked last, and has rested */
	assert_int_equal(rig.ended, 2);
	pass_s(2 * 3600);
	assert_int_equal(dial(ECONNREFUSED).news, GW_STORY_IS_NEW); /* long after: another story */
	end();
}

static void one_cause_behind_another(void **state)
{
	(void)state;
	begin();
	dial(ETIMEDOUT);
	dial(ECONNREFUSED);
	dial(ETIMEDOUT);
	sweep();
	assert_int_equal(gw_story_open(rig.s), 2); /* they take turns: both go on */
	for (unsigned i = 0; i < 3; i++)
		dial(ECONNREFUSED);
	sweep();
	assert_int_equal(gw_story_open(rig.s), 1);
	assert_int_equal(rig.last_end, GW_STORY_CHANGED);
	assert_string_equal(rig.last_verdict, "connect-timeout");
	end();
}

static void what_is_gone_ends(void **state)
{
	(void)state;
	begin();
	dial(ETIMEDOUT);
	rig.there = false;
	sweep();
	assert_int_equal(rig.last_end, GW_STORY_GONE);
	assert_int_equal(gw_story_open(rig.s), 0);
	end();
}

static void strangers_are_put_together_and_bounded(void **state)
{
	(void)state;
	begin();
	char address[64];
	for (unsigned i = 1; i < 250; i++) {
		text_print(address, sizeof address, "198.51.100.%u", i);
		failed("", address, TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, 48);
	}
	assert_int_equal(gw_story_open(rig.s), 1);
	assert_string_equal(gw_story_at(rig.s, 0)->peer, "198.51.100.0/24");
	assert_int_equal(gw_story_at(rig.s, 0)->count, 249);
	dial(ECONNREFUSED);
	for (unsigned i = 0; i < 20000; i++) {
		text_print(address, sizeof address, "10.%u.%u.1", i >> 8, i & 255);
		failed("", address, TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, 48);
	}
	assert_int_equal(gw_story_open(rig.s), GW_STORIES_STRANGERS + 1);
	assert_true(gw_story_lost(rig.s) > 19000);
	assert_int_equal(dial(ECONNREFUSED).news, GW_STORY_IS_OLD); /* and the gateway's own is untouched */
	pass_s(700);
	assert_int_equal(failed("", "203.0.113.9", TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, 48).news, GW_STORY_IS_NEW); /* the quiet one gives way */
	assert_int_equal(gw_story_open(rig.s), GW_STORIES_STRANGERS + 1);
	pass_s(90000);
	sweep();
	assert_int_equal(gw_story_open(rig.s), 1);
	assert_int_equal(rig.last_end, GW_STORY_QUIET);
	end();
}

static bool again(const char *address)
{
	return gw_story_again(rig.s, "", address, TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, "peer-does-not-trust-our-issuer", "");
}

static void floods_go_the_short_way(void **state)
{
	(void)state;
	begin();
	char address[64];
	assert_false(again("198.51.100.7")); /* nothing is known of it: facts are wanted */
	failed("", "198.51.100.7", TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, 48);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(again("198.51.100.8"));
	assert_int_equal(gw_story_at(rig.s, 0)->count, 1001);
	assert_true(gw_story_at(rig.s, 0)->many);
	pass_s(40);
	assert_false(again("198.51.100.8")); /* what is told of it is to be made anew */
	for (unsigned i = 0; i < 31; i++) {
		text_print(address, sizeof address, "10.1.%u.1", i);
		failed("", address, TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, 48);
	}
	assert_int_equal(gw_story_lost(rig.s), 0);
	assert_true(again("203.0.113.9"));
	assert_int_equal(gw_story_lost(rig.s), 1);
	assert_false(gw_story_again(rig.s, "pool", "192.0.2.1", TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, "x", "")); /* gateways have room */
	end();
}

static void a_stranger_who_becomes_known_ends_it(void **state)
{
	(void)state;
	begin();
	failed("", "198.51.100.7", TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, 48);
	gw_story_works(rig.s, "pool", "198.51.100.8", TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, 0, ended_h, NULL);
	assert_int_equal(rig.ended, 0);
	gw_story_works(rig.s, "pool", "198.51.100.7", TRUST_ACCEPTED, TRUST_FLOW_CALL_IN, 0, ended_h, NULL);
	assert_int_equal(rig.ended, 1);
	end();
}

static void gateways_are_bounded_too(void **state)
{
	(void)state;
	begin();
	char name[32], address[64];
	for (unsigned i = 0; i < 100; i++) {
		text_print(address, sizeof address, "192.0.2.%u", i);
		failed("pool", address, TRUST_DIALLED, TRUST_FLOW_OPTIONS, ECONNREFUSED);
	}
	assert_int_equal(gw_story_open(rig.s), GW_STORIES_GATEWAY);
	for (unsigned i = 0; i < 400; i++) {
		text_print(name, sizeof name, "g%u", i);
		failed(name, "192.0.2.1", TRUST_DIALLED, TRUST_FLOW_OPTIONS, ECONNREFUSED);
	}
	assert_int_equal(gw_story_open(rig.s), GW_STORIES_OPEN);
	rig.there = false;
	sweep();
	assert_int_equal(gw_story_open(rig.s), 0);
	assert_int_equal(gw_story_count(rig.s), GW_STORIES_ENDED);
	end();
}

static void networks_are_named(void **state)
{
	(void)state;
	char out[64];
	assert_string_equal(gw_story_network("192.0.2.7", out, sizeof out), "192.0.2.0/24");
	assert_string_equal(gw_story_network("2001:db8:1:2::3", out, sizeof out), "2001:db8:1::/48");
	assert_string_equal(gw_story_network("", out, sizeof out), "");
	assert_string_equal(gw_story_network("nonsense", out, sizeof out), "nonsense");
}

static int oom_body(void *arg)
{
	(void)arg;
	struct clock_fake clock;
	struct gw_stories *s;
	struct gw_story_told told;
	struct trust_verdict v;
	static struct trust_facts f;
	clock_fake_init(&clock, 1700000000);
	if (gw_stories_create(&s, &clock.clock, "n"))
		return ENOMEM;
	facts_init(&f, TRUST_DIALLED, TRUST_TLS, 1700000000);
	facts_connect(&f, ECONNREFUSED, 1);
	trust_explain(&f, &v);
	gw_story_failed(s, "pool", "192.0.2.1", &f, &v, &told);
	int err = told.story && told.story->verdict_json ? 0 : ENOMEM;
	assert_true(told.story || gw_story_lost(s) == 1);
	gw_stories_destroy(s);
	return err;
}

static void memory_may_fail(void **state)
{
	(void)state;
	ut_oom(oom_body, NULL);
}

UT_MAIN(UT(what_repeats_is_one_story), UT(another_address_flow_or_verdict_is_another_story), UT(success_ends_it_and_tells_once),
        UT(what_comes_back_must_rest), UT(one_cause_behind_another), UT(what_is_gone_ends), UT(strangers_are_put_together_and_bounded),
        UT(floods_go_the_short_way), UT(a_stranger_who_becomes_known_ends_it), UT(gateways_are_bounded_too), UT(networks_are_named), UT(memory_may_fail))

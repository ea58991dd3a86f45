/* SPDX-License-Identifier: Apache-2.0 */
/* raw_out_test.c  Calls of ours to a peer that is played by hand: provisional answers, lost ACKs, forks, the races around CANCEL, bad answers. */
#include <stdio.h>
#include "base/mem.h"
#include "call/raw.h"

/* b calls; the INVITE is in x->in. */
static void calling(struct raw *x)
{
	raw_open(x, false);
	x->r.side[B].other->port = (uint16_t)x->port;
	rig_call(&x->r, B, "200");
	heard(x, 20);
	wants(x, "INVITE sip:200@127.0.0.1 SIP/2.0");
	wants(x, "m=audio");
	wants(x, "RTP/AVP 0 8 101");
}

static void ringing_and_answered(void **state)
{
	char invite[65536];
	struct raw x;

	(void)state;
	calling(&x);
	snprintf(invite, sizeof(invite), "%s", x.in);
	answer(&x, 100, "t1", "");
	answer(&x, 180, "t1", "");
	assert_true(rig_until(&x.r, B, "progress:180", 100));
	answer(&x, 200, "t1", SDP);
	assert_true(rig_until(&x.r, B, "answered", 100));
	heard(&x, 50);
	wants(&x, "ACK sip:a@127.0.0.1:");
	wants(&x, ";tag=t1");
	snprintf(x.in, sizeof(x.in), "%s", invite);
	answer(&x, 200, "t1", SDP); /* our ACK was lost */
	heard(&x, 50);
	assert_int_equal(count(x.in, "ACK sip:"), 1);
	assert_string_equal(x.r.side[B].log, "progress:180 answered ");
	raw_close(&x);
}

/* An answer without the Contact that it must bring: the gateway has the call, whatever the domain of its URI. */
static void answered_without_a_contact(void **state)
{
	struct raw x;

	(void)state;
	calling(&x);
	answer_moved(&x, 200, "");
	heard(&x, 50);
	wants(&x, "ACK sip:200@127.0.0.1 SIP/2.0");
	wants(&x, "BYE sip:200@127.0.0.1 SIP/2.0"); /* nor did it bring a session */
	raw_close(&x);
}

static void a_fork_is_hung_up(void **state)
{
	char invite[65536];
	struct raw x;

	(void)state;
	calling(&x);
	snprintf(invite, sizeof(invite), "%s", x.in);
	answer(&x, 200, "t1", SDP);
	heard(&x, 50);
	snprintf(x.in, sizeof(x.in), "%s", invite);
	answer(&x, 200, "t2", SDP);
	heard(&x, 50);
	wants(&x, "ACK sip:a@127.0.0.1");
	wants(&x, "BYE sip:a@127.0.0.1");
	assert_int_equal(count(x.in, ";tag=t2"), 2);
	assert_int_equal(count(x.in, ";tag=t1"), 0);
	assert_true(leg_is_up(x.r.side[B].leg));
	raw_close(&x);
}

static void cancel_waits_for_a_provisional_answer(void **state)
{
	char invite[65536];
	struct raw x;

	(void)state;
	calling(&x);
	snprintf(invite, sizeof(invite), "%s", x.in);
	assert_int_equal(leg_cancel(x.r.side[B].leg), 0);
	assert_int_equal(count(heard(&x, 400), "CANCEL"), 0);
	snprintf(x.in, sizeof(x.in), "%s", invite);
	answer(&x, 180, "t1", "");
	heard(&x, 50);
	wants(&x, "CANCEL sip:200@127.0.0.1 SIP/2.0");
	answer(&x, 200, "t1", "");
	snprintf(x.in, sizeof(x.in), "%s", invite);
	answer(&x, 487, "t1", "");
	assert_true(rig_until(&x.r, B, "over:cancelled:487", 100));
	heard(&x, 50);
	wants(&x, "ACK sip:200@127.0.0.1");
	assert_string_equal(x.r.side[B].log, "over:cancelled:487 ");
	raw_close(&x);
}

static void answered_although_cancelled(void **state)
{
	char invite[65536];
	struct raw x;

	(void)state;
	calling(&x);
	snprintf(invite, sizeof(invite), "%s", x.in);
	leg_cancel(x.r.side[B].leg);
	answer(&x, 200, "t1", SDP);
	heard(&x, 50);
	wants(&x, "ACK sip:a@127.0.0.1");
	wants(&x, "BYE sip:a@127.0.0.1");
	snprintf(x.in, sizeof(x.in), "%s", strstr(x.in, "BYE sip:"));
	answer(&x, 200, "t1", "");
	assert_true(rig_until(&x.r, B, "over:cancelled:200", 100));
	assert_null(strstr(x.r.side[B].log, "answered"));
	raw_close(&x);
}

static void nobody_answers_the_cancel(void **state)
{
	struct raw x;

	(void)state;
	calling(&x);
	leg_cancel(x.r.side[B].leg);
	assert_true(rig_until(&x.r, B, "over:cancelled:487", 33000));
	raw_close(&x);
}

static void rings_too_long(void **state)
{
	struct raw x;

	(void)state;
	calling(&x);
	answer(&x, 180, "t1", "");
	heard(&x, 170000);
	assert_int_equal(count(x.in, "CANCEL"), 0);
	heard(&x, 11000);
	wants(&x, "CANCEL");
	assert_true(rig_until(&x.r, B, "over:cancelled", 40000));
	raw_close(&x);
}

static void no_answer_at_all(void **state)
{
	struct raw x;

	(void)state;
	calling(&x);
	assert_true(rig_until(&x.r, B, "over:failed:408", 33000));
	assert_true(x.r.side[B].had_facts);
	assert_int_equal(x.r.side[B].facts.end, TRUST_TIMED_OUT);
	assert_int_equal(x.r.side[B].facts.flow, TRUST_FLOW_CALL_OUT);
	assert_false(x.r.side[B].flow_works);
	raw_close(&x);
}

static void answers_that_cannot_be_used(void **state)
{
	static const char *const body[] = { "", "v=0\r\nrubbish\r\n",
		                            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n" };
	struct raw x;

	(void)state;
	for (unsigned i = 0; i < sizeof(body) / sizeof(*body); i++) {
		calling(&x);
		answer(&x, 200, "t1", body[i]);
		heard(&x, 50);
		wants(&x, "ACK sip:a@127.0.0.1");
		wants(&x, "BYE sip:a@127.0.0.1");
		assert_true(rig_until(&x.r, B, "over:failed:488", 100));
		raw_close(&x);
	}
}

static void refused_with_a_reason(void **state)
{
	struct raw x;

	(void)state;
	calling(&x);
	answer(&x, 486, "t1", "");
	assert_true(rig_until(&x.r, B, "over:refused:486", 100));
	heard(&x, 20);
	wants(&x, "ACK sip:200@127.0.0.1");
	raw_close(&x);
}

/* A peer that never answers our BYE: the call is over for us all the same. */
static void bye_unanswered(void **state)
{
	struct raw x;

	(void)state;
	calling(&x);
	answer(&x, 200, "t1", SDP);
	assert_true(rig_until(&x.r, B, "answered", 100));
	leg_hangup(x.r.side[B].leg, NULL);
	assert_true(rig_until(&x.r, B, "over:we hung up:0", 33000));
	raw_close(&x);
}

static void moved(struct raw *x, const char *contact)
{
	char more[300];

	snprintf(more, sizeof(more), "Contact: %s\r\n", contact);
	answer_moved(x, 302, more);
	heard(x, 20);
}

/* To the gateway itself under another name or port: followed, twice at most; to anybody else: not. */
static void redirected_within_the_gateway_only(void **state)
{
	char contact[200];
	struct raw x;

	(void)state;
	calling(&x);
	snprintf(contact, sizeof(contact), "<sip:200@evil.test>, <sip:300@127.0.0.1:%u>", x.port);
	moved(&x, contact);
	wants(&x, "ACK sip:200@127.0.0.1");
	snprintf(contact, sizeof(contact), "INVITE sip:300@127.0.0.1:%u SIP/2.0", x.port);
	wants(&x, contact);
	wants(&x, "\r\nTo: <sip:200@127.0.0.1>\r\n");
	snprintf(x.in, sizeof(x.in), "%s", strstr(x.in, "INVITE sip"));
	snprintf(contact, sizeof(contact), "<sip:400@127.0.0.1:%u>", x.port);
	moved(&x, contact);
	wants(&x, "INVITE sip:400@127.0.0.1");
	snprintf(x.in, sizeof(x.in), "%s", strstr(x.in, "INVITE sip"));
	snprintf(contact, sizeof(contact), "<sip:500@127.0.0.1:%u>", x.port);
	moved(&x, contact);
	assert_null(strstr(x.in, "INVITE"));
	assert_true(rig_until(&x.r, B, "over:refused:302", 100));
	raw_close(&x);

	static const char *const elsewhere[] = { "<sip:200@evil.test>", "<tel:+15550100>", "<sip:200@127.0.0.1;transport=tcp>", "<mailto:a@127.0.0.1>",
		                                 "<sip:200@127.0.0.1?Replaces=x>" };
	for (unsigned i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
		calling(&x);
		moved(&x, elsewhere[i]);
		assert_true(rig_until(&x.r, B, "over:refused:302", 100));
		raw_close(&x);
	}
}

static void ignore(struct leg *leg, const struct leg_event *ev, void *arg)
{
	(void)leg;
	(void)ev;
	(void)arg;
}

static void call_after(struct raw *x, const struct leg_info *after, const char *diversion, bool told, bool ourselves)
{
	struct leg_call_prm prm = { .uri = "sip:2002@pbx.test", .from_user = "1000", .diversion = diversion, .after = after, .assert_from = ourselves, .h = ignore };
	struct rig_side *s = &x->r.side[B];

	raw_open(x, false);
	rig_prepare(&x->r);
	s->other->port = (uint16_t)x->port;
	s->other->told_identity = told;
	assert_int_equal(leg_call(&s->leg, s->core, s->other, &prm, s->port, NULL), 0);
	heard(x, 20);
	wants(x, "INVITE sip:2002@pbx.test SIP/2.0");
}

static void lacks(const struct raw *x, const char *word)
{
	if (strstr(x->in, word))
		fail_msg("'%s' in:\n%s", word, x->in);
}

/* Sent on by the gateway: the entry that was left says why, and where it goes now follows beside it (RFC 7044 10.3). */
static void a_302_is_told_in_the_history(void **state)
{
	struct leg_info after = { .headers_believed = true };
	char more[200];
	struct raw x;

	(void)state;
	call_after(&x, &after, "sip:2001@b.test", true, false);
	snprintf(more, sizeof(more), "Contact: <sip:2009@127.0.0.1:%u>\r\n", x.port);
	answer_moved(&x, 302, more);
	heard(&x, 20);
	snprintf(more, sizeof(more), "INVITE sip:2009@127.0.0.1:%u SIP/2.0", x.port);
	wants(&x, more);
	wants(&x, "\r\nHistory-Info: <sip:2001@b.test?Reason=SIP%3Bcause%3D302>;index=1\r\nHistory-Info: <sip:2002@pbx.test?Reason=SIP%3Bcause%3D302>;index=1.1;mp=1\r\n"
	          "History-Info: <sip:2009@127.0.0.1:");
	snprintf(more, sizeof(more), "<sip:2009@127.0.0.1:%u>;index=1.2;mp=1\r\n", x.port);
	wants(&x, more);
	raw_close(&x);
}

/* Who calls, and which way the call took: only to a gateway that is marked for it, only what is believed, and nothing of who wants privacy. */
static void identity_and_history(void **state)
{
	struct leg_info after = { .headers_believed = true, .asserted = { .uri = "sip:+15551000@a.test", .display = "Anna \"A\" A." }, .n_history = 2,
		                  .history = (const struct leg_redirect[]){ { .party = { .uri = "sip:4000@a.test" } },
		                                                            { .party = { .uri = "sip:2001@a.test?Reason=SIP%3Bcause%3D486" } } } };
	struct raw x;

	(void)state;
	call_after(&x, &after, "sip:2001@b.test", true, false);
	wants(&x, "\r\nP-Asserted-Identity: \"Anna \\\"A\\\" A.\" <sip:+15551000@a.test>\r\n");
	wants(&x, "\r\nHistory-Info: <sip:4000@a.test>;index=1\r\nHistory-Info: <sip:2001@a.test?Reason=SIP%3Bcause%3D486>;index=1.1\r\n"
	          "History-Info: <sip:2001@b.test?Reason=SIP%3Bcause%3D302>;index=1.1.1\r\nHistory-Info: <sip:2002@pbx.test>;index=1.1.1.1;mp=1.1.1\r\n");
	raw_close(&x);
	after.n_history = 0;
	call_after(&x, &after, "sip:2001@b.test", true, false);
	wants(&x, "\r\nHistory-Info: <sip:2001@b.test?Reason=SIP%3Bcause%3D302>;index=1\r\nHistory-Info: <sip:2002@pbx.test>;index=1.1;mp=1\r\n");
	raw_close(&x);
	call_after(&x, &after, "sip:2001@b.test", false, false);
	wants(&x, "\r\nDiversion: <sip:2001@b.test>");
	lacks(&x, "P-Asserted-Identity");
	lacks(&x, "History-Info");
	raw_close(&x);
	after.headers_believed = false;
	call_after(&x, &after, NULL, true, false);
	lacks(&x, "P-Asserted-Identity");
	lacks(&x, "History-Info");
	raw_close(&x);
	after.headers_believed = after.wants_privacy = true;
	call_after(&x, &after, "sip:2001@b.test", true, false);
	lacks(&x, "P-Asserted-Identity");
	lacks(&x, "History-Info");
	raw_close(&x);
	call_after(&x, NULL, NULL, true, true);
	wants(&x, "\r\nP-Asserted-Identity: <sip:1000@127.0.0.1>\r\n");
	raw_close(&x);
}

UT_MAIN(UT(identity_and_history), UT(a_302_is_told_in_the_history), UT(redirected_within_the_gateway_only), UT(ringing_and_answered), UT(answered_without_a_contact), UT(a_fork_is_hung_up), UT(cancel_waits_for_a_provisional_answer), UT(answered_although_cancelled),
        UT(nobody_answers_the_cancel), UT(rings_too_long), UT(no_answer_at_all), UT(answers_that_cannot_be_used), UT(refused_with_a_reason),
        UT(bye_unanswered))

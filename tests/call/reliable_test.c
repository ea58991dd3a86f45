/* SPDX-License-Identifier: Apache-2.0 */
/* reliable_test.c  Provisional answers that must arrive (RFC 3262), ours and the peer's, answers to our offer within them, and UPDATE before the 200. */
#include <stdio.h>
#include "base/mem.h"
#include "call/raw.h"

static unsigned rseq_of(const struct raw *x)
{
	const char *at = strstr(x->in, "\r\nRSeq: ");

	assert_non_null(at);
	return (unsigned)strtoul(at + 8, NULL, 10);
}

static void prack(struct raw *x, const char *branch, unsigned rseq, unsigned cseq, const char *method)
{
	char rack[80];

	snprintf(rack, sizeof(rack), "RAck: %u %u %s\r\n", rseq, cseq, method);
	x->cseq++;
	say(x, "PRACK", branch, rack, "");
	heard(x, 20);
}

static void offered(struct raw *x, const char *more, const char *body)
{
	raw_open(x, false);
	x->r.side[B].auto_answer = false;
	say(x, "INVITE", "1", more, body);
	heard(x, 20);
}

static void our_ringing_is_repeated_until_prack(void **state)
{
	struct raw x;
	unsigned rseq;

	(void)state;
	offered(&x, "Require: 100rel\r\n", SDP);
	assert_int_equal(leg_ring(x.r.side[B].leg), 0);
	heard(&x, 20);
	wants(&x, "SIP/2.0 180 ");
	wants(&x, "Require: 100rel\r\n");
	rseq = rseq_of(&x);
	assert_int_equal(count(heard(&x, 3600), "SIP/2.0 180 "), 3); /* 0.5, 1.5, 3.5 */
	assert_int_equal(leg_ring(x.r.side[B].leg), 0); /* nothing new before its PRACK */
	assert_string_equal(heard(&x, 20), "");
	prack(&x, "3", rseq + 1, 1, "INVITE");
	wants(&x, "SIP/2.0 481 ");
	prack(&x, "4", rseq, 2, "INVITE");
	wants(&x, "SIP/2.0 481 ");
	prack(&x, "5", rseq, 1, "UPDATE");
	wants(&x, "SIP/2.0 481 ");
	x.cseq++;
	say(&x, "PRACK", "8", "RAck: 1\r\n", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 400 ");
	prack(&x, "6", rseq, 1, "INVITE");
	wants(&x, "SIP/2.0 200 ");
	assert_string_equal(heard(&x, 40000), "");
	assert_int_equal(leg_ring(x.r.side[B].leg), 0);
	heard(&x, 20);
	assert_int_equal(rseq_of(&x), rseq + 1);
	/* the 200 ends the repetition; its ACK has the number of the INVITE, not of the PRACKs between */
	rig_prepare(&x.r);
	assert_int_equal(leg_answer(x.r.side[B].leg, x.r.side[B].port, &x.r.side[B].why), 0);
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	x.cseq = 1;
	say(&x, "ACK", "7", "", "");
	assert_true(rig_until(&x.r, B, "answered", 100));
	assert_string_equal(heard(&x, 5000), "");
	raw_close(&x);
}

static void never_acknowledged_is_504(void **state)
{
	struct raw x;

	(void)state;
	offered(&x, "Require: 100rel\r\n", SDP);
	assert_int_equal(leg_ring(x.r.side[B].leg), 0);
	heard(&x, 31000);
	assert_null(strstr(x.in, " 504 "));
	heard(&x, 1500);
	wants(&x, "SIP/2.0 504 ");
	assert_true(rig_until(&x.r, B, "over:failed:504", 100));
	raw_close(&x);
}

static void only_where_it_is_required(void **state)
{
	struct raw x;

	(void)state;
	offered(&x, "Supported: 100rel\r\n", SDP);
	assert_int_equal(leg_ring(x.r.side[B].leg), 0);
	heard(&x, 20);
	wants(&x, "SIP/2.0 180 ");
	assert_null(strstr(x.in, "RSeq"));
	raw_close(&x);
	offered(&x, "Require: 100rel\r\n", ""); /* it would have to carry an offer: none is sent */
	assert_int_equal(leg_ring(x.r.side[B].leg), 0);
	assert_string_equal(heard(&x, 20), "");
	raw_close(&x);
}

/* ---- theirs ---- */
static char invite[65536];

static void calling(struct raw *x)
{
	raw_open(x, false);
	x->r.side[B].other->port = (uint16_t)x->port;
	rig_call(&x->r, B, "200");
	heard(x, 20);
	wants(x, "INVITE sip:200@127.0.0.1 SIP/2.0");
	wants(x, "100rel");
	snprintf(invite, sizeof(invite), "%s", x->in);
}

static void rings(struct raw *x, unsigned status, const char *tag, const char *more, const char *body)
{
	snprintf(x->in, sizeof(x->in), "%s", invite);
	answer_more(x, status, tag, more, body);
	heard(x, 20);
}

#define REL(n) "Require: 100rel\r\nRSeq: " #n "\r\n"

static void theirs_are_acknowledged_in_order(void **state)
{
	struct raw x;

	(void)state;
	calling(&x);
	rings(&x, 180, "t1", REL(7), "");
	wants(&x, "PRACK sip:a@127.0.0.1");
	wants(&x, "RAck: 7 ");
	wants(&x, " INVITE\r\n");
	answer(&x, 200, "t1", "");
	rings(&x, 180, "t1", REL(7), ""); /* repeated */
	assert_string_equal(x.in, "");
	rings(&x, 183, "t1", REL(9), ""); /* 8 is missing */
	assert_string_equal(x.in, "");
	rings(&x, 183, "t1", REL(8), "");
	wants(&x, "RAck: 8 ");
	answer(&x, 200, "t1", "");
	rings(&x, 180, "t2", REL(100), ""); /* another fork counts for itself */
	wants(&x, "RAck: 100 ");
	wants(&x, "tag=t2");
	answer(&x, 200, "t2", "");
	heard(&x, 20);
	assert_string_equal(x.r.side[B].log, "progress:180 progress:183 progress:180 ");
	rings(&x, 200, "t2", "", SDP);
	wants(&x, "ACK sip:a@127.0.0.1");
	wants(&x, "tag=t2");
	assert_true(leg_is_up(x.r.side[B].leg));
	raw_close(&x);
}

static void an_early_answer_counts(void **state)
{
	struct raw x;

	(void)state;
	calling(&x);
	rings(&x, 183, "t1", REL(1), SDP);
	wants(&x, "PRACK ");
	answer(&x, 200, "t1", "");
	rings(&x, 200, "t1", "", ""); /* does not say it again */
	wants(&x, "ACK sip:a@127.0.0.1");
	assert_true(rig_until(&x.r, B, "answered", 100));
	raw_close(&x);

	calling(&x); /* but that of another fork does not */
	rings(&x, 183, "t1", REL(1), SDP);
	answer(&x, 200, "t1", "");
	rings(&x, 200, "t2", "", "");
	heard(&x, 20);
	assert_true(rig_until(&x.r, B, "over:failed:488", 100));
	raw_close(&x);

	calling(&x); /* nor one that came without promise */
	rings(&x, 183, "t1", "", SDP);
	assert_string_equal(x.in, "");
	rings(&x, 200, "t1", "", "");
	assert_true(rig_until(&x.r, B, "over:failed:488", 100));
	raw_close(&x);
}

/* The To of our INVITE is the From of their request. */
static void update_early(struct raw *x, unsigned cseq, const char *body)
{
	char from[200], call_id[200], room[2048];
	const char *f = strstr(invite, "From: "), *c = strstr(invite, "Call-ID: ");
	int n;

	snprintf(from, sizeof(from), "%.*s", (int)strcspn(f + 6, "\r"), f + 6);
	snprintf(call_id, sizeof(call_id), "%.*s", (int)strcspn(c, "\r"), c);
	n = snprintf(room, sizeof(room),
	             "UPDATE sip:umbel@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bKu%u\r\nFrom: <sip:200@127.0.0.1>;tag=t1\r\n"
	             "To: %s\r\n%s\r\nCSeq: %u UPDATE\r\nMax-Forwards: 70\r\nContact: <sip:a@127.0.0.1:%u>\r\n%sContent-Length: %zu\r\n\r\n%s",
	             x->port, cseq, from, call_id, cseq, x->port, *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
	say_bytes(x, room, (size_t)n);
	heard(x, 20);
}

static void update_before_the_200(void **state)
{
	struct raw x;

	(void)state;
	calling(&x);
	rings(&x, 180, "t1", REL(1), "");
	answer(&x, 200, "t1", "");
	update_early(&x, 1, SDP);
	wants(&x, "SIP/2.0 491 "); /* our offer is not answered yet */
	rings(&x, 183, "t1", REL(2), SDP);
	answer(&x, 200, "t1", "");
	update_early(&x, 2, SDP);
	wants(&x, "SIP/2.0 200 ");
	wants(&x, "m=audio ");
	rings(&x, 200, "t1", "", "");
	assert_true(rig_until(&x.r, B, "answered", 100));
	raw_close(&x);
}

UT_MAIN(UT(our_ringing_is_repeated_until_prack), UT(never_acknowledged_is_504), UT(only_where_it_is_required), UT(theirs_are_acknowledged_in_order),
        UT(an_early_answer_counts), UT(update_before_the_200))

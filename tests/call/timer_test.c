/* SPDX-License-Identifier: Apache-2.0 */
/* timer_test.c  Session timers (RFC 4028) in both roles against a peer played by hand: who refreshes and how, too short ones, a refresher that is
 * lost; and our re-INVITE that meets one of the peer's (RFC 3261 14.1).                                                */
#include <stdio.h>
#include "base/mem.h"
#include "call/raw.h"

static void up(struct raw *x, const char *more)
{
	raw_open(x, false);
	say(x, "INVITE", "1", more, SDP);
	heard(x, 20);
	wants(x, "SIP/2.0 200 ");
	say(x, "ACK", "2", "", "");
	assert_true(rig_until(&x->r, B, "answered", 500));
	x->cseq++;
}

static void answer_with(struct raw *x, unsigned status, const char *more, const char *body)
{
	answer_more(x, status, "t1", more, body);
}

/* b calls; the peer answers with such headers. */
static void called(struct raw *x, const char *more)
{
	raw_open(x, false);
	x->r.side[B].other->port = (uint16_t)x->port;
	rig_call(&x->r, B, "200");
	heard(x, 20);
	wants(x, "Supported: histinfo, timer, 100rel, ");
	wants(x, "\r\nSession-Expires: 1800\r\n");
	answer_with(x, 200, more, SDP);
	assert_true(rig_until(&x->r, B, "answered", 100));
	heard(x, 50);
	wants(x, "ACK sip:a@127.0.0.1");
}

static void the_answer_says_who_refreshes(void **state)
{
	static const struct {
		const char *asks, *says;
	} row[] = {
		{ "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n", "Session-Expires: 600;refresher=uac\r\nRequire: timer\r\n" },
		{ "Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n", "Session-Expires: 600;refresher=uas\r\nRequire: timer\r\n" },
		{ "Supported: timer\r\nx: 600\r\n", "Session-Expires: 600;refresher=uas\r\nRequire: timer\r\n" },
		{ "Supported: timer\r\n", "Session-Expires: 1800;refresher=uas\r\nRequire: timer\r\n" },
		{ "Supported: timer\r\nMin-SE: 3600\r\n", "Session-Expires: 3600;refresher=uas\r\nRequire: timer\r\n" },
		{ "Require: timer\r\nSession-Expires: 90;refresher=uac\r\n", "Session-Expires: 90;refresher=uac\r\nRequire: timer\r\n" },
		{ "Session-Expires: 600\r\n", "Session-Expires: 600;refresher=uas\r\n" }, /* a proxy's */
	};
	struct raw x;

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++) {
		raw_open(&x, false);
		say(&x, "INVITE", "1", row[i].asks, SDP);
		heard(&x, 20);
		wants(&x, row[i].says);
		raw_close(&x);
	}
	raw_open(&x, false); /* knows nothing of timers: none */
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 20);
	assert_null(strstr(x.in, "Session-Expires"));
	raw_close(&x);
	raw_open(&x, false); /* nor with one that a proxy made too short */
	say(&x, "INVITE", "1", "Session-Expires: 30\r\n", SDP);
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	assert_null(strstr(x.in, "Session-Expires"));
	raw_close(&x);
}

static void too_short_is_422(void **state)
{
	struct raw x;

	(void)state;
	raw_open(&x, false);
	say(&x, "INVITE", "1", "Supported: timer\r\nSession-Expires: 60\r\n", SDP);
	heard(&x, 20);
	wants(&x, "SIP/2.0 422 ");
	wants(&x, "Min-SE: 90\r\n");
	assert_string_equal(x.r.side[B].log, "");
	raw_close(&x);

	up(&x, "Supported: timer\r\n");
	say(&x, "UPDATE", "3", "Supported: timer\r\nSession-Expires: 60\r\n", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 422 ");
	x.cseq++;
	say(&x, "INVITE", "4", "Supported: timer\r\nSession-Expires: 60\r\n", SDP);
	heard(&x, 20);
	wants(&x, "SIP/2.0 422 ");
	assert_true(leg_is_up(x.r.side[B].leg));
	raw_close(&x);
}

static void we_refresh_by_update(void **state)
{
	struct raw x;

	(void)state;
	up(&x, "Supported: timer\r\nAllow: INVITE, UPDATE\r\nSession-Expires: 100;refresher=uas\r\n");
	assert_int_equal(count(heard(&x, 49000), "UPDATE "), 0);
	heard(&x, 1100);
	wants(&x, "UPDATE sip:a@127.0.0.1");
	wants(&x, "Session-Expires: 100;refresher=uac\r\n");
	answer_with(&x, 200, "Session-Expires: 100;refresher=uac\r\n", "");
	assert_int_equal(count(heard(&x, 48500), "UPDATE "), 0);
	heard(&x, 1600);
	wants(&x, "UPDATE sip:a@127.0.0.1"); /* and again */
	answer_with(&x, 200, "Session-Expires: 100;refresher=uac\r\n", "");
	heard(&x, 20);
	assert_true(leg_is_up(x.r.side[B].leg));
	raw_close(&x);
}

static void we_refresh_by_invite_where_update_is_unknown(void **state)
{
	struct raw x;

	(void)state;
	up(&x, "Supported: timer\r\nAllow: INVITE\r\nSession-Expires: 100;refresher=uas\r\n");
	heard(&x, 50100);
	wants(&x, "INVITE sip:a@127.0.0.1");
	wants(&x, "Session-Expires: 100;refresher=uac\r\n");
	wants(&x, "a=sendrecv");
	answer_with(&x, 200, "Session-Expires: 100;refresher=uac\r\n", SDP);
	heard(&x, 50);
	wants(&x, "ACK sip:a@127.0.0.1");
	assert_int_equal(count(heard(&x, 40000), "INVITE "), 0);
	assert_true(leg_is_up(x.r.side[B].leg));
	raw_close(&x);

	/* said in Allow, but not true */
	up(&x, "Supported: timer\r\nAllow: UPDATE\r\nSession-Expires: 100;refresher=uas\r\n");
	heard(&x, 50100);
	wants(&x, "UPDATE sip:a@127.0.0.1");
	answer_with(&x, 405, "", "");
	heard(&x, 10000);
	wants(&x, "INVITE sip:a@127.0.0.1");
	raw_close(&x);
}

static void our_refresh_unanswered_ends_the_call(void **state)
{
	struct raw x;

	(void)state;
	up(&x, "Supported: timer\r\nAllow: UPDATE\r\nSession-Expires: 200;refresher=uas\r\n");
	heard(&x, 100100);
	wants(&x, "UPDATE ");
	assert_true(rig_until(&x.r, B, "ending over:failed:408", 33000));
	heard(&x, 50);
	wants(&x, "BYE sip:a@127.0.0.1");
	raw_close(&x);

	up(&x, "Supported: timer\r\nAllow: UPDATE\r\nSession-Expires: 200;refresher=uas\r\n");
	heard(&x, 100100);
	answer_with(&x, 481, "", "");
	assert_true(rig_until(&x.r, B, "ending over:failed:481", 100));
	raw_close(&x);
}

static void the_peer_does_not_refresh(void **state)
{
	struct raw x;

	(void)state;
	up(&x, "Supported: timer\r\nSession-Expires: 300;refresher=uac\r\n");
	heard(&x, 200000);
	say(&x, "UPDATE", "3", "Supported: timer\r\nSession-Expires: 300;refresher=uac\r\n", "");
	heard(&x, 20);
	wants(&x, "Session-Expires: 300;refresher=uac");
	assert_int_equal(count(heard(&x, 260000), "BYE"), 0);
	heard(&x, 8500); /* 300 - 32 */
	wants(&x, "BYE sip:a@127.0.0.1");
	wants(&x, "no sign of life");
	assert_true(rig_until(&x.r, B, "ending over:failed:408", 100));
	raw_close(&x);
}

static void calls_of_ours_have_one_too(void **state)
{
	struct raw x;

	(void)state;
	called(&x, "Session-Expires: 100;refresher=uac\r\nRequire: timer\r\nAllow: UPDATE\r\n");
	heard(&x, 50100);
	wants(&x, "UPDATE sip:a@127.0.0.1");
	raw_close(&x);

	called(&x, "Session-Expires: 300;refresher=uas\r\n");
	assert_int_equal(count(heard(&x, 260000), "BYE"), 0);
	heard(&x, 8500);
	wants(&x, "BYE sip:a@127.0.0.1");
	raw_close(&x);

	called(&x, ""); /* a peer without: no timer, nothing ever happens */
	assert_string_equal(heard(&x, 4000000), "");
	assert_true(leg_is_up(x.r.side[B].leg));
	raw_close(&x);
}

static void too_short_for_the_peer(void **state)
{
	struct raw x;

	(void)state;
	raw_open(&x, false);
	x.r.side[B].other->port = (uint16_t)x.port;
	rig_call(&x.r, B, "200");
	heard(&x, 20);
	answer_with(&x, 422, "Min-SE: 7200\r\n", "");
	heard(&x, 20);
	wants(&x, "ACK sip:200@127.0.0.1");
	wants(&x, "INVITE sip:200@127.0.0.1");
	wants(&x, "Session-Expires: 7200\r\nMin-SE: 7200\r\n");
	snprintf(x.in, sizeof(x.in), "%s", strstr(x.in, "INVITE sip"));
	answer_with(&x, 422, "Min-SE: 7200\r\n", ""); /* says the same again: refused for good */
	assert_true(rig_until(&x.r, B, "over:refused:422", 100));
	raw_close(&x);
}

/* Ours met theirs: again, after a while that is theirs or ours. */
static void glare(void **state)
{
	struct raw x;

	(void)state;
	up(&x, "");
	assert_int_equal(leg_hold(x.r.side[B].leg, true), 0);
	heard(&x, 20);
	wants(&x, "INVITE sip:a@127.0.0.1");
	wants(&x, "a=sendonly");
	answer_with(&x, 491, "", "");
	say(&x, "INVITE", "3", "", SDP); /* while ours waits, theirs is taken */
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	wants(&x, "a=sendonly");
	say(&x, "ACK", "4", "", "");
	heard(&x, 2100);
	wants(&x, "INVITE sip:a@127.0.0.1"); /* the Call-ID is theirs: within 2 s */
	answer_with(&x, 200, "", SDP);
	heard(&x, 50);
	wants(&x, "ACK sip:a@127.0.0.1");
	assert_int_equal(leg_hold(x.r.side[B].leg, false), 0);
	heard(&x, 20);
	wants(&x, "a=sendrecv");
	answer_with(&x, 488, "", ""); /* refused: as it was, that is on hold */
	heard(&x, 20);
	assert_int_equal(leg_hold(x.r.side[B].leg, false), 0);
	raw_close(&x);

	called(&x, "");
	assert_int_equal(leg_hold(x.r.side[B].leg, true), 0);
	heard(&x, 20);
	answer_with(&x, 491, "", "");
	heard(&x, 2000);
	assert_int_equal(count(x.in, "INVITE "), 0); /* ours: 2.1 to 4 s */
	heard(&x, 2100);
	wants(&x, "INVITE sip:a@127.0.0.1");
	raw_close(&x);
}

/* The 200 to our re-INVITE comes again: our ACK was lost. And a re-INVITE without any answer: the peer is gone. */
static void lost_acks_and_lost_peers(void **state)
{
	char invite[65536];
	struct raw x;

	(void)state;
	up(&x, "");
	assert_int_equal(leg_hold(x.r.side[B].leg, true), 0);
	heard(&x, 20);
	snprintf(invite, sizeof(invite), "%s", x.in);
	answer_with(&x, 200, "", SDP);
	heard(&x, 20);
	assert_int_equal(count(x.in, "ACK "), 1);
	snprintf(x.in, sizeof(x.in), "%s", invite);
	answer_with(&x, 200, "", SDP);
	heard(&x, 20);
	assert_int_equal(count(x.in, "ACK "), 1);
	assert_int_equal(leg_hold(x.r.side[B].leg, false), 0);
	assert_true(rig_until(&x.r, B, "ending over:failed:408", 33000));
	heard(&x, 50);
	wants(&x, "BYE sip:a@127.0.0.1");
	raw_close(&x);
}

UT_MAIN(UT(the_answer_says_who_refreshes), UT(too_short_is_422), UT(we_refresh_by_update), UT(we_refresh_by_invite_where_update_is_unknown),
        UT(our_refresh_unanswered_ends_the_call), UT(the_peer_does_not_refresh), UT(calls_of_ours_have_one_too), UT(too_short_for_the_peer), UT(glare),
        UT(lost_acks_and_lost_peers))

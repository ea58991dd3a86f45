/* SPDX-License-Identifier: Apache-2.0 */
/* raw_test.c  What the core answers to messages written by hand, over a plain socket: refusals with their sentences, races, repetition, the 2xx
 * until its ACK, an offer in our 200, NOTIFY before the 202.                                                           */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "call/raw.h"
#include "trust/explain.h"

static void refusals(void **state)
{
	static const struct {
		const char *method, *more, *body, *status, *word;
	} row[] = {
		{ "MESSAGE", "", "", "SIP/2.0 405 ", "Allow: INVITE" },
		{ "SUBSCRIBE", "", "", "SIP/2.0 489 ", "Allow-Events: message-summary" },
		{ "FOO", "", "", "SIP/2.0 405 ", "Allow:" },
		{ "INVITE", "Require: 100rel, foo\r\n", SDP, "SIP/2.0 420 ", "Unsupported: foo" },
		{ "BYE", "", "", "SIP/2.0 481 ", "" },
		{ "INFO", "", "", "SIP/2.0 481 ", "" },
		{ "NOTIFY", "Event: refer\r\nSubscription-State: active\r\n", "", "SIP/2.0 481 ", "" },
		{ "CANCEL", "", "", "SIP/2.0 481 ", "Reason: SIP;cause=481" },
		{ "REFER", "Refer-To: <sip:x@y>\r\n", "", "SIP/2.0 403 ", "" },
		{ "OPTIONS", "", "", "SIP/2.0 200 ", "Accept: application/sdp" },
		{ "INVITE", "", "v=0\r\nrubbish\r\n", "SIP/2.0 400 ", "Warning: 399" },
		{ "INVITE", "", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n", "SIP/2.0 488 ", "G729" },
	};
	struct raw x;

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++) {
		raw_open(&x, false);
		say(&x, row[i].method, "1", row[i].more, row[i].body);
		heard(&x, 100);
		wants(&x, row[i].status);
		wants(&x, row[i].word);
		raw_close(&x);
	}
}

static void malformed_datagrams(void **state)
{
	static const char bad_version[] = "OPTIONS sip:a@b SIP/3.0\r\nVia: SIP/2.0/UDP h;rport;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
	                                  "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	static const char no_cseq[] = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;rport;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
	                              "Call-ID: 1\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n";
	static const char mailto[] = "OPTIONS mailto:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;rport;branch=z9hG4bKb\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
	                             "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	static const char stray[] = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\n"
	                            "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	struct raw x;

	(void)state;
	raw_open(&x, false);
	say_bytes(&x, bad_version, sizeof(bad_version) - 1);
	heard(&x, 50);
	wants(&x, "SIP/2.0 505 ");
	say_bytes(&x, no_cseq, sizeof(no_cseq) - 1);
	heard(&x, 50);
	wants(&x, "SIP/2.0 400 ");
	wants(&x, "CSeq");
	say_bytes(&x, mailto, sizeof(mailto) - 1);
	heard(&x, 50);
	wants(&x, "SIP/2.0 416 ");
	say_bytes(&x, "rubbish rubbish rubbish\r\n\r\n", 27);
	say_bytes(&x, "\r\n\r\n", 4);
	say_bytes(&x, stray, sizeof(stray) - 1);
	assert_string_equal(heard(&x, 50), "");
	assert_int_equal(rig_stats(&x.r, B).stray, 1);
	assert_int_equal(rig_stats(&x.r, B).malformed, 3);
	raw_close(&x);
}

static void bad_streams_are_answered_and_closed(void **state)
{
	static const char bad[] = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
	                          "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: many\r\n\r\n";
	static const char whole[] = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
	                            "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	struct raw x;
	char c;

	(void)state;
	raw_open(&x, true);
	say_bytes(&x, bad, sizeof(bad) - 1);
	heard(&x, 100);
	wants(&x, "SIP/2.0 400 ");
	assert_int_equal(recv(x.fd, &c, 1, 0), 0);
	raw_close(&x);

	raw_open(&x, true); /* begun, never finished */
	say_bytes(&x, bad, 40);
	rig_run(&x.r, 15000);
	assert_int_equal(recv(x.fd, &c, 1, 0), -1);
	rig_run(&x.r, 6000);
	assert_int_equal(recv(x.fd, &c, 1, 0), 0);
	raw_close(&x);

	raw_open(&x, true); /* in pieces, with keep-alives between */
	say_bytes(&x, "\r\n\r\n", 4);
	assert_string_equal(heard(&x, 50), "\r\n");
	say_bytes(&x, whole, 80);
	rig_run(&x.r, 1000);
	say_bytes(&x, whole + 80, sizeof(whole) - 81);
	heard(&x, 50);
	wants(&x, "SIP/2.0 200 ");
	raw_close(&x);
}

static void the_200_is_repeated_until_its_ack(void **state)
{
	struct raw x;

	(void)state;
	raw_open(&x, false);
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 20);
	assert_int_equal(count(x.in, "SIP/2.0 100 "), 0); /* answered at once, there is nothing to try */
	wants(&x, "SIP/2.0 200 ");
	wants(&x, "m=audio ");
	wants(&x, " RTP/AVP 8 101");
	assert_int_equal(count(heard(&x, 8000), "SIP/2.0 200 "), 4); /* 0.5, 1.5, 3.5, 7.5 */
	say(&x, "INVITE", "1", "", SDP); /* repeated: absorbed */
	assert_int_equal(count(heard(&x, 20), "SIP/2.0"), 0);
	say(&x, "ACK", "2", "", "");
	assert_true(rig_until(&x.r, B, "answered", 500));
	assert_string_equal(heard(&x, 5000), "");
	raw_close(&x);

	raw_open(&x, false); /* it never comes: BYE */
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 30000);
	heard(&x, 4000);
	wants(&x, "BYE sip:a@127.0.0.1");
	assert_true(rig_until(&x.r, B, "ending over:failed:408", 100));
	raw_close(&x);
}

/* RFC 3261 17.2.1: 100 within 200 ms, unless an answer comes by then. */
static void who_thinks_says_100(void **state)
{
	struct raw x;

	(void)state;
	raw_open(&x, false);
	x.r.side[B].auto_answer = false;
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 20);
	wants(&x, "SIP/2.0 100 ");
	assert_int_equal(leg_ring(x.r.side[B].leg), 0);
	heard(&x, 20);
	wants(&x, "SIP/2.0 180 ");
	assert_int_equal(leg_reject(x.r.side[B].leg, 486, NULL, 0), 0);
	heard(&x, 20);
	wants(&x, "SIP/2.0 486 ");
	say(&x, "ACK", "1", "", "");
	rig_run(&x.r, 10);
	raw_close(&x);
}

/* Some peers take the INVITE's branch for the ACK of its 200 once more: it is the call's all the same (RFC 6026 7.1). */
static void an_ack_with_the_branch_of_its_invite(void **state)
{
	struct raw x;

	(void)state;
	raw_open(&x, false);
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	say(&x, "ACK", "1", "", "");
	assert_true(rig_until(&x.r, B, "answered", 500));
	assert_string_equal(heard(&x, 5000), "");
	raw_close(&x);
}

static void hang_up_waits_for_the_ack(void **state)
{
	struct raw x;

	(void)state;
	raw_open(&x, false);
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 20);
	assert_int_equal(leg_hangup(x.r.side[B].leg, "enough"), 0);
	assert_int_equal(count(heard(&x, 200), "BYE"), 0);
	say(&x, "ACK", "2", "", "");
	heard(&x, 50);
	wants(&x, "BYE sip:a@127.0.0.1");
	wants(&x, "text=\"enough\"");
	raw_close(&x);
}

static void no_offer_means_ours(void **state)
{
	struct raw x;

	(void)state;
	raw_open(&x, false);
	say(&x, "INVITE", "1", "", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	wants(&x, "RTP/AVP 0 8 101");
	say(&x, "ACK", "2", "", SDP);
	assert_true(rig_until(&x.r, B, "answered", 500));
	/* the same again as a re-INVITE */
	x.cseq++;
	say(&x, "INVITE", "3", "", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	wants(&x, "RTP/AVP 0 8 101");
	say(&x, "ACK", "4", "", SDP);
	assert_string_equal(heard(&x, 3000), "");
	assert_true(leg_is_up(x.r.side[B].leg));
	raw_close(&x);

	raw_open(&x, false); /* and an ACK without answer ends the call */
	say(&x, "INVITE", "1", "", "");
	heard(&x, 20);
	say(&x, "ACK", "2", "", "");
	heard(&x, 50);
	wants(&x, "BYE ");
	assert_true(rig_until(&x.r, B, "over:failed:488", 500));
	raw_close(&x);
}

static void up(struct raw *x, bool stream)
{
	raw_open(x, stream);
	say(x, "INVITE", "1", "", SDP);
	heard(x, 20);
	say(x, "ACK", "2", "", "");
	assert_true(rig_until(&x->r, B, "answered", 500));
	x->cseq++;
}

/* What the caller left is still being saved: told by 100 when his timer E has reached T2, and not before (RFC 4320 4.1). */
static void a_bye_whose_answer_takes_long(void **state)
{
	struct raw x;

	(void)state;
	up(&x, false);
	x.r.side[B].auto_confirm = false;
	say(&x, "BYE", "3", "", "");
	assert_string_equal(heard(&x, 3400), "");
	heard(&x, 300);
	wants(&x, "SIP/2.0 100 ");
	say(&x, "BYE", "3", "", ""); /* once more the same */
	heard(&x, 20);
	wants(&x, "SIP/2.0 100 ");
	leg_confirm(x.r.side[B].leg, true);
	heard(&x, 50);
	wants(&x, "SIP/2.0 200 ");
	raw_close(&x);
}

static void within_a_call(void **state)
{
	struct raw x;

	(void)state;
	up(&x, false);
	say(&x, "OPTIONS", "10", "", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	x.cseq--;
	say(&x, "OPTIONS", "11", "", ""); /* an older CSeq */
	heard(&x, 20);
	wants(&x, "SIP/2.0 500 ");
	wants(&x, "CSeq is not greater");
	x.cseq += 2;
	say(&x, "UPDATE", "12", "Session-Expires: 1800;refresher=uac\r\nSupported: timer\r\n", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	x.cseq++;
	say(&x, "UPDATE", "13", "", SDP "a=sendonly\r\n");
	heard(&x, 20);
	wants(&x, "a=recvonly");
	assert_true(rig_until(&x.r, B, "answered held", 100) || rig_until(&x.r, B, "answered", 100));
	x.cseq++;
	say(&x, "NOTIFY", "14", "Event: presence\r\nSubscription-State: active\r\n", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 489 ");
	x.cseq++;
	say(&x, "INFO", "14a", "Info-Package: conference\r\n", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 469 ");
	wants(&x, "\r\nRecv-Info: \r\n");
	x.cseq++;
	say(&x, "INFO", "14b", "", ""); /* without one: a sign of life */
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	x.cseq++;
	say(&x, "INVITE", "15", "", "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n");
	heard(&x, 20);
	wants(&x, "SIP/2.0 488 ");
	say(&x, "ACK", "15", "", "");
	assert_true(leg_is_up(x.r.side[B].leg));
	x.cseq++;
	say(&x, "BYE", "16", "Reason: Q.850;cause=16;text=\"Terminated\"\r\n", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	assert_string_equal(x.r.side[B].last.reason ? "over" : "", "over");
	say(&x, "BYE", "16", "", ""); /* repeated: the same answer */
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	x.cseq++;
	say(&x, "BYE", "17", "", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 481 ");
	raw_close(&x);
}

static void the_wrong_tag_is_481(void **state)
{
	struct raw x;

	(void)state;
	up(&x, false);
	x.tag[10] = x.tag[10] == 'a' ? 'b' : 'a';
	say(&x, "BYE", "20", "", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 481 ");
	assert_true(leg_is_up(x.r.side[B].leg));
	raw_close(&x);
}

static void merged_and_cancelled(void **state)
{
	struct raw x;

	(void)state;
	raw_open(&x, false);
	x.r.side[B].auto_answer = false;
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 20);
	say(&x, "INVITE", "other", "", SDP);
	heard(&x, 20);
	wants(&x, "SIP/2.0 482 ");
	x.tag[0] = '\0';
	say(&x, "ACK", "other", "", "");
	say(&x, "CANCEL", "1", "", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 487 ");
	assert_int_equal(count(x.in, "SIP/2.0 200 "), 1);
	assert_true(rig_until(&x.r, B, "over:cancelled:487", 100));
	say(&x, "CANCEL", "1", "", ""); /* repeated */
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	raw_close(&x);
}

/* The NOTIFY overtakes the 202, and comes by TCP while the call is on UDP. */
static void notify_before_the_202(void **state)
{
	struct sockaddr_in to;
	struct raw x;
	char via[200], cseq[32];
	int tcp, n;
	char room[2048];

	(void)state;
	up(&x, false);
	assert_int_equal(leg_transfer(x.r.side[B].leg, "sip:200@pool.test", "sip:um@b.test"), 0);
	heard(&x, 50);
	wants(&x, "REFER sip:a@127.0.0.1");
	wants(&x, "Refer-To: <sip:200@pool.test>");
	wants(&x, "Referred-By: <sip:um@b.test>");
	snprintf(via, sizeof(via), "%.*s", (int)strcspn(strstr(x.in, "Via: "), "\r"), strstr(x.in, "Via: "));
	snprintf(cseq, sizeof(cseq), "%.*s", (int)strcspn(strstr(x.in, "CSeq: "), "\r"), strstr(x.in, "CSeq: "));

	tcp = socket(AF_INET, SOCK_STREAM, 0);
	to = sip_core_local(x.r.side[B].core, 1)->u.v4;
	assert_int_equal(connect(tcp, (struct sockaddr *)&to, sizeof(to)), 0);
	n = snprintf(room, sizeof(room),
	             "NOTIFY sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKn\r\nFrom: <sip:a@a.test>;tag=me\r\n"
	             "To: <sip:100@b.test>%s\r\nCall-ID: raw\r\nCSeq: %u NOTIFY\r\nMax-Forwards: 70\r\nContact: <sip:a@127.0.0.1:9>\r\nEvent: refer\r\n"
	             "Subscription-State: active;expires=60\r\nContent-Type: message/sipfrag;version=2.0\r\nContent-Length: 20\r\n\r\nSIP/2.0 100 Trying\r\n",
	             x.tag, x.cseq);
	assert_int_equal(send(tcp, room, (size_t)n, 0), n);
	assert_true(rig_until(&x.r, B, "transferring:100", 500));
	n = snprintf(room, sizeof(room), "SIP/2.0 202 Accepted\r\n%s\r\nFrom: <sip:100@b.test>%s\r\nTo: <sip:a@a.test>;tag=me\r\nCall-ID: raw\r\n%s\r\n"
	             "Contact: <sip:a@127.0.0.1:%u>\r\nContent-Length: 0\r\n\r\n", via, x.tag, cseq, x.port);
	say_bytes(&x, room, (size_t)n);
	assert_true(rig_until(&x.r, B, "transferring:202", 500));
	x.cseq++;
	n = snprintf(room, sizeof(room),
	             "NOTIFY sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKo\r\nFrom: <sip:a@a.test>;tag=me\r\n"
	             "To: <sip:100@b.test>%s\r\nCall-ID: raw\r\nCSeq: %u NOTIFY\r\nMax-Forwards: 70\r\nContact: <sip:a@127.0.0.1:9>\r\nEvent: refer\r\n"
	             "Subscription-State: terminated;reason=noresource\r\nContent-Type: message/sipfrag\r\nContent-Length: 16\r\n\r\nSIP/2.0 200 OK\r\n",
	             x.tag, x.cseq);
	assert_int_equal(send(tcp, room, (size_t)n, 0), n);
	assert_true(rig_until(&x.r, B, "transferred:200", 500));
	close(tcp);
	raw_close(&x);
}

/* What they call us in To, without ";tag=". */
static const char *our_tag(const struct raw *x)
{
	return x->tag + 5;
}

/* An INVITE of another phone with such a Replaces. */
static void take_over(struct raw *x, const char *replaces, const char *body)
{
	char room[4096];
	int n = snprintf(room, sizeof(room),
	                 "INVITE sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bKr%u\r\nFrom: \"Other\" <sip:o@a.test>;tag=other\r\n"
	                 "To: <sip:100@b.test>\r\nCall-ID: second\r\nCSeq: %u INVITE\r\nMax-Forwards: 70\r\nContact: <sip:o@127.0.0.1:%u>\r\n"
	                 "Require: replaces\r\nReplaces: %s\r\n%sContent-Length: %zu\r\n\r\n%s",
	                 x->port, x->cseq, x->cseq, x->port, replaces, *body ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);

	x->cseq++;
	say_bytes(x, room, (size_t)n);
	heard(x, 20);
}

static void another_phone_takes_the_call(void **state)
{
	char replaces[200], ack[2048], old[64];
	struct raw x;
	int n;

	(void)state;
	up(&x, false);
	snprintf(replaces, sizeof(replaces), "raw;to-tag=%s;from-tag=me", our_tag(&x));
	snprintf(old, sizeof(old), "%s", x.tag);
	take_over(&x, replaces, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 41000 RTP/AVP 0\r\n");
	wants(&x, "SIP/2.0 200 ");
	wants(&x, "m=audio ");
	wants(&x, "BYE sip:a@127.0.0.1"); /* the old one is let go */
	wants(&x, "Call-ID: raw");
	assert_true(rig_until(&x.r, B, "answered replaced", 100));
	assert_string_equal(leg_info(x.r.side[B].leg)->from.user, "o");
	assert_string_equal(leg_info(x.r.side[B].leg)->from.display, "Other");
	assert_string_not_equal(old, x.tag);
	n = snprintf(ack, sizeof(ack),
	             "ACK sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bKa\r\nFrom: \"Other\" <sip:o@a.test>;tag=other\r\n"
	             "To: <sip:100@b.test>%s\r\nCall-ID: second\r\nCSeq: %u ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
	             x.port, x.tag, x.cseq - 1);
	say_bytes(&x, ack, (size_t)n);
	assert_int_equal(count(heard(&x, 5000), "SIP/2.0 200 "), 0); /* acknowledged */
	assert_true(leg_is_up(x.r.side[B].leg));
	assert_int_equal(rig_stats(&x.r, B).legs, 1);
	/* from now on within the new dialog */
	leg_hangup(x.r.side[B].leg, NULL);
	heard(&x, 20);
	wants(&x, "BYE sip:o@127.0.0.1");
	wants(&x, "Call-ID: second");
	raw_close(&x);
}

static void who_may_take_a_call(void **state)
{
	char replaces[200];
	struct raw x;

	(void)state;
	up(&x, false);
	take_over(&x, "raw;to-tag=nobody;from-tag=me", SDP);
	wants(&x, "SIP/2.0 481 ");
	snprintf(replaces, sizeof(replaces), "raw;to-tag=%s;from-tag=wrong", our_tag(&x));
	raw_close(&x);

	static const struct {
		const char *format;
		unsigned status;
	} row[] = {
		{ "raw;to-tag=%s;from-tag=wrong", 481 }, { "other;to-tag=%s;from-tag=me", 481 }, { "raw;to-tag=%s;from-tag=me;early-only", 486 },
		{ "raw;to-tag=%s", 400 }, { "raw;to-tag=%s;from-tag=me\r\nJoin: raw;to-tag=a;from-tag=b", 400 },
	};
	for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++) {
		char status[20];
		up(&x, false);
		snprintf(replaces, sizeof(replaces), row[i].format, our_tag(&x));
		take_over(&x, replaces, SDP);
		snprintf(status, sizeof(status), "SIP/2.0 %u ", row[i].status);
		wants(&x, status);
		assert_true(leg_is_up(x.r.side[B].leg));
		raw_close(&x);
	}

	up(&x, false); /* another gateway */
	snprintf(x.r.side[B].other->name, sizeof(x.r.side[B].other->name), "pool-a");
	struct sip_peer *stranger = sip_peer_create();
	*stranger = *x.r.side[B].other;
	snprintf(stranger->name, sizeof(stranger->name), "elsewhere");
	mem_unref(x.r.side[B].other);
	x.r.side[B].other = stranger;
	snprintf(replaces, sizeof(replaces), "raw;to-tag=%s;from-tag=me", our_tag(&x));
	take_over(&x, replaces, SDP);
	wants(&x, "SIP/2.0 403 ");
	raw_close(&x);

	up(&x, false); /* no audio that we speak: everything stays */
	snprintf(replaces, sizeof(replaces), "raw;to-tag=%s;from-tag=me", our_tag(&x));
	take_over(&x, replaces, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n");
	wants(&x, "SIP/2.0 488 ");
	assert_null(strstr(x.in, "BYE"));
	assert_true(leg_is_up(x.r.side[B].leg));
	raw_close(&x);
}

/* Without a subscription: nothing is told of how it goes. */
static void a_transfer_that_wants_no_reports(void **state)
{
	struct raw x;

	(void)state;
	up(&x, false);
	say(&x, "REFER", "20", "Require: norefersub\r\nRefer-Sub: false\r\nRefer-To: <sip:200@pool.test>\r\n", "");
	heard(&x, 50);
	wants(&x, "SIP/2.0 202 ");
	wants(&x, "Refer-Sub: false");
	assert_int_equal(leg_refer_progress(x.r.side[B].leg, 603), 0);
	heard(&x, 50);
	assert_null(strstr(x.in, "NOTIFY"));
	raw_close(&x);
}

/* REFER after REFER, and no report is answered: what we send for it stays bounded, and the call lives. */
static void reports_that_nobody_answers(void **state)
{
	unsigned taken = 0;
	char branch[16];
	struct raw x;

	(void)state;
	up(&x, false);
	for (unsigned i = 0; i < 50; i++) {
		snprintf(branch, sizeof(branch), "r%u", i);
		say(&x, "REFER", branch, "Refer-To: <sip:200@pool.test>\r\n", "");
		heard(&x, 5);
		x.cseq++;
		taken += count(x.in, "SIP/2.0 202 ");
		if (leg_refer_progress(x.r.side[B].leg, 603))
			wants(&x, "SIP/2.0 491 ");
	}
	assert_int_equal(taken, 5);
	assert_true(rig_stats(&x.r, B).requests <= 10);
	rig_run(&x.r, 1000);
	assert_true(leg_is_up(x.r.side[B].leg));
	raw_close(&x);
}

/* Two calls of ours with the peer, put together there. */
static void two_calls_are_joined_at_the_peer(void **state)
{
	char invite[2048], tag[64];
	struct leg *first;
	struct raw x;
	int n;

	(void)state;
	up(&x, false);
	snprintf(tag, sizeof(tag), "%s", our_tag(&x));
	first = mem_ref(x.r.side[B].leg);
	n = snprintf(invite, sizeof(invite),
	             "INVITE sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bKj\r\nFrom: <sip:o@a.test>;tag=other\r\n"
	             "To: <sip:100@b.test>\r\nCall-ID: second@x\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:o@127.0.0.1:%u>\r\n"
	             "Content-Length: 0\r\n\r\n", x.port, x.port);
	x.r.side[B].auto_answer = false;
	say_bytes(&x, invite, (size_t)n);
	heard(&x, 20);
	assert_int_equal(leg_transfer_to(x.r.side[B].leg, first, NULL), EAGAIN);
	assert_int_equal(leg_transfer_to(first, x.r.side[B].leg, NULL), ENOTCONN); /* not up yet */
	assert_int_equal(leg_transfer_to(first, first, "sip:um@b.test"), 0); /* the form of it */
	heard(&x, 20);
	wants(&x, "REFER sip:a@127.0.0.1");
	snprintf(invite, sizeof(invite), "Refer-To: <sip:a@127.0.0.1:%u?Replaces=raw%%3Bto-tag%%3Dme%%3Bfrom-tag%%3D%s>\r\n", x.port, tag);
	wants(&x, invite);
	mem_unref(first);
	raw_close(&x);
}

/* An endpoint is where the hops end anyway (RFC 3261 16.3), and peers of RFC 2543 give no From tag. */
static void the_last_hop(void **state)
{
	static const char last[] = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;rport;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
	                           "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n";
	static const char old[] = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;rport;branch=2\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>\r\n"
	                          "Call-ID: 2\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	struct raw x;

	(void)state;
	raw_open(&x, false);
	say_bytes(&x, last, sizeof(last) - 1);
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	say_bytes(&x, old, sizeof(old) - 1);
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	raw_close(&x);
}

/* Where a Contact leads us there may be anybody: that we dialled him makes him no gateway. */
static void a_contact_makes_nobody_a_gateway(void **state)
{
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(me);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), his, got;
	char room[4096];
	struct raw x;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&me, sizeof(me)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&me, &n), 0);
	raw_open(&x, false);
	snprintf(x.r.side[B].other->host, sizeof(x.r.side[B].other->host), "gateway.test");
	got = snprintf(room, sizeof(room),
	               "INVITE sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bKc\r\nFrom: <sip:a@a.test>;tag=me\r\n"
	               "To: <sip:100@b.test>\r\nCall-ID: raw\r\nCSeq: %u INVITE\r\nMax-Forwards: 70\r\nContact: <sip:a@127.0.0.1:%u;transport=tcp>\r\n"
	               "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
	               x.port, x.cseq, ntohs(me.sin_port), strlen(SDP), SDP);
	say_bytes(&x, room, (size_t)got);
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	say(&x, "ACK", "d", "", "");
	assert_true(rig_until(&x.r, B, "answered", 500));
	x.r.side[B].no_lookup = true;
	leg_hangup(x.r.side[B].leg, NULL);
	heard(&x, 50);
	his = accept(fd, NULL, NULL);
	assert_true(his >= 0);
	got = (int)recv(his, x.in, sizeof(x.in) - 1, MSG_DONTWAIT);
	assert_true(got > 0);
	x.in[got] = '\0';
	wants(&x, "BYE sip:a@127.0.0.1");
	got = snprintf(room, sizeof(room),
	               "INVITE sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKe\r\nFrom: <sip:e@a.test>;tag=evil\r\n"
	               "To: <sip:100@b.test>\r\nCall-ID: evil\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:e@127.0.0.1>\r\n"
	               "Content-Length: 0\r\n\r\n");
	assert_int_equal(send(his, room, (size_t)got, 0), got);
	rig_run(&x.r, 50);
	got = (int)recv(his, x.in, sizeof(x.in) - 1, MSG_DONTWAIT);
	assert_true(got > 0);
	x.in[got] = '\0';
	wants(&x, "SIP/2.0 403 ");
	assert_int_equal(count(x.r.side[B].log, "offered"), 1);
	close(his);
	close(fd);
	raw_close(&x);
}

/* A re-INVITE names another port: our audio goes there from then on. */
static void media_moves(void **state)
{
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(me);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	char sdp[400], packet[2000];
	struct raw x;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&me, sizeof(me)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&me, &n), 0);
	up(&x, false);
	snprintf(sdp, sizeof(sdp), "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %u RTP/AVP 8 101\r\n"
	         "a=rtpmap:101 telephone-event/8000\r\n", ntohs(me.sin_port));
	assert_int_equal(media_send_digits(x.r.side[B].port, "1", 0, 0), 0);
	heard(&x, 400);
	assert_int_equal(recv(fd, packet, sizeof(packet), 0), -1);
	say(&x, "INVITE", "30", "", sdp);
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	say(&x, "ACK", "31", "", "");
	assert_int_equal(media_send_digits(x.r.side[B].port, "2", 0, 0), 0);
	heard(&x, 400);
	assert_true(recv(fd, packet, sizeof(packet), 0) > 12);
	close(fd);
	raw_close(&x);
}

static void sent_elsewhere(void **state)
{
	struct raw x;

	(void)state;
	raw_open(&x, false);
	x.r.side[B].auto_answer = false;
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 20);
	assert_int_equal(leg_redirect(x.r.side[B].leg, "not a uri", NULL), EINVAL);
	assert_int_equal(leg_redirect(x.r.side[B].leg, "sip:100@other.test:5061;transport=tls", "another node has this mailbox"), 0);
	heard(&x, 20);
	wants(&x, "SIP/2.0 302 ");
	wants(&x, "\r\nContact: <sip:100@other.test:5061;transport=tls>\r\n");
	wants(&x, "\r\nDiversion: <sip:100@127.0.0.1>;reason=unconditional\r\n");
	wants(&x, "another node has this mailbox");
	assert_true(rig_until(&x.r, B, "over:refused:302", 100));
	raw_close(&x);
}

/* This node takes no calls: once it is said where they may go, as securely as they came. */
static void sent_on_once(void **state)
{
	static const struct {
		const char *uri, *elsewhere, *wants;
	} rows[] = {
		{ "sip:100@127.0.0.1", "192.0.2.12:5060;transport=udp", "\r\nContact: <sip:100@192.0.2.12:5060;transport=udp;umbel-sent-on>\r\n" },
		{ "sip:100@127.0.0.1;transport=udp;opaque=app:voicemail", "192.0.2.12:5060;transport=udp",
		  "\r\nContact: <sip:100@192.0.2.12:5060;transport=udp;opaque=app:voicemail;umbel-sent-on>\r\n" },
		{ "sip:100@127.0.0.1;umbel-sent-on", "192.0.2.12:5060;transport=udp", "SIP/2.0 503 " },
		{ "sip:100@127.0.0.1", "", "SIP/2.0 503 " },
		{ "sips:100@127.0.0.1", "n2.test:5061;transport=tls", "\r\nContact: <sips:100@n2.test:5061;umbel-sent-on>\r\n" },
		{ "sips:100@127.0.0.1", "192.0.2.12:5060;transport=udp", "SIP/2.0 503 " },
	};
	struct raw x;

	(void)state;
	raw_open(&x, false);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char room[2048];
		int n;

		x.r.side[B].ready = (struct sip_readiness){ .ready = false, .reason = "this node is being drained", .retry_after_s = 33 };
		snprintf(x.r.side[B].ready.elsewhere, sizeof(x.r.side[B].ready.elsewhere), "%s", rows[i].elsewhere);
		n = snprintf(room, sizeof(room),
		             "INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bKs%u\r\nFrom: <sip:a@a.test>;tag=me\r\n"
		             "To: <sip:100@b.test>\r\nCall-ID: moved%u\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:a@127.0.0.1:%u>\r\n"
		             "Content-Length: 0\r\n\r\n",
		             rows[i].uri, x.port, i, i, x.port);
		say_bytes(&x, room, (size_t)n);
		heard(&x, 20);
		wants(&x, rows[i].wants);
	}
	raw_close(&x);
}

static void who_called_before(void **state)
{
	static const char more[] = "Diversion: <sip:bob@b.test>;reason=no-answer, \"Team\" <sip:team@b.test>;reason=user-busy\r\n"
				   "P-Asserted-Identity: \"Alice A.\" <sip:alice@a.test>\r\n"
				   "History-Info: <sip:um@b.test>;index=1.1, <sip:bob@b.test?Reason=SIP%3Bcause%3D486>;index=1\r\n";
	const struct leg_info *i;
	struct raw x;

	(void)state;
	raw_open(&x, false);
	say(&x, "INVITE", "1", more, SDP);
	heard(&x, 20);
	i = leg_info(x.r.side[B].leg);
	assert_int_equal(i->n_diversions, 2);
	assert_string_equal(i->diversion[0].party.user, "bob");
	assert_string_equal(i->diversion[0].reason, "no-answer");
	assert_string_equal(i->diversion[1].party.display, "Team");
	assert_string_equal(i->asserted.user, "alice");
	assert_string_equal(i->asserted.display, "Alice A.");
	assert_int_equal(i->n_history, 2);
	assert_string_equal(i->history[0].party.user, "bob");
	assert_string_equal(i->history[0].reason, "SIP;cause=486");
	raw_close(&x);

	raw_open(&x, false); /* a peer that is not believed */
	x.r.side[B].other->believes_headers = false;
	say(&x, "INVITE", "1", more, SDP);
	heard(&x, 20);
	i = leg_info(x.r.side[B].leg);
	assert_int_equal(i->n_diversions + i->n_history, 0);
	assert_string_equal(i->asserted.uri, "");
	raw_close(&x);
}

static void who_wants_privacy(void **state)
{
	static const struct {
		const char *header;
		bool hidden;
	} row[] = {
		{ "Privacy: id\r\n", true }, { "Privacy: none\r\n", false }, { "Privacy: session\r\n", false }, { "Privacy: header;critical\r\n", true },
		{ "Privacy: session; user\r\n", true }, { "Privacy: critical\r\nPrivacy: ID\r\n", true }, { "", false }, { "Privacy: identity\r\n", false },
	};
	struct raw x;

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++) {
		raw_open(&x, false);
		say(&x, "INVITE", "1", row[i].header, SDP);
		heard(&x, 20);
		assert_int_equal(leg_info(x.r.side[B].leg)->wants_privacy, row[i].hidden);
		raw_close(&x);
	}
}

/* Numbers have parameters of their own (RFC 3261 19.1.6), with or without the user=phone that they should bring. */
static void numbers_without_their_parameters(void **state)
{
	const struct leg_info *i;
	struct raw x;

	(void)state;
	raw_open(&x, false);
	say(&x, "INVITE", "1",
	    "Diversion: <sip:+15550201;phone-context=example.com;tgrp=x@b.test;user=phone>;reason=no-answer, <sip:bob;x@b.test>;reason=away, <sip:;x@b.test>\r\n"
	    "P-Asserted-Identity: <sip:+15551000;cpc=ordinary@a.test>\r\n",
	    SDP);
	heard(&x, 20);
	i = leg_info(x.r.side[B].leg);
	assert_int_equal(i->n_diversions, 3);
	assert_string_equal(i->diversion[0].party.user, "+15550201");
	assert_string_equal(i->diversion[0].party.uri, "sip:+15550201;phone-context=example.com;tgrp=x@b.test;user=phone");
	assert_string_equal(i->diversion[1].party.user, "bob;x");
	assert_string_equal(i->diversion[2].party.user, ";x");
	assert_string_equal(i->asserted.user, "+15551000");
	raw_close(&x);
}

/* Large, but nothing is wrong with it: as many hops as there may be, and more fields than anybody sends. */
static void large_and_legal(void **state)
{
	char more[8000] = "";
	struct raw x;
	size_t n = 0;

	(void)state;
	raw_open(&x, false);
	n = (size_t)snprintf(more, sizeof(more), "Record-Route: <sip:127.0.0.1:%u;lr>\r\n", x.port);
	for (int i = 1; i < 70; i++)
		n += (size_t)snprintf(more + n, sizeof(more) - n, "Record-Route: <sip:p%d.test;lr>\r\n", i);
	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(more + n, sizeof(more) - n, "X-Field-%d: text\r\n", i);
	say(&x, "INVITE", "1", more, SDP);
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 ");
	assert_int_equal(count(x.in, "\r\nRecord-Route: "), 70);
	say(&x, "ACK", "2", "", "");
	assert_true(rig_until(&x.r, B, "answered", 500));
	leg_hangup(x.r.side[B].leg, NULL);
	heard(&x, 50);
	wants(&x, "BYE sip:a@127.0.0.1");
	assert_int_equal(count(x.in, "\r\nRoute: "), 70);
	raw_close(&x);
}

static void routes(void **state)
{
	struct raw x;

	(void)state;
	/* loose: the route set in its order, the target in the request line */
	raw_open(&x, false);
	char rr[200];
	snprintf(rr, sizeof(rr), "Record-Route: <sip:127.0.0.1:%u;lr>, <sip:far.test;lr>\r\n", x.port);
	say(&x, "INVITE", "1", rr, SDP);
	heard(&x, 20);
	wants(&x, "Record-Route: <sip:127.0.0.1");
	say(&x, "ACK", "2", "", "");
	assert_true(rig_until(&x.r, B, "answered", 500));
	leg_hangup(x.r.side[B].leg, NULL);
	heard(&x, 50);
	wants(&x, "BYE sip:a@127.0.0.1");
	wants(&x, ";lr>\r\nRoute: <sip:far.test;lr>\r\n");
	raw_close(&x);
	/* strict: the route in the request line, the target behind the routes */
	raw_open(&x, false);
	snprintf(rr, sizeof(rr), "Record-Route: <sip:127.0.0.1:%u>\r\n", x.port);
	say(&x, "INVITE", "1", rr, SDP);
	heard(&x, 20);
	say(&x, "ACK", "2", "", "");
	assert_true(rig_until(&x.r, B, "answered", 500));
	leg_hangup(x.r.side[B].leg, NULL);
	heard(&x, 50);
	wants(&x, "BYE sip:127.0.0.1:");
	wants(&x, "Route: <sip:a@127.0.0.1:");
	raw_close(&x);
}

/* TLS on the port for plain SIP: told as that, and the connection is closed. */
static void tls_on_the_plain_port(void **state)
{
	static const char hello[] = "\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03";
	struct trust_verdict v;
	struct raw x;

	(void)state;
	raw_open(&x, true);
	say_bytes(&x, hello, sizeof(hello) - 1);
	(void)heard(&x, 200);
	assert_int_equal(x.r.side[B].flow.flow, TRUST_FLOW_CALL_IN);
	assert_false(x.r.side[B].flow_works);
	trust_explain(&x.r.side[B].flow, &v);
	assert_string_equal(v.name, "tls-on-plain-port");
	assert_int_equal(rig_stats(&x.r, B).conns, 0);
	raw_close(&x);
}

/* RFC 7044 9.4: whoever understands it hears it in each answer but 100, with whom his call came for. */
static void history_is_told_to_who_understands_it(void **state)
{
	static const struct {
		const char *more, *told;
	} row[] = {
		{ "Supported: timer, histinfo\r\n", "\r\nHistory-Info: <sip:100@127.0.0.1>;index=1\r\n" },
		{ "k: histinfo\r\nHistory-Info: <sip:bob@b.test?Reason=SIP%3Bcause%3D486>;index=1, <sip:100@127.0.0.1>;index=1.1\r\n",
		  "\r\nHistory-Info: <sip:bob@b.test?Reason=SIP%3Bcause%3D486>;index=1, <sip:100@127.0.0.1>;index=1.1\r\n" },
		{ "Supported: histinfo\r\nHistory-Info: <sip:bob@b.test>;index=1.2\r\nHistory-Info: <sip:ann@b.test>;index=1\r\n",
		  "\r\nHistory-Info: <sip:100@127.0.0.1>;index=1.2.0.1\r\n" },
		{ "History-Info: <sip:bob@b.test>;index=1\r\n", NULL },
	};
	struct raw x;

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++) {
		raw_open(&x, false);
		say(&x, "INVITE", "1", row[i].more, SDP);
		heard(&x, 20);
		const char *ok = strstr(x.in, "SIP/2.0 200 ");
		assert_non_null(ok);
		if (row[i].told && !strstr(ok, row[i].told))
			fail_msg("wanted '%s' in:\n%s", row[i].told, ok);
		if (!row[i].told)
			assert_null(strstr(ok, "History-Info"));
		raw_close(&x);
	}
}

/* RFC 3261 18.2.2: to the port of its Via. */
static void an_answer_finds_its_way_when_the_connection_is_gone(void **state)
{
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listening = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(me);
	struct raw x;

	(void)state;
	assert_int_equal(bind(listening, (struct sockaddr *)&me, sizeof(me)), 0);
	assert_int_equal(listen(listening, 4), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&me, &n), 0);
	raw_open(&x, true);
	x.port = ntohs(me.sin_port);
	x.r.side[B].auto_answer = false;
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 20);
	assert_non_null(x.r.side[B].leg);
	close(x.fd);
	rig_run(&x.r, 20);
	assert_int_equal(leg_reject(x.r.side[B].leg, 486, "busy", 0), 0);
	rig_run(&x.r, 20);
	fcntl(listening, F_SETFL, O_NONBLOCK);
	x.fd = accept(listening, NULL, NULL);
	assert_true(x.fd >= 0);
	fcntl(x.fd, F_SETFL, O_NONBLOCK);
	heard(&x, 20);
	wants(&x, "SIP/2.0 486 ");
	assert_int_equal(count(x.in, "SIP/2.0 "), 1);
	close(listening);
	raw_close(&x);
}

/* OPTIONS until nothing more is taken, or until that is sure not to happen: the bytes that were. */
static size_t ask_without_reading(struct raw *x)
{
	enum { SURELY = 48 << 20, PIECE = 64 << 10, REFUSALS = 50 };
	static const char one[] = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
	                          "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	static char many[PIECE];
	size_t n = 0, sent = 0, at = 0;
	unsigned refusals = 0;

	while (n + sizeof(one) - 1 <= sizeof(many)) {
		memcpy(many + n, one, sizeof(one) - 1);
		n += sizeof(one) - 1;
	}
	while (sent < SURELY && refusals < REFUSALS) {
		ssize_t took = send(x->fd, many + at, n - at, MSG_NOSIGNAL);

		refusals = took > 0 ? 0 : refusals + 1;
		if (took > 0) {
			sent += (size_t)took;
			at = (at + (size_t)took) % n;
		}
		rig_run(&x->r, 1);
	}
	return sent / (sizeof(one) - 1) * (sizeof(one) - 1) == sent ? sent : sent + 1;
}

/* How many answers came until nothing came any more; *over: the connection is at its end. */
static unsigned read_all(struct raw *x, bool *over)
{
	static char in[256 << 10];
	unsigned answers = 0, silent = 0;

	for (*over = false; silent < 50 && !*over;) {
		ssize_t got = recv(x->fd, in, sizeof(in), 0);

		*over = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
		silent = got > 0 ? 0 : silent + 1;
		for (ssize_t i = 0; i < got; i++)
			answers += in[i] == 'S' && got - i >= 8 && !memcmp(in + i, "SIP/2.0 ", 8);
		rig_run(&x->r, 1);
	}
	return answers;
}

/* Who asks and does not read is not heard either until he does; nothing is kept for him without bound, and not for ever. */
static void slow_readers_wait(void **state)
{
	enum { SURELY = 48 << 20 };
	struct raw x;
	bool over;

	(void)state;
	raw_open(&x, true);
	assert_true(ask_without_reading(&x) < SURELY);
	assert_true(read_all(&x, &over) > 1000);
	assert_false(over);
	rig_run(&x.r, 30000); /* now that he reads he may stay */
	assert_true(ask_without_reading(&x) < SURELY);
	rig_run(&x.r, 30000);
	(void)read_all(&x, &over);
	assert_true(over);
	raw_close(&x);
}

UT_MAIN(UT(slow_readers_wait), UT(an_answer_finds_its_way_when_the_connection_is_gone), UT(history_is_told_to_who_understands_it), UT(tls_on_the_plain_port), UT(refusals), UT(malformed_datagrams), UT(bad_streams_are_answered_and_closed), UT(the_200_is_repeated_until_its_ack),
        UT(who_thinks_says_100), UT(an_ack_with_the_branch_of_its_invite), UT(a_bye_whose_answer_takes_long), UT(hang_up_waits_for_the_ack), UT(no_offer_means_ours), UT(within_a_call), UT(the_wrong_tag_is_481), UT(merged_and_cancelled),
        UT(notify_before_the_202), UT(who_called_before), UT(numbers_without_their_parameters), UT(large_and_legal), UT(routes), UT(sent_elsewhere), UT(sent_on_once), UT(the_last_hop), UT(media_moves), UT(a_contact_makes_nobody_a_gateway), UT(who_wants_privacy), UT(another_phone_takes_the_call),
        UT(who_may_take_a_call), UT(a_transfer_that_wants_no_reports), UT(reports_that_nobody_answers), UT(two_calls_are_joined_at_the_peer))

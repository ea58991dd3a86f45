/* SPDX-License-Identifier: Apache-2.0 */
/* limits_test.c  What is not in a capture is not said: packets cut or missing, a beginning that was missed, resumed sessions, padded records, and
 * resets that another made. */
#include <string.h>
#include "capture/judge.h"
#include "told.h"
#include "ut.h"

enum { FIN = 0x11, SYN = 0x02, SYNACK = 0x12, RST = 0x14, ACK = 0x18 };
#define RECORD(type, n) "tls.record.content_type=" #type, "tls.record.length=" #n
#define DATA(n) "tcp.len=" #n, "tcp.payload=170303", RECORD(23, n)
#define OPAQUE(n) "tcp.len=" #n, "tls.record.opaque_type=23", "tls.record.length=" #n
#define HELLO "tcp.len=200", "tcp.payload=160301", RECORD(22, 195), "tls.handshake.type=1", "tls.handshake.version=0x0303", "tls.handshake.ciphersuite=0xc02f"
#define ANSWER_12 "tcp.len=900", "tcp.payload=160303", "tls.record.content_type=22,22,22", "tls.record.length=65,700,4", "tls.handshake.type=2,13,14", \
	"tls.handshake.version=0x0303", "tls.handshake.ciphersuite=0xc030"
#define KEYS_12 "tls.record.content_type=22,20,22", "tls.record.length=37,1,40", "tls.handshake.type=16"
#define DONE_12 "tcp.len=51", "tls.record.content_type=20,22", "tls.record.length=1,40"
#define ANSWER_13 "tcp.payload=160303", "tls.record.content_type=22,20", "tls.handshake.type=2", "tls.handshake.version=0x0303", \
	"tls.handshake.ciphersuite=0x1301", "tls.handshake.extensions.supported_version=0x0304"
#define ALERT_43 "tcp.len=7", RECORD(21, 2), "tls.alert_message.level=2", "tls.alert_message.desc=43"
#define CUT "frame.len=900", "frame.cap_len=96"

static struct cap_judgement j;

static void begin(struct told *t)
{
	told_begin(t);
	told_tcp(t, 0, 0, SYN, "tcp.seq=0", "ip.ttl=64", NULL);
	told_tcp(t, 1, 1, SYNACK, "tcp.seq=0", "ip.ttl=60", NULL);
}

static void expect(struct told *t, const char *verdict, enum trust_certainty most, unsigned note)
{
	static const struct cap_prm nothing;
	cap_judge(&j, t->book, t->book->talk[0], &nothing);
	assert_int_equal(t->book->bad_lines, 0);
	assert_string_equal(j.verdict.name, verdict);
	assert_true(j.verdict.certainty <= most);
	if (note)
		assert_true(j.notes & note);
	told_end(t);
}

/* tshark reads no TLS out of packets that were cut at 96 bytes, and there was some all the same. */
static void of_packets_that_were_cut_nothing_is_known(void **state)
{
	struct told t;
	(void)state;
	begin(&t);
	told_tcp(&t, 1, 0, ACK, "tcp.seq=1", "tcp.len=500", "tcp.payload=160301", CUT, NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.seq=1", "tcp.len=1500", "tcp.payload=160303", CUT, NULL);
	told_tcp(&t, 1, 1, RST, "tcp.seq=1501", "ip.ttl=60", NULL);
	expect(&t, "nothing-known", TRUST_UNKNOWN, CAP_NOTE_CUT);
}

/* ... but an alert that can be read was said. */
static void an_alert_among_packets_that_were_cut_counts(void **state)
{
	struct told t;
	(void)state;
	begin(&t);
	told_tcp(&t, 1, 0, ACK, "tcp.seq=1", HELLO, NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.seq=1", ANSWER_12, CUT, NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.seq=901", ALERT_43, NULL);
	expect(&t, "peer-refused-purpose", TRUST_SURE, CAP_NOTE_CUT);
	assert_non_null(strstr(j.verdict.sentence, "not seen")); /* our usages */
}

static void in_the_middle_records_prove_nothing(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t); /* a late alert of TLS 1.3 looks so, and tickets do */
	told_tcp(&t, 0, 1, ACK, DATA(19), NULL);
	told_tcp(&t, 0, 1, RST, NULL);
	told_tcp(&t, 1, 0, 0x10, NULL);
	expect(&t, "nothing-known", TRUST_UNKNOWN, CAP_NOTE_MIDDLE);
	told_begin(&t); /* and so does the middle of a record, which is no TLS to look at */
	told_tcp(&t, 0, 1, ACK, "tcp.len=500", "tcp.payload=a0b1c2", NULL);
	told_tcp(&t, 0, 0, ACK, "tcp.len=500", "tcp.payload=170303", NULL);
	told_tcp(&t, 5, 1, FIN, NULL);
	expect(&t, "nothing-known", TRUST_UNKNOWN, CAP_NOTE_MIDDLE);
}

static void in_the_middle_silence_is_seen(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	told_tcp(&t, 0, 0, ACK, DATA(431), NULL);
	told_tcp(&t, 1, 1, 0x10, NULL);
	told_tcp(&t, 5000, 0, FIN, NULL);
	expect(&t, "silent-without-sip", TRUST_UNKNOWN, CAP_NOTE_MIDDLE);
}

static void handshake_in_pieces(struct told *t, bool late)
{
	begin(t);
	told_tcp(t, 1, 0, ACK, "tcp.seq=1", HELLO, NULL);
	told_tcp(t, 1, 1, ACK, "tcp.seq=1", ANSWER_12, NULL);
	told_tcp(t, 1, 0, ACK, "tcp.seq=201", "tcp.len=100", KEYS_12, NULL);
	told_tcp(t, 1, 1, RST, "tcp.seq=908", "ip.ttl=60", NULL); /* behind 7 bytes that nobody saw */
	if (late)
		told_tcp(t, 0, 1, ACK, "tcp.seq=901", "tcp.len=7", NULL);
}

static void what_is_missing_may_have_been_the_alert(void **state)
{
	struct told t;
	(void)state;
	handshake_in_pieces(&t, false);
	expect(&t, "nothing-known", TRUST_UNKNOWN, CAP_NOTE_LOST);
	handshake_in_pieces(&t, true); /* it only came late */
	expect(&t, "closed-in-handshake", TRUST_LIKELY, 0);
	assert_false(j.notes & CAP_NOTE_LOST);
}

static void holes_are_filled_from_any_side(void **state)
{
	static const char *const pieces[] = { "tcp.seq=1201", "tcp.seq=901", "tcp.seq=1101", "tcp.seq=1001" };
	struct told t;
	(void)state;
	begin(&t);
	told_tcp(&t, 1, 0, ACK, "tcp.seq=1", HELLO, NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.seq=1", ANSWER_12, NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.seq=1301", "tcp.len=100", NULL);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(cap_talk_lost(t.book->talk[0]));
		told_tcp(&t, 0, 1, ACK, pieces[i], "tcp.len=100", NULL);
	}
	assert_false(cap_talk_lost(t.book->talk[0]));
	told_end(&t);
}

/* A firewall resets in the name of the peer, and its packets come another way. */
static void a_reset_from_another_distance_is_not_called_the_peers(void **state)
{
	struct told t;
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(&t);
		told_tcp(&t, 1, 0, ACK, "tcp.seq=1", HELLO, NULL);
		told_tcp(&t, 1, 1, ACK, "tcp.seq=1", ANSWER_12, "ip.ttl=60", NULL);
		told_tcp(&t, 1, 0, ACK, "tcp.seq=201", "tcp.len=100", KEYS_12, NULL);
		told_tcp(&t, 1, 1, RST, "tcp.seq=901", i ? "ip.ttl=60" : "ip.ttl=63", NULL);
		expect(&t, "closed-in-handshake", i ? TRUST_LIKELY : TRUST_UNKNOWN, i ? 0 : CAP_NOTE_HOPS);
		assert_int_equal((j.notes & CAP_NOTE_HOPS) != 0, !i);
	}
}

/* Nobody is asked for a certificate again: that must not be told as "had not asked". */
static void a_resumed_session_was_asked_before(void **state)
{
	struct told t;
	(void)state;
	begin(&t);
	told_tcp(&t, 1, 0, ACK, HELLO, NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.len=200", "tcp.payload=160303", "tls.record.content_type=22,20,22", "tls.record.length=65,1,40", "tls.handshake.type=2",
		 "tls.handshake.version=0x0303", "tls.handshake.ciphersuite=0xc030", NULL);
	told_tcp(&t, 1, 0, ACK, DONE_12, NULL);
	told_tcp(&t, 1, 0, ACK, DATA(431), NULL);
	told_tcp(&t, 90, 1, FIN, NULL);
	expect(&t, "closed-without-sip", TRUST_UNKNOWN, CAP_NOTE_RESUMED);
	begin(&t);
	told_tcp(&t, 1, 0, ACK, HELLO, NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.len=300", ANSWER_13, "tls.handshake.extension.type=43,51,41", "tls.record.opaque_type=23,23", "tls.record.length=122,1,27,53", NULL);
	told_tcp(&t, 1, 0, ACK, "tcp.len=80", "tls.record.content_type=20", "tls.record.opaque_type=23", "tls.record.length=1,53", NULL);
	told_tcp(&t, 1, 0, ACK, OPAQUE(431), NULL);
	told_tcp(&t, 90, 1, FIN, NULL);
	expect(&t, "closed-without-sip", TRUST_UNKNOWN, CAP_NOTE_RESUMED);
}

/* What it would be an alert about can only be guessed: its first protected record is no goodbye, and a name that is hidden is not a wrong one. */
static void a_client_that_leaves_early_in_tls13_may_have_refused(void **state)
{
	struct told t;
	(void)state;
	begin(&t);
	told_tcp(&t, 1, 0, ACK, HELLO, "tls.handshake.extensions_server_name=pool.example.com", NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.len=900", ANSWER_13, "tls.record.opaque_type=23,23", "tls.record.length=122,1,700,281", NULL);
	told_tcp(&t, 1, 0, ACK, OPAQUE(19), NULL);
	told_tcp(&t, 0, 0, FIN, NULL);
	expect(&t, "closed-in-handshake", TRUST_UNKNOWN, CAP_NOTE_MAYBE_ALERT);
	assert_int_equal(j.we, CAP_SERVER);
	assert_int_equal(j.facts.end, TRUST_FIN);
	begin(&t); /* it finished, and left without a request */
	told_tcp(&t, 1, 0, ACK, HELLO, "tls.handshake.extensions_server_name=pool.example.com", NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.len=900", ANSWER_13, "tls.record.opaque_type=23,23", "tls.record.length=122,1,700,281", NULL);
	told_tcp(&t, 1, 0, ACK, OPAQUE(53), NULL);
	told_tcp(&t, 5, 0, FIN, NULL);
	expect(&t, "peer-said-nothing", TRUST_UNKNOWN, CAP_NOTE_HIDDEN);
}

/* GnuTLS takes the empty message of a client that has no certificate for a malformed one. */
static void an_empty_certificate_is_answered_by_decode_error(void **state)
{
	struct told t;
	(void)state;
	begin(&t);
	told_tcp(&t, 1, 0, ACK, HELLO, NULL);
	told_tcp(&t, 1, 1, ACK, ANSWER_12, NULL);
	told_tcp(&t, 1, 0, ACK, "tcp.len=100", "tls.record.content_type=22,22,20,22", "tls.record.length=7,37,1,40", "tls.handshake.type=11,16", NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.len=7", RECORD(21, 2), "tls.alert_message.level=2", "tls.alert_message.desc=50", NULL);
	told_tcp(&t, 1, 1, FIN, NULL);
	expect(&t, "peer-wants-certificate", TRUST_LIKELY, 0);
}

/* Two tickets and a goodbye, all of one size: no answer is read out of that. */
static void padded_records_tell_nothing(void **state)
{
	struct told t;
	(void)state;
	begin(&t);
	told_tcp(&t, 1, 0, ACK, HELLO, NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.len=3000", ANSWER_13, "tls.record.opaque_type=23,23", "tls.record.length=122,1,528,2064", NULL);
	told_tcp(&t, 1, 0, ACK, "tcp.len=1600", "tls.record.content_type=20", "tls.record.opaque_type=23,23", "tls.record.length=1,1040,528", NULL);
	told_tcp(&t, 1, 0, ACK, OPAQUE(528), NULL);
	told_tcp(&t, 1, 1, ACK, OPAQUE(528), NULL);
	told_tcp(&t, 0, 1, ACK, OPAQUE(528), NULL);
	told_tcp(&t, 300, 1, ACK, OPAQUE(528), NULL);
	told_tcp(&t, 0, 1, FIN, NULL);
	expect(&t, "closed-without-sip", TRUST_UNKNOWN, CAP_NOTE_PADDED | CAP_NOTE_MAYBE_TICKET);
}

UT_MAIN(UT(of_packets_that_were_cut_nothing_is_known), UT(an_alert_among_packets_that_were_cut_counts), UT(in_the_middle_records_prove_nothing),
	UT(in_the_middle_silence_is_seen), UT(what_is_missing_may_have_been_the_alert), UT(holes_are_filled_from_any_side),
	UT(a_reset_from_another_distance_is_not_called_the_peers), UT(a_resumed_session_was_asked_before), UT(padded_records_tell_nothing),
	UT(a_client_that_leaves_early_in_tls13_may_have_refused), UT(an_empty_certificate_is_answered_by_decode_error))

/* SPDX-License-Identifier: Apache-2.0 */
/* judge_test.c  What a capture shows becomes the verdict that the server would give; what it hides stays open. */
#include "capture/judge.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "capture/render.h"
#include "certs.h"
#include "told.h"
#include "ut.h"

enum { FIN = 0x11, SYN = 0x02, SYNACK = 0x12, RST = 0x14, ACK = 0x18, RANDOM_HS = 0 };
#define SNI "tls.handshake.extensions_server_name=lyncpool.domain.com"
#define HELLO_12 "tcp.len=200", "tcp.payload=160301", "tls.record.content_type=22", "tls.record.length=200", "tls.handshake.type=1", "tls.handshake.version=0x0303", \
	"tls.handshake.ciphersuite=0xc02f,0xc030"
#define HELLO_13 HELLO_12, "tls.handshake.extensions.supported_version=0x0304"
#define ANSWER_13 "tcp.len=900", "tcp.payload=160303", "tls.record.content_type=22,20", "tls.record.opaque_type=23,23,23,23", "tls.record.length=122,1,27,700,281,69", \
	"tls.handshake.type=2", "tls.handshake.version=0x0303", "tls.handshake.ciphersuite=0x1302", "tls.handshake.extensions.supported_version=0x0304"
#define FLIGHT_13 "tcp.len=1000", "tls.record.content_type=20", "tls.record.opaque_type=23,23,23", "tls.record.length=1,700,281,69"
#define DATA_13(n) "tcp.len=" #n, "tls.record.opaque_type=23", "tls.record.length=" #n

static struct tc root, shared, pool, node;

static int make_certs(void **state)
{
	(void)state;
	tc_root(&root, "Lab CA");
	tc_leaf(&shared, &root, "um.domain.local", "DNS:um.domain.local,DNS:node01.domain.local,DNS:node02.domain.local");
	tc_leaf(&pool, &root, "lyncpool.domain.com", "DNS:lyncpool.domain.com");
	tc_leaf(&node, &root, "node01.domain.local", "DNS:node01.domain.local");
	return 0;
}

static int free_certs(void **state)
{
	(void)state;
	tc_free(&root);
	tc_free(&shared);
	tc_free(&pool);
	tc_free(&node);
	return 0;
}

static void opened(struct told *t)
{
	told_tcp(t, 0, 0, SYN, NULL);
	told_tcp(t, 1, 1, SYNACK, NULL);
}

static const char *field(char *dst, size_t size, const char *name, const char *value)
{
	snprintf(dst, size, "%s=%s", name, value);
	return dst;
}

/* A whole mutual handshake of TLS 1.2; `client` NULL: no certificate is asked for. */
static void handshake_12(struct told *t, X509 *client, X509 *server, const char *sni)
{
	static char cert[20000], name[300];
	opened(t);
	told_tcp(t, 1, 0, ACK, HELLO_12, field(name, sizeof name, "tls.handshake.extensions_server_name", sni), NULL);
	told_tcp(t, 1, 1, ACK, "tcp.len=1500", "tcp.payload=160303", "tls.record.content_type=22,22,22", "tls.record.length=65,1000,4",
		 client ? "tls.handshake.type=2,11,13,14" : "tls.handshake.type=2,11,14", "tls.handshake.version=0x0303", "tls.handshake.ciphersuite=0xc030",
		 field(cert, sizeof cert, "tls.handshake.certificate", told_cert(server)), NULL);
	if (client)
		told_tcp(t, 1, 0, ACK, "tcp.len=1500", "tls.record.content_type=22,22,22,20,22", "tls.record.length=1000,37,264,1,40", "tls.handshake.type=11,16,15",
			 field(cert, sizeof cert, "tls.handshake.certificate", told_cert(client)), NULL);
	else
		told_tcp(t, 1, 0, ACK, "tcp.len=100", "tls.record.content_type=22,20,22", "tls.record.length=37,1,40", "tls.handshake.type=16", NULL);
	told_tcp(t, 2, 1, ACK, "tcp.len=51", "tls.record.content_type=20,22", "tls.record.length=1,40", NULL);
}

static struct cap_judgement j;

static const struct trust_verdict *judged(struct told *t, unsigned talk, const struct cap_prm *prm)
{
	static const struct cap_prm nothing;
	assert_true(t->book->n_talks > talk);
	assert_int_equal(t->book->bad_lines, 0);
	cap_judge(&j, t->book, t->book->talk[talk], prm ? prm : &nothing);
	json_t *o = cap_render_talk(t->book, t->book->talk[talk], &j);
	assert_non_null(o);
	json_decref(o);
	return &j.verdict;
}

static void lync(struct cap_prm *prm)
{
	*prm = (struct cap_prm){ .we = { "node01.domain.local" }, .n_we = 1 };
	assert_true(trust_judges_us_set(&prm->judges, "lync"));
	trust_names_add_str(&prm->judges.known, "node01.domain.local");
	trust_names_add_str(&prm->judges.known, "node02.domain.local");
}

/* The lab's case, as it is seen in TLS 1.2: data from us, and the pool closes. */
static void lab_case(struct told *t)
{
	handshake_12(t, shared.cert, pool.cert, "lyncpool.domain.com");
	told_tcp(t, 1, 0, ACK, "tcp.len=436", "tls.record.content_type=23", "tls.record.length=431", NULL);
	told_tcp(t, 9, 1, FIN, NULL);
	told_tcp(t, 0, 0, FIN, NULL);
}

static void the_case_of_the_lab(void **state)
{
	struct told t;
	struct cap_prm prm;
	(void)state;
	told_begin(&t);
	lab_case(&t);
	lync(&prm);
	const struct trust_verdict *v = judged(&t, 0, &prm);
	assert_string_equal(v->name, "peer-does-not-know-our-name");
	assert_int_equal(v->certainty, TRUST_LIKELY);
	assert_true(strstr(v->sentence, "um.domain.local") && strstr(v->sentence, "FIN"));
	assert_string_equal(v->wanted, "node01.domain.local or node02.domain.local");
	assert_int_equal(j.we, CAP_CLIENT);
	assert_true(j.we_told);
	assert_int_equal(j.facts.end, TRUST_FIN);
	assert_int_equal(j.facts.end_ms, 10);
	assert_string_equal(j.facts.ours.cn, "um.domain.local");
	assert_non_null(j.profile);
	assert_int_equal(j.answer.kind, TRUST_REFUSES);
	/* Nothing told: nothing is claimed of names. */
	v = judged(&t, 0, NULL);
	assert_string_equal(v->name, "closed-without-sip");
	assert_int_equal(v->certainty, TRUST_UNKNOWN);
	assert_true(j.notes & CAP_NOTE_NAMES);
	told_end(&t);
}

static void how_others_dial_us_tells_our_name(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	lab_case(&t);
	t.stream = 1;
	t.host[0] = "10.0.0.2";
	t.host[1] = "10.0.0.1";
	t.port[0] = 41000;
	handshake_12(&t, pool.cert, shared.cert, "node01.domain.local");
	const struct trust_verdict *v = judged(&t, 0, NULL);
	assert_string_equal(v->name, "peer-does-not-know-our-name");
	assert_int_equal(v->certainty, TRUST_LIKELY);
	assert_true(j.notes & CAP_NOTE_FQDN);
	assert_string_equal(j.facts.our_fqdn, "node01.domain.local");
	told_end(&t);
}

static void another_certificate_that_was_answered_makes_it_sure(void **state)
{
	struct told t;
	struct cap_prm prm;
	(void)state;
	told_begin(&t);
	lab_case(&t);
	t.stream = 1;
	t.port[0] = 40001;
	handshake_12(&t, node.cert, pool.cert, "lyncpool.domain.com");
	told_tcp(&t, 1, 0, ACK, "tcp.len=436", "tls.record.content_type=23", "tls.record.length=431", "sip.Method=OPTIONS", "sip.CSeq=1 OPTIONS", "sip.Call-ID=a", NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.len=436", "tls.record.content_type=23", "tls.record.length=431", "sip.Status-Code=200", "sip.Status-Line=SIP/2.0 200 OK",
		 "sip.CSeq=1 OPTIONS", "sip.Call-ID=a", NULL);
	lync(&prm);
	assert_string_equal(judged(&t, 0, &prm)->name, "peer-does-not-know-our-name");
	assert_int_equal(j.verdict.certainty, TRUST_SURE);
	assert_string_equal(judged(&t, 1, &prm)->name, "works");
	told_end(&t);
}

static void tls13_without_keys(struct told *t, const char *last)
{
	opened(t);
	told_tcp(t, 1, 0, ACK, HELLO_13, SNI, NULL);
	told_tcp(t, 1, 1, ACK, ANSWER_13, NULL);
	told_tcp(t, 2, 0, ACK, FLIGHT_13, NULL);
	told_tcp(t, 0, 0, ACK, DATA_13(424), NULL);
	if (last)
		told_tcp(t, 10, 1, ACK, "tcp.len=500", "tls.record.opaque_type=23,23", last, NULL);
}

static void in_tls13_without_keys_certificates_are_hidden(void **state)
{
	struct told t;
	struct cap_prm prm;
	(void)state;
	told_begin(&t);
	tls13_without_keys(&t, "tls.record.length=986,1002");
	told_tcp(&t, 2, 1, FIN, NULL);
	lync(&prm);
	const struct trust_verdict *v = judged(&t, 0, &prm);
	assert_true(j.facts.tls.done);
	assert_true(j.facts.tls.cert_requested); /* its flight is too large for none */
	assert_false(j.facts.ours.shown);
	assert_string_equal(v->name, "closed-without-sip");
	assert_int_equal(v->certainty, TRUST_UNKNOWN);
	assert_true(j.notes & CAP_NOTE_HIDDEN);
	assert_false(j.notes & CAP_NOTE_MAYBE_ALERT); /* tickets: it was let in */
	told_end(&t);
}

static void an_alert_that_cannot_be_read_is_not_called_a_goodbye(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	tls13_without_keys(&t, NULL);
	told_tcp(&t, 3, 1, ACK, DATA_13(19), NULL);
	told_tcp(&t, 0, 1, FIN, NULL);
	assert_int_equal(judged(&t, 0, NULL)->certainty, TRUST_UNKNOWN);
	assert_true(j.notes & CAP_NOTE_MAYBE_ALERT);
	assert_int_equal(j.facts.end, TRUST_FIN);
	told_end(&t);
}

static void an_answer_behind_tickets_is_an_answer(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	tls13_without_keys(&t, "tls.record.length=986,1002");
	told_tcp(&t, 2, 1, ACK, DATA_13(235), NULL);
	assert_string_equal(judged(&t, 0, NULL)->name, "proven");
	assert_int_equal(j.verdict.certainty, TRUST_LIKELY);
	told_end(&t);
	told_begin(&t); /* one record alone may be either */
	tls13_without_keys(&t, NULL);
	told_tcp(&t, 2, 1, ACK, DATA_13(235), NULL);
	told_tcp(&t, 2, 1, FIN, NULL);
	assert_int_equal(judged(&t, 0, NULL)->certainty, TRUST_UNKNOWN);
	assert_true(j.notes & CAP_NOTE_MAYBE_TICKET);
	told_end(&t);
}

static void alerts_name_who_refused_whom(void **state)
{
	struct told t;
	struct cap_prm server = { .we = { "10.0.0.2" }, .n_we = 1 };
	(void)state;
	told_begin(&t);
	opened(&t);
	told_tcp(&t, 1, 0, ACK, HELLO_12, SNI, NULL);
	char cert[20000];
	told_tcp(&t, 1, 1, ACK, "tcp.len=1500", "tls.record.content_type=22", "tls.record.length=1500", "tls.handshake.type=2,11,14", "tls.handshake.version=0x0303",
		 "tls.handshake.ciphersuite=0xc030", field(cert, sizeof cert, "tls.handshake.certificate", told_cert(shared.cert)), NULL);
	told_tcp(&t, 1, 0, ACK, "tcp.len=7", "tls.record.content_type=21", "tls.record.length=2", "tls.alert_message.level=2", "tls.alert_message.desc=48", NULL);
	told_tcp(&t, 1, 0, FIN, NULL);
	/* Nobody says who we are: the side that was refused speaks. */
	assert_string_equal(judged(&t, 0, NULL)->name, "peer-does-not-trust-our-issuer");
	assert_int_equal(j.we, CAP_SERVER);
	struct cap_prm client = { .we = { "10.0.0.1" }, .n_we = 1 };
	assert_string_equal(judged(&t, 0, &client)->name, "issuer-not-trusted");
	assert_int_equal(j.verdict.who, TRUST_US);
	assert_string_equal(judged(&t, 0, &server)->name, "peer-does-not-trust-our-issuer");
	told_end(&t);
}

static void a_port_that_is_closed_or_silent(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	told_tcp(&t, 0, 0, SYN, NULL);
	told_tcp(&t, 1, 1, RST, NULL);
	assert_string_equal(judged(&t, 0, NULL)->name, "connection-refused");
	told_end(&t);
	told_begin(&t);
	told_tcp(&t, 0, 0, SYN, NULL);
	told_tcp(&t, 1000, 0, SYN, NULL);
	told_tcp(&t, 2000, 0, SYN, NULL);
	assert_string_equal(judged(&t, 0, NULL)->name, "connect-timeout");
	assert_int_equal(j.facts.connect_ms, 3000);
	told_end(&t);
	told_begin(&t); /* the capture ends too soon to say anything */
	told_tcp(&t, 0, 0, SYN, NULL);
	assert_string_equal(judged(&t, 0, NULL)->name, "nothing-known");
	told_end(&t);
}

static void icmp_tells_why(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	told_tcp(&t, 0, 0, SYN, NULL);
	told_raw(&t, 3, "ip.src=10.0.0.254,10.0.0.1", "ip.dst=10.0.0.1,10.0.0.2", "tcp.srcport=40000", "tcp.dstport=5061", "icmp.type=3", "icmp.code=1", NULL);
	assert_string_equal(judged(&t, 0, NULL)->name, "no-route");
	assert_string_equal(t.book->talk[0]->icmp_from, "10.0.0.254");
	told_end(&t);
}

static void icmp_answers_a_datagram_too(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	told_raw(&t, 0, "ip.src=10.0.0.1", "ip.dst=10.0.0.2", "udp.stream=4", "udp.srcport=5060", "udp.dstport=5060", "sip.Method=OPTIONS", "sip.CSeq=1 OPTIONS",
		 "sip.Call-ID=x", NULL);
	told_raw(&t, 1, "ip.src=10.0.0.2,10.0.0.1", "ip.dst=10.0.0.1,10.0.0.2", "udp.srcport=5060", "udp.dstport=5060", "icmp.type=3", "icmp.code=3", NULL);
	assert_string_equal(judged(&t, 0, NULL)->name, "connection-refused");
	told_end(&t);
}

static void exported_messages_are_a_conversation(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	told_raw(&t, 0, "exported_pdu.ipv4_src=10.0.0.1", "exported_pdu.ipv4_dst=10.0.0.2", "exported_pdu.port_type=2", "exported_pdu.src_port=40000",
		 "exported_pdu.dst_port=5061", "sip.Method=NOTIFY", "sip.CSeq=1 NOTIFY", "sip.Call-ID=x", NULL);
	told_raw(&t, 5, "exported_pdu.ipv4_src=10.0.0.2", "exported_pdu.ipv4_dst=10.0.0.1", "exported_pdu.port_type=2", "exported_pdu.src_port=5061",
		 "exported_pdu.dst_port=40000", "sip.Status-Code=481", "sip.Status-Line=SIP/2.0 481 No", "sip.CSeq=1 NOTIFY", "sip.Call-ID=x", NULL);
	assert_int_equal(t.book->n_talks, 1);
	assert_string_equal(judged(&t, 0, NULL)->name, "sip-refused");
	assert_int_equal(j.facts.transport, TRUST_TCP);
	told_end(&t);
}

static void silence_after_a_request(void **state)
{
	struct told t;
	struct cap_prm prm;
	(void)state;
	told_begin(&t);
	handshake_12(&t, shared.cert, pool.cert, "lyncpool.domain.com");
	told_tcp(&t, 1, 0, ACK, "tcp.len=436", "tls.record.content_type=23", "tls.record.length=431", NULL);
	told_tcp(&t, 5000, 0, FIN, NULL); /* we gave up */
	lync(&prm);
	assert_string_equal(judged(&t, 0, &prm)->name, "peer-does-not-know-our-name");
	assert_int_equal(j.facts.end, TRUST_TIMED_OUT);
	assert_int_equal(j.facts.end_ms, 5000);
	told_end(&t);
}

static void plain_sip_and_its_answers(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	t.port[1] = 5060;
	opened(&t);
	told_tcp(&t, 1, 0, ACK, "tcp.len=400", "tcp.payload=4f5054494f4e532073", "sip.Method=OPTIONS", "sip.CSeq=7 OPTIONS", "sip.Call-ID=x",
		 "sip.msg_hdr=Via: SIP/2.0/TCP node01.domain.local:5060;branch=z9hG4bK1\\r\\nCall-ID: x\\r\\n", NULL);
	told_tcp(&t, 4, 1, ACK, "tcp.len=300", "tcp.payload=5349502f322e30", "sip.Status-Code=403", "sip.Status-Line=SIP/2.0 403 Forbidden", "sip.CSeq=7 OPTIONS",
		 "sip.Call-ID=x", "sip.msg_hdr=ms-diagnostics: 1034;reason=\"not here\"\\r\\n", NULL);
	const struct trust_verdict *v = judged(&t, 0, NULL);
	assert_string_equal(v->name, "sip-forbidden");
	assert_true(strstr(v->sentence, "1034;reason=\"not here\"") != NULL);
	assert_string_equal(j.facts.our_fqdn, "node01.domain.local");
	told_end(&t);
}

static void plain_sip_on_the_tls_port(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	opened(&t);
	told_tcp(&t, 1, 0, ACK, HELLO_12, SNI, NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.len=30", "tcp.payload=5349502f322e30203430302042616420", NULL);
	told_tcp(&t, 1, 1, FIN, NULL);
	assert_string_equal(judged(&t, 0, NULL)->name, "plain-sip-on-tls-port");
	told_end(&t);
}

static void plain_sip_that_nobody_answers(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	opened(&t);
	told_tcp(&t, 1, 0, ACK, "tcp.len=300", "tcp.payload=4f5054494f4e53207369703a", "sip.Method=OPTIONS", "sip.CSeq=1 OPTIONS", "sip.Call-ID=x", NULL);
	told_tcp(&t, 1, 1, RST, NULL);
	assert_string_equal(judged(&t, 0, NULL)->name, "plain-sip-on-tls-port");
	assert_int_equal(j.verdict.certainty, TRUST_LIKELY);
	assert_int_equal(j.we, CAP_SERVER);
	struct cap_prm client = { .we = { "10.0.0.1" }, .n_we = 1 };
	assert_string_equal(judged(&t, 0, &client)->name, "tcp-without-sip");
	told_end(&t);
}

static void an_empty_certificate_in_tls13_is_seen_by_its_size(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	opened(&t);
	told_tcp(&t, 1, 0, ACK, HELLO_13, SNI, NULL);
	told_tcp(&t, 1, 1, ACK, ANSWER_13, NULL);
	told_tcp(&t, 2, 0, ACK, "tcp.len=100", "tls.record.content_type=20", "tls.record.opaque_type=23,23", "tls.record.length=1,25,69", NULL);
	told_tcp(&t, 1, 1, ACK, DATA_13(19), NULL);
	told_tcp(&t, 0, 1, FIN, NULL);
	assert_int_equal(judged(&t, 0, NULL)->certainty, TRUST_UNKNOWN);
	assert_true(j.facts.tls.cert_requested && j.facts.tls.done);
	assert_true(j.notes & CAP_NOTE_EMPTY_CERT && j.notes & CAP_NOTE_MAYBE_ALERT);
	told_end(&t);
}

/* A server in TLS 1.3 sends its alert and waits; the client hears it and hangs up first. */
static void who_hangs_up_first_need_not_have_refused(void **state)
{
	(void)state;
	for (unsigned goodbye = 0; goodbye < 2; goodbye++) {
		struct told t;
		told_begin(&t);
		opened(&t);
		told_tcp(&t, 1, 0, ACK, HELLO_13, SNI, NULL);
		told_tcp(&t, 1, 1, ACK, ANSWER_13, NULL);
		told_tcp(&t, 2, 0, ACK, "tcp.len=1700", "tls.record.content_type=20", "tls.record.opaque_type=23,23", "tls.record.length=1,1634,69", NULL);
		told_tcp(&t, 1, 0, ACK, DATA_13(200), NULL);
		if (goodbye)
			told_tcp(&t, 1, 0, ACK, DATA_13(19), NULL);
		told_tcp(&t, 1, 1, ACK, DATA_13(19), NULL);
		told_tcp(&t, 0, 0, FIN, NULL);
		told_tcp(&t, 0, 1, FIN, NULL);
		(void)judged(&t, 0, NULL);
		assert_int_equal(j.facts.end, goodbye ? TRUST_LOCAL : TRUST_FIN);
		if (!goodbye) {
			assert_string_equal(j.verdict.name, "closed-without-sip");
			assert_int_equal(j.verdict.certainty, TRUST_UNKNOWN);
			assert_true(j.notes & CAP_NOTE_MAYBE_ALERT);
		}
		told_end(&t);
	}
}

static void a_name_that_does_not_exist(void **state)
{
	struct told t;
	struct cap_prm prm = { 0 };
	(void)state;
	told_begin(&t);
	told_raw(&t, 0, "ip.src=10.0.0.1", "ip.dst=10.0.0.53", "udp.stream=0", "dns.id=0x1", "dns.flags.response=0", "dns.qry.name=lyncpol.domain.com", "dns.qry.type=1", NULL);
	told_raw(&t, 2, "ip.src=10.0.0.53", "ip.dst=10.0.0.1", "udp.stream=0", "dns.id=0x1", "dns.flags.response=1", "dns.flags.rcode=3", "dns.qry.name=lyncpol.domain.com",
		 "dns.qry.type=1", "dns.count.answers=0", NULL);
	told_raw(&t, 0, "ip.src=10.0.0.53", "ip.dst=10.0.0.1", "udp.stream=0", "dns.id=0x2", "dns.flags.response=1", "dns.flags.rcode=0", "dns.qry.name=good.domain.com",
		 "dns.qry.type=1", "dns.count.answers=1", "dns.a=10.0.0.2", NULL);
	assert_int_equal(t.book->n_asked, 2);
	assert_true(cap_judge_asked(&j, t.book, &t.book->asked[0], &prm));
	assert_string_equal(j.verdict.name, "dns-name-unknown");
	assert_false(cap_judge_asked(&j, t.book, &t.book->asked[1], &prm));
	assert_string_equal(cap_book_name(t.book, "10.0.0.2"), "good.domain.com");
	told_end(&t);
}

static void one_direction_proves_no_silence(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	told_tcp(&t, 0, 0, SYN, NULL);
	told_tcp(&t, 1, 0, 0x10, NULL);
	told_tcp(&t, 1, 0, ACK, HELLO_12, SNI, NULL);
	told_tcp(&t, 2, 0, ACK, "tcp.len=100", "tls.record.content_type=22,20,22", "tls.record.length=37,1,40", "tls.handshake.type=16", NULL);
	told_tcp(&t, 9000, 0, FIN, NULL);
	assert_string_equal(judged(&t, 0, NULL)->name, "nothing-known");
	assert_true(j.notes & CAP_NOTE_ONE_WAY);
	told_end(&t);
}

static void a_conversation_that_began_before(void **state)
{
	struct told t;
	(void)state;
	told_begin(&t);
	told_tcp(&t, 0, 1, ACK, "tcp.len=100", "tls.record.content_type=23", "tls.record.length=95", NULL);
	told_tcp(&t, 1, 0, ACK, "tcp.len=100", "tls.record.content_type=23", "tls.record.length=95", NULL);
	(void)judged(&t, 0, NULL);
	assert_false(trust_verdict_bad(&j.verdict));
	assert_true(j.notes & CAP_NOTE_MIDDLE);
	assert_int_equal(t.book->talk[0]->side[CAP_SERVER].port, 5061);
	told_end(&t);
}

static int lines_without_memory(void *arg)
{
	struct told t = { .us = 1800000000000000, .host = { "10.0.0.1", "10.0.0.2" }, .port = { 40000, 5061 } };
	(void)arg;
	int err = cap_book_create(&t.book);
	if (err)
		return err;
	told_tcp(&t, 0, 0, SYN, NULL);
	told_tcp(&t, 1, 1, ACK, "tcp.len=9", "tls.record.content_type=22", "tls.record.length=9", "tls.handshake.type=11", "tls.handshake.certificate=3082", NULL);
	err = t.book->err ? t.book->err : mem_failed() ? ENOMEM : 0;
	cap_book_destroy(t.book);
	return err;
}

static void memory_that_runs_out_is_told(void **state)
{
	(void)state;
	ut_oom(lines_without_memory, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { UT(the_case_of_the_lab), UT(how_others_dial_us_tells_our_name), UT(another_certificate_that_was_answered_makes_it_sure),
		UT(in_tls13_without_keys_certificates_are_hidden), UT(an_alert_that_cannot_be_read_is_not_called_a_goodbye), UT(an_answer_behind_tickets_is_an_answer),
		UT(alerts_name_who_refused_whom), UT(a_port_that_is_closed_or_silent), UT(icmp_tells_why), UT(icmp_answers_a_datagram_too), UT(exported_messages_are_a_conversation), UT(silence_after_a_request), UT(plain_sip_and_its_answers),
		UT(plain_sip_on_the_tls_port), UT(plain_sip_that_nobody_answers),
		UT(an_empty_certificate_in_tls13_is_seen_by_its_size), UT(who_hangs_up_first_need_not_have_refused), UT(a_name_that_does_not_exist), UT(a_conversation_that_began_before), UT(one_direction_proves_no_silence), UT(memory_that_runs_out_is_told) };
	return cmocka_run_group_tests(tests, make_certs, free_certs);
}

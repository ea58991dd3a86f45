/* SPDX-License-Identifier: Apache-2.0 */
/* login_test.c  Digest (RFC 8760) between a core and a peer played by hand: challenges of the peer that are answered and that are not, and calls
 * that must prove a password.                                                                                          */
#include <stdio.h>
#include "base/mem.h"
#include "call/raw.h"
#include "sip/digest.h"

static const struct sip_login login = { "umbel", "secret", "pbx" };

static void agree(struct raw *x, bool demanded)
{
	struct sip_peer *p = x->r.side[B].other;

	snprintf(p->login.user, sizeof(p->login.user), "%s", login.user);
	snprintf(p->login.password, sizeof(p->login.password), "%s", login.password);
	snprintf(p->login.realm, sizeof(p->login.realm), "%s", login.realm);
	p->login.demanded = demanded;
}

static char invite[65536];

static void calling(struct raw *x)
{
	raw_open(x, false);
	agree(x, false);
	x->r.side[B].other->port = (uint16_t)x->port;
	rig_call(&x->r, B, "200");
	heard(x, 20);
	wants(x, "INVITE sip:200@127.0.0.1 SIP/2.0");
	assert_null(strstr(x->in, "Authorization"));
	snprintf(invite, sizeof(invite), "%s", x->in);
}

static unsigned cseq_of(const char *message)
{
	return (unsigned)strtoul(strstr(message, "CSeq: ") + 6, NULL, 10);
}

#define CHALLENGE(realm, more) "WWW-Authenticate: Digest realm=\"" realm "\", nonce=\"n1\", qop=\"auth\"" more "\r\n"

/* What we say is judged by hand: the sum is that of the password. */
static void is_answered(const struct raw *x, const char *header, enum sip_digest_alg alg, const char *method, const char *uri)
{
	struct sip_challenge c = { .realm = text_of(login.realm), .nonce = TEXT("n1"), .alg = alg, .qop_auth = true };
	const char *line = strstr(x->in, header), *cnonce = line ? strstr(line, "cnonce=\"") : NULL;
	char ours[40];
	struct buf b;

	if (!cnonce)
		fail_msg("no %s in:\n%s", header, x->in);
	snprintf(ours, sizeof(ours), "%.*s", (int)strcspn(cnonce + 8, "\""), cnonce + 8);
	buf_init(&b, 2048);
	assert_int_equal(sip_digest_answer(&b, &c, &login, text_of(method), text_of(uri), ours), 0);
	if (strncmp(line + strlen(header), buf_cstr(&b), b.n) != 0)
		fail_msg("wanted %s%s in:\n%s", header, buf_cstr(&b), x->in);
	buf_free(&b);
}

static void our_invite_is_sent_again_with_the_answer(void **state)
{
	struct raw x;

	(void)state;
	calling(&x);
	answer_more(&x, 401, "t1", "WWW-Authenticate: NTLM realm=\"pbx\"\r\n" CHALLENGE("pbx", ", algorithm=SHA-256") CHALLENGE("pbx", ", algorithm=MD5"), "");
	heard(&x, 20);
	wants(&x, "ACK sip:200@127.0.0.1");
	wants(&x, "INVITE sip:200@127.0.0.1");
	is_answered(&x, "\r\nAuthorization: ", SIP_DIGEST_SHA256, "INVITE", strchr(strstr(invite, "INVITE"), ' ') ? "sip:200@127.0.0.1" : "");
	snprintf(x.in, sizeof(x.in), "%s", strstr(x.in, "INVITE sip"));
	assert_int_equal(cseq_of(x.in), cseq_of(invite) + 1);
	answer(&x, 180, "t2", "");
	answer(&x, 200, "t2", SDP);
	heard(&x, 20);
	wants(&x, "ACK sip:a@127.0.0.1");
	wants(&x, "\r\nAuthorization: Digest "); /* the ACK proves the same (RFC 3261 13.2.2.4) */
	assert_int_equal(cseq_of(x.in), cseq_of(invite) + 1);
	assert_true(leg_is_up(x.r.side[B].leg));
	/* a proxy asks in between */
	leg_hangup(x.r.side[B].leg, NULL);
	heard(&x, 20);
	wants(&x, "BYE sip:a@127.0.0.1");
	assert_null(strstr(x.in, "Authorization"));
	answer_more(&x, 407, "t2", "Proxy-Authenticate: Digest realm=\"pbx\", nonce=\"n1\", qop=\"auth\"\r\n", "");
	heard(&x, 20);
	wants(&x, "BYE sip:a@127.0.0.1");
	wants(&x, "\r\nProxy-Authorization: Digest ");
	assert_int_equal(cseq_of(x.in), cseq_of(invite) + 3);
	answer(&x, 200, "t2", "");
	assert_true(rig_until(&x.r, B, "over:we hung up:200", 100));
	raw_close(&x);
}

/* The request of that method stands alone in x->in. */
static void alone(struct raw *x, const char *method)
{
	const char *at = strstr(x->in, method);

	if (!at)
		fail_msg("no %s in:\n%s", method, x->in);
	memmove(x->in, at, strlen(at) + 1);
}

/* Hold and transfer (RFC 3261 22.2): each is said again with the answer and a CSeq of its own. */
static void requests_within_a_call_too(void **state)
{
	unsigned cseq;
	char uri[100];
	struct raw x;

	(void)state;
	calling(&x);
	answer(&x, 200, "t2", SDP);
	heard(&x, 20);
	assert_int_equal(leg_hold(x.r.side[B].leg, true), 0);
	heard(&x, 20);
	alone(&x, "INVITE sip:a@127.0.0.1");
	cseq = cseq_of(x.in);
	answer_more(&x, 401, "t2", CHALLENGE("pbx", ", algorithm=SHA-256"), "");
	heard(&x, 20);
	wants(&x, "ACK sip:a@127.0.0.1");
	alone(&x, "INVITE sip:a@127.0.0.1");
	assert_int_equal(cseq_of(x.in), cseq + 1);
	snprintf(uri, sizeof(uri), "%.*s", (int)strcspn(x.in + 7, " "), x.in + 7);
	is_answered(&x, "\r\nAuthorization: ", SIP_DIGEST_SHA256, "INVITE", uri);
	wants(&x, "a=sendonly");
	answer(&x, 200, "t2", SDP);
	heard(&x, 20);
	wants(&x, "ACK sip:a@127.0.0.1");
	wants(&x, "\r\nAuthorization: Digest ");
	assert_int_equal(cseq_of(x.in), cseq + 1);
	assert_int_equal(leg_transfer(x.r.side[B].leg, "sip:300@x.test", NULL), 0);
	heard(&x, 20);
	alone(&x, "REFER sip:a@127.0.0.1");
	cseq = cseq_of(x.in);
	answer_more(&x, 407, "t2", "Proxy-Authenticate: Digest realm=\"pbx\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256\r\n", "");
	heard(&x, 20);
	alone(&x, "REFER sip:a@127.0.0.1");
	assert_int_equal(cseq_of(x.in), cseq + 1);
	wants(&x, "\r\nProxy-Authorization: Digest ");
	answer(&x, 202, "t2", "");
	assert_true(rig_until(&x.r, B, "transferring:202", 100));
	raw_close(&x);
}

static void others_get_no_answer(void **state)
{
	static const char *const more[] = { CHALLENGE("elsewhere", ""), CHALLENGE("pbx", ", algorithm=SHA-1"), "", "WWW-Authenticate: Basic realm=\"pbx\"\r\n",
		                            "Proxy-Authenticate: Digest realm=\"pbx\", nonce=\"n\"\r\n" };
	struct raw x;

	(void)state;
	for (unsigned i = 0; i < sizeof(more) / sizeof(*more); i++) {
		calling(&x);
		answer_more(&x, 401, "t1", more[i], "");
		assert_true(rig_until(&x.r, B, "over:refused:401", 100));
		raw_close(&x);
	}
	calling(&x); /* wrong password: once, and no more */
	answer_more(&x, 401, "t1", CHALLENGE("pbx", ""), "");
	heard(&x, 20);
	snprintf(x.in, sizeof(x.in), "%s", strstr(x.in, "INVITE sip"));
	answer_more(&x, 401, "t1", CHALLENGE("pbx", ""), "");
	assert_true(rig_until(&x.r, B, "over:refused:401", 100));
	raw_close(&x);

	calling(&x); /* stale: once more, and no more */
	answer_more(&x, 401, "t1", CHALLENGE("pbx", ""), "");
	heard(&x, 20);
	snprintf(x.in, sizeof(x.in), "%s", strstr(x.in, "INVITE sip"));
	answer_more(&x, 401, "t1", CHALLENGE("pbx", ", stale=true"), "");
	heard(&x, 20);
	snprintf(x.in, sizeof(x.in), "%s", strstr(x.in, "INVITE sip"));
	wants(&x, "\r\nAuthorization: Digest ");
	answer_more(&x, 401, "t1", CHALLENGE("pbx", ", stale=true"), "");
	assert_true(rig_until(&x.r, B, "over:refused:401", 100));
	raw_close(&x);
}

/* A Contact leads to anybody: he is told nothing that the password made. */
static void whom_a_contact_names_gets_no_answer(void **state)
{
	struct raw x;

	(void)state;
	calling(&x);
	answer(&x, 200, "t1", SDP);
	heard(&x, 20);
	assert_true(leg_is_up(x.r.side[B].leg));
	snprintf(x.r.side[B].other->host, sizeof(x.r.side[B].other->host), "gateway.test");
	leg_hangup(x.r.side[B].leg, NULL);
	heard(&x, 20);
	wants(&x, "BYE sip:a@127.0.0.1");
	answer_more(&x, 401, "t1", CHALLENGE("pbx", ""), "");
	assert_null(strstr(heard(&x, 20), "Authorization"));
	assert_true(rig_until(&x.r, B, "over:we hung up:401", 100));
	raw_close(&x);
}

static void requests_outside_of_calls_too(void **state)
{
	struct rig_result result = { 0 };
	struct raw x;

	(void)state;
	raw_open(&x, false);
	agree(&x, false);
	x.r.side[B].other->port = (uint16_t)x.port;
	struct sip_request_prm prm = { .method = "NOTIFY", .user = "200" };
	assert_int_equal(sip_request_send(NULL, x.r.side[B].core, x.r.side[B].other, &prm, rig_on_result, &result), 0);
	heard(&x, 20);
	snprintf(invite, sizeof(invite), "%s", x.in);
	answer_more(&x, 407, "t1", "Proxy-Authenticate: Digest realm=\"pbx\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-512-256\r\n", "");
	heard(&x, 20);
	wants(&x, "NOTIFY sip:200@127.0.0.1");
	wants(&x, "algorithm=SHA-512-256");
	assert_int_equal(cseq_of(x.in), cseq_of(invite) + 1);
	answer(&x, 200, "t1", "");
	heard(&x, 20);
	assert_true(result.done);
	assert_int_equal(result.res.status, 200);
	raw_close(&x);
}

/* ---- calls that must prove a password ---- */
static const char *nonce_in(const struct raw *x, char *dst, size_t size)
{
	const char *at = strstr(x->in, "nonce=\"");

	assert_non_null(at);
	snprintf(dst, size, "%.*s", (int)strcspn(at + 7, "\""), at + 7);
	return dst;
}

static void prove(struct raw *x, const char *branch, const struct sip_login *who, const char *nonce, enum sip_digest_alg alg)
{
	struct sip_challenge c = { .realm = text_of(who->realm), .nonce = text_of(nonce), .alg = alg, .qop_auth = true };
	char more[1024];
	struct buf b;

	buf_init(&b, 2048);
	assert_int_equal(sip_digest_answer(&b, &c, who, TEXT("INVITE"), TEXT("sip:100@127.0.0.1"), "abc"), 0);
	snprintf(more, sizeof(more), "Authorization: %s\r\n", buf_cstr(&b));
	buf_free(&b);
	x->tag[0] = '\0';
	x->cseq++;
	say(x, "INVITE", branch, more, SDP);
	heard(x, 20);
}

static void calls_prove_the_password(void **state)
{
	const struct sip_login wrong = { "umbel", "guess", "pbx" }, other = { "umbel", "secret", "elsewhere" };
	char nonce[100], first[100];
	struct raw x;

	(void)state;
	raw_open(&x, false);
	agree(&x, true);
	say(&x, "OPTIONS", "0", "", "");
	heard(&x, 20);
	wants(&x, "SIP/2.0 200 "); /* a probe needs none */
	x.tag[0] = '\0';
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 20);
	wants(&x, "SIP/2.0 401 ");
	assert_int_equal(count(x.in, "WWW-Authenticate: Digest realm=\"pbx\", qop=\"auth\", nonce="), 3);
	wants(&x, "algorithm=SHA-512-256");
	wants(&x, "algorithm=MD5");
	assert_string_equal(x.r.side[B].log, "");
	nonce_in(&x, first, sizeof(first));
	prove(&x, "2", &wrong, first, SIP_DIGEST_SHA256);
	wants(&x, "SIP/2.0 401 ");
	prove(&x, "3", &other, first, SIP_DIGEST_SHA256);
	wants(&x, "SIP/2.0 401 ");
	prove(&x, "4", &login, "0123.4567", SIP_DIGEST_SHA256);
	wants(&x, "SIP/2.0 401 ");
	assert_string_equal(x.r.side[B].log, "");
	for (int alg = 0; alg < SIP_DIGEST_ALGS; alg++) {
		char branch[8];
		snprintf(branch, sizeof(branch), "5%d", alg);
		prove(&x, branch, &login, first, (enum sip_digest_alg)alg);
		wants(&x, "SIP/2.0 200 ");
	}
	rig_run(&x.r, (SIP_NONCE_S + 2) * 1000);
	heard(&x, 20);
	prove(&x, "6", &login, first, SIP_DIGEST_SHA256);
	wants(&x, "SIP/2.0 401 ");
	wants(&x, "stale=true");
	prove(&x, "7", &login, nonce_in(&x, nonce, sizeof(nonce)), SIP_DIGEST_SHA256);
	wants(&x, "SIP/2.0 200 ");
	raw_close(&x);
}

UT_MAIN(UT(our_invite_is_sent_again_with_the_answer), UT(requests_within_a_call_too), UT(others_get_no_answer), UT(whom_a_contact_names_gets_no_answer), UT(requests_outside_of_calls_too), UT(calls_prove_the_password))

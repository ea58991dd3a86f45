/* SPDX-License-Identifier: Apache-2.0 */
/* login_test.c  Digest (RFC 8760) between a core and a peer played by hand: challenges of the peer that are answered and that are not, and calls
 * that must prove a password.                                                                                          */
#include <stdio.h>
#include "base/mem.h"
#include "call/raw.h"
#include "event/bus.h"
#include "sip/digest.h"
#include "sip_events.h"

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
static void is_proven(const struct raw *x, const char *header, const struct sip_challenge *c, uint32_t times, const char *method, const char *uri, const char *body)
{
	const struct sip_digest_of of = { text_of(method), text_of(uri), text_of(body) };
	const char *line = strstr(x->in, header), *cnonce = line ? strstr(line, "cnonce=\"") : NULL;
	char ours[40];
	struct buf b;

	if (!cnonce)
		fail_msg("no %s in:\n%s", header, x->in);
	snprintf(ours, sizeof(ours), "%.*s", (int)strcspn(cnonce + 8, "\""), cnonce + 8);
	buf_init(&b, 2048);
	assert_int_equal(sip_digest_answer(&b, c, &login, &of, times, ours), 0);
	if (strncmp(line + strlen(header), buf_cstr(&b), b.n) != 0)
		fail_msg("wanted %s%s in:\n%s", header, buf_cstr(&b), x->in);
	buf_free(&b);
}

static void is_answered(const struct raw *x, const char *header, enum sip_digest_alg alg, const char *method, const char *uri)
{
	struct sip_challenge c = { .realm = text_of(login.realm), .nonce = TEXT("n1"), .alg = alg, .qop_auth = true };

	is_proven(x, header, &c, 1, method, uri, "");
}

/* The body of the request that stands last in x->in. */
static const char *body_of(const struct raw *x)
{
	const char *at = x->in, *next;

	while ((next = strstr(at, "\r\n\r\n")))
		at = next + 4;
	for (next = x->in; strstr(next, "\r\n\r\n") && strstr(next, "\r\n\r\n")[4]; )
		next = strstr(next, "\r\n\r\n") + 4;
	return next == x->in ? "" : next;
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
	struct sip_challenge c = { .realm = TEXT("pbx"), .nonce = TEXT("n1"), .alg = SIP_DIGEST_SHA256, .qop_auth = true };
	char uri[100];
	snprintf(uri, sizeof(uri), "%.*s", (int)strcspn(x.in + 4, " "), x.in + 4);
	is_proven(&x, "\r\nAuthorization: ", &c, 2, "BYE", uri, ""); /* unasked, counted on */
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

static void prove(struct raw *x, const char *branch, const struct sip_login *who, const char *nonce, uint32_t times, enum sip_digest_alg alg, bool integrity, const char *body)
{
	struct sip_challenge c = { .realm = text_of(who->realm), .nonce = text_of(nonce), .alg = alg, .qop_auth = !integrity, .qop_int = integrity };
	const struct sip_digest_of of = { TEXT("INVITE"), TEXT("sip:100@127.0.0.1"), text_of(body) };
	char more[1024];
	struct buf b;

	buf_init(&b, 2048);
	assert_int_equal(sip_digest_answer(&b, &c, who, &of, times, "abc"), 0);
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
	assert_int_equal(count(x.in, "WWW-Authenticate: Digest realm=\"pbx\", qop=\"auth,auth-int\", nonce="), 3);
	wants(&x, "algorithm=SHA-512-256");
	wants(&x, "algorithm=MD5");
	assert_string_equal(x.r.side[B].log, "");
	nonce_in(&x, first, sizeof(first));
	prove(&x, "2", &wrong, first, 1, SIP_DIGEST_SHA256, false, SDP);
	wants(&x, "SIP/2.0 401 ");
	prove(&x, "3", &other, first, 1, SIP_DIGEST_SHA256, false, SDP);
	wants(&x, "SIP/2.0 401 ");
	prove(&x, "4", &login, "0123.4567", 1, SIP_DIGEST_SHA256, false, SDP);
	wants(&x, "SIP/2.0 401 ");
	assert_string_equal(x.r.side[B].log, "");
	for (int alg = 0; alg < SIP_DIGEST_ALGS; alg++) {
		char branch[8];
		snprintf(branch, sizeof(branch), "5%d", alg);
		prove(&x, branch, &login, first, (uint32_t)alg + 1, (enum sip_digest_alg)alg, false, SDP);
		wants(&x, "SIP/2.0 200 ");
	}
	rig_run(&x.r, (SIP_NONCE_S + 2) * 1000);
	heard(&x, 20);
	prove(&x, "6", &login, first, 4, SIP_DIGEST_SHA256, false, SDP);
	wants(&x, "SIP/2.0 401 ");
	wants(&x, "stale=true");
	prove(&x, "7", &login, nonce_in(&x, nonce, sizeof(nonce)), 1, SIP_DIGEST_SHA256, false, SDP);
	wants(&x, "SIP/2.0 200 ");
	raw_close(&x);
}

/* For those who read the first challenge only, and know no other sum. */
static void asked_for_md5_alone(void **state)
{
	char nonce[100];
	struct raw x;

	(void)state;
	raw_open(&x, false);
	agree(&x, true);
	x.r.side[B].other->login.md5_only = true;
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 20);
	wants(&x, "SIP/2.0 401 ");
	assert_int_equal(count(x.in, "WWW-Authenticate: "), 1);
	wants(&x, "algorithm=MD5");
	prove(&x, "2", &login, nonce_in(&x, nonce, sizeof(nonce)), 1, SIP_DIGEST_MD5, true, SDP);
	wants(&x, "SIP/2.0 200 ");
	raw_close(&x);
}

/* Whoever hears a proof and says it once more is asked again, with another nonce; counts may come in any order. */
static void a_proof_is_good_for_one_request(void **state)
{
	char nonce[100];
	struct raw x;

	(void)state;
	raw_open(&x, false);
	agree(&x, true);
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 20);
	nonce_in(&x, nonce, sizeof(nonce));
	prove(&x, "2", &login, nonce, 3, SIP_DIGEST_SHA256, false, SDP);
	wants(&x, "SIP/2.0 200 ");
	prove(&x, "3", &login, nonce, 3, SIP_DIGEST_SHA256, false, SDP);
	wants(&x, "SIP/2.0 401 ");
	wants(&x, "stale=true");
	prove(&x, "4", &login, nonce, 2, SIP_DIGEST_SHA256, false, SDP);
	wants(&x, "SIP/2.0 200 ");
	prove(&x, "5", &login, nonce, 2, SIP_DIGEST_SHA256, false, SDP);
	wants(&x, "SIP/2.0 401 ");
	prove(&x, "6", &login, nonce, 200, SIP_DIGEST_SHA256, false, SDP);
	wants(&x, "SIP/2.0 200 ");
	prove(&x, "7", &login, nonce, 100, SIP_DIGEST_SHA256, false, SDP);
	wants(&x, "SIP/2.0 401 "); /* too long ago to know */
	raw_close(&x);
}

/* auth-int; the answer proves in turn that we know the password, and what it holds. */
static void a_changed_body_proves_nothing(void **state)
{
	const struct sip_login who = login;
	struct sip_digest_info info;
	char nonce[100], proof[400];
	struct raw x;

	(void)state;
	raw_open(&x, false);
	agree(&x, true);
	say(&x, "INVITE", "1", "", SDP);
	heard(&x, 20);
	nonce_in(&x, nonce, sizeof(nonce));
	prove(&x, "2", &login, nonce, 1, SIP_DIGEST_SHA256, true, SDP "a=x\r\n");
	wants(&x, "SIP/2.0 401 ");
	assert_null(strstr(x.in, "stale"));
	assert_null(strstr(x.in, "Authentication-Info"));
	prove(&x, "3", &login, nonce, 1, SIP_DIGEST_SHA256, true, SDP);
	alone(&x, "SIP/2.0 200 ");
	wants(&x, "\r\nAuthentication-Info: qop=auth-int, rspauth=\"");
	assert_null(strstr(x.in, "nextnonce"));
	const char *at = strstr(x.in, "Authentication-Info: ") + 21;
	snprintf(proof, sizeof(proof), "%.*s", (int)strcspn(at, "\r"), at);
	struct sip_challenge c = { .realm = TEXT("pbx"), .nonce = text_of(nonce), .alg = SIP_DIGEST_SHA256, .qop_int = true };
	const struct sip_digest_of of = { TEXT("INVITE"), TEXT("sip:100@127.0.0.1"), TEXT(SDP) };
	struct buf said;
	buf_init(&said, 2048);
	assert_int_equal(sip_digest_answer(&said, &c, &who, &of, 1, "abc"), 0);
	assert_int_equal(sip_digest_info(&info, text_of(proof), buf_as_text(&said), &who, text_of(body_of(&x))), 0);
	assert_true(info.proven);
	buf_free(&said);
	/* half its time later a fresh nonce is handed out, which is good */
	rig_run(&x.r, (SIP_NONCE_S / 2 + 2) * 1000);
	heard(&x, 20);
	prove(&x, "4", &login, nonce, 2, SIP_DIGEST_SHA256, false, SDP);
	alone(&x, "SIP/2.0 200 ");
	wants(&x, "nextnonce=\"");
	alone(&x, "nextnonce=\"");
	nonce_in(&x, proof, sizeof(proof));
	prove(&x, "5", &login, proof, 1, SIP_DIGEST_SHA256, false, SDP);
	wants(&x, "SIP/2.0 200 ");
	raw_close(&x);
}

/* ---- what gateways do with our proofs ---- */
static void notify(struct raw *x, struct rig_result *result)
{
	struct sip_request_prm prm = { .method = "NOTIFY", .user = "200", .content_type = "text/plain", .body = "waiting", .body_n = 7 };

	*result = (struct rig_result){ 0 };
	assert_int_equal(sip_request_send(NULL, x->r.side[B].core, x->r.side[B].other, &prm, rig_on_result, result), 0);
	heard(x, 20);
	alone(x, "NOTIFY ");
}

static void to_the_peer(struct raw *x)
{
	raw_open(x, false);
	agree(x, false);
	x->r.side[B].other->port = (uint16_t)x->port;
}

/* Of the request that stands in x->in. */
static const char *uri_of(const struct raw *x)
{
	static char uri[100];
	const char *at = strchr(x->in, ' ') + 1;

	snprintf(uri, sizeof(uri), "%.*s", (int)strcspn(at, " "), at);
	return uri;
}

#define ASKED(more) "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"n1\"" more "\r\n"

static void the_strongest_of_several_is_answered(void **state)
{
	struct rig_result result;
	struct raw x;

	(void)state;
	to_the_peer(&x);
	notify(&x, &result);
	answer_more(&x, 401, "t1", ASKED(", qop=\"auth\", algorithm=MD5") "WWW-Authenticate: Digest realm=\"elsewhere\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-512-256\r\n"
	            ASKED(", qop=\"auth\", algorithm=SHA-256") ASKED(", qop=\"auth\", algorithm=SHA-1024"), "");
	heard(&x, 20);
	is_answered(&x, "\r\nAuthorization: ", SIP_DIGEST_SHA256, "NOTIFY", uri_of(&x));
	raw_close(&x);
}

static void a_gateway_that_wants_integrity_gets_it(void **state)
{
	struct sip_challenge c = { .realm = TEXT("pbx"), .nonce = TEXT("n1"), .alg = SIP_DIGEST_MD5, .qop_int = true };
	struct rig_result result;
	struct raw x;

	(void)state;
	to_the_peer(&x);
	notify(&x, &result);
	answer_more(&x, 401, "t1", ASKED(", qop=\"auth-int\", algorithm=MD5"), "");
	heard(&x, 20);
	is_proven(&x, "\r\nAuthorization: ", &c, 1, "NOTIFY", uri_of(&x), "waiting");
	wants(&x, "qop=auth-int");
	c.qop_int = false; /* an old one (RFC 2069), with a session key */
	c.sess = true;
	answer_more(&x, 401, "t1", ASKED(", algorithm=MD5-sess, stale=true"), "");
	heard(&x, 20);
	is_proven(&x, "\r\nAuthorization: ", &c, 1, "NOTIFY", uri_of(&x), "waiting");
	answer(&x, 200, "t1", "");
	heard(&x, 20);
	assert_int_equal(result.res.status, 200);
	notify(&x, &result); /* a session key is of one challenge */
	assert_null(strstr(x.in, "Authorization"));
	raw_close(&x);
}

static void both_proxy_and_server_are_answered(void **state)
{
	struct rig_result result;
	struct raw x;

	(void)state;
	to_the_peer(&x);
	notify(&x, &result);
	answer_more(&x, 407, "t1", CHALLENGE("pbx", "") "Proxy-Authenticate: Digest realm=\"pbx\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256\r\n", "");
	heard(&x, 20);
	is_answered(&x, "\r\nProxy-Authorization: ", SIP_DIGEST_SHA256, "NOTIFY", uri_of(&x));
	is_answered(&x, "\r\nAuthorization: ", SIP_DIGEST_MD5, "NOTIFY", uri_of(&x));
	raw_close(&x);
}

static void proven_once_is_said_ahead(void **state)
{
	struct sip_challenge c = { .realm = TEXT("pbx"), .nonce = TEXT("n1"), .alg = SIP_DIGEST_MD5, .qop_auth = true };
	struct rig_result result;
	struct raw x;

	(void)state;
	to_the_peer(&x);
	notify(&x, &result);
	answer_more(&x, 401, "t1", CHALLENGE("pbx", ""), "");
	heard(&x, 20);
	answer(&x, 200, "t1", "");
	heard(&x, 20);
	for (uint32_t n = 2; n < 4; n++) { /* counted on */
		notify(&x, &result);
		is_proven(&x, "\r\nAuthorization: ", &c, n, "NOTIFY", uri_of(&x), "");
		answer(&x, 200, "t1", "");
		heard(&x, 20);
		assert_int_equal(result.res.status, 200);
	}
	notify(&x, &result); /* the gateway hands out a nonce */
	answer_more(&x, 200, "t1", "Authentication-Info: nextnonce=\"n7\"\r\n", "");
	heard(&x, 20);
	notify(&x, &result);
	c.nonce = TEXT("n7");
	is_proven(&x, "\r\nAuthorization: ", &c, 1, "NOTIFY", uri_of(&x), "");
	answer_more(&x, 401, "t1", CHALLENGE("pbx", ""), ""); /* and does not take it: answered as if nothing had been said */
	heard(&x, 20);
	is_answered(&x, "\r\nAuthorization: ", SIP_DIGEST_MD5, "NOTIFY", uri_of(&x));
	answer(&x, 200, "t1", "");
	heard(&x, 20);
	assert_int_equal(result.res.status, 200);
	rig_run(&x.r, 61 * 1000);
	notify(&x, &result); /* a minute later nothing is left of it */
	assert_null(strstr(x.in, "Authorization"));
	answer(&x, 200, "t1", "");
	raw_close(&x);
}

/* Its nonces are good for one request: that is tried once, and no more. */
static void a_gateway_of_single_nonces_is_not_asked_twice(void **state)
{
	struct rig_result result;
	struct raw x;

	(void)state;
	to_the_peer(&x);
	for (unsigned i = 0; i < 3; i++) {
		notify(&x, &result);
		if (i == 1)
			wants(&x, "nc=00000002");
		else
			assert_null(strstr(x.in, "Authorization"));
		answer_more(&x, 401, "t1", CHALLENGE("pbx", ""), "");
		heard(&x, 20);
		alone(&x, "NOTIFY ");
		wants(&x, "nc=00000001");
		answer(&x, 200, "t1", "");
		heard(&x, 20);
		assert_int_equal(result.res.status, 200);
	}
	raw_close(&x);
}

static void count_told(const struct ev_record *rec, void *arg)
{
	if (rec->report.id == EV_SIP_PROOF_WRONG)
		++*(unsigned *)arg;
}

static void who_does_not_know_the_password_is_told(void **state)
{
	struct clock_fake clock;
	struct rig_result result;
	unsigned told = 0;
	struct raw x;

	(void)state;
	clock_fake_init(&clock, TC_NOW);
	assert_int_equal(ev_bus_create(&rig_bus, &clock.clock, 64), 0);
	ev_bus_level(rig_bus, EV_CAT_SIP, EV_LEVEL_HIGH);
	to_the_peer(&x);
	notify(&x, &result);
	answer_more(&x, 401, "t1", CHALLENGE("pbx", ""), "");
	heard(&x, 20);
	answer_more(&x, 200, "t1", "Authentication-Info: nextnonce=\"n7\", qop=auth, rspauth=\"00112233445566778899aabbccddeeff\"\r\n", "");
	heard(&x, 20);
	assert_int_equal(result.res.status, 200);
	ev_bus_flush(rig_bus);
	ev_bus_read(rig_bus, 0, 64, count_told, &told);
	assert_int_equal(told, 1);
	notify(&x, &result); /* its nonce is not used */
	wants(&x, "nonce=\"n1\"");
	answer(&x, 200, "t1", "");
	raw_close(&x);
	ev_bus_destroy(rig_bus);
	rig_bus = NULL;
}

UT_MAIN(UT(a_proof_is_good_for_one_request), UT(a_changed_body_proves_nothing), UT(the_strongest_of_several_is_answered), UT(a_gateway_that_wants_integrity_gets_it),
	UT(both_proxy_and_server_are_answered), UT(proven_once_is_said_ahead), UT(a_gateway_of_single_nonces_is_not_asked_twice), UT(who_does_not_know_the_password_is_told),
	UT(our_invite_is_sent_again_with_the_answer), UT(requests_within_a_call_too), UT(others_get_no_answer), UT(whom_a_contact_names_gets_no_answer), UT(requests_outside_of_calls_too), UT(calls_prove_the_password), UT(asked_for_md5_alone))

/* SPDX-License-Identifier: Apache-2.0 */
/* look_test.c  A look at a server that insists on a certificate, at one that is not trusted, at one that refuses ours, at one that speaks no TLS, and
 * at nobody: what is shown is taken in any case.                                                                                  */
#include "cert/look.h"
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "support/certs.h"
#include "ut.h"

struct host {
	int fd;
	uint16_t port;
	pthread_t thread;
	const struct tc *cert; /* NULL: speaks something else */
	const struct tc *trusts;
	int version;
	char sni[64], saw[64];
};

static void speak_tls(struct host *h, int fd)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(ctx, h->cert->cert);
	SSL_CTX_use_PrivateKey(ctx, h->cert->key);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), h->trusts->cert);
	X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(ctx), TC_NOW);
	SSL_CTX_set_max_proto_version(ctx, h->version);
	SSL *ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	int good = SSL_accept(ssl);
	const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	text_fill(h->sni, sizeof h->sni, sni ? sni : "");
	X509 *theirs = good == 1 ? SSL_get1_peer_certificate(ssl) : NULL;
	if (theirs)
		X509_NAME_get_text_by_NID(X509_get_subject_name(theirs), NID_commonName, h->saw, sizeof h->saw);
	X509_free(theirs);
	char byte;
	if (good == 1)
		(void)SSL_read(ssl, &byte, 1); /* until it hangs up */
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void *serve(void *arg)
{
	struct host *h = arg;
	int fd = accept(h->fd, NULL, NULL);
	if (h->cert)
		speak_tls(h, fd);
	else
		(void)!write(fd, "SIP/2.0 400 Bad Request\r\n\r\n", 27);
	close(fd);
	return NULL;
}

static void up(struct host *h)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(h->fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(h->fd, 4), 0);
	assert_int_equal(getsockname(h->fd, (struct sockaddr *)&a, &n), 0);
	h->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&h->thread, NULL, serve, h), 0);
}

static void down(struct host *h)
{
	pthread_join(h->thread, NULL);
	close(h->fd);
}

/* ---- who looks ---- */

struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct trust_set *set;
	struct tc root, other, ours, leaf;
	bool over, seen, accepted;
	char verdict[48];
	enum trust_who who;
};

static void open_bench(struct bench *b)
{
	struct trust_identity *id;
	memset(b, 0, sizeof *b);
	clock_fake_init(&b->clock, TC_NOW);
	assert_int_equal(loop_create(&b->loop, &b->clock.clock), 0);
	tc_root(&b->root, "Lab CA");
	tc_root(&b->other, "Other CA");
	tc_leaf(&b->ours, &b->root, "node01.domain.local", "DNS:node01.domain.local");
	tc_leaf(&b->leaf, &b->root, "node02.domain.local", "DNS:node02.domain.local");
	assert_int_equal(trust_identity_from(&id, "own", b->ours.cert, NULL, b->ours.key, NULL), 0);
	assert_int_equal(trust_set_create(&b->set), 0);
	assert_int_equal(trust_set_identity(b->set, id), 0);
	assert_int_equal(trust_set_anchor(b->set, b->root.cert), 0);
	mem_unref(id);
}

static void close_bench(struct bench *b)
{
	loop_destroy(b->loop);
	mem_unref(b->set);
	tc_free(&b->root);
	tc_free(&b->other);
	tc_free(&b->ours);
	tc_free(&b->leaf);
}

static void looked(const struct cert_look_result *res, void *arg)
{
	struct bench *b = arg;
	struct sip_peer *p;
	b->over = true;
	b->seen = res->chain && X509_cmp(sk_X509_value(res->chain, 0), b->leaf.cert) == 0;
	b->accepted = res->accepted;
	b->who = res->verdict->who;
	text_fill(b->verdict, sizeof b->verdict, res->verdict->name);
	assert_int_equal(cert_look_peer(&p, "node02.domain.local", 5061), 0);
	json_t *o = cert_look_json(res, p);
	assert_int_equal(json_is_true(json_object_get(o, "seen")), res->chain != NULL);
	assert_int_equal(*json_string_value(json_object_get(o, "sentence")) == 0, res->accepted);
	json_decref(o);
	mem_unref(p);
}

static struct cert_look *look_at(struct bench *b, const char *name, uint16_t port)
{
	struct sip_peer *peer;
	struct cert_look *l = NULL;
	struct cert_look_prm prm = { .loop = b->loop, .clock = &b->clock.clock, .set = b->set };
	assert_int_equal(cert_look_peer(&peer, name, port), 0);
	text_fill(peer->sni, sizeof peer->sni, name);
	text_fill(peer->host, sizeof peer->host, "127.0.0.1");
	prm.peer = peer;
	b->over = b->seen = b->accepted = false;
	assert_int_equal(cert_look_start(&l, &prm, looked, b), 0);
	mem_unref(peer);
	return l;
}

static void until_over(struct bench *b)
{
	for (int i = 0; i < 2000 && !b->over; i++) {
		loop_step(b->loop, 5);
		clock_fake_advance_ms(&b->clock, 5);
	}
	assert_true(b->over);
}

static void ours_is_shown_and_theirs_is_taken(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct bench b;
	(void)state;
	open_bench(&b);
	for (int i = 0; i < 2; i++) {
		struct host h = { .cert = &b.leaf, .trusts = &b.root, .version = versions[i] };
		up(&h);
		look_at(&b, "node02.domain.local", h.port);
		until_over(&b);
		down(&h);
		assert_true(b.seen && b.accepted);
		assert_string_equal(h.sni, "node02.domain.local");
		assert_string_equal(h.saw, "node01.domain.local");
	}
	close_bench(&b);
}

/* By us for its name, by them for our issuer: what was shown is there in either case, and who refused whom is said. */
static void who_is_refused_is_seen_too(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct bench b;
	(void)state;
	open_bench(&b);
	for (int i = 0; i < 2; i++) {
		struct host h = { .cert = &b.leaf, .trusts = &b.root, .version = versions[i] };
		up(&h);
		look_at(&b, "node03.domain.local", h.port);
		until_over(&b);
		down(&h);
		assert_true(b.seen && !b.accepted);
		assert_int_equal(b.who, TRUST_US);
		struct host strict = { .cert = &b.leaf, .trusts = &b.other, .version = versions[i] };
		up(&strict);
		look_at(&b, "node02.domain.local", strict.port);
		until_over(&b);
		down(&strict);
		assert_true(b.seen && !b.accepted);
		assert_int_equal(b.who, TRUST_PEER);
	}
	close_bench(&b);
}

static void others_are_named(void **state)
{
	struct host h = { .cert = NULL };
	struct bench b;
	(void)state;
	open_bench(&b);
	up(&h);
	look_at(&b, "node02.domain.local", h.port);
	until_over(&b);
	down(&h);
	assert_false(b.seen || b.accepted);
	assert_string_equal(b.verdict, "plain-sip-on-tls-port");
	look_at(&b, "node02.domain.local", h.port);
	until_over(&b);
	assert_false(b.seen || b.accepted);
	assert_string_equal(b.verdict, "connection-refused");
	cert_look_cancel(look_at(&b, "node02.domain.local", h.port));
	for (int i = 0; i < 20; i++)
		loop_step(b.loop, 1);
	assert_false(b.over);
	close_bench(&b);
}

static void looked_plain(const struct cert_look_result *res, void *arg)
{
	struct bench *b = arg;
	struct sip_peer *p = NULL;
	b->over = true;
	assert_null(res->chain);
	assert_false(res->accepted);
	assert_string_equal(res->plain, "UDP");
	assert_string_equal(res->by, "");
	assert_int_equal(cert_look_peer(&p, "pbx.domain.local", 0), 0);
	json_t *o = cert_look_json(res, p);
	assert_false(json_is_true(json_object_get(o, "seen")) || json_is_true(json_object_get(o, "accepted")));
	assert_non_null(strstr(json_string_value(json_object_get(o, "sentence")), "pbx.domain.local is dialled by UDP"));
	json_decref(o);
	mem_unref(p);
}

/* transport: auto, and DNS leads to no TLS: nobody is dialled, and that is said. */
static void whom_dns_leads_to_without_tls_is_not_dialled(void **state)
{
	struct sip_peer *peer;
	struct cert_look *l;
	struct dns *dns;
	struct bench b;
	(void)state;
	open_bench(&b);
	assert_int_equal(dns_create(&dns, b.loop, "127.0.0.1:9"), 0);
	assert_int_equal(cert_look_peer(&peer, "pbx.domain.local", 0), 0);
	text_fill(peer->host, sizeof peer->host, "127.0.0.1"); /* RFC 3263 4.1: an address without a transport is reached by UDP */
	peer->transport = NET_ANY;
	struct cert_look_prm prm = { .loop = b.loop, .dns = dns, .clock = &b.clock.clock, .set = b.set, .peer = peer };
	assert_int_equal(cert_look_start(&l, &prm, looked_plain, &b), 0);
	until_over(&b);
	mem_unref(peer);
	dns_destroy(dns);
	close_bench(&b);
}

UT_MAIN(UT(whom_dns_leads_to_without_tls_is_not_dialled), UT(ours_is_shown_and_theirs_is_taken), UT(who_is_refused_is_seen_too), UT(others_are_named))

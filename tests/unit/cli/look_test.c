/* SPDX-License-Identifier: Apache-2.0 */
/* look_test.c  A look at a server that insists on a certificate, at one that speaks no TLS, and at nobody. */
#include "cli/look.h"
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "support/certs.h"
#include "trust/pem.h"
#include "ut.h"

struct host {
	int fd;
	uint16_t port;
	pthread_t thread;
	const struct tc *cert; /* NULL: speaks something else */
	int version;
	char sni[64];
};

static void speak_tls(struct host *h, int fd)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(ctx, h->cert->cert);
	SSL_CTX_use_PrivateKey(ctx, h->cert->key);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_max_proto_version(ctx, h->version);
	SSL *ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	(void)SSL_accept(ssl); /* never gets a certificate */
	const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	text_fill(h->sni, sizeof h->sni, sni ? sni : "");
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

static void what_is_shown_is_taken(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct tc root, leaf;
		STACK_OF(X509) *all = NULL;
		char why[LOOK_WHY_SIZE] = "";
		struct buf pem;
		tc_root(&root, "Lab CA");
		tc_leaf(&leaf, &root, "node02.domain.local", "DNS:node02.domain.local");
		struct host h = { .cert = &leaf, .version = versions[i] };
		up(&h);
		buf_init(&pem, 1 << 20);
		assert_int_equal(look_certificate(&pem, "localhost", h.port, why), 0);
		assert_int_equal(trust_pem_certs(&all, buf_as_text(&pem)), 0);
		assert_int_equal(X509_cmp(sk_X509_value(all, 0), leaf.cert), 0);
		down(&h);
		assert_string_equal(h.sni, "localhost");
		sk_X509_pop_free(all, X509_free);
		buf_free(&pem);
		tc_free(&leaf);
		tc_free(&root);
	}
}

static void others_are_named(void **state)
{
	struct host h = { .cert = NULL };
	char why[LOOK_WHY_SIZE] = "";
	struct buf pem;
	(void)state;
	buf_init(&pem, 1 << 20);
	up(&h);
	assert_int_equal(look_certificate(&pem, "127.0.0.1", h.port, why), EPROTO);
	assert_non_null(strstr(why, "does not speak TLS"));
	down(&h);
	assert_int_equal(look_certificate(&pem, "127.0.0.1", h.port, why), ECONNREFUSED);
	assert_int_equal(look_certificate(&pem, "..", 5061, why), ENOENT);
	assert_non_null(strstr(why, ".."));
	assert_int_equal(pem.n, 0);
	buf_free(&pem);
}

UT_MAIN(UT(what_is_shown_is_taken), UT(others_are_named))

/* SPDX-License-Identifier: Apache-2.0 */
/* look.c  The certificate comes in the middle of the handshake, to a callback: how the handshake ends does not matter. */
#include "cli/look.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "net/addr.h"
#include "trust/pem.h"

struct look {
	struct buf *pem;
	int err;
	bool seen;
	int64_t until_ms;
};

static int on_certificate(X509_STORE_CTX *ctx, void *arg)
{
	struct look *l = arg;
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(ctx);
	for (int i = 0; !l->err && i < sk_X509_num(chain); i++)
		l->err = trust_pem_put_cert(l->pem, sk_X509_value(chain, i));
	l->seen = sk_X509_num(chain) > 0;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1; /* only looked at */
}

static int wait_for(int fd, short events, const struct look *l)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = l->until_ms - clock_mono_ms(clock_system());
	int n = left > 0 ? poll(&p, 1, (int)left) : 0;
	return n > 0 ? 0 : n == 0 ? ETIMEDOUT : errno;
}

static int connect_to(const struct addrinfo *a, const struct look *l, int *fdp)
{
	socklen_t n = sizeof(int);
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	int err = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
	if (err == EINPROGRESS) {
		err = wait_for(fd, POLLOUT, l);
		if (!err && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0)
			err = errno;
	}
	if (err)
		close(fd);
	else
		*fdp = fd;
	return err;
}

static int shake(SSL *ssl, int fd, struct look *l)
{
	for (;;) {
		int r = SSL_connect(ssl), e = SSL_get_error(ssl, r), err = 0;
		if (r == 1 || l->seen)
			return 0;
		if (e == SSL_ERROR_WANT_READ)
			err = wait_for(fd, POLLIN, l);
		else if (e == SSL_ERROR_WANT_WRITE)
			err = wait_for(fd, POLLOUT, l);
		else
			err = EPROTO;
		if (err)
			return err;
	}
}

static int handshake(int fd, const char *host, struct look *l)
{
	struct net_addr literal;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;
	if (ctx)
		SSL_CTX_set_cert_verify_callback(ctx, on_certificate, l);
	if (ctx)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	ssl = ctx ? SSL_new(ctx) : NULL;
	int err = ssl && SSL_set_fd(ssl, fd) == 1 ? 0 : ENOMEM;
	if (!err && net_addr_parse(&literal, text_of(host), 0) != 0 && SSL_set_tlsext_host_name(ssl, host) != 1)
		err = EINVAL;
	if (!err)
		err = shake(ssl, fd, l);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return err ? err : l->err;
}

int look_certificate(struct buf *pem, const char *host, uint16_t port, char *why)
{
	struct look l = { .pem = pem, .until_ms = clock_mono_ms(clock_system()) + LOOK_MS };
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *all = NULL;
	char service[8];
	int fd = -1, err = EHOSTUNREACH;
	text_print(service, sizeof service, "%u", port);
	int gai = getaddrinfo(host, service, &hints, &all);
	if (gai) {
		text_print(why, LOOK_WHY_SIZE, "%s: %s", host, gai_strerror(gai));
		return ENOENT;
	}
	for (const struct addrinfo *a = all; a && fd < 0; a = a->ai_next)
		err = connect_to(a, &l, &fd);
	freeaddrinfo(all);
	if (fd >= 0) {
		err = handshake(fd, host, &l);
		close(fd);
	}
	if (err)
		text_print(why, LOOK_WHY_SIZE, "%s:%u: %s", host, port, err == EPROTO ? "what answers there does not speak TLS with this program" : strerror(err));
	return err;
}

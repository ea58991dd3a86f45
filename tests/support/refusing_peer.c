/* SPDX-License-Identifier: Apache-2.0 */
/* refusing_peer.c  One thread accepts, one thread a connection follows the script. */
#include "support/refusing_peer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNS = 256, TICK_MS = 20 };

struct refuser {
	struct refuser_prm prm;
	SSL_CTX *ctx;
	int fd;
	uint16_t port;
	pthread_t thread;
	atomic_bool ending;
	atomic_uint connections, requests;
	struct peer_conn *conn[CONNS];
	unsigned n;
};

struct peer_conn {
	struct refuser *r;
	pthread_t thread;
	int fd;
};

static const char *const names[REFUSE_HOWS] = {
	[REFUSE_NOT] = "not",
	[REFUSE_FIN_AT_ACCEPT] = "fin-at-accept",
	[REFUSE_RST_AT_ACCEPT] = "rst-at-accept",
	[REFUSE_STALL_AT_ACCEPT] = "stall-at-accept",
	[REFUSE_PLAIN_SIP] = "plain-sip",
	[REFUSE_HTTP] = "http",
	[REFUSE_GARBAGE] = "garbage",
	[REFUSE_ALERT_AT_HELLO] = "alert-at-hello",
	[REFUSE_STALL_AFTER_HELLO] = "stall-after-hello",
	[REFUSE_FIN_AFTER_HELLO] = "fin-after-hello",
	[REFUSE_RST_AFTER_HELLO] = "rst-after-hello",
	[REFUSE_ALERT] = "alert",
	[REFUSE_CLOSE_NOTIFY] = "close-notify",
	[REFUSE_FIN] = "fin",
	[REFUSE_RST] = "rst",
	[REFUSE_SILENT] = "silent",
	[REFUSE_CLOSE_NOTIFY_ON_REQUEST] = "close-notify-on-request",
	[REFUSE_FIN_ON_REQUEST] = "fin-on-request",
	[REFUSE_RST_ON_REQUEST] = "rst-on-request",
	[REFUSE_STATUS] = "status",
};

const char *refuse_how_name(enum refuse_how h)
{
	return h < REFUSE_HOWS ? names[h] : "?";
}

bool refuse_how_parse(const char *s, enum refuse_how *h)
{
	for (unsigned i = 0; i < REFUSE_HOWS; i++)
		if (strcmp(s, names[i]) == 0) {
			*h = (enum refuse_how)i;
			return true;
		}
	return false;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "refusing_peer.c: %s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	abort();
}

/* ---- OpenSSL's part ---- */

/* The verify error that makes OpenSSL send the alert wanted (ssl/statem/statem_lib.c: ssl_x509err2alert). */
static int error_for(unsigned alert)
{
	switch (alert) {
	case 40: return X509_V_ERR_APPLICATION_VERIFICATION;
	case 42: return X509_V_ERR_HOSTNAME_MISMATCH;
	case 43: return X509_V_ERR_INVALID_PURPOSE;
	case 44: return X509_V_ERR_CERT_REVOKED;
	case 45: return X509_V_ERR_CERT_HAS_EXPIRED;
	case 48: return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
	case 80: return X509_V_ERR_OUT_OF_MEM;
	default: return 9999; /* unknown to its table: 46 */
	}
}

static int on_verify(X509_STORE_CTX *ctx, void *arg)
{
	const struct refuser *r = arg;
	if (r->prm.how == REFUSE_ALERT) {
		X509_STORE_CTX_set_error(ctx, error_for(r->prm.alert));
		return 0;
	}
	return X509_verify_cert(ctx) == 1;
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
	const struct refuser *r = arg;
	(void)ssl;
	if (r->prm.how != REFUSE_ALERT_AT_HELLO)
		return SSL_CLIENT_HELLO_SUCCESS;
	*alert = (int)r->prm.alert;
	return SSL_CLIENT_HELLO_ERROR;
}

static SSL_CTX *context(struct refuser *r)
{
	const struct refuser_prm *prm = &r->prm;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	must(ctx && SSL_CTX_use_certificate(ctx, prm->cert) == 1 && SSL_CTX_use_PrivateKey(ctx, prm->key) == 1, "certificate");
	SSL_CTX_set_min_proto_version(ctx, prm->min);
	SSL_CTX_set_max_proto_version(ctx, prm->max);
	if (prm->suites)
		must(SSL_CTX_set_cipher_list(ctx, prm->suites) == 1, "suites");
	SSL_CTX_set_client_hello_cb(ctx, on_client_hello, r);
	if (prm->no_request)
		return ctx;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, on_verify, r);
	if (prm->ca)
		X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), prm->ca);
	if (prm->now_s)
		X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(ctx), (time_t)prm->now_s);
	return ctx;
}

/* ---- one connection ---- */

/* Waits until readable; false when the whole is ending or the peer was silent for 10 s. */
static bool readable(struct peer_conn *c)
{
	for (unsigned i = 0; i < 10000 / TICK_MS && !c->r->ending; i++) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		if (poll(&p, 1, TICK_MS) > 0)
			return true;
	}
	return false;
}

static void rst(struct peer_conn *c)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* A close that lets the peer read what was sent: without it unread bytes turn FIN into RST. */
static void drain_and_close(struct peer_conn *c)
{
	char bytes[4096];
	shutdown(c->fd, SHUT_WR);
	for (unsigned i = 0; i < 25 && !c->r->ending; i++) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		if (poll(&p, 1, TICK_MS) > 0 && recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT) == 0)
			return;
	}
}

static void stall(struct peer_conn *c)
{
	char bytes[4096];
	while (readable(c))
		if (recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT) == 0)
			return;
}

/* True: the script ended before TLS. */
static bool before_tls(struct peer_conn *c)
{
	static const char sip[] = "SIP/2.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
	static const char http[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
	const char *words = c->r->prm.how == REFUSE_PLAIN_SIP ? sip : c->r->prm.how == REFUSE_HTTP ? http : "* OK ready\r\n";
	switch (c->r->prm.how) {
	case REFUSE_RST_AT_ACCEPT:
		rst(c);
		return true;
	case REFUSE_FIN_AT_ACCEPT:
		drain_and_close(c);
		return true;
	case REFUSE_STALL_AT_ACCEPT:
		stall(c);
		return true;
	case REFUSE_PLAIN_SIP:
	case REFUSE_HTTP:
	case REFUSE_GARBAGE:
		(void)readable(c);
		(void)!send(c->fd, words, strlen(words), MSG_NOSIGNAL);
		drain_and_close(c);
		return true;
	default:
		return false;
	}
}

/* Lets OpenSSL read nothing more once our first flight is out: a dialler that answers at once must not carry SSL_accept past the place where
 * the script wants to stop. */
static long only_one_flight(BIO *b, int oper, const char *argp, size_t len, int argi, long argl, int ret, size_t *processed)
{
	(void)argp, (void)len, (void)argi, (void)argl, (void)processed;
	if (oper != BIO_CB_READ || BIO_number_written(b) == 0)
		return ret;
	BIO_clear_retry_flags(b);
	BIO_set_retry_read(b);
	return -1;
}

static bool ends_within(enum refuse_how how)
{
	return how >= REFUSE_STALL_AFTER_HELLO && how <= REFUSE_RST_AFTER_HELLO;
}

/* True: done. False: it failed, or the script ended within. */
static bool handshake(struct peer_conn *c, SSL *ssl)
{
	enum refuse_how how = c->r->prm.how;
	if (ends_within(how))
		BIO_set_callback_ex(SSL_get_rbio(ssl), only_one_flight);
	for (;;) {
		ERR_clear_error();
		int ok = SSL_accept(ssl);
		if (ok == 1)
			return true;
		if (SSL_get_error(ssl, ok) != SSL_ERROR_WANT_READ) {
			drain_and_close(c); /* so that the alert arrives */
			return false;
		}
		if (ends_within(how) && BIO_number_written(SSL_get_wbio(ssl)) > 0) {
			if (how == REFUSE_RST_AFTER_HELLO)
				rst(c);
			if (how == REFUSE_FIN_AFTER_HELLO)
				drain_and_close(c);
			if (how == REFUSE_STALL_AFTER_HELLO)
				stall(c);
			return false;
		}
		if (!readable(c))
			return false;
	}
}

static bool in_list(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = list; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		if (strncasecmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

static bool is_known(struct peer_conn *c, SSL *ssl, char *cn, int size)
{
	X509 *x = SSL_get1_peer_certificate(ssl);
	cn[0] = '\0';
	if (x)
		X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, cn, size);
	X509_free(x);
	return c->r->prm.known && in_list(c->r->prm.known, cn);
}

static void copy_header(const char *request, const char *name, char *answer, size_t size)
{
	for (const char *p = strstr(request, name); p; p = strstr(p + 1, name)) {
		const char *end = strstr(p, "\r\n");
		size_t at = strlen(answer);
		if (p[-1] != '\n' || !end)
			continue;
		snprintf(answer + at, size - at, "%.*s\r\n", (int)(end - p), p);
	}
}

static void answer(struct peer_conn *c, SSL *ssl, const char *request, unsigned status)
{
	static const char *const copied[] = { "Via:", "From:", "To:", "Call-ID:", "CSeq:" };
	char text[8192];
	snprintf(text, sizeof text, "SIP/2.0 %u %s\r\n", status, status == 200 ? "OK" : "Refused");
	for (unsigned i = 0; i < 5; i++)
		copy_header(request, copied[i], text, sizeof text);
	size_t n = strlen(text);
	snprintf(text + n, sizeof text - n, "%s%sContent-Length: 0\r\n\r\n", c->r->prm.header && status != 200 ? c->r->prm.header : "",
		 c->r->prm.header && status != 200 ? "\r\n" : "");
	SSL_write(ssl, text, (int)strlen(text));
}

/* Reads one request (up to its empty line). False: the connection ended. */
static bool read_request(struct peer_conn *c, SSL *ssl, char *text, size_t size)
{
	size_t n = 0;
	while (n + 1 < size) {
		int k = SSL_read(ssl, text + n, (int)(size - 1 - n));
		if (k > 0) {
			n += (size_t)k;
			text[n] = '\0';
			if (strstr(text, "\r\n\r\n"))
				return true;
			continue;
		}
		if (SSL_get_error(ssl, k) != SSL_ERROR_WANT_READ || !readable(c))
			return false;
	}
	return false;
}

static void end_by(struct peer_conn *c, SSL *ssl, enum refuse_how how)
{
	if (how == REFUSE_RST || how == REFUSE_RST_ON_REQUEST) {
		rst(c);
		return;
	}
	if (how == REFUSE_CLOSE_NOTIFY || how == REFUSE_CLOSE_NOTIFY_ON_REQUEST)
		SSL_shutdown(ssl);
	drain_and_close(c);
}

static void after_handshake(struct peer_conn *c, SSL *ssl)
{
	char request[8192], cn[256];
	bool known = is_known(c, ssl, cn, sizeof cn);
	enum refuse_how how = known ? REFUSE_NOT : c->r->prm.how;
	if (c->r->prm.verbose) {
		printf("%s with CN %s: %s\n", SSL_get_version(ssl), cn, refuse_how_name(how));
		fflush(stdout);
	}
	if (how >= REFUSE_CLOSE_NOTIFY && how <= REFUSE_RST) {
		end_by(c, ssl, how);
		return;
	}
	while (read_request(c, ssl, request, sizeof request)) {
		c->r->requests++;
		if (how == REFUSE_SILENT)
			continue;
		if (how >= REFUSE_CLOSE_NOTIFY_ON_REQUEST && how <= REFUSE_RST_ON_REQUEST) {
			end_by(c, ssl, how);
			return;
		}
		answer(c, ssl, request, how == REFUSE_STATUS ? c->r->prm.status : 200);
	}
}

static void *serve(void *arg)
{
	struct peer_conn *c = arg;
	if (!before_tls(c)) {
		SSL *ssl = SSL_new(c->r->ctx);
		SSL_set_fd(ssl, c->fd);
		if (handshake(c, ssl))
			after_handshake(c, ssl);
		SSL_free(ssl);
		ERR_clear_error();
	}
	close(c->fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct refuser *r = arg;
	while (!r->ending) {
		struct pollfd p = { .fd = r->fd, .events = POLLIN };
		if (poll(&p, 1, TICK_MS) <= 0 || r->n == CONNS)
			continue;
		int fd = accept4(r->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			continue;
		struct peer_conn *c = calloc(1, sizeof *c);
		must(c != NULL, "memory");
		*c = (struct peer_conn){ .r = r, .fd = fd };
		r->conn[r->n++] = c;
		r->connections++;
		must(pthread_create(&c->thread, NULL, serve, c) == 0, "thread");
	}
	return NULL;
}

/* ---- life ---- */

struct refuser *refuser_start(const struct refuser_prm *prm)
{
	struct refuser *r = calloc(1, sizeof *r);
	must(r != NULL, "memory");
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(prm->port) };
	socklen_t len = sizeof a;
	int on = 1;
	r->prm = *prm;
	r->ctx = context(r);
	must(inet_pton(AF_INET, prm->address ? prm->address : "127.0.0.1", &a.sin_addr) == 1, "address");
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(r->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	must(bind(r->fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(r->fd, 64) == 0, "listen");
	must(getsockname(r->fd, (struct sockaddr *)&a, &len) == 0, "getsockname");
	r->port = ntohs(a.sin_port);
	must(pthread_create(&r->thread, NULL, accept_all, r) == 0, "thread");
	return r;
}

uint16_t refuser_port(const struct refuser *r)
{
	return r->port;
}

unsigned refuser_connections(const struct refuser *r)
{
	return r->connections;
}

unsigned refuser_requests(const struct refuser *r)
{
	return r->requests;
}

void refuser_stop(struct refuser *r)
{
	if (!r)
		return;
	r->ending = true;
	pthread_join(r->thread, NULL);
	for (unsigned i = 0; i < r->n; i++) {
		pthread_join(r->conn[i]->thread, NULL);
		free(r->conn[i]);
	}
	close(r->fd);
	SSL_CTX_free(r->ctx);
	free(r);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* bare.c  The least that answering calls can cost: what the SIP core is compared with in the same run.
 *
 *   bare UDP-PORT TLS-PORT CERT KEY CA    answers INVITE and BYE with 200 and swallows the rest, until it is ended
 *
 * One blocking receive and one send a message, a thread a transport, each bare of anything else: it looks for a few lines, copies them and keeps
 * nothing; so it is no SIP endpoint. Its 200 of an INVITE is about as long as the core's.                                                    */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const sdp = "v=0\r\no=bare 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 101\r\n"
                               "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
static const char *const said = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, SUBSCRIBE, INFO, UPDATE, PRACK\r\n"
                                "Supported: histinfo, timer, 100rel, replaces, norefersub\r\nServer: bare\r\n";

struct out {
	char s[8192];
	size_t n;
};

static void put(struct out *o, const char *p, size_t n)
{
	if (n > sizeof o->s - o->n)
		n = sizeof o->s - o->n;
	memcpy(o->s + o->n, p, n);
	o->n += n;
}

static void put_str(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

static bool named(const char *p, const char *end, const char *name)
{
	size_t n = strlen(name);
	return (size_t)(end - p) > n && p[n] == ':' && !strncasecmp(p, name, n);
}

/* The answer to one message, n = 0 for none; the head's end is at `end`. */
static void answer(struct out *o, const char *msg, const char *end, int port, const char *transport)
{
	bool invite = !strncmp(msg, "INVITE ", 7);
	char line[200];
	o->n = 0;
	if (!invite && strncmp(msg, "BYE ", 4) != 0)
		return;
	put_str(o, "SIP/2.0 200 OK\r\n");
	for (const char *p = memchr(msg, '\n', (size_t)(end - msg)), *next; p && p + 1 < end; p = next) {
		p++;
		next = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((next ? next + 1 : end) - p);
		bool to = named(p, end, "To");
		if (to && !memmem(p, n, ";tag=", 5)) {
			put(o, p, n - 2);
			put_str(o, ";tag=bare\r\n");
		} else if (to || named(p, end, "Via") || named(p, end, "From") || named(p, end, "Call-ID") || named(p, end, "CSeq") || named(p, end, "Record-Route")) {
			put(o, p, n);
		}
	}
	if (invite) {
		snprintf(line, sizeof line, "Contact: <sip:bare@127.0.0.1:%d;transport=%s>\r\n", port, transport);
		put_str(o, line);
		put_str(o, said);
		put_str(o, "Content-Type: application/sdp\r\n");
	}
	snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", invite ? strlen(sdp) : 0);
	put_str(o, line);
	if (invite)
		put_str(o, sdp);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int bound(int type, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type, 0), on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
		die("bare: bind");
	return fd;
}

static void *datagrams(void *arg)
{
	static struct out o;
	static char msg[65536];
	int port = *(int *)arg, fd = bound(SOCK_DGRAM, port);
	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(fd, msg, sizeof msg - 1, 0, (struct sockaddr *)&from, &len);
		char *end = n > 0 ? memmem(msg, (size_t)n, "\r\n\r\n", 4) : NULL;
		if (!end)
			continue;
		answer(&o, msg, end + 2, port, "udp");
		if (o.n)
			(void)!sendto(fd, o.s, o.n, 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

/* The length of the first message in the bytes, 0 while it is not whole; *end: of its head. */
static size_t whole(char *p, size_t n, char **end)
{
	size_t body = 0, head;
	*end = memmem(p, n, "\r\n\r\n", 4);
	if (!*end)
		return 0;
	*end += 2;
	head = (size_t)(*end - p) + 2;
	for (char *at = memmem(p, head, "\r\nContent-Length:", 17); at;) {
		body = (size_t)atoi(at + 17);
		break;
	}
	return head + body <= n ? head + body : 0;
}

static void stream(SSL *ssl, int port)
{
	static struct out o;
	static char in[1 << 17];
	size_t n = 0, one;
	char *end;
	for (int got; (got = SSL_read(ssl, in + n, (int)(sizeof in - n))) > 0;) {
		n += (size_t)got;
		while ((one = whole(in, n, &end)) > 0) {
			answer(&o, in, end, port, "tls");
			if (o.n && SSL_write(ssl, o.s, (int)o.n) <= 0)
				return;
			memmove(in, in + one, n - one);
			n -= one;
		}
	}
}

static void connections(char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int port = atoi(argv[0]), fd = bound(SOCK_STREAM, port), on = 1;
	if (listen(fd, 16) < 0 || SSL_CTX_use_certificate_chain_file(ctx, argv[1]) != 1 || SSL_CTX_use_PrivateKey_file(ctx, argv[2], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_locations(ctx, argv[3], NULL) != 1)
		die("bare: TLS");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	for (int peer; (peer = accept(fd, NULL, NULL)) >= 0; close(peer)) {
		SSL *ssl = SSL_new(ctx);
		setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		SSL_set_fd(ssl, peer);
		if (SSL_accept(ssl) == 1)
			stream(ssl, port);
		SSL_free(ssl);
	}
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int port;
	if (argc != 6)
		return fputs("usage: bare UDP-PORT TLS-PORT CERT KEY CA\n", stderr), 2;
	signal(SIGPIPE, SIG_IGN);
	port = atoi(argv[1]);
	if (pthread_create(&thread, NULL, datagrams, &port))
		die("bare: thread");
	connections(argv + 2);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* refusing_peer.h  A TLS peer that refuses as it is told: before TLS, within the handshake, after it, and by SIP. It uses OpenSSL and blocking
 * sockets on threads of its own, and nothing of ours, so that it can be wrong in other ways than we are. IPv4 loopback only unless
 * told otherwise.                                                                                                        */
#ifndef TESTS_REFUSING_PEER_H
#define TESTS_REFUSING_PEER_H
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

enum refuse_how {
	REFUSE_NOT,           /* answers 200 to every request */
	/* before TLS */
	REFUSE_FIN_AT_ACCEPT,
	REFUSE_RST_AT_ACCEPT,
	REFUSE_STALL_AT_ACCEPT,
	REFUSE_PLAIN_SIP,     /* answers in plain SIP */
	REFUSE_HTTP,
	REFUSE_GARBAGE,
	/* within the handshake */
	REFUSE_ALERT_AT_HELLO, /* with any alert */
	REFUSE_STALL_AFTER_HELLO, /* these three: after the first flight; in TLS 1.3 the client is then done */
	REFUSE_FIN_AFTER_HELLO,
	REFUSE_RST_AFTER_HELLO,
	REFUSE_ALERT,         /* when the client's certificate is judged: 40, 42, 43, 44, 45, 46, 48, 80; in TLS 1.3 the client hears it late */
	/* after the handshake, before any SIP byte */
	REFUSE_CLOSE_NOTIFY,
	REFUSE_FIN,
	REFUSE_RST,
	REFUSE_SILENT,        /* reads, and says nothing */
	/* after a request was read */
	REFUSE_CLOSE_NOTIFY_ON_REQUEST,
	REFUSE_FIN_ON_REQUEST,
	REFUSE_RST_ON_REQUEST,
	REFUSE_STATUS,        /* answers with `status` and `header` */
	REFUSE_HOWS
};
const char *refuse_how_name(enum refuse_how h); /* "close-notify" ... */
bool refuse_how_parse(const char *s, enum refuse_how *h);

struct refuser_prm {
	enum refuse_how how;
	const char *known;    /* comma-separated subject CNs: who shows one of them is answered 200, the others are refused by `how` */
	unsigned alert;
	unsigned status;
	const char *header;   /* one more header line, without CRLF; may be NULL */
	int min, max;         /* TLS1_2_VERSION ...; 0 = any */
	const char *suites;   /* TLS 1.2 and below; NULL = OpenSSL's */
	bool no_request;      /* ask for no client certificate; else one is required and its chain judged against `ca` */
	X509 *cert, *ca;
	EVP_PKEY *key;
	int64_t now_s;        /* for judging; 0 = the system's clock */
	const char *address;  /* NULL = 127.0.0.1 */
	uint16_t port;        /* 0 = any free one */
	bool verbose;         /* a line a connection on stdout */
};

struct refuser;
/* Aborts when it cannot listen. */
struct refuser *refuser_start(const struct refuser_prm *prm);
uint16_t refuser_port(const struct refuser *r);
/* Connections so far, and requests read. */
unsigned refuser_connections(const struct refuser *r);
unsigned refuser_requests(const struct refuser *r);
void refuser_stop(struct refuser *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h  One TLS connection without a socket: bytes in, bytes out, plaintext between, and every fact kept.
 *
 *     socket -> tls_feed -> [ OpenSSL over two memory BIOs ] -> tls_read  -> SIP
 *     socket <- tls_drain <-                                 <- tls_write <- SIP
 *
 * It has one owner at a time and no lock: the loop hands it to a worker for tls_step() while the handshake lasts and does not touch it
 * meanwhile. OpenSSL judges chain, time (by the clock given) and purpose; the policy judges the name, and a mismatch is told to the peer
 * as alert 42. Mutual always: a server asks for a certificate and insists. No renegotiation, no resumption, no tickets.
 * A handshake that returned proves nothing yet when we dialled: in TLS 1.3 the peer judges our certificate afterwards. The first SIP
 * answer does: tls_proven().                                                                                                     */
#ifndef TRUST_TLS_H
#define TRUST_TLS_H
#include "base/clock.h"
#include "trust/facts.h"
#include "trust/identity.h"
#include "trust/rule.h"

struct tls;

enum tls_legacy {
	TLS_LEGACY_OFF,   /* TLS 1.2 and 1.3, forward secrecy, AEAD */
	TLS_LEGACY_CBC,   /* + CBC and RSA key exchange suites in TLS 1.2 */
	TLS_LEGACY_TLS10, /* + TLS 1.0 and 1.1 with SHA-1 signatures */
};
const char *tls_legacy_name(enum tls_legacy l); /* "off", "cbc", "tls10" */
int tls_legacy_parse(struct text t, enum tls_legacy *l);
struct tls_limits {
	uint16_t min, max; /* 0x0303, 0x0304; 0 = 1.2 and 1.3 (or what legacy allows) */
	enum tls_legacy legacy;
};
/* "1.2", "1.3", "1.0", "1.1" to the number; EINVAL. */
int tls_version_parse(struct text t, uint16_t *version);

/* Lines of NSS key log format; for traces only. On the thread that steps or feeds. */
typedef void (tls_keylog_h)(const char *line, void *arg);

struct tls_prm {
	enum trust_role role;            /* TRUST_DIALLED: client */
	struct trust_set *set;           /* a reference is taken */
	struct trust_identity *identity; /* shown to the peer; NULL = the set's default; a server may choose another by SNI */
	bool no_identity;                /* show none (tests) */
	struct trust_policy *policy;     /* a reference is taken; NULL accepts nobody */
	const char *sni;                 /* client: name asked for; NULL or an IP literal sends none */
	struct tls_limits limits;
	const struct um_clock *clock;
	const struct trust_facts *facts; /* what is known so far, copied; NULL begins anew */
	tls_keylog_h *keylog;
	void *keylog_arg;
};

/* ENOMEM; ENOKEY if there is no identity to show as a server; EINVAL for limits that exclude each other. */
int tls_create(struct tls **tp, const struct tls_prm *prm);
struct tls *tls_destroy(struct tls *t); /* NULL is allowed; returns NULL */

/* Ciphertext from the peer. EMSGSIZE if more than 256 KiB wait to be understood; ENOMEM. */
int tls_feed(struct tls *t, const void *p, size_t n);
/* Ciphertext for the peer, at most n; returns how many. */
size_t tls_drain(struct tls *t, void *p, size_t n);
size_t tls_drainable(const struct tls *t);
/* Drives the handshake as far as the bytes allow: 0 done; EAGAIN needs bytes; EPROTO failed (drain what is left: the alert). The costly
 * part; run it in a worker that owns `t` meanwhile. */
int tls_step(struct tls *t);
/* Plaintext out. 0 (all taken); ENOTCONN before the handshake is done or after its end; ENOMEM. */
int tls_write(struct tls *t, const void *p, size_t n);
/* Plaintext in: 0 and *n > 0; EAGAIN nothing now; EPIPE the peer said close_notify; EPROTO it broke (a late alert is in the facts). */
int tls_read(struct tls *t, void *p, size_t size, size_t *n);
/* Nothing moved for a while: gives back the buffers of records, 33 KB, which a connection keeps once its handshake is done. The next record takes them
 * anew. False: a record is half read; ask again later. */
bool tls_rest(struct tls *t);
/* Queues our close_notify (drain it). */
void tls_close(struct tls *t);

bool tls_done(const struct tls *t);
bool tls_failed(const struct tls *t);
bool tls_heard_goodbye(const struct tls *t); /* the peer's close_notify was read */
/* The certificates that the peer sent, leaf first, also when they were refused; NULL before. Borrowed. */
STACK_OF(X509) *tls_shown(const struct tls *t);
/* The peer's name that our rule accepted, lower case; "" before. And the label of the rule. */
const char *tls_peer_name(const struct tls *t);
const char *tls_peer_label(const struct tls *t);
/* The identity shown, as it stands now (a server may have chosen by SNI). Borrowed. */
struct trust_identity *tls_identity(const struct tls *t);
/* "dials as CN x, accepts y": key for the reuse of connections: fingerprint of ours + verified name of theirs. */
const char *tls_reuse_key(const struct tls *t);
/* Facts so far; the owner may write those that are not of TLS. Not while a worker owns `t`. */
struct trust_facts *tls_facts(struct tls *t);
/* SIP came from the peer over this connection: it is proven. */
void tls_proven(struct tls *t);
bool tls_is_proven(const struct tls *t);

#endif

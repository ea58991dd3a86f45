/* SPDX-License-Identifier: Apache-2.0 */
/* identity.h  Who we are and whom we believe.
 *
 * An identity is a certificate with its chain and its private key, under a name ("default", "lync"); a set holds the identities of
 * this node, the certificates it trusts as roots, and revocation lists. Both are snapshots: counted by mem_ref, never changed once
 * shared, and swapped whole by the keeper. A living connection keeps the set and the identity that it began with, so a swap
 * disturbs nothing that stands. Identities, sets and the keeper may be used on any thread; building a set is one thread's work.  */
#ifndef TRUST_IDENTITY_H
#define TRUST_IDENTITY_H
#include <openssl/ssl.h>
#include "base/clock.h"
#include "event/report.h"
#include "trust/chain.h"
#include "trust/facts.h"

/* ---- identities ---- */
struct trust_identity;

struct trust_identity_prm {
	const char *name;       /* "default" if NULL */
	const char *cert_file;  /* PEM, leaf first, intermediates behind it */
	const char *key_file;   /* PEM, unencrypted; readable for the owner only is advised */
	const char *chain_file; /* more intermediates; may be NULL */
	const char *ocsp_file;  /* OCSP response about the certificate, DER, stapled for those who dial us and ask; may be NULL */
};
/* Reads and checks: 0; ENOENT, EACCES, EBADMSG (no PEM in it), EKEYREJECTED (key does not fit), ENOMEM. `why` names file and reason.
 * An expired certificate loads (a node must be able to start and say so); trust_identity_check() tells. */
int trust_identity_load(struct trust_identity **ip, const struct trust_identity_prm *prm, struct ev_report *why);
/* From PEM in memory (the chain's leaf first). */
int trust_identity_from_pem(struct trust_identity **ip, const char *name, struct text chain_pem, struct text key_pem, struct ev_report *why);
/* From objects; references are taken. `chain` (without leaf) may be NULL. For tests and rehearsals. */
int trust_identity_from(struct trust_identity **ip, const char *name, X509 *cert, STACK_OF(X509) *chain, EVP_PKEY *key, struct ev_report *why);
const char *trust_identity_name(const struct trust_identity *id);
const char *trust_identity_cn(const struct trust_identity *id);
const char *trust_identity_fingerprint(const struct trust_identity *id); /* SHA-256, hexadecimal */
int64_t trust_identity_not_after_s(const struct trust_identity *id);
const struct trust_cert *trust_identity_cert(const struct trust_identity *id);
X509 *trust_identity_x509(const struct trust_identity *id);            /* borrowed */
STACK_OF(X509) *trust_identity_chain(const struct trust_identity *id); /* borrowed; without the leaf; may be NULL */
EVP_PKEY *trust_identity_key(const struct trust_identity *id);         /* borrowed */
/* A copy (OPENSSL_malloc) of the OCSP response, to be stapled; NULL if there is none that holds now. */
uint8_t *trust_identity_staple(const struct trust_identity *id, int64_t now_s, size_t *n);
/* Whether the configuration names a response, and it is none that could be stapled now. */
bool trust_identity_staple_useless(const struct trust_identity *id, int64_t now_s);
/* Where it was loaded from; "" if from memory. */
const char *trust_identity_cert_file(const struct trust_identity *id);
const char *trust_identity_key_file(const struct trust_identity *id);
const char *trust_identity_staple_file(const struct trust_identity *id);

/* What is questionable in an identity, in words and with the effect: expired, not yet valid, ends soon, no clientAuth or serverAuth, CN
 * is not this node's FQDN, wildcard CN, no SAN, SAN critical, FQDN in no name, weak key, an OCSP response of no use. Calls `each` for each report. */
typedef void (trust_warn_h)(const struct ev_report *r, void *arg);
unsigned trust_identity_check(const struct trust_identity *id, const char *our_fqdn, const char *our_service, int64_t now_s,
			      trust_warn_h *each, void *arg);

/* ---- the set ---- */
struct trust_set;
int trust_set_create(struct trust_set **sp);
/* A new set with the same identities, anchors and CRLs: to change one thing and swap. */
int trust_set_copy(struct trust_set **sp, const struct trust_set *from);
/* The same without one of its anchors (NULL: none). */
int trust_set_copy_without(struct trust_set **sp, const struct trust_set *from, const X509 *anchor);
/* Takes a reference; replaces one of the same name. The first one added is the default. */
int trust_set_identity(struct trust_set *s, struct trust_identity *id);
/* Takes the identity of that name out; nothing if there is none. */
void trust_set_drop(struct trust_set *s, const char *name);
/* All certificates of a PEM file become trusted roots: 0; ENOENT, EACCES, EBADMSG; `n` (may be NULL) how many. */
int trust_set_anchor_file(struct trust_set *s, const char *path, unsigned *n, struct ev_report *why);
int trust_set_anchor_pem(struct trust_set *s, struct text pem, unsigned *n, struct ev_report *why);
int trust_set_anchor(struct trust_set *s, X509 *root);
/* Revocation lists (PEM); once there is one, the rules say who must be covered by one. */
int trust_set_crl_file(struct trust_set *s, const char *path, struct ev_report *why);
/* Tells of lists whose time ran out, or will within a day, if that came to pass after `since_s`. */
void trust_set_lists_check(const struct trust_set *s, int64_t since_s, int64_t now_s, trust_warn_h *each, void *arg);
/* How strictly chains are judged, and revocation; without this call: not strictly, the leaf must be covered once there is a list. Before sharing. */
void trust_set_rules(struct trust_set *s, const struct trust_chain_rules *rules);
const struct trust_chain_rules *trust_set_chain_rules(const struct trust_set *s);
/* By name; NULL or "" gives the default. NULL if there is none. Borrowed: as long as the set. */
struct trust_identity *trust_set_find(const struct trust_set *s, const char *name);
/* The identity whose names hold the SNI (exactly, or by a wildcard); NULL if none does. One with a '+' in its own name is being rehearsed
 * and is shown to nobody who dials us. */
struct trust_identity *trust_set_by_sni(const struct trust_set *s, const char *sni);
unsigned trust_set_count(const struct trust_set *s);
struct trust_identity *trust_set_at(const struct trust_set *s, unsigned i);
unsigned trust_set_anchors(const struct trust_set *s);
/* The ith root; borrowed. */
X509 *trust_set_anchor_at(const struct trust_set *s, unsigned i);
X509_STORE *trust_set_store(const struct trust_set *s); /* borrowed */
/* Puts "name=CN" of every identity into the facts. */
void trust_set_facts(const struct trust_set *s, struct trust_facts *f);

/* ---- the keeper: which set is in use now ---- */
struct trust_keeper;
int trust_keeper_create(struct trust_keeper **kp, struct trust_set *set); /* takes a reference of its own */
void trust_keeper_destroy(struct trust_keeper *k);
/* The set in use, with a reference for the caller (mem_unref). Any thread. */
struct trust_set *trust_keeper_get(struct trust_keeper *k);
/* From now on, new connections of listeners and diallers alike begin with `set`. Any thread. */
void trust_keeper_swap(struct trust_keeper *k, struct trust_set *set);
/* How often it was swapped: tells old connections from new ones. */
uint64_t trust_keeper_generation(struct trust_keeper *k);

#endif

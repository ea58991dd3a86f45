/* SPDX-License-Identifier: Apache-2.0 */
/* rule.h  Whose name may stand in a certificate. OpenSSL judges chain, time and purpose; the rule judges the name, in both roles
 * the same way: which names of the certificate count (the kind), and which of them are accepted (the list).
 * An empty list accepts nobody. No rule for SIP accepts a wildcard (RFC 5922 7.2), only rfc9525 does; a NUL within a name makes the whole certificate
 * worthless, and a certificate's trailing dot matches nothing.                                                           */
#ifndef TRUST_RULE_H
#define TRUST_RULE_H
#include <openssl/x509.h>
#include "trust/facts.h"

enum trust_name_reason {
	TRUST_NAME_OK,
	TRUST_NAME_NOBODY_ACCEPTED, /* the list is empty */
	TRUST_NAME_NONE_OFFERED,    /* the certificate holds no name at all */
	TRUST_NAME_MISMATCH,        /* names counted, none was accepted */
	TRUST_NAME_IN_CN_ONLY,      /* the wanted name is the CN, which does not count because there is a SAN (rfc5922) */
	TRUST_NAME_IN_SAN_ONLY,     /* the wanted name is in the SAN, but only the CN counts (cn-only) */
	TRUST_NAME_BEHIND_URI,      /* the wanted name is a DNS SAN, which does not count beside a sip: URI (rfc5922) */
	TRUST_NAME_WILDCARD,        /* only a wildcard would cover it */
	TRUST_NAME_USER_URI,        /* it is the host of a sip: URI with a user part */
	TRUST_NAME_SIPS_URI,        /* it is the host of a sips: URI */
	TRUST_NAME_TRAILING_DOT,    /* it stands there with a dot at the end */
	TRUST_NAME_IP_AS_DNS,       /* an IP address spelt as a DNS name */
	TRUST_NAME_LESSER_CN,       /* it is one of several CNs, but not the most specific (cn-only) */
	TRUST_NAME_NUL,             /* a name holds a NUL byte: somebody means to deceive */
	TRUST_NAME_TOO_MANY,        /* more names than are looked at */
	TRUST_NAME_UNREADABLE,      /* the extension or the subject cannot be decoded */
};
/* Stable: "name-mismatch" ... */
const char *trust_name_reason_name(enum trust_name_reason r);

/* ---- the names of a certificate ---- */
enum trust_name_kind { TRUST_KIND_CN, TRUST_KIND_DNS, TRUST_KIND_URI, TRUST_KIND_IP };
struct trust_name {
	enum trust_name_kind kind;
	struct text value; /* IP: 4 or 16 bytes */
};
enum { TRUST_NAMES_MAX = 512 };
/* Names in the order of the certificate, CNs first and the most specific (last in the subject) before the others. */
struct trust_cert_names {
	struct trust_name *name; /* owned, with the bytes they point to */
	unsigned n;
	bool has_san, san_critical;
};
/* 0, ENOMEM, EBADMSG (cannot be decoded, or a duplicate extension), E2BIG (too many). trust_cert_names_free() in any case but ENOMEM is harmless. */
int trust_cert_names_read(struct trust_cert_names *names, const X509 *cert);
/* The same from facts (cut lists stay cut): for judging a described certificate again. 0, ENOMEM. */
int trust_cert_names_of_facts(struct trust_cert_names *names, const struct trust_cert *cert);
void trust_cert_names_free(struct trust_cert_names *names);
/* Fills the plain value: names, validity, usages, key, fingerprint. Never fails: what cannot be read stays empty. */
void trust_cert_describe(struct trust_cert *out, const X509 *cert);
/* Parts of it: the extended key usages (TRUST_EKU_*; 0 without a list), the subject in words. */
uint8_t trust_cert_ekus(const X509 *cert);
void trust_cert_subject(const X509 *cert, char *dst, size_t size);

/* ---- a policy: one or more rules, each with a label ---- */
/* Immutable once shared; counted (mem_ref). The dialler has one rule, a listener one a gateway; the first that accepts decides. */
struct trust_policy;
int trust_policy_create(struct trust_policy **pp);
/* `label` tells which rule accepted (a gateway's name). Names are copied; a trailing dot is dropped; an IP literal counts only
 * against an iPAddress SAN. n = 0: this rule accepts nobody. EINVAL for an empty name or one with a wildcard. Before sharing. */
int trust_policy_add(struct trust_policy *p, const char *label, enum trust_rule_kind kind, const char *const *names, unsigned n);
unsigned trust_policy_rules(const struct trust_policy *p);
/* Whether a CN may count beside a subjectAltName: then a CA's name constraints must hold for it, too. */
bool trust_policy_counts_cn(const struct trust_policy *p);
/* One rule, no more calls: the dialler's. */
int trust_policy_one(struct trust_policy **pp, const char *label, enum trust_rule_kind kind, const char *const *names, unsigned n);

/* Accepts every name: for looking at files, where only the chain is asked about. Never for a connection. */
int trust_policy_anybody(struct trust_policy **pp);

struct trust_judgement {
	enum trust_name_reason reason;
	enum trust_rule_kind kind;      /* of the rule that accepted, or of the first that refused */
	char label[TRUST_LABEL_SIZE];   /* of the rule that accepted */
	char matched[TRUST_NAME_SIZE];  /* the accepted name, lower case */
	struct trust_names wanted;      /* of all rules */
	struct trust_names offered;     /* that counted under `kind` */
};
/* Judges names. A NULL policy is an empty one: nobody. Pure. */
void trust_policy_judge(const struct trust_policy *p, const struct trust_cert_names *names, struct trust_judgement *out);
/* Reads the names of the certificate and judges; what cannot be read is refused. */
void trust_policy_judge_cert(const struct trust_policy *p, const X509 *cert, struct trust_judgement *out);
/* Would a peer that judges by this kind of rule and knows us as `known` accept this certificate? Takes no memory. */
bool trust_rule_would_accept(enum trust_rule_kind kind, const struct trust_cert *cert, const struct trust_names *known);

#endif

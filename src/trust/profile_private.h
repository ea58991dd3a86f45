/* SPDX-License-Identifier: Apache-2.0 */
/* profile_private.h  The fields of a row of profiles.def, and what profile.c (the order of judging), profile_chain.c (chain, time, usage, key)
 * and profile_names.c (names) tell each other.                                                                             */
#ifndef TRUST_PROFILE_PRIVATE_H
#define TRUST_PROFILE_PRIVATE_H
#include <openssl/x509_vfy.h>
#include "trust/profile.h"

/* MAYBE: not known to us. OPTION: no, but the product has a setting for it. */
enum p_tri { P_NO, P_YES, P_MAYBE, P_OPTION };
/* What is checked of the certificate. */
enum p_wants {
	P_NOTHING,   /* it is not looked at (or not asked for) */
	P_CHAIN,     /* chain, time and usage; no name */
	P_NAME,      /* and the name must be the reference */
	P_LIST,      /* and a name must be in a list of its own */
	P_TOPOLOGY,  /* the same; the list is its site's topology, so it is never empty */
	P_NOT_KNOWN, /* the chain; of names nothing is known */
	P_ALL_NOT_KNOWN,
};
enum p_on { P_ON, P_OFF, P_ALWAYS /* cannot be switched off */, P_PROGRAM /* whoever uses the library decides */, P_ON_NOT_KNOWN };
enum p_uri {
	P_URI_NONE,
	P_URI_DOMAIN,  /* host of a sip: URI without user (RFC 5922 7.1) */
	P_URI_HOST,    /* host of a sip: URI, user or not */
	P_URI_REST,    /* all that stands behind "sip:", letter for letter */
	P_URI_MAYBE,   /* P_URI_DOMAIN, if they count at all */
};
enum p_cn {
	P_CN_ALL,
	P_CN_LAST,
	P_CN_FIRST,
	P_CN_SINGLE,   /* only if there is just one */
	P_CN_LAST_RDN, /* the last RDN that has one, and of that RDN the first */
};
enum p_wild {
	P_WILD_NO,
	P_WILD_LABEL,   /* "*.example.com": the whole left-most label */
	P_WILD_PARTIAL, /* "um*.example.com" too; no star for an IDN label or an underscore (OpenSSL) */
	P_WILD_FIRST,   /* the whole left-most label, whatever follows: "*.com" (Go) */
	P_WILD_FRONT,   /* a star as the very first byte: "*1.example.com" too (GnuTLS) */
	P_WILD_WITHIN,  /* a star anywhere in the left-most label: "u*1.example.com" too (Node) */
	P_WILD_GLOB,    /* stars anywhere in any label, but not behind the last dot (Java) */
	P_WILD_OPTION,  /* not unless a setting allows the whole left-most label */
	P_WILD_MAYBE,
};
enum p_ip {
	P_IP_NO,   /* an address as reference matches nothing */
	P_IP_SAN,  /* iPAddress of the SAN, as bytes */
	P_IP_TEXT, /* as text, against every source; iPAddress written out */
	P_IP_SKIP, /* dialled by an address, it checks no name at all */
	P_IP_MAYBE,
};
enum p_empty { P_EMPTY_NOBODY, P_EMPTY_EVERYBODY, P_EMPTY_MAYBE };
enum p_eku {
	P_EKU_IGNORED,
	P_EKU_OPENSSL, /* the usage for the role, or no list; anyExtendedKeyUsage does not help. Key usage too */
	P_EKU_ROLE,    /* the usage for the role, anyExtendedKeyUsage, or no list */
	P_EKU_SIP,     /* like ROLE; sipDomain is as good, anyExtendedKeyUsage is local policy (RFC 5924 4) */
	P_EKU_STRICT,  /* the usage for the role must stand there; without a list or with anyExtendedKeyUsage: not known */
	P_EKU_ADVISED, /* refuses what has neither serverAuth nor clientAuth; with only the other one: not known */
	P_EKU_MAYBE,   /* good if it stands there or there is no list; else not known */
};

/* What a library does otherwise than OpenSSL, one bit each; all of them were seen by tests/conformance. */
enum p_habit {
	/* of each certificate (profile_habits.c) */
	P_EXTENSIONS_V3 = 1 << 0,   /* extensions are refused in versions 1 and 2 */
	P_VERSIONS = 1 << 1,        /* versions above 3 are refused */
	P_NO_TWINS = 1 << 2,        /* no extension may be there twice */
	P_SAN_WHOLE = 1 << 3,       /* nothing may follow the subjectAltName within its extension, and no name of it may be empty */
	P_SAN_STRICT = 1 << 4,      /* its names must be ASCII, URIs without control bytes, addresses of 4 or 16 bytes; if critical, one of these */
	P_SAN_CRITICAL = 1 << 5,    /* without a subject it must be critical */
	P_SUBJECT_STRICT = 1 << 6,  /* no UniversalString in the subject */
	P_SIGNS = 1 << 7,           /* a key usage must hold digitalSignature */
	P_STAPLE = 1 << 8,          /* "must staple" is held against a server that staples nothing */
	P_NETSCAPE = 1 << 9,        /* Netscape's certificate type, if there, must fit the role */
	P_EKU_EMPTY = 1 << 10,      /* an empty list of usages is none */
	P_EKU_GATED = 1 << 11,      /* of server certificates, "server gated cryptography" is as good as serverAuth */
	P_V1_BARE = 1 << 12,        /* extensions are not read in versions 1 and 2 */
	/* of the chain */
	P_TIME_SHORT = 1 << 13,     /* UTCTime may lack its seconds */
	P_TIME_OFFSET = 1 << 14,    /* and may have an offset */
	P_SEARCHES = 1 << 15,       /* tries other ways when one fails */
	P_AS_SENT = 1 << 16,        /* takes the first certificate that bears the issuer's name, expired or not */
	P_AKI_IGNORED = 1 << 17,    /* a key identifier that does not fit is no hindrance */
	P_CA_SHA1 = 1 << 18,        /* SHA-1 is refused in intermediates too */
	P_CA_MD5 = 1 << 19,         /* MD5 is */
	P_CA_USAGE = 1 << 20,       /* usages listed by an intermediate must hold that of the role */
	P_CA_ANY = 1 << 21,         /* and anyExtendedKeyUsage will do */
	P_ROOT_USAGE = 1 << 22,     /* roots too */
	P_ISSUER_EXACT = 1 << 23,   /* subject and issuer are compared byte by byte */
	P_ROOT_IS_KEY = 1 << 24,    /* a root is a name and a key: its time, path length and name constraints do not count */
	P_ROOT_SAYS_CA = 1 << 25,   /* a root of version 3 must say that it is a CA */
	P_NC_NOT_CN = 1 << 26,      /* name constraints do not count for the CN */
	P_NC_DNS_IP = 1 << 27,      /* name constraints count for DNS names and addresses only, and for the CN of servers */
	P_NC_KNOWN = 1 << 28,       /* constraints on other kinds of names are refused */
	P_NO_SHA224 = 1 << 29,      /* SHA-224 is not known */
	P_COUNTS_SELF = 1 << 30,    /* self-issued authorities count for the path length */
};
/* Of names, apart from those: what the reference is and how texts are read. */
enum p_reading {
	P_LDH_ONLY = 1 << 0,   /* a reference with other letters than those of host names is refused */
	P_MAPPED_IP = 1 << 1,  /* ::ffff:192.0.2.1 is 192.0.2.1 */
	P_RAW_IDN = 1 << 2,    /* names in Unicode are turned into punycode; we do not */
	P_DOT_TOO = 1 << 3,    /* a name that ends with a dot, as the reference does, is the same too */
	P_CN_NO_IA5 = 1 << 4,  /* a CN as IA5String or UniversalString is not read */
	P_STAR_LDH = 1 << 5,   /* a star stands for letters, digits and hyphens only (X509_check_host) */
	P_DOTS_DROP = 1 << 6,  /* a dot at the end of the certificate's name is dropped too */
	P_CN_ADDRESS = 1 << 7, /* where the CN counts, it may spell the address */
	P_CN_NOT_BY_IP = 1 << 8, /* the CN does not count beside an iPAddress */
	P_SHA224_BY_TLS = 1 << 10, /* whether it takes SHA-224 depends on the version of TLS */
	P_CN_CONSTRAINED = 1 << 11, /* under name constraints, a CN that spells an address counts as iPAddress where a SAN holds none */
	P_CN_NOT_BY_ID = 1 << 9, /* nor beside a URI or an SRV name (RFC 6125 6.4.4) */
};

struct p_seat {
	enum p_wants wants;
	enum p_on on;
	enum p_tri dns;                                   /* SAN DNS counts */
	enum p_uri uri;                                   /* SAN URI */
	enum p_tri sips;                                  /* sips: like sip: */
	bool uri_hides_dns;                               /* RFC 5922: DNS counts only without a sip: identity */
	struct { enum p_tri no_san, no_dns, dns; } cn;    /* the CN counts: without SAN, with a SAN without DNS names, beside DNS names */
	enum p_cn which_cn;
	bool critical_hides_cn;                           /* a critical SAN that holds no hit is the end */
	enum p_wild wild_san, wild_cn;
	enum p_ip ip;
	enum p_tri strips_dot;                            /* a dot at the end of the reference is dropped */
	enum p_empty empty;                               /* what an empty list means */
	enum p_eku eku;
	enum trust_when when, when_name;                  /* a refusal for its chain; for its names, where that is at another time */
	enum trust_confidence confidence;
	bool script;                                      /* a script of its administrator may look at names */
	const char *remark;
};

struct trust_profile {
	const char *name, *title;
	bool generic;
	bool runs;              /* can be installed and is tried */
	bool openssl;           /* chains are built by OpenSSL */
	bool partial_chain;     /* a trusted certificate ends the chain though it is no root */
	uint8_t depth;          /* intermediates allowed by default; 0: not limited */
	uint16_t rsa_min;       /* bits; 0: not known */
	uint32_t habits;        /* p_habit */
	uint16_t reading;       /* p_reading */
	enum p_tri sha1;        /* signatures with SHA-1 are taken */
	bool wants_cdp, wants_rsa, wants_public_ca;
	enum trust_reference reference;
	enum p_tri sends_sni, wants_sni;
	const char *source, *remark;
	struct p_seat server, client;
};

/* ---- reasons: profile_reasons.def ---- */
enum p_reason {
#define REASON(id, name, sentence, fix, meaning) P_##id,
#define NOTE(id, text)
#include "trust/profile_reasons.def"
#undef REASON
#undef NOTE
	P_REASONS
};
enum p_note {
#define REASON(id, name, sentence, fix, meaning)
#define NOTE(id, text) P_NOTE_##id,
#include "trust/profile_reasons.def"
#undef REASON
#undef NOTE
	P_NOTES /* none */
};

/* A judgement under way. */
struct p_case {
	const struct trust_profile *p;
	const struct p_seat *s;
	const struct trust_question *q;
	enum trust_answer_kind kind;
	enum p_reason reason;
	bool by_name;              /* refused for its names */
	bool late;                 /* refused for what OpenSSL looks at after the names: signatures, times, lists, name constraints */
	int alert;                 /* that a verifier within the handshake sends; 0: none */
	char detail[256];          /* {detail} of the sentence */
	char near[TRUST_NAME_SIZE + 80]; /* {near} */
	char matched[TRUST_NAME_SIZE];
	struct trust_names wanted, offered;
};
/* Ends the judgement: false, so that it can be returned from a check ("go on" is true). */
bool p_refuse(struct p_case *c, enum p_reason r, int alert);
bool p_unknown(struct p_case *c, enum p_reason r, enum p_note doubt);

/* Fills a piece into dst; P_NOTES: "". */
void p_note(enum p_note n, const struct p_case *c, char *dst, size_t size);

/* Each: true = nothing against it, go on; false = the case is decided. */
bool p_check_form(struct p_case *c);   /* profile_habits.c: what it cannot read or will not have in a leaf */
bool p_check_way(struct p_case *c, STACK_OF(X509) *way); /* what it asks of the rest, leaf first */
/* Whether a verifier of these habits goes on where OpenSSL found an error. */
bool p_overlooks(const struct p_case *c, X509_STORE_CTX *ctx);
bool p_check_chain(struct p_case *c);  /* profile_chain.c */
bool p_check_time(struct p_case *c);
bool p_check_usage(struct p_case *c);
bool p_check_key(struct p_case *c);
bool p_check_hash(struct p_case *c);
bool p_check_names(struct p_case *c);  /* profile_names.c: against the reference or the list */

#endif

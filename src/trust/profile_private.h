/* SPDX-License-Identifier: Apache-2.0 */
/* profile_private.h  The fields of a row of profiles.def, and what profile.c (the order of judging), profile_chain.c (chain, time, usage, key)
 * and profile_names.c (names) tell each other.                                                                             */
#ifndef TRUST_PROFILE_PRIVATE_H
#define TRUST_PROFILE_PRIVATE_H
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
enum p_cn { P_CN_ALL, P_CN_LAST, P_CN_FIRST, P_CN_SINGLE /* only if there is just one */ };
enum p_wild {
	P_WILD_NO,
	P_WILD_LABEL,   /* "*.example.com": the whole left-most label */
	P_WILD_PARTIAL, /* "um*.example.com" too */
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
	enum trust_when when;
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
	int alert;                 /* that a verifier within the handshake sends; 0: none */
	char detail[256];          /* {detail} of the sentence */
	char near[TRUST_NAME_SIZE + 80]; /* {near} */
	char matched[TRUST_NAME_SIZE];
	struct trust_names wanted, offered;
};
/* Ends the judgement: false, so that it can be returned from a check ("go on" is true). */
bool p_refuse(struct p_case *c, enum p_reason r, int alert);
bool p_unknown(struct p_case *c, enum p_reason r, const char *detail);

/* Fills a piece into dst; P_NOTES: "". */
void p_note(enum p_note n, const struct p_case *c, char *dst, size_t size);

/* Each: true = nothing against it, go on; false = the case is decided. */
bool p_check_chain(struct p_case *c);  /* profile_chain.c */
bool p_check_time(struct p_case *c);
bool p_check_usage(struct p_case *c);
bool p_check_key(struct p_case *c);
bool p_check_names(struct p_case *c);  /* profile_names.c: against the reference or the list */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h  How other verifiers judge a certificate that we show them: a product, a library or a standard a row (profiles.def), each
 * with where that is known from, and one evaluator for all of them.
 *
 * Pure: no sockets, no files, no clock, nothing kept; OpenSSL's memory is all that it takes. What a row does not know is never guessed:
 * where it would decide, the answer is TRUST_CANNOT_SAY. Rows are static and immutable. Any thread, but the certificates of a
 * question belong to one thread at a time (OpenSSL caches within them under its own locks, so sharing for reading is fine).  */
#ifndef TRUST_PROFILE_H
#define TRUST_PROFILE_H
#include <openssl/x509.h>
#include "base/buf.h"
#include "trust/explain.h"
#include "trust/facts.h"

/* Where a rule is known from, the best first. */
enum trust_confidence {
	TRUST_BY_LAB,      /* measured against the running program */
	TRUST_BY_SOURCE,   /* read in its source */
	TRUST_BY_MANUAL,   /* its maker's documents say so */
	TRUST_BY_HEARSAY,  /* forums, observation, shapes that are known to work: not verified */
	TRUST_BY_STANDARD, /* the row is a standard, and this is what it says */
};
const char *trust_confidence_name(enum trust_confidence c);  /* "lab", "source", "manual", "hearsay", "standard": stable */
const char *trust_confidence_words(enum trust_confidence c); /* "measured", "by its source code", "by its manual", "not verified", "by the standard" */

/* What the judged certificate is used as: server = the verifier dials us; client = we dial it. */
enum trust_seat { TRUST_SEAT_SERVER_CERT, TRUST_SEAT_CLIENT_CERT };
const char *trust_seat_name(enum trust_seat s); /* "server", "client" */

/* Many products can check and do not by default. */
enum trust_switch { TRUST_AS_DEFAULT, TRUST_SWITCHED_ON, TRUST_SWITCHED_OFF };

/* When the verifier judges, and so what we see of a refusal. */
enum trust_when {
	TRUST_WHEN_UNKNOWN,
	TRUST_WHEN_ALERT,   /* within the handshake: a TLS alert */
	TRUST_WHEN_CLOSE,   /* after it: the connection is closed, without alert or SIP */
	TRUST_WHEN_REQUEST, /* for each request: a SIP answer, or none */
};

const char *trust_when_name(enum trust_when w); /* "unknown", "alert", "close", "per-request" */

/* The name that a dialling verifier compares with ours. */
enum trust_reference {
	TRUST_REF_NONE,    /* it compares none */
	TRUST_REF_DOMAIN,  /* the host of the URI, before DNS made targets of it (RFC 5922 4) */
	TRUST_REF_TYPED,   /* the address as typed into its configuration */
	TRUST_REF_HOST,    /* the host name that it dials */
	TRUST_REF_UNKNOWN,
};

struct trust_profile;
const struct trust_profile *trust_profile_find(const char *name); /* without case; NULL: there is none of that name */
const struct trust_profile *trust_profile_at(unsigned i);         /* NULL behind the last */
unsigned trust_profile_count(void);
const char *trust_profile_name(const struct trust_profile *p);    /* "lync" */
const char *trust_profile_title(const struct trust_profile *p);   /* "Lync and Skype for Business Front End" */
const char *trust_profile_source(const struct trust_profile *p);  /* where to read it */
const char *trust_profile_remark(const struct trust_profile *p);  /* "" if there is none */
/* A rule of our own configuration (judges_us: san-or-cn) and not a product: left out where products are listed. */
bool trust_profile_generic(const struct trust_profile *p);
/* Whether the program can be installed where the tests run, so that its rows are tried against it. The others answer at most "likely". */
bool trust_profile_can_run(const struct trust_profile *p);
enum trust_confidence trust_profile_confidence(const struct trust_profile *p, enum trust_seat seat);
enum trust_reference trust_profile_reference(const struct trust_profile *p);
/* Whether it checks our certificate in that seat unless told otherwise: -1 not known, 0 off, 1 on. */
int trust_profile_default(const struct trust_profile *p, enum trust_seat seat);
/* Whether it sends SNI when it dials us: -1 not known, 0 no, 1 yes. Without, we show it our default certificate. */
int trust_profile_sends_sni(const struct trust_profile *p);
/* When it judges in that seat, and what the row remarks on it ("" if nothing). */
enum trust_when trust_profile_when(const struct trust_profile *p, enum trust_seat seat);
const char *trust_profile_seat_remark(const struct trust_profile *p, enum trust_seat seat);
/* What the row says of one seat, in one or a few sentences. Returns dst. */
char *trust_profile_words(const struct trust_profile *p, enum trust_seat seat, char *dst, size_t size);

struct trust_question { /* plain borrowed pointers */
	enum trust_seat seat;
	X509 *leaf;                      /* NULL: no certificate was shown */
	const struct trust_cert *described; /* instead of a leaf: only its names are judged */
	STACK_OF(X509) *chain;           /* as shown, without the leaf; may be NULL */
	X509_STORE *anchors;             /* what the verifier trusts, with revocation lists if there are; NULL: the chain is taken as good, and only
	                                  * names, usages and times are judged */
	const char *reference;           /* name or IP literal that it dialled, or the source of the connection as it sees it; NULL: not known */
	const struct trust_names *known; /* its list of known peers (topology, allow-list); NULL: not known to us; empty: an empty list. Where it
	                                  * compares with a reference and that is not known, any of these names will do */
	int64_t now_s;
	enum trust_switch enabled;       /* of the verification in that seat */
};

enum trust_answer_kind { TRUST_ACCEPTS, TRUST_REFUSES, TRUST_CANNOT_SAY };
const char *trust_answer_kind_name(enum trust_answer_kind k); /* "accepts", "refuses", "unknown" */

enum { TRUST_ANSWER_TEXT = 640 };

struct trust_answer {
	enum trust_answer_kind kind;
	enum trust_certainty certainty;    /* TRUST_UNKNOWN exactly for TRUST_CANNOT_SAY */
	enum trust_confidence confidence;
	enum trust_when when;              /* for a refusal */
	bool default_off;                  /* it checks nothing unless told to; the next two tell of the check switched on */
	enum trust_answer_kind if_enabled;
	char if_enabled_name[48];
	char name[48];                     /* stable; profile_reasons.def */
	char sentence[TRUST_ANSWER_TEXT];
	char fix[TRUST_ANSWER_TEXT];       /* "" where there is nothing to do */
	char wanted[512], offered[512];    /* names, where names decide */
	char sees[256];                    /* what we see of a refusal */
	char remark[512];                  /* what the verifier wants besides, though it may not decide: "" or sentences */
};
/* Fills *a always. */
void trust_profile_judge(const struct trust_profile *p, const struct trust_question *q, struct trust_answer *a);
/* ---- judges_us: what the configuration says of a peer ---- */
/* Profile and the rule behind it; "unknown", or a name of no row, leaves it unconfigured: false. The known names are left alone. */
bool trust_judges_us_set(struct trust_judges_us *j, const char *profile);
/* How the peer takes a certificate of ours on a connection that we open, by its names, its checks switched on. TRUST_CANNOT_SAY if nothing is
 * configured, or no names where names count. */
enum trust_answer_kind trust_judges_us_admits(const struct trust_judges_us *j, const struct trust_cert *cert);

/* What a stable name means; NULL if there is none of that name. And the names in order, NULL behind the last. */
const char *trust_reason_meaning(const char *name);
const char *trust_reason_at(unsigned i);

#endif

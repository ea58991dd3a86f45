/* SPDX-License-Identifier: Apache-2.0 */
/* facts.h  What was seen of one connection, or of one attempt at one, from the name that was looked up to the SIP answer.
 *
 * `struct trust_facts` is a plain value of fixed size: no pointers, so it may be copied to another thread, kept in a ring and
 * compared; what does not fit is cut and marked. It is filled along a connection's life by whoever saw the fact: DNS and
 * connect by the dialler, everything of TLS by tls.h, the end by the connection's owner, SIP answer and second probe by the
 * SIP core and the gateway watch. explain.h turns it into a verdict; nothing here judges.
 * The setters write one thing each and accept NULL for the facts. One thread at a time.                                    */
#ifndef TRUST_FACTS_H
#define TRUST_FACTS_H
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/text.h"
#include "event/report.h"

enum {
	TRUST_NAME_SIZE = 256,  /* a domain name, a CN or a distinguished name in a fact */
	TRUST_LABEL_SIZE = 64,  /* gateway, node, identity: names that a person gave */
	TRUST_ADDR_SIZE = 64,   /* "192.0.2.1:5061", "[2001:db8::1]:5061" */
	TRUST_NAMES_BYTES = 1024,
	TRUST_ALERTS = 4,
	TRUST_SUITES = 48,
	TRUST_VERSIONS = 8,
	TRUST_SENTENCE_SIZE = 320,
};

/* A list of names in one piece of memory. When it is full further names are dropped and `cut` says so. */
struct trust_names {
	uint16_t n, used;
	bool cut;
	char text[TRUST_NAMES_BYTES]; /* NUL after each */
};
void trust_names_clear(struct trust_names *l);
void trust_names_add(struct trust_names *l, struct text name);
void trust_names_add_str(struct trust_names *l, const char *name);
/* The ith, or NULL. */
const char *trust_names_at(const struct trust_names *l, unsigned i);
/* Without case, and without a dot at the end. */
bool trust_names_has(const struct trust_names *l, const char *name);
/* "a, b and c" (or "none"); cut with "..." to size. Returns dst. */
char *trust_names_join(const struct trust_names *l, char *dst, size_t size);
/* The same with another last word: "a, b or c". */
char *trust_names_join_by(const struct trust_names *l, const char *word, char *dst, size_t size);

enum trust_role {
	TRUST_DIALLED,  /* we opened the connection: in TLS we are the client */
	TRUST_ACCEPTED, /* the peer opened it: in TLS we are the server */
};
const char *trust_role_name(enum trust_role r); /* "dialled", "accepted" */

/* What the connection was for. */
enum trust_flow {
	TRUST_FLOW_NONE,
	TRUST_FLOW_CALL_IN,  /* INVITE from the peer */
	TRUST_FLOW_OPTIONS,  /* our probe */
	TRUST_FLOW_TRANSFER, /* our REFER */
	TRUST_FLOW_LAMP,     /* our NOTIFY of message-summary */
	TRUST_FLOW_CALL_OUT, /* our INVITE */
	TRUST_FLOW_DIALOG,   /* another request of ours within a dialog */
};
const char *trust_flow_name(enum trust_flow f); /* "calls in", "OPTIONS", "transfer", "lamp", "calls out", "in-dialog request" */

enum trust_transport { TRUST_NO_TRANSPORT, TRUST_UDP, TRUST_TCP, TRUST_TLS };

enum trust_dns_outcome {
	TRUST_DNS_NOT_ASKED, /* an address was given, or the cache of another layer was used */
	TRUST_DNS_OK,
	TRUST_DNS_NXDOMAIN,  /* the name does not exist */
	TRUST_DNS_NODATA,    /* it exists, without a record of the types asked for */
	TRUST_DNS_SERVFAIL,
	TRUST_DNS_REFUSED,   /* the server does not serve us or this zone */
	TRUST_DNS_TIMEOUT,
	TRUST_DNS_MALFORMED,
	TRUST_DNS_NO_SERVER, /* none configured, or none could be reached */
};

/* How a connection ended. The same words as in net/conn.h. */
enum trust_end {
	TRUST_OPEN,         /* it did not (yet) */
	TRUST_CLOSE_NOTIFY, /* the peer said goodbye by TLS */
	TRUST_FIN,          /* the peer closed without TLS's goodbye (or a plain connection ended) */
	TRUST_RST,
	TRUST_TIMED_OUT,    /* we gave up waiting; with TLS up: no SIP answer came */
	TRUST_LOCAL,        /* we closed */
	TRUST_FAILED,       /* another errno */
};
const char *trust_end_name(enum trust_end e);

/* What spoke on the port instead of TLS. */
enum trust_plain { TRUST_PLAIN_NO, TRUST_PLAIN_SIP, TRUST_PLAIN_HTTP, TRUST_PLAIN_OTHER };

enum trust_rule_kind {
	TRUST_RULE_RFC5922,   /* SAN sip: URI without user; else SAN DNS; CN only without any SAN; an IP address by SAN IP; never a wildcard */
	TRUST_RULE_SAN_OR_CN, /* any of them, and the CN too; never a wildcard */
	TRUST_RULE_CN_ONLY,   /* the most specific CN of the subject and nothing else */
	TRUST_RULE_RFC9525,   /* SAN DNS, where a wildcard may be the whole left-most label; SAN IP; never the CN. As web clients judge */
};
const char *trust_rule_kind_name(enum trust_rule_kind k); /* "rfc5922", "san-or-cn", "cn-only", "rfc9525" */
/* EINVAL for a word that names no rule. */
int trust_rule_kind_parse(struct text t, enum trust_rule_kind *k);

/* Extended key usages of a certificate. */
enum { TRUST_EKU_PRESENT = 1, TRUST_EKU_SERVER = 2, TRUST_EKU_CLIENT = 4, TRUST_EKU_SIP = 8, TRUST_EKU_ANY = 16, TRUST_EKU_OTHER = 32 };

/* A certificate as it was shown. Names hold what the certificate holds, NUL bytes written as \x00. */
struct trust_cert {
	bool shown;
	char cn[TRUST_NAME_SIZE];      /* the most specific; "" if the subject has none */
	char subject[TRUST_NAME_SIZE];
	char issuer[TRUST_NAME_SIZE];
	struct trust_names cns;        /* all of them, most specific first */
	struct trust_names sans;       /* "DNS:a", "URI:sip:a", "IP:192.0.2.1", in the certificate's order */
	bool has_san, san_critical, self_signed, has_cdp, is_ca;
	uint8_t eku;                   /* TRUST_EKU_* */
	int64_t not_before_s, not_after_s;
	char key[24];                  /* "RSA-2048", "EC-P-256" */
	char digest[16];               /* of the issuer's signature: "SHA256"; "" when the kind of signature names none */
	bool public_ca;                /* issued under the rules of public CAs (a policy of the CA/Browser Forum, or logged) */
	char serial[64];               /* hexadecimal */
	char sha256[65];               /* fingerprint, hexadecimal */
	uint8_t chain_len;             /* certificates sent along, the leaf counted */
};

struct trust_alert {
	bool sent;            /* by us; else received */
	bool fatal;
	bool after_handshake; /* after our side had finished: in TLS 1.3 the peer judges a client's certificate last */
	uint8_t number;
};
/* "unknown_ca"; every alert of the registry, 116 certificate_required too; "alert_<n>" is never returned: unknown gives "unknown". */
const char *trust_alert_name(unsigned number);
/* "the issuer of the certificate is unknown" ... */
const char *trust_alert_words(unsigned number);

struct trust_hello {
	bool seen;
	uint8_t n_versions, n_suites;
	bool cut;
	uint16_t version[TRUST_VERSIONS]; /* 0x0303 = TLS 1.2 */
	uint16_t suite[TRUST_SUITES];     /* IANA numbers; GREASE left out */
	char sni[TRUST_NAME_SIZE];
};

struct trust_tls_facts {
	bool used;               /* the connection was meant to be TLS */
	bool started;            /* first byte sent or received */
	bool heard;              /* bytes of the peer came, though perhaps not its whole hello */
	bool hello_from_peer;    /* the peer's ClientHello or ServerHello came */
	bool done;               /* our side of the handshake finished */
	bool cert_requested;     /* the server asked for a client certificate */
	bool cert_sent;          /* we put our certificate on the wire */
	bool certs_unseen;       /* which certificates there were cannot be known: seen from outside, a resumed session or a beginning that was missed */
	bool stalled;            /* the handshake's time ran out */
	bool tls_on_plain;       /* a plain port was spoken to in TLS, or our plain bytes were answered in TLS */
	enum trust_plain plain;  /* the TLS port was spoken to, or answered, in something else */
	char plain_bytes[48];    /* its first bytes, escaped */
	uint16_t version;        /* 0x0303, 0x0304; 0 if none was agreed */
	char suite[48];          /* OpenSSL's name */
	char sni[TRUST_NAME_SIZE];            /* sent by the client of this connection; "" if none */
	struct trust_hello client_hello;      /* what the client offered: us when we dialled */
	struct trust_hello server_can;        /* what we would take, when we are the server; seen = false when we dialled */
	uint8_t n_alerts;
	struct trust_alert alert[TRUST_ALERTS];
	char openssl_error[160]; /* the first one; "" if none */
	int verify_code;         /* X509_V_*; 0 = OK or not judged */
	bool verify_done;
	uint8_t verify_depth;
	uint8_t ocsp;            /* enum trust_ocsp: what the stapled response says */
	uint8_t verify_fault;    /* enum trust_fault: what our own look at the chain found, beside OpenSSL's */
	char verify_words[128];  /* OpenSSL's sentence for the code, or ours for the fault */
	char verify_subject[TRUST_NAME_SIZE]; /* of the certificate at that depth */
	char verify_issuer[TRUST_NAME_SIZE];
	int64_t verify_not_after_s, verify_not_before_s; /* of the certificate at that depth */
	int64_t handshake_ms;
};

/* How the name was judged by us. The values of enum trust_name_reason are in rule.h. */
struct trust_name_facts {
	bool judged;
	enum trust_rule_kind rule;
	uint8_t reason;
	struct trust_names wanted;
	struct trust_names offered; /* what counted under the rule */
	char matched[TRUST_NAME_SIZE];
};

struct trust_sip_facts {
	bool sent;          /* a request of ours left on the connection */
	uint32_t large;     /* its bytes, where it should have gone by TCP for its size and went by UDP; else 0 */
	char no_tcp[64];    /* ... and why */
	bool received;      /* any SIP came back on it, or from the peer */
	uint16_t status;    /* final answer; 0: none */
	char phrase[96];
	char reason[160];   /* Reason header */
	char warning[160];
	char ms_diagnostics[320];
	int32_t retry_after_s; /* -1 if not said */
	char method[16];
};

/* What the configuration says of how the peer judges us. */
struct trust_judges_us {
	bool configured;
	char profile[32];           /* "lync", "rfc5922", ... as configured */
	enum trust_rule_kind rule;  /* the rule behind it */
	struct trust_names known;   /* the names it knows us by; none configured: nothing known */
};

enum trust_second_kind { TRUST_SECOND_NONE, TRUST_SECOND_IDENTITY /* another identity of ours */, TRUST_SECOND_PEERS_CONNECTION };
enum trust_second_outcome { TRUST_SECOND_SILENT, TRUST_SECOND_CLOSED, TRUST_SECOND_ANSWERED, TRUST_SECOND_FAILED };
struct trust_second {
	enum trust_second_kind kind;
	enum trust_second_outcome outcome;
	char identity[TRUST_LABEL_SIZE];
	char cn[TRUST_NAME_SIZE];
	uint16_t status;
};

/* Why the sender of a request is nobody whom we know. */
enum trust_away {
	TRUST_AWAY_NOT,
	TRUST_AWAY_ADDRESS,    /* no gateway has its address */
	TRUST_AWAY_NOT_BY_TLS, /* the gateway of that address must speak TLS */
	TRUST_AWAY_NAME,       /* its certificate is good, but for no name that a gateway has */
};

/* Of the authorities between a certificate that was accepted and its root, the one that ends first. */
struct trust_middle {
	char cn[TRUST_NAME_SIZE];
	char sha256[65];       /* "": there is none */
	int64_t not_after_s;
};

struct trust_facts {
	enum trust_role role;
	enum trust_flow flow;
	enum trust_transport transport;
	int64_t now_s;                     /* wall clock when the facts were taken */
	char gateway[TRUST_LABEL_SIZE];    /* "" when the peer is no configured gateway */
	char node[TRUST_LABEL_SIZE];
	char our_fqdn[TRUST_NAME_SIZE];    /* this node's own name */
	char our_service[TRUST_NAME_SIZE]; /* the name shared by the nodes; "" if none */
	char our_identity[TRUST_LABEL_SIZE]; /* the identity shown */
	struct trust_names identities;     /* "name=CN" of every identity this node holds */
	char target[TRUST_NAME_SIZE];      /* host dialled, or "" */
	uint16_t target_port;
	char peer_addr[TRUST_ADDR_SIZE];
	char gateway_fqdn[TRUST_NAME_SIZE]; /* the pool's own name in the configuration; the target if "" */

	enum trust_dns_outcome dns;
	char dns_name[TRUST_NAME_SIZE];
	char dns_type[16];                 /* "A", "AAAA", "SRV" */
	char dns_server[TRUST_ADDR_SIZE];

	bool connect_tried, connected;
	int connect_errno;                 /* ETIMEDOUT when our own time ran out */
	int64_t connect_ms;

	struct trust_tls_facts tls;
	struct trust_cert ours, theirs;    /* .shown = put on the wire */
	struct trust_middle theirs_middle;
	struct trust_name_facts name;

	enum trust_end end;
	int end_errno;
	int64_t end_ms;                    /* since established, -1 unknown */

	struct trust_sip_facts sip;
	struct trust_judges_us judges;
	struct trust_second second;
	enum trust_away turned_away;       /* a request came, and we took its sender for nobody */
};

void facts_init(struct trust_facts *f, enum trust_role role, enum trust_transport t, int64_t now_s);
/* Who we are; NULL for what is not known. */
void facts_us(struct trust_facts *f, const char *node, const char *fqdn, const char *service);
void facts_gateway(struct trust_facts *f, const char *gateway, const char *fqdn);
void facts_flow(struct trust_facts *f, enum trust_flow flow);
void facts_target(struct trust_facts *f, const char *host, uint16_t port, const char *addr);
void facts_dns(struct trust_facts *f, enum trust_dns_outcome o, const char *name, const char *type, const char *server);
/* err 0: connected. */
void facts_connect(struct trust_facts *f, int err, int64_t ms);
/* The peer's first bytes on a plain connection look like TLS (0x16 or 0x15, then 0x03): true, and the fact is kept. */
bool facts_plain_bytes(struct trust_facts *f, const void *p, size_t n);
void facts_alert(struct trust_facts *f, bool sent, bool fatal, bool after_handshake, unsigned number);
/* The connection ended; only the first end counts. */
void facts_closed(struct trust_facts *f, enum trust_end how, int err, int64_t ms_since_established);
/* The time for a SIP answer ran out while the connection stood. */
void facts_silent(struct trust_facts *f, int64_t ms_since_sent);
/* The time for the whole request ran out before it could be sent: what was under way, connecting or the handshake, did not end. */
void facts_late(struct trust_facts *f, int64_t ms);
void facts_sip_sent(struct trust_facts *f, struct text method);
/* It went by UDP, in fragments, since the peer takes no TCP. */
void facts_sip_large(struct trust_facts *f, size_t bytes, const char *no_tcp);
/* A final answer came; empty texts for headers that it lacked. retry_after_s -1 if not said. */
void facts_sip_answer(struct trust_facts *f, unsigned status, struct text phrase);
void facts_sip_headers(struct trust_facts *f, struct text reason, struct text warning, struct text ms_diagnostics, int32_t retry_after_s);
void facts_judges(struct trust_facts *f, const char *profile, enum trust_rule_kind rule);
void facts_judges_name(struct trust_facts *f, const char *known);
void facts_identity_held(struct trust_facts *f, const char *identity, const char *cn);
void facts_second(struct trust_facts *f, enum trust_second_kind kind, const char *identity, const char *cn,
		  enum trust_second_outcome o, unsigned status);

/* "TLS 1.2"; unknown numbers as "0x0305". Returns dst (24 bytes are enough). */
char *trust_version_words(uint16_t version, char *dst, size_t size);
/* "TLS_AES_128_GCM_SHA256" by OpenSSL's table, else the number. Returns dst. */
char *trust_suite_words(uint16_t suite, char *dst, size_t size);
/* "TLS 1.2 and TLS 1.3" of a hello. */
char *trust_versions_words(const struct trust_hello *h, char *dst, size_t size);
/* The suites of a hello, by name; cut to size. */
char *trust_suites_words(const struct trust_hello *h, char *dst, size_t size);

/* Everything of it, for the level `expert`: lines "key: value"; and as one JSON object. 0, ENOMEM, EMSGSIZE. */
int facts_text(const struct trust_facts *f, struct buf *out);
int facts_json(const struct trust_facts *f, struct buf *out);

#endif

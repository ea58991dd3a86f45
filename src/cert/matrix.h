/* SPDX-License-Identifier: Apache-2.0 */
/* matrix.h  Who will accept whose certificate, before anybody dials: node x gateway x call flow.
 *
 * A model (who we are, what each node shows, how each gateway judges, what DNS says) goes in; cells come out, each with its reason, the fix
 * and how sure that is. A change of the model is a question of an administrator: what if all nodes show this certificate, what if that node is
 * down, what if the nodes call themselves by the pool's name. Pure but for memory: no sockets, no files, no clock. One thread at a time. */
#ifndef CERT_MATRIX_H
#define CERT_MATRIX_H
#include <openssl/x509.h>
#include "config/cfg.h"
#include "event/report.h"
#include "trust/explain.h"
#include "trust/facts.h"
#include "trust/profile.h"

enum { MATRIX_NODES = 64, MATRIX_GATEWAYS = 64, MATRIX_SHOWN = 16, MATRIX_REASONS = 8 };

/* ---- certificates: immutable, counted (mem_ref, mem_unref) ---- */
struct matrix_cert {
	X509 *leaf;
	STACK_OF(X509) *chain;   /* without the leaf; may be empty, never NULL */
	struct trust_cert facts; /* the leaf, described */
	char from[512];          /* where it is known from: a file, or in words */
};
/* Leaf first. 0; EBADMSG with `why`: nothing usable in it; ENOMEM. */
int matrix_cert_from_pem(struct matrix_cert **cp, struct text pem, const char *from, struct ev_report *why);
/* References are taken; `chain` may be NULL. */
int matrix_cert_from(struct matrix_cert **cp, X509 *leaf, STACK_OF(X509) *chain, const char *from);
/* The same certificate but for its names (`names` NULL: as they are; the first is the CN), its usages (`eku` of OpenSSL's words, NULL: as they
 * are) and its dates (from not_before_s on, for as long as the old one held). Its signature is void: for judging by names, usages and times. */
int matrix_cert_like(struct matrix_cert **cp, const struct matrix_cert *c, const struct trust_names *names, const char *eku, int64_t not_before_s);

/* ---- the model ---- */
struct matrix_shown {
	char identity[TRUST_LABEL_SIZE];
	struct matrix_cert *cert; /* a reference */
};

struct matrix_node {
	char name[65], fqdn[TRUST_NAME_SIZE], service[TRUST_NAME_SIZE];
	struct trust_names addresses;             /* where it listens for TLS: "192.0.2.1:5061"; none: not known */
	bool self, known;                         /* known: its certificates are */
	bool looked_at;                           /* known only by what it showed to a caller: that it shows the same when it dials is likely */
	bool down, supposed_down;                 /* not alive; only because the question says so */
	char why[512];                            /* why nothing is known of it, in words; "" */
	bool has_beat;
	int64_t beat_ago_ms;                      /* of its last heartbeat, by our clock; < 0: in our future */
	struct matrix_shown shown[MATRIX_SHOWN];  /* the first is the default */
	unsigned n_shown;
};

/* What is known of the certificate that a gateway shows. */
struct matrix_theirs {
	bool known;
	bool judged;            /* its chain was, by our authorities: `refused` says whether it failed */
	bool refused;
	char why[256];          /* then: OpenSSL's sentence */
	char from[512];         /* a file, or when it was seen */
	struct trust_cert facts;
};

struct matrix_gateway {
	char name[TRUST_LABEL_SIZE], address[TRUST_NAME_SIZE], identity[TRUST_LABEL_SIZE], profile[32];
	uint16_t port;
	bool tls, asks_certificate;       /* asks_certificate: false for the profile "none" */
	bool any;                         /* transport: auto; `tls` is what DNS said, and true while it was not asked */
	char transport[16], by[TRUST_NAME_SIZE * 2]; /* ... by which transport, and which records said so; "" not known */
	enum cfg_reuse reuse;
	bool lamp, calls_in;
	enum trust_rule_kind rule;        /* ours for it */
	struct trust_names accept;        /* ... and the names that it accepts */
	struct trust_names known;         /* the names by which it knows us */
	struct trust_names dials;         /* names by which it was seen to dial us (its SNI) */
	struct matrix_theirs as_server, as_client; /* the certificate that it shows when we dial, and when it does */
};

/* One DNS answer. */
struct matrix_dns {
	char name[TRUST_NAME_SIZE], type[8]; /* "A" (AAAA counts among them), "SRV", "PTR" */
	char outcome[16];                    /* "OK", "NXDOMAIN" ... */
	struct trust_names values;           /* addresses; "priority weight port target"; names */
};

/* What a node has seen happen: OPTIONS, transfers, lamps and calls in of late. */
struct matrix_seen {
	char node[65], gateway[TRUST_LABEL_SIZE], verdict[48];
	int flow; /* enum matrix_flow */
	bool works;
	int64_t at_us;
};

struct matrix_model {
	int64_t now_s;
	struct matrix_node *nodes; /* owned */
	unsigned n_nodes;
	struct matrix_gateway *gateways;
	unsigned n_gateways;
	struct matrix_dns *dns;
	unsigned n_dns, dns_room;
	bool dns_asked;
	struct matrix_seen *seen;
	unsigned n_seen, seen_room;
	char *anchors_pem;         /* our authorities, for judging chains; may be NULL */
	struct trust_names supposed; /* the questions, as asked */
};
int matrix_model_create(struct matrix_model **mp, int64_t now_s);
void matrix_model_free(struct matrix_model *m); /* NULL is allowed */
/* Adds one; borrowed until the next is added. NULL: no room or memory. */
struct matrix_node *matrix_add_node(struct matrix_model *m, const char *name, const char *fqdn, const char *service);
struct matrix_gateway *matrix_add_gateway(struct matrix_model *m, const char *name);
struct matrix_dns *matrix_add_dns(struct matrix_model *m, const char *name, const char *type, const char *outcome);
struct matrix_seen *matrix_add_seen(struct matrix_model *m, const char *node, const char *gateway);
const struct matrix_dns *matrix_find_dns(const struct matrix_model *m, const char *name, const char *type);
struct matrix_node *matrix_find_node(const struct matrix_model *m, const char *name_or_fqdn);
struct matrix_gateway *matrix_find_gateway(const struct matrix_model *m, const char *name);
/* What the node shows under that identity; takes a reference of its own; replaces one of the same name. */
int matrix_node_shows(struct matrix_node *n, const char *identity, struct matrix_cert *cert);

/* From a configuration: its gateways; the node itself (without certificates); and, for each name by which a gateway knows us that is no known
 * node's nor the service's, a node of which nothing else is known. Other nodes should be there before. */
int matrix_take_gateways(struct matrix_model *m, const struct cfg *cfg);
int matrix_take_self(struct matrix_model *m, const struct cfg *cfg, struct matrix_node **np);
int matrix_take_strangers(struct matrix_model *m);
/* All of a node's file, and the files that it names: the node with its certificates, the authorities, the gateways. Reads files. Errors with
 * `why`. matrix_take_strangers() is still to be called. */
int matrix_take_files(struct matrix_model *m, const struct cfg *cfg, struct ev_report *why);
/* A node as another process says in the store (matrix_card.c); `card` NULL: it said nothing, so nothing is known of its certificates. */
int matrix_take_card(struct matrix_model *m, const char *name, const char *fqdn, const char *card, struct matrix_node **np);
struct trust_set;
/* The card of this node: appends JSON text. 0, ENOMEM, EMSGSIZE. */
int matrix_card_make(struct buf *out, const struct cfg *cfg, const struct trust_set *set);
/* A certificate file of a gateway: both roles; judged by our authorities. EBADMSG with `why`. */
int matrix_peer_cert(struct matrix_gateway *g, const struct matrix_model *m, struct text pem, const char *from, struct ev_report *why);

/* ---- questions ---- */
/* "node-down=NAME", "fqdn=NAME", "known=[GATEWAY:]NAME,NAME", "cert=[NODE:]FILE" (its content is in pem). 0; EINVAL, ENOENT with `why`. */
int matrix_suppose(struct matrix_model *m, const char *question, struct text pem, struct ev_report *why);
/* Whether it is one of these kinds. */
bool matrix_is_question(const char *question);
/* The file that the question names; NULL if it names none. Points into it. */
const char *matrix_question_file(const char *question);

/* ---- cells ---- */
/* The ways in which a call meets a certificate, in the order of the table. */
enum matrix_flow {
	MATRIX_CALLS_IN,   /* 1: they open a connection to us: calls, their OPTIONS */
	MATRIX_OPTIONS,    /* 2: we open one: OPTIONS */
	MATRIX_TRANSFER,   /*    ... a transfer (REFER in a call that they opened) */
	MATRIX_LAMP,       /*    ... a lamp (NOTIFY) */
	MATRIX_DIALOG_IN,  /* 3: within a call, from them, after their connection was lost */
	MATRIX_DIALOG_OUT, /* 4: within a call, from us, after the connection was lost */
	MATRIX_FAILOVER,   /* 5: another node was meant and cannot be reached; this one answers */
	MATRIX_REDIRECT,   /* 6: they are sent to this node's own name (302) */
	MATRIX_RENEWAL,    /* 7: after the certificate was renewed with the names and usages that it has */
	MATRIX_FLOWS
};
const char *matrix_flow_name(enum matrix_flow f);      /* "calls-in" ... */
const char *matrix_flow_words(enum matrix_flow f);     /* "they call us on a new connection" ... */
unsigned matrix_flow_number(enum matrix_flow f);       /* 1 ... 7 */
const char *matrix_flow_direction(enum matrix_flow f); /* "in", "out", "both" */

enum matrix_says { MATRIX_NONE /* there is no such flow here */, MATRIX_ACCEPTS, MATRIX_UNKNOWN, MATRIX_REFUSES };
const char *matrix_says_name(enum matrix_says s); /* "none", "accepts", "unknown", "refuses" */

struct matrix_cell {
	enum matrix_says says;
	enum trust_certainty certainty;
	uint16_t reason[MATRIX_REASONS]; /* indices into the reasons */
	unsigned n_reasons;
};

/* Why, once for all cells that it explains. */
struct matrix_reason {
	char name[48];                    /* stable */
	char sentence[1280], fix[1536];
	char command[160];                /* of the cure, on each of the nodes; "" if there is none */
	char wanted[512], offered[512], sees[320];
	enum matrix_says says;
	enum trust_certainty certainty;
	enum trust_confidence confidence; /* where the rule is known from */
	bool by_rule;                     /* a verifier's rule decided: confidence counts */
	bool by_configuration;            /* ... a rule that the configuration states (judges_us), not a product's */
	unsigned gateway;
	uint64_t nodes;                   /* bits */
	uint32_t flows;                   /* bits */
};

/* What follows from it for calls: which are lost, and for how long. */
struct matrix_outcome {
	char name[48];
	char sentence[1280], fix[1024];
	char assumed[512];                /* what was taken for granted; "" if nothing */
	bool bad;
	enum trust_certainty certainty;
	int gateway;                      /* -1: none in particular */
};

struct matrix_scratch;
struct matrix {
	const struct matrix_model *model;
	struct matrix_cell *cells; /* [node][gateway][flow] */
	struct matrix_reason *reasons;
	unsigned n_reasons, reasons_room;
	struct matrix_outcome *outcomes;
	unsigned n_outcomes, outcomes_room;
	struct matrix_scratch *scratch;
	bool breaks, uncertain;    /* a flow of a node that is up is refused, or calls are lost; something is unknown */
};
/* 0, ENOMEM. The model must outlive it. */
int matrix_run(struct matrix **xp, const struct matrix_model *m);
void matrix_free(struct matrix *x);
const struct matrix_cell *matrix_cell(const struct matrix *x, unsigned node, unsigned gateway, enum matrix_flow f);
/* The nodes of a reason: "node01 and node02"; of many the first ones and "22 more". Returns dst. */
char *matrix_node_names(const struct matrix_model *m, uint64_t nodes, char *dst, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_private.h  What the files of the matrix share. */
#ifndef CERT_MATRIX_PRIVATE_H
#define CERT_MATRIX_PRIVATE_H
#include "cert/matrix.h"
#include "cert/plan.h"
#include "trust/rule.h"

/* ---- sentences: matrix.def ---- */
enum matrix_words {
#define WORDS(id, name, sentence, fix) MATRIX_W_##id,
#include "cert/matrix.def"
#undef WORDS
	MATRIX_WORDS
};
const char *matrix_words_name(enum matrix_words w);
/* The sentence and the fix of that row, with {fields} from the report. Either may be NULL. */
void matrix_words_fill(enum matrix_words w, const struct ev_report *fields, char *sentence, size_t sentence_size, char *fix, size_t fix_size);

/* ---- what one side thinks of the other's certificate ---- */
struct matrix_opinion {
	enum matrix_says says;
	enum trust_certainty certainty;
	enum trust_confidence confidence;
	bool by_rule;       /* confidence counts */
	bool by_configuration; /* ... unless the rule is stated by the configuration */
	bool ours_to_cure;  /* another certificate of ours might help */
	char name[48];
	char sentence[1280], fix[1536];
	char wanted[512], offered[512], sees[320];
};
/* Room for one opinion at a time, so that forming one does not run out of memory half-way. */
struct matrix_scratch {
	struct ev_report report;
	struct trust_answer answer;
	struct trust_judgement judgement;
	struct matrix_opinion opinion[4];
	struct {
		const struct matrix_cert *cert;
		bool proven;
		char why[320];
	} chain[MATRIX_NODES]; /* judged already */
	unsigned n_chains;
	struct cert_plan plan;
	struct cert_gateway sharing[CERT_PLAN_GATEWAYS]; /* gateways that are shown one identity */
};
/* Whether authorities (PEM) prove the certificate by its chain, in one role or the other, as of a day when it holds; if not, `why` tells (OpenSSL's words in a
 * sentence). 0, ENOMEM, EBADMSG for authorities that cannot be read. */
int matrix_cert_proven(const struct matrix_cert *c, const char *anchors_pem, int64_t now_s, bool *proven, char *why, size_t size);
/* How the gateway judges that certificate of ours; `reference` as in trust/profile.h. */
void matrix_they_judge(const struct matrix_gateway *g, enum trust_seat seat, const struct matrix_cert *cert, const char *reference, int64_t now_s,
		       struct matrix_scratch *s, struct matrix_opinion *o);
/* How we judge the gateway's: `dialled` when we opened the connection. 0, ENOMEM. */
int matrix_we_judge(const struct matrix_gateway *g, bool dialled, int64_t now_s, struct matrix_scratch *s, struct matrix_opinion *o);
/* An opinion out of a row of matrix.def. */
void matrix_opinion_of(struct matrix_opinion *o, enum matrix_words w, enum matrix_says says, enum trust_certainty certainty, const struct ev_report *fields);

/* What the gateway would call a peer that it knows: its list counts (Lync, a trusted application pool). */
bool matrix_has_list(const struct matrix_gateway *g);
/* As gateway/ tells it to the cure. */
void matrix_judges_us(const struct matrix_gateway *g, struct trust_judges_us *j);

/* ---- which certificate, which name ---- */
bool matrix_same_name(const char *a, const char *b); /* without case and without a dot at the end; "" is nobody's */
/* What a caller who asks for `name` is shown, as trust/tls.c chooses; NULL: nothing known. */
const struct matrix_cert *matrix_shown_to_caller(const struct matrix_node *n, const struct matrix_gateway *g, const char *name);
/* What the node shows when it dials the gateway. */
const struct matrix_cert *matrix_shown_by_us(const struct matrix_node *n, const struct matrix_gateway *g);
/* The name by which the gateway dials that node. `assumed` (may be NULL): whether that is a guess. */
const char *matrix_dialled(const struct matrix_gateway *g, const struct matrix_node *n, bool *assumed);
/* How it finds us: matrix_peers.def. */
enum matrix_finds { MATRIX_FINDS_UNKNOWN, MATRIX_FINDS_NODES /* a list of servers, each by its own name */, MATRIX_FINDS_SERVICE /* one name for all */ };
struct matrix_finder {
	const char *profile;
	enum matrix_finds finds;
	unsigned tries;      /* servers for one call; 0: not known */
	unsigned connect_s;  /* how long it waits for one that says nothing; 0: not known */
	const char *remark;  /* what is taken for granted, and from where */
};
const struct matrix_finder *matrix_finder(const struct matrix_gateway *g);

/* ---- DNS ---- */
/* Bits of the nodes to which the name leads by A and AAAA (and SRV, `srv`); 0: none, or nothing known. `known`: whether DNS answered at all. */
uint64_t matrix_leads_to(const struct matrix_model *m, const char *name, bool *known);

/* ---- building the result ---- */
void matrix_fields(struct ev_report *r, const struct matrix_model *m, const struct matrix_node *n, const struct matrix_gateway *g);
int matrix_add_reason(struct matrix *x, unsigned node, unsigned gateway, enum matrix_flow f, const struct matrix_opinion *o, const char *command);
struct matrix_outcome *matrix_add_outcome(struct matrix *x, enum matrix_words w, const struct ev_report *fields, bool bad, enum trust_certainty certainty);
/* Whether the cure of this gateway on this node would help, and whom it would hurt (-1: nobody). */
struct matrix_remedy {
	bool helps;
	int hurts;              /* a gateway that is shown the same identity */
	enum matrix_says says;  /* ... what it would say: it refuses, or its rule does not tell */
	char cn[TRUST_NAME_SIZE];
};
int matrix_remedy(const struct matrix *x, const struct matrix_node *n, const struct matrix_gateway *g, struct matrix_remedy *r);
/* matrix_outcome.c: which calls are lost, what a renewal brings, what no certificate can do. */
int matrix_outcomes(struct matrix *x);

#endif

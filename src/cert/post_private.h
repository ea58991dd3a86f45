/* SPDX-License-Identifier: Apache-2.0 */
/* post_private.h  The post as its carriers share it. post.c: sealing, opening, whom to believe; post_store.c, post_direct.c: the ways. */
#ifndef CERT_POST_PRIVATE_H
#define CERT_POST_PRIVATE_H
#include "base/id.h"
#include "base/list.h"
#include "cert/letter.h"
#include "cert/post.h"
#include "cert/words.h"
#include "net/tmr.h"
#include "sip/request.h"

enum { POST_SEEN_MAX = 512, POST_SCHEMA = 1, POST_SAY_MS = 60000 };

/* A node of the configuration. */
struct post_other {
	char name[65], fqdn[TRUST_NAME_SIZE];
	struct sip_peer *peer;
	int64_t window_ms; /* how many letters came within it */
	unsigned came;
};

struct cert_post {
	struct cert_post_prm prm;
	char node[65], service[TRUST_NAME_SIZE];
	struct tmr timer;
	bool fetching, closed;
	char seen[POST_SEEN_MAX][ID_SIZE]; /* ids of letters that were read, a ring: none is read twice */
	unsigned seen_at;
	int64_t said_ms; /* when a letter was last told as not believed */
	struct list outs;
	struct post_other other[CFG_NODES_MAX];
	unsigned n_others;
	unsigned reading; /* that came directly and are being opened */
};

/* ---- out ---- */
struct post_out {
	struct link link;
	struct cert_post *p; /* a reference */
	bool begun;
	char id[ID_SIZE], to[65], order[ID_SIZE];
	int64_t now_us;
	json_t *words;
	struct trust_identity *sender;
	struct buf body;
	struct sip_request *request; /* under way; NULL: none */
	char fqdn[TRUST_NAME_SIZE];
};
/* The carriers: 0 and later post_sent(), or an error. */
int post_by_store(struct post_out *o);
int post_by_sip(struct post_out *o);
/* `why` NULL: it arrived. Frees it. */
void post_sent(struct post_out *o, const struct ev_report *why);
void post_out_free(struct post_out *o);

/* ---- in ---- */
typedef void (post_read_h)(const char *doubt, void *arg); /* NULL: it is believed, and was handed over */
/* `body` becomes the reading's in any case. `bearer` (may be NULL): the certificate of the connection that it came over; it lives until h was called.
 * 0, or an error: then h is not called. */
int post_read(struct cert_post *p, char *body, const struct trust_cert *bearer, post_read_h *h, void *arg);
void post_not_believed(struct cert_post *p, const char *cn, const char *reason);

/* ---- carriers ---- */
void post_store_start(struct cert_post *p);
void post_direct_start(struct cert_post *p);
void post_direct_stop(struct cert_post *p);
struct post_other *post_find(struct cert_post *p, const char *name);

#endif

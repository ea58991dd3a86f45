/* SPDX-License-Identifier: Apache-2.0 */
/* post_direct.c  Letters as SIP MESSAGEs over mutual TLS, between the nodes that the configuration names. They go where every other request goes: by the
 * connections, the handshakes and the facts of sip/, so that a refused one is explained as a gateway's would be. What comes is taken only
 * from a certificate that is a node's; then the letter itself is judged (post.c), and the answer says what was found.                     */
#include <errno.h>
#include "base/mem.h"
#include "cert/post_private.h"
#include "cert_events.h"
#include "sip/header.h"
#include "sip/note.h"
#include "trust/explain.h"

enum { ANSWER_MS = 15000, READING_MAX = 16, WINDOW_MS = 10000, WINDOW_LETTERS = 200 };

#define LETTER_TYPE "application"
#define LETTER_SUBTYPE "vnd.umbel.letter"

struct post_other *post_find(struct cert_post *p, const char *name)
{
	for (unsigned i = 0; i < p->n_others; i++)
		if (strcasecmp(p->other[i].name, name) == 0)
			return &p->other[i];
	return NULL;
}

const char *cert_post_node(const struct cert_post *p, unsigned i, const char **fqdn)
{
	if (!p || i >= p->n_others)
		return NULL;
	*fqdn = p->other[i].fqdn;
	return p->other[i].name;
}

/* ---- the list ---- */

static int make_peer(struct sip_peer **pp, const struct cfg_peer_node *n)
{
	struct sip_peer *peer = sip_peer_create();
	int err = peer ? trust_policy_one(&peer->policy, n->name, TRUST_RULE_RFC9525, &n->fqdn, 1) : ENOMEM;
	if (err) {
		mem_unref(peer);
		return err;
	}
	text_print(peer->name, sizeof peer->name, "node %s", n->name);
	text_fill(peer->host, sizeof peer->host, n->address);
	text_fill(peer->sni, sizeof peer->sni, n->fqdn);
	peer->port = n->port;
	peer->transport = NET_TLS;
	peer->rule = TRUST_RULE_RFC9525;
	peer->notes_only = true;
	*pp = peer;
	return 0;
}

static void drop_list(struct post_other *list, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		mem_unref(list[i].peer);
}

int cert_post_nodes(struct cert_post *p, const struct cfg *cfg)
{
	struct post_other *list = mem_zalloc(CFG_NODES_MAX, sizeof *list);
	unsigned n = 0;
	int err = list ? 0 : ENOMEM;
	for (size_t i = 0; p->prm.sip && !err && i < cfg->n_nodes && n < CFG_NODES_MAX; i++) {
		const struct cfg_peer_node *c = &cfg->nodes[i];
		if (cfg_is_self(cfg, c))
			continue;
		err = make_peer(&list[n].peer, c);
		text_fill(list[n].name, sizeof list[n].name, c->name);
		text_fill(list[n].fqdn, sizeof list[n].fqdn, c->fqdn);
		n += !err;
	}
	if (err) {
		drop_list(list, list ? n : 0);
	} else {
		drop_list(p->other, p->n_others);
		memcpy(p->other, list, n * sizeof *list);
		p->n_others = n;
	}
	mem_free(list);
	return err;
}

/* ---- out ---- */

/* What to do depends on who refused whom, and where. */
static const char *advice_of(const struct trust_verdict *v)
{
	if (v->step == TRUST_STEP_DNS)
		return cert_words(CERT_SAYS_DO_NAME);
	if (v->step == TRUST_STEP_CONNECT)
		return cert_words(CERT_SAYS_DO_REACH);
	return cert_words(v->who == TRUST_US ? CERT_SAYS_DO_ITS_CERT : v->who == TRUST_PEER ? CERT_SAYS_DO_OUR_CERT : CERT_SAYS_DO_LOOK);
}

static void not_reached(struct ev_report *r, const struct post_out *o, const struct sip_result *res)
{
	struct trust_facts *f = res->facts ? mem_alloc(sizeof *f) : NULL;
	struct trust_verdict *v = mem_alloc(sizeof *v);
	ev_set(r, EV_CERT_LETTER_NOT_TAKEN);
	ev_str(r, "to", o->to);
	ev_str(r, "fqdn", o->fqdn);
	ev_str(r, "service", o->p->service);
	ev_str(r, "node", o->p->node);
	if (f && v) {
		*f = *res->facts;
		f->gateway[0] = '\0'; /* it is none: its address stands for it */
		trust_explain(f, v);
		ev_str(r, "verdict", v->sentence);
		ev_str(r, "cause", v->cause);
		ev_str(r, "verdict_name", v->name);
		ev_str(r, "step", trust_step_name(v->step));
		ev_str(r, "certainty", trust_certainty_name(v->certainty));
		ev_str(r, "hint", advice_of(v));
	} else {
		ev_str(r, "verdict", strerrordesc_np(res->err ? res->err : ETIMEDOUT));
		ev_str(r, "hint", cert_words(CERT_SAYS_DO_LOOK));
	}
	mem_free(f);
	mem_free(v);
}

/* Its own words, from the Reason of the answer. */
static void words_of(const struct sip_result *res, char *dst, size_t size)
{
	struct sip_reason reason;
	text_fill(dst, size, res->reason);
	if (res->facts && !sip_reason_parse(&reason, text_of(res->facts->sip.reason), NULL) && reason.text.n)
		text_escape(reason.text, dst, size);
}

static void turned_away(struct ev_report *r, const struct post_out *o, const struct sip_result *res)
{
	char words[200];
	bool other_version = res->status == 405 || res->status == 415 || res->status == 501;
	words_of(res, words, sizeof words);
	ev_set(r, EV_CERT_LETTER_TURNED_AWAY);
	ev_str(r, "to", o->to);
	ev_int(r, "status", res->status);
	ev_str(r, "reason", words);
	ev_str(r, "node", o->p->node);
	ev_str(r, "hint", cert_words(other_version ? CERT_SAYS_DO_VERSION : res->status == 503 ? CERT_SAYS_DO_WAIT : CERT_SAYS_DO_SAME_LIST));
}

static void sent_h(const struct sip_result *res, void *arg)
{
	struct post_out *o = arg;
	struct ev_report *r = mem_zalloc(1, sizeof *r), none = { 0 };
	o->request = NULL;
	r = r ? r : &none;
	bool answered = res->outcome == SIP_ANSWERED;
	if (!answered) {
		not_reached(r, o, res);
	} else if (res->status < 200 || res->status >= 300) {
		turned_away(r, o, res);
	} else if (!res->facts || !cert_letter_from(&res->facts->theirs, o->fqdn, o->p->service)) {
		ev_set(r, EV_CERT_LETTER_WRONG_NODE);
		ev_str(r, "to", o->to);
		ev_str(r, "cn", res->facts ? res->facts->theirs.cn : "");
		ev_str(r, "fqdn", o->fqdn);
		ev_str(r, "service", o->p->service);
	}
	post_sent(o, r->id ? r : NULL);
	if (r != &none)
		mem_free(r);
}

int post_by_sip(struct post_out *o)
{
	struct cert_post *p = o->p;
	const struct post_other *to = post_find(p, o->to);
	struct sip_request_prm prm = { .method = "MESSAGE", .user = "node", .from_user = "node", .content_type = LETTER_TYPE "/" LETTER_SUBTYPE, .body = o->body.p,
				       .body_n = o->body.n, .timeout_ms = ANSWER_MS, .flow = TRUST_FLOW_NONE };
	if (!to)
		return ENOENT;
	text_fill(o->fqdn, sizeof o->fqdn, to->fqdn);
	return sip_request_send(&o->request, p->prm.sip, to->peer, &prm, sent_h, o);
}

/* ---- in ---- */

struct arrived {
	struct cert_post *p; /* a reference */
	struct sip_note_way *way; /* a reference */
	struct trust_cert bearer;
};

static void arrived_free(struct arrived *a)
{
	mem_unref(a->way);
	mem_unref(a->p);
	mem_free(a);
}

static void was_read(const char *doubt, void *arg)
{
	struct arrived *a = arg;
	a->p->reading--;
	if (!a->p->closed)
		sip_note_answer(a->way, doubt ? 403 : 200, doubt);
	arrived_free(a);
}

/* Whose certificate it is that the other side proved; with one shared by several nodes, any of them. */
static struct post_other *bearer_of(struct cert_post *p, const struct trust_facts *f)
{
	if (!f || !f->theirs.shown || !f->tls.verify_done || f->tls.verify_code)
		return NULL;
	for (unsigned i = 0; i < p->n_others; i++)
		if (cert_letter_from(&f->theirs, p->other[i].fqdn, p->service))
			return &p->other[i];
	return NULL;
}

static bool too_many(struct cert_post *p, struct post_other *o)
{
	int64_t now = clock_mono_ms(p->prm.clock);
	if (now - o->window_ms >= WINDOW_MS) {
		o->window_ms = now;
		o->came = 0;
	}
	return ++o->came > WINDOW_LETTERS || p->reading >= READING_MAX;
}

static void take(const struct sip_note *note, struct sip_note_way *way, void *arg)
{
	struct cert_post *p = arg;
	const struct trust_facts *f = note->src->facts;
	struct post_other *from = bearer_of(p, f);
	if (!from) {
		post_not_believed(p, f ? f->theirs.cn : "", cert_words(CERT_SAYS_NO_NODES_CERT));
		sip_note_answer(way, 403, cert_words(CERT_SAYS_NO_NODES_CERT));
		return;
	}
	if (too_many(p, from)) {
		post_not_believed(p, f->theirs.cn, cert_words(CERT_SAYS_TOO_MANY));
		sip_note_answer(way, 503, cert_words(CERT_SAYS_TOO_MANY));
		return;
	}
	struct arrived *a = mem_zalloc(1, sizeof *a);
	int err = a ? 0 : ENOMEM;
	if (!err) {
		*a = (struct arrived){ .p = mem_ref(p), .way = mem_ref(way), .bearer = f->theirs };
		p->reading++;
		err = post_read(p, text_dup(text_head(note->body, CERT_LETTER_MAX)), &a->bearer, was_read, a);
	}
	if (!err)
		return;
	sip_note_answer(way, 503, cert_words(CERT_SAYS_TOO_MANY));
	if (a) {
		p->reading--;
		arrived_free(a);
	}
}

void post_direct_start(struct cert_post *p)
{
	sip_core_notes(p->prm.sip, LETTER_TYPE, LETTER_SUBTYPE, take, p);
}

void post_direct_stop(struct cert_post *p)
{
	if (p->prm.sip)
		sip_core_notes(p->prm.sip, NULL, NULL, NULL, NULL);
	LIST_FOREACH(&p->outs, it) {
		struct post_out *o = LIST_ENTRY(it, struct post_out, link);
		if (!o->request)
			continue;
		sip_request_cancel(o->request);
		post_out_free(o);
	}
	drop_list(p->other, p->n_others);
	p->n_others = 0;
}

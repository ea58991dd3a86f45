/* SPDX-License-Identifier: Apache-2.0 */
/* lamp.c  NOTIFY of message-summary to a gateway (RFC 3842, unsolicited as peers of unified messaging expect it), and what became of it; and
 * the single OPTIONS by which a new certificate is rehearsed. */
#include <errno.h>
#include "base/mem.h"
#include "gateway/gateway_private.h"

enum { LAMP_TIMEOUT_MS = 10000 };

/* A request on its own way: a lamp, or a try with another identity. */
struct gw_note {
	struct link link;
	struct gateway *gw;
	struct sip_request *rq;
	gw_lamp_h *h;
	gw_tried_h *tried;
	void *arg;
	char identity[TRUST_LABEL_SIZE];
};

/* What another try could change. A peer that does not know the method, the event or the user will not know it in a minute either; one
 * that is busy, away or does not trust us may. */
static enum gw_sent judge(enum sip_outcome outcome, int status)
{
	if (outcome != SIP_ANSWERED)
		return GW_SENT_LATER;
	if (status >= 200 && status < 300)
		return GW_SENT_DONE;
	if (status == 408 || status == 480 || status == 486 || status == 491 || status >= 500)
		return status == 501 || status == 505 || status >= 600 ? GW_SENT_NEVER : GW_SENT_LATER;
	return status == 403 ? GW_SENT_LATER : GW_SENT_NEVER;
}

static void finish(struct gw_note *n, const struct gw_lamp_result *res)
{
	gw_lamp_h *h = n->h;
	void *arg = n->arg;
	list_remove(&n->link);
	mem_free(n);
	h(res, arg);
}

static void result_h(const struct sip_result *res, void *arg)
{
	struct gw_note *n = arg;
	struct trust_verdict v = { 0 };
	struct trust_facts full;
	static const struct trust_facts nothing;
	int status = res->outcome == SIP_ANSWERED ? res->status : 0;
	n->rq = NULL;
	gw_judge(n->gw, res->facts ? res->facts : &nothing, &full, &v);
	enum gw_sent sent = judge(res->outcome, status);
	gw_flow_set(n->gw, GW_LAMP, sent == GW_SENT_DONE, &full, &v);
	struct gw_lamp_result r = { .sent = sent, .status = status, .verdict = &v };
	finish(n, &r);
}

/* "sip:201@domain" to user and host. */
static int split(const char *account, char *user, size_t user_size, char *host, size_t host_size)
{
	struct text t = text_of(account), u, h, rest;
	size_t colon = text_starts_nocase(t, "sips:") ? 5 : text_starts_nocase(t, "sip:") ? 4 : 0;
	if (!text_cut(text_skip(t, colon), '@', &u, &h) || text_empty(u))
		return EINVAL;
	text_cut(h, ';', &h, &rest);
	if (text_empty(h) || text_copy(u, user, user_size) != 0 || text_copy(h, host, host_size) != 0)
		return EINVAL;
	return 0;
}

int gw_lamp_send(struct gateway *g, const struct gw_lamp *lamp, gw_lamp_h *h, void *arg)
{
	static const char *const headers[] = { "Event: message-summary", "Subscription-State: terminated", NULL };
	struct gw_table *t = g->table;
	char user[128], host[SIP_HOST_SIZE];
	if (split(lamp->account, user, sizeof user, host, sizeof host) != 0)
		return EINVAL;
	struct gw_note *n = mem_zalloc(1, sizeof *n);
	if (!n)
		return ENOMEM;
	n->gw = g;
	n->h = h;
	n->arg = arg;
	struct sip_request_prm prm = { .method = "NOTIFY", .user = user, .host = host, .headers = headers,
		                       .content_type = "application/simple-message-summary", .body = lamp->body, .body_n = lamp->body_n,
		                       .timeout_ms = LAMP_TIMEOUT_MS, .choice = SIP_CONN_REUSE, .flow = TRUST_FLOW_LAMP, .session = lamp->session };
	int err = t->hooks.send(&n->rq, t->core, g->peer, &prm, result_h, n);
	if (err) {
		mem_free(n);
		return err;
	}
	list_append(&t->lamps, &n->link);
	return 0;
}

/* ---- a try with another identity ---- */

static void finish_try(struct gw_note *n, bool answered, const struct trust_facts *facts)
{
	gw_tried_h *h = n->tried;
	void *arg = n->arg;
	list_remove(&n->link);
	mem_free(n);
	h(answered, facts, arg);
}

static void tried_h(const struct sip_result *res, void *arg)
{
	struct gw_note *n = arg;
	n->rq = NULL;
	finish_try(n, res->outcome == SIP_ANSWERED && res->status < 300, res->facts);
}

int gw_try_identity(struct gateway *g, const char *identity, gw_tried_h *h, void *arg)
{
	struct gw_table *t = g->table;
	struct gw_note *n = mem_zalloc(1, sizeof *n);
	if (!n)
		return ENOMEM;
	n->gw = g;
	n->tried = h;
	n->arg = arg;
	text_fill(n->identity, sizeof n->identity, identity);
	struct sip_request_prm prm = { .method = "OPTIONS", .timeout_ms = (int64_t)g->conf->options.timeout_ms, .choice = SIP_CONN_FRESH,
		                       .identity = n->identity, .flow = TRUST_FLOW_OPTIONS };
	int err = t->hooks.send(&n->rq, t->core, g->peer, &prm, tried_h, n);
	if (err) {
		mem_free(n);
		return err;
	}
	list_append(&t->lamps, &n->link);
	return 0;
}

void gw_lamps_cancel(struct gw_table *t, const struct gateway *only)
{
	LIST_FOREACH(&t->lamps, it) {
		struct gw_note *n = LIST_ENTRY(it, struct gw_note, link);
		struct trust_verdict v = { 0 };
		struct gw_lamp_result r = { .sent = GW_SENT_LATER, .verdict = &v };
		if (only && n->gw != only)
			continue;
		if (n->rq)
			t->hooks.cancel(n->rq);
		if (n->tried)
			finish_try(n, false, NULL);
		else
			finish(n, &r);
	}
}

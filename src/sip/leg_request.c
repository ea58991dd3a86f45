/* SPDX-License-Identifier: Apache-2.0 */
/* leg_request.c  Our requests within a dialog: written anew for each address that is tried, sent along the route set. */
#include <errno.h>
#include "base/mem.h"
#include "sip/leg_private.h"

static void req_destroy(void *object)
{
	struct leg_req *q = object;

	sip_dialog_clear(&q->d);
	buf_free(&q->headers);
	buf_free(&q->body);
}

static int req_build(struct buf *b, const struct sip_via_prm *via, const struct sip_self *self, void *arg)
{
	struct leg_req *q = arg;

	if (q->auth_tries != sip_uac_auth_tries(q->uac)) {
		q->auth_tries = sip_uac_auth_tries(q->uac);
		q->cseq = q->leg ? ++q->leg->d.local_cseq : q->cseq + 1;
	}
	sip_dialog_put(&q->d, b, q->method, q->cseq, via);
	if (q->contact)
		sip_put_contact(b, self, TEXT("umbel"), false);
	if (q->contact)
		sip_put_capabilities(b);
	sip_put_str(b, "User-Agent", "umbel/" UMBEL_VERSION);
	sip_uac_put_auth(q->uac, b);
	buf_put(b, q->headers.p, q->headers.n);
	if (q->body_type)
		sip_put_body(b, q->body_type, buf_as_text(&q->body));
	else
		sip_put_end(b);
	return buf_error(b);
}

/* The end of it, wherever it stands. */
static void req_end(struct leg_req *q)
{
	if (!link_linked(&q->link))
		return;
	list_remove(&q->link);
	q->leg = NULL;
	q->done = NULL;
	q->uac = sip_uac_stop(q->uac);
	mem_unref(q);
}

/* BYE, INFO, NOTIFY and re-INVITE may need a connection of their own; that it fails is worth knowing beside what it does to the call. INVITE
 * and REFER are told where their outcome is judged. */
static void tell_flow(struct leg *leg, struct sip_uac *u, enum sip_uac_event ev, const struct sip_msg *res)
{
	const struct trust_facts *f = leg && leg->peer ? sip_uac_facts(u) : NULL;

	if (!f || f->flow != TRUST_FLOW_DIALOG)
		return;
	if (ev == SIP_UAC_FINAL)
		sip_flow(leg->core, leg->peer, f, res->status != 403 && res->status != 408 && res->status < 500);
	else if (ev == SIP_UAC_FAILED || ev == SIP_UAC_TIMEOUT)
		sip_flow(leg->core, leg->peer, f, false);
}

static void auth_keep(struct leg *leg, struct sip_uac *u)
{
	struct buf b;
	size_t n;

	buf_init(&b, 4096);
	sip_uac_put_auth(u, &b);
	mem_free(leg->ack_auth);
	leg->ack_auth = b.n ? (char *)buf_take(&b, &n) : NULL;
	buf_free(&b);
}

static void on_uac(struct sip_uac *u, enum sip_uac_event ev, const struct sip_msg *res, void *arg)
{
	struct leg_req *q = arg;
	struct leg *leg = q->leg;
	bool invite = text_is(text_of(q->method), "INVITE");
	bool last = ev != SIP_UAC_PROVISIONAL && !(ev == SIP_UAC_FINAL && invite && res->status < 300);

	mem_ref(q);
	mem_ref(leg);
	tell_flow(leg, u, ev, res);
	if (leg && invite && ev == SIP_UAC_FINAL && res->status < 300)
		auth_keep(leg, u);
	if (leg && q->done)
		q->done(leg, q, ev, res);
	if (last)
		req_end(q);
	mem_unref(leg);
	mem_unref(q);
}

static int req_make(struct leg_req **qp, struct leg *leg, const struct sip_dialog *d, const char *method, const char *const *headers, const char *type, struct text body)
{
	struct leg_req *q = mem_object(sizeof(*q), req_destroy);
	int err;

	if (!q)
		return ENOMEM;
	q->leg = leg;
	q->core = leg->core;
	q->method = method;
	buf_init(&q->headers, SIP_HEAD_MAX_BYTES);
	buf_init(&q->body, SIP_BODY_MAX_BYTES);
	if (leg->state == LEG_S_CALLING && text_is(text_of(method), "INVITE"))
		buf_put(&q->headers, leg->out->said.p, leg->out->said.n);
	if (leg->ack_auth && text_is(text_of(method), "ACK"))
		buf_str(&q->headers, leg->ack_auth);
	for (; headers && *headers; headers++) {
		if (strpbrk(*headers, "\r\n"))
			return mem_unref(q), EINVAL;
		buf_str(&q->headers, *headers);
		buf_str(&q->headers, "\r\n");
	}
	q->body_type = type;
	buf_put(&q->body, body.p, body.n);
	err = buf_error(&q->headers) ? buf_error(&q->headers) : buf_error(&q->body);
	if (!err)
		err = sip_dialog_copy(&q->d, d);
	if (err)
		return mem_unref(q), err;
	*qp = q;
	return 0;
}

static bool has_contact(const char *method)
{
	struct text m = text_of(method);

	return text_is(m, "INVITE") || text_is(m, "UPDATE") || text_is(m, "REFER") || text_is(m, "NOTIFY");
}

static int send_in(struct leg_req **qp, struct leg *leg, const struct sip_dialog *d, const char *method, uint32_t cseq, const char *const *headers,
                   const char *type, struct text body, enum trust_flow flow, leg_req_h *done)
{
	struct leg_req *q;
	struct sip_hop hop;
	struct sip_uac_prm prm = { .method = method, .peer = leg->peer, .hop = &hop, .choice = SIP_CONN_REUSE, .flow = flow, .build = req_build,
		                   .h = on_uac };
	bool first = leg->state == LEG_S_CALLING && text_is(text_of(method), "INVITE");
	int err = 0;

	/* The first INVITE goes to the gateway, whatever its URI says (an outbound proxy without a Route), and what follows too where the answer brought neither
	 * route nor Contact: the mandatory Contact is forgotten by some, and nobody but the gateway is known to have the call. */
	if (first || (leg->out && !d->n_routes && text_is(text_of(d->target), d->remote_uri))) {
		hop = (struct sip_hop){ .port = leg->peer->port, .transport = leg->peer->transport };
		text_fill(hop.host, sizeof(hop.host), leg->peer->host);
		if (leg->out->redirect)
			hop = *leg->out->redirect;
		prm.new_dialog = first;
	} else {
		err = sip_dialog_hop(d, &hop);
	}
	if (!err)
		err = req_make(&q, leg, d, method, headers, type, body);
	if (err)
		return err;
	q->contact = has_contact(method);
	q->done = done;
	q->cseq = cseq ? cseq : ++leg->d.local_cseq;
	prm.arg = q;
	prm.timeout_ms = flow == TRUST_FLOW_TRANSFER ? leg->core->prm.timers.refer_ms : 0;
	if (leg->identity[0])
		prm.identity = leg->identity;
	err = sip_uac_start(&q->uac, leg->core, &prm);
	if (err)
		return mem_unref(q), err;
	list_append(&leg->reqs, &q->link); /* which holds the reference */
	if (qp)
		*qp = q;
	return 0;
}

int leg_req_send(struct leg_req **qp, struct leg *leg, const char *method, uint32_t cseq, const char *const *headers, const char *type, struct text body,
                 enum trust_flow flow, leg_req_h *done)
{
	return send_in(qp, leg, &leg->d, method, cseq, headers, type, body, flow, done);
}

int leg_req_send_in(struct leg *leg, const struct sip_dialog *d, const char *method, const char *const *headers)
{
	return send_in(NULL, leg, d, method, 0, headers, NULL, TEXT_NONE, TRUST_FLOW_DIALOG, NULL);
}

/* The leg is no longer interested. What the RFC wants to arrive goes on alone, on the core's list: an ACK, a BYE, a NOTIFY. */
void leg_req_drop(struct leg_req *q)
{
	struct text m = text_of(q->method);

	if (!q->core->ending && (text_is(m, "ACK") || text_is(m, "BYE") || text_is(m, "NOTIFY"))) {
		list_remove(&q->link);
		q->leg = NULL;
		q->done = NULL;
		list_append(&q->core->orphans, &q->link);
		return;
	}
	req_end(q);
}

void sip_orphans_end(struct sip_core *core)
{
	struct link *l;

	while ((l = list_first(&core->orphans)))
		req_end(LIST_ENTRY(l, struct leg_req, link));
}

void leg_reqs_end(struct leg *leg)
{
	struct link *l;

	while ((l = list_first(&leg->reqs)))
		leg_req_drop(LIST_ENTRY(l, struct leg_req, link));
}

void leg_ack(struct leg *leg, uint32_t cseq)
{
	(void)leg_req_send(NULL, leg, "ACK", cseq, NULL, NULL, TEXT_NONE, TRUST_FLOW_DIALOG, NULL);
}

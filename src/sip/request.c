/* SPDX-License-Identifier: Apache-2.0 */
/* request.c  Requests outside of dialogs: see request.h. */
#include "sip/request.h"
#include <errno.h>
#include "base/id.h"
#include "base/mem.h"
#include "base/rand.h"
#include "sip/dialog.h"
#include "sip/uac.h"

struct sip_request {
	struct link link;
	struct sip_core *core;
	struct sip_uac *uac;
	struct buf headers, body;
	char method[24], tag[17], call_id[33], session[ID_SIZE];
	char *uri, *from, *body_type;
	uint32_t cseq;
	int64_t began_ms;
	sip_result_h *h;
	void *arg;
};

static void request_destroy(void *object)
{
	struct sip_request *r = object;

	buf_free(&r->headers);
	buf_free(&r->body);
	mem_free(r->uri);
	mem_free(r->from);
	mem_free(r->body_type);
}

static void request_leave(struct sip_request *r)
{
	if (!link_linked(&r->link))
		return;
	list_remove(&r->link);
	r->core->n_requests--;
	r->uac = sip_uac_stop(r->uac);
	mem_unref(r);
}

static int build(struct buf *b, const struct sip_via_prm *via, const struct sip_self *self, void *arg)
{
	struct sip_request *r = arg;
	struct sip_addr_prm from = { .uri = text_of(r->from), .tag = text_of(r->tag) }, to = { .uri = text_of(r->uri) };
	struct sip_uri_prm ours = { .scheme = SIP_SCHEME_SIP, .host = text_of(self->host) };
	struct buf uri;

	buf_init(&uri, 1024);
	if (strncmp(r->from, "sip:", 4) != 0) { /* only a user, or nothing: at our name on this way */
		ours.user = text_of(r->from);
		sip_put_uri(&uri, &ours);
		from.uri = buf_as_text(&uri);
	}
	sip_put_request(b, r->method, text_of(r->uri));
	sip_put_via(b, via);
	sip_put_max_forwards(b);
	sip_put_addr(b, "From", &from);
	sip_put_addr(b, "To", &to);
	sip_put_str(b, "Call-ID", r->call_id);
	sip_put_cseq(b, r->cseq + sip_uac_auth_tries(r->uac), r->method);
	sip_put_contact(b, self, TEXT("umbel"), false);
	sip_put_str(b, "User-Agent", "umbel/" UMBEL_VERSION);
	sip_uac_put_auth(r->uac, b);
	buf_put(b, r->headers.p, r->headers.n);
	if (r->body_type)
		sip_put_body(b, r->body_type, buf_as_text(&r->body));
	else
		sip_put_end(b);
	buf_free(&uri);
	return buf_error(b);
}

static void on_uac(struct sip_uac *u, enum sip_uac_event ev, const struct sip_msg *res, void *arg)
{
	struct sip_request *r = arg;
	struct sip_result result = { .reason = "", .session = r->session };
	sip_result_h *h = r->h;
	char words[200];

	if (ev == SIP_UAC_PROVISIONAL)
		return;
	result.outcome = ev == SIP_UAC_FINAL ? SIP_ANSWERED : ev == SIP_UAC_TIMEOUT ? SIP_TIMEOUT : SIP_FAILED;
	if (res) {
		result.status = (int)res->status;
		result.reason = text_escape(res->phrase, words, sizeof(words));
	}
	sip_uac_fate(u, &result);
	result.took_ms = clock_mono_ms(r->core->prm.clock) - r->began_ms;
	result.facts = sip_uac_facts(u);
	mem_ref(r);
	mem_ref(u);
	request_leave(r);
	if (h)
		h(&result, r->arg);
	mem_unref(u);
	mem_unref(r);
}

static int uri_make(char **dst, const char *user, const char *host, uint16_t port)
{
	struct sip_uri_prm u = { .scheme = SIP_SCHEME_SIP, .user = text_of(user), .host = text_of(host), .port = port };
	struct buf b;
	size_t n;
	int err;

	buf_init(&b, 1024);
	sip_put_uri(&b, &u);
	err = buf_error(&b);
	if (!err && !(*dst = (char *)buf_take(&b, &n)))
		err = ENOMEM;
	buf_free(&b);
	return err;
}

static int fill(struct sip_request *r, struct sip_peer *peer, const struct sip_request_prm *prm)
{
	const char *host = prm->host ? prm->host : peer->host;
	int err = uri_make(&r->uri, prm->user, host, prm->host ? 0 : peer->port);

	buf_init(&r->headers, SIP_HEAD_MAX_BYTES);
	buf_init(&r->body, SIP_BODY_MAX_BYTES);
	for (const char *const *h = prm->headers; h && *h; h++) {
		if (strpbrk(*h, "\r\n"))
			return EINVAL;
		buf_str(&r->headers, *h);
		buf_str(&r->headers, "\r\n");
	}
	if (prm->content_type) {
		buf_put(&r->body, prm->body, prm->body_n);
		r->body_type = mem_strdup(prm->content_type);
		if (!r->body_type)
			err = ENOMEM;
	}
	r->from = mem_strdup(prm->from_user ? prm->from_user : "");
	if (!r->from)
		err = ENOMEM;
	if (!err)
		err = buf_error(&r->headers) ? buf_error(&r->headers) : buf_error(&r->body);
	text_fill(r->method, sizeof(r->method), prm->method);
	rand_token(r->tag, 16);
	rand_token(r->call_id, 32);
	r->cseq = 1 + rand_below(1000);
	if (prm->session)
		text_fill(r->session, sizeof(r->session), prm->session);
	else
		id_make(r->session, r->core->prm.clock);
	return err;
}

int sip_request_send(struct sip_request **rp, struct sip_core *core, struct sip_peer *peer, const struct sip_request_prm *prm, sip_result_h *h, void *arg)
{
	struct sip_request *r;
	struct sip_hop hop = { .port = peer->port, .transport = peer->transport };
	struct sip_uac_prm u = { .method = prm->method, .peer = peer, .hop = &hop, .only = prm->only, .only_by = prm->only_by, .choice = prm->choice, .identity = prm->identity,
		                 .flow = prm->flow, .build = build, .h = on_uac };
	int err;

	if (core->n_requests >= core->prm.limits.requests || core->ending)
		return EAGAIN;
	r = mem_object(sizeof(*r), request_destroy);
	if (!r)
		return ENOMEM;
	r->core = core;
	r->h = h;
	r->arg = arg;
	r->began_ms = clock_mono_ms(core->prm.clock);
	text_fill(hop.host, sizeof(hop.host), peer->host);
	u.arg = r;
	u.timeout_ms = prm->timeout_ms ? prm->timeout_ms : core->prm.timers.tb;
	err = fill(r, peer, prm);
	if (!err)
		err = sip_uac_start(&r->uac, core, &u);
	if (err) {
		mem_unref(r);
		return err;
	}
	list_append(&core->requests, &r->link);
	core->n_requests++;
	if (rp)
		*rp = r;
	return 0;
}

void sip_request_cancel(struct sip_request *r)
{
	if (r)
		request_leave(r);
}

void sip_requests_end(struct sip_core *core)
{
	struct link *l;

	/* Nobody waits for an answer of a core that ends; the owners' handlers hear it as a failure. */
	while ((l = list_first(&core->requests))) {
		struct sip_request *r = LIST_ENTRY(l, struct sip_request, link);
		struct sip_result res = { .outcome = SIP_FAILED, .err = ECANCELED, .reason = "", .session = r->session };
		sip_result_h *h = r->h;
		mem_ref(r);
		if (r->uac)
			res.facts = sip_uac_facts(r->uac);
		mem_ref(r->uac);
		struct sip_uac *u = r->uac;
		request_leave(r);
		if (h && res.facts)
			h(&res, r->arg);
		mem_unref(u);
		mem_unref(r);
	}
}

const char *sip_outcome_name(enum sip_outcome o)
{
	return o == SIP_ANSWERED ? "answered" : o == SIP_TIMEOUT ? "no answer" : "failed";
}

/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c  Responses: what is copied from the request, what every response of ours carries, and the sentence for the other side's administrator. */
#include <errno.h>
#include "base/mem.h"
#include "base/hash.h"
#include "base/rand.h"
#include "sip/core_private.h"
#include "trust/explain.h"

enum { RESPONSE_BYTES = 1500 }; /* what most of ours need: no growing on the way */

static const char *const extensions[] = { "histinfo", "timer", "100rel", "replaces", "norefersub", NULL };

const struct sip_served sip_served = {
	.methods = 1u << SIP_INVITE | 1u << SIP_ACK | 1u << SIP_CANCEL | 1u << SIP_BYE | 1u << SIP_OPTIONS | 1u << SIP_REFER | 1u << SIP_NOTIFY |
	           1u << SIP_SUBSCRIBE | 1u << SIP_INFO | 1u << SIP_UPDATE | 1u << SIP_PRACK,
	.extensions = extensions,
	.body_types = NULL,
};

/* An INVITE: what it offers must be understood, unless it says that it need not be. */
static const char *const sessions[] = { "application/sdp", NULL };
const struct sip_served sip_served_calls = { .methods = 1u << SIP_INVITE, .extensions = extensions, .body_types = sessions };

const struct sip_served sip_served_notes = { .methods = 1u << SIP_MESSAGE };

void sip_put_capabilities(struct buf *b)
{
	sip_put_allow(b, sip_served.methods);
	sip_put_str(b, "Supported", "histinfo, timer, 100rel, replaces, norefersub");
}

/* 'SIP;cause=403;text="..."': the sentence goes where people look: Reason (RFC 3326), and Warning 399 (RFC 3261 20.43). */
static void sentence_put(struct sip_core *core, struct buf *b, unsigned status, const char *sentence)
{
	buf_printf(b, "Reason: SIP;cause=%u;text=", status);
	sip_put_quoted(b, text_of(sentence));
	buf_str(b, "\r\n");
	buf_printf(b, "Warning: 399 %s ", core->prm.fqdn[0] ? core->prm.fqdn : "umbel");
	sip_put_quoted(b, text_of(sentence));
	buf_str(b, "\r\n");
}

static int build(struct sip_core *core, struct buf *b, const struct sip_msg *req, const struct sip_path *path, const struct sip_reply *r)
{
	char host[NET_ADDR_SIZE], tag[17];
	struct sip_response_prm prm = { .status = r->status, .phrase = r->phrase, .to_tag = r->to_tag,
		                        .received = text_of(net_addr_print_host(&path->peer, host)), .rport = net_addr_port(&path->peer) };

	if (text_empty(prm.to_tag) && r->status > 100) {
		rand_token(tag, 16);
		prm.to_tag = text_of(tag);
	}
	sip_put_response(b, req, &prm);
	if (req->method == SIP_INVITE && r->status > 100 && text_empty(req->to_tag))
		sip_history_answer(core, b, req);
	if (r->more)
		r->more(b, r->arg);
	if (r->status > 100)
		sip_put_str(b, "Server", "umbel/" UMBEL_VERSION);
	if (r->retry_after_s)
		sip_put_uint(b, "Retry-After", r->retry_after_s);
	if (r->sentence && r->sentence[0])
		sentence_put(core, b, r->status, r->sentence);
	if (r->status / 100 == 2 && sip_msg_hdr(req, SIP_HDR_AUTHORIZATION))
		sip_auth_put_proof(core, b, req, path, r->body_type ? r->body : TEXT_NONE);
	if (r->body_type)
		sip_put_body(b, r->body_type, r->body);
	else
		sip_put_end(b);
	return buf_error(b);
}

/* The bytes are kept also when they cannot be sent now. */
static int keep_and_respond(struct sip_stx *stx, const struct sip_reply *r, struct buf *b)
{
	struct buf *bytes = b;

	if (r->keep) {
		buf_free(r->keep);
		*r->keep = *b;
		buf_init(b, b->max);
		bytes = r->keep;
	}
	return sip_stx_respond(stx, r->status, bytes->p, bytes->n);
}

int sip_reply(struct sip_core *core, struct sip_stx *stx, const struct sip_reply *r)
{
	const struct sip_msg *req = core->now.stx == stx ? core->now.req : NULL;
	struct text bytes = sip_stx_request(stx);
	struct sip_msg *again = NULL;
	struct buf b;
	int err = 0;

	if (text_empty(bytes))
		return EALREADY;
	/* Answered later than in the handler: read once more, from the copy. */
	if (!req) {
		again = mem_alloc(sizeof(*again));
		if (!again)
			return ENOMEM;
		err = sip_msg_parse(again, bytes.p, bytes.n, NULL);
		req = again;
	}
	buf_init(&b, SIP_HEAD_MAX_BYTES + SIP_BODY_MAX_BYTES);
	(void)buf_reserve(&b, RESPONSE_BYTES);
	if (!err || sip_msg_answerable(req))
		err = build(core, &b, req, sip_stx_path(stx), r);
	if (!err)
		err = keep_and_respond(stx, r, &b);
	buf_free(&b);
	mem_free(again);
	return err;
}

/* The same for each repetition of the request (RFC 3261 8.2.7), though nothing is kept of it. */
static struct text tag_of(const struct sip_core *core, const struct sip_msg *req, char room[17])
{
	struct text parts[] = { req->call_id, req->from_tag, req->via.branch, req->via.host };
	uint64_t h = req->cseq.number;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		h = h * 31 + hash_siphash(core->tag_key, parts[i].p ? parts[i].p : "", parts[i].n);
	(void)text_print(room, 17, "%016llx", (unsigned long long)h);
	return text_of(room);
}

void sip_reply_stateless(struct sip_core *core, const struct sip_path *path, const struct sip_msg *req, const struct sip_reply *reply)
{
	struct sip_path back = *path;
	struct sip_reply r = *reply;
	struct buf b;
	char tag[17];

	if (!sip_msg_answerable(req))
		return;
	if (text_empty(r.to_tag))
		r.to_tag = tag_of(core, req, tag);
	if (path->transport == NET_UDP && !req->via.has_rport)
		net_addr_set_port(&back.peer, req->via.port ? req->via.port : 5060);
	buf_init(&b, SIP_HEAD_MAX_BYTES);
	if (!build(core, &b, req, path, &r))
		(void)sip_path_send(core, &back, b.p, b.n);
	buf_free(&b);
}

void sip_ev(struct sip_core *core, struct ev_report *r, uint16_t id, const char *session)
{
	(void)core;
	ev_set(r, id);
	if (session)
		ev_session(r, session);
}

void sip_ev_verdict(struct ev_report *r, const struct trust_facts *facts)
{
	struct trust_verdict *v;

	if (!facts || !(v = mem_alloc(sizeof(*v))))
		return;
	trust_explain(facts, v);
	if (trust_verdict_bad(v))
		trust_verdict_fields(v, r);
	mem_free(v);
}

void sip_ev_what(struct ev_report *r, const char *const *fields)
{
	struct buf b;

	buf_init(&b, 8192);
	for (; *fields; fields++) {
		const struct ev_field *f = ev_field(r, *fields);
		if (!f || (f->type == EV_TEXT ? !f->n : !f->i))
			continue;
		buf_str(&b, b.n ? ", " : "");
		if (f->type == EV_INT)
			buf_printf(&b, "%lld", (long long)f->i);
		else
			buf_text(&b, ev_field_text(r, *fields));
	}
	ev_text(r, "what", buf_as_text(&b));
	buf_free(&b);
}

void sip_facts_answer(struct trust_facts *f, const struct sip_msg *res)
{
	uint32_t retry = 0;
	int32_t after = -1;

	facts_sip_answer(f, res->status, res->phrase);
	if (!sip_retry_after_parse(sip_msg_value(res, SIP_HDR_RETRY_AFTER), &retry) && retry <= INT32_MAX)
		after = (int32_t)retry;
	facts_sip_headers(f, sip_msg_value(res, SIP_HDR_REASON), sip_msg_value(res, SIP_HDR_WARNING), sip_msg_value(res, SIP_HDR_MS_DIAGNOSTICS), after);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* watch_in.c  SUBSCRIBE as it comes (RFC 6665 4.2.1): is it for an event that we know, in a body that is understood, for long enough, by who may; and SUBSCRIBE
 * within a subscription, which prolongs or ends it. */
#include <errno.h>
#include "base/mem.h"
#include "sip/summary.h"
#include "sip/watch_private.h"

/* What is said beside the usual in an answer. */
struct answer_more {
	struct sip_core *core;
	struct sip_stx *stx;
	unsigned status;
	uint32_t expires_s;
};

static void put_more(struct buf *b, void *arg)
{
	struct answer_more *m = arg;
	struct sip_self self;

	switch (m->status) {
	case 200:
		sip_self(m->core, sip_stx_path(m->stx), &self);
		sip_put_contact(b, &self, TEXT("umbel"), false);
		sip_put_uint(b, "Expires", m->expires_s);
		sip_put_capabilities(b);
		break;
	case 406:
		sip_put_str(b, "Accept", SIP_SUMMARY_TYPE);
		break;
	case 423:
		sip_put_uint(b, "Min-Expires", SIP_WATCH_MIN_S);
		break;
	case 489:
		sip_put_str(b, "Allow-Events", "message-summary");
		break;
	default:
		break;
	}
}

static void refuse(struct sip_core *core, struct sip_stx *stx, unsigned status, const char *sentence)
{
	struct answer_more more = { core, stx, status, 0 };
	struct sip_reply r = { .status = status, .more = put_more, .arg = &more, .sentence = sentence };

	if (status == 503)
		r.retry_after_s = core->prm.limits.retry_after_s;
	core->stats.refused++;
	metric_add(core->m.refused, 1);
	(void)sip_reply(core, stx, &r);
}

static void take(struct sip_watch *w, struct sip_stx *stx, uint32_t expires_s)
{
	struct answer_more more = { w->core, stx, 200, expires_s };
	struct sip_reply r = { .status = 200, .to_tag = text_of(w->d.local_tag), .more = put_more, .arg = &more };

	(void)sip_reply(w->core, stx, &r);
}

/* What a SUBSCRIBE asks for. */
struct wish {
	uint32_t expires_s;
	char id[64]; /* of its Event */
};

static bool understands_us(const struct sip_msg *req)
{
	struct sip_iter it = sip_iter_of(req, SIP_HDR_ACCEPT);
	struct text item, type, params;

	if (!sip_msg_hdr(req, SIP_HDR_ACCEPT))
		return true;
	while (!sip_iter_next(&it, &item)) {
		text_cut(item, ';', &type, &params);
		type = text_trim(type);
		if (text_is_nocase(type, SIP_SUMMARY_TYPE) || text_is(type, "*/*") || text_is_nocase(type, "application/*"))
			return true;
	}
	return false;
}

/* 0, or the status that it is refused with. */
static unsigned wish_of(const struct sip_msg *req, struct wish *wish, const char **sentence)
{
	struct text expires = sip_msg_value(req, SIP_HDR_EXPIRES);
	struct sip_event event;

	*wish = (struct wish){ .expires_s = SIP_WATCH_USUAL_S };
	*sentence = "only the event package message-summary can be subscribed to here";
	if (sip_event_parse(&event, sip_msg_value(req, SIP_HDR_EVENT), NULL) || !text_is_nocase(event.package, "message-summary"))
		return 489;
	*sentence = "the id of the Event is too long";
	if (event.id.p && text_copy(event.id, wish->id, sizeof(wish->id)))
		return 400;
	*sentence = "the state of a mailbox is told as " SIP_SUMMARY_TYPE " only";
	if (!understands_us(req))
		return 406;
	*sentence = "Expires is no number of seconds";
	if (sip_msg_hdr(req, SIP_HDR_EXPIRES) && sip_expires_parse(expires, &wish->expires_s))
		return 400;
	*sentence = "a subscription lasts longer than that";
	if (wish->expires_s && wish->expires_s < SIP_WATCH_MIN_S)
		return 423;
	if (wish->expires_s > SIP_WATCH_MAX_S)
		wish->expires_s = SIP_WATCH_MAX_S;
	return 0;
}

/* Whether there is room for another one: NULL, or why not. */
static const char *no_room(struct sip_core *core, const struct sip_peer *peer)
{
	if (core->watch.count >= core->prm.limits.watches)
		return "too many subscriptions";
	return watch_count_of(core, peer) >= peer->max_watches ? "too many subscriptions of this gateway" : NULL;
}

static int want(struct sip_watch *w, const struct sip_msg *req)
{
	struct sip_core *core = w->core;
	struct sip_watch_asked asked = { .peer = w->peer, .uri = req->uri.whole, .host = req->uri.host };
	char user[128];
	int err = sip_unescape(req->uri.user, user, sizeof(user)) ? ENOENT : 0;

	asked.user = user;
	if (!err)
		err = core->watch.h.wanted(w, &asked, core->watch.h.arg);
	w->accepted = !err;
	return err;
}

void sip_watch_new(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req, struct sip_peer *peer)
{
	struct sip_readiness ready;
	struct wish wish;
	struct sip_watch *w;
	const char *sentence;
	unsigned status = wish_of(req, &wish, &sentence);
	int err;

	if (!status && (!core->watch.h.wanted || !peer->max_watches)) {
		status = 403;
		sentence = "this gateway may not subscribe here";
	}
	if (!status && !sip_is_ready(core, peer, &ready)) {
		status = 503;
		sentence = ready.reason;
	}
	if (!status && (sentence = no_room(core, peer)))
		status = 503;
	if (status) {
		refuse(core, stx, status, sentence);
		return;
	}
	err = watch_make(&w, core, peer, req, sip_stx_path(stx));
	if (err) {
		refuse(core, stx, err == ENOMEM ? 503 : 400, err == ENOMEM ? "no memory" : "there is no Contact or Record-Route that can be used");
		return;
	}
	text_fill(w->event_id, sizeof(w->event_id), wish.id);
	err = want(w, req);
	if (err) {
		watch_drop(w);
		refuse(core, stx, err == ENOENT ? 404 : err == EACCES ? 403 : 503, err == ENOENT ? "there is no such mailbox" :
		                                                                  err == EACCES ? "this gateway may not watch that mailbox" : "not now");
		return;
	}
	watch_until(w, wish.expires_s);
	take(w, stx, wish.expires_s);
	watch_happens(w, wish.expires_s ? WATCH_REFRESHED : WATCH_UNSUBSCRIBED);
}

/* The configuration may have changed since it was accepted: it goes on with what holds for its gateway now. */
static bool still_may(struct sip_watch *w, const struct sip_path *path)
{
	struct sip_peer *now = sip_who(w->core, path, NULL);
	bool may = now && now->max_watches && text_is(text_of(now->name), w->peer->name);

	if (!may) {
		mem_unref(now);
		return false;
	}
	mem_unref(w->peer);
	w->peer = now;
	return true;
}

static void again(struct sip_watch *w, struct sip_stx *stx, const struct sip_msg *req)
{
	const char *sentence;
	struct wish wish;
	unsigned status;

	if (!sip_dialog_in_order(&w->d, req)) {
		refuse(w->core, stx, 500, "CSeq is out of order");
		return;
	}
	if (!still_may(w, sip_stx_path(stx))) {
		refuse(w->core, stx, 403, "this gateway may not subscribe here");
		watch_happens(w, WATCH_BARRED);
		return;
	}
	status = wish_of(req, &wish, &sentence);
	if (!status && (w->state == WATCH_ENDING || !text_is(text_of(wish.id), w->event_id))) {
		status = 481;
		sentence = "that subscription is over";
	}
	if (!status && sip_dialog_target(&w->d, req)) {
		status = 400;
		sentence = "there is no Contact that can be used";
	}
	if (status) {
		refuse(w->core, stx, status, sentence);
		return;
	}
	watch_until(w, wish.expires_s);
	take(w, stx, wish.expires_s);
	watch_happens(w, wish.expires_s ? WATCH_REFRESHED : WATCH_UNSUBSCRIBED);
}

bool sip_watch_is_there(const struct sip_core *core, const struct sip_msg *req)
{
	return watch_of(core, req);
}

bool sip_watch_request(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req)
{
	struct sip_watch *w = watch_of(core, req);

	if (!w)
		return false;
	mem_ref(w);
	if (req->method == SIP_SUBSCRIBE)
		again(w, stx, req);
	else if (req->method == SIP_OPTIONS)
		sip_options_answer(core, stx, w->peer, true);
	else
		refuse(core, stx, 481, "this is a subscription, not a call");
	mem_unref(w);
	return true;
}

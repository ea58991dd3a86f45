/* SPDX-License-Identifier: Apache-2.0 */
/* play_out_live.c  The call of play_out.c: whose phone, through which gateway, and the leg. */
#include <errno.h>
#include "base/mem.h"
#include "dialogue/call_private.h"
#include "dialogue/play_out.h"
#include "dialogue/rules.h"
#include "dialogue/words.h"
#include "dialogue_events.h"
#include "gateway/gateway.h"

enum { RING_MS = 45000 };

static int refuse(struct ev_report *why, const struct dlg_play_out_prm *prm, int err, const char *reason)
{
	if (!why->id) {
		ev_set(why, EV_PLAY_OUT_REFUSED);
		ev_str(why, "target", prm->to);
		ev_str(why, "mailbox", prm->mailbox);
		ev_str(why, "reason", reason);
	}
	return err;
}

static bool one_is_there(const struct dlg_service *svc, const struct dir_user *box)
{
	LIST_FOREACH(&svc->outgoing, it) {
		const struct dlg_call *c = LIST_ENTRY(it, struct dlg_call, outgoing_link);
		if (c->table == &dlg_play_out && !c->talk_over && strcmp(c->who.box->name, box->name) == 0)
			return true;
	}
	return false;
}

static struct gateway *gateway_of(struct dlg_service *svc, const struct cfg_dialplan *plan)
{
	if (!svc->gateways || !svc->core)
		return NULL;
	if (plan && *plan->gateway)
		return gw_find(svc->gateways, plan->gateway);
	return gw_count(svc->gateways) ? gw_at(svc->gateways, 0) : NULL;
}

/* An address as it is, or a number by the rules of whom the owner may call. */
static int address(struct dlg_call *c, const char *to, struct gateway *g)
{
	if (text_starts_nocase(text_of(to), "sip:") || text_starts_nocase(text_of(to), "sips:"))
		return text_copy(text_of(to), c->called, sizeof(c->called)) ? EINVAL : 0;
	text_fill(c->s.home, sizeof(c->s.home), gw_cfg(g)->address);
	dlg_aim_from(&c->s, to);
	if (!dlg_target_allowed(&c->s))
		return EACCES;
	return dlg_target_uri(&c->s, c->called, sizeof(c->called));
}

/* The owner's own, by one of his addresses, or by one of his extensions at the gateway or in the dial plan's domain; and the gateway's word counts. */
static bool own_phone(const struct dlg_call *c, const struct gateway *g)
{
	const struct cfg_dialplan *plan = dir_dialplan(c->s.view, c->s.box);
	const struct dir_user *u = dir_find_uri(c->s.view, text_of(c->called));
	struct text scheme, rest, user, host;
	text_cut(text_of(c->called), ':', &scheme, &rest);
	text_cut(rest, '@', &user, &host);
	bool here = text_eq_nocase(host, text_of(gw_cfg(g)->address)) || (plan && *plan->domain && text_eq_nocase(host, text_of(plan->domain)));
	if (!u && here)
		u = dir_find_extension(c->s.view, user);
	return u == c->s.box && gw_cfg(g)->trusted_headers;
}

static int open_port(struct dlg_call *c, struct gateway *g, struct ev_report *why)
{
	struct gw_member_info m = { 0 };
	struct net_addr local;
	if (gw_members(g))
		gw_member(g, 0, &m);
	int err = *c->svc->media_address ? net_addr_parse(&local, text_of(c->svc->media_address), 0)
	                                 : net_addr_is_set(&m.addr) ? net_addr_local_for(&local, &m.addr) : EHOSTUNREACH;
	if (err)
		return err;
	net_addr_set_port(&local, 0);
	return dlg_call_open_port(c, &local, why);
}

static int dial(struct dlg_call *c, struct gateway *g, struct ev_report *why)
{
	const struct cfg_dialplan *plan = dir_dialplan(c->s.view, c->s.box);
	const char *access = plan && plan->access_numbers.n ? plan->access_numbers.v[0] : "";
	struct leg_call_prm prm = { .uri = c->called, .from_user = *access && !strchr(access, ':') && !strchr(access, '@') ? access : NULL,
		                    .srtp = dlg_srtp(plan, gw_cfg(g)), .assert_from = true, .session = c->session, .ring_ms = RING_MS, .h = dlg_call_leg_h, .arg = c };
	int err = open_port(c, g, why);
	return err ? err : leg_call(&c->leg, c->svc->core, gw_peer(g), &prm, c->port, why);
}

static int prepare(struct dlg_call *c, struct gateway *g, const struct dlg_play_out_prm *prm, struct ev_report *why)
{
	c->outgoing = true;
	c->table = &dlg_play_out;
	text_fill(c->gateway, sizeof(c->gateway), gw_name(g));
	c->s.open_line = gw_cfg(g)->transport == CFG_TLS ? NULL : cfg_transport_name(gw_cfg(g)->transport);
	if (!dlg_box_allowed(&c->s, c->s.box))
		return refuse(why, prm, EACCES, dlg_words(DLG_SAYS_TLS_ONLY_OUT));
	text_fill(c->s.phone.wanted, sizeof(c->s.phone.wanted), prm->message ? prm->message : "");
	c->s.phone.greeting = prm->rule ? MBOX_GREETINGS : prm->greeting;
	c->s.phone.rule = prm->rule ? dlg_rule_named(c->s.view, c->s.box, prm->rule) : NULL;
	if (prm->rule && !c->s.phone.rule)
		return refuse(why, prm, EINVAL, dlg_words(DLG_SAYS_NO_RULE));
	int err = address(c, prm->to, g);
	if (err)
		return refuse(why, prm, err, err == EACCES ? dir_allow_name(c->s.allow) : dlg_words(DLG_SAYS_BAD_ADDRESS));
	c->s.phone.own_phone = own_phone(c, g);
	err = dial(c, g, why);
	return err ? refuse(why, prm, err, strerror(err)) : 0;
}

static int call(struct dlg_service *svc, struct dir_view *view, const struct dlg_play_out_prm *prm, const struct dir_user *box,
                char session[EV_SESSION_SIZE], struct ev_report *why)
{
	struct dlg_who who = { .kind = DLG_WHO_SUBSCRIBER, .box = box, .by = "umbel" };
	struct gateway *g = gateway_of(svc, dir_dialplan(view, box));
	if (!g)
		return refuse(why, prm, EHOSTUNREACH, dlg_words(DLG_SAYS_NO_GATEWAY));
	id_make(session, svc->prm.clock);
	struct dlg_call *c = dlg_call_make(svc, view, &who, session);
	if (!c)
		return ENOMEM;
	int err = prepare(c, g, prm, why);
	if (err) {
		dlg_call_undo(c);
		return err;
	}
	dlg_service_add(svc, c);
	struct ev_report r;
	ev_set(&r, EV_PLAY_OUT);
	ev_str(&r, "target", c->called);
	ev_str(&r, "mailbox", box->name);
	dlg_call_emit(c, &r);
	dlg_call_step(c, "calling %s", c->called);
	dlg_tale_made(c);
	return 0;
}

int dlg_service_play_out(struct dlg_service *svc, const struct dlg_play_out_prm *prm, char session[EV_SESSION_SIZE], struct ev_report *why)
{
	struct dir_view *view = dir_view(svc->prm.dir);
	const struct dir_user *box = view ? dir_find(view, text_of(prm->mailbox)) : NULL;
	int err = 0;
	ev_set(why, 0);
	if (!box)
		err = ENOENT;
	else if (svc->draining)
		err = refuse(why, prm, ESHUTDOWN, dlg_words(DLG_SAYS_DRAINING));
	else if (!dir_policy(view, box)->features.play_on_phone)
		err = refuse(why, prm, EACCES, dlg_words(DLG_SAYS_NOT_IN_POLICY));
	else if (one_is_there(svc, box))
		err = refuse(why, prm, EBUSY, dlg_words(DLG_SAYS_ONE_AT_A_TIME));
	else
		err = call(svc, view, prm, box, session, why);
	dir_view_unref(view);
	return err;
}

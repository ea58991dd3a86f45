/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_call.c  call.list, call.show, call.end: the calls of this node. */
#include "admin/admin_private.h"
#include "admin_events.h"
#include "sip/core.h"

static json_t *party_json(const struct leg_party *p)
{
	return json_pack("{s:o, s:o, s:o}", "uri", admin_json_text(text_of(p->uri)), "user", admin_json_text(text_of(p->user)), "display",
	                 admin_json_text(text_of(p->display)));
}

static json_t *leg_json(struct admin *a, const struct leg *leg)
{
	const struct leg_info *i = leg_info(leg);
	char source[NET_ADDR_SIZE] = "";
	if (net_addr_is_set(&i->source))
		net_addr_print(&i->source, source);
	int64_t lasts_ms = clock_mono_ms(a->prm.clock) - leg_started_ms(leg);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:s}", "id", leg_session(leg), "direction", i->incoming ? "in" : "out", "state",
	                 leg_state_name(leg), "gateway", i->peer ? i->peer->name : "", "transport", net_transport_name(i->transport), "address", source,
	                 "lasts_ms", (json_int_t)lasts_ms, "from", party_json(&i->from), "to", party_json(&i->to), "called", party_json(&i->called),
	                 "call_id", i->call_id);
}

struct collect {
	struct admin *admin;
	json_t *array;
};

static void collect_h(struct leg *leg, void *arg)
{
	struct collect *c = arg;
	json_t *o = leg_json(c->admin, leg);
	if (o)
		json_array_append_new(c->array, o);
}

static void list(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct collect c = { a, json_array() };
	(void)args;
	if (a->prm.sip)
		sip_core_each_leg(a->prm.sip, collect_h, &c);
	admin_call_ok(call, json_pack("{s:o}", "calls", c.array));
}

static struct leg *named(struct admin *a, struct admin_call *call, const json_t *args)
{
	struct ev_report why = { 0 };
	const char *id;
	if (admin_need_str(args, "id", &id, &why) != 0) {
		admin_call_fail(call, &why);
		return NULL;
	}
	struct leg *leg = a->prm.sip ? sip_core_leg(a->prm.sip, id) : NULL;
	if (!leg)
		admin_call_not_found(call, "call", id, "It may be over: umbel call list shows those that live, umbel events list --session ID what happened.");
	return leg;
}

static void show(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct leg *leg = named(a, call, args);
	if (!leg)
		return;
	const struct leg_info *i = leg_info(leg);
	json_t *o = leg_json(a, leg), *diversions = json_array();
	for (unsigned n = 0; n < i->n_diversions; n++)
		json_array_append_new(diversions, json_pack("{s:o, s:s}", "uri", admin_json_text(text_of(i->diversion[n].party.uri)), "reason",
		                                            i->diversion[n].reason));
	if (o) {
		json_object_set_new(o, "user_agent", admin_json_text(text_of(i->user_agent)));
		json_object_set_new(o, "headers_believed", json_boolean(i->headers_believed));
		json_object_set_new(o, "held", json_boolean(leg_is_held(leg)));
		json_object_set(o, "diversions", diversions);
	}
	json_decref(diversions);
	admin_call_ok(call, o);
}

static void end(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct leg *leg = named(a, call, args);
	if (!leg)
		return;
	char id[EV_SESSION_SIZE];
	text_fill(id, sizeof id, leg_session(leg));
	int err = leg_info(leg)->incoming && !leg_is_up(leg) ? leg_reject(leg, 480, "ended by the administrator", 0) :
	          leg_is_up(leg)                             ? leg_hangup(leg, "ended by the administrator") :
	                                                       leg_cancel(leg);
	if (err) {
		admin_call_errno(call, err, NULL);
		return;
	}
	admin_call_did(call, "%s", id);
	admin_call_ok(call, json_pack("{s:s}", "ended", id));
}

const struct admin_cmd admin_call_cmds[] = { { "call.list", list }, { "call.show", show }, { "call.end", end }, { NULL, NULL } };

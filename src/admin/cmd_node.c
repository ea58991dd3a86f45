/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_node.c  status and node.*: this node at a glance, and all nodes of the store. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "cert/matrix.h"
#include "db/db.h"
#include "jobs/registry.h"
#include "mailbox/mbox.h"
#include "node/node.h"
#include "node/siblings.h"
#include "sip/core.h"
#include "voice/speech.h"

static json_t *needs_json(const struct node *n)
{
	json_t *array = json_array();
	for (int i = 0; i < NODE_NEEDS; i++) {
		enum node_need need = (enum node_need)i;
		json_array_append_new(array, json_pack("{s:s, s:b, s:s}", "name", node_need_name(need), "ok", node_need_ok(n, need), "detail",
		                                       node_need_detail(n, need)));
	}
	return array;
}

static json_t *node_json(const struct admin *a)
{
	const struct node *n = a->prm.node;
	const struct cfg_node *c = a->cfg ? &a->cfg->node : NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:i, s:o}", "name", node_name(n), "fqdn", c ? c->fqdn : "", "service", c ? c->service : "",
	                 "version", UMBEL_VERSION, "state", node_state_name(node_state(n)), "started_us", (json_int_t)node_started_us(n), "now_us",
	                 (json_int_t)clock_real_us(a->prm.clock), "calls", (int)node_calls(n), "needs", needs_json(n));
}

static json_t *left_json(const struct node *n)
{
	struct node_left l;
	node_left(n, &l);
	return json_pack("{s:i, s:i, s:i, s:i}", "calls", (int)l.calls, "messages", (int)l.messages, "records", (int)l.records, "errands", (int)l.errands);
}

static json_t *store_json(const struct admin *a)
{
	if (!a->prm.store)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:I, s:I}", "engine", store_engine(a->prm.store), "place", store_place(a->prm.store), "state",
	                 store_state_name(store_state(a->prm.store)), "queued", (json_int_t)store_queued(a->prm.store), "spooled",
	                 (json_int_t)(a->prm.mbox ? mbox_spooled(a->prm.mbox) : 0));
}

static json_t *sip_json(const struct admin *a)
{
	struct sip_core_stats s;
	if (!a->prm.sip)
		return json_null();
	sip_core_stats(a->prm.sip, &s);
	return json_pack("{s:i, s:i, s:i, s:I, s:I, s:I, s:I}", "connections", (int)s.conns, "transactions", (int)s.transactions, "legs", (int)s.legs,
	                 "invites", (json_int_t)s.invites, "refused", (json_int_t)s.refused, "malformed", (json_int_t)s.malformed, "opened",
	                 (json_int_t)s.opened);
}

static json_t *speech_json(const struct admin *a)
{
	struct speech_about s;
	if (!a->prm.speech)
		return json_null();
	speech_about(a->prm.speech, &s);
	return json_pack("{s:s, s:b, s:b, s:s, s:s, s:i, s:i, s:i, s:i, s:I, s:s}", "state", speech_state_name(s.state), "speaks", s.speaks, "hears", s.hears,
	                 "front", s.front, "reason", s.reason, "pid", (int)s.pid, "workers", (int)s.workers, "waiting", (int)s.waiting, "starts", (int)s.starts, "up_ms",
	                 (json_int_t)s.up_ms, "ended", s.ended);
}

static void status(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	(void)args;
	json_int_t open = a->prm.gateways ? (json_int_t)gw_story_open(gw_table_stories(a->prm.gateways)) : 0;
	admin_call_ok(call, json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "node", a->prm.node ? node_json(a) : json_null(), "gateways", admin_gateways_json(a), "store",
	                              store_json(a), "sip", sip_json(a), "speech", speech_json(a), "stories_open", open));
}

/* ---- node.list ---- */

static json_t *registry_json(const struct registry_node *n)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:s}", "name", n->name, "fqdn", n->fqdn, "version", n->version, "state",
	                 n->alive || strcmp(n->state, "stopped") == 0 ? n->state : "silent", "reason", n->reason, "alive", n->alive, "self", n->self, "started_us", (json_int_t)n->started_us,
	                 "beat_us", (json_int_t)n->beat_us, "calls", (json_int_t)n->calls, "max_calls", (json_int_t)n->max_calls, "clock_us",
	                 (json_int_t)n->skew_us, "revision", (json_int_t)n->revision, "objects", n->objects, "ago_ms", (json_int_t)(n->ago_us / 1000), "listen", n->listen);
}

/* What the card says: where it listens for TLS, and the first certificate. */
static void put_card(json_t *o, const struct registry_node *n, int64_t now_s)
{
	struct matrix_model *m = NULL;
	struct matrix_node *x = NULL;
	if (matrix_model_create(&m, now_s) == 0 && matrix_take_card(m, n->name, n->fqdn, n->card, &x) == 0) {
		json_t *addresses = json_array(), *names = json_array();
		for (unsigned i = 0; i < x->addresses.n; i++)
			json_array_append_new(addresses, json_string(trust_names_at(&x->addresses, i)));
		json_object_set_new(o, "tls", addresses);
		if (x->n_shown) {
			const struct trust_cert *t = &x->shown[0].cert->facts;
			for (unsigned i = 0; i < t->sans.n; i++)
				json_array_append_new(names, admin_json_text(text_of(trust_names_at(&t->sans, i))));
			json_object_set_new(o, "certificate", json_pack("{s:o, s:O, s:s, s:I}", "cn", admin_json_text(text_of(t->cn)), "names", names, "sha256", t->sha256,
			                                                "not_after_s", (json_int_t)t->not_after_s));
		}
		json_decref(names);
	}
	matrix_model_free(m);
}

static void finding_h(const struct ev_report *r, void *arg)
{
	char sentence[1024], advice[1024];
	json_array_append_new(arg, json_pack("{s:s, s:s, s:s}", "name", ev_def_find(r->id)->name, "sentence", ev_sentence(r, sentence, sizeof sentence), "advice",
	                                     admin_advice(r, advice, sizeof advice)));
}

struct listing {
	struct admin_call *call; /* a reference */
	const struct um_clock *clock;
};

static void listed_h(int err, const struct registry_node *nodes, size_t n, void *arg)
{
	struct listing *l = arg;
	json_t *array = json_array(), *findings = json_array();
	int64_t now_s = clock_real_s(l->clock);
	for (size_t i = 0; !err && i < n; i++) {
		json_t *o = registry_json(&nodes[i]);
		put_card(o, &nodes[i], now_s);
		json_array_append_new(array, o);
	}
	if (!err)
		err = node_compare(nodes, n, now_s, finding_h, findings);
	if (err)
		admin_call_errno(l->call, err, NULL);
	else
		admin_call_ok(l->call, json_pack("{s:O, s:O}", "nodes", array, "findings", findings));
	json_decref(array);
	json_decref(findings);
	mem_unref(l->call);
	mem_free(l);
}

static void list(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	(void)args;
	if (!a->prm.registry) {
		admin_call_absent(call, "registry of nodes");
		return;
	}
	struct listing *l = mem_zalloc(1, sizeof *l);
	int err = l ? 0 : ENOMEM;
	if (!err) {
		*l = (struct listing){ mem_ref(call), a->prm.clock };
		err = registry_cards(a->prm.registry, listed_h, l);
		if (err)
			mem_unref(call);
	}
	if (err) {
		mem_free(l);
		admin_call_errno(call, err, NULL);
	}
}

/* ---- drain, resume, stop ---- */

static void not_now(struct admin_call *call, const char *error)
{
	struct ev_report r = { 0 };
	ev_set(&r, EV_ADMIN_NOT_NOW);
	ev_str(&r, "command", admin_call_cmd(call));
	ev_str(&r, "error", error);
	ev_str(&r, "hint", admin_words(ADMIN_HINT_NODE_STATE));
	admin_call_fail(call, &r);
}

static json_t *state_json(const struct node *n, bool changed)
{
	json_t *o = json_pack("{s:s, s:i, s:b, s:o, s:b}", "state", node_state_name(node_state(n)), "calls", (int)node_calls(n), "changed", changed, "left",
	                      left_json(n), "safe_to_stop", node_safe_to_stop(n));
	if (node_drain_left_ms(n) >= 0)
		json_object_set_new(o, "within_ms", json_integer(node_drain_left_ms(n)));
	return o;
}

/* At once: they may be sending calls here. */
static void tell_the_others(const struct admin *a)
{
	struct node_answer now;
	node_answer(a->prm.node, &now);
	if (a->prm.registry)
		registry_say(a->prm.registry, node_state_name(node_state(a->prm.node)), now.ready ? "" : now.reason, node_calls(a->prm.node));
}

static void answer_state(struct admin *a, struct admin_call *call, int err)
{
	if (err == EBUSY) {
		not_now(call, "the node is stopping");
		return;
	}
	if (!err) {
		admin_call_did(call, "node is %s now", node_state_name(node_state(a->prm.node)));
		tell_the_others(a);
	}
	admin_call_ok(call, state_json(a->prm.node, err == 0));
}

static void drain(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	json_int_t within_ms = json_integer_value(json_object_get(args, "within_ms"));
	answer_state(a, call, node_drain(a->prm.node, within_ms > 0 ? (uint64_t)within_ms : 0));
}

static void resume(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	(void)args;
	answer_state(a, call, node_resume(a->prm.node));
}

/* As drain and resume answer, without doing either. */
static void left(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	const struct node *n = a->prm.node;
	(void)args;
	admin_call_ok(call, state_json(n, false));
}

static void stop(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	(void)args;
	admin_call_did(call, "stop, %u calls", node_calls(a->prm.node));
	admin_call_ok(call, json_pack("{s:s, s:i}", "state", "stopping", "calls", (int)node_calls(a->prm.node)));
	node_stop(a->prm.node);
}

const struct admin_cmd admin_node_cmds[] = {
	{ "status", status }, { "node.list", list }, { "node.drain", drain }, { "node.resume", resume }, { "node.left", left }, { "node.stop", stop }, { NULL, NULL },
};

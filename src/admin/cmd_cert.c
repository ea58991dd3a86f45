/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cert.c  cert.*: the certificates of this node. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "cert_events.h"
#include "sip/core.h"
#include "trust/identity.h"
#include "trust/json.h"

static json_t *identity_json(struct admin *a, const struct trust_identity *id)
{
	const struct trust_cert *c = trust_identity_cert(id);
	int64_t left_s = c->not_after_s - clock_real_s(a->prm.clock);
	return json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:I, s:I, s:I, s:s, s:s}", "name", trust_identity_name(id), "cn", admin_json_text(text_of(c->cn)),
	                 "issuer", admin_json_text(text_of(c->issuer)), "sans", trust_json_names(&c->sans), "sha256", c->sha256, "key", c->key, "not_before_s",
	                 (json_int_t)c->not_before_s, "not_after_s", (json_int_t)c->not_after_s, "days_left", (json_int_t)(left_s / 86400), "cert_file",
	                 trust_identity_cert_file(id), "key_file", trust_identity_key_file(id));
}

/* ---- which certificate is in use on which connections ---- */

struct shown {
	json_t *all; /* one object a certificate, in the order met */
	json_t *identities;
};

static json_t *certificate_of(struct shown *s, const struct sip_conn_info *c)
{
	size_t i;
	json_t *o;
	json_array_foreach(s->all, i, o)
		if (strcmp(json_string_value(json_object_get(o, "sha256")), c->sha256) == 0)
			return o;
	bool current = false;
	json_array_foreach(s->identities, i, o)
		current = current || strcmp(json_string_value(json_object_get(o, "sha256")), c->sha256) == 0;
	o = json_pack("{s:s, s:s, s:b, s:i, s:i, s:[]}", "sha256", c->sha256, "identity", c->identity, "current", current, "accepted", 0, "dialled", 0, "connections");
	json_array_append_new(s->all, o);
	return o;
}

static void one_more(json_t *o, const char *key)
{
	json_object_set_new(o, key, json_integer(json_integer_value(json_object_get(o, key)) + 1));
}

static void conn_h(const struct sip_conn_info *c, void *arg)
{
	char peer[NET_ADDR_SIZE];
	if (c->transport != NET_TLS || !*c->sha256)
		return;
	json_t *o = certificate_of(arg, c);
	one_more(o, c->opened ? "dialled" : "accepted");
	json_array_append_new(json_object_get(o, "connections"), json_pack("{s:s, s:s, s:s, s:s, s:I}", "peer", net_addr_print(&c->peer, peer), "gateway", c->owner,
	                      "peer_name", c->peer_name, "opened_by", c->opened ? "us" : "the peer", "age_ms", (json_int_t)c->age_ms));
}

static void list(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	(void)args;
	if (!a->prm.trust) {
		admin_call_absent(call, "TLS");
		return;
	}
	struct trust_set *s = trust_keeper_get(a->prm.trust);
	json_t *array = json_array();
	for (unsigned i = 0; i < trust_set_count(s); i++)
		json_array_append_new(array, identity_json(a, trust_set_at(s, i)));
	mem_unref(s);
	struct shown shown = { json_array(), array };
	if (a->prm.sip)
		sip_core_each_conn(a->prm.sip, conn_h, &shown);
	admin_call_ok(call, json_pack("{s:o, s:o}", "identities", array, "in_use", shown.all));
}

struct warnings {
	json_t *array;
};

static void warn_h(const struct ev_report *r, void *arg)
{
	struct warnings *w = arg;
	json_array_append_new(w->array, admin_report_json(r));
}

/* Said, and no fault for those whom nobody asks for it. */
static void warn_cdp(const struct trust_cert *c, struct warnings *w)
{
	struct ev_report r = { 0 };
	if (c->has_cdp || c->self_signed)
		return;
	ev_set(&r, EV_CERT_NO_CDP);
	ev_str(&r, "cn", c->cn);
	warn_h(&r, w);
}

static void check(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	const char *name = admin_arg_str(args, "name");
	json_t *array = json_array();
	unsigned seen = 0, bad = 0;
	if (!a->prm.trust) {
		json_decref(array);
		admin_call_absent(call, "TLS");
		return;
	}
	struct trust_set *s = trust_keeper_get(a->prm.trust);
	for (unsigned i = 0; i < trust_set_count(s); i++) {
		const struct trust_identity *id = trust_set_at(s, i);
		struct warnings w = { json_array() };
		if (name && strcmp(name, trust_identity_name(id)) != 0) {
			json_decref(w.array);
			continue;
		}
		seen++;
		bad += trust_identity_check(id, a->cfg ? a->cfg->node.fqdn : "", a->cfg ? a->cfg->node.service : "", clock_real_s(a->prm.clock), warn_h, &w);
		warn_cdp(trust_identity_cert(id), &w);
		json_t *o = identity_json(a, id);
		json_object_set_new(o, "warnings", w.array);
		json_array_append_new(array, o);
	}
	mem_unref(s);
	if (name && !seen) {
		json_decref(array);
		admin_call_not_found(call, "identity", name, admin_words(ADMIN_HINT_IDENTITIES));
		return;
	}
	admin_call_ok(call, json_pack("{s:b, s:o}", "good", bad == 0, "identities", array));
}

const struct admin_cmd admin_cert_cmds[] = { { "cert.list", list }, { "cert.check", check }, { NULL, NULL } };

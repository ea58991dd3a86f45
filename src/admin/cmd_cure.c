/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cure.c  cert.cure: from a certificate that a gateway does not know to one that works, told step by step. */
#include <errno.h>
#include <unistd.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "cert/cure.h"

struct curing {
	struct admin *admin;
	struct admin_call *call;
	struct cert_cure *cure;
	char gateway[64];
	char ca_cert[512], ca_key[512];
};

/* One probe of the rehearsal: between the cure's handler and the gateway's. */
struct rehearsal {
	cert_probe_done_h *done;
	void *arg;
};

static void tried_h(bool answered, const struct trust_facts *facts, void *arg)
{
	struct rehearsal *r = arg;
	r->done(answered, facts, r->arg);
	mem_free(r);
}

static int probe_h(const char *gateway, const char *identity, cert_probe_done_h *done, void *done_arg, void *arg)
{
	struct curing *x = arg;
	struct gateway *g = gw_find(x->admin->prm.gateways, gateway);
	struct rehearsal *r = g ? mem_zalloc(1, sizeof *r) : NULL;
	if (!r)
		return g ? ENOMEM : ENOENT;
	*r = (struct rehearsal){ done, done_arg };
	int err = gw_try_identity(g, identity, tried_h, r);
	if (err)
		mem_free(r);
	return err;
}

static void said_h(enum cert_cure_step step, const struct ev_report *r, void *arg)
{
	struct curing *x = arg;
	json_t *o = admin_report_json(r);
	if (o)
		json_object_set_new(o, "step", json_string(cert_cure_step_name(step)));
	admin_call_more(x->call, o);
}

static void over_h(const struct cert_cure_result *res, void *arg)
{
	struct curing *x = arg;
	struct admin *a = x->admin;
	if (res->good && a->prm.trust_changed)
		a->prm.trust_changed(a->prm.arg);
	if (!res->good) {
		admin_call_errno(x->call, EIO, &res->report);
	} else {
		admin_call_did(x->call, "gateway %s, identity %s, CN %s", x->gateway, res->identity, res->cn);
		json_t *o = admin_report_json(&res->report);
		json_t *all = json_pack("{s:b, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "good", 1, "gateway", x->gateway, "identity", res->identity, "cn", res->cn,
		                        "old_sha256", res->old_sha256, "new_sha256", res->new_sha256, "not_after_s", (json_int_t)res->not_after_s, "report",
		                        o ? o : json_null());
		admin_call_ok(x->call, all);
	}
	mem_unref(x->call);
	mem_free(x);
}

/* The CA that signs: the one given; else one of the trusted authorities whose key lies beside its certificate (root.pem and root.key), as
 * `umbel ca init` makes them. Without one the request is written to a file, for somebody else to sign. */
static void find_ca(struct curing *x, const char *cert, const char *key)
{
	const struct cfg *cfg = x->admin->cfg;
	if (cert && key) {
		text_fill(x->ca_cert, sizeof x->ca_cert, cert);
		text_fill(x->ca_key, sizeof x->ca_key, key);
		return;
	}
	for (size_t i = 0; cfg && i < cfg->trust.ca_files.n; i++) {
		struct text path = text_of(cfg->trust.ca_files.v[i]);
		size_t dot = text_rfind(path, '.');
		char beside[512];
		if (dot == SIZE_MAX || text_print(beside, sizeof beside, "%.*s.key", (int)dot, path.p) != 0 || access(beside, R_OK) != 0)
			continue;
		text_fill(x->ca_cert, sizeof x->ca_cert, path.p);
		text_fill(x->ca_key, sizeof x->ca_key, beside);
		return;
	}
}

static const char *identity_of(const struct cfg *cfg, const struct cfg_gateway *g)
{
	const struct cfg_identity *id = *g->identity ? cfg_identity(cfg, text_of(g->identity)) : cfg_identity(cfg, TEXT(""));
	return id ? id->name : "";
}

/* Other gateways that are shown the same identity: they will see the new certificate too. */
static unsigned find_others(struct admin *a, const struct gateway *g, struct cert_gateway *others, unsigned max)
{
	unsigned n = 0;
	for (unsigned i = 0; i < gw_count(a->prm.gateways) && n < max; i++) {
		const struct gateway *o = gw_at(a->prm.gateways, i);
		if (o == g || gw_cfg(o)->transport != CFG_TLS || strcmp(identity_of(a->cfg, gw_cfg(o)), identity_of(a->cfg, gw_cfg(g))) != 0)
			continue;
		others[n].name = gw_name(o);
		others[n++].judges = gw_peer(o)->judges_us;
	}
	return n;
}

static int start(struct curing *x, struct gateway *g, const json_t *args, struct ev_report *why)
{
	struct admin *a = x->admin;
	const char *kind = admin_arg_str(args, "kind");
	struct cert_gateway others[32];
	struct cert_cure_prm prm = {
		.loop = a->prm.loop, .pool = a->prm.crypto, .clock = a->prm.clock, .bus = a->prm.bus, .keeper = a->prm.trust, .data_dir = a->cfg->node.data,
		.node = a->cfg->node.name, .fqdn = a->cfg->node.fqdn, .service = a->cfg->node.service, .gateway = x->gateway,
		.identity = identity_of(a->cfg, gw_cfg(g)), .judges = gw_peer(g)->judges_us, .others = others, .n_others = find_others(a, g, others, 32),
		.signed_file = admin_arg_str(args, "signed"), .wait_ms = (uint32_t)admin_arg_int(args, "wait_ms", 0), .force = admin_arg_bool(args, "force"),
		.probe = probe_h, .probe_arg = x, .said = said_h, .over = over_h, .arg = x,
	};
	if (kind && cert_key_kind_parse(text_of(kind), &prm.kind) != 0) {
		ev_set(why, EV_ADMIN_VALUE_BAD);
		ev_str(why, "value", kind);
		ev_str(why, "kind", "kind of key");
		ev_str(why, "possible", "rsa-2048, ec-p256");
		return EINVAL;
	}
	find_ca(x, admin_arg_str(args, "ca"), admin_arg_str(args, "ca_key"));
	if (*x->ca_cert)
		prm.ca = (struct cert_sign_prm){ .clock = a->prm.clock, .ca_cert_file = x->ca_cert, .ca_key_file = x->ca_key,
			                         .days = (unsigned)admin_arg_int(args, "days", 0) };
	return cert_cure_start(&x->cure, &prm, why);
}

static void cure(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	const char *name = NULL;
	int err = admin_need_str(args, "gateway", &name, &why);
	if (!err && (!a->prm.trust || !a->prm.gateways || !a->cfg || !a->cfg->has_node)) {
		admin_call_absent(call, "TLS");
		return;
	}
	struct gateway *g = err ? NULL : gw_find(a->prm.gateways, name);
	if (!err && !g) {
		admin_call_not_found(call, "gateway", name, admin_words(ADMIN_HINT_GATEWAYS));
		return;
	}
	struct curing *x = err ? NULL : mem_zalloc(1, sizeof *x);
	if (!err)
		err = x ? 0 : ENOMEM;
	if (!err) {
		x->admin = a;
		x->call = mem_ref(call);
		text_fill(x->gateway, sizeof x->gateway, name);
		err = start(x, g, args, &why);
	}
	if (err) {
		if (x)
			mem_unref(x->call);
		mem_free(x);
		admin_call_errno(call, err, &why);
	}
}

const struct admin_cmd admin_cure_cmds[] = { { "cert.cure", cure }, { NULL, NULL } };

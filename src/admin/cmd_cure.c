/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cure.c  cert.cure and cert.install: the two ways of a certificate into use, told step by step. Both are errands of cert/; here is who is
 * asked, who may be at it at once, and what the caller is told.                                                                */
#include <errno.h>
#include <unistd.h>
#include "admin/errand_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "cert/authority.h"

enum { CURE_WATCH_MS = 3000, INSTALL_WATCH_MS = 30000, WATCH_MAX_MS = 3600 * 1000, WAIT_MAX_MS = 24 * 3600 * 1000 };

/* One probe: between the errand's handler and the gateway's. */
struct asking {
	cert_probe_done_h *done;
	void *arg;
};

static void tried_h(bool answered, const struct trust_facts *facts, void *arg)
{
	struct asking *r = arg;
	r->done(answered, facts, r->arg);
	mem_free(r);
}

static int probe_h(const char *gateway, const char *identity, cert_probe_done_h *done, void *done_arg, void *arg)
{
	struct errand *x = arg;
	struct gateway *g = x->alone ? NULL : gw_find(x->admin->prm.gateways, gateway);
	struct asking *r = g ? mem_zalloc(1, sizeof *r) : NULL;
	if (!r)
		return g ? ENOMEM : ENOENT;
	*r = (struct asking){ done, done_arg };
	int err = gw_try_identity(g, identity, tried_h, r);
	if (err)
		mem_free(r);
	return err;
}

static enum cert_works works(const struct gw_flow_state *f, int64_t since_us, char *sentence, size_t size)
{
	if (f->works == GW_REFUSED && f->failed_us >= since_us)
		text_fill(sentence, size, f->verdict.sentence);
	return f->works == GW_WORKS ? CERT_WORKS : f->works == GW_REFUSED && f->failed_us >= since_us ? CERT_REFUSED : CERT_NOT_KNOWN;
}

static enum cert_works options_h(const char *gateway, char *sentence, size_t size, void *arg)
{
	struct errand *x = arg;
	const struct gateway *g = x->alone ? NULL : gw_find(x->admin->prm.gateways, gateway);
	return g ? works(gw_flow_state(g, GW_OPTIONS), 0, sentence, size) : CERT_NOT_KNOWN;
}

/* Once the new certificate is in use, only what failed since then tells against it. */
static enum cert_works calls_in_h(const char *gateway, char *sentence, size_t size, void *arg)
{
	struct errand *x = arg;
	const struct gateway *g = x->alone ? NULL : gw_find(x->admin->prm.gateways, gateway);
	return g ? works(gw_flow_state(g, GW_CALLS_IN), x->live_us, sentence, size) : CERT_NOT_KNOWN;
}

static void changed_h(void *arg)
{
	struct errand *x = arg;
	if (x->alone)
		return;
	x->live_us = clock_real_us(x->admin->prm.clock);
	if (x->admin->prm.trust_changed)
		x->admin->prm.trust_changed(x->admin->prm.arg);
}

static void said_h(enum cert_cure_step step, const struct ev_report *r, void *arg)
{
	struct errand *x = arg;
	json_t *o = x->alone ? NULL : admin_report_json(r);
	if (x->alone)
		return;
	if (o)
		json_object_set_new(o, "step", json_string(cert_cure_step_name(step)));
	if (x->tour)
		tour_said(x->tour, x->admin->cfg->node.name, o);
	else if (!x->call)
		order_said(x, o);
	else
		admin_call_more(x->call, o);
}

void errand_free(struct errand *x)
{
	list_remove(&x->link);
	if (x->locked && !x->alone)
		cert_lock_give(&x->admin->cert_locks, x->lock);
	mem_unref(x->call);
	mem_free(x);
}

void errands_leave(struct admin *a)
{
	for (struct link *l; (l = list_pop(&a->errands)) != NULL;)
		LIST_ENTRY(l, struct errand, link)->alone = true;
}

static void over_h(const struct cert_cure_result *res, void *arg)
{
	struct errand *x = arg;
	if (x->alone) {
		errand_free(x);
		return;
	}
	if (x->tour) {
		tour_own_over(x->tour, res);
	} else if (!x->call) {
		order_over(x, res);
	} else if (!res->good) {
		admin_call_errno(x->call, EIO, &res->report);
	} else {
		if (x->gateway[0])
			admin_call_did(x->call, "gateway %s, identity %s, CN %s", x->gateway, res->identity, res->cn);
		else
			admin_call_did(x->call, "identity %s, CN %s", res->identity, res->cn);
		json_t *o = admin_report_json(&res->report);
		json_t *all = json_pack("{s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:i, s:o}", "good", 1, "gateway", x->gateway, "identity", res->identity, "name",
		                        res->identity, "cn", res->cn, "old_sha256", res->old_sha256, "new_sha256", res->new_sha256, "not_after_s",
		                        (json_int_t)res->not_after_s, "gateways", (int)x->n_gateways, "answering", (int)res->answered, "report", o ? o : json_null());
		admin_call_ok(x->call, all);
	}
	errand_free(x);
}

/* ---- who is concerned ---- */

const char *admin_identity_of(const struct cfg *cfg, const struct cfg_gateway *g)
{
	const struct cfg_identity *id = *g->identity ? cfg_identity(cfg, text_of(g->identity)) : cfg_identity(cfg, TEXT(""));
	return id ? id->name : "";
}

unsigned admin_gateways_shown(struct admin *a, const char *identity, struct cert_gateway *out, unsigned max)
{
	unsigned n = 0;
	for (unsigned i = 0; a->prm.gateways && i < gw_count(a->prm.gateways) && n < max; i++) {
		const struct gateway *o = gw_at(a->prm.gateways, i);
		if (!gw_may_speak_tls(o) || strcmp(admin_identity_of(a->cfg, gw_cfg(o)), identity) != 0)
			continue;
		out[n].name = gw_name(o);
		out[n].identity = identity;
		out[n++].judges = gw_peer(o)->judges_us;
	}
	return n;
}

/* An errand that waits for an outside CA, by a command that was broken off: who comes next has seen to it that nobody else is at it. */
static void give_way(struct admin *a, const char *identity)
{
	LIST_FOREACH(&a->errands, it) {
		struct errand *x = LIST_ENTRY(it, struct errand, link);
		if (x->cure && x->call && admin_call_left(x->call) && cert_cure_at(x->cure) == CERT_CURE_WAIT &&
		    strcmp(a->cert_locks.lock[x->lock].identity, identity) == 0) {
			cert_cure_cancel(x->cure);
			return;
		}
	}
}

static int lock(struct admin *a, const char *identity, const char *what, const char *who, unsigned *index, struct ev_report *why)
{
	int err = cert_lock_take(&a->cert_locks, identity, what, who, clock_real_s(a->prm.clock), index, why);
	if (err != EBUSY)
		return err;
	give_way(a, identity);
	return cert_lock_take(&a->cert_locks, identity, what, who, clock_real_s(a->prm.clock), index, why);
}

int admin_cert_lock(struct admin *a, struct admin_call *call, const char *identity, const char *what, unsigned *index, struct ev_report *why)
{
	char who[48];
	text_print(who, sizeof who, "user %u", admin_call_uid(call));
	return lock(a, identity, what, who, index, why);
}

/* The CA that signs: the one given, its key beside it unless that is given too; else one of the trusted authorities whose key lies beside its certificate (root.pem and root.key), as
 * `umbel ca init` makes them. Without one the request is written to a file, for somebody else to sign. */
void errand_find_ca(const struct cfg *cfg, const json_t *args, char *cert, char *key, size_t size)
{
	const char *given = admin_arg_str(args, "ca"), *given_key = admin_arg_str(args, "ca_key");
	char beside_given[512];
	text_fill(cert, size, given ? given : "");
	text_fill(key, size, !given ? "" : given_key ? given_key : cert_authority_path(given, ".key", beside_given));
	for (size_t i = 0; cfg && !*cert && i < cfg->trust.ca_files.n; i++) {
		const char *path = cfg->trust.ca_files.v[i];
		char beside[512];
		if (access(cert_authority_path(path, ".key", beside), R_OK) != 0)
			continue;
		text_fill(cert, size, path);
		text_fill(key, size, beside);
	}
}

static uint32_t watch_ms(const json_t *args, uint32_t otherwise)
{
	int64_t ms = admin_arg_int(args, "watch_ms", otherwise);
	return ms < 0 ? 0 : ms > WATCH_MAX_MS ? WATCH_MAX_MS : (uint32_t)ms;
}

static uint32_t wait_ms(const json_t *args)
{
	int64_t ms = admin_arg_int(args, "wait_ms", 0);
	return ms < 0 ? 0 : ms > WAIT_MAX_MS ? WAIT_MAX_MS : (uint32_t)ms;
}

static bool is_default(const struct admin *a, const char *identity)
{
	const struct cfg_identity *id = cfg_identity(a->cfg, TEXT(""));
	return id && strcmp(id->name, identity) == 0;
}

struct errand *errand_new(struct admin *a, struct admin_call *call, const char *what)
{
	struct errand *x = mem_zalloc(1, sizeof *x);
	if (!x)
		return NULL;
	x->admin = a;
	x->call = mem_ref(call);
	x->what = what;
	list_append(&a->errands, &x->link);
	return x;
}

int errand_begin(struct errand *x, const char *identity, struct ev_report *why)
{
	int err = x->call ? admin_cert_lock(x->admin, x->call, identity, x->what, &x->lock, why)
			  : lock(x->admin, identity, x->what, *x->from ? x->from : admin_words(ADMIN_HINT_SERVER_ITSELF), &x->lock, why);
	x->locked = !err;
	x->n_gateways = admin_gateways_shown(x->admin, identity, x->gateways, CERT_PLAN_GATEWAYS);
	return err;
}

static void fail(struct errand *x, int err, const struct ev_report *why)
{
	admin_call_errno(x->call, err, why);
	errand_free(x);
}

/* ---- cert.cure ---- */

int errand_cure(struct errand *x, struct gateway *g, const json_t *args, bool with_ca, struct ev_report *why)
{
	struct admin *a = x->admin;
	const char *kind = admin_arg_str(args, "kind"), *identity = admin_identity_of(a->cfg, gw_cfg(g));
	text_fill(x->gateway, sizeof x->gateway, gw_name(g));
	int err = errand_begin(x, identity, why);
	struct cert_cure_prm prm = {
		.loop = a->prm.loop, .pool = a->prm.crypto, .clock = a->prm.clock, .bus = a->prm.bus, .keeper = a->prm.trust, .data_dir = a->cfg->node.data,
		.node = a->cfg->node.name, .fqdn = a->cfg->node.fqdn, .service = a->cfg->node.service, .gateway = x->gateway, .identity = identity,
		.is_default = is_default(a, identity), .gateways = x->gateways, .n_gateways = x->n_gateways, .watch_ms = watch_ms(args, CURE_WATCH_MS),
		.signed_file = admin_arg_str(args, "signed"), .wait_ms = wait_ms(args), .force = admin_arg_bool(args, "force"),
		.probe = probe_h, .probe_arg = x, .options = options_h, .calls_in = calls_in_h, .changed = changed_h, .said = said_h, .over = over_h, .arg = x,
		.request = with_ca ? NULL : order_request,
	};
	if (!err && kind && cert_key_kind_parse(text_of(kind), &prm.kind) != 0)
		err = admin_value_bad(why, kind, "kind of key", "rsa-2048, ec-p256");
	if (with_ca)
		errand_find_ca(a->cfg, args, x->ca_cert, x->ca_key, sizeof x->ca_cert);
	if (*x->ca_cert)
		prm.ca = (struct cert_sign_prm){ .clock = a->prm.clock, .ca_cert_file = x->ca_cert, .ca_key_file = x->ca_key,
			                         .days = (unsigned)admin_arg_int(args, "days", 0), .cdp_url = admin_arg_str(args, "cdp") };
	return err ? err : cert_cure_start(&x->cure, &prm, why);
}

static void cure(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	const char *name = NULL;
	int err = admin_need_str(args, "gateway", &name, &why);
	if (err) {
		admin_call_errno(call, err, &why);
		return;
	}
	if (!a->prm.trust || !a->prm.gateways || !a->cfg || !a->cfg->has_node) {
		admin_call_absent(call, "TLS");
		return;
	}
	struct gateway *g = gw_find(a->prm.gateways, name);
	if (!g) {
		admin_call_not_found(call, "gateway", name, admin_words(ADMIN_HINT_GATEWAYS));
		return;
	}
	if (admin_arg_bool(args, "all")) {
		tour_start(a, call, g, args);
		return;
	}
	struct errand *x = errand_new(a, call, "cert.cure");
	if (!x) {
		admin_call_errno(call, ENOMEM, NULL);
		return;
	}
	if ((err = errand_cure(x, g, args, true, &why)) != 0)
		fail(x, err, &why);
}

/* ---- cert.install ---- */

int errand_swap(struct errand *x, const char *identity, struct text chain, struct text key, const json_t *args)
{
	struct admin *a = x->admin;
	struct cert_swap *swap;
	/* anew: the configuration may have changed since the errand began */
	x->n_gateways = admin_gateways_shown(a, identity, x->gateways, CERT_PLAN_GATEWAYS);
	struct cert_swap_prm prm = {
		.loop = a->prm.loop, .pool = a->prm.crypto, .clock = a->prm.clock, .bus = a->prm.bus, .keeper = a->prm.trust, .data_dir = a->cfg->node.data,
		.fqdn = a->cfg->node.fqdn, .service = a->cfg->node.service, .identity = identity, .is_default = is_default(a, identity), .chain = chain,
		.key = key, .gateways = x->gateways, .n_gateways = x->n_gateways, .force = args && admin_arg_bool(args, "force"),
		.watch_ms = args ? watch_ms(args, INSTALL_WATCH_MS) : INSTALL_WATCH_MS, .probe = a->prm.gateways ? probe_h : NULL, .probe_arg = x,
		.options = options_h, .calls_in = calls_in_h, .changed = changed_h, .said = said_h, .over = over_h, .arg = x,
	};
	return cert_swap_start(&swap, &prm);
}

static void install(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	const char *chain = NULL;
	if (!a->prm.trust || !a->prm.crypto || !a->cfg || !a->cfg->has_node) {
		admin_call_absent(call, "TLS");
		return;
	}
	struct errand *x = errand_new(a, call, "cert.install");
	if (!x) {
		admin_call_errno(call, ENOMEM, NULL);
		return;
	}
	const char *identity = admin_identity_name(a, args);
	int err = admin_need_str(args, "chain", &chain, &why);
	if (!err)
		err = admin_identity_name_bad(identity, &why);
	if (!err)
		err = errand_begin(x, identity, &why);
	if (!err)
		err = errand_swap(x, identity, text_of(chain), text_of(admin_arg_str(args, "key")), args);
	if (err)
		fail(x, err, &why);
}

const struct admin_cmd admin_cure_cmds[] = { { "cert.cure", cure }, { "cert.install", install }, { NULL, NULL } };

/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_install.c  cert.request: the key is made here and stays here; the names in the request are computed from what the gateways want. Costs time and
 * touches files, so it runs on a worker with copies of all it needs.                                                            */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "cert/install.h"
#include "cert/plan.h"
#include "cert_events.h"
#include "net/pool.h"
#include "trust/json.h"

enum { PEM_MAX = 1 << 20, LINES_MAX = 16384 };

struct job {
	struct admin *admin;
	struct admin_call *call;
	char name[TRUST_LABEL_SIZE], data[512], fqdn[TRUST_NAME_SIZE], service[TRUST_NAME_SIZE];
	struct ev_report why;
	unsigned lock;
	bool locked;
	enum cert_key_kind kind;
	enum cert_usage usage;
	struct cert_gateway gateways[CERT_PLAN_GATEWAYS];
	char gateway_names[CERT_PLAN_GATEWAYS][TRUST_LABEL_SIZE]; /* the configuration may change meanwhile */
	unsigned n_gateways;
	struct cert_plan plan;
	struct cert_names names;
	struct buf csr;
	char csr_file[512];
	json_t *warnings;
};

static void job_free(struct job *j)
{
	if (j->locked)
		cert_lock_give(&j->admin->cert_locks, j->lock);
	buf_free(&j->csr);
	json_decref(j->warnings);
	mem_unref(j->call);
	mem_free(j);
}

/* The identity that args name, or the default one. */
const char *admin_identity_name(const struct admin *a, const json_t *args)
{
	const char *name = admin_arg_str(args, "name");
	const struct cfg_identity *id = cfg_identity(a->cfg, text_of(name ? name : a->cfg->node.identity));
	return name ? name : id ? id->name : "default";
}

int admin_identity_name_bad(const char *name, struct ev_report *why)
{
	size_t n = strlen(name);
	bool good = n && n < TRUST_LABEL_SIZE && strspn(name, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-") == n && name[0] != '.';
	return good ? 0 : admin_value_bad(why, name, "name of an identity", "1 to 63 of the characters 0-9 A-Z a-z . _ -, no dot in front");
}

int admin_value_bad(struct ev_report *why, const char *value, const char *kind, const char *possible)
{
	ev_set(why, EV_ADMIN_VALUE_BAD);
	ev_str(why, "value", value);
	ev_str(why, "kind", kind);
	ev_str(why, "possible", possible);
	return EINVAL;
}

static void fail_job(struct job *j, int err)
{
	admin_call_errno(j->call, err, &j->why);
	job_free(j);
}

/* ---- the worker, and back ---- */

static int request_work(void *arg)
{
	struct job *j = arg;
	return cert_request_files(j->data, j->name, j->kind, &j->names, j->usage, &j->csr, j->csr_file, &j->why);
}

static void todo_h(const struct ev_report *r, void *arg)
{
	json_array_append_new(arg, admin_report_json(r));
}

static void request_done(enum pool_result result, int err, void *arg)
{
	struct job *j = arg;
	char awaited[512];
	if (result != POOL_DONE) {
		fail_job(j, result == POOL_CANCELLED ? ECANCELED : err);
		return;
	}
	json_t *todo = json_array(), *serves = json_array();
	cert_todo_at_ca(&j->names, j->usage, j->csr_file, cert_awaited_path(j->data, j->name, awaited), todo_h, todo);
	for (unsigned i = 0; i < j->n_gateways; i++) {
		cert_todo_at_gateway(&j->gateways[i], &j->names, j->fqdn, todo_h, todo);
		json_array_append_new(serves, json_string(j->gateways[i].name));
	}
	admin_call_did(j->call, "identity %s, CN %s", j->name, j->names.cn);
	admin_call_ok(j->call, json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:O}", "name", j->name, "cn", j->names.cn, "names", trust_json_names(&j->names.dns),
	                                 "kind", cert_key_kind_name(j->kind), "usage", cert_usage_name(j->usage), "csr_file", j->csr_file, "csr",
	                                 j->csr.n ? buf_cstr(&j->csr) : "", "serves", serves, "todo", todo, "warnings", j->warnings));
	job_free(j);
}

/* ---- what is to be asked for ---- */

/* No single certificate serves all: which identity for which gateway, in words and lines. */
static int split(struct job *j, const struct cert_plan_prm *prm)
{
	struct buf wanted, lines;
	buf_init(&wanted, 4096);
	buf_init(&lines, LINES_MAX);
	for (unsigned i = 0; i < j->plan.n; i++) {
		const struct cert_plan_one *o = &j->plan.one[i];
		buf_printf(&wanted, "%sCN=%s for", i ? "; " : "", o->names.cn);
		for (unsigned k = 0; k < o->n_gateways; k++)
			buf_printf(&wanted, "%s %s", k ? "," : "", j->gateways[o->gateway[k]].name);
	}
	unsigned first = j->plan.one[0].gateway[0];
	buf_printf(&lines, "Keep identity %s for %s, and make another for each other subject:\n    umbel cert request --gateway %s\n", j->name,
		   j->gateways[first].name, j->gateways[first].name);
	int err = cert_plan_lines(&j->plan, prm, j->data, &lines);
	ev_set(&j->why, EV_CERT_PLAN_SPLIT);
	ev_str(&j->why, "identity", j->name);
	ev_str(&j->why, "wanted", wanted.n ? buf_cstr(&wanted) : "");
	ev_str(&j->why, "lines", lines.n ? buf_cstr(&lines) : "");
	buf_free(&wanted);
	buf_free(&lines);
	return err ? err : ENOTUNIQ;
}

static void keep_names(struct job *j)
{
	for (unsigned i = 0; i < j->n_gateways; i++) {
		text_fill(j->gateway_names[i], sizeof j->gateway_names[i], j->gateways[i].name);
		j->gateways[i].name = j->gateway_names[i];
		j->gateways[i].identity = j->name;
	}
}

/* A gateway named for an identity that it is not shown yet: for it alone. */
static int gateways_of(struct job *j, const struct gateway *g)
{
	struct admin *a = j->admin;
	if (g && strcmp(admin_identity_of(a->cfg, gw_cfg(g)), j->name) != 0) {
		j->gateways[0].name = gw_name(g);
		j->gateways[0].judges = gw_peer(g)->judges_us;
		j->n_gateways = 1;
	} else {
		j->n_gateways = admin_gateways_shown(a, j->name, j->gateways, CERT_PLAN_GATEWAYS);
	}
	keep_names(j);
	return 0;
}

static int make_plan(struct job *j, const char *gateway)
{
	struct cert_plan_prm prm = { .identity = j->name, .fqdn = j->fqdn, .service = j->service, .gateways = j->gateways, .n_gateways = j->n_gateways };
	cert_plan_make(&j->plan, &prm);
	if (j->plan.n > 1 && !gateway)
		return split(j, &prm);
	const struct cert_plan_one *mine = &j->plan.one[0];
	for (unsigned i = 0; gateway && i < j->plan.n; i++)
		for (unsigned k = 0; k < j->plan.one[i].n_gateways; k++)
			if (strcmp(j->gateways[j->plan.one[i].gateway[k]].name, gateway) == 0)
				mine = &j->plan.one[i];
	j->names = mine->names;
	struct cert_gateway served[CERT_PLAN_GATEWAYS];
	for (unsigned k = 0; k < mine->n_gateways; k++)
		served[k] = j->gateways[mine->gateway[k]];
	j->n_gateways = mine->n_gateways;
	for (unsigned k = 0; k < mine->n_gateways; k++)
		j->gateways[k] = served[k]; /* names stay where they are */
	return 0;
}

/* EC only where it is known to do: a peer whose suites want RSA ends the handshake. */
static void warn_ec(struct job *j)
{
	struct ev_report *r = mem_alloc(sizeof *r);
	for (unsigned i = 0; r && j->kind == CERT_KEY_EC_P256 && i < j->n_gateways; i++) {
		ev_set(r, EV_CERT_PLAN_EC);
		ev_str(r, "gateway", j->gateways[i].name);
		json_array_append_new(j->warnings, admin_report_json(r));
	}
	mem_free(r);
}

static int parse(struct job *j, const json_t *args)
{
	const char *kind = admin_arg_str(args, "kind"), *usage = admin_arg_str(args, "usage");
	if (kind && cert_key_kind_parse(text_of(kind), &j->kind) != 0)
		return admin_value_bad(&j->why, kind, "kind of key", "rsa-2048, ec-p256");
	if (usage && cert_usage_parse(text_of(usage), &j->usage) != 0)
		return admin_value_bad(&j->why, usage, "usage", "both, server, client");
	return 0;
}

static struct job *begin(struct admin *a, struct admin_call *call)
{
	struct job *j = mem_zalloc(1, sizeof *j);
	if (!j)
		return NULL;
	j->admin = a;
	j->call = mem_ref(call);
	buf_init(&j->csr, PEM_MAX);
	j->warnings = json_array();
	text_fill(j->data, sizeof j->data, a->cfg->node.data);
	text_fill(j->fqdn, sizeof j->fqdn, a->cfg->node.fqdn);
	text_fill(j->service, sizeof j->service, a->cfg->node.service);
	return j;
}

static void request(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	const char *gateway = admin_arg_str(args, "gateway");
	if (!a->prm.trust || !a->prm.crypto || !a->cfg || !a->cfg->has_node) {
		admin_call_absent(call, "TLS");
		return;
	}
	const struct gateway *g = gateway && a->prm.gateways ? gw_find(a->prm.gateways, gateway) : NULL;
	if (gateway && !g) {
		admin_call_not_found(call, "gateway", gateway, admin_words(ADMIN_HINT_GATEWAYS));
		return;
	}
	struct job *j = begin(a, call);
	if (!j) {
		admin_call_errno(call, ENOMEM, NULL);
		return;
	}
	const char *of_gateway = g ? admin_identity_of(a->cfg, gw_cfg(g)) : "";
	text_fill(j->name, sizeof j->name, !admin_arg_str(args, "name") && *of_gateway ? of_gateway : admin_identity_name(a, args));
	int err = parse(j, args);
	if (!err)
		err = admin_identity_name_bad(j->name, &j->why);
	if (!err)
		err = gateways_of(j, g);
	if (!err)
		err = make_plan(j, gateway);
	if (!err)
		err = admin_cert_lock(a, call, j->name, "cert.request", &j->lock, &j->why);
	j->locked = !err;
	if (!err) {
		warn_ec(j);
		err = pool_submit(a->prm.crypto, request_work, request_done, j);
	}
	if (err)
		fail_job(j, err);
}

const struct admin_cmd admin_install_cmds[] = { { "cert.request", request }, { NULL, NULL } };

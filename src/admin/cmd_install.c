/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_install.c  cert.request and cert.install: the key is made here and stays here; what a CA gave back is examined before it is used. Both
 * cost time and touch files, so they run on a worker with copies of all they need.                                       */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "cert/install.h"
#include "net/pool.h"

enum { PEM_MAX = 1 << 20, WARNINGS = 8 };

struct job {
	struct admin *admin;
	struct admin_call *call;
	char name[TRUST_LABEL_SIZE], data[512], fqdn[TRUST_NAME_SIZE], service[TRUST_NAME_SIZE];
	int err;
	struct ev_report why;
	/* request */
	enum cert_key_kind kind;
	enum cert_usage usage;
	struct cert_names names;
	struct buf csr;
	char csr_file[512];
	/* install */
	char *chain, *key;
	size_t key_n;
	struct trust_set *set;
	int64_t now_s;
	struct trust_identity *id;
	struct ev_report *warning[WARNINGS];
	unsigned n_warnings;
};

static void job_free(struct job *j)
{
	buf_free(&j->csr);
	mem_free(j->chain);
	mem_free_secret(j->key, j->key_n);
	mem_unref(j->set);
	mem_unref(j->id);
	for (unsigned i = 0; i < j->n_warnings; i++)
		mem_free(j->warning[i]);
	mem_unref(j->call);
	mem_free(j);
}

/* The identity that args name, or the default one. */
static const char *identity_name(const struct admin *a, const json_t *args)
{
	const char *name = admin_arg_str(args, "name");
	const struct cfg_identity *id = cfg_identity(a->cfg, text_of(name ? name : a->cfg->node.identity));
	return name ? name : id ? id->name : "default";
}

static struct job *begin(struct admin *a, struct admin_call *call, const json_t *args)
{
	if (!a->prm.trust || !a->prm.crypto || !a->cfg || !a->cfg->has_node) {
		admin_call_absent(call, "TLS");
		return NULL;
	}
	struct job *j = mem_zalloc(1, sizeof *j);
	if (!j) {
		admin_call_errno(call, ENOMEM, NULL);
		return NULL;
	}
	j->admin = a;
	j->call = mem_ref(call);
	buf_init(&j->csr, PEM_MAX);
	text_fill(j->name, sizeof j->name, identity_name(a, args));
	text_fill(j->data, sizeof j->data, a->cfg->node.data);
	text_fill(j->fqdn, sizeof j->fqdn, a->cfg->node.fqdn);
	text_fill(j->service, sizeof j->service, a->cfg->node.service);
	j->now_s = clock_real_s(a->prm.clock);
	return j;
}

static void fail_job(struct job *j, int err)
{
	admin_call_errno(j->call, err, &j->why);
	job_free(j);
}

static void run(struct job *j, pool_work_h *work, pool_done_h *done)
{
	int err = pool_submit(j->admin->prm.crypto, work, done, j);
	if (err)
		fail_job(j, err);
}

/* ---- cert.request ---- */

static int request_work(void *arg)
{
	struct job *j = arg;
	return cert_request_files(j->data, j->name, j->kind, &j->names, j->usage, &j->csr, j->csr_file, &j->why);
}

static void request_done(enum pool_result result, int err, void *arg)
{
	struct job *j = arg;
	if (result != POOL_DONE) {
		fail_job(j, result == POOL_CANCELLED ? ECANCELED : err);
		return;
	}
	admin_call_did(j->call, "identity %s, CN %s", j->name, j->names.cn);
	admin_call_ok(j->call, json_pack("{s:s, s:s, s:s, s:s}", "name", j->name, "cn", j->names.cn, "csr_file", j->csr_file, "csr", j->csr.n ? buf_cstr(&j->csr) : ""));
	job_free(j);
}

static int names_wanted(struct job *j, const json_t *args)
{
	const char *gateway = admin_arg_str(args, "gateway");
	const struct gateway *g = gateway && j->admin->prm.gateways ? gw_find(j->admin->prm.gateways, gateway) : NULL;
	if (gateway && !g) {
		admin_call_not_found(j->call, "gateway", gateway, admin_words(ADMIN_HINT_GATEWAYS));
		return ENOENT;
	}
	cert_names_for(&j->names, g ? &gw_peer(g)->judges_us : NULL, j->fqdn, j->service);
	return 0;
}

static void request(struct admin_call *call, const json_t *args, void *arg)
{
	const char *kind = admin_arg_str(args, "kind");
	struct job *j = begin(arg, call, args);
	if (!j)
		return;
	if (kind && cert_key_kind_parse(text_of(kind), &j->kind) != 0) {
		ev_set(&j->why, EV_ADMIN_VALUE_BAD);
		ev_str(&j->why, "value", kind);
		ev_str(&j->why, "kind", "kind of key");
		ev_str(&j->why, "possible", "rsa-2048, ec-p256");
		fail_job(j, EINVAL);
		return;
	}
	if (names_wanted(j, args) != 0)
		job_free(j);
	else
		run(j, request_work, request_done);
}

/* ---- cert.install ---- */

static void warn_h(const struct ev_report *r, void *arg)
{
	struct job *j = arg;
	if (j->n_warnings == WARNINGS || !(j->warning[j->n_warnings] = mem_alloc(sizeof *r)))
		return;
	ev_copy(j->warning[j->n_warnings++], r);
}

static int install_work(void *arg)
{
	struct job *j = arg;
	struct trust_identity *given = NULL;
	int err = cert_from_answer(&given, j->name, text_of(j->chain), j->key ? text_of(j->key) : TEXT_NONE, j->data, j->set, &j->why);
	if (!err)
		err = cert_examine(given, j->set, j->fqdn, j->service, j->now_s, &j->why, warn_h, j);
	if (!err)
		err = cert_write_installed(&j->id, j->data, given, j->name, &j->why);
	mem_unref(given);
	return err;
}

static void install_done(enum pool_result result, int err, void *arg)
{
	struct job *j = arg;
	struct admin *a = j->admin;
	if (result == POOL_DONE)
		err = cert_put_live(a->prm.trust, j->id, a->prm.bus);
	if (result != POOL_DONE || err) {
		fail_job(j, result == POOL_CANCELLED ? ECANCELED : err);
		return;
	}
	if (a->prm.trust_changed)
		a->prm.trust_changed(a->prm.arg);
	json_t *warnings = json_array();
	for (unsigned i = 0; i < j->n_warnings; i++)
		json_array_append_new(warnings, admin_report_json(j->warning[i]));
	admin_call_did(j->call, "identity %s, CN %s", j->name, trust_identity_cn(j->id));
	admin_call_ok(j->call, json_pack("{s:s, s:s, s:I, s:s, s:o}", "name", j->name, "cn", trust_identity_cn(j->id), "not_after_s",
	                                 (json_int_t)trust_identity_not_after_s(j->id), "sha256", trust_identity_fingerprint(j->id), "warnings", warnings));
	job_free(j);
}

static void install(struct admin_call *call, const json_t *args, void *arg)
{
	const char *chain = NULL, *key = admin_arg_str(args, "key");
	struct job *j = begin(arg, call, args);
	if (!j)
		return;
	int err = admin_need_str(args, "chain", &chain, &j->why);
	if (!err) {
		j->chain = mem_strdup(chain);
		j->key = key ? mem_strdup(key) : NULL;
		j->key_n = key ? strlen(key) : 0;
		j->set = trust_keeper_get(j->admin->prm.trust);
		err = j->chain && (!key || j->key) ? 0 : ENOMEM;
	}
	if (err)
		fail_job(j, err);
	else
		run(j, install_work, install_done);
}

const struct admin_cmd admin_install_cmds[] = { { "cert.request", request }, { "cert.install", install }, { NULL, NULL } };

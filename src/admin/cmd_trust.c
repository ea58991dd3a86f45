/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_trust.c  trust.*: which authorities are believed. Adding and removing change what is in use at once and what the next start reads; those
 * that the configuration names in trust.ca are changed there. Files are touched on a worker, the swap follows on the loop.      */
#include <errno.h>
#include <openssl/pem.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "cert/anchors.h"
#include "net/pool.h"
#include "trust/identity.h"
#include "trust/pem.h"
#include "trust/rule.h"

static json_t *anchor_json(X509 *x)
{
	struct trust_cert c;
	trust_cert_describe(&c, x);
	return json_pack("{s:o, s:o, s:s, s:I, s:I, s:b}", "subject", admin_json_text(text_of(c.subject)), "issuer", admin_json_text(text_of(c.issuer)), "sha256",
	                 c.sha256, "not_before_s", (json_int_t)c.not_before_s, "not_after_s", (json_int_t)c.not_after_s, "is_ca", c.is_ca);
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
	for (unsigned i = 0; i < trust_set_anchors(s); i++)
		json_array_append_new(array, anchor_json(trust_set_anchor_at(s, i)));
	mem_unref(s);
	admin_call_ok(call, json_pack("{s:o}", "anchors", array));
}

/* ---- one change ---- */

struct change {
	struct admin *admin;
	struct admin_call *call;
	unsigned lock;
	bool locked;
	char data[512], sha256[80];
	char *pem;      /* to be added; NULL: to be removed */
	struct cfg *cfg; /* keeps the names of files alive */
	unsigned n;
	struct ev_report why;
};

static void change_free(struct change *c)
{
	if (c->locked)
		cert_lock_give(&c->admin->cert_locks, c->lock);
	if (c->cfg)
		cfg_unref(c->cfg);
	mem_unref(c->call);
	mem_free(c->pem);
	mem_free(c);
}

static void fail(struct change *c, int err)
{
	if (err == ENOENT || err == ENOTUNIQ)
		admin_call_not_found(c->call, "one authority with the fingerprint", c->sha256, admin_words(ADMIN_HINT_AUTHORITIES));
	else
		admin_call_errno(c->call, err, &c->why);
	change_free(c);
}

static int work(void *arg)
{
	struct change *c = arg;
	const struct cfg_strings *files = &c->cfg->trust.ca_files;
	return c->pem ? cert_anchors_add(c->data, text_of(c->pem), &c->n, &c->why)
		      : cert_anchors_remove(c->data, files->v, (unsigned)files->n, c->sha256, &c->why);
}

static X509 *find(const struct trust_set *s, const char *sha256)
{
	for (unsigned i = 0; i < trust_set_anchors(s); i++) {
		struct trust_cert c;
		trust_cert_describe(&c, trust_set_anchor_at(s, i));
		if (strncasecmp(c.sha256, sha256, strlen(sha256)) == 0)
			return trust_set_anchor_at(s, i);
	}
	return NULL;
}

static int into_use(struct change *c)
{
	struct admin *a = c->admin;
	struct trust_set *was = trust_keeper_get(a->prm.trust), *now = NULL;
	int err = c->pem ? trust_set_copy(&now, was) : trust_set_copy_without(&now, was, find(was, c->sha256));
	if (!err && c->pem)
		err = trust_set_anchor_pem(now, text_of(c->pem), NULL, &c->why);
	if (!err) {
		trust_keeper_swap(a->prm.trust, now);
		if (a->prm.trust_changed)
			a->prm.trust_changed(a->prm.arg);
	}
	mem_unref(now);
	mem_unref(was);
	return err;
}

/* What came in, so that whoever gave the wrong file sees it. */
static json_t *added_json(struct change *c)
{
	STACK_OF(X509) *all = NULL;
	json_t *array = json_array();
	(void)trust_pem_certs(&all, text_of(c->pem));
	for (int i = 0; i < sk_X509_num(all); i++)
		json_array_append_new(array, anchor_json(sk_X509_value(all, i)));
	sk_X509_pop_free(all, X509_free);
	return array;
}

static void done(enum pool_result result, int err, void *arg)
{
	struct change *c = arg;
	if (result == POOL_DONE)
		err = into_use(c);
	else if (result == POOL_CANCELLED)
		err = ECANCELED;
	if (err) {
		fail(c, err);
		return;
	}
	if (c->pem) {
		admin_call_did(c->call, "%u authorities", c->n);
		admin_call_ok(c->call, json_pack("{s:i, s:o}", "added", (int)c->n, "certificates", added_json(c)));
	} else {
		admin_call_did(c->call, "%s", c->sha256);
		admin_call_ok(c->call, json_pack("{s:s}", "removed", c->sha256));
	}
	change_free(c);
}

static struct change *begin(struct admin *a, struct admin_call *call)
{
	if (!a->prm.trust || !a->prm.crypto || !a->cfg || !a->cfg->has_node) {
		admin_call_absent(call, "TLS");
		return NULL;
	}
	struct change *c = mem_zalloc(1, sizeof *c);
	if (!c) {
		admin_call_errno(call, ENOMEM, NULL);
		return NULL;
	}
	c->admin = a;
	c->call = mem_ref(call);
	c->cfg = cfg_ref(a->cfg);
	text_fill(c->data, sizeof c->data, a->cfg->node.data);
	return c;
}

static void go(struct change *c, int err)
{
	if (!err)
		err = admin_cert_lock(c->admin, c->call, "(trust)", c->pem ? "trust.add" : "trust.remove", &c->lock, &c->why);
	c->locked = !err;
	if (!err)
		err = pool_submit(c->admin->prm.crypto, work, done, c);
	if (err)
		fail(c, err);
}

static void add(struct admin_call *call, const json_t *args, void *arg)
{
	const char *pem = NULL;
	struct change *c = begin(arg, call);
	if (!c)
		return;
	int err = admin_need_str(args, "pem", &pem, &c->why);
	if (!err && !(c->pem = mem_strdup(pem)))
		err = ENOMEM;
	go(c, err);
}

static void remove_one(struct admin_call *call, const json_t *args, void *arg)
{
	const char *sha256 = NULL;
	struct change *c = begin(arg, call);
	if (!c)
		return;
	int err = admin_need_str(args, "sha256", &sha256, &c->why);
	if (!err && (strlen(sha256) < 8 || strlen(sha256) > 64 || strspn(sha256, "0123456789abcdefABCDEF") != strlen(sha256)))
		err = admin_value_bad(&c->why, sha256, "fingerprint", admin_words(ADMIN_HINT_FINGERPRINTS));
	if (!err)
		text_fill(c->sha256, sizeof c->sha256, sha256);
	go(c, err);
}

const struct admin_cmd admin_trust_cmds[] = { { "trust.list", list }, { "trust.add", add }, { "trust.remove", remove_one }, { NULL, NULL } };

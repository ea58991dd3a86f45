/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_trust.c  trust.*: which authorities are believed. Adding and removing change what is in use at once; the files that the next start
 * reads are named in the configuration.                                                                                  */
#include <errno.h>
#include <openssl/pem.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "trust/identity.h"
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

static void swap(struct admin *a, struct trust_set *s)
{
	trust_keeper_swap(a->prm.trust, s);
	if (a->prm.trust_changed)
		a->prm.trust_changed(a->prm.arg);
}

static void add(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	const char *pem;
	unsigned n = 0;
	if (!a->prm.trust) {
		admin_call_absent(call, "TLS");
		return;
	}
	int err = admin_need_str(args, "pem", &pem, &why);
	struct trust_set *was = trust_keeper_get(a->prm.trust), *now = NULL;
	if (!err)
		err = trust_set_copy(&now, was);
	if (!err)
		err = trust_set_anchor_pem(now, text_of(pem), &n, &why);
	if (!err) {
		swap(a, now);
		admin_call_did(call, "%u authorities", n);
		admin_call_ok(call, json_pack("{s:i}", "added", (int)n));
	} else {
		admin_call_errno(call, err, &why);
	}
	mem_unref(now);
	mem_unref(was);
}

/* There is no taking out of a set: the new one is built from what stays. */
static int without(struct trust_set **sp, const struct trust_set *was, const char *sha256, unsigned *removed)
{
	struct trust_set *now = NULL;
	int err = trust_set_create(&now);
	for (unsigned i = 0; !err && i < trust_set_count(was); i++)
		err = trust_set_identity(now, trust_set_at(was, i));
	for (unsigned i = 0; !err && i < trust_set_anchors(was); i++) {
		struct trust_cert c;
		trust_cert_describe(&c, trust_set_anchor_at(was, i));
		if (strncasecmp(c.sha256, sha256, strlen(sha256)) == 0)
			++*removed;
		else
			err = trust_set_anchor(now, trust_set_anchor_at(was, i));
	}
	if (err)
		mem_unref(now);
	else
		*sp = now;
	return err;
}

static void remove_one(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	const char *sha256 = NULL;
	unsigned n = 0;
	if (!a->prm.trust) {
		admin_call_absent(call, "TLS");
		return;
	}
	int err = admin_need_str(args, "sha256", &sha256, &why);
	if (!err && strlen(sha256) < 8)
		err = EINVAL;
	struct trust_set *was = trust_keeper_get(a->prm.trust), *now = NULL;
	if (!err)
		err = without(&now, was, sha256, &n);
	if (err) {
		admin_call_errno(call, err, &why);
	} else if (n != 1) {
		admin_call_not_found(call, "one authority with the fingerprint", sha256, admin_words(ADMIN_HINT_AUTHORITIES));
	} else {
		swap(a, now);
		admin_call_did(call, "%s", sha256);
		admin_call_ok(call, json_pack("{s:s}", "removed", sha256));
	}
	mem_unref(now);
	mem_unref(was);
}

const struct admin_cmd admin_trust_cmds[] = { { "trust.list", list }, { "trust.add", add }, { "trust.remove", remove_one }, { NULL, NULL } };

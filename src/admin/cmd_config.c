/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_config.c  config.reload: the node's own file again. config.apply stands in cmd_apply.c. */
#include <errno.h>
#include "admin/admin_private.h"
#include "base/mem.h"
#include "trust/identity.h"

/* ---- config.reload ---- */

/* Identities that show another certificate than before. */
static json_t *shown_json(const struct trust_set *was, const struct trust_set *now)
{
	json_t *all = json_array();
	for (unsigned i = 0; now && i < trust_set_count(now); i++) {
		const struct trust_identity *id = trust_set_at(now, i), *old = trust_set_find(was, trust_identity_name(id));
		const char *sha256 = trust_identity_fingerprint(id), *old_sha256 = old ? trust_identity_fingerprint(old) : "";
		if (strcmp(sha256, old_sha256) != 0)
			json_array_append_new(all, json_pack("{s:s, s:o, s:s, s:s}", "identity", trust_identity_name(id), "cn", admin_json_text(text_of(trust_identity_cn(id))),
			                                     "sha256", sha256, "was_sha256", old_sha256));
	}
	return all;
}

static bool believes(const struct trust_set *s, const X509 *x)
{
	for (unsigned i = 0; i < trust_set_anchors(s); i++)
		if (X509_cmp(trust_set_anchor_at(s, i), x) == 0)
			return true;
	return false;
}

static int authorities_more(const struct trust_set *now, const struct trust_set *was)
{
	int n = 0;
	for (unsigned i = 0; now && i < trust_set_anchors(now); i++)
		n += !believes(was, trust_set_anchor_at(now, i));
	return n;
}

static void reloaded(const struct admin_reloaded *r, void *arg)
{
	struct admin_call *call = arg;
	bool placed = r->err && r->errors->n;
	if (r->err && !placed) {
		admin_call_errno(call, r->err, r->why);
	} else {
		if (!r->err)
			admin_call_did(call, "%s", r->path);
		admin_call_ok(call, json_pack("{s:b, s:s, s:o, s:o, s:o, s:i, s:i, s:i}", "good", !r->err, "path", r->path, "errors", admin_errors_json(r->errors), "changes",
		                              admin_changes_json(r->changes), "identities", r->err ? json_array() : shown_json(r->was, r->now), "authorities_added",
		                              r->err ? 0 : authorities_more(r->now, r->was), "authorities_removed", r->err || !r->now ? 0 : authorities_more(r->was, r->now),
		                              "more", (int)r->errors->more));
	}
	mem_unref(call);
}

static void reload(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	(void)args;
	int err = a->prm.reload ? a->prm.reload(reloaded, mem_ref(call), a->prm.arg) : ENOTSUP;
	if (!err)
		return;
	admin_call_errno(call, err, NULL);
	if (a->prm.reload)
		mem_unref(call);
}

const struct admin_cmd admin_config_cmds[] = { { "config.apply", admin_apply_run }, { "config.reload", reload }, { NULL, NULL } };

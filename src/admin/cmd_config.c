/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_config.c  config.apply, config.reload: a new configuration, as a text that the caller read, as the objects were before (undo), or the node's
 * own file again. What an apply would change is told by the same code that takes it: dry_run only leaves out the last step. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "directory/dir.h"
#include "net/pool.h"
#include "trust/identity.h"

static void answer_errors(struct admin_call *call, struct cfg_errors *errors)
{
	struct ev_report r = { 0 };
	struct buf b;
	buf_init(&b, 8192);
	cfg_errors_print(errors, &b);
	ev_set(&r, EV_ADMIN_CONFIG_BAD);
	ev_int(&r, "count", (int64_t)(errors->n + errors->more));
	ev_str(&r, "errors", b.p ? buf_cstr(&b) : "");
	admin_call_fail(call, &r);
	buf_free(&b);
}

struct applying {
	struct link link; /* admin's applies */
	struct admin *a; /* NULL once it is gone */
	struct admin_call *call; /* a reference */
	json_t *args; /* a reference: path and text are its */
	const char *path, *yaml;
	bool objects, dry_run;
	struct cfg *base; /* in use when it was asked; NULL: none */
	struct cfg *cfg;
	struct cfg_changes changes; /* against base */
	struct cfg_errors errors;
	char *before; /* undo: as the objects were */
	int64_t revision; /* ... and which that was */
	char place[48];
};

static void over(struct applying *x)
{
	if (x->a)
		list_remove(&x->link);
	cfg_errors_free(&x->errors);
	cfg_changes_free(&x->changes);
	mem_free(x->before);
	cfg_unref(x->base);
	cfg_unref(x->cfg);
	json_decref(x->args);
	mem_unref(x->call);
	mem_free(x);
}

static json_t *changes_json(const struct cfg_changes *changes)
{
	static const char *const kinds[] = { [CFG_ADDED] = "added", [CFG_REMOVED] = "removed", [CFG_CHANGED] = "changed" };
	json_t *all = json_array();
	for (size_t i = 0; i < changes->n; i++)
		json_array_append_new(all, json_pack("{s:o, s:s, s:b}", "key", admin_json_text(text_of(changes->v[i].key)), "kind", kinds[changes->v[i].kind], "restart",
		                                     changes->v[i].restart));
	return all;
}

static void answer_applied(struct applying *x)
{
	const struct cfg *c = x->cfg;
	json_t *o = json_pack("{s:s, s:i, s:i, s:i, s:b, s:o}", "applied", c->path, "gateways", (int)c->n_gateways, "mailboxes", (int)c->n_mailboxes, "attendants",
	                      (int)c->n_attendants, "dry_run", x->dry_run, "changes", changes_json(&x->changes));
	if (x->before)
		json_object_set_new(o, "undone_to", json_integer(x->revision));
	admin_call_ok(x->call, o);
}

static void applied(int err, const struct ev_report *why, void *arg)
{
	struct applying *x = arg;
	if (err) {
		admin_call_errno(x->call, err, why);
	} else {
		admin_call_did(x->call, "%s", x->cfg->path);
		answer_applied(x);
	}
	over(x);
}

/* Against what is in use, as a whole. */
static int compare(struct applying *x)
{
	struct cfg *whole = NULL;
	int err = 0;
	if (!x->base)
		return 0;
	if (x->objects)
		err = cfg_merge(&whole, x->base, x->cfg, &x->errors);
	else
		whole = cfg_ref(x->cfg);
	if (!err)
		err = cfg_diff(x->base, whole, &x->changes);
	cfg_unref(whole);
	return err;
}

static int parse(void *arg)
{
	struct applying *x = arg;
	int err = cfg_parse(&x->cfg, x->path, text_of(x->yaml), x->objects ? CFG_WANT_OBJECTS : CFG_WANT_NODE, &x->errors);
	return err ? err : compare(x);
}

static void parsed(enum pool_result result, int err, void *arg)
{
	struct applying *x = arg;
	struct admin *a = x->a;
	if (result == POOL_CANCELLED || !a)
		err = ECANCELED;
	if (!err && x->dry_run) {
		answer_applied(x);
		over(x);
		return;
	}
	if (!err)
		err = a->prm.apply ? a->prm.apply(x->cfg, x->objects, applied, x, a->prm.arg) : ENOTSUP;
	if (!err)
		return;
	if (err == EINVAL && (x->errors.n || x->errors.more))
		answer_errors(x->call, &x->errors);
	else
		admin_call_errno(x->call, err, NULL);
	over(x);
}

/* Thousands of mailboxes take a tenth of a second to read: not on the loop. */
static void begin_parsing(struct applying *x)
{
	struct pool *pool = x->a->prm.crypto;
	int err = pool ? pool_submit(pool, parse, parsed, x) : 0;
	if (err) {
		admin_call_errno(x->call, err, NULL);
		over(x);
	} else if (!pool) { /* tests */
		err = parse(x);
		parsed(err ? POOL_FAILED : POOL_DONE, err, x);
	}
}

static int read_before(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct applying *x = arg;
	mem_free(x->before); /* of a try that was rolled back */
	x->before = NULL;
	return dir_revision_before(tx, &x->revision, &x->before, why);
}

static void before_read(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct applying *x = arg;
	(void)result;
	if (!err && !x->a)
		err = ECANCELED;
	if (err) {
		if (err == ENOENT)
			admin_call_not_found(x->call, "revision", "before", admin_words(ADMIN_HINT_NO_REVISION));
		else
			admin_call_errno(x->call, err, why);
		over(x);
		return;
	}
	text_print(x->place, sizeof x->place, "revision %lld", (long long)x->revision);
	x->path = x->place;
	x->yaml = x->before;
	begin_parsing(x);
}

static void undo(struct applying *x)
{
	int err = x->a->prm.store ? store_submit(x->a->prm.store, STORE_READ, read_before, before_read, x) : ENOTSUP;
	if (!err)
		return;
	admin_call_errno(x->call, err, NULL);
	over(x);
}

static void apply(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	const char *yaml = "", *path = admin_arg_str(args, "path");
	bool back = admin_arg_bool(args, "undo");
	if (!back && admin_need_str(args, "yaml", &yaml, &why) != 0) {
		admin_call_fail(call, &why);
		return;
	}
	struct applying *x = mem_zalloc(1, sizeof *x);
	if (!x) {
		admin_call_errno(call, ENOMEM, NULL);
		return;
	}
	*x = (struct applying){ .a = a, .call = mem_ref(call), .args = json_incref((json_t *)(uintptr_t)args), .path = path ? path : "(given)", .yaml = yaml,
		                .objects = back || !admin_arg_bool(args, "whole"), .dry_run = admin_arg_bool(args, "dry_run"), };
	const struct cfg *base = x->objects && a->objects ? a->objects : a->cfg;
	x->base = base ? cfg_ref(base) : NULL;
	list_append(&a->applies, &x->link);
	if (back)
		undo(x);
	else
		begin_parsing(x);
}

/* What is being read comes back later and finds nobody. */
void admin_applies_stop(struct admin *a)
{
	LIST_FOREACH(&a->applies, it) {
		LIST_ENTRY(it, struct applying, link)->a = NULL;
		list_remove(it);
	}
}

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
		                              changes_json(r->changes), "identities", r->err ? json_array() : shown_json(r->was, r->now), "authorities_added",
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

const struct admin_cmd admin_config_cmds[] = { { "config.apply", apply }, { "config.reload", reload }, { NULL, NULL } };

/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_apply.c  config.apply: a new configuration, as a text that the caller read, or as the objects were before (undo).
 *
 *   store: the newest revision -> pool: parse, and compare with it -> dry_run: that is all
 *         -> taken into use, where nodes share a store by all or none (directory/proposal.h) -> wait until all serve it -> answer
 *
 * What an apply would change is told by the same code that takes it.                                                    */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "directory/proposal.h"
#include "jobs/registry.h"
#include "net/pool.h"
#include "net/tmr.h"

enum { LOOK_MS = 200, SERVED_MS = 10000, WITHIN_MAX_MS = 60000 }; /* all other changes wait for its end */

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
	bool objects, dry_run, undo, leave_behind, have_newest;
	struct cfg *base; /* what it is compared with: in use here when it was asked, with the objects of the newest revision; NULL: none */
	struct cfg *cfg;
	struct cfg_changes changes; /* against base */
	struct cfg_errors errors;
	char *before; /* undo: as the objects were */
	int64_t back_to; /* ... and which revision that was */
	struct dir_newest newest; /* of the store; the text is ours */
	char place[48];
	/* once it is in force */
	int64_t revision; /* 0: not one for all nodes */
	struct dir_answer *answers; /* of those who said no, or nothing */
	size_t n_answers;
	uint64_t within_ms;
	int64_t until_ms;
	struct tmr tmr;
	json_t *nodes; /* what became of it on each */
	bool everywhere;
};

static void over(struct applying *x)
{
	if (x->a)
		list_remove(&x->link);
	tmr_cancel(&x->tmr);
	mem_free(x->answers);
	mem_free(x->newest.objects);
	json_decref(x->nodes);
	cfg_errors_free(&x->errors);
	cfg_changes_free(&x->changes);
	mem_free(x->before);
	cfg_unref(x->base);
	cfg_unref(x->cfg);
	json_decref(x->args);
	mem_unref(x->call);
	mem_free(x);
}

json_t *admin_changes_json(const struct cfg_changes *changes)
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
	                      (int)c->n_attendants, "dry_run", x->dry_run, "changes", admin_changes_json(&x->changes));
	if (x->before)
		json_object_set_new(o, "undone_to", json_integer(x->back_to));
	if (x->newest.number)
		json_object_set_new(o, "compared_with", json_integer(x->newest.number));
	if (x->revision) {
		json_object_set_new(o, "revision", json_integer(x->revision));
		json_object_set_new(o, "everywhere", json_boolean(x->everywhere));
		json_object_set(o, "nodes", x->nodes);
	}
	admin_call_ok(x->call, o);
}

/* ---- who serves it ---- */

static void look_again(void *arg);

static const struct dir_answer *not_agreed(const struct applying *x, const char *node)
{
	for (size_t i = 0; i < x->n_answers; i++)
		if (strcmp(x->answers[i].node, node) == 0)
			return &x->answers[i];
	return NULL;
}

/* True: nobody needs to be waited for. */
static bool node_state_json(struct applying *x, const struct registry_node *n)
{
	bool serves = n->revision >= x->revision, behind = false;
	const struct dir_answer *silent_or_no = not_agreed(x, n->name);
	const char *state = serves ? "serves" : !n->alive ? "silent" : silent_or_no ? "left-behind" : "lags";
	if (strncmp(n->state, "stop", 4) == 0)
		return true; /* it reads the newest revision when it starts */
	behind = n->alive && !serves;
	x->everywhere = x->everywhere && !behind;
	json_array_append_new(x->nodes, json_pack("{s:s, s:s, s:I, s:s}", "node", n->name, "state", state, "revision", (json_int_t)n->revision, "finding",
	                                          silent_or_no && !serves ? silent_or_no->finding : ""));
	return !behind || silent_or_no;
}

static void nodes_h(int err, const struct registry_node *nodes, size_t n, void *arg)
{
	struct applying *x = arg;
	bool all = !err;
	if (x->a && !err) {
		json_array_clear(x->nodes);
		x->everywhere = true;
		for (size_t i = 0; i < n; i++)
			all = node_state_json(x, &nodes[i]) && all;
	}
	if (x->a && !all && !admin_call_left(x->call) && clock_mono_ms(x->a->prm.clock) < x->until_ms) {
		tmr_start(x->a->prm.loop, &x->tmr, LOOK_MS, look_again, x);
		return;
	}
	answer_applied(x);
	over(x);
}

static void look_again(void *arg)
{
	struct applying *x = arg;
	int err = x->a->prm.registry ? registry_list_always(x->a->prm.registry, nodes_h, x) : ENOTSUP;
	if (!err)
		return;
	answer_applied(x);
	over(x);
}

static void keep_answers(struct applying *x, const struct admin_applied *r)
{
	x->answers = r->n ? mem_zalloc(r->n, sizeof *x->answers) : NULL;
	for (size_t i = 0; x->answers && i < r->n; i++)
		if (r->answers[i].says == DIR_SAYS_NO || r->answers[i].says == DIR_SAYS_NOTHING)
			x->answers[x->n_answers++] = r->answers[i];
}

static void applied(const struct admin_applied *r, void *arg)
{
	struct applying *x = arg;
	if (r->err || !x->a) {
		admin_call_errno(x->call, r->err ? r->err : ECANCELED, r->why);
		over(x);
		return;
	}
	admin_call_did(x->call, "%s", x->cfg->path);
	x->revision = r->revision;
	if (!x->revision) {
		answer_applied(x);
		over(x);
		return;
	}
	keep_answers(x, r);
	x->nodes = json_array();
	x->until_ms = clock_mono_ms(x->a->prm.clock) + (int64_t)(x->within_ms ? x->within_ms : SERVED_MS);
	look_again(x);
}

static bool left(void *arg)
{
	const struct applying *x = arg;
	return !x->a || admin_call_left(x->call);
}

/* ---- what it would change ---- */

/* Another node may have made a revision that is not in use here yet. What this node cannot take into use is compared without its own part; what
 * this release cannot read is left to the nodes' own events. */
static int base_of_store(struct applying *x)
{
	struct cfg_errors errors = { 0 };
	struct cfg *stored = NULL, *whole = NULL;
	if (!x->objects || !x->newest.objects || !x->newest.objects[0] || (x->base->source && strcmp(x->base->source, x->newest.objects) == 0))
		return 0;
	int err = cfg_parse(&stored, "store", text_of(x->newest.objects), CFG_WANT_OBJECTS, &errors);
	if (!err)
		err = cfg_merge(&whole, x->base, stored, &errors);
	if (stored && err == EINVAL)
		whole = cfg_ref(stored);
	if (whole) {
		cfg_unref(x->base);
		x->base = whole;
	}
	cfg_unref(stored);
	cfg_errors_free(&errors);
	return err == ENOMEM ? err : 0;
}

/* Against what is in use, as a whole. */
static int compare(struct applying *x)
{
	struct cfg *whole = NULL;
	if (!x->base)
		return 0;
	int err = base_of_store(x);
	if (err)
		return err;
	if (x->objects && x->base->has_node)
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
		err = a->prm.apply ? a->prm.apply(x->cfg, &(struct admin_apply){ .objects = x->objects, .leave_behind = x->leave_behind, .within_ms = x->within_ms, .left = left,
		                                  .based_on = x->have_newest ? x->newest.number : -1 }, applied, x, a->prm.arg) : ENOTSUP;
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

static int read_store(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct applying *x = arg;
	mem_free(x->before); /* of a try that was rolled back */
	mem_free(x->newest.objects);
	x->before = x->newest.objects = NULL;
	int err = dir_revision_newest(tx, &x->newest, true, why);
	return err || !x->undo ? err : dir_revision_before(tx, &x->back_to, &x->before, why);
}

static void store_read(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	struct applying *x = arg;
	(void)result;
	if (!x->a)
		err = ECANCELED;
	bool alone = !x->undo && x->a && !x->a->prm.revision; /* then the store is not what counts: ours is in use at once, and written when it is back */
	if (err && !alone) {
		if (err == ENOENT)
			admin_call_not_found(x->call, "revision", "before", admin_words(ADMIN_HINT_NO_REVISION));
		else
			admin_call_errno(x->call, err, why);
		over(x);
		return;
	}
	x->have_newest = !err;
	if (x->undo) {
		text_print(x->place, sizeof x->place, "revision %lld", (long long)x->back_to);
		x->path = x->place;
		x->yaml = x->before;
	}
	begin_parsing(x);
}

static void ask_store(struct applying *x)
{
	int err = x->a->prm.store ? store_submit(x->a->prm.store, STORE_READ, read_store, store_read, x) : ENOTSUP;
	if (!err)
		return;
	if (!x->undo && !x->a->prm.revision) {
		begin_parsing(x);
		return;
	}
	admin_call_errno(x->call, err, NULL);
	over(x);
}

void admin_apply_run(struct admin_call *call, const json_t *args, void *arg)
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
		                .objects = back || !admin_arg_bool(args, "whole"), .dry_run = admin_arg_bool(args, "dry_run"), .undo = back,
		                .leave_behind = admin_arg_bool(args, "leave_behind") };
	json_int_t within_ms = json_integer_value(json_object_get(args, "within_ms"));
	x->within_ms = within_ms <= 0 ? 0 : within_ms < WITHIN_MAX_MS ? (uint64_t)within_ms : WITHIN_MAX_MS;
	const struct cfg *base = x->objects && a->objects ? a->objects : a->cfg;
	x->base = base ? cfg_ref(base) : NULL;
	list_append(&a->applies, &x->link);
	ask_store(x);
}

/* What is being read comes back later and finds nobody. */
void admin_applies_stop(struct admin *a)
{
	LIST_FOREACH(&a->applies, it) {
		struct applying *x = LIST_ENTRY(it, struct applying, link);
		bool waits = tmr_active(&x->tmr);
		x->a = NULL;
		list_remove(it);
		if (waits)
			over(x);
	}
}

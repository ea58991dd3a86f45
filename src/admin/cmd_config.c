/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_config.c  config.apply, config.reload: a new configuration, as a text that the caller read, or the node's own file again. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin_events.h"
#include "base/mem.h"

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
	struct admin_call *call; /* a reference */
	struct cfg *cfg;
};

static void applied(int err, const struct ev_report *why, void *arg)
{
	struct applying *x = arg;
	const struct cfg *c = x->cfg;
	if (err) {
		admin_call_errno(x->call, err, why);
	} else {
		admin_call_did(x->call, "%s", c->path);
		admin_call_ok(x->call, json_pack("{s:s, s:i, s:i, s:i}", "applied", c->path, "gateways", (int)c->n_gateways, "mailboxes", (int)c->n_mailboxes,
		                                 "attendants", (int)c->n_attendants));
	}
	cfg_unref(x->cfg);
	mem_unref(x->call);
	mem_free(x);
}

/* Parsing a configuration takes milliseconds; it is done by hand and seldom, so it may be done here. Files are read elsewhere. */
static void take(struct admin *a, struct admin_call *call, const char *path, struct text yaml, bool objects)
{
	struct cfg_errors errors = { 0 };
	struct applying *x = mem_zalloc(1, sizeof *x);
	int err = x ? cfg_parse(&x->cfg, path, yaml, objects ? CFG_WANT_OBJECTS : CFG_WANT_NODE, &errors) : ENOMEM;
	if (err == EINVAL) {
		answer_errors(call, &errors);
	} else if (!err) {
		x->call = mem_ref(call);
		err = a->prm.apply ? a->prm.apply(x->cfg, objects, applied, x, a->prm.arg) : ENOTSUP;
	}
	cfg_errors_free(&errors);
	if (!err)
		return;
	if (err != EINVAL)
		admin_call_errno(call, err, NULL);
	if (x) {
		cfg_unref(x->cfg);
		mem_unref(x->call);
	}
	mem_free(x);
}

static void apply(struct admin_call *call, const json_t *args, void *arg)
{
	struct ev_report why = { 0 };
	const char *yaml, *path = admin_arg_str(args, "path");
	if (admin_need_str(args, "yaml", &yaml, &why) != 0) {
		admin_call_fail(call, &why);
		return;
	}
	take(arg, call, path ? path : "(given)", text_of(yaml), !admin_arg_bool(args, "whole"));
}

const struct admin_cmd admin_config_cmds[] = { { "config.apply", apply }, { NULL, NULL } };

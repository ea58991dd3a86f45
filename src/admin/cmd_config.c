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

/* Parsing a configuration takes milliseconds; it is done by hand and seldom, so it may be done here. */
static void take(struct admin *a, struct admin_call *call, const char *path, struct text yaml, bool objects)
{
	struct cfg_errors errors = { 0 };
	struct ev_report why = { 0 };
	struct cfg *cfg = NULL;
	int err = cfg_parse(&cfg, path, yaml, objects ? CFG_WANT_OBJECTS : CFG_WANT_NODE, &errors);
	if (err == EINVAL)
		answer_errors(call, &errors);
	else if (!err)
		err = a->prm.apply ? a->prm.apply(cfg, objects, &why, a->prm.arg) : ENOTSUP;
	if (err && err != EINVAL)
		admin_call_errno(call, err, &why);
	else if (err && cfg)
		admin_call_errno(call, err, &why);
	if (!err) {
		admin_call_did(call, "%s", path);
		admin_call_ok(call, json_pack("{s:s, s:i, s:i, s:i}", "applied", path, "gateways", (int)cfg->n_gateways, "mailboxes", (int)cfg->n_mailboxes,
		                              "attendants", (int)cfg->n_attendants));
	}
	if (cfg)
		cfg_unref(cfg);
	cfg_errors_free(&errors);
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

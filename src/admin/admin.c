/* SPDX-License-Identifier: Apache-2.0 */
/* admin.c  Puts the tables of commands on the socket. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "base/mem.h"
#include "cert/post.h"

static const struct admin_cmd *const tables[] = {
	admin_node_cmds,      admin_gateway_cmds,   admin_event_cmds, admin_log_cmds,  admin_call_cmds,  admin_mailbox_cmds, admin_message_cmds, admin_choice_cmds, admin_prompt_cmds,
	admin_attendant_cmds, admin_config_cmds,    admin_cert_cmds,  admin_cure_cmds, admin_install_cmds, admin_matrix_cmds, admin_trust_cmds,
	admin_answering_cmds, admin_object_cmds,
	admin_story_cmds,     admin_trace_cmds,     admin_watch_cmds,     admin_look_cmds, admin_report_cmds,
};

void admin_call_absent(struct admin_call *call, const char *what)
{
	struct ev_report r = { 0 };
	char line[160];
	text_print(line, sizeof line, "this process has no %s", what);
	ev_set(&r, EV_ADMIN_NOT_NOW);
	ev_str(&r, "command", admin_call_cmd(call));
	ev_str(&r, "error", line);
	ev_str(&r, "hint", admin_words(ADMIN_HINT_MAYBE_STARTING));
	admin_call_fail(call, &r);
}

void admin_call_why(struct admin_call *call, int err, const struct ev_report *why)
{
	admin_call_errno(call, err, why);
}

json_t *admin_json_of_buf(struct buf *b)
{
	struct text t = buf_as_text(b);
	return buf_error(b) ? NULL : json_loadb(t.p ? t.p : "{}", t.p ? t.n : 2, 0, NULL);
}

json_t *admin_json_text(struct text t)
{
	char line[4096];
	return json_string(text_escape(t, line, sizeof line));
}

static void keep(struct cfg **at, const struct cfg *cfg)
{
	struct cfg *was = *at;
	*at = cfg_ref(cfg);
	if (was)
		cfg_unref(was);
}

void admin_config(struct admin *a, const struct cfg *cfg)
{
	keep(&a->objects, cfg);
	if (cfg->has_node)
		keep(&a->cfg, cfg);
	if (cfg->has_node && !a->renew)
		(void)admin_renew_start(a);
	if (cfg->has_node && !a->post)
		(void)admin_post_start(a); /* without it each node is told by itself */
	if (cfg->has_node && a->post)
		(void)cert_post_nodes(a->post, cfg);
}

int admin_create(struct admin **ap, const struct admin_prm *prm, struct ev_report *why)
{
	struct admin *a = mem_zalloc(1, sizeof *a);
	if (!a)
		return ENOMEM;
	a->prm = *prm;
	admin_follow_init(a);
	list_init(&a->errands);
	list_init(&a->tours);
	list_init(&a->sendings);
	list_init(&a->watches);
	list_init(&a->matrices);
	list_init(&a->looks);
	list_init(&a->edits);
	list_init(&a->applies);
	list_init(&a->listings);
	struct admin_server_prm sp = { .loop = prm->loop, .bus = prm->bus, .path = prm->socket, .group = prm->group };
	int err = admin_server_create(&a->server, &sp, why);
	for (unsigned i = 0; !err && i < sizeof tables / sizeof *tables; i++)
		err = admin_server_add(a->server, tables[i], a);
	if (err) {
		admin_destroy(a);
		return err;
	}
	struct ev_report r = { 0 };
	ev_set(&r, EV_ADMIN_LISTENING);
	ev_str(&r, "path", prm->socket);
	ev_emit(prm->bus, &r);
	*ap = a;
	return 0;
}

void admin_destroy(struct admin *a)
{
	if (!a)
		return;
	admin_renew_stop(a);
	admin_post_stop(a);
	admin_follow_stop(a);
	admin_trace_stop(a);
	admin_watch_stop(a);
	admin_matrix_stop(a);
	admin_look_stop(a);
	admin_edits_stop(a);
	admin_applies_stop(a);
	admin_lists_stop(a);
	admin_server_destroy(a->server);
	if (a->cfg)
		cfg_unref(a->cfg);
	if (a->objects)
		cfg_unref(a->objects);
	mem_free(a);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_look.c  cert.look: somebody is dialled once with our certificate, for a matrix that does not know his. */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "base/mem.h"
#include "cert/look.h"

enum { LOOKS_MAX = 32 };

struct looking {
	struct link link; /* of the admin */
	struct admin *admin;
	struct admin_call *call;
	struct cert_look *look;
	struct sip_peer *peer;
};

static void looking_free(struct looking *x)
{
	list_remove(&x->link);
	mem_unref(x->call);
	mem_unref(x->peer);
	mem_free(x);
}

static void looked_h(const struct cert_look_result *res, void *arg)
{
	struct looking *x = arg;
	json_t *o = cert_look_json(res, x->peer);
	if (o)
		admin_call_ok(x->call, o);
	else
		admin_call_errno(x->call, ENOMEM, NULL);
	looking_free(x);
}

/* A gateway by its own rule and the identity that it is shown; else a node, by its name. */
static int find_peer(struct looking *x, const json_t *args, struct ev_report *why)
{
	const char *gateway = admin_arg_str(args, "gateway"), *host = NULL;
	struct gateway *g = gateway && x->admin->prm.gateways ? gw_find(x->admin->prm.gateways, gateway) : NULL;
	int64_t port = admin_arg_int(args, "port", 5061);
	if (gateway) {
		x->peer = g && cfg_may_speak_tls(gw_cfg(g)->transport) ? mem_ref(gw_peer(g)) : NULL;
		return x->peer ? 0 : ENOENT;
	}
	int err = admin_need_str(args, "host", &host, why);
	return err ? err : port < 1 || port > 65535 ? EINVAL : cert_look_peer(&x->peer, host, (uint16_t)port);
}

static void look(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	if (!a->prm.trust || !a->prm.crypto) {
		admin_call_absent(call, "TLS");
		return;
	}
	struct looking *x = list_count(&a->looks) < LOOKS_MAX ? mem_zalloc(1, sizeof *x) : NULL;
	if (!x) {
		admin_call_errno(call, EAGAIN, NULL);
		return;
	}
	x->admin = a;
	x->call = mem_ref(call);
	list_append(&a->looks, &x->link);
	int err = find_peer(x, args, &why);
	struct trust_set *set = trust_keeper_get(a->prm.trust);
	struct cert_look_prm prm = { .loop = a->prm.loop, .dns = a->prm.dns, .crypto = a->prm.crypto, .clock = a->prm.clock, .set = set, .peer = x->peer };
	if (!err)
		err = cert_look_start(&x->look, &prm, looked_h, x);
	mem_unref(set);
	if (!err)
		return;
	if (err == ENOENT)
		admin_call_not_found(call, "gateway", admin_arg_str(args, "gateway"), admin_words(ADMIN_HINT_GATEWAYS));
	else
		admin_call_errno(call, err, &why);
	looking_free(x);
}

void admin_look_stop(struct admin *a)
{
	while (!list_empty(&a->looks)) {
		struct looking *x = LIST_ENTRY(a->looks.head.next, struct looking, link);
		cert_look_cancel(x->look);
		looking_free(x);
	}
}

const struct admin_cmd admin_look_cmds[] = { { "cert.look", look }, { NULL, NULL } };

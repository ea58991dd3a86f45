/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_matrix.c  cert.matrix: the model of the matrix from what runs here: the identities in use, the certificates that gateways showed, the names
 * by which they dialled us.                                                                                             */
#include <errno.h>
#include "admin/admin_private.h"
#include "admin_events.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "cert/matrix.h"
#include "cert/matrix_json.h"
#include "trust/identity.h"
#include "trust/pem.h"

/* ---- this node ---- */

static int take_identities(struct matrix_node *n, const struct trust_set *set)
{
	int err = 0;
	for (unsigned i = 0; !err && i < trust_set_count(set); i++) {
		const struct trust_identity *id = trust_set_at(set, i);
		struct matrix_cert *c = NULL;
		if (strchr(trust_identity_name(id), '+'))
			continue; /* being rehearsed */
		err = matrix_cert_from(&c, trust_identity_x509(id), trust_identity_chain(id), *trust_identity_cert_file(id) ? trust_identity_cert_file(id) : "in use");
		if (!err)
			err = matrix_node_shows(n, trust_identity_name(id), c);
		mem_unref(c);
	}
	return err;
}

static int take_anchors(struct matrix_model *m, const struct trust_set *set)
{
	struct buf pem;
	int err = 0;
	buf_init(&pem, 8 << 20);
	for (unsigned i = 0; !err && i < trust_set_anchors(set); i++)
		err = trust_pem_put_cert(&pem, trust_set_anchor_at(set, i));
	const char *all = err ? NULL : buf_cstr(&pem);
	m->anchors_pem = all ? mem_strdup(all) : NULL;
	buf_free(&pem);
	return err ? err : m->anchors_pem ? 0 : ENOMEM;
}

/* ---- what was seen of the gateways ---- */

static void take_seen(struct matrix_theirs *t, const struct trust_facts *f, int64_t at_us)
{
	char when[RFC3339_SIZE];
	if (!f || !f->theirs.shown || !*f->theirs.sha256)
		return;
	*t = (struct matrix_theirs){ .known = true, .facts = f->theirs, .judged = f->tls.verify_done, .refused = f->tls.verify_done && f->tls.verify_code != 0 };
	if (f->name.judged && f->name.reason && f->tls.verify_code == X509_V_ERR_HOSTNAME_MISMATCH)
		t->refused = false; /* its chain was good: the name is judged anew */
	text_fill(t->why, sizeof t->why, f->tls.verify_words);
	text_print(t->from, sizeof t->from, "seen %s", rfc3339_s(at_us / 1000000, when));
}

static void take_gateway(struct matrix_gateway *g, struct gateway *live)
{
	static const enum gw_flow_kind ours[] = { GW_OPTIONS, GW_TRANSFER, GW_LAMP };
	struct gw_member_info member;
	const struct gw_flow_state *in = gw_flow_state(live, GW_CALLS_IN);
	for (size_t i = 0; i < sizeof ours / sizeof *ours && !g->as_server.known; i++)
		take_seen(&g->as_server, &gw_flow_state(live, ours[i])->facts, gw_flow_state(live, ours[i])->at_us);
	for (unsigned i = 0; i < gw_members(live) && !g->as_server.known; i++) {
		gw_member(live, i, &member);
		take_seen(&g->as_server, member.facts, member.probed_us);
	}
	take_seen(&g->as_client, &in->facts, in->at_us);
	if (in->facts.role == TRUST_ACCEPTED && *in->facts.tls.sni)
		trust_names_add_str(&g->dials, in->facts.tls.sni);
}

static int build(struct admin *a, struct matrix_model *m)
{
	struct matrix_node *n = NULL;
	struct trust_set *set = trust_keeper_get(a->prm.trust);
	int err = matrix_take_self(m, a->cfg, &n);
	if (!err)
		err = take_identities(n, set);
	if (!err)
		err = take_anchors(m, set);
	if (!err)
		err = matrix_take_gateways(m, a->objects ? a->objects : a->cfg);
	mem_unref(set);
	for (unsigned i = 0; !err && a->prm.gateways && i < m->n_gateways; i++) {
		struct gateway *live = gw_find(a->prm.gateways, m->gateways[i].name);
		if (live)
			take_gateway(&m->gateways[i], live);
	}
	return err ? err : matrix_take_strangers(m);
}

static void answer(struct admin_call *call, const struct matrix_model *m)
{
	struct matrix *x = NULL;
	int err = matrix_run(&x, m);
	if (err)
		admin_call_errno(call, err, NULL);
	else
		admin_call_ok(call, matrix_json(x));
	matrix_free(x);
}

static void matrix(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	struct ev_report why = { 0 };
	struct matrix_model *m = NULL;
	if (!a->prm.trust || !a->cfg || !a->cfg->has_node) {
		admin_call_absent(call, "TLS");
		return;
	}
	int err = matrix_model_create(&m, clock_real_s(a->prm.clock));
	if (!err)
		err = build(a, m);
	if (!err)
		err = matrix_json_apply(m, args, &why);
	if (err)
		admin_call_errno(call, err, &why);
	else
		answer(call, m);
	matrix_model_free(m);
}

const struct admin_cmd admin_matrix_cmds[] = { { "cert.matrix", matrix }, { NULL, NULL } };

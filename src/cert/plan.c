/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c  Gateways sorted by the CN that they insist on; those that insist on none go with the first. */
#include "cert/plan.h"
#include "base/mem.h"
#include "cert_events.h"
#include "trust/explain.h"

/* A trusted application pool is known by the pool's name, shared by its nodes, however the nodes are called. */
static bool knows_pools(const struct trust_judges_us *j)
{
	return strcmp(j->profile, "sfb-trusted-application") == 0;
}

/* Of a trusted application pool it is not known whether names besides the CN count, so its CN is made right. */
static bool insists(const struct trust_judges_us *j)
{
	return j->configured && (j->rule == TRUST_RULE_CN_ONLY || knows_pools(j));
}

static const char *first_but(const struct trust_names *known, const char *not_this)
{
	for (unsigned i = 0; i < known->n; i++)
		if (!text_eq_nocase(text_of(trust_names_at(known, i)), text_of(not_this)))
			return trust_names_at(known, i);
	return "";
}

char *cert_plan_wanted_cn(const struct trust_judges_us *j, const char *fqdn, const char *service, char *dst, size_t size)
{
	const char *us = fqdn ? fqdn : "", *all = service ? service : "";
	text_fill(dst, size, "");
	if (!insists(j))
		return dst;
	if (knows_pools(j))
		text_fill(dst, size, *all && (!j->known.n || trust_names_has(&j->known, all)) ? all : first_but(&j->known, us));
	else if (j->known.n)
		trust_wanted_cn(j, us, all, dst, size);
	else
		text_fill(dst, size, us);
	return dst;
}

static void add_once(struct trust_names *l, const char *name)
{
	if (name && *name && !trust_names_has(l, name))
		trust_names_add_str(l, name);
}

/* A gateway that looks at all names knows us by one of its list: ours if it stands there, else the first. */
static void add_known(struct cert_names *n, const struct cert_gateway *g)
{
	const struct trust_judges_us *j = &g->judges;
	if (!j->configured || !j->known.n || insists(j))
		return;
	for (unsigned i = 0; i < j->known.n; i++)
		if (trust_names_has(&n->dns, trust_names_at(&j->known, i)))
			return;
	add_once(&n->dns, trust_names_at(&j->known, 0));
}

static struct cert_plan_one *group_of(struct cert_plan *p, const char *cn)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->one[i].cn_wanted && text_eq_nocase(text_of(p->one[i].names.cn), text_of(cn)))
			return &p->one[i];
	if (p->n == CERT_PLAN_MAX) {
		p->cut = true;
		return NULL;
	}
	struct cert_plan_one *o = &p->one[p->n++];
	text_fill(o->names.cn, sizeof o->names.cn, cn);
	o->cn_wanted = true;
	return o;
}

static void join(struct cert_plan_one *o, unsigned gateway)
{
	if (o->n_gateways < CERT_PLAN_GATEWAYS)
		o->gateway[o->n_gateways++] = gateway;
}

static void name_it(struct cert_plan_one *o, unsigned i, const struct cert_plan_prm *prm)
{
	o->is_new = i > 0;
	if (!o->is_new)
		text_fill(o->identity, sizeof o->identity, prm->identity && *prm->identity ? prm->identity : "default");
	else
		text_print(o->identity, sizeof o->identity, "for-%s", prm->gateways[o->gateway[0]].name);
}

void cert_plan_make(struct cert_plan *p, const struct cert_plan_prm *prm)
{
	char cn[TRUST_NAME_SIZE];
	*p = (struct cert_plan){ 0 };
	for (unsigned i = 0; i < prm->n_gateways; i++) {
		cert_plan_wanted_cn(&prm->gateways[i].judges, prm->fqdn, prm->service, cn, sizeof cn);
		struct cert_plan_one *o = *cn ? group_of(p, cn) : NULL;
		if (o)
			join(o, i);
	}
	if (!p->n) {
		text_fill(p->one[0].names.cn, sizeof p->one[0].names.cn, prm->fqdn);
		p->n = 1;
	}
	for (unsigned i = 0; i < prm->n_gateways; i++)
		if (!*cert_plan_wanted_cn(&prm->gateways[i].judges, prm->fqdn, prm->service, cn, sizeof cn))
			join(&p->one[0], i);
	for (unsigned i = 0; i < p->n; i++) {
		struct cert_plan_one *o = &p->one[i];
		add_once(&o->names.dns, o->names.cn);
		add_once(&o->names.dns, prm->fqdn);
		add_once(&o->names.dns, prm->service);
		for (unsigned k = 0; k < o->n_gateways; k++)
			add_known(&o->names, &prm->gateways[o->gateway[k]]);
		name_it(o, i, prm);
	}
}

int cert_plan_lines(const struct cert_plan *p, const struct cert_plan_prm *prm, const char *data_dir, struct buf *out)
{
	if (p->n < 2)
		return buf_error(out);
	for (unsigned i = 1; i < p->n; i++)
		buf_printf(out, "    umbel cert request --gateway %s --identity %s --out %s.csr\n    umbel cert install --identity %s %s.pem\n",
			   prm->gateways[p->one[i].gateway[0]].name, p->one[i].identity, p->one[i].identity, p->one[i].identity, p->one[i].identity);
	buf_str(out, "Then add to the configuration, and reload:\n    node:\n      identities:\n");
	for (unsigned i = 1; i < p->n; i++)
		buf_printf(out, "        - name: %s\n          cert: %s/tls/%s.pem\n          key: %s/tls/%s.pem\n", p->one[i].identity, data_dir, p->one[i].identity,
			   data_dir, p->one[i].identity);
	buf_str(out, "    gateways:\n");
	for (unsigned i = 1; i < p->n; i++)
		for (unsigned k = 0; k < p->one[i].n_gateways; k++)
			buf_printf(out, "      - name: %s\n        identity: %s\n", prm->gateways[p->one[i].gateway[k]].name, p->one[i].identity);
	return buf_error(out);
}

/* ---- what is to be done elsewhere ---- */

static const char *usage_words(enum cert_usage u)
{
	return u == CERT_USAGE_SERVER ? "serverAuth" : u == CERT_USAGE_CLIENT ? "clientAuth" : "both usages, serverAuth and clientAuth";
}

void cert_todo_at_ca(const struct cert_names *names, enum cert_usage usage, const char *csr_file, const char *answer_file, cert_todo_h *each, void *arg)
{
	static const uint16_t steps[] = { EV_CERT_TODO_CA, EV_CERT_TODO_ADCS };
	char all[512];
	struct ev_report *r = mem_alloc(sizeof *r);
	for (unsigned i = 0; r && i < sizeof steps / sizeof *steps; i++) {
		ev_set(r, steps[i]);
		ev_str(r, "file", csr_file);
		ev_str(r, "answer", answer_file);
		ev_str(r, "cn", names->cn);
		ev_str(r, "names", trust_names_join(&names->dns, all, sizeof all));
		ev_str(r, "usages", usage_words(usage));
		each(r, arg);
	}
	mem_free(r);
}

void cert_todo_at_gateway(const struct cert_gateway *g, const struct cert_names *names, const char *fqdn, cert_todo_h *each, void *arg)
{
	static const uint16_t pool[] = { EV_CERT_TODO_APP_POOL, EV_CERT_TODO_FRONT_END, 0 }, server[] = { EV_CERT_TODO_UM_DIAL_PLAN, EV_CERT_TODO_EXCHUCUTIL,
												      EV_CERT_TODO_FRONT_END, 0 };
	static const uint16_t listed[] = { EV_CERT_TODO_KNOWN_NAME, 0 }, nothing[] = { 0 };
	const struct trust_judges_us *j = &g->judges;
	bool known = !j->known.n || trust_names_has(&j->known, names->cn);
	bool microsoft = strcmp(j->profile, "cn-known-servers") == 0 || strcmp(j->profile, "lync") == 0 || strcmp(j->profile, "exchange-um") == 0 ||
			 strcmp(j->profile, "ocs") == 0;
	const uint16_t *steps = !j->configured ? nothing : knows_pools(j) ? pool : microsoft ? server : known ? nothing : listed;
	struct ev_report *r = mem_alloc(sizeof *r);
	for (; r && *steps; steps++) {
		ev_set(r, *steps);
		ev_str(r, "gateway", g->name);
		ev_str(r, "cn", names->cn);
		ev_str(r, "fqdn", fqdn);
		each(r, arg);
	}
	mem_free(r);
}

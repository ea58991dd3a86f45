/* SPDX-License-Identifier: Apache-2.0 */
/* siblings.c  Each difference is told once, against the first node that has it otherwise. */
#include "node/siblings.h"
#include <errno.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "cert/matrix.h"
#include "jobs/registry.h"
#include "jobs_events.h"
#include "node_events.h"

enum { SKEW_S = 2, ENDS_DAYS = 14, DAY_S = 86400 };

struct comparison {
	const struct registry_node *v;
	size_t n;
	int64_t now_s;
	struct matrix_model *model;
	const struct matrix_cert *cert[MATRIX_NODES]; /* the default one of each; NULL: not known. The model's */
	struct ev_report r;
	node_finding_h *h;
	void *arg;
};

static void begin(struct comparison *c, uint16_t id, size_t node)
{
	ev_set(&c->r, id);
	ev_str(&c->r, "node", c->v[node].name);
}

static void tell(struct comparison *c)
{
	c->h(&c->r, c->arg);
}

static bool counts(const struct registry_node *n)
{
	return n->alive;
}

static void silence(struct comparison *c, size_t i)
{
	const struct registry_node *x = &c->v[i];
	if (x->alive || strcmp(x->state, "stopped") == 0)
		return;
	ev_set(&c->r, EV_NODE_SILENT);
	ev_str(&c->r, "other", x->name);
	ev_int(&c->r, "ago_ms", x->ago_us / 1000);
	tell(c);
}

static void clock_of(struct comparison *c, size_t i)
{
	int64_t skew_s = c->v[i].skew_us / 1000000;
	if (skew_s < SKEW_S && skew_s > -SKEW_S)
		return;
	begin(c, EV_NODE_CLOCK_WRONG, i);
	ev_int(&c->r, "seconds", skew_s);
	tell(c);
}

/* Against the node that came first. */
static void release(struct comparison *c, size_t i, size_t first)
{
	if (strcmp(c->v[i].version, c->v[first].version) == 0)
		return;
	begin(c, EV_NODE_VERSIONS_DIFFER, i);
	ev_str(&c->r, "version", c->v[i].version);
	ev_str(&c->r, "other", c->v[first].name);
	ev_str(&c->r, "other_version", c->v[first].version);
	tell(c);
}

static void objects(struct comparison *c, size_t i, size_t first)
{
	const struct registry_node *a = &c->v[i], *b = &c->v[first];
	if (!a->objects[0] || !b->objects[0] || strcmp(a->objects, b->objects) == 0)
		return;
	begin(c, EV_NODE_OBJECTS_DIFFER, i);
	ev_int(&c->r, "revision", a->revision);
	ev_str(&c->r, "other", b->name);
	ev_int(&c->r, "other_revision", b->revision);
	tell(c);
}

/* ---- certificates ---- */

static bool names(const struct trust_cert *t, const char *fqdn)
{
	char san[TRUST_NAME_SIZE + 8];
	if (strcasecmp(t->cn, fqdn) == 0)
		return true;
	text_print(san, sizeof san, "DNS:%s", fqdn);
	for (unsigned i = 0; i < t->sans.n; i++)
		if (strcasecmp(trust_names_at(&t->sans, i), san) == 0)
			return true;
	return false;
}

static void certificate(struct comparison *c, size_t i)
{
	const struct trust_cert *t = c->cert[i] ? &c->cert[i]->facts : NULL;
	if (!t)
		return;
	int64_t days = (t->not_after_s - c->now_s) / DAY_S;
	if (c->v[i].fqdn[0] && !names(t, c->v[i].fqdn)) {
		begin(c, EV_NODE_CERT_OTHER_NAME, i);
		ev_str(&c->r, "cn", t->cn);
		ev_str(&c->r, "fqdn", c->v[i].fqdn);
		tell(c);
	}
	if (t->not_after_s <= c->now_s || days < ENDS_DAYS) {
		begin(c, EV_NODE_CERT_ENDS, i);
		ev_str(&c->r, "cn", t->cn);
		ev_int(&c->r, "days", days);
		tell(c);
	}
	for (size_t k = 0; k < i; k++)
		if (c->cert[k] && counts(&c->v[k]) && strcmp(c->cert[k]->facts.sha256, t->sha256) == 0) {
			begin(c, EV_NODE_CERT_SHARED, i);
			ev_str(&c->r, "other", c->v[k].name);
			ev_str(&c->r, "cn", t->cn);
			tell(c);
			return;
		}
}

/* A card that cannot be read tells nothing; only the lack of memory is an error. */
static int read_cards(struct comparison *c)
{
	struct matrix_node *m;
	int err = matrix_model_create(&c->model, c->now_s);
	for (size_t i = 0; !err && i < c->n; i++)
		if (matrix_take_card(c->model, c->v[i].name, c->v[i].fqdn, c->v[i].card, &m) == ENOMEM)
			err = ENOMEM;
	for (size_t i = 0; !err && i < c->n; i++) {
		m = matrix_find_node(c->model, c->v[i].name);
		c->cert[i] = m && m->n_shown ? m->shown[0].cert : NULL;
	}
	return err;
}

int node_compare(const struct registry_node *nodes, size_t n, int64_t now_s, node_finding_h *h, void *arg)
{
	struct comparison *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return ENOMEM;
	*c = (struct comparison){ .v = nodes, .n = n < MATRIX_NODES ? n : MATRIX_NODES, .now_s = now_s, .h = h, .arg = arg };
	int err = read_cards(c);
	size_t first = 0;
	while (first < c->n && !counts(&c->v[first]))
		first++;
	for (size_t i = 0; !err && i < c->n; i++) {
		silence(c, i);
		if (!counts(&c->v[i]))
			continue;
		clock_of(c, i);
		release(c, i, first);
		objects(c, i, first);
		certificate(c, i);
	}
	matrix_model_free(c->model);
	mem_free(c);
	return err;
}

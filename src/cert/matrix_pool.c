/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_pool.c  The page, in the order of reading: each node, the common name, each gateway. */
#include "cert/matrix_pool.h"
#include <arpa/inet.h>
#include <errno.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "cert/matrix_private.h"
#include "net/addr.h"

enum { DAY_S = 86400, SOON_DAYS = 30, AHEAD_MS = 2000, GRAIN_S = 5 };

enum check {
#define CHECK(id, name, title, good, bad, fix) CHECK_##id,
#include "cert/matrix_pool.def"
#undef CHECK
};
static const struct {
	const char *name, *title, *good, *bad, *fix;
} rows[] = {
#define CHECK(id, name, title, good, bad, fix) { name, title, good, bad, fix },
#include "cert/matrix_pool.def"
#undef CHECK
};

const char *matrix_state_name(enum matrix_state s)
{
	static const char *const names[] = { "good", "unknown", "questionable", "bad" };
	return names[s];
}

/* One page being written: `r` holds the fields of the next line. */
struct pen {
	struct matrix_pool *p;
	const struct matrix_model *m;
	struct matrix_scratch *s;
	struct ev_report *r;
	const char *about;
	int err;
};

static void render(const char *pattern, const struct ev_report *r, char *dst, size_t size)
{
	struct buf b;
	buf_init(&b, 65536);
	const char *s = ev_render(pattern, r, &b) == 0 ? buf_cstr(&b) : NULL;
	text_fill(dst, size, s ? s : pattern);
	buf_free(&b);
}

static struct matrix_check *line(struct pen *w, enum check check, enum matrix_state state)
{
	struct matrix_pool *p = w->p;
	if (p->n == p->room) {
		unsigned room = p->room ? p->room * 2 : 32;
		struct matrix_check *more = w->err ? NULL : mem_realloc(p->checks, room * sizeof *more);
		if (!more) {
			w->err = ENOMEM;
			return NULL;
		}
		p->checks = more;
		p->room = room;
	}
	struct matrix_check *c = &p->checks[p->n++];
	*c = (struct matrix_check){ .state = state };
	text_fill(c->name, sizeof c->name, rows[check].name);
	text_fill(c->about, sizeof c->about, w->about);
	render(rows[check].title, w->r, c->title, sizeof c->title);
	p->bad |= state == MATRIX_BAD;
	return c;
}

static void put(struct pen *w, enum check check, enum matrix_state state)
{
	struct matrix_check *c = line(w, check, state);
	bool good = state == MATRIX_GOOD;
	if (!c)
		return;
	render(good ? rows[check].good : rows[check].bad, w->r, c->found, sizeof c->found);
	if (!good)
		render(rows[check].fix, w->r, c->fix, sizeof c->fix);
}

static void put_unknown(struct pen *w, enum check check, const char *why)
{
	struct matrix_check *c = line(w, check, MATRIX_NOT_KNOWN);
	if (c)
		text_fill(c->found, sizeof c->found, why);
}

/* ---- addresses ---- */

/* "192.0.2.1" of the ith listener; false for one that listens everywhere. */
static bool address_of(const struct matrix_node *n, unsigned i, char *dst)
{
	struct net_addr a;
	const char *words = trust_names_at(&n->addresses, i);
	if (!words || net_addr_parse_port(&a, text_of(words), 5061) || net_addr_is_any(&a))
		return false;
	net_addr_print_host(&a, dst);
	return true;
}

static bool listens_at(const struct matrix_node *n, const char *host)
{
	char address[NET_ADDR_SIZE];
	for (unsigned i = 0; i < n->addresses.n; i++)
		if (!address_of(n, i, address) || strcmp(address, host) == 0)
			return true;
	return false;
}

static uint16_t port_of(const struct matrix_node *n)
{
	struct net_addr a;
	const char *words = trust_names_at(&n->addresses, 0);
	return words && net_addr_parse_port(&a, text_of(words), 5061) == 0 ? net_addr_port(&a) : 5061;
}

static void fields(struct pen *w, const struct matrix_node *n, const struct matrix_gateway *g)
{
	matrix_fields(w->r, w->m, n, g);
}

/* ---- a node's life and names ---- */

static void node_alive(struct pen *w, const struct matrix_node *n)
{
	fields(w, n, NULL);
	if (n->self || !n->has_beat)
		return;
	ev_int(w->r, "ago", n->beat_ago_ms > 0 ? n->beat_ago_ms / 1000 : 0);
	put(w, CHECK_ALIVE, n->down ? MATRIX_BAD : MATRIX_GOOD);
	ev_int(w->r, "ahead", -n->beat_ago_ms / 1000);
	ev_int(w->r, "grain", GRAIN_S);
	if (!n->down)
		put(w, CHECK_CLOCK, n->beat_ago_ms < -AHEAD_MS ? MATRIX_BAD : MATRIX_GOOD);
}

static void node_dns(struct pen *w, const struct matrix_node *n)
{
	const struct matrix_dns *d = *n->fqdn ? matrix_find_dns(w->m, n->fqdn, "A") : NULL;
	char found[512];
	fields(w, n, NULL);
	ev_str(w->r, "name", n->fqdn);
	if (!*n->fqdn)
		return;
	if (!d) {
		put_unknown(w, CHECK_NAME_DNS, "DNS was not asked");
		return;
	}
	bool good = d->values.n > 0, others = false, known;
	for (unsigned i = 0; i < d->values.n; i++)
		good &= !n->addresses.n || listens_at(n, trust_names_at(&d->values, i));
	others = matrix_leads_to(w->m, n->fqdn, &known) & ~(UINT64_C(1) << (n - w->m->nodes));
	ev_str(w->r, "found", d->values.n ? trust_names_join(&d->values, found, sizeof found) : d->outcome);
	/* An address of nobody's may be a translated one. */
	put(w, CHECK_NAME_DNS, good && !others ? MATRIX_GOOD : !d->values.n || others ? MATRIX_BAD : MATRIX_QUESTIONABLE);
}

static void node_ptr(struct pen *w, const struct matrix_node *n)
{
	const struct matrix_dns *names = matrix_find_dns(w->m, n->fqdn, "A");
	char found[512], reverse[NET_ADDR_SIZE];
	for (unsigned i = 0; names && i < names->values.n; i++) {
		const char *address = trust_names_at(&names->values, i);
		const struct matrix_dns *d = matrix_find_dns(w->m, address, "PTR");
		uint8_t b[4];
		fields(w, n, NULL);
		if (!d || !listens_at(n, address))
			continue;
		if (inet_pton(AF_INET, address, b) == 1)
			text_print(reverse, sizeof reverse, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
		else
			text_fill(reverse, sizeof reverse, address);
		ev_str(w->r, "name", n->fqdn);
		ev_str(w->r, "address", address);
		ev_str(w->r, "reverse", reverse);
		ev_str(w->r, "found", d->values.n ? trust_names_join(&d->values, found, sizeof found) : d->outcome);
		put(w, CHECK_ADDRESS_DNS, trust_names_has(&d->values, n->fqdn) ? MATRIX_GOOD : MATRIX_QUESTIONABLE);
	}
}

/* ---- its certificates ---- */

static bool names_it(const struct trust_cert *c, const char *name)
{
	static const char *const kind = "DNS:";
	for (unsigned i = 0; i < c->sans.n; i++) {
		const char *san = trust_names_at(&c->sans, i);
		if (strncmp(san, kind, 4) == 0 && matrix_same_name(san + 4, name))
			return true;
	}
	return !c->has_san && matrix_same_name(c->cn, name);
}

/* "a, b and c" of its DNS names; other kinds keep theirs before them. */
static void say_names(struct ev_report *r, const struct trust_cert *c)
{
	struct trust_names l = { 0 };
	char list[512];
	for (unsigned i = 0; i < c->sans.n; i++) {
		const char *san = trust_names_at(&c->sans, i);
		trust_names_add_str(&l, strncmp(san, "DNS:", 4) == 0 ? san + 4 : san);
	}
	ev_str(r, "names", trust_names_join(&l, list, sizeof list));
}

static void say_cert(struct pen *w, const struct matrix_node *n, const struct matrix_gateway *g, const struct matrix_shown *s)
{
	const struct trust_cert *c = &s->cert->facts;
	char at[RFC3339_SIZE];
	fields(w, n, g);
	ev_str(w->r, "identity", s->identity);
	ev_str(w->r, "cn", *c->cn ? c->cn : "none");
	say_names(w->r, c);
	ev_str(w->r, "not_after", rfc3339_s(c->not_after_s, at));
}

static void cert_dates(struct pen *w, const struct trust_cert *c)
{
	char found[160], at[RFC3339_SIZE];
	int64_t left_s = c->not_after_s - w->m->now_s;
	bool early = w->m->now_s < c->not_before_s;
	if (early)
		text_print(found, sizeof found, "begins only at %s", rfc3339_s(c->not_before_s, at));
	else if (left_s < 0)
		text_print(found, sizeof found, "ended at %s", rfc3339_s(c->not_after_s, at));
	else
		text_print(found, sizeof found, "ends at %s, in %lld days", rfc3339_s(c->not_after_s, at), (long long)(left_s / DAY_S));
	ev_str(w->r, "found", found);
	ev_int(w->r, "days", left_s / DAY_S);
	put(w, CHECK_CERT_DATES, early || left_s < 0 ? MATRIX_BAD : left_s < SOON_DAYS * DAY_S ? MATRIX_QUESTIONABLE : MATRIX_GOOD);
}

static void cert_usages(struct pen *w, const struct trust_cert *c)
{
	bool listed = c->eku & TRUST_EKU_PRESENT, server = !listed || c->eku & TRUST_EKU_SERVER, client = !listed || c->eku & TRUST_EKU_CLIENT;
	ev_str(w->r, "usage", !server && !client ? "serverAuth and clientAuth" : server ? "clientAuth" : "serverAuth");
	put(w, CHECK_CERT_USAGES, server && client ? MATRIX_GOOD : MATRIX_BAD);
}

static void cert_chain(struct pen *w, const struct matrix_cert *c)
{
	bool proven = false;
	char why[512];
	int err = matrix_cert_proven(c, w->m->anchors_pem, w->m->now_s, &proven, why, sizeof why);
	if (err == ENOMEM) {
		w->err = ENOMEM;
	} else if (err) {
		put_unknown(w, CHECK_CERT_CHAIN, "the authorities of this node cannot be read");
	} else {
		ev_str(w->r, "error", why);
		put(w, CHECK_CERT_CHAIN, proven ? MATRIX_GOOD : MATRIX_BAD);
	}
}

static const struct matrix_shown *shown_for(const struct matrix_node *n, const char *sni)
{
	const struct matrix_cert *c = NULL;
	static const struct matrix_gateway any = { .tls = true };
	if (*sni)
		c = matrix_shown_to_caller(n, &any, sni);
	for (unsigned i = 0; c && i < n->n_shown; i++)
		if (n->shown[i].cert == c)
			return &n->shown[i];
	return &n->shown[0];
}

static void node_sni(struct pen *w, const struct matrix_node *n)
{
	const char *wanted = *n->fqdn ? n->fqdn : n->service;
	const struct matrix_shown *s = shown_for(n, n->fqdn);
	if (*n->fqdn) {
		say_cert(w, n, NULL, s);
		ev_str(w->r, "name", n->fqdn);
		put(w, CHECK_SNI_OWN, names_it(&s->cert->facts, n->fqdn) ? MATRIX_GOOD : MATRIX_BAD);
	}
	if (*n->service && !matrix_same_name(n->service, n->fqdn)) {
		s = shown_for(n, n->service);
		say_cert(w, n, NULL, s);
		ev_str(w->r, "name", n->service);
		/* Whether anybody dials it so is said by the gateways' lines. */
		put(w, CHECK_SNI_SERVICE, names_it(&s->cert->facts, n->service) ? MATRIX_GOOD : MATRIX_QUESTIONABLE);
	}
	if (*wanted) {
		s = shown_for(n, "");
		say_cert(w, n, NULL, s);
		ev_str(w->r, "wanted", wanted);
		put(w, CHECK_SNI_NONE, names_it(&s->cert->facts, wanted) ? MATRIX_GOOD : MATRIX_QUESTIONABLE);
	}
}

static void node_certs(struct pen *w, const struct matrix_node *n)
{
	for (unsigned i = 0; i < n->n_shown; i++) {
		const struct matrix_shown *s = &n->shown[i];
		const struct trust_cert *c = &s->cert->facts;
		if (i == 0 && *n->fqdn) {
			say_cert(w, n, NULL, s);
			ev_str(w->r, "name", n->fqdn);
			put(w, CHECK_CERT_NAME, names_it(c, n->fqdn) ? MATRIX_GOOD : MATRIX_BAD);
		}
		say_cert(w, n, NULL, s);
		cert_dates(w, c);
		cert_usages(w, c);
		if (w->m->anchors_pem && *w->m->anchors_pem)
			cert_chain(w, s->cert);
	}
}

/* ---- a node at a gateway ---- */

/* Our client certificate, by its rule. */
static void node_shows(struct pen *w, const struct matrix_node *n, const struct matrix_gateway *g)
{
	static const enum matrix_state states[] = { [MATRIX_NONE] = MATRIX_GOOD, [MATRIX_ACCEPTS] = MATRIX_GOOD, [MATRIX_UNKNOWN] = MATRIX_NOT_KNOWN,
		                                    [MATRIX_REFUSES] = MATRIX_BAD };
	const struct matrix_cert *c = matrix_shown_by_us(n, g);
	struct matrix_opinion *o = &w->s->opinion[0];
	struct trust_judges_us judges;
	char wanted[TRUST_NAME_SIZE];
	fields(w, n, g);
	if (!c)
		return;
	matrix_they_judge(g, TRUST_SEAT_CLIENT_CERT, c, NULL, w->m->now_s, w->s, o);
	if (o->says == MATRIX_UNKNOWN) {
		put_unknown(w, CHECK_SHOWN, o->sentence);
		return;
	}
	matrix_judges_us(g, &judges);
	ev_str(w->r, "cn", c->facts.cn);
	ev_str(w->r, "sentence", o->sentence);
	ev_str(w->r, "wanted", trust_wanted_cn(&judges, n->fqdn, n->service, wanted, sizeof wanted));
	put(w, CHECK_SHOWN, states[o->says]);
}

static void node_at_gateway(struct pen *w, const struct matrix_node *n, const struct matrix_gateway *g)
{
	const struct matrix_finder *f = matrix_finder(g);
	const char *name = matrix_dialled(g, n, NULL);
	const struct matrix_cert *c = matrix_shown_to_caller(n, g, name);
	if (!g->tls)
		return;
	node_shows(w, n, g);
	fields(w, n, g);
	ev_str(w->r, "name", f && f->finds == MATRIX_FINDS_NODES ? n->fqdn : name);
	if (g->known.n && f)
		put(w, CHECK_KNOWN, trust_names_has(&g->known, f->finds == MATRIX_FINDS_NODES ? n->fqdn : name) ? MATRIX_GOOD : MATRIX_BAD);
	else if (g->known.n)
		put(w, CHECK_KNOWN, trust_names_has(&g->known, n->fqdn) || trust_names_has(&g->known, n->service) ? MATRIX_GOOD : MATRIX_QUESTIONABLE);
	else if (g->asks_certificate)
		put_unknown(w, CHECK_KNOWN, "the names by which it knows us are not configured (judges_us: known_names)");
	if (!c || !*name)
		return;
	ev_str(w->r, "name", name);
	ev_str(w->r, "cn", c->facts.cn);
	say_names(w->r, &c->facts);
	put(w, CHECK_DIALLED, names_it(&c->facts, name) || matrix_same_name(c->facts.cn, name) ? MATRIX_GOOD : MATRIX_BAD);
}

static void node(struct pen *w, const struct matrix_node *n)
{
	w->about = n->name;
	node_alive(w, n);
	fields(w, n, NULL);
	put(w, CHECK_CONTACT, *n->fqdn ? MATRIX_GOOD : MATRIX_BAD);
	node_dns(w, n);
	node_ptr(w, n);
	if (n->n_shown) {
		node_certs(w, n);
		node_sni(w, n);
	} else {
		put_unknown(w, CHECK_CERT_NAME, *n->why ? n->why : "which certificates it shows is not known here");
	}
	for (unsigned i = 0; i < w->m->n_gateways; i++)
		node_at_gateway(w, n, &w->m->gateways[i]);
}

/* ---- the common name ---- */

static void service_a(struct pen *w, const char *service, const struct matrix_dns *d)
{
	char found[512], missing[512] = "", records[1024] = "", address[NET_ADDR_SIZE];
	struct trust_names strays = { 0 };
	fields(w, NULL, NULL);
	for (unsigned i = 0; i < w->m->n_nodes; i++) {
		const struct matrix_node *n = &w->m->nodes[i];
		bool there = false;
		for (unsigned k = 0; k < n->addresses.n && !there; k++)
			there = !address_of(n, k, address) || trust_names_has(&d->values, address);
		if (there || !n->addresses.n || !address_of(n, 0, address))
			continue;
		size_t at = strlen(missing), to = strlen(records);
		text_print(missing + at, sizeof missing - at, "%s%s", at ? ", " : "", n->name);
		text_print(records + to, sizeof records - to, "%s%s A %s", to ? "; " : "", service, address);
	}
	for (unsigned i = 0; i < d->values.n; i++) {
		bool known = false;
		for (unsigned k = 0; k < w->m->n_nodes; k++)
			known |= !w->m->nodes[k].addresses.n || listens_at(&w->m->nodes[k], trust_names_at(&d->values, i));
		if (!known)
			trust_names_add_str(&strays, trust_names_at(&d->values, i));
	}
	ev_str(w->r, "name", service);
	ev_str(w->r, "found", d->values.n ? trust_names_join(&d->values, found, sizeof found) : d->outcome);
	ev_printf(w->r, "missing", "%s is missing", missing);
	ev_str(w->r, "records", records);
	put(w, CHECK_SERVICE_DNS, *missing ? MATRIX_BAD : MATRIX_GOOD);
	ev_str(w->r, "found", trust_names_join(&strays, found, sizeof found));
	put(w, CHECK_SERVICE_STRAY, strays.n ? MATRIX_QUESTIONABLE : MATRIX_GOOD);
}

/* "10 50 5061 node01.domain.local" is the node's, at the port where it listens. */
static bool srv_is(const char *record, const struct matrix_node *n)
{
	struct text rest = text_of(record), word, port = TEXT_NONE;
	uint32_t number;
	for (int i = 0; i < 3; i++)
		text_cut(rest, ' ', &port, &rest);
	word = rest;
	char target[TRUST_NAME_SIZE];
	return text_copy(word, target, sizeof target) == 0 && matrix_same_name(target, n->fqdn) && text_u32(port, 65535, &number) == 0 && number == port_of(n);
}

static void service_srv(struct pen *w, const char *service, const struct matrix_dns *d)
{
	char records[1024] = "", found[512];
	bool missing = false;
	fields(w, NULL, NULL);
	for (unsigned i = 0; i < w->m->n_nodes && d->values.n; i++) {
		const struct matrix_node *n = &w->m->nodes[i];
		bool there = false;
		for (unsigned k = 0; k < d->values.n; k++)
			there |= srv_is(trust_names_at(&d->values, k), n);
		size_t to = strlen(records);
		if (!there && *n->fqdn) {
			missing = true;
			text_print(records + to, sizeof records - to, "%s_sips._tcp.%s SRV 10 50 %u %s", to ? "; " : "", service, port_of(n), n->fqdn);
		}
	}
	trust_names_join(&d->values, found, sizeof found);
	ev_str(w->r, "found", d->values.n ? found : "none, and none is needed where peers dial a port");
	ev_str(w->r, "records", records);
	put(w, CHECK_SERVICE_SRV, missing ? MATRIX_BAD : MATRIX_GOOD);
}

static void services(struct pen *w)
{
	for (unsigned i = 0; i < w->m->n_nodes; i++) {
		const char *service = w->m->nodes[i].service;
		bool seen = !*service;
		char srv[TRUST_NAME_SIZE + 16];
		for (unsigned k = 0; k < i; k++)
			seen |= matrix_same_name(w->m->nodes[k].service, service);
		if (seen)
			continue;
		w->about = service;
		const struct matrix_dns *a = matrix_find_dns(w->m, service, "A");
		text_print(srv, sizeof srv, "_sips._tcp.%s", service);
		const struct matrix_dns *s = matrix_find_dns(w->m, srv, "SRV");
		fields(w, NULL, NULL);
		if (a)
			service_a(w, service, a);
		else
			put_unknown(w, CHECK_SERVICE_DNS, "DNS was not asked");
		if (s)
			service_srv(w, service, s);
	}
}

/* ---- a gateway ---- */

static void gateway_cert(struct pen *w, const struct matrix_gateway *g, bool dialled)
{
	const struct matrix_theirs *t = dialled ? &g->as_server : &g->as_client;
	enum check check = dialled ? CHECK_GATEWAY_AS_SERVER : CHECK_GATEWAY_AS_CLIENT;
	struct matrix_opinion *o = &w->s->opinion[0];
	fields(w, NULL, g);
	if (!t->known) {
		put_unknown(w, check, "not seen yet");
		return;
	}
	int err = matrix_we_judge(g, dialled, w->m->now_s, w->s, o);
	if (err) {
		w->err = err;
		return;
	}
	fields(w, NULL, g);
	ev_str(w->r, "cn", t->facts.cn);
	ev_str(w->r, "sentence", o->sentence);
	ev_str(w->r, "fix", o->fix);
	put(w, check, o->says == MATRIX_ACCEPTS ? MATRIX_GOOD : MATRIX_BAD);
}

static void gateway_strays(struct pen *w, const struct matrix_gateway *g)
{
	struct trust_names strays = { 0 };
	char found[512];
	for (unsigned i = 0; i < g->known.n; i++) {
		const char *name = trust_names_at(&g->known, i);
		const struct matrix_node *n = matrix_find_node(w->m, name);
		bool common = false;
		for (unsigned k = 0; k < w->m->n_nodes; k++)
			common |= matrix_same_name(w->m->nodes[k].service, name);
		if (!common && (!n || (!n->known && !n->has_beat && !*n->why)))
			trust_names_add_str(&strays, name);
	}
	fields(w, NULL, g);
	ev_str(w->r, "found", trust_names_join(&strays, found, sizeof found));
	if (g->known.n)
		put(w, CHECK_GATEWAY_STRAYS, strays.n ? MATRIX_QUESTIONABLE : MATRIX_GOOD);
}

static void gateway(struct pen *w, const struct matrix_gateway *g)
{
	const struct matrix_dns *d = matrix_find_dns(w->m, g->address, "A");
	char found[512];
	struct net_addr literal;
	w->about = g->name;
	fields(w, NULL, g);
	ev_str(w->r, "name", g->address);
	if (g->any) {
		(void)text_print(found, sizeof found, *g->by ? "%s (%s)" : "%s", *g->transport ? g->transport : "DNS did not say", g->by);
		ev_str(w->r, "found", found);
		if (w->m->dns_asked)
			put(w, CHECK_GATEWAY_TRANSPORT, *g->transport ? MATRIX_GOOD : MATRIX_BAD);
		else
			put_unknown(w, CHECK_GATEWAY_TRANSPORT, "DNS was not asked");
	} else if (d) {
		ev_str(w->r, "found", d->values.n ? trust_names_join(&d->values, found, sizeof found) : d->outcome);
		put(w, CHECK_GATEWAY_DNS, d->values.n ? MATRIX_GOOD : MATRIX_BAD);
	} else if (net_addr_parse(&literal, text_of(g->address), 0) != 0) {
		put_unknown(w, CHECK_GATEWAY_DNS, "DNS was not asked");
	}
	gateway_cert(w, g, true);
	gateway_cert(w, g, false);
	fields(w, NULL, g);
	ev_str(w->r, "profile", g->profile);
	put(w, CHECK_GATEWAY_RULE, strcmp(g->profile, "unknown") == 0 ? MATRIX_QUESTIONABLE : MATRIX_GOOD);
	gateway_strays(w, g);
}

/* ---- the page ---- */

int matrix_pool_make(struct matrix_pool **pp, const struct matrix_model *m)
{
	struct matrix_pool *p = mem_zalloc(1, sizeof *p);
	struct pen w = { .p = p, .m = m, .s = mem_zalloc(1, sizeof *w.s), .r = mem_zalloc(1, sizeof *w.r), .about = "" };
	w.err = p && w.s && w.r ? 0 : ENOMEM;
	for (unsigned i = 0; i < m->n_nodes && !w.err; i++)
		node(&w, &m->nodes[i]);
	if (!w.err)
		services(&w);
	for (unsigned i = 0; i < m->n_gateways && !w.err; i++)
		if (m->gateways[i].tls)
			gateway(&w, &m->gateways[i]);
	mem_free(w.s);
	mem_free(w.r);
	if (w.err) {
		matrix_pool_free(p);
		return w.err;
	}
	*pp = p;
	return 0;
}

void matrix_pool_free(struct matrix_pool *p)
{
	if (!p)
		return;
	mem_free(p->checks);
	mem_free(p);
}

json_t *matrix_pool_json(const struct matrix_pool *p, const struct matrix_model *m)
{
	json_t *o = json_object(), *array = json_array();
	for (unsigned i = 0; i < p->n; i++) {
		const struct matrix_check *c = &p->checks[i];
		json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "about", c->about, "name", c->name, "title", c->title, "state",
		                                       matrix_state_name(c->state), "found", c->found, "fix", c->fix));
	}
	json_object_set_new(o, "good", json_boolean(!p->bad));
	json_object_set_new(o, "now_s", json_integer((json_int_t)m->now_s));
	json_object_set_new(o, "checks", array);
	return o;
}

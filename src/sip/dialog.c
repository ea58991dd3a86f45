/* SPDX-License-Identifier: Apache-2.0 */
/* dialog.c  See dialog.h. */
#include "sip/dialog.h"
#include <errno.h>
#include "base/mem.h"
#include "base/rand.h"

static void routes_clear(struct sip_dialog *d)
{
	mem_free(d->routes);
	d->routes = NULL;
	d->n_routes = 0;
}

static void drop(const char *s, bool own)
{
	if (own)
		mem_free((char *)(uintptr_t)s);
}

void sip_dialog_clear(struct sip_dialog *d)
{
	mem_free(d->names);
	drop(d->remote_tag, d->own_tag);
	drop(d->target, d->own_target);
	routes_clear(d);
	*d = (struct sip_dialog){ 0 };
}

static int set(const char **p, bool *own, struct text t)
{
	char *copy;

	if (*p && text_is(t, *p))
		return 0;
	copy = text_dup(t.p ? t : TEXT(""));
	if (!copy)
		return ENOMEM;
	drop(*p, *own);
	*p = copy;
	*own = true;
	return 0;
}

static int set_tag(struct sip_dialog *d, struct text t)
{
	return set(&d->remote_tag, &d->own_tag, t);
}

static int set_target(struct sip_dialog *d, struct text t)
{
	return set(&d->target, &d->own_target, t);
}

static const char *put(char **at, struct text t)
{
	char *s = *at;

	if (t.n)
		memcpy(s, t.p, t.n);
	s[t.n] = '\0';
	*at = s + t.n + 1;
	return s;
}

/* What a dialog is born with and keeps, in one piece. */
static int set_names(struct sip_dialog *d, struct text call_id, struct text local_uri, struct text remote_uri, struct text local_display)
{
	char *at = d->names = mem_alloc(call_id.n + local_uri.n + remote_uri.n + local_display.n + 4);

	if (!at)
		return ENOMEM;
	d->call_id = put(&at, call_id);
	d->local_uri = put(&at, local_uri);
	d->remote_uri = put(&at, remote_uri);
	d->local_display = text_empty(local_display) ? NULL : put(&at, local_display);
	return 0;
}

static const char *route_at(const struct sip_dialog *d, unsigned i)
{
	const char *s = d->routes;

	while (i--)
		s += strlen(s) + 1;
	return s;
}

/* Record-Route becomes the route set: in order at the callee, in reverse at the caller. */
static int routes_from(struct sip_dialog *d, const struct sip_msg *msg, bool reverse)
{
	struct sip_iter it = sip_iter_of(msg, SIP_HDR_RECORD_ROUTE);
	struct text uri[SIP_ROUTES];
	struct sip_addr a;
	unsigned n = 0;
	size_t bytes = 0;
	char *at;
	int err;

	for (; !(err = sip_iter_addr(&it, &a)); n++) {
		if (n == SIP_ROUTES)
			return EBADMSG;
		uri[n] = a.uri.whole;
		bytes += a.uri.whole.n + 1;
	}
	routes_clear(d);
	if (err != ENOENT || !n)
		return err == ENOENT ? 0 : err;
	at = d->routes = mem_alloc(bytes);
	if (!at)
		return ENOMEM;
	for (; d->n_routes < n; d->n_routes++)
		(void)put(&at, uri[reverse ? n - 1 - d->n_routes : d->n_routes]);
	return 0;
}

int sip_dialog_target(struct sip_dialog *d, const struct sip_msg *msg)
{
	struct sip_addr a;
	int err = sip_msg_contact(msg, &a);

	if (err == ENOENT)
		return 0;
	if (!err && a.uri.scheme != SIP_SCHEME_SIP && a.uri.scheme != SIP_SCHEME_SIPS)
		err = EBADMSG;
	return err ? err : set_target(d, a.uri.whole);
}

int sip_dialog_uas(struct sip_dialog *d, const struct sip_msg *m, enum net_transport transport)
{
	int err;

	*d = (struct sip_dialog){ .transport = transport, .remote_cseq = m->cseq.number, .remote_seen = true };
	rand_token(d->local_tag, 16);
	d->local_cseq = rand_below(1u << 16);
	err = set_names(d, m->call_id, m->to.uri.whole, m->from.uri.whole, TEXT_NONE);
	if (!err)
		err = set_tag(d, m->from_tag);
	if (!err)
		err = sip_dialog_target(d, m);
	/* Before RFC 3261 a Contact was not needed: the caller is found where From says (RFC 2543 6.13). */
	if (!err && !d->target && !m->via.has_magic && m->from.uri.scheme == SIP_SCHEME_SIP)
		err = set_target(d, m->from.uri.whole);
	if (!err && !d->target)
		err = EBADMSG;
	if (!err)
		err = routes_from(d, m, false);
	if (err)
		sip_dialog_clear(d);
	return err;
}

int sip_dialog_uac(struct sip_dialog *d, const char *local_uri, const char *local_display, const char *remote_uri, const char *call_id,
                   enum net_transport transport)
{
	char id[33];
	int err;

	*d = (struct sip_dialog){ .transport = transport };
	rand_token(d->local_tag, 16);
	rand_token(id, 32);
	d->local_cseq = rand_below(1u << 16);
	err = set_names(d, text_of(call_id ? call_id : id), text_of(local_uri), text_of(remote_uri), text_of(local_display));
	if (!err)
		err = set_tag(d, TEXT(""));
	if (!err)
		err = set_target(d, text_of(remote_uri));
	if (err)
		sip_dialog_clear(d);
	return err;
}

void sip_dialog_lend(struct sip_dialog *d, const struct sip_dialog_texts *t)
{
	mem_free(d->names);
	d->names = NULL;
	drop(d->remote_tag, d->own_tag);
	drop(d->target, d->own_target);
	d->own_tag = d->own_target = false;
	d->call_id = t->call_id;
	d->local_uri = t->local_uri;
	d->remote_uri = t->remote_uri;
	d->remote_tag = t->remote_tag;
	d->target = t->target;
}

/* Without what came within it so far. */
int sip_dialog_copy(struct sip_dialog *to, const struct sip_dialog *from)
{
	const char *end = from->n_routes ? route_at(from, from->n_routes) : from->routes;
	int err;

	*to = (struct sip_dialog){ .local_cseq = from->local_cseq, .transport = from->transport, .max_forwards = from->max_forwards };
	text_fill(to->local_tag, sizeof(to->local_tag), from->local_tag);
	err = set_names(to, text_of(from->call_id), text_of(from->local_uri), text_of(from->remote_uri), text_of(from->local_display));
	if (!err)
		err = set_tag(to, text_of(from->remote_tag));
	if (!err)
		err = set_target(to, text_of(from->target));
	if (err || !from->n_routes)
		return err;
	to->routes = mem_alloc((size_t)(end - from->routes));
	if (!to->routes)
		return ENOMEM;
	memcpy(to->routes, from->routes, (size_t)(end - from->routes));
	to->n_routes = from->n_routes;
	return 0;
}

int sip_dialog_answered(struct sip_dialog *d, const struct sip_msg *res)
{
	int err;

	if (!text_is(res->to_tag, d->remote_tag))
		d->remote_seen = false; /* another fork counts for itself */
	err = set_tag(d, res->to_tag);
	if (!err)
		err = routes_from(d, res, true);
	if (!err)
		err = sip_dialog_target(d, res);
	return err;
}

int sip_dialog_anew(struct sip_dialog *d, struct text target)
{
	int err = set_target(d, target);

	routes_clear(d);
	d->remote_seen = false;
	return err ? err : set_tag(d, TEXT(""));
}

bool sip_dialog_matches(const struct sip_dialog *d, const struct sip_msg *req)
{
	return text_is(req->call_id, d->call_id) && text_is(req->to_tag, d->local_tag) && text_is(req->from_tag, d->remote_tag);
}

bool sip_dialog_in_order(struct sip_dialog *d, const struct sip_msg *req)
{
	if (d->remote_seen && req->cseq.number <= d->remote_cseq)
		return false;
	d->remote_seen = true;
	d->remote_cseq = req->cseq.number;
	return true;
}

static bool is_loose(const char *uri)
{
	struct sip_uri u;

	return !sip_uri_parse(&u, text_of(uri), NULL) && sip_uri_is_loose(&u);
}

static void route_put(struct buf *b, const char *uri)
{
	sip_put_printf(b, "Route", "<%s>", uri);
}

/* RFC 3261 12.2.1.1: a strict router's URI goes into the request line, and the target to the end of the routes. */
void sip_dialog_put(const struct sip_dialog *d, struct buf *b, const char *method, uint32_t cseq, const struct sip_via_prm *via)
{
	const char *route = d->routes;
	bool strict = d->n_routes && !is_loose(route);
	struct sip_addr_prm from = { .display = text_of(d->local_display), .uri = text_of(d->local_uri), .tag = text_of(d->local_tag) };
	struct sip_addr_prm to = { .uri = text_of(d->remote_uri), .tag = text_of(d->remote_tag) };

	sip_put_request(b, method, text_of(strict ? route : d->target));
	sip_put_via(b, via);
	sip_put_uint(b, "Max-Forwards", d->max_forwards ? d->max_forwards : SIP_MAX_FORWARDS);
	for (unsigned i = 0; i < d->n_routes; i++, route += strlen(route) + 1)
		if (i || !strict)
			route_put(b, route);
	if (strict)
		route_put(b, d->target);
	sip_put_addr(b, "From", &from);
	sip_put_addr(b, "To", &to);
	sip_put_str(b, "Call-ID", d->call_id);
	sip_put_cseq(b, cseq, method);
}

int sip_hop_of_uri(struct sip_hop *hop, struct text uri, enum net_transport otherwise)
{
	struct sip_uri u;
	struct text value, host;

	if (sip_uri_parse(&u, uri, NULL) || (u.scheme != SIP_SCHEME_SIP && u.scheme != SIP_SCHEME_SIPS))
		return EBADMSG;
	*hop = (struct sip_hop){ .port = u.port, .transport = u.scheme == SIP_SCHEME_SIPS ? NET_TLS : otherwise };
	if (sip_uri_param(&u, "transport", &value) && !sip_transport_to_net(sip_transport_of(value), &hop->transport))
		return EBADMSG;
	if (u.scheme == SIP_SCHEME_SIPS)
		hop->transport = NET_TLS;
	host = sip_uri_param(&u, "maddr", &value) && !text_empty(value) ? value : u.host;
	return text_copy(host, hop->host, sizeof(hop->host)) ? EBADMSG : 0;
}

/* A URI that names no transport is reached as the dialog came: RFC 3263 would ask NAPTR, and guess UDP without it, which a peer that
 * called us over TLS seldom means. */
int sip_dialog_hop(const struct sip_dialog *d, struct sip_hop *hop)
{
	return sip_hop_of_uri(hop, text_of(d->n_routes ? d->routes : d->target), d->transport);
}

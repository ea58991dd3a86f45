/* SPDX-License-Identifier: Apache-2.0 */
/* dns_naptr.c  See dns_naptr.h. */
#include "net/dns_naptr.h"

static bool transport_of(const struct dns_record *r, enum net_transport *transport)
{
	static const struct {
		const char *service;
		enum net_transport transport;
	} known[] = { { "SIPS+D2T", NET_TLS }, { "SIP+D2T", NET_TCP }, { "SIP+D2U", NET_UDP } };

	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
		if (text_is_nocase(text_of(r->service), known[i].service)) {
			*transport = known[i].transport;
			return text_is_nocase(text_of(r->flags), "s") && r->target[0];
		}
	return false;
}

/* By order, then by preference; what came first stays first. */
static bool before(const struct dns_record *a, const struct dns_record *b)
{
	return a->priority != b->priority ? a->priority < b->priority : a->weight < b->weight;
}

unsigned dns_naptr_services(const struct dns_result *res, struct dns_service out[DNS_SERVICES])
{
	bool taken[DNS_RECORDS] = { false };
	unsigned n = 0;

	while (n < DNS_SERVICES) {
		enum net_transport transport = NET_UDP, t;
		const struct dns_record *best = NULL;
		unsigned at = 0;
		for (unsigned i = 0; i < res->n; i++) {
			const struct dns_record *r = &res->rec[i];
			if (taken[i] || !transport_of(r, &t) || (best && !before(r, best)) || (n && out[0].transport == NET_TLS && t != NET_TLS))
				continue;
			best = r;
			transport = t;
			at = i;
		}
		if (!best)
			break;
		taken[at] = true;
		text_fill(out[n].name, sizeof out[n].name, best->target);
		out[n++].transport = transport;
	}
	return n;
}

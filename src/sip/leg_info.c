/* SPDX-License-Identifier: Apache-2.0 */
/* leg_info.c  What an INVITE says of the call, for those who know no header. Who was called before and who is really calling is believed only from
 * peers that the administrator marked for it (RFC 3325 5, RFC 5806 security considerations).                            */
#include <stdio.h>
#include "sip/leg_private.h"

static const char *plain_user(struct leg *leg, struct text user)
{
	char room[256];

	if (sip_unescape(user, room, sizeof(room)))
		return leg_keep(leg, user);
	return leg_keep(leg, text_of(room));
}

/* Where the user is a number, its parameters are none of it: "+1555;phone-context=x@host;user=phone" (RFC 3261 19.1.6). Many forget the user=phone. */
static struct text without_number_params(struct text user)
{
	struct text number, params;

	if (!text_cut(user, ';', &number, &params) || text_empty(number))
		return user;
	for (size_t i = 0; i < number.n; i++)
		if (!strchr("0123456789+*#-.()", number.p[i]) || !number.p[i])
			return user;
	return number;
}

static void party_of_uri(struct leg *leg, struct leg_party *p, const struct sip_uri *u)
{
	p->uri = leg_keep(leg, u->whole);
	p->user = plain_user(leg, without_number_params(u->user));
	p->host = leg_keep(leg, u->host);
	p->display = "";
}

static void party_of(struct leg *leg, struct leg_party *p, const struct sip_addr *a)
{
	char room[256];

	party_of_uri(leg, p, &a->uri);
	if (!text_empty(a->display))
		p->display = leg_keep(leg, text_of(sip_plain_text(a->display, room, sizeof(room))));
}

/* They live with the leg; NULL: there are none, or no memory for them. */
static const struct leg_redirect *redirects_keep(struct leg *leg, const struct leg_redirect *r, unsigned n)
{
	struct leg_redirect *kept = n ? leg_room(leg, n * sizeof(*r)) : NULL;

	if (kept)
		memcpy(kept, r, n * sizeof(*r));
	return kept;
}

static void diversions(struct leg *leg, const struct sip_msg *m)
{
	struct sip_iter it = sip_iter_of(m, SIP_HDR_DIVERSION);
	struct leg_redirect r[LEG_DIVERSIONS];
	struct sip_diversion d;
	struct text item;
	unsigned n = 0;

	while (n < LEG_DIVERSIONS && !sip_iter_next(&it, &item)) {
		if (sip_diversion_parse(&d, item, NULL))
			continue;
		party_of(leg, &r[n].party, &d.addr);
		r[n++].reason = leg_keep(leg, d.reason);
	}
	leg->info.diversion = redirects_keep(leg, r, n);
	leg->info.n_diversions = leg->info.diversion ? (uint8_t)n : 0;
}

static const char *history_reason(struct leg *leg, const struct sip_history *h)
{
	struct sip_reason reason;
	char room[256], words[64];

	if (!sip_history_reason(h, room, sizeof(room), &reason)) {
		(void)text_print(words, sizeof(words), "%.*s;cause=%u", TEXT_FMT(reason.protocol), reason.cause);
		return leg_keep(leg, text_of(words));
	}
	if (!h->has_cause)
		return "";
	(void)text_print(words, sizeof(words), "SIP;cause=%u", h->cause);
	return leg_keep(leg, text_of(words));
}

/* The oldest first, as their indices say, whatever order they stand in. */
static void history(struct leg *leg, const struct sip_msg *m)
{
	struct sip_iter it = sip_iter_of(m, SIP_HDR_HISTORY_INFO);
	struct sip_history h[LEG_HISTORY], one;
	struct sip_history_last last = { 0 };
	struct leg_redirect r[LEG_HISTORY];
	struct text item;
	unsigned n = 0, at;
	bool more = true;

	while (n < LEG_HISTORY && (more = !sip_iter_next(&it, &item))) {
		int err = sip_history_parse(&one, item, NULL);

		sip_history_seen(&last, err, &one);
		if (err)
			continue;
		for (at = n; at > 0 && sip_history_compare(&one, &h[at - 1]) < 0; at--)
			h[at] = h[at - 1];
		h[at] = one;
		n++;
	}
	if (!more && leg->core->now.req == m) { /* our answers need not read it again */
		leg->core->now.history = last;
		leg->core->now.history_read = true;
	}
	for (unsigned i = 0; i < n; i++) {
		party_of(leg, &r[i].party, &h[i].addr);
		r[i].reason = history_reason(leg, &h[i]);
	}
	leg->info.history = redirects_keep(leg, r, n);
	leg->info.n_history = leg->info.history ? (uint8_t)n : 0;
}

static void asserted(struct leg *leg, const struct sip_msg *m)
{
	struct sip_iter it = sip_iter_of(m, SIP_HDR_P_ASSERTED_IDENTITY);
	struct sip_addr a;

	if (!sip_iter_addr(&it, &a) && !a.star)
		party_of(leg, &leg->info.asserted, &a);
}

/* "id", "user" or "header" hide who calls; "session" and "critical" say nothing of that, "none" the contrary. */
static bool hidden(const struct sip_msg *m)
{
	for (const struct sip_hdr *h = sip_msg_hdr(m, SIP_HDR_PRIVACY); h; h = sip_msg_hdr_next(m, h)) {
		struct text rest = h->value, one;
		while (rest.n) {
			if (!text_cut(rest, ';', &one, &rest))
				rest = TEXT_NONE;
			one = text_trim(one);
			if (text_is_nocase(one, "id") || text_is_nocase(one, "user") || text_is_nocase(one, "header"))
				return true;
		}
	}
	return false;
}

void leg_info_replaced(struct leg *leg, const struct sip_msg *m, const struct sip_path *path)
{
	struct leg_info *i = &leg->info;

	i->source = path->peer;
	i->transport = path->transport;
	i->peer = leg->peer;
	i->call_id = leg_keep(leg, m->call_id);
	party_of(leg, &i->from, &m->from);
	i->user_agent = leg_keep(leg, text_head(sip_msg_value(m, SIP_HDR_USER_AGENT), 200));
	i->asserted = (struct leg_party){ "", "", "", "" };
	i->wants_privacy = hidden(m);
	if (i->headers_believed)
		asserted(leg, m);
}

void leg_info_fill(struct leg *leg, const struct sip_msg *m, const struct sip_path *path)
{
	struct leg_info *i = &leg->info;
	struct sip_addr by;
	struct text value;

	i->source = path->peer;
	i->transport = path->transport;
	i->call_id = leg_keep(leg, m->call_id);
	i->max_forwards = m->max_forwards;
	party_of_uri(leg, &i->called, &m->uri);
	party_of(leg, &i->to, &m->to);
	party_of(leg, &i->from, &m->from);
	if (sip_uri_param(&m->uri, "opaque", &value))
		i->opaque = leg_keep(leg, value);
	i->user_agent = leg_keep(leg, text_head(sip_msg_value(m, SIP_HDR_USER_AGENT), 200));
	if (!sip_addr_parse(&by, sip_msg_value(m, SIP_HDR_REFERRED_BY), NULL))
		i->referred_by = leg_keep(leg, by.uri.whole);
	i->wants_privacy = hidden(m);
	i->headers_believed = leg->peer && leg->peer->believes_headers;
	if (!i->headers_believed)
		return;
	asserted(leg, m);
	diversions(leg, m);
	history(leg, m);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* addr.c  Addresses (RFC 3261 20.10, 20.20) and the headers built of them: Diversion (RFC 5806), History-Info (RFC 7044). */
#include <errno.h>
#include "sip/chars.h"
#include "sip/header.h"

/* Tokens and blanks, and UTF-8, which the grammar wants quoted but many send bare. */
static bool bare_display_good(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!sip_is(t.p[i], SIP_C_TOKEN | SIP_C_BLANK) && (unsigned char)t.p[i] < 0x80)
			return false;
	return true;
}

/* Index of the '<' that opens the URI, t.n when the address has none, SIZE_MAX for an unclosed quotation. *display is what stands before. */
static size_t find_bracket(struct text t, struct text *display)
{
	size_t at = 0;

	*display = TEXT_NONE;
	if (t.n && t.p[0] == '"') {
		size_t end = sip_quoted_end(t, 0);

		if (end == SIZE_MAX)
			return SIZE_MAX;
		*display = sip_slice(t, 1, end - 1);
		return end + sip_span(t, end, SIP_C_BLANK);
	}
	while (at < t.n && t.p[at] != '<' && t.p[at] != ';' && t.p[at] != '"')
		at++;
	if (at == t.n || t.p[at] != '<')
		return t.n;
	*display = sip_trim(text_head(t, at));
	return at;
}

/* "<uri>;params" */
static int parse_bracketed(struct sip_addr *a, struct text t, struct sip_refusal *why)
{
	size_t end = text_find(t, '>');
	int err;

	if (end == SIZE_MAX)
		return sip_refuse(why, SIP_FAULT_ADDRESS, t);
	a->bracketed = true;
	err = sip_uri_parse(&a->uri, sip_slice(t, 1, end), why);
	if (err)
		return err;
	t = sip_trim(text_skip(t, end + 1));
	if (!t.n)
		return 0;
	if (t.p[0] != ';')
		return sip_refuse(why, SIP_FAULT_ADDRESS, t);
	a->params = text_skip(t, 1);
	if (!sip_params_begin(a->params))
		return sip_refuse(why, SIP_FAULT_PARAMETER, t);
	return 0;
}

/* "uri;params": everything behind the first ';' belongs to the header field. */
static int parse_bare(struct sip_addr *a, struct text t, struct sip_refusal *why)
{
	struct text uri;
	bool more = text_cut(t, ';', &uri, &a->params);

	uri = sip_trim(uri);
	if (text_find(uri, '?') != SIZE_MAX || text_find(uri, ',') != SIZE_MAX)
		return sip_refuse(why, SIP_FAULT_ADDRESS_BRACKETS, uri);
	if (more && !sip_params_begin(a->params))
		return sip_refuse(why, SIP_FAULT_PARAMETER, t);
	return sip_uri_parse(&a->uri, uri, why);
}

int sip_addr_parse(struct sip_addr *a, struct text t, struct sip_refusal *why)
{
	size_t at;
	int err;

	t = sip_trim(t);
	*a = (struct sip_addr){ .whole = t };
	if (t.n == 1 && t.p[0] == '*') {
		a->star = true;
		return 0;
	}
	at = find_bracket(t, &a->display);
	if (at == SIZE_MAX)
		return sip_refuse(why, SIP_FAULT_QUOTE, t);
	if (at < t.n && t.p[at] == '<') {
		if (t.p[0] != '"' && !bare_display_good(a->display))
			return sip_refuse(why, SIP_FAULT_ADDRESS_DISPLAY, a->display);
		err = parse_bracketed(a, text_skip(t, at), why);
	} else if (t.n && t.p[0] == '"') {
		return sip_refuse(why, SIP_FAULT_ADDRESS, t);
	} else {
		err = parse_bare(a, t, why);
	}
	if (!err && sip_params_check(a->params))
		return sip_refuse(why, SIP_FAULT_PARAMETER, a->params);
	return err;
}

bool sip_addr_param(const struct sip_addr *a, const char *name, struct text *value)
{
	return sip_param_find(a->params, name, value);
}

struct text sip_addr_tag(const struct sip_addr *a)
{
	struct text tag;

	return sip_param_find(a->params, "tag", &tag) ? tag : TEXT_NONE;
}

int sip_diversion_parse(struct sip_diversion *d, struct text item, struct sip_refusal *why)
{
	struct text rest, name, value;

	*d = (struct sip_diversion){ 0 };
	if (sip_addr_parse(&d->addr, item, why) || d->addr.star)
		return sip_refuse(why, SIP_FAULT_DIVERSION, item);
	rest = d->addr.params;
	while (!sip_param_next(&rest, &name, &value)) {
		struct text plain = sip_unquote(value);

		if (text_is_nocase(name, "reason"))
			d->reason = plain;
		else if (text_is_nocase(name, "privacy"))
			d->privacy = plain;
		else if (text_is_nocase(name, "counter") && text_u32(plain, 99, &d->counter))
			return sip_refuse(why, SIP_FAULT_DIVERSION, item);
		else if (text_is_nocase(name, "limit") || text_is_nocase(name, "multiple"))
			d->multiple = d->multiple || text_is(plain, "1");
	}
	return 0;
}

/* "1.2.1": numbers with dots between. */
static int parse_index(struct sip_history *h, struct text t)
{
	struct text one;
	uint32_t number;
	bool more = true;

	while (more) {
		more = text_cut(t, '.', &one, &t);
		if (text_u32(one, UINT32_MAX, &number))
			return EBADMSG;
		if (h->n_index < SIP_HISTORY_DEPTH)
			h->index[h->n_index++] = number;
	}
	return 0;
}

int sip_history_parse(struct sip_history *h, struct text item, struct sip_refusal *why)
{
	struct text value;

	*h = (struct sip_history){ 0 };
	if (sip_addr_parse(&h->addr, item, why) || h->addr.star)
		return sip_refuse(why, SIP_FAULT_HISTORY_INFO, item);
	if (sip_addr_param(&h->addr, "index", &value) && parse_index(h, value))
		return sip_refuse(why, SIP_FAULT_HISTORY_INFO, item);
	if (!sip_addr_param(&h->addr, "mp", &h->mp))
		h->mp = TEXT_NONE;
	if (!sip_addr_param(&h->addr, "rc", &h->rc))
		h->rc = TEXT_NONE;
	if (!sip_uri_header(&h->addr.uri, "Reason", &h->reason))
		h->reason = TEXT_NONE;
	if (!sip_uri_header(&h->addr.uri, "Privacy", &h->privacy))
		h->privacy = TEXT_NONE;
	if (sip_uri_param(&h->addr.uri, "cause", &value))
		h->has_cause = text_u32(value, 999, &h->cause) == 0;
	return 0;
}

int sip_history_reason(const struct sip_history *h, char *room, size_t size, struct sip_reason *r)
{
	struct text list, item;

	if (!h->reason.n)
		return ENOENT;
	if (sip_unescape(h->reason, room, size))
		return EBADMSG;
	list = text_of(room);
	return sip_list_next(&list, &item) ? EBADMSG : sip_reason_parse(r, item, NULL);
}

int sip_history_compare(const struct sip_history *a, const struct sip_history *b)
{
	for (unsigned i = 0; i < a->n_index && i < b->n_index; i++)
		if (a->index[i] != b->index[i])
			return a->index[i] < b->index[i] ? -1 : 1;
	return (a->n_index > b->n_index) - (a->n_index < b->n_index);
}

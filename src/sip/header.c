/* SPDX-License-Identifier: Apache-2.0 */
/* header.c  The small header field values. Each parser accepts what its RFC's grammar allows and says EBADMSG to the rest. */
#include <errno.h>
#include "sip/chars.h"
#include "sip/header.h"

/* "token ;params": the token and what is behind it. */
static int token_and_params(struct text t, struct text *token, struct text *params)
{
	size_t end, at;

	t = sip_trim(t);
	end = sip_span(t, 0, SIP_C_TOKEN);
	at = end + sip_span(t, end, SIP_C_BLANK);
	if (!end || (at < t.n && t.p[at] != ';'))
		return EBADMSG;
	*token = text_head(t, end);
	*params = at < t.n ? text_skip(t, at + 1) : TEXT_NONE;
	if (at < t.n && !sip_params_begin(*params))
		return EBADMSG;
	return sip_params_check(*params);
}

static struct text param_or_none(struct text params, const char *name)
{
	struct text value;

	return sip_param_find(params, name, &value) ? value : TEXT_NONE;
}

/* Absent counts as 0. */
static int param_u32(struct text params, const char *name, uint32_t *value)
{
	struct text t;

	*value = 0;
	return sip_param_find(params, name, &t) ? text_u32(t, UINT32_MAX, value) : 0;
}

int sip_reason_parse(struct sip_reason *r, struct text item, struct sip_refusal *why)
{
	struct text params;

	*r = (struct sip_reason){ 0 };
	if (token_and_params(item, &r->protocol, &params) || param_u32(params, "cause", &r->cause))
		return sip_refuse(why, SIP_FAULT_HEADER_VALUE, item);
	r->text = param_or_none(params, "text");
	return 0;
}

int sip_event_parse(struct sip_event *e, struct text t, struct sip_refusal *why)
{
	*e = (struct sip_event){ 0 };
	if (token_and_params(t, &e->package, &e->params))
		return sip_refuse(why, SIP_FAULT_EVENT, t);
	e->id = param_or_none(e->params, "id");
	return 0;
}

int sip_subscription_state_parse(struct sip_subscription_state *s, struct text t, struct sip_refusal *why)
{
	struct text params;

	*s = (struct sip_subscription_state){ 0 };
	if (token_and_params(t, &s->state_text, &params) || param_u32(params, "expires", &s->expires_s) ||
	    param_u32(params, "retry-after", &s->retry_after_s))
		return sip_refuse(why, SIP_FAULT_SUBSCRIPTION_STATE, t);
	s->has_expires = sip_param_find(params, "expires", NULL);
	s->reason = param_or_none(params, "reason");
	if (text_is_nocase(s->state_text, "active"))
		s->state = SIP_SUB_ACTIVE;
	else if (text_is_nocase(s->state_text, "pending"))
		s->state = SIP_SUB_PENDING;
	else if (text_is_nocase(s->state_text, "terminated"))
		s->state = SIP_SUB_TERMINATED;
	return 0;
}

int sip_retry_after_parse(struct text t, uint32_t *seconds)
{
	size_t end;

	t = sip_trim(t);
	end = sip_span(t, 0, SIP_C_DIGIT);
	if (end < t.n && !sip_is(t.p[end], SIP_C_BLANK) && t.p[end] != '(' && t.p[end] != ';')
		return EBADMSG;
	return text_u32(text_head(t, end), UINT32_MAX, seconds) ? EBADMSG : 0;
}

int sip_expires_parse(struct text t, uint32_t *seconds)
{
	return text_u32(sip_trim(t), UINT32_MAX, seconds) ? EBADMSG : 0;
}

int sip_rack_parse(struct sip_rack *r, struct text t)
{
	size_t end;

	*r = (struct sip_rack){ 0 };
	t = sip_trim(t);
	end = sip_span(t, 0, SIP_C_DIGIT);
	if (end == t.n || !sip_is(t.p[end], SIP_C_BLANK) || text_u32(text_head(t, end), UINT32_MAX, &r->rseq))
		return EBADMSG;
	return sip_cseq_parse(&r->cseq, text_skip(t, end), NULL);
}

int sip_session_expires_parse(struct sip_session_expires *se, struct text t)
{
	struct text number, params, who;

	*se = (struct sip_session_expires){ 0 };
	text_cut(sip_trim(t), ';', &number, &params);
	if (text_u32(sip_trim(number), UINT32_MAX, &se->seconds) || sip_params_check(params))
		return EBADMSG;
	if (sip_param_find(params, "refresher", &who))
		se->refresher = text_is_nocase(who, "uac") ? SIP_REFRESHER_UAC : text_is_nocase(who, "uas") ? SIP_REFRESHER_UAS : SIP_REFRESHER_NONE;
	return 0;
}

int sip_warning_parse(struct sip_warning *w, struct text item, struct sip_refusal *why)
{
	struct text t = sip_trim(item);
	uint32_t code;
	size_t at, end;

	*w = (struct sip_warning){ 0 };
	if (text_u32(text_head(t, 3), 999, &code) || t.n < 4 || !sip_is(t.p[3], SIP_C_BLANK))
		goto bad;
	w->code = (uint16_t)code;
	at = 3 + sip_span(t, 3, SIP_C_BLANK);
	for (end = at; end < t.n && !sip_is(t.p[end], SIP_C_BLANK) && t.p[end] != '"'; end++)
		;
	if (end == at)
		goto bad;
	w->agent = sip_slice(t, at, end);
	at = end + sip_span(t, end, SIP_C_BLANK);
	if (at == t.n || t.p[at] != '"' || sip_quoted_end(t, at) != t.n)
		goto bad;
	w->text = sip_slice(t, at + 1, t.n - 1);
	return 0;
bad:
	return sip_refuse(why, SIP_FAULT_HEADER_VALUE, item);
}

int sip_ms_diagnostics_parse(struct sip_ms_diagnostics *d, struct text t, struct sip_refusal *why)
{
	struct text id;

	*d = (struct sip_ms_diagnostics){ 0 };
	if (token_and_params(t, &id, &d->params) || text_u32(id, UINT32_MAX, &d->id))
		return sip_refuse(why, SIP_FAULT_HEADER_VALUE, t);
	d->reason = param_or_none(d->params, "reason");
	d->source = param_or_none(d->params, "source");
	return 0;
}

int sip_media_type_parse(struct sip_media_type *m, struct text t, struct sip_refusal *why)
{
	size_t end, slash, at;

	*m = (struct sip_media_type){ 0 };
	t = sip_trim(t);
	end = sip_span(t, 0, SIP_C_TOKEN);
	slash = end + sip_span(t, end, SIP_C_BLANK);
	if (!end || slash == t.n || t.p[slash] != '/')
		return sip_refuse(why, SIP_FAULT_CONTENT_TYPE, t);
	at = slash + 1 + sip_span(t, slash + 1, SIP_C_BLANK);
	if (token_and_params(text_skip(t, at), &m->subtype, &m->params))
		return sip_refuse(why, SIP_FAULT_CONTENT_TYPE, t);
	m->type = text_head(t, end);
	return 0;
}

bool sip_media_type_is(const struct sip_media_type *m, const char *type, const char *subtype)
{
	return text_is_nocase(m->type, type) && text_is_nocase(m->subtype, subtype);
}

/* q of 0, 0., 0.0, 0.00 or 0.000 */
static bool quality_is_zero(struct text params)
{
	struct text q = param_or_none(params, "q");

	for (size_t i = 0; i < q.n; i++)
		if (q.p[i] != '0' && q.p[i] != '.')
			return false;
	return q.n > 0;
}

bool sip_accepts(struct text accept, const char *type, const char *subtype)
{
	struct text item;
	int best = 0; /* the most exact range decides: 3 type/subtype, 2 type/any, 1 any */
	bool yes = false;

	while (!sip_list_next(&accept, &item)) {
		struct sip_media_type m;
		int exact;

		if (sip_media_type_parse(&m, item, NULL))
			continue;
		if (sip_media_type_is(&m, type, subtype))
			exact = 3;
		else if (text_is_nocase(m.type, type) && text_is(m.subtype, "*"))
			exact = 2;
		else if (text_is(m.type, "*") && text_is(m.subtype, "*"))
			exact = 1;
		else
			continue;
		if (exact > best) {
			best = exact;
			yes = !quality_is_zero(m.params);
		}
	}
	return yes;
}

static int find_name(struct text t, const char *names, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (text_eq_nocase(t, text_make(names + 3 * i, 3)))
			return (int)i;
	return -1;
}

/* Days since 1970-01-01 of a Gregorian date. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	int64_t y = year - (month <= 2);
	int64_t era = y / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int sip_date_parse(struct text t, int64_t *unix_s)
{
	static const uint8_t lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint32_t day, year, hour, minute, second;
	int month;

	/* Sat, 13 Nov 2010 23:29:00 GMT */
	t = sip_trim(t);
	if (t.n != 29 || find_name(text_head(t, 3), "MonTueWedThuFriSatSun", 7) < 0 || t.p[3] != ',' || t.p[4] != ' ' || t.p[7] != ' ' ||
	    t.p[11] != ' ' || t.p[16] != ' ' || t.p[19] != ':' || t.p[22] != ':' || t.p[25] != ' ' ||
	    !text_is_nocase(text_skip(t, 26), "GMT"))
		return EBADMSG;
	month = find_name(sip_slice(t, 8, 11), "JanFebMarAprMayJunJulAugSepOctNovDec", 12);
	if (month < 0 || text_u32(sip_slice(t, 5, 7), lengths[month], &day) || !day || text_u32(sip_slice(t, 12, 16), 9999, &year) ||
	    text_u32(sip_slice(t, 17, 19), 23, &hour) || text_u32(sip_slice(t, 20, 22), 59, &minute) ||
	    text_u32(sip_slice(t, 23, 25), 60, &second))
		return EBADMSG;
	*unix_s = days_of(year, (unsigned)month + 1, day) * 86400 + (int64_t)hour * 3600 + (int64_t)minute * 60 + (int64_t)second;
	return 0;
}

static bool stands_twice(struct text params, const char *wanted)
{
	struct text name, value;
	unsigned n = 0;

	while (!sip_param_next(&params, &name, &value))
		n += text_is_nocase(name, wanted);
	return n > 1;
}

int sip_replaces_parse(struct sip_replaces *r, struct text t, struct sip_refusal *why)
{
	struct text params;

	*r = (struct sip_replaces){ 0 };
	text_cut(t, ';', &r->call_id, &params);
	r->call_id = sip_trim(r->call_id);
	r->from_tag = param_or_none(params, "from-tag");
	r->to_tag = param_or_none(params, "to-tag");
	/* Target-Dialog has local-tag and remote-tag, seen from its sender */
	if (!r->from_tag.n)
		r->from_tag = param_or_none(params, "local-tag");
	if (!r->to_tag.n)
		r->to_tag = param_or_none(params, "remote-tag");
	r->early_only = sip_param_find(params, "early-only", NULL);
	/* RFC 3891 6.1: exactly one of each */
	if (!sip_is_callid(r->call_id) || sip_params_check(params) || !r->from_tag.n || !r->to_tag.n || stands_twice(params, "from-tag") || stands_twice(params, "to-tag"))
		return sip_refuse(why, SIP_FAULT_HEADER_VALUE, t);
	return 0;
}

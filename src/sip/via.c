/* SPDX-License-Identifier: Apache-2.0 */
/* via.c  Via (RFC 3261 20.42, RFC 3581, RFC 5923), CSeq, and the names of methods and transports. */
#include <errno.h>
#include "sip/chars.h"
#include "sip/header.h"

static const char *const methods[SIP_METHODS] = {
	[SIP_METHOD_OTHER] = "", [SIP_INVITE] = "INVITE",       [SIP_ACK] = "ACK",         [SIP_BYE] = "BYE",
	[SIP_CANCEL] = "CANCEL", [SIP_OPTIONS] = "OPTIONS",     [SIP_REFER] = "REFER",     [SIP_NOTIFY] = "NOTIFY",
	[SIP_SUBSCRIBE] = "SUBSCRIBE", [SIP_INFO] = "INFO",     [SIP_UPDATE] = "UPDATE",   [SIP_PRACK] = "PRACK",
	[SIP_REGISTER] = "REGISTER", [SIP_MESSAGE] = "MESSAGE", [SIP_PUBLISH] = "PUBLISH",
};
static const char *const transports[] = {
	[SIP_TRANSPORT_OTHER] = "", [SIP_UDP] = "UDP", [SIP_TCP] = "TCP", [SIP_TLS] = "TLS", [SIP_SCTP] = "SCTP", [SIP_WS] = "WS", [SIP_WSS] = "WSS",
};
enum { TRANSPORTS = sizeof(transports) / sizeof(transports[0]) };

const char *sip_method_name(enum sip_method m)
{
	return (unsigned)m < SIP_METHODS ? methods[m] : "";
}

enum sip_method sip_method_of(struct text t)
{
	for (unsigned i = 1; i < SIP_METHODS; i++)
		if (text_is(t, methods[i]))
			return (enum sip_method)i;
	return SIP_METHOD_OTHER;
}

const char *sip_transport_name(enum sip_transport t)
{
	return (unsigned)t < TRANSPORTS ? transports[t] : "";
}

enum sip_transport sip_transport_of(struct text t)
{
	for (unsigned i = 1; i < TRANSPORTS; i++)
		if (text_is_nocase(t, transports[i]))
			return (enum sip_transport)i;
	return SIP_TRANSPORT_OTHER;
}

uint16_t sip_transport_port(enum sip_transport t)
{
	return t == SIP_TLS ? 5061 : t == SIP_WSS ? 443 : t == SIP_WS ? 80 : 5060;
}

static size_t blanks(struct text t, size_t at)
{
	return at + sip_span(t, at, SIP_C_BLANK);
}

/* A token and the blanks around it; *at moves behind them. False when there is none. */
static bool take_token(struct text t, size_t *at, struct text *token)
{
	size_t from = blanks(t, *at), to = from + sip_span(t, from, SIP_C_TOKEN);

	*token = sip_slice(t, from, to);
	*at = blanks(t, to);
	return to > from;
}

/* "SIP / 2.0 / UDP " */
static bool take_protocol(struct sip_via *v, struct text t, size_t *at)
{
	struct text name, version;
	bool blank;

	if (!take_token(t, at, &name) || !text_is_nocase(name, "SIP") || *at == t.n || t.p[(*at)++] != '/')
		return false;
	/* the version is judged by the start line, so that another one still gets its 505 */
	if (!take_token(t, at, &version) || *at == t.n || t.p[(*at)++] != '/')
		return false;
	if (!take_token(t, at, &v->transport_text))
		return false;
	v->transport = sip_transport_of(v->transport_text);
	blank = *at > 0 && sip_is(t.p[*at - 1], SIP_C_BLANK);
	return blank && *at < t.n;
}

/* "host : port " up to the parameters. */
static int take_sent_by(struct sip_via *v, struct text t, size_t *at, struct sip_refusal *why)
{
	size_t end = *at, colon;
	uint32_t port = 0;
	uint16_t none;

	if (t.p[end] == '[') {
		while (end < t.n && t.p[end] != ']')
			end++;
		end += end < t.n;
	} else {
		end += sip_span(t, end, SIP_C_HOST);
	}
	if (sip_hostport_parse(sip_slice(t, *at, end), &v->host, &v->host_kind, &none, NULL))
		return sip_refuse(why, SIP_FAULT_VIA, t);
	colon = blanks(t, end);
	if (colon < t.n && t.p[colon] == ':') {
		*at = blanks(t, colon + 1);
		end = *at + sip_span(t, *at, SIP_C_DIGIT);
		if (text_u32(sip_slice(t, *at, end), 65535, &port) || !port)
			return sip_refuse(why, SIP_FAULT_VIA_PORT, t);
	}
	v->port = (uint16_t)port;
	*at = blanks(t, end);
	return 0;
}

static struct text without_brackets(struct text t)
{
	return t.n >= 2 && t.p[0] == '[' && t.p[t.n - 1] == ']' ? sip_slice(t, 1, t.n - 1) : t;
}

/* What decides where an answer goes and whose it is may stand once (RFC 3261 7.3.1). */
static int take_param(struct sip_via *v, struct text name, struct text value)
{
	uint32_t number;

	if (text_is_nocase(name, "branch")) {
		if (v->branch.p)
			return EBADMSG;
		v->branch = value;
		v->has_magic = value.n > 7 && text_starts_nocase(value, "z9hG4bK");
	} else if (text_is_nocase(name, "rport")) {
		if (v->has_rport)
			return EBADMSG;
		v->has_rport = true;
		if (value.n && text_u32(value, 65535, &number))
			return EBADMSG;
		if (value.n)
			v->rport = (uint16_t)number;
	} else if (text_is_nocase(name, "received")) {
		if (v->received.p)
			return EBADMSG;
		v->received = without_brackets(value);
	} else if (text_is_nocase(name, "alias")) {
		v->has_alias = true;
	} else if (text_is_nocase(name, "maddr")) {
		if (v->maddr.p)
			return EBADMSG;
		v->maddr = without_brackets(value);
	} else if (text_is_nocase(name, "ttl")) {
		if (text_u32(value, 255, &number))
			return EBADMSG;
		v->ttl = (uint8_t)number;
	}
	return 0;
}

int sip_via_parse(struct sip_via *v, struct text t, struct sip_refusal *why)
{
	struct text rest, name, value;
	size_t at = 0;
	int err;

	t = sip_trim(t);
	*v = (struct sip_via){ .whole = t };
	if (!take_protocol(v, t, &at))
		return sip_refuse(why, SIP_FAULT_VIA, t);
	err = take_sent_by(v, t, &at, why);
	if (err)
		return err;
	if (at == t.n)
		return 0;
	if (t.p[at] != ';')
		return sip_refuse(why, SIP_FAULT_VIA, t);
	rest = text_skip(t, at + 1);
	v->params = rest;
	if (!sip_params_begin(rest))
		return sip_refuse(why, SIP_FAULT_VIA, t);
	while ((err = sip_param_next(&rest, &name, &value)) == 0)
		if (take_param(v, name, value))
			return sip_refuse(why, SIP_FAULT_VIA, t);
	return err == ENOENT ? 0 : sip_refuse(why, SIP_FAULT_VIA, t);
}

int sip_cseq_parse(struct sip_cseq *c, struct text t, struct sip_refusal *why)
{
	size_t end, at;

	t = sip_trim(t);
	*c = (struct sip_cseq){ 0 };
	end = sip_span(t, 0, SIP_C_DIGIT);
	at = blanks(t, end);
	if (!end || at == end || at == t.n)
		return sip_refuse(why, SIP_FAULT_CSEQ, t);
	c->method_text = text_skip(t, at);
	c->method = sip_method_of(c->method_text);
	if (!sip_is_token(c->method_text))
		return sip_refuse(why, SIP_FAULT_CSEQ, t);
	if (text_u32(text_head(t, end), INT32_MAX, &c->number))
		return sip_refuse(why, SIP_FAULT_CSEQ_NUMBER, t);
	return 0;
}

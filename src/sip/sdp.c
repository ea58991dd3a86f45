/* SPDX-License-Identifier: Apache-2.0 */
/* sdp.c  Reads a session description line by line (RFC 4566 5, RFC 3264 5): what stands before the first m= line is the session, the rest
 * belongs to the medium above it. Attributes that nobody here needs are neither judged nor lost.                        */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "sip/chars.h"
#include "sip/header.h"
#include "sip/sdp.h"

struct line {
	char type;
	struct text value;
};

/* The next line; CR LF or LF, or the end of all. Blank lines are skipped: some peers send one at the end. */
static int line_next(struct text *rest, struct line *line)
{
	struct text t;

	do {
		if (!rest->n)
			return ENOENT;
		text_cut(*rest, '\n', &t, rest);
		if (t.n && t.p[t.n - 1] == '\r')
			t.n--;
	} while (!t.n);
	if (t.n < 2 || t.p[1] != '=' || !sip_is(t.p[0], SIP_C_ALPHA) || memchr(t.p, 0, t.n) || memchr(t.p, '\r', t.n))
		return EBADMSG;
	*line = (struct line){ t.p[0], text_skip(t, 2) };
	return 0;
}

/* The next word of a line. */
static bool word(struct text *rest, struct text *w)
{
	*rest = sip_trim(*rest);
	text_cut(*rest, ' ', w, rest);
	return w->n > 0;
}

int sdp_attr_next(struct text *rest, struct text *name, struct text *value)
{
	struct line line;
	int err;

	while ((err = line_next(rest, &line)) != ENOENT) {
		if (err || line.type != 'a')
			continue;
		if (!text_cut(line.value, ':', name, value))
			*value = TEXT_NONE;
		return 0;
	}
	return ENOENT;
}

static uint64_t number_modulo(struct text t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t.n; i++)
		n = n * 10 + (uint64_t)(t.p[i] - '0');
	return n;
}

/* o=user id version IN IP4 address */
static int parse_origin(struct sdp *sdp, struct text t, struct sip_refusal *why)
{
	struct text rest = t, id, version, net, family;

	if (!word(&rest, &sdp->origin_user) || !word(&rest, &id) || !word(&rest, &version) || !word(&rest, &net) || !word(&rest, &family) ||
	    !word(&rest, &sdp->origin_addr) || !sip_all(id, SIP_C_DIGIT) || !sip_all(version, SIP_C_DIGIT))
		return sip_refuse(why, SIP_FAULT_SDP_ORIGIN, t);
	sdp->session_id = number_modulo(id);
	sdp->version = number_modulo(version);
	return 0;
}

static bool is_multicast(struct text addr, enum sip_host_kind kind)
{
	uint32_t first;
	struct text head, rest;

	if (kind == SIP_HOST_IPV6)
		return text_starts_nocase(addr, "ff");
	text_cut(addr, '.', &head, &rest);
	return kind == SIP_HOST_IPV4 && !text_u32(head, 255, &first) && first >= 224;
}

/* c=IN IP4 address[/ttl[/count]] */
static int parse_connection(struct sdp_conn *c, struct text t, struct sip_refusal *why)
{
	struct text rest = t, net, family, addr, ttl;
	bool six;

	if (!word(&rest, &net) || !word(&rest, &family) || !word(&rest, &addr) || sip_trim(rest).n || !text_is_nocase(net, "IN"))
		return sip_refuse(why, SIP_FAULT_SDP_CONNECTION, t);
	text_cut(addr, '/', &addr, &ttl);
	*c = (struct sdp_conn){ .present = true, .kind = sip_host_classify(addr), .addr = addr };
	six = text_is_nocase(family, "IP6");
	if ((!six && !text_is_nocase(family, "IP4")) || c->kind == SIP_HOST_NONE || (c->kind == SIP_HOST_IPV6 && !six) ||
	    (c->kind == SIP_HOST_IPV4 && six))
		return sip_refuse(why, SIP_FAULT_SDP_CONNECTION, t);
	c->unspecified = text_is(addr, "0.0.0.0") || (six && sip_ipv6_equal(addr, TEXT("::")));
	c->multicast = is_multicast(addr, c->kind);
	return 0;
}

/* ---- media ---- */
static const struct sdp_format static_formats[] = {
	{ .pt = 0, .channels = 1, .rate = 8000, .name = { "PCMU", 4 } },  { .pt = 3, .channels = 1, .rate = 8000, .name = { "GSM", 3 } },
	{ .pt = 4, .channels = 1, .rate = 8000, .name = { "G723", 4 } },  { .pt = 8, .channels = 1, .rate = 8000, .name = { "PCMA", 4 } },
	{ .pt = 9, .channels = 1, .rate = 8000, .name = { "G722", 4 } },  { .pt = 13, .channels = 1, .rate = 8000, .name = { "CN", 2 } },
	{ .pt = 15, .channels = 1, .rate = 8000, .name = { "G728", 4 } }, { .pt = 18, .channels = 1, .rate = 8000, .name = { "G729", 4 } },
};

static enum sdp_kind kind_of(struct text t)
{
	static const char *const kinds[] = { [SDP_AUDIO] = "audio", [SDP_VIDEO] = "video", [SDP_IMAGE] = "image",
		                             [SDP_APPLICATION] = "application", [SDP_TEXT_KIND] = "text", [SDP_MESSAGE] = "message" };

	for (unsigned i = 1; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (text_is_nocase(t, kinds[i]))
			return (enum sdp_kind)i;
	return SDP_OTHER_KIND;
}

static enum sdp_proto proto_of(struct text t)
{
	static const char *const protos[] = { [SDP_RTP_AVP] = "RTP/AVP", [SDP_RTP_AVPF] = "RTP/AVPF", [SDP_RTP_SAVP] = "RTP/SAVP",
		                              [SDP_RTP_SAVPF] = "RTP/SAVPF", [SDP_UDPTL] = "udptl" };

	for (unsigned i = 1; i < sizeof(protos) / sizeof(protos[0]); i++)
		if (text_is_nocase(t, protos[i]))
			return (enum sdp_proto)i;
	return SDP_OTHER_PROTO;
}

static struct sdp_format *format_of(struct sdp_media *m, uint32_t pt)
{
	for (unsigned i = 0; i < m->n_formats; i++)
		if (m->format[i].pt == pt)
			return &m->format[i];
	return NULL;
}

static int parse_formats(struct sdp_media *m)
{
	struct text rest = m->formats_text, w;
	uint32_t pt;

	while (word(&rest, &w)) {
		if (text_u32(w, 127, &pt))
			return EBADMSG;
		if (m->n_formats == SDP_FORMATS_MAX || format_of(m, pt))
			continue;
		m->format[m->n_formats] = (struct sdp_format){ .pt = (uint8_t)pt, .channels = 1 };
		for (size_t i = 0; i < sizeof(static_formats) / sizeof(static_formats[0]); i++)
			if (static_formats[i].pt == pt)
				m->format[m->n_formats] = static_formats[i];
		m->n_formats++;
	}
	return 0;
}

/* m=audio 49170/2 RTP/AVP 0 8 101 */
static int parse_media(struct sdp_media *m, struct text t, struct sip_refusal *why)
{
	struct text rest = t, port, count;
	uint32_t number, ports = 1;
	bool rtp;

	memset(m, 0, offsetof(struct sdp_media, format));
	if (!word(&rest, &m->kind_text) || !word(&rest, &port) || !word(&rest, &m->proto_text) || !sip_is_token(m->kind_text))
		return sip_refuse(why, SIP_FAULT_SDP_MEDIA, t);
	if (text_cut(port, '/', &port, &count) && (text_u32(count, 65535, &ports) || !ports))
		return sip_refuse(why, SIP_FAULT_SDP_MEDIA, t);
	if (text_u32(port, 65535, &number))
		return sip_refuse(why, SIP_FAULT_SDP_MEDIA, t);
	m->port = (uint16_t)number;
	m->n_ports = (uint16_t)ports;
	m->kind = kind_of(m->kind_text);
	m->proto = proto_of(m->proto_text);
	m->formats_text = sip_trim(rest);
	if (!m->formats_text.n)
		return sip_refuse(why, SIP_FAULT_SDP_MEDIA, t);
	rtp = m->proto != SDP_OTHER_PROTO && m->proto != SDP_UDPTL;
	return rtp && parse_formats(m) ? sip_refuse(why, SIP_FAULT_SDP_MEDIA, t) : 0;
}

/* ---- attributes ---- */
const char *sdp_direction_name(enum sdp_direction d)
{
	static const char *const names[] = { [SDP_SENDRECV] = "sendrecv", [SDP_SENDONLY] = "sendonly", [SDP_RECVONLY] = "recvonly",
		                             [SDP_INACTIVE] = "inactive" };

	return names[d];
}

enum sdp_direction sdp_direction_mirror(enum sdp_direction d)
{
	return d == SDP_SENDONLY ? SDP_RECVONLY : d == SDP_RECVONLY ? SDP_SENDONLY : d;
}

static bool direction_of(struct text name, enum sdp_direction *d)
{
	for (enum sdp_direction i = SDP_SENDRECV; i <= SDP_INACTIVE; i++) {
		if (text_is_nocase(name, sdp_direction_name(i))) {
			*d = i;
			return true;
		}
	}
	return false;
}

/* Whole milliseconds or ports; a fraction is cut, what is no number counts as absent. */
static uint16_t small_number(struct text t)
{
	uint32_t n;

	t = sip_trim(t);
	return text_u32(text_head(t, sip_span(t, 0, SIP_C_DIGIT)), 65535, &n) ? 0 : (uint16_t)n;
}

/* rtpmap:101 telephone-event/8000[/1]; one for a format that is not in the m= line is nobody's business */
static int parse_rtpmap(struct sdp_media *m, struct text t)
{
	struct text rest = t, number, name, rate, channels;
	struct sdp_format *f;
	uint32_t pt, hz, n = 1;

	if (!word(&rest, &number) || text_u32(number, 127, &pt) || !word(&rest, &name) || !text_cut(name, '/', &name, &rate))
		return EBADMSG;
	if (text_cut(rate, '/', &rate, &channels) && text_u32(channels, 255, &n))
		return EBADMSG;
	if (!sip_is_token(name) || text_u32(rate, 1000000, &hz) || !hz || !n)
		return EBADMSG;
	f = format_of(m, pt);
	if (!f || f->mapped)
		return 0;
	f->mapped = true;
	f->name = name;
	f->rate = hz;
	f->channels = (uint8_t)n;
	return 0;
}

static void parse_fmtp(struct sdp_media *m, struct text t)
{
	struct text number;
	struct sdp_format *f;
	uint32_t pt;

	if (!word(&t, &number) || text_u32(number, 127, &pt))
		return;
	f = format_of(m, pt);
	if (f && !f->fmtp.n)
		f->fmtp = sip_trim(t);
}

static int parse_media_attr(struct sdp_media *m, struct text name, struct text value)
{
	/* of a medium that is refused anyway, nobody minds how its formats are named (RFC 4475 has an rtpmap without a rate) */
	if (text_is_nocase(name, "rtpmap"))
		return parse_rtpmap(m, value) && m->kind == SDP_AUDIO ? EBADMSG : 0;
	if (text_is_nocase(name, "fmtp"))
		parse_fmtp(m, value);
	else if (text_is_nocase(name, "ptime"))
		m->ptime_ms = small_number(value);
	else if (text_is_nocase(name, "maxptime"))
		m->maxptime_ms = small_number(value);
	else if (text_is_nocase(name, "rtcp"))
		m->rtcp_port = small_number(value);
	else if (text_is_nocase(name, "rtcp-mux"))
		m->rtcp_mux = true;
	else if (text_is_nocase(name, "crypto"))
		m->has_crypto = true;
	else if (text_is_nocase(name, "candidate"))
		m->has_candidates = true;
	else if (direction_of(name, &m->direction))
		m->has_direction = true;
	return 0;
}

static int parse_attr(struct sdp *sdp, struct sdp_media *m, struct text t, struct sip_refusal *why)
{
	struct text name, value;

	if (!text_cut(t, ':', &name, &value))
		value = TEXT_NONE;
	if (m)
		return parse_media_attr(m, name, value) ? sip_refuse(why, SIP_FAULT_SDP_ATTRIBUTE, t) : 0;
	if (direction_of(name, &sdp->direction))
		sdp->has_direction = true;
	else if (text_is_nocase(name, "ptime"))
		sdp->ptime_ms = small_number(value);
	return 0;
}

bool sdp_is_plain_audio(const struct sdp_media *m)
{
	return m->kind == SDP_AUDIO && m->port && (m->proto == SDP_RTP_AVP || m->proto == SDP_RTP_AVPF);
}

/* ---- all of it ---- */
/* A media description inherits what it does not say itself. */
static int inherit(struct sdp *sdp, struct sip_refusal *why)
{
	for (unsigned i = 0; i < sdp->n_media; i++) {
		struct sdp_media *m = &sdp->media[i];

		if (!m->conn.present)
			m->conn = sdp->conn;
		if (!m->has_direction)
			m->direction = sdp->direction;
		if (!m->ptime_ms)
			m->ptime_ms = sdp->ptime_ms;
		if (m->port && !m->conn.present)
			return sip_refuse(why, SIP_FAULT_SDP_NO_CONNECTION, m->kind_text);
	}
	return 0;
}

static int parse_line(struct sdp *sdp, struct sdp_media *m, struct line line, struct sip_refusal *why)
{
	switch (line.type) {
	case 'o':
		return m ? 0 : parse_origin(sdp, line.value, why);
	case 's':
		if (!m)
			sdp->name = line.value;
		return 0;
	case 't':
		if (!m && !sdp->time.n)
			sdp->time = line.value;
		return 0;
	case 'c':
		return parse_connection(m ? &m->conn : &sdp->conn, line.value, why);
	case 'a':
		return parse_attr(sdp, m, line.value, why);
	default:
		return 0;
	}
}

int sdp_parse(struct sdp *sdp, struct text t, struct sip_refusal *why)
{
	struct text rest = t;
	struct sdp_media *m = NULL;
	struct line line;
	int err;

	memset(sdp, 0, offsetof(struct sdp, media));
	sdp->whole = t;
	err = line_next(&rest, &line);
	if (err == ENOENT)
		return sip_refuse(why, SIP_FAULT_SDP_EMPTY, t);
	if (err || line.type != 'v' || !text_is(sip_trim(line.value), "0"))
		return sip_refuse(why, SIP_FAULT_SDP_VERSION, t);
	sdp->lines = rest;
	for (;;) {
		const char *at = rest.p;

		err = line_next(&rest, &line);
		if (err == ENOENT)
			break;
		if (err)
			return sip_refuse(why, SIP_FAULT_SDP_LINE, TEXT_NONE);
		if (line.type != 'm') {
			err = parse_line(sdp, m, line, why);
			if (err)
				return err;
			continue;
		}
		if (sdp->n_media == SDP_MEDIA_MAX)
			return sip_refuse(why, SIP_FAULT_SDP_TOO_MANY_MEDIA, line.value);
		if (m)
			m->lines.n = (size_t)(at - m->lines.p);
		else
			sdp->lines.n = (size_t)(at - sdp->lines.p);
		m = &sdp->media[sdp->n_media++];
		err = parse_media(m, line.value, why);
		if (err)
			return err;
		m->lines = rest;
	}
	if (!sdp->origin_addr.n)
		return sip_refuse(why, SIP_FAULT_SDP_ORIGIN, TEXT_NONE);
	return inherit(sdp, why);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* offer.c  Offer and answer (RFC 3264) for one stream of G.711 with telephone-event (RFC 4733). */
#include <errno.h>
#include "sip/chars.h"
#include "sip/offer.h"

enum { PTIME_MS = 20, PTIME_MAX_MS = 60, DTMF_PT = 101, CLOCK = 8000, DESCRIPTION_MAX = 65536 };

static const struct {
	const char *name;
	uint8_t pt;
} codecs[SDP_CODECS] = { [SDP_PCMU] = { "PCMU", 0 }, [SDP_PCMA] = { "PCMA", 8 } };

const char *sdp_codec_name(enum sdp_codec c)
{
	return codecs[c].name;
}

void sdp_session_init(struct sdp_session *s, uint64_t seed)
{
	/* fits into a signed 63-bit number, with room for its versions: some peers read it so */
	*s = (struct sdp_session){ .id = seed >> 2, .version = seed >> 2 };
}

/* ---- directions as two bits ---- */
enum { SEND = 1, RECV = 2 };

static unsigned bits_of(enum sdp_direction d)
{
	return d == SDP_SENDRECV ? SEND | RECV : d == SDP_SENDONLY ? SEND : d == SDP_RECVONLY ? RECV : 0;
}

static enum sdp_direction direction_of(unsigned bits)
{
	return bits == (SEND | RECV) ? SDP_SENDRECV : bits == SEND ? SDP_SENDONLY : bits == RECV ? SDP_RECVONLY : SDP_INACTIVE;
}

/* ---- choosing ---- */
static bool local_has(const struct sdp_local *local, enum sdp_codec c)
{
	for (unsigned i = 0; i < local->n_codecs; i++)
		if (local->codecs[i] == c)
			return true;
	return false;
}

/* The codec that a format stands for, of those we have. */
static bool codec_of(const struct sdp_format *f, const struct sdp_local *local, enum sdp_codec *codec)
{
	for (enum sdp_codec c = 0; c < SDP_CODECS; c++) {
		if (f->rate == CLOCK && f->channels == 1 && text_is_nocase(f->name, codecs[c].name) && local_has(local, c)) {
			*codec = c;
			return true;
		}
	}
	return false;
}

static const struct sdp_format *choose_codec(const struct sdp_media *m, const struct sdp_local *local, enum sdp_codec *codec)
{
	for (unsigned i = 0; i < m->n_formats; i++)
		if (codec_of(&m->format[i], local, codec))
			return &m->format[i];
	return NULL;
}

/* telephone-event at the clock of the codec (RFC 4733 2.1); -1 without. */
static int16_t dtmf_pt(const struct sdp_media *m, const struct sdp_local *local)
{
	for (unsigned i = 0; local->dtmf && i < m->n_formats; i++)
		if (text_is_nocase(m->format[i].name, "telephone-event") && m->format[i].rate == CLOCK)
			return m->format[i].pt;
	return -1;
}

static uint16_t choose_ptime(const struct sdp_media *m)
{
	uint16_t ptime = m->ptime_ms;

	if (ptime < 10 || ptime > PTIME_MAX_MS || ptime % 10)
		ptime = PTIME_MS;
	if (m->maxptime_ms >= 10 && ptime > m->maxptime_ms)
		ptime = (uint16_t)(m->maxptime_ms / 10 * 10);
	return ptime;
}

static enum sip_fault judge_address(const struct sdp_conn *c, struct text local)
{
	if (c->kind != SIP_HOST_IPV4 && c->kind != SIP_HOST_IPV6)
		return SIP_FAULT_SDP_ADDRESS_NAME;
	if (c->kind != sip_host_classify(local))
		return SIP_FAULT_SDP_ADDRESS_FAMILY;
	return c->multicast ? SIP_FAULT_SDP_ADDRESS_MULTICAST : SIP_FAULT_NONE;
}

/* What their side of a stream says, as seen from ours. */
static int agree(struct sdp_agreed *a, const struct sdp_media *m, const struct sdp_local *local, unsigned index)
{
	unsigned ours = bits_of(sdp_direction_mirror(m->direction)) & bits_of(local->direction);

	*a = (struct sdp_agreed){ .index = (uint8_t)index, .ptime_ms = choose_ptime(m), .remote_port = m->port };
	a->direction = direction_of(ours);
	a->held = !(bits_of(sdp_direction_mirror(m->direction)) & SEND) || m->conn.unspecified;
	a->remote_rtcp_port = m->rtcp_port ? m->rtcp_port : m->port < 65535 ? (uint16_t)(m->port + 1) : 0;
	return text_copy(m->conn.addr, a->remote_addr, sizeof(a->remote_addr));
}

/* ---- writing ---- */
static void put_dtmf(struct buf *b, int pt)
{
	if (pt >= 0)
		buf_printf(b, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n", pt, pt);
}

/* The audio line of an answer. */
static void put_agreed(struct buf *b, const struct sdp_media *m, const struct sdp_local *local, const struct sdp_agreed *a)
{
	buf_printf(b, "m=audio %u %.*s %u", local->port, TEXT_FMT(m->proto_text), a->recv_pt);
	if (a->recv_dtmf_pt >= 0)
		buf_printf(b, " %d", a->recv_dtmf_pt);
	buf_printf(b, "\r\na=rtpmap:%u %s/8000\r\n", a->recv_pt, codecs[a->codec].name);
	put_dtmf(b, a->recv_dtmf_pt);
	sdes_put_answer(b, local->sdes);
	buf_printf(b, "a=ptime:%u\r\na=%s\r\n", a->ptime_ms, sdp_direction_name(a->direction));
}

/* A medium that we do not take: port 0 and one of its formats (RFC 3264 6). */
static void put_refused(struct buf *b, const struct sdp_media *m)
{
	struct text format, rest;

	text_cut(m->formats_text, ' ', &format, &rest);
	buf_str(b, "m=");
	buf_text(b, m->kind_text);
	buf_str(b, " 0 ");
	buf_text(b, m->proto_text);
	buf_char(b, ' ');
	buf_text(b, format);
	buf_str(b, "\r\n");
}

/* FNV-1a: only to see whether we say something else than before. */
static uint64_t hash_of(struct text t)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < t.n; i++)
		h = (h ^ (unsigned char)t.p[i]) * 1099511628211u;
	return h ? h : 1;
}

/* Puts the session's head before `rest`, which begins behind the o= line. */
static int put_description(struct buf *out, struct sdp_session *s, const struct sdp_local *local, struct buf *rest)
{
	const char *family = sip_host_classify(local->addr) == SIP_HOST_IPV6 ? "IP6" : "IP4";
	struct sdp_session next = *s;
	uint64_t hash;

	if (buf_error(rest))
		return buf_error(rest);
	hash = hash_of(buf_as_text(rest));
	if (s->last && s->last != hash)
		next.version++;
	next.last = hash;
	buf_printf(out, "v=0\r\no=umbel %llu %llu IN %s %.*s\r\n", (unsigned long long)next.id, (unsigned long long)next.version, family,
	           TEXT_FMT(local->addr));
	buf_text(out, buf_as_text(rest));
	if (!buf_error(out))
		*s = next;
	return buf_error(out);
}

static void put_session(struct buf *b, const struct sdp_local *local, struct text time)
{
	const char *family = sip_host_classify(local->addr) == SIP_HOST_IPV6 ? "IP6" : "IP4";

	buf_printf(b, "s=-\r\nc=IN %s %.*s\r\nt=%.*s\r\n", family, TEXT_FMT(local->addr), TEXT_FMT(time));
}

/* ---- answering ---- */
/* Finds the line to answer. When none fits, what is told is the fault of the line that came nearest. */
static int choose_among(const struct sdp *offer, const struct sdp_local *local, bool secret, struct sdp_agreed *a, struct sip_refusal *why)
{
	enum sip_fault fault = offer->n_media ? SIP_FAULT_SDP_NO_AUDIO : SIP_FAULT_SDP_NO_MEDIA;
	struct text at = TEXT_NONE;

	for (unsigned i = 0; i < offer->n_media; i++) {
		const struct sdp_media *m = &offer->media[i];
		const struct sdp_format *f;
		enum sdp_codec codec;
		enum sip_fault address;

		if (!sdes_fits(local->sdes, m, secret)) {
			if (m->kind == SDP_AUDIO && m->port && fault == SIP_FAULT_SDP_NO_AUDIO)
				at = m->proto_text;
			continue;
		}
		f = choose_codec(m, local, &codec);
		address = judge_address(&m->conn, local->addr);
		if (!f || address) {
			if (fault == SIP_FAULT_SDP_NO_AUDIO || f) {
				fault = f ? address : SIP_FAULT_SDP_NO_CODEC;
				at = f ? m->conn.addr : m->formats_text;
			}
			continue;
		}
		if (agree(a, m, local, i))
			return sip_refuse(why, SIP_FAULT_SDP_ADDRESS_NAME, m->conn.addr);
		a->codec = codec;
		a->send_pt = a->recv_pt = f->pt;
		a->send_dtmf_pt = a->recv_dtmf_pt = dtmf_pt(m, local);
		return 0;
	}
	return sip_refuse(why, fault, at);
}

/* Encrypted where it may be so, else plain where that may be. */
static int choose(const struct sdp *offer, const struct sdp_local *local, struct sdp_agreed *a, struct sip_refusal *why)
{
	enum sdes_want want = local->sdes ? local->sdes->want : SDES_OFF;
	bool secret = want != SDES_OFF;
	int err = choose_among(offer, local, secret, a, why);

	if (err && want == SDES_OPTIONAL) {
		secret = false;
		err = choose_among(offer, local, secret, a, why);
	}
	if (err)
		sdes_explain(local->sdes, offer, why);
	else
		err = sdes_take(local->sdes, &offer->media[a->index], secret);
	return err;
}

int sdp_answer(const struct sdp *offer, const struct sdp_local *local, struct sdp_session *s, struct buf *out, struct sdp_agreed *agreed,
               struct sip_refusal *why)
{
	struct sdp_agreed a;
	struct buf rest;
	int err;

	err = choose(offer, local, &a, why);
	if (err)
		return err;
	buf_init(&rest, DESCRIPTION_MAX);
	put_session(&rest, local, offer->time.n ? offer->time : TEXT("0 0"));
	for (unsigned i = 0; i < offer->n_media; i++) {
		if (i == a.index)
			put_agreed(&rest, &offer->media[i], local, &a);
		else
			put_refused(&rest, &offer->media[i]);
	}
	err = put_description(out, s, local, &rest);
	buf_free(&rest);
	if (!err)
		*agreed = a;
	return err;
}

/* ---- offering ---- */
int sdp_offer(const struct sdp_local *local, struct sdp_session *s, struct buf *out)
{
	struct buf rest;
	int err;

	buf_init(&rest, DESCRIPTION_MAX);
	put_session(&rest, local, TEXT("0 0"));
	buf_printf(&rest, "m=audio %u %s", local->port, sdes_offer_proto(local->sdes));
	for (unsigned i = 0; i < local->n_codecs; i++)
		buf_printf(&rest, " %u", codecs[local->codecs[i]].pt);
	if (local->dtmf)
		buf_printf(&rest, " %u", DTMF_PT);
	buf_str(&rest, "\r\n");
	for (unsigned i = 0; i < local->n_codecs; i++)
		buf_printf(&rest, "a=rtpmap:%u %s/8000\r\n", codecs[local->codecs[i]].pt, codecs[local->codecs[i]].name);
	put_dtmf(&rest, local->dtmf ? DTMF_PT : -1);
	err = sdes_put_offer(&rest, local->sdes);
	buf_printf(&rest, "a=ptime:%u\r\na=%s\r\n", local->ptime_ms ? local->ptime_ms : PTIME_MS, sdp_direction_name(local->direction));
	if (!err)
		err = put_description(out, s, local, &rest);
	buf_free(&rest);
	return err;
}

int sdp_accept(const struct sdp *answer, const struct sdp_local *local, struct sdp_agreed *agreed, struct sip_refusal *why)
{
	const struct sdp_media *m = &answer->media[0];
	const struct sdp_format *f;
	enum sip_fault address;
	enum sdp_codec codec;
	struct sdp_agreed a;

	if (!answer->n_media || m->kind != SDP_AUDIO)
		return sip_refuse(why, SIP_FAULT_SDP_ANSWER_MEDIA, TEXT_NONE);
	if (!m->port)
		return sip_refuse(why, SIP_FAULT_SDP_ANSWER_REFUSED, TEXT_NONE);
	if (sdes_accept(local->sdes, m, why))
		return EBADMSG;
	f = choose_codec(m, local, &codec);
	if (!f)
		return sip_refuse(why, SIP_FAULT_SDP_ANSWER_CODEC, m->formats_text);
	address = judge_address(&m->conn, local->addr);
	if (address || agree(&a, m, local, 0))
		return sip_refuse(why, address ? address : SIP_FAULT_SDP_ADDRESS_NAME, m->conn.addr);
	a.codec = codec;
	a.send_pt = f->pt;
	a.recv_pt = codecs[codec].pt;
	a.send_dtmf_pt = dtmf_pt(m, local);
	a.recv_dtmf_pt = a.send_dtmf_pt >= 0 ? DTMF_PT : -1;
	*agreed = a;
	return 0;
}

/* ---- telling ---- */
static void tell_format(struct buf *b, const struct sdp_media *m, const struct sdp_format *f)
{
	if (b->n)
		buf_str(b, ", ");
	if (f->name.n) {
		buf_text(b, f->name);
		if (f->rate != CLOCK || f->channels > 1)
			buf_printf(b, "/%u", f->rate);
		if (f->channels > 1)
			buf_printf(b, "/%u", f->channels);
	} else {
		buf_printf(b, "payload type %u", f->pt);
	}
	if (!sdp_is_plain_audio(m)) {
		buf_str(b, " by ");
		buf_text(b, m->proto_text);
	}
}

char *sdp_offered_codecs(const struct sdp *offer, char *dst, size_t size)
{
	struct buf b;

	buf_init(&b, DESCRIPTION_MAX);
	for (unsigned i = 0; i < offer->n_media; i++)
		for (unsigned k = 0; offer->media[i].kind == SDP_AUDIO && k < offer->media[i].n_formats; k++)
			tell_format(&b, &offer->media[i], &offer->media[i].format[k]);
	text_escape(buf_as_text(&b), dst, size);
	buf_free(&b);
	return dst;
}

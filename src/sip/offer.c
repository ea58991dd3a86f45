/* SPDX-License-Identifier: Apache-2.0 */
/* offer.c  Offer and answer (RFC 3264) for one stream of audio with telephone-event (RFC 4733). */
#include <errno.h>
#include "sip/chars.h"
#include "sip/offer.h"

enum { PTIME_MS = 20, PTIME_MAX_MS = 60, CLOCK = 8000, DESCRIPTION_MAX = 65536 };

/* What stands in rtpmap, and the payload type in our offers. G722 says 8000 though it samples 16,000 (RFC 3551 4.5.2), opus is always 48000/2
 * (RFC 7587 7). Opus is told that more than 16,000 samples a second are lost on us. */
static const struct {
	const char *name, *word;
	uint8_t pt, channels;
	uint32_t clock;
	const char *fmtp; /* NULL: none */
} codecs[SDP_CODECS] = {
	[SDP_PCMU] = { "PCMU", "pcmu", 0, 1, 8000, NULL },
	[SDP_PCMA] = { "PCMA", "pcma", 8, 1, 8000, NULL },
	[SDP_G722] = { "G722", "g722", 9, 1, 8000, NULL },
	[SDP_OPUS] = { "opus", "opus", 96, 2, 48000, "maxplaybackrate=16000;sprop-maxcapturerate=16000;useinbandfec=1" },
	[SDP_L16] = { "L16", "l16", 97, 1, 8000, NULL },
	[SDP_L16_WIDE] = { "L16", "l16-16k", 98, 1, 16000, NULL },
};
const struct sdp_codecs sdp_codecs_default = { .n = 4, .v = { SDP_PCMU, SDP_PCMA, SDP_G722, SDP_OPUS } };

/* Telephone-events run at the clock of the audio beside them (RFC 4733 2.1). */
static const struct {
	uint32_t clock;
	uint8_t pt;
} dtmf_clocks[] = { { 8000, 101 }, { 48000, 100 }, { 16000, 99 } };
enum { DTMF_CLOCKS = sizeof(dtmf_clocks) / sizeof(dtmf_clocks[0]) };

bool sdp_codec_of_word(struct text word, enum sdp_codec *codec)
{
	for (enum sdp_codec c = 0; c < SDP_CODECS; c++) {
		if (text_is_nocase(word, codecs[c].word)) {
			*codec = c;
			return true;
		}
	}
	return false;
}

const char *sdp_codec_name(enum sdp_codec c)
{
	return codecs[c].name;
}

void sdp_session_init(struct sdp_session *s, uint64_t seed)
{
	/* fits into a signed 63-bit number, with room for its versions: some peers read it so */
	*s = (struct sdp_session){ .id = seed >> 2 };
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
static const struct sdp_codecs g711 = { .n = 2, .v = { SDP_PCMU, SDP_PCMA } };

static const struct sdp_codecs *codecs_of(const struct sdp_local *local)
{
	return local->codecs ? local->codecs : &sdp_codecs_default;
}

static const struct sdp_codecs *offered_of(const struct sdp_local *local)
{
	return local->codecs ? local->codecs : &g711;
}

static bool is_format(const struct sdp_format *f, enum sdp_codec c)
{
	return f->rate == codecs[c].clock && f->channels == codecs[c].channels && text_is_nocase(f->name, codecs[c].name);
}

static const struct sdp_format *format_of(const struct sdp_media *m, enum sdp_codec c)
{
	for (unsigned i = 0; i < m->n_formats; i++)
		if (is_format(&m->format[i], c))
			return &m->format[i];
	return NULL;
}

/* The first of theirs that we have; `law`: of G.711 alone. */
static const struct sdp_format *first_of_theirs(const struct sdp_media *m, const struct sdp_codecs *ours, bool law, enum sdp_codec *codec)
{
	for (unsigned i = 0; i < m->n_formats; i++) {
		for (unsigned k = 0; k < ours->n; k++) {
			if ((!law || ours->v[k] <= SDP_PCMA) && is_format(&m->format[i], ours->v[k])) {
				*codec = ours->v[k];
				return &m->format[i];
			}
		}
	}
	return NULL;
}

static const struct sdp_format *choose_codec(const struct sdp_media *m, const struct sdp_codecs *ours, enum sdp_codec *codec)
{
	const struct sdp_format *f = NULL;

	if (!ours->strict) {
		f = first_of_theirs(m, ours, true, codec);
		return f ? f : first_of_theirs(m, ours, false, codec);
	}
	for (unsigned k = 0; !f && k < ours->n; k++) {
		*codec = ours->v[k];
		f = format_of(m, *codec);
	}
	return f;
}

/* Their telephone-event at that clock; -1 without. */
static int16_t event_at(const struct sdp_media *m, uint32_t clock)
{
	for (unsigned i = 0; i < m->n_formats; i++)
		if (text_is_nocase(m->format[i].name, "telephone-event") && m->format[i].rate == clock)
			return m->format[i].pt;
	return -1;
}

/* At the codec's clock; some phones have it at 8,000 alone, whatever the codec, and mean it. */
static void choose_dtmf(struct sdp_agreed *a, const struct sdp_media *m, const struct sdp_local *local)
{
	uint32_t clock = codecs[a->codec].clock;

	a->send_dtmf_pt = local->dtmf ? event_at(m, clock) : -1;
	if (local->dtmf && a->send_dtmf_pt < 0) {
		clock = CLOCK;
		a->send_dtmf_pt = event_at(m, clock);
	}
	a->recv_dtmf_pt = a->send_dtmf_pt;
	a->dtmf_khz = (uint16_t)(clock / 1000);
}

/* The payload type of our own offer. */
static int16_t our_dtmf_pt(unsigned khz)
{
	for (unsigned i = 0; i < DTMF_CLOCKS; i++)
		if (dtmf_clocks[i].clock == khz * 1000)
			return dtmf_clocks[i].pt;
	return -1;
}

/* Beside codecs with a clock of 8,000: its payload type has that one. Opus has means of its own. */
static bool choose_comfort(const struct sdp_agreed *a, const struct sdp_media *m, const struct sdp_local *local)
{
	for (unsigned i = 0; local->comfort && codecs[a->codec].clock == CLOCK && i < m->n_formats; i++)
		if (m->format[i].pt == SDP_COMFORT_PT && text_is_nocase(m->format[i].name, "CN") && m->format[i].rate == CLOCK)
			return true;
	return false;
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
static void put_dtmf(struct buf *b, int pt, uint32_t clock)
{
	if (pt >= 0)
		buf_printf(b, "a=rtpmap:%d telephone-event/%u\r\na=fmtp:%d 0-15\r\n", pt, clock, pt);
}

static void put_comfort(struct buf *b, bool comfort)
{
	if (comfort)
		buf_printf(b, "a=rtpmap:%d CN/%d\r\n", SDP_COMFORT_PT, CLOCK);
}

static void put_codec(struct buf *b, enum sdp_codec c, uint8_t pt)
{
	buf_printf(b, "a=rtpmap:%u %s/%u", pt, codecs[c].name, codecs[c].clock);
	if (codecs[c].channels > 1)
		buf_printf(b, "/%u", codecs[c].channels);
	buf_str(b, "\r\n");
	if (codecs[c].fmtp)
		buf_printf(b, "a=fmtp:%u %s\r\n", pt, codecs[c].fmtp);
}

/* The audio line of an answer. */
static void put_agreed(struct buf *b, const struct sdp_media *m, const struct sdp_local *local, const struct sdp_agreed *a)
{
	buf_printf(b, "m=audio %u %.*s %u", local->port, TEXT_FMT(m->proto_text), a->recv_pt);
	if (a->recv_dtmf_pt >= 0)
		buf_printf(b, " %d", a->recv_dtmf_pt);
	if (a->comfort)
		buf_printf(b, " %d", SDP_COMFORT_PT);
	buf_str(b, "\r\n");
	put_codec(b, a->codec, a->recv_pt);
	put_comfort(b, a->comfort);
	put_dtmf(b, a->recv_dtmf_pt, a->dtmf_khz * 1000u);
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
		next.changes++;
	next.last = hash;
	buf_printf(out, "v=0\r\no=umbel %llu %llu IN %s %.*s\r\n", (unsigned long long)next.id, (unsigned long long)next.id + next.changes, family,
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
		f = choose_codec(m, codecs_of(local), &codec);
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
		choose_dtmf(a, m, local);
		a->comfort = choose_comfort(a, m, local);
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
	if (!err) {
		*agreed = a;
		s->before = a.index;
		s->behind = (uint8_t)(offer->n_media - a.index - 1);
	}
	return err;
}

/* ---- offering ---- */
/* A telephone-event for each clock that the codecs have. */
static bool offers_clock(const struct sdp_codecs *ours, uint32_t clock)
{
	for (unsigned i = 0; i < ours->n; i++)
		if (codecs[ours->v[i]].clock == clock)
			return true;
	return false;
}

static void put_offered(struct buf *b, const struct sdp_local *local)
{
	const struct sdp_codecs *ours = offered_of(local);

	buf_printf(b, "m=audio %u %s", local->port, sdes_offer_proto(local->sdes));
	for (unsigned i = 0; i < ours->n; i++)
		buf_printf(b, " %u", codecs[ours->v[i]].pt);
	for (unsigned i = 0; local->dtmf && i < DTMF_CLOCKS; i++)
		if (offers_clock(ours, dtmf_clocks[i].clock))
			buf_printf(b, " %u", dtmf_clocks[i].pt);
	bool comfort = local->comfort && offers_clock(ours, CLOCK);
	if (comfort)
		buf_printf(b, " %d", SDP_COMFORT_PT);
	buf_str(b, "\r\n");
	for (unsigned i = 0; i < ours->n; i++)
		put_codec(b, ours->v[i], codecs[ours->v[i]].pt);
	put_comfort(b, comfort);
	for (unsigned i = 0; local->dtmf && i < DTMF_CLOCKS; i++)
		if (offers_clock(ours, dtmf_clocks[i].clock))
			put_dtmf(b, dtmf_clocks[i].pt, dtmf_clocks[i].clock);
}

/* Lines of theirs that were refused: each keeps its place for good (RFC 3264 8). */
static void put_places(struct buf *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_str(b, "m=audio 0 RTP/AVP 0\r\n");
}

int sdp_offer(const struct sdp_local *local, struct sdp_session *s, struct buf *out)
{
	struct buf rest;
	int err;

	buf_init(&rest, DESCRIPTION_MAX);
	put_session(&rest, local, TEXT("0 0"));
	put_places(&rest, s->before);
	put_offered(&rest, local);
	err = sdes_put_offer(&rest, local->sdes);
	buf_printf(&rest, "a=ptime:%u\r\na=%s\r\n", local->ptime_ms ? local->ptime_ms : PTIME_MS, sdp_direction_name(local->direction));
	put_places(&rest, s->behind);
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

	for (unsigned i = 0; i < answer->n_media; i++) { /* ours is the one that was not refused before */
		if (answer->media[i].kind == SDP_AUDIO && answer->media[i].port) {
			m = &answer->media[i];
			break;
		}
	}
	if (!answer->n_media || m->kind != SDP_AUDIO)
		return sip_refuse(why, SIP_FAULT_SDP_ANSWER_MEDIA, TEXT_NONE);
	if (!m->port)
		return sip_refuse(why, SIP_FAULT_SDP_ANSWER_REFUSED, TEXT_NONE);
	if (sdes_accept(local->sdes, m, why))
		return EBADMSG;
	f = first_of_theirs(m, offered_of(local), false, &codec); /* what they name first is what they send (RFC 3264 6.1, 7) */
	if (!f)
		return sip_refuse(why, SIP_FAULT_SDP_ANSWER_CODEC, m->formats_text);
	address = judge_address(&m->conn, local->addr);
	if (address || agree(&a, m, local, 0))
		return sip_refuse(why, address ? address : SIP_FAULT_SDP_ADDRESS_NAME, m->conn.addr);
	a.codec = codec;
	a.send_pt = f->pt;
	a.recv_pt = codecs[codec].pt;
	choose_dtmf(&a, m, local);
	a.comfort = choose_comfort(&a, m, local);
	a.recv_dtmf_pt = a.send_dtmf_pt >= 0 ? our_dtmf_pt(a.dtmf_khz) : -1;
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

char *sdp_codecs_text(const struct sdp_codecs *c, char *dst, size_t size)
{
	struct buf b;

	if (!c || !c->n)
		c = &sdp_codecs_default;
	buf_init(&b, DESCRIPTION_MAX);
	for (unsigned i = 0; i < c->n; i++) {
		if (i)
			buf_str(&b, ", ");
		buf_str(&b, codecs[c->v[i]].name);
		if (c->v[i] == SDP_L16_WIDE)
			buf_str(&b, "/16000");
	}
	text_escape(buf_as_text(&b), dst, size);
	buf_free(&b);
	return dst;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* sdes.c  See sdes.h. */
#include "sip/sdes.h"
#include <errno.h>
#include "base/mem.h"
#include "base/rand.h"
#include "sip/chars.h"
#include "sip/header.h"

enum { BASE64_MAX = (SRTP_KEY_MAX + 2) / 3 * 4, LIFETIME_BITS = 48, TAG_MAX = 999999999 };

const char *sdes_want_name(enum sdes_want w)
{
	static const char *const names[] = { [SDES_OFF] = "off", [SDES_OPTIONAL] = "optional", [SDES_REQUIRED] = "required" };

	return names[w];
}

void sdes_init(struct sdes *s, enum sdes_want want)
{
	static const uint8_t all[] = { SRTP_AES_GCM_256, SRTP_AES_CM_256_80, SRTP_AES_GCM_128, SRTP_AES_CM_128_80, SRTP_AES_CM_256_32, SRTP_AES_CM_128_32 };

	*s = (struct sdes){ .want = want, .n_suites = sizeof(all) };
	memcpy(s->suites, all, sizeof(all));
}

/* ---- base64 (RFC 4648 4) ---- */
static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Exactly n bytes. The '=' at the end may be left out, as some phones do. */
static int decode(struct text t, uint8_t *dst, size_t n)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t got = 0;

	while (t.n && t.p[t.n - 1] == '=')
		t.n--;
	if (t.n != (n * 8 + 5) / 6)
		return EBADMSG;
	for (size_t i = 0; i < t.n; i++) {
		int v = sextet(t.p[i]);
		if (v < 0)
			return EBADMSG;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (got < n)
			dst[got++] = (uint8_t)(bits >> have);
	}
	return got == n ? 0 : EBADMSG;
}

static void encode(const uint8_t *p, size_t n, char dst[BASE64_MAX + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t at = 0;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0u);
		dst[at++] = digits[v >> 18];
		dst[at++] = digits[v >> 12 & 63];
		dst[at++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
		dst[at++] = i + 2 < n ? digits[v & 63] : '=';
	}
	dst[at] = '\0';
}

/* ---- one line ---- */
static bool word(struct text *rest, struct text *w)
{
	*rest = sip_trim(*rest);
	text_cut(*rest, ' ', w, rest);
	return w->n > 0;
}

/* "2^31" or a plain number: how many packets a key is good for; 2^48 at most. */
static int parse_lifetime(struct text t)
{
	uint64_t n;

	if (text_starts(t, "2^"))
		return text_u64(text_skip(t, 2), LIFETIME_BITS, &n) ? EBADMSG : 0;
	return text_u64(t, UINT64_C(1) << LIFETIME_BITS, &n) || !n ? EBADMSG : 0;
}

/* "1:4": the name of the key, and in how many bytes packets carry it. Longer ones than ours are possible, and not known to be used by anybody. */
static int parse_mki(struct text t, struct srtp_key *key)
{
	struct text value, length;
	uint64_t name;
	uint32_t bytes;

	if (!text_cut(t, ':', &value, &length) || text_u32(length, 128, &bytes) || !bytes || text_empty(value))
		return EBADMSG;
	if (bytes > SRTP_MKI_MAX)
		return ENOTSUP;
	if (text_u64(value, UINT32_MAX, &name) || name >> (8 * bytes))
		return EBADMSG;
	key->mki_bytes = (uint8_t)bytes;
	key->mki = (uint32_t)name;
	return 0;
}

/* inline:KEY[|lifetime][|MKI:length]; more than one key, with ';' between, we do not have. */
static int parse_key(struct text t, struct srtp_key *key)
{
	struct text part;
	int err;

	if (text_find(t, ';') != SIZE_MAX)
		return ENOTSUP;
	if (!text_starts_nocase(t, "inline:"))
		return text_find(t, ':') == SIZE_MAX ? EBADMSG : ENOTSUP;
	text_cut(text_skip(t, 7), '|', &part, &t);
	err = decode(part, key->bytes, srtp_suite_bytes(key->suite));
	if (!err && t.n) {
		text_cut(t, '|', &part, &t);
		if (text_find(part, ':') != SIZE_MAX && !t.n)
			return parse_mki(part, key);
		err = parse_lifetime(part);
	}
	if (!err && t.n)
		err = parse_mki(t, key);
	return err;
}

/* What follows the key (RFC 4568 6.3). All but a hint about the receiver's window change what is sent, so they cannot be passed over. */
static int parse_parameter(struct text t)
{
	uint32_t n;

	if (text_starts_nocase(t, "WSH="))
		return text_u32(text_skip(t, 4), UINT32_MAX, &n) || n < 64 ? EBADMSG : 0;
	return t.p[0] == '-' ? 0 : ENOTSUP;
}

int sdes_parse(struct sdes_line *l, struct text value)
{
	struct text rest = value, tag, keys, parameter;
	int err;

	*l = (struct sdes_line){ 0 };
	if (!word(&rest, &tag) || text_u32(tag, TAG_MAX, &l->tag) || tag.n > 9 || !word(&rest, &l->suite) || !sip_is_token(l->suite) || !word(&rest, &keys))
		return EBADMSG;
	l->key.suite = srtp_suite_named(l->suite);
	if (l->key.suite == SRTP_NONE)
		return ENOTSUP;
	err = parse_key(keys, &l->key);
	while (!err && word(&rest, &parameter))
		err = parse_parameter(parameter);
	return err;
}

void sdes_put(struct buf *b, uint32_t tag, struct text suite, const struct srtp_key *key)
{
	char text[BASE64_MAX + 1];

	encode(key->bytes, srtp_suite_bytes(key->suite), text);
	buf_printf(b, "a=crypto:%u %.*s inline:%s", tag, TEXT_FMT(suite), text);
	if (key->mki_bytes) /* a lifetime stands before it where phones are strict about the grammar */
		buf_printf(b, "|2^31|%u:%u", key->mki, key->mki_bytes);
	buf_str(b, "\r\n");
	mem_wipe(text, sizeof(text));
}

/* ---- which media ---- */
static bool is_secret_proto(const struct sdp_media *m)
{
	return m->proto == SDP_RTP_SAVP || m->proto == SDP_RTP_SAVPF;
}

static bool is_sound(const struct sdp_media *m)
{
	return m->kind == SDP_AUDIO && m->port && (is_secret_proto(m) || sdp_is_plain_audio(m));
}

static bool may_use(const struct sdes *s, enum srtp_suite suite)
{
	for (unsigned i = 0; i < s->n_suites; i++)
		if (s->suites[i] == suite)
			return true;
	return false;
}

static int next_line(struct text *rest, struct text *value)
{
	struct text name;
	int err;

	do
		err = sdp_attr_next(rest, &name, value);
	while (!err && !text_is_nocase(name, "crypto"));
	return err;
}

/* Their first line that we can use; one with a short tag only where there is no other. */
static bool pick(const struct sdes *s, const struct sdp_media *m, struct sdes_line *l)
{
	for (unsigned weak = 0; weak < 2; weak++) {
		struct text rest = m->lines, value;
		while (!next_line(&rest, &value))
			if (!sdes_parse(l, value) && l->suite.n < SDES_NAME && may_use(s, l->key.suite) && srtp_suite_short_tag(l->key.suite) == weak)
				return true;
	}
	return false;
}

bool sdes_fits(const struct sdes *s, const struct sdp_media *m, bool secret)
{
	struct sdes_line l;
	bool fits;

	if (!secret)
		return sdp_is_plain_audio(m);
	if (!s || s->want == SDES_OFF || s->open_line || !is_sound(m) || !m->has_crypto)
		return false;
	fits = pick(s, m, &l);
	mem_wipe(&l, sizeof(l));
	return fits;
}

/* ---- answering ---- */
/* What we say we encrypt with; packets name it if theirs do. */
static int our_key(const struct sdes *s, const struct srtp_key *theirs, struct srtp_key *key)
{
	if (!s->anew && s->now.on && s->now.send.suite == theirs->suite && s->now.send.mki_bytes == theirs->mki_bytes) {
		*key = s->now.send;
		return 0;
	}
	*key = (struct srtp_key){ .suite = theirs->suite, .mki_bytes = theirs->mki_bytes, .mki = theirs->mki };
	return rand_bytes(key->bytes, srtp_suite_bytes(key->suite)) ? EIO : 0;
}

int sdes_take(struct sdes *s, const struct sdp_media *m, bool secret)
{
	struct sdes_line l;
	int err = 0;

	if (!s)
		return 0;
	mem_wipe(&s->next, sizeof(s->next));
	if (!secret || !pick(s, m, &l))
		return 0;
	s->next.on = true;
	s->next.savp = is_secret_proto(m);
	s->next.tag = l.tag;
	s->next.recv = l.key;
	err = text_copy(l.suite, s->next.suite, sizeof(s->next.suite));
	if (!err)
		err = our_key(s, &l.key, &s->next.send);
	mem_wipe(&l, sizeof(l));
	return err;
}

void sdes_put_answer(struct buf *b, const struct sdes *s)
{
	if (s && s->next.on)
		sdes_put(b, s->next.tag, text_of(s->next.suite), &s->next.send);
}

/* Why not this medium. */
static enum sip_fault fault_of(const struct sdes *s, const struct sdp_media *m)
{
	enum sdes_want want = s ? s->want : SDES_OFF;

	if (want == SDES_OFF)
		return SIP_FAULT_SDP_ONLY_SRTP;
	if (!m->has_crypto)
		return is_secret_proto(m) ? SIP_FAULT_SDP_NO_KEYS : SIP_FAULT_SDP_NOT_ENCRYPTED;
	return s->open_line ? SIP_FAULT_SDP_KEYS_OPEN : SIP_FAULT_SDP_NO_SUITE;
}

void sdes_explain(const struct sdes *s, const struct sdp *offer, struct sip_refusal *why)
{
	const struct sdp_media *found = NULL;

	if (why->fault != SIP_FAULT_SDP_NO_AUDIO)
		return;
	for (unsigned i = 0; i < offer->n_media; i++) /* the one that came nearest: with keys */
		if (is_sound(&offer->media[i]) && (!found || (offer->media[i].has_crypto && !found->has_crypto)))
			found = &offer->media[i];
	if (found)
		(void)sip_refuse(why, fault_of(s, found), found->proto_text);
}

/* ---- offering ---- */
const char *sdes_offer_proto(const struct sdes *s)
{
	return s && (s->want == SDES_REQUIRED || (s->now.on && s->now.savp && !s->anew)) ? "RTP/SAVP" : "RTP/AVP";
}

static int put_anew(struct buf *b, struct sdes *s)
{
	for (unsigned i = 0; i < s->n_suites; i++) {
		struct srtp_key *key = &s->offered[i];
		*key = (struct srtp_key){ .suite = (enum srtp_suite)s->suites[i] };
		if (rand_bytes(key->bytes, srtp_suite_bytes(key->suite)))
			return EIO;
		sdes_put(b, i + 1, text_of(srtp_suite_name(key->suite)), key);
	}
	s->n_offered = s->n_suites;
	return 0;
}

int sdes_put_offer(struct buf *b, struct sdes *s)
{
	if (!s)
		return 0;
	s->n_offered = 0;
	if (s->want == SDES_OFF || s->open_line || (s->settled && !s->now.on && !s->anew))
		return 0;
	if (!s->now.on || s->anew)
		return put_anew(b, s);
	s->offered[0] = s->now.send; /* the sound goes on under the same keys */
	s->n_offered = 1;
	sdes_put(b, 1, text_of(s->now.suite), &s->offered[0]);
	return 0;
}

static int accept_line(struct sdes *s, const struct sdes_line *l, struct sip_refusal *why)
{
	const struct srtp_key *ours = l->tag && l->tag <= s->n_offered ? &s->offered[l->tag - 1] : NULL;

	if (!ours || ours->suite != l->key.suite || l->suite.n >= SDES_NAME)
		return sip_refuse(why, SIP_FAULT_SDP_ANSWER_KEYS, l->suite);
	s->next.on = true;
	s->next.tag = l->tag;
	s->next.send = *ours;
	s->next.recv = l->key;
	return text_copy(l->suite, s->next.suite, sizeof(s->next.suite));
}

int sdes_accept(struct sdes *s, const struct sdp_media *m, struct sip_refusal *why)
{
	struct text rest = m->lines, value, more;
	struct sdes_line l;
	int err;

	if (s)
		mem_wipe(&s->next, sizeof(s->next));
	if (!is_sound(m) || (!s && is_secret_proto(m)))
		return sip_refuse(why, SIP_FAULT_SDP_ANSWER_MEDIA, m->proto_text);
	if (!s || next_line(&rest, &value) || !s->n_offered) {
		if (is_secret_proto(m))
			return sip_refuse(why, SIP_FAULT_SDP_ANSWER_KEYS, m->proto_text);
		return s && s->want == SDES_REQUIRED ? sip_refuse(why, SIP_FAULT_SDP_ANSWER_PLAIN, m->proto_text) : 0;
	}
	if (sdes_parse(&l, value) || !next_line(&rest, &more))
		err = sip_refuse(why, SIP_FAULT_SDP_ANSWER_KEYS, m->proto_text);
	else
		err = accept_line(s, &l, why);
	if (!err)
		s->next.savp = is_secret_proto(m);
	mem_wipe(&l, sizeof(l));
	return err;
}

void sdes_settle(struct sdes *s)
{
	if (!s)
		return;
	s->now = s->next;
	s->settled = true;
	s->anew = false;
	s->n_offered = 0;
	mem_wipe(s->offered, sizeof(s->offered));
	mem_wipe(&s->next, sizeof(s->next));
}

/* ---- telling ---- */
static void tell_suites(struct buf *b, const struct sdp_media *m)
{
	struct text rest = m->lines, value, tag, suite;
	bool any = false;

	while (!next_line(&rest, &value)) {
		if (!word(&value, &tag) || !word(&value, &suite) || !sip_is_token(suite) || suite.n >= SDES_NAME)
			continue;
		buf_str(b, any ? "/" : " with ");
		buf_text(b, suite);
		any = true;
	}
	if (!any && m->has_crypto)
		buf_str(b, " with keys that cannot be read");
	else if (!any && is_secret_proto(m))
		buf_str(b, " without keys");
}

char *sdes_offered(const struct sdp *offer, char *dst, size_t size)
{
	struct buf b;

	buf_init(&b, 8192);
	for (unsigned i = 0; i < offer->n_media; i++) {
		const struct sdp_media *m = &offer->media[i];
		if (m->kind != SDP_AUDIO || !m->port)
			continue;
		buf_str(&b, b.n ? ", " : "");
		buf_text(&b, m->proto_text);
		tell_suites(&b, m);
	}
	text_escape(buf_as_text(&b), dst, size);
	buf_free(&b);
	return dst;
}

/* ---- showing ---- */
static bool begins(const char *p, const char *end, const char *word)
{
	return text_starts_nocase(text_make(p, (size_t)(end - p)), word);
}

/* Wherever a line begins with a=crypto (a=cryptoscale, too), what stands behind "inline:" up to '|' or a space; folded or cut lines are struck as well. */
void sdes_strike(char *p, size_t n)
{
	char *end = p + n;

	while (p < end) {
		char *line_end = memchr(p, '\n', (size_t)(end - p));
		if (!line_end)
			line_end = end;
		bool in_key = false;
		for (char *c = p; begins(p, line_end, "a=crypto") && c < line_end; c++) {
			if (*c == ':' && c - p >= 6 && begins(c - 6, line_end, "inline:")) {
				in_key = true;
				continue;
			}
			if (*c == '|' || *c == ' ' || *c == '\r' || *c == ';')
				in_key = false;
			if (in_key)
				*c = 'x';
		}
		p = line_end < end ? line_end + 1 : end;
	}
}

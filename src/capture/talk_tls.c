/* SPDX-License-Identifier: Apache-2.0 */
/* talk_tls.c  What the records of a packet tell. In a packet the records in the clear come first and the protected ones after them; what
 * tshark could decrypt of the latter follows in its list of types. */
#include <errno.h>
#include "base/mem.h"
#include "capture/talk_private.h"

enum { REC_CCS = 20, REC_ALERT = 21, REC_HANDSHAKE = 22, REC_DATA = 23 };
enum { HS_CLIENT_HELLO = 1, HS_SERVER_HELLO = 2, HS_CERTIFICATE = 11, HS_REQUEST = 13, HS_FINISHED = 20 };
enum { TICKET_DIFFERS = 32, TICKET_WINDOW_US = 500000, TICKET_GAP_US = 50000 };
enum { TAG = 16, TAG_CCM_8 = 8, ALERT_13 = 2 + 1 + TAG, EMPTY_CERT_13 = 4 + 1 + 3 + 1 + TAG, FINISHED_13 = 4 + 32 + 1 + TAG };
enum { SUITE_AES_256 = 0x1302, SUITE_CCM_8 = 0x1305, EXT_PSK = 41, PADDED_RECORDS = 3, PADDED_TO = 8 };

struct records {
	struct cap_talk *t;
	struct cap_side *s;
	unsigned from;
	int64_t us;
	unsigned readable_alerts; /* of this packet */
	bool own_finished;        /* seen in this packet's messages */
};

static void maybe_done(struct cap_talk *t, int64_t us)
{
	bool done = t->version == CAP_TLS13 ? t->side[CAP_CLIENT].finished : t->side[0].finished && t->side[1].finished;
	if (done && !t->tls_done) {
		t->tls_done = true;
		t->done_us = us;
	}
}

/* ---- messages in the clear, or decrypted ---- */

static void client_hello(struct cap_talk *t, const struct cap_line *l)
{
	struct text list = l->value[CAP_HS_SUITE], v;
	struct trust_hello *h = &t->hello;
	uint64_t n;
	*h = (struct trust_hello){ .seen = true };
	while (cap_next(&list, &v))
		if (cap_number(v, 0xffff, &n) && !((n & 0x0f0f) == 0x0a0a && n >> 8 == (n & 0xff))) {
			if (h->n_suites < TRUST_SUITES)
				h->suite[h->n_suites++] = (uint16_t)n;
			else
				h->cut = true;
		}
	list = l->value[CAP_HS_VERSIONS];
	while (cap_next(&list, &v))
		if (cap_number(v, 0xffff, &n) && !((n & 0x0f0f) == 0x0a0a && n >> 8 == (n & 0xff)) && h->n_versions < TRUST_VERSIONS)
			h->version[h->n_versions++] = (uint16_t)n;
	if (!h->n_versions && cap_number(cap_first(l->value[CAP_HS_VERSION]), 0xffff, &n))
		h->version[h->n_versions++] = (uint16_t)n;
	text_escape(cap_first(l->value[CAP_HS_SNI]), h->sni, sizeof h->sni);
	text_escape(cap_first(l->value[CAP_HS_ALPN]), t->alpn, sizeof t->alpn);
}

static void server_hello(struct cap_talk *t, const struct cap_line *l)
{
	uint64_t n;
	if (cap_number(cap_first(l->value[CAP_HS_VERSION]), 0xffff, &n))
		t->version = (uint16_t)n;
	if (cap_number(cap_first(l->value[CAP_HS_VERSIONS]), 0xffff, &n))
		t->version = (uint16_t)n;
	if (cap_number(cap_first(l->value[CAP_HS_SUITE]), 0xffff, &n))
		t->suite = (uint16_t)n;
	struct text list = l->value[CAP_HS_EXTENSION], v;
	while (t->version == CAP_TLS13 && cap_next(&list, &v)) /* RFC 8446 4.2.11: the server took the offered key */
		t->resumed = t->resumed || (cap_number(v, 0xffff, &n) && n == EXT_PSK);
}

static int certificates(struct cap_side *s, const struct cap_line *l)
{
	struct text list = l->value[CAP_HS_CERT], v;
	if (s->n_certs)
		return 0; /* renegotiated, or repeated */
	while (s->n_certs < CAP_CERTS && cap_next(&list, &v)) {
		size_t room = v.n / 2;
		if (!room || room > CAP_CERT_MAX)
			continue;
		uint8_t *p = mem_alloc(room);
		if (!p)
			return ENOMEM;
		size_t n = cap_bytes(v, p, room);
		if (!n) {
			mem_free(p);
			continue;
		}
		s->cert[s->n_certs].p = p;
		s->cert[s->n_certs++].n = n;
	}
	return 0;
}

static int messages(struct records *r, const struct cap_line *l)
{
	struct text list = l->value[CAP_HS_TYPE], v;
	struct cap_talk *t = r->t;
	uint64_t type;
	int err = 0;
	while (cap_next(&list, &v)) {
		if (!cap_number(v, 255, &type))
			continue;
		if (type == HS_CLIENT_HELLO && !t->direction_known) {
			if (r->from == CAP_SERVER) {
				cap_talk_swap(t);
				r->from = CAP_CLIENT;
				r->s = &t->side[CAP_CLIENT];
			}
			t->direction_known = true;
		}
		if (type == HS_CLIENT_HELLO && r->from == CAP_CLIENT) {
			t->tls = r->s->hello = true;
			t->hello_us = t->hello_us ? t->hello_us : r->us;
			client_hello(t, l);
		} else if (type == HS_SERVER_HELLO && r->from == CAP_SERVER) {
			t->tls = r->s->hello = true;
			server_hello(t, l);
		} else if (type == HS_REQUEST && r->from == CAP_SERVER) {
			t->cert_requested = true;
		} else if (type == HS_CERTIFICATE) {
			r->s->cert_message = true;
			err = certificates(r->s, l);
			r->s->empty_cert = !err && !r->s->n_certs && r->from == CAP_CLIENT && !t->cut;
		} else if (type == HS_FINISHED) {
			t->readable = r->own_finished = true;
		}
	}
	return err;
}

/* ---- alerts that can be read ---- */

static void alerts(struct records *r, const struct cap_line *l)
{
	struct text levels = l->value[CAP_ALERT_LEVEL], numbers = l->value[CAP_ALERT_DESC], v, w;
	struct cap_talk *t = r->t;
	uint64_t level, number;
	while (cap_next(&numbers, &v) && cap_next(&levels, &w)) {
		if (!cap_number(v, 255, &number) || !cap_number(w, 255, &level))
			continue;
		r->readable_alerts++;
		t->tls = true;
		if (t->n_alerts < CAP_ALERTS)
			t->alert[t->n_alerts++] = (struct cap_alert){ .at_us = r->us, .side = (uint8_t)r->from, .number = (uint8_t)number,
								      .fatal = level == 2, .after_handshake = t->tls_done };
	}
}

/* ---- records ---- */

static void data_record(struct records *r)
{
	if (!r->s->app_records++)
		r->s->app_us = r->us;
	r->s->last_app_us = r->us;
}

/* TLS 1.2 and before: the type is in the clear, whatever else is not. */
static void plain_record(struct records *r, unsigned type)
{
	struct cap_talk *t = r->t;
	if (type == REC_CCS) {
		r->s->ccs = true;
	} else if (type == REC_HANDSHAKE && r->s->ccs && t->version != CAP_TLS13 && t->version) {
		if (!r->s->finished && t->side[CAP_SERVER].hello && !t->side[CAP_SERVER].cert_message && r->from == CAP_SERVER &&
		    !t->side[CAP_CLIENT].ccs)
			t->resumed = true; /* the server is first only in a short handshake */
		r->s->finished = true;
	} else if (type == REC_DATA && t->version != CAP_TLS13) {
		data_record(r);
	} else if (type == REC_ALERT && r->s->ccs) {
		if (r->readable_alerts)
			r->readable_alerts--;
		else
			r->s->small_us = r->us;
	}
}

static unsigned finished_size(const struct cap_talk *t)
{
	return FINISHED_13 + (t->suite == SUITE_AES_256 ? 16u : 0u);
}

/* RFC 8446 5.4: records may be padded, and a stack that does it pads all to a multiple. */
static void measure(struct cap_talk *t, unsigned len)
{
	unsigned a = len > TAG ? len - TAG : 0, b = t->common;
	while (b) {
		unsigned rest = a % b;
		a = b;
		b = rest;
	}
	t->common = a;
	t->n_opaque++;
}

bool cap_talk_padded(const struct cap_talk *t)
{
	return t->n_opaque >= PADDED_RECORDS && t->common >= PADDED_TO;
}

/* TLS 1.3, and no key: by size and order. */
static void opaque_record(struct records *r, unsigned len)
{
	struct cap_talk *t = r->t;
	struct cap_side *s = r->s;
	if (t->suite == SUITE_CCM_8)
		len += TAG - TAG_CCM_8; /* all sizes here are those of the usual tag */
	measure(t, len);
	if (r->from == CAP_CLIENT && !s->finished) {
		if (len == finished_size(t)) {
			s->finished = true;
			return;
		}
		s->refused_early = s->refused_early || (!s->flight && len == ALERT_13);
		s->empty_cert = s->empty_cert || (!s->flight && len == EMPTY_CERT_13);
		s->flight += len;
		if (len == ALERT_13)
			s->small_us = r->us;
		return;
	}
	if (r->from == CAP_SERVER && !t->side[CAP_CLIENT].finished) {
		if (t->side[CAP_CLIENT].flight > ALERT_13 && len > ALERT_13)
			t->side[CAP_CLIENT].finished = true; /* all in one record: the server's going on shows it */
		else {
			if (len == ALERT_13)
				s->small_us = r->us;
			return;
		}
	}
	if (len == ALERT_13) {
		s->small_us = r->us;
	} else if (r->from == CAP_CLIENT) {
		data_record(r);
	} else {
		if (s->late < CAP_LATE) {
			s->late_len[s->late] = (uint16_t)len;
			s->late_us[s->late] = r->us;
		}
		if (!s->late++)
			s->app_us = r->us;
		s->last_app_us = r->us;
	}
}

static void known_record(struct records *r, unsigned type)
{
	struct cap_talk *t = r->t;
	t->readable = true;
	if (type == REC_DATA)
		data_record(r);
	else if (type == REC_HANDSHAKE && t->tls_done && r->from == CAP_SERVER)
		r->s->late++; /* a ticket: it was let in */
	else if (type == REC_ALERT && r->readable_alerts)
		r->readable_alerts--;
}

static void all_records(struct records *r, const struct cap_line *l)
{
	struct text lens = l->value[CAP_REC_LEN], types = l->value[CAP_REC_TYPE], v, w;
	unsigned n = cap_count(lens), n_opaque = cap_count(l->value[CAP_REC_OPAQUE]), n_types = cap_count(types);
	unsigned n_plain = n > n_opaque ? n - n_opaque : 0;
	uint64_t len, type;
	bool decrypted = n_types > n_plain && n_opaque;
	for (unsigned i = 0; i < n && cap_next(&lens, &v); i++) {
		bool typed = cap_next(&types, &w) && cap_number(w, 255, &type);
		if (i < n_plain) {
			if (typed)
				plain_record(r, (unsigned)type);
		} else if (decrypted) {
			if (typed)
				known_record(r, (unsigned)type);
		} else if (cap_number(v, 65535, &len)) {
			opaque_record(r, (unsigned)len);
		}
		maybe_done(r->t, r->us);
	}
}

int cap_talk_tls(struct cap_talk *t, const struct cap_line *l, unsigned from, int64_t us)
{
	struct records r = { .t = t, .s = &t->side[from], .from = from, .us = us };
	if (!l->value[CAP_REC_TYPE].n && !l->value[CAP_REC_OPAQUE].n)
		return 0;
	int err = messages(&r, l);
	alerts(&r, l);
	all_records(&r, l);
	if (r.own_finished) {
		r.s->finished = true;
		maybe_done(t, us);
	}
	return err;
}

bool cap_talk_admitted(const struct cap_talk *t)
{
	if (!t->tls_done)
		return false;
	return t->version != CAP_TLS13 || t->side[CAP_SERVER].late || t->side[CAP_SERVER].app_records || t->sip;
}

/* Session tickets: records of nearly one length (they differ by the padding of what is encrypted in them), at least two of them, sent in one breath
 * right after the handshake. */
static unsigned tickets(const struct cap_talk *t, const struct cap_side *s)
{
	unsigned n = 0;
	while (n < s->late && n < CAP_LATE) {
		int differs = (int)s->late_len[n] - (int)s->late_len[0];
		if (differs > TICKET_DIFFERS || differs < -TICKET_DIFFERS || s->late_us[n] - t->done_us > TICKET_WINDOW_US ||
		    (n && s->late_us[n] - s->late_us[n - 1] > TICKET_GAP_US))
			break;
		n++;
	}
	return n >= 2 ? n : 0;
}

enum cap_spoke cap_talk_spoke(const struct cap_talk *t, unsigned side)
{
	const struct cap_side *s = &t->side[side];
	if (s->requests || s->answers || s->app_records)
		return CAP_SPOKE;
	if (t->readable || side == CAP_CLIENT || t->version != CAP_TLS13)
		return CAP_SILENT;
	if (s->late && cap_talk_padded(t))
		return CAP_PERHAPS;
	unsigned first = s->late ? tickets(t, s) : 0;
	return s->late == first ? CAP_SILENT : first || s->late > 1 ? CAP_SPOKE : CAP_PERHAPS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* sip_headers.c  Fuzz target: one header field value; the first byte chooses its parser. */
#include <errno.h>
#include "sip/digest.h"
#include "sip/header.h"
#include "sip/summary.h"
#include "sip/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool yes)
{
	if (!yes)
		abort();
}

static void list(struct text t)
{
	struct text item, rest = t;
	size_t n = 0;
	int err;

	while ((err = sip_list_next(&rest, &item)) == 0)
		must(item.n > 0 && ++n <= t.n);
	must(err == ENOENT || err == EBADMSG);
}

static void params(struct text t)
{
	struct text name, value, rest = t, found;
	size_t n = 0;

	while (!sip_param_next(&rest, &name, &value))
		must(sip_is_token(name) && ++n <= t.n);
	if (sip_param_find(t, "tag", &found))
		must(found.n <= t.n);
}

static void history(struct text t)
{
	struct sip_history h;
	struct sip_reason r;
	char room[128];

	if (sip_history_parse(&h, t, NULL))
		return;
	must(h.n_index <= SIP_HISTORY_DEPTH && sip_history_compare(&h, &h) == 0);
	(void)sip_history_reason(&h, room, sizeof(room), &r);
}

static void quoted(struct text t)
{
	char room[32];
	struct sip_addr a;
	struct buf b;

	buf_init(&b, 1 << 20);
	sip_put_quoted(&b, t);
	buf_str(&b, " <sip:h.example>");
	must(buf_error(&b) == 0 && sip_addr_parse(&a, buf_as_text(&b), NULL) == 0);
	sip_plain_text(t, room, sizeof(room));
	must(strlen(room) < sizeof(room));
	buf_free(&b);
}

static void value(struct text t)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	sip_put_header(&b, "Subject", t);
	if (!buf_error(&b)) {
		struct text line = text_head(buf_as_text(&b), b.n - 2);

		must(text_find(line, '\r') == SIZE_MAX && text_find(line, '\n') == SIZE_MAX && text_find(line, '\0') == SIZE_MAX);
	}
	buf_free(&b);
}

static void summary(struct text t)
{
	struct sip_summary s, again;
	struct buf b;

	if (sip_summary_parse(&s, t, NULL))
		return;
	buf_init(&b, 1 << 20);
	sip_summary_put(&b, &s);
	if (!buf_error(&b))
		must(sip_summary_parse(&again, buf_as_text(&b), NULL) == 0 && again.fresh == s.fresh && again.urgent_old == s.urgent_old);
	buf_free(&b);
}

/* A challenge that is taken apart is answered, or refused for what its quotes would let out; and a stranger's answer is never good. */
static void digest(struct text t)
{
	static const struct sip_login who = { "u", "p", "r" };
	static const uint8_t key[SIP_NONCE_KEY_BYTES] = { 7 };
	static const struct sip_digest_of of = { { "INVITE", 6 }, { "sip:x", 5 }, { "body", 4 } };
	struct sip_challenge c, again;
	struct sip_digest_used used;
	struct sip_digest_info info;
	struct buf b;

	buf_init(&b, 1 << 20);
	if (!sip_challenge_parse(&c, t) && !sip_digest_answer(&b, &c, &who, &of, 1, "y")) {
		must(text_find(buf_as_text(&b), '\n') == SIZE_MAX && text_find(buf_as_text(&b), '\0') == SIZE_MAX);
		must(!sip_challenge_parse(&again, buf_as_text(&b)) && text_eq(again.nonce, c.nonce) && again.alg == c.alg && again.sess == c.sess);
		(void)sip_digest_info(&info, t, buf_as_text(&b), &(struct sip_login){ "u", "p", "r" }, of.body);
	}
	buf_clear(&b);
	if (!sip_challenge_parse(&c, t) && !sip_challenge_put(&b, &c, TEXT_NONE))
		must(!sip_challenge_parse(&again, buf_as_text(&b)) && text_eq(again.realm, c.realm) && text_eq(again.opaque, c.opaque) && again.qop_int == c.qop_int);
	buf_clear(&b);
	if (!sip_digest_proof(&b, t, &who, of.body, "n"))
		must(text_find(buf_as_text(&b), '\n') == SIZE_MAX && text_find(buf_as_text(&b), '\0') == SIZE_MAX);
	must(sip_digest_check(t, &who, &of, key, 1000, "s", &used) != SIP_DIGEST_GOOD);
	buf_free(&b);
}

static void address(struct text t)
{
	struct sip_addr a;

	if (!sip_addr_parse(&a, t, NULL))
		must(a.star || a.uri.whole.n > 0);
}

static void small(unsigned which, struct text t)
{
	union {
		struct sip_cseq cseq;
		struct sip_diversion diversion;
		struct sip_reason reason;
		struct sip_event event;
		struct sip_subscription_state state;
		struct sip_warning warning;
		struct sip_ms_diagnostics diagnostics;
		struct sip_media_type type;
		struct sip_replaces replaces;
		struct sip_sipfrag frag;
	} u;
	uint32_t n;
	int64_t date;

	switch (which) {
	case 0: (void)sip_cseq_parse(&u.cseq, t, NULL); break;
	case 1: (void)sip_diversion_parse(&u.diversion, t, NULL); break;
	case 2: (void)sip_reason_parse(&u.reason, t, NULL); break;
	case 3: (void)sip_event_parse(&u.event, t, NULL); break;
	case 4: (void)sip_subscription_state_parse(&u.state, t, NULL); break;
	case 5: (void)sip_warning_parse(&u.warning, t, NULL); break;
	case 6: (void)sip_ms_diagnostics_parse(&u.diagnostics, t, NULL); break;
	case 7: (void)sip_media_type_parse(&u.type, t, NULL); break;
	case 8: (void)sip_replaces_parse(&u.replaces, t, NULL); break;
	case 9: (void)sip_sipfrag_parse(&u.frag, t, NULL); break;
	case 10: (void)sip_retry_after_parse(t, &n); break;
	case 11: (void)sip_date_parse(t, &date); break;
	default: (void)sip_accepts(t, "application", "sdp"); break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sip_via via;
	struct text t;
	unsigned which;

	if (!size)
		return 0;
	which = data[0] % 24;
	t = text_make(data + 1, size - 1);
	switch (which) {
	case 13: list(t); break;
	case 14: params(t); break;
	case 15: history(t); break;
	case 16: quoted(t); break;
	case 17: value(t); break;
	case 18: summary(t); break;
	case 19: address(t); break;
	case 20:
		if (!sip_via_parse(&via, t, NULL))
			must(via.host.n > 0);
		break;
	case 21: digest(t); break;
	case 22: (void)sip_rack_parse(&(struct sip_rack){ 0 }, t); break;
	case 23: (void)sip_session_expires_parse(&(struct sip_session_expires){ 0 }, t); break;
	default: small(which, t); break;
	}
	return 0;
}

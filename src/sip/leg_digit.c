/* SPDX-License-Identifier: Apache-2.0 */
/* leg_digit.c  Digits in SIP INFO: application/dtmf-relay ("Signal=5", "Duration=160") and application/dtmf ("5"). */
#include <ctype.h>
#include <errno.h>
#include "sip/leg_private.h"

enum { DEFAULT_MS = 160, LONGEST_MS = 10000 };

/* A key as it is written by the many: "5", "*", "star", "10" and "11" of the oldest. */
static char digit_of(struct text t)
{
	if (t.n == 1 && strchr("0123456789*#ABCDabcd", t.p[0]))
		return (char)toupper((unsigned char)t.p[0]);
	if (text_is_nocase(t, "star") || text_is(t, "10"))
		return '*';
	if (text_is_nocase(t, "pound") || text_is_nocase(t, "hash") || text_is(t, "11"))
		return '#';
	return 0;
}

static char relay_parse(struct text body, unsigned *ms)
{
	struct text line, name, value;
	uint32_t n;
	char digit = 0;

	while (!text_empty(body)) {
		text_cut(body, '\n', &line, &body);
		if (!text_cut(line, '=', &name, &value))
			continue;
		name = text_trim(name);
		value = text_trim(value);
		if (text_is_nocase(name, "Signal"))
			digit = digit_of(value);
		else if (text_is_nocase(name, "Duration") && !text_u32(value, LONGEST_MS, &n))
			*ms = n;
	}
	return digit;
}

/* An INFO of a package that nobody agreed to (RFC 6086 4.2.2); keys are keys whatever it calls itself. */
static void put_no_packages(struct buf *b, void *arg)
{
	(void)arg;
	sip_put_str(b, "Recv-Info", "");
}

static void no_such_package(struct leg *leg, struct sip_stx *stx)
{
	struct sip_reply r = { .status = 469, .to_tag = text_of(leg->d.local_tag), .more = put_no_packages,
		               .sentence = "no Info package is understood here" };

	(void)sip_reply(leg->core, stx, &r);
}

void leg_on_info(struct leg *leg, struct sip_stx *stx, const struct sip_msg *req)
{
	struct leg_event ev = { .type = LEG_DIGIT, .duration_ms = DEFAULT_MS };
	struct sip_media_type type;
	struct text value = sip_msg_value(req, SIP_HDR_CONTENT_TYPE);
	bool typed = !text_empty(req->body) && !sip_media_type_parse(&type, value, NULL);
	bool keys = typed && sip_media_type_is(&type, "application", "dtmf-relay"), key = typed && sip_media_type_is(&type, "application", "dtmf");

	if (!keys && !key && sip_msg_hdr_named(req, "Info-Package")) {
		no_such_package(leg, stx);
		return;
	}
	if (text_empty(req->body)) { /* some ask this way whether the call lives */
		leg_reply(leg, stx, 200, NULL);
		return;
	}
	if (!typed) {
		leg_reply(leg, stx, 415, "Content-Type is missing or malformed");
		return;
	}
	if (keys) {
		ev.digit = relay_parse(req->body, &ev.duration_ms);
	} else if (key) {
		ev.digit = digit_of(text_trim(req->body));
	} else {
		leg_reply(leg, stx, 415, "an INFO may carry application/dtmf-relay or application/dtmf");
		return;
	}
	if (!ev.digit) {
		leg_reply(leg, stx, 400, "the body holds no key");
		return;
	}
	leg_reply(leg, stx, 200, NULL);
	if (leg->state == LEG_S_UP)
		leg_emit(leg, &ev);
}

int leg_send_info_digit(struct leg *leg, char digit, unsigned duration_ms)
{
	char body[64];

	if (leg->state != LEG_S_UP)
		return ENOTCONN;
	if (!digit_of(text_make(&digit, 1)))
		return EINVAL;
	(void)text_print(body, sizeof(body), "Signal=%c\r\nDuration=%u\r\n", digit, duration_ms ? duration_ms : DEFAULT_MS);
	return leg_req_send(NULL, leg, "INFO", 0, NULL, "application/dtmf-relay", text_of(body), TRUST_FLOW_DIALOG, NULL);
}

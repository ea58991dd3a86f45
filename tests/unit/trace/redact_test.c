/* SPDX-License-Identifier: Apache-2.0 */
/* redact_test.c  What is struck out of a message, and what stays. */
#include "trace/redact.h"
#include <string.h>
#include "ut.h"

static const struct {
	const char *was, *is;
} cases[] = {
	{ "INVITE sip:a@b SIP/2.0\r\nAuthorization: Digest u=\"a\"\r\nTo: b\r\n\r\n", "INVITE sip:a@b SIP/2.0\r\nAuthorization:xxxxxxxxxxxxx\r\nTo: b\r\n\r\n" },
	{ "INVITE sip:a@b SIP/2.0\r\nproxy-authorization : D\r\n more\r\nTo: b\r\n\r\n", "INVITE sip:a@b SIP/2.0\r\nproxy-authorization :xx\r\nxxxxx\r\nTo: b\r\n\r\n" },
	{ "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest\r\n\r\n", "SIP/2.0 401 Unauthorized\r\nWWW-Authenticate:xxxxxxx\r\n\r\n" },
	{ "INFO sip:a@b SIP/2.0\r\nTo: b\r\n\r\nSignal=7\r\nDuration=250\r\n", "INFO sip:a@b SIP/2.0\r\nTo: b\r\n\r\nSignal=x\r\nDuration=xxx\r\n" },
	{ "INFO sip:a@b SIP/2.0\r\n\r\n7", "INFO sip:a@b SIP/2.0\r\n\r\nx" },
	{ "NOTIFY sip:a@b SIP/2.0\r\nc: application/kpml-response+xml\r\n\r\n<k d=\"9\"/>\r\n", "NOTIFY sip:a@b SIP/2.0\r\nc: application/kpml-response+xml\r\n\r\n<k d=xxxxx\r\n" },
	{ "INVITE sip:a@b SIP/2.0\r\n\r\nv=0\r\na=crypto:1 A inline:k\r\nm=audio 1 RTP/SAVP 0\r\n", "INVITE sip:a@b SIP/2.0\r\n\r\nv=0\r\na=xxxxxxxxxxxxxxxxxxx\r\nm=audio 1 RTP/SAVP 0\r\n" },
	{ "NOTIFY sip:a@b SIP/2.0\r\n\r\nMessages-Waiting: yes\r\n", "NOTIFY sip:a@b SIP/2.0\r\n\r\nMessages-Waiting: yes\r\n" },
	{ "\r\n\r\nINFO sip:a@b SIP/2.0\r\n\r\nSignal=1", "\r\n\r\nINFO sip:a@b SIP/2.0\r\n\r\nSignal=x" },
	{ "", "" },
	{ "no line end at all", "no line end at all" },
};

static void struck_out(void **state)
{
	char text[400];
	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n = strlen(cases[i].was);
		memcpy(text, cases[i].was, n + 1);
		trace_redact(text, n);
		assert_string_equal(text, cases[i].is);
	}
}

UT_MAIN(UT(struck_out))

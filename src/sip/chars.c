/* SPDX-License-Identifier: Apache-2.0 */
/* chars.c  Filled by rule when compiled: each line of the table asks the grammar about one byte. */
#include "sip/chars.h"

#define IN(c, lo, hi) ((c) >= (lo) && (c) <= (hi))
#define DIGIT(c) IN(c, '0', '9')
#define ALPHA(c) (IN(c, 'a', 'z') || IN(c, 'A', 'Z'))
#define ALNUM(c) (DIGIT(c) || ALPHA(c))
#define HEX(c) (DIGIT(c) || IN(c, 'a', 'f') || IN(c, 'A', 'F'))
#define MARK(c) ((c) == '-' || (c) == '_' || (c) == '.' || (c) == '!' || (c) == '~' || (c) == '*' || (c) == '\'' || (c) == '(' || (c) == ')')
#define UNRESERVED(c) (ALNUM(c) || MARK(c))
#define PASSWORD(c) (UNRESERVED(c) || (c) == '&' || (c) == '=' || (c) == '+' || (c) == '$' || (c) == ',')
#define USER(c) (PASSWORD(c) || (c) == ';' || (c) == '?' || (c) == '/' || (c) == '#')
#define PARAM(c) (UNRESERVED(c) || (c) == '[' || (c) == ']' || (c) == '/' || (c) == ':' || (c) == '&' || (c) == '+' || (c) == '$')
#define HNAME(c) (UNRESERVED(c) || (c) == '[' || (c) == ']' || (c) == '/' || (c) == '?' || (c) == ':' || (c) == '+' || (c) == '$')
#define TOKEN(c) (ALNUM(c) || (c) == '-' || (c) == '.' || (c) == '!' || (c) == '%' || (c) == '*' || (c) == '_' || (c) == '+' || \
                  (c) == '`' || (c) == '\'' || (c) == '~')
#define WORD(c) (TOKEN(c) || (c) == '(' || (c) == ')' || (c) == '<' || (c) == '>' || (c) == ':' || (c) == '\\' || (c) == '"' || \
                 (c) == '/' || (c) == '[' || (c) == ']' || (c) == '?' || (c) == '{' || (c) == '}')
#define HOST(c) (ALNUM(c) || (c) == '-' || (c) == '.' || (c) == '_')
#define BLANK(c) ((c) == ' ' || (c) == '\t' || (c) == '\r' || (c) == '\n')
#define CONTROL(c) (((c) < 0x20 && !BLANK(c)) || (c) == 0x7f)
#define SPLIT(c) ((c) == ',' || (c) == '"' || (c) == '<' || (c) == '>')
#define VALUE(c) ((c) > 0x20 && (c) != 0x7f && (c) != ';' && (c) != '\\' && !SPLIT(c))
#define B(test, bit) ((test) ? (bit) : 0)
#define ROW(c) (uint16_t)(B(TOKEN(c), SIP_C_TOKEN) | B(USER(c), SIP_C_USER) | B(PASSWORD(c), SIP_C_PASSWORD) | B(PARAM(c), SIP_C_PARAM) | \
                          B(HNAME(c), SIP_C_HNAME) | B(WORD(c), SIP_C_WORD) | B(HOST(c), SIP_C_HOST) | B(BLANK(c), SIP_C_BLANK) | \
                          B(DIGIT(c), SIP_C_DIGIT) | B(HEX(c), SIP_C_HEX) | B(UNRESERVED(c), SIP_C_UNRESERVED) | \
                          B(ALPHA(c), SIP_C_ALPHA) | B(CONTROL(c), SIP_C_CONTROL) | B(SPLIT(c), SIP_C_LIST) | B(VALUE(c), SIP_C_VALUE))
#define ROW4(c) ROW(c), ROW((c) + 1), ROW((c) + 2), ROW((c) + 3)
#define ROW16(c) ROW4(c), ROW4((c) + 4), ROW4((c) + 8), ROW4((c) + 12)
#define ROW64(c) ROW16(c), ROW16((c) + 16), ROW16((c) + 32), ROW16((c) + 48)

const uint16_t sip_chars[256] = { ROW64(0), ROW64(64), ROW64(128), ROW64(192) };

bool sip_all_escaped(struct text t, unsigned classes)
{
	for (size_t i = 0; i < t.n; i++) {
		if (sip_is(t.p[i], classes))
			continue;
		if (t.p[i] != '%' || t.n - i < 3 || !sip_is(t.p[i + 1], SIP_C_HEX) || !sip_is(t.p[i + 2], SIP_C_HEX))
			return false;
		i += 2;
	}
	return true;
}

size_t sip_quoted_end(struct text t, size_t at)
{
	for (size_t i = at + 1; i < t.n; i++) {
		if (t.p[i] == '"')
			return i + 1;
		if (t.p[i] == '\\')
			i++;
	}
	return SIZE_MAX;
}

bool sip_params_begin(struct text params)
{
	params = sip_trim(params);
	return params.n && params.p[0] != ';';
}

bool sip_is_callid(struct text t)
{
	size_t n = sip_span(t, 0, SIP_C_WORD);

	return n && (n == t.n || (t.p[n] == '@' && n + 1 < t.n && n + 1 + sip_span(t, n + 1, SIP_C_WORD) == t.n));
}

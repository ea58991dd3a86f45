/* SPDX-License-Identifier: Apache-2.0 */
/* der.c  Walks an encoding without knowing its schema. */
#include "trust/der.h"

enum { DEPTH_MAX = 32, CONSTRUCTED = 0x20, CLASS = 0xc0, NUMBER = 0x1f };
enum { BOOLEAN = 1, INTEGER = 2, BIT_STRING = 3, NULL_VALUE = 5, OBJECT_ID = 6, ENUMERATED = 10, SEQUENCE = 16, SET = 17 };

/* Cuts one value off: its tag and contents. */
static bool cut(const uint8_t **p, size_t *left, uint8_t *tag, const uint8_t **body, size_t *n)
{
	const uint8_t *at = *p;
	if (*left < 2 || (at[0] & NUMBER) == NUMBER)
		return false;
	*tag = at[0];
	size_t len = at[1], head = 2;
	if (len >= 0x80) {
		size_t octets = len & 0x7f;
		if (octets == 0 || octets > 4 || *left < 2 + octets || at[2] == 0)
			return false;
		len = 0;
		for (size_t i = 0; i < octets; i++)
			len = len << 8 | at[2 + i];
		head += octets;
		if (len < 0x80)
			return false;
	}
	if (len > *left - head)
		return false;
	*body = at + head;
	*n = len;
	*p = at + head + len;
	*left -= head + len;
	return true;
}

static bool integer(const uint8_t *p, size_t n)
{
	if (n == 0)
		return false;
	return n == 1 || !((p[0] == 0x00 && !(p[1] & 0x80)) || (p[0] == 0xff && p[1] & 0x80));
}

static bool bits(const uint8_t *p, size_t n)
{
	if (n == 0 || p[0] > 7 || (n == 1 && p[0]))
		return false;
	return n == 1 || !(p[n - 1] & ((1u << p[0]) - 1));
}

static bool object_id(const uint8_t *p, size_t n)
{
	bool first = true;
	for (size_t i = 0; i < n; i++) {
		if (first && p[i] == 0x80)
			return false;
		first = !(p[i] & 0x80);
	}
	return n && first;
}

static bool primitive(uint8_t tag, const uint8_t *p, size_t n)
{
	switch (tag) { /* of the universal class; others are opaque */
	case BOOLEAN: return n == 1 && (p[0] == 0 || p[0] == 0xff);
	case INTEGER:
	case ENUMERATED: return integer(p, n);
	case BIT_STRING: return bits(p, n);
	case NULL_VALUE: return n == 0;
	case OBJECT_ID: return object_id(p, n);
	case 0:
	case SEQUENCE:
	case SET: return false;
	default: return true;
	}
}

static bool walk(const uint8_t *p, size_t left, unsigned depth)
{
	uint8_t tag;
	const uint8_t *body;
	size_t n;
	while (left) {
		if (!cut(&p, &left, &tag, &body, &n))
			return false;
		if (tag & CONSTRUCTED) {
			bool universal = !(tag & CLASS), list = (tag & NUMBER) == SEQUENCE || (tag & NUMBER) == SET;
			if (depth >= DEPTH_MAX || (universal && !list) || !walk(body, n, depth + 1)) /* a string in pieces is BER */
				return false;
		} else if (!(tag & CLASS) && !primitive(tag, body, n)) {
			return false;
		}
	}
	return true;
}

bool der_is_one(const uint8_t *p, size_t n)
{
	const uint8_t *at = p, *body;
	size_t left = n, len;
	uint8_t tag;
	return cut(&at, &left, &tag, &body, &len) && left == 0 && walk(p, n, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* line.c  See line.h. */
#include "capture/line.h"
#include <errno.h>

const char *const cap_field_names[CAP_FIELDS] = {
#define FIELD(id, name) [CAP_##id] = name,
#include "capture/fields.def"
#undef FIELD
};

int cap_line_split(struct cap_line *l, struct text line)
{
	for (unsigned i = 0; i < CAP_FIELDS; i++) {
		bool more = text_cut(line, CAP_SEPARATOR, &l->value[i], &line);
		if (more != (i + 1 < CAP_FIELDS))
			return EBADMSG;
	}
	return 0;
}

bool cap_next(struct text *list, struct text *value)
{
	if (!list->n)
		return false;
	text_cut(*list, CAP_AGGREGATOR, value, list);
	return true;
}

struct text cap_first(struct text list)
{
	struct text first, rest;
	text_cut(list, CAP_AGGREGATOR, &first, &rest);
	return first;
}

struct text cap_last(struct text list)
{
	size_t at = text_rfind(list, CAP_AGGREGATOR);
	return at == SIZE_MAX ? list : text_skip(list, at + 1);
}

unsigned cap_count(struct text list)
{
	struct text value;
	unsigned n = 0;
	while (cap_next(&list, &value))
		n++;
	return n;
}

static int digit(char c)
{
	c = text_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool cap_number(struct text t, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;
	if (text_is(t, "True") || text_is(t, "False")) {
		*value = t.p[0] == 'T';
		return true;
	}
	if (!text_starts(t, "0x"))
		return text_u64(t, max, value) == 0;
	if (t.n < 3 || t.n > 18)
		return false;
	for (size_t i = 2; i < t.n; i++) {
		int d = digit(t.p[i]);
		if (d < 0)
			return false;
		v = v << 4 | (unsigned)d;
	}
	if (v > max)
		return false;
	*value = v;
	return true;
}

bool cap_time_us(struct text t, int64_t *us)
{
	struct text whole, part;
	uint64_t s, fraction = 0;
	text_cut(t, '.', &whole, &part);
	part = text_head(part, 6);
	if (text_u64(whole, INT64_MAX / 2000000, &s) || (part.n && text_u64(part, 999999, &fraction)))
		return false;
	for (size_t i = part.n; i < 6; i++)
		fraction *= 10;
	*us = (int64_t)(s * 1000000 + fraction);
	return true;
}

bool cap_host(struct text t, char *dst, size_t size)
{
	for (size_t i = 0; i < t.n; i++)
		if (digit(t.p[i]) < 0 && t.p[i] != '.' && t.p[i] != ':')
			return false;
	return t.n && text_copy(t, dst, size) == 0;
}

size_t cap_bytes(struct text t, uint8_t *dst, size_t size)
{
	size_t n = 0;
	for (size_t i = 0; i + 1 < t.n && n < size; i += 2) {
		if (t.p[i] == ':')
			i++;
		int high = digit(t.p[i]), low = i + 1 < t.n ? digit(t.p[i + 1]) : -1;
		if (high < 0 || low < 0)
			return 0;
		dst[n++] = (uint8_t)(high << 4 | low);
	}
	return n;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* dns_answer.c  One pass over the answer section to follow CNAMEs, one to collect, one over the authority for the negative TTL. */
#include "net/dns_answer.h"

enum { HEADER = 12, JUMPS_MAX = 64, CNAMES_MAX = 8, RRS_MAX = 256, NEGATIVE_TTL_MAX = 300 };

struct cursor {
	const uint8_t *data;
	size_t n, at;
	bool bad;
};

struct rr {
	char owner[DNS_NAME_SIZE];
	uint16_t type, class_;
	uint32_t ttl;
	size_t data_at;
	uint16_t data_n;
};

const char *dns_type_name(enum dns_type t)
{
	switch (t) {
	case DNS_A: return "A";
	case DNS_AAAA: return "AAAA";
	case DNS_SRV: return "SRV";
	case DNS_NAPTR: return "NAPTR";
	case DNS_CNAME: return "CNAME";
	case DNS_SOA: return "SOA";
	case DNS_PTR: return "PTR";
	}
	return "?";
}

const char *dns_outcome_name(enum dns_outcome o)
{
	static const char *const names[] = { "OK", "NXDOMAIN", "NODATA", "SERVFAIL", "REFUSED", "TIMEOUT", "MALFORMED", "NO_SERVER" };
	return (unsigned)o < sizeof names / sizeof names[0] ? names[o] : "?";
}

static uint16_t u16(struct cursor *c)
{
	if (c->n - c->at < 2) {
		c->bad = true;
		c->at = c->n;
		return 0;
	}
	uint16_t v = (uint16_t)(c->data[c->at] << 8 | c->data[c->at + 1]);
	c->at += 2;
	return v;
}

static uint32_t u32(struct cursor *c)
{
	uint32_t hi = u16(c);
	return hi << 16 | u16(c);
}

/* RFC 1035 4.1.4. A pointer must lead to an earlier place than any before it, so the walk ends. Labels with a dot or control bytes are no
 * names we could compare or print, so they count as broken. */
static void name(struct cursor *c, char out[DNS_NAME_SIZE])
{
	size_t o = 0, at = c->at, barrier = c->at;
	bool jumped = false;
	out[0] = '\0';
	for (unsigned jumps = 0; at < c->n;) {
		uint8_t len = c->data[at];
		if ((len & 0xc0) == 0xc0) {
			if (at + 1 >= c->n || ++jumps > JUMPS_MAX)
				break;
			size_t to = (size_t)(len & 0x3f) << 8 | c->data[at + 1];
			if (!jumped)
				c->at = at + 2;
			jumped = true;
			if (to >= barrier)
				break;
			barrier = at = to;
			continue;
		}
		if (len & 0xc0 || at + 1 + len > c->n || o + len + 2 > DNS_NAME_SIZE)
			break;
		if (!len) {
			if (!jumped)
				c->at = at + 1;
			out[o ? o - 1 : 0] = '\0';
			return;
		}
		for (size_t i = 0; i < len; i++) {
			uint8_t b = c->data[at + 1 + i];
			if (b <= ' ' || b == '.' || b == 0x7f) {
				c->bad = true;
				return;
			}
			out[o++] = (char)b;
		}
		out[o++] = '.';
		at += 1u + len;
	}
	c->bad = true;
}

static void read_rr(struct cursor *c, struct rr *r)
{
	name(c, r->owner);
	r->type = u16(c);
	r->class_ = u16(c);
	r->ttl = u32(c);
	if (r->ttl > INT32_MAX) /* RFC 2181 8: the high bit means zero */
		r->ttl = 0;
	r->data_n = u16(c);
	r->data_at = c->at;
	if (c->bad || c->n - c->at < r->data_n) {
		c->bad = true;
		c->at = c->n;
		return;
	}
	c->at += r->data_n;
}

/* A character-string of NAPTR, cut to what we keep. */
static void string(struct cursor *c, size_t end, char *out, size_t size)
{
	if (c->at >= end || c->at + 1 + c->data[c->at] > end) {
		c->bad = true;
		return;
	}
	size_t n = c->data[c->at], keep = 0;
	for (size_t i = 0; i < n && keep + 1 < size; i++) {
		uint8_t b = c->data[c->at + 1 + i];
		out[keep++] = b > ' ' && b < 0x7f ? (char)b : '?';
	}
	out[keep] = '\0';
	c->at += 1 + n;
}

static bool read_data(const struct cursor *all, const struct rr *r, struct dns_record *rec)
{
	struct cursor c = { all->data, r->data_at + r->data_n, r->data_at, false };
	char regexp[256];
	*rec = (struct dns_record){ .type = (enum dns_type)r->type, .ttl_s = r->ttl };
	switch (r->type) {
	case DNS_A:
		rec->addr.u.v4.sin_family = AF_INET;
		if (r->data_n != 4)
			return false;
		memcpy(&rec->addr.u.v4.sin_addr, c.data + c.at, 4);
		return true;
	case DNS_AAAA:
		rec->addr.u.v6.sin6_family = AF_INET6;
		if (r->data_n != 16)
			return false;
		memcpy(&rec->addr.u.v6.sin6_addr, c.data + c.at, 16);
		return true;
	case DNS_SRV:
		rec->priority = u16(&c);
		rec->weight = u16(&c);
		rec->port = u16(&c);
		name(&c, rec->target);
		return !c.bad;
	case DNS_NAPTR:
		rec->priority = u16(&c);
		rec->weight = u16(&c);
		string(&c, c.n, rec->flags, sizeof rec->flags);
		string(&c, c.n, rec->service, sizeof rec->service);
		string(&c, c.n, regexp, sizeof regexp);
		if (!c.bad)
			name(&c, rec->target);
		return !c.bad;
	case DNS_CNAME:
	case DNS_PTR:
		name(&c, rec->target);
		return !c.bad;
	}
	return false;
}

static void least(struct dns_result *res, uint32_t ttl)
{
	if (ttl < res->ttl_s)
		res->ttl_s = ttl;
}

/* Follows the chain of aliases and collects what the last name owns. False: malformed. */
static bool collect(struct dns_result *res, const struct cursor *start, unsigned count)
{
	char owner[DNS_NAME_SIZE];
	struct dns_record rec;
	struct rr r;
	text_fill(owner, sizeof owner, res->name);
	res->ttl_s = UINT32_MAX;
	for (unsigned hops = 0; hops <= CNAMES_MAX; hops++) {
		struct cursor c = *start;
		bool again = false;
		for (unsigned i = 0; i < count; i++) {
			read_rr(&c, &r);
			if (c.bad)
				return false;
			if (r.class_ != 1 || !text_eq_nocase(text_of(r.owner), text_of(owner)))
				continue;
			if (r.type == (uint16_t)res->type) {
				if (!read_data(start, &r, &rec))
					return false;
				least(res, r.ttl);
				if (res->n < DNS_RECORDS)
					res->rec[res->n++] = rec;
			} else if (r.type == DNS_CNAME && !res->n) {
				if (!read_data(start, &r, &rec))
					return false;
				least(res, r.ttl);
				text_fill(owner, sizeof owner, rec.target);
				again = true;
				break;
			}
		}
		if (!again)
			return true;
	}
	return true; /* a chain without end has no data */
}

/* RFC 2308 5: the lesser of the SOA's own TTL and its MINIMUM. */
static uint32_t negative_ttl(struct cursor c, unsigned count)
{
	uint32_t ttl = 0;
	struct rr r;
	char skip[DNS_NAME_SIZE];
	for (unsigned i = 0; i < count && !c.bad; i++) {
		read_rr(&c, &r);
		if (c.bad || r.type != DNS_SOA)
			continue;
		struct cursor d = { c.data, r.data_at + r.data_n, r.data_at, false };
		name(&d, skip);
		name(&d, skip);
		for (int k = 0; k < 4; k++)
			(void)u32(&d);
		uint32_t minimum = u32(&d);
		if (!d.bad)
			ttl = minimum < r.ttl ? minimum : r.ttl;
	}
	return ttl < NEGATIVE_TTL_MAX ? ttl : NEGATIVE_TTL_MAX;
}

static enum dns_outcome parse(struct dns_result *res, const uint8_t *data, size_t n)
{
	struct cursor c = { data, n, 0, false };
	char asked[DNS_NAME_SIZE];
	if (n < HEADER)
		return DNS_MALFORMED;
	c.at = 2;
	uint16_t flags = u16(&c), questions = u16(&c), answers = u16(&c), authority = u16(&c);
	(void)u16(&c);
	if (!(flags & 0x8000) || questions != 1 || answers > RRS_MAX || authority > RRS_MAX)
		return DNS_MALFORMED;
	name(&c, asked);
	uint16_t type = u16(&c), class_ = u16(&c);
	if (c.bad || type != (uint16_t)res->type || class_ != 1 || !text_eq_nocase(text_of(asked), text_of(res->name)))
		return DNS_MALFORMED;
	switch (flags & 15) {
	case 0:
	case 3:
		break;
	case 2:
		return DNS_SERVFAIL;
	default:
		return DNS_REFUSED;
	}
	if (!collect(res, &c, answers))
		return DNS_MALFORMED;
	if (res->n)
		return DNS_OK;
	struct rr r;
	for (unsigned i = 0; i < answers; i++)
		read_rr(&c, &r);
	res->ttl_s = c.bad ? 0 : negative_ttl(c, authority);
	return (flags & 15) == 3 ? DNS_NXDOMAIN : DNS_NODATA;
}

enum dns_outcome dns_answer_parse(struct dns_result *res, const uint8_t *data, size_t n)
{
	res->n = 0;
	res->ttl_s = 0;
	res->outcome = parse(res, data, n);
	if (res->outcome != DNS_OK)
		res->n = 0;
	if (res->outcome == DNS_MALFORMED || res->outcome == DNS_SERVFAIL || res->outcome == DNS_REFUSED)
		res->ttl_s = 0;
	return res->outcome;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* talk.c  A conversation's life on the wire: SYN, bytes, FIN or RST, and complaints about it. */
#include <errno.h>
#include "base/mem.h"
#include "capture/talk_private.h"

enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_ACK = 16 };

/* The innermost addresses: a tunnel's own are of no interest. */
static void hosts(const struct cap_line *l, struct text *src, struct text *dst)
{
	bool v6 = l->value[CAP_IP6_SRC].n && !l->value[CAP_IP_SRC].n;
	*src = cap_last(l->value[v6 ? CAP_IP6_SRC : CAP_IP_SRC]);
	*dst = cap_last(l->value[v6 ? CAP_IP6_DST : CAP_IP_DST]);
}

static bool ports(const struct cap_line *l, enum cap_proto p, uint16_t *src, uint16_t *dst)
{
	uint64_t a, b;
	if (!cap_number(cap_last(l->value[p == CAP_TCP ? CAP_TCP_SPORT : CAP_UDP_SPORT]), 65535, &a) ||
	    !cap_number(cap_last(l->value[p == CAP_TCP ? CAP_TCP_DPORT : CAP_UDP_DPORT]), 65535, &b))
		return false;
	*src = (uint16_t)a;
	*dst = (uint16_t)b;
	return true;
}

static bool is_side(const struct cap_side *s, struct text host, uint16_t port)
{
	return s->port == port && text_is(host, s->host);
}

int cap_talk_create(struct cap_talk **tp, const struct cap_line *l, int64_t us)
{
	struct cap_talk *t = mem_zalloc(1, sizeof *t);
	struct text src, dst;
	uint64_t stream, frame = 0;
	if (!t)
		return ENOMEM;
	t->proto = l->value[CAP_TCP_STREAM].n ? CAP_TCP : CAP_UDP;
	hosts(l, &src, &dst);
	(void)cap_number(l->value[CAP_NUMBER], UINT64_MAX, &frame);
	if (!cap_number(cap_last(l->value[t->proto == CAP_TCP ? CAP_TCP_STREAM : CAP_UDP_STREAM]), UINT32_MAX, &stream) ||
	    !ports(l, t->proto, &t->side[0].port, &t->side[1].port) || !cap_host(src, t->side[0].host, CAP_HOST_SIZE) ||
	    !cap_host(dst, t->side[1].host, CAP_HOST_SIZE)) {
		mem_free(t);
		return EBADMSG;
	}
	t->stream = (uint32_t)stream;
	t->exported = l->value[CAP_EXP_SPORT].n > 0;
	t->exported_tcp = t->exported && text_is(l->value[CAP_EXP_PORT_TYPE], "2");
	t->frame = frame;
	t->first_us = us;
	*tp = t;
	return 0;
}

struct cap_talk *cap_talk_destroy(struct cap_talk *t)
{
	if (!t)
		return NULL;
	for (unsigned s = 0; s < 2; s++)
		for (unsigned i = 0; i < t->side[s].n_certs; i++)
			mem_free(t->side[s].cert[i].p);
	mem_free(t);
	return NULL;
}

void cap_talk_swap(struct cap_talk *t)
{
	struct cap_side s = t->side[0];
	t->side[0] = t->side[1];
	t->side[1] = s;
	if (t->first_end)
		t->first_end = (int8_t)(3 - t->first_end);
	for (unsigned i = 0; i < t->n_alerts; i++)
		t->alert[i].side ^= 1;
	for (unsigned i = 0; i < t->n_txns && i < CAP_TXNS; i++)
		t->txn[i].side ^= 1;
}

/* Who opened it: the SYN says so. Without it, until a hello does, whoever has the port that looks like a service is the server. */
static void settle(struct cap_talk *t, unsigned flags, unsigned *from)
{
	bool wrong = false;
	if (t->direction_known || t->proto == CAP_UDP)
		return;
	if (flags & FLAG_SYN) {
		wrong = (*from == CAP_CLIENT) == ((flags & FLAG_ACK) != 0);
		t->direction_known = true;
	} else if (t->packets == 1) {
		uint16_t a = t->side[0].port, b = t->side[1].port;
		wrong = (a == 5060 || a == 5061 || (a < b && b != 5060 && b != 5061));
	}
	if (wrong) {
		cap_talk_swap(t);
		*from ^= 1;
	}
}

static void take_flags(struct cap_talk *t, unsigned flags, unsigned from, int64_t us)
{
	struct cap_side *s = &t->side[from];
	if (flags & FLAG_SYN && !(flags & FLAG_ACK)) {
		t->opening_seen = true;
		t->syns++;
		if (!t->syn_us)
			t->syn_us = us;
	}
	if (flags & FLAG_SYN && flags & FLAG_ACK && !t->up_us)
		t->up_us = us;
	if (flags & FLAG_FIN && !s->fin_us)
		s->fin_us = us;
	if (flags & FLAG_RST && !s->rst_us)
		s->rst_us = us;
	if (flags & (FLAG_FIN | FLAG_RST) && !t->first_end)
		t->first_end = (int8_t)(from + 1);
}

static void take_payload(struct cap_talk *t, const struct cap_line *l, unsigned from, int64_t us)
{
	struct cap_side *s = &t->side[from];
	uint64_t n = 0;
	if (!cap_number(cap_last(l->value[CAP_TCP_LEN]), 1 << 20, &n) || !n)
		return;
	if (!t->up_us)
		t->up_us = us; /* it stood before the capture began */
	s->last_us = us;
	if (!s->n_first)
		s->n_first = (unsigned)cap_bytes(cap_first(l->value[CAP_TCP_PAYLOAD]), s->first, sizeof s->first);
	if (text_find_text(l->value[CAP_PROTOCOLS], TEXT(":http")) != SIZE_MAX)
		t->http = true;
}

/* ---- what is missing ---- */

static void dig(struct cap_side *s, uint32_t from, uint32_t to)
{
	if (s->n_holes == CAP_HOLES) {
		s->more_holes++;
		return;
	}
	s->hole[s->n_holes].from = from;
	s->hole[s->n_holes++].to = to;
}

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static void fill(struct cap_side *s, uint32_t from, uint32_t to)
{
	for (unsigned i = s->n_holes; i-- > 0;) {
		uint32_t a = s->hole[i].from, b = s->hole[i].to;
		if (!before(from, b) || !before(a, to))
			continue;
		s->hole[i] = s->hole[--s->n_holes];
		if (before(a, from))
			dig(s, a, from);
		if (before(to, b))
			dig(s, to, b);
	}
}

/* Bytes that come late, or again, close the hole that they left (RFC 9293 3.4: numbers are compared modulo 2^32). */
static void take_place(struct cap_talk *t, const struct cap_line *l, unsigned flags, unsigned from)
{
	struct cap_side *s = &t->side[from];
	uint64_t seq, len = 0;
	if (!cap_number(cap_last(l->value[CAP_TCP_SEQ]), UINT32_MAX, &seq))
		return;
	(void)cap_number(cap_last(l->value[CAP_TCP_LEN]), 1 << 20, &len);
	uint32_t begin = (uint32_t)seq, end = begin + (uint32_t)len + (flags & (FLAG_SYN | FLAG_FIN) ? 1 : 0);
	if (!s->seq_known) {
		s->seq_known = true;
		s->next = end;
		return;
	}
	if (before(s->next, begin) && t->up_us)
		dig(s, s->next, begin);
	else if (before(begin, s->next))
		fill(s, begin, end);
	if (before(s->next, end))
		s->next = end;
}

static void take_hops(struct cap_side *s, const struct cap_line *l, unsigned flags)
{
	uint64_t hops = 0;
	bool v6 = l->value[CAP_IP6_HOPS].n && !l->value[CAP_IP_TTL].n;
	if (!cap_number(cap_last(l->value[v6 ? CAP_IP6_HOPS : CAP_IP_TTL]), 255, &hops) || !hops)
		return;
	if (!s->hops)
		s->hops = (uint8_t)hops;
	if (flags & FLAG_RST && !s->rst_us)
		s->rst_hops = (uint8_t)hops;
}

bool cap_talk_lost(const struct cap_talk *t)
{
	for (unsigned i = 0; i < 2; i++)
		if (t->side[i].n_holes || t->side[i].more_holes)
			return true;
	return t->lost && !t->side[0].seq_known && !t->side[1].seq_known;
}

int cap_talk_packet(struct cap_talk *t, const struct cap_line *l, int64_t us)
{
	struct text src, dst;
	uint16_t sport, dport;
	uint64_t flags = 0, len = 0, caplen = 0;
	int err = 0;
	hosts(l, &src, &dst);
	if (!ports(l, t->proto, &sport, &dport))
		return 0;
	unsigned from = is_side(&t->side[CAP_CLIENT], src, sport) ? CAP_CLIENT : CAP_SERVER;
	if (from == CAP_SERVER && !is_side(&t->side[CAP_SERVER], src, sport))
		return 0;
	t->packets++;
	t->last_us = us;
	if (cap_number(l->value[CAP_LEN], UINT32_MAX, &len) && cap_number(l->value[CAP_CAPLEN], UINT32_MAX, &caplen) && caplen < len)
		t->cut++;
	t->again += l->value[CAP_TCP_AGAIN].n > 0;
	t->lost += l->value[CAP_TCP_LOST].n > 0;
	if (t->proto == CAP_TCP && cap_number(cap_last(l->value[CAP_TCP_FLAGS]), 0xffff, &flags)) {
		settle(t, (unsigned)flags, &from);
		t->side[from].packets++;
		take_hops(&t->side[from], l, (unsigned)flags);
		take_place(t, l, (unsigned)flags, from);
		take_flags(t, (unsigned)flags, from, us);
		take_payload(t, l, from, us);
		err = cap_talk_tls(t, l, from, us);
	}
	from = is_side(&t->side[CAP_CLIENT], src, sport) ? CAP_CLIENT : CAP_SERVER; /* a hello may have turned it round */
	cap_talk_sip(t, l, from, us);
	return err;
}

void cap_talk_icmp(struct cap_talk *t, const struct cap_line *l)
{
	bool v6 = l->value[CAP_ICMP6_TYPE].n > 0;
	uint64_t type = 0, code = 0;
	(void)cap_number(cap_first(l->value[v6 ? CAP_ICMP6_TYPE : CAP_ICMP_TYPE]), 255, &type);
	(void)cap_number(cap_first(l->value[v6 ? CAP_ICMP6_CODE : CAP_ICMP_CODE]), 255, &code);
	t->icmp = true;
	t->icmp6 = v6;
	t->icmp_type = (uint8_t)type;
	t->icmp_code = (uint8_t)code;
	if (!cap_host(cap_first(l->value[v6 ? CAP_IP6_SRC : CAP_IP_SRC]), t->icmp_from, sizeof t->icmp_from))
		t->icmp_from[0] = '\0';
}

int cap_talk_ended_by(const struct cap_talk *t, int64_t *us)
{
	*us = 0;
	if (!t->first_end)
		return -1;
	const struct cap_side *s = &t->side[t->first_end - 1];
	*us = s->fin_us && (!s->rst_us || s->fin_us < s->rst_us) ? s->fin_us : s->rst_us;
	return t->first_end - 1;
}

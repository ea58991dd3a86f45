/* SPDX-License-Identifier: Apache-2.0 */
/* book.c  See book.h. */
#include "capture/book.h"
#include <errno.h>
#include "base/hash.h"
#include "base/mem.h"

struct cap_book_entry {
	struct hash_entry h;
	char key[12];
};

enum { ICMP_UNREACHABLE = 3, ICMP6_UNREACHABLE = 1, DNS_A_TYPE = 1, DNS_AAAA_TYPE = 28 };

int cap_book_create(struct cap_book **bp)
{
	struct cap_book *b = mem_zalloc(1, sizeof *b);
	int err = b ? hash_create(&b->by_stream, CAP_TALKS_MAX) : ENOMEM;
	if (!err) {
		b->talk = mem_zalloc(CAP_TALKS_MAX, sizeof *b->talk);
		b->entries = mem_zalloc(CAP_TALKS_MAX, sizeof *b->entries);
		b->asked = mem_zalloc(CAP_ASKED_MAX, sizeof *b->asked);
		b->name = mem_zalloc(CAP_NAMES_MAX, sizeof *b->name);
		if (!b->talk || !b->entries || !b->asked || !b->name)
			err = ENOMEM;
	}
	if (err) {
		cap_book_destroy(b);
		return err;
	}
	*bp = b;
	return 0;
}

struct cap_book *cap_book_destroy(struct cap_book *b)
{
	if (!b)
		return NULL;
	hash_destroy(b->by_stream);
	for (unsigned i = 0; i < b->n_talks; i++)
		cap_talk_destroy(b->talk[i]);
	mem_free(b->talk);
	mem_free(b->entries);
	mem_free(b->asked);
	mem_free(b->name);
	mem_free(b);
	return NULL;
}

/* ---- conversations ---- */

static struct cap_talk *talk_of(struct cap_book *b, const struct cap_line *l, int64_t us)
{
	bool tcp = l->value[CAP_TCP_STREAM].n > 0;
	struct text stream = cap_last(l->value[tcp ? CAP_TCP_STREAM : CAP_UDP_STREAM]);
	char key[sizeof b->entries->key];
	if (!stream.n || stream.n > 10)
		return NULL;
	text_print(key, sizeof key, "%c%.*s", tcp ? 't' : 'u', TEXT_FMT(stream));
	struct hash_entry *e = hash_find(b->by_stream, text_of(key));
	if (e)
		return b->talk[HASH_MEMBER(e, struct cap_book_entry, h) - b->entries];
	if (b->n_talks == CAP_TALKS_MAX) {
		b->talks_left_out++;
		return NULL;
	}
	struct cap_talk *t;
	int err = cap_talk_create(&t, l, us);
	if (err) {
		b->err = b->err ? b->err : err == ENOMEM ? err : 0;
		b->bad_lines += err != ENOMEM;
		return NULL;
	}
	struct cap_book_entry *mine = &b->entries[b->n_talks];
	text_fill(mine->key, sizeof mine->key, key);
	if (hash_add(b->by_stream, &mine->h, text_of(mine->key))) {
		cap_talk_destroy(t);
		return NULL;
	}
	b->talk[b->n_talks++] = t;
	return t;
}

static bool sides_are(const struct cap_talk *t, struct text a, uint64_t ap, struct text c, uint64_t cp)
{
	return (text_is(a, t->side[0].host) && ap == t->side[0].port && text_is(c, t->side[1].host) && cp == t->side[1].port) ||
	       (text_is(a, t->side[1].host) && ap == t->side[1].port && text_is(c, t->side[0].host) && cp == t->side[0].port);
}

/* The packet that is complained about stands within the complaint. */
static void icmp(struct cap_book *b, const struct cap_line *l)
{
	bool v6 = l->value[CAP_ICMP6_TYPE].n > 0, tcp = l->value[CAP_TCP_SPORT].n > 0;
	uint64_t type, sport, dport;
	if (!cap_number(cap_first(l->value[v6 ? CAP_ICMP6_TYPE : CAP_ICMP_TYPE]), 255, &type) ||
	    type != (v6 ? ICMP6_UNREACHABLE : ICMP_UNREACHABLE) ||
	    !cap_number(cap_last(l->value[tcp ? CAP_TCP_SPORT : CAP_UDP_SPORT]), 65535, &sport) ||
	    !cap_number(cap_last(l->value[tcp ? CAP_TCP_DPORT : CAP_UDP_DPORT]), 65535, &dport))
		return;
	struct text src = cap_last(l->value[v6 ? CAP_IP6_SRC : CAP_IP_SRC]), dst = cap_last(l->value[v6 ? CAP_IP6_DST : CAP_IP_DST]);
	for (unsigned i = b->n_talks; i-- > 0;) {
		struct cap_talk *t = b->talk[i];
		if ((t->proto == CAP_TCP) == tcp && sides_are(t, src, sport, dst, dport)) {
			cap_talk_icmp(t, l);
			return;
		}
	}
}

/* ---- DNS ---- */

static struct cap_asked *asked_of(struct cap_book *b, struct text name, uint16_t type, struct text client, struct text server)
{
	for (unsigned i = 0; i < b->n_asked; i++) {
		struct cap_asked *a = &b->asked[i];
		if (a->type == type && text_eq_nocase(name, text_of(a->name)) && text_is(client, a->client) && text_is(server, a->server))
			return a;
	}
	if (b->n_asked == CAP_ASKED_MAX) {
		b->asked_left_out++;
		return NULL;
	}
	struct cap_asked *a = &b->asked[b->n_asked];
	text_escape(name, a->name, sizeof a->name);
	if (!cap_host(client, a->client, sizeof a->client) || !cap_host(server, a->server, sizeof a->server) || !text_is(name, a->name))
		return NULL;
	a->type = type;
	b->n_asked++;
	return a;
}

static void learn(struct cap_book *b, const char *name, struct text hosts)
{
	struct text host;
	while (cap_next(&hosts, &host)) {
		bool known = false;
		for (unsigned i = 0; i < b->n_names && !known; i++)
			known = text_is(host, b->name[i].host) && text_is_nocase(text_of(name), b->name[i].name);
		char text[CAP_HOST_SIZE];
		if (known || b->n_names == CAP_NAMES_MAX || !cap_host(host, text, sizeof text))
			continue;
		struct cap_name *n = &b->name[b->n_names++];
		text_fill(n->name, sizeof n->name, name);
		text_fill(n->host, sizeof n->host, text);
	}
}

static void dns(struct cap_book *b, const struct cap_line *l, int64_t us)
{
	bool v6 = l->value[CAP_IP6_SRC].n && !l->value[CAP_IP_SRC].n;
	struct text src = cap_last(l->value[v6 ? CAP_IP6_SRC : CAP_IP_SRC]), dst = cap_last(l->value[v6 ? CAP_IP6_DST : CAP_IP_DST]);
	uint64_t response = 0, type = 0, rcode = 0, records = 0, id = 0;
	struct text name = cap_first(l->value[CAP_DNS_NAME]);
	if (!name.n || !cap_number(cap_first(l->value[CAP_DNS_TYPE]), 65535, &type) ||
	    !cap_number(cap_first(l->value[CAP_DNS_RESPONSE]), 1, &response) || l->value[CAP_ICMP_TYPE].n || l->value[CAP_ICMP6_TYPE].n)
		return;
	struct cap_asked *a = response ? asked_of(b, name, (uint16_t)type, dst, src) : asked_of(b, name, (uint16_t)type, src, dst);
	if (!a)
		return;
	(void)cap_number(cap_first(l->value[CAP_DNS_ID]), 65535, &id);
	if (!response) {
		a->times++;
		a->at_us = us;
		a->id = (uint16_t)id;
		return;
	}
	(void)cap_number(cap_first(l->value[CAP_DNS_RCODE]), 4095, &rcode);
	(void)cap_number(cap_first(l->value[CAP_DNS_ANSWERS]), 65535, &records);
	a->answered_us = us;
	a->at_us = a->at_us ? a->at_us : us;
	a->rcode = (uint16_t)rcode;
	/* What counts is a record of the type asked for; an alias that leads nowhere is none. */
	a->records = type == DNS_A_TYPE ? cap_count(l->value[CAP_DNS_A]) :
		     type == DNS_AAAA_TYPE ? cap_count(l->value[CAP_DNS_AAAA]) : (unsigned)records;
	if (type == DNS_A_TYPE)
		learn(b, a->name, l->value[CAP_DNS_A]);
	else if (type == DNS_AAAA_TYPE)
		learn(b, a->name, l->value[CAP_DNS_AAAA]);
}

const char *cap_book_name(const struct cap_book *b, const char *host)
{
	for (unsigned i = 0; i < b->n_names; i++)
		if (strcmp(b->name[i].host, host) == 0)
			return b->name[i].name;
	return NULL;
}

bool cap_book_resolved(const struct cap_book *b, const char *name)
{
	for (unsigned i = 0; i < b->n_asked; i++)
		if (b->asked[i].records && text_is_nocase(text_of(name), b->asked[i].name))
			return true;
	return false;
}

/* A message that was exported has tags instead of headers: they are put where headers would be, and the two addresses make the stream. */
static void take_tags(struct cap_line *l, char *stream, size_t size)
{
	bool v6 = l->value[CAP_EXP6_SRC].n > 0;
	struct text src = l->value[v6 ? CAP_EXP6_SRC : CAP_EXP_SRC], dst = l->value[v6 ? CAP_EXP6_DST : CAP_EXP_DST];
	struct text pieces[] = { src, l->value[CAP_EXP_SPORT], dst, l->value[CAP_EXP_DPORT] };
	uint32_t ways[2] = { 2166136261u, 2166136261u };
	for (unsigned w = 0; w < 2; w++)
		for (unsigned i = 0; i < 4; i++) {
			struct text t = pieces[(i + 2 * w) % 4];
			for (size_t k = 0; k <= t.n; k++)
				ways[w] = (ways[w] ^ (k < t.n ? (uint8_t)t.p[k] : 0xffu)) * 16777619u;
		}
	text_print(stream, size, "%u", (ways[0] ^ ways[1]) | 0x80000000u); /* the same in both directions */
	l->value[v6 ? CAP_IP6_SRC : CAP_IP_SRC] = src;
	l->value[v6 ? CAP_IP6_DST : CAP_IP_DST] = dst;
	l->value[CAP_UDP_SPORT] = l->value[CAP_EXP_SPORT];
	l->value[CAP_UDP_DPORT] = l->value[CAP_EXP_DPORT];
	l->value[CAP_UDP_STREAM] = text_of(stream);
}

/* ---- lines ---- */

void cap_book_line(struct cap_book *b, struct text line)
{
	struct cap_line l;
	char stream[16];
	int64_t us;
	uint64_t frame = 0, len, caplen;
	if (cap_line_split(&l, line) || !cap_time_us(l.value[CAP_TIME], &us) || !cap_number(l.value[CAP_NUMBER], UINT64_MAX, &frame)) {
		b->bad_lines++;
		return;
	}
	b->packets++;
	b->last_frame = frame;
	b->first_us = b->first_us ? b->first_us : us;
	b->last_us = us > b->last_us ? us : b->last_us;
	if (cap_number(l.value[CAP_LEN], UINT32_MAX, &len) && cap_number(l.value[CAP_CAPLEN], UINT32_MAX, &caplen) && caplen < len)
		b->cut_packets++;
	if (l.value[CAP_ICMP_TYPE].n || l.value[CAP_ICMP6_TYPE].n) {
		icmp(b, &l);
		return;
	}
	if (l.value[CAP_DNS_NAME].n) {
		dns(b, &l, us);
		return;
	}
	if (l.value[CAP_EXP_SPORT].n && !l.value[CAP_TCP_STREAM].n && !l.value[CAP_UDP_STREAM].n)
		take_tags(&l, stream, sizeof stream);
	if (!l.value[CAP_TCP_STREAM].n && !(l.value[CAP_UDP_STREAM].n && l.value[CAP_SIP_CSEQ].n))
		return;
	struct cap_talk *t = talk_of(b, &l, us);
	if (t && cap_talk_packet(t, &l, us))
		b->err = ENOMEM;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* budget.c  See budget.h. An entry an address, in a hash and in a list by last use; one that is idle for ten seconds has full buckets again and is worth nothing. */
#include "sip/budget.h"
#include <errno.h>
#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"

enum {
	SOURCES_MAX = 8192,
	BURST_S = 2,
	IDLE_MS = 10000,
	KNOWN_MS = 2000,           /* how long the handler's word is kept */
	PROVEN_MS = 3600 * 1000,
	TELL_MS = 10000,
	TELLS_A_SECOND = 5,
	KEY_SIZE = 17,
};

/* Thousandths of tokens, so that rates below one a millisecond add up. */
struct bucket {
	int64_t milli, at_ms;
};

struct told {
	int64_t at_ms; /* 0: never */
	uint64_t untold;
};

struct sip_budget_source {
	struct hash_entry by_addr;
	struct link link;
	char key[KEY_SIZE];
	bool known, shared;
	int64_t seen_ms, known_ms, proven_ms; /* proven_ms: until when; 0: never */
	unsigned conns;
	struct bucket handshakes, messages, calls;
	struct told told[SIP_TOLDS];
};

struct sip_budget {
	struct sip_budget_prm prm;
	struct hash *sources;
	struct list by_use; /* the longest unused first */
	unsigned n_sources, conns, stranger_conns, handshakes;
	size_t bytes;
	struct bucket strangers, tells;
	struct sip_budget_source others, gateways; /* of those without an entry of their own */
	struct metric *refused[SIP_BUDGETS];
};

static const char *const words[SIP_BUDGETS] = { "connections", "handshakes", "messages", "calls", "bytes" };

const char *sip_budget_word(enum sip_budget_what what)
{
	return words[what];
}

static int64_t now_of(const struct sip_budget *b)
{
	return clock_mono_ms(b->prm.clock);
}

/* ---- buckets ---- */
static void fill(struct bucket *k, unsigned rate)
{
	k->milli = (int64_t)rate * BURST_S * 1000;
}

static bool take(struct bucket *k, unsigned rate, int64_t now)
{
	int64_t most = (int64_t)rate * BURST_S * 1000, gone = now - k->at_ms;

	k->milli = gone > BURST_S * 1000 ? most : k->milli + gone * rate;
	k->at_ms = now;
	if (k->milli > most)
		k->milli = most;
	if (k->milli < 1000)
		return false;
	k->milli -= 1000;
	return true;
}

/* ---- sources ---- */
static struct text key_of(const struct net_addr *addr, bool whole, char key[KEY_SIZE])
{
	bool v6 = net_addr_is_v6(addr);
	size_t n = !v6 ? 4 : whole ? 16 : 8;

	key[0] = v6 ? (whole ? 'w' : '6') : '4';
	memcpy(key + 1, v6 ? (const void *)&addr->u.v6.sin6_addr : (const void *)&addr->u.v4.sin_addr, n);
	return text_make(key, n + 1);
}

static struct sip_budget_source *found(struct sip_budget *b, const struct net_addr *addr, bool whole)
{
	char key[KEY_SIZE];
	struct hash_entry *e = hash_find(b->sources, key_of(addr, whole, key));

	return e ? HASH_MEMBER(e, struct sip_budget_source, by_addr) : NULL;
}

static bool asked_known(const struct sip_budget *b, const struct net_addr *addr)
{
	return !b->prm.known || b->prm.known(addr, b->prm.arg);
}

static void forget(struct sip_budget *b, struct sip_budget_source *s)
{
	hash_remove(&s->by_addr);
	list_remove(&s->link);
	b->n_sources--;
	mem_free(s);
}

/* Kept whatever its age: a connection stands on it, or a certificate proved it. */
static bool must_stay(const struct sip_budget_source *s, int64_t now)
{
	return s->conns || s->proven_ms > now;
}

/* Room for one more: those that were not heard for a while go, a few at a time; for a gateway another one goes in any case. What must stay is put to
 * the end of the list, lest it stand for ever before those that may go. */
static bool make_room(struct sip_budget *b, bool known, int64_t now)
{
	enum { LOOKS = 64 };

	for (unsigned looked = 0, all = b->n_sources; looked < all; looked++) {
		struct sip_budget_source *s = LIST_ENTRY(list_first(&b->by_use), struct sip_budget_source, link);
		bool must = known && b->n_sources >= SOURCES_MAX;
		if (!must && (looked >= LOOKS || now - s->seen_ms < IDLE_MS))
			break;
		if (must_stay(s, now)) {
			list_remove(&s->link);
			list_append(&b->by_use, &s->link);
		} else {
			forget(b, s);
		}
	}
	return b->n_sources < SOURCES_MAX;
}

static struct sip_budget_source *enter(struct sip_budget *b, const struct net_addr *addr, bool known, int64_t now)
{
	struct sip_budget_source *s;

	if (!make_room(b, known, now) || !(s = mem_zalloc(1, sizeof(*s))))
		return NULL;
	if (hash_add(b->sources, &s->by_addr, key_of(addr, known, s->key))) {
		mem_free(s);
		return NULL;
	}
	s->known = known;
	s->known_ms = now;
	fill(&s->handshakes, b->prm.stranger_handshakes);
	fill(&s->messages, b->prm.stranger_messages);
	fill(&s->calls, b->prm.calls);
	s->handshakes.at_ms = s->messages.at_ms = s->calls.at_ms = now;
	list_append(&b->by_use, &s->link);
	b->n_sources++;
	return s;
}

/* The entry of an address; without room or memory the one of all gateways, or of all strangers. */
static struct sip_budget_source *source_of(struct sip_budget *b, const struct net_addr *addr)
{
	int64_t now = now_of(b);
	struct sip_budget_source *s = found(b, addr, true);
	bool known = false;

	if (!s || now - s->known_ms >= KNOWN_MS) {
		known = asked_known(b, addr);
		if (!s && !known && net_addr_is_v6(addr)) /* of his /64; an address of a gateway has an entry of its own within it */
			s = found(b, addr, false);
		if (s) {
			s->known = known;
			s->known_ms = now;
		} else {
			s = enter(b, addr, known, now);
		}
	}
	if (!s)
		return known ? &b->gateways : &b->others;
	s->seen_ms = now;
	list_remove(&s->link);
	list_append(&b->by_use, &s->link);
	return s;
}

static bool is_known(const struct sip_budget *b, const struct sip_budget_source *s)
{
	return s->known || s->proven_ms > now_of(b);
}

bool sip_budget_is_known(struct sip_budget *b, const struct net_addr *addr)
{
	return is_known(b, source_of(b, addr));
}

/* ---- connections ---- */
static bool has_seat(struct sip_budget *b, struct sip_budget_source *s, bool stranger, bool tls, enum sip_budget_what *what)
{
	*what = SIP_BUDGET_CONNS;
	if (b->conns >= b->prm.conns || (stranger && b->stranger_conns >= (b->prm.conns + 1) / 2))
		return false;
	if (s->conns >= (stranger ? b->prm.conns_per_source : b->prm.conns_per_gateway))
		return false;
	*what = SIP_BUDGET_HANDSHAKES;
	return !stranger || !tls || (b->handshakes < b->prm.handshakes && take(&s->handshakes, b->prm.stranger_handshakes, now_of(b)));
}

bool sip_budget_sit(struct sip_budget *b, const struct net_addr *addr, bool tls, struct sip_seat *seat, enum sip_budget_what *what)
{
	struct sip_budget_source *s = source_of(b, addr);
	bool stranger = !is_known(b, s);

	if (!has_seat(b, s, stranger, tls, what))
		return false;
	*seat = (struct sip_seat){ .source = s, .stranger = stranger, .opening = stranger && tls };
	s->conns++;
	b->conns++;
	b->stranger_conns += stranger;
	b->handshakes += seat->opening;
	return true;
}

void sip_budget_up(struct sip_budget *b, struct sip_seat *seat)
{
	b->handshakes -= seat->opening;
	seat->opening = false;
}

void sip_budget_proven(struct sip_budget *b, struct sip_seat *seat)
{
	if (!seat->source)
		return;
	if (!seat->source->shared)
		seat->source->proven_ms = now_of(b) + PROVEN_MS;
	if (!seat->stranger)
		return;
	seat->stranger = false;
	b->stranger_conns--;
	b->bytes -= seat->bytes;
	seat->bytes = 0;
}

bool sip_budget_bytes(struct sip_budget *b, struct sip_seat *seat, size_t bytes)
{
	if (!seat->source || !seat->stranger)
		return true;
	b->bytes = b->bytes - seat->bytes + bytes;
	seat->bytes = bytes;
	return b->bytes <= b->prm.stranger_bytes;
}

void sip_budget_leave(struct sip_budget *b, struct sip_seat *seat)
{
	if (!seat->source)
		return;
	sip_budget_up(b, seat);
	b->bytes -= seat->bytes;
	b->stranger_conns -= seat->stranger;
	b->conns--;
	seat->source->conns--;
	*seat = (struct sip_seat){ 0 };
}

/* ---- messages ---- */
bool sip_budget_message(struct sip_budget *b, const struct net_addr *addr)
{
	struct sip_budget_source *s = source_of(b, addr);
	int64_t now = now_of(b);

	return is_known(b, s) || (take(&s->messages, b->prm.stranger_messages, now) && take(&b->strangers, b->prm.strangers_messages, now));
}

bool sip_budget_call(struct sip_budget *b, const struct net_addr *addr)
{
	return take(&source_of(b, addr)->calls, b->prm.calls, now_of(b));
}

/* ---- telling ---- */
bool sip_budget_refused(struct sip_budget *b, const struct net_addr *addr, enum sip_budget_what what, uint64_t *count)
{
	metric_add(b->refused[what], 1);
	return sip_budget_tell(b, addr, what, count);
}

bool sip_budget_tell(struct sip_budget *b, const struct net_addr *addr, enum sip_budget_what what, uint64_t *count)
{
	struct told *t = &source_of(b, addr)->told[what];
	int64_t now = now_of(b);

	t->untold++;
	if ((t->at_ms && now - t->at_ms < TELL_MS) || !take(&b->tells, TELLS_A_SECOND, now))
		return false;
	*count = t->untold;
	*t = (struct told){ .at_ms = now ? now : 1 };
	return true;
}

unsigned sip_budget_sources(const struct sip_budget *b)
{
	return b->n_sources;
}

/* ---- birth and end ---- */
int sip_budget_create(struct sip_budget **bp, const struct sip_budget_prm *prm)
{
	struct sip_budget *b = mem_zalloc(1, sizeof(*b));
	char label[40];
	int err;

	if (!b)
		return ENOMEM;
	b->prm = *prm;
	b->others.shared = b->gateways.shared = b->gateways.known = true;
	list_init(&b->by_use);
	fill(&b->strangers, prm->strangers_messages);
	fill(&b->tells, TELLS_A_SECOND);
	fill(&b->others.handshakes, prm->stranger_handshakes);
	fill(&b->others.messages, prm->stranger_messages);
	fill(&b->others.calls, prm->calls);
	fill(&b->gateways.calls, prm->calls);
	for (unsigned i = 0; i < SIP_BUDGETS; i++) {
		(void)text_print(label, sizeof(label), "budget=\"%s\"", words[i]);
		b->refused[i] = metric_get(prm->metrics, METRIC_COUNTER, "umbel_sip_over_budget_total", label, "refused because an address, or all strangers together, asked for too much");
	}
	err = hash_create(&b->sources, 256);
	if (err) {
		mem_free(b);
		return err;
	}
	*bp = b;
	return 0;
}

void sip_budget_destroy(struct sip_budget *b)
{
	struct link *l;

	if (!b)
		return;
	while ((l = list_first(&b->by_use)))
		forget(b, LIST_ENTRY(l, struct sip_budget_source, link));
	hash_destroy(b->sources);
	mem_free(b);
}

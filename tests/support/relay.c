/* SPDX-License-Identifier: Apache-2.0 */
/* relay.c  See relay.h. */
#include "support/relay.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/list.h"
#include "base/mem.h"
#include "net/tmr.h"
#include "net/udp.h"

enum { A, B };
struct end {
	struct relay *relay;
	struct net_addr addr; /* of the endpoint */
	struct udp *udp;      /* that stands for the other one */
	unsigned last_out;    /* number of the last that went out to it */
};
struct relay {
	struct loop *loop;
	struct relay_prm prm;
	struct end end[2];
	struct list under_way;
	unsigned number;
	struct relay_stats stats;
};
struct datagram {
	struct link link;
	struct tmr t;
	struct end *to;
	unsigned number;
	size_t n;
	uint8_t bytes[];
};

/* xorshift64*: the same in every build. */
static unsigned chance(struct relay *r, unsigned below)
{
	uint64_t x = r->prm.seed;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	r->prm.seed = x;
	return below ? (unsigned)((x * 0x2545f4914f6cdd1dULL >> 33) % below) : 0;
}

static void arrive(void *arg)
{
	struct datagram *d = arg;
	struct relay *r = d->to->relay;

	if (d->number < d->to->last_out)
		r->stats.overtaken++;
	else
		d->to->last_out = d->number;
	r->stats.passed++;
	(void)udp_send(d->to->udp, &d->to->addr, d->bytes, d->n);
	list_remove(&d->link);
	mem_free(d);
}

static void send_later(struct relay *r, struct end *to, const uint8_t *p, size_t n)
{
	struct datagram *d = mem_zalloc(1, sizeof(*d) + n);

	if (!d)
		return;
	d->to = to;
	d->number = ++r->number;
	d->n = n;
	memcpy(d->bytes, p, n);
	list_append(&r->under_way, &d->link);
	tmr_start(r->loop, &d->t, chance(r, r->prm.delay_ms + 1), arrive, d);
}

/* Contact: <sip:...:PORT...>: the sender's own port becomes that of the socket which stands for him. */
static void contact_rewrite(uint8_t *p, size_t n, const struct net_addr *own, const struct net_addr *stand_in)
{
	char was[8], now[8];
	uint8_t *line = memmem(p, n, "\r\nContact: ", 11), *end, *at;

	snprintf(was, sizeof(was), ":%u", net_addr_port(own));
	snprintf(now, sizeof(now), ":%u", net_addr_port(stand_in));
	if (!line || strlen(was) != strlen(now) || !(end = memmem(line + 2, n - (size_t)(line + 2 - p), "\r\n", 2)))
		return;
	at = memmem(line, (size_t)(end - line), was, strlen(was));
	if (at)
		memcpy(at, now, strlen(now));
}

static void on_datagram(struct udp *udp, const struct net_addr *from, uint8_t *data, size_t n, void *arg)
{
	struct end *sender = arg;
	struct relay *r = sender->relay;
	struct end *to = &r->end[sender == &r->end[A] ? B : A];

	(void)udp;
	(void)from;
	if (chance(r, 100) < r->prm.lost_percent) {
		r->stats.lost++;
		return;
	}
	contact_rewrite(data, n, &sender->addr, udp_local(to->udp));
	send_later(r, to, data, n);
	if (chance(r, 100) < r->prm.doubled_percent) {
		r->stats.doubled++;
		send_later(r, to, data, n);
	}
}

int relay_create(struct relay **rp, struct loop *loop, const struct net_addr *a, const struct net_addr *b, const struct relay_prm *prm)
{
	struct relay *r = mem_zalloc(1, sizeof(*r));
	struct net_addr any;
	int err = r ? net_addr_parse(&any, text_of(prm->host ? prm->host : "127.0.0.1"), 0) : ENOMEM;

	if (err)
		return mem_free(r), err;
	r->loop = loop;
	r->prm = *prm;
	r->prm.seed = r->prm.seed * 0x9e3779b97f4a7c15ULL + 1;
	list_init(&r->under_way);
	r->end[A] = (struct end){ .relay = r, .addr = *a };
	r->end[B] = (struct end){ .relay = r, .addr = *b };
	for (unsigned i = 0; !err && i < 2; i++)
		err = udp_create(&r->end[i].udp, loop, &any, on_datagram, &r->end[i]);
	if (err) {
		relay_destroy(r);
		return err;
	}
	*rp = r;
	return 0;
}

void relay_destroy(struct relay *r)
{
	struct link *l;

	while ((l = list_first(&r->under_way))) {
		struct datagram *d = LIST_ENTRY(l, struct datagram, link);
		tmr_cancel(&d->t);
		list_remove(&d->link);
		mem_free(d);
	}
	for (unsigned i = 0; i < 2; i++)
		if (r->end[i].udp)
			udp_destroy(r->end[i].udp);
	mem_free(r);
}

void relay_towards(struct relay *r, const struct net_addr *b)
{
	r->end[B].addr = *b;
}

const struct net_addr *relay_for_a(const struct relay *r)
{
	return udp_local(r->end[A].udp);
}

const struct net_addr *relay_for_b(const struct relay *r)
{
	return udp_local(r->end[B].udp);
}

void relay_stats(const struct relay *r, struct relay_stats *s)
{
	*s = r->stats;
}

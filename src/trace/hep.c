/* SPDX-License-Identifier: Apache-2.0 */
/* hep.c  See hep.h. A chunk is: vendor (0: generic), type, length with these six bytes, value; all in network order. */
#include "trace/hep.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "net/tmr.h"

enum { FAMILY = 1, PROTO, IP4_SRC, IP4_DST, IP6_SRC, IP6_DST, SRC_PORT, DST_PORT, SECONDS, MICROSECONDS, KIND, CAPTURE_ID, KEY = 14, PAYLOAD = 15,
       CORRELATION = 17, NODE = 19 };
enum { HEAD = 6, FAMILY_4 = 2, FAMILY_6 = 10, PROTO_TCP = 6, PROTO_UDP = 17, ASK_AGAIN_MS = 60000, ASK_SOON_MS = 5000 };

static void number(struct buf *b, uint64_t v, unsigned bytes)
{
	while (bytes--)
		buf_char(b, (char)(v >> (8 * bytes)));
}

static void chunk(struct buf *b, unsigned type, const void *p, size_t n)
{
	number(b, 0, 2);
	number(b, type, 2);
	number(b, HEAD + n, 2);
	buf_put(b, p, n);
}

static void chunk_number(struct buf *b, unsigned type, uint64_t v, unsigned bytes)
{
	number(b, 0, 2);
	number(b, type, 2);
	number(b, HEAD + bytes, 2);
	number(b, v, bytes);
}

static void chunk_text(struct buf *b, unsigned type, struct text t, size_t max)
{
	t = text_head(t, max);
	if (t.n)
		chunk(b, type, t.p, t.n);
}

int hep_write(struct buf *b, const struct hep_message *m)
{
	bool v6 = net_addr_is_v6(&m->from);
	if (v6 != net_addr_is_v6(&m->to))
		return EINVAL;
	if (m->payload.n > HEP_DATAGRAM_MAX - 1024)
		return EMSGSIZE;
	size_t begin = b->n;
	buf_text(b, TEXT("HEP3"));
	number(b, 0, 2);
	chunk_number(b, FAMILY, v6 ? FAMILY_6 : FAMILY_4, 1);
	chunk_number(b, PROTO, m->tcp ? PROTO_TCP : PROTO_UDP, 1);
	chunk(b, v6 ? IP6_SRC : IP4_SRC, v6 ? (const void *)&m->from.u.v6.sin6_addr : (const void *)&m->from.u.v4.sin_addr, v6 ? 16 : 4);
	chunk(b, v6 ? IP6_DST : IP4_DST, v6 ? (const void *)&m->to.u.v6.sin6_addr : (const void *)&m->to.u.v4.sin_addr, v6 ? 16 : 4);
	chunk_number(b, SRC_PORT, net_addr_port(&m->from), 2);
	chunk_number(b, DST_PORT, net_addr_port(&m->to), 2);
	chunk_number(b, SECONDS, (uint64_t)(m->us / 1000000), 4);
	chunk_number(b, MICROSECONDS, (uint64_t)(m->us % 1000000), 4);
	chunk_number(b, KIND, m->kind, 1);
	chunk_number(b, CAPTURE_ID, m->capture_id, 4);
	chunk_text(b, KEY, m->key, 128);
	chunk_text(b, CORRELATION, m->correlation, 256);
	chunk_text(b, NODE, m->node, 64);
	chunk(b, PAYLOAD, m->payload.p, m->payload.n);
	if (buf_error(b))
		return buf_error(b);
	b->p[begin + 4] = (uint8_t)((b->n - begin) >> 8);
	b->p[begin + 5] = (uint8_t)(b->n - begin);
	return 0;
}

/* ---- the sender ---- */

struct hep {
	struct loop *loop;
	struct dns *dns;
	struct dns_query *query;
	struct tmr again;
	enum dns_type type;
	char host[256];
	uint16_t port;
	int fd; /* -1 while the collector's address is not known */
	struct net_addr to;
	struct metric *sent, *lost;
};

static void aim(struct hep *h, const struct net_addr *a)
{
	if (h->fd >= 0 && net_addr_eq(a, &h->to))
		return;
	if (h->fd >= 0)
		close(h->fd);
	h->to = *a;
	h->fd = socket(a->u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (h->fd >= 0 && connect(h->fd, &a->u.sa, net_addr_len(a)) < 0) {
		close(h->fd);
		h->fd = -1;
	}
}

static void ask(void *arg);

/* IPv4 first; then IPv6 if there is none. A name that is lost again leaves the last address in use. */
static void answered(const struct dns_result *res, void *arg)
{
	struct hep *h = arg;
	h->query = NULL;
	if (res->outcome == DNS_OK && res->n) {
		for (unsigned i = 0; i < res->n; i++)
			if (res->rec[i].type == h->type) {
				struct net_addr a = res->rec[i].addr;
				net_addr_set_port(&a, h->port);
				aim(h, &a);
				break;
			}
		h->type = DNS_A;
		tmr_start(h->loop, &h->again, ASK_AGAIN_MS, ask, h);
		return;
	}
	bool first = h->type == DNS_A;
	h->type = first ? DNS_AAAA : DNS_A;
	tmr_start(h->loop, &h->again, first ? 0 : ASK_SOON_MS, ask, h);
}

static void ask(void *arg)
{
	struct hep *h = arg;
	if (dns_query(h->dns, &h->query, text_of(h->host), h->type, answered, h))
		tmr_start(h->loop, &h->again, ASK_SOON_MS, ask, h);
}

int hep_create(struct hep **hp, const struct hep_prm *prm)
{
	struct hep *h = mem_zalloc(1, sizeof *h);
	struct net_addr a;
	if (!h)
		return ENOMEM;
	h->loop = prm->loop;
	h->dns = prm->dns;
	h->port = prm->port;
	h->fd = -1;
	h->type = DNS_A;
	text_fill(h->host, sizeof h->host, prm->host);
	h->sent = metric_get(prm->metrics, METRIC_COUNTER, "umbel_hep_sent_total", NULL, "Messages sent to the HEP collector");
	h->lost = metric_get(prm->metrics, METRIC_COUNTER, "umbel_hep_lost_total", NULL,
			     "Messages that the HEP collector did not get: its address is not known, the socket was full, or they were too long");
	if (net_addr_parse(&a, text_of(h->host), h->port) == 0)
		aim(h, &a);
	else if (h->dns)
		ask(h);
	*hp = h;
	return 0;
}

void hep_destroy(struct hep *h)
{
	if (!h)
		return;
	if (h->query)
		dns_cancel(h->query);
	tmr_cancel(&h->again);
	if (h->fd >= 0)
		close(h->fd);
	mem_free(h);
}

void hep_send(struct hep *h, const struct hep_message *m)
{
	struct buf b;
	buf_init(&b, HEP_DATAGRAM_MAX);
	bool sent = h->fd >= 0 && hep_write(&b, m) == 0 && send(h->fd, b.p, b.n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)b.n;
	metric_add(sent ? h->sent : h->lost, 1);
	buf_free(&b);
}

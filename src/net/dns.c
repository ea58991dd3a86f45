/* SPDX-License-Identifier: Apache-2.0 */
/* dns.c  c-ares on the loop, with a cache that keeps what the zone allows and no longer. */
#include "net/dns.h"
#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <sys/epoll.h>
#include "base/hash.h"
#include "base/mem.h"
#include "net/tmr.h"
#include "net_events.h"

enum { SOCKETS = 16, CACHE_MAX = 1024, HOSTS_TTL_S = 10, QUERY_MS = 5000, TRIES = 3 };

struct cached {
	struct hash_entry entry;
	struct link age; /* oldest first */
	char key[DNS_NAME_SIZE + 8];
	int64_t until_ms;
	struct dns_result res;
};

/* One c-ares channel on the loop. */
struct asker {
	struct dns *dns;
	ares_channel channel;
	bool open;
	struct loop_io io[SOCKETS];
	struct tmr timer;
};

/* Two askers: the first passes a server's SERVFAIL or REFUSED over and tries the next one, but then cannot say what was answered; only when all
 * failed, the second asks once more and takes whatever comes, for the administrator to read. */
enum { FAILOVER, VERBATIM, ASKERS };

struct dns {
	struct loop *loop;
	struct asker asker[ASKERS];
	struct hash *cache;
	struct list ages;
	struct list queries;
	char server[NET_ADDR_SIZE];
	struct ev_bus *bus;
	struct metric *m_queries, *m_failed;
	int64_t timeout_ms;
};

struct dns_query {
	struct link link; /* in dns->queries while under way */
	struct dns *dns;
	dns_h *h;
	void *arg;
	struct dns_result res;
	bool answered, in_ares, verbatim;
	struct tmr deadline;
};

static void rearm(struct asker *a);

static void timer_fired(void *arg)
{
	struct asker *a = arg;
	ares_process_fd(a->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	rearm(a);
}

static void rearm(struct asker *a)
{
	struct timeval tv;
	if (list_empty(&a->dns->queries) || !ares_timeout(a->channel, NULL, &tv)) {
		tmr_cancel(&a->timer);
		return;
	}
	tmr_start(a->dns->loop, &a->timer, (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000 + 1, timer_fired, a);
}

static void socket_ready(struct loop_io *io, uint32_t events, void *arg)
{
	struct asker *a = arg;
	int fd = io->fd;
	ares_process_fd(a->channel, events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? fd : ARES_SOCKET_BAD, events & EPOLLOUT ? fd : ARES_SOCKET_BAD);
	rearm(a);
}

/* c-ares says which sockets it wants watched. */
static void socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct asker *a = arg;
	struct loop_io *unused = NULL, *io = NULL;
	for (int i = 0; i < SOCKETS; i++) {
		if (!a->io[i].loop && !unused)
			unused = &a->io[i];
		if (a->io[i].loop && a->io[i].fd == fd)
			io = &a->io[i];
	}
	uint32_t events = (readable ? (uint32_t)EPOLLIN : 0) | (writable ? (uint32_t)EPOLLOUT : 0);
	if (!events && io)
		loop_io_del(io);
	else if (io)
		loop_io_mod(io, events);
	else if (events && unused)
		(void)loop_io_add(a->dns->loop, unused, fd, events, socket_ready, a); /* failing, the query runs into its time limit */
}

static int asker_open(struct asker *a, struct dns *dns, int flags, const char *servers)
{
	struct ares_options opt = { .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | flags, .timeout = 1200, .tries = TRIES,
		                    .sock_state_cb = socket_state, .sock_state_cb_data = a };
	a->dns = dns;
	if (ares_init_options(&a->channel, &opt, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS)
		return ENOMEM;
	a->open = true;
	return servers && ares_set_servers_ports_csv(a->channel, servers) != ARES_SUCCESS ? EINVAL : 0;
}

static void first_server(struct dns *dns)
{
	struct ares_addr_port_node *servers = NULL;
	struct net_addr a = { 0 };
	if (ares_get_servers_ports(dns->asker[FAILOVER].channel, &servers) == ARES_SUCCESS && servers) {
		a.u.sa.sa_family = (sa_family_t)servers->family;
		if (servers->family == AF_INET6)
			memcpy(&a.u.v6.sin6_addr, &servers->addr.addr6, 16);
		else
			memcpy(&a.u.v4.sin_addr, &servers->addr.addr4, 4);
		net_addr_set_port(&a, servers->udp_port ? (uint16_t)servers->udp_port : 53);
		net_addr_print(&a, dns->server);
	}
	ares_free_data(servers);
}

int dns_create(struct dns **dp, struct loop *loop, const char *servers)
{
	int err = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS ? 0 : ENOMEM;
	struct dns *dns = err ? NULL : mem_zalloc(1, sizeof *dns);
	if (!dns)
		return ENOMEM;
	dns->loop = loop;
	dns->timeout_ms = QUERY_MS;
	list_init(&dns->ages);
	list_init(&dns->queries);
	err = hash_create(&dns->cache, 64);
	if (!err)
		err = asker_open(&dns->asker[FAILOVER], dns, 0, servers);
	if (!err)
		err = asker_open(&dns->asker[VERBATIM], dns, ARES_FLAG_NOCHECKRESP, servers);
	if (err) {
		dns_destroy(dns);
		return err;
	}
	first_server(dns);
	*dp = dns;
	return 0;
}

static void forget(struct cached *c)
{
	hash_remove(&c->entry);
	list_remove(&c->age);
	mem_free(c);
}

void dns_flush(struct dns *dns)
{
	for (struct link *e; (e = list_first(&dns->ages)) != NULL;)
		forget(LIST_ENTRY(e, struct cached, age));
}

static void query_free(struct dns_query *q)
{
	tmr_cancel(&q->deadline);
	list_remove(&q->link);
	mem_free(q);
}

void dns_destroy(struct dns *dns)
{
	if (!dns)
		return;
	LIST_FOREACH(&dns->queries, e)
		LIST_ENTRY(e, struct dns_query, link)->h = NULL;
	for (int i = 0; i < ASKERS; i++)
		if (dns->asker[i].open)
			ares_destroy(dns->asker[i].channel); /* ends what it holds: ares_answered() runs with ARES_EDESTRUCTION */
	for (struct link *e; (e = list_first(&dns->queries)) != NULL;)
		query_free(LIST_ENTRY(e, struct dns_query, link));
	for (int i = 0; i < ASKERS; i++) {
		tmr_cancel(&dns->asker[i].timer);
		for (int k = 0; k < SOCKETS; k++)
			loop_io_del(&dns->asker[i].io[k]);
	}
	if (dns->cache)
		dns_flush(dns);
	hash_destroy(dns->cache);
	mem_free(dns);
	ares_library_cleanup();
}

void dns_observe(struct dns *dns, struct ev_bus *bus, struct metrics *metrics)
{
	dns->bus = bus;
	dns->m_queries = metric_get(metrics, METRIC_COUNTER, "umbel_dns_queries_total", NULL, "DNS questions sent.");
	dns->m_failed = metric_get(metrics, METRIC_COUNTER, "umbel_dns_failed_total", NULL, "DNS questions without a usable answer (time-out, refused, failure, malformed).");
}

void dns_timeout(struct dns *dns, int64_t ms)
{
	dns->timeout_ms = ms;
}

static void make_key(char *key, size_t size, const char *name, enum dns_type type)
{
	char lower[DNS_NAME_SIZE];
	size_t i = 0;
	for (; name[i] && i < sizeof lower - 1; i++)
		lower[i] = text_lower(name[i]);
	lower[i] = '\0';
	snprintf(key, size, "%d:%.255s", type, lower);
}

static void remember(struct dns *dns, const struct dns_result *res)
{
	char key[DNS_NAME_SIZE + 8];
	if (res->ttl_s == 0 || (res->outcome != DNS_OK && res->outcome != DNS_NXDOMAIN && res->outcome != DNS_NODATA))
		return;
	make_key(key, sizeof key, res->name, res->type);
	struct hash_entry *was = hash_find(dns->cache, text_of(key));
	if (was)
		forget(HASH_MEMBER(was, struct cached, entry));
	if (hash_count(dns->cache) >= CACHE_MAX)
		forget(LIST_ENTRY(list_first(&dns->ages), struct cached, age));
	struct cached *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return; /* only a cache */
	text_fill(c->key, sizeof c->key, key);
	c->res = *res;
	c->until_ms = clock_mono_ms(loop_clock(dns->loop)) + (int64_t)res->ttl_s * 1000;
	if (hash_add(dns->cache, &c->entry, text_of(c->key)))
		mem_free(c);
	else
		list_append(&dns->ages, &c->age);
}

static bool recall(struct dns *dns, struct dns_result *res)
{
	char key[DNS_NAME_SIZE + 8];
	make_key(key, sizeof key, res->name, res->type);
	struct hash_entry *e = hash_find(dns->cache, text_of(key));
	if (!e)
		return false;
	struct cached *c = HASH_MEMBER(e, struct cached, entry);
	int64_t left = c->until_ms - clock_mono_ms(loop_clock(dns->loop));
	if (left <= 0) {
		forget(c);
		return false;
	}
	*res = c->res;
	res->cached = true;
	res->ttl_s = (uint32_t)((left + 999) / 1000);
	return true;
}

/* localhost (RFC 6761 6.3) and what /etc/hosts knows, as administrators expect of any program. */
static bool from_hosts(struct dns *dns, struct dns_result *res)
{
	struct hostent *he = NULL;
	int family = res->type == DNS_A ? AF_INET : AF_INET6;
	if (res->type != DNS_A && res->type != DNS_AAAA)
		return false;
	if (ares_gethostbyname_file(dns->asker[FAILOVER].channel, res->name, family, &he) != ARES_SUCCESS || !he)
		return false;
	for (char **a = he->h_addr_list; *a && res->n < DNS_RECORDS; a++) {
		struct dns_record *r = &res->rec[res->n++];
		*r = (struct dns_record){ .type = res->type, .ttl_s = HOSTS_TTL_S };
		r->addr.u.sa.sa_family = (sa_family_t)family;
		if (family == AF_INET)
			memcpy(&r->addr.u.v4.sin_addr, *a, 4);
		else
			memcpy(&r->addr.u.v6.sin6_addr, *a, 16);
	}
	ares_free_hostent(he);
	res->ttl_s = HOSTS_TTL_S;
	res->outcome = res->n ? DNS_OK : DNS_NODATA;
	text_fill(res->server, sizeof res->server, "/etc/hosts");
	return res->n > 0;
}

static void tell(void *arg)
{
	struct dns_query *q = arg;
	dns_h *h = q->h;
	void *user = q->arg;
	struct dns_result res = q->res;
	query_free(q);
	if (h)
		h(&res, user);
}

static void answered(struct dns_query *q)
{
	struct dns *dns = q->dns;
	q->answered = true;
	if (q->res.outcome != DNS_OK && q->res.outcome != DNS_NXDOMAIN && q->res.outcome != DNS_NODATA)
		metric_add(dns->m_failed, 1);
	if (q->res.outcome == DNS_MALFORMED && dns->bus) {
		struct ev_report r = { 0 };
		ev_set(&r, EV_DNS_ANSWER_MALFORMED);
		ev_str(&r, "server", q->res.server);
		ev_str(&r, "name", q->res.name);
		ev_str(&r, "type", dns_type_name(q->res.type));
		ev_emit(dns->bus, &r);
	}
	/* Not from within the caller's own call, and not from within c-ares: by a timer that is due at once. */
	tmr_start(dns->loop, &q->deadline, 0, tell, q);
}

static int send_query(struct dns *dns, struct dns_query *q);

static void ares_answered(void *arg, int status, int timeouts, unsigned char *data, int n)
{
	struct dns_query *q = arg;
	(void)timeouts;
	q->in_ares = false;
	if (status == ARES_EDESTRUCTION || q->answered) {
		if (q->answered && !tmr_active(&q->deadline))
			query_free(q); /* its user was told at the deadline */
		return;
	}
	if (data && n > 0) {
		dns_answer_parse(&q->res, data, (size_t)n);
		remember(q->dns, &q->res);
	} else if (status != ARES_ETIMEOUT && !q->verbatim) {
		q->verbatim = true;
		if (send_query(q->dns, q) == 0)
			return;
		q->res.outcome = DNS_SERVFAIL;
	} else {
		q->res.outcome = status == ARES_ETIMEOUT ? DNS_TIMEOUT : status == ARES_ECONNREFUSED ? DNS_NO_SERVER : status == ARES_EREFUSED ? DNS_REFUSED :
		                 status == ARES_ENOTFOUND ? DNS_NXDOMAIN : status == ARES_EBADRESP ? DNS_MALFORMED : DNS_SERVFAIL;
	}
	answered(q);
}

static void deadline(void *arg)
{
	struct dns_query *q = arg;
	dns_h *h = q->h;
	void *user = q->arg;
	struct dns_result res = q->res;
	res.outcome = DNS_TIMEOUT;
	metric_add(q->dns->m_failed, 1);
	q->answered = true;
	q->h = NULL;
	if (!q->in_ares)
		query_free(q);
	if (h)
		h(&res, user);
}

static int send_query(struct dns *dns, struct dns_query *q)
{
	unsigned char *packet = NULL;
	int n = 0, status = ares_create_query(q->res.name, 1 /* IN */, (int)q->res.type, 0, 1, &packet, &n, 1232);
	if (status != ARES_SUCCESS)
		return status == ARES_ENOMEM ? ENOMEM : EINVAL;
	struct asker *a = &dns->asker[q->verbatim ? VERBATIM : FAILOVER];
	q->in_ares = true;
	if (!tmr_active(&q->deadline))
		tmr_start(dns->loop, &q->deadline, dns->timeout_ms, deadline, q);
	metric_add(dns->m_queries, 1);
	ares_send(a->channel, packet, n, ares_answered, q); /* sets the id itself */
	ares_free_string(packet);
	rearm(a);
	return 0;
}

int dns_query(struct dns *dns, struct dns_query **qp, struct text name, enum dns_type type, dns_h *h, void *arg)
{
	struct net_addr literal;
	if (name.n && name.p[name.n - 1] == '.')
		name.n--;
	if (!name.n || net_addr_parse(&literal, name, 0) == 0)
		return EINVAL;
	struct dns_query *q = mem_zalloc(1, sizeof *q);
	if (!q)
		return ENOMEM;
	q->dns = dns;
	q->h = h;
	q->arg = arg;
	q->res.type = type;
	int err = text_copy(name, q->res.name, sizeof q->res.name) ? EINVAL : 0;
	text_fill(q->res.server, sizeof q->res.server, dns->server);
	if (err) {
		mem_free(q);
		return err;
	}
	list_append(&dns->queries, &q->link);
	if (recall(dns, &q->res) || from_hosts(dns, &q->res))
		answered(q);
	else
		err = send_query(dns, q);
	if (err) {
		query_free(q);
		return err;
	}
	if (qp)
		*qp = q;
	return 0;
}

void dns_cancel(struct dns_query *q)
{
	if (!q)
		return;
	q->h = NULL;
	if (!q->in_ares)
		query_free(q);
	/* else c-ares still holds it; its answer goes to the cache and to nobody else */
}

struct loop *dns_loop(const struct dns *dns)
{
	return dns->loop;
}

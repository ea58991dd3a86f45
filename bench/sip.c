/* SPDX-License-Identifier: Apache-2.0 */
/* sip.c  What the SIP core costs by itself.
 *
 *   sip micro                                  parsing, look-ups, timers, bytes a dialog: one JSON line a figure
 *   sip serve UDP-PORT TLS-PORT CERT KEY CA    answers every call until it is ended, for bench/run, which measures its process from outside
 *
 * No media is counted: the port that a call is answered with is an address, and starting it does nothing. Everything else of sip/ is as in the server: budgets,
 * look-up of the peer, transactions, dialog, offer and answer, an event bus that nobody listens to, metrics.
 * Times are the least of several short runs, of this thread's own CPU time: what disturbs a run only makes it longer.                       */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/mem.h"
#include "invite.h"
#include "media/media.h"
#include "net/tmr.h"
#include "sip/leg_private.h"
#include "sip/transaction.h"
#include "trust/identity.h"

/* ---- allocations, counted below everything ---- */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
static unsigned long allocations;

void *malloc(size_t n)
{
	allocations++;
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	allocations++;
	return __libc_realloc(p, n);
}

/* ---- media that is none ---- */
static struct net_addr media_addr;

const struct net_addr *media_port_addr(const struct media_port *port)
{
	(void)port;
	return &media_addr;
}

int media_port_start(struct media_port *port, const struct media_stream *s)
{
	(void)port;
	(void)s;
	return 0;
}

const char *media_port_srtp(const struct media_port *port)
{
	(void)port;
	return "";
}

/* ---- figures ---- */
static void tell(const char *figure, double value, const char *unit, double most, const char *how)
{
	printf("{\"figure\": \"%s\", \"value\": %.3f, \"unit\": \"%s\", \"target\": %g, \"met\": %s, \"how\": \"%s\"}\n", figure, value, unit, most,
	       value <= most ? "true" : "false", how);
	fflush(stdout);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

enum { ROUNDS = 15 };
/* The least time of one of n. */
static double least_ns(void (*run)(unsigned n, void *arg), unsigned n, void *arg)
{
	double best = 1e18;

	for (int i = 0; i < ROUNDS; i++) {
		double from = cpu_ns(), took;
		run(n, arg);
		took = (cpu_ns() - from) / n;
		best = took < best ? took : best;
	}
	return best;
}

/* ---- an INVITE of 2.5 KB; and one that says what it must, as a plain phone does ---- */
static size_t plain_put(char *room, size_t size, unsigned i, uint16_t port)
{
	static const char sdp[] = "v=0\r\no=- 3786 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0 8 101\r\n"
	                          "a=rtpmap:101 telephone-event/8000\r\n";

	return (size_t)snprintf(room, size,
	                        "INVITE sip:4000@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKbench%u;rport\r\nMax-Forwards: 70\r\n"
	                        "From: <sip:2001@example.com>;tag=f%u\r\nTo: <sip:4000@example.com>\r\nCall-ID: %u-7f2e1c@bench\r\nCSeq: 1 INVITE\r\n"
	                        "Contact: <sip:2001@127.0.0.1:%u>\r\nContent-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
	                        port, i, i, i, port, sizeof(sdp) - 1, sdp);
}

static size_t invite_put(char *room, size_t size, unsigned i, uint16_t port)
{
	static const char sdp[] = "v=0\r\no=- 3786 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0 8 9 18 111 13 101\r\n" INVITE_LONG_SDP;

	return (size_t)snprintf(room, size,
	                        "INVITE sip:4000@127.0.0.1;user=phone SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKbench%u;rport\r\n%s"
	                        "Max-Forwards: 68\r\nFrom: \"Alice Adams\" <sip:+4930123456@example.com;user=phone>;tag=f%u;epid=9A0C12\r\n"
	                        "To: <sip:4000@umbel.example.com;user=phone>\r\nCall-ID: %u-7f2e1c@bench\r\nCSeq: 1 INVITE\r\n"
	                        "Contact: <sip:+4930123456@127.0.0.1:%u>\r\n%s"
	                        "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
	                        port, i, INVITE_LONG_VIA, i, i, port, INVITE_LONG_HEADERS, sizeof(sdp) - 1, sdp);
}

/* ---- parsing ---- */
static char invite[4096];
static size_t invite_n;

static void parse_many(unsigned n, void *arg)
{
	struct sip_msg *m = arg;

	for (unsigned i = 0; i < n; i++)
		if (sip_msg_parse(m, invite, invite_n, NULL))
			abort();
}

static void parsing(void)
{
	static struct sip_msg m;
	unsigned long before;
	char how[96];
	double took;

	invite_n = invite_put(invite, sizeof(invite), 1, 5060);
	parse_many(100, &m);
	snprintf(how, sizeof(how), "an INVITE of %zu bytes with %u header fields", invite_n, m.n_hdr);
	before = allocations;
	took = least_ns(parse_many, 2000, &m);
	before = allocations - before;
	tell("sip-parse", took / 1000, "us", 2, how);
	tell("sip-parse-allocations", (double)before, "allocations", 0, "of the same");
}

/* ---- timers ---- */
struct timers {
	struct clock_fake clock;
	struct loop *loop;
	struct tmr *standing, one;
	unsigned n;
};

static void on_nothing(void *arg)
{
	(void)arg;
}

static void timers_open(struct timers *t, unsigned n)
{
	clock_fake_init(&t->clock, 1800000000);
	t->n = n;
	t->standing = mem_zalloc(n, sizeof(*t->standing));
	if (!t->standing || loop_create(&t->loop, &t->clock.clock))
		abort();
	for (unsigned i = 0; i < n; i++) /* as calls have them: half a second to half an hour */
		tmr_start(t->loop, &t->standing[i], 500 + (int64_t)i * 7919 % 1800000, on_nothing, NULL);
}

static void timers_close(struct timers *t)
{
	for (unsigned i = 0; i < t->n; i++)
		tmr_cancel(&t->standing[i]);
	loop_destroy(t->loop);
	mem_free(t->standing);
}

static void start_and_cancel(unsigned n, void *arg)
{
	struct timers *t = arg;

	for (unsigned i = 0; i < n; i++) {
		tmr_start(t->loop, &t->one, 500 + i % 32000, on_nothing, NULL);
		tmr_cancel(&t->one);
	}
}

/* Each of the standing ones anew, as a call does that goes on. */
static void start_anew(unsigned n, void *arg)
{
	struct timers *t = arg;

	for (unsigned i = 0; i < n; i++)
		tmr_start(t->loop, &t->standing[i * 7919u % t->n], 500 + i % 32000, on_nothing, NULL);
}

static void timers(void)
{
	static const unsigned many = 50000, few = 500;
	struct timers a, b;
	double at_few, at_many;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	timers_open(&a, few);
	timers_open(&b, many);
	at_few = least_ns(start_and_cancel, 20000, &a);
	at_many = least_ns(start_and_cancel, 20000, &b);
	tell("timer", at_many, "ns", 250, "a timer started and stopped while 50,000 run");
	tell("timer-growth", at_many / at_few, "times 500 timers", 1.5, "the same against 500");
	tell("timer-anew", least_ns(start_anew, 20000, &b), "ns", 1000, "one of 50,000 started anew, each its own cache line");
	timers_close(&a);
	timers_close(&b);
}

/* ---- look-ups ---- */
struct table {
	struct clock_fake clock;
	struct loop *loop;
	struct sip_txns *txns;
	struct hash *calls;
	struct hash_entry *entry;
	char (*tag)[24];
	unsigned n;
	struct sip_msg *asked; /* of 64 among them */
	char (*bytes)[1024];
};
enum { ASKED = 64 };

static int send_nothing(const struct sip_path *path, const void *p, size_t n, void *arg)
{
	(void)path;
	(void)p;
	(void)n;
	(void)arg;
	return 0;
}

static void bye_put(char *room, size_t size, unsigned i)
{
	snprintf(room, size,
	         "BYE sip:umbel@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKbench%u;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@a.test>;tag=f%u\r\n"
	         "To: <sip:4000@umbel.example.com>;tag=t%u\r\nCall-ID: %u-7f2e1c@bench\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n",
	         i, i, i, i);
}

static void table_open(struct table *t, unsigned n)
{
	static struct sip_msg m;
	struct sip_timers timers = { 0 };
	struct sip_path path = { .transport = NET_UDP };
	struct sip_stx *stx;
	char room[1024];

	clock_fake_init(&t->clock, 1800000000);
	sip_timers_fill(&timers);
	t->n = n;
	t->entry = mem_zalloc(n, sizeof(*t->entry));
	t->tag = mem_zalloc(n, sizeof(*t->tag));
	t->asked = mem_zalloc(ASKED, sizeof(*t->asked));
	t->bytes = mem_zalloc(ASKED, sizeof(*t->bytes));
	if (!t->entry || !t->tag || !t->asked || !t->bytes || loop_create(&t->loop, &t->clock.clock) || hash_create(&t->calls, 256) ||
	    sip_txns_create(&t->txns, t->loop, &timers, n + 1, send_nothing, NULL))
		abort();
	for (unsigned i = 0; i < n; i++) {
		snprintf(t->tag[i], sizeof(t->tag[i]), "tag%u", i);
		bye_put(room, sizeof(room), i);
		if (hash_add(t->calls, &t->entry[i], text_of(t->tag[i])) || sip_msg_parse(&m, room, strlen(room), NULL) || sip_stx_create(&stx, t->txns, &m, &path))
			abort();
	}
	for (unsigned i = 0; i < ASKED; i++) {
		bye_put(t->bytes[i], sizeof(t->bytes[i]), i * 7919u % n);
		if (sip_msg_parse(&t->asked[i], t->bytes[i], strlen(t->bytes[i]), NULL))
			abort();
	}
}

static void table_close(struct table *t)
{
	sip_txns_destroy(t->txns);
	for (unsigned i = 0; i < t->n; i++)
		hash_remove(&t->entry[i]);
	hash_destroy(t->calls);
	loop_destroy(t->loop);
	mem_free(t->entry);
	mem_free(t->tag);
	mem_free(t->asked);
	mem_free(t->bytes);
}

static void find_calls(unsigned n, void *arg)
{
	struct table *t = arg;

	for (unsigned i = 0; i < n; i++)
		if (!hash_find(t->calls, text_of(t->tag[i % ASKED * 7919u % t->n])))
			abort();
}

static void find_transactions(unsigned n, void *arg)
{
	struct table *t = arg;

	for (unsigned i = 0; i < n; i++)
		if (!sip_stx_find(t->txns, &t->asked[i % ASKED]))
			abort();
}

static void lookups(void)
{
	static const unsigned many = 50000, few = 500;
	struct table a, b;
	double at_few, at_many;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	table_open(&a, few);
	table_open(&b, many);
	at_few = least_ns(find_calls, 20000, &a);
	at_many = least_ns(find_calls, 20000, &b);
	tell("call-found", at_many, "ns", 250, "a call by its tag among 50,000");
	tell("call-found-growth", at_many / at_few, "times 500 calls", 1.5, "the same against 500; 64 of them in turn");
	at_few = least_ns(find_transactions, 20000, &a);
	at_many = least_ns(find_transactions, 20000, &b);
	tell("transaction-found", at_many, "ns", 500, "a transaction by its request among 50,000");
	tell("transaction-found-growth", at_many / at_few, "times 500 transactions", 1.5, "the same against 500");
	table_close(&a);
	table_close(&b);
}

/* ---- a core that answers every call ---- */
struct node {
	struct loop *loop;
	struct ev_bus *bus;
	struct metrics *metrics;
	struct sip_core *core;
	struct sip_peer *peer;
	struct trust_keeper *keeper;
	struct trust_policy *policy;
	unsigned up;
};

static void on_leg(struct leg *leg, const struct leg_event *ev, void *arg)
{
	struct node *n = arg;

	if (ev->type == LEG_ANSWERED)
		n->up++;
	if (ev->type == LEG_ENDING && ev->receipt)
		leg_confirm(leg, true);
	if (ev->type == LEG_OVER)
		mem_unref(leg);
}

static void on_offered(struct leg *leg, void *arg)
{
	static struct ev_report why; /* thirteen kilobytes, which would be cleared each time */

	ev_set(&why, 0);
	leg_handler(mem_ref(leg), on_leg, arg);
	/* Any address that is no NULL: nobody looks behind it. */
	if (leg_answer(leg, (struct media_port *)arg, &why)) {
		leg_reject(leg, 500, NULL, 0);
		mem_unref(leg);
	}
}

static int on_lookup(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg)
{
	struct node *n = arg;

	(void)src;
	(void)why;
	*peer = mem_ref(n->peer);
	return 0;
}

static bool on_known(const struct net_addr *addr, void *arg)
{
	(void)addr;
	(void)arg;
	return true;
}

/* What the gateways' table does with it is not the core's cost. */
static void on_flow(struct sip_peer *peer, const struct trust_facts *facts, bool works, void *arg)
{
	(void)peer;
	(void)facts;
	(void)works;
	(void)arg;
}

static bool on_flow_again(struct sip_peer *peer, void *arg)
{
	(void)peer;
	(void)arg;
	return true;
}

static void core_open(struct node *n, const struct um_clock *clock, struct sip_core_prm *prm)
{
	if (loop_create(&n->loop, clock) || ev_bus_create(&n->bus, clock, 10) || metrics_create(&n->metrics) || !(n->peer = sip_peer_create()) ||
	    net_addr_parse(&media_addr, TEXT("127.0.0.1"), 40000))
		abort();
	text_fill(n->peer->name, sizeof(n->peer->name), "pool");
	text_fill(n->peer->host, sizeof(n->peer->host), "127.0.0.1");
	n->peer->believes_headers = true;
	prm->loop = n->loop;
	prm->clock = clock;
	prm->bus = n->bus;
	prm->metrics = n->metrics;
	prm->lookup = on_lookup;
	prm->known = on_known;
	prm->flow = on_flow;
	prm->flow_again = on_flow_again;
	prm->offered = on_offered;
	prm->limits.legs = prm->limits.legs_per_source = 60000;
	prm->limits.transactions = 60000;
	prm->limits.calls = 60000;
	prm->arg = n;
	if (sip_core_create(&n->core, prm, NULL))
		abort();
}

static void core_close(struct node *n)
{
	sip_core_destroy(n->core);
	trust_keeper_destroy(n->keeper);
	mem_unref(n->policy);
	mem_unref(n->peer);
	loop_destroy(n->loop);
	metrics_destroy(n->metrics);
	ev_bus_destroy(n->bus);
}

/* ---- bytes a dialog ---- */
enum { DIALOGS = 1000 };

static size_t in_use(void)
{
	return mallinfo2().uordblks;
}

static void say(int fd, const struct net_addr *to, const char *p, size_t n)
{
	if (sendto(fd, p, n, 0, &to->u.sa, net_addr_len(to)) < 0)
		abort();
}

typedef size_t (put_h)(char *room, size_t size, unsigned i, uint16_t port);

/* INVITE, 200, ACK. */
static void call_up(struct node *node, int fd, unsigned i, uint16_t port, put_h *put)
{
	const struct net_addr *to = sip_core_local(node->core, 0);
	static struct sip_msg m;
	char room[8192];
	unsigned up = node->up;
	ssize_t n;

	say(fd, to, room, put(room, sizeof(room), i, port));
	do {
		while (!loop_step(node->loop, 0))
			;
		while ((n = recv(fd, room, sizeof(room), MSG_DONTWAIT)) > 0 && (sip_msg_parse(&m, room, (size_t)n, NULL) || m.status < 200))
			;
	} while (n <= 0);
	if (m.status != 200)
		abort();
	char ack[2048];
	int len = snprintf(ack, sizeof(ack),
	                   "ACK sip:umbel@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKack%u;rport\r\nMax-Forwards: 70\r\nFrom: %.*s\r\nTo: %.*s\r\n"
	                   "Call-ID: %.*s\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
	                   port, i, TEXT_FMT(m.from.whole), TEXT_FMT(m.to.whole), TEXT_FMT(m.call_id));
	say(fd, to, ack, (size_t)len);
	while (node->up == up)
		loop_step(node->loop, 0);
}

/* Bytes of the allocator a call that is up: settled, and within 32 s after its answer, when the INVITE's transaction is still there. */
static void dialogs_of(put_h *put, double *settled, double *young)
{
	struct clock_fake clock;
	struct sip_core_prm prm = { .n_listen = 1 };
	struct node node = { 0 };
	struct net_addr any;
	struct sockaddr_in me;
	socklen_t len = sizeof(me);
	size_t before;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	clock_fake_init(&clock, 1800000000);
	if (fd < 0 || net_addr_parse(&any, TEXT("127.0.0.1"), 0) || bind(fd, &any.u.sa, net_addr_len(&any)) || getsockname(fd, (struct sockaddr *)&me, &len))
		abort();
	prm.listen[0] = (struct sip_listen){ .transport = NET_UDP, .addr = any };
	core_open(&node, &clock.clock, &prm);
	for (unsigned i = 0; i < DIALOGS; i++) /* tables have grown, and this one is left out of the count */
		call_up(&node, fd, i, ntohs(me.sin_port), put);
	clock_fake_advance_ms(&clock, 33000);
	loop_step(node.loop, 0);
	before = in_use();
	for (unsigned i = 0; i < DIALOGS; i++)
		call_up(&node, fd, DIALOGS + i, ntohs(me.sin_port), put);
	*young = (double)(in_use() - before) / DIALOGS;
	clock_fake_advance_ms(&clock, 33000);
	loop_step(node.loop, 0);
	*settled = (double)(in_use() - before) / DIALOGS;
	core_close(&node);
	close(fd);
}

static void dialogs(void)
{
	double settled, young;

	tell("dialog-bytes", (double)sizeof(struct leg), "bytes", 1024, "a leg with its dialog, its session timer and what was agreed of the audio");
	dialogs_of(plain_put, &settled, &young);
	tell("call-bytes", settled, "bytes", 1024, "of the allocator, for a call that is up: leg, what its INVITE said, its places in the tables; a plain phone's INVITE");
	dialogs_of(invite_put, &settled, &young);
	tell("call-bytes-long", settled, "bytes", 1792, "the same of an INVITE of 2.5 KB, whose history, diversion and routes are kept");
	tell("call-bytes-young", young, "bytes", 2560, "the same within 32 s after its answer, when the INVITE's transaction is still there");
}

/* ---- to be called from outside ---- */
static struct loop *the_loop;

static void on_signal(int n)
{
	(void)n;
	loop_stop(the_loop);
}

static void identity_load(struct node *n, struct sip_core_prm *prm, char **argv)
{
	static const char *const names[] = { "localhost" };
	struct trust_identity_prm own = { .name = "default", .cert_file = argv[0], .key_file = argv[1] };
	struct trust_identity *id;
	struct trust_set *set;
	struct ev_report why;
	unsigned anchors;

	if (trust_set_create(&set) || trust_identity_load(&id, &own, &why) || trust_set_identity(set, id) || trust_set_anchor_file(set, argv[2], &anchors, &why) ||
	    trust_keeper_create(&n->keeper, set) || trust_policy_one(&n->policy, "pool", TRUST_RULE_RFC5922, names, 1))
		exit(1);
	mem_unref(id);
	mem_unref(set);
	prm->trust = n->keeper;
	prm->accept = n->policy;
}

static int serve(char **argv)
{
	struct sip_core_prm prm = { .n_listen = 2 };
	struct node node = { 0 };

	mem_settle(); /* as the server does */
	if (net_addr_parse(&prm.listen[0].addr, TEXT("127.0.0.1"), (uint16_t)atoi(argv[0])) || net_addr_parse(&prm.listen[1].addr, TEXT("127.0.0.1"), (uint16_t)atoi(argv[1])))
		return 2;
	prm.listen[0].transport = NET_UDP;
	prm.listen[1].transport = NET_TLS;
	text_fill(prm.fqdn, sizeof(prm.fqdn), "localhost");
	identity_load(&node, &prm, argv + 2);
	core_open(&node, clock_system(), &prm);
	the_loop = node.loop;
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	loop_run(node.loop);
	core_close(&node);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "serve"))
		return serve(argv + 2);
	if (argc != 2 || strcmp(argv[1], "micro"))
		return fputs("usage: sip micro | sip serve UDP-PORT TLS-PORT CERT KEY CA\n", stderr), 2;
	parsing();
	timers();
	lookups();
	dialogs();
	return 0;
}

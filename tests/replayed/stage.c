/* SPDX-License-Identifier: Apache-2.0 */
/* stage.c  See stage.h. */
#include "replayed/stage.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "db/db.h"
#include "dialogue/service.h"
#include "directory/dir.h"
#include "gateway/gateway.h"
#include "mailbox/mbox.h"
#include "media/media.h"
#include "sip/core.h"
#include "support/certs.h"
#include "support/ut.h"
#include "voice/languages.h"

enum { STEP_MS = 10, LONG_STEP_MS = 100, PLAY_MS = 900000, DRAIN_MS = 3 * 3600 * 1000, APART_MS = 40 };
static const struct relay_prm bad_network = { .lost_percent = 20, .doubled_percent = 10, .delay_ms = 100 };

struct place {
	struct actor *actor;
	struct relay *relay;
	struct tc leaf;
	SSL_CTX *tls;
	char host[32];
	int messages; /* in its mailbox at the end; -1: not asked yet */
};
struct stage {
	const struct stage_part *parts;
	unsigned n;
	struct clock_fake clock;
	struct loop *loop;
	struct media_engine *engine;
	struct pool *files;
	struct store *store;
	struct mbox *mbox;
	struct dir *dir;
	struct dns *dns; /* never asked: addresses only */
	struct gw_table *gateways;
	struct sip_core *core;
	struct dlg_service *calls;
	struct cfg *cfg;
	struct trust_keeper *keeper;
	char dir_path[200];
	struct tc root;
	int epoll_fd;
	bool came;
	struct place place[STAGE_PARTS];
};
static struct languages *languages;

/* ---- the handlers of the core, as the server has them ---- */
static int lookup(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg)
{
	return gw_identify(src, peer, why, ((struct stage *)arg)->gateways);
}

static bool known(const struct net_addr *addr, void *arg)
{
	return gw_is_known(((struct stage *)arg)->gateways, addr);
}

static void offered(struct leg *leg, void *arg)
{
	dlg_service_offer(((struct stage *)arg)->calls, leg);
}

static void flow(struct sip_peer *peer, const struct trust_facts *facts, bool works, void *arg)
{
	gw_flow(peer, facts, works, ((struct stage *)arg)->gateways);
}

/* What Umbel itself sees: on a bad network that is something else. UMBEL_TALK=1. */
static void traced(const struct sip_trace *t, void *arg)
{
	struct stage *s = arg;
	char at[NET_ADDR_SIZE], call_id[80] = "";
	struct msg m;
	const uint8_t *end = memchr(t->data, '\r', t->n);
	if (end && msg_read(&m, mem_strndup((const char *)t->data, t->n), t->n)) {
		snprintf(call_id, sizeof(call_id), "%.70s", m.call_id);
		fprintf(stderr, "%.3f Umbel %s %s %.*s (%u %s, %s)\n", (double)clock_mono_ms(&s->clock.clock) / 1000, t->in ? "<-" : "->", net_addr_print(&t->peer, at),
		        (int)(end - t->data), (const char *)t->data, m.cseq, m.method, call_id);
		mem_free(m.text);
	}
}

/* ---- time ---- */
static int64_t now_ms(const struct stage *s)
{
	return clock_mono_ms(&s->clock.clock) + 1;
}

static unsigned actors_hear(struct stage *s)
{
	struct epoll_event ev[64];
	unsigned told = 0;
	for (int n; (n = epoll_wait(s->epoll_fd, ev, 64, 0)) > 0;)
		for (int i = 0; i < n; i++)
			told += actor_poll(ev[i].data.ptr, now_ms(s));
	return told;
}

/* The store's threads have a time of their own: while it is asked for something, ours stands. */
static bool disk_is_busy(struct stage *s)
{
	return store_queued(s->store) || pool_depth(s->files);
}

static bool bye_waits(struct stage *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (actor_waits_for_bye(s->place[i].actor))
			return true;
	return false;
}

static void turn(struct stage *s, int64_t ms)
{
	unsigned idle = 0;
	for (unsigned i = 0; idle < 2 && i < 2000; i++) {
		media_engine_step(s->engine);
		bool busy = loop_step(s->loop, 0) > 0;
		busy |= actors_hear(s) > 0;
		idle = busy ? 0 : idle + 1;
		if (!busy && disk_is_busy(s)) {
			usleep(200);
			idle = 0;
		}
	}
	if (bye_waits(s)) /* its answer waits for a commit, which is in nobody's queue */
		usleep(300);
	clock_fake_advance_ms(&s->clock, ms);
	for (unsigned i = 0; i < s->n; i++)
		actor_tick(s->place[i].actor, now_ms(s));
}

static void until_came(struct stage *s)
{
	for (unsigned i = 0; !s->came && i < 20000; i++) {
		loop_step(s->loop, 1);
		clock_fake_advance_ms(&s->clock, 1);
	}
	assert_true(s->came);
	s->came = false;
}

/* ---- the peers ---- */
static SSL_CTX *peer_tls(struct stage *s, struct place *p, unsigned number)
{
	char cn[40], san[60];
	snprintf(cn, sizeof(cn), "p%u.test", number);
	snprintf(san, sizeof(san), "DNS:%s", cn);
	tc_leaf(&p->leaf, &s->root, cn, san);
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_use_certificate(ctx, p->leaf.cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, p->leaf.key), 1);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), s->root.cert);
	X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(ctx), TC_NOW);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return ctx;
}

static void nobody(const struct gw_lamp_result *res, void *arg)
{
	(void)res, (void)arg;
}

static int light(struct actor *a, unsigned fresh, unsigned old, void *arg)
{
	struct stage *s = arg;
	char name[32], account[80], body[200];
	unsigned n = actor_prm(a)->number;
	snprintf(name, sizeof(name), "g%u", n);
	snprintf(account, sizeof(account), "sip:2%04u@example.com", n);
	snprintf(body, sizeof(body), "Messages-Waiting: %s\r\nMessage-Account: %s\r\nVoice-Message: %u/%u\r\n", fresh ? "yes" : "no", account, fresh, old);
	struct gateway *g = gw_find(s->gateways, name);
	struct gw_lamp lamp = { .account = account, .body = body, .body_n = strlen(body) };
	return g ? gw_lamp_send(g, &lamp, nobody, s) : ENOENT;
}

static void open_peer(struct stage *s, unsigned i)
{
	const struct stage_part *part = &s->parts[i];
	struct place *p = &s->place[i];
	snprintf(p->host, sizeof(p->host), "127.1.%u.%u", i / 250, i % 250 + 1);
	p->messages = -1;
	if (!strcmp(part->scene->transport, "tls"))
		p->tls = peer_tls(s, p, i);
	struct actor_prm prm = { .talk = part->talk, .scene = part->scene, .astray = part->astray, .lossy = part->lossy, .number = i, .host = p->host, .tls = p->tls,
		                 .epoll_fd = s->epoll_fd, .begins_ms = 500 + (int64_t)i * APART_MS, .lamp = light, .arg = s };
	p->actor = actor_open(&prm);
	if (part->lossy) {
		struct relay_prm bad = bad_network;
		struct net_addr at, any;
		bad.seed = part->seed;
		bad.host = p->host;
		assert_int_equal(net_addr_parse(&at, text_of(p->host), (uint16_t)actor_port(p->actor)), 0);
		assert_int_equal(net_addr_parse(&any, TEXT("127.0.0.1"), 9), 0);
		assert_int_equal(relay_create(&p->relay, s->loop, &at, &any, &bad), 0);
	}
}

static void point_peer(struct stage *s, unsigned i)
{
	struct place *p = &s->place[i];
	const char *t = s->parts[i].scene->transport;
	const struct net_addr *umbel = sip_core_local(s->core, !strcmp(t, "udp") ? 0 : !strcmp(t, "tcp") ? 1 : 2);
	if (p->relay) {
		relay_towards(p->relay, umbel);
		actor_to(p->actor, &relay_for_a(p->relay)->u.v4, &umbel->u.v4);
	} else {
		actor_to(p->actor, &umbel->u.v4, &umbel->u.v4);
	}
}

/* ---- Umbel ---- */
static void put_site(struct buf *b, const struct stage *s, unsigned i)
{
	const struct place *p = &s->place[i];
	unsigned port = p->relay ? net_addr_port(relay_for_b(p->relay)) : actor_port(p->actor);
	bool tls = p->tls != NULL;
	buf_printf(b, "  - {name: g%u, address: %s, port: %u, transport: %s, trusted_headers: true, lamp: true, options: {interval_s: 3600}%s", i, p->host, port,
	           s->parts[i].scene->transport, tls ? "" : "}\n");
	if (tls)
		buf_printf(b, ", accept_names: [p%u.test]}\n", i);
}

static struct cfg *make_cfg(const struct stage *s)
{
	struct cfg *c = NULL;
	struct cfg_errors errors = { 0 };
	struct buf b;
	buf_init(&b, 1 << 20);
	buf_str(&b, "gateways:\n");
	for (unsigned i = 0; i < s->n; i++)
		put_site(&b, s, i);
	buf_str(&b, "dialplans:\n");
	for (unsigned i = 0; i < s->n; i++)
		buf_printf(&b, "  - {name: site%u, gateway: g%u, domain: example.com, extension_digits: 5, access_numbers: ['5%04u']}\n", i, i, i);
	buf_str(&b, "mailboxes:\n");
	for (unsigned i = 0; i < s->n; i++)
		buf_printf(&b, "  - {name: box%u, display_name: Alice Smith, extensions: ['2%04u'], dialplan: site%u}\n"
		               "  - {name: other%u, display_name: Carol Abba, extensions: ['3%04u'], dialplan: site%u}\n", i, i, i, i, i, i);
	buf_str(&b, "attendants:\n");
	for (unsigned i = 0; i < s->n; i++)
		buf_printf(&b, "  - {name: desk%u, numbers: ['4%04u'], dialplan: site%u, business_name: Example, digit_timeout_ms: 1500}\n", i, i, i);
	int err = cfg_parse(&c, "stage.yaml", buf_as_text(&b), CFG_WANT_OBJECTS, &errors);
	for (size_t i = 0; i < errors.n; i++)
		print_error("%u: %s: %s\n", errors.v[i].pos.line, errors.v[i].key, errors.v[i].what);
	cfg_errors_free(&errors);
	assert_int_equal(err, 0);
	buf_free(&b);
	return c;
}

static void applied(int err, int64_t revision, const struct ev_report *why, void *arg)
{
	(void)revision, (void)why;
	assert_int_equal(err, 0);
	((struct stage *)arg)->came = true;
}

static void open_store(struct stage *s)
{
	char url[300], spool[300];
	snprintf(url, sizeof(url), "sqlite:%s/m.db", s->dir_path);
	snprintf(spool, sizeof(spool), "%s/spool", s->dir_path);
	struct store_prm sp = { .url = url, .loop = s->loop, .clock = clock_system() };
	assert_int_equal(store_open(&s->store, &sp, NULL), 0);
	struct mbox_prm mp = { .store = s->store, .loop = s->loop, .files = s->files, .clock = clock_system(), .spool_dir = spool };
	assert_int_equal(mbox_create(&s->mbox, &mp, NULL), 0);
	struct dir_prm dp = { .store = s->store, .loop = s->loop, .crypto = s->files, .clock = clock_system(), .node = "n1", .poll_ms = 1000000, .cheap_hash = true };
	assert_int_equal(dir_create(&s->dir, &dp), 0);
	assert_int_equal(dir_apply(s->dir, s->cfg, applied, s), 0);
	until_came(s);
}

static void open_trust(struct stage *s)
{
	struct trust_set *set;
	struct trust_identity *id;
	struct tc leaf;
	tc_root(&s->root, "Root");
	tc_leaf(&leaf, &s->root, "umbel.test", "DNS:umbel.test");
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_identity_from(&id, "default", leaf.cert, NULL, leaf.key, NULL), 0);
	assert_int_equal(trust_set_identity(set, id), 0);
	assert_int_equal(trust_set_anchor(set, s->root.cert), 0);
	assert_int_equal(trust_keeper_create(&s->keeper, set), 0);
	mem_unref(id);
	mem_unref(set);
	tc_free(&leaf);
}

static void open_core(struct stage *s)
{
	struct gw_prm gp = { .loop = s->loop, .clock = &s->clock.clock, .trust = s->keeper, .node = "node1", .fqdn = "umbel.test" };
	struct ev_report why;
	ev_set(&why, 0);
	assert_int_equal(dns_create(&s->dns, s->loop, "127.0.0.1:9"), 0);
	gp.dns = s->dns;
	assert_int_equal(gw_table_create(&s->gateways, &gp), 0);
	assert_int_equal(gw_table_apply(s->gateways, s->cfg), 0);
	struct sip_core_prm *prm = mem_zalloc(1, sizeof(*prm));
	assert_non_null(prm);
	*prm = (struct sip_core_prm){ .loop = s->loop, .clock = &s->clock.clock, .dns = s->dns, .trust = s->keeper, .accept = gw_table_policy(s->gateways), .lookup = lookup,
		                      .known = known, .offered = offered, .flow = flow, .arg = s, .fqdn = "umbel.test", .node = "node1", .n_listen = 3 };
	gw_table_accept_tls(s->gateways, &prm->accept_tls);
	for (unsigned i = 0; i < 3; i++) {
		prm->listen[i].transport = (enum net_transport)i;
		assert_int_equal(net_addr_parse(&prm->listen[i].addr, TEXT("127.0.0.1"), 0), 0);
	}
	assert_int_equal(sip_core_create(&s->core, prm, &why), 0);
	mem_free(prm);
	if (getenv("UMBEL_TALK"))
		sip_core_tracer(s->core, traced, s);
	gw_table_start(s->gateways, s->core);
}

static void open_calls(struct stage *s)
{
	char recordings[300];
	snprintf(recordings, sizeof(recordings), "%s/rec", s->dir_path);
	struct dlg_service_prm prm = { .loop = s->loop, .clock = &s->clock.clock, .cfg = s->cfg, .dir = s->dir, .mbox = s->mbox, .media = s->engine,
		                       .languages = languages, .files = s->files, .spool_dir = recordings };
	assert_int_equal(dlg_service_create(&s->calls, &prm, NULL), 0);
	dlg_service_ways(s->calls, s->core, s->gateways);
}

static void open_stage(struct stage *s)
{
	static char below[100];
	static unsigned plays;
	if (!plays)
		snprintf(below, sizeof(below), "%s", ut_tmpdir());
	snprintf(s->dir_path, sizeof(s->dir_path), "%s/%u", below, plays++);
	assert_int_equal(mkdir(s->dir_path, 0700), 0);
	clock_fake_init(&s->clock, TC_NOW);
	assert_int_equal(loop_create(&s->loop, &s->clock.clock), 0);
	assert_int_equal(pool_create(&s->files, s->loop, "files", 1, 1024), 0);
	assert_int_equal(media_engine_create(&s->engine, &(struct media_engine_prm){ .loop = s->loop, .clock = &s->clock.clock }, NULL), 0);
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	open_trust(s);
	for (unsigned i = 0; i < s->n; i++)
		open_peer(s, i);
	s->cfg = make_cfg(s);
	open_store(s);
	open_core(s);
	open_calls(s);
	for (unsigned i = 0; i < s->n; i++)
		point_peer(s, i);
}

static void close_stage(struct stage *s)
{
	dlg_service_destroy(s->calls);
	gw_table_destroy(s->gateways);
	sip_core_destroy(s->core);
	dns_destroy(s->dns);
	mbox_destroy(s->mbox);
	dir_destroy(s->dir);
	store_close(s->store);
	pool_destroy(s->files);
	for (unsigned i = 0; i < s->n; i++) {
		struct place *p = &s->place[i];
		if (p->relay)
			relay_destroy(p->relay);
		actor_free(p->actor);
		if (p->tls) {
			SSL_CTX_free(p->tls);
			tc_free(&p->leaf);
		}
	}
	for (unsigned i = 0; i < 20; i++)
		loop_step(s->loop, 0);
	media_engine_step(s->engine);
	media_engine_destroy(s->engine);
	trust_keeper_destroy(s->keeper);
	tc_free(&s->root);
	cfg_unref(s->cfg);
	loop_destroy(s->loop);
	close(s->epoll_fd);
}

/* ---- what is left ---- */
static void name_call(const struct dlg_call_info *c, void *arg)
{
	unsigned *left = arg;
	fprintf(stderr, "never over: call of %s, %s, %s\n", c->gateway, c->dialogue, c->state);
	(*left)++;
}

static void name_leg(struct leg *leg, void *arg)
{
	const struct leg_info *info = leg_info(leg);
	(void)arg;
	fprintf(stderr, "never over: leg of %s, %s, %s\n", info->peer ? info->peer->name : "?", info->call_id, leg_state_name(leg));
}

static bool nothing_left(struct stage *s)
{
	struct sip_core_stats st;
	sip_core_stats(s->core, &st);
	return !st.legs && !st.transactions && !st.requests && !dlg_service_count(s->calls) && media_engine_room(s->engine) >= 4096;
}

static void drain(struct stage *s, struct stage_report *report)
{
	struct sip_core_stats st;
	unsigned left = 0;
	gw_table_stop(s->gateways);
	int64_t longest = 0;
	for (int64_t ms = 0, step; ms < DRAIN_MS && !nothing_left(s); ms += step, longest = ms) {
		step = ms < 60000 ? STEP_MS : LONG_STEP_MS;
		turn(s, step);
	}
	report->longest_drain_ms = longest > report->longest_drain_ms ? longest : report->longest_drain_ms;
	if (nothing_left(s))
		return;
	sip_core_stats(s->core, &st);
	fprintf(stderr, "left after all: %u legs, %u transactions, %u requests, %u conversations, %u ports\n", st.legs, st.transactions, st.requests,
	            dlg_service_count(s->calls), 4096 - media_engine_room(s->engine));
	dlg_service_calls(s->calls, false, name_call, &left);
	sip_core_each_leg(s->core, name_leg, NULL);
	report->differences++;
}

static void on_list(int err, const struct mbox_message *v, size_t n, const struct ev_report *why, void *arg)
{
	struct place *p = arg;
	(void)v, (void)why;
	p->messages = err ? -2 : (int)n;
}

static void look_into_mailbox(struct stage *s, unsigned i)
{
	struct place *p = &s->place[i];
	char box[32];
	int want = actor_left(p->actor);
	if (want < 0 || actor_incomplete(p->actor))
		return;
	snprintf(box, sizeof(box), "box%u", i);
	for (unsigned k = 0; mbox_spooled(s->mbox) && k < 3000; k++)
		turn(s, STEP_MS);
	assert_int_equal(mbox_list(s->mbox, box, -1, MBOX_OLDEST_FIRST, on_list, p, NULL), 0);
	for (unsigned k = 0; p->messages == -1 && k < 5000; k++)
		loop_step(s->loop, 1);
	if (p->messages != want)
		fprintf(stderr, "%s:%u: scene '%s' (%s): %d messages where %d were left\n", s->parts[i].talk->path, s->parts[i].scene->line,
		        s->parts[i].scene->name, astray_name(s->parts[i].astray.kind), p->messages, want);
}

static void tell(struct stage *s, struct stage_report *report)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct place *p = &s->place[i];
		struct relay_stats st;
		actor_close_books(p->actor);
		look_into_mailbox(s, i);
		const char *d = actor_difference(p->actor);
		bool lost = p->messages != -1 && p->messages != actor_left(p->actor);
		report->incomplete += actor_incomplete(p->actor);
		if (*d)
			fprintf(stderr, "%s\n", d);
		report->differences += *d || lost;
		report->played++;
		if (!p->relay)
			continue;
		relay_stats(p->relay, &st);
		report->lossy.lost += st.lost;
		report->lossy.passed += st.passed;
		report->lossy.doubled += st.doubled;
		report->lossy.overtaken += st.overtaken;
	}
}

void stage_play(const struct stage_part *parts, unsigned n, struct stage_report *report)
{
	struct stage *s = mem_zalloc(1, sizeof(*s));
	bool done = false;
	assert_non_null(s);
	assert_true(n <= STAGE_PARTS);
	s->parts = parts;
	s->n = n;
	open_stage(s);
	for (int64_t ms = 0; !done && ms < PLAY_MS; ms += STEP_MS) {
		turn(s, STEP_MS);
		done = true;
		for (unsigned i = 0; i < n; i++)
			done &= actor_done(s->place[i].actor);
	}
	drain(s, report);
	tell(s, report);
	report->virtual_ms += now_ms(s);
	close_stage(s);
	mem_free(s);
}

void stage_prepare(void)
{
	assert_int_equal(languages_open(&languages, &(struct prompt_set_prm){ 0 }, NULL, 0, NULL), 0);
}

void stage_forget(void)
{
	languages_close(languages);
	languages = NULL;
}

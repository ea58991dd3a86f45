/* SPDX-License-Identifier: Apache-2.0 */
/* server.c  The table of parts, and the simple ones among them. */
#include "server/server.h"
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "dialogue/prompts.h"
#include "directory/proposal.h"
#include "server/server_private.h"
#include "server/words.h"
#include "server_events.h"

enum { KEEP_EVENTS = 1000, CRYPTO_THREADS = 2, FILE_THREADS = 2, POOL_QUEUE = 512, SAY_MS = 5000, NAMES_KEPT = 512 };

/* ---- events, metrics, loop ---- */
static void apply_levels(struct server *s)
{
	for (unsigned c = 0; c < EV_CATEGORIES; c++)
		ev_bus_level(s->bus, (enum ev_category)c, EV_LEVEL_LOW);
	for (size_t i = 0; i < s->cfg->node.n_levels; i++) {
		enum ev_category c;
		enum ev_level l;
		const struct cfg_level *x = &s->cfg->node.levels[i];
		if (ev_level_parse(text_of(x->level), &l) == 0 && ev_category_parse(text_of(x->category), &c) == 0)
			ev_bus_level(s->bus, c, l);
	}
}

static void our_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

/* Before the first thread: every thread inherits the mask, or the signal would end the process by way of one that does not know it. */
static void hold_signals(void)
{
	sigset_t set;
	our_signals(&set);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int build_events(struct server *s, struct ev_report *why)
{
	hold_signals();
	int err = ev_bus_create(&s->bus, clock_system(), KEEP_EVENTS);
	if (!err)
		err = metrics_create(&s->metrics);
	if (err)
		return err;
	apply_levels(s);
	if (!s->quiet)
		err = ev_sink_text(s->bus, STDERR_FILENO);
	if (!err && s->cfg->node.log_json[0] && (err = ev_sink_json(s->bus, s->cfg->node.log_json)) != 0) {
		ev_set(why, EV_SERVER_LOG_UNUSABLE);
		ev_str(why, "path", s->cfg->node.log_json);
		ev_str(why, "error", strerror(err));
	}
	if (!err && s->cfg->node.log_journal)
		(void)ev_sink_journal(s->bus); /* a machine without a journal is none the worse */
	return err;
}

static void drop_events(struct server *s)
{
	ev_bus_destroy(s->bus);
	metrics_destroy(s->metrics);
}

static int build_loop(struct server *s, struct ev_report *why)
{
	struct rlimit files;
	(void)why;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files); /* a socket a call and more; the hard limit is the administrator's word */
	}
	int err = loop_create(&s->loop, clock_system());
	if (!err)
		loop_observe(s->loop, s->bus, s->metrics);
	return err;
}

static void drop_loop(struct server *s)
{
	loop_destroy(s->loop);
}

static void on_signal(struct loop_io *io, uint32_t events, void *arg)
{
	struct server *s = arg;
	struct signalfd_siginfo info;
	(void)events;
	while (read(io->fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGHUP)
			server_reload(s);
		else
			node_stop(s->node);
	}
}

static int build_signals(struct server *s, struct ev_report *why)
{
	sigset_t set;
	(void)why;
	our_signals(&set);
	s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->signal_fd < 0 ? errno : loop_io_add(s->loop, &s->signal_io, s->signal_fd, EPOLLIN, on_signal, s);
}

static void drop_signals(struct server *s)
{
	loop_io_del(&s->signal_io);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
}

static int build_pools(struct server *s, struct ev_report *why)
{
	(void)why;
	int err = pool_create(&s->crypto, s->loop, "crypto", CRYPTO_THREADS, POOL_QUEUE);
	if (!err)
		err = pool_create(&s->files, s->loop, "files", FILE_THREADS, POOL_QUEUE);
	if (!err) /* what may take long and can wait: no message stands behind it in a queue */
		err = pool_create(&s->slow, s->loop, "slow", 1, POOL_QUEUE);
	if (!err) /* files that an administrator names may lie anywhere, and names of callers stand behind the slow ones */
		err = pool_create(&s->reading, s->loop, "config", 1, POOL_QUEUE);
	if (!err) {
		pool_observe(s->reading, s->metrics);
		pool_observe(s->crypto, s->metrics);
		pool_observe(s->files, s->metrics);
		pool_observe(s->slow, s->metrics);
	}
	return err;
}

static void drop_pools(struct server *s)
{
	pool_destroy(s->reading);
	pool_destroy(s->slow);
	pool_destroy(s->files);
	pool_destroy(s->crypto);
}

static int build_dns(struct server *s, struct ev_report *why)
{
	struct buf servers;
	buf_init(&servers, 4096);
	for (size_t i = 0; i < s->cfg->node.dns.n; i++)
		buf_printf(&servers, "%s%s", i ? "," : "", s->cfg->node.dns.v[i]);
	int err = dns_create(&s->dns, s->loop, servers.n ? buf_cstr(&servers) : NULL);
	buf_free(&servers);
	if (err == EINVAL) {
		ev_set(why, EV_SERVER_DNS_UNUSABLE);
		ev_str(why, "servers", "node.dns");
	}
	if (!err) {
		dns_timeout(s->dns, 4000); /* before a probe gives up: so the verdict can name the server that kept silent */
		dns_observe(s->dns, s->bus, s->metrics);
	}
	return err;
}

static void drop_dns(struct server *s)
{
	dns_destroy(s->dns);
}

/* ---- what is kept ---- */
static int make_folder(const char *path, struct ev_report *why)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	int err = errno;
	ev_set(why, EV_SERVER_FOLDER_UNUSABLE);
	ev_str(why, "path", path);
	ev_str(why, "error", strerror(err));
	return err;
}

static char *below_data(const struct server *s, const char *name, char *dst, size_t size)
{
	text_print(dst, size, "%s/%s", s->cfg->node.data, name);
	return dst;
}

static void left(struct node_left *l, void *arg)
{
	struct server *s = arg;
	l->messages = (unsigned)mbox_spooled(s->mbox) + (s->calls ? dlg_service_waiting(s->calls) : 0);
	l->records = (unsigned)records_waiting(s->records);
	l->errands = outbox_running(s->outbox);
}

static void store_need(struct server *s)
{
	struct ev_report why = { 0 };
	char sentence[256];
	if (!s->node)
		return;
	static const enum node_away policies[] = { [CFG_AWAY_SERVE] = NODE_AWAY_SERVE, [CFG_AWAY_AVOID] = NODE_AWAY_AVOID, [CFG_AWAY_REFUSE] = NODE_AWAY_REFUSE };
	node_cut_off(s->node, store_state(s->store) == STORE_AWAY, policies[s->cfg->node.store_away]);
	if (s->mbox && mbox_accepts(s->mbox, &why) == 0)
		node_met(s->node, NODE_NEED_STORE);
	else
		node_not_met(s->node, NODE_NEED_STORE, why.id ? ev_sentence(&why, sentence, sizeof sentence) : server_words(SERVER_SAYS_STORE_SILENT));
}

static void on_store_state(struct store *store, enum store_state was, enum store_state now, void *arg)
{
	(void)store;
	(void)was;
	(void)now;
	store_need(arg);
}

static int build_store(struct server *s, struct ev_report *why)
{
	struct store_prm prm = { .url = s->cfg->node.store, .loop = s->loop, .clock = clock_system(), .bus = s->bus, .metrics = s->metrics, .may_be_away = true };
	const struct cfg_node *n = &s->cfg->node;
	prm.tls = (struct store_tls){ n->store_ca, n->store_certificate, n->store_key };
	prm.threads = strncmp(n->store, "sqlite:", 7) == 0 ? 0 : n->store_connections;
	int err = make_folder(s->cfg->node.data, why);
	return err ? err : store_open(&s->store, &prm, why);
}

static void drop_store(struct server *s)
{
	store_close(s->store);
}

static int build_jobs(struct server *s, struct ev_report *why)
{
	char listen[512];
	const struct cfg_node *n = &s->cfg->node;
	struct outbox_prm op = { .store = s->store, .loop = s->loop, .clock = clock_system(), .bus = s->bus, .metrics = s->metrics, .node = n->name };
	struct registry_prm rp = { .store = s->store, .loop = s->loop, .clock = clock_system(), .bus = s->bus, .node = n->name, .fqdn = n->fqdn,
		                   .version = UMBEL_VERSION, .max_calls = n->sip.max_calls, .listen = listen };
	(void)why;
	server_listen_words(s->cfg, listen, sizeof listen);
	int err = outbox_create(&s->outbox, &op);
	if (!err)
		err = registry_create(&s->registry, &rp);
	if (!err)
		server_show_card(s);
	return err;
}

static void drop_jobs(struct server *s)
{
	registry_destroy(s->registry);
	outbox_destroy(s->outbox);
}

static int build_directory(struct server *s, struct ev_report *why)
{
	struct dir_prm prm = { .store = s->store, .loop = s->loop, .crypto = s->crypto, .clock = clock_system(), .bus = s->bus, .node = s->cfg->node.name,
		               .shared = server_shares(s) };
	(void)why;
	int err = dir_create(&s->dir, &prm);
	return err ? err : dir_apply(s->dir, s->cfg, NULL, NULL);
}

static void drop_directory(struct server *s)
{
	dir_destroy(s->dir);
	s->dir = NULL;
}

/* Told by a transaction of any node. */
static void on_notice(const char *text, void *arg)
{
	struct server *s = arg;
	if (s->mbox && strncmp(text, "mailbox ", 8) == 0)
		mbox_changed_elsewhere(s->mbox, text + 8);
	else if (s->dir && strcmp(text, DIR_NOTICE) == 0)
		dir_look(s->dir);
}

static int build_mailbox(struct server *s, struct ev_report *why)
{
	char spool[4200];
	struct mbox_prm prm = { .store = s->store, .loop = s->loop, .files = s->files, .clock = clock_system(), .bus = s->bus, .metrics = s->metrics,
		                .outbox = s->outbox, .node = s->cfg->node.name, .shared = strcmp(store_engine(s->store), "postgresql") == 0, .spool_dir = below_data(s, "spool", spool, sizeof spool), .receipt_ms = s->cfg->node.receipt_ms };
	int err = mbox_create(&s->mbox, &prm, why);
	if (!err)
		(void)store_on_notice(s->store, on_notice, s); /* without it, what others change is seen by the sweeps */
	return err;
}

static void drop_mailbox(struct server *s)
{
	mbox_destroy(s->mbox);
	s->mbox = NULL;
}

static int build_records(struct server *s, struct ev_report *why)
{
	char spool[4200];
	struct records_prm prm = { .store = s->store, .loop = s->loop, .clock = clock_system(), .bus = s->bus, .metrics = s->metrics,
		                   .node = s->cfg->node.name, .spool = below_data(s, "call-records", spool, sizeof spool), .keep_days = s->cfg->node.keep_records_days };
	(void)why;
	return records_create(&s->records, &prm);
}

static void drop_records(struct server *s)
{
	records_destroy(s->records);
}

/* ---- sound ---- */
static int build_media(struct server *s, struct ev_report *why)
{
	const struct cfg_media *m = &s->cfg->node.media;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct media_engine_prm prm = { .loop = s->loop, .clock = clock_system(), .bus = s->bus, .metrics = s->metrics,
		                        .threads = m->threads ? m->threads : cores > 0 ? (unsigned)cores : 1, .port_min = m->port_min, .port_max = m->port_max };
	return media_engine_create(&s->media, &prm, why);
}

static void drop_media(struct server *s)
{
	media_engine_destroy(s->media);
}

/* Whatever conversations say must be there before the first of them. */
static int build_voice(struct server *s, struct ev_report *why)
{
	const struct cfg_node *n = &s->cfg->node;
	struct prompt_set_prm prm = { .dir = n->voice, .set = n->voice_set, .bus = s->bus };
	struct prompt_words v[P_COUNT];
	unsigned said = 0;
	for (enum dlg_prompt p = P_NONE + 1; p < P_COUNT; p++)
		v[said++] = (struct prompt_words){ dlg_prompt_name(p), dlg_prompt_words(p) };
	int err = languages_open(&s->languages, &prm, v, said, why);
	struct speech_prm speech = { .loop = s->loop, .bus = s->bus, .metrics = s->metrics };
	if (!err)
		err = speech_create(&s->speech, &speech);
	struct own_prompts_prm own = { .store = s->store, .loop = s->loop, .languages = s->languages, .bus = s->bus };
	if (!err)
		err = own_prompts_create(&s->own_prompts, &own);
	if (!err)
		err = voice_names_create(&s->names, s->speech, s->bus, NAMES_KEPT);
	if (!err)
		voice_names_use(s->names, s->cfg);
	return err;
}

static void drop_voice(struct server *s)
{
	voice_names_destroy(s->names);
	speech_destroy(s->speech);
	own_prompts_destroy(s->own_prompts);
	languages_close(s->languages);
}

/* ---- calls ---- */
static int build_gateways(struct server *s, struct ev_report *why)
{
	const struct cfg_node *n = &s->cfg->node;
	struct gw_prm prm = { .loop = s->loop, .clock = clock_system(), .bus = s->bus, .metrics = s->metrics, .dns = s->dns, .trust = s->keeper, .media = s->media,
		              .node = n->name, .fqdn = n->fqdn };
	(void)why;
	int err = gw_table_create(&s->gateways, &prm);
	if (!err)
		err = gw_table_apply(s->gateways, s->cfg);
	struct gw_shared_prm sp = { .table = s->gateways, .store = s->store, .loop = s->loop, .clock = clock_system(), .node = n->name };
	if (!err)
		err = gw_shared_create(&s->shared, &sp);
	if (err)
		return err;
	cert_watch_gateways(s->watch, s->gateways);
	struct gw_story_store_prm kp = { .stories = gw_table_stories(s->gateways), .store = s->store, .loop = s->loop, .clock = clock_system(), .node = n->name };
	return gw_story_store_create(&s->stories, &kp);
}

static void drop_gateways(struct server *s)
{
	gw_story_store_destroy(s->stories);
	gw_shared_destroy(s->shared);
	cert_watch_gateways(s->watch, NULL);
	gw_table_destroy(s->gateways);
}

static int build_calls(struct server *s, struct ev_report *why)
{
	char recordings[4200];
	const struct cfg_node *n = &s->cfg->node;
	struct dlg_service_prm prm = { .loop = s->loop, .clock = clock_system(), .bus = s->bus, .metrics = s->metrics, .cfg = s->cfg, .dir = s->dir, .mbox = s->mbox,
		                       .records = s->records, .node = n->name, .media = s->media, .languages = s->languages, .names = s->names, .speech = s->speech, .files = s->files,
		                       .spool_dir = below_data(s, "recordings", recordings, sizeof recordings), .media_address = n->media.address,
		                       .max_calls = n->sip.max_calls, .reserved_calls = n->sip.reserved_calls,
		                       .busy_when_full = n->sip.busy_when_full };
	int err = dlg_service_create(&s->calls, &prm, why);
	if (!err)
		dlg_service_recover(s->calls);
	return err;
}

static void drop_calls(struct server *s)
{
	dlg_service_destroy(s->calls);
}

/* ---- the node as a whole ---- */
static unsigned count_calls(void *arg)
{
	return dlg_service_count(((struct server *)arg)->calls);
}

static void stop_accepting(void *arg)
{
	struct server *s = arg;
	dlg_service_drain(s->calls, true);
	registry_say(s->registry, node_state_name(node_state(s->node)), "", node_calls(s->node)); /* the others send no call here any more */
	if (s->gateways)
		gw_table_stop(s->gateways);
	outbox_stop(s->outbox);
	if (s->sip)
		sip_core_unwatch(s->sip);
}

static void end_one(const struct dlg_call_info *c, void *arg)
{
	dlg_service_end(arg, c->session);
}

static void ask_to_finish(unsigned seconds, void *arg)
{
	dlg_service_ask_to_finish(((struct server *)arg)->calls, seconds);
}

static void hang_up(void *arg)
{
	struct server *s = arg;
	dlg_service_calls(s->calls, false, end_one, s->calls);
}

static void stopped(void *arg)
{
	loop_stop(((struct server *)arg)->loop);
}

static int build_node(struct server *s, struct ev_report *why)
{
	struct node_prm prm = { .loop = s->loop, .clock = clock_system(), .bus = s->bus, .name = s->cfg->node.name, .stop_wait_ms = (unsigned)s->cfg->node.drain_ms,
		                .h = { count_calls, stop_accepting, ask_to_finish, hang_up, left, stopped, s } };
	(void)why;
	int err = node_create(&s->node, &prm);
	if (err)
		return err;
	store_on_state(s->store, on_store_state, s);
	store_need(s);
	server_certificate_need(s);
	node_met(s->node, NODE_NEED_PROMPTS); /* without them we would not be here */
	return 0;
}

static void drop_node(struct server *s)
{
	tmr_cancel(&s->minute);
	node_destroy(s->node);
	s->node = NULL;
}

static void now_and_then(void *arg)
{
	struct server *s = arg;
	struct node_answer a;
	store_need(s);
	server_certificate_need(s);
	node_answer(s->node, &a);
	registry_serves(s->registry, s->revision, s->digest);
	registry_say(s->registry, node_state_name(node_state(s->node)), a.ready ? "" : a.reason, node_calls(s->node));
	server_siblings_look(s);
	tmr_start(s->loop, &s->minute, SAY_MS, now_and_then, s);
}

static int build_http(struct server *s, struct admin_http **hp, const char *key, const char *address, bool only_crls, struct ev_report *why)
{
	struct admin_http_prm prm = { .loop = s->loop, .bus = s->bus, .metrics = s->metrics, .node = node_view(s->node), .crls = s->crls, .only_crls = only_crls };
	if (!address[0])
		return 0;
	int err = net_addr_parse_port(&prm.listen, text_of(address), only_crls ? 8080 : 9091);
	if (err) {
		ev_set(why, EV_SERVER_ADDRESS_BAD);
		ev_str(why, "key", key);
		ev_str(why, "value", address);
		return err;
	}
	return admin_http_create(hp, &prm, why);
}

static int64_t revision_here(void *arg)
{
	return ((struct server *)arg)->revision;
}

static int build_admin(struct server *s, struct ev_report *why)
{
	struct admin_prm prm = {
		.loop = s->loop, .clock = clock_system(), .bus = s->bus, .metrics = s->metrics, .node = s->node, .gateways = s->gateways, .shared = s->shared, .stories = s->stories, .sip = s->sip,
		.store = s->store, .registry = s->registry, .dir = s->dir, .calendars = s->calendars, .mbox = s->mbox, .records = s->records, .speech = s->speech, .calls = s->calls, .languages = s->languages, .own_prompts = s->own_prompts, .trust = s->keeper, .trace = s->trace, .dns = s->dns, .files = s->slow,
		.crypto = s->crypto, .socket = s->cfg->node.admin_socket, .group = s->cfg->node.admin_group, .apply = server_apply, .reload = server_reload_told,
		.trust_changed = server_trust_changed, .arg = s, .revision = server_shares(s) ? revision_here : NULL,
	};
	int err = admin_create(&s->admin, &prm, why);
	if (!err)
		admin_config(s->admin, s->cfg);
	if (!err)
		err = build_http(s, &s->http, "node.admin.http", s->cfg->node.admin_http, false, why);
	if (!err)
		err = build_http(s, &s->http_crl, "node.admin.crl", s->cfg->node.admin_crl, true, why);
	return err;
}

static void drop_admin(struct server *s)
{
	admin_http_destroy(s->http_crl);
	admin_http_destroy(s->http);
	admin_destroy(s->admin);
	s->http = s->http_crl = NULL;
	s->admin = NULL;
}

static int start(struct server *s, struct ev_report *why)
{
	(void)why;
	speech_start(s->speech); /* as the user that we are from here on */
	gw_table_start(s->gateways, s->sip);
	dlg_service_ways(s->calls, s->sip, s->gateways);
	outbox_start(s->outbox);
	dir_on_objects(s->dir, server_take_objects, s);
	dir_on_serves(s->dir, server_serves, s);
	if (server_shares(s))
		dir_on_try(s->dir, server_try_objects, s);
	(void)calendars_use(s->calendars, s->cfg, true);
	(void)server_objects_digest(s->cfg, s->digest); /* without memory: it is not compared */
	now_and_then(s);
	struct ev_report r = { 0 };
	ev_set(&r, EV_SERVER_STARTED);
	ev_str(&r, "node", s->cfg->node.name);
	ev_str(&r, "version", UMBEL_VERSION);
	ev_str(&r, "fqdn", s->cfg->node.fqdn);
	ev_emit(s->bus, &r);
	return 0;
}

/* The house from the ground up. It comes down in reverse. */
static const struct part {
	const char *name;
	part_build_h *build;
	part_drop_h *drop;
} parts[] = {
	{ "events", build_events, drop_events },
	{ "loop", build_loop, drop_loop },
	{ "signals", build_signals, drop_signals },
	{ "trace", server_build_trace, server_drop_trace },
	{ "pools", build_pools, drop_pools },
	{ "dns", build_dns, drop_dns },
	{ "trust", server_build_trust, server_drop_trust },
	{ "store", build_store, drop_store },
	{ "jobs", build_jobs, drop_jobs },
	{ "calendars", server_build_calendars, server_drop_calendars },
	{ "directory", build_directory, drop_directory },
	{ "mailbox", build_mailbox, drop_mailbox },
	{ "call records", build_records, drop_records },
	{ "media", build_media, drop_media },
	{ "voice", build_voice, drop_voice },
	{ "gateways", build_gateways, drop_gateways },
	{ "lamps", server_build_lamp, server_drop_lamp },
	{ "calls", build_calls, drop_calls },
	{ "node", build_node, drop_node },
	{ "sip", server_build_sip, server_drop_sip },
	{ "listening", server_build_listening, server_drop_listening },
	{ "administration", build_admin, drop_admin },
	{ "user", server_become_user, NULL },
	{ "start", start, NULL },
};
enum { PARTS = sizeof parts / sizeof parts[0] };

int server_create(struct server **sp, const struct server_prm *prm, struct ev_report *why)
{
	struct server *s = mem_zalloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	s->signal_fd = -1;
	list_init(&s->changes);
	s->cfg = cfg_ref(prm->cfg);
	s->quiet = prm->quiet;
	s->keep_user = prm->keep_user;
	text_fill(s->path, sizeof s->path, prm->path);
	for (; s->built < PARTS; s->built++) {
		int err = parts[s->built].build(s, why);
		if (!err)
			continue;
		if (!why->id) {
			ev_set(why, EV_SERVER_PART_FAILED);
			ev_str(why, "part", parts[s->built].name);
			ev_str(why, "error", strerror(err));
		}
		s->built++; /* a part that failed half-way is taken down like a whole one */
		server_destroy(s);
		return err;
	}
	*sp = s;
	return 0;
}

int server_run(struct server *s)
{
	return loop_run(s->loop);
}

void server_destroy(struct server *s)
{
	if (!s)
		return;
	while (s->built) {
		const struct part *p = &parts[--s->built];
		if (p->drop)
			p->drop(s);
	}
	cfg_unref(s->cfg);
	mem_free(s);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Every command answers, in a process that has nothing but events, a node and a gateway; and those that need no more answer well. */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "admin/admin_private.h"
#include "admin_events.h"
#include "base/mem.h"
#include "node/node.h"

static struct rig {
	struct loop *loop;
	struct ev_bus *bus;
	struct node *node;
	struct gw_table *gateways;
	struct admin *admin;
	struct cfg *cfg;
	int fd;
	char path[120];
	struct buf in;
	unsigned applied;
	admin_applied_h *done;
	admin_reloaded_h *reloaded;
	void *done_arg;
	bool refuses;
} rig;

static int send_nothing(struct sip_request **rp, struct sip_core *core, struct sip_peer *peer, const struct sip_request_prm *prm, sip_result_h *h, void *arg)
{
	(void)rp;
	(void)core;
	(void)peer;
	(void)prm;
	(void)h;
	(void)arg;
	return EAGAIN;
}

static void cancel_nothing(struct sip_request *r)
{
	(void)r;
}

static int resolve_nothing(struct dns *d, struct dns_resolve **rp, struct text host, uint16_t port, enum net_transport t, dns_targets_h *h, void *arg)
{
	(void)d;
	(void)rp;
	(void)host;
	(void)port;
	(void)t;
	(void)h;
	(void)arg;
	return EAGAIN;
}

static void cancel_no_dns(struct dns_resolve *r)
{
	(void)r;
}

static void applied_now(void *arg)
{
	struct ev_report why = { 0 };
	(void)arg;
	ev_set(&why, rig.refuses ? 3707 : 0);
	ev_str(&why, "path", "new.yaml");
	ev_str(&why, "first", "not today");
	rig.done(&(struct admin_applied){ .err = rig.refuses ? EACCES : 0, .why = &why }, rig.done_arg);
}

static int apply(const struct cfg *cfg, const struct admin_apply *how, admin_applied_h *done, void *done_arg, void *arg)
{
	(void)arg;
	assert_true(how->objects);
	rig.applied = (unsigned)cfg->n_gateways;
	rig.done = done;
	rig.done_arg = done_arg;
	return loop_post(rig.loop, applied_now, NULL);
}

/* The file read again: one thing changed, or an error in line 3. */
static void reloaded_now(void *arg)
{
	struct cfg_errors errors = { 0 };
	struct cfg_changes changes = { 0 };
	struct ev_report why = { 0 };
	struct cfg *was;
	(void)arg;
	assert_int_equal(cfg_parse(&was, "t", TEXT("gateways:\n- {name: pool, address: 192.0.2.9, transport: tcp}\n"), CFG_WANT_OBJECTS, &errors), 0);
	assert_int_equal(cfg_diff(was, rig.cfg, &changes), 0);
	if (rig.refuses)
		cfg_fail(&errors, "node.yaml", (struct cfg_pos){ 3, 5 }, "trust.ca", "make it", "there is no %s", "root.pem");
	rig.reloaded(&(struct admin_reloaded){ .err = rig.refuses ? ENOENT : 0, .path = "node.yaml", .why = &why, .errors = &errors, .changes = &changes }, rig.done_arg);
	cfg_errors_free(&errors);
	cfg_changes_free(&changes);
	cfg_unref(was);
}

static int reload(admin_reloaded_h *done, void *done_arg, void *arg)
{
	(void)arg;
	rig.reloaded = done;
	rig.done_arg = done_arg;
	return loop_post(rig.loop, reloaded_now, NULL);
}

static void begin(void)
{
	static const struct gw_hooks hooks = { send_nothing, cancel_nothing, resolve_nothing, cancel_no_dns };
	struct cfg_errors errors = { 0 };
	memset(&rig, 0, sizeof rig);
	text_print(rig.path, sizeof rig.path, "%s/s", ut_tmpdir());
	buf_init(&rig.in, 4 << 20);
	assert_int_equal(loop_create(&rig.loop, clock_system()), 0);
	assert_int_equal(ev_bus_create(&rig.bus, clock_system(), 64), 0);
	struct node_prm np = { .loop = rig.loop, .clock = clock_system(), .name = "node01" };
	assert_int_equal(node_create(&rig.node, &np), 0);
	struct gw_prm gp = { .loop = rig.loop, .clock = clock_system(), .node = "node01", .fqdn = "node01.example.com", .hooks = &hooks };
	assert_int_equal(gw_table_create(&rig.gateways, &gp), 0);
	assert_int_equal(cfg_parse(&rig.cfg, "t", TEXT("gateways:\n- {name: pool, address: 192.0.2.1, transport: tcp}\nattendants:\n- {name: main, numbers: [\"4000\"]}\n"),
	                           CFG_WANT_OBJECTS, &errors), 0);
	assert_int_equal(gw_table_apply(rig.gateways, rig.cfg), 0);
	struct admin_prm prm = { .loop = rig.loop, .clock = clock_system(), .bus = rig.bus, .node = rig.node, .gateways = rig.gateways, .socket = rig.path, .apply = apply, .reload = reload };
	assert_int_equal(admin_create(&rig.admin, &prm, NULL), 0);
	admin_config(rig.admin, rig.cfg);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	memcpy(sun.sun_path, rig.path, sizeof sun.sun_path < sizeof rig.path ? sizeof sun.sun_path - 1 : sizeof rig.path);
	rig.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(rig.fd, (struct sockaddr *)&sun, sizeof sun), 0);
}

static void end(void)
{
	close(rig.fd);
	loop_step(rig.loop, 10);
	admin_destroy(rig.admin);
	gw_table_destroy(rig.gateways);
	node_destroy(rig.node);
	cfg_unref(rig.cfg);
	ev_bus_destroy(rig.bus);
	loop_destroy(rig.loop);
	buf_free(&rig.in);
}

/* The next line from the server, as JSON; the caller gives it back. */
static json_t *hear(void)
{
	for (unsigned i = 0; i < 200; i++) {
		struct text line, rest;
		if (text_cut(buf_as_text(&rig.in), '\n', &line, &rest)) {
			json_t *o = json_loadb(line.p, line.n, 0, NULL);
			assert_true(json_is_object(o));
			buf_consume(&rig.in, line.n + 1);
			return o;
		}
		loop_step(rig.loop, 10);
		uint8_t *p = buf_reserve(&rig.in, 65536);
		ssize_t n = recv(rig.fd, p, 65536, MSG_DONTWAIT);
		if (n > 0)
			buf_grew(&rig.in, (size_t)n);
	}
	fail_msg("no answer came");
	return NULL;
}

static json_t *ask(const char *cmd, json_t *args)
{
	json_t *rq = json_pack("{s:i, s:s, s:o}", "schema", 1, "cmd", cmd, "args", args ? args : json_object());
	char *text = json_dumps(rq, JSON_COMPACT);
	assert_int_equal(send(rig.fd, text, strlen(text), 0), (long)strlen(text));
	assert_int_equal(send(rig.fd, "\n", 1, 0), 1);
	free(text);
	json_decref(rq);
	return hear();
}

static json_t *result(json_t *answer)
{
	if (!json_is_true(json_object_get(answer, "ok"))) {
		char *s = json_dumps(answer, 0);
		fail_msg("%s", s);
	}
	return json_object_get(answer, "result");
}

static const char *text_at(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void every_command_answers_even_where_nothing_is(void **state)
{
	(void)state;
	static const struct admin_cmd *const tables[] = {
		admin_node_cmds, admin_gateway_cmds, admin_event_cmds, admin_log_cmds, admin_call_cmds, admin_mailbox_cmds, admin_message_cmds,
		admin_attendant_cmds, admin_config_cmds, admin_cert_cmds, admin_cure_cmds, admin_install_cmds, admin_trust_cmds };
	begin();
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct admin_cmd *c = tables[i]; c->name; c++) {
			if (strcmp(c->name, "events.follow") == 0 || strcmp(c->name, "node.stop") == 0)
				continue; /* the first never ends, the second ends all */
			json_t *answer = ask(c->name, NULL);
			assert_int_equal(json_integer_value(json_object_get(answer, "schema")), 1);
			if (!json_is_true(json_object_get(answer, "ok"))) {
				const json_t *e = json_object_get(answer, "error");
				assert_true(strlen(text_at(e, "text")) > 10);
				assert_non_null(text_at(e, "advice"));
			}
			json_decref(answer);
		}
	end();
}

static void status_tells_node_and_gateways(void **state)
{
	(void)state;
	begin();
	json_t *answer = ask("status", NULL), *r = result(answer), *g = json_array_get(json_object_get(r, "gateways"), 0);
	assert_string_equal(text_at(json_object_get(r, "node"), "state"), "starting");
	assert_string_equal(text_at(g, "name"), "pool");
	assert_string_equal(text_at(json_object_get(json_object_get(g, "flows"), "transfer"), "works"), "not tried");
	json_decref(answer);
	answer = ask("node.drain", NULL);
	assert_string_equal(text_at(result(answer), "state"), "draining");
	json_decref(answer);
	answer = ask("node.drain", NULL);
	assert_true(json_is_false(json_object_get(result(answer), "changed")));
	assert_true(json_is_true(json_object_get(result(answer), "safe_to_stop")));
	assert_null(json_object_get(result(answer), "within_ms"));
	json_decref(answer);
	answer = ask("node.drain", json_pack("{s:i}", "within_ms", 600000));
	assert_true(json_is_true(json_object_get(result(answer), "changed")));
	assert_in_range(json_integer_value(json_object_get(result(answer), "within_ms")), 1, 600000);
	json_decref(answer);
	answer = ask("gateway.show", json_pack("{s:s}", "name", "nobody"));
	assert_string_equal(text_at(json_object_get(answer, "error"), "name"), "ADMIN_NOT_FOUND");
	json_decref(answer);
	answer = ask("explain.gateway", json_pack("{s:s}", "name", "pool"));
	assert_int_equal(json_array_size(json_object_get(result(answer), "flows")), GW_FLOWS);
	json_decref(answer);
	struct sip_source stranger = { .transport = NET_UDP };
	struct sip_peer *peer = NULL;
	assert_int_equal(net_addr_parse(&stranger.addr, TEXT("198.51.100.7"), 5060), 0);
	assert_int_equal(gw_identify(&stranger, &peer, NULL, rig.gateways), ENOENT);
	answer = ask("explain.all", NULL);
	const json_t *story = json_array_get(json_object_get(result(answer), "stories"), 0);
	assert_string_equal(text_at(story, "verdict_name"), "stranger");
	assert_string_equal(text_at(story, "peer"), "198.51.100.7");
	assert_non_null(json_object_get(json_object_get(story, "verdict"), "cause"));
	json_t *one = ask("explain.event", json_pack("{s:s}", "event", text_at(story, "id")));
	assert_string_equal(text_at(json_object_get(result(one), "story"), "verdict_name"), "stranger");
	json_decref(one);
	json_decref(answer);
	answer = ask("attendant.show", json_pack("{s:s}", "name", "main"));
	assert_string_equal(text_at(result(answer), "name"), "main");
	json_decref(answer);
	end();
}

static void levels_are_shown_and_changed(void **state)
{
	(void)state;
	begin();
	json_t *answer = ask("log.show", json_pack("{s:s}", "category", "gateway"));
	json_t *c = json_array_get(json_object_get(result(answer), "categories"), 0);
	assert_string_equal(text_at(c, "level"), "lowest");
	assert_true(json_array_size(json_object_get(json_object_get(c, "adds"), "lowest")) > 0);
	json_decref(answer);
	answer = ask("log.set", json_pack("{s:s, s:s}", "category", "gateway", "level", "expert"));
	result(answer);
	json_decref(answer);
	assert_int_equal(ev_bus_level_of(rig.bus, EV_CAT_GATEWAY), EV_LEVEL_EXPERT);
	assert_int_equal(ev_bus_level_of(rig.bus, EV_CAT_TRUST), EV_LEVEL_LOWEST);
	answer = ask("log.set", json_pack("{s:s, s:s}", "category", "all", "level", "low"));
	result(answer);
	json_decref(answer);
	assert_int_equal(ev_bus_level_of(rig.bus, EV_CAT_TRUST), EV_LEVEL_LOW);
	answer = ask("log.set", json_pack("{s:s, s:s}", "category", "all", "level", "loud"));
	assert_string_equal(text_at(json_object_get(answer, "error"), "name"), "ADMIN_VALUE_BAD");
	json_decref(answer);
	end();
}

static void emit(uint16_t id, const char *gateway)
{
	struct ev_report r = { 0 };
	ev_set(&r, id);
	ev_str(&r, "gateway", gateway);
	ev_emit(rig.bus, &r);
	ev_bus_flush(rig.bus);
}

static void events_are_listed_followed_and_explained(void **state)
{
	(void)state;
	begin();
	emit(1400, "pool");
	emit(1400, "other");
	emit(2801, "pool"); /* a notice: not at this level */
	json_t *answer = ask("events.list", json_pack("{s:s}", "gateway", "pool"));
	assert_int_equal(json_array_size(json_object_get(result(answer), "events")), 1);
	json_decref(answer);
	answer = ask("events.list", json_pack("{s:s}", "severity", "error"));
	assert_int_equal(json_array_size(json_object_get(result(answer), "events")), 0);
	json_decref(answer);
	answer = ask("explain.event", json_pack("{s:s}", "event", "1400"));
	assert_string_equal(text_at(result(answer), "name"), "GW_OPTIONS_FAILED");
	assert_int_equal(json_integer_value(json_object_get(result(answer), "kept")), 2);
	json_decref(answer);
	answer = ask("events.follow", json_pack("{s:i}", "back", 1));
	assert_true(json_is_true(json_object_get(answer, "more")));
	assert_string_equal(text_at(json_object_get(json_object_get(answer, "result"), "fields"), "gateway"), "other");
	json_decref(answer);
	emit(1400, "third");
	answer = hear();
	assert_string_equal(text_at(json_object_get(json_object_get(answer, "result"), "fields"), "gateway"), "third");
	json_decref(answer);
	end(); /* while somebody follows */
}

static void configuration_is_taken_or_refused_with_places(void **state)
{
	(void)state;
	begin();
	json_t *answer = ask("config.apply", json_pack("{s:s, s:s}", "path", "new.yaml", "yaml", "gateways:\n- {name: a, address: 192.0.2.1, transport: tcp}\n- {name: b, address: 192.0.2.2, transport: udp}\n"));
	result(answer);
	json_decref(answer);
	assert_int_equal(rig.applied, 2);
	answer = ask("config.apply", json_pack("{s:s, s:s, s:b}", "path", "new.yaml", "yaml", "gateways:\n- {name: a, address: 192.0.2.1, transport: tcp}\n", "dry_run", true));
	assert_true(json_is_true(json_object_get(result(answer), "dry_run")));
	json_decref(answer);
	assert_int_equal(rig.applied, 2); /* as before */
	answer = ask("config.apply", json_pack("{s:b}", "undo", true));
	assert_non_null(json_object_get(answer, "error")); /* there is no store here */
	json_decref(answer);
	rig.refuses = true; /* what is found only when files are read */
	answer = ask("config.apply", json_pack("{s:s, s:s}", "path", "new.yaml", "yaml", "gateways:\n- {name: a, address: 192.0.2.1, transport: tcp}\n"));
	assert_string_equal(text_at(json_object_get(answer, "error"), "name"), "SERVER_CONFIG_REFUSED");
	assert_non_null(strstr(text_at(json_object_get(answer, "error"), "text"), "not today"));
	json_decref(answer);
	answer = ask("config.apply", json_pack("{s:s, s:s}", "path", "new.yaml", "yaml", "gateways:\n- {name: a, address: 192.0.2.1, transport: tsl}\n"));
	const json_t *e = json_object_get(answer, "error");
	assert_string_equal(text_at(e, "name"), "ADMIN_CONFIG_BAD");
	assert_non_null(strstr(text_at(e, "text"), "new.yaml:2:"));
	json_decref(answer);
	end();
}

static void a_reload_tells_what_changed_or_where_the_errors_are(void **state)
{
	(void)state;
	begin();
	json_t *answer = ask("config.reload", NULL), *r = result(answer), *all = json_object_get(r, "changes");
	bool pool = false;
	assert_true(json_is_true(json_object_get(r, "good")));
	for (size_t i = 0; i < json_array_size(all); i++)
		pool = pool || strstr(text_at(json_array_get(all, i), "key"), "gateways.pool");
	assert_true(pool);
	json_decref(answer);
	rig.refuses = true;
	answer = ask("config.reload", NULL);
	r = result(answer);
	assert_true(json_is_false(json_object_get(r, "good")));
	all = json_object_get(r, "errors");
	assert_int_equal(json_array_size(all), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 0), "line")), 3);
	assert_string_equal(text_at(json_array_get(all, 0), "what"), "there is no root.pem");
	json_decref(answer);
	end();
}

enum { MANY = 5 * ADMIN_LISTED_AT_ONCE + 30 };

static struct cfg *many_mailboxes(void)
{
	struct cfg *cfg;
	struct buf b;
	buf_init(&b, 4 << 20);
	buf_str(&b, "mailboxes:\n");
	for (unsigned i = 0; i < MANY; i++)
		buf_printf(&b, "- {name: m%u, extensions: [\"%u\"]}\n", i, 10000 + i);
	assert_int_equal(cfg_parse(&cfg, "t", buf_as_text(&b), CFG_WANT_OBJECTS, NULL), 0);
	buf_free(&b);
	return cfg;
}

/* How many came; each in a line with no more than may come at once, and all of it in more turns than one. */
static unsigned listed(json_t *answer, const char *key, unsigned *lines)
{
	unsigned n = 0;
	for (*lines = 1;; ++*lines, answer = hear()) {
		size_t here = json_array_size(json_object_get(result(answer), key));
		bool more = json_is_true(json_object_get(answer, "more"));
		assert_in_range(here, 1, ADMIN_LISTED_AT_ONCE);
		for (size_t i = 0; i < here; i++)
			assert_true(*text_at(json_array_get(json_object_get(result(answer), key), i), "name") == 'm');
		json_decref(answer);
		n += (unsigned)here;
		if (!more)
			return n;
	}
}

static void long_lists_are_told_in_turns(void **state)
{
	(void)state;
	unsigned lines;
	char url[200];
	struct store *store;
	struct dir *dir;
	begin();
	struct cfg *cfg = many_mailboxes();
	admin_config(rig.admin, cfg);
	assert_int_equal(listed(ask("object.list", json_pack("{s:s}", "kind", "mailbox")), "objects", &lines), MANY);
	assert_int_equal(lines, 6);

	text_print(url, sizeof url, "sqlite:%s/l.db", ut_tmpdir());
	assert_int_equal(store_open(&store, &(struct store_prm){ .url = url, .loop = rig.loop, .clock = clock_system() }, NULL), 0);
	assert_int_equal(dir_create(&dir, &(struct dir_prm){ .store = store, .loop = rig.loop, .clock = clock_system(), .bus = rig.bus, .node = "n", .poll_ms = 1000000 }), 0);
	assert_int_equal(dir_apply(dir, cfg, NULL, NULL), 0);
	rig.admin->prm.dir = dir;
	assert_int_equal(listed(ask("mailbox.list", NULL), "mailboxes", &lines), MANY);
	assert_int_equal(lines, 6);

	json_decref(ask("mailbox.list", NULL)); /* who asked goes away in the midst of it */
	assert_int_equal(list_count(&rig.admin->listings), 1);
	shutdown(rig.fd, SHUT_RDWR);
	for (unsigned i = 0; i < 50 && list_count(&rig.admin->listings); i++)
		loop_step(rig.loop, 10);
	assert_int_equal(list_count(&rig.admin->listings), 0);
	rig.admin->prm.dir = NULL;
	dir_destroy(dir);
	store_close(store);
	cfg_unref(cfg);
	end();
}

UT_MAIN(UT(every_command_answers_even_where_nothing_is), UT(status_tells_node_and_gateways), UT(levels_are_shown_and_changed),
        UT(events_are_listed_followed_and_explained), UT(configuration_is_taken_or_refused_with_places),
        UT(long_lists_are_told_in_turns), UT(a_reload_tells_what_changed_or_where_the_errors_are))

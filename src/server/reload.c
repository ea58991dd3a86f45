/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c  A new configuration in a running node. Whatever is wrong with it, the node goes on with the last good one. */
#include <errno.h>
#include "base/mem.h"
#include "cert/matrix.h"
#include "server/server_private.h"
#include "server_events.h"

/* Restart-only changes are told, not made. */
static void tell_changes(struct server *s, const struct cfg *now)
{
	struct cfg_changes c = { 0 };
	if (cfg_diff(s->cfg, now, &c))
		return;
	for (size_t i = 0; i < c.n; i++) {
		struct ev_report r = { 0 };
		ev_set(&r, c.v[i].restart ? EV_SERVER_NEEDS_RESTART : EV_SERVER_SETTING_CHANGED);
		ev_str(&r, "key", c.v[i].key);
		ev_emit(s->bus, &r);
	}
	cfg_changes_free(&c);
}

static void apply_levels(struct server *s, const struct cfg *cfg)
{
	for (size_t i = 0; i < cfg->node.n_levels; i++) {
		enum ev_category c;
		enum ev_level l;
		if (ev_level_parse(text_of(cfg->node.levels[i].level), &l) == 0 && ev_category_parse(text_of(cfg->node.levels[i].category), &c) == 0)
			ev_bus_level(s->bus, c, l);
	}
}

void server_show_card(struct server *s)
{
	struct trust_set *set = trust_keeper_get(s->keeper);
	struct buf card;
	buf_init(&card, 1 << 20);
	const char *text = matrix_card_make(&card, s->cfg, set) == 0 ? buf_cstr(&card) : NULL;
	if (text && s->registry)
		(void)registry_card(s->registry, text);
	buf_free(&card);
	mem_unref(set);
}

void server_trust_changed(void *server)
{
	struct server *s = server;
	server_show_card(s);
	gw_table_trust_changed(s->gateways);
	server_certificate_need(s);
	cert_watch_look(s->watch);
}

/* Who may connect to us follows the gateways. */
static void accept_anew(struct server *s)
{
	struct tls_limits limits = { 0 };
	gw_table_accept_tls(s->gateways, &limits);
	sip_core_accept(s->sip, gw_table_policy(s->gateways), &limits);
}

static int use(struct server *s, const struct cfg *cfg, bool objects, struct ev_report *why)
{
	struct trust_set *set = NULL;
	/* Files are read first: what cannot be read changes nothing. Objects without trust of their own leave ours as it is. */
	bool ours = objects && cfg->trust.ca_files.v == s->cfg->trust.ca_files.v;
	int err = ours ? 0 : server_trust_set(s, cfg, &set, why);
	if (!err)
		err = gw_table_apply(s->gateways, cfg);
	if (!err)
		err = dir_apply(s->dir, cfg, NULL, NULL);
	if (!err)
		err = dlg_service_config(s->calls, cfg);
	if (!err && set) {
		trust_keeper_swap(s->keeper, set);
		server_trust_changed(s);
	}
	mem_unref(set);
	return err;
}

/* Objects come without a node and are put together with ours; a node's file without objects keeps those that came from the store. */
static int whole(struct server *s, const struct cfg *cfg, bool objects, struct cfg **out, struct ev_report *why)
{
	struct cfg_errors errors = { 0 };
	struct buf b;
	bool kept = !objects && !cfg_has_objects(cfg) && s->cfg->source && s->cfg->source[0];
	if (!objects && !kept) {
		*out = cfg_ref(cfg);
		return 0;
	}
	int err = objects ? cfg_merge(out, s->cfg, cfg, &errors) : cfg_merge(out, cfg, s->cfg, &errors);
	if (err && errors.n) {
		buf_init(&b, 8192);
		cfg_error_print(&errors.v[0], &b);
		ev_set(why, EV_SERVER_CONFIG_REFUSED);
		ev_str(why, "path", cfg->path);
		ev_int(why, "errors", (int64_t)(errors.n + errors.more));
		ev_str(why, "first", b.n ? buf_cstr(&b) : strerror(err));
		buf_free(&b);
	}
	cfg_errors_free(&errors);
	return err;
}

static int apply_whole(struct server *s, const struct cfg *cfg, const char *path, bool objects, struct ev_report *why);

int server_apply(const struct cfg *cfg, bool objects, struct ev_report *why, void *server)
{
	struct cfg *all;
	int err = whole(server, cfg, objects, &all, why);
	if (err)
		return err;
	err = apply_whole(server, all, cfg->path, objects, why);
	cfg_unref(all);
	return err;
}

/* What `umbel apply` wrote for all nodes, here or on another one. */
void server_take_objects(const struct cfg *objects, int64_t revision, void *server)
{
	struct server *s = server;
	struct ev_report why = { 0 };
	char path[64];
	if (s->node && node_state(s->node) >= NODE_STOPPING)
		return;
	int err = server_apply(objects, true, &why, s);
	if (err && why.id != EV_SERVER_CONFIG_REFUSED) {
		ev_set(&why, EV_SERVER_CONFIG_REFUSED);
		ev_int(&why, "errors", 1);
		ev_str(&why, "first", strerror(err));
	}
	if (err) {
		text_print(path, sizeof path, "of the store, revision %lld", (long long)revision);
		ev_str(&why, "path", path);
		ev_emit(s->bus, &why);
	}
}

static int apply_whole(struct server *s, const struct cfg *cfg, const char *path, bool objects, struct ev_report *why)
{
	int err = use(s, cfg, objects, why);
	if (err)
		return err;
	if (!objects) {
		tell_changes(s, cfg);
		apply_levels(s, cfg);
	}
	accept_anew(s);
	if (!objects) { /* objects alone say nothing of the node: its own part stays the file's */
		cfg_unref(s->cfg);
		s->cfg = cfg_ref(cfg);
	}
	if (s->admin)
		admin_config(s->admin, cfg);
	(void)cert_crls_watch(s->crls, cfg->trust.ca_files.v, cfg->trust.ca_files.n);
	struct ev_report r = { 0 };
	ev_set(&r, EV_SERVER_CONFIG_APPLIED);
	ev_str(&r, "path", path);
	ev_emit(s->bus, &r);
	return 0;
}

struct reload {
	struct server *s;
	char path[4096];
	struct cfg *cfg;
	struct cfg_errors errors;
};

static int read_file(void *arg)
{
	struct reload *r = arg;
	return cfg_load(&r->cfg, r->path, CFG_WANT_NODE, &r->errors);
}

static void say_refused(struct server *s, const struct reload *r, const char *reason)
{
	struct ev_report why = { 0 };
	ev_set(&why, EV_SERVER_CONFIG_REFUSED);
	ev_str(&why, "path", r->path);
	ev_int(&why, "errors", r->errors.n ? (int64_t)(r->errors.n + r->errors.more) : 1);
	ev_str(&why, "first", reason);
	ev_emit(s->bus, &why);
}

static void was_read(enum pool_result result, int err, void *arg)
{
	struct reload *r = arg;
	struct server *s = r->s;
	struct ev_report why = { 0 };
	char sentence[512];
	s->reloading = false;
	if (result != POOL_DONE) {
		struct buf b;
		buf_init(&b, 8192);
		if (r->errors.n)
			cfg_error_print(&r->errors.v[0], &b);
		say_refused(s, r, b.n ? buf_cstr(&b) : strerror(err));
		buf_free(&b);
	} else if (s->node && node_state(s->node) < NODE_STOPPING && (err = server_apply(r->cfg, false, &why, s)) != 0) {
		say_refused(s, r, why.id ? ev_sentence(&why, sentence, sizeof sentence) : strerror(err));
	}
	cfg_errors_free(&r->errors);
	cfg_unref(r->cfg);
	mem_free(r);
	if (s->reload_again && s->node && node_state(s->node) < NODE_STOPPING)
		server_reload(s);
}

/* Asked for while the file is being read, it is read once more: it may have been saved in between. */
void server_reload(struct server *s)
{
	s->reload_again = s->reloading;
	if (s->reloading)
		return;
	struct reload *r = mem_zalloc(1, sizeof *r), none = { .s = s };
	int err = ENOMEM;
	if (r) {
		r->s = s;
		text_fill(r->path, sizeof r->path, s->path);
		err = pool_submit(s->slow, read_file, was_read, r);
		s->reloading = !err;
	}
	if (!err)
		return;
	text_fill(none.path, sizeof none.path, s->path);
	say_refused(s, &none, strerror(err));
	mem_free(r);
}

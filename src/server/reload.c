/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c  A new configuration in a running node. Whatever is wrong with it, the node goes on with the last good one, whole.
 *
 *   begin -> a pool of its own: read the file, put it together with what is in use, read certificates, keys and CAs
 *         -> loop: prepare all parts, then change all of them; or tell why not
 *
 * One change at a time, in the order in which they were asked for. One whose ground moved while its files were read (another certificate
 * was installed meanwhile) is read again.                                                                              */
#include <errno.h>
#include "base/hash.h"
#include "base/mem.h"
#include "cert/matrix.h"
#include "config/edit.h"
#include "dialogue/session.h"
#include "directory/proposal.h"
#include "server/server_private.h"
#include "server_events.h"
#include "trust_events.h"

/* Restart-only changes are told, not made. */
static void tell_changes(struct ev_bus *bus, const struct cfg_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct ev_report r = { 0 };
		ev_set(&r, c->v[i].restart ? EV_SERVER_NEEDS_RESTART : EV_SERVER_SETTING_CHANGED);
		ev_str(&r, "key", c->v[i].key);
		ev_emit(bus, &r);
	}
}

/* A file of the same name may hold another certificate. */
static void tell_shown(struct ev_bus *bus, const struct trust_set *was, const struct trust_set *now)
{
	for (unsigned i = 0; i < trust_set_count(now); i++) {
		const struct trust_identity *id = trust_set_at(now, i), *old = trust_set_find(was, trust_identity_name(id));
		struct ev_report r = { 0 };
		if (old && strcmp(trust_identity_fingerprint(old), trust_identity_fingerprint(id)) == 0)
			continue;
		ev_set(&r, EV_TRUST_SET_SWAPPED);
		ev_str(&r, "identity", trust_identity_name(id));
		ev_str(&r, "cn", trust_identity_cn(id));
		ev_str(&r, "fingerprint", trust_identity_fingerprint(id));
		ev_emit(bus, &r);
	}
}

/* A rehearsal that is going on (cert/swap.h) goes on: no file knows of it. */
static int keep_rehearsals(struct trust_set *now, const struct trust_set *was)
{
	int err = 0;
	for (unsigned i = 0; !err && i < trust_set_count(was); i++)
		if (strchr(trust_identity_name(trust_set_at(was, i)), '+'))
			err = trust_set_identity(now, trust_set_at(was, i));
	return err;
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

struct change {
	struct link link;
	struct server *s;
	bool from_file, begun;
	bool objects;          /* the organisation's part alone */
	bool days;             /* nothing but what a calendar elsewhere says */
	bool everywhere;       /* objects: all nodes of the store are asked before, and take them or none does */
	struct admin_apply how;
	bool learnt;           /* it came from the store */
	int64_t trial;         /* another node's proposal: tried, and not taken; its number */
	int64_t revision;      /* of the store, that it is; 0: none yet */
	struct cfg *given;     /* as read, or as handed over */
	struct cfg *base;      /* in use when the reading began */
	struct cfg *whole;     /* to be taken into use */
	struct trust_set *set; /* NULL: ours stays */
	struct dir_view *view; /* of whole: made where nobody waits for it, as thousands of mailboxes take their time */
	struct dlg_attendants *attendants;
	uint64_t generation;   /* of the trust in use when the reading began */
	struct cfg_errors errors;
	struct ev_report why;
	struct cfg_changes changes;
	struct trust_set *was; /* shown and believed until then */
	admin_applied_h *done; /* whoever asked is told; NULL: a refusal is told as an event */
	admin_reloaded_h *told;
	void *arg;
	char path[4096];
	char digest[33];
};

/* ---- in the pool ---- */

static void tell_first_error(struct change *c, int err)
{
	struct buf b;
	buf_init(&b, 8192);
	if (c->errors.n)
		cfg_error_print(&c->errors.v[0], &b);
	ev_set(&c->why, EV_SERVER_CONFIG_REFUSED);
	ev_str(&c->why, "path", c->path);
	ev_int(&c->why, "errors", c->errors.n ? (int64_t)(c->errors.n + c->errors.more) : 1);
	ev_str(&c->why, "first", b.n ? buf_cstr(&b) : strerror(err));
	buf_free(&b);
}

/* Objects come without a node and are put together with ours; a node's file without objects keeps those that came from the store. */
static int put_together(struct change *c)
{
	if (c->days) {
		c->whole = cfg_ref(c->base);
		return 0;
	}
	bool kept = !c->objects && !cfg_has_objects(c->given) && c->base->source && c->base->source[0];
	if (c->objects)
		return cfg_merge(&c->whole, c->base, c->given, &c->errors);
	if (kept)
		return cfg_merge(&c->whole, c->given, c->base, &c->errors);
	c->whole = cfg_ref(c->given);
	return 0;
}

static void put_setting(const char *key, const char *value, bool given, const char *help, void *arg)
{
	(void)given;
	(void)help;
	buf_printf(arg, "%s=%s\n", key, value);
}

int server_objects_digest(const struct cfg *cfg, char hex[33])
{
	static const char *const lists[] = { "gateways", "dialplans", "policies", "attendants", "schedules", "mailboxes" };
	static const uint8_t keys[2][16] = { "umbel objects  1", "umbel objects  2" };
	struct buf b;
	int err = 0;
	buf_init(&b, 256 << 20);
	hex[0] = '\0';
	for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++)
		for (size_t i = 0; !err && i < cfg_list_count(cfg, lists[l]); i++) {
			buf_printf(&b, "%s\n", lists[l]);
			err = cfg_show(cfg, lists[l], i, put_setting, &b);
		}
	err = err ? err : buf_error(&b);
	if (!err)
		text_print(hex, 33, "%016llx%016llx", (unsigned long long)hash_siphash(keys[0], b.p, b.n), (unsigned long long)hash_siphash(keys[1], b.p, b.n));
	buf_free(&b);
	return err;
}

static int build_all(struct change *c)
{
	(void)server_objects_digest(c->whole, c->digest); /* without memory: it is not compared */
	int err = dir_view_of_cfg(&c->view, c->whole);
	if (!err)
		err = dlg_attendants_create(&c->attendants, c->whole);
	if (!err && !c->objects) /* objects alone say nothing of the node: its own part stays the file's */
		err = cfg_diff(c->base, c->whole, &c->changes);
	return err;
}

static int read_all(void *arg)
{
	struct change *c = arg;
	int err = c->given || c->days ? 0 : cfg_load(&c->given, c->path, CFG_WANT_NODE, &c->errors);
	if (!err)
		err = put_together(c);
	if (!err)
		err = server_calendar_days(&c->whole, c->base->node.data);
	if (err) {
		tell_first_error(c, err);
		return err;
	}
	/* Objects without trust of their own leave ours as it is. */
	bool ours = c->objects && c->whole->trust.ca_files.v == c->base->trust.ca_files.v;
	err = ours ? 0 : server_trust_read(c->s->bus, c->whole, &c->set, &c->why);
	if (!err)
		return build_all(c);
	if (c->told)
		(void)server_check_files(c->whole, &c->errors); /* the first is known; whoever asks wants all, with their places */
	return err;
}

/* ---- on the loop ---- */

/* All that can fail, then what cannot: no half of a configuration is ever in use. */
static int use(struct server *s, struct change *c)
{
	struct gw_change *gateways = NULL;
	int err = gw_table_prepare(s->gateways, c->whole, &gateways);
	if (err)
		return err;
	gw_table_use(s->gateways, gateways);
	dir_use(s->dir, c->view);
	dlg_service_use(s->calls, c->whole, c->attendants);
	c->view = NULL; /* theirs now */
	c->attendants = NULL;
	accept_anew(s);
	return 0;
}

static void take_trust(struct server *s, struct change *c)
{
	c->was = trust_keeper_get(s->keeper);
	(void)keep_rehearsals(c->set, c->was); /* if not, that rehearsal fails */
	tell_shown(s->bus, c->was, c->set);
	trust_keeper_swap(s->keeper, c->set);
	server_trust_tell(s->bus, c->whole, c->set);
	server_trust_changed(s);
}

static void take(struct server *s, struct change *c)
{
	if (!c->objects) {
		tell_changes(s->bus, &c->changes);
		apply_levels(s, c->whole);
		records_keep(s->records, c->whole->node.keep_records_days);
	}
	cfg_unref(s->cfg);
	s->cfg = cfg_ref(c->whole);
	memcpy(s->digest, c->digest, sizeof s->digest);
	voice_names_use(s->names, s->cfg);
	if (c->set)
		take_trust(s, c);
	else
		server_show_card(s);
	if (s->admin)
		admin_config(s->admin, c->whole);
	(void)cert_crls_watch(s->crls, c->whole->trust.ca_files.v, c->whole->trust.ca_files.n);
	(void)calendars_use(s->calendars, c->whole, !c->objects);
	if (c->days)
		return; /* the calendar's own event has told */
	struct ev_report r = { 0 };
	ev_set(&r, EV_SERVER_CONFIG_APPLIED);
	ev_str(&r, "path", c->path);
	ev_emit(s->bus, &r);
}

static void forget(struct change *c)
{
	mem_unref(c->set);
	dir_view_unref(c->view);
	mem_unref(c->attendants);
	c->view = NULL;
	c->attendants = NULL;
	cfg_changes_free(&c->changes);
	cfg_unref(c->whole);
	cfg_unref(c->base);
	cfg_errors_free(&c->errors);
	c->set = NULL;
	c->whole = c->base = NULL;
	c->errors = (struct cfg_errors){ 0 };
	ev_set(&c->why, 0);
}

static void free_change(struct change *c)
{
	forget(c);
	mem_unref(c->was);
	cfg_unref(c->given);
	mem_free(c);
}

static void say_refused(struct change *c, int err)
{
	struct ev_report r = { 0 };
	char sentence[512];
	if (c->why.id == EV_SERVER_CONFIG_REFUSED) {
		ev_emit(c->s->bus, &c->why);
		return;
	}
	ev_set(&r, EV_SERVER_CONFIG_REFUSED);
	ev_str(&r, "path", c->path);
	ev_int(&r, "errors", 1);
	ev_str(&r, "first", c->why.id ? ev_sentence(&c->why, sentence, sizeof sentence) : strerror(err));
	ev_emit(c->s->bus, &r);
}

static void begin_next(struct server *s);

/* Who is stopping reads the newest revision when it starts again. */
static void answer_trial(struct change *c, int err)
{
	char sentence[DIR_FINDING_SIZE];
	if (!c->s->dir)
		return;
	if (c->errors.n)
		text_print(sentence, sizeof sentence, "line %u: %s: %s", c->errors.v[0].pos.line, c->errors.v[0].key, c->errors.v[0].what);
	else if (c->why.id)
		ev_sentence(&c->why, sentence, sizeof sentence);
	else
		text_fill(sentence, sizeof sentence, err && err != ECANCELED ? strerror(err) : "");
	dir_answer(c->s->dir, c->trial, !err || err == ECANCELED, sentence);
}

/* `p`: what became of it on all nodes; NULL: it was this node's own matter. */
static void over_everywhere(struct change *c, int err, const struct dir_proposed *p)
{
	struct server *s = c->s;
	list_remove(&c->link);
	if (c->trial)
		answer_trial(c, err);
	else if (c->done)
		c->done(&(struct admin_applied){ .err = err, .why = p && p->why ? p->why : &c->why, .revision = p ? p->revision : 0, .answers = p ? p->v : NULL,
		                                 .n = p ? p->n : 0 }, c->arg);
	else if (err && err != ECANCELED)
		say_refused(c, err);
	if (c->told)
		c->told(&(struct admin_reloaded){ .err = err, .path = c->path, .why = &c->why, .errors = &c->errors, .changes = &c->changes, .was = c->was, .now = c->set },
			c->arg);
	free_change(c);
	begin_next(s);
}

static void over(struct change *c, int err)
{
	over_everywhere(c, err, NULL);
}

static bool serving(const struct server *s)
{
	return s->node && node_state(s->node) < NODE_STOPPING;
}

static int take_into_use(struct server *s, struct change *c)
{
	int err = use(s, c);
	if (err)
		return err;
	take(s, c);
	if (c->revision)
		server_serves(c->revision, s); /* at once: whoever changes objects next says what his change is based on */
	return 0;
}

/* All that can fail here, and nothing else. */
static int would_use(struct server *s, struct change *c)
{
	struct gw_change *gateways = NULL;
	int err = gw_table_prepare(s->gateways, c->whole, &gateways);
	if (!err)
		gw_change_drop(gateways);
	return err;
}

/* It is a revision, or nothing happened. What moved here while the others were asked (a certificate) is read again by way of the revision. */
static void was_put(const struct dir_proposed *p, void *arg)
{
	struct change *c = arg;
	struct server *s = c->s;
	bool same = serving(s) && s->cfg == c->base && trust_keeper_generation(s->keeper) == c->generation;
	c->revision = p->revision;
	if (!p->err && (!same || take_into_use(s, c)) && serving(s))
		dir_look(s->dir);
	over_everywhere(c, p->err, p);
}

static bool unwanted(void *arg)
{
	const struct change *c = arg;
	return c->how.left && c->how.left(c->arg);
}

static int put_to_all(struct server *s, struct change *c)
{
	struct dir_proposal_prm prm = { .cfg = c->whole, .based_on = c->how.based_on, .leave_behind = c->how.leave_behind, .within_ms = c->how.within_ms,
		                        .unwanted = unwanted };
	return dir_propose(s->dir, &prm, was_put, c);
}

static void was_read(enum pool_result result, int err, void *arg)
{
	struct change *c = arg;
	struct server *s = c->s;
	if (result == POOL_CANCELLED || !serving(s)) {
		over(c, ECANCELED);
		return;
	}
	if (s->cfg != c->base || trust_keeper_generation(s->keeper) != c->generation) {
		forget(c);
		c->begun = false;
		begin_next(s);
		return;
	}
	if (!err && c->learnt && text_is(text_of(s->cfg->source), c->given->source)) {
		server_serves(c->revision, s); /* our own proposal, heard of before it was in use here: it is now */
		over(c, 0);
		return;
	}
	if (!err && (c->trial || c->everywhere))
		err = would_use(s, c);
	else if (!err)
		err = take_into_use(s, c);
	if (err || !c->everywhere)
		over(c, err);
	else if ((err = put_to_all(s, c)) != 0)
		over(c, err);
}

static void begin_next(struct server *s)
{
	struct change *c = list_empty(&s->changes) ? NULL : LIST_ENTRY(s->changes.head.next, struct change, link);
	if (!c || c->begun)
		return;
	c->begun = true;
	c->base = cfg_ref(s->cfg);
	c->generation = serving(s) ? trust_keeper_generation(s->keeper) : 0;
	int err = serving(s) ? pool_submit(s->reading, read_all, was_read, c) : ECANCELED;
	if (err)
		over(c, err);
}

bool server_shares(const struct server *s)
{
	return strcmp(store_engine(s->store), "postgresql") == 0;
}

void server_serves(int64_t revision, void *server)
{
	struct server *s = server;
	s->revision = revision;
	registry_serves(s->registry, revision, s->digest);
}

static struct change *add(struct server *s, struct cfg *given, bool objects, const char *path)
{
	struct change *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->s = s;
	c->given = given;
	c->objects = objects;
	c->from_file = !given;
	text_fill(c->path, sizeof c->path, path);
	list_append(&s->changes, &c->link);
	return c;
}

int server_apply(const struct cfg *cfg, const struct admin_apply *how, admin_applied_h *done, void *done_arg, void *server)
{
	struct server *s = server;
	struct change *c = add(s, cfg_ref(cfg), how->objects, cfg->path);
	if (!c) {
		cfg_unref(cfg);
		return ENOMEM;
	}
	c->everywhere = how->objects && server_shares(s);
	c->how = *how;
	c->done = done;
	c->arg = done_arg;
	begin_next(s);
	return 0;
}

/* What another node would have all take into use: as if it were, and the answer goes back. */
void server_try_objects(const struct cfg *objects, int64_t number, void *server)
{
	struct server *s = server;
	char path[64];
	text_print(path, sizeof path, "proposal %lld", (long long)number);
	if (!serving(s)) {
		dir_answer(s->dir, number, true, NULL); /* on its way out */
		return;
	}
	struct change *c = add(s, cfg_ref(objects), true, path);
	if (!c) {
		cfg_unref(objects);
		dir_answer(s->dir, number, false, strerror(ENOMEM));
		return;
	}
	c->trial = number;
	begin_next(s);
}

/* What `umbel apply` wrote for all nodes, here or on another one. */
void server_take_objects(const struct cfg *objects, int64_t revision, void *server)
{
	struct server *s = server;
	char path[64];
	if (!serving(s))
		return;
	text_print(path, sizeof path, "of the store, revision %lld", (long long)revision);
	struct change *c = add(s, cfg_ref(objects), true, path);
	if (!c) {
		cfg_unref(objects); /* the next look at the store finds them again */
		return;
	}
	c->revision = revision;
	c->learnt = true;
	begin_next(s);
}

void server_calendar_changed(void *server)
{
	struct server *s = server;
	struct change *c = serving(s) ? add(s, NULL, true, s->path) : NULL;
	if (!c)
		return; /* at the next start or reload the copy is read */
	c->from_file = false;
	c->days = true;
	begin_next(s);
}

/* By a command, whose caller is told. */
int server_reload_told(admin_reloaded_h *done, void *done_arg, void *server)
{
	struct server *s = server;
	struct change *c = add(s, NULL, false, s->path);
	if (!c)
		return ENOMEM;
	c->told = done;
	c->arg = done_arg;
	begin_next(s);
	return 0;
}

/* Asked for while the file is being read, it is read once more: it may have been saved in between. Asked for ten times, it is read once more. */
void server_reload(struct server *s)
{
	bool waits = false;
	LIST_FOREACH(&s->changes, it) {
		const struct change *c = LIST_ENTRY(it, struct change, link);
		waits = waits || (c->from_file && !c->begun);
	}
	struct change *c = waits ? NULL : add(s, NULL, false, s->path);
	if (!c && !waits) {
		struct change none = { .s = s };
		text_fill(none.path, sizeof none.path, s->path);
		say_refused(&none, ENOMEM);
	}
	begin_next(s);
}

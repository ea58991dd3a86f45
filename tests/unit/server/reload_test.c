/* SPDX-License-Identifier: Apache-2.0 */
/* Objects for all nodes as one node takes them: which revision it says it serves, and when; and that nothing is agreed to which was not tried. The
 * parts of the node are stand-ins here: jobs of the pool and proposals wait until the test lets them go on.                           */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "server/reload.c" /* NOLINT: its parts are ours */

#define ONE "mailboxes: [{name: alice, extensions: ['0201']}]\n"
#define TWO "mailboxes: [{name: alice, extensions: ['0201']}, {name: bob, extensions: ['0202']}]\n"

static struct bench {
	struct server s;
	enum node_state state;
	pool_work_h *work;
	pool_done_h *done;
	void *job;
	dir_proposed_h *proposed;
	void *proposal;
	struct dir_proposal_prm prm;
	int64_t registered, told_at;
	unsigned prepared, answers, applied;
	bool good, left;
	struct cfg *next; /* what is asked for when the first is done */
} b;

/* ---- stand-ins ---- */

enum node_state node_state(const struct node *n)
{
	(void)n;
	return b.state;
}

const char *store_engine(const struct store *s)
{
	(void)s;
	return "postgresql";
}

int pool_submit(struct pool *pool, pool_work_h *work, pool_done_h *done, void *arg)
{
	(void)pool;
	assert_null(b.work);
	b.work = work;
	b.done = done;
	b.job = arg;
	return 0;
}

int dir_propose(struct dir *d, const struct dir_proposal_prm *prm, dir_proposed_h *h, void *arg)
{
	(void)d;
	b.prm = *prm;
	b.proposed = h;
	b.proposal = arg;
	return 0;
}

void dir_answer(struct dir *d, int64_t number, bool good, const char *finding)
{
	(void)d, (void)number, (void)finding;
	b.answers++;
	b.good = good;
}

/* What it reads of the store comes later, or never. */
void dir_use(struct dir *d, struct dir_view *view)
{
	(void)d, (void)view;
}

void dir_look(struct dir *d)
{
	(void)d;
}

int dir_view_of_cfg(struct dir_view **vp, const struct cfg *cfg)
{
	(void)cfg;
	*vp = NULL;
	return 0;
}

struct dir_view *dir_view_unref(const struct dir_view *v)
{
	(void)v;
	return NULL;
}

void registry_serves(struct registry *r, int64_t revision, const char *objects)
{
	(void)r, (void)objects;
	b.registered = revision;
}

int registry_card(struct registry *r, const char *body)
{
	(void)r, (void)body;
	return 0;
}

int gw_table_prepare(struct gw_table *t, const struct cfg *cfg, struct gw_change **change)
{
	(void)t, (void)cfg;
	*change = NULL;
	b.prepared++;
	return 0;
}

void gw_table_use(struct gw_table *t, struct gw_change *change)
{
	(void)t, (void)change;
}

void gw_change_drop(struct gw_change *change)
{
	(void)change;
}

void gw_table_trust_changed(struct gw_table *t)
{
	(void)t;
}

struct trust_policy *gw_table_policy(const struct gw_table *t)
{
	(void)t;
	return NULL;
}

void gw_table_accept_tls(const struct gw_table *t, struct tls_limits *limits)
{
	(void)t, (void)limits;
}

void sip_core_accept(struct sip_core *core, struct trust_policy *accept, const struct tls_limits *limits)
{
	(void)core, (void)accept, (void)limits;
}

int dlg_attendants_create(struct dlg_attendants **ap, const struct cfg *cfg)
{
	(void)cfg;
	*ap = NULL;
	return 0;
}

void dlg_service_use(struct dlg_service *s, const struct cfg *cfg, struct dlg_attendants *attendants)
{
	(void)s, (void)cfg, (void)attendants;
}

void voice_names_use(struct voice_names *n, const struct cfg *cfg)
{
	(void)n, (void)cfg;
}

void records_keep(struct records *rs, uint32_t days)
{
	(void)rs, (void)days;
}

int cert_crls_watch(struct cert_crls *c, const char *const *ca_files, size_t n)
{
	(void)c, (void)ca_files, (void)n;
	return 0;
}

void cert_watch_look(struct cert_watch *w)
{
	(void)w;
}

int calendars_use(struct calendars *c, const struct cfg *cfg, bool all)
{
	(void)c, (void)cfg, (void)all;
	return 0;
}

int matrix_card_make(struct buf *out, const struct cfg *cfg, const struct trust_set *set)
{
	(void)out, (void)cfg, (void)set;
	return ENOENT;
}

void admin_config(struct admin *a, const struct cfg *cfg)
{
	(void)a, (void)cfg;
}

int server_calendar_days(struct cfg **cfg, const char *data)
{
	(void)cfg, (void)data;
	return 0;
}

int server_trust_read(struct ev_bus *bus, const struct cfg *cfg, struct trust_set **setp, struct ev_report *why)
{
	(void)bus, (void)cfg, (void)setp, (void)why;
	return ENOTSUP; /* objects bring no trust of their own here */
}

void server_trust_tell(struct ev_bus *bus, const struct cfg *cfg, const struct trust_set *set)
{
	(void)bus, (void)cfg, (void)set;
}

void server_certificate_need(struct server *s)
{
	(void)s;
}

unsigned server_check_files(const struct cfg *cfg, struct cfg_errors *errors)
{
	(void)cfg, (void)errors;
	return 0;
}

/* ---- the tests ---- */

static struct cfg *parsed(const char *yaml)
{
	struct cfg *c;
	assert_int_equal(cfg_parse(&c, "f", text_of(yaml), CFG_WANT_OBJECTS, NULL), 0);
	return c;
}

static void begin(void)
{
	struct trust_set *none;
	memset(&b, 0, sizeof b);
	b.state = NODE_READY;
	b.s.cfg = parsed("{}\n");
	b.s.node = (struct node *)&b; /* there is one */
	b.s.dir = (struct dir *)&b;
	list_init(&b.s.changes);
	assert_int_equal(ev_bus_create(&b.s.bus, clock_system(), 4), 0);
	assert_int_equal(trust_set_create(&none), 0);
	assert_int_equal(trust_keeper_create(&b.s.keeper, none), 0);
	mem_unref(none);
}

static void end(void)
{
	assert_true(list_empty(&b.s.changes));
	trust_keeper_destroy(b.s.keeper);
	ev_bus_destroy(b.s.bus);
	cfg_unref(b.s.cfg);
}

static void run_job(void)
{
	pool_work_h *work = b.work;
	assert_non_null(work);
	b.work = NULL;
	int err = work(b.job);
	b.done(err ? POOL_FAILED : POOL_DONE, err, b.job);
}

static void put(const char *yaml);

/* As the commands that change objects do it: the next begins with what is in use when the one before is done, and says which revision that is. */
static void applied(const struct admin_applied *r, void *arg)
{
	const char *next = arg;
	assert_int_equal(r->err, 0);
	b.applied++;
	b.told_at = b.s.revision;
	if (next)
		put(next);
}

static bool left(void *arg)
{
	(void)arg;
	return b.left;
}

static void put_then(const char *yaml, const char *next)
{
	struct cfg *c = parsed(yaml);
	struct admin_apply how = { .objects = true, .based_on = b.s.revision, .left = left };
	assert_int_equal(server_apply(c, &how, applied, (void *)(uintptr_t)next, &b.s), 0);
	cfg_unref(c);
}

static void put(const char *yaml)
{
	put_then(yaml, NULL);
}

static void all_agree(int64_t revision)
{
	b.proposed(&(struct dir_proposed){ .revision = revision }, b.proposal);
}

static void what_comes_next_is_based_on_what_was_just_made(void **state)
{
	(void)state;
	begin();
	put_then(ONE, TWO);
	run_job();
	assert_int_equal(b.prm.based_on, 0);
	assert_false(b.prm.unwanted(b.proposal));
	b.left = true;
	assert_true(b.prm.unwanted(b.proposal)); /* whoever asked for it is gone */
	b.left = false;
	all_agree(1);
	assert_int_equal(b.s.cfg->n_mailboxes, 1);
	assert_int_equal(b.told_at, 1);
	assert_int_equal(b.registered, 1);
	run_job();
	assert_int_equal(b.prm.based_on, 1);
	all_agree(2);
	assert_int_equal(b.applied, 2);
	assert_int_equal(b.s.cfg->n_mailboxes, 2);
	assert_int_equal(b.registered, 2);
	end();
}

static void what_another_made_is_served_once_it_is_in_use(void **state)
{
	(void)state;
	begin();
	struct cfg *c = parsed(ONE);
	server_take_objects(c, 7, &b.s);
	cfg_unref(c);
	assert_int_equal(b.registered, 0);
	run_job();
	assert_int_equal(b.s.revision, 7);
	assert_int_equal(b.registered, 7);
	end();
}

static void try_it(const struct cfg *c)
{
	b.answers = b.prepared = 0;
	server_try_objects(c, 3, &b.s);
	if (b.work)
		run_job();
	assert_int_equal(b.answers, 1);
}

static void what_was_not_tried_for_want_of_memory_is_not_agreed_to(void **state)
{
	(void)state;
	begin();
	struct cfg *c = parsed(ONE);
	bool failed = true;
	for (size_t n = 1; failed; n++) {
		mem_fail_at(n);
		try_it(c);
		failed = mem_failed();
		mem_fail_at(0);
		assert_true(!b.good || b.prepared == 1);
		assert_true(b.good || failed);
		assert_true(n > 1 || !b.good);
	}
	assert_true(b.good);
	b.state = NODE_STOPPING; /* it reads the newest revision when it starts again */
	try_it(c);
	assert_true(b.good && b.prepared == 0);
	assert_int_equal(b.registered, 0);
	cfg_unref(c);
	end();
}

UT_MAIN(UT(what_comes_next_is_based_on_what_was_just_made), UT(what_another_made_is_served_once_it_is_in_use),
	UT(what_was_not_tried_for_want_of_memory_is_not_agreed_to))

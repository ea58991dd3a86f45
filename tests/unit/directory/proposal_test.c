/* SPDX-License-Identifier: Apache-2.0 */
/* New objects for all nodes: every living one is asked, all take them or none does, and nobody undoes what another made meanwhile. */
#include "ut.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "directory/dir_private.h"
#include "directory/proposal.h"
#include "directory_events.h"
#include "jobs/registry.h"
#include "net/loop.h"
#include "pg.h"

#define ONE "mailboxes: [{name: alice, extensions: ['0201']}]\n"
#define TWO "mailboxes: [{name: alice, extensions: ['0201']}, {name: bob, extensions: ['0202']}]\n"

/* However long the machine takes, nobody is dead or late unless the test says so. */
enum { BEAT_MS = 36000000, WITHIN_MS = 3600000 };

struct bench;
struct node {
	struct bench *b;
	struct dir *d;
	struct registry *r;
	bool mute;       /* tries, and never answers */
	bool crowded;    /* its first answer finds no room */
	const char *no;  /* its finding; NULL: it agrees */
	unsigned tries;
	int64_t number, serves;
};

struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct store *s;
	struct ev_bus *bus;
	char url[300];
	struct node node[3];
	unsigned came, alive;
	int err;
	uint16_t id;
	char other[65];
	int64_t revision;
	struct dir_answer v[4];
	size_t n;
	bool unwanted;
	atomic_bool open;
};

static bool on_pg;

static int fill(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct bench *b = arg;
	(void)tx, (void)why;
	while (!atomic_load(&b->open))
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return 0;
}

static void filled(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	(void)result, (void)err, (void)why, (void)arg;
}

/* The store has no room for the answer, and soon has again. */
static void answer_into_a_crowd(struct node *x, int64_t number)
{
	struct bench *b = x->b;
	x->crowded = false;
	while (store_submit(b->s, STORE_READ, fill, filled, b) == 0)
		;
	dir_answer(x->d, number, true, NULL);
	atomic_store(&b->open, true);
	while (store_queued(b->s))
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static void tried(const struct cfg *objects, int64_t number, void *arg)
{
	struct node *x = arg;
	assert_true(objects->n_mailboxes > 0);
	x->tries++;
	x->number = number;
	if (x->crowded)
		answer_into_a_crowd(x, number);
	else if (!x->mute)
		dir_answer(x->d, number, !x->no, x->no);
}

static void serves(int64_t revision, void *arg)
{
	((struct node *)arg)->serves = revision;
}

/* As the server does: at once, without looking at what it refers to. */
static void take(const struct cfg *objects, int64_t revision, void *arg)
{
	struct node *x = arg;
	(void)revision;
	assert_int_equal(dir_apply(x->d, objects, NULL, NULL), 0);
}

static struct cfg *parsed(const char *yaml)
{
	struct cfg *c;
	assert_int_equal(cfg_parse(&c, "f", text_of(yaml), CFG_WANT_OBJECTS, NULL), 0);
	return c;
}

static void start(struct bench *b, unsigned i)
{
	struct node *x = &b->node[i];
	char name[16];
	snprintf(name, sizeof name, "node0%u", i + 1);
	x->b = b;
	struct dir_prm prm = { .store = b->s, .loop = b->loop, .clock = &b->clock.clock, .bus = b->bus, .node = name, .shared = true, .poll_ms = 1000 };
	struct registry_prm rp = { .store = b->s, .loop = b->loop, .clock = &b->clock.clock, .node = name, .interval_ms = BEAT_MS };
	struct cfg *none = parsed("{}\n");
	assert_int_equal(dir_create(&x->d, &prm), 0);
	assert_int_equal(registry_create(&x->r, &rp), 0);
	dir_on_objects(x->d, take, x);
	dir_on_serves(x->d, serves, x);
	dir_on_try(x->d, tried, x);
	assert_int_equal(dir_apply(x->d, none, NULL, NULL), 0);
	cfg_unref(none);
}

static void listed(int err, const struct registry_node *v, size_t n, void *arg)
{
	struct bench *b = arg;
	assert_int_equal(err, 0);
	b->alive = 0;
	for (size_t i = 0; i < n; i++)
		b->alive += v[i].alive;
	b->came++;
}

/* Until the store knows of so many living nodes. */
static void wait_alive(struct bench *b, unsigned n)
{
	do {
		b->came = 0;
		assert_int_equal(registry_list(b->node[0].r, listed, b), 0);
		for (int i = 0; i < 20000 && !b->came; i++)
			loop_step(b->loop, 5);
		assert_int_equal(b->came, 1);
	} while (b->alive != n);
	b->came = 0;
}

static void begin(struct bench *b, unsigned nodes)
{
	memset(b, 0, sizeof *b);
	clock_fake_init(&b->clock, 1795356309);
	assert_int_equal(loop_create(&b->loop, &b->clock.clock), 0);
	snprintf(b->url, sizeof b->url, "sqlite:%s/p.db", ut_tmpdir());
	if (on_pg) {
		if (!pg_url())
			skip();
		pg_wipe();
		snprintf(b->url, sizeof b->url, "%s", pg_url());
	}
	assert_int_equal(ev_bus_create(&b->bus, &b->clock.clock, 256), 0);
	ev_bus_level(b->bus, EV_CAT_DIRECTORY, EV_LEVEL_LOW);
	struct store_prm prm = { .url = b->url, .loop = b->loop, .clock = &b->clock.clock, .queue_max = 64 };
	assert_int_equal(store_open(&b->s, &prm, NULL), 0);
	for (unsigned i = 0; i < nodes; i++)
		start(b, i);
	wait_alive(b, nodes);
}

static void end(struct bench *b)
{
	for (unsigned i = 0; i < 3; i++) {
		registry_destroy(b->node[i].r);
		dir_destroy(b->node[i].d);
	}
	store_close(b->s);
	loop_destroy(b->loop);
	ev_bus_destroy(b->bus);
}

static void proposed(const struct dir_proposed *p, void *arg)
{
	struct bench *b = arg;
	b->err = p->err;
	b->id = p->why ? p->why->id : 0;
	struct text node = p->why ? ev_field_text(p->why, "node") : text_of("");
	snprintf(b->other, sizeof b->other, "%.*s", TEXT_FMT(node));
	b->revision = p->revision;
	b->n = p->n < 4 ? p->n : 4;
	memcpy(b->v, p->v, b->n * sizeof *b->v);
	b->came++;
}

/* The clock runs on by itself, so that looks come. */
static void until(struct bench *b, bool (*there)(struct bench *b))
{
	for (int i = 0; i < 20000 && !there(b); i++) {
		loop_step(b->loop, 5);
		clock_fake_advance_ms(&b->clock, 20);
	}
	assert_true(there(b));
}

static bool answered(struct bench *b)
{
	return b->came > 0;
}

static bool unwanted(void *arg)
{
	return ((struct bench *)arg)->unwanted;
}

static void put(struct bench *b, unsigned i, const char *yaml, int64_t based_on, bool leave_behind)
{
	struct cfg *c = parsed(yaml);
	struct dir_proposal_prm prm = { .cfg = c, .based_on = based_on, .leave_behind = leave_behind, .within_ms = WITHIN_MS, .unwanted = unwanted };
	b->came = 0;
	assert_int_equal(dir_propose(b->node[i].d, &prm, proposed, b), 0);
	cfg_unref(c);
}

static void propose(struct bench *b, unsigned i, const char *yaml, int64_t based_on, bool leave_behind)
{
	put(b, i, yaml, based_on, leave_behind);
	until(b, answered);
	assert_int_equal(b->came, 1);
}

static int newest(struct db_tx *tx, void *arg, struct ev_report *why)
{
	return dir_revision_newest(tx, arg, false, why);
}

static int64_t newest_revision(struct bench *b)
{
	struct dir_newest n;
	assert_int_equal(store_run(b->s, STORE_READ, newest, &n, NULL), 0);
	return n.number;
}

static int rows(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT (SELECT COUNT(*) FROM proposal) + (SELECT COUNT(*) FROM proposal_answer) + (SELECT COUNT(*) FROM lease)", "");
	if (err)
		return err;
	*(int64_t *)arg = db_col_int(r, 0);
	db_rows_close(r);
	return 0;
}

static bool none_stands(struct bench *b)
{
	int64_t n = -1;
	assert_int_equal(store_run(b->s, STORE_READ, rows, &n, NULL), 0);
	return n == 0;
}

static void nothing_is_left(struct bench *b)
{
	assert_true(none_stands(b));
}

static bool all_serve_it(struct bench *b)
{
	for (unsigned i = 1; i < 3; i++)
		if (b->node[i].d && b->node[i].serves != b->revision)
			return false;
	return true;
}

struct heard {
	uint16_t id;
	unsigned n;
	int64_t revision;
};

static void hear(const struct ev_record *rec, void *arg)
{
	struct heard *h = arg;
	if (rec->report.id != h->id)
		return;
	h->n++;
	const struct ev_field *revision = ev_field(&rec->report, "revision");
	h->revision = revision ? revision->i : -1;
}

static struct heard heard(struct bench *b, uint16_t id)
{
	struct heard h = { .id = id };
	ev_bus_flush(b->bus);
	ev_bus_read(b->bus, 0, 256, hear, &h);
	return h;
}

static void all_take_what_all_agreed_to(void **state)
{
	(void)state;
	struct bench b;
	begin(&b, 3);
	propose(&b, 0, ONE, 0, false);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.revision, 1);
	assert_int_equal(b.n, 2);
	assert_true(b.v[0].says == DIR_SAYS_YES && b.v[1].says == DIR_SAYS_YES);
	assert_int_equal(b.node[0].tries, 0); /* its own caller has tried it */
	until(&b, all_serve_it);
	struct dir_view *v = dir_view(b.node[2].d);
	assert_non_null(dir_find_name(v, TEXT("alice")));
	dir_view_unref(v);
	nothing_is_left(&b);
	propose(&b, 1, TWO, 1, false);
	assert_int_equal(b.revision, 2);
	nothing_is_left(&b);
	struct heard told = heard(&b, EV_DIR_REVISION); /* by who made it */
	assert_int_equal(told.n, 2);
	assert_int_equal(told.revision, 2);
	assert_int_equal(heard(&b, EV_DIR_REVISION_OTHER).n, 0);
	end(&b);
}

static void one_that_cannot_take_it_stops_it_for_all(void **state)
{
	(void)state;
	struct bench b;
	begin(&b, 3);
	b.node[2].no = "no such certificate";
	propose(&b, 0, ONE, 0, false);
	assert_int_equal(b.err, EPERM);
	assert_int_equal(b.id, EV_DIR_PROPOSAL_REFUSED);
	assert_string_equal(b.other, "node03");
	assert_true(b.v[0].says == DIR_SAYS_YES && b.v[1].says == DIR_SAYS_NO);
	assert_string_equal(b.v[1].finding, "no such certificate");
	assert_int_equal(newest_revision(&b), 0);
	nothing_is_left(&b);
	propose(&b, 0, ONE, 0, true); /* left behind on purpose */
	assert_int_equal(b.err, 0);
	assert_int_equal(newest_revision(&b), 1);
	end(&b);
}

static bool second_tries(struct bench *b)
{
	return b->node[1].tries > 0;
}

static void put_to_the_mute(struct bench *b, bool leave_behind)
{
	b->node[1].mute = true;
	b->node[1].tries = 0;
	put(b, 0, ONE, 0, leave_behind);
	until(b, second_tries);
	assert_int_equal(b->came, 0);
	clock_fake_advance_ms(&b->clock, WITHIN_MS);
	until(b, answered);
	assert_int_equal(b->node[1].tries, 1);
}

static void one_that_says_nothing_is_told(void **state)
{
	(void)state;
	struct bench b;
	begin(&b, 2);
	put_to_the_mute(&b, false);
	assert_int_equal(b.err, ETIMEDOUT);
	assert_int_equal(b.id, EV_DIR_PROPOSAL_UNANSWERED);
	assert_string_equal(b.other, "node02");
	assert_int_equal(newest_revision(&b), 0);
	dir_answer(b.node[1].d, b.node[1].number, true, NULL); /* late: nobody minds */
	put_to_the_mute(&b, true);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.v[0].says, DIR_SAYS_NOTHING);
	nothing_is_left(&b);
	end(&b);
}

/* node02 went without a word an hour ago. */
static int put_dead(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct bench *b = arg;
	return db_exec(tx, why, "INSERT INTO node (name, fqdn, version, state, reason, started_us, beat_us, calls) VALUES ('node02', '', '', 'ready', '', 1, ?1, 0)", "i",
		clock_real_us(&b->clock.clock) - INT64_C(3600000000));
}

static void the_dead_are_not_waited_for(void **state)
{
	(void)state;
	struct bench b;
	begin(&b, 1);
	assert_int_equal(store_run(b.s, STORE_WRITE, put_dead, &b, NULL), 0);
	propose(&b, 0, ONE, 0, false);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.v[0].says, DIR_SAYS_AWAY);
	end(&b);
}

static void what_another_made_meanwhile_is_not_undone(void **state)
{
	(void)state;
	struct bench b;
	begin(&b, 2);
	propose(&b, 1, ONE, 0, false);
	assert_int_equal(b.err, 0);
	propose(&b, 0, TWO, 0, false);
	assert_int_equal(b.err, ESTALE);
	assert_int_equal(b.id, EV_DIR_REVISION_MOVED);
	assert_string_equal(b.other, "node02");
	assert_int_equal(newest_revision(&b), 1);
	nothing_is_left(&b);
	end(&b);
}

static void of_two_at_once_the_second_is_told(void **state)
{
	(void)state;
	struct bench b;
	begin(&b, 2);
	b.node[1].mute = true;
	put(&b, 0, ONE, 0, false);
	until(&b, second_tries);
	assert_int_equal(b.came, 0);
	propose(&b, 1, TWO, 0, false);
	assert_int_equal(b.err, EBUSY);
	assert_int_equal(b.id, EV_DIR_PROPOSAL_BUSY);
	assert_string_equal(b.other, "node01");
	b.came = 0;
	dir_answer(b.node[1].d, b.node[1].number, true, NULL);
	until(&b, answered);
	assert_int_equal(b.err, 0);
	assert_int_equal(newest_revision(&b), 1);
	end(&b);
}

static void the_end_of_the_directory_is_told(void **state)
{
	(void)state;
	struct bench b;
	begin(&b, 2);
	b.node[1].mute = true;
	put(&b, 0, ONE, 0, false);
	until(&b, second_tries);
	dir_destroy(b.node[0].d);
	b.node[0].d = NULL;
	until(&b, answered);
	assert_int_equal(b.err, ECANCELED);
	until(&b, none_stands); /* nobody else waits for it */
	end(&b);
	assert_int_equal(b.came, 1);
}

static void what_nobody_waits_for_is_taken_back(void **state)
{
	(void)state;
	struct bench b;
	begin(&b, 2);
	b.node[1].mute = true;
	put(&b, 0, ONE, 0, false);
	until(&b, second_tries);
	assert_int_equal(b.came, 0);
	b.unwanted = true;
	until(&b, answered);
	assert_int_equal(b.err, ECANCELED);
	until(&b, none_stands);
	assert_int_equal(newest_revision(&b), 0);
	end(&b);
}

static void an_answer_that_finds_no_room_is_given_later(void **state)
{
	(void)state;
	struct bench b;
	begin(&b, 2);
	b.node[1].crowded = true;
	propose(&b, 0, ONE, 0, false);
	assert_int_equal(b.err, 0);
	assert_false(b.node[1].crowded);
	end(&b);
}

/* Many that are gone, whose names come first. */
static int put_many_dead(struct db_tx *tx, void *arg, struct ev_report *why)
{
	int err = 0;
	(void)arg;
	for (int i = 0; !err && i < 2 * DIR_ANSWERS_MAX; i++) {
		char name[16];
		snprintf(name, sizeof name, "a%03d", i);
		err = db_exec(tx, why, "INSERT INTO node (name, fqdn, version, state, reason, started_us, beat_us, calls) VALUES (?1, '', '', 'ready', '', 1, 1, 0)", "s", name);
	}
	return err;
}

static void the_living_are_asked_however_many_are_gone(void **state)
{
	(void)state;
	struct bench b;
	begin(&b, 2);
	assert_int_equal(store_run(b.s, STORE_WRITE, put_many_dead, &b, NULL), 0);
	b.node[1].no = "no such certificate";
	propose(&b, 0, ONE, 0, false);
	assert_int_equal(b.err, EPERM);
	assert_string_equal(b.other, "node02");
	end(&b);
}

/* Where the proposal stood: nothing; or, as if the end of its settling had never been heard of, what it became, and what another made of that. */
static int lose(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	return db_exec(tx, why, "DELETE FROM proposal", "");
}

static int lose_and_make(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct bench *b = arg;
	int err = lose(tx, NULL, why);
	for (unsigned i = 0; !err && i < 2; i++) {
		struct dir_sync sync = { .d = b->node[i].d, .cfg = parsed(i ? TWO : ONE) };
		err = dir_revision_write(tx, &sync, why);
		cfg_unref(sync.cfg);
	}
	return err;
}

static void lost(struct bench *b, store_work_h *how)
{
	begin(b, 2);
	b->node[1].mute = true;
	put(b, 0, ONE, 0, false);
	until(b, second_tries);
	assert_int_equal(store_run(b->s, STORE_WRITE, how, b, NULL), 0);
	until(b, answered);
}

static void what_lost_its_place_is_told_so(void **state)
{
	(void)state;
	struct bench b;
	lost(&b, lose);
	assert_int_equal(b.err, ESTALE);
	assert_int_equal(b.id, EV_DIR_PROPOSAL_LOST);
	end(&b);
}

static void what_was_made_is_told_although_its_end_was_not_heard_of(void **state)
{
	(void)state;
	struct bench b;
	lost(&b, lose_and_make);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.revision, 1);
	assert_int_equal(newest_revision(&b), 2);
	end(&b);
}

/* It beat four and a half seconds ago and says that it does so each second: enough for who knows of intervals, that is for the same release. */
static int put_other_release(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct registry_node v[4];
	size_t n;
	bool *alive = arg;
	int64_t now;
	int err = db_now(tx, &now, why);
	if (!err)
		err = db_exec(tx, why, "INSERT INTO node (name, fqdn, version, state, reason, started_us, beat_us, calls, interval_ms) VALUES"
			" ('node02', '', '1.0', 'ready', '', 1, ?1, 0, 1000)", "i", now - 4500000);
	for (unsigned i = 0; !err && i < 2; i++) {
		err = registry_read(tx, i ? "2.0" : "1.0", v, 4, &n, why);
		assert_true(err || (n == 2 && strcmp(v[1].name, "node02") == 0));
		alive[i] = v[1].alive;
	}
	return err;
}

static void other_releases_have_longer(void **state)
{
	(void)state;
	struct bench b;
	bool alive[2];
	begin(&b, 1);
	assert_int_equal(store_run(b.s, STORE_WRITE, put_other_release, alive, NULL), 0);
	assert_false(alive[0]);
	assert_true(alive[1]);
	end(&b);
}

static int put_strange(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct bench *b = arg;
	int64_t now = clock_real_us(&b->clock.clock);
	return db_exec(tx, why, "INSERT INTO proposal (number, node, based_on, until_us, objects) VALUES (?1, 'node09', 0, ?2, ?3)", "iis", now, now + INT64_C(3600000000),
		"gateways:\n- {name: x, address: 192.0.2.1, transport: udp, warp: 9}\n");
}

struct told {
	int64_t good;
	char finding[DIR_FINDING_SIZE];
	bool there;
};

static int read_told(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct told *t = arg;
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT good, finding FROM proposal_answer WHERE node = 'node01'", "");
	t->there = !err;
	if (err)
		return err == ENOENT ? 0 : err;
	t->good = db_col_int(r, 0);
	db_col_copy(r, 1, t->finding, sizeof t->finding);
	db_rows_close(r);
	return 0;
}

static struct told told;

static bool it_answers(struct bench *b)
{
	assert_int_equal(store_run(b->s, STORE_READ, read_told, &told, NULL), 0);
	return told.there;
}

static void a_setting_of_a_newer_release_is_refused_by_name(void **state)
{
	(void)state;
	struct bench b;
	begin(&b, 1);
	assert_int_equal(store_run(b.s, STORE_WRITE, put_strange, &b, NULL), 0);
	until(&b, it_answers);
	assert_int_equal(told.good, 0);
	assert_non_null(strstr(told.finding, "warp"));
	assert_int_equal(b.node[0].tries, 0);
	end(&b);
}

static int set_pg(void **state)
{
	on_pg = true;
	return ut_setup(state);
}

static int set_sqlite(void **state)
{
	on_pg = false;
	return ut_setup(state);
}

#define BOTH(t) { #t " (sqlite)", t, set_sqlite, ut_teardown, NULL }, { #t " (postgresql)", t, set_pg, ut_teardown, NULL }

UT_MAIN(BOTH(all_take_what_all_agreed_to), BOTH(one_that_cannot_take_it_stops_it_for_all), BOTH(one_that_says_nothing_is_told), BOTH(the_dead_are_not_waited_for),
	BOTH(what_another_made_meanwhile_is_not_undone), BOTH(of_two_at_once_the_second_is_told), BOTH(the_end_of_the_directory_is_told),
	BOTH(what_nobody_waits_for_is_taken_back), BOTH(an_answer_that_finds_no_room_is_given_later), BOTH(the_living_are_asked_however_many_are_gone),
	BOTH(what_lost_its_place_is_told_so), BOTH(what_was_made_is_told_although_its_end_was_not_heard_of), BOTH(other_releases_have_longer),
	BOTH(a_setting_of_a_newer_release_is_refused_by_name))

/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL: who is connected to whom, how that is verified, what is said when it fails; and nodes that start at the same moment. */
#include "ut.h"
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "db/pgsql_private.h"
#include "db_events.h"
#include "net/loop.h"
#include "pg.h"
#include "procs.h"
#include "support/certs.h"

struct node {
	struct loop *loop;
	struct store *s;
	struct ev_report why;
	char words[600];
};

static int open_node(struct node *n, const char *url, const struct store_tls *tls)
{
	memset(n, 0, sizeof *n);
	assert_int_equal(loop_create(&n->loop, clock_system()), 0);
	struct store_prm prm = { .url = url, .loop = n->loop, .clock = clock_system(), .threads = 2, .statement_ms = 60000 };
	if (tls)
		prm.tls = *tls;
	int err = store_open(&n->s, &prm, &n->why);
	ev_sentence(&n->why, n->words, sizeof n->words);
	return err;
}

static void shut(struct node *n)
{
	store_close(n->s);
	loop_destroy(n->loop);
}

static int64_t number_of(struct db_tx *tx, const char *sql, struct ev_report *why)
{
	struct db_rows *r;
	int64_t v = -1;
	if (db_query_one(tx, &r, why, sql, "") == 0) {
		v = db_col_int(r, 0);
		db_rows_close(r);
	}
	return v;
}

/* ---- words ---- */

static void names_of_roles_and_databases_alone_say_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *words;
		unsigned event;
	} rows[] = {
		{ "FATAL:  too many connections for role \"umbel\"", EV_DB_CROWDED },
		{ "FATAL:  too many connections for database \"umbel\"", EV_DB_CROWDED },
		{ "FATAL:  permission denied for database \"umbel\"\nDETAIL:  User does not have CONNECT privilege.", 0 },
		{ "FATAL:  database \"umbel\" is not currently accepting connections", 0 },
		{ "FATAL:  database \"umbel\" is not currently accepting connections\nfile \"x\" does not exist", 0 },
		{ "port 5432 failed: FATAL:  role \"umbel\" does not exist\n", EV_DB_PASSWORD },
		{ "port 5432 failed: FATAL:  role \"umbel\" is not permitted to log in\n", EV_DB_PASSWORD },
		{ "port 5432 failed: FATAL:  database \"umbel\" does not exist\n", EV_DB_NO_DATABASE },
		{ "port 5432 failed: Connection refused\nport 5433 failed: FATAL:  database \"umbel\" does not exist", EV_DB_NO_DATABASE },
		{ "", 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (pgsql_refusal(rows[i].words) != rows[i].event)
			fail_msg("%s: event %u", rows[i].words, pgsql_refusal(rows[i].words));
}

static void each_refusal_has_its_event(void **state)
{
	(void)state;
	assert_int_equal(pgsql_refusal("connection to server at \"db\" (192.0.2.1), port 5432 failed: Connection refused"), 0);
	assert_int_equal(pgsql_refusal("server certificate for \"a\" (and 2 other names) does not match host name \"b\""), EV_DB_TLS_NAME);
	assert_int_equal(pgsql_refusal("SSL error: certificate verify failed"), EV_DB_TLS_CA);
	assert_int_equal(pgsql_refusal("SSL error: tlsv1 alert unknown ca"), EV_DB_TLS_REFUSED);
	assert_int_equal(pgsql_refusal("FATAL:  sorry, too many clients already"), EV_DB_CROWDED);
	assert_int_equal(pgsql_refusal("could not translate host name \"nowhere\" to address: Name or service not known"), EV_DB_NO_NAME);
	/* one host does not answer, the other decided */
	assert_int_equal(pgsql_refusal("port 5432 failed: Connection refused\nport 5433 failed: FATAL:  password authentication failed for user \"u\""), EV_DB_PASSWORD);
	assert_int_equal(pgsql_refusal("session is read-only\nport 5433 failed: Connection refused"), EV_DB_STANDBY);
}

/* ---- statements ---- */

static int same_again(struct db_tx *tx, void *arg, struct ev_report *why)
{
	int64_t *n = arg;
	for (int i = 0; i < 20; i++)
		assert_int_equal(db_exec(tx, why, "UPDATE lease SET until_us = ?1 WHERE name = ?2", "is", (int64_t)i, "x"), 0);
	assert_int_equal(db_exec(tx, why, "UPDATE lease SET until_us = ?1 WHERE name = ?2", "in", (int64_t)1), 0); /* other types, another statement */
	n[0] = number_of(tx, "SELECT COUNT(*) FROM pg_prepared_statements WHERE statement LIKE 'UPDATE lease%'", why);
	n[1] = number_of(tx, "SELECT CAST(SUM(generic_plans + custom_plans) AS BIGINT) FROM pg_prepared_statements WHERE statement LIKE 'UPDATE lease%'", why);
	return 0;
}

static int many_texts(struct db_tx *tx, void *arg, struct ev_report *why)
{
	char sql[64];
	(void)arg;
	for (int i = 0; i < PGSQL_PREPARED + 20; i++) {
		snprintf(sql, sizeof sql, "SELECT CAST(%d AS BIGINT)", i);
		assert_int_equal(number_of(tx, sql, why), i);
	}
	return 0;
}

static void statements_are_prepared_once(void **state)
{
	(void)state;
	struct node n;
	int64_t seen[2] = { 0, 0 };
	if (!pg_url())
		skip();
	pg_wipe();
	assert_int_equal(open_node(&n, pg_url(), NULL), 0);
	assert_int_equal(store_run(n.s, STORE_WRITE, same_again, seen, NULL), 0);
	assert_int_equal(seen[0], 2);
	assert_int_equal(seen[1], 21);
	assert_int_equal(store_run(n.s, STORE_WRITE, many_texts, NULL, NULL), 0); /* more than are kept work all the same */
	shut(&n);
}

/* ---- nodes that start together ---- */

enum { ROUNDS = 3, STARTERS = 4 };

static void start(unsigned nr, struct procs_end *end, void *arg)
{
	struct node n;
	(void)nr, (void)arg;
	end->n[0] = open_node(&n, pg_url(), NULL);
	shut(&n);
}

static int look_at_schema(struct db_tx *tx, void *arg, struct ev_report *why)
{
	int64_t *n = arg;
	n[0] = number_of(tx, "SELECT COUNT(*) FROM store_schema", why);
	n[1] = number_of(tx, "SELECT MAX(version) FROM store_schema", why);
	return 0;
}

static void nodes_that_start_at_once_migrate_once(void **state)
{
	(void)state;
	if (!pg_url())
		skip();
	for (int round = 0; round < ROUNDS; round++) {
		struct procs_end ends[STARTERS];
		struct node n;
		int64_t seen[2];
		pg_wipe();
		procs_run(STARTERS, start, NULL, ends);
		for (int i = 0; i < STARTERS; i++) {
			assert_true(ends[i].ok);
			assert_int_equal(ends[i].n[0], 0);
		}
		assert_int_equal(open_node(&n, pg_url(), NULL), 0);
		assert_int_equal(store_run(n.s, STORE_READ, look_at_schema, seen, NULL), 0);
		assert_int_equal(seen[0], db_schema_len);
		assert_int_equal(seen[1], db_schema_len);
		shut(&n);
	}
}

/* What a node that brings the schema forward holds, here by another connection; commit or rollback gives it back. */
static void hold_schema(struct db_conn **cp)
{
	struct db_open prm = { .url = pg_url(), .writer = true, .statement_ms = 60000, .place = "holder" };
	assert_int_equal(db_pgsql.open(cp, &prm, NULL), 0);
	assert_int_equal(db_pgsql.begin(*cp, STORE_WRITE, NULL), 0);
	assert_int_equal(db_pgsql.lock_schema(*cp, NULL), 0);
}

static void a_schema_that_is_current_is_not_waited_for(void **state)
{
	(void)state;
	struct node n;
	struct db_conn *holder;
	if (!pg_url())
		skip();
	pg_wipe();
	assert_int_equal(open_node(&n, pg_url(), NULL), 0);
	shut(&n);
	hold_schema(&holder);
	assert_int_equal(open_node(&n, pg_url(), NULL), 0); /* else it came after ten minutes */
	shut(&n);
	db_pgsql.rollback(holder);
	db_pgsql.close(holder);
}

static void who_waits_for_the_schema_still_stops(void **state)
{
	(void)state;
	static atomic_bool closing;
	struct db_conn *holder, *waiter;
	struct ev_report why;
	struct db_open prm = { .url = pg_url(), .writer = true, .statement_ms = 60000, .place = "waiter", .closing = &closing };
	if (!pg_url())
		skip();
	pg_wipe();
	hold_schema(&holder);
	assert_int_equal(db_pgsql.open(&waiter, &prm, NULL), 0);
	assert_int_equal(db_pgsql.begin(waiter, STORE_WRITE, NULL), 0);
	atomic_store(&closing, true);
	assert_int_equal(db_pgsql.lock_schema(waiter, &why), ENOTCONN);
	assert_false(db_pgsql.usable(waiter));
	db_pgsql.rollback(waiter);
	db_pgsql.close(waiter);
	db_pgsql.rollback(holder);
	db_pgsql.close(holder);
	prm.place = "late"; /* what takes no longer than a statement may is not cut */
	assert_int_equal(db_pgsql.open(&waiter, &prm, NULL), 0);
	assert_int_equal(db_pgsql.begin(waiter, STORE_WRITE, NULL), 0);
	db_pgsql.rollback(waiter);
	db_pgsql.close(waiter);
}

static void the_long_time_ends_with_the_transaction(void **state)
{
	(void)state;
	struct db_conn *c;
	bool unknown = false;
	if (!pg_url())
		skip();
	pg_wipe();
	hold_schema(&c);
	const struct pgsql_conn *p = (const struct pgsql_conn *)c;
	assert_int_equal(p->deadline_ms, PGSQL_MIGRATE_MS);
	db_pgsql.rollback(c);
	assert_int_equal(p->deadline_ms, 60000);
	assert_int_equal(db_pgsql.begin(c, STORE_WRITE, NULL), 0);
	assert_int_equal(db_pgsql.lock_schema(c, NULL), 0);
	assert_int_equal(db_pgsql.commit(c, &unknown, NULL), 0);
	assert_int_equal(p->deadline_ms, 60000);
	db_pgsql.close(c);
}

/* ---- notices ---- */

static int tell(struct db_tx *tx, void *arg, struct ev_report *why)
{
	return db_notify(tx, arg, why);
}

static int tell_and_fail(struct db_tx *tx, void *arg, struct ev_report *why)
{
	int err = db_notify(tx, arg, why);
	return err ? err : ECANCELED;
}

static void hear(const char *text, void *arg)
{
	snprintf(arg, 64, "%s", text);
}

static void hear_until(struct node *from, struct node *to, char *heard, const char *text)
{
	while (strcmp(heard, text) != 0) { /* again and again: the listener may still be about to begin */
		(void)store_run(from->s, STORE_WRITE, tell, (void *)(uintptr_t)text, NULL);
		loop_step(to->loop, 20);
	}
}

static void what_one_node_tells_the_other_hears(void **state)
{
	(void)state;
	struct node one, two;
	char heard[64] = "";
	if (!pg_url())
		skip();
	pg_wipe();
	assert_int_equal(open_node(&one, pg_url(), NULL), 0);
	assert_int_equal(open_node(&two, pg_url(), NULL), 0);
	assert_int_equal(store_on_notice(two.s, hear, heard), 0);
	assert_int_equal(store_on_notice(two.s, hear, heard), EEXIST);
	hear_until(&one, &two, heard, "mailbox alice");
	assert_int_equal(store_run(one.s, STORE_WRITE, tell_and_fail, (void *)(uintptr_t)"never", NULL), ECANCELED);
	hear_until(&one, &two, heard, "mailbox bob"); /* in the order of the commits: what was rolled back would have come before */
	assert_string_not_equal(heard, "never");
	pg_crash();
	pg_again();
	hear_until(&one, &two, heard, "mailbox carol"); /* on a new connection */
	shut(&one);
	shut(&two);
}

/* ---- several hosts ---- */

static int write_one(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	return db_exec(tx, why, "INSERT INTO lease (name, owner, until_us) VALUES ('one', 'n', 0) ON CONFLICT (name) DO NOTHING", "");
}

static int where_am_i(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT current_setting('unix_socket_directories')", "");
	if (err)
		return err;
	db_col_copy(r, 0, arg, 64);
	db_rows_close(r);
	return 0;
}

static void read_only(const char *folder, bool on)
{
	pg_run_at(folder, on ? "ALTER SYSTEM SET default_transaction_read_only = on" : "ALTER SYSTEM RESET default_transaction_read_only");
	pg_run_at(folder, "SELECT pg_reload_conf()");
}

static void the_host_that_takes_writes_is_found_and_found_again(void **state)
{
	(void)state;
	struct node n;
	char url[300], place[64] = "";
	if (!pg_url() || !pg_second())
		skip();
	const char *first = pg_first_folder(), *second = pg_second();
	pg_wipe();
	snprintf(url, sizeof url, "postgresql://umbel@/umbel?host=%s", first);
	assert_int_equal(open_node(&n, url, NULL), 0);
	shut(&n);
	snprintf(url, sizeof url, "postgresql://umbel@/umbel?host=%s", second);
	assert_int_equal(open_node(&n, url, NULL), 0);
	shut(&n);
	read_only(first, true);
	snprintf(url, sizeof url, "postgresql://umbel@/umbel?host=%s,%s", first, second);
	while (open_node(&n, url, NULL) != 0) /* until the server has read its configuration again */
		shut(&n);
	while (store_run(n.s, STORE_WRITE, where_am_i, place, NULL) || strcmp(place, second) != 0) { /* likewise */
		shut(&n);
		(void)open_node(&n, url, NULL);
	}
	assert_int_equal(store_run(n.s, STORE_WRITE, write_one, NULL, NULL), 0);
	read_only(first, false); /* they change places, while the node is connected */
	read_only(second, true);
	for (place[0] = 0; strcmp(place, first) != 0 || store_run(n.s, STORE_WRITE, write_one, NULL, NULL);) {
		(void)store_run(n.s, STORE_WRITE, write_one, NULL, NULL);
		(void)store_run(n.s, STORE_WRITE, where_am_i, place, NULL);
	}
	shut(&n);
	read_only(first, true);
	for (;;) { /* nobody takes writes */
		int err = open_node(&n, url, NULL);
		shut(&n);
		if (err)
			assert_int_equal(err, ENOTCONN);
		if (err && n.why.id == EV_DB_STANDBY) /* before, it may have been connected just as the server changed */
			break;
	}
	read_only(first, false);
	read_only(second, false);
}

/* ---- TLS and who may come in ---- */

static void write_pair(const char *dir, const char *cert, const char *key, const struct tc *c)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", dir, cert);
	tc_write_certs(path, &c->cert, 1);
	snprintf(path, sizeof path, "%s/%s", dir, key);
	tc_write_key(path, c->key);
	assert_int_equal(chmod(path, 0600), 0);
}

static void expect(const char *what, const char *options, const struct store_tls *tls, unsigned port, int id)
{
	struct node n;
	char url[400];
	snprintf(url, sizeof url, "postgresql://%shostaddr=127.0.0.1&port=%u&passfile=/nowhere/pgpass&connect_timeout=60", options, port);
	int err = open_node(&n, url, tls);
	shut(&n);
	if (n.why.id != id || (err == 0) != (id == 0))
		fail_msg("%s: error %d, event %u: %s", what, err, n.why.id, n.words);
}

static void who_refuses_whom_is_told(void **state)
{
	(void)state;
	struct tc root, other, server, client, stranger;
	char dir[200], ca[220], other_ca[220], cert[220], key[220], scert[220], skey[220];
	struct tc_prm prm = { .ca = true, .now_s = time(NULL), .cn = "Root" };
	if (!pg_url())
		skip();
	snprintf(dir, sizeof dir, "%s", ut_tmpdir());
	tc_make(&root, &prm);
	prm.cn = "Other root";
	tc_make(&other, &prm);
	prm = (struct tc_prm){ .cn = "db.test", .san = "DNS:db.test", .issuer = &root, .now_s = time(NULL) };
	tc_make(&server, &prm);
	prm = (struct tc_prm){ .cn = "certified", .issuer = &root, .now_s = time(NULL) };
	tc_make(&client, &prm);
	prm.issuer = &other;
	tc_make(&stranger, &prm);
	write_pair(dir, "ca.crt", "ca.key", &root);
	write_pair(dir, "other.crt", "other.key", &other);
	write_pair(dir, "server.crt", "server.key", &server);
	write_pair(dir, "client.crt", "client.key", &client);
	write_pair(dir, "stranger.crt", "stranger.key", &stranger);
	snprintf(ca, sizeof ca, "%s/ca.crt", dir);
	snprintf(other_ca, sizeof other_ca, "%s/other.crt", dir);
	snprintf(cert, sizeof cert, "%s/client.crt", dir);
	snprintf(key, sizeof key, "%s/client.key", dir);
	snprintf(scert, sizeof scert, "%s/stranger.crt", dir);
	snprintf(skey, sizeof skey, "%s/stranger.key", dir);
	unsigned port = pg_tls(dir);
	assert_true(port);
	struct store_tls good = { .ca = ca }, wrong = { .ca = other_ca }, none = { 0 }, absent = { .ca = "/nowhere/ca.pem" };
	struct store_tls shown = { ca, cert, key }, unknown = { ca, scert, skey }, unpaired = { ca, cert, skey };
	expect("good", "umbel:right@db.test/umbel?", &good, port, 0);
	expect("wrong name", "umbel:right@elsewhere.test/umbel?", &good, port, EV_DB_TLS_NAME);
	expect("wrong CA", "umbel:right@db.test/umbel?", &wrong, port, EV_DB_TLS_CA);
	expect("no CA file", "umbel:right@db.test/umbel?", &absent, port, EV_DB_TLS_CA);
	expect("wrong password", "umbel:wrong@db.test/umbel?", &good, port, EV_DB_PASSWORD);
	expect("no password", "umbel@db.test/umbel?", &good, port, EV_DB_PASSWORD);
	expect("no TLS by us", "umbel:right@db.test/umbel?sslmode=disable&", &none, port, EV_DB_HBA);
	expect("another user", "umbel:right@db.test/postgres?", &good, port, EV_DB_HBA);
	expect("no such database", "umbel:right@db.test/missing?", &good, port, EV_DB_NO_DATABASE);
	expect("certificate", "certified@db.test/umbel?", &shown, port, 0);
	expect("certificate missing", "certified@db.test/umbel?", &good, port, EV_DB_TLS_REFUSED);
	expect("certificate of another authority", "certified@db.test/umbel?", &unknown, port, EV_DB_TLS_REFUSED);
	expect("key of another certificate", "certified@db.test/umbel?", &unpaired, port, EV_DB_TLS_FILES);
	tc_free(&root);
	tc_free(&other);
	tc_free(&server);
	tc_free(&client);
	tc_free(&stranger);
}

/* ---- a server that says it is old, or that knows no TLS ---- */

struct old {
	int fd;
	const char *answer;
	size_t n;
};

static void *be_old(void *arg)
{
	struct old *o = arg;
	for (int fd; (fd = accept(o->fd, NULL, NULL)) >= 0; close(fd)) {
		char buf[512];
		if (read(fd, buf, sizeof buf) > 0 && write(fd, o->answer, o->n) == (ssize_t)o->n)
			while (read(fd, buf, sizeof buf) > 0)
				;
	}
	return NULL;
}

static void expect_from(const char *answer, size_t n_answer, const char *sslmode, unsigned id)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof a;
	struct old o = { socket(AF_INET, SOCK_STREAM, 0), answer, n_answer };
	pthread_t t;
	struct node n;
	char url[200];
	assert_int_equal(bind(o.fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(o.fd, 4), 0);
	assert_int_equal(getsockname(o.fd, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(pthread_create(&t, NULL, be_old, &o), 0);
	snprintf(url, sizeof url, "postgresql://umbel@127.0.0.1:%u/umbel?sslmode=%s&passfile=/nowhere/pgpass&connect_timeout=60", ntohs(a.sin_port), sslmode);
	assert_int_equal(open_node(&n, url, NULL), ENOTCONN);
	shut(&n);
	shutdown(o.fd, SHUT_RDWR);
	pthread_join(t, NULL);
	close(o.fd);
	if (n.why.id != id)
		fail_msg("event %u: %s", n.why.id, n.words);
}

static void servers_that_are_old_or_know_no_tls_are_named(void **state)
{
	(void)state;
	static const char old[] = "R\0\0\0\x08\0\0\0\0" "S\0\0\0\x1a" "server_version\0" "9.6.24\0" "Z\0\0\0\x05I";
	expect_from(old, sizeof old - 1, "disable", EV_DB_OLD_SERVER);
	expect_from("N", 1, "require", EV_DB_TLS_NONE);
}

UT_MAIN(UT(names_of_roles_and_databases_alone_say_nothing), UT(each_refusal_has_its_event), UT(statements_are_prepared_once), UT(nodes_that_start_at_once_migrate_once),
	UT(a_schema_that_is_current_is_not_waited_for), UT(who_waits_for_the_schema_still_stops), UT(the_long_time_ends_with_the_transaction),
	UT(what_one_node_tells_the_other_hears), UT(the_host_that_takes_writes_is_found_and_found_again), UT(who_refuses_whom_is_told), UT(servers_that_are_old_or_know_no_tls_are_named))

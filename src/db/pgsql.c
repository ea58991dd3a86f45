/* SPDX-License-Identifier: Apache-2.0 */
/* pgsql.c  PostgreSQL as an engine. Every statement is sent without waiting and its answer is awaited with a deadline of our own:
 * statement_timeout is kept by the server, and a server that was stopped or lost its network keeps nothing.
 * Statements are prepared when they come first, so their texts must be constants: one that is put together stays for the connection's life.
 * A connection that dies after COMMIT was sent leaves the work's fate unknown, and that is what commit() says.          */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/mem.h"
#include "db/pgsql_private.h"
#include "db_events.h"

enum { OID_INT8 = 20, OID_TEXT = 25, OID_BYTEA = 17, GRACE_MS = 2000, SCHEMA_LOCK = 0x756d62 };

struct rows {
	PGresult *res;
	int at, n;
};

static const struct {
	const char *state; /* SQLSTATE or its class */
	int err;
} states[] = {
	{ "23505", EEXIST }, { "25006", EROFS }, { "40001", EBUSY }, { "40P01", EBUSY }, { "55P03", EBUSY }, { "57014", ETIMEDOUT },
	{ "53100", ENOSPC }, { "53200", ENOMEM }, { "53", ENOTCONN }, { "08", ENOTCONN }, { "57P", ENOTCONN }, { "28", ENOTCONN },
	{ "3D", ENOTCONN }, { "26000", ENOTCONN }, { "0A000", ENOTCONN }, { "58", EIO }, { "XX", EBADMSG },
};

static int code_of(const char *state)
{
	for (size_t i = 0; state && i < sizeof states / sizeof states[0]; i++)
		if (text_starts(text_of(state), states[i].state))
			return states[i].err;
	return EINVAL;
}

void pgsql_one_line(const char *words, char *line, size_t size)
{
	size_t n = 0;
	for (const char *p = words; *p && n + 1 < size; p++) { /* libpq writes several lines; a report is one */
		char c = *p == '\n' || *p == '\t' ? ' ' : *p;
		if (c != ' ' || (n && line[n - 1] != ' '))
			line[n++] = c;
	}
	while (n && line[n - 1] == ' ')
		n--;
	line[n] = 0;
}

void pgsql_say(struct ev_report *why, const char *place, int err, const char *code, const char *error)
{
	unsigned id = err == ENOSPC ? EV_DB_FULL : err == EROFS ? EV_DB_READONLY : err == EBADMSG ? EV_DB_CORRUPT :
		err == ENOTCONN || err == ETIMEDOUT || err == EIO || err == EBUSY || err == ENOMEM ? EV_DB_AWAY : EV_DB_STATEMENT;
	char line[400];
	pgsql_one_line(error, line, sizeof line);
	ev_set(why, (uint16_t)id);
	ev_str(why, "place", place);
	ev_str(why, "error", line);
	ev_str(why, "code", code);
}

/* libpq's words may hold several lines; they never hold the password. */
int pgsql_lost(struct pgsql_conn *c, const char *words, struct ev_report *why)
{
	c->broken = c->lost = true;
	pgsql_say(why, c->base.place, ENOTCONN, "08006", words);
	return ENOTCONN;
}

static int judge(struct pgsql_conn *c, PGresult *res, struct ev_report *why)
{
	ExecStatusType st = PQresultStatus(res);
	if (st == PGRES_COMMAND_OK || st == PGRES_TUPLES_OK)
		return 0;
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	if (!state || PQstatus(c->pg) != CONNECTION_OK)
		return pgsql_lost(c, PQresultErrorMessage(res), why);
	int err = code_of(state);
	if (err == EROFS && c->several) /* it has become a standby: the job is done again with the one that takes its place */
		err = ENOTCONN;
	if (err == ENOTCONN)
		c->broken = true;
	const char *words = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	pgsql_say(why, c->base.place, err, state, words ? words : "");
	return err;
}

/* Waits until libpq has a whole result, sending what it still has to send. Who waits for the schema, which may take minutes, does not keep a
 * node from stopping: what was not committed is not there, and the next start does it again. */
static int await(struct pgsql_conn *c, struct ev_report *why)
{
	int64_t end = clock_mono_ms(clock_system()) + c->deadline_ms + GRACE_MS;
	for (;;) {
		int flushed = PQflush(c->pg);
		if (flushed < 0 || !PQconsumeInput(c->pg))
			return pgsql_lost(c, PQerrorMessage(c->pg), why);
		if (!flushed && !PQisBusy(c->pg))
			return 0;
		int64_t left = end - clock_mono_ms(clock_system());
		if (left <= 0)
			return pgsql_lost(c, "no answer in time", why);
		bool patient = c->deadline_ms > c->statement_ms && c->closing;
		if (patient && atomic_load(c->closing))
			return pgsql_lost(c, "given up: the store is closed", why);
		if (patient && left > PGSQL_LOOK_MS)
			left = PGSQL_LOOK_MS;
		struct pollfd p = { PQsocket(c->pg), (short)(flushed ? POLLIN | POLLOUT : POLLIN), 0 };
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return pgsql_lost(c, strerror(errno), why);
	}
}

/* The last result of what was sent; *rp (may be NULL) is the caller's. */
static int answer(struct pgsql_conn *c, PGresult **rp, struct ev_report *why)
{
	PGresult *last = NULL;
	int err;
	for (;;) {
		err = await(c, why);
		if (err)
			break;
		PGresult *res = PQgetResult(c->pg);
		if (!res)
			break;
		if (last && PQresultStatus(last) == PGRES_FATAL_ERROR) { /* keep the first failure */
			PQclear(res);
			continue;
		}
		PQclear(last);
		last = res;
	}
	if (!err)
		err = last ? judge(c, last, why) : pgsql_lost(c, PQerrorMessage(c->pg), why);
	if (!err && rp)
		*rp = last;
	else
		PQclear(last);
	return err;
}

int pgsql_script(struct db_conn *base, const char *sql, struct ev_report *why)
{
	struct pgsql_conn *c = (struct pgsql_conn *)base;
	c->lost = false;
	if (!PQsendQuery(c->pg, sql))
		return pgsql_lost(c, PQerrorMessage(c->pg), why);
	return answer(c, NULL, why);
}

/* ?1 becomes $1; our SQL holds no question mark otherwise, also not in literals. */
static int translate(const char *sql, char *out, size_t size)
{
	size_t n = 0;
	for (; sql[n]; n++) {
		if (n + 1 >= size)
			return E2BIG;
		out[n] = sql[n] == '?' ? '$' : sql[n];
	}
	out[n] = 0;
	return 0;
}

struct wire {
	Oid type[DB_PARAMS_MAX];
	const char *value[DB_PARAMS_MAX];
	int length[DB_PARAMS_MAX], format[DB_PARAMS_MAX];
	uint64_t number[DB_PARAMS_MAX];
};

static void to_wire(struct wire *w, const struct db_value *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		w->format[i] = 1;
		w->value[i] = v[i].t.n ? v[i].t.p : "";
		w->length[i] = (int)v[i].t.n;
		w->type[i] = v[i].type == 'b' ? OID_BYTEA : OID_TEXT;
		if (v[i].type == 'i') {
			w->type[i] = OID_INT8;
			w->number[i] = htobe64((uint64_t)v[i].i);
			w->value[i] = (const char *)&w->number[i];
			w->length[i] = 8;
		} else if (v[i].type == 'n') {
			w->type[i] = 0;
			w->value[i] = NULL;
			w->length[i] = 0;
		}
	}
}

/* ---- prepared statements: parsed and planned once a connection ---- */

static size_t slot_of(const char *key, size_t n)
{
	uint64_t h = 1469598103934665603u; /* FNV-1a */
	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)key[i]) * 1099511628211u;
	return (size_t)(h ^ h >> 32) & (PGSQL_PREPARED - 1);
}

/* The place of a statement with these types of parameters: its own, or a free one. PGSQL_PREPARED: there is no room. */
static size_t find_prepared(const struct pgsql_conn *c, const char *key, size_t n)
{
	size_t at = slot_of(key, n);
	for (; c->prepared[at].key; at = (at + 1) & (PGSQL_PREPARED - 1))
		if (c->prepared[at].n == n && memcmp(c->prepared[at].key, key, n) == 0)
			return at;
	return c->n_prepared < PGSQL_PREPARED / 2 ? at : PGSQL_PREPARED;
}

static int prepare(struct pgsql_conn *c, size_t at, const char *key, size_t n_key, const Oid *types, unsigned n, struct ev_report *why)
{
	char name[16];
	char *copy = mem_alloc(n_key);
	if (!copy)
		return ENOMEM;
	memcpy(copy, key, n_key);
	text_print(name, sizeof name, "u%zu", at);
	if (!PQsendPrepare(c->pg, name, key, (int)n, types)) {
		mem_free(copy);
		return pgsql_lost(c, PQerrorMessage(c->pg), why);
	}
	int err = answer(c, NULL, why);
	if (err) {
		mem_free(copy);
		return err;
	}
	c->prepared[at] = (struct pgsql_prepared){ copy, n_key };
	c->n_prepared++;
	return 0;
}

int pgsql_run(struct pgsql_conn *c, PGresult **rp, const char *sql, const struct db_value *v, unsigned n, struct ev_report *why)
{
	char key[4096 + DB_PARAMS_MAX + 1], name[16];
	struct wire w = { .value = { NULL } };
	int err = translate(sql, key, 4096), sent;
	if (err)
		return err;
	size_t n_key = strlen(key) + 1;
	for (unsigned i = 0; i < n; i++)
		key[n_key++] = v[i].type;
	c->lost = false;
	to_wire(&w, v, n);
	size_t at = find_prepared(c, key, n_key);
	if (at < PGSQL_PREPARED && !c->prepared[at].key)
		err = prepare(c, at, key, n_key, w.type, n, why);
	if (err)
		return err;
	text_print(name, sizeof name, "u%zu", at);
	sent = at < PGSQL_PREPARED ? PQsendQueryPrepared(c->pg, name, (int)n, w.value, w.length, w.format, 1) :
		PQsendQueryParams(c->pg, key, (int)n, w.type, w.value, w.length, w.format, 1);
	if (!sent)
		return pgsql_lost(c, PQerrorMessage(c->pg), why);
	return answer(c, rp, why);
}

static bool usable(struct db_conn *base)
{
	return !((struct pgsql_conn *)base)->broken;
}

/* ---- transactions ---- */

/* A read sees one moment, as in SQLite, however many statements it has; what only reads is never refused for that. */
static int begin(struct db_conn *base, enum store_kind kind, struct ev_report *why)
{
	((struct pgsql_conn *)base)->deadline_ms = ((struct pgsql_conn *)base)->statement_ms;
	return pgsql_script(base, kind == STORE_WRITE ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", why);
}

static bool in_tx(struct db_conn *base)
{
	struct pgsql_conn *c = (struct pgsql_conn *)base;
	PGTransactionStatusType st = PQtransactionStatus(c->pg);
	return st == PQTRANS_INTRANS || st == PQTRANS_INERROR;
}

static void rollback(struct db_conn *base)
{
	struct pgsql_conn *c = (struct pgsql_conn *)base;
	c->deadline_ms = c->statement_ms;
	if (!c->broken && in_tx(base) && pgsql_script(base, "ROLLBACK", NULL))
		c->broken = true;
}

/* COMMIT of a transaction in which a statement failed answers ROLLBACK without an error: that is no commit. */
static int commit(struct db_conn *base, bool *unknown, struct ev_report *why)
{
	struct pgsql_conn *c = (struct pgsql_conn *)base;
	PGresult *res = NULL;
	c->deadline_ms = c->statement_ms;
	if (PQtransactionStatus(c->pg) == PQTRANS_INERROR) {
		rollback(base);
		return EINVAL;
	}
	c->warned = false;
	int err = pgsql_run(c, &res, "COMMIT", NULL, 0, why);
	if (!err && strcmp(PQcmdStatus(res), "COMMIT") != 0)
		err = EIO;
	if (!err && c->warned) { /* the server gave up waiting for its synchronous standby: the loss of one machine would be the loss of it */
		err = ETIMEDOUT;
		*unknown = true;
		pgsql_say(why, c->base.place, err, "01000", "the synchronous standby did not confirm in time");
	} else if (err && c->lost) {
		*unknown = true;
	} else if (err) {
		rollback(base);
	}
	PQclear(res);
	return err;
}

/* Another node may be at it, and have much to do: from here to the end of the transaction statements may take long. */
static int lock_schema(struct db_conn *base, struct ev_report *why)
{
	char sql[160];
	((struct pgsql_conn *)base)->deadline_ms = PGSQL_MIGRATE_MS;
	text_print(sql, sizeof sql, "SET LOCAL lock_timeout = %d; SET LOCAL statement_timeout = %d; SELECT pg_advisory_xact_lock(%d)", PGSQL_MIGRATE_MS,
		PGSQL_MIGRATE_MS, SCHEMA_LOCK);
	return pgsql_script(base, sql, why);
}

/* ---- statements ---- */

static int exec(struct db_conn *base, const char *sql, const struct db_value *v, unsigned n, int64_t *changes, struct ev_report *why)
{
	PGresult *res = NULL;
	int err = pgsql_run((struct pgsql_conn *)base, &res, sql, v, n, why);
	if (err)
		return err;
	*changes = atoll(PQcmdTuples(res));
	PQclear(res);
	return 0;
}

static int query(struct db_conn *base, void **rows, const char *sql, const struct db_value *v, unsigned n, struct ev_report *why)
{
	struct rows *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return ENOMEM;
	int err = pgsql_run((struct pgsql_conn *)base, &r->res, sql, v, n, why);
	if (err) {
		mem_free(r);
		return err;
	}
	r->at = -1;
	r->n = PQntuples(r->res);
	*rows = r;
	return 0;
}

static int step(struct db_conn *base, void *rows, struct ev_report *why)
{
	(void)base;
	(void)why;
	struct rows *r = rows;
	if (r->at + 1 >= r->n)
		return ENOENT;
	r->at++;
	return 0;
}

static int64_t number(const uint8_t *p, int n)
{
	uint64_t u = n && (p[0] & 0x80) && n > 1 ? UINT64_MAX : 0; /* the sign goes up; a boolean has one byte */
	for (int i = 0; i < n; i++)
		u = u << 8 | p[i];
	return (int64_t)u;
}

static void column(struct db_conn *base, void *rows, int at, struct db_value *v)
{
	(void)base;
	struct rows *r = rows;
	Oid type = PQftype(r->res, at);
	v->type = 'n';
	if (PQgetisnull(r->res, r->at, at))
		return;
	const char *p = PQgetvalue(r->res, r->at, at);
	int n = PQgetlength(r->res, r->at, at);
	v->type = type == OID_BYTEA ? 'b' : 't';
	v->t = text_make(p, (size_t)n);
	if (type == OID_INT8 || type == 23 /* int4 */ || type == 21 /* int2 */ || type == 16 /* bool */) {
		v->type = 'i';
		v->i = number((const uint8_t *)p, n);
	}
}

/* ---- notices ---- */

static int listen_all(struct db_conn *base, struct ev_report *why)
{
	return pgsql_script(base, "LISTEN umbel", why);
}

static int next_notice(struct db_conn *base, int wake_fd, char *text, size_t size)
{
	struct pgsql_conn *c = (struct pgsql_conn *)base;
	for (;;) {
		PGnotify *n = PQnotifies(c->pg);
		if (n) {
			text_fill(text, size, n->extra);
			PQfreemem(n);
			return 0;
		}
		struct pollfd p[2] = { { PQsocket(c->pg), POLLIN, 0 }, { wake_fd, POLLIN, 0 } };
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return errno;
		if (p[1].revents)
			return ECANCELED;
		if (p[0].revents && !PQconsumeInput(c->pg))
			return ENOTCONN;
	}
}

static void finish(struct db_conn *base, void *rows)
{
	(void)base;
	struct rows *r = rows;
	PQclear(r->res);
	mem_free(r);
}

const struct db_driver db_pgsql = {
	.name = "postgresql", .now_sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)", .open = pgsql_open, .close = pgsql_close, .usable = usable, .begin = begin, .commit = commit,
	.rollback = rollback, .in_tx = in_tx, .exec = exec, .query = query, .step = step, .column = column, .finish = finish,
	.listen = listen_all, .next_notice = next_notice, .notify_sql = "SELECT pg_notify('umbel', ?1)",
	.script = pgsql_script, .lock_schema = lock_schema,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* pgsql.c  PostgreSQL as an engine. Every statement is sent without waiting and its answer is awaited with a deadline of our own:
 * statement_timeout is kept by the server, and a server that was stopped or lost its network keeps nothing.
 * A connection that dies after COMMIT was sent leaves the work's fate unknown, and that is what commit() says.          */
#include <endian.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/mem.h"
#include "db/driver.h"
#include "db_events.h"

enum { OID_INT8 = 20, OID_TEXT = 25, OID_BYTEA = 17, GRACE_MS = 2000, SCHEMA_LOCK = 0x756d62 };

struct conn {
	struct db_conn base;
	PGconn *pg;
	int64_t deadline_ms; /* per statement */
	bool broken, lost; /* lost: the last failure was the connection's, so the server's decision is not known */
	bool warned; /* since it was set to false */
};

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
	{ "3D", ENOTCONN }, { "58", EIO }, { "XX", EBADMSG },
};

static int code_of(const char *state)
{
	for (size_t i = 0; state && i < sizeof states / sizeof states[0]; i++)
		if (text_starts(text_of(state), states[i].state))
			return states[i].err;
	return EINVAL;
}

static void say(struct ev_report *why, const char *place, int err, const char *code, const char *error)
{
	unsigned id = err == ENOSPC ? EV_DB_FULL : err == EROFS ? EV_DB_READONLY : err == EBADMSG ? EV_DB_CORRUPT :
		err == ENOTCONN || err == ETIMEDOUT || err == EIO || err == EBUSY || err == ENOMEM ? EV_DB_AWAY : EV_DB_STATEMENT;
	char line[400];
	size_t n = 0;
	for (const char *p = error; *p && n + 1 < sizeof line; p++) { /* libpq writes several lines; a report is one */
		char c = *p == '\n' || *p == '\t' ? ' ' : *p;
		if (c != ' ' || (n && line[n - 1] != ' '))
			line[n++] = c;
	}
	line[n] = 0;
	ev_set(why, (uint16_t)id);
	ev_str(why, "place", place);
	ev_text(why, "error", text_trim(text_of(line)));
	ev_str(why, "code", code);
}

/* libpq's words may hold several lines; they never hold the password. */
static int lost(struct conn *c, const char *words, struct ev_report *why)
{
	c->broken = c->lost = true;
	say(why, c->base.place, ENOTCONN, "08006", words);
	return ENOTCONN;
}

static int judge(struct conn *c, PGresult *res, struct ev_report *why)
{
	ExecStatusType st = PQresultStatus(res);
	if (st == PGRES_COMMAND_OK || st == PGRES_TUPLES_OK)
		return 0;
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	if (!state || PQstatus(c->pg) != CONNECTION_OK)
		return lost(c, PQresultErrorMessage(res), why);
	int err = code_of(state);
	if (err == ENOTCONN)
		c->broken = true;
	const char *words = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	say(why, c->base.place, err, state, words ? words : "");
	return err;
}

/* Waits until libpq has a whole result, sending what it still has to send. */
static int await(struct conn *c, struct ev_report *why)
{
	int64_t end = clock_mono_ms(clock_system()) + c->deadline_ms + GRACE_MS;
	for (;;) {
		int flushed = PQflush(c->pg);
		if (flushed < 0 || !PQconsumeInput(c->pg))
			return lost(c, PQerrorMessage(c->pg), why);
		if (!flushed && !PQisBusy(c->pg))
			return 0;
		int64_t left = end - clock_mono_ms(clock_system());
		if (left <= 0)
			return lost(c, "no answer in time", why);
		struct pollfd p = { PQsocket(c->pg), (short)(flushed ? POLLIN | POLLOUT : POLLIN), 0 };
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return lost(c, strerror(errno), why);
	}
}

/* The last result of what was sent; *rp (may be NULL) is the caller's. */
static int answer(struct conn *c, PGresult **rp, struct ev_report *why)
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
		err = last ? judge(c, last, why) : lost(c, PQerrorMessage(c->pg), why);
	if (!err && rp)
		*rp = last;
	else
		PQclear(last);
	return err;
}

static int script(struct db_conn *base, const char *sql, struct ev_report *why)
{
	struct conn *c = (struct conn *)base;
	c->lost = false;
	if (!PQsendQuery(c->pg, sql))
		return lost(c, PQerrorMessage(c->pg), why);
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

static int run(struct conn *c, PGresult **rp, const char *sql, const struct db_value *v, unsigned n, struct ev_report *why)
{
	char text[4096];
	struct wire w = { .value = { NULL } };
	int err = translate(sql, text, sizeof text);
	if (err)
		return err;
	c->lost = false;
	to_wire(&w, v, n);
	if (!PQsendQueryParams(c->pg, text, (int)n, w.type, w.value, w.length, w.format, 1))
		return lost(c, PQerrorMessage(c->pg), why);
	return answer(c, rp, why);
}

/* ---- opening ---- */

static void conn_close(struct db_conn *base)
{
	struct conn *c = (struct conn *)base;
	PQfinish(c->pg);
	mem_free(c);
}

static void on_notice(void *arg, const PGresult *res)
{
	struct conn *c = arg;
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	c->warned = c->warned || (state && strcmp(state, "01000") == 0);
}

/* A commit that returns before it is on the disk would break our word; stricter settings are the administrator's choice. */
static int insist_on_durable(struct conn *c, struct ev_report *why)
{
	PGresult *res = NULL;
	int err = run(c, &res, "SELECT current_setting('synchronous_commit')", NULL, 0, why);
	if (err)
		return err;
	bool off = PQntuples(res) == 1 && strcmp(PQgetvalue(res, 0, 0), "off") == 0;
	PQclear(res);
	if (!off)
		return 0;
	if (c->base.bus) {
		struct ev_report *r = mem_zalloc(1, sizeof *r);
		ev_set(r, EV_DB_ASYNC_COMMIT);
		ev_str(r, "place", c->base.place);
		ev_str(r, "setting", "off");
		if (r)
			ev_emit(c->base.bus, r);
		mem_free(r);
	}
	return script(&c->base, "SET synchronous_commit = on", why);
}

static int settings(struct conn *c, uint64_t statement_ms, struct ev_report *why)
{
	char sql[256];
	PQsetNoticeReceiver(c->pg, on_notice, c);
	PQsetnonblocking(c->pg, 1);
	text_print(sql, sizeof sql, "SET statement_timeout = %llu; SET lock_timeout = %llu; SET idle_in_transaction_session_timeout = 60000;"
		"SET standard_conforming_strings = on", (unsigned long long)statement_ms, (unsigned long long)statement_ms);
	int err = script(&c->base, sql, why);
	return err ? err : insist_on_durable(c, why);
}

/* What the url says wins, because it comes last. */
static PGconn *dial(const char *url)
{
	const char *const keys[] = { "connect_timeout", "application_name", "client_encoding", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "tcp_user_timeout", "target_session_attrs", "dbname", NULL };
	const char *const values[] = { "2", "umbel", "UTF8", "5", "2", "3", "8000", "any", url, NULL };
	return PQconnectdbParams(keys, values, 1);
}

static int conn_open(struct db_conn **cp, const struct db_open *prm, struct ev_report *why)
{
	struct conn *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return ENOMEM;
	c->base.drv = &db_pgsql;
	c->base.bus = prm->bus;
	c->deadline_ms = (int64_t)prm->statement_ms;
	text_fill(c->base.place, sizeof c->base.place, prm->place);
	c->pg = dial(prm->url);
	int err = !c->pg ? ENOMEM : PQstatus(c->pg) == CONNECTION_OK ? settings(c, prm->statement_ms, why) : lost(c, PQerrorMessage(c->pg), why);
	if (err) {
		conn_close(&c->base);
		return err;
	}
	*cp = &c->base;
	return 0;
}

static bool usable(struct db_conn *base)
{
	return !((struct conn *)base)->broken;
}

/* ---- transactions ---- */

/* A read sees one moment, as in SQLite, however many statements it has; what only reads is never refused for that. */
static int begin(struct db_conn *base, enum store_kind kind, struct ev_report *why)
{
	return script(base, kind == STORE_WRITE ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", why);
}

static bool in_tx(struct db_conn *base)
{
	struct conn *c = (struct conn *)base;
	PGTransactionStatusType st = PQtransactionStatus(c->pg);
	return st == PQTRANS_INTRANS || st == PQTRANS_INERROR;
}

static void rollback(struct db_conn *base)
{
	struct conn *c = (struct conn *)base;
	if (!c->broken && in_tx(base) && script(base, "ROLLBACK", NULL))
		c->broken = true;
}

/* COMMIT of a transaction in which a statement failed answers ROLLBACK without an error: that is no commit. */
static int commit(struct db_conn *base, bool *unknown, struct ev_report *why)
{
	struct conn *c = (struct conn *)base;
	PGresult *res = NULL;
	if (PQtransactionStatus(c->pg) == PQTRANS_INERROR) {
		rollback(base);
		return EINVAL;
	}
	c->warned = false;
	int err = run(c, &res, "COMMIT", NULL, 0, why);
	if (!err && strcmp(PQcmdStatus(res), "COMMIT") != 0)
		err = EIO;
	if (!err && c->warned) { /* the server gave up waiting for its synchronous standby: the loss of one machine would be the loss of it */
		err = ETIMEDOUT;
		*unknown = true;
		say(why, c->base.place, err, "01000", "the synchronous standby did not confirm in time");
	} else if (err && c->lost) {
		*unknown = true;
	} else if (err) {
		rollback(base);
	}
	PQclear(res);
	return err;
}

static int lock_schema(struct db_conn *base, struct ev_report *why)
{
	char sql[64];
	text_print(sql, sizeof sql, "SELECT pg_advisory_xact_lock(%d)", SCHEMA_LOCK);
	return script(base, sql, why);
}

/* ---- statements ---- */

static int exec(struct db_conn *base, const char *sql, const struct db_value *v, unsigned n, int64_t *changes, struct ev_report *why)
{
	PGresult *res = NULL;
	int err = run((struct conn *)base, &res, sql, v, n, why);
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
	int err = run((struct conn *)base, &r->res, sql, v, n, why);
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

static void finish(struct db_conn *base, void *rows)
{
	(void)base;
	struct rows *r = rows;
	PQclear(r->res);
	mem_free(r);
}

const struct db_driver db_pgsql = {
	.name = "postgresql", .now_sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)", .open = conn_open, .close = conn_close, .usable = usable, .begin = begin, .commit = commit,
	.rollback = rollback, .in_tx = in_tx, .exec = exec, .query = query, .step = step, .column = column, .finish = finish,
	.script = script, .lock_schema = lock_schema,
};

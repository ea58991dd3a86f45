/* SPDX-License-Identifier: Apache-2.0 */
/* fail.c  An engine that refuses everything with one error ("fail:ENOSPC"), and one with scripted faults in front of a real one. For tests. */
#include <errno.h>
#include "base/mem.h"
#include "db/faults.h"
#include "db_events.h"

/* ---- always failing ---- */

struct refuser {
	struct db_conn base;
	int err;
};

static const struct {
	const char *name;
	int err;
} errors[] = { { "ENOSPC", ENOSPC }, { "EROFS", EROFS }, { "ENOTCONN", ENOTCONN }, { "EIO", EIO }, { "EBUSY", EBUSY }, { "ETIMEDOUT", ETIMEDOUT } };

static int refuse(struct refuser *c, struct ev_report *why)
{
	ev_set(why, c->err == ENOSPC ? EV_DB_FULL : c->err == EROFS ? EV_DB_READONLY : EV_DB_AWAY);
	ev_str(why, "place", c->base.place);
	ev_str(why, "error", strerror(c->err));
	return c->err;
}

static int fail_open(struct db_conn **cp, const struct db_open *prm, struct ev_report *why)
{
	struct refuser *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return ENOMEM;
	c->base.drv = &db_fail;
	text_fill(c->base.place, sizeof c->base.place, prm->place);
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (text_is(text_skip(text_of(prm->url), 5), errors[i].name))
			c->err = errors[i].err;
	if (!c->err || c->err == ENOTCONN) {
		int err = c->err ? refuse(c, why) : EINVAL;
		mem_free(c);
		return err;
	}
	*cp = &c->base;
	return 0;
}

static void fail_close(struct db_conn *c)
{
	mem_free(c);
}

static bool fail_usable(struct db_conn *c)
{
	(void)c;
	return true;
}

static int fail_begin(struct db_conn *c, enum store_kind kind, struct ev_report *why)
{
	(void)kind;
	return refuse((struct refuser *)c, why);
}

static int fail_commit(struct db_conn *c, bool *unknown, struct ev_report *why)
{
	(void)unknown;
	return refuse((struct refuser *)c, why);
}

static void fail_rollback(struct db_conn *c)
{
	(void)c;
}

static bool fail_in_tx(struct db_conn *c)
{
	(void)c;
	return false;
}

const struct db_driver db_fail = { .name = "fail", .open = fail_open, .close = fail_close, .usable = fail_usable, .begin = fail_begin,
	.commit = fail_commit, .rollback = fail_rollback, .in_tx = fail_in_tx };

/* ---- scripted: SQLite behind, faults by order ---- */

struct faulty {
	struct db_conn base;
	struct db_conn *real;
	struct db_faults *f;
	bool dead;
};

static bool strike(struct db_faults *f, enum db_fault_at at, int *err, bool *after)
{
	pthread_mutex_lock(&f->lock);
	f->seen[at]++;
	bool hit = f->n && f->v[0].at == at && (f->v[0].skip == 0 || f->v[0].skip-- == 0);
	if (hit) {
		*err = f->v[0].err;
		*after = f->v[0].after;
		if (f->v[0].times > 1)
			f->v[0].times--;
		else
			memmove(f->v, f->v + 1, --f->n * sizeof f->v[0]);
	}
	pthread_mutex_unlock(&f->lock);
	return hit;
}

static int struck(struct faulty *c, int err, struct ev_report *why)
{
	struct refuser r = { .base = c->base, .err = err };
	if (err == ENOTCONN || err == EIO)
		c->dead = true;
	return refuse(&r, why);
}

static void f_close(struct db_conn *base)
{
	struct faulty *c = (struct faulty *)base;
	db_sqlite.close(c->real);
	mem_free(c);
}

static int f_open(struct db_conn **cp, const struct db_open *prm, struct ev_report *why)
{
	struct faulty *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return ENOMEM;
	int err = 0;
	bool after;
	c->base.drv = &db_scripted;
	c->f = prm->arg;
	text_fill(c->base.place, sizeof c->base.place, prm->place);
	if (strike(c->f, DB_AT_OPEN, &err, &after))
		struck(c, err, why);
	else
		err = db_sqlite.open(&c->real, prm, why);
	if (err) {
		mem_free(c);
		return err;
	}
	*cp = &c->base;
	return 0;
}

static bool f_usable(struct db_conn *base)
{
	struct faulty *c = (struct faulty *)base;
	return !c->dead && db_sqlite.usable(c->real);
}

static int f_begin(struct db_conn *base, enum store_kind kind, struct ev_report *why)
{
	struct faulty *c = (struct faulty *)base;
	int err;
	bool after;
	if (strike(c->f, DB_AT_BEGIN, &err, &after))
		return struck(c, err, why);
	return db_sqlite.begin(c->real, kind, why);
}

static int f_commit(struct db_conn *base, bool *unknown, struct ev_report *why)
{
	struct faulty *c = (struct faulty *)base;
	int err;
	bool after;
	if (!strike(c->f, DB_AT_COMMIT, &err, &after))
		return db_sqlite.commit(c->real, unknown, why);
	if (after) {
		db_sqlite.commit(c->real, unknown, why);
		*unknown = true;
	}
	return struck(c, err, why);
}

static void f_rollback(struct db_conn *base)
{
	db_sqlite.rollback(((struct faulty *)base)->real);
}

static bool f_in_tx(struct db_conn *base)
{
	return db_sqlite.in_tx(((struct faulty *)base)->real);
}

static int f_exec(struct db_conn *base, const char *sql, const struct db_value *v, unsigned n, int64_t *changes, struct ev_report *why)
{
	struct faulty *c = (struct faulty *)base;
	int err;
	bool after;
	if (strike(c->f, DB_AT_EXEC, &err, &after))
		return struck(c, err, why);
	return db_sqlite.exec(c->real, sql, v, n, changes, why);
}

static int f_query(struct db_conn *base, void **rows, const char *sql, const struct db_value *v, unsigned n, struct ev_report *why)
{
	struct faulty *c = (struct faulty *)base;
	int err;
	bool after;
	if (strike(c->f, DB_AT_QUERY, &err, &after))
		return struck(c, err, why);
	return db_sqlite.query(c->real, rows, sql, v, n, why);
}

static int f_step(struct db_conn *base, void *rows, struct ev_report *why)
{
	return db_sqlite.step(((struct faulty *)base)->real, rows, why);
}

static void f_column(struct db_conn *base, void *rows, int column, struct db_value *v)
{
	db_sqlite.column(((struct faulty *)base)->real, rows, column, v);
}

static void f_finish(struct db_conn *base, void *rows)
{
	db_sqlite.finish(((struct faulty *)base)->real, rows);
}

static int f_script(struct db_conn *base, const char *sql, struct ev_report *why)
{
	return db_sqlite.script(((struct faulty *)base)->real, sql, why);
}

static int f_lock_schema(struct db_conn *base, struct ev_report *why)
{
	(void)base;
	(void)why;
	return 0;
}

const struct db_driver db_scripted = { .name = "scripted", .group_commit = true, .open = f_open, .close = f_close, .usable = f_usable,
	.begin = f_begin, .commit = f_commit, .rollback = f_rollback, .in_tx = f_in_tx, .exec = f_exec, .query = f_query, .step = f_step,
	.column = f_column, .finish = f_finish, .script = f_script, .lock_schema = f_lock_schema };

void db_faults_init(struct db_faults *f)
{
	memset(f, 0, sizeof *f);
	pthread_mutex_init(&f->lock, NULL);
}

void db_faults_add(struct db_faults *f, struct db_fault fault)
{
	pthread_mutex_lock(&f->lock);
	if (f->n < sizeof f->v / sizeof f->v[0])
		f->v[f->n++] = fault;
	pthread_mutex_unlock(&f->lock);
}

void db_faults_clear(struct db_faults *f)
{
	pthread_mutex_lock(&f->lock);
	f->n = 0;
	pthread_mutex_unlock(&f->lock);
}

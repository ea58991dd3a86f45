/* SPDX-License-Identifier: Apache-2.0 */
/* tx.c  The synchronous calls that work makes inside a transaction: parameters, rows, columns. */
#include <errno.h>
#include <stdarg.h>
#include "base/mem.h"
#include "db/driver.h"

struct db_rows {
	struct db_tx *tx;
	void *rows;
	char *cleaned[DB_PARAMS_MAX]; /* copies that the engine may still borrow */
};

/* ---- parameters ---- */

/* Length of the well-formed UTF-8 sequence at p, 0 if there is none. NUL counts as ill-formed: PostgreSQL cannot store it. */
static size_t utf8_at(const uint8_t *p, size_t n)
{
	static const uint32_t least[] = { 0, 1, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
	if (!len || len > n)
		return 0;
	uint32_t u = len == 1 ? p[0] : p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		u = u << 6 | (p[i] & 0x3f);
	}
	return u < least[len] || u > 0x10ffff || (u >= 0xd800 && u < 0xe000) ? 0 : len;
}

/* Wire text may hold anything, the store holds UTF-8: what is not becomes U+FFFD. NULL copy = nothing was wrong. */
static int clean(struct text *t, char **copy)
{
	const uint8_t *p = (const uint8_t *)t->p;
	size_t at = 0;
	for (size_t len = 1; at < t->n && len; at += len)
		len = p[at] && p[at] < 0x80 ? 1 : utf8_at(p + at, t->n - at);
	if (at >= t->n)
		return 0;
	char *out = mem_alloc(t->n * 3);
	if (!out)
		return ENOMEM;
	size_t n = 0;
	for (at = 0; at < t->n;) {
		size_t len = utf8_at(p + at, t->n - at);
		memcpy(out + n, len ? (const char *)p + at : "\xef\xbf\xbd", len ? len : 3);
		n += len ? len : 3;
		at += len ? len : 1;
	}
	*t = text_make(out, n);
	*copy = out;
	return 0;
}

static int gather(struct db_value *v, char **cleaned, unsigned *n, const char *types, va_list ap)
{
	int err = 0;
	unsigned i = 0;
	for (; types[i] && !err; i++) {
		if (i == DB_PARAMS_MAX)
			return E2BIG;
		v[i] = (struct db_value){ .type = types[i] };
		switch (types[i]) {
		case 'i':
			v[i].i = va_arg(ap, int64_t);
			break;
		case 't':
			v[i].t = va_arg(ap, struct text);
			err = clean(&v[i].t, &cleaned[i]);
			break;
		case 's': {
			const char *s = va_arg(ap, const char *);
			v[i].type = s ? 't' : 'n';
			v[i].t = text_of(s);
			err = s ? clean(&v[i].t, &cleaned[i]) : 0;
			break;
		}
		case 'b':
			v[i].t.p = va_arg(ap, const char *);
			v[i].t.n = va_arg(ap, size_t);
			break;
		case 'n':
			break;
		default:
			return EINVAL;
		}
	}
	*n = i;
	return err;
}

static void drop(char **cleaned)
{
	for (unsigned i = 0; i < DB_PARAMS_MAX; i++)
		mem_free(cleaned[i]);
}

/* ---- statements ---- */

/* A broken rule of uniqueness is an answer, but PostgreSQL ends the transaction with it as with any other error. */
static int note(struct db_tx *tx, int err)
{
	if (err && err != ENOENT && !tx->err)
		tx->err = err;
	return err;
}

int db_exec(struct db_tx *tx, struct ev_report *why, const char *sql, const char *types, ...)
{
	struct db_value v[DB_PARAMS_MAX];
	char *cleaned[DB_PARAMS_MAX] = { 0 };
	unsigned n = 0;
	if (tx->err)
		return tx->err;
	va_list ap;
	va_start(ap, types);
	int err = gather(v, cleaned, &n, types, ap);
	va_end(ap);
	if (!err)
		err = tx->conn->drv->exec(tx->conn, sql, v, n, &tx->changes, why);
	drop(cleaned);
	return note(tx, err);
}

int64_t db_changes(const struct db_tx *tx)
{
	return tx->changes;
}

static int query_v(struct db_tx *tx, struct db_rows **rp, struct ev_report *why, const char *sql, const char *types, va_list ap)
{
	struct db_value v[DB_PARAMS_MAX];
	unsigned n = 0;
	if (tx->err)
		return tx->err;
	struct db_rows *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return note(tx, ENOMEM);
	r->tx = tx;
	int err = gather(v, r->cleaned, &n, types, ap);
	if (!err)
		err = tx->conn->drv->query(tx->conn, &r->rows, sql, v, n, why);
	if (err) {
		drop(r->cleaned);
		mem_free(r);
		return note(tx, err);
	}
	*rp = r;
	return 0;
}

int db_query(struct db_tx *tx, struct db_rows **rp, struct ev_report *why, const char *sql, const char *types, ...)
{
	va_list ap;
	va_start(ap, types);
	int err = query_v(tx, rp, why, sql, types, ap);
	va_end(ap);
	return err;
}

int db_query_one(struct db_tx *tx, struct db_rows **rp, struct ev_report *why, const char *sql, const char *types, ...)
{
	struct db_rows *r = NULL;
	va_list ap;
	va_start(ap, types);
	int err = query_v(tx, &r, why, sql, types, ap);
	va_end(ap);
	if (err)
		return err;
	err = db_step(r, why);
	if (err)
		db_rows_close(r);
	else
		*rp = r;
	return err;
}

int db_step(struct db_rows *r, struct ev_report *why)
{
	return note(r->tx, r->tx->conn->drv->step(r->tx->conn, r->rows, why));
}

void db_rows_close(struct db_rows *r)
{
	if (!r)
		return;
	r->tx->conn->drv->finish(r->tx->conn, r->rows);
	drop(r->cleaned);
	mem_free(r);
}

/* ---- columns ---- */

static struct db_value at(const struct db_rows *r, int column)
{
	struct db_value v = { .type = 'n' };
	r->tx->conn->drv->column(r->tx->conn, r->rows, column, &v);
	return v;
}

bool db_col_null(const struct db_rows *r, int column)
{
	return at(r, column).type == 'n';
}

int64_t db_col_int(const struct db_rows *r, int column)
{
	return at(r, column).i;
}

struct text db_col_text(const struct db_rows *r, int column)
{
	struct db_value v = at(r, column);
	return v.type == 't' ? v.t : TEXT_NONE;
}

struct text db_col_blob(const struct db_rows *r, int column)
{
	struct db_value v = at(r, column);
	return v.type == 'b' ? v.t : TEXT_NONE;
}

void db_col_copy(const struct db_rows *r, int column, char *dst, size_t size)
{
	struct text t = db_col_text(r, column);
	size_t n = t.n < size - 1 ? t.n : size - 1;
	if (n)
		memcpy(dst, t.p, n);
	dst[n] = 0;
}

const struct um_clock *db_clock(const struct db_tx *tx)
{
	return tx->clock;
}

int db_notify(struct db_tx *tx, const char *text, struct ev_report *why)
{
	struct db_rows *r;
	const char *sql = tx->conn->drv->notify_sql;
	int err = sql ? db_query_one(tx, &r, why, sql, "s", text) : 0;
	if (sql && !err)
		db_rows_close(r);
	return err;
}

int db_now(struct db_tx *tx, int64_t *us, struct ev_report *why)
{
	struct db_rows *r;
	const char *sql = tx->conn->drv->now_sql;
	if (!sql || tx->clock != clock_system()) {
		*us = clock_real_us(tx->clock);
		return 0;
	}
	int err = db_query_one(tx, &r, why, sql, "");
	if (err)
		return err;
	*us = db_col_int(r, 0);
	db_rows_close(r);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* pgsql_open.c  Connections to PostgreSQL: to whom, how verified, and in plain words why there is none. */
#include <errno.h>
#include "base/mem.h"
#include "db/pgsql_private.h"
#include "db_events.h"

enum { OLDEST = 120000 };

/* ---- why not ---- */

/* One star at most, which does not reach into another line. */
static bool says(const char *words, const char *row)
{
	struct text left = text_of(words), line, head, tail;
	text_cut(text_of(row), '*', &head, &tail);
	do {
		bool more = text_cut(left, '\n', &line, &left);
		size_t at = text_find_text(line, head);
		if (at != SIZE_MAX && (!tail.n || text_find_text(text_skip(line, at + head.n), tail) != SIZE_MAX))
			return true;
		if (!more)
			return false;
	} while (true);
}

unsigned pgsql_refusal(const char *words)
{
	static const struct {
		const char *words;
		unsigned event;
	} rows[] = {
#define REFUSAL(words, event) { words, EV_##event },
#include "db/refusals.def"
#undef REFUSAL
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (says(words, rows[i].words))
			return rows[i].event;
	return 0;
}

static int refused(struct pgsql_conn *c, struct ev_report *why)
{
	char line[400];
	const char *words = PQerrorMessage(c->pg);
	unsigned id = pgsql_refusal(words);
	int err = pgsql_lost(c, words, why);
	if (!id)
		return err;
	pgsql_one_line(words, line, sizeof line);
	ev_set(why, (uint16_t)id);
	ev_str(why, "place", c->base.place);
	ev_str(why, "error", line);
	return err;
}

static int old_enough(struct pgsql_conn *c, struct ev_report *why)
{
	int v = PQserverVersion(c->pg);
	if (v >= OLDEST)
		return 0;
	ev_set(why, EV_DB_OLD_SERVER);
	ev_str(why, "place", c->base.place);
	ev_printf(why, "found", "%d.%d", v / 10000, v / 100 % 100);
	ev_int(why, "oldest", OLDEST / 10000);
	ev_str(why, "error", "");
	return ENOTCONN;
}

/* ---- opening ---- */

void pgsql_close(struct db_conn *base)
{
	struct pgsql_conn *c = (struct pgsql_conn *)base;
	PQfinish(c->pg);
	for (unsigned i = 0; i < PGSQL_PREPARED; i++)
		mem_free(c->prepared[i].key);
	mem_free(c);
}

static void on_notice(void *arg, const PGresult *res)
{
	struct pgsql_conn *c = arg;
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	c->warned = c->warned || (state && strcmp(state, "01000") == 0);
}

/* A commit that returns before it is on the disk would break our word; stricter settings are the administrator's choice. */
static int insist_on_durable(struct pgsql_conn *c, struct ev_report *why)
{
	PGresult *res = NULL;
	int err = pgsql_run(c, &res, "SELECT current_setting('synchronous_commit')", NULL, 0, why);
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
	return pgsql_script(&c->base, "SET synchronous_commit = on", why);
}

static int settings(struct pgsql_conn *c, uint64_t statement_ms, struct ev_report *why)
{
	char sql[256];
	PQsetNoticeReceiver(c->pg, on_notice, c);
	PQsetnonblocking(c->pg, 1);
	text_print(sql, sizeof sql, "SET statement_timeout = %llu; SET lock_timeout = %llu; SET idle_in_transaction_session_timeout = 60000;"
		"SET standard_conforming_strings = on", (unsigned long long)statement_ms, (unsigned long long)statement_ms);
	int err = pgsql_script(&c->base, sql, why);
	return err ? err : insist_on_durable(c, why);
}

static bool names_several(const char *url)
{
	bool several = false;
	PQconninfoOption *all = PQconninfoParse(url, NULL);
	for (const PQconninfoOption *o = all; o && o->keyword; o++)
		if (o->val && (strcmp(o->keyword, "host") == 0 || strcmp(o->keyword, "hostaddr") == 0) && strchr(o->val, ','))
			several = true;
	PQconninfoFree(all);
	return several;
}

/* What the url says wins, because it comes last. Of several servers the one that takes writes is meant; a single one may be read
 * even while it takes none. */
static PGconn *dial(const char *url, const struct store_tls *tls, bool several)
{
	const char *ca = tls ? tls->ca : NULL, *certificate = tls ? tls->certificate : NULL, *key = tls ? tls->key : NULL;
	const char *const keys[] = { "connect_timeout", "application_name", "client_encoding", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "tcp_user_timeout", "target_session_attrs", "sslmode", "sslrootcert", "sslcert", "sslkey", "dbname", NULL };
	const char *const values[] = { "2", "umbel", "UTF8", "5", "2", "3", "8000", several ? "read-write" : "any", ca ? "verify-full" : NULL, ca,
		certificate, key, url, NULL };
	return PQconnectdbParams(keys, values, 1);
}

int pgsql_open(struct db_conn **cp, const struct db_open *prm, struct ev_report *why)
{
	struct pgsql_conn *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return ENOMEM;
	c->base.drv = &db_pgsql;
	c->base.bus = prm->bus;
	c->closing = prm->closing;
	c->deadline_ms = c->statement_ms = (int64_t)prm->statement_ms;
	c->several = names_several(prm->url);
	text_fill(c->base.place, sizeof c->base.place, prm->place);
	c->pg = dial(prm->url, prm->tls, c->several);
	int err = !c->pg ? ENOMEM : PQstatus(c->pg) == CONNECTION_OK ? old_enough(c, why) : refused(c, why);
	if (!err)
		err = settings(c, prm->statement_ms, why);
	if (err) {
		pgsql_close(&c->base);
		return err;
	}
	*cp = &c->base;
	return 0;
}

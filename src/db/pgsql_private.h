/* SPDX-License-Identifier: Apache-2.0 */
/* pgsql_private.h  What pgsql.c (statements, transactions) and pgsql_open.c (connections, and why there is none) share. */
#ifndef DB_PGSQL_PRIVATE_H
#define DB_PGSQL_PRIVATE_H
#include <libpq-fe.h>
#include "db/driver.h"

enum { PGSQL_PREPARED = 512 /* a power of two */, PGSQL_MIGRATE_MS = 600000, PGSQL_LOOK_MS = 200 };

/* A statement that the server knows by its place here; `sql` is a copy, with the parameters' types behind its end. */
struct pgsql_prepared {
	char *key;
	size_t n;
};

struct pgsql_conn {
	struct db_conn base;
	PGconn *pg;
	int64_t deadline_ms; /* per statement; longer than statement_ms while the schema is brought forward, and given up then when the store is closed */
	int64_t statement_ms; /* what it is otherwise */
	const atomic_bool *closing; /* may be NULL */
	bool broken, lost; /* lost: the last failure was the connection's, so the server's decision is not known */
	bool warned; /* since it was set to false */
	bool several; /* hosts to choose from: one that may not be written is left for another */
	struct pgsql_prepared prepared[PGSQL_PREPARED];
	unsigned n_prepared;
};

void pgsql_say(struct ev_report *why, const char *place, int err, const char *code, const char *error);
int pgsql_lost(struct pgsql_conn *c, const char *words, struct ev_report *why);
/* libpq's words in one line. */
void pgsql_one_line(const char *words, char *line, size_t size);
/* The result is the caller's. */
int pgsql_run(struct pgsql_conn *c, PGresult **rp, const char *sql, const struct db_value *v, unsigned n, struct ev_report *why);
int pgsql_script(struct db_conn *base, const char *sql, struct ev_report *why);

int pgsql_open(struct db_conn **cp, const struct db_open *prm, struct ev_report *why);
void pgsql_close(struct db_conn *base);
/* The event for words of libpq about a connection that did not come about; 0: none says more than "away". Pure. */
unsigned pgsql_refusal(const char *words);

#endif

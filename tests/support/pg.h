/* SPDX-License-Identifier: Apache-2.0 */
/* pg.h  A PostgreSQL for the length of one test program, by tests/support/pg-temp. */
#ifndef TESTS_PG_H
#define TESTS_PG_H

/* The URL of an empty database; the first call starts the server, exit stops it. NULL where PostgreSQL is not installed. */
const char *pg_url(void);
/* Takes all tables away again. */
void pg_wipe(void);
/* One statement, outside of any transaction. */
void pg_run(const char *sql);
/* Stops it as a crash would, and starts it again on the same data. */
void pg_crash(void);
void pg_again(void);

#endif

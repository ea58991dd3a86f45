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

/* A second server, for what has to do with several hosts: a fresh one, on a Unix socket; its folder is what a URL calls host. NULL as above. */
const char *pg_second(void);
const char *pg_first_folder(void);
/* One statement for the server in that folder. */
void pg_run_at(const char *folder, const char *sql);
/* A third that listens on 127.0.0.1 over TLS as pg-temp says, with the certificates of that folder; its port. 0: not installed. */
unsigned pg_tls(const char *certs);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* faults.h  A store that fails when told to: SQLite with scripted faults in front of it. Tests open it with
 *   store_open_with(&s, &prm, &db_scripted, &faults, why)        (prm.url = "sqlite:PATH")
 * and order faults one after the other; each waits for its place (open, begin, exec, query, commit).                    */
#ifndef DB_FAULTS_H
#define DB_FAULTS_H
#include <pthread.h>
#include "db/driver.h"

enum db_fault_at { DB_AT_OPEN, DB_AT_BEGIN, DB_AT_EXEC, DB_AT_QUERY, DB_AT_COMMIT, DB_FAULT_PLACES };

struct db_fault {
	enum db_fault_at at;
	int err; /* ENOTCONN and EIO also end the connection */
	bool after; /* DB_AT_COMMIT: commit first, then fail: the fate is unknown to the caller */
	unsigned times; /* 0 and 1: once */
	unsigned skip; /* let so many pass before */
};

struct db_faults {
	pthread_mutex_t lock;
	struct db_fault v[32]; /* only the first waits to strike */
	size_t n;
	unsigned seen[DB_FAULT_PLACES];
};

extern const struct db_driver db_scripted;
void db_faults_init(struct db_faults *f);
void db_faults_add(struct db_faults *f, struct db_fault fault);
void db_faults_clear(struct db_faults *f);

#endif

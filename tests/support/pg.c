/* SPDX-License-Identifier: Apache-2.0 */
#include "pg.h"
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], url[512];
static int tried;

static int script(const char *what, char *out, int size)
{
	char cmd[1024];
	snprintf(cmd, sizeof cmd, "PG_TEMP_FSYNC=off ASAN_OPTIONS=detect_leaks=0 '%s/pg-temp' %s '%s' 2>/dev/null", UMBEL_TESTS_SUPPORT, what, dir);
	FILE *f = popen(cmd, "r");
	if (!f)
		return -1;
	if (out && !fgets(out, size, f))
		out[0] = 0;
	return pclose(f);
}

static void stop(void)
{
	char cmd[128];
	script("kill", NULL, 0);
	snprintf(cmd, sizeof cmd, "rm -rf '%s'", dir);
	if (system(cmd))
		perror(dir);
}

const char *pg_url(void)
{
	if (!tried++) {
		snprintf(dir, sizeof dir, "/tmp/umbel-pg-XXXXXX");
		if (!mkdtemp(dir))
			return NULL;
		atexit(stop);
		if (script("start", url, sizeof url))
			url[0] = 0;
		url[strcspn(url, "\n")] = 0;
	}
	return url[0] ? url : NULL;
}

void pg_wipe(void)
{
	PGconn *c = PQconnectdb(pg_url());
	PQclear(PQexec(c, "SET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public"));
	PQfinish(c);
}

void pg_run(const char *sql)
{
	PGconn *c = PQconnectdb(pg_url());
	PQclear(PQexec(c, sql));
	PQfinish(c);
}

void pg_crash(void)
{
	script("kill", NULL, 0);
}

void pg_again(void)
{
	script("start", NULL, 0);
}

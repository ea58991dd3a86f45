/* SPDX-License-Identifier: Apache-2.0 */
#include "pg.h"
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], url[512];
static int tried;
static char second_dir[64], tls_dir[64], more[256];

static int script_at(const char *where, const char *what, char *out, int size)
{
	char cmd[1500];
	snprintf(cmd, sizeof cmd, "%s PG_TEMP_FSYNC=off ASAN_OPTIONS=detect_leaks=0 '%s/pg-temp' %s '%s' 2>/dev/null", more, UMBEL_TESTS_SUPPORT, what, where);
	FILE *f = popen(cmd, "r");
	if (!f)
		return -1;
	if (out && !fgets(out, size, f))
		out[0] = 0;
	return pclose(f);
}

static int script(const char *what, char *out, int size)
{
	return script_at(dir, what, out, size);
}

static void stop_at(const char *where)
{
	char cmd[128];
	more[0] = 0;
	script_at(where, "kill", NULL, 0);
	snprintf(cmd, sizeof cmd, "rm -rf '%s'", where);
	if (system(cmd))
		perror(where);
}

static void stop(void)
{
	stop_at(dir);
}

static void stop_second(void)
{
	stop_at(second_dir);
}

static void stop_tls(void)
{
	stop_at(tls_dir);
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

const char *pg_first_folder(void)
{
	return pg_url() ? dir : NULL;
}

const char *pg_second(void)
{
	char ignored[512] = "";
	if (second_dir[0])
		return second_dir;
	snprintf(second_dir, sizeof second_dir, "/tmp/umbel-pg-XXXXXX");
	if (!mkdtemp(second_dir))
		return NULL;
	atexit(stop_second);
	return script_at(second_dir, "start", ignored, sizeof ignored) || !ignored[0] ? NULL : second_dir;
}

void pg_run_at(const char *folder, const char *sql)
{
	char info[256];
	snprintf(info, sizeof info, "host=%s user=umbel dbname=umbel", folder);
	PGconn *c = PQconnectdb(info);
	PQclear(PQexec(c, sql));
	PQfinish(c);
}

/* Free at this moment; who starts on it learns whether it still is. */
static unsigned a_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int err = bind(fd, (struct sockaddr *)&a, sizeof a) || getsockname(fd, (struct sockaddr *)&a, &n);
	close(fd);
	return err ? 0 : ntohs(a.sin_port);
}

unsigned pg_tls(const char *certs)
{
	char out[512] = "";
	unsigned port = 0;
	if (!pg_url())
		return 0;
	snprintf(tls_dir, sizeof tls_dir, "/tmp/umbel-pg-XXXXXX");
	if (!mkdtemp(tls_dir))
		return 0;
	atexit(stop_tls);
	for (int i = 0; i < 20 && !out[0]; i++) {
		port = a_port();
		snprintf(more, sizeof more, "PG_TEMP_TLS='%s' PG_TEMP_PORT=%u", certs, port);
		if (script_at(tls_dir, "start", out, sizeof out))
			out[0] = 0;
		more[0] = 0;
	}
	return out[0] ? port : 0;
}

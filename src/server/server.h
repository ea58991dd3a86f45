/* SPDX-License-Identifier: Apache-2.0 */
/* server.h  All parts of a node put together. server_create() builds them bottom-up from a table of parts, server_destroy() takes them down in
 * reverse; between the two server_run() is the loop. What a part is and does stands in its own folder; here is only who knows whom. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H
#include "base/buf.h"
#include "config/cfg.h"
#include "event/report.h"

struct server;

/* First of all in main(), before anything of OpenSSL: from here on keys do not leave the process in core files or through freed memory.
 * `allow_cores`: for finding a fault; cores and debuggers are let be, and may see keys. */
void server_keep_secrets(bool allow_cores);

struct server_prm {
	const struct cfg *cfg; /* with a node part; referenced */
	const char *path;      /* of the file, for reload */
	bool quiet;            /* no events on standard error */
	bool keep_user;        /* do not become node.user (already somebody else, or a test) */
};
/* 0, or an errno with `why` in words: nothing is left behind then. */
int server_create(struct server **sp, const struct server_prm *prm, struct ev_report *why);
/* Until SIGTERM or SIGINT and the end of what was still going on, or `umbel node stop`. SIGHUP reads the configuration anew. */
int server_run(struct server *s);
void server_destroy(struct server *s); /* NULL is allowed */

/* Certificates, keys, CAs and revocation lists that the configuration names: each one that cannot be used becomes one of `errors`, with its place.
 * The number of them. Reads files: any thread but the loop. */
unsigned server_check_files(const struct cfg *cfg, struct cfg_errors *errors);

#endif

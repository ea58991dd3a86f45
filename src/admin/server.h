/* SPDX-License-Identifier: Apache-2.0 */
/* server.h  The admin socket: connections, who may speak, and the table of commands.
 *
 * A command gets a `struct admin_call` and answers it once, now or later, by admin_call_ok() or admin_call_fail(); before that it may
 * tell things by admin_call_more(). A call is reference-counted: whoever answers later holds a reference, and answering one whose
 * caller went away does no harm. A connection's requests are answered one after another. Loop thread only.                */
#ifndef ADMIN_SERVER_H
#define ADMIN_SERVER_H
#include "admin/wire.h"
#include "base/clock.h"
#include "event/bus.h"
#include "net/loop.h"

struct admin_server;
struct admin_call;

/* `args` is borrowed for the call; `arg` is the table's. Must answer the call, or keep a reference and answer later. */
typedef void (admin_cmd_h)(struct admin_call *call, const json_t *args, void *arg);

struct admin_cmd {
	const char *name; /* "gateway.show"; NULL ends a table */
	admin_cmd_h *run;
};

struct admin_server_prm {
	struct loop *loop;
	struct ev_bus *bus;
	const char *path;         /* of the socket; a dead one is replaced, a live one is EADDRINUSE */
	const char *group;        /* its members may use the socket too; NULL or "": only root and the owner */
	unsigned max_connections; /* 0: 32 */
};

int admin_server_create(struct admin_server **sp, const struct admin_server_prm *prm, struct ev_report *why);
/* Calls under way are closed unanswered. */
void admin_server_destroy(struct admin_server *s);
/* The table is borrowed. ENOSPC after 32 tables. */
int admin_server_add(struct admin_server *s, const struct admin_cmd *table, void *arg);

/* ---- answering ---- */
/* The result becomes the call's; NULL means no memory. */
void admin_call_ok(struct admin_call *call, json_t *result);
void admin_call_more(struct admin_call *call, json_t *item);
void admin_call_fail(struct admin_call *call, const struct ev_report *why);
/* For err != 0 without a report: EV_ADMIN_FAILED with the error's text. With a report that says something: that. */
void admin_call_errno(struct admin_call *call, int err, const struct ev_report *why);
/* "there is no gateway "x"", with what to do about it. */
void admin_call_not_found(struct admin_call *call, const char *kind, const char *name, const char *hint);
/* Called once when the caller goes away before the answer; for commands that go on until then. */
void admin_call_gone(struct admin_call *call, void (*gone)(struct admin_call *call, void *arg), void *arg);
/* Whether nobody hears an answer any more. */
bool admin_call_left(const struct admin_call *call);
/* Bytes waiting to be read by the caller: who streams may hold back. */
size_t admin_call_queued(const struct admin_call *call);
const char *admin_call_cmd(const struct admin_call *call);
unsigned admin_call_uid(const struct admin_call *call);
/* Says in an event who changed what. */
void admin_call_did(struct admin_call *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

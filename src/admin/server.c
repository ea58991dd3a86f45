/* SPDX-License-Identifier: Apache-2.0 */
/* server.c  The admin socket: accept -> look at the peer's credentials -> lines -> calls -> answers. */
#include "admin/server.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "admin_events.h"
#include "base/list.h"
#include "base/mem.h"

enum { TABLES = 32, CONNECTIONS = 32, READ_AT_ONCE = 65536, OUT_MAX = 64 << 20 };

struct table {
	const struct admin_cmd *cmds;
	void *arg;
};

struct admin_server {
	struct admin_server_prm prm;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int fd;
	struct loop_io io;
	struct list conns;
	struct table table[TABLES];
	unsigned n_tables;
	bool has_group;
	gid_t group;
};

struct admin_conn {
	struct link link;
	struct admin_server *server;
	int fd;
	struct loop_io io;
	struct buf in, out;
	struct admin_call *call; /* under way; counted */
	struct ucred peer;
	bool eof;
	bool serving; /* serve() is on the stack: freeing waits for it */
	bool dead;
};

struct admin_call {
	struct admin_conn *conn; /* NULL: the caller is gone, or the answer was given */
	struct ev_bus *bus;
	char cmd[ADMIN_CMD_SIZE];
	unsigned uid;
	void (*gone)(struct admin_call *call, void *arg);
	void *gone_arg;
};

static void serve(struct admin_conn *c);
static void conn_io(struct loop_io *io, uint32_t events, void *arg);

static void conn_free(struct admin_conn *c)
{
	buf_free(&c->in);
	buf_free(&c->out);
	mem_free(c);
}

static void conn_close_now(struct admin_conn *c)
{
	if (c->dead)
		return;
	struct admin_call *call = c->call;
	c->call = NULL;
	c->dead = true;
	loop_io_del(&c->io);
	close(c->fd);
	list_remove(&c->link);
	if (!c->serving)
		conn_free(c);
	if (call) {
		call->conn = NULL;
		if (call->gone)
			call->gone(call, call->gone_arg);
		mem_unref(call);
	}
}

/* Writes what the socket takes. False: the connection is gone. */
static bool flush_out(struct admin_conn *c)
{
	while (c->out.n) {
		ssize_t n = send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			conn_close_now(c);
			return false;
		}
		buf_consume(&c->out, (size_t)n);
	}
	if (c->eof && !c->out.n && !c->call) {
		conn_close_now(c);
		return false;
	}
	loop_io_mod(&c->io, (c->eof ? 0u : (uint32_t)EPOLLIN) | (c->out.n ? (uint32_t)EPOLLOUT : 0u));
	return true;
}

/* ---- answering ---- */

static void call_destroy(void *object)
{
	(void)object;
}

static void report_no_memory(struct buf *out)
{
	struct ev_report r = { 0 };
	ev_set(&r, EV_ADMIN_NO_MEMORY);
	admin_write_error(out, &r);
}

/* A buffer that failed may hold half a line: the connection cannot be understood any more. */
static bool flush_checked(struct admin_conn *c)
{
	if (!buf_error(&c->out))
		return flush_out(c);
	conn_close_now(c);
	return false;
}

/* The answer is written: the next request of the connection may start. */
static void answered(struct admin_conn *c)
{
	struct admin_call *call = c->call;
	c->call = NULL;
	call->conn = NULL;
	mem_unref(call);
	serve(c);
}

void admin_call_ok(struct admin_call *call, json_t *result)
{
	struct admin_conn *c = call->conn;
	if (c) {
		if (result)
			admin_write_result(&c->out, result, false);
		else
			report_no_memory(&c->out);
		answered(c);
	}
	json_decref(result);
}

void admin_call_more(struct admin_call *call, json_t *item)
{
	struct admin_conn *c = call->conn;
	if (c) {
		if (item)
			admin_write_result(&c->out, item, true);
		flush_checked(c);
	}
	json_decref(item);
}

void admin_call_fail(struct admin_call *call, const struct ev_report *why)
{
	struct admin_conn *c = call->conn;
	if (!c)
		return;
	admin_write_error(&c->out, why);
	answered(c);
}

void admin_call_errno(struct admin_call *call, int err, const struct ev_report *why)
{
	if (why && why->id) {
		admin_call_fail(call, why);
		return;
	}
	struct ev_report r = { 0 };
	ev_set(&r, EV_ADMIN_FAILED);
	ev_str(&r, "command", call->cmd);
	ev_str(&r, "error", strerror(err));
	admin_call_fail(call, &r);
}

void admin_call_not_found(struct admin_call *call, const char *kind, const char *name, const char *hint)
{
	struct ev_report r = { 0 };
	ev_set(&r, EV_ADMIN_NOT_FOUND);
	ev_str(&r, "kind", kind);
	ev_str(&r, "name", name);
	ev_str(&r, "hint", hint);
	admin_call_fail(call, &r);
}

void admin_call_gone(struct admin_call *call, void (*gone)(struct admin_call *call, void *arg), void *arg)
{
	call->gone = gone;
	call->gone_arg = arg;
}

bool admin_call_left(const struct admin_call *call)
{
	return !call->conn;
}

size_t admin_call_queued(const struct admin_call *call)
{
	return call->conn ? call->conn->out.n : 0;
}

const char *admin_call_cmd(const struct admin_call *call)
{
	return call->cmd;
}

unsigned admin_call_uid(const struct admin_call *call)
{
	return call->uid;
}

void admin_call_did(struct admin_call *call, const char *fmt, ...)
{
	struct ev_report r = { 0 };
	char what[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	ev_set(&r, EV_ADMIN_DID);
	ev_int(&r, "uid", call->uid);
	ev_str(&r, "command", call->cmd);
	ev_str(&r, "what", what);
	ev_emit(call->bus, &r);
}

/* ---- requests ---- */

static const struct admin_cmd *find_command(struct admin_server *s, const char *name, void **arg)
{
	for (unsigned i = 0; i < s->n_tables; i++)
		for (const struct admin_cmd *x = s->table[i].cmds; x->name; x++)
			if (strcmp(x->name, name) == 0) {
				*arg = s->table[i].arg;
				return x;
			}
	return NULL;
}

static void unknown_command(struct admin_call *call)
{
	struct ev_report r = { 0 };
	ev_set(&r, EV_ADMIN_COMMAND_UNKNOWN);
	ev_str(&r, "command", call->cmd);
	admin_call_fail(call, &r);
}

/* A command whose parsing succeeded; it may answer, and so end the connection, before this returns. */
static void run(struct admin_conn *c, struct admin_call *call, const struct admin_request *rq)
{
	void *arg = NULL;
	const struct admin_cmd *cmd = find_command(c->server, rq->cmd, &arg);
	text_fill(call->cmd, sizeof call->cmd, rq->cmd);
	if (cmd)
		cmd->run(call, rq->args, arg);
	else
		unknown_command(call);
}

static void start_call(struct admin_conn *c, struct text line)
{
	struct admin_request rq = { 0 };
	struct ev_report why = { 0 };
	struct admin_call *call = mem_object(sizeof *call, call_destroy);
	if (!call) {
		report_no_memory(&c->out);
		return;
	}
	call->conn = c;
	call->bus = c->server->prm.bus;
	call->uid = c->peer.uid;
	c->call = mem_ref(call);
	int err = admin_request_parse(line, &rq, &why);
	if (err)
		admin_call_errno(call, err, &why);
	else
		run(c, call, &rq);
	admin_request_free(&rq);
	mem_unref(call);
}

/* The next whole line of what was read, as a copy (the buffer may move while the command runs). NULL: none yet. */
static char *next_line(struct admin_conn *c, size_t *n)
{
	struct text line, rest;
	if (!text_cut(buf_as_text(&c->in), '\n', &line, &rest))
		return NULL;
	char *copy = mem_strndup(line.p, line.n);
	*n = line.n;
	buf_consume(&c->in, line.n + 1);
	mem_wipe(c->in.p + c->in.n, c->in.room - c->in.n); /* a request may hold a PIN or a key */
	return copy;
}

/* Takes requests out of what was read until one is under way. A command that answers at once comes back here through answered(), which
 * only notes it: the loop goes on, so that a thousand short requests do not nest a thousand deep. */
static void serve(struct admin_conn *c)
{
	if (c->serving || c->dead)
		return;
	c->serving = true;
	while (!c->call && !c->dead && !buf_error(&c->out)) {
		size_t n = 0;
		char *line = next_line(c, &n);
		if (!line)
			break;
		start_call(c, text_make(line, n));
		mem_free_secret(line, n);
	}
	c->serving = false;
	if (c->dead)
		conn_free(c);
	else if (!c->call && c->in.n > ADMIN_LINE_MAX)
		conn_close_now(c);
	else
		flush_checked(c);
}

static bool read_some(struct admin_conn *c)
{
	uint8_t *p = buf_reserve(&c->in, READ_AT_ONCE);
	if (!p)
		return false;
	ssize_t n = recv(c->fd, p, READ_AT_ONCE, MSG_DONTWAIT);
	if (n > 0)
		buf_grew(&c->in, (size_t)n);
	else if (n == 0)
		c->eof = true;
	else
		return errno == EAGAIN || errno == EINTR;
	return true;
}

static void conn_io(struct loop_io *io, uint32_t events, void *arg)
{
	struct admin_conn *c = arg;
	(void)io;
	/* HUP: the caller closed both ways; nobody reads an answer any more */
	if (events & (EPOLLERR | EPOLLHUP)) {
		conn_close_now(c);
		return;
	}
	if ((events & EPOLLIN) && !read_some(c)) {
		conn_close_now(c);
		return;
	}
	serve(c);
}

/* ---- accepting ---- */

static bool in_group(const struct admin_server *s, int fd, const struct ucred *peer)
{
	gid_t groups[256];
	socklen_t n = sizeof groups;
	if (!s->has_group)
		return false;
	if (peer->gid == s->group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) != 0)
		return false;
	for (size_t i = 0; i < n / sizeof *groups; i++)
		if (groups[i] == s->group)
			return true;
	return false;
}

static bool may_speak(struct admin_server *s, int fd, struct ucred *peer)
{
	socklen_t n = sizeof *peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &n) != 0)
		return false;
	if (peer->uid == 0 || peer->uid == geteuid() || in_group(s, fd, peer))
		return true;
	struct ev_report r = { 0 };
	struct buf b;
	const struct passwd *pw = getpwuid(geteuid());
	ev_set(&r, EV_ADMIN_PEER_REFUSED);
	ev_int(&r, "uid", peer->uid);
	ev_int(&r, "pid", peer->pid);
	ev_str(&r, "user", pw ? pw->pw_name : "umbel");
	ev_emit(s->prm.bus, &r);
	buf_init(&b, 65536);
	if (admin_write_error(&b, &r) == 0)
		(void)!send(fd, b.p, b.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_free(&b);
	return false;
}

static bool too_many(struct admin_server *s)
{
	if (list_count(&s->conns) < s->prm.max_connections)
		return false;
	struct ev_report r = { 0 };
	ev_set(&r, EV_ADMIN_TOO_MANY);
	ev_int(&r, "limit", s->prm.max_connections);
	ev_emit(s->prm.bus, &r);
	return true;
}

static int adopt(struct admin_server *s, int fd, const struct ucred *peer)
{
	struct admin_conn *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return ENOMEM;
	c->server = s;
	c->fd = fd;
	c->peer = *peer;
	buf_init(&c->in, ADMIN_LINE_MAX + 2 * READ_AT_ONCE);
	buf_init(&c->out, OUT_MAX);
	int err = loop_io_add(s->prm.loop, &c->io, fd, EPOLLIN, conn_io, c);
	if (err) {
		mem_free(c);
		return err;
	}
	list_append(&s->conns, &c->link);
	return 0;
}

static void accept_h(struct loop_io *io, uint32_t events, void *arg)
{
	struct admin_server *s = arg;
	(void)io;
	(void)events;
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct ucred peer = { 0 };
	if (!may_speak(s, fd, &peer) || too_many(s) || adopt(s, fd, &peer) != 0)
		close(fd);
}

/* A socket file that nobody listens on is a leftover; one that somebody answers on is not ours to take. */
static int clear_path(const struct sockaddr_un *sun)
{
	struct stat st;
	if (lstat(sun->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : errno;
	if (!S_ISSOCK(st.st_mode))
		return EEXIST;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int answered_by = connect(fd, (const struct sockaddr *)sun, sizeof *sun) == 0;
	close(fd);
	if (answered_by)
		return EADDRINUSE;
	return unlink(sun->sun_path) == 0 ? 0 : errno;
}

static void open_to_group(struct admin_server *s)
{
	if (!s->prm.group || !*s->prm.group)
		return;
	const struct group *g = getgrnam(s->prm.group);
	if (g && chown(s->path, (uid_t)-1, g->gr_gid) == 0 && chmod(s->path, 0660) == 0) {
		s->has_group = true;
		s->group = g->gr_gid;
		return;
	}
	struct ev_report r = { 0 };
	ev_set(&r, EV_ADMIN_GROUP_UNKNOWN);
	ev_str(&r, "group", s->prm.group);
	ev_emit(s->prm.bus, &r);
}

static int listen_at(struct admin_server *s)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	if (text_print(sun.sun_path, sizeof sun.sun_path, "%s", s->prm.path) != 0)
		return ENAMETOOLONG;
	text_fill(s->path, sizeof s->path, sun.sun_path);
	int err = clear_path(&sun);
	if (err)
		return err;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return errno;
	mode_t was = umask(0077);
	int failed = bind(s->fd, (const struct sockaddr *)&sun, sizeof sun);
	err = failed ? errno : 0;
	umask(was);
	if (err)
		return err;
	open_to_group(s);
	if (listen(s->fd, 16) != 0)
		return errno;
	return loop_io_add(s->prm.loop, &s->io, s->fd, EPOLLIN, accept_h, s);
}

int admin_server_create(struct admin_server **sp, const struct admin_server_prm *prm, struct ev_report *why)
{
	struct admin_server *s = mem_zalloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	s->prm = *prm;
	s->fd = -1;
	list_init(&s->conns);
	if (!s->prm.max_connections)
		s->prm.max_connections = CONNECTIONS;
	int err = listen_at(s);
	if (err) {
		ev_set(why, EV_ADMIN_SOCKET_FAILED);
		ev_str(why, "path", prm->path);
		ev_str(why, "error", err == EADDRINUSE ? "another server answers there" : strerror(err));
		if (s->fd >= 0)
			close(s->fd);
		mem_free(s);
		return err;
	}
	*sp = s;
	return 0;
}

void admin_server_destroy(struct admin_server *s)
{
	if (!s)
		return;
	LIST_FOREACH(&s->conns, it)
		conn_close_now(LIST_ENTRY(it, struct admin_conn, link));
	loop_io_del(&s->io);
	close(s->fd);
	unlink(s->path);
	mem_free(s);
}

int admin_server_add(struct admin_server *s, const struct admin_cmd *table, void *arg)
{
	if (s->n_tables == TABLES)
		return ENOSPC;
	s->table[s->n_tables++] = (struct table){ table, arg };
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c  A request to the server and its answer, over the admin socket. Blocking: a command has nothing else to do. */
#include <errno.h>
#include <pwd.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "admin/wire.h"
#include "base/buf.h"
#include "cli/cli.h"

enum { ANSWER_MAX = 64 << 20, AT_ONCE = 65536 };

static volatile sig_atomic_t interrupted;
static bool interruptible;
static sigset_t while_waiting; /* signals that are held back but for then: none is missed */

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

void cli_until_interrupted(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, &while_waiting);
	sigdelset(&while_waiting, SIGINT);
	sigdelset(&while_waiting, SIGTERM);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	interruptible = true;
}

/* ECANCELED: somebody pressed Ctrl-C. */
static int wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	while (interruptible && !interrupted && ppoll(&p, 1, NULL, &while_waiting) < 0 && errno == EINTR)
		;
	return interrupted ? ECANCELED : 0;
}

static int no_server(struct cli *c, int err)
{
	const char *why = strerror(err), *hint = "";
	if (err == ENOENT || err == ECONNREFUSED) {
		why = "nobody listens there";
		hint = "Is umbeld running? Its configuration says where the socket is (node.admin.socket); give it by --socket PATH or $UMBEL_SOCKET.";
	} else if (err == EACCES) {
		why = "this user may not";
		hint = "Run the command as root, or as the user that umbeld runs as.";
	}
	if (c->json) {
		json_t *o = json_pack("{s:i, s:b, s:{s:s, s:s, s:s}}", "schema", (int)ADMIN_SCHEMA, "ok", 0, "error", "name", "NO_SERVER", "text", why, "advice", hint);
		cli_print_json(c, o);
		json_decref(o);
	} else {
		fprintf(c->err, "umbel: no server reached at %s: %s\n", c->socket, why);
		if (*hint)
			cli_wrapped(c->err, hint, "  ");
	}
	return CLI_NO_SERVER;
}

static int dial(const char *path, int *fdp)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	if (text_print(sun.sun_path, sizeof sun.sun_path, "%s", path) != 0)
		return ENAMETOOLONG;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)&sun, sizeof sun) != 0) {
		int err = errno;
		close(fd);
		return err;
	}
	*fdp = fd;
	return 0;
}

static int dump(const char *p, size_t n, void *arg)
{
	return buf_put(arg, p, n) ? -1 : 0;
}

static int send_request(int fd, const char *cmd, json_t *args)
{
	struct buf b;
	json_t *rq = json_pack("{s:i, s:s, s:o}", "schema", (int)ADMIN_SCHEMA, "cmd", cmd, "args", args ? args : json_object());
	buf_init(&b, ADMIN_LINE_MAX);
	int err = rq && json_dump_callback(rq, dump, &b, JSON_COMPACT) == 0 ? 0 : EMSGSIZE;
	json_decref(rq);
	buf_char(&b, '\n');
	for (size_t at = 0; !err && at < b.n;) {
		ssize_t n = send(fd, b.p + at, b.n - at, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			err = errno;
		at += n > 0 ? (size_t)n : 0;
	}
	buf_free(&b);
	return err;
}

/* The next line as JSON. 0; EPIPE: the server closed. */
static int read_answer(int fd, struct buf *in, json_t **answer)
{
	for (;;) {
		struct text line, rest;
		if (interrupted)
			return ECANCELED;
		if (text_cut(buf_as_text(in), '\n', &line, &rest)) {
			*answer = json_loadb(line.p, line.n, 0, NULL);
			buf_consume(in, line.n + 1);
			return json_is_object(*answer) ? 0 : EPROTO;
		}
		uint8_t *p = buf_reserve(in, AT_ONCE);
		if (!p)
			return EMSGSIZE;
		int stopped = wait_readable(fd);
		if (stopped)
			return stopped;
		ssize_t n = recv(fd, p, AT_ONCE, 0);
		if (n > 0)
			buf_grew(in, (size_t)n);
		else if (n == 0)
			return EPIPE;
		else if (errno != EINTR)
			return errno;
	}
}

static int answer_error(struct cli *c, const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	if (c->json)
		cli_print_json(c, answer);
	else
		cli_print_error_object(c, error);
	return CLI_NO;
}

static int listen_for(struct cli *c, int fd, cli_more_h *more, void *arg, json_t **result)
{
	struct buf in;
	buf_init(&in, ANSWER_MAX);
	int code = CLI_GOOD;
	for (;;) {
		json_t *answer = NULL;
		int err = read_answer(fd, &in, &answer);
		if (err == ECANCELED)
			break;
		if (err) {
			json_decref(answer);
			code = cli_error(c, CLI_NO_SERVER, "the server closed the connection before it had answered (%s)", strerror(err));
			break;
		}
		json_t *value = json_object_get(answer, "result");
		bool good = json_is_true(json_object_get(answer, "ok")), goes_on = json_is_true(json_object_get(answer, "more"));
		bool enough = good && goes_on && more && !more(c, value, arg);
		if (!good)
			code = answer_error(c, answer);
		else if (!goes_on && result)
			*result = json_incref(value ? value : answer);
		json_decref(answer);
		if (!good || !goes_on || enough)
			break;
	}
	buf_free(&in);
	return code;
}

int cli_follow(struct cli *c, const char *cmd, json_t *args, cli_more_h *more, void *arg, json_t **result)
{
	int fd = -1;
	int err = dial(c->socket, &fd);
	if (err) {
		json_decref(args);
		return no_server(c, err);
	}
	err = send_request(fd, cmd, args);
	int code = err == EMSGSIZE ? cli_error(c, CLI_NO, "the request is too large") : err && err != EPIPE ? no_server(c, err) : listen_for(c, fd, more, arg, result);
	close(fd);
	return code;
}

int cli_ask(struct cli *c, const char *cmd, json_t *args, json_t **result)
{
	return cli_follow(c, cmd, args, NULL, NULL, result);
}

/* What is a list goes on in the next piece; the rest comes with the last one. */
static bool append(struct cli *c, const json_t *piece, void *arg)
{
	const char *key;
	json_t *v, *all = arg;
	(void)c;
	json_object_foreach((json_t *)(uintptr_t)piece, key, v) {
		json_t *there = json_object_get(all, key);
		if (json_is_array(there) && json_is_array(v))
			json_array_extend(there, v);
		else
			json_object_set(all, key, v);
	}
	return true;
}

int cli_ask_list(struct cli *c, const char *cmd, json_t *args, json_t **result)
{
	json_t *all = json_object(), *last = NULL;
	int code = cli_follow(c, cmd, args, append, all, &last);
	if (code == CLI_GOOD) {
		append(c, last, all);
		*result = json_incref(all);
	}
	json_decref(last);
	json_decref(all);
	return code;
}

int cli_ask_list_show(struct cli *c, const char *cmd, json_t *args, cli_show_h *show)
{
	json_t *result = NULL;
	int code = cli_ask_list(c, cmd, args, &result);
	if (code == CLI_GOOD)
		code = c->json ? cli_print_json(c, result) : show(c, result);
	json_decref(result);
	return code;
}

int cli_ask_show(struct cli *c, const char *cmd, json_t *args, cli_show_h *show)
{
	json_t *result = NULL;
	int code = cli_ask(c, cmd, args, &result);
	if (code == CLI_GOOD)
		code = c->json ? cli_print_json(c, result) : show(c, result);
	json_decref(result);
	return code;
}

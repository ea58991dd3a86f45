/* SPDX-License-Identifier: Apache-2.0 */
/* child.c  fork, narrow, exec, read, reap. */
#include "capture/child.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"

enum { NOBODY = 65534, CHUNK = 65536, TICK_MS = 1000 };
#define MEMORY_MAX ((rlim_t)4 << 30)

struct pipes {
	int out[2], err[2], status[2];
};

/* In the child, between fork and exec: only what is safe there. In a user namespace that maps nobody else, root is an ordinary user outside
 * and stays what it is. */
static void narrow(void)
{
	struct rlimit none = { 0, 0 }, memory = { MEMORY_MAX, MEMORY_MAX };
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_FSIZE, &none);
#if !defined(__SANITIZE_ADDRESS__)
	setrlimit(RLIMIT_AS, &memory);
#else
	(void)memory;
#endif
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (geteuid() == 0) {
		(void)setgroups(0, NULL);
		if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
			errno = 0; /* there is nobody else to be */
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

_Noreturn static void become(const struct cap_child *c, const struct pipes *p)
{
	int extra = c->extra >= 0 ? fcntl(c->extra, F_DUPFD, 10) : -1, in = fcntl(c->in, F_DUPFD, 10), status = fcntl(p->status[1], F_DUPFD_CLOEXEC, 10);
	int out = fcntl(p->out[1], F_DUPFD, 10), err = fcntl(p->err[1], F_DUPFD, 10);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (extra >= 0)
		dup2(extra, 3);
	for (int fd = extra >= 0 ? 4 : 3; fd < 256; fd++)
		if (fd != status)
			close(fd);
	narrow();
	execvpe(c->argv[0], (char *const *)c->argv, (char *const *)c->env);
	int why = errno;
	(void)!write(status, &why, sizeof why);
	_exit(127);
}

static void keep_end(struct cap_child *c, const char *p, size_t n)
{
	size_t have = strlen(c->said), room = sizeof c->said - 1;
	if (n > room) {
		p += n - room;
		n = room;
	}
	if (have + n > room) {
		size_t drop = have + n - room;
		memmove(c->said, c->said + drop, have - drop);
		have -= drop;
	}
	memcpy(c->said + have, p, n);
	c->said[have + n] = '\0';
}

/* Hands complete lines over and keeps the rest. A line that does not end within its bound is skipped to its end. */
static void hand_lines(struct cap_child *c, struct buf *b, bool *skipping, bool last)
{
	struct text all = buf_as_text(b), line, rest;
	while (text_cut(all, '\n', &line, &rest) || (last && all.n)) {
		if (!*skipping)
			c->line(line, c->arg);
		*skipping = false;
		all = rest;
	}
	buf_consume(b, b->n - all.n);
	if (b->n > c->line_max) {
		c->long_lines += !*skipping;
		*skipping = true;
		buf_clear(b);
	}
}

/* 0 with more to come, ENODATA at the end of both pipes, ENOMEM. */
static int turn(struct cap_child *c, struct pollfd *fds, struct buf *b, bool *skipping)
{
	char said[1024];
	if (poll(fds, 2, TICK_MS) < 0 && errno != EINTR)
		return errno;
	if (fds[0].fd >= 0 && fds[0].revents) {
		uint8_t *p = buf_reserve(b, CHUNK);
		ssize_t n = p ? read(fds[0].fd, p, CHUNK) : -1;
		if (!p)
			return ENOMEM;
		if (n > 0)
			buf_grew(b, (size_t)n);
		else if (n == 0 || errno != EINTR)
			fds[0].fd = -1;
		hand_lines(c, b, skipping, fds[0].fd < 0);
	}
	if (fds[1].fd >= 0 && fds[1].revents) {
		ssize_t n = read(fds[1].fd, said, sizeof said);
		if (n > 0)
			keep_end(c, said, (size_t)n);
		else if (n == 0 || errno != EINTR)
			fds[1].fd = -1;
	}
	return fds[0].fd < 0 && fds[1].fd < 0 ? ENODATA : 0;
}

static int listen_to(struct cap_child *c, const struct pipes *p)
{
	struct pollfd fds[2] = { { .fd = p->out[0], .events = POLLIN }, { .fd = p->err[0], .events = POLLIN } };
	int64_t ticked = clock_mono_ms(clock_system());
	struct buf b;
	bool skipping = false;
	int err = 0;
	buf_init(&b, c->line_max + 2 * CHUNK);
	while (!err) {
		err = turn(c, fds, &b, &skipping);
		int64_t now = clock_mono_ms(clock_system());
		if (c->tick && now - ticked >= TICK_MS) {
			ticked = now;
			c->tick(c->arg);
		}
	}
	buf_free(&b);
	return err == ENODATA ? 0 : err;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int cap_child_run(struct cap_child *c)
{
	struct pipes p = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	int err = 0, why = 0;
	c->said[0] = '\0';
	c->status = 0;
	if (pipe2(p.out, O_CLOEXEC) || pipe2(p.err, O_CLOEXEC) || pipe2(p.status, O_CLOEXEC))
		err = errno;
	pid_t pid = err ? -1 : fork();
	if (pid == 0)
		become(c, &p);
	if (!err && pid < 0)
		err = errno;
	shut(&p.out[1]);
	shut(&p.err[1]);
	shut(&p.status[1]);
	if (pid > 0) {
		if (read(p.status[0], &why, sizeof why) == sizeof why)
			err = why == EACCES ? ENOENT : why; /* a folder of PATH that nobody may look into hides nothing that could be run */
		if (!err)
			err = listen_to(c, &p);
		if (err)
			kill(pid, SIGKILL);
		while (waitpid(pid, &c->status, 0) < 0 && errno == EINTR)
			;
	}
	shut(&p.out[0]);
	shut(&p.err[0]);
	shut(&p.status[0]);
	return err;
}

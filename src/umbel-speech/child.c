/* SPDX-License-Identifier: Apache-2.0 */
/* child.c  Starts it, feeds it, reads it, ends it. */
#include "umbel-speech/child.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"

#define MEMORY_MAX ((rlim_t)512 << 20) /* of addresses; espeak-ng takes some 20 MB */
enum { CHUNK = 16384, CPU_S = 20, POLL_MS = 5 };

extern char **environ;

struct child {
	pid_t pid;
	int to, from;
	int64_t until_ms;
};

static int spawn(pid_t *pid, const char *const *argv, int in, int out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t pipe_alone;
	sigemptyset(&pipe_alone);
	sigaddset(&pipe_alone, SIGPIPE); /* ours is ignored; a child whose reader is gone shall end */
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &pipe_alone);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclose(&files, 3); /* umbeld's socket */
	int err = posix_spawnp(pid, argv[0], &files, &attr, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return err;
}

/* Files are bounded by our own limits (sandbox.c), which it has from us: its sound library wants a memory file, even where none is played. */
static void bound(pid_t pid)
{
	struct rlimit memory = { MEMORY_MAX, MEMORY_MAX }, cpu = { CPU_S, CPU_S };
	(void)prlimit(pid, RLIMIT_AS, &memory, NULL);
	(void)prlimit(pid, RLIMIT_CPU, &cpu, NULL);
}

static int start(struct child *c, const char *const *argv)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	int err = pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ? errno : 0;
	if (!err)
		err = spawn(&c->pid, argv, in[0], out[1]);
	if (err)
		c->pid = 0;
	else
		bound(c->pid);
	if (in[0] >= 0)
		close(in[0]);
	if (out[1] >= 0)
		close(out[1]);
	c->to = in[1];
	c->from = out[0];
	if (!err)
		(void)fcntl(c->to, F_SETFL, O_NONBLOCK);
	return err;
}

static int64_t left(const struct child *c)
{
	return c->until_ms - clock_mono_ms(clock_system());
}

static void feed(struct child *c, struct text *in)
{
	ssize_t n = in->n ? write(c->to, in->p, in->n) : 0;
	if (n > 0)
		*in = text_skip(*in, (size_t)n);
	if (!in->n || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(c->to);
		c->to = -1;
	}
}

/* ENODATA: there is no more. */
static int take(struct child *c, struct buf *out)
{
	uint8_t got[CHUNK];
	ssize_t n = read(c->from, got, sizeof got);
	if (n > 0)
		return buf_put(out, got, (size_t)n);
	return n == 0 ? ENODATA : errno == EAGAIN || errno == EINTR ? 0 : errno;
}

/* Both directions, so that neither waits for the other. */
static int talk(struct child *c, struct text in, struct buf *out)
{
	for (int err = 0; !err;) {
		struct pollfd p[2] = { { .fd = c->from, .events = POLLIN }, { .fd = c->to, .events = POLLOUT } };
		int64_t ms = left(c);
		if (ms <= 0)
			return ETIMEDOUT;
		if (poll(p, c->to >= 0 ? 2 : 1, (int)ms) < 0) {
			if (errno != EINTR)
				return errno;
			continue;
		}
		if (c->to >= 0 && p[1].revents)
			feed(c, &in);
		if (p[0].revents)
			err = take(c, out);
		if (err)
			return err == ENODATA ? 0 : err;
	}
	return 0;
}

/* It has closed its output: its status tells whether that was all. */
static int end_of(struct child *c)
{
	int status;
	for (;;) {
		pid_t got = waitpid(c->pid, &status, WNOHANG);
		if (got == c->pid) {
			c->pid = 0;
			return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : ECHILD;
		}
		if (got < 0 && errno != EINTR)
			return errno;
		if (left(c) <= 0)
			return ETIMEDOUT;
		(void)poll(NULL, 0, POLL_MS);
	}
}

int child_run(const char *const *argv, struct text in, int64_t limit_ms, struct buf *out)
{
	struct child c = { .to = -1, .from = -1, .until_ms = clock_mono_ms(clock_system()) + limit_ms };
	int err = start(&c, argv);
	if (!err)
		err = talk(&c, in, out);
	if (c.to >= 0)
		close(c.to);
	if (!err)
		err = end_of(&c);
	if (c.from >= 0)
		close(c.from);
	if (c.pid > 0) {
		kill(c.pid, SIGKILL);
		while (waitpid(c.pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return err;
}

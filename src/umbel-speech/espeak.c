/* SPDX-License-Identifier: Apache-2.0 */
/* espeak.c  Runs it, feeds it, reads it, within a time. */
#include "umbel-speech/espeak.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"

enum { OUT_MAX = 16 << 20, AT_LEAST_MS = 5000, PER_LINE_MS = 20, CHUNK = 16384 };

extern char **environ;

static int spawn(const char *voice, int in, int out, pid_t *pid)
{
	const char *argv[] = { "espeak-ng", "-q", "--ipa", "--sep= ", "-v", voice, NULL };
	posix_spawn_file_actions_t files;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclose(&files, 3); /* umbeld's socket */
	int err = posix_spawnp(pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	return err;
}

/* Both directions, so that neither waits for the other. */
static int talk(int *to, int from, struct text words, struct buf *got)
{
	size_t sent = 0, lines = 0;
	for (size_t i = 0; i < words.n; i++)
		lines += words.p[i] == '\n';
	int64_t until = clock_mono_ms(clock_system()) + AT_LEAST_MS + PER_LINE_MS * (int64_t)lines;
	for (;;) {
		struct pollfd p[2] = { { .fd = from, .events = POLLIN }, { .fd = *to, .events = POLLOUT } };
		int64_t left = until - clock_mono_ms(clock_system());
		if (left <= 0)
			return ETIMEDOUT;
		if (poll(p, *to >= 0 ? 2 : 1, (int)left) < 0 && errno != EINTR)
			return errno;
		if (*to >= 0 && p[1].revents) {
			ssize_t n = write(*to, words.p + sent, words.n - sent);
			sent += n > 0 ? (size_t)n : 0;
			if (sent == words.n || (n < 0 && errno != EAGAIN && errno != EINTR)) {
				close(*to);
				*to = -1;
			}
		}
		if (p[0].revents) {
			uint8_t *room = buf_reserve(got, CHUNK);
			ssize_t n = room ? read(from, room, CHUNK) : -1;
			if (!room)
				return buf_error(got);
			if (n > 0)
				buf_grew(got, (size_t)n);
			else if (n == 0)
				return 0;
			else if (errno != EAGAIN && errno != EINTR)
				return errno;
		}
	}
}

static int hand_over(struct text out, struct text words, espeak_line_h *h, void *arg)
{
	size_t lines = 0, got = 0;
	for (size_t i = 0; i < words.n; i++)
		lines += words.p[i] == '\n';
	for (size_t i = 0; i < out.n; i++)
		got += out.p[i] == '\n';
	if (got != lines)
		return EPROTO; /* which belongs to which is not known */
	struct text line, rest = out;
	for (size_t i = 0; i < lines && text_cut(rest, '\n', &line, &rest); i++)
		h(i, line, arg);
	return 0;
}

int espeak_run(const char *voice, struct text words, espeak_line_h *h, void *arg)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err = 0;
	pid_t pid = 0;
	struct buf got;
	for (const char *p = voice; *p; p++)
		if (!isalpha((unsigned char)*p) && *p != '-')
			return EINVAL;
	buf_init(&got, OUT_MAX);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		err = errno;
	if (!err)
		err = spawn(voice, in[0], out[1], &pid);
	if (in[0] >= 0)
		close(in[0]);
	if (out[1] >= 0)
		close(out[1]);
	if (!err) {
		(void)fcntl(in[1], F_SETFL, O_NONBLOCK);
		err = talk(&in[1], out[0], words, &got);
	}
	if (pid > 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (in[1] >= 0)
		close(in[1]);
	if (out[0] >= 0)
		close(out[0]);
	if (!err)
		err = hand_over(buf_as_text(&got), words, h, arg);
	buf_free(&got);
	return err;
}

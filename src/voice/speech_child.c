/* SPDX-License-Identifier: Apache-2.0 */
/* speech_child.c  The helper as a process: where its program is, what it is given. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>
#include "umbel-config.h"
#include "voice/speech.h"
#include "voice/speech_private.h"

enum { HELPER_FD = 3 };

const char *speech_program(const char *named)
{
	static const char *const places[] = { UMBEL_LIBEXECDIR "/umbel-speech", UMBEL_BUILD_ROOT "/src/umbel-speech/umbel-speech" };
	if (!named)
		named = getenv("UMBEL_SPEECH");
	for (size_t i = 0; !(named && *named) && i < sizeof places / sizeof *places; i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return named && *named ? named : places[0];
}

/* The helper gets what it needs from the environment, nothing else: there may be secrets in it. */
static void environment(char **env, size_t max)
{
	static char language[] = "LANG=C.UTF-8";
	static const char *const wanted[] = { "PATH", "UMBEL_SPEECH_MODEL", "UMBEL_SPEECH_FRONT", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "TMPDIR" };
	extern char **environ;
	size_t n = 0;
	env[n++] = language;
	for (char **e = environ; *e; e++)
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted && n + 1 < max; i++)
			if (strncmp(*e, wanted[i], strlen(wanted[i])) == 0 && (*e)[strlen(wanted[i])] == '=')
				env[n++] = *e;
	env[n] = NULL;
}

static int spawn(pid_t *pid, const char *path, int theirs)
{
	static char name[] = "umbel-speech", serve[] = "--serve";
	char *argv[] = { name, serve, NULL }, *env[16];
	posix_spawnattr_t attr;
	posix_spawn_file_actions_t files;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	environment(env, sizeof env / sizeof *env);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0); /* a key pressed at a terminal is umbeld's alone */
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, theirs, HELPER_FD);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	int err = posix_spawn(pid, path, &files, &attr, argv, env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	if (err)
		*pid = 0;
	return err;
}

static int pair(int fd[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		return errno;
	for (int i = 0; i < 2; i++)
		if (fd[i] == HELPER_FD) { /* dup2 onto itself would leave it closed on exec */
			int other = fcntl(fd[i], F_DUPFD_CLOEXEC, 10);
			close(fd[i]);
			fd[i] = other;
		}
	return fd[0] < 0 || fd[1] < 0 ? EMFILE : 0;
}

int speech_spawn(pid_t *pid, int *ours, const char *path)
{
	int fd[2] = { -1, -1 }, err = pair(fd);
	if (!err)
		err = spawn(pid, path, fd[1]);
	if (fd[1] >= 0)
		close(fd[1]);
	*ours = fd[0];
	return err;
}

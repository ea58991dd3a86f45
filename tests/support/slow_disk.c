/* SPDX-License-Identifier: Apache-2.0 */
/* slow_disk.c  A disk that takes its time, or hangs: loaded before the C library (LD_PRELOAD), it holds up whoever writes to or syncs a regular file.
 *
 *   SLOW_DISK_UNDER    only files whose path begins so
 *   SLOW_DISK_GATE     while this file is there, the disk hangs
 *   SLOW_DISK_SYNC_MS  how long a sync takes at least                                                                   */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_NS = 5000000, PATH = 512 };

int fsync(int fd);
int fdatasync(int fd);

static void pass(long ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };
	nanosleep(&t, NULL);
}

static int is_ours(int fd)
{
	const char *under = getenv("SLOW_DISK_UNDER");
	char link[64], path[PATH];
	struct stat st;
	if (!under || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	return n > 0 && strncmp(path, under, strlen(under)) == 0;
}

static void hold(int fd, int syncs)
{
	int was = errno;
	const char *gate = getenv("SLOW_DISK_GATE"), *ms = getenv("SLOW_DISK_SYNC_MS");
	if (is_ours(fd)) {
		if (syncs && ms)
			pass(atol(ms) * 1000000);
		while (gate && access(gate, F_OK) == 0)
			pass(LOOK_NS);
	}
	errno = was;
}

ssize_t write(int fd, const void *p, size_t n)
{
	hold(fd, 0);
	return syscall(SYS_write, fd, p, n);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	hold(fd, 0);
	return syscall(SYS_writev, fd, v, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	hold(fd, 0);
	return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	hold(fd, 0);
	return syscall(SYS_pwrite64, fd, p, n, at);
}

int fsync(int fd)
{
	hold(fd, 1);
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	hold(fd, 1);
	return (int)syscall(SYS_fdatasync, fd);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* spool.c  Write, sync, rename, sync the folder: the order in which a file becomes one that a crash cannot take away. */
#include "mailbox/spool.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "base/mem.h"
#include "mailbox_events.h"

enum { HEADER_MAX = 4096, SPOOL_AUDIO_MAX = 64 << 20 };

struct spool {
	char dir[512];
	int fd, tmp, fresh, bad; /* folders */
	uint64_t free_min;
};

static int complain(const struct spool *s, int err, struct ev_report *why)
{
	ev_set(why, EV_MBOX_SPOOL_UNUSABLE);
	ev_str(why, "path", s->dir);
	ev_str(why, "error", strerror(err));
	return err;
}

static int folder(int at, const char *name, int *fd)
{
	if (mkdirat(at, name, 0700) && errno != EEXIST)
		return errno;
	*fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? errno : 0;
}

/* What an earlier life did not finish was never accepted. */
static void sweep(int tmp)
{
	int fd = dup(tmp);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			unlinkat(tmp, e->d_name, 0);
	closedir(d);
}

int spool_open(struct spool **sp, const char *dir, uint64_t free_min_bytes, struct ev_report *why)
{
	struct spool *s = mem_zalloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	s->fd = s->tmp = s->fresh = s->bad = -1;
	s->free_min = free_min_bytes;
	text_fill(s->dir, sizeof s->dir, dir);
	int err = folder(AT_FDCWD, dir, &s->fd);
	if (!err)
		err = folder(s->fd, "tmp", &s->tmp);
	if (!err)
		err = folder(s->fd, "new", &s->fresh);
	if (!err)
		err = folder(s->fd, "bad", &s->bad);
	if (!err && fsync(s->fd)) /* or a power cut could take new/ away with all that is in it */
		err = errno;
	if (!err && faccessat(s->tmp, ".", W_OK | X_OK, AT_EACCESS))
		err = errno;
	if (err) {
		complain(s, err, why);
		spool_close(s);
		return err;
	}
	sweep(s->tmp);
	*sp = s;
	return 0;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	int fds[] = { s->fd, s->tmp, s->fresh, s->bad };
	for (unsigned i = 0; i < 4; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	mem_free(s);
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

/* After fsync(2) failed the bytes are not to be trusted and syncing again would lie: the file is given up. */
static int write_synced(struct spool *s, const char *id, const struct buf *head, const uint8_t *p, size_t n)
{
	int fd = openat(s->tmp, id, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	int err = write_all(fd, head->p, head->n);
	if (!err)
		err = write_all(fd, p, n);
	if (!err && fsync(fd))
		err = errno;
	if (close(fd) && !err)
		err = errno;
	if (!err && renameat(s->tmp, id, s->fresh, id))
		err = errno;
	if (!err && fsync(s->fresh)) {
		err = errno;
		unlinkat(s->fresh, id, 0);
	}
	if (err)
		unlinkat(s->tmp, id, 0);
	return err;
}

int spool_put(struct spool *s, const struct mbox_message *msg, const uint8_t *p, size_t n, struct ev_report *why)
{
	struct buf head;
	if (!id_valid(text_of(msg->id)))
		return EINVAL;
	buf_init(&head, HEADER_MAX);
	int err = spool_header_write(msg, n, &head);
	if (!err)
		err = write_synced(s, msg->id, &head, p, n);
	buf_free(&head);
	return err ? complain(s, err, why) : 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(a, b);
}

int spool_list(struct spool *s, char (**ids)[ID_SIZE], size_t *n)
{
	int fd = openat(s->fd, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct buf b;
	if (!d)
		return errno;
	buf_init(&b, 64 << 20);
	for (struct dirent *e; (e = readdir(d)) != NULL && !err;)
		if (id_valid(text_of(e->d_name)))
			err = buf_put(&b, e->d_name, ID_SIZE);
	closedir(d);
	if (err) {
		buf_free(&b);
		return err;
	}
	size_t bytes = 0;
	*ids = (char(*)[ID_SIZE])buf_take(&b, &bytes);
	*n = bytes / ID_SIZE;
	if (*n)
		qsort(*ids, *n, ID_SIZE, by_id); /* ids sort by time */
	return 0;
}

static int read_fd(int fd, uint64_t offset, size_t n, struct buf *out)
{
	for (size_t left = n; !n || left;) {
		size_t want = n && left < 65536 ? left : 65536;
		uint8_t *p = buf_reserve(out, want);
		if (!p)
			return buf_error(out);
		ssize_t r = pread(fd, p, want, (off_t)offset);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return errno;
		if (r == 0)
			return n ? ENODATA : 0;
		buf_grew(out, (size_t)r);
		offset += (uint64_t)r;
		left -= n ? (size_t)r : 0;
	}
	return 0;
}

int spool_read_file(const char *path, uint64_t offset, size_t n, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno;
	int err = read_fd(fd, offset, n, out);
	close(fd);
	return err;
}

static void put_aside(struct spool *s, const char *id, struct ev_report *why)
{
	renameat(s->fresh, id, s->bad, id);
	ev_set(why, EV_MBOX_SPOOL_DAMAGED);
	ev_printf(why, "path", "%s/bad/%s", s->dir, id);
}

int spool_get(struct spool *s, const char *id, struct mbox_message *msg, struct buf *out, struct ev_report *why)
{
	struct buf file;
	uint64_t bytes = 0;
	int fd = openat(s->fresh, id, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno;
	buf_init(&file, SPOOL_AUDIO_MAX + HEADER_MAX);
	int err = read_fd(fd, 0, 0, &file);
	close(fd);
	struct text line, audio;
	if (!err && (!text_cut(buf_as_text(&file), '\n', &line, &audio) || spool_header_parse(line, msg, &bytes) || bytes != audio.n ||
	             strcmp(msg->id, id) != 0)) {
		put_aside(s, id, why);
		err = EBADMSG;
	}
	if (!err && audio.n)
		err = buf_put(out, audio.p, audio.n);
	buf_free(&file);
	return err;
}

int spool_remove(struct spool *s, const char *id)
{
	return unlinkat(s->fresh, id, 0) ? errno : 0;
}

static int enough(const struct spool *s, const struct statvfs *v)
{
	if (v->f_flag & ST_RDONLY)
		return EROFS;
	return (uint64_t)v->f_bavail * v->f_frsize < s->free_min ? ENOSPC : 0;
}

int spool_room(struct spool *s, struct ev_report *why)
{
	struct statvfs v;
	int err = fstatvfs(s->tmp, &v) ? errno : enough(s, &v);
	return err ? complain(s, err, why) : 0;
}

int spool_disk_room(const struct spool *s, const char *dir)
{
	struct statvfs v;
	return statvfs(dir, &v) ? errno : enough(s, &v);
}

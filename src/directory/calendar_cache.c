/* SPDX-License-Identifier: Apache-2.0 */
/* calendar_cache.c  calendars/HASH.ics below the data folder: lines of "key: value", an empty line, the iCalendar as it came. */
#include "directory/calendar_cache.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "trust/pem.h"

enum { HEAD_MAX_BYTES = 8192 };
static const char first_line[] = "umbel-calendar 1";
static const uint8_t keys[2][16] = { "umbel calendar 1", "umbel calendar 2" };

bool calendar_copy_path(const char *folder, const char *url, char *dst, size_t size)
{
	return text_print(dst, size, "%s/calendars/%016llx%016llx.ics", folder, (unsigned long long)hash_siphash(keys[0], url, strlen(url)),
			  (unsigned long long)hash_siphash(keys[1], url, strlen(url))) == 0;
}

static int read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = 0;
	if (fd < 0)
		return errno;
	for (;;) {
		uint8_t *p = buf_reserve(out, 65536);
		ssize_t n = p ? read(fd, p, 65536) : -1;
		if (n < 0 && p && errno == EINTR)
			continue;
		err = !p ? buf_error(out) : n < 0 ? errno : 0;
		if (n <= 0)
			break;
		buf_grew(out, (size_t)n);
	}
	close(fd);
	return err;
}

static int64_t seconds(struct text t)
{
	uint64_t v;
	return text_u64(t, INT64_MAX, &v) ? 0 : (int64_t)v;
}

static bool take_head(struct text head, const char *url, struct calendar_copy *c)
{
	struct text line, key, value;
	bool first = true, ours = false;
	while (head.n) {
		text_cut(head, '\n', &line, &head);
		if (first && !text_is(line, first_line))
			return false;
		first = false;
		text_cut(line, ':', &key, &value);
		value = text_trim(value);
		if (text_is(key, "address"))
			ours = text_is(value, url);
		else if (text_is(key, "fetched"))
			c->fetched_s = seconds(value);
		else if (text_is(key, "checked"))
			c->checked_s = seconds(value);
		else if (text_is(key, "etag"))
			(void)text_copy(value, c->etag, sizeof c->etag);
		else if (text_is(key, "last-modified"))
			(void)text_copy(value, c->last_modified, sizeof c->last_modified);
	}
	return ours && c->fetched_s > 0;
}

int calendar_copy_read(const char *folder, const char *url, struct calendar_copy *c, struct buf *body)
{
	char path[4200];
	struct buf all;
	struct calendar_copy copy = { 0 };
	if (!calendar_copy_path(folder, url, path, sizeof path))
		return ENAMETOOLONG;
	buf_init(&all, CFG_CALENDAR_MAX_BYTES + HEAD_MAX_BYTES + 65536);
	int err = read_file(path, &all);
	struct text t = buf_as_text(&all);
	size_t end = err ? SIZE_MAX : text_find_text(text_head(t, HEAD_MAX_BYTES), TEXT("\n\n"));
	if (!err && (end == SIZE_MAX || !take_head(text_head(t, end), url, &copy)))
		err = ENOENT;
	if (!err && body)
		err = buf_text(body, text_skip(t, end + 2));
	if (!err)
		*c = copy;
	buf_free(&all);
	return err;
}

int calendar_copy_write(const char *folder, const char *url, const struct calendar_copy *c, struct text body)
{
	char path[4200];
	struct buf all;
	if (text_print(path, sizeof path, "%s/calendars", folder))
		return ENAMETOOLONG;
	if (mkdir(path, 0700) && errno != EEXIST)
		return errno;
	if (!calendar_copy_path(folder, url, path, sizeof path))
		return ENAMETOOLONG;
	buf_init(&all, CFG_CALENDAR_MAX_BYTES + HEAD_MAX_BYTES);
	buf_printf(&all, "%s\naddress: %s\nfetched: %lld\nchecked: %lld\netag: %s\nlast-modified: %s\n\n", first_line, url,
		   (long long)c->fetched_s, (long long)c->checked_s, c->etag, c->last_modified);
	buf_text(&all, body);
	int err = buf_error(&all);
	if (!err)
		err = trust_file_write(path, all.p, all.n, 0600);
	buf_free(&all);
	return err;
}

int calendar_copy_find(const struct cfg_schedule *s, struct buf *ics, void *arg)
{
	struct calendar_copy c;
	return calendar_copy_read(arg, s->calendar, &c, ics);
}

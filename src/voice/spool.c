/* SPDX-License-Identifier: Apache-2.0 */
/* spool.c  Spool files: written, read, found again after a crash. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "event/bus.h"
#include "voice/pack.h"
#include "voice/spool_private.h"
#include "voice_events.h"

enum { LEAST_MS = 1000, LINE_HEAD = 19 }; /* "UMSPOOL 1 01234567\n" */

/* ---- blocks of lines with a sum ---- */
static void put_text(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "%s=", name);
	for (; *value; value++)
		buf_char(b, *value == '\n' || *value == '\r' ? ' ' : *value);
	buf_char(b, '\n');
}

/* The block as SPOOL_HEAD bytes at dst. */
static int seal(uint8_t *dst, const char *magic, struct buf *b)
{
	int err = buf_error(b);
	if (!err && b->n > SPOOL_HEAD - LINE_HEAD - 1)
		err = EMSGSIZE;
	if (!err) {
		memset(dst, 0, SPOOL_HEAD);
		memcpy(dst + LINE_HEAD, b->p, b->n);
		char line[LINE_HEAD + 1];
		snprintf(line, sizeof line, "%s 1 %08x\n", magic, pack_crc(dst + LINE_HEAD, SPOOL_HEAD - LINE_HEAD));
		memcpy(dst, line, LINE_HEAD);
	}
	buf_free(b);
	return err;
}

static struct text unseal(const uint8_t *p, const char *magic)
{
	char line[LINE_HEAD + 1];
	snprintf(line, sizeof line, "%s 1 %08x\n", magic, pack_crc(p + LINE_HEAD, SPOOL_HEAD - LINE_HEAD));
	if (memcmp(p, line, LINE_HEAD))
		return TEXT_NONE;
	return text_make(p + LINE_HEAD, strnlen((const char *)p + LINE_HEAD, SPOOL_HEAD - LINE_HEAD));
}

static int write_head(uint8_t *dst, const struct spool_info *i)
{
	struct buf b;
	buf_init(&b, SPOOL_HEAD * 2);
	put_text(&b, "id", i->id);
	put_text(&b, "kind", i->kind);
	put_text(&b, "mailbox", i->mailbox);
	put_text(&b, "caller", i->caller);
	put_text(&b, "name", i->name);
	put_text(&b, "session", i->session);
	put_text(&b, "codec", media_codec_name(i->codec));
	buf_printf(&b, "started=%lld\n", (long long)i->started_s);
	return seal(dst, "UMSPOOL", &b);
}

static int write_end(uint8_t *dst, const struct spool_info *i)
{
	struct buf b;
	buf_init(&b, SPOOL_HEAD);
	buf_printf(&b, "complete=%d\nspeech_ms=%u\npeak=%d\nmean=%d\nbytes=%llu\n", i->complete, i->speech_ms, -i->peak_db, -i->mean_db,
		(unsigned long long)i->bytes);
	return seal(dst, "UMSPEND", &b);
}

static bool is_text_field(struct spool_info *i, struct text name, struct text value)
{
	const struct {
		const char *name;
		char *at;
		size_t size;
	} fields[] = { { "id", i->id, sizeof i->id }, { "kind", i->kind, sizeof i->kind }, { "mailbox", i->mailbox, sizeof i->mailbox },
		{ "caller", i->caller, sizeof i->caller }, { "name", i->name, sizeof i->name }, { "session", i->session, sizeof i->session } };
	for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
		if (text_is(name, fields[k].name)) {
			text_copy(text_head(value, fields[k].size - 1), fields[k].at, fields[k].size);
			return true;
		}
	return false;
}

static void read_field(struct spool_info *i, struct text name, struct text value)
{
	uint64_t n = 0;
	if (is_text_field(i, name, value))
		return;
	if (text_is(name, "codec"))
		i->codec = text_is(value, "PCMA") ? MEDIA_PCMA : text_is(value, "L16") ? MEDIA_L16 : text_is(value, media_codec_name(MEDIA_L16_WIDE)) ? MEDIA_L16_WIDE : MEDIA_PCMU;
	else if (text_u64(value, INT64_MAX, &n))
		return;
	else if (text_is(name, "started"))
		i->started_s = (int64_t)n;
	else if (text_is(name, "complete"))
		i->complete = n == 1;
	else if (text_is(name, "speech_ms"))
		i->speech_ms = (uint32_t)(n > UINT32_MAX ? UINT32_MAX : n);
	else if (text_is(name, "peak"))
		i->peak_db = (int8_t)-(int)(n > 96 ? 96 : n);
	else if (text_is(name, "mean"))
		i->mean_db = (int8_t)-(int)(n > 96 ? 96 : n);
	else if (text_is(name, "bytes"))
		i->bytes = n;
}

static void read_fields(struct spool_info *i, struct text t)
{
	struct text line, rest, name, value;
	for (; text_cut(t, '\n', &line, &rest); t = rest)
		if (text_cut(line, '=', &name, &value))
			read_field(i, name, value);
}

uint32_t spool_ms(const struct spool_info *i)
{
	uint64_t ms = i->bytes / media_codec_tick_bytes(i->codec) / (MEDIA_RATE / 1000);
	return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

int spool_parse(struct spool_info *out, const uint8_t *p, size_t n, uint64_t audio_bytes)
{
	struct spool_info i = { 0 };
	struct text head = n >= SPOOL_HEAD ? unseal(p, "UMSPOOL") : TEXT_NONE;
	if (text_empty(head))
		return EBADMSG;
	read_fields(&i, head);
	i.complete = false;
	i.bytes = audio_bytes;
	struct text end = n >= SPOOL_AUDIO ? unseal(p + SPOOL_HEAD, "UMSPEND") : TEXT_NONE;
	if (!text_empty(end))
		read_fields(&i, end);
	if (i.bytes > audio_bytes) { /* the end came to the disk before the audio: what is there counts */
		i.bytes = audio_bytes;
		i.complete = false;
	}
	i.bytes -= i.bytes % media_codec_tick_bytes(i.codec);
	i.duration_ms = spool_ms(&i);
	*out = i;
	return 0;
}

/* ---- files ---- */
static int write_all(int fd, uint64_t at, const void *p, size_t n)
{
	const uint8_t *from = p;
	while (n) {
		ssize_t w = pwrite(fd, from, n, (off_t)at);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w ? errno : EIO;
		from += w;
		at += (uint64_t)w;
		n -= (size_t)w;
	}
	return 0;
}

static ssize_t read_some(int fd, uint64_t at, uint8_t *p, size_t n)
{
	size_t got = 0;
	while (got < n) {
		ssize_t r = pread(fd, p + got, n - got, (off_t)(at + got));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return r;
		if (!r)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int spool_create(int *fdp, const char *dir, const char *path, const struct spool_info *info)
{
	uint8_t blocks[SPOOL_AUDIO] = { 0 };
	int err = write_head(blocks, info);
	if (err)
		return err;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return errno;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	err = write_all(fd, 0, blocks, sizeof blocks);
	if (err) {
		close(fd);
		unlink(path);
		return err;
	}
	*fdp = fd;
	return 0;
}

int spool_append(int fd, uint64_t at, const void *p, size_t n)
{
	return write_all(fd, SPOOL_AUDIO + at, p, n);
}

int spool_end(int fd, const struct spool_info *info)
{
	uint8_t block[SPOOL_HEAD];
	int err = write_end(block, info);
	if (!err && ftruncate(fd, (off_t)(SPOOL_AUDIO + info->bytes)))
		err = errno;
	return err ? err : write_all(fd, SPOOL_HEAD, block, sizeof block);
}

int spool_sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int err = fsync(fd) ? errno : 0;
	close(fd);
	return err;
}

static int read_head(int fd, struct spool_info *info)
{
	uint8_t p[SPOOL_AUDIO];
	struct stat st;
	ssize_t n = read_some(fd, 0, p, sizeof p);
	if (n < 0 || fstat(fd, &st))
		return errno;
	return spool_parse(info, p, (size_t)n, st.st_size > SPOOL_AUDIO ? (uint64_t)st.st_size - SPOOL_AUDIO : 0);
}

int recording_read(const char *path, struct spool_info *info, struct buf *audio)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	struct spool_info i;
	int err = read_head(fd, &i);
	uint8_t *at = !err && audio && i.bytes ? buf_reserve(audio, i.bytes) : NULL;
	if (at) {
		ssize_t n = read_some(fd, SPOOL_AUDIO, at, i.bytes);
		if (n == (ssize_t)i.bytes)
			buf_grew(audio, i.bytes);
		else
			err = n < 0 ? errno : EIO;
	} else if (!err && audio) {
		err = buf_error(audio);
	}
	close(fd);
	if (!err)
		*info = i;
	return err;
}

/* The folder of a path. */
static void folder_of(const char *path, char *dir, size_t size)
{
	size_t at = text_rfind(text_of(path), '/');
	text_print(dir, size, "%.*s", at == SIZE_MAX ? 1 : (int)(at ? at : 1), at == SIZE_MAX ? "." : path);
}

int recording_remove(const char *path)
{
	char dir[SPOOL_PATH];
	if (unlink(path))
		return errno;
	folder_of(path, dir, sizeof dir);
	return spool_sync_dir(dir);
}

/* ---- after a crash ---- */
static void tell(struct ev_bus *bus, uint16_t id, const char *path, int err, const struct spool_info *info)
{
	struct ev_report r;
	ev_set(&r, id);
	ev_str(&r, "path", path);
	ev_str(&r, "error", strerror(err));
	if (info) {
		ev_session(&r, info->session);
		ev_str(&r, "mailbox", info->mailbox);
		ev_str(&r, "caller", info->caller);
		ev_int(&r, "duration_ms", info->duration_ms);
	}
	ev_emit(bus, &r);
}

static void set_aside(const char *path, struct ev_bus *bus)
{
	char bad[SPOOL_PATH + 4];
	if (!text_print(bad, sizeof bad, "%s.bad", path) && !rename(path, bad))
		tell(bus, EV_VOICE_SPOOL_BAD, path, 0, NULL);
	else
		tell(bus, EV_VOICE_SPOOL_UNREADABLE, path, errno, NULL);
}

/* Gives a file that was cut off its end. */
static int close_cut(const char *path, struct spool_info *info)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;
	info->peak_db = info->mean_db = -96; /* nobody measured it to the end */
	int err = spool_end(fd, info);
	if (!err && fsync(fd))
		err = errno;
	close(fd);
	return err;
}

static bool has_end(const char *path)
{
	uint8_t p[SPOOL_AUDIO];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is = fd >= 0 && read_some(fd, 0, p, sizeof p) == sizeof p && !text_empty(unseal(p + SPOOL_HEAD, "UMSPEND"));
	if (fd >= 0)
		close(fd);
	return is;
}

static void recover_one(const char *path, struct ev_bus *bus, spool_found_h *found, void *arg)
{
	struct spool_info info;
	int err = recording_read(path, &info, NULL);
	if (err == EBADMSG) {
		set_aside(path, bus);
		return;
	}
	if (!err && !has_end(path)) {
		if (info.duration_ms < LEAST_MS) {
			err = recording_remove(path);
			if (!err)
				return;
		} else {
			err = close_cut(path, &info);
			if (!err)
				tell(bus, EV_VOICE_SPOOL_CUT, path, 0, &info);
		}
	}
	if (err)
		tell(bus, EV_VOICE_SPOOL_UNREADABLE, path, err, NULL);
	else
		found(path, &info, arg);
}

int recorder_recover(const char *dir, struct ev_bus *bus, spool_found_h *found, void *arg)
{
	DIR *d = opendir(dir);
	if (!d && errno == ENOENT) /* nothing was ever recorded */
		return 0;
	if (!d) {
		int err = errno;
		tell(bus, EV_VOICE_SPOOL_UNREADABLE, dir, err, NULL);
		return err;
	}
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		char path[SPOOL_PATH];
		if (text_ends_nocase(text_of(e->d_name), ".spool") && !text_print(path, sizeof path, "%s/%s", dir, e->d_name))
			recover_one(path, bus, found, arg);
	}
	closedir(d);
	return 0;
}

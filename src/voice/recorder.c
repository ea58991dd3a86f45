/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.c  A caller's recording: a sink for the media engine whose bytes go to a spool file.
 *
 * begin, append, sync and finish run on the engine's file threads and touch `fd`, `bytes`, `info` alone; the loop reads those only
 * after MEDIA_REC_ENDED.                                                                                               */
#include "voice/recorder.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>
#include "base/id.h"
#include "base/mem.h"
#include "voice/spool_private.h"
#include "voice_events.h"

enum { TRIM_KEEPS_MS = 300 };

struct recorder {
	struct media_sink sink;
	struct media_port *port;
	struct ev_bus *bus;
	recorder_h *handler;
	void *arg;
	char dir[SPOOL_PATH], path[SPOOL_PATH];
	struct spool_info info;
	uint32_t id; /* of the recording; 0: none runs */
	uint32_t ms;
	enum recorder_end end;
	bool end_known;
	atomic_bool trim;
	/* file threads */
	int fd, broken;
	uint64_t bytes;
	bool dir_synced;
};

/* ---- file threads ---- */
static struct recorder *self(struct media_sink *s)
{
	return (struct recorder *)(void *)((char *)s - offsetof(struct recorder, sink));
}

static int sink_begin(struct media_sink *s)
{
	struct recorder *r = self(s);
	return spool_create(&r->fd, r->dir, r->path, &r->info);
}

static int sink_append(struct media_sink *s, const void *p, size_t n)
{
	struct recorder *r = self(s);
	int err = spool_append(r->fd, r->bytes, p, n);
	if (err)
		r->broken = err;
	else
		r->bytes += n;
	return err;
}

static int sink_sync(struct media_sink *s)
{
	struct recorder *r = self(s);
	if (r->dir_synced)
		return fdatasync(r->fd) ? errno : 0;
	int err = fsync(r->fd) ? errno : 0;
	if (!err)
		err = spool_sync_dir(r->dir); /* the first time also the name */
	r->dir_synced = !err;
	return err;
}

static int sink_finish(struct media_sink *s, const struct media_rec_stats *stats)
{
	struct recorder *r = self(s);
	struct spool_info *i = &r->info;
	if (r->fd < 0)
		return 0; /* it could not begin */
	size_t sample = media_codec_tick_bytes(i->codec);
	uint64_t wanted = ((uint64_t)stats->speech_end + TRIM_KEEPS_MS * (MEDIA_RATE / 1000)) * sample;
	i->bytes = r->bytes;
	if (atomic_load(&r->trim) && stats->speech_end && wanted < i->bytes)
		i->bytes = wanted;
	i->complete = !r->broken;
	i->speech_ms = stats->speech_ms;
	i->peak_db = stats->peak_db;
	i->mean_db = stats->mean_db;
	i->duration_ms = spool_ms(i);
	int err = spool_end(r->fd, i);
	if (!err && fsync(r->fd))
		err = errno;
	if (close(r->fd) && !err)
		err = errno;
	r->fd = -1;
	return err;
}

/* ---- loop ---- */
static void fill_info(struct recorder *r, const struct recorder_prm *prm)
{
	struct spool_info *i = &r->info;
	id_make(i->id, prm->clock);
	text_fill(i->kind, sizeof i->kind, prm->kind ? prm->kind : "");
	text_fill(i->mailbox, sizeof i->mailbox, prm->mailbox ? prm->mailbox : "");
	text_fill(i->caller, sizeof i->caller, prm->caller ? prm->caller : "");
	text_fill(i->name, sizeof i->name, prm->name ? prm->name : "");
	text_fill(i->session, sizeof i->session, prm->session ? prm->session : "");
	i->started_s = clock_real_s(prm->clock);
	i->codec = prm->codec;
}

int recorder_start(struct recorder **rp, const struct recorder_prm *prm, struct ev_report *why)
{
	struct recorder *r = mem_zalloc(1, sizeof *r);
	if (!r)
		return ENOMEM;
	r->sink = (struct media_sink){ sink_begin, sink_append, sink_sync, sink_finish };
	r->port = prm->port;
	r->bus = prm->bus;
	r->handler = prm->handler;
	r->arg = prm->arg;
	r->fd = -1;
	fill_info(r, prm);
	int err = text_print(r->dir, sizeof r->dir, "%s", prm->dir);
	if (!err)
		err = text_print(r->path, sizeof r->path, "%s/%s.spool", prm->dir, r->info.id);
	struct media_record_prm mp = { .sink = &r->sink, .format = prm->codec, .max_ms = prm->max_ms, .silence_ms = prm->silence_ms,
		.start_silence_ms = prm->start_silence_ms, .silence_db = prm->silence_db, .level = prm->level };
	if (!err)
		err = media_record(prm->port, &mp, &r->id);
	if (err) {
		ev_set(why, EV_VOICE_SPOOL_FAILED);
		ev_str(why, "path", prm->dir);
		ev_str(why, "error", strerror(err));
		mem_free(r);
		return err;
	}
	*rp = r;
	return 0;
}

static void end_as(struct recorder *r, enum recorder_end end)
{
	if (r->end_known)
		return;
	r->end_known = true;
	r->end = end;
}

void recorder_stop(struct recorder *r, enum recorder_end as)
{
	if (!r->id || r->end_known)
		return;
	end_as(r, as);
	media_record_stop(r->port);
}

const struct spool_info *recorder_info(const struct recorder *r)
{
	return &r->info;
}

const char *recorder_path(const struct recorder *r)
{
	return r->path;
}

uint32_t recorder_ms(const struct recorder *r)
{
	return r->ms;
}

/* It is on the disk, or never will be. */
static void ended(struct recorder *r, const struct media_event *ev)
{
	r->id = 0;
	end_as(r, REC_HANGUP); /* nobody stopped it: the port was closed */
	if (ev->err)
		r->end = REC_FAILED;
	if (ev->err) {
		struct ev_report why;
		ev_set(&why, r->info.bytes ? EV_VOICE_SPOOL_BROKE : EV_VOICE_SPOOL_FAILED);
		ev_session(&why, r->info.session);
		ev_str(&why, "path", r->dir);
		ev_str(&why, "mailbox", r->info.mailbox);
		ev_str(&why, "caller", r->info.caller);
		ev_int(&why, "duration_ms", r->info.duration_ms);
		ev_str(&why, "error", strerror(ev->err));
		ev_emit(r->bus, &why);
	}
	struct recorder_result res = { .end = r->end, .err = ev->err, .heard = ev->heard, .path = r->path, .info = &r->info };
	if (r->handler)
		r->handler(r, &res, r->arg);
}

bool recorder_event(struct recorder *r, const struct media_event *ev)
{
	if (!r->id || ev->id != r->id)
		return false;
	switch (ev->type) {
	case MEDIA_REC_SILENCE:
		if (!r->end_known && ev->heard)
			atomic_store(&r->trim, true);
		recorder_stop(r, REC_SILENCE);
		return true;
	case MEDIA_REC_FULL:
		end_as(r, REC_FULL);
		return true;
	case MEDIA_REC_BLOCK:
		r->ms = ev->ms;
		return true;
	case MEDIA_REC_ENDED:
		ended(r, ev);
		return true;
	default:
		return false;
	}
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	mem_free(r);
}

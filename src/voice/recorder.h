/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.h  Records a caller into a spool file that survives a crash.
 *
 * The file begins with a header (who, when, how encoded) that is written before the first sample; samples follow in appends of 16 KiB. All of
 * it, and the first time the file's name, is synced every 4 s. The end is written into the header last, so a file without an end is one that was cut off:
 * recorder_recover() finds it, gives it the length that is there and marks it "cut". The file belongs to the caller of
 * recorder_start() once REC_ENDED was told: who has stored the message removes it (recording_remove).                       */
#ifndef VOICE_RECORDER_H
#define VOICE_RECORDER_H
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "media/media.h"

enum { SPOOL_FIELD = 128, SPOOL_PATH = 512 };

/* Head of a spool file, and what is known of a recording. */
struct spool_info {
	char id[32];            /* of the message to be; chosen at start, unique: id.h */
	char mailbox[SPOOL_FIELD], caller[SPOOL_FIELD], name[SPOOL_FIELD], session[SPOOL_FIELD];
	char kind[16];          /* "message", "greeting", ... : the caller's word */
	int64_t started_s;
	enum media_codec codec; /* of the bytes that follow */
	bool complete;          /* false: cut off */
	uint32_t duration_ms, speech_ms;
	int8_t peak_db, mean_db;
	uint64_t bytes;         /* of audio */
};

struct recorder;
enum recorder_end {
	REC_SILENCE, /* the caller fell silent; trailing silence is trimmed */
	REC_FULL,    /* max_ms */
	REC_STOPPED, /* recorder_stop(): a key, or whatever the owner wanted */
	REC_HANGUP,  /* recorder_stop() with hang-up, or the port was closed */
	REC_FAILED,  /* the disk: err; what was written until then is kept and counts */
};
struct recorder_result {
	enum recorder_end end;
	int err;
	bool heard;             /* whether anybody spoke */
	const char *path;       /* valid while the recorder lives */
	const struct spool_info *info;
};
/* Once, on the loop thread; the recorder may be freed in it. */
typedef void (recorder_h)(struct recorder *r, const struct recorder_result *res, void *arg);

struct recorder_prm {
	struct media_port *port;
	const char *dir;        /* spool folder; made if missing (0700) */
	const struct um_clock *clock;
	struct ev_bus *bus;     /* may be NULL */
	const char *mailbox, *caller, *name, *session, *kind; /* copied; NULL counts as "" */
	enum media_codec codec; /* what is stored: PCMU (default), PCMA, L16, L16_WIDE */
	uint32_t max_ms, silence_ms, start_silence_ms; /* 0: none */
	int8_t silence_db;      /* 0: default */
	bool level;             /* quiet speech is made louder */
	recorder_h *handler;
	void *arg;
};
/* Opens nothing itself, for the loop must not wait for a disk: a file that cannot be made ends the recording at once, as REC_FAILED with err
 * (ENOSPC, EACCES, EROFS ...) and an event. 0; EBUSY while the port records, EAGAIN, ENOMEM. */
int recorder_start(struct recorder **rp, const struct recorder_prm *prm, struct ev_report *why);
/* Stops; the handler comes when the file is synced. Again: nothing. */
void recorder_stop(struct recorder *r, enum recorder_end as);
/* What was known when it began (id, mailbox, caller, name, session, kind, started_s, codec), and its file; the rest is the file thread's until REC_ENDED. */
const struct spool_info *recorder_info(const struct recorder *r);
const char *recorder_path(const struct recorder *r);
enum { RECORDING_AUDIO = 2048 }; /* where the audio begins in the file */
uint32_t recorder_ms(const struct recorder *r); /* recorded so far, as of the last block */
/* True if the event was the recorder's. */
bool recorder_event(struct recorder *r, const struct media_event *ev);
/* After the handler ran; before it only when the port is gone. NULL is allowed. */
void recorder_free(struct recorder *r);

/* ---- spool files (any thread; they block) ---- */
/* Reads head and audio (appended to `audio`; NULL: the head alone). EBADMSG: not one of ours, or its head is damaged. */
int recording_read(const char *path, struct spool_info *info, struct buf *audio);
int recording_remove(const char *path); /* and syncs the folder */
typedef void (spool_found_h)(const char *path, const struct spool_info *info, void *arg);
/* All spool files in `dir`: those that were cut off get their end and complete = false; those without a second of
 * audio are removed. For the start, before calls are taken. A damaged file is left alone under the suffix ".bad" and told. */
int recorder_recover(const char *dir, struct ev_bus *bus, spool_found_h *found, void *arg);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.c  A tone, then what the caller says, until #, silence, the greatest length, or a hang-up. What is kept is at least as long as
 * the policy asks; anything shorter, or silence, is thrown away here; what it was
 * to be added to stays. After a hang-up the result comes all the same: its
 * caller asks dlg_is_gone(). A message whose end nobody confirmed in time is late, not lost: it is kept when it comes.  */
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { TONE, RECORD, STOPPING };

static int record(struct dlg_session *s)
{
	enum dlg_record_kind kind = s->rec.kind;
	s->rec = (struct dlg_recording){ .kind = kind, .parts = s->rec.parts };
	s->has_clip[CLIP_RECORDING] = false;
	return s->fx->record(s->fx_arg, dlg_job(&s->eng));
}

static int stop(struct dlg_session *s)
{
	s->fx->record_stop(s->fx_arg, dlg_is_gone(s));
	return 0;
}

/* What was added is gone; what was there before stays. */
static int drop(struct dlg_session *s)
{
	if (!s->rec.parts)
		return dlg_drop_recording(s);
	s->fx->record_drop_part(s->fx_arg);
	s->rec = (struct dlg_recording){ .kind = s->rec.kind, .kept = true, .heard = true, .duration_ms = s->part_ms, .parts = s->rec.parts - 1 };
	s->has_clip[CLIP_RECORDING] = false;
	return 0;
}

/* Neither the media thread nor the disk gave an answer: the recording may be good all the same. What comes of it counts when it comes, but not in this
 * conversation; what it was to be added to stays. */
static int leave(struct dlg_session *s)
{
	bool message = s->rec.kind == DLG_RECORD_MESSAGE;
	dlg_job_drop(&s->eng);
	if (s->rec.parts)
		drop(s);
	s->rec.late = message;
	return 0;
}

static int whole(struct dlg_session *s)
{
	if (s->rec.parts)
		s->rec.duration_ms += s->part_ms;
	return 0;
}

static bool good(const struct dlg_session *s)
{
	/* a name is shorter than any message */
	uint64_t min_ms = s->rec.kind == DLG_RECORD_NAME ? 300 : dlg_policy(s)->min_recording_ms;
	return s->rec.kept && s->rec.heard && s->rec.duration_ms >= min_ms;
}

static bool silent(const struct dlg_session *s)
{
	return s->rec.kept && !s->rec.heard;
}

static const struct dlg_phrase say_tone[] = { SAY_BEEP, SAY_END };

static const struct dlg_state states[] = {
	[TONE] = { "tone", say_tone, NULL, 3000, DLG_NO_BARGE },
	[RECORD] = { "record", NULL, NULL, 0, 0 },
	[STOPPING] = { "stop recording", NULL, NULL, 40000, 0 }, /* longer than a disk may be behind before the recording ends by itself */
};

static const struct dlg_row rows[] = {
	/* in        when        if          do                       go */
	{ TONE,     ENDED,      ALWAYS,     NOTHING,                 RECORD, NULL, true },
	{ TONE,     TIMEOUT,    ALWAYS,     NOTHING,                 RECORD, NULL, true },
	{ TONE,     HANGUP,     ALWAYS,     NOTHING,                 RETURN(R_SHORT) },
	{ RECORD,   ENTER,      ALWAYS,     DO(record),              STAY },
	{ RECORD,   KEYS("#"),  ALWAYS,     DO(stop),                STOPPING },
	{ RECORD,   HANGUP,     ALWAYS,     DO(stop),                STOPPING },
	{ STOPPING, HANGUP,     ALWAYS,     NOTHING,                 STAY },
	{ ANY,      DONE,       IF(good),   DO(whole),               RETURN(R_OK) },
	{ ANY,      DONE,       IF(silent), DO(drop),                RETURN(R_SILENT) },
	{ ANY,      DONE,       ALWAYS,     DO(drop),                RETURN(R_SHORT) },
	{ ANY,      FAILED,     IF(good),   DO(whole),               RETURN(R_OK) }, /* the disk failed late: what is there counts */
	{ ANY,      FAILED,     ALWAYS,     DO(drop),                RETURN(R_FAILED) },
	{ STOPPING, TIMEOUT,    ALWAYS,     DO(leave),               RETURN(R_FAILED) },
};

const struct dlg_table dlg_recorder = { "recorder", "Recorder", states, rows, COUNT_OF(states), COUNT_OF(rows), TONE, NULL };

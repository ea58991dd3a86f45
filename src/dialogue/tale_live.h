/* SPDX-License-Identifier: Apache-2.0 */
/* tale_live.h  What of a call's life goes into its tale (tale.h). Each is called where it happens, before what follows from it. Loop thread. */
#ifndef DIALOGUE_TALE_LIVE_H
#define DIALOGUE_TALE_LIVE_H
#include "dialogue/engine.h"
#include "dialogue/tale.h"
#include "media/media.h"
#include "sip/leg.h"

struct dlg_call;
struct dlg_who;

/* What is told once, though it may be seen many times. */
struct dlg_told {
	bool way, event_keys, tone_keys, info_keys, ended;
};
/* An incoming call that has found who answers it; a call of ours that is on its way. */
void dlg_tale_arrived(struct dlg_call *c);
void dlg_tale_made(struct dlg_call *c);
void dlg_tale_leg(struct dlg_call *c, const struct leg_event *ev);
void dlg_tale_media(struct dlg_call *c, const struct media_event *ev);
void dlg_tale_recorded(struct dlg_call *c);
void dlg_tale_step(struct dlg_call *c, const struct dlg_step *st);
void dlg_tale_not_answered(struct dlg_call *c, const struct ev_report *why, int err);
/* We end it; why: in words. */
void dlg_tale_end(struct dlg_call *c, const char *why);
void dlg_tale_talk_over(struct dlg_call *c);
/* What its audio was like, once it is over. */
void dlg_tale_sound(struct dlg_call *c);
/* One sentence with up to two fields. */
void dlg_tell(struct dlg_call *c, enum dlg_tale_what what, const char *field, const char *value);
void dlg_tell_two(struct dlg_call *c, enum dlg_tale_what what, const char *field, const char *value, const char *other, const char *other_value);

/* A call that was refused before it was one: the beginning, and the refusal as that event tells it. */
void dlg_tale_refused(struct dlg_tale *t, struct leg *leg, const struct dlg_who *who, const char *caller, const struct ev_report *refusal);

#endif

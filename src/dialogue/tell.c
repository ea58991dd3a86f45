/* SPDX-License-Identifier: Apache-2.0 */
/* tell.c  Fills the reports of conversations. */
#include "dialogue/tell.h"
#include <errno.h>
#include "dialogue_events.h"

static void begin(const struct dlg_session *s, struct ev_report *r, uint16_t id)
{
	ev_set(r, id);
	ev_str(r, "caller", *s->caller_number ? s->caller_number : "an unknown caller");
}

static void to_target(const struct dlg_session *s, struct ev_report *r, uint16_t id)
{
	begin(s, r, id);
	const struct dir_target *t = &s->target;
	ev_str(r, "target", *s->uri ? s->uri : *t->number ? t->number : t->uri ? t->uri : "");
	ev_str(r, "name", s->target_is_operator ? "operator" : t->spoken_name ? t->spoken_name : "");
}

void dlg_tell_refusal(struct dlg_session *s, int err)
{
	struct ev_report r;
	begin(s, &r, EV_RECORDING_REFUSED);
	ev_str(&r, "mailbox", s->box ? s->box->name : "");
	ev_str(&r, "reason", err == EDQUOT ? "the mailbox is full" : strerror(err));
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_dropped(struct dlg_session *s)
{
	struct ev_report r;
	begin(s, &r, EV_RECORDING_DROPPED);
	ev_str(&r, "mailbox", s->box ? s->box->name : "");
	ev_int(&r, "ms", s->rec.duration_ms);
	ev_str(&r, "reason", s->rec.heard ? "too short" : "silent");
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_lost(struct dlg_session *s, int err)
{
	struct ev_report r;
	begin(s, &r, EV_MESSAGE_LOST);
	ev_str(&r, "mailbox", s->box ? s->box->name : "");
	ev_int(&r, "ms", s->rec.duration_ms);
	ev_str(&r, "reason", err > 0 ? strerror(err) : err < 0 ? "the recording failed" : "nothing answered in time");
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_transfer(struct dlg_session *s)
{
	struct ev_report r;
	to_target(s, &r, EV_TRANSFER_STARTED);
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_transferred(struct dlg_session *s)
{
	struct ev_report r;
	to_target(s, &r, EV_TRANSFERRED);
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_transfer_refused(struct dlg_session *s)
{
	struct ev_report r;
	to_target(s, &r, EV_TRANSFER_ERROR);
	ev_str(&r, "reason", dir_allow_name(s->allow));
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_transfer_failed(struct dlg_session *s)
{
	struct ev_report r;
	to_target(s, &r, EV_TRANSFER_FAILED);
	ev_int(&r, "status", s->xfer_status);
	if (s->xfer_status)
		ev_printf(&r, "reason", "SIP status %d %s", s->xfer_status, s->xfer_reason);
	else
		ev_str(&r, "reason", *s->xfer_reason ? s->xfer_reason : "nothing was heard of it in time");
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_left_in_transfer(struct dlg_session *s)
{
	struct ev_report r;
	to_target(s, &r, EV_CALL_LEFT_IN_TRANSFER);
	s->fx->event(s->fx_arg, &r);
}

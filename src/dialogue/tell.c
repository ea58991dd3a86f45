/* SPDX-License-Identifier: Apache-2.0 */
/* tell.c  Fills the reports of conversations. */
#include "dialogue/tell.h"
#include <errno.h>
#include "dialogue/words.h"
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

static const char *no_room(int err)
{
	switch (err) {
	case EDQUOT: return dlg_words(DLG_SAYS_MAILBOX_FULL);
	case ENOSPC: return dlg_words(DLG_SAYS_DISK_FULL);
	case EROFS: return dlg_words(DLG_SAYS_DISK_READ_ONLY);
	case EHOSTUNREACH: return dlg_words(DLG_SAYS_NOBODY_TAKES);
	default: return strerror(err);
	}
}

void dlg_tell_refusal(struct dlg_session *s, int err)
{
	struct ev_report r;
	begin(s, &r, EV_RECORDING_REFUSED);
	ev_str(&r, "mailbox", s->box ? s->box->name : "");
	ev_str(&r, "reason", no_room(err));
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_not_secure(struct dlg_session *s, const char *what, const struct cfg_dialplan *plan)
{
	struct ev_report r;
	begin(s, &r, s->open_line ? EV_NOT_REACHED_SECURELY : EV_NOT_REACHED_ENCRYPTED);
	ev_str(&r, "target", what);
	ev_str(&r, "transport", s->open_line ? s->open_line : "");
	ev_str(&r, "dialplan", plan ? plan->name : "");
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
	ev_str(&r, "reason", err > 0 ? strerror(err) : dlg_words(err < 0 ? DLG_SAYS_NOT_RECORDED : DLG_SAYS_NOT_IN_TIME));
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_late(struct dlg_session *s)
{
	struct ev_report r;
	begin(s, &r, EV_MESSAGE_LATE);
	ev_str(&r, "mailbox", s->box ? s->box->name : "");
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

void dlg_tell_transfer_not_tried(struct dlg_session *s, int err)
{
	struct ev_report r;
	to_target(s, &r, EV_TRANSFER_ERROR);
	ev_str(&r, "reason", err == ENOENT ? dlg_words(DLG_SAYS_NO_ADDRESS) : err == EINVAL ? dlg_words(DLG_SAYS_BAD_ADDRESS) :
	       err == ENOTCONN ? dlg_words(DLG_SAYS_CALL_OVER) : err == EAGAIN || err == EBUSY ? dlg_words(DLG_SAYS_CALL_BUSY) : strerror(err));
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
		ev_str(&r, "reason", *s->xfer_reason ? s->xfer_reason : dlg_words(DLG_SAYS_NO_NOTIFY));
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_left_in_transfer(struct dlg_session *s)
{
	struct ev_report r;
	to_target(s, &r, EV_CALL_LEFT_IN_TRANSFER);
	s->fx->event(s->fx_arg, &r);
}

/* ---- find me ---- */
static void of_place(const struct dlg_session *s, struct ev_report *r, uint16_t id, const char *target)
{
	begin(s, r, id);
	ev_str(r, "target", target);
	ev_str(r, "mailbox", s->box ? s->box->name : "");
}

void dlg_tell_not_found(struct dlg_session *s, const char *target, int err)
{
	struct ev_report r;
	bool tried = err == ECONNREFUSED || err == ETIMEDOUT;
	of_place(s, &r, tried ? EV_FIND_FAILED : EV_FIND_NOT_POSSIBLE, target);
	ev_int(&r, "status", s->find_status);
	if (tried && s->find_status)
		ev_printf(&r, "reason", "SIP status %d", s->find_status);
	else if (tried)
		ev_str(&r, "reason", dlg_words(err == ETIMEDOUT ? DLG_SAYS_NOT_TAKEN : DLG_SAYS_NO_ANSWER));
	else
		ev_str(&r, "reason", err == EACCES ? dir_allow_name(s->allow) : err == ENOENT ? dlg_words(DLG_SAYS_NO_ADDRESS) : strerror(err));
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_found(struct dlg_session *s, const char *target)
{
	struct ev_report r;
	of_place(s, &r, EV_FIND_TALKING, target);
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_part_dropped(struct dlg_session *s, int code)
{
	struct ev_report r;
	begin(s, &r, EV_RECORDING_DROPPED);
	ev_str(&r, "mailbox", s->box ? s->box->name : "");
	ev_int(&r, "ms", 0);
	ev_str(&r, "reason", code == R_SILENT ? "silent" : "too short");
	s->fx->event(s->fx_arg, &r);
}

void dlg_tell_not_sent(struct dlg_session *s)
{
	struct ev_report r;
	begin(s, &r, EV_MESSAGE_NOT_SENT);
	ev_str(&r, "mailbox", s->box ? s->box->name : "");
	ev_str(&r, "target", s->phone.n_to ? s->phone.to[s->phone.n_to - 1]->name : "");
	int err = dlg_code(&s->eng);
	ev_str(&r, "reason", err > 0 ? no_room(err) : dlg_words(DLG_SAYS_NOT_IN_TIME));
	s->fx->event(s->fx_arg, &r);
}

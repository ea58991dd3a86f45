/* SPDX-License-Identifier: Apache-2.0 */
/* tell.h  The events that conversations bring up, filled from the session; sentences in dialogue.events.def. */
#ifndef DIALOGUE_TELL_H
#define DIALOGUE_TELL_H
#include "dialogue/session.h"

void dlg_tell_refusal(struct dlg_session *s, int err); /* nothing can be recorded */
void dlg_tell_not_secure(struct dlg_session *s, const char *what, const struct cfg_dialplan *plan); /* a mailbox or attendant that this call may not reach */
void dlg_tell_dropped(struct dlg_session *s);          /* a recording too short or silent */
void dlg_tell_lost(struct dlg_session *s, int err);    /* a message could not be kept; below 0: not even recorded, 0: no answer in time */
void dlg_tell_late(struct dlg_session *s);             /* nobody knows yet whether a message was recorded */
void dlg_tell_transfer(struct dlg_session *s);         /* the caller is being put through */
void dlg_tell_transferred(struct dlg_session *s);
void dlg_tell_transfer_refused(struct dlg_session *s); /* the target is not one of ours */
void dlg_tell_transfer_not_tried(struct dlg_session *s, int err); /* no REFER could be sent */
void dlg_tell_transfer_failed(struct dlg_session *s);
void dlg_tell_not_sent(struct dlg_session *s);         /* to one recipient at least */
void dlg_tell_left_in_transfer(struct dlg_session *s); /* the caller hung up before the outcome was known */
/* Call answering: nobody took the call at that place (err: why it could not even be tried, or 0 and s->find_status); they talk; adding to a
 * message brought nothing. */
void dlg_tell_not_found(struct dlg_session *s, const char *target, int err);
void dlg_tell_found(struct dlg_session *s, const char *target);
void dlg_tell_part_dropped(struct dlg_session *s, int code);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* path.h  What a caller does in attendants, and which mailboxes a call has to do with: gathered from the engine's steps while the call lives, for
 * its record (records/record.h). Digits typed where the extension or PIN of a mailbox is asked for are never looked at; those of a menu
 * are, because they lead somewhere. Loop thread; memory is taken by callers of attendants only, a few steps at a time.     */
#ifndef DIALOGUE_PATH_H
#define DIALOGUE_PATH_H
#include "dialogue/session.h"
#include "records/record.h"

struct dlg_path {
	struct call_step *step;
	unsigned n_steps, room, steps_lost;
	struct call_box box[RECORD_BOXES];
	unsigned n_boxes;
	char table[80], state[64]; /* of the attendant, when last looked at */
	char spelled[2 * DLG_DIGITS]; /* is being looked up; "" */
	unsigned typed;            /* the step before this one is a number typed, and what comes of it is not told yet; 0: none */
	bool by_voice;             /* the name that was chosen last */
	bool key_said;             /* the key that comes next was not pressed, but its choice was named; it is told already */
	bool gave_up;              /* it is told already how */
	bool hung_up;              /* the caller left there: state */
};
void dlg_path_free(struct dlg_path *p);
/* A step of the engine, before its action: `io.step`. */
void dlg_path_step(struct dlg_path *p, const struct dlg_session *s, const struct dlg_step *st, int64_t at_ms);
/* The step's event as a history names it: "timeout", "done", "keys 2". Digits stand there for the menus of attendants alone, and of several only the
 * first: a PIN comes where nobody asked for it, too, all at once or key by key. */
void dlg_path_keys(const struct dlg_step *st, char keys[DLG_TYPE_AHEAD + 1]); /* "" where nothing is told of them */
void dlg_path_event(const struct dlg_step *st, char *dst, size_t size);
/* Which attendant speaks now, if one does. After the beginning, and before a hang-up is told to the engine. */
void dlg_path_look(struct dlg_path *p, const struct dlg_session *s, int64_t at_ms);
void dlg_path_hangup(struct dlg_path *p, const struct dlg_session *s, int64_t at_ms);
/* The conversation is over, with that result of the bottom table. */
void dlg_path_over(struct dlg_path *p, const struct dlg_session *s, int result, int64_t at_ms);
/* What the call was to that mailbox; NULL when there are too many, or no box. */
struct call_box *dlg_path_box(struct dlg_path *p, const struct dir_user *box);

#endif

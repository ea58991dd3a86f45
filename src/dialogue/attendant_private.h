/* SPDX-License-Identifier: Apache-2.0 */
/* attendant_private.h  What attendant.c (what attendants do) and attendant_load.c (the tables of a configuration) share. */
#ifndef DIALOGUE_ATTENDANT_PRIVATE_H
#define DIALOGUE_ATTENDANT_PRIVATE_H
#include "base/mem.h"
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { START, LOOK, GREET, MENU, DIAL, NAMES, TRANSFER, OPERATOR, MESSAGE, LOGON, BYE, FIXED_STATES };
extern const struct dlg_state dlg_aa_states[FIXED_STATES];
struct dlg_aa_rows {
	const struct dlg_row *v;
	size_t n;
};
extern const struct dlg_aa_rows dlg_aa_common, dlg_aa_failures, dlg_aa_closed; /* the last of the closed ones: see there */

bool dlg_aa_is_closed(const struct dlg_session *s);
bool dlg_aa_by_name(const struct dlg_session *s);
bool dlg_aa_by_extension(const struct dlg_session *s);
bool dlg_aa_by_voice(const struct dlg_session *s);
int dlg_aa_dial(struct dlg_session *s);       /* what was typed */
int dlg_aa_choose(struct dlg_session *s);     /* the target of the row's key */
int dlg_aa_choose_box(struct dlg_session *s);
int dlg_aa_speak(struct dlg_session *s);      /* its language */

/* As dlg_attendants_create(), with other tables in the place of call answering and of the mailbox by phone (simulate.c). */
int dlg_attendants_create_with(struct dlg_attendants **ap, const struct cfg *cfg, const struct dlg_table *message, const struct dlg_table *logon);

/* Where the first piece of a text ends that can be spoken at once: behind its last sentence that fits, else behind its last word. */
size_t dlg_breath(struct text t);

#endif

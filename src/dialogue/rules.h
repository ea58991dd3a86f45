/* SPDX-License-Identifier: Apache-2.0 */
/* rules.h  Which answering rule applies to a call. Pure, so that it can be asked beforehand what would happen to whom, and when. */
#ifndef DIALOGUE_RULES_H
#define DIALOGUE_RULES_H
#include "dialogue/session.h"

/* What is known of a call before it is answered; texts "" where they are not. */
struct dlg_rule_facts {
	const struct dir_view *view;
	const struct dir_user *caller; /* one of ours, believed; NULL */
	const char *caller_number;
	const char *dialled, *dialled_uri; /* number and URI that were called first */
	enum dlg_reason reason;
	int64_t now_s;
};
bool dlg_rule_applies(const struct cfg_answer_rule *r, const struct dlg_rule_facts *f);
/* The first of the mailbox's rules that applies; NULL: none, or its policy allows none. */
const struct cfg_answer_rule *dlg_rule_of(const struct dir_user *box, const struct dlg_rule_facts *f);
/* What s->box may not call of what its rules name, told with its place; s is a session with view and box alone, i the mailbox's place in the
 * file. Returns how much. */
unsigned dlg_rule_problems(struct dlg_session *s, const struct cfg_mailbox *m, size_t i, struct cfg_errors *errors);
/* "user-busy", "no-answer" of Diversion, "486" or "SIP;cause=486" of History-Info. */
enum dlg_reason dlg_reason_of(struct text t);
/* Whether that schedule is open; "" always is. */
bool dlg_schedule_open(const struct cfg *cfg, const char *name, int64_t now_s);

/* A rule of that mailbox by its name; NULL. Belongs to the view. */
const struct cfg_answer_rule *dlg_rule_named(const struct dir_view *v, const struct dir_user *box, const char *name);

#endif

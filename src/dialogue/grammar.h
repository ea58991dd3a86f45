/* SPDX-License-Identifier: Apache-2.0 */
/* grammar.h  What may be said now, as entries for the helper, and what an entry that was heard means. For a mailbox that listens these are the commands of
 * its tables; for an attendant its people, departments, choices and operator, or, where a department is known, that one's people. Pure.
 *
 * A department is, the first that applies: the key of that name (or one of its other words), an attendant of that name, its people. */
#ifndef DIALOGUE_GRAMMAR_H
#define DIALOGUE_GRAMMAR_H
#include "dialogue/session.h"
#include "voice/speech_msg.h"

struct dlg_grammar {
	struct speech_entry *v; /* texts belong to view, configuration and program */
	size_t n;
};
/* 0; ENOENT: nothing can be said; ENOMEM. */
int dlg_grammar_make(struct dlg_grammar *g, const struct dlg_session *s, bool commands);
void dlg_grammar_free(struct dlg_grammar *g);
/* A hash of all that is in it, so that a change of the directory is another grammar. */
uint64_t dlg_grammar_key(const struct dlg_grammar *g);
/* False: that id means nothing (any more). */
bool dlg_grammar_means(struct dlg_heard *h, const struct dlg_session *s, uint32_t id);
/* What the caller hears of a key's choice (attendant_load.c). */
const char *dlg_choice_name(const struct cfg *cfg, const struct cfg_menu_key *k);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* notice_live.c  A word from the house while a conversation goes on: the node will hang up soon. The conversation knows nothing of it: the words come
 * behind what is being said just now, or at once where nothing is, also while the caller speaks; a message that is being heard is broken off for
 * them, and so is everything where little time is left. Who presses a key over them hears them before whatever is said next.              */
#include "dialogue/call_private.h"
#include "dialogue/phone_live.h"
#include "voice/languages.h"

enum { LITTLE_S = 30 };

static void noticed(struct player *p, bool stopped, uint32_t ms, void *arg)
{
	struct dlg_call *c = arg;
	(void)p, (void)ms;
	c->notice_due = c->notice_due && stopped;
}

void dlg_notice_before(struct dlg_call *c, struct say_seq *q)
{
	if (c->notice_due)
		say_prompt(q, dlg_prompt_name(P_FINISH_SOON));
}

void dlg_notice_heard(struct dlg_call *c, bool stopped)
{
	c->notice_due = c->notice_due && stopped;
}

static int put(struct dlg_call *c, const struct say_seq *q, bool at_once)
{
	if (!player_active(&c->player))
		return player_play(&c->player, q, noticed, c);
	if (!c->telling && !at_once)
		return player_append(&c->player, q);
	dlg_phone_stopped(c);
	return player_play(&c->player, q, dlg_live_played, c);
}

void dlg_call_notice(struct dlg_call *c, unsigned seconds)
{
	struct say_seq q;
	EV_REPORT(why);
	c->notice_due = true;
	if (!c->port || !c->svc || !c->started || c->talk_over || c->names_wait)
		return; /* it comes before the next sentence, if there is one */
	say_begin(&q, languages_find(c->svc->prm.languages, dlg_language_of(&c->s)));
	dlg_notice_before(c, &q);
	if (say_error(&q, &why))
		dlg_call_emit(c, &why);
	else
		(void)put(c, &q, seconds < LITTLE_S); /* the same if not */
	say_clear(&q);
	dlg_call_step(c, "asked to come to an end");
}

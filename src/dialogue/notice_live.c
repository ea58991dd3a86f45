/* SPDX-License-Identifier: Apache-2.0 */
/* notice_live.c  A word from the house while a conversation goes on: the node will hang up soon. The conversation knows nothing of it: the words come
 * behind what is being said just now, or at once where nothing is, also while the caller speaks; a message that is being heard is broken off for
 * them, and so is everything where little time is left. But what ends in a tone is heard as it is: behind the tone the caller speaks, and only
 * once it is over is he recorded. Who presses a key over them hears them before whatever is said next.                                     */
#include "dialogue/call_private.h"
#include "dialogue/phone_live.h"
#include "voice/languages.h"

enum { LITTLE_S = 30 };

static void noticed(struct player *p, bool stopped, uint32_t ms, void *arg)
{
	(void)p, (void)ms;
	dlg_notice_heard(arg, stopped);
}

void dlg_notice_before(struct dlg_call *c, struct say_seq *q)
{
	c->notice_plays = c->notice_due;
	if (c->notice_due)
		say_prompt(q, dlg_prompt_name(P_FINISH_SOON));
}

void dlg_notice_heard(struct dlg_call *c, bool stopped)
{
	if (c->notice_plays && !stopped)
		c->notice_due = false;
	c->notice_plays = false;
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

/* Where it cannot be said just now, it comes before the next sentence, if there is one. */
static void tell(struct dlg_call *c, bool at_once)
{
	struct say_seq q;
	EV_REPORT(why);
	if (!c->port || !c->svc || !c->started || c->talk_over || c->names_wait)
		return;
	if (c->tone_plays && player_active(&c->player))
		return; /* dlg_notice_after() */
	say_begin(&q, languages_find(c->svc->prm.languages, dlg_language_of(&c->s)));
	dlg_notice_before(c, &q);
	if (say_error(&q, &why))
		dlg_call_emit(c, &why);
	else if (put(c, &q, at_once))
		c->notice_plays = false;
	say_clear(&q);
}

void dlg_call_notice(struct dlg_call *c, unsigned seconds)
{
	c->notice_due = true;
	tell(c, seconds < LITTLE_S);
	dlg_call_step(c, "asked to come to an end");
}

void dlg_notice_after(struct dlg_call *c)
{
	if (c->notice_due && !player_active(&c->player))
		tell(c, true);
}

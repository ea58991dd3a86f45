/* SPDX-License-Identifier: Apache-2.0 */
/* tale_record.c  The tale of a call that only its record remembers: what records/record.h keeps, in the same kind of sentences. Pure. */
#include <string.h>
#include "dialogue/tale.h"
#include "dialogue/words.h"
#include "records/record.h"

static void steps(struct dlg_tale *t, const struct record_item *it)
{
	static const enum dlg_tale_what rows[RECORD_WHATS] = {
		[RECORD_ENTERED] = TALE_PAST_ENTERED, [RECORD_KEY] = TALE_PAST_KEY, [RECORD_NUMBER] = TALE_PAST_NUMBER, [RECORD_WRONG] = TALE_PAST_WRONG,
		[RECORD_SILENCE] = TALE_PAST_SILENCE, [RECORD_SAID] = TALE_PAST_SAID, [RECORD_SPELT] = TALE_PAST_SPELT, [RECORD_NOT_HEARD] = TALE_PAST_NOT_HEARD,
		[RECORD_NOT_FOUND] = TALE_PAST_NOT_FOUND, [RECORD_TRANSFER] = TALE_PAST_TRANSFER, [RECORD_MESSAGE] = TALE_PAST_MESSAGE, [RECORD_LOGON] = TALE_PAST_LOGON,
		[RECORD_GAVE_UP] = TALE_PAST_GAVE_UP, [RECORD_LEFT] = TALE_PAST_LEFT,
	};
	for (unsigned i = 0; i < it->n_steps; i++) {
		const struct call_step *s = &it->step[i];
		struct ev_report r = { 0 };
		ev_str(&r, "attendant", s->attendant);
		ev_str(&r, "menu", s->menu);
		ev_str(&r, "value", s->value);
		ev_str(&r, "target", s->target);
		for (int w = 0; w < RECORD_WHATS; w++)
			if (strcmp(s->what, record_what_name((enum record_what)w)) == 0)
				dlg_tale_add(t, s->at_ms, rows[w], &r, NULL);
	}
}

static void beginning(struct dlg_tale *t, const struct call_record *c)
{
	struct ev_report r = { 0 };
	ev_str(&r, "node", c->node);
	ev_str(&r, "called", c->called);
	ev_str(&r, "gateway", c->gateway);
	ev_str(&r, "address", c->gateway_address);
	ev_str(&r, "transport", c->transport);
	ev_str(&r, "caller", *c->caller ? c->caller : dlg_words(DLG_SAYS_UNKNOWN_CALLER));
	ev_str(&r, "dialled", c->dialled);
	ev_str(&r, "reason", c->reason);
	ev_str(&r, "call", c->parent);
	bool out = strcmp(c->direction, "out") == 0;
	dlg_tale_add(t, 0, out ? TALE_PAST_OUT : TALE_PAST_IN, &r, NULL);
	if (out && *c->parent)
		dlg_tale_add(t, 0, TALE_FOR_CALL, &r, NULL);
	if (!out && *c->dialled && *c->reason && strcmp(c->reason, "direct") != 0 && strcmp(c->reason, "none") != 0)
		dlg_tale_add(t, 0, TALE_PAST_DIALLED, &r, NULL);
}

/* The kinds of which a sentence says more than the rest does. */
static void kind(struct dlg_tale *t, const struct call_record *c)
{
	static const struct {
		enum record_kind kind;
		enum dlg_tale_what row;
	} rows[] = { { RECORD_VOICE_MESSAGE, TALE_PAST_LEFT_MESSAGE }, { RECORD_MISSED, TALE_PAST_MISSED }, { RECORD_ANSWERED, TALE_PAST_PUT_THROUGH },
		     { RECORD_SUBSCRIBER, TALE_PAST_OWNER }, { RECORD_UNAUTHENTICATED, TALE_PAST_NOBODY } };
	struct ev_report r = { 0 };
	ev_str(&r, "mailbox", c->callee_mailbox);
	ev_str(&r, "target", c->transferred_to);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(c->kind, record_kind_name(rows[i].kind)) == 0)
			dlg_tale_add(t, c->duration_ms, rows[i].row, &r, NULL);
	if (*c->transferred_to)
		dlg_tale_add(t, c->duration_ms, TALE_PAST_TRANSFERRED, &r, NULL);
}

static void end(struct dlg_tale *t, const struct call_record *c)
{
	struct ev_report r = { 0 };
	char text[64], why[sizeof(c->drop_reason)];
	if (c->received >= 0 && c->lost >= 0 && c->jitter_us >= 0) {
		ev_int(&r, "received", c->received);
		ev_int(&r, "lost", c->lost);
		text_print(text, sizeof(text), "%lld.%lld", (long long)(c->jitter_us / 1000), (long long)(c->jitter_us % 1000 / 100));
		ev_str(&r, "jitter", text);
		dlg_tale_add(t, c->duration_ms, TALE_SOUND, &r, NULL);
		ev_str(&r, "suite", c->srtp);
		if (*c->srtp)
			dlg_tale_add(t, c->duration_ms, TALE_AUDIO_SECRET, &r, NULL);
	}
	text_fill(why, sizeof(why), c->drop_reason);
	for (char *p = why; *p; p++)
		*p = *p == '-' ? ' ' : *p;
	text_print(text, sizeof(text), "%lld", (long long)((c->duration_ms + 500) / 1000));
	ev_str(&r, "seconds", text);
	ev_str(&r, "why", why);
	if (*why)
		dlg_tale_add(t, c->duration_ms, TALE_PAST_END, &r, NULL);
}

void dlg_tale_of_record(struct dlg_tale *t, const struct record_item *it)
{
	beginning(t, &it->r);
	steps(t, it);
	kind(t, &it->r);
	end(t, &it->r);
}

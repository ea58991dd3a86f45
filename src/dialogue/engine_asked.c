/* SPDX-License-Identifier: Apache-2.0 */
/* engine_asked.c  What actions, guards, the administrator and tests ask of an engine, and the little that an action may change in it: its job, the keys. */
#include "dialogue/engine.h"
#include <assert.h>

static const char *const event_names[DLG_EVENTS] = { "enter", "keys", "wrong keys", "spoken", "ended", "timeout", "done", "failed",
	                                             "progress", "result", "hangup" };

const char *dlg_event_name(enum dlg_event_type t)
{
	return t < DLG_EVENTS ? event_names[t] : "?";
}

uint32_t dlg_job(struct dlg_engine *e)
{
	assert(!e->job_in_action); /* at most one job an action */
	e->job_in_action = true;
	if (!++e->job_last)
		e->job_last = 1;
	return e->job_id = e->job_last;
}

int dlg_arg(const struct dlg_engine *e)
{
	return e->arg;
}

int dlg_code(const struct dlg_engine *e)
{
	return e->code;
}

const char *dlg_keys(const struct dlg_engine *e)
{
	return e->matched;
}

bool dlg_gone(const struct dlg_engine *e)
{
	return e->gone;
}

bool dlg_over(const struct dlg_engine *e)
{
	return e->over;
}

const struct dlg_table *dlg_table_of(const struct dlg_engine *e)
{
	return e->depth ? e->stack[e->depth - 1].table : NULL;
}

unsigned dlg_flags_of(const struct dlg_engine *e)
{
	const struct dlg_frame *f = e->depth ? &e->stack[e->depth - 1] : NULL;
	return f ? f->table->states[f->state].flags : 0;
}

const char *dlg_state_of(const struct dlg_engine *e)
{
	if (!e->depth)
		return "";
	const struct dlg_frame *f = &e->stack[e->depth - 1];
	return f->table->states[f->state].name;
}

const struct dlg_frame *dlg_bottom_of(const struct dlg_engine *e)
{
	return e->depth ? &e->stack[0] : NULL;
}

bool dlg_awaits(const struct dlg_engine *e, uint32_t job)
{
	return e->depth && !e->over && job && job == e->job_id;
}

void dlg_job_drop(struct dlg_engine *e)
{
	e->job_id = 0;
}

void dlg_put_back(struct dlg_engine *e)
{
	unsigned n = (unsigned)strlen(e->matched);
	if (n + e->n_keys > DLG_TYPE_AHEAD)
		return;
	memmove(e->keys + n, e->keys, e->n_keys);
	memcpy(e->keys, e->matched, n);
	e->n_keys += n;
	e->matched[0] = '\0';
}

void dlg_press(struct dlg_engine *e, const char *keys)
{
	text_fill(e->matched, sizeof(e->matched), keys);
	dlg_put_back(e);
	e->key_time_up = true; /* nothing more comes */
}

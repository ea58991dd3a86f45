/* SPDX-License-Identifier: Apache-2.0 */
/* bridged.c  Whoever a caller is put through to by a call of ours (transfer.c): answers, and has him. Nothing is asked, nothing is said.  */
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { TAKE, TALKING };

static int take(struct dlg_session *s)
{
	return s->fx->take(s->fx_arg, dlg_job(&s->eng));
}

static const struct dlg_state states[] = {
	[TAKE] = { "take the call", NULL, NULL, 5000, 0 },
	[TALKING] = { "talking", NULL, NULL, 6 * 3600 * 1000, 0 },
};

static const struct dlg_row rows[] = {
	/* in       when      if      do         go */
	{ TAKE,    ENTER,    ALWAYS, DO(take),  STAY },
	{ TAKE,    PROGRESS, ALWAYS, NOTHING,   TALKING },
	{ TAKE,    DONE,     ALWAYS, NOTHING,   RETURN(R_TALKED) },
	{ TAKE,    FAILED,   ALWAYS, NOTHING,   RETURN(R_GONE) },
	{ TAKE,    TIMEOUT,  ALWAYS, NOTHING,   RETURN(R_GONE) },
	{ TALKING, DONE,     ALWAYS, NOTHING,   RETURN(R_TALKED) },
	{ TALKING, FAILED,   ALWAYS, NOTHING,   RETURN(R_TALKED) },
	{ TALKING, TIMEOUT,  ALWAYS, NOTHING,   RETURN(R_TALKED) },
};

const struct dlg_table dlg_bridged = { "bridged", "Put through", states, rows, COUNT_OF(states), COUNT_OF(rows), TAKE, NULL };

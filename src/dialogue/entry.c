/* SPDX-License-Identifier: Apache-2.0 */
/* entry.c  Digits up to #: extensions, PINs, names. What is asked for is said by the state that calls. `*` clears what was entered, or goes
 * back when nothing was. The keys are secret in every history, because some of them are PINs.                          */
#include "base/mem.h"
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { WAIT };

static int clear(struct dlg_session *s)
{
	mem_wipe(s->digits, sizeof(s->digits));
	s->n_digits = 0;
	s->digits_full = false;
	return 0;
}

static int add(struct dlg_session *s)
{
	if (s->n_digits + 1 < sizeof(s->digits))
		s->digits[s->n_digits++] = dlg_keys(&s->eng)[0];
	else
		s->digits_full = true;
	return 0;
}

static bool some(const struct dlg_session *s)
{
	return s->n_digits > 0;
}

static const struct dlg_state states[] = {
	[WAIT] = { "entry", NULL, NULL, 6000, DLG_SECRET },
};

static const struct dlg_row rows[] = {
	/* in    when        if        do         go */
	{ WAIT, ENTER,      ALWAYS,   DO(clear), STAY },
	{ WAIT, KEYS("x"),  ALWAYS,   DO(add),   STAY },
	{ WAIT, KEYS("#"),  IF(some), NOTHING,   RETURN(R_OK) },
	{ WAIT, KEYS("#"),  ALWAYS,   NOTHING,   RETURN(R_EMPTY) },
	{ WAIT, KEYS("*"),  IF(some), DO(clear), STAY },
	{ WAIT, KEYS("*"),  ALWAYS,   NOTHING,   RETURN(R_BACK) },
	{ WAIT, TIMEOUT,    IF(some), NOTHING,   RETURN(R_OK) },
	{ WAIT, TIMEOUT,    ALWAYS,   NOTHING,   RETURN(R_NO_INPUT) },
};

const struct dlg_table dlg_entry = { "entry", "Entry of digits", states, rows, COUNT_OF(states), COUNT_OF(rows), WAIT, NULL };

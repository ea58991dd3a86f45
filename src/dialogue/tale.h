/* SPDX-License-Identifier: Apache-2.0 */
/* tale.h  A call told in sentences, in the order lived: what `umbel call show` says. Sentences are made when things happen, out of tale.def, and kept
 * packed; what does not fit is counted. What is not known is not told: there is no row for it. Loop thread.               */
#ifndef DIALOGUE_TALE_H
#define DIALOGUE_TALE_H
#include <stdbool.h>
#include "event/report.h"

enum dlg_tale_what {
#define TALE(name, text, advice) TALE_##name,
#include "dialogue/tale.def"
#undef TALE
	TALE_WHATS
};
enum { DLG_TALE_BYTES = 16384, DLG_TALE_FIELDS = 12 };

/* Zero is an empty one. */
struct dlg_tale {
	uint8_t *p;
	uint32_t n, room;
	unsigned lines, lost;
};
/* The fields of `r` (which may have no id) fill the sentence. advice: instead of the table's; NULL for that one. */
void dlg_tale_add(struct dlg_tale *t, int64_t at_ms, enum dlg_tale_what what, const struct ev_report *r, const char *advice);
void dlg_tale_free(struct dlg_tale *t);
/* Gives what was told to the other one, which is empty, in no more memory than it needs. */
void dlg_tale_move(struct dlg_tale *to, struct dlg_tale *from);

struct dlg_tale_line {
	int64_t at_ms;    /* since the call began */
	const char *name; /* stable, for scripts: "their-name" */
	const char *text, *advice;
};
/* Borrowed for the call. */
typedef void (dlg_tale_h)(const struct dlg_tale_line *l, void *arg);
void dlg_tale_each(const struct dlg_tale *t, dlg_tale_h *h, void *arg);

/* What the record of a call that is long over still knows. */
struct record_item;
void dlg_tale_of_record(struct dlg_tale *t, const struct record_item *it);

/* Whether a tale tells already what that event says of a call. */
bool dlg_tale_covers(uint16_t event);

#endif

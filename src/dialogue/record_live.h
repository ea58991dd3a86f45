/* SPDX-License-Identifier: Apache-2.0 */
/* record_live.h  What is gathered of a call for its record while it lives, and the record when it is over. Loop thread. */
#ifndef DIALOGUE_RECORD_LIVE_H
#define DIALOGUE_RECORD_LIVE_H
#include "dialogue/key_ways.h"
#include "dialogue/path.h"
#include "media/media.h"
#include "sip/leg.h"

struct dlg_call;
struct dlg_service;
struct dlg_who;

struct dlg_notes {
	struct dlg_path path;
	char parent[EV_SESSION_SIZE];
	const char *drop;    /* why we ended it; NULL: see the result */
	enum leg_end end;
	bool has_figures, has_codec;
	struct key_ways keys;
	const char *srtp; /* the suite; NULL, "": its sound is plain */
	struct media_port_stats figures;
	enum media_codec codec;
};
/* Before the port closes: what the call sounded like. */
void dlg_record_figures(struct dlg_call *c);
struct metrics;
void dlg_record_metrics(struct dlg_service *s, struct metrics *m);
/* The call is over. */
void dlg_record_over(struct dlg_call *c);
/* A call that was refused before it was anything, and why (drop_reason); who may be NULL. */
void dlg_record_refused(struct dlg_service *svc, const struct leg_info *info, const struct dlg_who *who, const char *why);

#endif

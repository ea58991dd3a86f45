/* SPDX-License-Identifier: Apache-2.0 */
/* play_out.h  Play on Phone: a call of ours to a phone on which the owner of a mailbox hears a message or records a greeting. Loop thread. */
#ifndef DIALOGUE_PLAY_OUT_H
#define DIALOGUE_PLAY_OUT_H
#include "event/report.h"
#include "mailbox/mbox.h"

struct dlg_service;

struct dlg_play_out_prm {
	const char *mailbox;          /* name, extension or address */
	const char *message;          /* id; NULL or "": a greeting is recorded */
	enum mbox_greeting greeting;
	const char *rule;             /* the greeting of that answering rule instead; NULL */
	const char *to;               /* "sip:..." or a number that its owner may call */
};
/* Calls. The id of the call is in `session`. ENOENT: no such mailbox; otherwise `why` says in words why not: EACCES, EBUSY (one at a time for a
 * mailbox), EHOSTUNREACH (no gateway), ESHUTDOWN (drain), or what the network said. */
int dlg_service_play_out(struct dlg_service *svc, const struct dlg_play_out_prm *prm, char session[EV_SESSION_SIZE], struct ev_report *why);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* who.h  Who is called, and by whom: pure, from what the leg knows and the directory's view.
 *
 * In this order: an attendant by the Request-URI; an access number there (then a diversion, the history or To says whose mailbox is
 * answered for; without any it is the subscriber access); a mailbox by the Request-URI (opaque=app:voicemail changes nothing: the name says it); the
 * original diversion; the oldest entry of the history; To. The leg holds diversions and history only from believed peers. */
#ifndef DIALOGUE_WHO_H
#define DIALOGUE_WHO_H
#include "directory/dir.h"
#include "sip/leg.h"

enum dlg_who_kind { DLG_WHO_NOBODY, DLG_WHO_ATTENDANT, DLG_WHO_MAILBOX, DLG_WHO_SUBSCRIBER };
struct dlg_who {
	enum dlg_who_kind kind;
	const struct cfg_attendant *attendant;
	const struct dir_user *box;    /* MAILBOX: whose; SUBSCRIBER: the caller's own, or NULL */
	const struct cfg_dialplan *plan; /* of whoever is called, the stricter one where a number of one leads to a mailbox of another; NULL: nobody, or there is none */
	const struct dir_user *caller; /* a user, when the caller's identity is believed; NULL */
	const char *by;                /* which header told: "Request-URI", "Diversion", "History-Info", "To" */
	char caller_number[64], caller_name[128];
	const char *reason;            /* why the call came here, as the diversion of that mailbox says; "" */
	const char *dialled, *dialled_uri; /* whom the caller called first: user part, URI; belong to the leg */
};
/* Only the caller anew: somebody else took his place. */
void dlg_who_calls(const struct dir_view *view, const struct leg_info *info, struct dlg_who *who);
void dlg_who(const struct dir_view *view, const struct leg_info *info, struct dlg_who *who);
/* What is looked at for that, in words: for who finds nobody. */
enum { DLG_LOOKED_AT = 512 };
void dlg_looked_at(const struct leg_info *info, char dst[DLG_LOOKED_AT]);
/* Whether the dial plan of whoever is called takes calls that came so (dialplans[].security). */
bool dlg_secure_enough(const struct dlg_who *who, enum net_transport transport);
/* Whether the sound of a call that belongs to that dial plan (NULL: to none) and goes through that gateway is encrypted. */
enum sdes_want dlg_srtp(const struct cfg_dialplan *plan, const struct cfg_gateway *g);
const char *dlg_open_line(enum net_transport transport); /* its name where others on the way can read what goes over it; NULL */

#endif

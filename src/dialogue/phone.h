/* SPDX-License-Identifier: Apache-2.0 */
/* phone.h  What the mailbox by phone knows beyond other conversations: how a message is played, which ones are listed, what its owner
 * sends, and what he chose. A part of struct dlg_session.                                                               */
#ifndef DIALOGUE_PHONE_H
#define DIALOGUE_PHONE_H
#include <stdbool.h>
#include <stdint.h>
#include "directory/dir.h"
#include "mailbox/mbox.h"

struct dlg_session;

enum { DLG_SPEEDS = 6, DLG_SPEED_NORMAL = 2, DLG_SEEK_MS = 5000, DLG_RECIPIENTS = 64, DLG_FIND = 33 };
enum dlg_folder { DLG_FOLDER_ALL, /* new ones, then saved ones */ DLG_FOLDER_NEW, DLG_FOLDER_SAVED, DLG_FOLDER_DELETED };
enum dlg_sort { DLG_OLDEST_FIRST, DLG_NEWEST_FIRST, DLG_BY_CALLER };

struct dlg_phone {
	/* playing */
	uint32_t play_at_ms; /* where in the message, by its own time */
	unsigned speed;      /* of DLG_SPEEDS */
	struct mbox_message last; /* deleted last; id "" for none */
	unsigned last_at;         /* where it stood in the list */
	/* which messages */
	enum dlg_folder folder;
	enum dlg_sort sort;
	char find[DLG_FIND]; /* keys: part of the caller's number, or of his name spelled; "": all callers */
	/* sending */
	enum mbox_relation sending;
	const struct dir_user *to[DLG_RECIPIENTS]; /* who still has to get it */
	unsigned n_to, n_sent, n_added;            /* added: by the last entry */
	const struct mbox_group *group;            /* that was added last; NULL: a person */
	const struct dir_user *added;
	bool introduction, urgent, private;
	/* what the owner chose */
	struct mbox_choices choices;
	unsigned recorded; /* bit 1 << enum mbox_greeting for each greeting that is there */
	bool away;         /* the temporary greeting is on */
	bool away_wanted;  /* or shall be, until then; 0: no end */
	int64_t away_until_us;
	bool first_use;
	enum mbox_greeting greeting; /* that is recorded, heard, or taken away now; MBOX_GREETINGS: that of `rule` */
	const struct cfg_answer_rule *rule; /* belongs to the view */
	/* Play on Phone */
	char wanted[ID_SIZE]; /* the message; "": a greeting is recorded */
	bool own_phone;       /* the phone is known to be the owner's */
	unsigned at_zone;  /* of the list of time zones */
	unsigned at_language;    /* of those that are installed */
	char trying[MBOX_LANGUAGE]; /* spoken while it is offered; "": none is */
};
/* How fast each speed is, in percent. */
unsigned dlg_speed_percent(unsigned speed);

/* The list in the order and with the callers asked for. Pure but for s->list; session.c calls it. */
void dlg_list_arrange(struct dlg_session *s);
bool dlg_found(const struct mbox_message *m, const char *keys);

/* Time zones that can be chosen by phone, from west to east, and the city that is said for each; NULL behind the last. */
const char *dlg_zone_name(unsigned i);
const char *dlg_zone_city(unsigned i);
/* The greeting that dlg_greeting records next. */
int dlg_greeting_of(struct dlg_session *s, enum mbox_greeting g);
int dlg_rule_greeting_of(struct dlg_session *s, const struct cfg_answer_rule *r);
bool dlg_has_rules(const struct dlg_session *s); /* of s->box, that are used */

/* The mailbox of whoever left or sent that message; NULL: he has none here. */
const struct dir_user *dlg_sender(const struct dlg_session *s, const struct mbox_message *m);
/* Adds a recipient once; false when there is no room. */
bool dlg_send_to(struct dlg_session *s, const struct dir_user *u);
/* What was begun to be sent before is forgotten. */
void dlg_send_begin(struct dlg_session *s, enum mbox_relation as);

#endif

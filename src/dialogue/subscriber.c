/* SPDX-License-Identifier: Apache-2.0 */
/* subscriber.c  The mailbox by phone: log-on, how many messages, the main menu. 1 messages, 4 directory, 5 a new message, 6 personal options,
 * 0 again, 33 end, as in Outlook Voice Access; 7, which it does not have there, leads to saved and deleted messages and to those of one caller.
 * 2 and 3 (mail, calendar) have their places and say honestly that they come later.                                     */
#include "dialogue/rows.h"
#include "dialogue/session.h"

enum { LOGON, OWNER, SET_UP, COUNT, MAIN, FOLDERS, FIND, LIST, PLAY, OPTIONS, DIRECTORY, PERSON, CALL, SEND, BYE };

static int load_owner(struct dlg_session *s)
{
	return s->fx->owner(s->fx_arg, dlg_job(&s->eng));
}

/* Whoever logs on for the first time, or was interrupted then. */
static bool must_set_up(const struct dlg_session *s)
{
	bool nothing_recorded = !(s->phone.recorded & (1u << MBOX_G_NAME | 1u << MBOX_G_PERSONAL));
	return s->phone.choices.setting_up || (s->phone.first_use && nothing_recorded);
}

static int load(struct dlg_session *s)
{
	return s->fx->list(s->fx_arg, dlg_job(&s->eng));
}

static int choose(struct dlg_session *s, enum dlg_folder folder, enum dlg_sort sort)
{
	s->phone.folder = folder;
	s->phone.sort = sort;
	s->phone.find[0] = '\0';
	return 0;
}

static int all_messages(struct dlg_session *s)
{
	return choose(s, DLG_FOLDER_ALL, DLG_OLDEST_FIRST);
}

static int new_messages(struct dlg_session *s)
{
	return choose(s, DLG_FOLDER_NEW, DLG_OLDEST_FIRST);
}

static int saved_messages(struct dlg_session *s)
{
	return choose(s, DLG_FOLDER_SAVED, DLG_OLDEST_FIRST);
}

static int deleted_messages(struct dlg_session *s)
{
	return choose(s, DLG_FOLDER_DELETED, DLG_NEWEST_FIRST);
}

static int by_caller(struct dlg_session *s)
{
	return choose(s, DLG_FOLDER_ALL, DLG_BY_CALLER);
}

static int newest_first(struct dlg_session *s)
{
	return choose(s, DLG_FOLDER_ALL, DLG_NEWEST_FIRST);
}

static int of_caller(struct dlg_session *s)
{
	choose(s, DLG_FOLDER_ALL, DLG_NEWEST_FIRST);
	text_print(s->phone.find, sizeof(s->phone.find), "%.*s", (int)s->n_digits, s->digits);
	return 0;
}

static int first(struct dlg_session *s)
{
	s->at = 0;
	s->at_start = s->only_new = false;
	s->phone.last.id[0] = '\0';
	s->failures = 0;
	return 0;
}

static int new_message(struct dlg_session *s)
{
	dlg_send_begin(s, MBOX_SENT);
	return 0;
}

static int message_to_target(struct dlg_session *s)
{
	dlg_send_begin(s, MBOX_SENT);
	if (s->target.user)
		dlg_send_to(s, s->target.user);
	return 0;
}

static bool may_look_up(const struct dlg_session *s)
{
	return dlg_policy(s)->features.directory;
}

static int64_t n_new(const struct dlg_session *s)
{
	return s->n_new;
}

static int64_t n_saved(const struct dlg_session *s)
{
	return s->n_saved;
}

static const char *person(const struct dlg_session *s)
{
	return s->target.spoken_name ? s->target.spoken_name : "";
}

static const struct dlg_phrase say_counts[] = { SAY(P_YOU_HAVE), SAY_COUNT(n_new, P_NEW), SAY(P_AND), SAY_COUNT(n_saved, P_SAVED),
	                                            SAY_IF(dlg_nearly_full, P_BOX_NEARLY_FULL), SAY_END };
static const struct dlg_phrase say_menu[] = { SAY(P_MAIN_MENU), SAY_END };
static const struct dlg_phrase say_commands[] = { SAY_IF(dlg_may_speak, P_SAY_COMMANDS), SAY_END };
static const struct dlg_phrase say_folders[] = { SAY(P_FOLDER_MENU), SAY_END };
static const struct dlg_phrase ask_caller[] = { SAY(P_FIND_CALLER), SAY_END };
static const struct dlg_phrase say_person[] = { SAY_NAME(NULL, person), SAY_PAUSE(300), SAY(P_PERSON_MENU), SAY_END };
static const struct dlg_phrase say_unreadable[] = { SAY(P_LIST_FAILED), SAY_END };
static const struct dlg_phrase say_no_mail[] = { SAY(P_MAIL_LATER), SAY_END };
static const struct dlg_phrase say_no_calendar[] = { SAY(P_CALENDAR_LATER), SAY_END };
static const struct dlg_phrase say_not_yet[] = { SAY(P_NOT_YET), SAY_END };
static const struct dlg_phrase say_give_up[] = { SAY(P_GIVE_UP), SAY_END };

static const struct dlg_state states[] = {
	[LOGON] = { "log on", NULL, &dlg_logon, 0, 0 },
	[OWNER] = { "load choices", NULL, NULL, 3000, 0 },
	[SET_UP] = { "set up", NULL, &dlg_setup, 0, 0 },
	[COUNT] = { "count messages", NULL, NULL, 8000, 0 },
	[MAIN] = { "main menu", say_menu, NULL, 6000, DLG_LISTENS },
	[FOLDERS] = { "folders", say_folders, NULL, 6000, DLG_LISTENS },
	[FIND] = { "find caller", ask_caller, &dlg_entry, 0, 0 },
	[LIST] = { "list messages", NULL, NULL, 8000, 0 },
	[PLAY] = { "messages", NULL, &dlg_player, 0, 0 },
	[OPTIONS] = { "personal options", NULL, &dlg_options, 0, 0 },
	[DIRECTORY] = { "directory", NULL, &dlg_names, 0, 0 },
	[PERSON] = { "person", say_person, NULL, 6000, DLG_LISTENS },
	[CALL] = { "call", NULL, &dlg_transfer, 0, 0 },
	[SEND] = { "send", NULL, &dlg_send, 0, 0 },
	[BYE] = { "goodbye", dlg_say_goodbye, NULL, 2000, DLG_NO_BARGE },
};

#define WRONG_KEYS(st) \
	{ st, WRONG,                      IF(dlg_last_failure), NOTHING,                BYE,               say_give_up, true }, \
	{ st, WRONG,                      ALWAYS,               DO(dlg_count_failure),  st,                dlg_say_invalid, true }, \
	{ st, TIMEOUT,                    IF(dlg_last_failure), NOTHING,                BYE,               say_give_up }, \
	{ st, TIMEOUT,                    ALWAYS,               DO(dlg_count_failure),  st,                dlg_say_no_input }

static const struct dlg_row rows[] = {
	/* in         when                  if                    do                      go                 said before */
	{ LOGON,     RESULT(R_OK),         ALWAYS,               DO(dlg_no_failures),    OWNER },
	{ LOGON,     ANY_RESULT,           ALWAYS,               NOTHING,                RETURN(R_REFUSED) },
	{ OWNER,     ENTER,                ALWAYS,               DO(load_owner),         STAY },
	{ OWNER,     DONE,                 IF(must_set_up),      NOTHING,                SET_UP },
	{ OWNER,     DONE,                 ALWAYS,               NOTHING,                COUNT },
	{ OWNER,     FAILED,               ALWAYS,               NOTHING,                COUNT },
	{ OWNER,     TIMEOUT,              ALWAYS,               NOTHING,                COUNT },
	{ SET_UP,    RESULT(R_GONE),       ALWAYS,               NOTHING,                RETURN(R_GONE) },
	{ SET_UP,    RESULT(R_GIVE_UP),    ALWAYS,               NOTHING,                BYE },
	{ SET_UP,    ANY_RESULT,           ALWAYS,               DO(dlg_no_failures),    COUNT },
	{ COUNT,     ENTER,                ALWAYS,               DO(load),               STAY },
	{ COUNT,     DONE,                 ALWAYS,               NOTHING,                MAIN,              say_counts },
	{ COUNT,     FAILED,               ALWAYS,               NOTHING,                MAIN,              say_unreadable, true },
	{ COUNT,     TIMEOUT,              ALWAYS,               NOTHING,                MAIN,              say_unreadable, true },

	{ MAIN,      KEYS_OR("1", "voice mail|play messages|messages"), ALWAYS,         DO(all_messages),       LIST },
	{ MAIN,      KEYS_OR("2", "e-mail"), ALWAYS,             NOTHING,                MAIN,              say_no_mail, true },
	{ MAIN,      KEYS_OR("3", "calendar"), ALWAYS,           NOTHING,                MAIN,              say_no_calendar, true },
	{ MAIN,      KEYS_OR("4", "directory"), IF(may_look_up), DO(dlg_no_failures),    DIRECTORY },
	{ MAIN,      KEYS("4"),            ALWAYS,               NOTHING,                MAIN,              say_not_yet, true },
	{ MAIN,      KEYS_OR("5", "new message|compose message"), ALWAYS,        DO(new_message),        SEND },
	{ MAIN,      KEYS_OR("6", "personal options"), ALWAYS,   DO(dlg_no_failures),    OPTIONS },
	{ MAIN,      KEYS_OR("7", "folders"), ALWAYS,            DO(dlg_no_failures),    FOLDERS },
	{ MAIN,      KEYS_OR("0", "help|main menu|repeat"), ALWAYS, NOTHING,             MAIN,              say_commands },
	{ MAIN,      KEYS("*"),            ALWAYS,               NOTHING,                MAIN },
	{ MAIN,      KEYS_OR("33", "goodbye|end the call"), ALWAYS,           NOTHING,                BYE },
	{ MAIN,      KEYS("00 33"),        ALWAYS,               NOTHING,                BYE },
	MISHEARD(MAIN, MAIN),
	WRONG_KEYS(MAIN),

	{ FOLDERS,   KEYS_OR("1", "new messages"),         ALWAYS,               DO(new_messages),       LIST },
	{ FOLDERS,   KEYS_OR("2", "saved messages"),         ALWAYS,               DO(saved_messages),     LIST },
	{ FOLDERS,   KEYS_OR("3", "deleted messages"),         ALWAYS,               DO(deleted_messages),   LIST },
	{ FOLDERS,   KEYS("4"),            ALWAYS,               NOTHING,                FIND },
	{ FOLDERS,   KEYS("5"),            ALWAYS,               DO(by_caller),          LIST },
	{ FOLDERS,   KEYS("6"),            ALWAYS,               DO(newest_first),       LIST },
	{ FOLDERS,   KEYS_OR("*", "main menu|cancel"), ALWAYS,               DO(dlg_no_failures),    MAIN },
	{ FOLDERS,   KEYS_OR("33", "goodbye|end the call"), ALWAYS,               NOTHING,                BYE },
	MISHEARD(FOLDERS, FOLDERS),
	WRONG_KEYS(FOLDERS),
	{ FIND,      RESULT(R_OK),         ALWAYS,               DO(of_caller),          LIST },
	{ FIND,      RESULT(R_BACK),       ALWAYS,               NOTHING,                FOLDERS },
	{ FIND,      ANY_RESULT,           IF(dlg_last_failure), NOTHING,                BYE,               say_give_up },
	{ FIND,      ANY_RESULT,           ALWAYS,               DO(dlg_count_failure),  FIND,              dlg_say_no_input },

	{ LIST,      ENTER,                ALWAYS,               DO(load),               STAY },
	{ LIST,      DONE,                 ALWAYS,               DO(first),              PLAY },
	{ LIST,      FAILED,               ALWAYS,               NOTHING,                MAIN,              say_unreadable, true },
	{ LIST,      TIMEOUT,              ALWAYS,               NOTHING,                MAIN,              say_unreadable, true },
	{ PLAY,      RESULT(R_GOODBYE),    ALWAYS,               NOTHING,                BYE },
	{ PLAY,      RESULT(R_GIVE_UP),    ALWAYS,               NOTHING,                BYE },
	{ PLAY,      RESULT(R_TRANSFERRED), ALWAYS,              NOTHING,                RETURN(R_TRANSFERRED) },
	{ PLAY,      RESULT(R_GONE),       ALWAYS,               NOTHING,                RETURN(R_GONE) },
	{ PLAY,      ANY_RESULT,           ALWAYS,               DO(dlg_no_failures),    MAIN },
	{ OPTIONS,   RESULT(R_GONE),       ALWAYS,               NOTHING,                RETURN(R_GONE) },
	{ OPTIONS,   RESULT(R_GOODBYE),    ALWAYS,               NOTHING,                BYE },
	{ OPTIONS,   RESULT(R_GIVE_UP),    ALWAYS,               NOTHING,                BYE },
	{ OPTIONS,   ANY_RESULT,           ALWAYS,               DO(dlg_no_failures),    MAIN },

	{ DIRECTORY, RESULT(R_OK),         ALWAYS,               DO(dlg_no_failures),    PERSON },
	{ DIRECTORY, ANY_RESULT,           ALWAYS,               DO(dlg_no_failures),    MAIN },
	{ PERSON,    KEYS_OR("2", "call|call them"), ALWAYS,               NOTHING,                CALL },
	{ PERSON,    KEYS_OR("3", "send a message"), ALWAYS,     DO(message_to_target),  SEND },
	{ PERSON,    KEYS_OR("4", "somebody else"), ALWAYS,      DO(dlg_no_failures),    DIRECTORY },
	{ PERSON,    KEYS_OR("*", "main menu|cancel"), ALWAYS,               DO(dlg_no_failures),    MAIN },
	MISHEARD(PERSON, PERSON),
	WRONG_KEYS(PERSON),
	{ CALL,      RESULT(R_TRANSFERRED), ALWAYS,              NOTHING,                RETURN(R_TRANSFERRED) },
	{ CALL,      RESULT(R_GONE),       ALWAYS,               NOTHING,                RETURN(R_GONE) },
	{ CALL,      RESULT(R_MESSAGE),    ALWAYS,               DO(message_to_target),  SEND },
	{ CALL,      RESULT(R_OPERATOR),   ALWAYS,               DO(dlg_to_operator),    CALL },
	{ CALL,      ANY_RESULT,           ALWAYS,               DO(dlg_no_failures),    MAIN },
	{ SEND,      RESULT(R_GONE),       ALWAYS,               NOTHING,                RETURN(R_GONE) },
	{ SEND,      ANY_RESULT,           ALWAYS,               DO(dlg_no_failures),    MAIN },

	{ BYE,       ENDED,                ALWAYS,               NOTHING,                RETURN(R_GOODBYE) },
	{ BYE,       TIMEOUT,              ALWAYS,               NOTHING,                RETURN(R_GOODBYE) },
};

const struct dlg_table dlg_subscriber = { "subscriber", "Subscriber access", states, rows, COUNT_OF(states), COUNT_OF(rows), LOGON, NULL };

/* SPDX-License-Identifier: Apache-2.0 */
/* prompts.h  Every sentence the conversations say, by name, with its English words. prompts/en-US.prompts holds exactly these (besides
 * digits, numbers, dates and tones, which are voice's own); a test compares the two. A sentence is cut where an argument is spoken:
 * "You have" {count} ... Keys are spoken inside a sentence only where the tables bind them to that meaning.               */
#ifndef DIALOGUE_PROMPTS_H
#define DIALOGUE_PROMPTS_H

/* X(identifier, "name", "words") */
#define DLG_PROMPTS(X) \
	/* of every conversation */ \
	X(P_GOODBYE, "goodbye", "Goodbye.") \
	X(P_INVALID_KEY, "invalid-key", "Sorry, that is not a valid choice.") \
	X(P_NO_INPUT, "no-input", "Sorry, I did not hear a key.") \
	X(P_GIVE_UP, "give-up", "Sorry, I could not help you.") \
	X(P_TRY_LATER, "try-later", "Please try again later.") \
	X(P_SERVICE_FAILED, "service-failed", "Sorry, this service is not available at the moment.") \
	X(P_EXTENSION, "extension", "extension") \
	X(P_UNKNOWN_CALLER, "unknown-caller", "an unknown caller") \
	X(P_NOT_YET, "not-available-yet", "This choice is not available.") \
	/* call answering */ \
	X(P_ANSWER_NAME_AWAY, "answer-not-available", "is not available.") \
	X(P_ANSWER_BUSY, "answer-busy", "is on another call.") \
	X(P_ANSWER_CLOSED, "answer-closed", "cannot be reached at this time of day.") \
	X(P_ANSWER_AWAY, "answer-away", "is away.") \
	X(P_ANSWER_AWAY_UNTIL, "answer-away-until", "is away until") \
	X(P_ANSWER_LEAVE, "answer-leave-message", "Please leave a message after the tone. When you have finished, hang up, or press pound for more choices.") \
	X(P_ANSWER_LEAVE_SHORT, "answer-after-tone", "Please leave your message after the tone.") \
	X(P_ANSWER_FULL, "answer-mailbox-full", "Sorry, this mailbox is full and cannot take another message.") \
	X(P_ANSWER_NO_ROOM, "answer-cannot-record", "Sorry, messages cannot be recorded at the moment.") \
	X(P_ANSWER_TOO_SHORT, "answer-too-short", "Your message was too short and has not been kept.") \
	X(P_ANSWER_SILENT, "answer-nothing-heard", "I did not hear a message.") \
	X(P_ANSWER_MENU, "answer-menu", "To listen to your message, press 1. To record it again, press 2. To send it, press 3 or pound.") \
	X(P_ANSWER_MENU_ADD, "answer-menu-add", "To add to it, press 4.") \
	X(P_ANSWER_MENU_URGENT, "answer-menu-urgent", "To mark it urgent, press 5.") \
	X(P_ANSWER_MENU_PRIVATE, "answer-menu-private", "To mark it private, press 6.") \
	X(P_ANSWER_MENU_DISCARD, "answer-menu-delete", "To delete it, press 7.") \
	X(P_ANSWER_MENU_OPERATOR, "answer-menu-operator", "To send it and speak to the operator, press 0.") \
	X(P_ANSWER_SAVED, "answer-saved", "Your message has been saved.") \
	X(P_ANSWER_SAVE_FAILED, "answer-save-failed", "Sorry, your message could not be saved.") \
	X(P_ANSWER_RECORD_FAILED, "answer-record-failed", "Sorry, the recording failed.") \
	X(P_ANSWER_URGENT, "answer-urgent", "Marked urgent.") \
	X(P_ANSWER_NOT_URGENT, "answer-not-urgent", "No longer marked urgent.") \
	X(P_ANSWER_PRIVATE, "answer-private", "Marked private.") \
	X(P_ANSWER_NOT_PRIVATE, "answer-not-private", "No longer marked private.") \
	X(P_ANSWER_NOT_ADDED, "answer-nothing-added", "Nothing has been added.") \
	X(P_ANSWER_DISCARDED, "answer-deleted", "Your message has been deleted. To record another one, press 2.") \
	X(P_FIND_HOLD, "find-hold", "Please hold while I try to find") \
	X(P_FIND_SKIP, "find-skip", "To leave a message instead, press pound.") \
	X(P_FIND_NAME, "find-say-name", "Please say your name after the tone, followed by pound.") \
	X(P_FIND_NOBODY, "find-nobody", "Sorry, nobody was found.") \
	X(P_SCREEN_CALL_FOR, "screen-call-for", "There is a call for") \
	X(P_SCREEN_MENU, "screen-menu", "To take the call, press 1. To leave it to the mailbox, press 2.") \
	X(P_SCREEN_GONE, "screen-caller-gone", "Sorry, the caller is not there any more. Goodbye.") \
	X(P_MESSAGE_EMPTY, "message-empty", "This recording cannot be played.") \
	/* log-on */ \
	X(P_LOGON_WELCOME, "logon-welcome", "Welcome to your mailbox.") \
	X(P_LOGON_EXTENSION, "logon-enter-extension", "Please enter your extension, followed by pound.") \
	X(P_LOGON_PIN, "logon-enter-pin", "Please enter your PIN, followed by pound.") \
	X(P_LOGON_WRONG, "logon-wrong", "Sorry, the extension or the PIN is not correct.") \
	X(P_LOGON_LOCKED, "logon-locked", "This mailbox is locked. Please ask your administrator to unlock it.") \
	X(P_LOGON_TOO_MANY, "logon-too-many", "There were too many wrong attempts.") \
	X(P_LOGON_FAILED, "logon-failed", "Sorry, your mailbox cannot be opened at the moment.") \
	X(P_LOGON_NO_PIN, "logon-no-pin", "No PIN has been set for this mailbox. Please ask your administrator.") \
	/* mailbox */ \
	X(P_BOX_NEARLY_FULL, "mailbox-nearly-full", "Your mailbox is nearly full. Please delete messages that you do not need.") \
	X(P_YOU_HAVE, "you-have", "You have") \
	X(P_AND, "and", "and") \
	X(P_NEW, "new", "new") \
	X(P_SAVED, "saved", "saved") \
	X(P_MESSAGE, "message", "message") \
	X(P_MESSAGES, "messages", "messages") \
	X(P_MAIN_MENU, "main-menu", "For your messages, press 1. To look for somebody, press 4. To send a message, press 5. For personal options, press 6. For saved and deleted messages, and to find messages, press 7. To hear these choices again, press 0. To end the call, press 3 3.") \
	X(P_NEW_MESSAGE, "new-message", "New message") \
	X(P_SAVED_MESSAGE, "saved-message", "Saved message") \
	X(P_FROM, "from", "from") \
	X(P_RECEIVED, "received", "received") \
	X(P_LENGTH, "message-length", "length") \
	X(P_CUT_OFF, "message-cut-off", "This message was cut off.") \
	X(P_PLAY_MENU, "play-menu", "To hear it again, press 1. To delete it, press 7. To answer it, press 8. To keep it as new, press 9. For the next message, press pound. For more choices, press 0.") \
	X(P_PLAY_MORE, "play-more", "For the previous message, press 1 1. For the time and the caller, press 5. To forward it, press 6. To flag it, press 4 4. To call the caller, press 0 0 2. To bring back the message deleted last, press 0 0 7. For the main menu, press star. To end the call, press 3 3.") \
	X(P_NO_MESSAGES, "no-messages", "You have no messages.") \
	X(P_NO_MORE_MESSAGES, "no-more-messages", "There are no more messages.") \
	X(P_NO_PREVIOUS, "no-previous-message", "This is the first message.") \
	X(P_NO_NEW_MESSAGES, "no-more-new-messages", "There are no more new messages.") \
	X(P_MESSAGE_DELETED, "message-deleted", "Message deleted.") \
	X(P_MESSAGE_KEPT_NEW, "message-kept-new", "The message is kept as new.") \
	X(P_CHANGE_FAILED, "message-change-failed", "Sorry, that could not be done. The message is as it was.") \
	X(P_PLAY_FAILED, "message-not-readable", "Sorry, this message cannot be read at the moment.") \
	X(P_LIST_FAILED, "messages-not-readable", "Sorry, your messages cannot be read at the moment.") \
	X(P_IS_URGENT, "message-is-urgent", "Urgent.") \
	X(P_IS_PRIVATE, "message-is-private", "Private.") \
	X(P_IS_FLAGGED, "message-is-flagged", "Flagged.") \
	X(P_DELETED_MESSAGE, "deleted-message", "Deleted message") \
	X(P_PLAY_DELETED_MENU, "play-deleted-menu", "To hear it again, press 1. To bring it back, press 7. For the next message, press pound. For the main menu, press star.") \
	X(P_PLAY_WHILE, "play-while", "While a message plays, 1 goes back, 2 stops for a while, 3 goes forward, 4 is slower and 6 is faster.") \
	X(P_PAUSED, "message-paused", "Paused. To go on, press 2.") \
	X(P_MESSAGE_RESTORED, "message-restored", "The message is back.") \
	X(P_NOTHING_TO_RESTORE, "nothing-to-restore", "There is no deleted message to bring back.") \
	X(P_MESSAGE_FLAGGED, "message-flagged", "The message is flagged.") \
	X(P_MESSAGE_UNFLAGGED, "message-unflagged", "The flag is taken away.") \
	X(P_NO_REPLY, "reply-not-possible", "The caller has no mailbox here, so it cannot be answered by voice.") \
	X(P_NO_NUMBER, "no-number-to-call", "There is no number to call.") \
	X(P_NO_FORWARD, "private-no-forward", "This message is private and cannot be forwarded.") \
	X(P_MAIL_LATER, "mail-not-yet", "Your e-mail cannot be heard by phone yet.") \
	X(P_CALENDAR_LATER, "calendar-not-yet", "Your calendar cannot be heard by phone yet.") \
	X(P_CONVERSATION_LATER, "conversation-not-yet", "Conversations belong to e-mail, which cannot be heard by phone yet.") \
	X(P_FOLDER_MENU, "folder-menu", "For new messages, press 1. For saved messages, press 2. For deleted messages, press 3. To find the messages of a caller, press 4. For all messages by caller, press 5. For all messages from the newest to the oldest, press 6. To go back, press star.") \
	X(P_FIND_CALLER, "find-caller", "Enter a part of the number, or spell the name, of the caller, followed by pound. To go back, press star.") \
	X(P_PERSON_MENU, "person-menu", "To call, press 2. To send a message, press 3. To look for somebody else, press 4. To go back, press star.") \
	X(P_SEND_TO, "send-to", "Enter the extension to which the message goes, followed by pound.") \
	X(P_SEND_TO_GROUP, "send-to-group", "For one of your groups, enter its number, followed by pound.") \
	X(P_SEND_TO_NAME, "send-to-name", "To spell a name, press pound alone. To go back, press star.") \
	X(P_SEND_UNKNOWN, "send-unknown", "Sorry, there is no such extension or group.") \
	X(P_SEND_GROUP, "send-group", "The group") \
	X(P_SEND_ADDED, "send-added", "To send it to somebody else, too, press 1. To go on, press pound. To begin again, press star.") \
	X(P_FORWARD_INTRO, "forward-introduction", "To record an introduction, press 1. To go on without one, press pound. To go back, press star.") \
	X(P_SEND_RECORD, "send-record", "Speak after the tone. When you have finished, press pound.") \
	X(P_SEND_REVIEW, "send-review", "To send it, press 1 or pound. To listen, press 2. To record it again, press 3. For urgent or not, press 4. For private or not, press 5. To send nothing, press star.") \
	X(P_SEND_URGENT, "send-urgent", "It is urgent.") \
	X(P_SEND_NOT_URGENT, "send-not-urgent", "It is not urgent.") \
	X(P_SEND_PRIVATE, "send-private", "It is private.") \
	X(P_SEND_NOT_PRIVATE, "send-not-private", "It is not private.") \
	X(P_SENT, "send-done", "Your message has been sent.") \
	X(P_SEND_PARTLY, "send-partly", "It could not be delivered to") \
	X(P_SEND_OTHERS, "send-others", "and to others.") \
	X(P_SEND_FAILED, "send-failed", "Sorry, your message could not be sent.") \
	X(P_SEND_CANCELLED, "send-cancelled", "Nothing has been sent.") \
	/* personal options */ \
	X(P_OPTIONS_MENU, "options-menu", "To turn your temporary greeting on or off, press 1. To record your greetings or your name, press 2. To change your PIN, press 3. For keys or voice, press 4. For your time zone, press 5. For a clock of twelve or twenty four hours, press 6. For the main menu, press star.") \
	X(P_GREETING_MENU, "greeting-menu", "To record it, press 1. To hear it, press 2. To use the standard one, press 7. To go back, press star.") \
	X(P_GREETING_RECORD, "greeting-record", "Record your greeting after the tone. When you have finished, press pound.") \
	X(P_NAME_RECORD, "name-record", "Say your name after the tone. When you have finished, press pound.") \
	X(P_GREETING_REVIEW, "greeting-review", "To listen, press 1. To record it again, press 2. To use this recording, press 3 or pound. To leave everything as it was, press star.") \
	X(P_GREETING_SAVED, "greeting-saved", "Your recording has been saved.") \
	X(P_GREETING_REMOVED, "greeting-removed", "The standard one is now used.") \
	X(P_GREETING_FAILED, "greeting-failed", "Sorry, your recording could not be saved. The old one is still used.") \
	X(P_GREETING_SHORT, "greeting-too-short", "The recording was too short.") \
	X(P_NOTHING_CHANGED, "nothing-changed", "Nothing has been changed.") \
	X(P_PIN_FIRST_USE, "pin-first-use", "Before you can use your mailbox, you must choose a new PIN.") \
	X(P_PIN_NEW, "pin-enter-new", "Please enter your new PIN, followed by pound.") \
	X(P_PIN_AGAIN, "pin-enter-again", "Please enter the new PIN once more, followed by pound.") \
	X(P_PIN_RULES_LENGTH, "pin-rule-length", "The PIN is too short. The number of digits it needs at least is") \
	X(P_PIN_RULES_LONG, "pin-rule-too-long", "That PIN is too long.") \
	X(P_PIN_RULES_TRIVIAL, "pin-rule-trivial", "That PIN is too easy to guess. Please do not use your extension, repeated digits or digits in a row.") \
	X(P_PIN_RULES_USED, "pin-rule-used", "You have used that PIN before. Please choose another.") \
	X(P_PIN_MISMATCH, "pin-mismatch", "The two PINs are not the same.") \
	X(P_PIN_CHANGED, "pin-changed", "Your PIN has been changed.") \
	X(P_PIN_CHANGE_FAILED, "pin-change-failed", "Sorry, your PIN could not be changed. The old one is still valid.") \
	X(P_AWAY_ON, "away-on", "Your temporary greeting is on.") \
	X(P_AWAY_OFF, "away-off", "Your temporary greeting is off.") \
	X(P_AWAY_NOT_RECORDED, "away-not-recorded", "You have not recorded it, so callers hear the standard words.") \
	X(P_AWAY_ASK, "away-ask-end", "Enter the number of days that you are away, today included, followed by pound. Or enter the last day: two digits for the day and two for the month, followed by pound. Without an end, press pound alone. To go back, press star.") \
	X(P_AWAY_NO_DAY, "away-no-such-day", "Sorry, that is no day within a year.") \
	X(P_AWAY_UNTIL, "away-until", "You are away until") \
	X(P_AWAY_RIGHT, "away-right", "If this is right, press 1. To enter it again, press 2.") \
	X(P_GREETING_KINDS, "greeting-kinds", "For your personal greeting, press 1. For your temporary greeting, press 2. For the greeting while you are on another call, press 3. For the greeting after hours, press 4. For your name, press 5. To go back, press star.") \
	X(P_GREETING_KINDS_RULES, "greeting-kinds-rules", "For the greetings of your rules, press 6.") \
	X(P_RULE_GREETING, "rule-greeting", "The rule") \
	X(P_RULE_MENU, "rule-greeting-menu", "To record its greeting, press 1. To hear it, press 2. To take it away, press 7. For the next rule, press pound. To go back, press star.") \
	X(P_RULE_NO_GREETING, "rule-greeting-none", "No greeting has been recorded for this rule.") \
	X(P_RULE_GREETING_REMOVED, "rule-greeting-removed", "Its greeting is taken away.") \
	X(P_GREETING_NONE, "greeting-none", "Nothing has been recorded. The standard one is used.") \
	X(P_BY_VOICE, "commands-voice", "You can speak your choices, where this server understands them. The keys always work.") \
	X(P_BY_KEYS, "commands-keys", "You use the keys.") \
	X(P_HOURS_12, "clock-twelve", "Times are told in twelve hours.") \
	X(P_HOURS_24, "clock-twenty-four", "Times are told in twenty four hours.") \
	X(P_ZONE_OF, "zone-time-of", "The time of") \
	X(P_ZONE_MENU, "zone-menu", "To choose it, press 1. For the next one, press pound. For the time of this server, press 7. To go back, press star.") \
	X(P_ZONE_SET, "zone-set", "Your time zone is set.") \
	X(P_OPTIONS_LANGUAGE, "options-language", "For your language, press 7.") \
	X(P_LANGUAGE_THIS, "language-menu", "This is English. To choose it, press 1. For the next language, press pound. For the usual language of your mailbox, press 7. To go back, press star.") \
	X(P_LANGUAGE_SET, "language-set", "This language is used from now on.") \
	X(P_LANGUAGE_ONLY, "language-only", "There is no other language.") \
	X(P_CHOICE_FAILED, "choice-failed", "Sorry, your choice could not be saved.") \
	X(P_PLAY_OUT_HELLO, "play-out-hello", "This is the mailbox of") \
	X(P_SETUP_NAME, "setup-name", "Your mailbox needs your name. To leave it out, press star.") \
	X(P_SETUP_GREETING, "setup-greeting", "Now your greeting. To use the standard one, press star.") \
	X(P_SETUP_DONE, "setup-done", "Your mailbox is ready.") \
	/* auto attendant */ \
	X(P_AA_WELCOME, "attendant-welcome", "Welcome.") \
	X(P_AA_WELCOME_TO, "attendant-welcome-to", "Welcome to") \
	X(P_AA_EXTENSION, "attendant-dial-extension", "If you know the extension, dial it now.") \
	X(P_AA_NAME, "attendant-dial-name", "To dial by name, press pound.") \
	X(P_AA_OPERATOR, "attendant-dial-operator", "For the operator, press 0.") \
	X(P_AA_FOR, "attendant-for", "For") \
	X(P_AA_PRESS, "attendant-press", "press") \
	X(P_AA_C_MAILBOX, "attendant-choice-mailbox", "your mailbox") \
	X(P_AA_C_NAMES, "attendant-choice-names", "the directory of names") \
	X(P_AA_C_OPERATOR, "attendant-choice-operator", "the operator") \
	X(P_AA_C_HOURS, "attendant-choice-hours", "our opening hours") \
	X(P_AA_C_ADDRESS, "attendant-choice-address", "our address") \
	X(P_AA_C_ENGLISH, "attendant-choice-en", "English") \
	X(P_AA_C_GERMAN, "attendant-choice-de", "German") \
	X(P_AA_C_FRENCH, "attendant-choice-fr", "French") \
	X(P_AA_C_SPANISH, "attendant-choice-es", "Spanish") \
	X(P_AA_C_ITALIAN, "attendant-choice-it", "Italian") \
	X(P_AA_C_DUTCH, "attendant-choice-nl", "Dutch") \
	X(P_AA_UNKNOWN_EXT, "attendant-unknown-extension", "Sorry, there is no such extension.") \
	X(P_AA_NO_OPERATOR, "attendant-no-operator", "Sorry, there is no operator.") \
	X(P_AA_NOT_ALLOWED, "attendant-not-allowed", "Sorry, that number cannot be dialed from here.") \
	X(P_AA_LEAVE_FOR, "attendant-message-for", "You are leaving a message for") \
	/* dial by name */ \
	X(P_ASK_NAME, "ask-name", "Please say the first and last name of the person, or the department. Or spell the last name with the keys of your phone, followed by pound.") \
	X(P_ASK_AGAIN, "ask-again", "Sorry, I did not understand. Please say the name again.") \
	X(P_ASK_DID_YOU, "ask-did-you", "Did you say") \
	X(P_ASK_RIGHT, "ask-right", "If this is right, press 1. If not, press pound.") \
	X(P_ASK_NONE, "ask-none", "For somebody else, press pound.") \
	X(P_ASK_WHO, "ask-who", "Whom would you like to speak to there?") \
	/* speech instead of keys */ \
	X(P_AA_SAY, "attendant-say", "You can say a name or a department at any time.") \
	X(P_NOT_UNDERSTOOD, "not-understood", "Sorry, I did not understand.") \
	X(P_USE_KEYS, "use-keys", "Sorry, I cannot understand you. Please use the keys of your phone.") \
	X(P_SAY_COMMANDS, "say-commands", "You can say: play messages, next message, previous message, repeat, pause, go on, slower, faster, delete message, undelete, mark as unread, reply, forward message, call sender, envelope, main menu, or goodbye.") \
	/* attendant by hours, and dial by name */ \
	X(P_AA_CLOSED, "attendant-closed", "We are closed at the moment.") \
	X(P_AA_HOLIDAY, "attendant-closed-for", "We are closed today. The reason is") \
	X(P_AA_OPEN, "attendant-open", "We are open") \
	X(P_AA_OPEN_ALWAYS, "attendant-open-always", "We are open day and night.") \
	X(P_AA_NEVER_OPEN, "attendant-never-open", "There are no opening hours.") \
	X(P_AA_DAY_TO, "attendant-day-to", "to") \
	X(P_AA_FROM, "attendant-from", "from") \
	X(P_AA_UNTIL, "attendant-until", "until") \
	X(P_AA_ALL_DAY, "attendant-all-day", "all day") \
	X(P_AA_LOCATED, "attendant-located", "Our address is") \
	X(P_NAME_NARROW, "name-narrow", "Go on with the next letters, followed by pound. To begin again, press star.") \
	X(P_NAME_SPELL_FIRST, "name-spell-first", "Spell the first name, then the last name, with the keys of your phone, followed by pound. For the letters Q and Z, press 7 and 9. To go back, press star.") \
	X(P_NAME_SPELL_ALIAS, "name-spell-alias", "Spell the short name with the keys of your phone, followed by pound. For the letters Q and Z, press 7 and 9. To go back, press star.") \
	X(P_NAME_SPELL, "name-spell", "Spell the last name, then the first name, with the keys of your phone, followed by pound. For the letters Q and Z, press 7 and 9. To go back, press star.") \
	X(P_NAME_NONE, "name-no-match", "Sorry, there is nobody by that name.") \
	X(P_NAME_TOO_MANY, "name-too-many", "There are too many matches. Please enter more letters.") \
	X(P_NAME_ONE, "name-one-match", "One match:") \
	X(P_NAME_MATCHES, "name-matches", "matches.") \
	X(P_NAME_CHOOSE, "name-choose", "If this is right, press 1. For the next one, press pound. To spell another name, press star.") \
	X(P_NAME_NO_MORE, "name-no-more", "There are no more matches.") \
	/* the node drains */ \
	X(P_FINISH_SOON, "finish-soon", "This system is about to be switched off. Please come to an end of your call.") \
	/* transfer */ \
	X(P_XFER_HOLD, "transfer-to", "Please hold. You are being transferred to") \
	X(P_XFER_OPERATOR, "transfer-to-operator", "Please hold. You are being transferred to the operator.") \
	X(P_XFER_FAILED, "transfer-failed", "Sorry, the call could not be put through.") \
	X(P_XFER_BUSY, "transfer-busy", "Sorry, the line is busy.") \
	X(P_XFER_NO_ANSWER, "transfer-no-answer", "Sorry, nobody answers.") \
	X(P_XFER_MESSAGE, "transfer-offer-message", "To leave a message, press 1.") \
	X(P_XFER_OTHER, "transfer-offer-operator", "To speak to the operator, press 0.") \
	X(P_XFER_BACK, "transfer-offer-back", "To go back, press star.")

enum dlg_prompt {
	P_NONE,
#define X(id, name, words) id,
	DLG_PROMPTS(X)
#undef X
	P_COUNT
};

/* "goodbye"; NULL outside the list. */
const char *dlg_prompt_name(enum dlg_prompt p);
const char *dlg_prompt_words(enum dlg_prompt p);

#endif
